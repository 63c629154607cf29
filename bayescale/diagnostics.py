"""Have the chains converged, can the weights be relied on? If not: why, and what to do about it."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

MAX_RHAT = 1.01
MIN_ESS = 400.0
MIN_BFMI = 0.3
MAX_MODES_ERROR = 0.3
MAX_DIVERGENT = 1e-4  # none in the 4,000 draws of a first try
MAX_PARETO_K = 0.7


@dataclass(frozen=True)
class Diagnostics:
    """Convergence of one fit.

    Draws that come from no chain, but from weighted points (`importance`), have no R-hat and no energy: those are NaN
    and are not asked for.

    Parameters
    ----------
    rhat : float
        Largest rank-normalised split R-hat over all sampled values.
    rhat_of : str
        The value that has it.
    ess_bulk, ess_tail : float
        Smallest bulk and tail effective sample size.
    ess_of : str
        The value with the smallest of both.
    divergences : int
        Divergent transitions after tuning.
    bfmi : float
        Smallest energy fraction of missing information of any chain.
    interrupted : bool
        Whether sampling was stopped before its end.
    modes : tuple of float
        Weights of separate modes, heaviest first, where the chains found several; R-hat and the others are then the
        worst within a mode.
    modes_error : float
        Standard error of the log of those weights.
    draws : int
        How many draws were judged, of all chains.
    pareto_k : float, optional
        Shape of the tail of the weights, where the draws were weighed; effective sample sizes are then of the weights.
    """

    rhat: float
    rhat_of: str
    ess_bulk: float
    ess_tail: float
    ess_of: str
    divergences: int
    bfmi: float
    interrupted: bool = False
    modes: tuple[float, ...] = ()
    modes_error: float = 0.0
    draws: int = 0
    pareto_k: float | None = None

    def __post_init__(self):
        object.__setattr__(self, "modes", tuple(self.modes))  # a saved posterior gives a list
        numbers = (self.rhat, self.ess_bulk, self.ess_tail, self.divergences, self.bfmi, self.modes_error, self.draws)
        if not all(isinstance(x, int | float) for x in (*numbers, *self.modes)):
            raise TypeError("diagnostics must be numbers")

    @property
    def converged(self) -> bool:
        """Whether every check is passed: R-hat, effective sample sizes, divergences, energy, no interruption."""
        return not self.problems

    @property
    def problems(self) -> list[str]:
        """What is wrong, with the remedy; empty if nothing is."""
        return self._problems_of_weights() if self.pareto_k is not None else self._problems_of_chains()

    def _problems_of_weights(self) -> list[str]:
        found = []
        assert self.pareto_k is not None
        if not self.pareto_k < MAX_PARETO_K:
            found.append(f"Pareto k-hat {self.pareto_k:.2f} is not below {MAX_PARETO_K}: a few points weigh too much")
        fewest = float(np.minimum(self.ess_bulk, self.ess_tail))
        if not fewest >= MIN_ESS:
            found.append(f"only {fewest:.0f} effective draws of {self.ess_of}, {MIN_ESS:.0f} are needed")
        return [f"{said}; fit with method='nuts'" for said in found]

    def _problems_of_chains(self) -> list[str]:
        found = []
        if self.interrupted:
            found.append("sampling was interrupted and these are the draws until then; fit again without stopping")
        if not self.rhat <= MAX_RHAT:
            found.append(
                f"R-hat of {self.rhat_of} is {self.rhat:.3f}, above {MAX_RHAT}: chains disagree; "
                "raise tune= (--tune), or look for a law with fewer parameters or tighter priors"
            )
        fewest = float(np.minimum(self.ess_bulk, self.ess_tail))  # NaN if either is
        if not fewest >= MIN_ESS:
            found.append(
                f"only {fewest:.0f} effective draws of {self.ess_of}, {MIN_ESS:.0f} are needed: raise draws= (--draws)"
            )
        if self.divergences > MAX_DIVERGENT * self.draws:
            found.append(
                f"{self.divergences} divergent transitions: part of the posterior may be missed; "
                "raise target_accept= (--target-accept) towards 0.99, or tighten the priors of what runs cannot tell"
            )
        if not self.bfmi >= MIN_BFMI:
            found.append(
                f"low energy fraction {self.bfmi:.2f}, below {MIN_BFMI}: heavy tails are explored slowly; "
                "raise tune= (--tune)"
            )
        if not self.modes_error <= MAX_MODES_ERROR:
            found.append(
                f"the weights of {len(self.modes)} modes are known only within a factor of "
                f"{math.exp(self.modes_error):.1f}: raise draws= (--draws), or fit a law with fewer breaks"
            )
        return found

    def __str__(self):
        ess = f"ESS bulk {self.ess_bulk:.0f}, tail {self.ess_tail:.0f}"
        if self.pareto_k is not None:
            figures = f"importance sampling, Pareto k-hat {self.pareto_k:.2f}, {ess}"
        else:
            figures = f"R-hat {self.rhat:.4f}, {ess}, divergences {self.divergences}, energy {self.bfmi:.2f}"
        if self.modes:
            figures += f"; {len(self.modes)} separate modes, weights {', '.join(f'{w:.2g}' for w in self.modes)}"
        if self.converged:
            return f"converged ({figures})"
        return f"NOT CONVERGED ({figures}): {'; '.join(self.problems)}"


def diagnose(values: dict[str, np.ndarray], stats: dict[str, np.ndarray], interrupted=False) -> Diagnostics:
    """Judge draws.

    Parameters
    ----------
    values : dict of str to ndarray
        Sampled values, each of shape (chain, draw, ...).
    stats : dict of str to ndarray
        ``diverging`` and ``energy`` of shape (chain, draw).
    interrupted : bool
        Whether sampling was stopped early.
    """
    from arviz_stats import base

    array_stats: Any = base.array_stats  # its hints say a tuple where it gives an array
    names, columns = [], []
    for name, value in values.items():
        flat = value.reshape(*value.shape[:2], -1)
        names += [name if flat.shape[2] == 1 else f"{name}[{i}]" for i in range(flat.shape[2])]
        columns.append(np.moveaxis(flat, 2, 0))
    draws: Any = np.concatenate(columns)
    with np.errstate(all="ignore"):  # chains that do not move divide zero by zero; the NaN is judged below
        rhat = np.asarray(array_stats.rhat(draws))
        bulk = np.asarray(array_stats.ess(draws, method="bulk"))
        tail = np.asarray(array_stats.ess(draws, method="tail", prob=(0.05, 0.95)))
        bfmi = np.asarray(array_stats.bfmi(stats["energy"]))
        # Ranks hide infinities, and a constant has any R-hat.
        still = ~np.isfinite(draws).all(axis=(1, 2)) | (np.ptp(draws, axis=(1, 2)) == 0)
    rhat, bulk, tail = (np.where(still, np.nan, x) for x in (rhat, bulk, tail))
    worst = int(np.argmax(np.where(np.isfinite(rhat), rhat, math.inf)))
    least = int(np.argmin(np.where(np.isfinite(bulk + tail), np.minimum(bulk, tail), -math.inf)))
    return Diagnostics(
        rhat=float(rhat[worst]),
        rhat_of=names[worst],
        ess_bulk=float(bulk.min()),
        ess_tail=float(tail.min()),
        ess_of=names[least],
        divergences=int(np.sum(stats["diverging"])),
        bfmi=float(np.min(bfmi)),
        interrupted=interrupted,
        draws=int(np.size(stats["diverging"])),
    )


def diagnose_weights(values: dict[str, np.ndarray], weights: np.ndarray, pareto_k: float) -> Diagnostics:
    """Judge weighted points.

    Effective sample sizes are those of the weighted mean of the indicator that a value lies below its median (bulk),
    its 5 % or its 95 % quantile (tail): the variance of independent draws over that of the weighted estimate.

    Parameters
    ----------
    values : dict of str to ndarray
        Values at the points, each of shape (point, ...).
    weights : ndarray
        Sum 1, shape (point,).
    pareto_k : float
        Shape of their tail.
    """
    names, columns = [], []
    for name, value in values.items():
        flat = value.reshape(len(value), -1)
        names += [name if flat.shape[1] == 1 else f"{name}[{i}]" for i in range(flat.shape[1])]
        columns.append(flat)
    sorted_weights = weights[np.argsort(np.concatenate(columns, axis=1), axis=0)]
    below = np.cumsum(sorted_weights, axis=0)
    ess = []
    for level in (0.5, 0.05, 0.95):
        error = np.sum((sorted_weights * ((below <= level) - level)) ** 2, axis=0)
        ess.append(level * (1 - level) / error)
    bulk, tail = ess[0], np.minimum(ess[1], ess[2])
    return Diagnostics(
        rhat=math.nan,
        rhat_of="",
        ess_bulk=float(bulk.min()),
        ess_tail=float(tail.min()),
        ess_of=names[int(np.argmin(np.minimum(bulk, tail)))],
        divergences=0,
        bfmi=math.nan,
        draws=len(weights),
        pareto_k=float(pareto_k),
    )
