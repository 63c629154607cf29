"""Stacking weights against closed forms and another optimiser; posteriors stacked by each criterion."""

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.optimize import minimize

import bayescale as bs
from bayescale.answers import comparison, stacking
from bayescale.answers.comparison import loo, stacking_weights, waic
from bayescale.answers.stacking import stack
from bayescale.diagnostics import Diagnostics
from bayescale.errors import InputError
from bayescale.posterior import Posterior

NEVER = -1e9  # log density of what a law excludes
UNCONVERGED = Diagnostics(1.5, "E", 40.0, 40.0, "E", 0, 1.0)


def by_slsqp(scores, counts=None, prior=None):
    """The same maximum by sequential quadratic programming, from the definition."""
    n, k = scores.shape[1], len(scores)
    counts = np.ones(n) if counts is None else counts
    prior = np.zeros(k) if prior is None else prior
    top = scores.max(axis=0)

    def loss(w):
        return -counts @ (np.log(w @ np.exp(scores - top)) + top) - prior @ np.log(w)

    with warnings.catch_warnings():
        # SciPy before 1.16 steps over a bound in the last digit, and says so when it steps back.
        warnings.filterwarnings("ignore", "Values in x were outside bounds", RuntimeWarning)
        found = minimize(
            loss,
            np.full(k, 1 / k),
            method="SLSQP",
            bounds=[(1e-12, 1)] * k,
            constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
            options={"ftol": 1e-14, "maxiter": 1000},
        )
    return found.x


# -- The optimiser


@pytest.mark.parametrize("seed", range(6))
def test_weights_are_those_of_another_optimiser(seed):
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(3, 60)) - rng.uniform(0, 0.5, size=(3, 1))
    counts, prior = rng.exponential(size=60), rng.gamma(2.0, size=3) * (seed % 2)
    np.testing.assert_allclose(stacking_weights(scores), by_slsqp(scores), atol=2e-5)
    np.testing.assert_allclose(stacking_weights(scores, counts, prior), by_slsqp(scores, counts, prior), atol=2e-5)


@pytest.mark.parametrize("scale", [1e-6, 1e-3, 1.0, 1e3])
@pytest.mark.parametrize("laws", [2, 5, 9])
def test_weights_satisfy_the_conditions_of_a_maximum(laws, scale):
    """No law's gradient exceeds the number of units, however near the ties or far the outliers."""
    scores = scale * np.random.default_rng(laws).standard_t(2, size=(laws, 150))
    weights = stacking_weights(scores)
    density = np.exp(scores - scores.max(axis=0))
    gradient = (density / (weights @ density)).sum(axis=1)
    assert weights.sum() == pytest.approx(1)
    assert (weights >= 0).all()
    # The log score is concave: this gap bounds how far it is from its maximum.
    assert gradient.max() - 150 < 1e-6


def test_laws_that_explain_different_units_share_by_their_number():
    scores = np.full((3, 40), NEVER)
    scores[0, :10], scores[1, 10:30], scores[2, 30:] = -1.0, -2.0, -3.0
    np.testing.assert_allclose(stacking_weights(scores), [0.25, 0.5, 0.25], atol=1e-8)
    # Imaginary units of a law count as its own.
    prior = np.array([20.0, 0.0, 20.0])
    np.testing.assert_allclose(stacking_weights(scores, None, prior), [30 / 80, 20 / 80, 30 / 80], atol=1e-8)


def test_equal_laws_share_equally():
    score = np.random.default_rng(0).normal(size=30)
    np.testing.assert_allclose(stacking_weights(np.stack([score] * 4)), 0.25, atol=1e-6)
    worse = np.stack([score, score, score - 2.0])
    np.testing.assert_allclose(stacking_weights(worse), [0.5, 0.5, 0.0], atol=1e-6)


def test_counts_are_repetitions():
    scores = np.random.default_rng(1).normal(size=(2, 20))
    counts = np.repeat([1.0, 3.0], 10)
    repeated = np.concatenate([scores, scores[:, 10:], scores[:, 10:]], axis=1)
    np.testing.assert_allclose(stacking_weights(scores, counts), stacking_weights(repeated), atol=1e-7)


def test_no_density_no_weights():
    scores = np.array([[-1.0, -np.inf], [-1.0, -np.inf]])
    assert np.isnan(stacking_weights(scores)).all()


# -- Shrinkage and uncertainty


def weigh(scores, unit_of=None, seed=0):
    scores = np.asarray(scores, dtype=float)
    unit_of = np.arange(scores.shape[1]) if unit_of is None else np.asarray(unit_of)
    times = np.bincount(unit_of)
    imaginary = max(0, stacking.ENOUGH - times.size)
    return stacking._weigh(stacking._Scored(scores, unit_of, []), times, imaginary, seed)


def test_with_enough_units_their_bootstrap_is_a_beta():
    """Laws that exclude each other: a weight is the share of its units' exponential numbers, Beta(30, 10)."""
    scores = np.full((2, 40), NEVER)
    scores[0, :30], scores[1, 30:] = -1.0, -1.0
    weights, draws = weigh(scores)
    assert weights == pytest.approx([0.75, 0.25], abs=1e-8)
    assert draws.shape == (stacking.BOOTSTRAPS, 2)
    np.testing.assert_allclose(draws.sum(axis=1), 1)
    assert stats.kstest(draws[:, 0], stats.beta(30, 10).cdf).pvalue > 0.001


def test_with_few_units_the_prior_is_known():
    """Eight units, all of the first law: twelve imaginary ones, six for each. So 14 of 20, and Beta(14, 6)."""
    scores = np.stack([np.full(8, -1.0), np.full(8, NEVER)])
    weights, draws = weigh(scores)
    assert weights == pytest.approx([0.7, 0.3], abs=1e-8)
    assert stats.kstest(draws[:, 0], stats.beta(14, 6).cdf).pvalue > 0.001


def test_units_scored_more_than_once_count_once():
    scores = np.full((2, 60), NEVER)
    scores[0, :40], scores[1, 40:] = -1.0, -1.0
    weights, draws = weigh(scores, unit_of=[*np.repeat(np.arange(20), 2), *range(20, 40)])
    assert weights == pytest.approx([0.5, 0.5], abs=1e-8)
    assert stats.kstest(draws[:, 0], stats.beta(20, 20).cdf).pvalue > 0.001


def test_one_law_ahead_everywhere_takes_all_when_units_are_enough():
    weights, draws = weigh(np.stack([np.full(25, -1.0), np.full(25, -1.1)]))
    assert weights == pytest.approx([1.0, 0.0], abs=1e-6)
    assert draws[:, 0].min() > 0.999


def test_units_without_density_are_an_error():
    with pytest.raises(InputError, match="1 scored units have no finite density"):
        weigh([[-1.0, -np.inf], [-1.0, -np.inf]])


# -- Stacking posteriors


@pytest.fixture(scope="module")
def runs():
    rng = np.random.default_rng(0)
    x = np.geomspace(1e6, 1e10, 40)
    loss = (2 + 1.5 * (x / 1e8) ** -0.3) * np.exp(0.01 * rng.standard_normal(40))
    return bs.read_runs(pd.DataFrame({"D": x, "L": loss, "curve": np.repeat(["a", "b", "c", "d"], 10)}))


def draws_of(model, centre, spread, draws=400, seed=0):
    """A posterior with independent log-normal draws about a point."""
    rng = np.random.default_rng(seed)
    values = {name: value * np.exp(spread * rng.standard_normal((2, draws // 2))) for name, value in centre.items()}
    none = {k: np.zeros((2, draws // 2)) for k in ("diverging", "energy", "n_steps")}
    return Posterior.from_draws(model, values, none, bs.sample_prior(model, draws=2).diagnostics, {"seed": seed})


GOOD = {"L_inf": 2.0, "A_ref": 1.5, "alpha": 0.3, "sigma": 0.01}
BAD = {"k_ref": 3.4, "alpha": 0.1, "sigma": 0.1, "nu": 5.0}


@pytest.fixture(scope="module")
def pair(runs):
    return {
        "saturating": draws_of(bs.Model("saturating:D", runs, noise="normal"), GOOD, 0.003),
        "power": draws_of(bs.Model("power:D", runs), BAD, 0.01, seed=1),
    }


@pytest.mark.parametrize(("by", "criterion"), [("waic", waic), ("loo", loo)])
def test_weights_by_a_criterion_inside_the_runs(pair, by, criterion):
    scores = np.stack([criterion(posterior).elpd_i.to_numpy() for posterior in pair.values()])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = stack(pair, by=by)
    np.testing.assert_allclose(list(made.weights.values()), by_slsqp(scores), atol=1e-4)
    assert list(made.weights) == ["saturating", "power"]
    assert (made.by, made.converged) == (by, True)
    assert "inside the range of the runs" in made.notes[0]
    assert stack(pair, by=by, seed=1).weights == made.weights


def test_units_are_summed_and_few_of_them_shrink(pair):
    made = stack(pair, by="waic", unit="curve")
    scores = np.stack([waic(posterior, "curve").elpd_i.to_numpy() for posterior in pair.values()])
    expected = by_slsqp(scores, None, np.full(2, 8.0))
    np.testing.assert_allclose(list(made.weights.values()), expected, atol=1e-5)
    assert "4 values of 'curve'" in made.notes[0]
    assert made.notes[-1].startswith("Only 4 of them, fewer than 20")
    assert "16 imaginary units" in made.notes[-1]


def densities(posterior, rows):
    """Log predictive density of rows by the formulas alone."""
    d = {k: v.to_numpy().reshape(-1, 1) for k, v in posterior.dataset.items()}
    x, y = rows["D"].to_numpy(), rows["L"].to_numpy()
    if "nu" in d:
        density = stats.t.pdf(np.log(y), d["nu"], np.log(d["k"] * x ** -d["alpha"]), d["sigma"]) / y
    else:
        density = stats.norm.pdf(np.log(y), np.log(d["L_inf"] + (d["x_0"] / x) ** d["alpha"]), d["sigma"]) / y
    return np.log(density.mean(axis=0))


def refit_without_sampler(seen):
    def refit(model, **_):
        made = draws_of(model, GOOD | {"sigma": 0.3}, 0.01) if "L_inf" in model.priors else draws_of(model, BAD, 0.01)
        seen.append(made)
        return made

    return refit


def test_weights_from_rolling_cuts(pair, runs, monkeypatch):
    """Each cut is predicted from the smaller runs; a run that three cuts hold out counts a third each time."""
    seen = []
    monkeypatch.setattr(comparison, "fit", refit_without_sampler(seen))
    made = stack(pair)
    assert [len(p.model.runs) for p in seen] == [24, 24, 30, 30, 36, 36]
    held = [np.arange(n, 40) for n in (24, 30, 36)]
    scores = [np.stack([densities(p, runs.iloc[h]) for p in seen[2 * i : 2 * i + 2]]) for i, h in enumerate(held)]
    times = np.bincount(np.concatenate(held))[np.concatenate(held)]
    assert times.sum() == 6 * 1 + 2 * 6 * 2 + 3 * 4 * 3
    expected = by_slsqp(np.concatenate(scores, axis=1), 1 / times, np.full(2, 5.0))  # 10 imaginary ones
    np.testing.assert_allclose(list(made.weights.values()), expected, atol=1e-5)
    assert 0.05 < made.weights["power"] < 0.95
    assert "16 largest runs of 40, predicted from the smaller ones at cuts of 40 %, 25 %, 10 %" in made.notes[0]
    assert "10 imaginary units" in made.notes[1]


def test_rolling_cuts_of_curves(pair, monkeypatch):
    monkeypatch.setattr(comparison, "fit", refit_without_sampler([]))
    made = stack(pair, unit="curve")
    assert "largest runs of 2 values of 'curve'" in made.notes[0]


def test_a_cut_that_leaves_too_few_runs_is_left_out_and_said(pair, monkeypatch):
    seen = []
    monkeypatch.setattr(comparison, "fit", refit_without_sampler(seen))
    made = stack(pair, cuts=(0.95, 0.5))
    assert [len(p.model.runs) for p in seen] == [20, 20]
    assert made.notes[1].startswith("The cut of 95 % is left out: The table has 40 runs")
    with pytest.raises(InputError, match=r"holding out the 38 largest leaves 2"):
        stack(pair, cuts=(0.99, 0.95))


def test_refits_that_do_not_converge_are_said(pair, monkeypatch):
    def refit(model, **_):
        made = refit_without_sampler([])(model)
        return replace(made, diagnostics=UNCONVERGED) if "nu" in model.priors else made

    monkeypatch.setattr(comparison, "fit", refit)
    made = stack(pair)
    assert any("Not converged: the refit of power without the largest 40 %, power" in doubt for doubt in made.doubts)


@pytest.mark.parametrize(
    ("cuts", "words"), [((), "cuts is empty"), ((0.2, 1.0), r"above 0 and below 1; 1\.0 was given")]
)
def test_cuts_are_shares(pair, cuts, words):
    with pytest.raises(InputError, match=words):
        stack(pair, cuts=cuts)


def test_what_cannot_be_stacked(pair, runs):
    reversed_runs = bs.Model("power:D", runs.iloc[::-1].reset_index(drop=True))
    with pytest.raises(InputError, match="same runs in the same order"):
        stack({"a": pair["power"], "b": draws_of(reversed_runs, BAD, 0.01)})
    with pytest.raises(InputError, match="at least two"):
        stack({"a": pair["power"]})
    with pytest.raises(InputError, match="waic, loo, largest"):
        stack(pair, by="aic")
    with pytest.raises(InputError, match="no column 'batch'"):
        stack(pair, by="loo", unit="batch")


@pytest.mark.slow
def test_rolling_cuts_with_the_sampler_prefer_the_law_that_made_the_runs(runs):
    posteriors = {name: bs.fit(bs.Model(f"{name}:D", runs), seed=1) for name in ("saturating", "power")}
    made = stack(posteriors, seed=1)
    print(made)
    # 16 runs and 10 imaginary ones: no law can have more than 21 of 26.
    assert 0.7 < made.weights["saturating"] <= 21 / 26 + 1e-6
