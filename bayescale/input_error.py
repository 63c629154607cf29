"""Inputs that are known only roughly: how much their errors add to the scatter of a measured response.

A count of tokens or parameters may be off by some per cent, from run to run. To first order, the response then scatters
about the law at the recorded inputs by the law's slope times the error, on top of the noise. That holds whichever way
the error went: the run was not quite what was planned (Berkson), or the record is not quite what was run (classical),
the true input being anywhere in a range much wider than the error. An error that is the same in all runs is none of
this: it changes the law's levels, and no forecast that counts in the same way.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from bayescale import ops
from bayescale.errors import InputError
from bayescale.law import Input, Law
from bayescale.numerals import parse_column, parse_number
from bayescale.prior import REAL
from bayescale.words import quoted, rows_that_are_not

LARGEST = 0.3  # beyond it the law bends within an error: the first order is no longer enough


def read_input_error(given: Mapping[str, Any] | None, law: Law, runs: pd.DataFrame) -> dict[str, float | str]:
    """Errors of inputs by column, checked: a number, or the column of the runs that holds them.

    Raises
    ------
    InputError
        Not an input of the law; an error that is no number, negative, not finite, or more than `LARGEST` of a positive
        input.
    """
    read: dict[str, float | str] = {}
    for column, error in (given or {}).items():
        if column not in law.columns:
            raise InputError(
                f"input_error names {column!r}, no input of {law.name!r}; its inputs are {quoted(law.columns)}."
            )
        in_runs = isinstance(error, str) and error in runs.columns
        read[column] = error if in_runs else _number(column, error, runs)
        _check(column, law, errors_of(read[column], runs), len(runs) if in_runs else 1)
    return read


def _number(column: str, error: Any, runs: pd.DataFrame) -> float:
    try:
        return parse_number(error) if isinstance(error, str) else float(error)
    except (InputError, TypeError, ValueError):
        raise InputError(
            f"input_error of {column!r} is a standard deviation such as 0.05 (5 %), or a column of the runs that holds "
            f"them; {error!r} was given. Columns: {quoted(runs.columns)}."
        ) from None


def errors_of(error: float | str, runs: pd.DataFrame) -> np.ndarray:
    """Standard error of one input in each run, shape (run,)."""
    if not isinstance(error, str):
        return np.full(len(runs), float(error))
    if error not in runs.columns:
        raise InputError(f"The fitted runs have their errors of an input in {error!r}; these runs have no such column.")
    column: Any = runs[error]
    values, bad = parse_column(column)
    if bad:
        raise InputError(f"Column {error!r} must be numbers; {rows_that_are_not(bad, len(runs))}.")
    return values


def _check(column: str, law: Law, errors: np.ndarray, n: int) -> None:
    shifted = next(i for i in law.inputs if i.column == column).support == REAL
    most = np.inf if shifted else LARGEST
    bad = np.flatnonzero(~(np.isfinite(errors) & (errors >= 0) & (errors <= most)))
    if bad.size == 0:
        return
    where = "" if n == 1 else f" ({rows_that_are_not(bad, n)})"
    limit = "" if shifted else f" and at most {LARGEST:g}, relative to the input: 0.05 is 5 %"
    raise InputError(
        f"input_error of {column!r} must be zero or positive{limit}; {errors[bad[0]]:g} was given{where}. "
        "Of a larger one the law's slope no longer tells what it does; leave such runs out."
    )


def response_variance(
    law: Law, params: Mapping[str, Any], relative: Mapping[str, Any], errors: Mapping[str, Any], on_log: bool
) -> Any:
    """Variance that errors of inputs add to a response, on the scale of the noise.

    Half the difference of the law between one standard error above and below, squared and summed over inputs, whose
    errors are independent: ``sum_x (s_x dlogL/dlogx)**2`` for small ones.

    Parameters
    ----------
    law : Law
        Which law.
    params, relative : mapping of str to array_like or tensor
        Parameters, and inputs relative to their reference, by symbol.
    errors : mapping of str to array_like or tensor
        Standard errors by the input's symbol: relative to it, or in its own unit where it is shifted (a date).
    on_log : bool
        Whether the noise is on the log of the response.

    Returns
    -------
    array_like or tensor
        Broadcast of the arguments.

    References
    ----------
    .. [1] Fuller (1987), Measurement Error Models, section 3.1. Carroll, Ruppert, Stefanski & Crainiceanu (2006),
       Measurement Error in Nonlinear Models, sections 1.4 and 3.
    """
    of = {i.symbol: i for i in law.inputs}
    total: Any = 0.0
    for symbol, error in errors.items():
        up, down = (
            law.evaluate(params, {**relative, symbol: _moved(of[symbol], relative[symbol], sign * error)})
            for sign in (1, -1)
        )
        half = ((ops.log(up) - ops.log(down)) if on_log else (up - down)) / 2
        total = total + half**2
    return total


def _moved(moved: Input, relative, by):
    return relative + by if moved.support == REAL else relative * ops.exp(by)
