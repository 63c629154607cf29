"""Where a response first reaches a level, against closed forms and a fine scan."""

from typing import Any

import numpy as np
import pytest
import xarray as xr

from bayescale.answers.crossing import Axis, first_crossing

RUNS = Axis(1e6, 1e9)


def draws(*values) -> Any:
    return xr.DataArray(np.array([values]), dims=("chain", "draw"))


def logs(x):
    return np.log(np.asarray(x))


def test_a_power_law_crosses_where_its_inverse_says():
    floor, place, alpha = draws(1.0, 1.5, 1.9), draws(1e5, 1e8, 1e12), draws(0.3, 0.05, 0.5)
    found, undefined = first_crossing(
        lambda x: floor + (place / x) ** alpha, xr.DataArray(2.0), RUNS, rises=False, monotone=True
    )
    expected = place * (2.0 - floor) ** (-1 / alpha)
    # To rounding in the log, which near 1e14 is some 1e-15 of 32.
    assert logs(found) == pytest.approx(logs(expected), rel=1e-12)
    assert not undefined.any()


def test_never_and_at_any_scale():
    """A floor at the level is never passed, by draws that come as close as rounding allows."""
    falling, _ = first_crossing(
        lambda x: draws(2.5, 2.0, 1.0, 1.9) + x**-0.5, xr.DataArray(2.0), RUNS, rises=False, monotone=True
    )
    assert falling.to_numpy()[0] == pytest.approx([np.inf, np.inf, 1.0, 100.0])
    rising, _ = first_crossing(
        lambda x: draws(0.6, 0.1, 0.3) + 0.4 / (1 + 1e6 / x), xr.DataArray(0.5), RUNS, rises=True, monotone=True
    )
    assert rising.to_numpy()[0] == pytest.approx([0.0, np.inf, 1e6])


@pytest.mark.parametrize("monotone", [True, False])
def test_both_ways_of_looking_agree_where_nothing_turns(monotone):
    slope = draws(0.2, 1.0, 5.0)
    found, _ = first_crossing(
        lambda x: 1 / (1 + (3e7 / x) ** slope),
        xr.DataArray([0.1, 0.9], dims="level"),
        RUNS,
        rises=True,
        monotone=monotone,
    )
    expected = 3e7 * xr.DataArray([1 / 9, 9.0], dims="level") ** (1 / slope)
    assert logs(found.transpose(*expected.dims)) == pytest.approx(logs(expected), rel=1e-12)


def bump(x):
    """Falls to 1.5 at 1e7, rises to 2.5 at 1e8, and falls for good: on log10 x, a cubic beyond 6."""
    u = np.log10(x)
    return 2.0 + 0.5 * np.cos(np.pi * (u - 6.0)) * (u < 8.5) - (u >= 8.5)


def test_of_several_crossings_the_first_beyond_the_smallest_run_is_taken():
    found, _ = first_crossing(lambda x: bump(x) + draws(0.0), xr.DataArray(1.8), RUNS, rises=False, monotone=False)
    u = np.linspace(6, 10, 4_000_001)
    scanned = u[np.flatnonzero(bump(10**u) <= 1.8)[0]]
    assert float(np.log10(found)[0, 0]) == pytest.approx(scanned, abs=2e-6)


def test_where_the_smallest_run_is_good_enough_its_stretch_is_followed_down():
    """Reached at 1e7, left at 1e6.5 going down, reached again at smaller scales: the stretch of the runs counts."""
    axis = Axis(1e7, 1e9)
    found, _ = first_crossing(lambda x: bump(x) + draws(0.0), xr.DataArray(2.0), axis, rises=False, monotone=False)
    assert float(np.log10(found)[0, 0]) == pytest.approx(6.5, abs=1e-9)


def test_an_axis_where_less_is_better():
    axis = Axis(2.0, 4.0, log=False, down=True, span=0.5)
    middle = draws(3.0, 1.0)

    def sigmoid(L) -> Any:
        return 1 / (1 + np.exp(3 * (L - middle)))

    found, _ = first_crossing(sigmoid, xr.DataArray(0.5), axis, rises=True, monotone=True)
    assert found.to_numpy()[0] == pytest.approx([3.0, 1.0], abs=1e-10)
    never, _ = first_crossing(lambda L: 0.4 + 0 * (L + middle), xr.DataArray(0.5), axis, rises=True, monotone=True)
    assert (never == -np.inf).all()
    always, _ = first_crossing(lambda L: 0.6 + 0 * (L + middle), xr.DataArray(0.5), axis, rises=True, monotone=True)
    assert (always == np.inf).all()


def test_no_number_is_not_enough_and_is_told():
    def response(x):
        return xr.where(x > 1e8, np.nan, 3.0 + draws(0.0) * x)

    found, undefined = first_crossing(response, xr.DataArray(2.0), RUNS, rises=False, monotone=True)
    assert (found == np.inf).all()
    assert undefined.all()
