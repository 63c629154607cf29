"""The best split of a budget for every draw: closed forms against searches, and limits."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.optimize import minimize_scalar

import bayescale as bs
from bayescale.answers.optimum import badness, least_budget, optimum, read_split
from bayescale.cost import low_precision, six_nd, with_inference
from bayescale.errors import InputError
from bayescale.laws import LAWS
from bayescale.simulation import sample_prior

BUDGETS = xr.DataArray([1e9, 1e15, 1e21, 1e24, 1e30], dims="C")
CLOSED = [law for law in LAWS.values() if law.optimum is not None]


def plain_six_nd(N, D):
    """6 N D under another name, so that no closed form is taken."""
    return 6.0 * N * D


def of_published(law):
    """Constants to try a law's closed form at: the first published, or plausible ones."""
    if law.published:
        return dict(law.published[0].values)
    guesses = {"E": 1.7, "N_c": 6.4e13, "D_c": 1.8e13, "alpha_N": 0.3, "alpha_D": 0.25}
    guesses |= {"K": 1071.0, "gamma": 0.154, "k": 0.6, "a": 0.45, "h": 0.05}
    return {symbol: guesses[symbol] for symbol in law.constants}


@pytest.mark.parametrize("law", CLOSED, ids=lambda law: law.name)
def test_closed_forms_are_where_a_search_finds_the_least(law):
    constants = of_published(law)
    for C in (1e18, 1e21, 5.76e23):
        N, D = law.optimum(C, **constants)
        assert pytest.approx(C, rel=1e-9) == 6 * N * D

        def loss(u, C=C):
            size = np.exp(u)
            values = {"N": size, "D": C / 6 / size, "C": C, "M": C / 6 / size**2}
            return law(**{i.symbol: values[i.symbol] for i in law.inputs}, **constants)

        ends = (np.log(1e4), np.log(1e14))
        found: Any = minimize_scalar(loss, bounds=ends, method="bounded", options={"xatol": 1e-9})
        # Comparisons of losses cannot tell places closer than about the root of the rounding error.
        assert np.log(N) == pytest.approx(found.x, abs=1e-5)


def test_the_search_agrees_with_the_closed_form(scattered_posterior):
    params = scattered_posterior.params()
    closed = optimum(scattered_posterior, params, BUDGETS, read_split(scattered_posterior.model, six_nd, {}))
    split = read_split(scattered_posterior.model, plain_six_nd, {})
    assert not split.closed
    searched = optimum(scattered_posterior, params, BUDGETS, split)
    for name in ("N", "D"):
        assert searched[name].dims == ("chain", "draw", "C")
        assert float(np.abs(np.log(searched[name] / closed[name])).max()) < 1e-6


def test_no_budget_is_too_small_or_too_large(scattered_posterior):
    budgets = xr.DataArray([6.0, 7.0, 1e3, 1e60, 1e90], dims="C")
    for cost in (six_nd, plain_six_nd):
        split = read_split(scattered_posterior.model, cost, {})
        found = optimum(scattered_posterior, scattered_posterior.params(), budgets, split)
        for name in ("N", "D"):
            assert np.isfinite(found[name]).all()
            assert float(found[name].min()) >= 1 - 1e-6
        assert (6 * found["N"] * found["D"] / budgets).to_numpy() == pytest.approx(np.ones((4, 250, 5)), rel=1e-5)


@pytest.mark.parametrize("cost", [six_nd, plain_six_nd])
def test_limits_hold_and_are_reached(scattered_posterior, cost):
    model, params = scattered_posterior.model, scattered_posterior.params()
    C = xr.DataArray(1e24)
    free = optimum(scattered_posterior, params, C, read_split(model, cost, {}))
    for limit, expected in (
        ({"at_most": {"N": "8B"}}, 8e9),
        ({"at_least": {"N": "700B"}}, 7e11),
        ({"at_least": {"D": "100T"}}, 1e24 / 6 / 1e14),
        ({"at_most": {"D": "1T"}}, 1e24 / 6 / 1e12),
    ):
        held = optimum(scattered_posterior, params, C, read_split(model, cost, {}, **limit))
        # The last is a kink inside the range, which the search finds to 2e-5 on the log.
        assert held["N"].to_numpy() == pytest.approx(np.full((4, 250), expected), rel=2e-5), limit
    loose = {"at_most": {"N": "900B", "D": "900T"}, "at_least": {"N": "1M", "D": "1M"}}
    same = optimum(scattered_posterior, params, C, read_split(model, cost, {}, **loose))
    assert same["N"].to_numpy() == pytest.approx(free["N"].to_numpy(), rel=1e-6)


def test_a_budget_that_the_limits_leave_unspent(scattered_posterior):
    split = read_split(scattered_posterior.model, six_nd, {}, at_most={"N": "1B", "D": "1T"})
    found = optimum(scattered_posterior, scattered_posterior.params(), xr.DataArray(1e24), split)
    assert found["N"].to_numpy() == pytest.approx(np.full((4, 250), 1e9), rel=1e-6)
    assert found["D"].to_numpy() == pytest.approx(np.full((4, 250), 1e12), rel=1e-6)


@pytest.mark.parametrize(
    ("given", "other", "expected"), [({"N": "70B"}, "D", 1e24 / 6 / 70e9), ({"D": 1e12}, "N", 1e24 / 6e12)]
)
def test_one_input_held_leaves_the_other(scattered_posterior, given, other, expected):
    split = read_split(scattered_posterior.model, six_nd, given)
    found = optimum(scattered_posterior, scattered_posterior.params(), xr.DataArray(1e24), split)
    assert list(found) == [other]
    assert float(found[other].max()) == pytest.approx(expected, rel=1e-9)


def test_inference_makes_the_best_model_smaller(scattered_posterior):
    """Sardana et al. (2023): alpha A N**-alpha / (beta B D**-beta) = 1 + D_inference / (3 D)."""
    posterior = scattered_posterior
    split = read_split(posterior.model, with_inference, {"D_inference": [0.0, 1e11, 1e13]})
    found = optimum(posterior, posterior.params(), xr.DataArray(1e23), split)
    A, B, alpha, beta = (posterior.dataset[name] for name in ("A", "B", "alpha", "beta"))
    share = alpha * A * found["N"] ** -alpha / (beta * B * found["D"] ** -beta)
    right = 1 + xr.DataArray([0.0, 1e11, 1e13], dims="D_inference") / (3 * found["D"])
    # N to 1e-6, of which the ratio makes a few times as much where use takes nearly all of the budget.
    assert (share / right).transpose("chain", "draw", ...).to_numpy() == pytest.approx(np.ones((4, 250, 3)), rel=5e-6)
    spent = 6 * found["N"] * found["D"] + 2 * found["N"] * xr.DataArray([0.0, 1e11, 1e13], dims="D_inference")
    assert spent.to_numpy() == pytest.approx(np.full(spent.shape, 1e23), rel=1e-9)


def test_a_cost_that_is_no_straight_line_in_tokens(scattered_posterior):
    """C = N D**1.5: stationary where alpha A N**-alpha = beta B D**-beta / 1.5."""
    split = read_split(scattered_posterior.model, lambda N, D: N * D**1.5, {})
    found = optimum(scattered_posterior, scattered_posterior.params(), xr.DataArray(1e27), split)
    A, B, alpha, beta = (scattered_posterior.dataset[name] for name in ("A", "B", "alpha", "beta"))
    ratio = alpha * A * found["N"] ** -alpha / (beta * B * found["D"] ** -beta)
    # The tokens come from a search within a search, so some rounding is left.
    assert ratio.to_numpy() == pytest.approx(np.full((4, 250), 1 / 1.5), rel=1e-5)
    assert (found["N"] * found["D"] ** 1.5).to_numpy() == pytest.approx(np.full((4, 250), 1e27), rel=1e-9)


def test_the_best_size_at_few_bits(certain):
    """Kumar et al. (2024): N (1 - exp(-P / gamma)) parameters count; stationary as Chinchilla's in those."""
    law = LAWS["precision"]
    c = {"E": 2.76, "A": 4299.0, "B": 18060.0, "alpha": 0.4965, "beta": 0.47, "gamma": 2.6745}
    N, D, bits = (x.ravel() for x in np.meshgrid(np.logspace(7, 9, 4), np.logspace(9, 11, 4), [4.0, 8.0, 16.0]))
    runs = pd.DataFrame({"N": N, "D": D, "P_w": bits, "L": law(N=N, D=D, P_w=bits, **c)})
    model = bs.Model(law, runs, noise="normal")
    posterior = certain(model, {**law.from_paper(c, model.reference), "sigma": 0.01}, (1, 2))
    P = xr.DataArray([4.0, 8.0, 16.0], dims="P_w")
    split = read_split(model, lambda N, D, P_w: low_precision(N, D, P_w), {"P_w": P})
    found = optimum(posterior, posterior.params(), xr.DataArray(1e21), split)
    left = c["alpha"] * c["A"] * (found["N"] * (1 - np.exp(-P / c["gamma"]))) ** -c["alpha"]
    right = c["beta"] * c["B"] * found["D"] ** -c["beta"]
    assert (left / right).to_numpy() == pytest.approx(np.ones(left.shape), rel=1e-6)
    assert (6 * found["N"] * found["D"] * P / 16).to_numpy() == pytest.approx(np.full(left.shape, 1e21), rel=1e-9)


@pytest.mark.parametrize("cost", [six_nd, plain_six_nd])
def test_the_least_budget_for_a_loss(scattered_posterior, cost):
    """C(l) = 6 ((l - E) / K)**(-1 / gamma), K = A G**-alpha + B G**beta, gamma = alpha beta / (alpha + beta)."""
    posterior = scattered_posterior
    level = xr.DataArray([2.0, 1.7], dims="L")
    found = least_budget(posterior, posterior.params(), level, read_split(posterior.model, cost, {}))
    E, A, B, alpha, beta = (posterior.dataset[name] for name in ("E", "A", "B", "alpha", "beta"))
    G = (alpha * A / (beta * B)) ** (1 / (alpha + beta))
    K = A * G**-alpha + B * G**beta
    gap = level - E
    closed = 6 * (gap.where(gap > 0) / K) ** (-(alpha + beta) / (alpha * beta))
    expected = closed.fillna(np.inf).transpose("chain", "draw", "L").to_numpy()
    assert np.isinf(expected[..., 1]).any()
    assert (np.isinf(found.to_numpy()) == np.isinf(expected)).all()
    near = np.isfinite(expected) & (expected < 1e50)
    # The search stops at 1e-13 on the log of the budget; beyond, the loss is flat and its rounding shows.
    assert np.log(found.to_numpy()[near]) == pytest.approx(np.log(expected[near]), abs=1e-6)


SPLIT = [law for law in LAWS.values() if len(law.columns) > 1 and set(law.columns) <= {"N", "D", "C", "M"}]


@pytest.mark.parametrize("law", SPLIT, ids=lambda law: law.name)
def test_every_law_of_parameters_and_tokens_can_be_asked(law):
    rng = np.random.default_rng(2)
    N, D = 10 ** rng.uniform(7, 9, 30), 10 ** rng.uniform(9, 11, 30)
    response = rng.uniform(0.3, 0.6, 30)
    runs = pd.DataFrame({"N": N, "D": D, "C": 6 * N * D, "M": D / N, "chance": 0.25, law.output.symbol: response})
    prior = sample_prior(bs.Model(law, runs), draws=100, seed=1)
    split = read_split(prior.model, plain_six_nd, {})
    params = prior.params()
    found = optimum(prior, params, xr.DataArray(1e20), split)
    assert bool(np.isfinite(found["N"]).all())
    best = badness(prior, params, split, found)
    for factor in (0.5, 0.97, 1.03, 2.0):
        size = np.clip(found["N"] * factor, 1, 1e20 / 6)
        other = badness(prior, params, split, {"N": size, "D": 1e20 / 6 / size})
        assert bool((other >= best - 1e-9 * np.abs(best)).all())


def test_such_laws_are_many():
    assert {"chinchilla", "kaplan", "overtraining", "isoflop", "farseer"} <= {law.name for law in SPLIT}


@pytest.mark.parametrize(
    ("law", "cost", "given", "words"),
    [
        ("saturating:C", six_nd, {}, "takes C alone, so every split"),
        ("chinchilla", six_nd, {"K": 3.0}, "'K' is no input of law 'chinchilla'"),
        ("chinchilla", six_nd, {"N": 1e9, "D": 1e9}, "here none are free"),
        ("chinchilla", with_inference, {}, "here N, D, D_inference are free"),
        ("chinchilla", with_inference, {"D_inference": -1.0}, "must not be negative"),
        ("data_constrained", six_nd, {}, "D_U costs nothing.*Give D_U="),
        ("chinchilla", "six_nd", {}, "must be a function"),
        ("chinchilla", lambda *x: 1.0, {}, "must name its arguments"),
    ],
)
def test_questions_that_cannot_be_answered(grid_runs, law, cost, given, words):
    runs = grid_runs.assign(C=6 * grid_runs["N"] * grid_runs["D"], D_U=grid_runs["D"])
    with pytest.raises(InputError, match=words):
        read_split(bs.Model(law, runs), cost, given)


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"at_most": {"K": 3}}, "at_most limits 'K'; what shares the budget is N, D"),
        ({"at_most": {"N": 1e6}, "at_least": {"N": 1e7}}, "nothing is left"),
        ({"at_most": {"N": [1e6, 1e7]}}, "one number for 'N'"),
    ],
)
def test_limits_that_cannot_hold(exact_posterior, limits, words):
    with pytest.raises(InputError, match=words):
        read_split(exact_posterior.model, six_nd, {}, **limits)


def test_a_budget_that_buys_no_run(exact_posterior):
    split = read_split(exact_posterior.model, six_nd, {}, at_least={"N": "1B"})
    with pytest.raises(InputError, match=r"budget of 5e\+09 FLOP does not buy the smallest run \(N = 1e\+09, D = 1\)"):
        optimum(exact_posterior, exact_posterior.params(), xr.DataArray([1e20, 5e9], dims="C"), split)
