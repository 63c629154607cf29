"""Designs from posteriors made without MCMC: linearised laws, groups, stacks, what is refused and what is said."""

import json
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats
from typer.testing import CliRunner

import bayescale as bs
from bayescale.answers.design import design_sentences, design_table
from bayescale.answers.mixture import Stack
from bayescale.cli import app
from bayescale.diagnostics import Diagnostics
from bayescale.errors import BayescaleWarning, ConvergenceWarning, InputError
from bayescale.law import LOSS
from bayescale.noise import find_noise
from bayescale.posterior import Posterior

CENTRE = {
    "E": 1.69,
    "A_ref": 406.4 / 1e8**0.34,
    "B_ref": 410.7 / 1e10**0.28,
    "alpha": 0.34,
    "beta": 0.28,
    "sigma": 0.01,
}
LOG_SD = {"E": 0.02, "A_ref": 0.03, "B_ref": 0.03, "alpha": 0.03, "beta": 0.03}
FINE = Diagnostics(1.0, "", 1e4, 1e4, "", 0, 1.0)
TARGET = {"N": 70e9, "D": 1.4e12}


def scattered(model, centre, log_sd, seed=0, shape=(4, 1000), diagnostics=FINE):
    """Independent log-normal draws; what has no spread stays at its centre."""
    rng = np.random.default_rng(seed)
    draws = {}
    for name, value in centre.items():
        value = np.broadcast_to(value, (*shape, *np.shape(value))).astype(float)
        draws[name] = value * np.exp(log_sd.get(name, 0.0) * rng.standard_normal(value.shape))
    statistics = {"diverging": np.zeros(shape, dtype=bool), "energy": np.zeros(shape)}
    return Posterior.from_draws(model, draws, statistics, diagnostics, {"seed": seed})


@pytest.fixture(scope="module")
def posterior(grid_runs):
    return scattered(bs.Model("chinchilla", grid_runs, noise="normal"), CENTRE, LOG_SD)


@pytest.fixture(scope="module")
def runs():
    N, D = (x.ravel() for x in np.meshgrid(np.logspace(7, 10, 4), np.logspace(9, 12, 4)))
    return pd.DataFrame({"N": N, "D": D})


@pytest.fixture(scope="module")
def answer(posterior, runs):
    return bs.design(posterior, 1e22, runs, about="L", at=TARGET, batch=3)


def log_loss(N, D, log_params):
    E, A, B, alpha, beta = np.exp(log_params)
    return np.log(E + A * (N / 1e8) ** -alpha + B * (D / 1e10) ** -beta)


def jacobian(N, D):
    """Slopes of log loss in the logs of the parameters, by central differences."""
    at = np.log([CENTRE[s] for s in LOG_SD])
    step = 1e-5 * np.eye(5)
    return np.array([(log_loss(N, D, at + s) - log_loss(N, D, at - s)) / 2e-5 for s in step]).T


def test_single_gains_are_those_of_the_linearised_law(posterior, runs):
    """Independent of the code's draws: slopes by differences, a normal prior, noise of 1 %.

    4,000 draws know the share of variance explained to about 0.01; curvature over 3 % costs as much.
    """
    prior = np.diag(np.array(list(LOG_SD.values())) ** 2)
    here, there = jacobian(70e9, 1.4e12), jacobian(runs["N"].to_numpy(), runs["D"].to_numpy())
    crossing, spread = there @ prior @ here, np.einsum("ri,ij,rj->r", there, prior, there)
    expected = crossing**2 / ((here @ prior @ here) * (spread + 0.01**2))
    answer = bs.design(posterior, 1e30, runs, about="L", at=TARGET, checks=0)
    np.testing.assert_allclose(1 - np.exp(-2 * answer["information"].to_numpy()), expected, atol=0.03)


def test_the_promise_is_kept_by_simulated_outcomes(answer):
    """Two ways to the same number: normal algebra, and draws re-weighted by the likelihood of simulated runs."""
    total, simulated, error = (answer[name].to_numpy() for name in ("total", "simulated", "simulated_error"))
    assert answer["effective"].min() > 50
    np.testing.assert_allclose(simulated, total, atol=0.03 + 4 * error.max())
    assert np.all(np.diff(total) > 0)


def test_the_interval_shrinks_by_what_the_information_says(answer):
    """Widths fall by exp(-nats) where the quantity is normal; its skewness, and 4,000 draws, move them by 4 %."""
    table = design_table(answer)
    now = np.diff(answer["expected"].isel(step=0, point=0).quantile([0.055, 0.945]))[0]
    np.testing.assert_allclose(table["width"] / now, np.exp(-table["total"]), rtol=0.06)
    np.testing.assert_allclose(answer["expected"].median(("chain", "draw")).std("step"), 0.0, atol=1e-3)
    np.testing.assert_array_equal(answer["expected"].isel(step=0), answer["expected"].isel(step=0).clip(0))


def test_costs_budget_and_batch_are_respected(answer, runs):
    table: Any = design_table(answer)
    np.testing.assert_allclose(table["cost"], 6 * table["N"] * table["D"])
    assert table["cost"].sum() <= 1e22
    assert len(table) <= 3
    assert answer.sizes["candidate"] == (6 * runs["N"] * runs["D"] <= 1e22).sum()
    assert any(note.startswith("1 of 16 candidates cost more than the budget") for note in answer.attrs["notes"])


def test_a_column_of_costs_goes_before_the_function(posterior, runs):
    dear = runs.assign(cost=np.where(runs["N"] > 1e9, 100.0, 1.0))
    answer = bs.design(posterior, 5, dear, about="L", at=TARGET, checks=0)
    assert answer["cost"].max() == 1.0
    assert answer.attrs["cost_unit"] == "units of cost"


def test_own_cost_function(posterior, runs):
    answer = bs.design(posterior, 1e30, runs, about="L", at=TARGET, checks=0, cost=lambda N, D, price=2.0: price * N)
    np.testing.assert_array_equal(answer["cost"], 2 * runs["N"])
    with pytest.raises(InputError, match=r"no 'P'.*column 'cost'"):
        bs.design(posterior, 1e30, runs, about="L", at=TARGET, cost=lambda N, P: N * P)


def test_rows_alike_are_replicates_and_repeat_allows_more(posterior):
    one = pd.DataFrame({"N": [1e10], "D": [1e12]})
    kwargs = {"about": "L", "at": TARGET, "batch": 4, "checks": 0}
    assert bs.design(posterior, 1e25, one, **kwargs).sizes["run"] == 1
    repeated = bs.design(posterior, 1e25, one, repeat=True, **kwargs)
    rows = bs.design(posterior, 1e25, pd.concat([one] * 4), **kwargs)
    np.testing.assert_allclose(repeated["total"], rows["total"])
    assert repeated.sizes["run"] == 4


def test_a_parameter_is_learnt_where_its_term_is_large(posterior):
    """Small models, long trained, tell of alpha what small data cannot."""
    ends = pd.DataFrame({"N": [1e6, 1e10], "D": [1e13, 1e8]})
    for about, best in (("alpha", 0), ("beta", 1)):
        information = bs.design(posterior, 1e30, ends, about=about, checks=0)["information"].to_numpy()
        assert np.argmax(information) == best
        assert information[best] > 10 * information[1 - best]


def test_a_constant_of_the_paper_is_a_quantity_too(posterior, runs):
    """A follows from A_ref and alpha; its heavy upper tail does no harm."""
    answer = bs.design(posterior, 1e22, runs, about="A", checks=0)
    assert answer.attrs["about"] == "A"
    assert np.isfinite(answer["expected"]).all()


def test_best_size_at_a_budget(posterior, runs):
    """The draws are those of the closed form, Hoffmann et al. (2022), eq. 4."""
    answer = bs.design(posterior, 1e22, runs, about="N_opt", at={"C": "1e24"}, checks=0)
    p = posterior.dataset
    closed = (p["alpha"] * p["A"] / (p["beta"] * p["B"])) ** (1 / (p["alpha"] + p["beta"])) * (1e24 / 6) ** (
        p["beta"] / (p["alpha"] + p["beta"])
    )
    np.testing.assert_allclose(answer["expected"].isel(step=0, point=0), closed, rtol=1e-6)
    assert answer["point"].item() == "N_opt at C = 1e+24"
    assert answer["total"][-1] > 0.02


def test_several_points_by_lists_and_by_table(posterior, runs):
    by_list = bs.design(posterior, 1e22, runs, about="L", at={"N": ["7B", "70B"], "D": "1.4T"}, checks=0)
    points = pd.DataFrame({"N": [7e9, 70e9], "C": [6 * 7e9 * 1.4e12, 6 * 70e9 * 1.4e12]})
    by_table = bs.design(posterior, 1e22, runs, about="L", at=points, checks=0)
    np.testing.assert_allclose(by_list["information"], by_table["information"])
    assert list(by_list["point"].to_numpy()) == ["L at N = 7e+09, D = 1.4e+12", "L at N = 7e+10, D = 1.4e+12"]
    assert "width L at N = 7e+09, D = 1.4e+12" in design_table(by_list)


def test_the_grid_lies_within_reach_and_budget(posterior, grid_runs):
    answer = bs.design(posterior, 1e21, about="L", at=TARGET, checks=0)
    N, D = answer["N"].to_numpy(), answer["D"].to_numpy()
    assert (6 * N * D).max() <= 1e21
    assert N.min() == pytest.approx(grid_runs["N"].min())
    assert N.max() <= 10 * grid_runs["N"].max() * (1 + 1e-9)
    assert D.max() == pytest.approx(10 * grid_runs["D"].max())
    assert 200 < answer.sizes["candidate"] <= 400


def test_a_law_of_compute_alone(certain, grid_runs):
    model = bs.Model("saturating:C", grid_runs.assign(C=6 * grid_runs["N"] * grid_runs["D"]), noise="normal")
    centre = {"L_inf": 2.0, "A_ref": 1.0, "alpha": 0.1, "sigma": 0.01}
    fitted = scattered(model, centre, {"L_inf": 0.01, "alpha": 0.05})
    answer = bs.design(fitted, 1e22, about="L", at={"C": 1e24}, checks=0)
    np.testing.assert_array_equal(answer["cost"], answer["C"])


def test_the_same_seed_gives_the_same_answer(posterior, runs):
    first, second = (bs.design(posterior, 1e22, runs, about="L", at=TARGET, seed=3) for _ in range(2))
    xr.testing.assert_identical(first, second)


def test_with_a_discrepancy_the_question_is_about_the_truth(grid_runs):
    """The law with its departure: forecast's L_true."""
    model = bs.Model("chinchilla", grid_runs, noise="normal", discrepancy=True)
    fitted = scattered(model, CENTRE | {"tau": 0.05, "weights": [0.5, -1.0, 2.0]}, LOG_SD | {"tau": 0.1})
    answer = bs.design(fitted, 1e22, about="L", at=TARGET, checks=0)
    truth = bs.forecast(fitted, **TARGET)["L_true"]
    np.testing.assert_allclose(answer["expected"].isel(step=0, point=0), truth, rtol=1e-9)


# -- Noise


@pytest.mark.parametrize("nu", [1.0, 2.0, 5.0, 50.0])
def test_student_noise_counts_by_its_fisher_information(nu):
    """Against quadrature of the squared score; finite where the variance is not."""
    noise = find_noise("student")
    z = np.linspace(-2000, 2000, 2_000_001)
    density = stats.t.pdf(z, nu)
    score = (nu + 1) * z / (nu + z**2)
    fisher = np.trapezoid(score**2 * density, z)
    found = noise.equivalent_variance({"sigma": 0.3, "nu": nu}, {"size": 1.0})
    assert found == pytest.approx(0.3**2 / fisher, rel=1e-3)


def test_frontier_noise_is_centred_above_the_law():
    noise = find_noise("frontier")
    params = {"sigma": 0.02, "shortfall": 0.05}
    drawn = np.log(noise.draw(np.random.default_rng(0), np.full(200_000, 2.0), params, {"size": 1.0}))
    assert noise.centre(2.0, params) == pytest.approx(drawn.mean(), abs=5e-4)
    assert noise.equivalent_variance(params, {"size": 1.0}) == pytest.approx(drawn.var(), rel=0.02)


def test_wild_noise_makes_runs_worth_less(grid_runs, runs):
    gains = []
    for nu in (1.5, 50.0):
        fitted = scattered(bs.Model("chinchilla", grid_runs), CENTRE | {"nu": nu}, LOG_SD)
        gains.append(bs.design(fitted, 1e22, runs, about="L", at=TARGET, checks=100))
    assert np.all(gains[0]["information"] <= gains[1]["information"])
    # 1.5 degrees of freedom: no variance, but an honest promise.
    promised = gains[0]["total"][-1]
    assert float(gains[0]["simulated"][-1]) == pytest.approx(float(promised), rel=0.25)


# -- Groups


@pytest.fixture(scope="module")
def grouped(grid_runs):
    both = pd.concat([grid_runs.assign(modality="text"), grid_runs.assign(modality="code")])
    model = bs.Model("chinchilla", both, pool="modality", noise="normal")
    pairs = {name: [value, value] for name, value in CENTRE.items()}
    means = {f"{name}_mean": value for name, value in CENTRE.items()}
    spreads = {f"{name}_spread": 0.05 for name in CENTRE}
    return scattered(model, pairs | means | spreads, LOG_SD | {f"{s}_mean": 0.03 for s in LOG_SD})


def test_runs_of_another_group_tell_nothing_where_groups_are_independent(grouped):
    each = pd.DataFrame({"N": 1e10, "D": 1e12, "modality": ["text", "code"]})
    answer = bs.design(grouped, 1e30, each, about="L", at=TARGET, group="code", checks=0)
    text, code = answer["information"].to_numpy()
    assert text == 0.0
    assert code > 0.1
    assert design_table(answer)["modality"].tolist() == ["code"]
    assert design_sentences(answer)[0].startswith("Run N = 1e+10, D = 1e+12, code (cost 6e+22 FLOP) next: the 89 % ETI")


def test_all_groups_by_default(grouped):
    answer = bs.design(grouped, 1e22, about="L", at=TARGET, checks=50)
    assert [label.rpartition(", ")[2] for label in answer["point"].to_numpy()] == ["code", "text"]
    assert set(answer["modality"].to_numpy()) == {"code", "text"}
    assert set(answer["modality"].to_numpy()[answer["chosen"].to_numpy()]) == {"code", "text"}
    one = bs.design(grouped, 1e22, about="alpha", group="text", checks=0)
    assert one["point"].item() == "alpha of text"
    assert set(one["modality"].to_numpy()) == {"text"}


def test_a_new_group_is_learnt_by_runs_of_its_own(grouped):
    each = pd.DataFrame({"N": 1e10, "D": 1e12, "modality": ["text", "new"]})
    answer = bs.design(grouped, 1e30, each, about="L", at=TARGET, group="new", checks=50)
    text, new = answer["information"].to_numpy()
    assert new > 0.3 > text
    with pytest.raises(InputError, match=r"'poetry'.*Groups: code, text, or 'new'"):
        bs.design(grouped, 1e30, each.assign(modality="poetry"), about="L", at=TARGET)


def test_a_group_of_a_fit_without_groups(posterior):
    with pytest.raises(InputError, match="'code' was asked for, but these runs were fitted as one law"):
        bs.design(posterior, 1e22, about="L", at=TARGET, group="code")


# -- Stacks


def stack_of(members, *weights):
    draws = np.tile(weights, (200, 1))
    return Stack(
        members,
        dict(zip(members, weights, strict=True)),
        xr.DataArray(draws, {"law": list(members)}, ("sample", "law")),
        "loo",
    )


@pytest.fixture(scope="module")
def two(grid_runs, posterior):
    """Two laws that agree at the reference and part as models grow: exponents of .34 and .25."""
    model = bs.Model("chinchilla", grid_runs, noise="normal")
    flat = scattered(model, CENTRE | {"alpha": 0.25}, LOG_SD, seed=1)
    return stack_of({"steep": posterior, "flat": flat}, 0.5, 0.5)


def test_which_law_is_right_is_told_where_they_differ(two):
    """At N = 1e8 both say the same; a hundred times farther they part, until both reach the floor."""
    where = pd.DataFrame({"N": [1e8, 1e10, 1e12], "D": 1e12})
    answer = bs.design(two, 1e30, where, about="law", batch=1)
    same, apart, floor = answer["information"].to_numpy()
    assert same < 0.02 < floor < apart < np.log(2)
    assert answer["chosen"].item() == 1
    assert answer["found"].to_numpy()[0] == pytest.approx(0.5)
    assert answer["found"].to_numpy()[1] > 0.6
    assert float(answer["simulated"][0]) == pytest.approx(apart, abs=0.06)
    assert "the chance to tell the right law is expected to rise from 0.50 to" in design_sentences(answer)[0]
    assert "found" in design_table(answer)


def test_a_mixture_values_runs_that_separate_its_laws(two, posterior):
    """Most of the mixture's doubt about the target is which law: a run that tells is worth more than by one alone."""
    where = pd.DataFrame({"N": [1e11], "D": 1e12})
    mixed = bs.design(two, 1e30, where, about="L", at=TARGET, checks=0)
    alone = bs.design(posterior, 1e30, where, about="L", at=TARGET, checks=0)
    assert float(mixed["information"][0]) > float(alone["information"][0])
    assert mixed.attrs["law"].startswith("stack of")


def test_a_law_that_cannot_answer_is_left_out_loudly(two, grid_runs):
    other = bs.Model("power:width", grid_runs.assign(width=512.0 * np.arange(1, 26)), noise="normal")
    stack = stack_of(
        {**two.members, "width": scattered(other, {"k_ref": 3.0, "alpha": 0.1, "sigma": 0.01}, {})}, 0.4, 0.4, 0.2
    )
    where = pd.DataFrame({"N": [1e10], "D": 1e12})
    with pytest.warns(BayescaleWarning, match=r"Left out of this answer is width \(weight 0.20\)"):
        bs.design(stack, 1e30, where, about="L", at=TARGET, checks=20)


def test_a_stack_of_one_law_has_nothing_to_tell_apart(two):
    sure = stack_of(two.members, 1.0, 0.0)
    with pytest.raises(InputError, match="All weight of this stack is on steep"):
        bs.design(sure, 1e22, about="law")


# -- What is refused and what is said


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"about": "kappa"}, r"no quantity 'kappa'.*L, N_opt, D_opt, E, A, B, alpha, beta"),
        ({"about": "law"}, "no quantity 'law'"),
        ({"at": None}, "Say where L is asked about: at={'N': ..., 'D': ...}"),
        ({"at": {"N": 7e10}}, "L is asked about at N, D; D is not given"),
        ({"at": {"N": 7e10, "D": 1e12, "P": 4}}, "P is no input"),
        ({"at": {"N": float("nan"), "D": 1e12}}, "N must be positive and finite"),
        ({"about": "N_opt", "at": {"N": 1e9}}, "Say at which budget N_opt is asked about"),
        ({"about": "alpha"}, "alpha is a parameter.*leave out at="),
        (
            {"budget": 1e10},
            r"budget of 1e\+10 is below the cheapest candidate, which costs 6e\+16 \(N = 1e\+07, D = 1e\+09",
        ),
        ({"budget": "plenty"}, "'plenty' is not a number"),
        ({"budget": [1e20, 1e21]}, "budget is one number"),
        ({"budget": -1.0}, "budget must be positive"),
        ({"batch": 0}, "batch must be a whole number of at least 1"),
        ({"checks": -1}, "checks must be a whole number of at least 0"),
        ({"candidates": [1, 2]}, "candidates must be a DataFrame"),
        ({"candidates": pd.DataFrame({"N": [], "D": []})}, "candidates has no rows"),
        ({"candidates": pd.DataFrame({"N": [1e9, np.nan], "D": 1e10})}, r"Column 'N' of candidates.*row 2"),
        (
            {"candidates": pd.DataFrame({"N": [1e9, -1.0], "D": 1e10})},
            "must be positive and finite; 1 of 2 rows is not",
        ),
        ({"candidates": pd.DataFrame({"N": ["1B", "big"], "D": 1e10})}, r"Column 'N'.*row 2"),
        ({"candidates": pd.DataFrame({"N": [1e9], "cost": [1.0]})}, "takes N, D; D is not given"),
        ({"cost": lambda N, D: 0 * N}, "Costs must be positive"),
    ],
)
def test_mistakes_are_said(posterior, runs, change, message):
    asked = {"budget": 1e22, "candidates": runs, "about": "L", "at": TARGET} | change
    budget, candidates = asked.pop("budget"), asked.pop("candidates")
    with pytest.raises(InputError, match=message):
        bs.design(posterior, budget, candidates, **asked)


def test_what_is_known_already_is_no_question(exact_posterior):
    with pytest.raises(InputError, match=r"alpha is the same in all draws, 0\.34"):
        bs.design(exact_posterior, 1e22, about="alpha")


def test_nothing_to_learn_is_said(grid_runs):
    """Only E is uncertain, but noise drowns every run."""
    fitted = scattered(bs.Model("chinchilla", grid_runs, noise="normal"), CENTRE | {"sigma": 50.0}, {"E": 0.001})
    answer = bs.design(fitted, 1e22, about="E")
    assert answer.sizes["run"] == 0
    assert design_sentences(answer)[0] == "No run that the budget affords would tell anything of E."
    assert len(design_table(answer)) == 0


def test_a_posterior_that_is_its_prior_is_said_loudly(grid_runs):
    prior = bs.sample_prior(bs.Model("chinchilla", grid_runs, noise="normal"), 1000)
    answer = bs.design(prior, 1e22, about="E", checks=0)
    assert any(note.startswith("MOSTLY PRIOR: by chinchilla") for note in answer.attrs["notes"])


def test_an_informed_posterior_is_not_called_prior(answer):
    assert not any("PRIOR" in note for note in answer.attrs["notes"])


def test_reach_beyond_the_runs_is_said(posterior):
    far = pd.DataFrame({"N": [1e11], "D": [1e12]})
    answer = bs.design(posterior, 1e24, far, about="L", at=TARGET, checks=0)
    # The largest run has 1e9 parameters, 1e11 tokens: 100 times, 10 times, and 1000 times in size.
    assert any("up to 1e+03 times beyond the runs" in note for note in answer.attrs["notes"])


def test_an_unconverged_fit_is_repeated_with_the_answer(grid_runs, runs):
    bad = Diagnostics(1.5, "E", 40.0, 40.0, "E", 0, 1.0)
    fitted = scattered(bs.Model("chinchilla", grid_runs, noise="normal"), CENTRE, LOG_SD, diagnostics=bad)
    with pytest.warns(ConvergenceWarning, match="NOT CONVERGED"):
        answer = bs.design(fitted, 1e22, runs, about="L", at=TARGET, checks=0)
    assert answer.attrs["converged"] == 0


def test_sentences_say_what_a_manager_asks(answer):
    text = design_sentences(answer)
    assert text[0].startswith("Run N = ")
    assert "FLOP) next: the 89 % ETI of L at N = 7e+10, D = 1.4e+12 is expected to shrink from " in text[0]
    assert text[1].startswith("Then run N = ")
    assert any("of the budget." in line for line in text)
    assert any(line.startswith("200 simulated outcomes give ") for line in text)


def test_an_answer_can_be_saved(answer, tmp_path):
    answer.to_netcdf(tmp_path / "design.nc", engine="h5netcdf")


# -- On the command line, and as a figure


@pytest.fixture(scope="module")
def saved(posterior, tmp_path_factory):
    path = tmp_path_factory.mktemp("design") / "post.nc"
    posterior.save(path)
    return str(path)


def test_command_line(saved, runs, tmp_path, answer):
    table = tmp_path / "runs.csv"
    runs.to_csv(table, index=False)
    words = ["design", saved, "--budget", "1e22", "--about", "L", "--at", "N=70B", "--at", "D=1.4T"]
    words += ["--candidates", str(table), "--batch", "3"]
    told = CliRunner().invoke(app, words, catch_exceptions=False)
    assert told.exit_code == 0
    assert told.output.splitlines() == design_sentences(answer)
    as_json = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)
    assert as_json["attrs"]["about"] == "L"
    assert [row["N"] for row in as_json["design"]] == design_table(answer)["N"].tolist()


def test_figure_has_every_candidate_and_numbers_the_chosen(answer):
    import matplotlib.pyplot as plt

    ax = bs.plot_design(answer)
    dots = sum(len(c.get_offsets()) for c in ax.collections)
    assert dots == answer.sizes["candidate"]
    chosen = {t.get_text() for t in ax.texts if t.get_text().isdigit()}
    assert chosen == {str(k + 1) for k in range(answer.sizes["run"])}
    circles = [line.get_xydata()[0] for line in ax.lines if line.get_marker() == "o"]
    np.testing.assert_allclose(circles, design_table(answer)[["N", "D"]].to_numpy())
    # Each dashed line joins runs of equal cost, a power of ten.
    for line in (line for line in ax.lines if line.get_marker() != "o"):
        N, D = line.get_data()
        np.testing.assert_allclose(np.log10(6 * N * D), np.round(np.log10(6 * N[0] * D[0])), atol=1e-6)
    with pytest.raises(InputError, match="drawn against N, D"):
        bs.plot_design(answer, x="P")
    plt.close("all")


def test_figure_of_one_input_and_of_laws(grid_runs, two):
    import matplotlib.pyplot as plt

    model = bs.Model("saturating:C", grid_runs.assign(C=6 * grid_runs["N"] * grid_runs["D"]), noise="normal")
    fitted = scattered(model, {"L_inf": 2.0, "A_ref": 1.0, "alpha": 0.1, "sigma": 0.01}, {"L_inf": 0.01, "alpha": 0.05})
    ax = bs.plot_design(bs.design(fitted, 1e22, about="L", at={"C": 1e24}, checks=0))
    assert ax.get_ylabel() == "information alone (nats)"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "which law" in bs.plot_design(bs.design(two, 1e22, about="law", checks=0)).get_title(loc="left")
    plt.close("all")


def test_loss_is_the_output_of_the_fixtures(posterior):
    assert posterior.model.law.output == LOSS


def test_one_simulated_outcome_is_refused(scattered_posterior):
    with pytest.raises(bs.InputError, match="no standard error"):
        bs.design(scattered_posterior, 1e20, about="alpha", checks=1)


def test_unit_of_a_price_of_ones_own_is_singular_after_per(scattered_posterior):
    candidates = pd.DataFrame({"N": [1e8], "D": [1e10], "cost": [2.0]})
    said = design_sentences(bs.design(scattered_posterior, 10, candidates, about="E", checks=0))[0]
    assert "(cost 2 units of cost)" in said
    assert said.endswith("per unit of cost.")
