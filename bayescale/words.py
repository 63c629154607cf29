"""Words for sentences about a table: lists of names, counts, and rows as the user counts them."""

from collections.abc import Iterable, Sequence
from html import escape

import numpy as np

COUNTING = "row 1 is the first row of data"


def listed(items: Iterable[object], limit: int | None = None) -> str:
    """Join items by commas; those beyond the limit are counted."""
    words = [str(item) for item in items]
    if limit is None or len(words) <= limit:
        return ", ".join(words)
    return f"{', '.join(words[:limit])} and {len(words) - limit} more"


def quoted(names: Iterable[object]) -> str:
    """Join names by commas, each in quotes: ``'N', 'D'``."""
    return listed(repr(str(name)) for name in names)


def counted(n: int, noun: str) -> str:
    """Say a number of things: ``1 row``, ``3 rows``."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def shown(value: object, limit: int = 120) -> str:
    """A value as Python writes it, on one line and cut short: a list of a million numbers is no sentence."""
    try:
        text = " ".join(repr(value).split())
    except Exception:  # a repr is the user's own program
        text = f"a {type(value).__name__}"
    return text if len(text) <= limit else f"{text[:limit]} ..."


def preformatted(text: str) -> str:
    """Text for a notebook's page, as it stands."""
    return f"<pre>{escape(text)}</pre>"


def row_numbers(positions: Sequence[int] | np.ndarray) -> str:
    """Row numbers as the user counts them: ``rows 3, 7, 9, 12, 20 and 12 more``."""
    noun = "row" if len(positions) == 1 else "rows"
    return f"{noun} {listed((int(position) + 1 for position in positions), limit=5)}"


def rows_that_are_not(bad: Sequence[int] | np.ndarray, n: int) -> str:
    """Say which of n rows are not what they must be: ``2 of 6 rows are not (rows 3, 6; ...)``."""
    return f"{len(bad)} of {n} rows {'is' if len(bad) == 1 else 'are'} not ({row_numbers(bad)}; {COUNTING})"
