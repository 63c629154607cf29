"""What speaks against an answer, whoever asks and however it is shown: no convergence, the prior, the distance."""

from typing import Any

import numpy as np

from bayescale.answers.common import unconverged
from bayescale.answers.sensitivity import MOSTLY_PRIOR, contraction
from bayescale.posterior import Posterior
from bayescale.words import listed

_SHOWN = 8  # parameters named


def trust(*fits: Any, beyond: Any = 1.0) -> dict[str, Any]:
    """Attributes that every answer carries: ``converged``, and ``doubts``, a list of sentences.

    They travel with the answer into its sentences, JSON, data frames and reports, whatever is done to warnings.

    Parameters
    ----------
    *fits : Posterior, Stack or Chain
        What the answer comes from.
    beyond : DataArray
        How many times the answer lies beyond the runs.
    """
    fits = tuple(fit for fit in fits if fit is not None)
    doubts = [doubt for fit in fits for doubt in doubts_of(fit)]
    parts = [part for fit in fits for part in _parts(fit)]
    asked = np.asarray(beyond, dtype=float)
    farthest = float(np.max(asked, where=np.isfinite(asked), initial=1.0))
    doubts += [doubt for part in parts for doubt in _too_far(part, farthest)]
    return {"converged": int(all(fit.converged for fit in fits)), "doubts": list(dict.fromkeys(doubts))}


def doubts_of(fit: Any) -> list[str]:
    """What speaks against every answer of a fit, of a stack, or of a chain."""
    if isinstance(fit, Posterior):
        return _of_one(fit)
    parts = fit.members.values() if hasattr(fit, "members") else (fit.first, fit.second)
    return [*getattr(fit, "doubts", ()), *(doubt for part in parts for doubt in doubts_of(part))]


def _parts(fit: Any) -> list[Posterior]:
    """The posteriors that have a say."""
    if isinstance(fit, Posterior):
        return [fit]
    members = fit.members.values() if hasattr(fit, "members") else (fit.first, fit.second)
    return [part for one in members for part in _parts(one)]


def _of_one(posterior: Posterior) -> list[str]:
    name, doubts = posterior.model.law.name, []
    if not posterior.converged:
        doubts.append(unconverged(posterior))
    with np.errstate(all="ignore"):  # draws at the end of their range
        found = contraction(posterior)
    weak = found["parameter"].to_numpy()[(found["contraction"].to_numpy() < MOSTLY_PRIOR) & found["of_law"].to_numpy()]
    if weak.size:
        doubts.append(
            f"This answer leans on the prior: the runs hardly narrow {listed(map(str, weak), _SHOWN)} of {name}."
        )
    return doubts


def _too_far(posterior: Posterior, beyond: float) -> list[str]:
    """Say so where an answer lies farther out than any backtest of the runs could tell."""
    if beyond <= (span := _span(posterior)):
        return []
    return [
        f"This answer lies {beyond:.3g} times beyond the runs, which span only {span:.3g} times themselves: no "
        "backtest of them can tell whether its interval holds."
    ]


def _span(posterior: Posterior) -> float:
    """Cost of the largest run over that of the largest of the fewest, smallest runs that could be fitted."""
    cost = np.sort(posterior.model.cost())
    fewest = min(len(posterior.model.law.params), len(cost)) - 1
    return float(cost[-1] / cost[fewest]) if cost[0] > 0 else np.inf
