"""Fit checks: silent on a right law, loud on a wrong one, and about the right thing."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest, norm

import bayescale as bs
from bayescale.answers.check import check_fit, check_sentences
from bayescale.posterior import Posterior

# Losses here are simulated at the inputs of tables in which they are a stand-in.
pytestmark = pytest.mark.filterwarnings("ignore:Column 'L' .loss. is 2 in all")

TRUTH = {"E": 1.5, "A_ref": 0.3, "B_ref": 0.4, "alpha": 0.4, "beta": 0.35, "sigma": 0.01}


def grid(seeds=1):
    N, D, _ = np.meshgrid(np.geomspace(1e6, 1e8, 8), np.geomspace(1e8, 1e10, 8), range(seeds))
    return bs.read_runs(pd.DataFrame({"N": N.ravel(), "D": D.ravel(), "L": 2.0}), duplicates="keep")


def exact(model, draws=200):
    """All draws at the truth, but for a millionth: importance sampling wants them to differ."""
    rng = np.random.default_rng(0)
    values = {name: value * np.exp(1e-6 * rng.standard_normal((2, draws // 2))) for name, value in TRUTH.items()}
    stats = {k: np.zeros((2, draws // 2)) for k in ("diverging", "energy", "n_steps")}
    return Posterior.from_draws(model, values, stats, bs.sample_prior(model, 2).diagnostics, {})


@pytest.fixture(scope="module")
def right():
    model = bs.Model("chinchilla", grid(2), noise="normal")
    return exact(model.with_runs(bs.simulate(model, TRUTH, seed=4)))


@pytest.fixture(scope="module")
def wrong(right):
    """Parameters and tokens help each other more than the law says."""
    runs = right.model.runs.copy()
    u, v = np.log(runs["N"] / right.model.reference["N"]), np.log(runs["D"] / right.model.reference["D"])
    runs["L"] *= np.exp(-0.02 * u * v)
    return exact(right.model.with_runs(runs))


def test_right_law_is_not_accused(right):
    check = check_fit(right)
    assert float(check["structure_p"][0]) > 0.01
    assert check_sentences(check)[0].startswith("No misfit found")
    # All draws alike: leave-one-out is the predictive distribution itself, and its transform is uniform.
    assert kstest(check["pit"], "uniform").pvalue > 0.01
    location = right.law(right.params(), {s: np.asarray(x)[0] for s, x in right.model.inputs().items()})
    expected = norm.cdf((np.log(right.model.response[0]) - np.log(float(location[0, 0]))) / TRUTH["sigma"])
    assert float(check["pit"][0]) == pytest.approx(expected, rel=1e-3)


def test_pit_leaves_each_run_out(right):
    """Draws spread over the scale of the noise: leaving a run out shifts weight to draws that fit it badly."""
    model = right.model
    rng = np.random.default_rng(1)
    values = {name: np.full((2, 2000), value) for name, value in TRUTH.items()}
    values["E"] = TRUTH["E"] * np.exp(0.004 * rng.standard_normal((2, 2000)))
    stats = {k: np.zeros((2, 2000)) for k in ("diverging", "energy", "n_steps")}
    spread = Posterior.from_draws(model, values, stats, right.diagnostics, {})
    location = spread.at_runs()[0].to_numpy().reshape(4000, -1)
    z = (np.log(model.response) - np.log(location)) / TRUTH["sigma"]
    weights = 1 / norm.pdf(z)
    by_hand = (weights * norm.cdf(z)).sum(0) / weights.sum(0)
    np.testing.assert_allclose(check_fit(spread)["pit"], by_hand, atol=0.005)
    assert abs(norm.cdf(z).mean(0) - by_hand).max() > 0.01  # leaving out matters here, or the test says nothing


def test_wrong_law_is_accused_with_a_remedy(wrong):
    check = check_fit(wrong)
    sentences = "\n".join(check_sentences(check))
    assert "MISFIT" in sentences
    assert "--discrepancy" in sentences
    assert float(check["structure_p"][0]) < 1e-6
    assert float(check["structure"][0]) > 0.8


def test_structure_has_a_uniform_p_value_under_the_right_law():
    model = bs.Model("chinchilla", grid(), noise="normal")
    p = []
    for seed in range(60):
        posterior = exact(model.with_runs(bs.simulate(model, TRUTH, seed=seed)))
        p.append(float(check_fit(posterior)["structure_p"][0]))
    assert kstest(p, "uniform").pvalue > 0.01


def test_seed_spread_is_the_pooled_deviation_of_replicates(right):
    runs = right.model.runs.assign(y=np.log(right.model.response))
    within = runs.groupby(["N", "D"])["y"].var(ddof=1).mean()
    assert float(check_fit(right)["seed_sd"][0]) == pytest.approx(np.sqrt(within))


def test_outliers_are_found_and_named(right):
    runs = right.model.runs.copy()
    runs.loc[[4, 17], "L"] *= [1.15, 0.85]
    check = check_fit(exact(right.model.with_runs(runs)))
    assert set(np.flatnonzero(check["outlier"] > 0.5)) == {4, 17}
    assert any("rows 5, 18" in line for line in check_sentences(check))
    # Chaloner & Brant: over many clean samples of this size, one in twenty has any run beyond the limit.
    limit = norm.isf((1 - 0.95 ** (1 / len(runs))) / 2)
    rng = np.random.default_rng(0)
    any_beyond = (abs(rng.standard_normal((4000, len(runs)))) > limit).any(axis=1).mean()
    assert any_beyond == pytest.approx(0.05, abs=0.015)


def test_contraction_tells_prior_from_runs(right):
    """Draws straight from the prior have learnt nothing; draws at a point have learnt all."""
    learnt = check_fit(right)["contraction"]
    assert float(learnt.min()) == pytest.approx(1, abs=1e-5)
    check = check_fit(bs.sample_prior(right.model, draws=3000, seed=5))
    assert float(abs(check["contraction"]).max()) < 0.2
    assert any(line.startswith("Mostly prior") and "alpha" in line for line in check_sentences(check))


def test_few_repeats_do_not_make_a_misfit():
    """One cell run twice: the ratio to its spread means little, and the F test knows; 30 tables, one alarm allowed."""
    model = bs.Model("chinchilla", pd.concat([grid(), grid().iloc[[10]]], ignore_index=True), noise="normal")
    alarms = 0
    for seed in range(30):
        check = check_fit(exact(model.with_runs(bs.simulate(model, TRUTH, seed=seed))))
        alarms += any("repeated runs" in line and "MISFIT" in line for line in check_sentences(check))
    assert alarms <= 2  # 2 % each: three or more of 30 in one case of fifty
