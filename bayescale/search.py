"""Searches along one axis for many draws at once: the least value of a function, and where it crosses zero.

Both work on xarray's Variables, which broadcast by the names of their dims and carry no coordinates: a search evaluates
its function a hundred times, and aligning coordinates would take longer than the function.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr

GOLDEN = (5**0.5 - 1) / 2
POINTS = 48
STEPS = 24  # of the golden section, which then has shrunk its interval by 1e-5
BISECTIONS = 100  # at most; interpolation needs a dozen
PRECISION = 1e-13  # on the axis searched
POLISH = 1e-3  # half width of the parabola, on the axis searched


def minimise(value: Callable[[Any], Any], low: xr.Variable, high: xr.Variable, points: int = POINTS) -> xr.Variable:
    """Find where a function is least on an interval, element by element.

    A grid finds the basin, so that a function with several is served; a golden section narrows it down; the vertex of a
    parabola through three points takes the last digits, which rounding hides from comparisons of values.

    Parameters
    ----------
    value : callable
        Takes places and gives values, of the same dims or with more; infinite or NaN where a place is not allowed.
    low, high : Variable
        Ends of the interval.
    points : int
        Of the grid.

    Returns
    -------
    Variable
        Places, with the dims of the values; NaN where no place has a finite value.
    """
    step = (high - low) / (points - 1)
    place, best = low, low * 0 + np.inf
    for k in range(points):
        tried = low + k * step if k < points - 1 else high
        place, best = _better(tried, value(tried), place, best)
    a, b = np.maximum(place - step, low), np.minimum(place + step, high)
    left, right = b - GOLDEN * (b - a), a + GOLDEN * (b - a)
    at_left, at_right = value(left), value(right)
    for _ in range(STEPS):
        goes_left: Any = at_left < at_right
        a, b = xr.where(goes_left, a, left), xr.where(goes_left, right, b)
        inner = xr.where(goes_left, b - GOLDEN * (b - a), a + GOLDEN * (b - a))
        at_inner = value(inner)
        left, right = xr.where(goes_left, inner, right), xr.where(goes_left, left, inner)
        at_left, at_right = xr.where(goes_left, at_inner, at_right), xr.where(goes_left, at_left, at_inner)
    place, best = _better(left, at_left, *_better(right, at_right, place, best))
    return _vertex(value, place, best, low, high).where(np.isfinite(best))


def _better(tried, found, place, best) -> tuple[Any, Any]:
    wins = found < best
    return xr.where(wins, tried, place), xr.where(wins, found, best)


def _vertex(value, place, best, low, high) -> xr.Variable:
    """Move to the vertex of the parabola about a place, where the three points have one and it is no worse."""
    inside = (place - POLISH >= low) & (place + POLISH <= high)
    before, after = value(place - POLISH), value(place + POLISH)
    bend = before - 2 * best + after
    shift = 0.5 * POLISH * (before - after) / bend.where(bend > 0)
    moved = xr.where(inside & (np.abs(shift) < POLISH), place + shift, place)
    # Values this close to the best differ by rounding; at a kink the vertex is truly worse.
    rounding = 8 * np.finfo(float).eps * np.abs(best)
    return xr.where(value(moved) <= best + rounding, moved, place)


def crossing(value: Callable[[Any], Any], low: xr.Variable, high: xr.Variable) -> xr.Variable:
    """Find where a falling function crosses zero on an interval, element by element.

    Parameters
    ----------
    value : callable
        Takes places and gives values, of the same dims or with more.
    low, high : Variable
        Ends of the interval.

    Returns
    -------
    Variable
        Places, with the dims of the values; ``-inf`` where the function is negative or zero at ``low`` already, ``inf``
        where it is positive still at ``high``, NaN where it is not finite at either.
    """
    at_low, at_high = value(low), value(high)
    a, b, f_a, f_b = high, low, at_high, at_low
    part: Any = 0.5  # of the way from a to b
    for _ in range(BISECTIONS):
        tried = a + part * (b - a)
        found = value(tried)
        same: Any = np.sign(found) == np.sign(f_a)
        c, f_c = xr.where(same, a, b), xr.where(same, f_a, f_b)
        b, f_b = xr.where(same, b, a), xr.where(same, f_b, f_a)
        a, f_a = tried, found
        least: Any = 0.5 * PRECISION / np.maximum(np.abs(b - a), PRECISION)
        if bool(np.all((least >= 0.5) | (f_a == 0) | (at_low <= 0) | ~(at_high <= 0))):
            break
        part = np.clip(_interpolated(a, b, c, f_a, f_b, f_c), least, 1 - least)
    place: Any = xr.where(at_low <= 0, -np.inf, xr.where(at_high > 0, np.inf, a))
    return place.where(np.isfinite(at_low) & np.isfinite(at_high))


def _interpolated(a, b, c, f_a, f_b, f_c):
    """Where between a and b the inverse parabola through three points is zero; half way where it is not to be trusted.

    Chandrupatla (1997), Advances in Engineering Software 28, 145-149.
    """
    # Points that coincide, or values that are infinite, give no number; half way is then the answer.
    with np.errstate(all="ignore"):
        xi, phi = (a - b) / (c - b), (f_a - f_b) / (f_c - f_b)
        trusted = (phi**2 < xi) & ((1 - phi) ** 2 < 1 - xi)
        at = f_a / (f_b - f_a) * f_c / (f_b - f_c) + (c - a) / (b - a) * f_a / (f_c - f_a) * f_b / (f_c - f_b)
        return xr.where(trusted & np.isfinite(at), at, 0.5)
