"""Thresholds against closed forms; atoms against shares of draws; what cannot be asked."""

from dataclasses import replace
from functools import partial
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from arviz_base import rc_context
from scipy.optimize import brentq, minimize_scalar

import bayescale as bs
from bayescale.answers.common import interval
from bayescale.answers.mixture import Stack
from bayescale.answers.threshold import crossed_by, threshold_sentences, threshold_table
from bayescale.diagnostics import Diagnostics
from bayescale.errors import BayescaleWarning, ConvergenceWarning, InputError

E, A, B, ALPHA, BETA = 1.69, 406.4, 410.7, 0.34, 0.28


def least_compute(level, E=E, A=A, B=B, alpha=ALPHA, beta=BETA):
    """Hoffmann et al. (2022), eq. 4 turned round; infinite at or below the floor."""
    G = (alpha * A / (beta * B)) ** (1 / (alpha + beta))
    K = A * G**-alpha + B * G**beta
    over = np.maximum(level - E, 0.0)
    with np.errstate(divide="ignore"):
        return 6 * (over / K) ** (-(1 / alpha + 1 / beta))


def only(values):
    flat = np.unique(np.asarray(values))
    assert flat.size == 1 or np.ptp(flat) <= 1e-9 * abs(flat[0])
    return float(flat[0])


@pytest.fixture(scope="module")
def spread(grid_runs):
    """Chinchilla's law with draws of the prior: floors on both sides of any level."""
    return bs.sample_prior(bs.Model("chinchilla", grid_runs), draws=400, seed=3)


# -- A budget


def test_the_least_compute_is_the_closed_form(exact_posterior):
    answer = bs.threshold(exact_posterior, L=[2.0, 2.5])
    for level in (2.0, 2.5):
        assert only(answer["C"].sel(L=level)) == pytest.approx(least_compute(level), rel=1e-10)
    at = answer.sel(L=2.0)
    assert only(6 * at["N"] * at["D"] / at["C"]) == pytest.approx(1.0, rel=1e-9)
    assert only(at["N"]) == pytest.approx(
        (ALPHA * A / (BETA * B)) ** (1 / (ALPHA + BETA)) * (least_compute(2.0) / 6) ** (BETA / (ALPHA + BETA)), rel=1e-9
    )


def test_draws_above_the_floor_answer_inf_and_are_the_probability_of_never(spread):
    level = float(spread.dataset["E"].median())
    answer = bs.threshold(spread, L=level)
    floor = spread.dataset["E"] >= level
    assert (np.isinf(answer["C"]) == floor).all()
    row = threshold_table(answer).iloc[0]
    assert row["P(never)"] == pytest.approx(float(floor.mean()), abs=1e-12)
    expected = least_compute(level, *(spread.dataset[s] for s in ("E", "A", "B", "alpha", "beta")))
    finite = answer["C"].where(~floor, 1.0)
    assert np.log(finite).to_numpy() == pytest.approx(
        np.log(expected.where(~floor, 1.0)).to_numpy(), rel=1e-9, abs=1e-9
    )


def test_a_budget_without_a_closed_form_is_the_optimum_of_the_same_search(certain, grid_runs):
    """The same law with a cost of its own: 6 N D plus inference, against SciPy's one-dimensional optimum."""
    model = bs.Model("chinchilla", grid_runs, noise="normal")
    values = {"E": E, "A_ref": A / 1e8**ALPHA, "B_ref": B / 1e10**BETA, "alpha": ALPHA, "beta": BETA, "sigma": 0.01}
    few = certain(model, values, (1, 2))

    def cost(N, D, D_inference):
        return 6 * N * D + 2 * N * D_inference

    def spent(log_N):
        over = 2.2 - E - A * np.exp(log_N) ** -ALPHA
        return np.inf if over <= 0 else cost(np.exp(log_N), (B / over) ** (1 / BETA), 1e12)

    best: Any = minimize_scalar(spent, bounds=(np.log(5e8), np.log(1e11)), method="bounded", options={"xatol": 1e-10})
    answer = bs.threshold(few, L=2.2, cost=partial(cost, D_inference=1e12))
    assert only(answer["C"]) == pytest.approx(float(best.fun), rel=1e-7)


def test_fixed_tokens_per_parameter(exact_posterior):
    answer = bs.threshold(exact_posterior, L=2.0, tokens_per_parameter=20)
    log_N: Any = brentq(lambda n: E + A * np.exp(-ALPHA * n) + B * (20 * np.exp(n)) ** -BETA - 2.0, 10, 40, xtol=1e-13)
    N = np.exp(log_N)
    assert only(answer["N"]) == pytest.approx(N, rel=1e-9)
    assert only(answer["D"]) == pytest.approx(20 * N, rel=1e-9)
    assert only(answer["C"]) == pytest.approx(120 * N**2, rel=1e-9)
    assert only(answer["C"]) >= least_compute(2.0)
    assert np.isinf(bs.threshold(exact_posterior, L=1.6, tokens_per_parameter="20")["C"]).all()


# -- One input


def test_tokens_needed_at_a_size(exact_posterior):
    answer = bs.threshold(exact_posterior, L=2.0, N="70B")
    assert only(answer["D"]) == pytest.approx((B / (2.0 - E - A * 70e9**-ALPHA)) ** (1 / BETA), rel=1e-10)
    assert list(answer.data_vars) == ["D", "level", "largest"]
    assert np.isinf(bs.threshold(exact_posterior, L=2.0, N="100M")["D"]).all()  # 1.69 + 406.4 / 1e8**0.34 = 2.47
    sizes = bs.threshold(exact_posterior, L=2.0, D=["1T", "10T"])
    assert dict(sizes["N"].sizes) == {"chain": 4, "draw": 50, "D": 2}
    assert only(sizes["N"].sel(D=1e12)) == pytest.approx((A / (2.0 - E - B * 1e12**-BETA)) ** (1 / ALPHA), rel=1e-10)


def test_a_law_of_one_input(certain, grid_runs):
    one = certain(
        bs.Model("saturating:N", grid_runs), {"L_inf": 1.5, "A_ref": 0.9, "alpha": 0.1, "sigma": 0.01, "nu": 5}
    )
    x_0 = only(one.dataset["x_0"])
    assert only(bs.threshold(one, L=1.8)["N"]) == pytest.approx(x_0 * 0.3 ** (-1 / 0.1), rel=1e-9)
    assert np.isinf(bs.threshold(one, L=1.5)["N"]).all()


def test_a_law_that_turns_is_at_its_first_crossing(certain, grid_runs):
    """Double descent: down to a break, up, and down again; the law is scanned by hand."""
    values = {"a": 0.5, "k_ref": 1.0, "c_0": 0.2, "d_1_ref": 0.1, "c_1": -0.5, "f_1": 0.05}
    values |= {"gap_2": np.log(20.0), "c_2": 1.0, "f_2": 0.05, "sigma": 0.01, "nu": 5.0}
    turning = certain(bs.Model("broken_2:N", grid_runs), values, (1, 3))
    grid = np.logspace(6.5, 12, 400_001)
    law = bs.forecast(turning, N=xr.DataArray(grid, dims="place"))["L"][0, 0].to_numpy()
    level = float(law[0] - 0.8 * (law[0] - law[:100_000].min()))
    first = np.flatnonzero(law <= level)[0]
    assert (law[first:] > level).any()
    assert only(bs.threshold(turning, L=level)["N"]) == pytest.approx(grid[first], rel=1e-4)


# -- Groups, stacks, chains


def test_groups_and_one_group(grouped_posterior):
    answer = bs.threshold(grouped_posterior, L=1.8)
    d = grouped_posterior.dataset
    for group in grouped_posterior.model.groups:
        of = [float(d[s].sel(modality=group)[0, 0]) for s in ("E", "A", "B", "alpha", "beta")]
        expected = least_compute(1.8, *of)
        assert only(answer["C"].sel(modality=group)) == pytest.approx(expected, rel=1e-9) or np.isinf(expected)
        alone = bs.threshold(grouped_posterior, L=1.8, group=group)
        assert only(alone["C"]) == pytest.approx(only(answer["C"].sel(modality=group)), rel=1e-12)
    new = bs.threshold(grouped_posterior, L=1.8, group="new")
    floor = grouped_posterior.params("new")["E"] >= 1.8
    assert (np.isinf(new["C"]) == floor).all()
    assert 0 < float(floor.mean()) < 1


def stack_of(members, *weights):
    names = list(members)
    draws = xr.DataArray(np.tile(weights, (10, 1)), {"law": names}, ("sample", "law"))
    return Stack(members, dict(zip(names, weights, strict=True)), draws, "loo")


def test_a_stack_mixes_its_atoms(certain, exact_posterior, grid_runs):
    model = exact_posterior.model
    high = certain(model, {p.symbol: exact_posterior.dataset[p.symbol][0, 0].item() for p in model.params} | {"E": 2.5})
    answer = bs.threshold(stack_of({"low": exact_posterior, "high": high}, 0.75, 0.25), L=2.0)
    assert float(np.isinf(answer["C"]).mean()) == pytest.approx(0.25)
    row = threshold_table(answer).iloc[0]
    assert row["C median"] == pytest.approx(least_compute(2.0), rel=1e-9)
    assert row["x95"] == np.inf
    assert row["P(never)"] == pytest.approx(0.25)


def test_a_law_of_another_scale_is_left_out_loudly(certain, exact_posterior, grid_runs):
    width = certain(bs.Model("power:N", grid_runs), {"k_ref": 3.0, "alpha": 0.1, "sigma": 0.01, "nu": 5.0})
    mixed = stack_of({"width": width, "chinchilla": exact_posterior}, 0.5, 0.5)
    with pytest.warns(BayescaleWarning, match="answers in N, not in C"):
        answer = bs.threshold(mixed, L=2.0)
    assert only(answer["C"]) == pytest.approx(least_compute(2.0), rel=1e-9)


@pytest.fixture(scope="module")
def ability(certain):
    runs = pd.DataFrame({"task": ["a"] * 5 + ["b"] * 5, "L": [2.0, 2.5, 2.75, 3.0, 3.5] * 2, "n_trials": 1000})
    runs["chance"] = np.where(runs["task"] == "a", 0.25, 0.1)
    runs["accuracy"] = [0.9, 0.7, 0.5, 0.4, 0.3, 0.9, 0.5, 0.3, 0.2, 0.1]
    model = bs.Model("sigmoid_of_loss", runs, pool="task:none")
    return certain(model, {"reach": [0.9, 1.0], "kappa": [4.0, 3.0], "u": [0.0, 1.0], "phi": [50.0, 50.0]}, (2, 60))


def test_a_chain_of_known_laws_is_their_composition(exact_posterior, ability):
    two = bs.chain(exact_posterior, ability)
    answer = bs.threshold(two, accuracy=0.5)
    # Task a: 0.25 + 0.675 / (1 + exp(4 (L - 2.75))) = 0.5; task b: 0.1 + 0.9 / (1 + exp(3 (L - 2.75 - 1 / 3))).
    loss = {"a": 2.75 - np.log(0.25 / (0.675 - 0.25)) / 4, "b": 2.75 + 1 / 3 - np.log(0.4 / 0.5) / 3}
    for task, L in loss.items():
        assert only(answer["C"].sel(task=task)) == pytest.approx(least_compute(L), rel=1e-6)
    assert answer.attrs["law"] == "chinchilla then sigmoid_of_loss"
    forecast = bs.forecast(two, N=70e9, D=1.4e12, group="a")
    law = E + A * 70e9**-ALPHA + B * 1.4e12**-BETA
    assert only(forecast["accuracy"]) == pytest.approx(0.25 + 0.675 / (1 + np.exp(4 * (law - 2.75))), rel=1e-9)
    assert float(forecast["accuracy_run"].std()) > 0


def test_the_losss_uncertainty_is_carried_through(spread, ability):
    """Shares of a chain's draws are those of two independent samples: P(A(L) >= level) by all pairs."""
    two = bs.chain(spread, ability)
    found = bs.forecast(two, N=1e9, D=1e11, group="a")["accuracy"]
    losses = bs.forecast(spread, N=1e9, D=1e11)["L"].to_numpy().ravel()
    accuracy = 0.25 + 0.675 / (1 + np.exp(4 * (losses - 2.75)))
    assert float((found > 0.5).mean()) == pytest.approx((accuracy > 0.5).mean(), abs=4 * 0.5 / np.sqrt(found.size))
    assert float(found.std()) > 0.05


def test_what_cannot_be_chained(exact_posterior, spread):
    with pytest.raises(InputError, match="predicts L; law 'chinchilla' takes N, D"):
        bs.chain(exact_posterior, spread)


# -- Abilities


def test_a_margin_is_over_each_groups_chance(ability):
    answer = bs.threshold(ability, margin=0.2)
    assert answer["level"].to_numpy() == pytest.approx([0.45, 0.3])
    expected = [2.75 - np.log(0.2 / (0.675 - 0.2)) / 4, 2.75 + 1 / 3 - np.log(0.2 / 0.7) / 3]
    for task, L in zip("ab", expected, strict=True):
        assert only(answer["L"].sel(task=task)) == pytest.approx(L, abs=1e-8)
    assert np.array_equal(bs.threshold(ability, accuracy=0.45, group="a")["L"], answer["L"].sel(task="a"))


def test_the_detection_limit_stands_beside_every_claim(ability):
    answer = bs.threshold(ability, accuracy=0.6)
    for task, chance in (("a", 0.25), ("b", 0.1)):
        limit = float(bs.detection_limit(1000, chance))
        assert float(answer["detection_limit"].sel(task=task)) == pytest.approx(limit)
    assert any("1000 questions tell" in line for line in threshold_sentences(answer))
    with pytest.warns(BayescaleWarning, match="less over chance than 1000 questions can tell"):
        small = bs.threshold(ability, margin=0.01, group="a")
    assert any("THIS LEVEL IS ONLY 0.01 ABOVE" in line for line in threshold_sentences(small))


@pytest.mark.filterwarnings("ignore:A level of")
def test_below_chance_and_above_the_ceiling(ability):
    below = bs.threshold(ability, accuracy=0.2, group="a")
    assert (below["L"] == np.inf).all()  # of a loss, any is low enough
    assert threshold_table(below)["P(any scale)"].item() == 1
    assert any("however" in line for line in threshold_sentences(below))
    above = bs.threshold(ability, accuracy=0.95, group="a")  # the ceiling is 0.925
    assert (above["L"] == -np.inf).all()
    assert threshold_table(above)["P(never)"].item() == 1
    assert any("never" in line for line in threshold_sentences(above))


# -- Reduction


def test_quantiles_of_draws_with_inf_are_inf_and_never_nan():
    x = xr.DataArray(np.array([[1.0, 2.0, 3.0, np.inf, np.inf]]), dims=("chain", "draw"))
    for kind in ("eti", "hdi"):
        for prob in (0.3, 0.5, 0.9):
            with rc_context({"stats.ci_kind": kind, "stats.ci_prob": prob}):
                assert not np.isnan(interval(x)).any()
                assert interval(x).sel(quantity="median") == 3.0
    with rc_context({"stats.ci_kind": "eti", "stats.ci_prob": 0.8}):
        assert interval(x).to_numpy().tolist() == [3.0, 1.0, np.inf]
    with rc_context({"stats.ci_kind": "hdi", "stats.ci_prob": 0.5}):
        assert interval(x).to_numpy().tolist() == [3.0, 1.0, 3.0]
    always = xr.full_like(x, np.inf)
    assert (interval(always) == np.inf).all()


def test_the_curve_ends_below_one_by_never_and_x95_is_where_it_reaches(spread):
    level = float(spread.dataset["E"].quantile(0.98))
    answer = bs.threshold(spread, L=level, horizon=1e24)
    C = answer["C"].to_numpy().ravel()
    row = threshold_table(answer).iloc[0]
    assert float(crossed_by(answer, 1e300)) == pytest.approx(1 - row["P(never)"])
    assert float(crossed_by(answer, row["x95"])) >= 0.95
    assert float(crossed_by(answer, row["x95"] * (1 - 1e-9))) < 0.95
    assert row["P(beyond horizon)"] == pytest.approx(((C > 1e24) & np.isfinite(C)).mean())
    assert float(crossed_by(answer, 1e24)) + row["P(beyond horizon)"] + row["P(never)"] == pytest.approx(1.0)
    curve = crossed_by(answer).to_numpy()
    assert (np.diff(curve) >= 0).all()


def test_a_fit_that_has_not_converged_and_a_departure_are_said(exact_posterior, departing_posterior):
    doubtful = replace(exact_posterior, diagnostics=Diagnostics(1.2, "alpha", 20.0, 30.0, "alpha", 4, 0.9))
    with pytest.warns(ConvergenceWarning, match="NOT CONVERGED"):
        assert bs.threshold(doubtful, L=2.0).attrs["converged"] == 0
    said = threshold_sentences(bs.threshold(departing_posterior, L=2.0))
    assert any("departure" in line for line in said)
    assert not any("departure" in line for line in threshold_sentences(bs.threshold(exact_posterior, L=2.0)))


@pytest.mark.parametrize("options", [{}, {"N": 1e-200}, {"N": 1e200}, {"tokens_per_parameter": 1e9}, {"D": "1"}])
def test_no_level_however_odd_gives_nan(exact_posterior, options):
    answer = bs.threshold(exact_posterior, L=[1e-300, 1e-9, 1.69, 1.6900000001, 5.0, 1e9, 1e300], **options)
    assert not any(np.isnan(answer[name]).any() for name in answer.data_vars)
    assert not threshold_table(answer).isna().any().any()
    assert not any("nan" in line for line in threshold_sentences(answer))


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no level": ({}, "L= or, for accuracies, margin="),
    "another response": ({"accuracy": 0.5}, "Say which level of loss"),
    "a level and a margin": ({"L": 2.0, "margin": 0.1}, "both was given"),
    "a margin of a loss": ({"margin": 0.1}, "margin is how much over chance"),
    "no positive level": ({"L": -1.0}, "must be positive"),
    "no number": ({"L": "two"}, "not a number"),
    "all inputs": ({"L": 2.0, "N": 1e9, "D": 1e11}, "all are given"),
    "an unknown input": ({"L": 2.0, "width": 512}, "width is no input"),
    "a ratio and a size": ({"L": 2.0, "N": 1e9, "tokens_per_parameter": 20}, "N is given as well"),
    "no ratio": ({"L": 2.0, "tokens_per_parameter": -1}, "must be positive"),
    "horizons": ({"L": 2.0, "horizon": [1e23, 1e24]}, "horizon is one number"),
    "a cost of nothing": (
        {"L": 2.0, "tokens_per_parameter": 20, "cost": lambda N, D: 1.0},
        "computed from what is bought",
    ),
    "a dim of the answer's": (
        {"L": xr.DataArray([[2.0]], dims=("N", "D")), "tokens_per_parameter": 20},
        "has a dim 'N'",
    ),
    "a group of none": ({"L": 2.0, "group": "text"}, "without pool="),
}


@pytest.mark.parametrize(("asked", "said"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_asked_is_refused(exact_posterior, asked, said):
    with pytest.raises(InputError, match=said):
        bs.threshold(exact_posterior, **asked)


def test_an_accuracy_is_a_share(ability):
    with pytest.raises(InputError, match=r"Write 60 % as 0\.6"):
        bs.threshold(ability, accuracy=60)
    with pytest.raises(InputError, match="more than all answers right"):
        bs.threshold(ability, margin=0.8)


# -- The figure


def test_the_figure_shows_the_curve_and_its_atoms(spread):
    level = float(spread.dataset["E"].median())
    answer = bs.threshold(spread, L=[level, level + 1.0], horizon=1e26)
    ax = bs.plot_threshold(answer)
    for k, line in enumerate(line for line in ax.lines if len(line.get_xdata()) > 2):
        x, y = np.asarray(line.get_xdata()), np.asarray(line.get_ydata())
        C = answer["C"].isel(L=k).to_numpy().ravel()
        assert y == pytest.approx((x[:, None] >= C).mean(axis=1), abs=1e-12)
    texts = [text.get_text().strip() for text in ax.texts]
    assert {"largest run", "horizon"} <= set(texts)
    assert "never 0.5" in ax.get_legend_handles_labels()[1][0]
    assert ax.get_xscale() == "log"
    plt.close("all")


@pytest.mark.parametrize("group", ["code", "new"])
def test_sentences_name_the_group_and_the_horizons_unit(grouped_posterior, group):
    answer = bs.threshold(grouped_posterior, L=2.0, group=group, horizon=1e15)
    said = threshold_sentences(answer)[1]
    assert f"L at most 2, group {group}: reached" in said
    assert "P(only beyond 1e+15 FLOP)" in said
