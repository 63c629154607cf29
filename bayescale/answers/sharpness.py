"""How sudden a rise is under a task's metric and under a continuous one: emergent, or the metric's artefact."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr

from bayescale.answers.chain import Chain
from bayescale.answers.common import check_asked, doubted, interval, interval_name, read_value, warn_unless_converged
from bayescale.answers.crossing import first_crossing
from bayescale.answers.path import Path, path_of
from bayescale.answers.trust import trust
from bayescale.errors import InputError
from bayescale.given import real_number
from bayescale.posterior import Posterior

WAY = (0.1, 0.9)
LIKELY = 0.9
STILL = 0.01
DRAWS = ("chain", "draw")
_PARTS = ("median", "lower", "upper")


def sharpness(
    posterior: Posterior | Chain,
    companion: Posterior | Chain | None = None,
    *,
    than: float = 1.0,
    start: Any = None,
    group: str | None = None,
    seed: int = 0,
    **inputs: Any,
) -> xr.Dataset:
    """Decades of scale from 10 to 90 % of the way, under a task's metric and under its continuous companion.

    The way goes from what the law says at no scale (chance) to what it says without limit of scale (the ceiling).
    A metric that counts whole answers can make a steady gain look sudden; its companion does not: the share of right
    tokens, or their log-likelihood.

    Answers are the law's, not the runs': a law that starts at chance, such as ``sigmoid_of_compute``, reads a plateau
    above chance as a slow rise, and calls a sudden one gradual. Where runs wait above chance, fit
    ``sigmoid_from_plateau``.

    Parameters
    ----------
    posterior : Posterior or Chain
        Of the task's metric.
    companion : Posterior or Chain, optional
        Of the continuous one, on the same scale.
    than : float
        Decades: called sharp is what takes fewer.
    start : number or DataArray, optional
        Where the companion starts, for a law that says infinity there: the loss of a guess, ``-log(chance) / K`` nats
        a token. (How many decades a power law takes does not depend on it.)
    group, seed
        As for `forecast`.
    **inputs
        Inputs that are held, by column, where the runs do not agree on them.

    Returns
    -------
    Dataset
        ``decades``, and with a companion ``companion_decades``; dims ``chain``, ``draw``, and the groups'; ``inf`` for
        a way that is not gone at any scale.

    Raises
    ------
    InputError
        A scale that is no size (chain the law to one of size); a law that does not start or end anywhere; two scales.

    Notes
    -----
    Closed forms: a sigmoid of the log of the scale takes ``1.91 / slope`` decades; a power law from any start to its
    floor ``0.954 / alpha``. Under Schaeffer's law, ``exp(-K (c / x)**alpha)``, the share of whole answers takes
    ``1.34 / alpha`` *whatever the length K*: length moves the rise to larger scales and does not make it steeper on a
    log axis. A metric is sharper than its companion, then, only where that law is not all there is.

    References
    ----------
    .. [1] Schaeffer, Miranda & Koyejo (2023), arXiv:2304.15004.
    """
    check_asked(posterior, (Posterior, Chain), group)
    if companion is not None:
        check_asked(companion, (Posterior, Chain))
    than = real_number("than (decades)", than, 0, np.inf)
    for part in _parts(posterior) + _parts(companion):
        warn_unless_converged(part)
    asked = _asked(posterior, inputs, group, seed)
    answer = xr.Dataset({"decades": _decades(asked, None)})
    beside = None
    if companion is not None:
        beside = _asked(companion, inputs, group, seed)
    if beside is not None:
        if beside.path.name != asked.path.name:
            raise InputError(
                f"The metric is asked along {asked.path.name}, its companion along {beside.path.name}; fit both to one."
            )
        # Draws of two fits are not paired: each is summarised for itself.
        answer = answer.assign(companion_decades=_decades(beside, start))
    for name in answer.data_vars:
        answer[name].attrs = {"units": "decades", "long_name": f"{asked.path.name} from 10 to 90 % of the way"}
    law = asked.law if beside is None else f"{asked.law}, beside {beside.law}"
    said = {} if group is None else {"group": group}
    return answer.assign_attrs(
        law=law,
        scale=asked.path.name,
        path=asked.path.words,
        than=float(than),
        **trust(posterior, companion),
        seed=seed,
        **said,
    )


class _Asked(NamedTuple):
    law: str
    path: Path


def _parts(posterior: Posterior | Chain | None) -> list[Any]:
    if posterior is None:
        return []
    return [posterior.first, posterior.second] if isinstance(posterior, Chain) else [posterior]


def _asked(posterior: Posterior | Chain, inputs, group, seed) -> _Asked:
    columns = {c for part in _parts(posterior) for c in part.model.law.columns}
    name = posterior.name if isinstance(posterior, Chain) else posterior.model.law.name
    path = path_of(
        posterior, {c: x for c, x in inputs.items() if c in columns or c in ("N", "D")}, group=group, seed=seed
    )
    if not path.axis.log:
        raise InputError(
            f"Decades are counted on a scale of size; law {name!r} is asked along {path.name}. "
            "Put it behind a law that predicts that from size, with chain."
        )
    return _Asked(name, path)


def _decades(asked: _Asked, start: Any) -> xr.DataArray:
    """Decades from a tenth to nine tenths of the way, for every draw."""
    path = asked.path
    with np.errstate(all="ignore"):
        ends = (path.axis.least, 10 * path.axis.least, path.axis.most / 10, path.axis.most)
        first, early, late, last = (path.response(xr.DataArray(x)) for x in ends)
        moving = [abs(early - first) / abs(last - first), abs(last - late) / abs(last - first)]
    still = [bool((move.median(DRAWS) < STILL).all()) for move in moving]
    if start is not None:
        first, still[0] = read_value("start", start, signed=True) + 0 * last, True
    if not all(still):
        raise InputError(
            f"Law {asked.law!r} has no {'start' if still[1] else 'end'}: a decade at the limit of scales is still a "
            "part of the way, so that there is no tenth of it. "
            + ("Give start=, such as the loss of a guess, -log(chance) / answer_tokens." if still[1] else "")
        )
    share = xr.DataArray(list(WAY), {"way": list(WAY)}, "way")
    rises = bool((last > first).mean() > 0.5)
    found, _ = first_crossing(
        path.response, first + share * (last - first), path.axis, rises=rises, monotone=path.monotone
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = (np.log10(path.report(found)[path.name]).sel(way=w, drop=True) for w in WAY)
        decades = high - low
    return decades.where(np.isfinite(high) & np.isfinite(low), np.inf).transpose(*DRAWS, ...)


def sharpness_table(answer: xr.Dataset) -> pd.DataFrame:
    """Reduce to medians, intervals and P(sharper than).

    Returns
    -------
    DataFrame
        A line for each group: for the metric and its companion the median and interval of the decades, and the
        probability that they are fewer than ``attrs["than"]``, ``P(sharp)``; with a companion ``verdict``.
    """
    reduced = xr.Dataset()
    for name in map(str, answer.data_vars):
        parts = interval(answer[name])
        reduced = reduced.assign(
            {f"{name} {q}": parts.sel(quantity=q, drop=True) for q in ("median", "lower", "upper")}
        )
        reduced[name.replace("decades", "P(sharp)")] = (answer[name] < answer.attrs["than"]).mean(DRAWS)
    if reduced.sizes:
        table = reduced.to_dataframe().reset_index()
    else:
        table = pd.DataFrame([{str(name): float(reduced[name]) for name in reduced.data_vars}])
    if "companion_decades" in answer:
        pairs = zip(table["P(sharp)"], table["companion_P(sharp)"], strict=True)
        table["verdict"] = [_verdict(task, other) for task, other in pairs]
    return table


def _verdict(task: float, companion: float) -> str:
    """What the two say together, where each is likely enough."""
    if task < 1 - LIKELY:
        return "gradual"
    if task > LIKELY and companion < 1 - LIKELY:
        return "artefact of the metric"
    if task > LIKELY and companion > LIKELY:
        return "sharp under both"
    return "undecided"


def sharpness_sentences(answer: xr.Dataset) -> list[str]:
    """Say it in words, a sentence a group."""
    attrs = answer.attrs
    lines = [
        *doubted(answer),
        f"The law alone, {attrs['path']}; sharp means fewer than {attrs['than']:g} decades from 10 to 90 % of the way.",
    ]
    for row in sharpness_table(answer).to_dict("records"):
        first = next(iter(row))
        who = f"{row[first]}: " if isinstance(row[first], str) else ""
        said = f"{who}{_span(row, 'decades')}, P(sharp) = {row['P(sharp)']:.2g}"
        if "verdict" in row:
            said += (
                f"; its companion {_span(row, 'companion_decades')}, P(sharp) = {row['companion_P(sharp)']:.2g}. "
                f"{_MEANING[row['verdict']]}"
            )
        lines.append(said + ("" if said.endswith(".") else "."))
    return lines


_MEANING = {
    "gradual": "GRADUAL: no emergence to explain.",
    "artefact of the metric": "ARTEFACT OF THE METRIC: sudden as it is counted, steady underneath.",
    "sharp under both": "SHARP UNDER BOTH: the way of counting does not explain it.",
    "undecided": "UNDECIDED: the runs do not tell; runs at more scales about the rise would.",
}


def _span(row, name: str) -> str:
    return (
        f"{row[f'{name} median']:.2g} decades ({interval_name()} {row[f'{name} lower']:.2g} to "
        f"{row[f'{name} upper']:.2g})"
    )
