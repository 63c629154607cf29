"""Comparison: the three criteria against computations written out here from the pointwise log likelihood."""

import warnings

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats

import bayescale as bs
from bayescale.answers import comparison
from bayescale.answers.comparison import compare, largest_runs, loo, stacking_weights, waic
from bayescale.posterior import Posterior


@pytest.fixture(scope="module")
def runs():
    rng = np.random.default_rng(0)
    x = np.geomspace(1e6, 1e10, 40)
    loss = (2 + 1.5 * (x / 1e8) ** -0.3) * np.exp(0.01 * rng.standard_normal(40))
    return bs.read_runs(pd.DataFrame({"D": x, "L": loss, "curve": np.repeat(["a", "b", "c", "d"], 10)}))


def draws_of(model, centre, spread, draws=1500, seed=0):
    """A posterior with independent log-normal draws about a point: no sampler, and weights that are not all equal."""
    rng = np.random.default_rng(seed)
    values = {name: value * np.exp(spread * rng.standard_normal((2, draws // 2))) for name, value in centre.items()}
    exact = bs.sample_prior(model, draws=2)
    stats_ = {k: np.zeros((2, draws // 2)) for k in ("diverging", "energy", "n_steps")}
    return Posterior.from_draws(model, values, stats_, exact.diagnostics, {"seed": seed})


@pytest.fixture(scope="module")
def pair(runs):
    ref = float(np.exp(np.log(runs["D"]).mean()))
    good = bs.Model("saturating:D", runs, noise="normal")
    bad = bs.Model("power:D", runs)
    return {
        "saturating": draws_of(
            good, {"L_inf": 2.0, "A_ref": 1.5 * (ref / 1e8) ** -0.3, "alpha": 0.3, "sigma": 0.01}, 0.003
        ),
        "power": draws_of(bad, {"k_ref": 3.4, "alpha": 0.1, "sigma": 0.1, "nu": 5.0}, 0.01, seed=1),
    }


def pointwise(posterior, student):
    """Log density of each run under each draw, shape (draw, run), from the formulas alone."""
    d = {k: v.to_numpy().reshape(-1, 1) for k, v in posterior.dataset.items()}
    x, y = posterior.model.runs["D"].to_numpy(), posterior.model.runs["L"].to_numpy()
    if student:
        law = d["k"] * x ** -d["alpha"]
        density = stats.t.logpdf(np.log(y), d["nu"], np.log(law), d["sigma"])
    else:
        law = d["L_inf"] + (d["x_0"] / x) ** d["alpha"]
        density = stats.norm.logpdf(np.log(y), np.log(law), d["sigma"])
    return density - np.log(y)  # of the loss as measured, not of its log


def test_waic_is_lppd_less_the_variance_of_the_log_density(pair):
    for name, student in (("saturating", False), ("power", True)):
        log_density = pointwise(pair[name], student)
        lppd = np.log(np.exp(log_density).mean(axis=0))
        p = log_density.var(axis=0, ddof=1)
        found = waic(pair[name])
        assert found.p_i is not None
        np.testing.assert_allclose(found.elpd_i, lppd - p, rtol=1e-9)
        np.testing.assert_allclose(found.p_i, p, rtol=1e-9)
        assert found.flagged == int((p > 0.4).sum())


def test_table_of_waic_has_sums_differences_and_standard_errors(pair):
    table = compare(pair, by="waic").table
    a = waic(pair["saturating"]).elpd_i.to_numpy()
    b = waic(pair["power"]).elpd_i.to_numpy()
    assert list(table.index) == ["saturating", "power"]
    assert table.loc["power", "elpd"] == pytest.approx(b.sum())
    assert table.loc["power", "elpd_diff"] == pytest.approx((b - a).sum())
    assert table.loc["power", "dse"] == pytest.approx(np.sqrt(len(a)) * np.std(b - a, ddof=1))
    assert table.loc["saturating", "se"] == pytest.approx(np.sqrt(len(a)) * np.std(a, ddof=1))
    assert table.loc["saturating", "dse"] == 0


def test_loo_agrees_with_importance_sampling_by_hand(pair):
    """With weights this even, smoothing the tail changes little: plain importance sampling is the reference."""
    log_density = pointwise(pair["power"], True)
    by_hand = -np.log(np.exp(-log_density).mean(axis=0))
    np.testing.assert_allclose(loo(pair["power"]).elpd_i, by_hand, atol=0.01)


def test_flag_where_the_log_density_varies_much(runs):
    """One wild run under normal noise: p_waic above 0.4 there, and the table and notes say so."""
    wild = runs.copy()
    wild.loc[3, "L"] *= 1.3
    model = bs.Model("saturating:D", wild, noise="normal")
    centre = {"L_inf": 2.0, "A_ref": 1.5, "alpha": 0.3, "sigma": 0.02}
    posteriors = {"a": draws_of(model, centre, 0.02), "b": draws_of(model, centre, 0.02, seed=3)}
    result = compare(posteriors, by="waic")
    assert "p_waic above 0.4" in result.table.loc["a", "flags"]
    assert any("unreliable" in note for note in result.notes)


def test_verdict_and_notes_are_plain(pair):
    result = compare(pair, by="waic")
    assert result.verdict.startswith("saturating is ahead of power by ")
    assert result.verdict.endswith("the difference is clear.")
    assert any("Only 40 units" in note for note in result.notes)
    same = compare({"a": pair["power"], "b": pair["power"]}, by="waic")
    assert same.verdict.endswith("the difference is not clear.")
    assert str(result).count("\n") >= 4


def test_units_sum_the_runs_of_a_curve(pair):
    log_density = pair["power"].log_likelihood().to_numpy().reshape(-1, 40)
    by_curve = log_density.reshape(-1, 4, 10).sum(axis=2)
    lppd = np.log(np.exp(by_curve - by_curve.max(0)).mean(axis=0)) + by_curve.max(0)
    expected = lppd - by_curve.var(axis=0, ddof=1)
    np.testing.assert_allclose(waic(pair["power"], "curve").elpd_i, expected, rtol=1e-9)
    assert compare(pair, by="waic", unit="curve").pointwise.sizes["unit"] == 4


def test_stacking_weights_maximise_the_log_score():
    rng = np.random.default_rng(2)
    scores = rng.normal(size=(2, 200)) - np.array([[0.0], [0.3]])
    weights = stacking_weights(scores)
    grid = np.linspace(0, 1, 2001)
    best = grid[np.argmax([np.log(w * np.exp(scores[0]) + (1 - w) * np.exp(scores[1])).sum() for w in grid])]
    assert weights[0] == pytest.approx(best, abs=1e-3)
    assert weights.sum() == pytest.approx(1)


def test_stacking_weights_survive_densities_that_underflow():
    scores = np.array([[-1.0, -2000.0, -1.0], [-1.5, -1.5, -1.5]])
    weights = stacking_weights(scores)
    assert np.isfinite(weights).all()
    assert weights[1] > 0.3


def test_largest_runs_are_a_fifth_and_at_least_five_of_each_group():
    model = bs.Model("chinchilla", bs.load_runs("tiny_sweep"), pool="modality")
    held = largest_runs(model)
    for g, group in enumerate(model.groups):
        members = model.group_index == g
        count = max(5, int(np.ceil(0.2 * members.sum())))
        assert held[members].sum() == count, group
        assert model.cost()[members & held].min() >= model.cost()[members & ~held].max()


def test_largest_refits_without_them_and_scores_on_them(runs, monkeypatch):
    """The refit sees only the smaller runs, at their own reference; the score is the log mean density of the rest."""
    model = bs.Model("saturating:D", runs, noise="normal")
    centre = {"L_inf": 2.0, "A_ref": 0.5, "alpha": 0.3, "sigma": 0.02}
    seen = []

    def refit(small, **_):
        seen.append(small)
        return draws_of(small, centre, 0.01)

    monkeypatch.setattr(comparison, "fit", refit)
    found = comparison.largest(draws_of(model, centre, 0.01), largest_runs(model))
    held = np.argsort(runs["D"].to_numpy())[-8:]
    small = runs.drop(index=held)
    assert len(seen[0].runs) == 32
    assert seen[0].reference["x"] == pytest.approx(np.exp(np.log(small["D"]).mean()))
    assert seen[0].response_scale == pytest.approx(np.exp(np.log(small["L"]).mean()))
    d = {k: v.to_numpy().reshape(-1, 1) for k, v in draws_of(seen[0], centre, 0.01).dataset.items()}
    x, y = runs["D"].to_numpy()[held], runs["L"].to_numpy()[held]
    law = d["L_inf"] + (d["x_0"] / x) ** d["alpha"]
    density = stats.norm.pdf(np.log(y), np.log(law), d["sigma"]) / y
    np.testing.assert_allclose(found.elpd_i, np.log(density.mean(axis=0)), rtol=1e-9)


def test_different_tables_or_orders_are_refused(pair, runs):
    shuffled = bs.Model("power:D", runs.iloc[::-1].reset_index(drop=True))
    other = draws_of(shuffled, {"k_ref": 3.4, "alpha": 0.1, "sigma": 0.1, "nu": 5.0}, 0.01)
    with pytest.raises(bs.InputError, match="same runs in the same order"):
        compare({"a": pair["power"], "b": other})
    with pytest.raises(bs.InputError, match="at least two"):
        compare({"a": pair["power"]})
    with pytest.raises(bs.InputError, match="waic, loo, largest"):
        compare(pair, by="aic")
    with pytest.raises(bs.InputError, match="no column"):
        compare(pair, unit="run_id")


def test_too_few_runs_to_hold_out_is_said(runs):
    model = bs.Model("saturating:D", runs.iloc[:7].reset_index(drop=True))
    with pytest.raises(bs.InputError, match="leaves 2"):
        largest_runs(model)


def test_noises_compare_on_the_natural_scale(pair):
    """The density of the loss integrates to one whatever the noise; otherwise elpds would not compare."""
    posterior = pair["power"]
    grid = np.linspace(0.05, 30, 40_001)
    params = {k: v[:1, :1] for k, v in posterior.params().items()}
    law = posterior.law(params, {"x": 1e8})
    density = np.exp(posterior.model.noise.log_density(xr.DataArray(grid, dims="g"), law, params, {"size": 1.0}))
    assert float(np.trapezoid(density.to_numpy().ravel(), grid)) == pytest.approx(1, abs=1e-3)


def test_pooled_or_not_is_scored_on_the_same_held_out_runs(monkeypatch):
    """The runs held out are the largest of each group for every model, if one of them has groups."""
    table = bs.load_runs("tiny_sweep")
    table = table[table["modality"].isin(["text", "music", "speech"])].reset_index(drop=True)
    pooled = bs.Model("chinchilla", table, pool="modality")
    with pytest.warns(bs.BayescaleWarning, match="one law"):
        together = bs.Model("chinchilla", table)
    posteriors = {"pooled": bs.sample_prior(pooled, 50), "together": bs.sample_prior(together, 50)}
    seen = []

    def refit(small, **_):
        seen.append(len(small.runs))
        return bs.sample_prior(small, 50)

    monkeypatch.setattr(comparison, "fit", refit)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", bs.BayescaleWarning)
        found = compare(posteriors, by="largest")
    count = int(largest_runs(pooled).sum())
    assert seen == [len(table) - count] * 2
    assert found.pointwise.sizes["unit"] == count
    with pytest.raises(bs.InputError, match="every model pooled over it"):
        compare(posteriors, by="loo", unit="modality")


def test_a_verdict_on_unreliable_units_is_never_clear(pair):
    result = comparison._tabulate(
        "loo",
        {
            "a": comparison.Criterion(waic(pair["saturating"]).elpd_i, flagged=9, flag="Pareto k above 0.70"),
            "b": comparison.Criterion(waic(pair["power"]).elpd_i),
        },
    )
    assert result.verdict.endswith("not clear: too many units are unreliable.")
