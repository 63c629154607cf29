"""Bytes that are what the registry says they are: embedded, downloaded, or placed in the cache by hand."""

import os
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from bayescale.datasets.dataset import File, Where
from bayescale.errors import InputError
from bayescale.progress import waiting

_PACKAGE = Path(__file__).parent


def cache_folder() -> Path:
    """Return the folder of the data sets that are not embedded: ``$BAYESCALE_DATA``, else the user's cache."""
    chosen = os.environ.get("BAYESCALE_DATA")
    if chosen:
        return Path(chosen).expanduser()
    import pooch

    return Path(pooch.os_cache("bayescale"))


def read_file(file: File) -> bytes:
    """Read a file of a data set, downloading it if it is neither embedded nor in the cache.

    The hash is checked on every read; a file with other bytes is refused, and left where it is.

    Raises
    ------
    InputError
        The file cannot be had, cannot be read, or has another hash.
    """
    if file.where is Where.EMBEDDED:
        return _read(_PACKAGE / file.path, file, remedy="Install bayescale again.")
    path = cache_folder() / file.path
    if file.url is None:
        return _read_placed(path, file)
    if not os.path.exists(path):
        _download(file.url, path, file.sha256)
    remedy = f"Delete it, and it is downloaded again from {file.url}; or put the right file in its place."
    return _read(path, file, remedy)


def _read_placed(path: Path, file: File) -> bytes:
    if not os.path.exists(path):
        raise InputError(
            f"The data file {path} is not there, and it cannot be downloaded: its source is not one table. "
            f"It comes from {file.origin} Put that table, as a CSV file with sha256 {file.sha256}, at {path}."
        )
    return _read(path, file, remedy="Put the right file in its place.")


def _read(path: Path, file: File, remedy: str) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"The data file {path} cannot be read ({error}). {remedy}") from error
    found = sha256(content).hexdigest()
    if found != file.sha256:
        raise InputError(
            f"The data file {path} was changed or cut short: its sha256 is {found}, "
            f"but {file.sha256} is expected. {remedy}"
        )
    return content


def _download(url: str, path: Path, expected: str) -> None:
    import pooch

    _require_https(url)
    downloader: Any = pooch.HTTPDownloader(hooks={"response": _check_redirect})  # pooch's hints name other arguments
    by_hand = f"Try again later, or place that file, sha256 {expected}, by hand at {path}."
    try:
        with waiting(f"downloading {url}"):
            pooch.retrieve(
                url,
                known_hash=f"sha256:{expected}",
                fname=path.name,
                path=path.parent,
                downloader=downloader,
            )
    except InputError:  # not over https
        raise
    except OSError as error:
        # Those of requests (no network, no such page) are OSErrors too, as is a cache that cannot be written.
        raise InputError(f"Downloading {url} to {path} failed ({error}). {by_hand}") from error
    except ValueError as error:
        raise InputError(
            f"Downloading {url} brought a file that was changed or cut short; it was not kept. {by_hand}"
        ) from error


def _check_redirect(response, *_, **__) -> None:
    """Follow a server to another address only over https; the hash alone would still let others see and delay."""
    if response.is_redirect:
        _require_https(urljoin(response.url, response.headers["location"]))


def _require_https(url: str) -> None:
    if not url.startswith("https://"):
        raise InputError(f"Data sets are downloaded over https only; {url} was to be asked. Nothing was downloaded.")
