"""Posteriors with several modes: find them, tell which chains share one, and weigh them by their evidence.

A chain that starts in one mode of a broken power law stays there, and four such chains agree as if there were no other.
So modes are looked for from many starting points, every one of weight gets chains of its own, and where chains do not
mix their draws are combined by the modes' evidence.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

STARTS = 30
KEPT = 5  # modes that get chains
WORTH = 1e-3  # a mode whose approximate evidence is a smaller share of the best one's is left out
SAME = 0.5  # posterior standard deviations within which two optima are one mode
MIXED_RHAT = 1.1  # below it two chains are of one mode
MAX_ITERATIONS = 1500
_STUCK = 1e-12  # standard deviation given to a direction in which chains did not move
_LEAST_SHARE = 1e-8  # of a proposal's variance, that its narrowest direction has

LogDensity = Callable[[np.ndarray], tuple[float, np.ndarray]]


@dataclass(frozen=True)
class Mode:
    """A local optimum of the posterior density.

    Parameters
    ----------
    x : ndarray
        Where, in the sampler's coordinates.
    log_density : float
        The log density there.
    covariance : ndarray
        Inverse of the negative Hessian there.
    log_evidence : float
        Laplace's approximation of the log of the mode's probability mass, unnormalised.
    """

    x: np.ndarray
    log_density: float
    covariance: np.ndarray
    log_evidence: float


def find_modes(logp: LogDensity, starts: list[np.ndarray]) -> list[Mode]:
    """Climb from every start; return the distinct optima worth sampling, the heaviest first.

    Parameters
    ----------
    logp : callable
        Log density and its gradient.
    starts : list of ndarray
        Points in the sampler's coordinates.
    """
    found: list[Mode] = []
    for mode in sorted(filter(None, (_climb(logp, start) for start in starts)), key=lambda m: -m.log_density):
        if not any(_is_same(mode, known) for known in found):
            found.append(mode)
    found.sort(key=lambda m: -m.log_evidence)
    return [m for m in found if m.log_evidence > found[0].log_evidence + np.log(WORTH)][:KEPT]


def _climb(logp: LogDensity, start: np.ndarray) -> Mode | None:
    from scipy.optimize import minimize

    def downhill(x):
        value, gradient = logp(x)
        if not (np.isfinite(value) and np.isfinite(gradient).all()):
            return 1e12, np.zeros_like(x)
        return -value, -gradient

    result = minimize(
        downhill, start, jac=True, method="L-BFGS-B", options={"maxiter": MAX_ITERATIONS, "ftol": 1e-13, "gtol": 1e-6}
    )
    if not np.isfinite(result.fun) or result.fun >= 1e12:
        return None
    hessian = _hessian(logp, result.x)
    if not np.isfinite(hessian).all():
        return None
    # A direction without curvature is one of the prior, whose unconstrained spread is about 1.
    scales, axes = np.linalg.eigh(-hessian)
    scales = np.maximum(scales, 0.05)
    covariance = (axes / scales) @ axes.T
    log_evidence = -result.fun + 0.5 * start.size * np.log(2 * np.pi) - 0.5 * np.log(scales).sum()
    return Mode(result.x, float(-result.fun), covariance, float(log_evidence))


def _hessian(logp: LogDensity, x: np.ndarray) -> np.ndarray:
    step = 1e-4
    rows = [(logp(x + step * e)[1] - logp(x - step * e)[1]) / (2 * step) for e in np.eye(x.size)]
    hessian = np.stack(rows)
    return (hessian + hessian.T) / 2


def _is_same(a: Mode, b: Mode) -> bool:
    away = a.x - b.x
    distance = np.sqrt(away @ np.linalg.solve(b.covariance, away) / away.size)
    return bool(distance < SAME)


def group_chains(x: np.ndarray) -> list[list[int]]:
    """Sort chains into those that share a mode: pairs whose joint R-hat is low, and what they chain together.

    Parameters
    ----------
    x : ndarray
        Draws, shape (chain, draw, dimension).
    """
    from arviz_stats import base

    array_stats: Any = base.array_stats
    groups: list[list[int]] = []
    for chain in range(len(x)):
        mine = [
            group
            for group in groups
            if any(
                float(np.nanmax(array_stats.rhat(np.moveaxis(x[[chain, other]], 2, 0)))) < MIXED_RHAT for other in group
            )
        ]
        merged = sorted([chain, *(c for group in mine for c in group)])
        groups = [group for group in groups if group not in mine] + [merged]
    return groups


def log_evidence(logp: LogDensity, draws: np.ndarray, rng: np.random.Generator) -> tuple[float, float]:
    """Log of the probability mass of one mode, by bridge sampling from a heavy-tailed normal-like proposal [1]_.

    Parameters
    ----------
    logp : callable
        Log density, unnormalised, and its gradient.
    draws : ndarray
        Draws from the mode, shape (draw, dimension): half shape the proposal, half are weighed against it.
    rng : Generator
        For the proposal.

    Returns
    -------
    log_evidence, error : float
        And its approximate standard error, from the scatter of both samples' weights.

    References
    ----------
    .. [1] Meng & Wong (1996), Statistica Sinica 6, 831-860.
    """
    from scipy.special import logsumexp
    from scipy.stats import multivariate_t

    shaping, weighed = draws[::2], draws[1::2]
    centre, unit = shaping.mean(axis=0), np.maximum(shaping.std(axis=0), _STUCK)
    proposal = multivariate_t(np.zeros(centre.size), 0.8 * _positive_definite((shaping - centre) / unit), df=5)
    z = np.atleast_2d(proposal.rvs(size=len(weighed), random_state=rng)).reshape(len(weighed), centre.size)
    change = np.log(unit).sum()
    log_l1 = np.array([logp(x)[0] for x in weighed]) - proposal.logpdf((weighed - centre) / unit) + change
    log_l2 = np.array([_finite(logp(x)[0]) for x in centre + unit * z]) - proposal.logpdf(z) + change
    n1, n2 = len(log_l1), len(log_l2)
    log_r = float(np.median(log_l1))
    for _ in range(200):
        top = logsumexp(log_l2 - np.logaddexp(np.log(n1) + log_l2, np.log(n2) + log_r)) - np.log(n2)
        bottom = logsumexp(-np.logaddexp(np.log(n1) + log_l1, np.log(n2) + log_r)) - np.log(n1)
        new = float(top - bottom)
        if abs(new - log_r) < 1e-10:
            break
        log_r = new
    upper = np.exp(log_l2 - np.logaddexp(np.log(n1) + log_l2, np.log(n2) + log_r))
    lower = np.exp(-np.logaddexp(np.log(n1) + log_l1, np.log(n2) + log_r) + log_r)
    variance = upper.var() / upper.mean() ** 2 / n2 + lower.var() / lower.mean() ** 2 / n1
    return log_r, float(np.sqrt(variance))


def _positive_definite(z: np.ndarray) -> Any:
    """Covariance of draws, with something of every direction: chains that hardly moved leave some out."""
    values, vectors = np.linalg.eigh(np.atleast_2d(np.cov(z.T)))
    return (vectors * np.maximum(values, _LEAST_SHARE * max(1.0, values[-1]))) @ vectors.T


def _finite(value: float) -> float:
    return value if np.isfinite(value) else -np.inf
