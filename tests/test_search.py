"""Searches along an axis, against closed forms and SciPy's searches of one function at a time."""

import numpy as np
import pytest
import xarray as xr
from scipy.optimize import brentq

from bayescale.search import crossing, minimise

LOW, HIGH = xr.Variable((), -5.0), xr.Variable((), 40.0)
CENTRES = xr.Variable("draw", np.linspace(-4.0, 39.0, 50))


def test_the_least_of_parabolas():
    found = minimise(lambda u: 3.0 + 0.01 * (u - CENTRES) ** 2, LOW, HIGH)
    # By comparing values alone, rounding would hide all within 1e-7 of the least.
    assert found.to_numpy() == pytest.approx(CENTRES.to_numpy(), abs=1e-9)


def test_the_least_of_a_sum_of_exponentials():
    found = minimise(lambda u: 2.0 + np.exp(-0.3 * (u - CENTRES)) + np.exp(0.2 * (u - CENTRES)), LOW, HIGH)
    closed = CENTRES.to_numpy() + np.log(0.3 / 0.2) / 0.5
    assert found.to_numpy() == pytest.approx(closed.clip(-5, 40), abs=1e-6)


def test_the_least_at_a_kink():
    found = minimise(lambda u: np.maximum(-0.5 * (u - CENTRES), 0.1 * (u - CENTRES)), LOW, HIGH)
    # Two grid steps, 2 * 45 / 47, shrunk 24 times by the golden section: 1.8e-5.
    assert found.to_numpy() == pytest.approx(CENTRES.to_numpy(), abs=1.8e-5)


def test_the_lower_of_two_basins():
    def value(u):
        return np.minimum((u - 3.0) ** 2, (u - CENTRES) ** 2 - 1.0)

    assert minimise(value, LOW, HIGH).to_numpy() == pytest.approx(CENTRES.to_numpy(), abs=1e-6)


@pytest.mark.parametrize(("slope", "end"), [(1.0, -5.0), (-1.0, 40.0)])
def test_the_least_at_an_end(slope, end):
    found = minimise(lambda u: slope * u + 0 * CENTRES, LOW, HIGH)
    assert found.to_numpy() == pytest.approx(np.full(50, end), abs=1e-12)  # the ends are looked at themselves


def test_places_that_are_not_allowed_are_passed_over():
    found = minimise(lambda u: ((u - 10.0) ** 2 + 0 * CENTRES).where(u >= CENTRES), LOW, HIGH)
    assert found.to_numpy() == pytest.approx(np.maximum(10.0, CENTRES.to_numpy()), abs=1.8e-5)
    assert np.isnan(minimise(lambda u: u + np.nan, LOW, HIGH).to_numpy())


def test_where_falling_functions_cross_zero():
    def value(u):
        return np.exp(-0.15 * (u - CENTRES)) - 0.3

    expected = [brentq(lambda u, c=c: np.exp(-0.15 * (u - c)) - 0.3, -5, 60, xtol=1e-12) for c in CENTRES.to_numpy()]
    assert crossing(value, LOW, xr.Variable((), 60.0)).to_numpy() == pytest.approx(np.array(expected), abs=1e-10)


def test_a_step_is_found_by_halving():
    found = crossing(lambda u: xr.where(u < CENTRES, 1.0, -1.0), LOW, HIGH)
    assert found.to_numpy() == pytest.approx(CENTRES.to_numpy(), abs=1e-11)


def test_what_is_crossed_before_never_or_not_known():
    level = xr.Variable("draw", [50.0, -10.0, np.nan, 7.0])
    found = crossing(lambda u: level - u, LOW, HIGH).to_numpy()
    assert found.tolist()[:2] == [np.inf, -np.inf]
    assert np.isnan(found[2])
    assert found[3] == pytest.approx(7.0)
