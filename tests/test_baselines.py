"""Naive forecasts against textbook formulas and SciPy."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import bayescale as bs
from bayescale.answers.baselines import last_value, least_squares_law, log_log_line

SHAPE = (4, 500)


@pytest.fixture(scope="module")
def curve():
    """Nine points about a power law of C, and two larger ones."""
    rng = np.random.default_rng(5)
    C = np.logspace(17, 21, 11)
    runs = pd.DataFrame({"C": C, "L": 3.0 * (C / 1e19) ** -0.05 * np.exp(0.01 * rng.standard_normal(11))})
    return bs.Model("power:C", runs.iloc[:9].reset_index(drop=True)), runs.iloc[9:].reset_index(drop=True)


def test_the_line_is_scipys_with_the_prediction_interval_of_the_textbook(curve):
    model, held = curve
    x, y = np.log(model.runs["C"].to_numpy()), np.log(model.response)
    x_new, y_new = np.log(held["C"].to_numpy()), np.log(held["L"].to_numpy())
    line: Any = stats.linregress(x, y)
    n, freedom = len(x), len(x) - 2
    s2 = np.sum((y - line.intercept - line.slope * x) ** 2) / freedom
    scale = np.sqrt(s2 * (1 + 1 / n + (x_new - x.mean()) ** 2 / np.sum((x - x.mean()) ** 2)))
    centre = line.intercept + line.slope * x_new
    found = log_log_line(model, held, (4, 20_000))
    expected = stats.t.logpdf(y_new, freedom, centre, scale) - y_new  # density of L, not of log L
    np.testing.assert_allclose(found.log_density, expected, rtol=1e-6)
    log_draws: Any = np.log(found.draws)
    quantiles = log_draws.quantile([0.025, 0.5, 0.975], ("chain", "draw"))
    asked = [stats.t.ppf(q, freedom, centre, scale) for q in (0.025, 0.5, 0.975)]
    np.testing.assert_allclose(quantiles, asked, atol=0.05 * scale.max())  # 80,000 draws: Monte Carlo error 0.02 scales


def test_the_line_has_every_input_where_there_are_runs_enough():
    """Exact products of powers are foretold exactly, whatever the mixture of N and D."""
    rng = np.random.default_rng(2)
    N, D = 10 ** rng.uniform(7, 9, 12), 10 ** rng.uniform(9, 11, 12)
    runs = pd.DataFrame({"N": N, "D": D, "L": 50 * N**-0.05 * D**-0.08})
    model = bs.Model("chinchilla", runs.iloc[:8].reset_index(drop=True))
    held = runs.iloc[8:].reset_index(drop=True)
    np.testing.assert_allclose(log_log_line(model, held, SHAPE).draws.median(("chain", "draw")), held["L"], rtol=1e-6)


@pytest.mark.filterwarnings("ignore:There are only")  # the fewest a baseline takes, and one less
@pytest.mark.filterwarnings("ignore:Column 'D'")  # as little as that
def test_three_runs_make_a_line_in_cost_and_two_make_none():
    runs = pd.DataFrame({"N": [1e7, 1e8, 1e9, 1e10], "D": [1e9, 1e9, 2e9, 1e10]})
    runs["L"] = 40 * (6 * runs["N"] * runs["D"]) ** -0.06
    held = runs.iloc[3:].reset_index(drop=True)
    three = log_log_line(bs.Model("chinchilla", runs.iloc[:3]), held, SHAPE)
    np.testing.assert_allclose(three.draws.median(("chain", "draw")), held["L"], rtol=1e-6)
    assert np.isnan(log_log_line(bs.Model("chinchilla", runs.iloc[:2]), held, SHAPE).draws).all()


@pytest.mark.filterwarnings("ignore:Fewer than 5 runs")
def test_each_group_has_its_own_last_value_and_line():
    runs = pd.DataFrame({"C": np.tile(np.logspace(18, 21, 4), 2), "field": ["a"] * 4 + ["b"] * 4})
    runs["L"] = np.where(runs["field"] == "a", 3.0, 5.0) * (runs["C"] / 1e18) ** -0.1
    small = bs.Model("power:C", runs[runs["C"] < 1e21].reset_index(drop=True), pool="field")
    held = runs[runs["C"] >= 1e21].iloc[::-1].reset_index(drop=True)  # b before a
    assert last_value(small, held, SHAPE).draws[0, 0].to_numpy() == pytest.approx([5.0 * 0.01**0.1, 3.0 * 0.01**0.1])
    line = log_log_line(small, held, SHAPE).draws.median(("chain", "draw"))
    np.testing.assert_allclose(line, held["L"], rtol=1e-6)


def test_least_squares_finds_the_law_that_made_the_runs(grid_runs):
    small = grid_runs[grid_runs["N"] * grid_runs["D"] < 1e19].reset_index(drop=True)
    large = grid_runs[grid_runs["N"] * grid_runs["D"] >= 1e19].reset_index(drop=True)
    found = least_squares_law(bs.Model("chinchilla", small), large, SHAPE)
    np.testing.assert_allclose(found.draws[0, 0], large["L"], rtol=1e-5)
    assert not found.spread
    assert np.isnan(found.log_density).all()
