"""What a question is about: a response at stated inputs, the best size at a budget, or a parameter; as draws."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import xarray as xr

from bayescale.answers.candidates import complete, crossed, expect, read_table, with_groups
from bayescale.answers.common import read_value
from bayescale.answers.optimum import optimum, read_split
from bayescale.errors import InputError
from bayescale.given import check_kind
from bayescale.posterior import Posterior
from bayescale.prior import REAL
from bayescale.words import listed

LAW = "law"
BEST = "_opt"
BUDGET = "C"


@dataclass(frozen=True)
class Quantity:
    """One or several unknown numbers.

    Parameters
    ----------
    symbol, unit : str
        What it is.
    labels : tuple of str
        Each number in words: ``"L at N = 7e+10, D = 1.4e+12"``.
    ask : callable
        Posterior to draws, dims chain, draw, point.
    """

    symbol: str
    unit: str
    labels: tuple[str, ...]
    ask: Callable[[Posterior], xr.DataArray]


def read_quantity(
    posteriors: Sequence[Posterior],
    about: str,
    at: Mapping[str, Any] | pd.DataFrame | None,
    cost: Callable[..., Any],
    group: str | None,
    seed: int = 0,
) -> Quantity:
    """Read what is asked about.

    Parameters
    ----------
    posteriors : sequence of Posterior
        One, or the members of a stack.
    about : str
        The output's symbol; an input's symbol and ``_opt``, such as ``N_opt``; or a parameter's symbol.
    at : mapping or DataFrame, optional
        Inputs of the response, by column; for the best size the budget ``C`` and what is held fixed.
    cost : callable
        What is spent on the best size.
    group : str, optional
        One group, or ``"new"``; by default all.
    seed : int
        For the draws of a new group.

    Raises
    ------
    InputError
        Unknown quantity; inputs missing, unknown or not positive.
    """
    laws = [p.model.law for p in posteriors]
    output = laws[0].output
    symbols = dict.fromkeys(s for law in laws for s in (*law.constants, *(p.symbol for p in law.params)))
    best = dict.fromkeys(f"{c}{BEST}" for law in laws for c in law.columns if c in ("N", "D"))
    if about == output.symbol:
        points = with_groups(_points(posteriors, at, about), posteriors, group, "at")
        labels = tuple(f"{about} at {describe_run(row)}" for row in points.to_dict("records"))
        return Quantity(about, output.unit, labels, lambda p: _response(p, points, seed))
    if about in best:
        points, groups = _budgets(posteriors, at, about), _groups(posteriors, group)
        labels = tuple(
            f"{about} at {describe_run(row)}{_of_group(g)}" for g in groups for row in points.to_dict("records")
        )
        unit = next(i.unit for law in laws for i in law.inputs if i.column == about.removesuffix(BEST))
        return Quantity(about, unit, labels, lambda p: _best(p, about.removesuffix(BEST), points, cost, groups, seed))
    if about in symbols:
        if at is not None:
            raise InputError(f"{about} is a parameter of the law and has one value everywhere; leave out at=.")
        unit = next((p.unit for law in laws for p in law.params if p.symbol == about), "")
        groups = _varying(posteriors, about, group)
        labels = tuple(f"{about}{_of_group(g)}" for g in groups)
        return Quantity(about, unit, labels, lambda p: _parameter(p, about, groups, seed))
    known = listed([output.symbol, *best, *symbols, *([LAW] if len(posteriors) > 1 else [])])
    raise InputError(f"There is no quantity {about!r} to design for. Known here: {known}.")


def describe_run(row: Mapping[str, Any]) -> str:
    """Say a run's inputs in words: ``N = 7e+10, D = 1.4e+12, code``."""
    return ", ".join(f"{k} = {v:.4g}" if isinstance(v, float) else str(v) for k, v in row.items())


def _points(posteriors: Sequence[Posterior], at: Any, about: str) -> pd.DataFrame:
    """Points at which a response is asked about, one row each, with the columns that the laws take."""
    columns = tuple(dict.fromkeys(c for p in posteriors for c in p.model.law.columns))
    if at is None or (isinstance(at, Mapping | pd.DataFrame) and not len(at)):
        raise InputError(f"Say where {about} is asked about: at={{{', '.join(f'{c!r}: ...' for c in columns)}}}.")
    check_kind("at", at, (Mapping, pd.DataFrame))
    groups = [p.model.group for p in posteriors if p.model.group]
    points: Any
    if isinstance(at, pd.DataFrame):
        points = read_table(at, posteriors, "at")
    else:
        signed = {i.column for p in posteriors for i in p.model.law.inputs if i.support == REAL}
        axes = {name: read_value(name, value, name in signed).to_numpy().ravel() for name, value in at.items()}
        if unknown := [name for name in axes if name not in {*columns, "N", "D", "C"}]:
            raise InputError(f"{listed(unknown)} is no input; {about} is asked about at {listed(columns)}.")
        points = complete(crossed(axes))
    if all(any(c not in points for c in p.model.law.columns) for p in posteriors):
        missing = [c for c in columns if c not in points]
        raise InputError(f"{about} is asked about at {listed(columns)}; {listed(missing)} is not given.")
    return points[[c for c in points if c in {*columns, *groups}]]


def _budgets(posteriors: Sequence[Posterior], at: Any, about: str) -> pd.DataFrame:
    check_kind("at", {} if at is None else at, (Mapping, pd.DataFrame))
    if at is None or BUDGET not in at:
        raise InputError(f"Say at which budget {about} is asked about: at={{{BUDGET!r}: 1e24}}.")
    if isinstance(at, pd.DataFrame):
        return read_table(at, posteriors, "at")
    return crossed({name: read_value(name, value, False).to_numpy().ravel() for name, value in at.items()})


def _groups(posteriors: Sequence[Posterior], group: str | None) -> tuple[str | None, ...]:
    grouped = [p for p in posteriors if p.model.group]
    return (group,) if group is not None or not grouped else grouped[0].model.groups


def _of_group(group: str | None) -> str:
    return f" of {group}" if group is not None else ""


def _varying(posteriors: Sequence[Posterior], symbol: str, group: str | None) -> tuple[str | None, ...]:
    """Groups over which a parameter varies; one None where it does not."""
    varies = any(p.model.group in p.dataset[symbol].dims for p in posteriors if symbol in p.dataset)
    return _groups(posteriors, group) if varies else (None,)


def _response(posterior: Posterior, points: pd.DataFrame, seed: int) -> xr.DataArray:
    return expect(posterior, points, lambda location, *_: location, seed).rename(run="point")


def _own(posterior: Posterior, group: str | None) -> str | None:
    """The group to ask a fit for: one of all runs as one law answers alike for each."""
    return group if posterior.model.group else None


def _best(posterior: Posterior, column: str, points: pd.DataFrame, cost, groups, seed) -> xr.DataArray:
    fixed = {c: xr.DataArray(points[c].to_numpy(), dims="point") for c in points if c != BUDGET}
    split = read_split(posterior.model, cost, fixed)
    if column not in split.free:
        raise InputError(f"{column}{BEST} is asked about, but {column} is held fixed by at=.")
    budget = xr.DataArray(points[BUDGET].to_numpy(), dims="point")
    found = [optimum(posterior, posterior.params(_own(posterior, g), seed), budget, split)[column] for g in groups]
    return xr.concat(found, "point", coords="minimal", compat="override")


def _parameter(posterior: Posterior, symbol: str, groups, seed: int) -> xr.DataArray:
    law = posterior.model.law
    found: list[xr.DataArray] = []
    for group in groups:
        params = posterior.params(_own(posterior, group), seed)
        params |= law.to_paper({p.symbol: params[p.symbol] for p in law.params}, posterior.model.reference)
        if symbol not in params:
            raise InputError(f"Law {law.name!r} has no parameter {symbol!r}.")
        found.append(params[symbol])
    return xr.concat(found, "point", coords="minimal", compat="override")
