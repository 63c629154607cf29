"""Draws without a Markov chain: from the mode of a posterior, by adaptive importance sampling.

A heavy-tailed proposal at the mode is weighed against the posterior, moved and reshaped by the weighted points, and
weighed again with all points so far [1]_. Pareto-smoothed weights [2]_ judge themselves: where their tail is too heavy
(k-hat), or no clear mode is found, the points are refused and a Markov chain is the way.

References
----------
.. [1] Cornuet, Marin, Mira & Robert (2012), Scandinavian Journal of Statistics 39, 798-812.
.. [2] Vehtari, Simpson, Gelman, Yao & Gabry (2024), Journal of Machine Learning Research 25(72).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from bayescale.diagnostics import MAX_PARETO_K
from bayescale.modes import LogDensity, Mode, find_modes

ROUNDS, SIZE = 8, 1000  # at most so many proposals, each of so many points
TAILS = 5.0  # degrees of freedom of the proposals
GOOD_K, ENOUGH = 0.5, 1500.0  # k-hat and effective points with which no further round is needed
HOPELESS_K = 1.0  # after half of the rounds
UPHILL = 0.05  # posterior standard deviations that a Newton step from the mode may still go


class RefusedError(Exception):
    """The fast path does not serve; the message says why."""


@dataclass(frozen=True)
class Weighted:
    """Points that stand for a posterior by their weights.

    Parameters
    ----------
    points : ndarray
        In the sampler's coordinates, shape (point, dimension).
    weights : ndarray
        Pareto-smoothed, sum 1, shape (point,).
    pareto_k : float
        Shape of their tail; below 0.7 they can be relied on.
    rounds : int
        Proposals that were needed.
    """

    points: np.ndarray
    weights: np.ndarray
    pareto_k: float
    rounds: int

    @property
    def effective(self) -> float:
        """Independent draws that are worth as much, of a typical quantity (Kish)."""
        return float(1 / np.sum(self.weights**2))

    def resample(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Equally weighted draws, shape (count, dimension), in random order; points of much weight come repeatedly."""
        edges = np.cumsum(self.weights)
        places = (np.arange(count) + rng.random()) / count * edges[-1]
        chosen = np.minimum(np.searchsorted(edges, places), len(edges) - 1)
        return self.points[rng.permutation(chosen)]


def weigh(
    logp: LogDensity,
    starts: list[np.ndarray],
    rng: np.random.Generator,
    values: Callable[[np.ndarray], np.ndarray] | None = None,
) -> Weighted:
    """Find the mode and weigh points around it.

    Parameters
    ----------
    logp : callable
        Log density, unnormalised, and its gradient.
    starts : list of ndarray
        From where the mode is looked for; all must lead to one.
    rng : Generator
        For the points.
    values : callable, optional
        Log densities of the rows of a matrix, where that is faster than one by one.

    Raises
    ------
    RefusedError
        No mode, several modes, a spread that is flat in some direction, or weights with a k-hat of 0.7 or more.
    """
    from scipy.special import logsumexp

    mode = _only_mode(logp, starts)
    centre, spread, proposals = mode.x, mode.covariance, []
    points, log_density = np.empty((0, centre.size)), np.empty(0)
    for done in range(1, ROUNDS + 1):
        proposals.append(_proposal(centre, spread))
        new = proposals[-1].rvs(SIZE, random_state=rng).reshape(SIZE, -1)
        points = np.concatenate([points, new])
        log_density = np.concatenate([log_density, values(new) if values else [logp(x)[0] for x in new]])
        log_mixture = logsumexp([proposal.logpdf(points) for proposal in proposals], axis=0) - np.log(done)
        found = Weighted(points, *_smoothed(log_density - log_mixture), done)
        if found.pareto_k < GOOD_K and found.effective > ENOUGH:
            return found
        if 2 * done >= ROUNDS and not found.pareto_k < HOPELESS_K:
            break
        centre, spread = _moments(found, spread)
    if not found.pareto_k < MAX_PARETO_K:
        raise RefusedError(f"Pareto k-hat {found.pareto_k:.2f} is not below {MAX_PARETO_K}")
    return found


def _proposal(centre: np.ndarray, spread: np.ndarray) -> Any:
    """A Student-t distribution about a centre, refused where its spread is flat in some direction."""
    from scipy import stats

    student: Any = stats.multivariate_t  # its hints ask for a whole number where any will do
    try:
        return student(centre, spread, df=TAILS)
    except np.linalg.LinAlgError as error:
        raise RefusedError("the posterior is many orders narrower in one direction than in another") from error


def _only_mode(logp: LogDensity, starts: list[np.ndarray]) -> Mode:
    with np.errstate(all="ignore"):  # far from the runs a law may overflow; such a climb is left
        modes = find_modes(logp, starts)
    if len(modes) != 1:
        raise RefusedError("no mode was found" if not modes else f"{len(modes)} modes were found")
    gradient = logp(modes[0].x)[1]
    step = float(np.sqrt(gradient @ modes[0].covariance @ gradient))
    if not step < UPHILL:
        raise RefusedError(f"the climb to the mode stopped {step:.2g} standard deviations short of it")
    return modes[0]


def _smoothed(log_weights: np.ndarray) -> tuple[np.ndarray, float]:
    """Weights of sum 1 and their k-hat."""
    from arviz_stats import base

    array_stats: Any = base.array_stats
    log_weights = np.where(np.isfinite(log_weights), log_weights, -np.inf)
    log_weights = np.maximum(log_weights, log_weights.max() - 700)
    smoothed, k = array_stats.psislw(-log_weights)  # takes the negative of the log weights
    weights = np.exp(smoothed - np.max(smoothed))
    return weights / weights.sum(), float(k)


def _moments(found: Weighted, before: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of the weighted points; few effective ones lean on the covariance before."""
    centre = found.weights @ found.points
    away = found.points - centre
    prior = 2 * centre.size
    own = (away.T * found.weights) @ away
    return centre, (found.effective * own + prior * before) / (found.effective + prior)
