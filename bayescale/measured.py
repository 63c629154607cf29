"""Errors of measured responses: the column that holds them, and averages over seeds."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from bayescale.errors import BayescaleWarning, InputError
from bayescale.given import check_kind, check_text
from bayescale.numerals import as_float, is_numeric, missing_in, parse_column
from bayescale.words import COUNTING, counted, listed, quoted, rows_that_are_not

__all__ = ["average_seeds", "error_column", "read_errors"]

_RESPONSES = ("L", "accuracy", "elo")
_ALIAS = "loss_se"
COUNT = "seeds"


def error_column(response: str) -> str:
    """Name of the column with the standard errors of a response: ``L_se``."""
    return f"{response}_se"


def read_errors(runs: pd.DataFrame, response: str) -> np.ndarray | None:
    """Standard errors of a response in its own unit, checked; None where the table has none.

    Raises
    ------
    InputError
        They are not numbers, or missing, negative or not finite in some row.
    """
    name = error_column(response)
    if name not in runs.columns:
        return None
    column: Any = runs[name]
    values, bad = parse_column(column)
    if bad:
        raise InputError(
            f"Column {name!r} (standard error of {response}) must be numbers; "
            f"{rows_that_are_not(bad, len(runs))}, first {column.tolist()[bad[0]]!r}."
        )
    wrong = np.flatnonzero(~(np.isfinite(values) & (values >= 0)))
    if wrong.size:
        first = values[wrong[0]]
        raise InputError(
            f"Column {name!r} (standard error of {response}) must be zero or positive, and finite; "
            f"{rows_that_are_not(wrong, len(runs))}, first {'missing' if np.isnan(first) else format(first, 'g')}. "
            f"Write 0 where {response} is measured without an error of its own, or drop the column."
        )
    return values


def adopt_errors(runs: pd.DataFrame, columns: Mapping[str, str], notes: list[str]) -> tuple[pd.DataFrame, list[str]]:
    """Read ``loss_se`` as ``L_se`` and errors as numbers; the table, and what is to be doubted."""
    doubts = []
    name = error_column("L")
    if _ALIAS in runs.columns and "L" in runs.columns and name not in runs.columns and _ALIAS not in columns:
        runs = runs.rename(columns={_ALIAS: name})
        notes.append(f"Column {_ALIAS!r} is read as {name!r}.")
        doubts.append(
            f"Column {_ALIAS!r} is read as {name!r}, a measurement error independent from run to run. If it is common "
            f"to all runs (one held-out set), differences between runs are more precise than that: then pass "
            f"{_ALIAS}={_ALIAS!r}, and it is kept but not used."
        )
    for response in _RESPONSES:
        if response in runs.columns and (values := read_errors(runs, response)) is not None:
            runs = runs.assign(**{error_column(response): values})
    return runs, doubts


def average_seeds(
    runs: pd.DataFrame,
    by: str = "seed",
    *,
    response: str = "L",
    inputs: Sequence[str] | None = None,
    within: str | None = None,
) -> pd.DataFrame:
    """Average runs that differ in nothing but their seed, and keep how uncertain each average is.

    Seeds of one configuration share whatever that configuration does that the law does not know: its learning rate, its
    width. Where that is more than the seeds' spread, a law fitted to the single runs counts each seed as fresh
    evidence, and its intervals are too narrow. Averaged, each configuration is one row: the noise that a fit then
    learns is how configurations scatter about the law, and ``L_se`` is what seeds add. Where seeds are all there is to
    the scatter, both ways agree. A forecast of a run from such a fit is of an average over many seeds: a single seed
    scatters more, by the spread said in ``attrs["notes"]``.

    Parameters
    ----------
    runs : DataFrame
        A table of `read_runs` or `load_runs`.
    by : str
        The column that tells repetitions of a configuration apart.
    response : str
        What is averaged: on its log (a geometric mean) where it is positive throughout and no accuracy or Elo rating,
        as the noise of `Model` has it.
    inputs : sequence of str, optional
        The columns that tell configurations apart; other columns that vary between seeds are dropped, and said to be.
        By default all columns but ``by`` and ``response``.
    within : str, optional
        A column, such as the modality, for each of whose values the seeds' spread is estimated by itself. By default
        one spread is pooled over all configurations.

    Returns
    -------
    DataFrame
        One row for each configuration, in order of appearance: its columns, the averaged response, ``L_se``, its
        standard error in its own unit, and ``seeds``, how many runs it is made of. The spread is pooled over
        configurations with several seeds, so one with a single seed has a standard error too.

    Warns
    -----
    BayescaleWarning
        Always: how many rows became how many, and the spread of the seeds.

    Raises
    ------
    InputError
        No such column, errors of measurement already there, or no configuration with several seeds.
    """
    name = error_column(response)
    _check_columns(runs, by, response, inputs, within, name)
    keys = [str(c) for c in (inputs or runs.columns) if c not in (by, response)]
    keys += [within] if within is not None and within not in keys else []
    others = [str(c) for c in runs.columns if c not in (*keys, by, response)]
    measured: Any = runs[response]
    y = as_float(measured)
    on_log = response not in _RESPONSES[1:] and bool((y > 0).all())
    configurations: Any = runs.groupby(keys, sort=False, dropna=False, observed=True)
    cell = configurations.ngroup().to_numpy()
    table = pd.DataFrame({"cell": cell, "seed": runs[by].to_numpy(), "y": np.log(y) if on_log else y})
    _refuse_copies(table, by)
    cells: Any = table.groupby("cell")["y"]
    means, counts = cells.mean().to_numpy(), cells.size().to_numpy()
    if (counts == 1).all():
        raise InputError(
            f"No two rows differ in {by!r} and {response!r} alone, so there is nothing to average. "
            f"Columns compared: {quoted(keys)}. Name those that tell configurations apart: inputs=['N', 'D']."
        )
    part = runs[within].astype(str).to_numpy() if within else np.full(len(runs), "all runs")
    spreads = _pooled_spreads(table, means, part)
    first = table.groupby("cell").head(1).index.to_numpy()
    spread = np.array([spreads[p] for p in part[first]])
    averaged, dropped = _constant(runs, others, cell)
    averaged = averaged.iloc[first].reset_index(drop=True).drop(columns=by)
    level = np.exp(means) if on_log else means
    averaged[response] = level
    averaged[name] = spread / np.sqrt(counts) * (level if on_log else 1.0)
    averaged[COUNT] = counts
    of = f"of {response}" if not on_log else f"of {response}, as a share of it"
    said = listed(f"{s:.3g}" + (f" in {p}" if within else "") for p, s in spreads.items())
    sentence = (
        f"{counted(len(runs), 'row')} became {len(averaged)}: averages of {response} over {by!r}; "
        f"standard deviation between seeds {of}: {said}."
    )
    sentence += f" Dropped, since they vary between seeds: {quoted(dropped)}." if dropped else ""
    averaged.attrs = {**runs.attrs, "notes": [*runs.attrs.get("notes", ()), sentence]}
    warnings.warn(sentence, BayescaleWarning, stacklevel=2)
    return averaged


def _check_columns(runs, by, response, inputs, within, name) -> None:
    check_kind("runs", runs, pd.DataFrame, "Read them with read_runs.")
    for what, word in (("by", by), ("response", response), ("within", within)):
        check_text(what, word, "seed")
    if inputs is not None:
        check_kind("inputs", inputs, (list, tuple), "Name columns: inputs=['N', 'D'].")
        for column in inputs:
            check_text("inputs", column, "N")
    asked = [by, response, *(inputs or ()), *([within] if within else ())]
    if missing := [c for c in asked if c not in runs.columns]:
        raise InputError(f"The runs have no column {quoted(missing)}. They have: {quoted(runs.columns)}.")
    if by == response or by in (inputs or ()) or within == by:
        raise InputError(f"{by!r} tells seeds apart; it cannot be the response or one of the inputs too.")
    if name in runs.columns or COUNT in runs.columns:
        there = name if name in runs.columns else COUNT
        raise InputError(f"The runs have a column {there!r} already; average before it is made, or drop it.")
    if not is_numeric(runs[response]) or missing_in(runs[response]).any():
        raise InputError(f"Column {response!r} must be numbers in every row; read the table with read_runs.")


def _refuse_copies(table: pd.DataFrame, by: str) -> None:
    copies = np.flatnonzero(table.duplicated(["cell", "seed"]))
    if copies.size:
        raise InputError(
            f"{counted(copies.size, 'row')} (first: row {copies[0] + 1}; {COUNTING}) have the same {by!r} and the same "
            "configuration as an earlier one. Name all columns that tell configurations apart in inputs=, or drop them."
        )


def _pooled_spreads(table: pd.DataFrame, means: np.ndarray, part: np.ndarray) -> dict[str, float]:
    """Standard deviation within cells, pooled over those of each part, degrees of freedom counted."""
    squares = (table["y"].to_numpy() - means[table["cell"]]) ** 2
    spreads = {}
    for name in dict.fromkeys(part.tolist()):
        inside = part == name
        freedom = int(inside.sum()) - len(set(table["cell"][inside]))
        if not freedom:
            raise InputError(f"No configuration of {name!r} has several seeds, so their spread there is unknown.")
        spreads[name] = float(np.sqrt(squares[inside].sum() / freedom))
    return spreads


def _constant(runs: pd.DataFrame, others: list[str], cell: np.ndarray) -> tuple[pd.DataFrame, list[str]]:
    """Leave out the columns that vary within a cell."""
    cells: Any = runs[others].groupby(cell) if others else None
    varying = [c for c in others if cells[c].nunique(dropna=False).max() > 1]
    return runs.drop(columns=varying), varying
