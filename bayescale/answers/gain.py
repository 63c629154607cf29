"""How much runs would tell: normal algebra on draws, and the choice of runs that tell most for a budget.

Draws of a quantity and of the responses that candidate runs would have are taken for jointly normal. A run then takes
from the variance of the quantity what linear regression on its response, noise included, explains; the algebra is
exact, whatever the outcome of the run.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol, Self

import numpy as np

# A squared correlation of S independent draws is 1/S by chance alone, and up to 12/S among hundreds of candidates.
CHANCE = 12.0
NOTHING = 1e-6  # nats: a run that adds no more is not worth its cost
# How costs weigh in the choice of the next run: gain over cost, over its square root, and gain alone.
POWERS = (1.0, 0.5, 0.0)


class State(Protocol):
    """What is known of a quantity, and of the runs that could be made."""

    def gains(self) -> np.ndarray:
        """Information about the quantity that each candidate would add, nats, shape (candidate,)."""
        ...

    def observe(self, candidate: int) -> Self:
        """What would be known after that run."""
        ...


def normal_scores(draws: np.ndarray) -> np.ndarray:
    """Draws with a standard normal margin, by their ranks along the first axis.

    Information does not change with the scale a quantity is read on; its normal scores are the scale on which heavy
    tails do no harm. Constant columns become 0.
    """
    from scipy.special import ndtri
    from scipy.stats import rankdata

    return ndtri((rankdata(draws, axis=0) - 0.5) / len(draws))


def robust_normal(draws: np.ndarray) -> np.ndarray:
    """Draws of normal margin about 0 whose standard deviation is half the central 68 % range of the given ones."""
    low, high = np.quantile(draws, [0.15866, 0.84134], axis=0)
    return normal_scores(draws) * (high - low) / 2


@dataclass(frozen=True)
class Joint:
    """Quantities and responses of candidate runs, jointly normal.

    Parameters
    ----------
    variance : ndarray
        Of each quantity, shape (quantity,).
    cross : ndarray
        Covariance of quantities and responses, shape (quantity, candidate).
    response : ndarray
        Covariance of the responses, without noise, shape (candidate, candidate).
    noise : ndarray
        Variance of the noise of each run, shape (candidate,).
    least : float
        Squared correlations up to this are taken for chance.
    """

    variance: np.ndarray
    cross: np.ndarray
    response: np.ndarray
    noise: np.ndarray
    least: float = 0.0

    @classmethod
    def of_draws(cls, quantity: np.ndarray, response: np.ndarray, noise: np.ndarray) -> "Joint":
        """Moments of draws, shapes (draw, quantity) and (draw, candidate); noise variance as `Joint` has it."""
        q, m = normal_scores(quantity), robust_normal(response)
        n = len(q)
        return cls(q.var(axis=0), q.T @ m / n, m.T @ m / n, np.asarray(noise, dtype=float), CHANCE / n)

    def _explained(self) -> np.ndarray:
        """Share of each quantity's variance that each run would explain, shape (quantity, candidate)."""
        total = np.diagonal(self.response) + self.noise
        return np.clip(self.cross**2 / (self.variance[:, None] * total), 0.0, 1.0)

    def gains(self) -> np.ndarray:
        """Half the log of the ratio of variances before and after each run, mean over quantities, nats."""
        explained = self._explained()
        explained = np.where(explained > self.least, np.minimum(explained, 1 - 1e-12), 0.0)
        return -0.5 * np.log1p(-explained).mean(axis=0)

    def observe(self, candidate: int) -> "Joint":
        """Condition on the response of a run: a rank-one downdate. The run may be made again, with noise of its own."""
        total = self.response[candidate, candidate] + self.noise[candidate]
        to_quantity, to_response = self.cross[:, candidate], self.response[candidate]
        return replace(
            self,
            variance=self.variance * (1 - self._explained()[:, candidate]),
            cross=self.cross - np.outer(to_quantity, to_response) / total,
            response=self.response - np.outer(to_response, to_response) / total,
        )


@dataclass(frozen=True)
class Laws:
    """Which of several laws is right, each with normal responses; outcomes are simulated, their densities exact.

    Parameters
    ----------
    log_weight : ndarray
        Log probability of each law after each simulated sequence of outcomes, shape (outcome, law).
    mean : ndarray
        Expected responses, shape (outcome, law, candidate).
    response : ndarray
        Their covariance within each law, without noise, shape (law, candidate, candidate).
    noise : ndarray
        Variance of the noise, shape (law, candidate).
    true : ndarray
        The law that makes each sequence of outcomes, shape (outcome,).
    shocks : ndarray
        Standard normal numbers, shape (outcome, run), one for each run to come.
    """

    log_weight: np.ndarray
    mean: np.ndarray
    response: np.ndarray
    noise: np.ndarray
    true: np.ndarray
    shocks: np.ndarray

    @classmethod
    def of_draws(
        cls, member: np.ndarray, response: np.ndarray, log_noise: np.ndarray, outcomes: int, runs: int, rng
    ) -> "Laws":
        """Moments of the draws of each law; ``member`` says which law a draw is of, shape (draw,).

        ``response`` and ``log_noise``, the log of the noise's variance, have shape (draw, candidate).
        """
        labels = np.unique(member)
        weights = np.array([np.mean(member == k) for k in labels])
        parts = [response[member == k] for k in labels]
        centred = [robust_normal(part) for part in parts]
        true = np.repeat(np.arange(len(labels)), np.round(weights * outcomes).astype(int).clip(min=1))
        return cls(
            np.tile(np.log(weights), (len(true), 1)),
            np.tile(np.array([np.median(part, axis=0) for part in parts]), (len(true), 1, 1)),
            np.array([m.T @ m / len(m) for m in centred]),
            np.array([np.exp(log_noise[member == k].mean(axis=0)) for k in labels]),
            true,
            rng.standard_normal((len(true), runs)),
        )

    def _total(self) -> np.ndarray:
        """Variance of the outcomes under each law, shape (law, candidate)."""
        return np.diagonal(self.response, axis1=1, axis2=2) + self.noise

    def _outcomes(self) -> np.ndarray:
        """What each run would measure in each sequence, shape (outcome, candidate)."""
        at = np.arange(len(self.true))
        return self.mean[at, self.true] + np.sqrt(self._total())[self.true] * self.shocks[:, :1]

    def _weights_after(self) -> np.ndarray:
        """Log probability of each law after each run, shape (outcome, law, candidate)."""
        total = self._total()
        density = -0.5 * ((self._outcomes()[:, None] - self.mean) ** 2 / total + np.log(total))
        return _normalise(self.log_weight[:, :, None] + density)

    def gains(self) -> np.ndarray:
        """Expected fall of the entropy of the law, nats."""
        return np.mean(_entropy(self.log_weight)[:, None] - _entropy(self._weights_after()), axis=0)

    def observe(self, candidate: int) -> "Laws":
        """Let every simulated sequence make the run."""
        surprise = self._outcomes()[:, candidate][:, None] - self.mean[:, :, candidate]
        gain = self.response[:, candidate] / self._total()[:, candidate][:, None]
        return replace(
            self,
            log_weight=self._weights_after()[:, :, candidate],
            mean=self.mean + surprise[:, :, None] * gain,
            response=self.response - self.response[:, :, candidate, None] * gain[:, None, :],
            shocks=self.shocks[:, 1:],
        )

    @property
    def found(self) -> float:
        """Expected probability of the law that is right."""
        return float(np.mean(np.exp(self.log_weight[np.arange(len(self.true)), self.true])))


def _normalise(log_weight: np.ndarray) -> np.ndarray:
    """Make probabilities along axis 1 sum to 1."""
    from scipy.special import logsumexp

    return log_weight - logsumexp(log_weight, axis=1, keepdims=True)


def _entropy(log_weight: np.ndarray) -> np.ndarray:
    """Entropy along axis 1, nats."""
    return -np.sum(np.exp(log_weight) * log_weight, axis=1)


@dataclass(frozen=True)
class Plan[S: State]:
    """Runs in the order in which they are to be made.

    Parameters
    ----------
    runs : tuple of int
        Candidates.
    gains : tuple of float
        Information that each adds to those before it, nats.
    state : State
        What would be known after the last.
    power : float
        How cost weighed in the choice: `POWERS`.
    """

    runs: tuple[int, ...]
    gains: tuple[float, ...]
    state: S
    power: float

    @property
    def total(self) -> float:
        """Information of all runs together, nats."""
        return sum(self.gains)


def greedy[S: State](
    state: S, cost: np.ndarray, budget: float, most: int, power: float = 1.0, repeat: bool = False
) -> Plan[S]:
    """Choose runs one by one: each time the affordable one with the largest gain over cost to a power.

    Parameters
    ----------
    state : State
        What is known.
    cost : ndarray
        Of each candidate, shape (candidate,).
    budget : float
        For all runs together.
    most : int
        Runs at most.
    power : float
        0 looks at gains alone.
    repeat : bool
        Whether a candidate may be chosen again.
    """
    chosen, gained = [], []
    left, open_ = float(budget), np.ones(len(cost), dtype=bool)
    while len(chosen) < most:
        gains = np.where(open_ & (cost <= left), state.gains(), -np.inf)
        worth = gains / cost**power
        best = int(np.argmax(worth))
        if not gains[best] > NOTHING:
            break
        chosen.append(best)
        gained.append(float(gains[best]))
        state = state.observe(best)
        left -= float(cost[best])
        open_[best] = repeat
    return Plan(tuple(chosen), tuple(gained), state, power)


def best_plan[S: State](
    state: S, cost: np.ndarray, budget: float, most: int, repeat: bool = False, powers: Sequence[float] = POWERS
) -> Plan[S]:
    """Take of greedy plans that weigh cost differently the one with the most information.

    Gain over cost alone may fill the batch with cheap runs that leave the budget unspent, gain alone may spend it on
    one dear run. Where gains diminish and their number has no limit, the better of both has at least
    ``(1 - 1/e) / 2`` of the most information that the budget can buy [1]_.

    References
    ----------
    .. [1] Leskovec et al. (2007), Cost-effective outbreak detection in networks, KDD.
    """
    return max((greedy(state, cost, budget, most, power, repeat) for power in powers), key=lambda plan: plan.total)
