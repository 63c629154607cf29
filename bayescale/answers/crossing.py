"""Where a response first reaches a level: a grid along the scale, then a root, for all draws at once."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from bayescale.search import crossing

FARTHEST_SHIFTED = 1e6  # standard deviations of the runs
STEP = 0.1
MARGIN = 7.0
GROWTH = 1.2
TOGETHER = 16


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

    def ladder(self, fine: bool) -> tuple[np.ndarray, np.ndarray]:
        """Coordinates that are looked at: from the start upwards, the start first, and from it downwards.

        Parameters
        ----------
        fine : bool
            For a response that may turn: from the smallest run, in steps of 0.1 to 7 beyond the largest, then growing
            by a fifth. Else from the middle of the runs, in steps that double.
        """
        low, high = self.limits
        if not fine:
            start = float(np.clip(self.centre, low, high))
            steps = _growing(1.0, 2.0, high - low)
            return np.unique(np.minimum(start + np.append(0.0, steps), high)), np.unique(
                np.maximum(start - steps, low)
            )[::-1]
        ends = sorted(float(np.clip(self.place(x), low, high)) for x in (self.low, self.high))
        near = np.linspace(0.0, ends[1] - ends[0] + MARGIN, int(np.ceil((ends[1] - ends[0] + MARGIN) / STEP)) + 1)
        far = near[-1] + _growing(STEP, GROWTH, high - low)
        back = np.append(near[1:][near[1:] <= MARGIN], MARGIN + _growing(STEP, GROWTH, high - low))
        up = np.unique(np.minimum(ends[0] + np.concatenate([near, far]), high))
        return up, np.unique(np.maximum(ends[0] - back, low))[::-1]


def _growing(first: float, growth: float, widest: float) -> np.ndarray:
    """Distances whose steps grow by a factor, until they pass the widest."""
    count = int(np.log(widest / first * (growth - 1) + 1) / np.log(growth)) + 2
    return first * (growth ** np.arange(1, count) - 1) / (growth - 1)


def first_crossing(
    response: Callable[[xr.DataArray], xr.DataArray],
    level: xr.DataArray,
    axis: Axis,
    *,
    rises: bool,
    monotone: bool,
) -> tuple[xr.DataArray, xr.DataArray]:
    """Find the scale at which a response first passes a level; what only comes close to it never does.

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
        Whether the response never turns. If it may, it is followed from the smallest run: up to where the level is
        first reached, or, where it is reached there already, down to where that stretch begins. A level that is
        reached and left again within one step (0.1 e-folds up to 7 beyond the runs, wider farther out) is missed.

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

    below, above, undefined = _bracket(gap, axis, monotone)
    inside = np.isfinite(below) & np.isfinite(above)
    anywhere = float(np.clip(axis.centre, *axis.limits))
    place = _root(gap, below.where(inside, anywhere), above.where(inside, anywhere))
    return axis.scale(xr.where(inside, place, above.where(above == np.inf, -np.inf))), undefined


def _bracket(gap, axis: Axis, monotone: bool) -> tuple[Any, Any, Any]:
    """Places between which the level is reached, infinite where on no side, and whether a value was missing.

    From one place upwards until the level is reached; where it is reached there, downwards until it is not.
    """
    up, down = axis.ladder(fine=not monotone)
    value = gap(xr.DataArray(up[0]))
    here, undefined = value > 0, value.isnull()
    below, above = xr.where(here, -np.inf, up[0]), xr.where(here, up[0], np.inf)
    together = 1 if monotone else TOGETHER  # steps of a fine ladder are cheap, those of a coarse one are few
    for places in (up[1:], down):
        for block in np.array_split(places, max(1, len(places) // together)):
            waiting = (below == -np.inf) if places is down else (above == np.inf)
            if not bool(waiting.any()):
                break
            values = gap(xr.DataArray(block, dims="step"))
            for k, place in enumerate(block):
                value = values.isel(step=k)
                waiting = (below == -np.inf) if places is down else (above == np.inf)
                undefined = undefined | (waiting & value.isnull())
                above = xr.where(waiting & (value > 0), place, above)
                below = xr.where(waiting & ~(value > 0), place, below)
    return below, above, undefined


def _root(gap, below: xr.DataArray, above: xr.DataArray) -> xr.DataArray:
    """Where a gap closes between two places; what is no number is not reached, and a gap of nothing is closed."""

    def missing(place: xr.Variable) -> xr.Variable:
        return -gap(xr.DataArray(place)).fillna(-np.inf).variable

    place = crossing(missing, below.variable, above.variable)
    return xr.where(place > -np.inf, place, below.variable)
