"""Runs that could be made: a table of them, what each costs, and what a posterior expects of each."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayescale.cost import cost_arguments, six_nd
from bayescale.errors import InputError
from bayescale.law import NONE
from bayescale.numerals import parse_column
from bayescale.posterior import Posterior
from bayescale.prior import REAL
from bayescale.words import listed, quoted, rows_that_are_not

COST = "cost"
MOST_ON_GRID = 400
BEYOND = 10.0  # how far a grid of candidates goes beyond the largest run, in each input
FEW_VALUES = 6

# What follows of model size, tokens and compute from two of them.
_FOLLOWS: dict[str, tuple[tuple[str, str], Callable[[Any, Any], Any]]] = {
    "D": (("C", "N"), lambda C, N: C / six_nd(N, 1.0)),
    "N": (("C", "D"), lambda C, D: C / six_nd(1.0, D)),
    "C": (("N", "D"), six_nd),
    "M": (("N", "D"), lambda N, D: D / N),
}


def complete(table: pd.DataFrame) -> pd.DataFrame:
    """Add what follows of N, D, C (6 N D) and M (D / N), where two are given."""
    table = table.copy()
    for name, (given, follow) in _FOLLOWS.items():
        if name not in table and all(c in table for c in given):
            table[name] = follow(*(table[c] for c in given))
    return table


def read_table(table: Any, posteriors: Sequence[Posterior], what: str) -> pd.DataFrame:
    """Read a table of runs without responses: numbers or text such as ``70B`` in every column that a law takes.

    Raises
    ------
    InputError
        No table, no rows, a cell that is no number, or not finite, or not positive where it must be.
    """
    if not isinstance(table, pd.DataFrame):
        raise InputError(f"{what} must be a DataFrame of runs; {type(table).__name__} was given.")
    if not len(table):
        raise InputError(f"{what} has no rows.")
    inputs = {i.column: i for p in posteriors for i in p.model.law.inputs}
    read: Any = table.reset_index(drop=True)
    for name in [c for c in read if c in {*inputs, "N", "D", "C", COST}]:
        numbers, bad = parse_column(read[name])
        signed = name in inputs and inputs[name].support == REAL
        bad = bad or np.flatnonzero(~(np.isfinite(numbers) & (signed | (numbers > 0)))).tolist()
        if bad:
            must = "be finite" if signed else "be positive and finite"
            raise InputError(f"Column {name!r} of {what} must {must}; {rows_that_are_not(bad, len(read))}.")
        read[name] = numbers
    return complete(read)


def cost_of(table: pd.DataFrame, cost: Callable[..., Any]) -> np.ndarray:
    """What each run costs: its column ``cost``, else the function of its columns; 6 N D is also a column C."""
    if COST in table:
        return table[COST].to_numpy(dtype=float)
    needed, optional = cost_arguments(cost)
    if cost is six_nd and "C" in table:
        return table["C"].to_numpy(dtype=float)
    if missing := [name for name in needed if name not in table]:
        raise InputError(
            f"The cost takes {listed(needed)}; the runs have no {quoted(missing)}. "
            f"Add a column {COST!r}, or pass a cost of {listed(table.columns)} such as cost=lambda "
            f"{', '.join(map(str, table.columns[:2]))}: ..."
        )
    values = cost(**{name: table[name].to_numpy() for name in (*needed, *optional) if name in table})
    costs = np.broadcast_to(np.asarray(values, dtype=float), len(table))
    if bad := np.flatnonzero(~(np.isfinite(costs) & (costs > 0))).tolist():
        raise InputError(f"Costs must be positive and finite; {rows_that_are_not(bad, len(table))}.")
    return costs


def grid(posteriors: Sequence[Posterior]) -> pd.DataFrame:
    """Every combination of values of the inputs, about 400.

    An input runs in equal steps of its log from the least of the runs to ten times the largest; one that is shifted, or
    stands in the formula as it is (bits, experts), stays within the runs, and one with at most six values keeps them.
    """
    inputs = {
        i.column: (i, p.model.runs[i.column].to_numpy(dtype=float)) for p in posteriors for i in p.model.law.inputs
    }
    if {"N", "D"} <= {*inputs}:
        inputs = {c: v for c, v in inputs.items() if c not in ("C", "M")}
    axes: dict[str, np.ndarray] = {}
    for column, (item, x) in inputs.items():
        values = np.unique(x)
        if len(values) <= FEW_VALUES and item.centre == NONE:
            axes[column] = values
    points = max(
        3, int((MOST_ON_GRID / np.prod([len(v) for v in axes.values()])) ** (1 / max(1, len(inputs) - len(axes))))
    )
    for column, (item, x) in inputs.items():
        if column in axes:
            continue
        if item.support == REAL:
            axes[column] = np.linspace(x.min(), x.max(), points)
        else:
            axes[column] = np.geomspace(x.min(), x.max() * (1 if item.centre == NONE else BEYOND), points)
    return complete(crossed(axes))


def crossed(axes: dict[str, Any]) -> pd.DataFrame:
    """Every combination of values, one row each."""
    return pd.MultiIndex.from_product(list(axes.values()), names=list(axes)).to_frame(index=False)


def with_groups(table: pd.DataFrame, posteriors: Sequence[Posterior], group: str | None, what: str) -> pd.DataFrame:
    """Say which group each run is of: ``group``, else the table's own column, else each of all groups.

    Raises
    ------
    InputError
        An unknown group, or one where the fit has none.
    """
    grouped = [p for p in posteriors if p.model.group]
    if not grouped:
        if group is not None:
            raise InputError(f"Group {group!r} was asked for, but these runs were fitted as one law, without pool=.")
        return table
    column, known = str(grouped[0].model.group), grouped[0].model.groups
    if group is None and column not in table:
        return table.merge(pd.DataFrame({column: list(known)}), how="cross")
    labels = table[column].astype(str) if column in table else pd.Series([str(group)] * len(table))
    if group is not None and column in table and what == "at":
        raise InputError(f"The points have a column {column!r}; do not pass group= as well.")
    if unknown := sorted({*labels} - {*known, "new"}):
        raise InputError(
            f"There is no group {quoted(unknown)} of {column} in {what}. Groups: {listed(known)}, or 'new'."
        )
    return table.assign(**{column: labels.to_numpy()})


def _parts(posterior: Posterior, table: pd.DataFrame) -> Iterator[tuple[str | None, np.ndarray]]:
    column = posterior.model.group
    if not column:
        yield None, np.arange(len(table))
        return
    labels = table[column].to_numpy(dtype=str)
    for label in np.unique(labels):
        yield str(label), np.flatnonzero(labels == label)


def expect(posterior: Posterior, table: pd.DataFrame, question: Callable[..., Any], seed: int = 0) -> xr.DataArray:
    """Ask what a posterior expects of runs, group by group.

    Parameters
    ----------
    posterior : Posterior
        A fit.
    table : DataFrame
        Runs, with their group where the fit has groups.
    question : callable
        Takes the expected response without noise (dims chain, draw, run), the parameters, the facts for the noise, and
        the rows they are of; gives an array with the dim ``run``.
    seed : int
        For the draws of a new group.

    Returns
    -------
    DataArray
        In the order of the table.

    Raises
    ------
    InputError
        The runs lack an input of the law.
    """
    model = posterior.model
    if missing := [c for c in model.law.columns if c not in table]:
        raise InputError(f"Law {model.law.name!r} takes {listed(model.law.columns)}; {listed(missing)} is not given.")
    parts: list[xr.DataArray] = []
    order = []
    for label, rows in _parts(posterior, table):
        chosen = table.iloc[rows]
        inputs = {s: xr.DataArray(x, dims="run") for s, x in model.inputs(chosen).items()}
        params = posterior.params(label, seed)
        location = posterior.truth(params, inputs, posterior.beyond(inputs, label))
        trials = model.trials is not None and "n_trials" in chosen
        asked = xr.DataArray(chosen["n_trials"].to_numpy(dtype=float), dims="run") if trials else None
        facts = model.facts(model.relative(inputs), asked)
        parts.append(question(location, params, facts, rows))
        order.append(rows)
    back = np.argsort(np.concatenate(order))
    return xr.concat(parts, "run", coords="minimal", compat="override").isel(run=back)


def farthest(posterior: Posterior, table: pd.DataFrame) -> float:
    """How many times the farthest of some runs lies beyond those of the fit; 1 inside."""
    reach = []
    for label, rows in _parts(posterior, table):
        inputs = {s: xr.DataArray(x, dims="run") for s, x in posterior.model.inputs(table.iloc[rows]).items()}
        reach.append(float(posterior.beyond(inputs, label).max()))
    return max(reach)
