"""What runs can tell before a fit: designs whose answer is known, and closed forms of linear models."""

import numpy as np
import pandas as pd
import pytest

import bayescale as bs
from bayescale.answers.identification import identify_sentences, identify_table

HOFFMANN = {"E": 1.69, "A": 406.4, "B": 410.7, "alpha": 0.34, "beta": 0.28}


def hoffmann(N, D, noise=0.005):
    N, D = np.asarray(N, dtype=float), np.asarray(D, dtype=float)
    L = HOFFMANN["E"] + HOFFMANN["A"] / N ** HOFFMANN["alpha"] + HOFFMANN["B"] / D ** HOFFMANN["beta"]
    return pd.DataFrame({"N": N, "D": D, "L": L * np.exp(noise * np.random.default_rng(0).standard_normal(N.size))})


def said(runs, law="chinchilla", **options):
    model = bs.Model(law, runs, **options)
    found = bs.identify(model)
    return found, identify_table(found), "\n".join(identify_sentences(found, model))


GRID_N, GRID_D = (x.ravel() for x in np.meshgrid(np.logspace(7, 10, 7), np.logspace(9, 12, 7)))


# -- Designs whose answer is known


def test_a_grid_tells_everything():
    found, table, text = said(hoffmann(GRID_N, GRID_D), noise="normal")
    assert abs(float(found["correlation"].squeeze())) < 1e-12
    assert found["decades"].to_numpy().ravel() == pytest.approx([3, 3])
    assert table["contraction"].to_numpy().min() > 0.6
    assert int(found["told"].squeeze()) == 5
    assert text.startswith("These runs can tell every parameter of the law.")
    assert "The floor shows" in text


def test_twenty_tokens_a_parameter_do_not_separate_them():
    N = np.logspace(7, 10, 49)
    found, table, text = said(hoffmann(N, 20 * N), noise="normal")
    assert float(found["correlation"].squeeze()) == pytest.approx(1)
    assert int(found["told"].squeeze()) < 5
    assert "N and D move together (correlation 1.00)" in text
    assert "such as N = 1e+07 with D = 2e+11, and N = 1e+10 with D = 2e+08" in text
    grid = said(hoffmann(GRID_N, GRID_D), noise="normal")[1]
    for name in ("A_ref", "B_ref", "alpha", "beta"):
        assert table.loc[name, "contraction"] < grid.loc[name, "contraction"] - 0.1
    # The two runs asked for undo it.
    more = said(hoffmann([*N, 1e7, 1e10], [*(20 * N), 2e11, 2e8]), noise="normal")[1]
    assert more.loc["alpha", "contraction"] > table.loc["alpha", "contraction"] + 0.1


def test_one_budget_moves_them_apart_the_other_way():
    N = np.logspace(7, 10, 30)
    found, _, text = said(hoffmann(N, 1e20 / N), noise="normal")
    assert float(found["correlation"].squeeze()) == pytest.approx(-1)
    assert "such as N = 1e+07 with D = 1e+10, and N = 1e+10 with D = 1e+13" in text


def test_a_short_range_far_from_the_floor_leaves_it_to_the_prior():
    N, D = (x.ravel() for x in np.meshgrid(np.logspace(5, 5.3, 5), np.logspace(7, 7.3, 5)))
    found, table, text = said(hoffmann(N, D, noise=0.02), noise="normal")
    assert float(found["floor_contraction"].squeeze()) < 0.3
    assert "N spans 2 times, less than ten" in text
    assert "The floor is not reached" in text
    assert (
        table.loc["alpha", "contraction"]
        < said(hoffmann(GRID_N, GRID_D), noise="normal")[1].loc["alpha", "contraction"]
    )


def test_the_floor_shows_once_runs_come_close():
    close = said(hoffmann(GRID_N, GRID_D))[0]
    truth = HOFFMANN["E"] + HOFFMANN["A"] / 1e10 ** HOFFMANN["alpha"] + HOFFMANN["B"] / 1e12 ** HOFFMANN["beta"]
    assert float(close["floor_share"].squeeze()) == pytest.approx(HOFFMANN["E"] / truth, abs=0.03)
    start = HOFFMANN["A"] / 1e7 ** HOFFMANN["alpha"] + HOFFMANN["B"] / 1e9 ** HOFFMANN["beta"]
    assert float(close["fall"].squeeze()) == pytest.approx(start / (truth - HOFFMANN["E"]), rel=0.2)
    assert float(close["floor_contraction"].squeeze()) > 0.8


def test_a_law_without_a_floor_is_asked_for_none():
    found, _, text = said(hoffmann(GRID_N, GRID_D), law="kaplan")
    assert np.isnan(found["floor_share"]).all()
    assert "floor" not in text


def test_an_input_that_does_not_vary():
    with pytest.warns(bs.BayescaleWarning, match="does not vary"):
        found, table, text = said(hoffmann(np.logspace(7, 10, 20), np.full(20, 1e10)), noise="normal")
    assert np.isnan(found["correlation"]).all()
    assert "D spans 1 times, less than ten" in text
    # Nothing is told of its exponent.
    assert table.loc["beta", "contraction"] == pytest.approx(0, abs=1e-3)


# -- Closed forms


X = np.logspace(6, 9, 8)
U = np.log(X) - np.log(X).mean()
FEW = np.array([1e7, 3e7])
U_FEW = np.log(FEW) - np.log(FEW).mean()
SIGMA = 0.05
TIGHT = f"LogNormal({np.log(SIGMA)}, 1e-6)"


def lines(x):
    return pd.DataFrame({"N": x, "L": np.exp(1.0 - 0.1 * np.log(x / 1e7))})


def test_contraction_of_a_line_is_its_closed_form():
    """A power law is a line on logs: whatever the values, information is that of linear regression."""
    priors = {"k_ref": "LogNormal(1.0, 0.4)", "alpha": "Normal(0.1, 0.03)", "sigma": TIGHT}
    table = said(lines(X), "power:N", noise="normal", priors=priors)[1]
    for name, information, sd in (("k_ref", 8, 0.4), ("alpha", U @ U, 0.03)):
        left = 1 / np.sqrt(information / SIGMA**2 * sd**2 + 1)
        assert table.loc[name, "contraction"] == pytest.approx(1 - left, abs=1e-4)
        assert table.loc[name, "sd"] < 1e-4


def test_student_noise_of_this_scale_counts_as_normal():
    priors = {"k_ref": "LogNormal(1.0, 0.4)", "alpha": "Normal(0.1, 0.03)", "sigma": TIGHT}
    student = said(lines(X), "power:N", noise="student", priors=priors)[1]
    normal = said(lines(X), "power:N", noise="normal", priors=priors)[1]
    assert student["contraction"].tolist() == pytest.approx(normal["contraction"].tolist(), rel=1e-6)


def test_groups_lend_strength_as_a_normal_hierarchy_does():
    """Groups' slopes have the covariance m^2 + s^2 on the diagonal and m^2 off it; a group of two runs gains most."""
    runs = pd.concat([lines(x).assign(field=f) for x, f in ((X, "a"), (X, "b"), (FEW, "c"))], ignore_index=True)
    m, s, level = 0.05, 0.02, 0.5
    spread = f"LogNormal({np.log(s)}, 1e-6)"
    priors = {
        **{"k_ref": f"LogNormal(1.0, {level})", "alpha": f"Normal(0.1, {m})", "sigma": TIGHT},
        "alpha_spread": spread,
    }
    pool = {"alpha": "field", "k_ref": None, "sigma": "complete"}
    with pytest.warns(bs.BayescaleWarning, match="Fewer than 5 runs"):
        model = bs.Model("power:N", runs, pool=pool, noise="normal", priors=priors)
    table = identify_table(bs.identify(model))
    u = np.log(runs["N"] / model.reference["x"]).to_numpy()
    own = np.stack([runs["field"] == f for f in "abc"], axis=1).astype(float)
    J = np.concatenate([own, -own * u[:, None]], axis=1)
    K = np.zeros((6, 6))
    K[:3, :3] = level**2 * np.eye(3)
    K[3:, 3:] = m**2 + s**2 * np.eye(3)
    after = np.linalg.inv(J.T @ J / SIGMA**2 + np.linalg.inv(K))
    left = np.sqrt(np.diag(after) / np.diag(K))
    found = [table.loc[f"{name}[{f}]", "contraction"] for name in ("k_ref", "alpha") for f in "abc"]
    assert found == pytest.approx(1 - left, abs=2e-4)
    # By itself, with the same width of prior, the group of two would have learnt less.
    v = U_FEW @ U_FEW / SIGMA**2 * (m**2 + s**2)
    assert table.loc["alpha[c]", "contraction"] > 1 - 1 / np.sqrt(v + 1) + 0.2


def test_a_departure_from_the_law_takes_from_what_is_told():
    without = said(hoffmann(GRID_N, GRID_D), noise="normal")[1]
    with_it = said(hoffmann(GRID_N, GRID_D), noise="normal", discrepancy=True)[1]
    assert (with_it["contraction"].to_numpy() < without["contraction"].to_numpy()).all()


def test_errors_of_measurement_take_from_what_is_told():
    runs = hoffmann(GRID_N, GRID_D)
    plain = said(runs, noise="normal")[1]
    erring = said(runs.assign(L_se=0.2 * runs["L"]), noise="normal")[1]
    assert (erring["contraction"].to_numpy() < plain["contraction"].to_numpy()).all()


# -- Every kind of law


RISING, FALLING = np.linspace(0.3, 0.9, 8).round(2), np.linspace(4, 2, 12)


@pytest.mark.parametrize(
    ("law", "runs"),
    [
        (
            "exact_match:C",
            {"accuracy": np.linspace(0.1, 0.8, 8), "C": np.logspace(18, 21, 8), "K": 3.0, "n_trials": 100},
        ),
        ("sigmoid_of_compute:C", {"accuracy": np.linspace(0.3, 0.8, 8), "C": np.logspace(18, 21, 8), "chance": 0.25}),
        ("densing", {"t": np.linspace(0, 500, 9), "ln_density": np.linspace(0, 2, 9)}),
        (
            "isoflop",
            {"N": np.tile(np.logspace(7, 9, 4), 3), "C": np.repeat([1e18, 1e19, 1e20], 4), "L": np.linspace(4, 2, 12)},
        ),
        ("broken_1:D", {"D": np.logspace(6, 9, 12), "L": FALLING}),
    ],
)
def test_any_law_has_an_answer(law, runs):
    table = pd.DataFrame(runs)
    name = law.partition(":")[0]
    inputs = {i.symbol: i.column or "C" for i in bs.LAWS[name].inputs}
    table = table.rename(columns={k: inputs[k] for k in table if k in inputs})
    model = bs.Model(law, table)
    found = bs.identify(model)
    assert np.isfinite(found["contraction"]).all()
    assert identify_sentences(found, model)


def test_groups_have_a_line_each_and_the_same_seed_the_same_answer():
    model = bs.Model("chinchilla", bs.load_runs("tiny_sweep"), pool="modality")
    found = bs.identify(model)
    assert list(found["part"].to_numpy()) == list(model.groups)
    assert "alpha[music]" in found["parameter"]
    text = "\n".join(identify_sentences(found, model))
    assert "The floor of speech shows" in text
    assert found.identical(bs.identify(model))
