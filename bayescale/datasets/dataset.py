"""The noun: a published table of training runs, and the files it is read from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class File:
    """One file of a data set.

    Parameters
    ----------
    path : str
        Where it lies, relative to this package if it is embedded, else to the cache folder.
    sha256 : str
        The hash of its bytes, 64 hexadecimal digits.
    url : str, optional
        Where it is downloaded from, at a pinned commit; None if it is embedded in the package.
    """

    path: str
    sha256: str
    url: str | None = None


@dataclass(frozen=True)
class Dataset:
    """A table of training runs: what it measures, where it comes from, how it is read, what to beware of.

    Parameters
    ----------
    name : str
        The name by which it is loaded.
    title, measures : str
        What it is, and what was measured, in a sentence or two.
    rows : int
        Number of rows once read.
    columns : mapping of str to str
        Every column once read, in order, with its meaning and unit.
    unit : str
        Unit of the response: ``L``, or ``accuracy``.
    groups : tuple of str
        Columns worth pooling over.
    licence, citation : str
        As stated by the source.
    files : tuple of File
        Handed to ``reader`` in this order.
    reader : callable
        Binary streams of the files -> the table.
    notes : tuple of str
        What reading changed or derived.
    caveats : tuple of str
        What to know before trusting a fit.
    """

    name: str
    title: str
    measures: str
    rows: int
    columns: Mapping[str, str]
    unit: str
    groups: tuple[str, ...]
    licence: str
    citation: str
    files: tuple[File, ...]
    reader: Callable[..., pd.DataFrame]
    notes: tuple[str, ...] = ()
    caveats: tuple[str, ...] = ()

    @property
    def embedded(self) -> bool:
        """Whether the package itself holds the files, so that no network is needed."""
        return all(file.url is None for file in self.files)
