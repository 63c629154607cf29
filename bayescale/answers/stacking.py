"""How much weight should each law have? Stacking of predictive densities, on runs held out by size."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from bayescale.answers.common import warn_unless_converged
from bayescale.answers.comparison import (
    check_question,
    compare,
    held_out,
    largest,
    models_of,
    stacking_weights,
    unit_of,
)
from bayescale.answers.mixture import Stack
from bayescale.errors import InputError
from bayescale.given import check_kind, real_number
from bayescale.posterior import Posterior
from bayescale.progress import track
from bayescale.streams import stream
from bayescale.words import counted, listed

CUTS = (0.4, 0.25, 0.1)
ENOUGH = 20
ALWAYS = 10
BOOTSTRAPS = 1000


class _Scored(NamedTuple):
    """Log predictive densities: of each law, shape (law, score); which unit each is of; what to say of them.

    And what speaks against the weights.
    """

    scores: np.ndarray
    unit_of: np.ndarray
    notes: list[str]
    doubts: Sequence[str] = ()


def stack(
    posteriors: Mapping[str, Posterior],
    by: str = "largest",
    *,
    unit: str | None = None,
    cuts: Sequence[float] = CUTS,
    seed: int = 0,
    progress: bool | None = None,
) -> Stack:
    """Weigh laws by how well their mixture predicts, and keep them together.

    The weights maximise the summed log density of the mixture. They are no probabilities that a law is true: a law that
    adds nothing to the others gets none.

    Where fewer than 20 units are scored, imaginary ones make them 20; where the largest runs are scored there are at
    least 10, for those runs are less far out than what is asked, and share what is special about them. Imaginary units
    are shared equally among the laws, and each is explained by its law alone: a Dirichlet prior of that total, centred
    on equal weights.

    Parameters
    ----------
    posteriors : mapping of str to Posterior
        At least two, fitted to the same rows in the same order.
    by : str
        ``"largest"``: each model is fitted again without the largest runs of each group, by cost C (``cuts``), and
        scored on what was left out; a run left out more than once counts once, by its mean score.
        ``"loo"``, ``"waic"``: as `compare` has them, which rewards prediction inside the runs.
    unit : str, optional
        A column of the runs: what is scored together, such as the checkpoints of one curve; as for `compare`.
    cuts : sequence of float
        Shares of the runs, the largest, that are left out in turn, for ``"largest"``; each costs a fit of each law.
    seed : int
        For refits and the draws of the weights.
    progress : bool, optional
        Show the progress of refits; by default only on a terminal.

    Returns
    -------
    Stack
        `forecast` takes it as it takes a posterior. The uncertainty of the weights is the Bayesian bootstrap over
        units: each draw weighs them by independent exponential numbers, and imaginary ones likewise.

    Raises
    ------
    InputError
        Fewer than two posteriors, different runs, unknown criterion or column, too few runs.

    References
    ----------
    .. [1] Yao, Vehtari, Simpson & Gelman (2018), Bayesian Analysis 13, 917-1007.
    .. [2] Bürkner, Gabry & Vehtari (2020), J. Stat. Comput. Simul. 90, 2499-2523 (leave future out).
    .. [3] Rubin (1981), Annals of Statistics 9, 130-134; Lyddon, Walker & Holmes (2018), NeurIPS 31 (with a prior).

    Examples
    --------
    >>> import bayescale as bs
    >>> mixed = bs.stack({"kaplan": kaplan, "chinchilla": chinchilla})  # doctest: +SKIP
    >>> bs.forecast(mixed, N="70B", D="1.4T")  # doctest: +SKIP
    """
    models = models_of(posteriors)
    unit = unit_of(models, unit)
    check_question(models, by, unit)
    check_kind("cuts", cuts, (list, tuple), "Give shares of the runs to leave out: (0.4, 0.1).")
    if not cuts:
        raise InputError("cuts is empty; give shares of the runs to leave out: (0.4, 0.1).")
    for share in cuts:
        real_number("cuts, each share of the runs to leave out,", share, 0, 1)
    scored = (
        _roll(posteriors, unit, cuts, seed, progress)
        if by == "largest"
        else _cross(posteriors, by, unit, seed, progress)
    )
    names = list(posteriors)
    times = np.bincount(scored.unit_of)
    imaginary = max(ALWAYS if by == "largest" else 0, ENOUGH - times.size)
    weights, draws = _weigh(scored, times, imaginary, seed)
    notes = list(scored.notes)
    if imaginary:
        few = f"Only {times.size} of them, fewer than {ENOUGH}: the" if times.size < ENOUGH else "The"
        notes.append(
            f"{few} weights are shrunk towards equal ones by a prior worth {counted(imaginary, 'imaginary unit')}, "
            "shared equally among the laws."
        )
    return Stack(
        dict(posteriors),
        dict(zip(names, weights.tolist(), strict=True)),
        xr.DataArray(draws, {"law": names}, ("sample", "law")),
        by,
        seed,
        tuple(notes),
        tuple(scored.doubts),
    )


def _roll(
    posteriors: Mapping[str, Posterior], unit: str | None, cuts: Sequence[float], seed: int, progress: bool | None
) -> _Scored:
    """Score the largest runs from fits to the smaller ones, at every cut that leaves enough runs for all laws."""
    models = {name: posterior.model for name, posterior in posteriors.items()}
    for posterior in posteriors.values():
        warn_unless_converged(posterior, stacklevel=4)
    left_out: dict[float, np.ndarray] = {}
    refused: dict[float, InputError] = {}
    for share in cuts:
        try:
            left_out[share] = held_out(models, share, least=1)
        except InputError as error:
            refused[share] = error
    if not left_out:
        raise refused[min(refused)]
    table = next(iter(models.values())).runs
    scores, labels, flags = [], [], []
    pairs = [(name, share) for share in left_out for name in posteriors]
    fits = track(pairs, lambda pair: f"{pair[0]} without the largest {_percent(pair[1])}", progress)
    found = {(name, share): largest(posteriors[name], left_out[share], unit, seed, progress) for name, share in fits}
    for share, held in left_out.items():
        criteria = {name: found[name, share] for name in posteriors}
        scores.append([criterion.elpd_i.to_numpy() for criterion in criteria.values()])
        labels.append(np.flatnonzero(held) if unit is None else next(iter(criteria.values())).elpd_i["unit"].to_numpy())
        flags += [f"{name} without the largest {_percent(share)}" for name, c in criteria.items() if c.flagged]
    unique, unit_of = np.unique(np.concatenate(labels).astype(str), return_inverse=True)
    what = f"{len(unique)} largest runs" if unit is None else f"largest runs of {len(unique)} values of {unit!r}"
    notes = [
        f"Scored on the {what} of {len(table)}, predicted from the smaller ones at cuts of "
        f"{listed(map(_percent, left_out))}. They share what is special about large runs; the intervals ignore that."
    ]
    notes += [f"The cut of {_percent(share)} is left out: {error}" for share, error in refused.items()]
    doubts = [f"Not converged: the refit of {listed(flags)}; the weights of the stack are unreliable."] if flags else []
    return _Scored(np.concatenate(scores, axis=1), unit_of, notes, doubts)


def _cross(posteriors: Mapping[str, Posterior], by: str, unit: str | None, seed: int, progress: bool | None) -> _Scored:
    """Score every unit by WAIC or leave one out."""
    result = compare(posteriors, by, unit=unit, seed=seed, progress=progress)
    scores = result.pointwise["elpd_i"].sel(law=list(posteriors)).to_numpy()
    what = counted(scores.shape[1], "run") if unit is None else f"{scores.shape[1]} values of {unit!r}"
    flags = result.table.loc[result.table["flags"] != "", "flags"]
    notes = [f"Scored on {what}, inside the range of the runs: weights for extrapolation come from by='largest'."]
    doubts = [
        f"{name}: {flag}; its score is unreliable there, and so are the weights of the stack."
        for name, flag in flags.items()
    ]
    return _Scored(scores, np.arange(scores.shape[1]), notes, doubts)


def _weigh(scored: _Scored, times: np.ndarray, imaginary: int, seed: int) -> tuple[np.ndarray, Any]:
    """Weights, and draws of them by the Bayesian bootstrap; each unit counts once however often it was scored."""
    scores, unit_of, *_ = scored
    if not np.isfinite(scores.max(axis=0)).all():
        raise InputError(
            f"{np.sum(~np.isfinite(scores.max(axis=0)))} scored units have no finite density under any law, so they "
            "cannot weigh the laws; look at them with check_fit, or fit with a noise that allows them."
        )
    once = 1.0 / times[unit_of]
    prior = np.full(len(scores), imaginary / len(scores))
    rng = stream("stack weights", seed)
    draws = [
        # A gamma number of shape zero is zero: no imaginary units, no prior.
        stacking_weights(scores, once * rng.exponential(size=times.size)[unit_of], rng.gamma(prior))
        for _ in range(BOOTSTRAPS)
    ]
    return stacking_weights(scores, once, prior), np.array(draws)


def _percent(share: float) -> str:
    return f"{100 * share:g} %"
