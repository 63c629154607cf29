"""Scores against closed forms: a normal forecast, a point, and intervals by hand."""

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from bayescale.answers.scores import central, crps, interval_score, score


def quantiles_of(distribution, n=4000):
    """Draws that are a distribution's quantiles, so that averages have no Monte Carlo error."""
    values = distribution.ppf((np.arange(n) + 0.5) / n)
    return xr.DataArray(values.reshape(4, -1), dims=("chain", "draw"))


@pytest.mark.parametrize("measured", [-3.0, 0.0, 0.4, 5.0])
def test_crps_of_a_normal_is_its_closed_form(measured):
    """Gneiting & Raftery (2007), section 4.2."""
    mean, sd = 0.3, 1.7
    z = (measured - mean) / sd
    expected = sd * (z * (2 * stats.norm.cdf(z) - 1) + 2 * stats.norm.pdf(z) - 1 / np.sqrt(np.pi))
    found = crps(quantiles_of(stats.norm(mean, sd)), xr.DataArray(measured))
    assert float(found) == pytest.approx(expected, abs=2e-3)  # 4000 quantiles end at 3.7 standard deviations


def test_crps_is_the_brute_force_over_all_pairs():
    rng = np.random.default_rng(3)
    draws, measured = rng.standard_normal((2, 15, 3)), np.array([0.1, -2.0, 4.0])
    flat = draws.reshape(30, 3)
    pairs = np.abs(flat[:, None] - flat[None]).mean(axis=(0, 1))
    expected = np.abs(flat - measured).mean(axis=0) - pairs / 2
    found = crps(xr.DataArray(draws, dims=("chain", "draw", "run")), xr.DataArray(measured, dims="run"))
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_crps_of_a_point_is_its_absolute_error():
    draws = xr.DataArray(np.full((4, 50), 2.5), dims=("chain", "draw"))
    assert float(crps(draws, xr.DataArray(1.2))) == pytest.approx(1.3)


def test_crps_with_a_draw_at_infinity_is_infinite_and_never_nan():
    draws = xr.DataArray([[0.0, 1.0], [2.0, np.inf]], dims=("chain", "draw"))
    assert float(crps(draws, xr.DataArray(1.2))) == np.inf


def test_interval_score_by_hand():
    """Inside it is the width; 0.3 outside a 90 % interval costs 2 / 0.1 times 0.3 more."""
    assert interval_score(1.0, 2.0, 1.5, 0.9) == pytest.approx(1.0)
    assert interval_score(1.0, 2.0, 0.7, 0.9) == pytest.approx(1.0 + 20 * 0.3)
    assert interval_score(1.0, 2.0, 2.3, 0.9) == pytest.approx(1.0 + 20 * 0.3)


def test_central_interval_of_draws_that_may_be_infinite():
    values = np.concatenate([np.arange(1.0, 91.0), np.full(10, np.inf)]).reshape(4, 25)
    low, high = central(xr.DataArray(values, dims=("chain", "draw")), 0.9)
    assert float(low) == 5.0  # the fifth smallest of a hundred
    assert np.isinf(high)


def test_a_draw_that_rounds_to_zero_costs_infinity_in_logs_and_no_warning():
    """The t distribution of a line through three points has such tails; errors and the interval stay what they are."""
    draws = xr.DataArray([[[[0.0]], [[1.0]]], [[[1.0]], [[2.0]]]], dims=("chain", "draw", "forecaster", "run"))
    answer = xr.Dataset(
        {
            "L": ("run", [1.5]),
            "L_run": draws,
            "log_density": (("forecaster", "run"), [[-3.0]]),
            "spread": ("forecaster", [True]),
        },
        attrs={"response": "L", "on_log": 1},
    )
    found = score(answer).squeeze()
    assert float(found["crps"]) == np.inf
    assert float(found["error"]) == -0.5
    assert float(found["width"].sel(level=0.5)) == 1.0
