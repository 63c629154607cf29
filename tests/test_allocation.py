"""Decisions at a budget: against the papers' tables, closed forms, and brute force over sizes."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import bayescale as bs
from bayescale.answers.allocation import allocation_sentences, allocation_table
from bayescale.answers.deviation import deviation_sentences, deviation_table
from bayescale.cost import training_dollars
from bayescale.errors import BayescaleWarning, ConvergenceWarning, InputError
from bayescale.laws import LAWS
from bayescale.plots.allocation import plot_allocation

C_GOPHER = 5.76e23


def fixed(certain, grid_runs, key="", constants=None):
    """A posterior that is sure of a paper's constants."""
    law = LAWS["chinchilla"]
    model = bs.Model(law, grid_runs, noise="normal")
    values = constants or dict(law.find(key).values)
    return certain(model, {**law.from_paper(values, model.reference), "sigma": 0.01}, (1, 2))


def losses(posterior, C, N, D_inference=0.0):
    """Losses of each draw (rows) at sizes (columns), by the printed formula."""
    E, A, B, alpha, beta = (
        posterior.dataset[name].to_numpy().reshape(-1, 1) for name in ("E", "A", "B", "alpha", "beta")
    )
    D = (C - 2 * N * D_inference) / (6 * N)
    return E + A * N**-alpha + B * D**-beta


# -- The papers


def test_hoffmanns_table_of_optimal_sizes(certain, grid_runs):
    """Figures of the TeX constants, three digits: 1 %; 40 billion parameters for Gopher's budget."""
    budgets = [1e18, 1e20, 1e21, C_GOPHER, 3.8e25, 1e26]
    answer = bs.allocate(fixed(certain, grid_runs, "hoffmann2022_tex"), C=budgets)
    N = [9.47e7, 7.75e8, 2.22e9, 4.04e10, 2.73e11, 4.25e11]
    D = [1.76e9, 2.15e10, 7.52e10, 2.38e12, 2.32e13, 3.92e13]
    assert answer["N_bayes"].to_numpy() == pytest.approx(N, rel=0.01)
    assert answer["D_bayes"].to_numpy() == pytest.approx(D, rel=0.01)
    assert answer["L_bayes"].isel(chain=0, draw=0).to_numpy() == pytest.approx(
        [3.448, 2.553, 2.296, 1.918, 1.811, 1.795], abs=0.001
    )


@pytest.mark.parametrize(("size", "tokens", "smaller", "ratio"), [(7e9, 1e11, 6e9, 1.18)])
def test_sardanas_example(certain, grid_runs, size, tokens, smaller, ratio):
    """Quality of a compute-optimal 7B with 1e11 tokens of inference: 6B on 1.18 times its tokens (section 3)."""
    # The paper's exponents, as models/sardana2023.py infers them.
    constants = {"E": 1.69, "A": 406.4, "B": 410.7, "alpha": 0.336, "beta": 0.283}
    posterior = fixed(certain, grid_runs, constants=constants)
    D = (0.283 * 410.7 / (0.336 * 406.4 * size**-0.336)) ** (1 / 0.283)
    L = LAWS["chinchilla"](N=size, D=D, **constants)
    answer = bs.allocate(posterior, L=L, cost=bs.with_inference, D_inference=tokens)
    assert float(answer["N_bayes"]) == pytest.approx(smaller, rel=0.05 / 6)
    assert float(answer["D_bayes"]) / D == pytest.approx(ratio, abs=0.005)
    assert float(answer["C_bayes"]) < bs.with_inference(size, D, tokens)


# -- The decision


@pytest.mark.parametrize("D_inference", [0.0, 1e13])
def test_the_decision_has_the_least_expected_loss(scattered_posterior, D_inference):
    C = 1e24
    asked = {"cost": bs.with_inference, "D_inference": D_inference} if D_inference else {}
    answer = bs.allocate(scattered_posterior, C=C, regret=0.01, **asked)
    most = C / (2 * D_inference) if D_inference else C / 6
    N = np.geomspace(1e8, min(most * 0.999, 1e13), 20_001)
    expected = losses(scattered_posterior, C, N, D_inference).mean(axis=0)
    assert float(answer["N_bayes"]) == pytest.approx(N[expected.argmin()], rel=0.001)  # the grid's step
    near = N[expected <= expected.min() + 0.01]
    assert float(answer["N_low"]) == pytest.approx(near[0], rel=0.002)
    assert float(answer["N_high"]) == pytest.approx(near[-1], rel=0.002)


def test_regret_as_a_share_of_the_budget(scattered_posterior):
    """At the ends of the basin the expected loss is that of the best decision with 5 % less."""
    answer = bs.allocate(scattered_posterior, C=1e22, regret="5%")
    N = np.geomspace(1e8, 1e12, 20_001)
    less = losses(scattered_posterior, 0.95e22, N).mean(axis=0).min()
    for end in ("N_low", "N_high"):
        assert losses(scattered_posterior, 1e22, float(answer[end])).mean() == pytest.approx(less, abs=1e-9)


def test_draws_of_the_optimum_are_each_draws_own(scattered_posterior):
    answer = bs.allocate(scattered_posterior, C=1e22)
    N = np.geomspace(1e8, 1e12, 20_001)
    table = losses(scattered_posterior, 1e22, N)
    assert answer["N"].to_numpy().ravel() == pytest.approx(N[table.argmin(axis=1)], rel=0.001)
    assert answer["L"].to_numpy().ravel() == pytest.approx(table.min(axis=1), abs=1e-8)
    at = losses(scattered_posterior, 1e22, float(answer["N_bayes"]))[:, 0]
    assert answer["L_bayes"].to_numpy().ravel() == pytest.approx(at, rel=1e-12)
    assert answer["regret"].to_numpy().ravel() == pytest.approx(at - answer["L"].to_numpy().ravel(), abs=1e-12)
    assert float(answer["regret"].min()) >= -1e-12
    ratio = 1e22 / 6 / answer["N"] ** 2
    assert answer["tokens_per_parameter"].to_numpy() == pytest.approx(ratio.to_numpy(), rel=1e-9)


def test_units_and_words(scattered_posterior):
    answer = bs.allocate(scattered_posterior, C=[1e22, 1e24])
    units = {name: answer[name].attrs["units"] for name in ("N", "N_low", "D_bayes", "L", "L_bayes", "regret")}
    assert units == {
        "N": "parameters",
        "N_low": "parameters",
        "D_bayes": "tokens",
        "L": "nats/token",
        "L_bayes": "nats/token",
        "regret": "nats/token",
    }
    assert answer["tokens_per_parameter"].attrs["units"] == "tokens/parameter"
    assert answer["C"].attrs["units"] == "FLOP"
    doubt, first, second = allocation_sentences(answer)
    assert "no backtest of them can tell" in doubt
    assert first.startswith("C = 1e+22 FLOP: N = 5.")
    assert "gives away no more than 5 % of the budget" in first
    assert "1.67e+03 times beyond the runs" in second  # the largest of the runs costs 6e20
    table = allocation_table(answer)
    assert table["N_bayes"].to_numpy() == pytest.approx(answer["N_bayes"].to_numpy())
    assert table["N median"].to_numpy() == pytest.approx(answer["N"].median(("chain", "draw")).to_numpy())


def test_money_is_a_budget_too(scattered_posterior):
    """A dollar buys 3600 * 4e14 / 2 FLOP at 2 dollars an hour and 40 % of 1e15 FLOP per second."""
    price = {"dollars_per_hour": 2.0, "flop_per_second": 1e15, "utilisation": 0.4}
    paid = bs.allocate(scattered_posterior, C=1e6, cost=training_dollars, **price)
    spent = bs.allocate(scattered_posterior, C=1e6 * 3600 * 4e14 / 2)
    assert float(paid["N_bayes"]) == pytest.approx(float(spent["N_bayes"]), rel=1e-6)
    assert paid.attrs["cost_unit"] == "dollars"


def test_limits_are_said(scattered_posterior):
    answer = bs.allocate(scattered_posterior, C=1e24, at_most={"N": "8B"})
    assert float(answer["N_bayes"]) == pytest.approx(8e9)
    assert float(answer["N_high"]) == pytest.approx(8e9)
    assert any("lies at a limit" in note for note in answer.attrs["notes"])
    unspent = bs.allocate(scattered_posterior, C=1e24, at_most={"N": "1B", "D": "1T"})
    assert any("part of the budget unspent" in note for note in unspent.attrs["notes"])


def test_a_basin_of_no_width(exact_posterior):
    """Where the limits, not the budget, hold the decision, less budget gives the same, so no deviation is free."""
    answer = bs.allocate(exact_posterior, C=1e24, at_most={"N": 2, "D": 3})
    assert (float(answer["N_low"]), float(answer["N_high"])) == pytest.approx((2.0, 2.0))


def test_a_size_that_is_given_leaves_the_tokens(scattered_posterior):
    answer = bs.allocate(scattered_posterior, C=1e24, N="70B")
    assert float(answer["D_bayes"]) == pytest.approx(1e24 / 6 / 70e9)
    assert "N_bayes" not in answer
    assert float(answer["tokens_per_parameter_bayes"]) == pytest.approx(1e24 / 6 / 70e9 / 70e9)


def test_unique_tokens_can_run_out(certain):
    """Muennighoff et al. (2023), constants of table 3: few unique tokens make the best model smaller than many do."""
    law = LAWS["data_constrained"]
    values = dict(law.published[0].values)
    N, D, U = (x.ravel() for x in np.meshgrid(np.logspace(7, 9, 4), np.logspace(9, 11, 4), [1e9, 1e10]))
    runs = pd.DataFrame({"N": N, "D": np.maximum(D, U), "D_U": U, "L": 3.0 + 1 / np.log(N)})
    model = bs.Model(law, runs, noise="normal")
    posterior = certain(model, {**law.from_paper(values, model.reference), "sigma": 0.01}, (1, 2))
    answer = bs.allocate(posterior, C=1e23, D_U=[1e9, 1e11, 1e14])
    for k, unique in enumerate([1e9, 1e11, 1e14]):
        size = np.geomspace(1e7, 1e13, 20_001)
        loss = law(N=size, D=1e23 / 6 / size, D_U=unique, **values)
        best = float(answer["L"].isel(chain=0, draw=0, D_U=k))
        assert best <= loss.min() + 1e-9
        assert best == pytest.approx(loss.min(), abs=1e-6)
    plenty = law(N=float(answer["N_bayes"][2]), D=float(answer["D_bayes"][2]), D_U=1e14, **values)
    alone = values["E"] + values["A"] * float(answer["N_bayes"][2]) ** -values["alpha"]
    alone += values["B"] * float(answer["D_bayes"][2]) ** -values["alpha"]
    assert plenty == pytest.approx(alone, rel=1e-9)  # with data to spare it is Chinchilla's law


# -- A level


def test_the_least_budget_for_a_loss(scattered_posterior):
    answer = bs.allocate(scattered_posterior, L=[2.0, 1.7])
    E = scattered_posterior.dataset["E"]
    never = np.isinf(answer["C"]).mean(("chain", "draw")).to_numpy()
    # Within 1e-6 of the floor no budget below 1e60 is enough; no draw lies there.
    assert never == pytest.approx([float((level <= E).mean()) for level in (2.0, 1.7)])
    assert 0.3 < never[1] < 0.7
    back = bs.allocate(scattered_posterior, C=float(answer["C_bayes"][0]))
    assert float(back["L_bayes"].mean()) == pytest.approx(2.0, abs=1e-9)
    assert float(back["N_bayes"]) == pytest.approx(float(answer["N_bayes"][0]), rel=1e-6)
    sentence = allocation_sentences(answer)[-1]
    assert f"with probability {never[1]:.2g} none is enough" in sentence
    table = allocation_table(answer)
    assert not table[[c for c in table if "tokens" not in c]].isna().to_numpy().any()


def test_a_loss_below_every_floor(scattered_posterior):
    answer = bs.allocate(scattered_posterior, L=1.0)
    assert np.isinf(answer["C"]).all()
    assert np.isinf(answer["N_bayes"])
    assert "no budget is expected to be enough" in allocation_sentences(answer)[0]


# -- Groups, a discrepancy, stacks


def test_each_group_has_its_own_decision(grouped_posterior):
    together = bs.allocate(grouped_posterior, C=1e15)
    assert together["N_bayes"].dims == ("modality",)
    for group in ("code", "text"):
        alone = bs.allocate(grouped_posterior, C=1e15, group=group)
        assert float(alone["N_bayes"]) == pytest.approx(float(together["N_bayes"].sel(modality=group)), rel=1e-7)
        assert alone.attrs["group"] == group
    new = bs.allocate(grouped_posterior, C=1e15, group="new", seed=3)
    assert float(new["N"].std()) > 0
    assert "new" in allocation_sentences(new)[-1]


def test_a_discrepancy_is_left_out_and_said(departing_posterior, exact_posterior):
    answer = bs.allocate(departing_posterior, C=1e21)
    assert float(answer["N_bayes"]) == pytest.approx(float(bs.allocate(exact_posterior, C=1e21)["N_bayes"]))
    assert any("departure" in note for note in answer.attrs["notes"])


@pytest.fixture
def stacked(scattered_posterior, certain, grid_runs):
    """Chinchilla's scattered law with weight .7, Kaplan's form with .3."""
    law = LAWS["kaplan"]
    model = bs.Model(law, grid_runs, noise="normal")
    values = law.from_paper({"N_c": 6.4e13, "D_c": 1.8e13, "alpha_N": 0.076, "alpha_D": 0.103}, model.reference)
    kaplan = certain(model, {**values, "sigma": 0.01}, (4, 250))
    members = {"chinchilla": scattered_posterior, "kaplan": kaplan}
    return bs.Stack(
        members,
        {"chinchilla": 0.7, "kaplan": 0.3},
        xr.DataArray([[0.7, 0.3]], {"law": list(members)}, ("sample", "law")),
        "loo",
    )


def test_a_stack_decides_for_the_mixture(stacked, scattered_posterior):
    answer = bs.allocate(stacked, C=1e21, regret=0.01)
    N = np.geomspace(1e7, 1e13, 40_001)
    kaplan = ((6.4e13 / N) ** (0.076 / 0.103) + 1.8e13 * 6 * N / 1e21) ** 0.103
    expected = 0.7 * losses(scattered_posterior, 1e21, N).mean(axis=0) + 0.3 * kaplan
    assert float(answer["N_bayes"]) == pytest.approx(N[expected.argmin()], rel=0.001)
    near = N[expected <= expected.min() + 0.01]
    assert float(answer["N_high"]) == pytest.approx(near[-1], rel=0.002)
    # 3 draws in 10 have Kaplan's optimum, which is the same in all its draws.
    own = (6.4e13 ** (0.076 / 0.103) * (0.076 / 0.103) * 1e21 / (6 * 1.8e13)) ** (1 / (1 + 0.076 / 0.103))
    assert float(np.isclose(answer["N"], own, rtol=1e-6).mean()) == pytest.approx(0.3)
    assert answer.attrs["law"].startswith("stack of 0.70 chinchilla")


def test_a_law_that_cannot_split_is_left_out_loudly(stacked, certain, grid_runs):
    runs = grid_runs.assign(C=6 * grid_runs["N"] * grid_runs["D"])
    flat = certain(
        bs.Model("saturating:C", runs, noise="normal"), {"L_inf": 1.7, "A_ref": 1.0, "alpha": 0.1, "sigma": 0.01}
    )
    members = {"chinchilla": stacked.members["chinchilla"], "saturating": flat}
    draws = xr.DataArray([[0.7, 0.3]], {"law": list(members)}, ("sample", "law"))
    stack = bs.Stack(members, {"chinchilla": 0.7, "saturating": 0.3}, draws, "loo")
    with pytest.warns(BayescaleWarning, match=r"Left out of this answer is saturating .weight 0.30.*takes C alone"):
        answer = bs.allocate(stack, C=1e22)
    assert float(answer["N_bayes"]) == pytest.approx(float(bs.allocate(members["chinchilla"], C=1e22)["N_bayes"]))


def test_doubtful_draws_are_told_with_the_answer(certain, grid_runs, exact_posterior):
    from dataclasses import replace

    doubtful = replace(exact_posterior, diagnostics=replace(exact_posterior.diagnostics, rhat=1.3))
    with pytest.warns(ConvergenceWarning, match="NOT CONVERGED"):
        answer = bs.allocate(doubtful, C=1e22)
    assert answer.attrs["converged"] == 0


# -- Mistakes


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({}, "neither was given"),
        ({"C": 1e22, "L": 2.0}, "both were given"),
        ({"C": 0}, "C must be positive"),
        ({"C": np.inf}, "C must be positive and finite"),
        ({"C": []}, "C is empty"),
        ({"C": 1e22, "regret": "0%"}, "regret is a positive number"),
        ({"C": 1e22, "regret": "five"}, "regret is a positive number"),
        ({"C": 1e22, "regret": -0.1}, "regret is a positive number"),
        ({"C": 1e22, "group": "text"}, "without pool="),
        ({"C": 1e22, "N": "70B", "D": "1T"}, "none are free"),
        ({"C": 1e22, "cost": bs.with_inference, "D_inference": 1e60}, "does not buy the smallest run"),
    ],
)
def test_questions_that_cannot_be_answered(exact_posterior, asked, words):
    with pytest.raises(InputError, match=words):
        bs.allocate(exact_posterior, **asked)


# -- A given run


def test_the_best_run_gives_nothing_away(exact_posterior):
    best = bs.allocate(exact_posterior, C=1e22)
    answer = bs.deviation(exact_posterior, N=float(best["N_bayes"]), D=float(best["D_bayes"]))
    assert answer["times"].to_numpy() == pytest.approx(np.ones((4, 50)), abs=1e-6)
    assert answer["regret"].to_numpy() == pytest.approx(np.zeros((4, 50)), abs=1e-9)


def test_what_a_long_trained_model_gives_away(scattered_posterior):
    """Closed form: with K, gamma and E of each draw, L is reached with 6 ((L - E) / K)**(-1 / gamma)."""
    answer = bs.deviation(scattered_posterior, N=["8B", "70B"], D="15T")
    E, A, B, alpha, beta = (scattered_posterior.dataset[name] for name in ("E", "A", "B", "alpha", "beta"))
    N = xr.DataArray([8e9, 70e9], dims="N")
    L = E + A * N**-alpha + B * 15e12**-beta
    G = (alpha * A / (beta * B)) ** (1 / (alpha + beta))
    K, gamma = A * G**-alpha + B * G**beta, alpha * beta / (alpha + beta)
    times = 6 * N * 15e12 / (6 * ((L - E) / K) ** (-1 / gamma))
    assert answer["times"].to_numpy() == pytest.approx(times.transpose("chain", "draw", "N").to_numpy(), rel=1e-6)
    regret = L - E - K * (N * 15e12) ** -gamma
    assert answer["regret"].to_numpy() == pytest.approx(regret.transpose("chain", "draw", "N").to_numpy(), abs=1e-9)
    assert answer["C"].to_numpy() == pytest.approx([7.2e23, 6.3e24])
    _, first, _ = deviation_sentences(answer)
    assert first.startswith("N = 8B, D = 15T: costs 7.2e+23 FLOP, ")
    assert len(deviation_table(answer)) == 2


def test_a_run_is_told_by_what_its_cost_takes(exact_posterior):
    with pytest.raises(InputError, match=r"A run is told by N, D.*D is not given"):
        bs.deviation(exact_posterior, N="8B")
    with pytest.raises(InputError, match="N has a dim 'D', the name of an input"):
        bs.deviation(exact_posterior, N=xr.DataArray([8e9], dims="D"), D="15T")
    with pytest.raises(InputError, match="no finite number"):
        bs.deviation(exact_posterior, N=1e308, D="1T")
    with pytest.raises(InputError, match=r"gives 1\.0 whatever they are"):
        bs.deviation(exact_posterior, N="8B", D="15T", cost=lambda N, D: 1.0)


# -- The figure


def test_the_frontier_is_drawn_as_answered(scattered_posterior):
    answer = bs.allocate(scattered_posterior, C=np.geomspace(1e18, 1e24, 5))
    (ax,) = plot_allocation(answer)
    lower, upper, dashed, solid = (line.get_ydata() for line in ax.get_lines()[:4])
    assert dashed == pytest.approx(answer["N_bayes"].to_numpy())
    inside = answer["beyond"].to_numpy() <= 1
    assert (np.isfinite(solid) == inside).all()
    (basin,) = (band.get_paths()[0].vertices[:, 1] for band in ax.collections)
    assert basin.max() == pytest.approx(float(answer["N_high"].max()))
    for line, q in ((lower, 0.055), (upper, 0.945)):
        assert line == pytest.approx(answer["N"].quantile(q, ("chain", "draw")).to_numpy())
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")


def test_a_panel_for_each_group(grouped_posterior):
    panels = bs.plot_allocation(bs.allocate(grouped_posterior, C=[1e13, 1e14, 1e15]))
    assert [ax.get_title(loc="left") for ax in panels] == list(grouped_posterior.model.groups)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"C": [1e20, 1e21]}, "at least 3 budgets"),
        ({"C": 1e20}, "at least 3 budgets"),
        ({"L": 2.0}, "two inputs sharing|two inputs that share"),
        ({"C": [1e20, 1e21, 1e22], "cost": bs.with_inference, "D_inference": [1e9, 1e10]}, "choose one of D_inference"),
    ],
)
def test_what_cannot_be_drawn(exact_posterior, asked, words):
    with pytest.raises(InputError, match=words):
        plot_allocation(bs.allocate(exact_posterior, **asked))


def test_basin_ends_where_use_eats_the_budget(scattered_posterior):
    """The basin's upper end against a scan: at the largest size nothing is left for tokens, and no loss is finite."""
    C, D_inference = 1e24, 1e12
    plan = bs.allocate(scattered_posterior, C=C, cost=bs.with_inference, D_inference=D_inference)
    p = {name: scattered_posterior.params(None, 0)[name] for name in ("E", "A_ref", "B_ref", "alpha", "beta")}

    def expected(N, budget):
        D = (budget - 2 * N * D_inference) / (6 * N)
        loss = p["E"] + p["A_ref"] * (N / 1e8) ** -p["alpha"] + p["B_ref"] * (D / 1e10) ** -p["beta"]
        return float(loss.mean())

    sizes = np.geomspace(5e9, 4.9e11, 4000)
    allowed = min(expected(N, 0.95 * C) for N in sizes[sizes < 4e11])
    inside = [N for N in sizes if expected(N, C) <= allowed]
    step = sizes[1] / sizes[0] - 1
    assert float(plan["N_low"]) == pytest.approx(inside[0], rel=2 * step)
    assert float(plan["N_high"]) == pytest.approx(inside[-1], rel=2 * step)


@pytest.mark.parametrize(
    "cost", [lambda N, D: N * np.nan, lambda N, D: -N * D, lambda N, D: "dear"], ids=["nan", "negative", "text"]
)
def test_a_cost_that_is_no_price_is_refused(exact_posterior, cost):
    with pytest.raises(bs.InputError, match="must be positive and finite; for the smallest run"):
        bs.allocate(exact_posterior, C=1e24, cost=cost)


def test_no_sentence_speaks_of_an_infinite_budget(exact_posterior, scattered_posterior):
    (never,) = bs.allocation_sentences(bs.allocate(exact_posterior, L=1.6))
    assert never.endswith(
        "no budget is expected to be enough, and in no draw is any: the law's limit lies short of the level."
    )
    (doubtful,) = bs.allocation_sentences(bs.allocate(scattered_posterior, L=1.65))
    assert "More likely than not none is enough (" in doubtful
    assert "budget is inf" not in doubtful
