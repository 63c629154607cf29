"""Where a response first reaches a level: a grid along the scale, then a root, for all draws at once."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

FARTHEST_SHIFTED = 1e6  # standard deviations of the runs
STEP = 0.1
MARGIN = 7.0
GROWTH = 1.2
HALVINGS = 100
CLOSE = 1e-12


@dataclass(frozen=True)
class Axis:
    """A scale as it is searched: its log, or itself in standard deviations of the runs, from worse to better.

    Parameters
    ----------
    low, high : float
        The range of the runs.
    log : bool
        Whether the scale is positive and its steps are alike on the log.
    down : bool
        Whether smaller is better, as for a loss.
    span : float
        Standard deviation of the runs, where the axis is not logarithmic.
    least, most : float
        What is searched, on the log axis.
    """

    low: float
    high: float
    log: bool = True
    down: bool = False
    span: float = 1.0
    least: float = 1e-300
    most: float = 1e300

    def place(self, x):
        """Coordinate of a scale; infinite at the ends."""
        with np.errstate(divide="ignore"):
            return np.log(x) if self.log else (-x if self.down else x) / self.span

    def scale(self, place):
        """Scale at a coordinate; nothing and infinity at the ends."""
        with np.errstate(over="ignore"):
            return np.exp(place) if self.log else (-place if self.down else place) * self.span

    @property
    def limits(self) -> tuple[float, float]:
        """Coordinates between which is searched."""
        if self.log:
            return float(np.log(self.least)), float(np.log(self.most))
        return self.centre - FARTHEST_SHIFTED, self.centre + FARTHEST_SHIFTED

    @property
    def centre(self) -> float:
        """Coordinate half-way between the ends of the runs."""
        return 0.5 * float(self.place(self.low) + self.place(self.high))

    def outward(self, first: float, growth: float) -> np.ndarray:
        """Distances that grow until they pass every limit."""
        widest = self.limits[1] - self.limits[0] + abs(self.centre)
        count = int(np.log(widest / first * (growth - 1) + 1) / np.log(growth)) + 2
        return first * (growth ** np.arange(1, count) - 1) / (growth - 1)

    def grid(self) -> np.ndarray:
        """Coordinates from the lowest up: fine near the runs, with steps that grow away from them."""
        half = 0.5 * abs(float(self.place(self.high) - self.place(self.low))) + MARGIN
        near = np.linspace(-half, half, int(np.ceil(2 * half / STEP)) + 1)
        outward = half + self.outward(STEP, GROWTH)
        places = self.centre + np.concatenate([-outward[::-1], near, outward])
        return np.unique(np.clip(places, *self.limits))


def first_crossing(
    response: Callable[[xr.DataArray], xr.DataArray],
    level: xr.DataArray,
    axis: Axis,
    *,
    rises: bool,
    monotone: bool,
) -> tuple[xr.DataArray, xr.DataArray]:
    """Find the scale at which a response first reaches a level.

    Parameters
    ----------
    response : callable
        From scales (a DataArray that broadcasts against the draws) to responses.
    level : DataArray
        Broadcasts against the responses.
    axis : Axis
        The scale, and where the runs lie on it.
    rises : bool
        Whether the level is reached from below.
    monotone : bool
        Whether the response never turns. If it may, the grid is fine near the runs, and a level that is reached and
        left again within one step of it (0.1 e-folds there, wider away from the runs) is missed.

    Returns
    -------
    crossing : DataArray
        The scale, exact to rounding in its log; ``inf`` (its limit, on an axis where smaller is better) where no scale
        is enough, and 0 (the other limit) where the level is already reached at the smallest.
    undefined : DataArray
        Whether the law gave no number at a place that had to be looked at; such a place counts as not reached.
    """

    sign = 1.0 if rises else -1.0

    def gap(place: xr.DataArray) -> xr.DataArray:
        with np.errstate(all="ignore"):
            return sign * (response(axis.scale(place)) - level)

    below, above, undefined = (_by_doubling if monotone else _by_grid)(gap, axis)
    inside = np.isfinite(below) & np.isfinite(above)
    anywhere = float(np.clip(axis.centre, *axis.limits))
    place = _root(gap, below.where(inside, anywhere), above.where(inside, anywhere))
    return axis.scale(xr.where(inside, place, above.where(above == np.inf, -np.inf))), undefined


def _by_grid(gap, axis: Axis) -> tuple[Any, Any, Any]:
    """Places between which the level is first reached on a grid from the lowest up; infinite where on no side."""
    grid = axis.grid()
    value = gap(xr.DataArray(grid[0]))
    found, undefined = value >= 0, value.isnull()
    below, above = xr.full_like(value, -np.inf), xr.where(found, grid[0], np.inf)
    for before, place in itertools.pairwise(grid):
        if bool(found.all()):
            break
        value = gap(xr.DataArray(place))
        fresh = (value >= 0) & ~found
        below, above = xr.where(fresh, before, below), xr.where(fresh, place, above)
        undefined, found = undefined | (value.isnull() & ~found), found | fresh
    return below, above, undefined


def _by_doubling(gap, axis: Axis) -> tuple[Any, Any, Any]:
    """The same for a response that never turns: from the runs upwards until it is reached, or down until it is not."""
    low, high = axis.limits
    start = float(np.clip(axis.centre, low, high))
    value = gap(xr.DataArray(start))
    first, undefined = value >= 0, value.isnull()
    below, above = xr.where(first, -np.inf, start), xr.where(first, start, np.inf)
    steps = axis.outward(1.0, 2.0)
    for place in np.unique(np.minimum(start + steps, high)):
        waiting = above == np.inf
        if not bool(waiting.any()):
            break
        value = gap(xr.DataArray(place))
        here = waiting & (value >= 0)
        above, below = xr.where(here, place, above), xr.where(waiting & ~here, place, below)
        undefined = undefined | (waiting & value.isnull())
    for place in np.unique(np.maximum(start - steps, low))[::-1]:
        waiting = below == -np.inf
        if not bool(waiting.any()):
            break
        value = gap(xr.DataArray(place))
        here = waiting & (value >= 0)
        above, below = xr.where(here, place, above), xr.where(waiting & ~here, place, below)
        undefined = undefined | (waiting & value.isnull())
    return below, above, undefined


def _root(gap, below: xr.DataArray, above: xr.DataArray) -> xr.DataArray:
    """Where a gap closes between two places, by Chandrupatla's method: inverse quadratic steps where safe, or halves."""
    x1, x2 = below, above
    f1, f2 = gap(x1), gap(x2)
    share: Any = xr.full_like(f1, 0.5)
    for _ in range(HALVINGS):
        if float(np.abs(x2 - x1).max()) <= CLOSE:
            break
        x = x1 + share * (x2 - x1)
        f = gap(x)
        same = (f >= 0) == (f1 >= 0)
        x3, f3 = xr.where(same, x1, x2), xr.where(same, f1, f2)
        x2, f2 = xr.where(same, x2, x1), xr.where(same, f2, f1)
        x1, f1 = x, f
        with np.errstate(all="ignore"):
            xi, phi = (x1 - x2) / (x3 - x2), (f1 - f2) / (f3 - f2)
            quadratic = f1 / (f2 - f1) * f3 / (f2 - f3) + (x3 - x1) / (x2 - x1) * f1 / (f3 - f1) * f2 / (f3 - f2)
            safe = (phi**2 < xi) & ((1 - phi) ** 2 < 1 - xi) & np.isfinite(quadratic)
            least = np.minimum(0.5 * CLOSE / np.abs(x2 - x1), 0.5)
        share = np.clip(xr.where(safe, quadratic, 0.5), least, 1 - least)
    return xr.where(f1 >= 0, x1, x2)
