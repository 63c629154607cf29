"""What a report is made of: sections of sentences, tables, figures and formulas, ready to print."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from bayescale.numerals import short_number

GOOD, DOUBT, BAD = "good", "doubt", "bad"
SAID = {GOOD: "fine", DOUBT: "look", BAD: "do not trust"}
_COUNTS = ("N", "D", "N_min", "N_max", "D_min", "D_max", "parameters", "tokens", "tokens per parameter")


@dataclass(frozen=True)
class Text:
    """Sentences, each a line.

    Parameters
    ----------
    lines : sequence of str
        What is said.
    kind : str
        ``"plain"``; ``"answer"``, set larger; ``"code"``, as it stands; ``"aside"``, set smaller.
    """

    lines: Sequence[str]
    kind: str = "plain"

    @property
    def name(self) -> str:
        """Which part of the template prints it."""
        return "text"


@dataclass(frozen=True)
class Lights:
    """Lines that are each fine, doubtful, or not to be trusted."""

    lines: Sequence[tuple[str, str]]
    name: str = field(default="lights", init=False)


@dataclass(frozen=True)
class Table:
    """A table of text; the first columns, ``labels`` of them, name the line."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    labels: int = 1
    caption: str = ""
    name: str = field(default="table", init=False)


@dataclass(frozen=True)
class Figure:
    """A figure: markup that a page can hold, and what it shows, in words."""

    markup: str
    caption: str
    name: str = field(default="figure", init=False)


@dataclass(frozen=True)
class Formula:
    """A law in MathML, and in plain text."""

    mathml: str
    text: str
    name: str = field(default="formula", init=False)


Part = Text | Lights | Table | Figure | Formula


@dataclass(frozen=True)
class Section:
    """A titled part of the report; ``key`` is its place in the page."""

    key: str
    title: str
    parts: Sequence[Part]


def table_of(frame: pd.DataFrame, labels: int = 1, caption: str = "") -> Table:
    """Make a table of a frame: numbers to four digits, counts of parameters and tokens as 41.3B.

    Parameters
    ----------
    frame : DataFrame
        Its columns, without its index.
    labels : int
        How many of the first columns name the line.
    caption : str
        What stands above it.
    """
    header = [str(column) for column in frame.columns]
    columns = [[shown(value, name in _COUNTS) for value in frame[name]] for name in frame.columns]
    return Table(header, list(zip(*columns, strict=True)), labels, caption)


def shown(value: Any, count: bool = False) -> str:
    """A value as a table shows it."""
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if not isinstance(value, int | float | np.number):
        return str(value)
    if not np.isfinite(value):
        return "" if np.isnan(value) else "never" if value > 0 else "-inf"
    return short_number(float(value)) if count else f"{value:.4g}"
