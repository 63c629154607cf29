"""Simulated outcomes of runs, and what draws re-weighted by their likelihood then say: nested Monte Carlo."""

from dataclasses import dataclass

import numpy as np

ENOUGH = 50  # effective draws below which a re-weighted posterior is not to be trusted


@dataclass(frozen=True)
class Simulated:
    """What simulated outcomes of the first runs, of the first two, ... tell; arrays of shape (run,).

    Parameters
    ----------
    information : ndarray
        Of all runs up to this one, nats: mean over outcomes.
    error : ndarray
        Its Monte Carlo standard error.
    found : ndarray
        Expected probability of the group of draws that is right; NaN where no groups were asked about.
    effective : ndarray
        Median effective number of draws after re-weighting.
    """

    information: np.ndarray
    error: np.ndarray
    found: np.ndarray
    effective: np.ndarray

    @property
    def enough(self) -> np.ndarray:
        """Where enough draws are left to be trusted."""
        return self.effective >= ENOUGH


def reweigh(density: np.ndarray, own: np.ndarray, scores: np.ndarray, member: np.ndarray | None = None) -> Simulated:
    """Importance re-weighting of draws by the likelihood of simulated outcomes.

    Parameters
    ----------
    density : ndarray
        Log density of each outcome under each draw, shape (outcome, draw, run).
    own : ndarray
        The draw that made each outcome, which must not judge it, shape (outcome,).
    scores : ndarray
        Quantities, on a scale of normal margin, shape (draw, quantity).
    member : ndarray, optional
        The group of each draw, shape (draw,): information is then about the group, not about quantities.

    Returns
    -------
    Simulated
        Information about quantities is half the log of the ratio of variances, mean over quantities; about groups, the
        fall of their entropy.
    """
    log_weight = np.cumsum(density, axis=2)
    log_weight[np.arange(len(own)), own] = -np.inf
    weight = np.exp(log_weight - log_weight.max(axis=1, keepdims=True))
    weight /= weight.sum(axis=1, keepdims=True)
    found = np.full(density.shape[::2], np.nan)
    if member is None:
        told = _by_variance(weight, scores)
    else:
        groups = member[:, None] == np.unique(member)
        probability = np.einsum("osr,sg->org", weight, groups)
        prior = groups.mean(axis=0)
        told = _entropy(prior) - _entropy(probability)
        found = np.take_along_axis(probability, np.argmax(groups[own], axis=1)[:, None, None], axis=2)[..., 0]
    return Simulated(
        told.mean(axis=0),
        told.std(axis=0, ddof=1) / np.sqrt(len(told)),
        found.mean(axis=0),
        np.median(1 / np.sum(weight**2, axis=1), axis=0),
    )


def _by_variance(weight: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Half the log of prior over posterior variance, mean over quantities, shape (outcome, run)."""
    mean = np.einsum("osr,sq->orq", weight, scores)
    square = np.einsum("osr,sq->orq", weight, scores**2)
    after = np.maximum(square - mean**2, 1e-12 * scores.var(axis=0))
    return 0.5 * np.log(scores.var(axis=0) / after).mean(axis=2)


def _entropy(probability: np.ndarray) -> np.ndarray:
    from scipy.special import entr

    return entr(probability).sum(axis=-1)
