"""Forecasts from posteriors known exactly, against formulas and quantiles computed by hand."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from arviz_base import rc_context
from scipy import stats

import bayescale as bs
from bayescale.answers.common import interval, interval_name
from bayescale.answers.forecast import forecast, forecast_sentences, forecast_table
from bayescale.diagnostics import Diagnostics
from bayescale.errors import ConvergenceWarning, InputError

SHARES = np.array([0.02, 0.1, 0.5, 0.9, 0.98])


def hoffmann(N, D):
    return 1.69 + 406.4 / N**0.34 + 410.7 / D**0.28


def only(values):
    """The one value that all draws share."""
    flat = np.unique(np.asarray(values))
    assert np.ptp(flat) <= 1e-12 * abs(flat[0])
    return float(flat[0])


def assert_shares_below(draws, quantiles):
    """Share of draws below each quantile, within four standard errors."""
    flat = np.ravel(draws)
    below = (flat[:, None] < quantiles).mean(axis=0)
    assert np.all(np.abs(below - SHARES) < 4 * np.sqrt(SHARES * (1 - SHARES) / flat.size))


# -- The law, and what a run would measure


def test_the_law_is_the_papers_formula(exact_posterior):
    answer = forecast(exact_posterior, N=70e9, D=1.4e12)
    assert dict(answer["L"].sizes) == {"chain": 4, "draw": 50}
    assert only(answer["L"]) == pytest.approx(hoffmann(70e9, 1.4e12), rel=1e-12)


def test_a_normal_run_has_log_normal_quantiles(certain, exact_posterior):
    many = certain(exact_posterior.model, {n: v[0, 0] for n, v in sampled(exact_posterior).items()}, (4, 5000))
    runs = forecast(many, N=1e9, D=1e11)["L_run"]
    assert_shares_below(runs, hoffmann(1e9, 1e11) * np.exp(0.01 * stats.norm.ppf(SHARES)))


def sampled(posterior):
    return {str(p.symbol): posterior.dataset[p.symbol].to_numpy() for p in posterior.model.params}


@pytest.mark.parametrize("size", [1.0, 100.0])
def test_a_student_run_has_quantiles_of_its_own_degrees_of_freedom_and_size(certain, grid_runs, size):
    model = bs.Model("chinchilla", grid_runs, noise="student+size")
    values = {"E": 1.69, "A_ref": 0.8, "B_ref": 0.6, "alpha": 0.34, "beta": 0.28, "sigma": 0.03, "nu": 3.0}
    many = certain(model, {**values, "kappa": -0.25}, (4, 5000))
    answer = forecast(many, N=1e8 * size, D=1e10)
    scale = 0.03 * size**-0.25
    assert_shares_below(answer["L_run"], only(answer["L"]) * np.exp(scale * stats.t(3.0).ppf(SHARES)))


def test_points_and_groups_scatter_independently(grouped_posterior):
    runs = forecast(grouped_posterior, N=[1e5, 1e6], D=1e6)["L_run"]
    ranks = stats.rankdata(runs.to_numpy().reshape(200, 12), axis=0)
    correlation = np.corrcoef(ranks.T)[np.triu_indices(12, 1)]
    # Five standard errors: 66 pairs are looked at.
    assert np.abs(correlation).max() < 5 / np.sqrt(200)


def test_the_same_seed_gives_the_same_runs(exact_posterior):
    one, same, other = (forecast(exact_posterior, N=1e9, D=1e11, seed=seed) for seed in (3, 3, 4))
    xr.testing.assert_identical(one, same)
    xr.testing.assert_equal(one["L"], other["L"])
    assert not np.any(one["L_run"] == other["L_run"])


def test_draws_differ_where_parameters_do(grid_runs):
    model = bs.Model("saturating:N", grid_runs, noise="normal")
    exact = bs.sample_prior(model, draws=30, seed=2)
    d = exact.dataset
    by_hand = d["L_inf"] + (d["x_0"] / 5e9) ** d["alpha"]
    assert forecast(exact, N=5e9)["L"].to_numpy() == pytest.approx(by_hand.to_numpy(), rel=1e-10)


def test_units_and_facts_stand_in_the_attributes(exact_posterior):
    answer = forecast(exact_posterior, N=[1e9, 1e10], D=1e11, seed=5)
    assert answer.attrs == {"law": "chinchilla", "converged": 1, "doubts": [], "seed": 5}
    assert {answer[name].attrs["units"] for name in ("L", "L_run")} == {"nats/token"}
    assert answer["N"].attrs["units"] == "parameters"
    assert answer["D"].attrs["units"] == "tokens"
    assert answer["beyond"].attrs["units"] == "1"


def test_a_fit_that_has_not_converged_says_so_again(exact_posterior):
    doubtful = replace(exact_posterior, diagnostics=Diagnostics(1.2, "alpha", 20.0, 30.0, "alpha", 4, 0.9))
    with pytest.warns(ConvergenceWarning, match=r"NOT CONVERGED.*alpha") as caught:
        answer = forecast(doubtful, N=1e9, D=1e11)
    assert answer.attrs["converged"] == 0
    assert [w.filename for w in caught] == [__file__]


# -- How a question is asked


def test_numbers_and_text_are_alike(exact_posterior):
    expected = forecast(exact_posterior, N=70e9, D=1.4e12)
    for N, D in (("70B", "1.4T"), (70_000_000_000, np.float64(1.4e12)), ("70,000,000,000", 1.4e12)):
        xr.testing.assert_identical(forecast(exact_posterior, N=N, D=D), expected)


def test_two_lists_make_a_grid(exact_posterior):
    answer = forecast(exact_posterior, N=["1B", 1e10, 3e10], D=np.array([1e11, 1e12]))
    assert dict(answer.sizes) == {"chain": 4, "draw": 50, "N": 3, "D": 2}
    assert only(answer["L"].sel(N=3e10, D=1e11)) == pytest.approx(hoffmann(3e10, 1e11), rel=1e-12)
    assert only(answer["L"].sel(N=1e9, D=1e12)) == pytest.approx(hoffmann(1e9, 1e12), rel=1e-12)


def test_arrays_with_a_common_dim_make_pairs(exact_posterior):
    N = xr.DataArray([1e9, 1e10, 3e10], dims="plan", coords={"plan": ["a", "b", "c"]})
    answer = forecast(exact_posterior, N=N, D=20 * N)
    assert dict(answer.sizes) == {"chain": 4, "draw": 50, "plan": 3}
    assert only(answer["L"].sel(plan="c")) == pytest.approx(hoffmann(3e10, 6e11), rel=1e-12)
    assert answer["D"].to_numpy() == pytest.approx([2e10, 2e11, 6e11])


def test_an_input_may_differ_from_draw_to_draw(exact_posterior):
    tokens = xr.DataArray(np.geomspace(1e9, 1e11, 200).reshape(4, 50), dims=("chain", "draw"))
    answer = forecast(exact_posterior, N=1e9, D=tokens)["L"]
    one_by_one = forecast(exact_posterior, N=1e9, D=list(tokens.to_numpy().ravel()))["L"]
    chain, draw = 2, 17
    expected = one_by_one.isel(chain=chain, draw=draw, D=50 * chain + draw)
    assert float(answer.isel(chain=chain, draw=draw)) == pytest.approx(float(expected), rel=1e-12)
    for wrong in (tokens.isel(draw=slice(10)), tokens.isel(chain=0)):
        with pytest.raises(InputError, match="give one value for each draw"):
            forecast(exact_posterior, N=1e9, D=wrong)


def test_compute_stands_in_for_tokens_or_parameters(exact_posterior):
    answer = forecast(exact_posterior, C=5.88e23, N=70e9)
    assert float(answer["D"]) == pytest.approx(1.4e12)
    assert only(answer["L"]) == pytest.approx(hoffmann(70e9, 1.4e12), rel=1e-12)
    assert float(forecast(exact_posterior, C=5.88e23, D=1.4e12)["N"]) == pytest.approx(70e9)
    several = forecast(exact_posterior, C=[6e20, 6e21], N=[1e9, 1e10])
    assert only(several["L"].sel(C=6e21, N=1e9)) == pytest.approx(hoffmann(1e9, 1e12), rel=1e-12)


def test_parameters_and_tokens_stand_in_for_compute(certain, grid_runs):
    model = bs.Model("saturating:C", grid_runs.assign(C=6 * grid_runs["N"] * grid_runs["D"]), noise="normal")
    reference = 6e18
    one = certain(model, {"L_inf": 1.5, "A_ref": 0.9, "alpha": 0.1, "sigma": 0.01})
    answer = forecast(one, N=1e9, D=1e11)
    assert float(answer["C"]) == pytest.approx(6e20)
    assert only(answer["L"]) == pytest.approx(1.5 + 0.9 * (6e20 / reference) ** -0.1, rel=1e-10)


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({}, "N, D; given: nothing"),
        ({"N": 1e9}, "N, D; given: N"),
        ({"C": 1e21}, "N, D; given: C"),
        ({"N": 1e9, "D": 1e10, "C": 1e21}, "given: N, D, C"),
        ({"N": 1e9, "D": 1e10, "epochs": 2}, "given: N, D, epochs"),
        ({"N": -5, "D": 1e10}, "N must be positive"),
        ({"N": 0, "D": 1e10}, "N must be positive"),
        ({"N": np.nan, "D": 1e10}, "N must be positive and finite"),
        ({"N": 1e9, "D": np.inf}, "D must be positive and finite"),
        ({"N": 1e9, "D": [1e10, -1]}, "D must be positive"),
        ({"N": xr.DataArray([1e9, -1e9], dims="x"), "D": 1e10}, "N must be positive"),
        ({"N": "seventy", "D": 1e10}, "'seventy' is not a number"),
        ({"N": [], "D": 1e10}, "N is empty"),
        ({"N": xr.DataArray([1e9], dims="D"), "D": 1e10}, "N has a dim 'D'"),
        ({"N": xr.DataArray([[1e9]], dims=("N", "D")), "D": [1e10]}, "N has a dim 'N'"),
        ({"N": True, "D": 1e10}, "N must be a number"),
        ({"N": None, "D": 1e10}, "N must be a number"),
        ({"N": [1e9, None], "D": 1e10}, "N must be a number"),
    ],
)
def test_a_question_that_cannot_be_answered(exact_posterior, inputs, words):
    with pytest.raises(InputError, match=words):
        forecast(exact_posterior, **inputs)


def test_an_input_may_lie_along_another(exact_posterior):
    D = [1e9, 1e10]
    paired = forecast(exact_posterior, N=xr.DataArray([1e7, 1e8], {"D": D}), D=D)["L"]
    for N, d in zip((1e7, 1e8), D, strict=True):
        assert float(paired.sel(D=d).mean()) == pytest.approx(float(forecast(exact_posterior, N=N, D=d)["L"].mean()))


# -- Groups


def group_law(number, N, D, reference):
    """The law of the grouped fixture, by the group's number."""
    E, A, B = 1.0 + 0.2 * number, 0.3 + 0.05 * number, 0.4 - 0.03 * number
    alpha, beta = 0.30 + 0.02 * number, 0.40 - 0.02 * number
    return E + A * (N / reference["N"]) ** -alpha + B * (D / reference["D"]) ** -beta


def centre(model):
    return {s: np.exp(np.log(model.runs[s]).mean()) for s in ("N", "D")}


def test_all_groups_or_one(grouped_posterior):
    model = grouped_posterior.model
    every = forecast(grouped_posterior, N=1e7, D=2e8)
    assert every["L"].dims == ("chain", "draw", "modality")
    for number, name in enumerate(model.groups):
        expected = group_law(number, 1e7, 2e8, centre(model))
        assert only(every["L"].sel(modality=name)) == pytest.approx(expected, rel=1e-10)
    one = forecast(grouped_posterior, N=1e7, D=2e8, group="music")
    assert "modality" not in one.dims
    assert one.attrs["group"] == "music"
    assert only(one["L"]) == pytest.approx(group_law(3, 1e7, 2e8, centre(model)), rel=1e-10)
    assert only(one["beyond"]) == only(every["beyond"].sel(modality="music"))


def test_a_new_group_is_drawn_around_the_mean_of_the_groups(certain, grouped_posterior):
    model = grouped_posterior.model
    values = {name: v.to_numpy()[0, 0] for name, v in grouped_posterior.dataset.items() if name not in ("A", "B")}
    # Only the floor varies between groups here, so the law's quantiles are those of a log-normal, shifted.
    values |= {f"{s}_spread": 1e-12 for s in ("A_ref", "B_ref", "alpha", "beta")}
    many = certain(model, values, (4, 5000))
    reference = centre(model)
    rest = 0.4 * (1e6 / reference["N"]) ** -0.35 + 0.35 * (1e7 / reference["D"]) ** -0.33
    answer = forecast(many, N=1e6, D=1e7, group="new")
    assert answer["L"].dims == ("chain", "draw")
    assert_shares_below(answer["L"], 1.4 * np.exp(0.3 * stats.norm.ppf(SHARES)) + rest)


def test_a_new_groups_noise_is_drawn_too(certain, grouped_posterior):
    values = {name: v.to_numpy()[0, 0] for name, v in grouped_posterior.dataset.items() if name not in ("A", "B")}
    many = certain(grouped_posterior.model, values, (4, 5000))
    sigma = many.params("new", seed=1)["sigma"]
    assert_shares_below(sigma, 0.015 * np.exp(0.4 * stats.norm.ppf(SHARES)))


def test_a_new_groups_draws_follow_the_seed(grouped_posterior):
    one, same, other = (forecast(grouped_posterior, N=1e6, D=1e7, group="new", seed=s) for s in (1, 1, 2))
    xr.testing.assert_identical(one, same)
    assert not np.any(one["L"] == other["L"])


def test_groups_that_are_not_there(exact_posterior, grouped_posterior):
    with pytest.raises(InputError, match=r"no group 'poetry' of modality.*code, image.*'new'"):
        forecast(grouped_posterior, N=1e6, D=1e7, group="poetry")
    with pytest.raises(InputError, match="without pool="):
        forecast(exact_posterior, N=1e6, D=1e7, group="text")
    alone = bs.sample_prior(bs.Model("chinchilla", bs.load_runs("tiny_sweep"), pool="modality:none"), draws=5)
    with pytest.raises(InputError, match=r"cannot be predicted.*pool='modality'"):
        forecast(alone, N=1e6, D=1e7, group="new")


# -- A table of runs


def test_a_table_is_answered_run_by_run(exact_posterior):
    runs = pd.DataFrame({"N": [1e9, 1e10, 2e9], "D": [1e11, 1e10, 3e12]}, index=[4, 9, 9])
    answer = forecast(exact_posterior, runs)
    assert dict(answer.sizes) == {"chain": 4, "draw": 50, "run": 3}
    for i, (N, D) in enumerate(zip(runs["N"], runs["D"], strict=True)):
        assert only(answer["L"].isel(run=i)) == pytest.approx(hoffmann(N, D), rel=1e-12)
    assert answer["beyond"].to_numpy() == pytest.approx([1.0, 10.0, 60.0])


def test_a_table_may_hold_sizes_as_people_write_them(exact_posterior):
    runs = pd.DataFrame({"N": ["70B", "1B"], "D": ["1.4T", "20 B"]})
    answer = forecast(exact_posterior, runs)
    assert only(answer["L"].isel(run=0)) == pytest.approx(hoffmann(70e9, 1.4e12), rel=1e-12)
    assert only(answer["L"].isel(run=1)) == pytest.approx(hoffmann(1e9, 20e9), rel=1e-12)


def test_a_table_with_groups_takes_each_runs_own(grouped_posterior):
    model = grouped_posterior.model
    runs = pd.DataFrame({"N": [1e6, 2e6, 1e6], "D": [1e7, 4e6, 1e8], "modality": ["text", "code", "text"]})
    answer = forecast(grouped_posterior, runs)
    assert dict(answer.sizes) == {"chain": 4, "draw": 50, "run": 3}
    expected = [group_law(g, N, D, centre(model)) for g, N, D in zip((5, 0, 5), runs["N"], runs["D"], strict=True)]
    for i in range(3):
        assert only(answer["L"].isel(run=i)) == pytest.approx(expected[i], rel=1e-10)
    one = forecast(grouped_posterior, runs, group="code")
    assert only(one["L"].isel(run=0)) == pytest.approx(group_law(0, 1e6, 1e7, centre(model)), rel=1e-10)
    assert forecast(grouped_posterior, runs, group="new")["L"].dims == ("chain", "draw", "run")


def test_a_table_that_cannot_be_answered(exact_posterior, grouped_posterior):
    runs = pd.DataFrame({"N": [1e6, 2e6], "D": [1e7, 1e7], "modality": ["text", "poetry"]})
    with pytest.raises(InputError, match="runs and N were given"):
        forecast(exact_posterior, runs, N=1e9)
    with pytest.raises(InputError, match=r"no column D. Columns: N, modality"):
        forecast(exact_posterior, runs.drop(columns="D"))
    with pytest.raises(InputError, match="no column 'modality'"):
        forecast(grouped_posterior, runs.drop(columns="modality"))
    with pytest.raises(InputError, match=r"no group poetry.*group='new'"):
        forecast(grouped_posterior, runs)
    with pytest.raises(InputError, match="N must be positive"):
        forecast(exact_posterior, runs.assign(N=[1e6, -1.0]))
    with pytest.raises(InputError, match=r"N must be numbers.*'many' was given"):
        forecast(exact_posterior, runs.assign(N=["1M", "many"]))


# -- How far beyond the runs


@pytest.mark.parametrize(
    ("N", "D", "factor"),
    [
        (1e8, 1e10, 1.0),
        (1e9, 1e11, 1.0),
        (1e10, 1e10, 10.0),
        (2e6, 1e10, 5.0),
        (1e8, 2e12, 20.0),
        (1e10, 1e12, 100.0),
        (2e6, 1e12, 10.0),
    ],
)
def test_beyond_is_the_worst_of_inputs_and_size(exact_posterior, N, D, factor):
    assert float(forecast(exact_posterior, N=N, D=D)["beyond"]) == pytest.approx(factor)


def test_a_corner_that_no_run_reached_is_beyond_in_size(grid_runs):
    diagonal = grid_runs[np.isclose(grid_runs["N"] * grid_runs["D"], 1e18)]
    assert len(diagonal) == 5
    exact = bs.sample_prior(bs.Model("chinchilla", diagonal), draws=5)
    assert float(forecast(exact, N=1e9, D=1e11)["beyond"]) == pytest.approx(100.0)
    assert float(forecast(exact, N=1e7, D=1e9)["beyond"]) == 1.0


def test_beyond_is_counted_from_the_groups_own_runs(grid_runs):
    runs = pd.concat([grid_runs.assign(field="big"), grid_runs.assign(field="small", N=grid_runs["N"] / 100)])
    exact = bs.sample_prior(bs.Model("chinchilla", runs, pool="field"), draws=5)
    every = forecast(exact, N=1e9, D=1e10)["beyond"]
    assert every.sel(field=["big", "small"]).to_numpy() == pytest.approx([1.0, 100.0])
    assert float(forecast(exact, N=1e9, D=1e10, group="small")["beyond"]) == pytest.approx(100.0)
    assert float(forecast(exact, N=1e9, D=1e10, group="new")["beyond"]) == pytest.approx(1.0)
    table = pd.DataFrame({"N": [1e9, 1e9], "D": [1e10, 1e10], "field": ["small", "big"]})
    assert forecast(exact, table)["beyond"].to_numpy() == pytest.approx([100.0, 1.0])


# -- Discrepancy


def test_the_departure_from_the_law(departing_posterior, grid_runs):
    N, D = 3e8, 5e10
    n, d = np.log(grid_runs["N"] / 1e8), np.log(grid_runs["D"] / 1e10)
    u, v = n / n.std(ddof=0), d / d.std(ddof=0)
    x, y = np.log(N / 1e8) / n.std(ddof=0), np.log(D / 1e10) / d.std(ddof=0)
    departure = 0.05 * (0.5 * (x * x - (u * u).mean()) - (x * y - (u * v).mean()) + 2.0 * (y * y - (v * v).mean()))
    answer = forecast(departing_posterior, N=N, D=D)
    assert only(answer["L"]) == pytest.approx(hoffmann(N, D), rel=1e-12)
    assert only(answer["L_true"]) == pytest.approx(hoffmann(N, D) * np.exp(departure), rel=1e-10)
    assert answer["L_true"].attrs["units"] == "nats/token"
    # A run scatters about the truth, not about the law: 200 draws, four standard errors of a mean.
    error = np.log(answer["L_run"] / answer["L_true"])
    assert abs(float(error.mean())) < 4 * 0.01 / np.sqrt(200)


def test_beyond_the_runs_the_departure_drifts(departing_posterior):
    """An integrated Wiener process of the discrepancy's size: standard deviation tau * log(beyond)**1.5, 0 inside."""
    # N alone goes out, so that the quadratic's part is the same for all draws and drops out of the spread.
    for factor in (1.0, 3.0, 30.0):
        answer = forecast(departing_posterior, N=1e9 * factor, D=1e10)
        assert float(answer["beyond"]) == pytest.approx(factor)
        spread = float(np.log(answer["L_true"]).std())
        # 200 draws: the standard deviation is known to 5 %; three of those.
        assert spread == pytest.approx(0.05 * np.log(factor) ** 1.5, rel=0.15, abs=1e-9)
    draws = [forecast(departing_posterior, N=n, D=1e10) for n in (1e10, 1.1e10)]
    a, b = (np.log((x["L_true"] / x["L"]).to_numpy().ravel()) for x in draws)
    assert np.corrcoef(a, b)[0, 1] > 0.999  # smooth: neighbours drift together


def test_without_a_discrepancy_there_is_no_other_truth(exact_posterior):
    assert set(forecast(exact_posterior, N=1e9, D=1e11).data_vars) == {"L", "L_run", "beyond"}


# -- What is printed


def draws_of(values) -> Any:
    return xr.DataArray(np.reshape(values, (4, -1)), dims=("chain", "draw"))


def test_intervals_follow_arviz():
    evenly = draws_of(np.random.default_rng(0).permutation(np.arange(2004.0)))
    with rc_context({"stats.ci_kind": "eti", "stats.ci_prob": 0.8}):
        assert interval_name() == "80 % ETI"
        shown = interval(evenly)
    assert list(shown["quantity"].to_numpy()) == ["median", "lower", "upper"]
    assert shown.to_numpy() == pytest.approx([1001.5, 200.3, 1802.7])


def test_the_shortest_interval_of_an_exponential_starts_at_zero():
    share = (np.arange(4000) + 0.5) / 4000
    with rc_context({"stats.ci_kind": "hdi", "stats.ci_prob": 0.8}):
        assert interval_name() == "80 % HDI"
        median, lower, upper = interval(draws_of(-np.log1p(-share))).to_numpy()
    assert median == pytest.approx(np.log(2), rel=1e-3)
    assert lower == pytest.approx(0.0, abs=0.01)
    assert upper == pytest.approx(-np.log(0.2), abs=0.01)


@pytest.mark.parametrize("kind", ["eti", "hdi"])
def test_intervals_keep_other_dims(kind):
    wide = draws_of(np.linspace(0, 1, 400)) * xr.DataArray([1.0, 10.0], dims="N", coords={"N": [5.0, 6.0]})
    with rc_context({"stats.ci_kind": kind, "stats.ci_prob": 0.5}):
        shown = interval(wide)
    assert dict(shown.sizes) == {"quantity": 3, "N": 2}
    widths = shown.sel(quantity="upper") - shown.sel(quantity="lower")
    assert widths.sel(N=[5.0, 6.0]).to_numpy() == pytest.approx([0.5, 5.0], rel=0.02)


def test_a_table_has_a_line_for_each_point_and_group(exact_posterior, grouped_posterior):
    one = forecast_table(forecast(exact_posterior, N=1e10, D=1e10))
    assert len(one) == 1
    row = one.iloc[0]
    assert (row["N"], row["D"], row["beyond"]) == (1e10, 1e10, pytest.approx(10.0))
    assert [row[f"L {part}"] for part in ("median", "lower", "upper")] == pytest.approx([hoffmann(1e10, 1e10)] * 3)
    assert row["L_run lower"] < row["L_run median"] < row["L_run upper"]
    many = forecast_table(forecast(grouped_posterior, N=[1e6, 1e7], D=[1e7, 1e8, 1e9]))
    assert len(many) == 2 * 3 * 6
    chosen = many[(many["N"] == 1e7) & (many["D"] == 1e8) & (many["modality"] == "image")]
    assert chosen["L median"].tolist() == pytest.approx([group_law(1, 1e7, 1e8, centre(grouped_posterior.model))])


def test_a_table_of_runs_keeps_their_order(grouped_posterior):
    runs = pd.DataFrame({"N": [2e6, 1e6], "D": [1e7, 1e8], "modality": ["text", "code"]})
    table = forecast_table(forecast(grouped_posterior, runs))
    for name in ("N", "D", "modality"):
        assert table[name].tolist() == runs[name].tolist()


def test_a_table_shows_the_truth_where_there_is_a_discrepancy(departing_posterior):
    answer = forecast(departing_posterior, N=1e9, D=1e10)
    row = forecast_table(answer).iloc[0]
    assert row["L_true median"] == pytest.approx(only(answer["L_true"]))
    assert row["L median"] == pytest.approx(hoffmann(1e9, 1e10))


def test_a_sentence_says_where_what_and_how_sure(exact_posterior):
    answer = forecast(exact_posterior, N=1e10, D=1e10)
    with rc_context({"stats.ci_kind": "eti", "stats.ci_prob": 0.9}):
        (sentence,) = forecast_sentences(answer)
        row = forecast_table(answer).iloc[0]
    assert sentence.startswith("N = 1e+10, D = 1e+10: a run would measure ")
    assert f"{row['L_run median']:.4g} nats/token (90 % ETI {row['L_run lower']:.4g} to " in sentence
    assert f"the law is {hoffmann(1e10, 1e10):.4g}" in sentence
    assert sentence.endswith("10 times beyond the runs.")


def test_a_sentence_inside_the_runs_does_not_say_beyond(exact_posterior):
    assert "beyond" not in forecast_sentences(forecast(exact_posterior, N=1e8, D=1e10))[0]


def test_sentences_name_the_group(grouped_posterior):
    sentences = forecast_sentences(forecast(grouped_posterior, N=1e6, D=1e7))
    assert len(sentences) == 6
    for name, sentence in zip(grouped_posterior.model.groups, sentences, strict=True):
        assert name in sentence.partition(":")[0]
