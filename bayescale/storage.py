"""One self-describing NetCDF file: draws, the runs they were learnt from, and what was assumed.

It is written whole or not at all.
"""

import json
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr

from bayescale.errors import InputError
from bayescale.files import replacing
from bayescale.numerals import as_float, is_numeric
from bayescale.runs import hash_runs
from bayescale.words import shown

FORMAT = "bayescale posterior 3"
STACK_FORMAT = "bayescale stack 1"
_GROUPS = ("posterior", "sample_stats", "observed_data", "constant_data")
_MEMBER = "member_"
_SAID = {"posterior": "model is", "stack": "description is"}
_PACKAGES = ("bayescale", "pymc", "pytensor", "nutpie", "arviz", "numpy", "xarray")


class Stored(NamedTuple):
    """What a posterior is made of, as it is written."""

    draws: xr.DataTree
    runs: pd.DataFrame
    spec: Mapping[str, Any]


def write_tree(path: str | os.PathLike[str], draws: xr.DataTree, runs: pd.DataFrame, spec: Mapping[str, Any]) -> None:
    """Write draws, runs and a JSON-able specification to one file, atomically.

    Raises
    ------
    InputError
        The folder does not exist or cannot be written.
    """
    _write(path, _pack(draws, runs, spec), "posterior")


def read_tree(path: str | os.PathLike[str]) -> Stored:
    """Read what `write_tree` wrote.

    Raises
    ------
    InputError
        No such file; not one of ours; cut short; changed since.
    """
    tree = _read(path, "posterior")
    if tree.attrs.get("format") == STACK_FORMAT:
        raise InputError(f"{str(path)!r} is a stack of posteriors, not one posterior; forecast from it, or show it.")
    return _unpack(tree, path)


def write_stack(
    path: str | os.PathLike[str], members: Sequence[Stored], weight_draws: xr.Dataset, spec: Mapping[str, Any]
) -> None:
    """Write several posteriors and what is known of their weights to one file, atomically.

    Each member is a numbered group that holds what the file of a posterior holds.

    Raises
    ------
    InputError
        The folder does not exist or cannot be written.
    """
    tree = xr.DataTree.from_dict({"weights": weight_draws})
    for i, member in enumerate(members):
        tree[f"{_MEMBER}{i}"] = _pack(*member)
    tree.attrs = _described(STACK_FORMAT, spec)
    _write(path, tree, "stack")


def read_stack(path: str | os.PathLike[str]) -> tuple[list[Stored], xr.Dataset, dict[str, Any]]:
    """Read what `write_stack` wrote.

    Raises
    ------
    InputError
        No such file; not one of ours; cut short; changed since.
    """
    tree = _read(path, "stack")
    if tree.attrs.get("format") != STACK_FORMAT or "weights" not in tree.children:
        raise InputError(
            f"{str(path)!r} is not a stack saved by this version of bayescale ({STACK_FORMAT!r}). "
            "Stack again with `bayescale stack A.NC B.NC -o stack.nc`."
        )
    spec = _specification(tree, path, "stack")
    members = [_unpack(tree.children[name], path) for name in sorted(tree.children, key=_number) if name != "weights"]
    return members, tree.children["weights"].to_dataset(), spec


def is_stack(path: str | os.PathLike[str]) -> bool:
    """Whether a file says of itself that it is a stack; whether it is sound is seen when it is read."""
    try:
        with xr.open_dataset(path, engine="h5netcdf") as root:
            return root.attrs.get("format") == STACK_FORMAT
    except Exception:  # no file, or no NetCDF: h5netcdf, h5py and xarray raise what they will
        return False


def _number(name: str) -> int:
    digits = name.removeprefix(_MEMBER)
    return int(digits) if digits.isdecimal() else -1


def _described(kind: str, spec: Mapping[str, Any]) -> dict[str, str]:
    text = json.dumps(spec)
    return {
        "format": kind,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "spec": text,
        "spec_sha256": sha256(text.encode()).hexdigest(),
        "versions": json.dumps(versions()),
    }


def _pack(draws: xr.DataTree, runs: pd.DataFrame, spec: Mapping[str, Any]) -> xr.DataTree:
    """One tree of all that a posterior is."""
    tree = draws.copy()
    stored = _runs_to_dataset(runs)
    tree["runs"] = xr.DataTree(stored)
    tree.attrs = _described(FORMAT, spec) | {
        "notes": json.dumps(list(runs.attrs.get("notes", []))),
        "runs_sha256": hash_runs(_runs_from_dataset(stored)),
    }
    return tree


def _unpack(tree: xr.DataTree, path: str | os.PathLike[str]) -> Stored:
    """Take a tree of `_pack` apart, and check it."""
    if tree.attrs.get("format") != FORMAT or not {*_GROUPS, "runs"} <= set(tree.children):
        raise InputError(
            f"{str(path)!r} is not a posterior saved by this version of bayescale ({FORMAT!r}). "
            "Fit again with `bayescale fit RUNS -o post.nc`."
        )
    try:
        runs = _runs_from_dataset(tree["runs"].to_dataset())
        runs.attrs["notes"] = json.loads(tree.attrs["notes"])
        intact = hash_runs(runs) == tree.attrs["runs_sha256"]
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{str(path)!r} is a damaged posterior: {error!r}.") from error
    if not intact:
        raise InputError(f"{str(path)!r} is a damaged posterior: its runs are not those it was saved with.")
    spec = _specification(tree, path, "posterior")
    return Stored(xr.DataTree.from_dict({group: tree[group].to_dataset() for group in _GROUPS}), runs, spec)


def _specification(tree: xr.DataTree, path: str | os.PathLike[str], what: str) -> dict[str, Any]:
    try:
        spec = dict(json.loads(tree.attrs["spec"]))
        same = sha256(tree.attrs["spec"].encode()).hexdigest() == tree.attrs["spec_sha256"]
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{str(path)!r} is a damaged {what}: {error!r}.") from error
    if not same:
        raise InputError(f"{str(path)!r} is a damaged {what}: its {_SAID[what]} not the one it was saved with.")
    return spec


def _write(path: str | os.PathLike[str], tree: xr.DataTree, what: str) -> None:
    """Write a tree under its name only when it is complete."""
    compressed = {
        node.path: {name: {"zlib": True, "complevel": 4} for name in node.data_vars}
        for node in tree.subtree
        if node.name in ("posterior", "sample_stats")
    }
    with replacing(path, what, {"posterior": "post.nc", "stack": "stack.nc"}[what]) as name:
        # HDF5 ends the whole process where a disk fills up under it, so it writes to memory.
        content = BytesIO()
        tree.to_netcdf(content, engine="h5netcdf", encoding=compressed)
        Path(name).write_bytes(content.getvalue())  # a view of the buffer would outlive an interrupt


def _read(path: str | os.PathLike[str], what: str) -> xr.DataTree:
    if not isinstance(path, str | os.PathLike):
        raise InputError(f"A {what} is opened by the path of its file; {shown(path)} was given.")
    if "\0" in os.fspath(path) or not os.path.isfile(path):
        raise InputError(f"There is no file {str(path)!r}.")
    try:
        with xr.open_datatree(path, engine="h5netcdf") as stored:
            return stored.load()
    except Exception as error:  # h5netcdf, h5py and xarray raise what they will on a broken file
        raise InputError(
            f"{str(path)!r} cannot be read as a {what}: it is damaged, cut short, or no NetCDF file ({error})."
        ) from error


def versions() -> dict[str, str]:
    """Versions of the packages that draws and answers come from, on this machine."""
    return {name: _version(name) for name in _PACKAGES}


@cache
def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"


def _runs_to_dataset(runs: pd.DataFrame) -> xr.Dataset:
    """Columns as numbered variables, since a column may be called anything; its name and type are attributes.

    Numbers and truth values stay what they are. All else becomes text, and the rows where it is missing an attribute.
    """
    variables: dict[str, Any] = {}
    for i, (column, values) in enumerate(runs.items()):
        data, kind, missing = _to_storable(values)
        attrs = {"column": str(column), "type": kind} | ({"missing": missing} if missing.size else {})
        variables[f"column_{i}"] = ("row", data, attrs)
    return xr.Dataset(variables)


def _to_storable(values: pd.Series) -> tuple[np.ndarray, str, np.ndarray]:
    """Values as NetCDF holds them, their type, and the positions of missing text."""
    none = np.array([], dtype="int64")
    if isinstance(values.dtype, np.dtype) and values.dtype.kind in "biuf":
        return values.to_numpy(), str(values.dtype), none
    if is_numeric(values):
        return as_float(values), "float64", none
    missing = np.flatnonzero(values.isna().to_numpy())
    text = np.array(["" if gone else str(v) for v, gone in zip(values, values.isna(), strict=True)], dtype=object)
    return text, "str", missing


def _runs_from_dataset(dataset: xr.Dataset) -> pd.DataFrame:
    names = sorted(dataset.data_vars, key=lambda n: int(str(n).removeprefix("column_")))
    columns: Mapping[str, Any] = {str(dataset[n].attrs["column"]): _from_storable(dataset[n]) for n in names}
    return pd.DataFrame(columns)


def _from_storable(stored: xr.DataArray) -> np.ndarray:
    if stored.attrs["type"] != "str":
        return stored.to_numpy().astype(stored.attrs["type"])
    text = stored.to_numpy().astype(object)
    text[np.atleast_1d(stored.attrs.get("missing", [])).astype("int64")] = np.nan
    return text
