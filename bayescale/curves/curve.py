"""One curve given what all share: a Gaussian approximation of the path of its slope, and paths beyond its points."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve, solve_triangular

from bayescale.curves.shared import ROUNDING, Shared, bend, slope_covariance, slope_mean, unbend

STEP = 0.1  # of the grid on which the slope stands, in factors e of x
SPARE = 8  # how many times as many slopes are drawn as are kept
LEAST, AHEAD = 8, 8  # steps of the grid: at least inside the points, and beyond them
ENOUGH = 1e-4  # gain in log density at which the climb ends
STEEPEST = 30.0  # log slope is cut here while climbing, so that no bad step overflows
ANYWHERE = 10.0  # sd of the level at the first point, on log loss
LEAST_NOISE = 1e-5  # sd of a measurement below which covariances would not invert, on log loss


@dataclass(frozen=True, eq=False)
class Curve:
    """Points of one curve.

    Parameters
    ----------
    t : ndarray
        Log x from the first point, ascending.
    log_loss : ndarray
        Log of the loss relative to the table's scale.
    grid : ndarray
        Where the slope stands, from 0 to the last point.
    weights : ndarray
        Dims (point, grid): the integral of a function on the grid from 0 to each point.
    """

    t: np.ndarray
    log_loss: np.ndarray
    grid: np.ndarray
    weights: np.ndarray

    @classmethod
    def of(cls, x: np.ndarray, loss: np.ndarray) -> "Curve":
        """Curve through points with ascending x."""
        t = np.log(x / x[0])
        grid = np.linspace(0.0, t[-1], max(LEAST, int(np.ceil(t[-1] / STEP))) + 1)
        return cls(t, np.log(loss), grid, integrals(grid, t))


@dataclass(frozen=True, eq=False)
class Approximation:
    """Gaussian approximation (Laplace, Gauss-Newton) of one curve's slope given all that is shared.

    Parameters
    ----------
    evidence : float
        Log density of the log losses, up to a constant.
    slope : ndarray
        Most probable log slope on the grid.
    jacobian, factor, residual : ndarray
        Of the linearised curve: its derivative by the slope, Cholesky factor of the covariance of the points, and their
        whitened distance from the prior mean.
    z, steepness : ndarray
        Points on the bent scale, and its derivative by log loss there.
    clock : ndarray
        Variance of the wander at each point, per ``sd_wander**2``.
    scatter : ndarray
        Covariance of the points about the path.
    sd_wander, sd_noise : float
        Of this curve.
    """

    evidence: float
    slope: np.ndarray
    jacobian: np.ndarray
    factor: np.ndarray
    residual: np.ndarray
    z: np.ndarray
    steepness: np.ndarray
    clock: np.ndarray
    scatter: np.ndarray
    sd_wander: float
    sd_noise: float

    def moments(self) -> tuple[np.ndarray, np.ndarray]:
        """How far the points lie from the mean fall since the first one, linearised, and its covariance; on log loss.

        The level itself is left out: it may be anywhere, and what follows from where it is would pass for knowledge.
        """
        after = self.steepness[1:]
        distance = self.factor @ self.residual
        rows = self.factor[1:] - self.factor[0]
        return (distance[1:] - distance[0]) / after, rows @ rows.T / np.outer(after, after)


def integrals(grid: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Weights that integrate a piecewise linear function on a grid from its first point to each ``t`` inside."""
    cells = np.clip(np.searchsorted(grid, t, side="right") - 1, 0, len(grid) - 2)
    widths = np.diff(grid)
    weights = np.zeros((len(t), len(grid)))
    for row, x, k in zip(weights, t, cells, strict=True):
        row[:k] += widths[:k] / 2
        row[1 : k + 1] += widths[:k] / 2
        part = x - grid[k]
        share = part / widths[k]
        row[k] += part * (1 - share / 2)
        row[k + 1] += part * share / 2
    return weights


def approximate(
    curve: Curve, shared: Shared, noisiness: float, start: np.ndarray | None = None, most: int = 15
) -> Approximation:
    """Climb to the most probable slope, and take the Gaussian there.

    Parameters
    ----------
    curve : Curve
        Points.
    shared : Shared
        What all curves share.
    noisiness : float
        Log of this curve's factor on noise and wander.
    start : ndarray, optional
        Log slope to climb from.
    most : int
        Steps at most.
    """
    z, steepness = bend(curve.log_loss, shared.flattening), np.exp(-shared.flattening * curve.log_loss)
    squares = steepness**2
    clock = np.concatenate([[0.0], np.cumsum(np.diff(curve.t) * (squares[1:] + squares[:-1]) / 2)])
    sd_wander, sd_noise = np.exp(shared.wander + noisiness), np.exp(shared.noise + noisiness)
    scatter = sd_wander**2 * np.minimum.outer(clock, clock) + (ANYWHERE * steepness[0]) ** 2
    scatter[np.diag_indices_from(scatter)] += (sd_noise**2 + LEAST_NOISE**2) * squares
    mean = slope_mean(shared, curve.grid)
    prior = slope_covariance(shared, curve.grid, noisiness) + ROUNDING * np.eye(len(mean))
    # The level at the first point is unknown; what is left of z is the fall.
    fall = z - z[0]
    slope = _climb(curve, fall, scatter, mean, prior, np.minimum(mean, 1.0) if start is None else start, most)
    rate = np.exp(np.minimum(slope, STEEPEST))
    jacobian = -curve.weights * rate
    factor = np.linalg.cholesky(jacobian @ prior @ jacobian.T + scatter)
    ahead = fall + curve.weights @ rate - jacobian @ (mean - slope)
    residual = solve_triangular(factor, ahead, lower=True)
    evidence = -residual @ residual / 2 - np.log(np.diag(factor)).sum() + np.log(steepness).sum()
    return Approximation(
        float(evidence), slope, jacobian, factor, residual, fall, steepness, clock, scatter, sd_wander, sd_noise
    )


def _climb(curve, fall, scatter, mean, prior, slope, most) -> np.ndarray:
    """Gauss-Newton with halved steps, from a start to the mode."""
    of_scatter, of_prior = cho_factor(scatter, check_finite=False), cho_factor(prior, check_finite=False)

    def height(u):
        left = fall + curve.weights @ np.exp(np.minimum(u, STEEPEST))
        off = left @ cho_solve(of_scatter, left, check_finite=False)
        return -(off + (u - mean) @ cho_solve(of_prior, u - mean, check_finite=False)) / 2

    here = height(slope)
    for _ in range(most):
        rate = np.exp(np.minimum(slope, STEEPEST))
        jacobian = -curve.weights * rate
        cross = prior @ jacobian.T
        left = fall + curve.weights @ rate + jacobian @ (slope - mean)
        step = mean + cross @ np.linalg.solve(jacobian @ cross + scatter, left) - slope
        size = min(1.0, 2.0 / max(np.abs(step).max(), ROUNDING))
        while (there := height(slope + size * step)) < here - ROUNDING and size > 1e-3:
            size /= 2
        slope = slope + size * step
        gain, here = there - here, there
        if gain < ENOUGH and size == 1.0:
            break
    return slope


@dataclass(frozen=True, eq=False)
class Beyond:
    """Draws of a curve beyond its points, on log loss relative to the table's scale; dims (draw, point).

    Given a draw, the level at a point is Normal about ``path``, its variance the sum of ``last`` (of the last point's
    own level, one error for all points) and ``wander`` (of the wander since then); a measurement adds ``noise``.
    """

    path: np.ndarray
    last: np.ndarray
    wander: np.ndarray
    noise: float


def go_on(
    curve: Curve, found: Approximation, shared: Shared, noisiness: float, t: np.ndarray, draws: int, rng
) -> Beyond:
    """Draw slopes given the points, and follow them to ``t`` (log x from the first point; not before the last).

    Several times as many slopes are drawn from the Gaussian approximation; of those, ``draws`` are kept with
    probability in proportion to the density of the points about the path itself over that about its linearisation.
    """
    end = curve.t[-1]
    ahead = np.linspace(end, max(t.max(), end + STEP), AHEAD)[1:]
    grid, inside = np.concatenate([curve.grid, ahead]), len(curve.grid)
    slopes = _draw_slopes(grid, inside, found, shared, noisiness, SPARE * draws, rng)
    rates = np.exp(np.minimum(slopes, STEEPEST))
    left = found.z + rates[:, :inside] @ curve.weights.T
    linear = found.z + curve.weights @ np.exp(found.slope) - (slopes[:, :inside] - found.slope) @ found.jacobian.T
    scatter = cho_factor(found.scatter)
    chances = _softmax((_squares(scatter, linear) - _squares(scatter, left)) / 2)
    kept = np.searchsorted(np.cumsum(chances), (np.arange(draws) + rng.random()) / draws).clip(max=len(chances) - 1)
    rates, left = rates[kept], left[kept]
    since = integrals(grid, t) - integrals(grid, np.array([end]))
    fall = (rates[:, :inside] @ curve.weights[-1])[:, None] + rates @ since.T
    lead = found.sd_wander**2 * found.clock + (ANYWHERE * found.steepness[0]) ** 2
    pull = cho_solve(scatter, lead)
    start = bend(curve.log_loss[:1], shared.flattening)
    log_loss = unbend(start + (left @ pull)[:, None] - fall, shared.flattening)
    steepness = np.exp(-shared.flattening * log_loss)
    last = max(float(lead[-1] - pull @ lead), 0.0)
    between = found.sd_wander**2 * (t - end) * (steepness**2 + found.steepness[-1] ** 2) / 2
    return Beyond(log_loss, last / steepness**2, between / steepness**2, found.sd_noise)


def _squares(factor, rows: np.ndarray) -> np.ndarray:
    """Squared length of each row, whitened."""
    return np.einsum("ij,ji->i", rows, cho_solve(factor, rows.T))


def _softmax(logs: np.ndarray) -> np.ndarray:
    chances = np.exp(logs - logs.max())
    return chances / chances.sum()


def _draw_slopes(grid, inside, found, shared, noisiness, draws, rng) -> np.ndarray:
    """Draw log slopes on the grid and beyond it, given the points."""
    prior = slope_covariance(shared, grid, noisiness) + ROUNDING * np.eye(len(grid))
    white = solve_triangular(found.factor, found.jacobian @ prior[:inside], lower=True)
    mean = slope_mean(shared, grid) + white.T @ found.residual
    values, vectors = np.linalg.eigh(prior - white.T @ white)
    return mean + rng.standard_normal((draws, len(grid))) * np.sqrt(np.maximum(values, 0.0)) @ vectors.T
