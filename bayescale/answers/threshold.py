"""The scale at which a level is reached, less loss or more accuracy; and how probable it is that none is enough."""

import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import reduce
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr

from bayescale.answers.chain import Chain
from bayescale.answers.common import (
    check_asked,
    doubted,
    interval,
    interval_name,
    read_value,
    shared_value,
    warn_unless_converged,
)
from bayescale.answers.crossing import first_crossing
from bayescale.answers.detection import LEVEL, POWER, detection_limit
from bayescale.answers.mixture import Stack
from bayescale.answers.path import CHANCE, Path, path_of
from bayescale.answers.trust import trust
from bayescale.cost import six_nd
from bayescale.errors import BayescaleWarning, InputError
from bayescale.law import Output
from bayescale.noise import TRIALS
from bayescale.posterior import NEW, Posterior
from bayescale.prior import REAL, UNIT

SURE = 0.95
DRAWS = ("chain", "draw")
POINTS = 61
TAIL = 0.02
REACH = 1e6
MARGIN = "margin"
_PARTS = ("median", "lower", "upper")
_FACTS = ("level", "largest", CHANCE, "items", "detection_limit")


def threshold(
    posterior: Posterior | Stack | Chain,
    *,
    margin: Any = None,
    tokens_per_parameter: Any = None,
    cost: Callable[..., Any] = six_nd,
    horizon: Any = None,
    group: str | None = None,
    seed: int = 0,
    **named: Any,
) -> xr.Dataset:
    """Scale at which a level of the response is first reached.

    Draws for which no scale is enough answer ``inf``: their share is the probability of never. Draws that have reached
    the level at any scale, however small, answer 0. The scale is the law's one input; for a law of several, what is
    left when the others are given (``N="70B"``: how many tokens), or a budget ``C`` split at its best between two.

    The law alone is asked, without noise and without the departure that a discrepancy allows.

    Parameters
    ----------
    posterior : Posterior, Stack or Chain
        A fit, several laws with weights, or two laws in a row. Laws of a stack that cannot answer on the same scale are
        left out with a warning.
    margin : number, str or sequence, optional
        For accuracies, the level as so much over chance. Chance is the law's input or the runs' column ``chance``,
        where all runs of a group agree on it, or given (``chance=0.25``).
    tokens_per_parameter : number, optional
        D / N along a budget, in place of the best split.
    cost : callable
        What a run costs, where the scale is a budget.
    horizon : number or str, optional
        A scale beyond which nobody will go; the table says how probable it is that only a larger one is enough.
    group, seed
        As for `forecast`.
    **named : number, str, sequence or DataArray
        The level, by the law's output: ``L=2.0``, ``accuracy=0.5``, ``elo=-500``; a sequence becomes a dim of its
        name. Inputs that are held, by column: ``N="70B"``, ``chance=0.25``.

    Returns
    -------
    Dataset
        The scale, called by its column (``C`` for a budget), dims ``chain``, ``draw``, the level's, the groups' and
        those of inputs; with a budget also the ``N`` and ``D`` it buys. Without draws: ``level``; ``largest``, the
        largest run; for accuracies ``chance``, and with counts ``items``, the median of questions asked, and
        ``detection_limit``.

    Raises
    ------
    InputError
        No level or one that the response cannot have; inputs missing or unknown; unknown group.

    Notes
    -----
    The scale is exact to about 1e-12 in its log, and looked for between 1e-300 and 1e300 (a budget without a closed
    form: from that of the smallest run, one parameter and token, to that of 1e30 of each). A law that declares which
    way it goes is bracketed by doubling. Any other is followed from the smallest run in steps of 0.1 e-folds, to a
    factor 1,000 beyond the runs, then in steps that grow by a fifth: the answer is the first crossing at or beyond the
    smallest run; where the level is reached there already, the scale at which that stretch begins.

    Examples
    --------
    >>> import bayescale as bs
    >>> answer = bs.threshold(bs.open_posterior("sweep.nc"), L=[2.5, 2.0], horizon="1e26")
    >>> bs.threshold_table(answer)
    """
    check_asked(posterior, (Posterior, Stack, Chain), group)
    asking = _Question(margin, tokens_per_parameter, cost, horizon, group, seed, named)
    if isinstance(posterior, Stack):
        return _mixed(posterior, lambda p: (p, posterior.group_of(p, group)), asking)
    if isinstance(posterior, Chain) and isinstance(posterior.first, Stack):
        first, second = posterior.first, posterior.second
        own = group in (NEW, *second.model.groups)
        answer = _mixed(first, lambda p: (Chain(p, second), group if own else first.group_of(p, group)), asking)
        return answer.assign_attrs(law=f"{answer.attrs['law']}, then {second.model.law.name}")
    return _answer(posterior, asking)


class _Question(NamedTuple):
    """What `threshold` was asked."""

    margin: Any
    tokens_per_parameter: Any
    cost: Callable[..., Any]
    horizon: Any
    group: str | None
    seed: int
    named: Mapping[str, Any]

    def path(self, posterior: Posterior | Chain) -> Path:
        """The scale it is asked along, without what belongs to the level."""
        law = _last(posterior).model.law
        beside = (law.output.symbol, *(() if CHANCE in law.columns else (CHANCE,)))
        return path_of(
            posterior,
            {name: value for name, value in self.named.items() if name not in beside},
            tokens_per_parameter=self.tokens_per_parameter,
            cost=self.cost,
            group=self.group,
            seed=self.seed,
        )


def _answer(posterior: Posterior | Chain, asking: _Question) -> xr.Dataset:
    """Answer by one law, or two in a row."""
    parts: Any = (posterior.first, posterior.second) if isinstance(posterior, Chain) else (posterior,)
    for part in parts:
        warn_unless_converged(part, stacklevel=4)
    last = _last(posterior)
    law, output = last.model.law, last.model.law.output
    level, margin = asking.named.get(output.symbol), asking.margin
    if (level is None) == (margin is None):
        raise InputError(
            f"Say which level of {output.meaning} is wanted: {output.symbol}= or, for accuracies, margin= over chance; "
            f"{'neither' if level is None else 'both'} was given."
        )
    path = asking.path(posterior)
    own = posterior.groups(asking.group)[1] if isinstance(posterior, Chain) else asking.group
    chance = path.given[CHANCE] if CHANCE in law.columns else _chance(last, asking.named.get(CHANCE), own)
    wanted = _level(output, level) if margin is None else _over_chance(output, margin, chance, law.name)
    found, undefined = first_crossing(path.response, wanted, path.axis, rises=path.rises, monotone=path.monotone)
    if bool(undefined.any()):
        warnings.warn(
            f"Law {law.name!r} gives no number at some scales in {100 * float(undefined.mean()):.3g} % of the draws; "
            "such a scale counts as not enough.",
            BayescaleWarning,
            stacklevel=3,
        )
    reported = path.report(found)
    if clash := [str(dim) for dim in wanted.dims if dim in reported]:
        raise InputError(f"The level has a dim {clash[0]!r}, the name of something in the answer; rename the dim.")
    answer = xr.Dataset({name: x.transpose(*DRAWS, ...) for name, x in reported.items()})
    units = {path.name: path.unit or "1", **_BOUGHT}
    for name in answer.data_vars:
        answer[name].attrs = {"units": units[str(name)], "long_name": f"{name} at which the level is reached"}
    return answer.assign(_facts(last, path, wanted, chance, own)).assign_attrs(
        law=posterior.name if isinstance(posterior, Chain) else law.name,
        **trust(posterior, beyond=_beyond(found, path)),
        seed=asking.seed,
        scale=path.name,
        scale_meaning=path.meaning,
        output=output.symbol,
        sense="at least" if path.rises else "at most",
        down=int(path.axis.down),
        log=int(path.axis.log),
        path=path.words,
        departure=int(any(part.model.discrepancy is not None for part in parts)),
        **_asked(asking, path.axis.log),
    )


def _beyond(found: xr.DataArray, path: Path) -> Any:
    """How many times the scale of a level, its median, lies beyond the runs."""
    return found.median(DRAWS) / path.largest if path.axis.log and not path.axis.down else 1.0


_BOUGHT = {"N": "parameters", "D": "tokens", "N_total": "parameters"}


def _asked(asking: _Question, log: bool) -> dict[str, Any]:
    """Horizon and group, where they were given."""
    said: dict[str, Any] = {} if asking.group is None else {"group": asking.group}
    if asking.horizon is None:
        return said
    at = read_value("horizon", asking.horizon, signed=not log)
    if at.ndim:
        raise InputError(f"horizon is one number; {asking.horizon!r} was given.")
    return {**said, "horizon": float(at)}


def _last(posterior: Posterior | Chain) -> Posterior:
    """The posterior that predicts the response."""
    return posterior.second if isinstance(posterior, Chain) else posterior


def _mixed(stack: Stack, made: Callable[[Posterior], tuple[Any, str | None]], asking: _Question) -> xr.Dataset:
    """Ask every law of a stack that can answer on the stack's scale, a budget if any has one, and mix."""
    scales: list[str] = []
    for member in stack.members.values():
        asked, own = made(member)
        with suppress(InputError):
            scales.append(asking._replace(group=own).path(asked).name)
    scale = "C" if "C" in scales else "".join(scales[:1])

    def ask(posterior: Posterior) -> xr.Dataset:
        asked, own = made(posterior)
        found = _answer(asked, asking._replace(group=own))
        if found.attrs["scale"] != scale:
            raise InputError(f"Law {posterior.model.law.name!r} answers in {found.attrs['scale']}, not in {scale}.")
        return found

    answers = stack.ask(ask)
    first = next(iter(answers.values()))
    mixed = stack.mix(
        {name: answer[[scale]].assign_attrs(answer.attrs) for name, answer in answers.items()}, asking.seed
    )
    for fact in (name for name in _FACTS if all(name in answer for answer in answers.values())):
        values = [answer[fact].reset_coords(drop=True) for answer in answers.values()]
        # All laws have the same runs; one that is pooled says it for each group.
        mixed[fact] = reduce(np.minimum, values) if fact == "largest" else max(values, key=lambda x: x.ndim)
        mixed[fact].attrs = first[fact].attrs
    return mixed.assign_attrs(
        path="; ".join(dict.fromkeys(answer.attrs["path"] for answer in answers.values())),
        departure=max(answer.attrs["departure"] for answer in answers.values()),
        **_asked(asking, bool(first.attrs["log"])),
    )


def _level(output: Output, level: Any) -> xr.DataArray:
    """The level asked for, in the output's range."""
    wanted = read_value(output.symbol, level, signed=output.support == REAL)
    if output.support == UNIT and bool((wanted > 1).any()):
        raise InputError(f"{output.symbol} is a share between 0 and 1; {level!r} was given. Write 60 % as 0.6.")
    return wanted


def _over_chance(output: Output, margin: Any, chance: xr.DataArray | None, law: str) -> xr.DataArray:
    """The level that lies by a margin above chance."""
    if output.support != UNIT or not output.higher_is_better:
        raise InputError(
            f"margin is how much over chance an accuracy lies; law {law!r} predicts {output.meaning}. "
            f"Give the level as {output.symbol}=."
        )
    if chance is None:
        raise InputError(
            f"margin is over chance, and law {law!r} and its runs do not say one chance for each group. "
            f"Give it, chance=0.25, or the level as {output.symbol}=."
        )
    over = read_value(MARGIN, margin, signed=False)
    wanted = chance.reset_coords(drop=True) + over
    if bool((wanted > 1).any()):
        raise InputError(
            f"A margin of {float(over.max()):g} over a chance of {float(chance.max()):g} is more than all answers "
            "right. Give a smaller one."
        )
    return wanted


def _chance(posterior: Posterior, given: Any, group: str | None) -> xr.DataArray | None:
    """Chance where it is no input of the law: given, or what the runs say."""
    if given is not None:
        chance = read_value(CHANCE, given, signed=False)
        if bool((chance >= 1).any()):
            raise InputError(f"chance is a share below 1; {given!r} was given.")
        return chance
    return shared_value(posterior, CHANCE, group)


def _facts(posterior: Posterior, path: Path, wanted, chance, group) -> dict[str, xr.DataArray]:
    """What stands beside the claim: the level, the largest run, and what so many questions can tell from a guess."""
    facts = {"level": wanted, "largest": path.largest.assign_attrs(units=path.unit or "1", long_name="largest run")}
    model = posterior.model
    if model.law.output.support != UNIT or chance is None:
        return facts
    facts[CHANCE] = chance.reset_coords(drop=True).assign_attrs(units="share", long_name="accuracy of a guess")
    if TRIALS not in model.runs:
        return facts
    trials = model.runs[TRIALS].to_numpy(dtype=float)
    names = model.groups if model.group and group is None else (group,) if group in model.groups else ()
    medians = [float(np.floor(np.median(trials[model.group_index == model.groups.index(name)]))) for name in names]
    items = (
        xr.DataArray(medians, {model.group: list(names)}, model.group)
        if names and group is None
        else xr.DataArray(medians[0] if medians else float(np.floor(np.median(trials))))
    )
    limit = detection_limit(items, facts[CHANCE])
    facts["items"] = items.assign_attrs(units="questions", long_name="questions asked of a run, median")
    facts["detection_limit"] = limit.assign_attrs(
        units="share", long_name="smallest accuracy over chance that so many questions tell from a guess"
    )
    over = wanted - facts[CHANCE]
    if bool((short := (over < limit)).any()):
        warnings.warn(
            f"A level of {float(wanted.where(short).max()):.3g} is less over chance than "
            f"{float(items.min()):g} questions can tell from a guess ({float(limit.where(short).max()):.3g}): no run "
            "could show that it is reached. Ask for more, or ask more questions.",
            BayescaleWarning,
            stacklevel=3,
        )
    return facts


def crossed_by(answer: xr.Dataset, x: Any = None) -> xr.DataArray:
    """Probability that the level is reached by a scale: the curve of `threshold`.

    Parameters
    ----------
    answer : Dataset
        What `threshold` gave.
    x : number, str or sequence, optional
        Scales; by default 61 that hold the central 96 % of the finite draws, the largest run and the horizon, at most a
        million times beyond these.

    Returns
    -------
    DataArray
        Along the scale, in place of the draws. It starts at P(at any scale) and ends below 1 by P(never).
    """
    scale, down = answer.attrs["scale"], bool(answer.attrs["down"])
    draws = answer[scale]
    at = read_value(scale, default_scales(answer) if x is None else x, signed=not answer.attrs["log"])
    reached = draws >= at if down else draws <= at
    return reached.mean(DRAWS).assign_attrs(
        units="1",
        long_name="probability that the level is reached by that scale",
        converged=answer.attrs.get("converged", 1),
        doubts=doubted(answer),
    )


def default_scales(answer: xr.Dataset) -> np.ndarray:
    """Scales for the curve of a threshold: about the finite draws, the runs and the horizon."""
    draws = answer[answer.attrs["scale"]].to_numpy().ravel()
    log = bool(answer.attrs["log"])
    runs = [*answer["largest"].to_numpy().ravel(), *([answer.attrs["horizon"]] if "horizon" in answer.attrs else [])]
    finite = draws[np.isfinite(draws) & ((draws > 0) | (not log))]
    ends = np.quantile(finite, [TAIL, 1 - TAIL]) if finite.size else np.array([])
    if log:
        ends = np.clip(ends, min(runs) / REACH, max(runs) * REACH)
        return np.geomspace(min([*runs, *ends]) / 1.5, max([*runs, *ends]) * 1.5, POINTS)
    low, high = min([*runs, *ends]), max([*runs, *ends])
    pad = 0.05 * (high - low) + 0.01 * abs(high)
    return np.linspace(low - pad, high + pad, POINTS)


def threshold_table(answer: xr.Dataset) -> pd.DataFrame:
    """Reduce a threshold to medians, intervals and probabilities.

    Returns
    -------
    DataFrame
        A line for each level (and group, and value of an input): the scale's median and interval; ``x95``, by which the
        level is reached with probability 0.95 (``inf`` where that is never); ``P(any scale)``, reached however small;
        ``P(never)``; with a horizon ``P(beyond horizon)``, the probability of a larger scale that is enough; the median
        as a multiple of the largest run, ``times_largest``; and for accuracies ``chance``, ``items`` and
        ``detection_limit``.
    """
    scale, down, log = answer.attrs["scale"], bool(answer.attrs["down"]), bool(answer.attrs["log"])
    draws = answer[scale]
    never = -np.inf if down else np.inf
    at_once = 0.0 if log else -never
    reduced = xr.Dataset({"level": answer["level"]})
    for name in [str(v) for v in answer.data_vars if "draw" in answer[v].dims]:
        parts = interval(answer[name])
        reduced = reduced.assign(
            {f"{name} {q}": parts.sel(quantity=q, drop=True) for q in ("median", "lower", "upper")}
        )
    reduced["x95"] = _reached_surely(draws, down)
    reduced["P(any scale)"] = (draws == at_once).mean(DRAWS)
    reduced["P(never)"] = (draws == never).mean(DRAWS)
    if "horizon" in answer.attrs:
        beyond = (draws < answer.attrs["horizon"]) if down else (draws > answer.attrs["horizon"])
        reduced["P(beyond horizon)"] = (beyond & (draws != never)).mean(DRAWS)
    if log:
        reduced["times_largest"] = reduced[f"{scale} median"] / answer["largest"]
    reduced = reduced.assign({fact: answer[fact] for fact in (CHANCE, "items", "detection_limit") if fact in answer})
    reduced = reduced.reset_coords([c for c in reduced.coords if c not in reduced.dims], drop=True)
    if not reduced.sizes:
        return pd.DataFrame([{str(name): float(reduced[name]) for name in reduced.data_vars}])
    table = reduced.to_dataframe().reset_index()
    return table.drop(columns=[answer.attrs["output"]], errors="ignore")


def _reached_surely(draws: xr.DataArray, down: bool) -> xr.DataArray:
    """Scale by which all but a twentieth of the draws have reached the level."""
    worse = -draws if down else draws
    found = worse.quantile(SURE, DRAWS, method="inverted_cdf", skipna=False).drop_vars("quantile")
    return -found if down else found


def threshold_sentences(answer: xr.Dataset) -> list[str]:
    """Say a threshold in words, one sentence a level and group, and what it rests on."""
    table = threshold_table(answer)
    attrs = answer.attrs
    scale, unit = attrs["scale"], answer[attrs["scale"]].attrs["units"]
    unit = "" if unit == "1" else f" {unit}"
    labels = list(table.columns)[: list(table.columns).index("level")]
    lines = [*doubted(answer), f"The law alone, {attrs['path']}."]
    if attrs["departure"]:
        lines.append("The fit allows a departure from the law; thresholds do without it, and are too sure by as much.")
    for row in table.to_dict("records"):
        at = "".join(f", {c} {row[c]:.4g}" if isinstance(row[c], float) else f", {c} {row[c]}" for c in labels)
        at += f", group {attrs['group']}" if "group" in attrs else ""
        goal = f"{attrs['output']} {attrs['sense']} {row['level']:.4g}{at}"
        lines.append(f"{goal}: {_when(row, scale, unit, attrs)}")
        lines += _told(row)
    return lines


def _when(row: Mapping[str, Any], scale: str, unit: str, attrs: Mapping[str, Any]) -> str:
    """When one level is reached, if it is."""
    never, at_once = row["P(never)"], row["P(any scale)"]
    if at_once == 1:
        return f"reached at any {scale}, however small: the law starts beyond it."
    if never == 1:
        return f"never: no {scale} is enough in any draw (P(never) = 1), the law's limit lies short of it."
    median, lower, upper = (_number(row[f"{scale} {q}"]) for q in ("median", "lower", "upper"))
    said = f"reached at {scale} = {median}{unit} ({interval_name()} {lower} to {upper})"
    if not np.isfinite(row[f"{scale} median"]):
        said = f"more likely than not never reached ({interval_name()} of {scale} {lower} to {upper}{unit})"
    said += (
        f"; by {_number(row['x95'])}{unit} with probability {SURE:g}"
        if np.isfinite(row["x95"])
        else f"; by no {scale} with probability {SURE:g}"
    )
    said += f". P(never) = {never:.2g}" + (", the law's limit lies short of the level" if never else "")
    if "P(beyond horizon)" in row:
        said += f"; P(only beyond {attrs['horizon']:.4g}{unit}) = {row['P(beyond horizon)']:.2g}"
    if at_once:
        said += f"; P(reached at any {scale}, however small) = {at_once:.2g}"
    times = row.get("times_largest", 0.0)
    if np.isfinite(times) and times > 1:
        said += f". The median lies {times:.3g} times beyond the largest run"
    return said + "."


def _told(row: Mapping[str, Any]) -> list[str]:
    """What so many questions can tell from a guess."""
    if "detection_limit" not in row:
        return []
    limit, over = row["detection_limit"], row["level"] - row[CHANCE]
    test = f"one-sided exact binomial test at {100 * LEVEL:g} %, power {100 * POWER:g} %"
    if not np.isfinite(limit):
        return [f"  {row['items']:g} questions cannot tell any accuracy from a chance of {row[CHANCE]:.3g} ({test})."]
    said = (
        f"  {row['items']:g} questions tell an accuracy from a chance of {row[CHANCE]:.3g} when it is "
        f"{limit:.2g} above it ({test})"
    )
    if over < limit:
        return [f"{said}. THIS LEVEL IS ONLY {over:.2g} ABOVE: no run could show that it is reached."]
    return [f"{said}."]


def _number(x: float) -> str:
    return f"{x:.3g}"
