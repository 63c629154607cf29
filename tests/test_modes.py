"""Several modes: found, told apart, and weighed as a closed form says."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import bayescale as bs
from bayescale.answers.check import check_sentences
from bayescale.law import LOSS, Input, Law, Param
from bayescale.laws.broken import broken
from bayescale.modes import find_modes, group_chains, log_evidence
from bayescale.prior import POSITIVE, REAL, Prior


def normal(mean, sd, mass):
    """Log of ``mass`` times a normal density of independent coordinates, and its gradient."""
    mean, sd = np.asarray(mean, float), np.asarray(sd, float)

    def logp(x):
        z = (x - mean) / sd
        return math.log(mass) - 0.5 * z @ z - np.log(sd).sum() - 0.5 * z.size * math.log(2 * math.pi), -z / sd

    return logp


def mixture(*parts):
    def logp(x):
        values, gradients = zip(*(part(x) for part in parts), strict=True)
        total = np.logaddexp.reduce(values)
        shares = np.exp(np.array(values) - total)
        return float(total), np.sum(shares[:, None] * np.stack(gradients), axis=0)

    return logp


TWO = mixture(normal([-4, 0], [0.5, 1], 2.0), normal([4, 1], [1, 0.2], 6.0))


def test_both_modes_are_found_with_their_mass():
    rng = np.random.default_rng(0)
    modes = find_modes(TWO, [rng.uniform(-6, 6, 2) for _ in range(20)])
    assert len(modes) == 2
    assert modes[0].x == pytest.approx([4, 1], abs=1e-3)
    assert modes[1].x == pytest.approx([-4, 0], abs=1e-3)
    assert np.exp([m.log_evidence for m in modes]) == pytest.approx([6.0, 2.0], rel=1e-3)


def test_a_mode_not_worth_it_is_left_out():
    rng = np.random.default_rng(0)
    slight = mixture(normal([-4.0], [1.0], 1.0), normal([4.0], [1.0], 1e-4))
    modes = find_modes(slight, [rng.uniform(-6, 6, 1) for _ in range(20)])
    assert [m.x[0] for m in modes] == pytest.approx([-4.0], abs=1e-3)


def test_bridge_sampling_finds_the_mass_of_a_mode():
    """The mass of a skewed density, exp(-e^u + 3u), is Gamma(3) = 2; here times a normal of mass 5."""
    rng = np.random.default_rng(1)

    def logp(x):
        u, v = x
        return 3 * u - math.exp(u) + math.log(5) - 0.5 * v**2 - 0.5 * math.log(2 * math.pi), np.zeros(2)

    draws = np.stack([np.log(rng.gamma(3, size=4000)), rng.standard_normal(4000)], axis=1)
    found, error = log_evidence(logp, draws, rng)
    assert error < 0.05
    assert found == pytest.approx(math.log(10), abs=4 * error)


@pytest.mark.parametrize("scale", [1e-9, 1e6])
def test_bridge_sampling_at_any_scale(scale):
    """A normal of mass 7, one direction scaled and the two nearly one: correlation 0.999999."""
    rng = np.random.default_rng(2)
    covariance: Any = np.array([[1.0, 0.999999], [0.999999, 1.0]])
    normal = stats.multivariate_normal(cov=covariance)

    def logp(x):
        return math.log(7) + float(normal.logpdf(x / [scale, 1])) - math.log(scale), np.zeros(2)

    draws = rng.multivariate_normal(np.zeros(2), covariance, 4000) * [scale, 1]
    found, error = log_evidence(logp, draws, rng)
    assert error < 0.05
    assert found == pytest.approx(math.log(7), abs=4 * error)


def test_chains_that_do_not_move_have_an_evidence_of_great_error():
    """Nothing is known of a direction in which no draw moved; the answer is a number, and its error no small one."""
    rng = np.random.default_rng(3)
    draws = np.stack([rng.standard_normal(400), np.full(400, 0.3)], axis=1)
    found, error = log_evidence(lambda x: (-0.5 * float(x @ x), -x), draws, rng)
    assert not math.isnan(found)
    assert not error < 0.05


def test_chains_that_mix_are_one_group():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((6, 400, 3))
    x[[1, 4]] += 5
    assert sorted(group_chains(x)) == [[0, 2, 3, 5], [1, 4]]


def _folded(mu):
    """A law that knows only the square of ``root``: the prior alone tells its sign."""

    def response(x, k, root):
        return k * x ** -(root**2)

    return Law(
        "folded",
        response,
        inputs=(Input("x", "any", "", "D"),),
        output=LOSS,
        params=(
            Param("k", "level", "", POSITIVE, Prior("LogNormal", mu=0, sigma=1), Prior("HalfNormal", sigma=1)),
            Param(
                "root",
                "root of the exponent",
                "",
                REAL,
                Prior("Normal", mu=mu, sigma=0.5),
                Prior("HalfNormal", sigma=1),
            ),
        ),
        slopes={"x": -1},
        multimodal=True,
    )


@pytest.fixture(scope="module")
def folded_runs():
    x = np.logspace(-1, 1, 30)
    rng = np.random.default_rng(3)
    return pd.DataFrame({"D": x, "L": 2 * x**-0.25 * np.exp(0.02 * rng.standard_normal(30))})


def test_modes_that_no_chain_crosses_are_weighed_by_evidence(folded_runs):
    """Posterior odds of the signs are those of the prior, exp(2 root mu / sigma^2): here exp(2 x 0.5 x 0.2 / 0.25)."""
    posterior = bs.fit(bs.Model(_folded(0.2), folded_runs), seed=1, draws=500, tune=500)
    assert posterior.converged, posterior.diagnostics
    odds = math.exp(2 * 0.5 * 0.2 / 0.25)
    assert posterior.diagnostics.modes == pytest.approx([odds / (1 + odds), 1 / (1 + odds)], abs=0.04)
    share = float((posterior.dataset["root"] > 0).mean())
    assert share == pytest.approx(odds / (1 + odds), abs=0.04)
    assert abs(posterior.dataset["root"]).median() == pytest.approx(0.5, abs=0.02)
    assert "2 separate modes" in str(posterior)


def test_without_the_search_one_mode_would_pass_in_silence(folded_runs):
    """Why the search is there: chains from one start agree with each other, and miss the rest."""
    law = replace(_folded(1.0), multimodal=False)
    posterior = bs.fit(bs.Model(law, folded_runs), seed=1, draws=2000, target_accept=0.97)
    assert posterior.diagnostics.modes == ()
    assert float((posterior.dataset["root"] > 0).mean()) in (0.0, 1.0)


def test_weights_of_modes_survive_saving(folded_runs, tmp_path):
    posterior = bs.fit(bs.Model(_folded(0.2), folded_runs), seed=1, draws=300, tune=300)
    posterior.save(tmp_path / "post.nc")
    assert bs.open_posterior(tmp_path / "post.nc", law=_folded(0.2)).diagnostics == posterior.diagnostics


# -- The broken power law


def test_without_a_change_a_break_does_nothing():
    law = broken(1)
    with_break = law(x=np.array([1.0, 10.0]), a=1.0, b=2.0, c_0=0.3, d_1=3.0, c_1=0.0, f_1=0.1)
    assert with_break == pytest.approx(1.0 + 2.0 * np.array([1.0, 10.0]) ** -0.3)


@pytest.mark.parametrize("breaks", [1, 2, 3])
def test_broken_law_is_the_papers_product(breaks):
    """Caballero et al. (2023), equation 1, multiplied out as printed."""
    rng = np.random.default_rng(breaks)
    x = np.logspace(0, 3, 7)
    d, c, f = 10 ** np.sort(rng.uniform(0, 3, breaks)), rng.normal(size=breaks), rng.uniform(0.1, 1, breaks)
    expected = 0.5 + 2.0 * x**-0.2 * np.prod((1 + (x[:, None] / d) ** (1 / f)) ** (-c * f), axis=1)
    named = {f"{s}_{i + 1}": v[i] for s, v in (("d", d), ("c", c), ("f", f)) for i in range(breaks)}
    assert broken(breaks)(x=x, a=0.5, b=2.0, c_0=0.2, **named) == pytest.approx(expected, rel=1e-12)


def test_slope_after_a_break_is_the_sum_of_exponents():
    law = broken(2)
    values = {"a": 0.0, "b": 1.0, "c_0": 0.1, "d_1": 1e3, "c_1": -0.4, "f_1": 0.05, "d_2": 1e6, "c_2": 0.8, "f_2": 0.05}
    for x, slope in ((1e1, -0.1), (3e4, 0.3), (1e9, -0.5)):
        step = np.log(law(x=x * 1.01, **values)) - np.log(law(x=x / 1.01, **values))
        assert step / (2 * math.log(1.01)) == pytest.approx(slope, abs=1e-6)


@pytest.mark.slow
def test_a_break_the_runs_do_not_reach_is_not_certain():
    """Runs on a plain power law, and a user sure that a break of some size comes: it can only be outside the runs."""
    D = np.logspace(7, 10, 25)
    scatter = np.exp(0.01 * np.random.default_rng(0).standard_normal(25))
    sure = {"c_1": "Normal(1.0, 0.2)", "f_1": "LogNormal(-1.5, 0.3)"}
    plain = pd.DataFrame({"D": D, "L": (1.5 + 0.5 * (D / 1e8) ** -0.3) * scatter})
    bent = plain.assign(L=(0.5 + 1.5 * (D / 1e7) ** -0.1 / (1 + (D / 3e8) ** 4) ** 0.25) * scatter)
    found = {}
    for name, runs in {"plain": plain, "bent": bent}.items():
        posterior = bs.fit(bs.Model("broken_1:D", runs, noise="normal", priors=sure), seed=1)
        assert posterior.converged, posterior.diagnostics
        check = bs.check_fit(posterior)
        place = posterior.dataset["d_1"]
        outside = float(((place < D.min()) | (place > D.max())).mean())
        assert float(check["outside"].sel(place="d_1")) == pytest.approx(outside)
        found[name] = outside, [line for line in check_sentences(check) if "d_1 lies outside the runs" in line]
    assert found["plain"][0] > 0.9
    assert len(found["plain"][1]) == 1
    assert found["bent"] == (0.0, [])
