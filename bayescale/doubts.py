"""What the user should doubt in a table of runs, in sentences.

A doubt is not an error: whoever asks warns, and goes on. Only units that cannot be right are refused here.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from bayescale.errors import InputError
from bayescale.numerals import numbers_of
from bayescale.words import COUNTING, listed, row_numbers

FEW_RUNS = 5


def doubt_compute(runs: pd.DataFrame) -> Iterator[str]:
    """Compare C with 6 N D where all are given; raise if they cannot be in the same units."""
    if not {"N", "D", "C"} <= set(runs.columns):
        return
    log_N, log_D, log_C = (np.log10(numbers_of(runs, name)) for name in ("N", "D", "C"))
    log_ratio = log_C - log_N - log_D - np.log10(6)
    power = float(np.median(log_ratio))
    if power > 3:
        raise InputError(
            f"C is about 1e{power:.0f} times 6 N D (median). N or D is probably in millions or billions: "
            "multiply it by 1e6 or 1e9, or write it like 7M or 7B."
        )
    if power < -3:
        raise InputError(
            f"C is about 1e{power:.0f} times 6 N D (median). C is probably in a larger unit, such as PFLOP: "
            f"multiply it by about 1e{-power:.0f}; or N or D is a million or a billion times too large."
        )
    far = np.flatnonzero(np.abs(log_ratio) > np.log10(2) + 1e-9)
    if far.size:
        with np.errstate(over="ignore", under="ignore"):
            low, high = 10 ** log_ratio[far].min(), 10 ** log_ratio[far].max()
        yield (
            f"C is not within a factor of two of 6 N D in {far.size} of {len(runs)} rows ({row_numbers(far)}; "
            f"{COUNTING}): there C / 6ND is {low:.3g} to {high:.3g}. "
            "Check what N and D count (embeddings, experts, epochs); C is used as given."
        )


def doubt_units(runs: pd.DataFrame) -> Iterator[str]:
    """Ask whether N or D, where given, are in millions or billions."""
    signs = []
    if "N" in runs.columns and numbers_of(runs, "N").max() < 100:
        signs.append(f"the largest N is {numbers_of(runs, 'N').max():g} parameters")
    if "D" in runs.columns and numbers_of(runs, "D").max() < 1e3:
        signs.append(f"the largest D is {numbers_of(runs, 'D').max():g} tokens")
    if {"N", "D"} <= set(runs.columns):
        power = float(np.median(np.log10(numbers_of(runs, "D")) - np.log10(numbers_of(runs, "N"))))
        if not -4 <= power <= 7:
            signs.append(f"the median run saw about 1e{power:.0f} tokens per parameter")
    if signs:
        yield (
            f"The table looks as if in billions or millions: {'; '.join(signs)}. "
            "N and D are counts: multiply them by 1e9 or 1e6, or write them like 7B."
        )


def doubt_constants(
    runs: pd.DataFrame,
    parts: Mapping[str, pd.DataFrame],
    inputs: Mapping[str, str],
) -> Iterator[str]:
    """Name the inputs that do not vary, in all runs or within a group; ``parts`` are the runs of each group."""
    for name, meaning in inputs.items():
        column = f"Column {name!r} ({meaning}) does not vary"
        if is_constant(numbers_of(runs, name)):
            yield f"{column} in these {len(runs)} runs: its exponent will come from the prior."
            continue
        several = {group: numbers_of(part, name) for group, part in parts.items() if len(part) >= 2}
        stuck = [repr(group) for group, values in several.items() if is_constant(values)]
        if stuck:
            yield f"{column} within {_groups(stuck)}: its exponent there leans on the prior and other groups."


def doubt_response(runs: pd.DataFrame, name: str, meaning: str) -> Iterator[str]:
    """Say that all runs, where there are several, measured the same."""
    if name not in runs.columns or len(runs) < 2:
        return
    values = numbers_of(runs, name)
    if is_constant(values):
        yield (
            f"Column {name!r} ({meaning}) is {values[0]:g} in all {len(runs)} runs: they tell of no change with size. "
            "Is it the right column, and was it rounded?"
        )


def doubt_few(runs: pd.DataFrame, parts: Mapping[str, pd.DataFrame]) -> Iterator[str]:
    """Count the runs of each group, or of the table where there are no groups."""
    if not parts and len(runs) < FEW_RUNS:
        yield f"There are only {len(runs)} runs: much of every answer will come from the prior."
    few = [f"{group!r} ({len(part)})" for group, part in parts.items() if len(part) < FEW_RUNS]
    if few:
        yield (
            f"Fewer than {FEW_RUNS} runs in {_groups(few)}: "
            "what is said of them will come from the prior and the other groups."
        )


def _groups(names: Sequence[str]) -> str:
    return f"{'group' if len(names) == 1 else 'groups'} {listed(names, limit=5)}"


def is_constant(values: np.ndarray) -> bool:
    """Whether all values (at least one) are equal."""
    return bool((values == values[0]).all())
