"""A table as it stands in a file or a DataFrame, before anything is known of its columns."""

import io
import json
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from bayescale.errors import InputError
from bayescale.exports import DOUBTS, curve_of, doubts_of, is_trainer_state, records_of, spread_records
from bayescale.words import listed, quoted


def read_table(source: str | os.PathLike[str] | pd.DataFrame) -> pd.DataFrame:
    """Read a table, in whatever form it comes, without asking what its columns mean.

    Parameters
    ----------
    source : path or DataFrame
        A file whose name ends in one of `_READERS`, or a DataFrame, which is not changed. Named levels of an
        index become columns. So do the fields of nested records, as `exports` names them.

    Returns
    -------
    DataFrame
        Rows in the order read, with index 0 to n-1; no two columns have one name.
    """
    table = _load_frame(source) if isinstance(source, pd.DataFrame) else _load_file(source)
    check_names_differ(table.columns)
    try:
        spread = spread_records(table)
    except RecursionError:
        raise InputError("Records of the table are nested too deeply to be read. Give one field for each.") from None
    check_names_differ(spread.columns)
    return spread


def check_names_differ(names: Iterable[object]) -> None:
    """Refuse two columns of one name."""
    seen = set()
    for name in names:
        if name in seen:
            raise InputError(f"More than one column is called {str(name)!r}. Rename all but one of them.")
        seen.add(name)


def _load_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """Copy a DataFrame; named levels of its index become columns, an index without a name goes."""
    if frame.columns.nlevels > 1:
        raise InputError(f"The columns have {frame.columns.nlevels} levels of names. Give each column one name.")
    names = enumerate(frame.index.names)
    keep = [level for level, name in names if name is not None and name not in frame.columns]
    if keep:
        frame = frame.reset_index(level=keep, allow_duplicates=True)
    return frame.reset_index(drop=True)


def _load_file(source: str | os.PathLike[str]) -> pd.DataFrame:
    if not isinstance(source, (str, os.PathLike)):
        raise InputError(f"Runs are read from a path or a DataFrame; this is a {type(source).__name__}.")
    path = Path(source).expanduser()
    content = _read_bytes(path)
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise InputError(f"{path} ends in {path.suffix!r}. Give a table in {listed(_READERS)}.")
    if not content.strip():
        raise InputError(f"{path} is empty. Give a table with a line of column names and one line per run.")
    if content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        raise InputError(f"{path} is a web page (HTML or XML), not a table. Download the raw file instead.")
    try:
        table = reader(content)
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text ({error}). Save it as UTF-8.") from error
    except (ValueError, TypeError, KeyError, OSError, NotImplementedError, RecursionError) as error:
        raise InputError(f"{path} cannot be read as a {path.suffix} table. {str(error).strip()}") from error
    return _load_frame(table)


def _read_bytes(path: Path) -> bytes:
    if path.is_dir():
        raise InputError(f"{path} is a folder. Give one file.")
    try:
        with path.open("rb") as file:
            before = os.fstat(file.fileno())
            content = file.read()
            after = os.fstat(file.fileno())
    except FileNotFoundError as error:
        raise InputError(f"There is no file {path}. Check the path; it starts at {Path.cwd()}.") from error
    except OSError as error:
        raise InputError(f"{path} cannot be opened: {error.strerror}. Check its name and rights.") from error
    except ValueError as error:  # a null byte
        raise InputError(f"{str(path)!r} is no path of a file.") from error
    if (before.st_mtime_ns, before.st_size) != (after.st_mtime_ns, after.st_size) or len(content) < after.st_size:
        raise InputError(f"{path} changed while it was read. Wait until it is written, and read it again.")
    return content


def _read_csv(content: bytes, separator: str = ",") -> pd.DataFrame:
    text = content.decode("utf-8-sig")
    options: dict[str, Any] = {"sep": separator, "skipinitialspace": True}
    # pandas would rename a second column N to "N.1", so the header is looked at on its own first.
    header = pd.read_csv(io.StringIO(text), header=None, nrows=1, dtype=str, keep_default_na=False, **options)
    names = [name for name in header.iloc[0].tolist() if name]
    check_names_differ(names)
    table = pd.read_csv(io.StringIO(text), low_memory=False, **options)
    # Where rows are longer than the header, pandas makes the first column an index: every name shifts.
    if not isinstance(table.index, pd.RangeIndex):
        raise InputError(f"Its rows have more fields than its header ({quoted(names)}). Name every column.")
    return table


def _read_tsv(content: bytes) -> pd.DataFrame:
    return _read_csv(content, separator="\t")


def _read_parquet(content: bytes) -> pd.DataFrame:
    import pyarrow

    try:
        table = pd.read_parquet(pyarrow.BufferReader(content))
        for _, column in table.items():
            if column.dtype.kind not in "biuf":
                column.tolist()  # text is decoded only now
    except pyarrow.ArrowException as error:
        raise InputError(f"It is damaged ({error}).") from error
    return table


def _read_json(content: bytes) -> pd.DataFrame:
    text = content.decode("utf-8-sig")
    parsed = _parse_json(text, "The list") if text.lstrip().startswith("[") else _one_object(text)
    if is_trainer_state(parsed):
        return curve_of(parsed)
    records = list(_json_lines(text)) if parsed is None else records_of(parsed)
    strays = [number for number, record in enumerate(records, 1) if not isinstance(record, dict)]
    if strays:
        raise InputError(f"Entry {strays[0]} has no named fields. Write one JSON object per run.")
    table = pd.DataFrame(records)
    table.attrs[DOUBTS] = doubts_of(parsed)
    return table


def _one_object(text: str) -> Any:
    """The one object that a text is, over however many lines; None where it is several, or none."""
    try:
        return json.loads(text, object_pairs_hook=_json_object)
    except json.JSONDecodeError:
        return None


def _json_lines(text: str) -> Iterator[Any]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield _parse_json(line, f"Line {number}")


def _parse_json(text: str, place: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_json_object)
    except json.JSONDecodeError as error:
        raise InputError(f"{place} is not JSON ({error.msg}). Write one JSON object per line.") from error


def _json_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    check_names_differ(name for name, _ in pairs)
    return dict(pairs)


_READERS: dict[str, Callable[[bytes], pd.DataFrame]] = {
    ".csv": _read_csv,
    ".tsv": _read_tsv,
    ".parquet": _read_parquet,
    ".jsonl": _read_json,
    ".ndjson": _read_json,
    ".json": _read_json,
}
