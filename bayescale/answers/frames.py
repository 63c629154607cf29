"""Answers as tables with units in the names: one row for each draw, or one for each point."""

from collections.abc import Hashable

import pandas as pd
import xarray as xr

from bayescale.answers.common import doubted, reduced_table
from bayescale.errors import InputError
from bayescale.given import check_kind

_REDUCED = ("", " median", " lower", " upper")


def to_dataframe(answer: xr.Dataset, *, summary: bool = False) -> pd.DataFrame:
    """Lay out an answer as a table whose columns carry their units: ``L [nats/token]``.

    An answer is an xarray Dataset; its own method ``.to_dataframe()`` gives the same draws without units in the names,
    under an index.

    Parameters
    ----------
    answer : Dataset
        What `forecast`, `allocate`, `threshold` and the others return.
    summary : bool
        One row for each point asked and group, reduced over the draws, instead of one for each draw of them.

    Returns
    -------
    DataFrame
        With draws: ``chain`` and ``draw`` first, then coordinates and variables; one that lacks a dim is repeated along
        it. As a summary: coordinates, and of each variable with draws ``median``, ``lower`` and ``upper`` (ArviZ's kind
        and level of interval) and, where draws are infinite, their share as ``never``. A count or a ratio, whose unit
        is 1, keeps its plain name. ``attrs`` are the answer's. Where something speaks against the answer, a column
        ``doubts`` says what, in every row.

    Raises
    ------
    InputError
        It is no Dataset, has no draws to lay out, or is of several tables, as that of `design`.

    Examples
    --------
    >>> import bayescale as bs
    >>> posterior = bs.open_posterior("sweep.nc")
    >>> answer = bs.forecast(posterior, N="70B", D="1.4T")
    >>> bs.to_dataframe(answer).to_parquet("draws.parquet")
    >>> bs.to_dataframe(answer, summary=True).to_csv("forecast.csv", index=False)
    """
    if not isinstance(answer, xr.Dataset):
        raise InputError(
            f"to_dataframe takes an answer, an xarray Dataset; this is a {type(answer).__name__}. "
            "Of a posterior ask posterior.to_dataframe(); of a comparison or a stack its .table."
        )
    if not {"chain", "draw"} <= set(answer.dims):
        raise InputError(f"The answer has no draws; its dims are {', '.join(map(str, answer.dims)) or 'none'}.")
    if not any(set(values.dims) == set(answer.dims) for values in answer.data_vars.values()):
        raise InputError(
            f"No variable of the answer has all its dims, {', '.join(map(str, answer.dims))}: one table would repeat "
            f"each many times. Lay out some of {', '.join(map(str, answer.data_vars))} at a time: answer[['name']]."
        )
    check_kind("summary", summary, bool)
    if summary:
        table = reduced_table(answer)
    else:
        table = answer.to_dataframe(dim_order=["chain", "draw", *_other_dims(answer)]).reset_index()
    names = _with_units(answer)
    table.columns = [names.get(name, name) for name in table.columns]
    if doubts := doubted(answer):  # attributes do not survive a file of text
        table["doubts"] = " ".join(doubts)
    table.attrs = dict(answer.attrs)
    return table


def _other_dims(answer: xr.Dataset) -> list[Hashable]:
    return [dim for dim in answer.dims if dim not in ("chain", "draw")]


def _with_units(answer: xr.Dataset) -> dict[str, str]:
    """Column names with their unit, by those without."""
    names = {}
    for name, values in answer.variables.items():
        unit = values.attrs.get("units", "1")
        if unit not in ("", "1"):
            names |= {f"{name}{part}": f"{name}{part} [{unit}]" for part in _REDUCED}
    return names
