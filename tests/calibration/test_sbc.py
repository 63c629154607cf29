"""The judge of ranks is fair, and laws pass it; the whole run is `python tests/calibration/sbc.py`."""

import numpy as np
import pandas as pd
import pytest
import sbc

# Laws known to be outside their band, and where the limit is printed.
LIMITS: dict[str, str] = {}


def test_uniform_ranks_are_called_outside_as_often_as_the_level_says():
    rng = np.random.default_rng(4)
    chances = np.array([sbc.chance(rng.integers(0, sbc.DRAWS + 1, 100)) for _ in range(1000)])
    for level in (0.05, 0.5):
        error = np.sqrt(level * (1 - level) / 1000)
        assert np.mean(chances <= level) == pytest.approx(level, abs=4 * error)


@pytest.mark.parametrize(
    ("draw", "what"),
    [
        (lambda rng: rng.beta(1.7, 1, 100), "medians too low"),
        (lambda rng: rng.beta(2.2, 2.2, 100), "posteriors too wide"),
        (lambda rng: rng.beta(0.5, 0.5, 100), "posteriors too narrow"),
    ],
)
def test_ranks_that_are_not_uniform_are_found(draw, what):
    ranks = np.floor((sbc.DRAWS + 1) * draw(np.random.default_rng(5))).astype(int)
    assert sbc.chance(ranks) < 0.01, what


def test_ranks_on_a_plateau_are_uniform():
    """Truth and draws from one distribution, three quarters of it on a point, as at perfect play."""
    rng = np.random.default_rng(6)
    tables = np.maximum(rng.normal(-0.67, 1, (400, sbc.DRAWS + 1)), 0.0)
    assert sbc.chance(np.array([sbc.rank(t[0], t[1:], rng) for t in tables])) > 0.01
    assert np.mean([np.sum(t[1:] < t[0]) for t in tables]) < 0.3 * sbc.DRAWS


def test_a_run_is_at_ten_times_the_cost():
    model = sbc.make_model("chinchilla", "grid", False)
    at = {symbol: float(x) for symbol, x in sbc.beyond(model).items()}
    assert 6 * at["N"] * at["D"] == pytest.approx(10 * model.cost().max())


def test_designs_are_what_they_are_called():
    line, short = (sbc.make_model("chinchilla", design, False) for design in ("line", "short"))
    assert line.cost().max() == pytest.approx(line.cost().min(), rel=0.2)
    assert np.ptp(np.log(short.runs[["N", "D"]].to_numpy()), axis=0).max() < np.log(4.001)
    assert len(set(sbc.make_model("power", "line", False).runs["C"].tolist())) == 3


def test_every_cell_that_was_run_is_inside_or_its_limit_is_printed():
    log = pd.read_csv(sbc.LOG)
    found = sbc.table(log)
    assert set(found.loc[~found["inside"], "law"]) == set(LIMITS)


@pytest.mark.slow
@pytest.mark.parametrize(
    "cell", [("chinchilla", "grid", False), ("kaplan", "line", False), ("saturating", "short", True)]
)
def test_a_reduced_set_is_calibrated(cell):
    """Fresh tables, half as many as in the whole run; Bonferroni over the quantities of the three cells at 1 %."""
    law, design, pooled = cell
    part = sbc.rank_batch({"law": law, "design": design, "pooled": pooled, "tables": 50, "first": 0, "count": 50})
    chances = {name: sbc.chance(np.array(ranks)) for name, ranks in part["ranks"].items()}
    print(f"\n{cell}: {part['fast']} by the fast path, {part['doubtful']} doubtful, {chances}")
    assert min(chances.values()) > 0.01 / (3 * len(chances))
