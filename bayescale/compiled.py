"""Machine code kept on disk: read back only as it was written, and never needed."""

import atexit
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from io import BytesIO
from pathlib import Path

_DIGEST = sha256().digest_size


@contextmanager
def checked_files() -> Iterator[None]:
    """Within this block Numba keeps machine code with its hash and its key; what is damaged is compiled again.

    Numba alone runs what a cache file says: garbage in one ends the process, and of two processes that fill one folder
    each may write its own function under the other's name. Nor does it compile where it cannot write.
    """
    from numba.core import caching

    class CheckedFile(caching.IndexDataCacheFile):
        def save(self, key, data):
            with suppress(OSError):  # the disk is full, or the folder is gone
                super().save(key, (key, data))

        def load(self, key):
            try:
                found = super().load(key)
            except Exception:  # a damaged file raises what it will
                return None
            return found[1] if found is not None and found[0] == key else None

        def _load_index(self):
            try:
                _check(self._index_path)
                return super()._load_index()
            except Exception:
                return {}

        def _load_data(self, name):
            _check(self._data_path(name))
            return super()._load_data(name)

        @contextmanager
        def _open_for_write(self, filepath):
            content = BytesIO()
            yield content
            with super()._open_for_write(filepath) as file:
                file.write(content.getvalue() + sha256(content.getvalue()).digest())

    before = caching.IndexDataCacheFile
    caching.IndexDataCacheFile = CheckedFile
    try:
        yield
    finally:
        caching.IndexDataCacheFile = before


def _check(path: str) -> None:
    """Refuse a file that does not end with the hash of all before."""
    content = Path(path).read_bytes()
    if sha256(content[:-_DIGEST]).digest() != content[-_DIGEST:]:
        raise ValueError(f"{path} is damaged")


def give_pytensor_a_home() -> None:
    """Where the user's home cannot be written, let PyTensor, not yet imported, have a temporary folder instead."""
    flags = os.environ.get("PYTENSOR_FLAGS", "")
    if "pytensor" in sys.modules or "compiledir" in flags:
        return
    home = Path.home() / ".pytensor"
    try:
        home.mkdir(parents=True, exist_ok=True)
        writable = os.access(home, os.W_OK)
    except OSError:
        writable = False
    if not writable:
        folder = tempfile.mkdtemp(prefix="bayescale-pytensor-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        os.environ["PYTENSOR_FLAGS"] = ",".join(filter(None, (flags, f"base_compiledir={folder}")))
