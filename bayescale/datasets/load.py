"""What one does with a data set: load its runs, read about it."""

from collections.abc import Iterable
from difflib import get_close_matches
from io import BytesIO
from textwrap import fill

import pandas as pd

from bayescale.datasets.dataset import Dataset, File
from bayescale.datasets.files import read_file
from bayescale.datasets.registry import DATASETS
from bayescale.errors import InputError
from bayescale.given import check_kind


def load_runs(name: str) -> pd.DataFrame:
    """Load the runs of a data set of the registry.

    Embedded data sets need no network. Public ones are downloaded once from a pinned commit into the
    cache folder (``$BAYESCALE_DATA``, else the user's cache). Where the source is not one downloadable table,
    the user puts the table there; :func:`describe` tells how it is made. The sha256 is checked on every read.

    Parameters
    ----------
    name : str
        One of ``DATASETS``.

    Returns
    -------
    DataFrame
        One row per measurement. ``N`` is in parameters, ``D`` in training tokens (or examples), ``C`` in
        FLOP, ``L`` is the loss; :func:`describe` tells the unit of each column. ``attrs["source"]`` is the
        name, ``attrs["notes"]`` a list of sentences on what reading changed or derived.

    Raises
    ------
    InputError
        No such data set; or its files cannot be had, or do not have the expected sha256.

    Examples
    --------
    >>> from bayescale.datasets import load_runs
    >>> load_runs("tiny_sweep")["modality"].nunique()
    6
    """
    dataset = _find(name)
    runs = dataset.reader(*(BytesIO(read_file(file)) for file in dataset.files))
    runs.attrs["source"] = dataset.name
    runs.attrs["notes"] = list(dataset.notes)
    return runs


def describe(name: str) -> str:
    """Tell what a data set holds, whose it is and what to beware of, as plain text; nothing is downloaded.

    Parameters
    ----------
    name : str
        One of ``DATASETS``.
    """
    dataset = _find(name)
    width = max(len(column) for column in dataset.columns)
    blocks = [
        f"{dataset.name}: {dataset.title}",
        fill(dataset.measures, 100),
        "\n".join(_facts(dataset)),
        "Columns\n" + "\n".join(f"  {key:<{width}}  {meaning}" for key, meaning in dataset.columns.items()),
        _items("As read here", dataset.notes),
        _items("Beware", dataset.caveats),
        f"Licence\n  {dataset.licence}",
        "Citation\n" + fill(dataset.citation, 100, initial_indent="  ", subsequent_indent="  "),
        "Source\n" + "\n".join(_source(file) for file in dataset.files),
    ]
    return "\n\n".join(block for block in blocks if block)


def _find(name: str) -> Dataset:
    check_kind("The name of a data set", name, str)
    if name in DATASETS:
        return DATASETS[name]
    close = get_close_matches(name, DATASETS, n=2)
    hint = f" Did you mean {' or '.join(close)}?" if close else ""
    raise InputError(f"There is no data set {name!r}.{hint} Choose one of {', '.join(DATASETS)}.")


def _facts(dataset: Dataset) -> Iterable[str]:
    yield f"Rows      {dataset.rows:,}"
    yield f"Response  {dataset.unit}"
    if dataset.groups:
        yield f"Pool over {', '.join(dataset.groups)}"
    yield f"Files     {dataset.where}"


def _items(heading: str, sentences: tuple[str, ...]) -> str:
    if not sentences:
        return ""
    lines = (fill(sentence, 100, initial_indent="  - ", subsequent_indent="    ") for sentence in sentences)
    return "\n".join((heading, *lines))


def _source(file: File) -> str:
    if file.url is not None:
        place = f"  {file.url}"
    elif file.origin is not None:
        origin = fill(file.origin, 100, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)
        place = f"{origin}\n  in the cache folder: {file.path}"
    else:
        place = f"  in the package: {file.path}"
    return f"{place}\n  sha256 {file.sha256}"
