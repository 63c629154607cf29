"""Numbers as people write them, and columns of them."""

import math
import re
from decimal import Decimal, InvalidOperation, localcontext
from numbers import Real

import numpy as np
import pandas as pd

from bayescale.errors import InputError

_NUMBER = re.compile(
    r"(?P<digits>[+-]?(?:(?:[0-9]{1,3}(?:[,_][0-9]{3})+|[0-9]+)(?:\.[0-9]*)?|\.[0-9]+))"
    r"(?:e(?P<exponent>[+-]?[0-9]+)|\s*(?P<suffix>[kmbgt]))?",
    re.IGNORECASE | re.ASCII,
)
_NOT_FINITE = ("NaN", "Infinity", "-Infinity")  # as JSON has to write them
_EXPONENT = {"k": 3, "m": 6, "b": 9, "g": 9, "t": 12}


def parse_number(text: str) -> float:
    """Read a number as people write the size of a run.

    Parameters
    ----------
    text : str
        ``3e9``, ``1,000,000``, or a decimal with one of the suffixes k (1e3), M (1e6), B or G (1e9) and
        T (1e12), in either case, with or without a space: ``7B``, ``1.4T``, ``70 M``, ``350k``. A comma
        groups thousands; it is never a decimal point.

    Returns
    -------
    float
        The float nearest to the number as written; never NaN or infinite.
    """
    match = _NUMBER.fullmatch(text.strip())
    if match is None:
        raise InputError(f"{text!r} is not a number. Write it like 7B, 1.4T, 350k, 3e9 or 1,000,000.")
    digits = re.sub("[,_]", "", match["digits"])
    exponent = match["exponent"] or _EXPONENT.get((match["suffix"] or "").lower(), 0)
    number = float(f"{digits}e{exponent}")
    if not np.isfinite(number):
        raise InputError(f"{text!r} is too large to compute with. Write a number below 1e308.")
    return number


def short_number(x: float, digits: int = 3) -> str:
    """Write a count as people say it: ``10k``, ``1.5M``, ``70B``, ``1.4T``; ``1e21`` beyond; below 1000 as it is.

    Parameters
    ----------
    x : float
        The count.
    digits : int
        Significant digits kept.
    """
    if x == 0 or not math.isfinite(x):
        return f"{x:g}"
    text = f"{x:.{digits - 1}e}"
    rounded = float(text)
    if abs(rounded) >= 1e15:  # at the largest of floats, infinite
        mantissa, power = text.split("e")
        return f"{float(mantissa):g}e{int(power)}"
    for unit, letter in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(rounded) >= unit:
            return f"{rounded / unit:g}{letter}"
    return f"{rounded:g}"


def _cell_number(value: object) -> float:
    """One cell as a float, NaN if it is missing."""
    if isinstance(value, str):
        return float(value) if value in _NOT_FINITE else parse_number(value)
    if value is None or value is pd.NA or value is pd.NaT:
        return np.nan
    if isinstance(value, (Real, Decimal)) and not isinstance(value, bool):
        return float(value)
    raise InputError(f"{value!r} is not a number. Write it like 7B, 1.4T, 350k, 3e9 or 1,000,000.")


def is_numeric(column: pd.Series) -> bool:
    """Whether a column is stored as real numbers; truth values are none."""
    types = pd.api.types
    odd = types.is_bool_dtype(column.dtype) or types.is_complex_dtype(column.dtype)
    return types.is_numeric_dtype(column.dtype) and not odd


def as_float(column: pd.Series) -> np.ndarray:
    """Values of a numeric column as float64, NaN where they are missing."""
    return column.to_numpy(dtype="float64", na_value=np.nan)


def missing_in(column: pd.Series) -> np.ndarray:
    """Mark the missing cells of any column."""
    # pandas compares each decimal with itself, at which a signalling NaN would raise.
    with localcontext() as context:
        context.traps[InvalidOperation] = False
        return column.isna().to_numpy()


def numbers_of(runs: pd.DataFrame, name: str) -> np.ndarray:
    """Values of a column that has been read or checked already."""
    return runs[name].to_numpy()


def parse_column(column: pd.Series) -> tuple[np.ndarray, list[int]]:
    """Values of any column as float64, and the positions of the cells that are no numbers."""
    if is_numeric(column):
        return as_float(column), []
    numbers = np.full(len(column), np.nan)
    bad = []
    for row, value in enumerate(column.tolist()):
        try:
            numbers[row] = _cell_number(value)
        except (ValueError, OverflowError):
            bad.append(row)
    return numbers, bad
