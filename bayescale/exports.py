"""What experiment trackers export: nested records as columns, runs that have not finished, a run's log as a curve.

Formats, as their makers describe them: Weights & Biases (runs table as CSV; ``wandb.Api().runs``) [1]_, MLflow
(``mlflow.search_runs`` and the REST answer of ``runs/search``) [2]_, and the ``trainer_state.json`` that the Trainer of
Hugging Face's transformers writes beside a checkpoint [3]_.

References
----------
.. [1] https://docs.wandb.ai/guides/track/public-api-guide
.. [2] https://mlflow.org/docs/latest/rest-api.html and ``mlflow.search_runs`` of the Python interface.
.. [3] https://huggingface.co/docs/transformers/main_classes/callback, ``TrainerState``; what an entry of its
   ``log_history`` holds, and when, is ``Trainer.log`` in huggingface/transformers.
"""

import ast
import json
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from bayescale.errors import InputError
from bayescale.words import COUNTING, counted, listed, quoted, row_numbers

# How both trackers say it, in any case; a column is a state only where all of it is one of these.
_FINISHED = "finished"
_STATES = {_FINISHED, "running", "crashed", "failed", "killed", "preempted", "preempting", "pending", "scheduled"}
_STATE_COLUMNS = ("state", "status")
_NAME_COLUMNS = ("name", "run_name", "tags.mlflow.runname", "run_id", "id")

# Records that pandas has written into a CSV file, as the exports of Weights & Biases' own guide are.
_WRITTEN_RECORDS = ("config", "summary", "summaryMetrics")

CURVE = "curve"
DOUBTS = "doubts"
_CURVE_DOUBT = (
    "Rows are checkpoints of one run, not runs: their errors go together, so intervals come out too narrow, and before "
    "the end of its learning-rate schedule a run's loss is higher than that of a run made for so many tokens. Where "
    "there are several runs, take the last row of each: pd.concat([read_runs(...).tail(1), ...])."
)


# -- Nested records


def records_of(parsed: Any) -> list[Any]:
    """Runs in a parsed JSON document: a list, the ``runs`` of an answer of MLflow, or the one object that it is."""
    if isinstance(parsed, list):
        return parsed
    runs = parsed.get("runs") if isinstance(parsed, dict) else None
    return runs if isinstance(runs, list) else [parsed]


def doubts_of(parsed: Any) -> list[str]:
    """Say that a document is one page of several."""
    if not (isinstance(parsed, dict) and isinstance(parsed.get("runs"), list) and parsed.get("next_page_token")):
        return []
    n = counted(len(parsed["runs"]), "run")
    return [f"The file holds one page of {n}, and there are more: ask the server with a larger max_results."]


def spread_records(table: pd.DataFrame) -> pd.DataFrame:
    """Turn columns of records into columns of their own, named by the path: ``config.model.depth``.

    A column ``info`` beside ``data`` is a run of MLflow: its fields get the names that ``mlflow.search_runs`` gives
    them, such as ``status``, ``metrics.val_loss`` and ``params.n_params``. A value that Weights & Biases keeps as
    ``{"desc": ..., "value": 0.001}`` is that value.
    """
    nested = {name: cells for name, column in table.items() if (cells := _records(str(name), column)) is not None}
    if not nested:
        return table
    bare = ("info", "data") if {"info", "data"} <= set(nested) else ()
    rows: list[dict[Any, Any]] = [{} for _ in range(len(table))]
    for name, column in table.items():
        for row, cell in zip(rows, nested.get(name, column.tolist()), strict=True):
            _add(row, _flat(cell, "" if name in bare else str(name)) if name in nested else {name: cell})
    spread = pd.DataFrame(rows, index=table.index)
    spread.attrs = dict(table.attrs)
    return spread


def _records(name: str, column: pd.Series) -> list[dict[str, Any]] | None:
    """Cells of a column of records, empty where one is missing; None for any other column."""
    if pd.api.types.is_numeric_dtype(column.dtype):
        return None
    cells = column.tolist()
    if name in _WRITTEN_RECORDS:
        cells = [_parse_record(cell) for cell in cells]
    there = [cell for cell in cells if not _is_missing(cell)]
    if not there or not all(isinstance(cell, dict) for cell in there):
        return None
    return [cell if isinstance(cell, dict) else {} for cell in cells]


def _is_missing(cell: Any) -> bool:
    return cell is None or cell is pd.NA or (isinstance(cell, float) and np.isnan(cell))


def _parse_record(cell: Any) -> Any:
    """Read a record written as JSON or as Python writes a dict; any other cell stays what it is."""
    if not (isinstance(cell, str) and cell.lstrip().startswith("{")):
        return cell
    try:
        return json.loads(cell)
    except RecursionError:  # nested thousands of levels deep: no record of a run
        return cell
    except ValueError:
        pass
    # Python writes nan and inf, and reads neither; a number too large to hold is read as infinite.
    text = re.sub(r": nan(?=[,}])", ": None", re.sub(r": (-?)inf(?=[,}])", r": \g<1>1e999", cell))
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return cell


def _flat(value: Any, path: str) -> dict[str, Any]:
    """Leaves of a nested record, by the path to each."""
    if (
        isinstance(value, list)
        and value
        and all(isinstance(item, dict) and isinstance(item.get("key"), str) for item in value)
    ):
        value = {item["key"]: item.get("value") for item in sorted(value, key=_when)}
    if isinstance(value, Mapping) and set(value) == {"value", "desc"}:
        value = value["value"]
    if not isinstance(value, Mapping):
        return {path: value}
    leaves: dict[str, Any] = {}
    for key, inner in value.items():
        _add(leaves, _flat(inner, f"{path}.{key}" if path else str(key)))
    return leaves


def _add(leaves: dict[Any, Any], more: Mapping[Any, Any]) -> None:
    if both := [name for name in more if name in leaves]:
        raise InputError(f"Two fields of one record come to be called {quoted(both)}. Rename one of them.")
    leaves |= more


def _when(item: Mapping[str, Any]) -> tuple[float, ...]:
    """When a metric was logged, so that the last of several values counts."""
    moments = (item.get("step"), item.get("timestamp"))
    return tuple(float(moment) if isinstance(moment, int | float) else 0.0 for moment in moments)


# -- Runs that have not finished


def find_unfinished(table: pd.DataFrame) -> dict[int, str]:
    """Positions of the runs that a tracker says have not finished, each with its state; none without such a column."""
    for name, column in table.items():
        if str(name).lower() not in _STATE_COLUMNS:
            continue
        states = ["unknown" if _is_missing(cell) else str(cell).lower() for cell in column.tolist()]
        real = set(states) - {"unknown"}
        if real and real <= _STATES:
            return {row: state for row, state in enumerate(states) if state != _FINISHED}
    return {}


def unfinished_sentence(table: pd.DataFrame, unfinished: Mapping[int, str]) -> str:
    """Name the runs that have not finished, with their states."""
    lowered = {str(name).lower(): name for name in table.columns}
    named = [lowered[name] for name in _NAME_COLUMNS if name in lowered]
    said = [f"{table[named[0]].iloc[row]} ({state})" if named else state for row, state in unfinished.items()]
    some = f"{len(unfinished)} of {counted(len(table), 'run')} {'has' if len(unfinished) == 1 else 'have'} not finished"
    return f"{some}: {listed(said, limit=5)} ({row_numbers([*unfinished])}; {COUNTING})"


# -- The log of one run


def is_trainer_state(parsed: Any) -> bool:
    """Whether a parsed JSON document is a ``trainer_state.json``."""
    return isinstance(parsed, dict) and isinstance(parsed.get("log_history"), list)


def curve_of(state: Mapping[str, Any]) -> pd.DataFrame:
    """One row for each step at which something was logged: what was logged there, training and evaluation together."""
    steps: dict[float, dict[str, Any]] = {}
    for entry in state["log_history"]:
        if isinstance(entry, dict) and isinstance(entry.get("step"), int | float):
            # As text, a loss that is no number is refused later on, not taken for one that was not measured.
            logged = {key: "NaN" if value != value else value for key, value in entry.items()}
            steps.setdefault(entry["step"], {}).update(logged)
    if not steps:
        raise InputError("Its log_history is empty. Give the trainer_state.json of the last checkpoint.")
    table = pd.DataFrame([steps[step] for step in sorted(steps)])
    table.attrs |= {CURVE: True, DOUBTS: [_CURVE_DOUBT]}
    return table


def name_curve(table: pd.DataFrame, columns: Mapping[str, str]) -> dict[str, str]:
    """Add the names a log is sure of: loss on held-out data, and tokens seen.

    Raises
    ------
    InputError
        The run was not evaluated, or its log does not say how many tokens it had seen.
    """
    named = dict(columns)
    if not {"L", "accuracy", "elo"} & set(named):
        if "eval_loss" not in table.columns:
            raise InputError(
                "The log has no 'eval_loss'. Pass L='loss' for the training loss (a mean over the steps between two "
                f"entries), or another column. It has: {quoted(table.columns)}."
            )
        named["L"] = "eval_loss"
    if not {"D", "C"} & set(named):
        if "num_input_tokens_seen" not in table.columns:
            raise InputError(
                "The log does not say how many tokens had been seen (include_num_input_tokens_seen=True would make "
                "it). Pass the tokens of one step, D='step*524288': sequences of a step, over all devices and "
                "accumulated batches, times their length."
            )
        named["D"] = "num_input_tokens_seen"
    return named


def measured_steps(runs: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    """Keep the steps of a log at which the response was measured, after the first step."""
    response = next(name for name in ("L", "accuracy", "elo") if name in runs.columns)
    unmeasured = np.flatnonzero(runs[response].isna() | ~(runs["step"] > 0))
    if unmeasured.size:
        steps = counted(unmeasured.size, "step")
        notes.append(f"{steps} of the log left out: {response} was not measured there, or before the first step.")
    return runs.drop(index=unmeasured.tolist()).reset_index(drop=True)
