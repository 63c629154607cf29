"""Each sign of trouble by itself withholds the word "converged", and names a remedy."""

import re
from dataclasses import replace

import numpy as np
import pytest

from bayescale.diagnostics import Diagnostics, diagnose

GOOD = Diagnostics(1.002, "alpha", 900.0, 800.0, "beta", 0, 0.9)
SHAPE = (4, 1000)


def stats_of(shape=SHAPE, **changes):
    rng = np.random.default_rng(9)
    return {"diverging": np.zeros(shape, dtype=bool), "energy": rng.standard_normal(shape)} | changes


@pytest.fixture
def draws():
    return np.random.default_rng(1).standard_normal(SHAPE)


# -- The verdict


def test_good_chains_have_converged():
    assert GOOD.converged
    assert GOOD.problems == []
    assert str(GOOD).startswith("converged (R-hat 1.0020, ESS bulk 900, tail 800, divergences 0")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"rhat": 1.02}, r"R-hat of alpha is 1\.020.*tune="),
        ({"rhat": float("nan")}, r"R-hat of alpha.*tune="),
        ({"ess_bulk": 150.0}, r"only 150 effective draws of beta.*draws="),
        ({"ess_tail": 399.0}, r"only 399 effective draws of beta.*draws="),
        ({"ess_bulk": float("nan")}, r"effective draws.*draws="),
        ({"ess_tail": float("nan")}, r"effective draws.*draws="),
        ({"divergences": 1}, r"1 divergent.*target_accept="),
        ({"bfmi": 0.2}, r"energy fraction 0\.20.*tune="),
        ({"bfmi": float("nan")}, r"energy fraction.*tune="),
        ({"interrupted": True}, r"interrupted.*fit again"),
    ],
)
def test_each_trouble_by_itself_is_enough(change, words):
    verdict = replace(GOOD, **change)
    assert not verdict.converged
    assert len(verdict.problems) == 1
    assert str(verdict).startswith("NOT CONVERGED")
    assert re.search(words, str(verdict))


def test_all_troubles_are_named():
    assert len(replace(GOOD, rhat=2.0, ess_bulk=3.0, divergences=7, bfmi=0.1, interrupted=True).problems) == 5


@pytest.mark.parametrize("change", [{"rhat": 1.01}, {"ess_bulk": 400.0}, {"ess_tail": 400.0}, {"bfmi": 0.3}])
def test_the_limits_themselves_pass(change):
    assert replace(GOOD, **change).converged


# -- Judging draws


def test_independent_draws_pass(draws):
    verdict = diagnose({"alpha": draws}, stats_of())
    assert verdict.converged
    assert verdict.rhat == pytest.approx(1.0, abs=0.005)
    # Independent draws: as many effective draws as draws, within Monte Carlo error.
    assert verdict.ess_bulk == pytest.approx(4000, rel=0.15)
    assert verdict.bfmi == pytest.approx(2.0, abs=0.3)  # successive independent energies: E(de^2) = 2 var(e)


def test_chains_that_disagree_are_named(draws):
    group = np.stack([draws, draws[::-1] + 0.5 * np.arange(4)[:, None]], axis=-1)
    verdict = diagnose({"beta": draws, "alpha": group}, stats_of())
    assert verdict.rhat > 1.05
    assert verdict.rhat_of == verdict.ess_of == "alpha[1]"
    assert not verdict.converged


def test_slow_chains_have_few_effective_draws():
    # An AR(1) chain of coefficient rho has (1 - rho) / (1 + rho) effective draws for each draw.
    rng, rho = np.random.default_rng(3), 0.9
    x = np.empty((4, 4000))
    x[:, 0] = rng.standard_normal(4)
    for i in range(1, 4000):
        x[:, i] = rho * x[:, i - 1] + np.sqrt(1 - rho**2) * rng.standard_normal(4)
    verdict = diagnose({"alpha": x}, stats_of((4, 4000)))
    assert verdict.ess_bulk == pytest.approx(16_000 * 0.1 / 1.9, rel=0.25)
    short = diagnose({"alpha": x[:, :500]}, stats_of((4, 500)))
    assert short.ess_bulk < 400
    assert not short.converged


def test_energy_that_wanders_slowly_is_seen(draws):
    energy = np.cumsum(np.random.default_rng(2).standard_normal(SHAPE), axis=1)
    verdict = diagnose({"alpha": draws}, stats_of(energy=energy))
    assert verdict.bfmi < 0.3
    assert not verdict.converged


def test_the_worst_chains_energy_counts(draws):
    energy = np.random.default_rng(2).standard_normal(SHAPE)
    energy[2] = np.cumsum(energy[2])
    assert not diagnose({"alpha": draws}, stats_of(energy=energy)).converged


def test_divergences_are_counted(draws):
    diverging = np.zeros(SHAPE, dtype=bool)
    diverging[0, 5:8] = diverging[3, 1] = True
    verdict = diagnose({"alpha": draws}, stats_of(diverging=diverging))
    assert verdict.divergences == 4
    assert not verdict.converged


def test_an_interrupted_fit_is_marked(draws):
    assert not diagnose({"alpha": draws}, stats_of(), interrupted=True).converged


@pytest.mark.parametrize(
    "stuck",
    [np.ones(SHAPE), np.repeat(np.arange(4.0)[:, None], 1000, axis=1)],
    ids=["all chains at one value", "each chain at its own"],
)
def test_chains_that_do_not_move_have_not_converged(draws, stuck):
    verdict = diagnose({"beta": draws, "alpha": stuck}, stats_of())
    assert not verdict.converged
    assert verdict.rhat_of == "alpha"


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_draw_that_is_no_number_does_not_pass(draws, bad):
    spoilt = draws.copy()
    spoilt[1, 17] = bad
    verdict = diagnose({"beta": draws, "alpha": spoilt}, stats_of())
    assert not verdict.converged
    assert verdict.rhat_of == "alpha"


@pytest.mark.parametrize("energy", [np.full(SHAPE, np.nan), np.ones(SHAPE)], ids=["nan", "constant"])
def test_energy_that_cannot_be_judged_does_not_pass(draws, energy):
    assert not diagnose({"alpha": draws}, stats_of(energy=energy)).converged


def test_one_chain_cannot_be_judged(draws):
    assert not diagnose({"alpha": draws[:1]}, stats_of((1, 1000))).converged
