"""The scale a question is asked along: one input, a budget split at its best, or one at fixed tokens per parameter."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr

from bayescale.answers.chain import Chain
from bayescale.answers.common import read_value
from bayescale.answers.crossing import Axis
from bayescale.answers.optimum import optimum, read_split
from bayescale.cost import six_nd
from bayescale.errors import InputError
from bayescale.law import Input
from bayescale.posterior import NEW, Posterior
from bayescale.prior import POSITIVE, REAL
from bayescale.words import listed

CHANCE = "chance"


@dataclass(frozen=True)
class Path:
    """A scale, and what the law says along it for every draw.

    Parameters
    ----------
    name, unit, meaning : str
        Of the scale, as the answer calls it.
    words : str
        What is held and what moves along it, for a sentence.
    axis : Axis
        What is searched; the scale itself unless `report` turns it into that.
    response : callable
        From the searched scale to the response.
    report : callable
        From the searched scale to the answer's variables: the scale first, then what goes with it.
    rises : bool
        Whether the response gets better by rising.
    monotone : bool
        Whether it never turns.
    largest : DataArray
        The largest run on this scale, by group.
    given : mapping of str to DataArray
        What is held, by column; with what the runs of a group agree on.
    """

    name: str
    unit: str
    meaning: str
    words: str
    axis: Axis
    response: Callable[[Any], Any]
    report: Callable[[Any], dict[str, Any]]
    rises: bool
    monotone: bool
    largest: xr.DataArray
    given: Mapping[str, xr.DataArray]


def path_of(
    asked: Posterior | Chain,
    given: Mapping[str, Any],
    *,
    tokens_per_parameter: Any = None,
    cost: Callable[..., Any] = six_nd,
    group: str | None = None,
    seed: int = 0,
) -> Path:
    """Read along what scale a law is asked, from what is given.

    Parameters
    ----------
    asked : Posterior or Chain
        A fit, or two in a row.
    given : mapping
        Inputs that are held, by column. What all runs (of a group) share and the formula takes as known, such as the
        chance of a guess, need not be given.
    tokens_per_parameter : number, optional
        D / N along a budget, instead of the best split.
    cost : callable
        What a run costs, where the scale is a budget.
    group, seed
        As for `forecast`.

    Raises
    ------
    InputError
        Nothing left to be the scale, or too much; a name that the law does not know.
    """
    if isinstance(asked, Chain):
        return _chained(asked, given, tokens_per_parameter, cost, group, seed)
    law = asked.model.law
    own = {i.column: i for i in law.inputs}
    signed = {i.column for i in law.inputs if i.support == REAL}
    values = {name: read_value(name, value, name in signed) for name, value in given.items()}
    values = {**known_inputs(asked, group), **values}
    params = asked.params(group, seed)
    free = [column for column in own if column not in values]
    if not free:
        raise InputError(
            f"Law {law.name!r} is asked along one of its inputs, {', '.join(own)}, or a budget of several; all are "
            "given. Leave out the one that is wanted."
        )
    elsewhere = [name for name in values if name not in own]
    if len(free) == 1 and tokens_per_parameter is None and not elsewhere and cost is six_nd:
        return _single(asked, params, values, own[free[0]], group)
    if tokens_per_parameter is not None:
        return _at_ratio(asked, params, values, tokens_per_parameter, cost, group)
    if cost is six_nd and (strange := [name for name in elsewhere if name not in ("N", "D")]):
        raise InputError(
            f"{listed(strange)} is no input of law {law.name!r}; it is asked at {', '.join(law.columns)}."
        )
    return _at_best(asked, params, values, cost, group)


def known_inputs(posterior: Posterior, group: str | None) -> dict[str, xr.DataArray]:
    """Inputs that the formula takes as known and on which the runs of each group agree, by column."""
    columns = [i.column for i in posterior.model.law.inputs if i.known]
    found = {column: shared_value(posterior, column, group) for column in columns}
    return {column: value for column, value in found.items() if value is not None}


def shared_value(posterior: Posterior, column: str, group: str | None) -> xr.DataArray | None:
    """Value of a column on which the runs (of each group) agree; None where they do not, or there is no such column."""
    model = posterior.model
    if column not in model.runs:
        return None
    x = model.runs[column].to_numpy(dtype=float)
    if not model.group or group == NEW:
        values = np.unique(x)
        return xr.DataArray(values[0]) if values.size == 1 else None
    names = model.groups if group is None else (group,)
    by_group = [np.unique(x[model.group_index == model.groups.index(name)]) for name in names]
    if any(values.size != 1 for values in by_group):
        return None
    if group is not None:
        return xr.DataArray(by_group[0][0])
    return xr.DataArray([values[0] for values in by_group], {model.group: list(names)}, model.group)


def _single(posterior: Posterior, params, values, item: Input, group) -> Path:
    """One input, the others held."""
    law = posterior.model.law
    symbols = {i.column: i.symbol for i in law.inputs}
    held = {symbols[column]: value for column, value in values.items()}
    runs = posterior.model.inputs()[item.symbol]
    slope = law.directions.get(item.symbol, 0)
    better = 1 if law.output.higher_is_better else -1
    log = item.support == POSITIVE
    axis = Axis(
        float(runs.min()),
        float(runs.max()),
        log,
        down=not log and slope * better < 0,
        span=1.0 if log else posterior.model.spans[item.symbol],
    )
    at = "".join(f", {column} = {_shown(value)}" for column, value in values.items() if column != CHANCE)
    return Path(
        item.column,
        item.unit,
        item.meaning,
        f"along {item.column}{at}",
        axis,
        lambda x: posterior.law(params, {**held, item.symbol: x}),
        lambda x: {item.column: x},
        # On a positive scale the law itself says which way it goes, where it says so: answers get rarer with length.
        rises=(slope or better) > 0 if log else better > 0,
        monotone=slope != 0,
        largest=_edge(posterior, runs, group, np.min if axis.down else np.max),
        given=values,
    )


def _at_best(posterior: Posterior, params, values, cost, group) -> Path:
    """A budget, split at its best for every draw."""
    law = posterior.model.law
    split = read_split(posterior.model, cost, values)
    smallest = float(np.max(np.asarray(split.spent({name: split.least[name] for name in split.free}))))
    spent = _spent(posterior, split)
    limits = {} if split.closed else {"least": smallest * (1 + 1e-6), "most": _most(split)}
    axis = Axis(float(spent.min()), float(spent.max()), **limits)

    def best(budget):
        if split.closed and law.optimum is not None:  # at any budget, however small
            constants = law.to_paper({p.symbol: params[p.symbol] for p in law.params}, posterior.model.reference)
            return dict(zip(split.free, law.optimum(budget, **constants), strict=True))
        return optimum(posterior, params, budget, split)

    def report(budget):
        found = best(budget.where(np.isfinite(budget) & (budget > 0), axis.high))
        ends = {name: xr.where(budget > 0, budget, split.least[name]) for name in found}
        return {"C": budget} | {
            name: xr.where(np.isfinite(budget) & (budget > 0), x, ends[name]) for name, x in found.items()
        }

    return Path(
        "C",
        split.unit,
        "budget",
        f"along the best split of {listed(split.free)} at a cost of {_called(cost)}{_held(values)}",
        axis,
        lambda budget: posterior.law(params, split.inputs(best(budget))),
        report,
        rises=law.output.higher_is_better,
        monotone=_monotone(law, posterior, split.free),
        largest=_edge(posterior, spent, group, np.max),
        given=values,
    )


def _at_ratio(posterior: Posterior, params, values, ratio, cost, group) -> Path:
    """A budget at fixed tokens per parameter; what is searched is the size."""
    law = posterior.model.law
    ratio = read_value("tokens_per_parameter", ratio, signed=False)
    if fixed := [name for name in ("N", "D") if name in values]:
        raise InputError(f"tokens_per_parameter says what N and D are to each other; {listed(fixed)} is given as well.")
    split = read_split(posterior.model, cost, values)
    if sorted(split.free) != ["D", "N"]:
        raise InputError(
            f"tokens_per_parameter is for laws of N and D; law {law.name!r} with this cost leaves {listed(split.free)}."
        )
    spent = _spent(posterior, split)
    sizes = np.sqrt(spent / (6.0 * float(ratio.mean())))

    def inputs(N):
        return {"N": N, "D": ratio * N}

    def report(N):
        beyond = np.isinf(N) | (N == 0)
        C = split.spent(inputs(N.where(~beyond, 1.0)))
        return {"C": xr.where(beyond, N, C), **inputs(N)}

    return Path(
        "C",
        split.unit,
        "budget",
        f"along {_shown(ratio)} tokens per parameter at a cost of {_called(cost)}{_held(values)}",
        Axis(float(sizes.min()), float(sizes.max()), least=1e-100, most=1e100),
        lambda N: posterior.law(params, split.inputs(inputs(N))),
        report,
        rises=law.output.higher_is_better,
        monotone=_monotone(law, posterior, ("N", "D")),
        largest=_edge(posterior, spent, group, np.max),
        given=values | {"tokens_per_parameter": ratio},
    )


def _chained(asked: Chain, given, tokens_per_parameter, cost, group, seed) -> Path:
    """The path of the first law, with the second fed by what the first says there."""
    first, second = asked.pair(seed)
    groups = asked.groups(group)
    link = asked.link
    law = second.model.law
    symbols = {i.column: i.symbol for i in law.inputs}
    signed = {i.column for i in law.inputs if i.support == REAL}
    if link in given:
        raise InputError(f"{link} links the two laws; the first predicts it. Give the first law's inputs instead.")
    others = [column for column in law.columns if column != link]
    held = {
        **known_inputs(second, groups[1]),
        **{c: read_value(c, given[c], c in signed) for c in others if c in given},
    }
    if missing := [column for column in others if column not in held]:
        raise InputError(f"Law {law.name!r} is asked at {', '.join(law.columns)}; {listed(missing)} is not given.")
    rest = {name: value for name, value in given.items() if name not in others or name in first.model.law.columns}
    path = path_of(
        first, rest, tokens_per_parameter=tokens_per_parameter, cost=cost, group=groups[0], seed=seed
    )
    params = second.params(groups[1], seed)
    fixed = {symbols[column]: value for column, value in held.items()}
    return replace(
        path,
        response=lambda x: second.law(params, {**fixed, symbols[link]: path.response(x)}),
        rises=law.output.higher_is_better,
        monotone=path.monotone and law.directions.get(symbols[link], 0) != 0,
        given={**path.given, **held},
    )


def _monotone(law, posterior: Posterior, free) -> bool:
    """Whether more of anything that is bought is never worse."""
    better = 1 if law.output.higher_is_better else -1
    bought = [i.symbol for i in law.inputs if i.column in free]
    return len(bought) == len(free) and all(law.directions.get(symbol, 0) == better for symbol in bought)


def _spent(posterior: Posterior, split) -> np.ndarray:
    """What each run cost: by this cost where the runs have what it takes, else as the model orders them."""
    runs = posterior.model.runs
    if split.cost is six_nd or any(name not in runs for name in split.free):
        return posterior.model.cost()
    spent = split.spent({name: xr.DataArray(runs[name].to_numpy(dtype=float), dims="run") for name in split.free})
    return np.asarray(spent.mean([dim for dim in spent.dims if dim != "run"]))


def _most(split) -> float:
    top = split.spent({name: min(split.most[name], 1e30) for name in split.free})
    return float(np.min(np.asarray(top)))


def _edge(posterior: Posterior, x: np.ndarray, group, reduce) -> xr.DataArray:
    """The farthest run of each group, of one, or of all."""
    model = posterior.model
    if model.group and group is None:
        edges = [reduce(x[model.group_index == g]) for g in range(len(model.groups))]
        return xr.DataArray(edges, {model.group: list(model.groups)}, model.group)
    if model.group and group != NEW:
        return xr.DataArray(reduce(x[model.group_index == model.groups.index(group)]))
    return xr.DataArray(reduce(x))


def _shown(value: xr.DataArray) -> str:
    return f"{float(value):.4g}" if value.ndim == 0 else f"several values of {' and '.join(map(str, value.dims))}"


def _held(values: Mapping[str, xr.DataArray]) -> str:
    return "".join(f", {name} = {_shown(value)}" for name, value in values.items() if name != CHANCE)


def _called(cost: Callable[..., Any]) -> str:
    return "6 N D" if cost is six_nd else getattr(cost, "__name__", "the cost given")
