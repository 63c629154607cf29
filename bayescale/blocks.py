"""Each group's parameters in coordinates of their own: round and of unit size, as far as the group's runs say.

What a group's runs tell about its level, slope and floor goes together, and a mass matrix of hundreds of dimensions,
learnt on the way, can only be diagonal. So each group's block of the flat vector is turned by the curvature of the log
density near its runs' optimum. Any such map leaves the posterior what it is; a poor one only costs time.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bayescale.layout import layout, starting_point
from bayescale.model import MEAN, SPREAD, Model

LogDensity = Callable[[np.ndarray], tuple[float, np.ndarray]]

_STEP = 1e-4
_MAX_ITERATIONS = 300
_LEAST, _MOST = 1e-4, 1e4  # standard deviations that a map may give


@dataclass(frozen=True, eq=False)
class Blocks:
    """Linear maps of parts of a vector.

    Parameters
    ----------
    place : ndarray of int
        Which entries each block has, shape (block, entry).
    mix : ndarray
        The maps, shape (block, entry, entry).
    """

    place: np.ndarray
    mix: np.ndarray

    def turn(self, x: np.ndarray) -> np.ndarray:
        """Return ``x`` with every block mapped."""
        after = x.copy()
        if self.place.size:
            after[self.place] = np.einsum("bij,bj->bi", self.mix, x[self.place])
        return after

    def pull(self, gradient: np.ndarray) -> np.ndarray:
        """Return the gradient with respect to ``x`` from that with respect to what it is turned into."""
        before = gradient.copy()
        if self.place.size:
            before[self.place] = np.einsum("bij,bi->bj", self.mix, gradient[self.place])
        return before

    def undo(self, x: np.ndarray) -> np.ndarray:
        """Return the vector that the maps turn into ``x``."""
        before = x.copy()
        if self.place.size:
            before[self.place] = np.linalg.solve(self.mix, x[self.place][..., None])[..., 0]
        return before


NO_BLOCKS = Blocks(np.empty((0, 0), int), np.empty((0, 0, 0)))


def find_blocks(model: Model, logp: LogDensity) -> Blocks:
    """Find a map for each group: the root of the inverse curvature of the log density in that group's parameters.

    The curvature is taken where the log density is highest given the groups' means and spreads at their prior medians
    (over all, it is highest, and infinite, where a spread is zero).

    Parameters
    ----------
    model : Model
        A model with groups.
    logp : callable
        Its log density and gradient.
    """
    from scipy.optimize import minimize

    rows, fixed = _rows(model)
    place = np.stack(rows, axis=1)
    x = starting_point(model, None)
    free = np.setdiff1d(np.arange(x.size), fixed)

    def negative(part):
        x[free] = part
        value, gradient = logp(x)
        if not np.isfinite(value):
            return np.inf, np.zeros(free.size)
        return -value, -gradient[free]

    x[free] = minimize(negative, x[free].copy(), jac=True, method="L-BFGS-B", options={"maxiter": _MAX_ITERATIONS}).x
    curvature = np.empty((*place.shape, place.shape[1]))
    for i, row in enumerate(rows):  # groups do not touch each other: one step moves all of them
        step = np.zeros(x.size)
        step[row] = _STEP
        curvature[:, i] = -((logp(x + step)[1] - logp(x - step)[1]) / (2 * _STEP))[place]
    if not np.isfinite(curvature).all():
        return NO_BLOCKS
    values, vectors = np.linalg.eigh((curvature + curvature.transpose(0, 2, 1)) / 2)
    scale = np.clip(np.abs(values), _MOST**-2, _LEAST**-2) ** -0.5
    return Blocks(place, vectors * scale[:, None, :])


def _rows(model: Model) -> tuple[list[np.ndarray], np.ndarray]:
    """Entries of the flat vector that hold one parameter of every group, and those of the means and spreads."""
    rows: list[np.ndarray] = []
    fixed: list[np.ndarray] = []
    start, groups = 0, len(model.groups)
    for part in layout(model):
        entries = np.arange(start, start + part.size)
        start += part.size
        if part.name.endswith((MEAN, SPREAD)):
            fixed.append(entries)
        elif part.shape:
            rows.extend(entries.reshape(-1, groups))
    return rows, np.concatenate([*fixed, np.empty(0, int)])
