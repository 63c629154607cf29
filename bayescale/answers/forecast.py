"""The loss of a run not made: what the law says, and what the run would measure."""

import math
from collections.abc import Mapping
from functools import reduce
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayescale.answers.chain import Chain
from bayescale.answers.common import (
    check_asked,
    doubted,
    interval,
    interval_name,
    known_inputs,
    read_inputs,
    read_value,
    warn_of_nan,
    warn_unless_converged,
)
from bayescale.answers.mixture import Stack
from bayescale.answers.trust import trust
from bayescale.cost import six_nd
from bayescale.errors import InputError
from bayescale.given import check_kind
from bayescale.memory import warn_if_large
from bayescale.numerals import parse_column
from bayescale.posterior import NEW, Posterior
from bayescale.prior import REAL
from bayescale.streams import stream


def forecast(
    posterior: Posterior | Stack | Chain,
    runs: pd.DataFrame | None = None,
    *,
    group: str | None = None,
    seed: int = 0,
    **inputs: Any,
) -> xr.Dataset:
    """Forecast the response at given inputs.

    Parameters
    ----------
    posterior : Posterior, Stack or Chain
        A fit, several laws with weights, or two laws in a row (``inputs`` only). Each law of a stack takes
        the inputs it knows; one that misses an input is left out with a warning.
    runs : DataFrame, optional
        Runs to forecast, one by one (dim ``run``), instead of ``inputs``; with their group where the fit has groups.
    group : str, optional
        A group's name, or ``"new"`` for an unseen one; by default all groups, along their dim.
    seed : int
        For the noise of ``L_run`` and the draws of a new group.
    **inputs : number, str, sequence or DataArray
        By column: ``N=70e9, D="1.4T"``. A sequence becomes a dim of its name, so that two sequences make a grid; pairs
        are given as DataArrays that share a dim, or as ``runs``. With N and D in the law, C may stand for one of them.

    Returns
    -------
    Dataset
        Dims ``chain``, ``draw``, those of the inputs, and the groups'. For a law of loss: ``L``, the law;
        ``L_run``, what a run would measure, noise and discrepancy included (it may have no mean: use quantiles); and
        ``beyond``, how many times the point lies beyond the range of the group's runs in its worst input or in size,
        1 inside. A model with a discrepancy also has ``L_true``, the law with its departure but without noise.

    Raises
    ------
    InputError
        Inputs missing, unknown, not positive; unknown group.

    Examples
    --------
    >>> import bayescale as bs
    >>> posterior = bs.open_posterior("sweep.nc")
    >>> bs.forecast(posterior, N="70B", D="1.4T", group="text")["L"].quantile([0.05, 0.5, 0.95])
    """
    check_asked(posterior, (Posterior, Stack, Chain), group)
    if runs is not None:
        check_kind("runs", runs, pd.DataFrame, "Read them with read_runs.")
    if runs is not None and inputs:
        raise InputError(f"Give runs or inputs, not both; runs and {', '.join(inputs)} were given.")
    if isinstance(posterior, Chain):
        return _forecast_chain(posterior, runs, group, inputs, seed)
    if isinstance(posterior, Stack):
        return _forecast_stack(posterior, runs, group, inputs, seed)
    warn_unless_converged(posterior)
    if runs is not None:
        return _forecast_runs(posterior, runs, group, seed)
    model = posterior.model
    values = read_inputs(posterior, inputs)
    params = posterior.params(group, seed)
    answer = _answer(posterior, params, values, posterior.beyond(values, group), seed)
    if group is not None:
        answer.attrs["group"] = group
    names = {i.symbol: i for i in model.law.inputs}
    return answer.assign_coords(
        {
            names[s].column: value.assign_attrs(units=names[s].unit, long_name=names[s].meaning)
            for s, value in values.items()
        }
    )


def _forecast_stack(stack: Stack, runs: pd.DataFrame | None, group, inputs, seed) -> xr.Dataset:
    """Forecast by every law of a stack that can, each from the inputs it takes, and mix the answers."""
    values = _read_for_all(stack, inputs) if runs is None else {}

    def ask(posterior: Posterior) -> xr.Dataset:
        law = posterior.model.law
        if runs is None and (missing := [column for column in law.columns if column not in values]):
            raise InputError(
                f"Law {law.name!r} is asked at {', '.join(law.columns)}; {', '.join(missing)} is not given."
            )
        known = {column: values[column] for column in law.columns} if runs is None else {}
        return forecast(posterior, runs, group=stack.group_of(posterior, group), seed=seed, **known)

    answers = stack.ask(ask)
    symbol = next(iter(stack.members.values())).model.law.output.symbol
    true = f"{symbol}_true"
    if departing := [answer[true].attrs for answer in answers.values() if true in answer]:
        # Without a departure from the law the truth is the law.
        answers = {
            name: answer if true in answer else answer.assign({true: answer[symbol].assign_attrs(departing[0])})
            for name, answer in answers.items()
        }
    # The law that goes farthest beyond its runs says how far the mixture does.
    farthest: Any = reduce(np.maximum, (answer["beyond"].reset_coords(drop=True) for answer in answers.values()))
    attrs = next(iter(answers.values()))["beyond"].attrs
    mixed = stack.mix(
        {name: answer.assign(beyond=farthest.assign_attrs(attrs)) for name, answer in answers.items()}, seed
    )
    return mixed if group is None else mixed.assign_attrs(group=group)


def _forecast_chain(asked: Chain, runs: pd.DataFrame | None, group, inputs, seed) -> xr.Dataset:
    """Forecast what the second law takes by the first, and from its draws the response.

    A run's response follows from what that run would measure of the link, noise included.
    """
    if runs is not None:
        raise InputError("A chain is asked at inputs, such as N= and D=; runs were given.")
    if isinstance(asked.first, Stack):
        second, first = asked.second, asked.first
        own = group in (NEW, *second.model.groups)

        def ask(member: Posterior) -> xr.Dataset:
            return forecast(
                Chain(member, second), group=group if own else first.group_of(member, group), seed=seed, **inputs
            )

        return first.draws_of(ask, seed)
    first, second = asked.pair(seed)
    groups = asked.groups(group)
    law = second.model.law
    others = {c: x for c, x in inputs.items() if c in law.columns and c != asked.link}
    shared = {c: x for c, x in inputs.items() if c not in others or c in first.model.law.columns}
    link = forecast(first, group=groups[0], seed=seed, **shared)
    warn_unless_converged(second, stacklevel=4)
    own = known_inputs(second, groups[1])
    middle = read_inputs(second, {**own, **others, asked.link: link[asked.link].median(("chain", "draw"))})
    symbol = next(i.symbol for i in law.inputs if i.column == asked.link)
    params = second.params(groups[1], seed)
    beyond = np.maximum(link["beyond"], second.beyond(middle, groups[1]))
    expected = _answer(second, params, {**middle, symbol: link[asked.link]}, beyond, seed)
    measured = _answer(second, params, {**middle, symbol: link[f"{asked.link}_run"]}, beyond, seed)
    run = f"{law.output.symbol}_run"
    said = {"law": asked.name, **trust(asked, beyond=beyond), "seed": seed}
    return expected.assign({run: measured[run]}).assign_attrs(said if group is None else {**said, "group": group})


def _read_for_all(stack: Stack, inputs: Mapping[str, Any]) -> dict[str, xr.DataArray]:
    """Inputs by column, with the one of N, D and C that a law takes and that follows from the other two."""
    taken = stack.columns
    signed = {i.column for p in stack.members.values() for i in p.model.law.inputs if i.support == REAL}
    values = {name: read_value(name, value, name in signed) for name, value in inputs.items()}
    given = {*values} & {"N", "D", "C"}
    used = {*taken}
    for missing, follows in (
        ("N", lambda: values["C"] / six_nd(1.0, values["D"])),
        ("D", lambda: values["C"] / six_nd(values["N"], 1.0)),
        ("C", lambda: six_nd(values["N"], values["D"])),
    ):
        if missing in taken and given == {"N", "D", "C"} - {missing}:
            values[missing] = follows()
            used |= given
    if unused := [name for name in inputs if name not in used]:
        raise InputError(
            f"{', '.join(unused)} is no input of any law of the stack; they are asked at {', '.join(taken)}."
        )
    return values


def _forecast_runs(posterior: Posterior, runs: pd.DataFrame, group, seed) -> xr.Dataset:
    model = posterior.model
    if missing := [c for c in model.law.columns if c not in runs.columns]:
        raise InputError(
            f"The runs to forecast have no column {', '.join(missing)}. Columns: {', '.join(map(str, runs.columns))}."
        )
    values = read_inputs(posterior, {c: xr.DataArray(_column(runs, c), dims="run") for c in model.law.columns})
    by_symbol = values
    if group is None and model.group:
        if model.group not in runs.columns:
            raise InputError(f"The runs to forecast have no column {model.group!r}; add it, or name one with group=.")
        labels = runs[model.group].astype(str).to_numpy()
        if unknown := sorted(set(labels) - set(model.groups)):
            raise InputError(
                f"The fit has no group {', '.join(unknown)}. Groups: {', '.join(model.groups)}; "
                "for others pass group='new'."
            )
        index = xr.DataArray(labels.astype(object), dims="run")
        params = {
            name: value.sel({model.group: index}) if model.group in value.dims else value
            for name, value in posterior.params().items()
        }
        beyond = posterior.beyond(by_symbol).sel({model.group: index})
    else:
        params = posterior.params(group, seed)
        beyond = posterior.beyond(by_symbol, group)
    answer = _answer(posterior, params, by_symbol, beyond, seed)
    coords = {i.column: by_symbol[i.symbol] for i in model.law.inputs}
    return answer.assign_coords(coords)


def _column(runs: pd.DataFrame, name: str) -> np.ndarray:
    column: Any = runs[name]
    numbers, bad = parse_column(column)
    if bad:
        raise InputError(f"{name} must be numbers or text such as '70B'; {column.tolist()[bad[0]]!r} was given.")
    return numbers


def _answer(posterior: Posterior, params: Mapping[str, xr.DataArray], values, beyond, seed) -> xr.Dataset:
    model = posterior.model
    output = model.law.output
    _check_memory(posterior, params, values)
    with np.errstate(all="ignore"):  # what is no number is told by `warn_of_nan`
        law = posterior.law(params, values)
        true = posterior.truth(params, values, beyond)
        facts = model.facts(model.relative(values))
        run = model.noise.draw(stream("forecast", seed), true, params, facts)
    units = {"units": output.unit}
    answer = xr.Dataset(
        {
            output.symbol: law.assign_attrs(units, long_name=f"{output.meaning}: the law"),
            f"{output.symbol}_run": run.assign_attrs(units, long_name=f"{output.meaning} a run would measure"),
        },
        attrs={"law": model.law.name, **trust(posterior, beyond=beyond), "seed": seed},
    )
    if model.discrepancy:
        answer[f"{output.symbol}_true"] = true.assign_attrs(
            units, long_name=f"{output.meaning}: the law and the departure from it, without noise"
        )
    answer["beyond"] = beyond.assign_attrs(
        units="1", long_name="times beyond the runs, in an input or in size; 1 inside"
    )
    warn_of_nan(answer, 4)
    return answer.transpose("chain", "draw", ...)


def _check_memory(posterior: Posterior, params: Mapping[str, xr.DataArray], values: Mapping[str, Any]) -> None:
    sizes: dict[Any, int] = {}
    for value in (*params.values(), *values.values()):
        sizes |= dict(zip(value.dims, value.shape, strict=True))
    draws = sizes.pop("chain", 1) * sizes.pop("draw", 1)
    sizes.pop("term", None)
    points = math.prod(sizes.values())
    warn_if_large(
        draws * points,
        f"{draws:,} draws for each of {points:,} points and groups",
        "Ask for fewer points at a time, or for one group= (--group).",
    )


def forecast_table(answer: xr.Dataset) -> pd.DataFrame:
    """Reduce a forecast to medians and intervals for a print.

    Returns
    -------
    DataFrame
        A line for each point (and group): the inputs, ``beyond``, and for each quantity its median and interval.
    """
    quantities = [str(name) for name in answer.data_vars if "draw" in answer[name].dims]
    reduced = xr.Dataset(
        {
            f"{name} {part}": interval(answer[name]).sel(quantity=part, drop=True)
            for name in quantities
            for part in ("median", "lower", "upper")
        }
    )
    reduced["beyond"] = answer["beyond"]
    table = reduced.to_dataframe().reset_index() if reduced.sizes else _one_row(reduced)
    return table.drop(columns="run", errors="ignore")


def _one_row(dataset: xr.Dataset) -> pd.DataFrame:
    return pd.DataFrame([{str(name): float(dataset[name]) for name in (*dataset.coords, *dataset.data_vars)}])


def forecast_sentences(answer: xr.Dataset) -> list[str]:
    """Say a forecast in words, one sentence a point."""
    table = forecast_table(answer)
    output = next(str(name) for name in answer.data_vars)
    unit = answer[output].attrs.get("units", "")
    inputs = [c for c in table.columns if c in answer.coords]
    lines = doubted(answer)
    for row in table.to_dict("records"):
        at = ", ".join(f"{c} = {row[c]:.4g}" if isinstance(row[c], float) else str(row[c]) for c in map(str, inputs))
        reach = f"; {row['beyond']:.3g} times beyond the runs" if row["beyond"] > 1 else ""
        lines.append(
            f"{at}: a run would measure {row[f'{output}_run median']:.4g} {unit} "
            f"({interval_name()} {row[f'{output}_run lower']:.4g} to {row[f'{output}_run upper']:.4g}); "
            f"the law is {row[f'{output} median']:.4g} "
            f"({row[f'{output} lower']:.4g} to {row[f'{output} upper']:.4g}){reach}."
        )
    return lines
