"""The table of training runs: read it, name its columns, check it, say its ranges.

A table of runs is a plain DataFrame, one row per run. The columns that laws ask for stand in `KNOWN`; every
other column is kept as it is. ``runs.attrs["notes"]`` lists in sentences what was done to the table.
"""

import difflib
import hashlib
import json
import os
import re
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from bayescale.cost import six_nd
from bayescale.doubts import doubt_compute, doubt_constants, doubt_few, doubt_response, doubt_units, is_constant
from bayescale.errors import BayescaleWarning, InputError
from bayescale.exports import CURVE, DOUBTS, find_unfinished, measured_steps, name_curve, unfinished_sentence
from bayescale.given import check_choice
from bayescale.measured import adopt_errors
from bayescale.numerals import as_float, is_numeric, missing_in, numbers_of, parse_column, parse_number
from bayescale.prior import POSITIVE as SUPPORT_POSITIVE
from bayescale.prior import Support
from bayescale.tables import check_names_differ, read_table
from bayescale.words import COUNTING, counted, listed, quoted, row_numbers, rows_that_are_not

__all__ = ["KNOWN", "check_runs", "describe_runs", "hash_runs", "read_runs"]


# -- What the columns mean


@dataclass(frozen=True)
class Requirement:
    """What the values of a column must be: in words, and as a test of each value."""

    words: str
    holds: Callable[[np.ndarray], np.ndarray]


POSITIVE = Requirement("positive and finite", lambda x: np.isfinite(x) & (x > 0))
SHARE = Requirement("between 0 and 1 (a share, not per cent)", lambda x: (x >= 0) & (x <= 1))
FINITE = Requirement("finite", np.isfinite)
_REQUIRED = {"positive": POSITIVE, "unit": SHARE, "real": FINITE}


@dataclass(frozen=True)
class Known:
    """A column that laws ask for: its meaning, what it must be, and what tables usually call it."""

    meaning: str
    requirement: Requirement
    usual_names: str


KNOWN = {
    "N": Known(
        "parameters",
        POSITIVE,
        "params n_params num_params parameters n_parameters num_parameters model_size "
        "params_total total_params params_non_embedding params_no_embed",
    ),
    "D": Known(
        "training tokens",
        POSITIVE,
        "tokens n_tokens num_tokens train_tokens training_tokens tokens_seen",
    ),
    "C": Known(
        "training FLOP",
        POSITIVE,
        "flop flops compute train_flop train_flops training_flop training_flops total_flops flops_6nd",
    ),
    "L": Known(
        "loss",
        POSITIVE,
        "loss val_loss valid_loss validation_loss eval_loss test_loss final_loss train_loss",
    ),
    "accuracy": Known("share of right answers", SHARE, "acc test_accuracy val_accuracy eval_accuracy test_acc val_acc"),
    "elo": Known("Elo rating", FINITE, "elo_rating elo_score arena_elo rating"),
}


def _plain(name: object) -> str:
    return re.sub(r"[^a-z0-9]", "", str(name).lower())


def _likely_columns(columns: Iterable[object]) -> dict[str, str]:
    """Known names whose column seems to be in a table under a usual name, with that name."""
    names = [str(column) for column in reversed(list(columns))]
    # A tracker's export says where a name stood: config.n_params, metrics.val_loss.
    table = {_plain(name.partition(".")[2]): name for name in names} | {_plain(name): name for name in names}
    likely = {}
    for name, known in KNOWN.items():
        found = [alias for alias in map(_plain, (name, *known.usual_names.split())) if alias in table]
        if found:
            likely[name] = table[found[0]]
    return likely


# -- Read a table


def read_runs(
    source: str | os.PathLike[str] | pd.DataFrame,
    *,
    fill: Literal["C", "N", "D"] | None = None,
    duplicates: Literal["warn", "keep", "drop"] = "warn",
    unfinished: Literal["warn", "keep", "drop"] = "warn",
    **columns: str,
) -> pd.DataFrame:
    """Read a table of training runs, name its columns and check it.

    Nothing is guessed, dropped or clipped: a table with a wrong cell is refused with the number of its row.

    Exports of Weights & Biases (CSV of the runs table, or JSON records with ``config`` and ``summary``) and of MLflow
    (``search_runs`` as a DataFrame or CSV, or the JSON of ``runs/search``) are tables like others: fields of records
    are columns named by their path, ``config.n_params``, ``summary.val/loss``, ``metrics.val_loss``. A
    ``trainer_state.json`` of Hugging Face's Trainer is one curve: a row for each evaluation, ``L`` from ``eval_loss``
    and ``D`` from ``num_input_tokens_seen``, unless they are given. Read several and join them with ``pd.concat``.

    Parameters
    ----------
    source : path or DataFrame
        A ``.csv``, ``.tsv``, ``.parquet``, ``.jsonl``, ``.ndjson`` or ``.json`` file (one object a line, or
        one list of objects), or a DataFrame, which is not changed. Named levels of its index become columns.
    fill : {"C", "N", "D"}, optional
        The column to fill in from ``C = 6 N D``. C is filled in unasked where N and D are there and C is not.
    duplicates : {"warn", "keep", "drop"}
        What to do with rows that are exact copies of an earlier row.
    unfinished : {"warn", "keep", "drop"}
        What to do with runs that a tracker's column ``state`` or ``status`` says have not finished (crashed, running).
    **columns
        The table's own name of a column, by the name it shall have: ``N="n_params"``, ``epochs="n_epochs"``.
        A column that already had the new name is kept as ``N_original``. A product of columns and numbers stands for
        a column too, where none has that name: ``D="steps*batch_size*2048"``, ``N="params_in_millions*1e6"``; so does
        one number for all runs, ``N="124M"``.

    Returns
    -------
    DataFrame
        One row per run, in the order read. ``N`` (parameters), ``D`` (training tokens), ``C`` (training
        FLOP), ``L`` (loss), ``accuracy`` (share) and ``elo``, where there, are float64; text such as ``7B``
        in them is read by `parse_number`. So is text in another mapped column, if all of it is numbers. ``L_se``,
        ``accuracy_se`` and ``elo_se`` are standard errors of those responses, in their units, zero or positive;
        ``loss_se`` is read as ``L_se``.
        ``attrs["notes"]`` lists what was done.

    Warns
    -----
    BayescaleWarning
        Rows are copies of others, runs have not finished, rows are checkpoints of one run, a file is one page of
        several, C is far from 6 N D in some rows, all responses are equal, N or D look as if in billions, or
        ``loss_se`` is taken as an error independent from run to run.
    """
    check_choice("fill", fill, (None, "C", "N", "D"))
    check_choice("duplicates", duplicates, ("warn", "keep", "drop"))
    check_choice("unfinished", unfinished, ("warn", "keep", "drop"))
    table = read_table(source)
    _check_length(table)
    notes = list(table.attrs.get("notes", []))
    for doubt in table.attrs.pop(DOUBTS, ()):
        warnings.warn(doubt, BayescaleWarning, stacklevel=2)
    if early := find_unfinished(table):
        sentence = unfinished_sentence(table, early)
        if unfinished == "drop":
            table = _drop_unfinished(table, early, sentence, notes)
        if unfinished == "warn":  # at once, since a cell that they lack is refused below
            warnings.warn(f"{sentence}. {_UNFINISHED_ADVICE}", BayescaleWarning, stacklevel=2)
    is_curve = table.attrs.pop(CURVE, False)
    if is_curve:
        columns = name_curve(table, columns)
    runs = _name_columns(table, columns, notes)
    if is_curve:
        runs = measured_steps(runs, notes)
    _check_any_known(runs)
    runs = _read_values(runs, columns, notes)
    runs, doubts = adopt_errors(runs, columns, notes)
    doubts += doubt_compute(runs)
    runs = _fill_in(runs, fill, notes)
    doubts += doubt_units(runs)
    for name in ("L", "accuracy", "elo"):
        doubts += doubt_response(runs, name, KNOWN[name].meaning)
    copies = _find_copies(runs)
    if duplicates == "warn" and copies.any():
        doubts.append(_copies_sentence(copies))
    if duplicates == "drop" and copies.any():
        runs = _drop_copies(runs, copies, notes)
    runs.attrs["notes"] = notes
    for doubt in doubts:
        warnings.warn(doubt, BayescaleWarning, stacklevel=2)
    return runs


def _check_length(table: pd.DataFrame) -> None:
    if not len(table):
        raise InputError("The table has 0 rows of data. Give one row for each run.")


_UNFINISHED_ADVICE = (
    "What they measured last is no final loss. Leave them out with unfinished='drop' (--unfinished drop), or say with "
    "'keep' that they count."
)


def _drop_unfinished(table: pd.DataFrame, rows: Mapping[int, str], sentence: str, notes: list[str]) -> pd.DataFrame:
    if len(rows) == len(table):
        raise InputError(f"{sentence}. None would be left. Pass unfinished='keep' if they count.")
    notes.append(f"Left out: {sentence}.")
    return table.drop(index=[*rows]).reset_index(drop=True)


# -- Name its columns


def _name_columns(table: pd.DataFrame, columns: Mapping[str, str], notes: list[str]) -> pd.DataFrame:
    """Give columns the names asked for; a column that had such a name before becomes ``NAME_original``."""
    for name, own in columns.items():
        table = _with_product(table, name, own)
        _check_column(table, name, own)
    for own in columns.values():
        takers = [name for name, taken in columns.items() if taken == own]
        if len(takers) > 1:
            raise InputError(f"Column {own!r} is given for {listed(takers)}. Give each a column of its own.")
    renamed = {own: name for name, own in columns.items() if own != name}
    ousted = {name: f"{name}_original" for name in renamed.values() if name in table.columns and name not in renamed}
    notes += [f"Column {own!r} is read as {name!r}." for own, name in renamed.items()]
    notes += [f"The table's own column {name!r} is kept as {kept!r}." for name, kept in ousted.items()]
    runs = table.rename(columns=renamed | ousted)
    check_names_differ(runs.columns)
    return runs


def _with_product(table: pd.DataFrame, name: str, own: object) -> pd.DataFrame:
    """Add the column that a product such as ``"steps*524288"`` stands for, called as the product is written."""
    if not isinstance(own, str) or own in table.columns:
        return table
    product = np.ones(len(table))
    for factor in map(str.strip, own.split("*")):
        if factor in table.columns:
            column: Any = table[factor]
            numbers, bad = parse_column(column)
            _check_factor(name, own, factor, column, bad)
            product = product * numbers
        elif _is_number(factor):
            product = product * parse_number(factor)
        elif "*" in own:
            _check_column(table, name, factor)
        else:
            return table
    return table.assign(**{own: product})


def _is_number(text: str) -> bool:
    try:
        parse_number(text)
    except InputError:
        return False
    return True


def _check_factor(name: str, own: str, factor: str, column: pd.Series, bad: list[int]) -> None:
    if bad:
        raise InputError(
            f"{name}={own!r} needs numbers in column {factor!r}; {rows_that_are_not(bad, len(column))}, "
            f"first {column.tolist()[bad[0]]!r}."
        )


def _check_column(table: pd.DataFrame, name: str, own: object) -> None:
    if not isinstance(own, str):
        raise InputError(f"{name}={own!r} is not the name of a column. Write it as text: {name}='my_column'.")
    if own in table.columns:
        return
    lowered = {str(column).lower(): str(column) for column in reversed(list(table.columns))}
    close = [repr(lowered[match]) for match in difflib.get_close_matches(own.lower(), lowered, n=3)]
    hint = f"Did you mean {' or '.join(close)}? " if close else ""
    columns = quoted(table.columns)
    raise InputError(f"The table has no column {own!r}, asked for by {name}={own!r}. {hint}It has: {columns}.")


def _check_any_known(runs: pd.DataFrame) -> None:
    if any(name in runs.columns for name in KNOWN):
        return
    names = quoted(runs.columns)
    if len(runs.columns) == 1 and ";" in names:
        raise InputError(f"The table is one column, {names}. Separate columns by commas, not semicolons.")
    likely = _likely_columns(runs.columns) or {"N": "my parameters", "D": "my tokens", "L": "my loss"}
    example = listed(f"{name}={own!r}" for name, own in likely.items())
    raise InputError(
        f"The table has none of the columns {listed(KNOWN)}. It has: {names}. "
        f"Say which is which, perhaps read_runs(..., {example})."
    )


# -- Read its values


def _read_values(runs: pd.DataFrame, columns: Mapping[str, str], notes: list[str]) -> pd.DataFrame:
    """Turn known columns into checked float64, and other mapped columns of text if all of it is numbers."""
    numeric = runs.copy()
    for name, column in runs.items():
        if name not in KNOWN and (name not in columns or is_numeric(column)):
            continue
        numbers, bad = parse_column(column)
        if name in KNOWN:
            _check_parsed(str(name), column, bad)
            _check_values(str(name), KNOWN[str(name)].meaning, numbers, KNOWN[str(name)].requirement)
        elif bad or np.isnan(numbers).all():
            continue
        if not is_numeric(column):
            notes.append(f"Text in column {name!r} is read as numbers.")
        numeric[name] = numbers
    return numeric


def _check_parsed(name: str, column: pd.Series, bad: list[int]) -> None:
    if bad:
        raise InputError(
            f"Column {name!r} ({KNOWN[name].meaning}) must be numbers; "
            f"{rows_that_are_not(bad, len(column))}, first {column.tolist()[bad[0]]!r}. "
            f"Write 7B, 1.4T or 3e9, or pass {name}='other_column'."
        )


def _check_values(name: str, meaning: str, values: np.ndarray, requirement: Requirement) -> None:
    bad = np.flatnonzero(~requirement.holds(values))
    if bad.size:
        first = values[bad[0]]
        raise InputError(
            f"Column {name!r} ({meaning}) must be {requirement.words}; "
            f"{rows_that_are_not(bad, len(values))}, "
            f"first {'missing' if np.isnan(first) else format(first, 'g')}. "
            f"Correct or drop those rows, or pass {name}='other_column' to read_runs."
        )


# -- Fill in N, D or C


def _fill_in(runs: pd.DataFrame, fill: str | None, notes: list[str]) -> pd.DataFrame:
    """Fill in the one of N, D and C that is asked for, or C where only it is missing."""
    present = [name for name in ("N", "D", "C") if name in runs.columns]
    if fill is None and present == ["N", "D"]:
        fill = "C"
    if fill is None:
        return runs
    if fill in present:
        raise InputError(f"The table has a column {fill!r}, and fill={fill!r} asks to fill it in. Drop either.")
    if len(present) < 2:
        needed = [name for name in ("N", "D", "C") if name != fill]
        raise InputError(
            f"fill={fill!r} needs the columns {' and '.join(needed)}; "
            f"the table has: {quoted(runs.columns)}. Name its columns, like {needed[0]}='my_column'."
        )
    with np.errstate(over="ignore", under="ignore"):  # what does not fit is refused just below
        filled = _solve_six_nd(runs, fill)
    _check_values(fill, f"{KNOWN[fill].meaning}, from C = 6 N D", filled, POSITIVE)
    notes.append(f"{fill} is filled in from C = 6 N D for {counted(len(runs), 'run')}.")
    return runs.assign(**{fill: filled})


def _solve_six_nd(runs: pd.DataFrame, unknown: str) -> np.ndarray:
    if unknown == "C":
        return six_nd(numbers_of(runs, "N"), numbers_of(runs, "D"))
    other = "N" if unknown == "D" else "D"
    return numbers_of(runs, "C") / six_nd(numbers_of(runs, other), 1.0)


# -- Find copies


def _as_text(value: object) -> str:
    return repr(value.tolist() if isinstance(value, np.ndarray) else value)


def _find_copies(runs: pd.DataFrame) -> np.ndarray:
    """Mark the rows that equal an earlier row in every column."""
    # DataFrame.to_csv writes a row counter without a name: no two rows would ever be equal in it.
    counters = [name for name in runs.columns if str(name).startswith("Unnamed: ")]
    table = runs.drop(columns=counters)
    # By number, since a column may be called anything, also what pandas would call as a function.
    columns = [column.map(_as_text) if column.dtype == object else column for _, column in table.items()]
    return pd.DataFrame(dict(enumerate(columns)), index=table.index).duplicated().to_numpy()


def _copies_sentence(copies: np.ndarray) -> str:
    n = int(copies.sum())
    return (
        f"{counted(n, 'row')} {'is an exact copy' if n == 1 else 'are exact copies'} of others "
        f"(first: row {np.argmax(copies) + 1}; {COUNTING}): they would fake certainty. "
        "Pass duplicates='drop' or duplicates='keep'."
    )


def _drop_copies(runs: pd.DataFrame, copies: np.ndarray, notes: list[str]) -> pd.DataFrame:
    kept = runs.drop(index=np.flatnonzero(copies).tolist()).reset_index(drop=True)
    if len(kept) < 2:
        raise InputError(f"All {len(runs)} rows are copies of one run. A law needs runs that differ.")
    n = int(copies.sum())
    notes.append(f"{counted(n, 'row')} dropped: {'a copy' if n == 1 else 'copies'} of other rows.")
    return kept


# -- Check that a law can be fitted to it


def check_runs(
    runs: pd.DataFrame,
    inputs: Mapping[str, str],
    output: tuple[str, str],
    groups: Sequence[str] = (),
    *,
    signed: Sequence[str] = (),
    known: Sequence[str] = (),
    support: Support = SUPPORT_POSITIVE,
) -> pd.DataFrame:
    """Check that a law can be fitted to a table, wherever the table comes from.

    Parameters
    ----------
    runs : DataFrame
        One row per run.
    inputs : mapping of str to str
        Columns the law is a function of, with their meaning: ``{"N": "parameters"}``. All must be positive, but
        those named in ``signed``.
    output : tuple of str
        Column the law answers, with its meaning: ``("L", "loss")``.
    groups : sequence of str
        Columns whose values (together, where there are several) say which group a run belongs to.
    signed : sequence of str
        Inputs that may be zero or negative.
    known : sequence of str
        Inputs that need not vary, as no parameter is learnt from them.
    support : Support
        Range of the output.

    Returns
    -------
    DataFrame
        A copy with float64 inputs and output, every other column as it was, rows in the same order with index
        0 to n-1, and the same ``attrs``.

    Warns
    -----
    BayescaleWarning
        An input does not vary, overall or within a group, or a group has fewer than five runs. The warning
        points at the line that called the caller of this function.
    """
    checked = _checked(runs, inputs, output, groups, signed, support)
    columns = [*inputs, output[0]]
    if len(checked) < 2:
        raise InputError(f"The table has {counted(len(checked), 'run')}. A law needs at least two.")
    if all(is_constant(numbers_of(checked, name)) for name in columns):
        raise InputError(f"All {len(checked)} runs are equal in {listed(columns)}. A law needs runs that differ.")
    parts = _split(checked, groups)
    varied = {name: meaning for name, meaning in inputs.items() if name not in known}
    for doubt in [*doubt_constants(checked, parts, varied), *doubt_few(checked, parts)]:
        warnings.warn(doubt, BayescaleWarning, stacklevel=3)
    return checked


def _checked(
    runs: pd.DataFrame,
    inputs: Mapping[str, str],
    output: tuple[str, str],
    groups: Sequence[str],
    signed: Sequence[str],
    support: Support,
) -> pd.DataFrame:
    """Copy a table with its inputs and output as float64, or say what is wrong with it."""
    if not isinstance(runs, pd.DataFrame):
        raise InputError(f"Runs must be a DataFrame, not a {type(runs).__name__}. Read them with read_runs.")
    numeric = {**inputs, output[0]: output[1]}
    check_names_differ(runs.columns)
    _check_present(runs, {**dict.fromkeys(groups, "group"), **numeric})
    checked = runs.reset_index(drop=True)
    for name, column in runs.items():
        if name in groups:
            _check_group(str(name), column)
        if name in numeric:
            checked[name] = _check_numeric(str(name), numeric[str(name)], column)
    for name, meaning in inputs.items():
        _check_values(name, meaning, numbers_of(checked, name), FINITE if name in signed else POSITIVE)
    _check_values(*output, numbers_of(checked, output[0]), _REQUIRED[support.name])
    return checked


def _check_present(runs: pd.DataFrame, wanted: Mapping[str, str]) -> None:
    missing = [name for name in wanted if name not in runs.columns]
    if not missing:
        return
    name = missing[0]
    advice = f"Use read_runs(..., {name}={_likely_columns(runs.columns).get(name, 'your_column')!r})"
    if name in ("N", "D", "C") and {"N", "D", "C"} - {name} <= set(runs.columns):
        advice += f", or read_runs(..., fill={name!r}) to take it from C = 6 N D"
    columns = quoted(runs.columns)
    raise InputError(f"The runs have no column {name!r} ({wanted[name]}). They have: {columns}. {advice}.")


def _check_numeric(name: str, meaning: str, column: pd.Series) -> np.ndarray:
    if not is_numeric(column):
        raise InputError(
            f"Column {name!r} ({meaning}) must be numbers; it is of type {column.dtype}, "
            f"first {listed(map(repr, column.head(1)))}. "
            f"Use read_runs(..., {name}={name!r}), which reads text like 7B or 3e9."
        )
    return as_float(column)


def _check_group(name: str, column: pd.Series) -> None:
    missing = np.flatnonzero(missing_in(column))
    if missing.size:
        raise InputError(
            f"Group column {name!r} is missing in {missing.size} of {len(column)} rows "
            f"({row_numbers(missing)}; {COUNTING}). Name a group for every run, or drop those rows."
        )
    # NumPy ends a text at a null byte, so that two such groups would be one.
    blank = np.flatnonzero([isinstance(v, str) and (not v.strip() or "\0" in v) for v in column.tolist()])
    if blank.size:
        raise InputError(
            f"Group column {name!r} is empty text, or holds a null byte, in {blank.size} of {len(column)} rows "
            f"({row_numbers(blank)}; {COUNTING}). Name a group for every run, or drop those rows."
        )
    try:
        column.unique()
    except TypeError as error:
        kind = type(column.iloc[0]).__name__
        raise InputError(f"Group column {name!r} holds values of type {kind}. Use text or numbers.") from error


def _split(runs: pd.DataFrame, groups: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Name the groups and give the runs of each, in order of appearance; nothing without groups."""
    if not groups:
        return {}
    grouped = runs.groupby(list(groups), observed=True, sort=False)
    return {_group_name(key): part for key, part in grouped}


def _group_name(key: object) -> str:
    return " / ".join(map(str, key)) if isinstance(key, tuple) else str(key)


# -- Describe and identify it


def describe_runs(
    runs: pd.DataFrame,
    inputs: Mapping[str, str],
    output: tuple[str, str],
    groups: Sequence[str] = (),
    *,
    signed: Sequence[str] = (),
    support: Support = SUPPORT_POSITIVE,
) -> pd.DataFrame:
    """Say how many runs there are and what they range over.

    Parameters
    ----------
    runs, inputs, output, groups, signed, support
        As in `check_runs`.

    Returns
    -------
    DataFrame
        One line per group, in order of appearance (one line, ``all runs``, without groups): ``runs``, and for
        each input and the output ``X_min``, ``X_geometric_mean`` and ``X_max`` in the unit of the column. An
        output other than loss, which may be zero or negative, has a plain ``X_mean`` instead.
    """
    checked = _checked(runs, inputs, output, groups, signed, support)
    parts = _split(checked, groups) or {"all runs": checked}
    lines = [_describe(part, inputs, output[0], signed) for part in parts.values()]
    return pd.DataFrame(lines, index=pd.Index(parts, name=" / ".join(groups) or None))


def _describe(runs: pd.DataFrame, inputs: Iterable[str], output: str, signed: Sequence[str]) -> dict[str, float]:
    line: dict[str, float] = {"runs": len(runs)}
    positive = {*inputs, "L"} - {*signed}
    for name in (*inputs, output):
        values = numbers_of(runs, name)
        line[f"{name}_min"] = values.min()
        if name in positive:
            line[f"{name}_geometric_mean"] = np.exp(np.log(values).mean())
        else:
            line[f"{name}_mean"] = (values / len(values)).sum()  # the sum itself may be too large for a float
        line[f"{name}_max"] = values.max()
    return line


def hash_runs(runs: pd.DataFrame) -> str:
    """Fingerprint of the content of a table.

    Returns
    -------
    str
        SHA-256, in hexadecimal digits, of column names, values and the order of rows. The index, ``attrs``,
        the order of columns and how a number is stored (``int64`` or ``float64``) do not count.
    """
    digest = hashlib.sha256(str(len(runs)).encode())
    for name, column in sorted(runs.items(), key=lambda item: str(item[0])):
        digest.update(json.dumps(str(name)).encode())
        digest.update(_content(column.infer_objects()))
    return digest.hexdigest()


def _content(column: pd.Series) -> bytes:
    missing = missing_in(column)
    if is_numeric(column) and _fits_float(column) and not missing.all():
        values = np.where(missing, np.nan, as_float(column)) + 0.0  # + 0.0 makes -0.0 and 0.0 the same bits
        return b"numbers" + values.astype("<f8").tobytes()
    cells = [value if isinstance(value, str) else _as_text(value) for value in column.tolist()]
    texts = [None if gone else cell for cell, gone in zip(cells, missing, strict=True)]
    return b"texts" + json.dumps(texts).encode()


def _fits_float(column: pd.Series) -> bool:
    """Whether float64 tells all values of a numeric column apart."""
    if not pd.api.types.is_integer_dtype(column.dtype):
        return True
    return bool(column.dropna().between(-(2**53), 2**53).all())
