"""What all curves of a table share: ten numbers, their priors, and the process of the slope that they define."""

from typing import NamedTuple

import numpy as np


class Shared(NamedTuple):
    """Numbers shared by all curves; ``t`` is log x from the curve's first point, sd a standard deviation.

    The loss, relative to the scale of the table, is put on a bent scale ``z = (1 - loss**-flattening) / flattening`` on
    which it falls at the rate ``exp(u(t))``. On that scale a curve whose slope in log-log dies out like a power of the
    loss is straight. ``u`` is a Gaussian process: it starts anywhere, grows as a curve that leaves its plateau does,
    forgets that growth, and moves on as an integrated Ornstein-Uhlenbeck process. What is measured wanders about that
    path (Wiener process) and has independent errors, both on log loss.
    """

    noise: float
    wander: float
    slope: float
    slope_spread: float
    growth: float
    growth_spread: float
    memory: float
    restlessness: float
    flattening: float
    coupling: float


# Meaning, mean and standard deviation of the Normal prior, in the order of `Shared`. Chosen by hand on inner splits.
PRIORS = (
    ("log sd of a measurement, on log loss", -5.0, 1.5),
    ("log sd of the wander over a factor e of x, on log loss", -4.0, 1.5),
    ("log slope at the first point", -2.0, 2.0),
    ("log sd between curves of the log slope at the first point", 0.0, 1.0),
    ("growth of the log slope at the first point, by factor e of x", 1.0, 2.0),
    ("log sd between curves of that growth", -1.0, 1.0),
    ("log of how far a curve remembers its growth, in factors e of x", 0.7, 0.7),
    ("log sd of the growth that comes and goes", -1.0, 1.0),
    ("power of the loss with which the slope dies out", 1.5, 1.0),
    ("how much rougher the slope of a noisier curve is: power", 0.5, 0.5),
)
MEANS = np.array([mean for _, mean, _ in PRIORS])
SPREADS = np.array([sd for _, _, sd in PRIORS])
REACH = 4.0  # how many prior standard deviations a value may lie from the prior mean
# A negative flattening would have curves fall ever faster and reach zero at some point.
LOWEST = np.where(np.array(Shared._fields) == "flattening", 0.0, MEANS - REACH * SPREADS)
HIGHEST = MEANS + REACH * SPREADS

# Curves differ in how noisy they are: log of a factor on noise and wander, Normal(0, unevenness), one for each curve.
UNEVENNESS = -0.7, 0.5  # mean and sd of the Normal prior of log unevenness
ROUNDING = 1e-8


def bend(log_loss: np.ndarray, flattening: float) -> np.ndarray:
    """Put log loss on the bent scale; for ``flattening`` 0 it stays what it is."""
    return -np.expm1(-flattening * log_loss) / flattening if abs(flattening) > ROUNDING else log_loss


def unbend(z: np.ndarray, flattening: float) -> np.ndarray:
    """Log loss from the bent scale."""
    return -np.log1p(-flattening * z) / flattening if flattening > ROUNDING else z


def slope_mean(shared: Shared, t: np.ndarray) -> np.ndarray:
    """Prior mean of the log slope on the bent scale."""
    return shared.slope + shared.growth * _remembered(shared, t)


def slope_covariance(shared: Shared, t: np.ndarray, noisiness: float) -> np.ndarray:
    """Prior covariance of the log slope of a curve between the points ``t``, from 0 up.

    Growth is an Ornstein-Uhlenbeck process about 0, started at ``growth`` with ``growth_spread``; the log slope is its
    integral.
    """
    past = _remembered(shared, t)
    variance = np.exp(2 * (shared.restlessness + shared.coupling * noisiness))
    kept = np.exp(2 * shared.growth_spread) - variance
    return np.exp(2 * shared.slope_spread) + kept * np.outer(past, past) + variance * _integrated(shared, t)


def _remembered(shared: Shared, t: np.ndarray) -> np.ndarray:
    """Integral from 0 to ``t`` of ``exp(-s / memory)``."""
    memory = np.exp(shared.memory)
    return -memory * np.expm1(-t / memory)


def _integrated(shared: Shared, t: np.ndarray) -> np.ndarray:
    """Covariance of the integral from 0 of a stationary Ornstein-Uhlenbeck process of variance 1."""
    memory = np.exp(shared.memory)
    a, b = t[:, None], t[None, :]
    decays = np.exp(-a / memory) + np.exp(-b / memory) - 1 - np.exp(-np.abs(a - b) / memory)
    return 2 * memory * np.minimum(a, b) + memory**2 * decays
