"""Files that appear under their name only when they are complete."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bayescale.errors import InputError


def check_place(path: str | os.PathLike[str], what: str, example: str) -> Path:
    """Refuse a place where no file can be; follow links.

    Parameters
    ----------
    path : path
        Where to write.
    what : str
        What is written, for the message: ``"report"``.
    example : str
        A good name.

    Raises
    ------
    InputError
        The folder does not exist, or the place is a folder, a device or a pipe.
    """
    said, real = f"Cannot write the {what} to {str(path)!r}", Path(os.path.realpath(path))
    for folder in (Path(path).parent, real.parent):  # as it was written, and where a link leads
        if not os.path.isdir(folder):
            raise InputError(f"{said}: there is no folder {str(folder)!r}. Name one that exists.")
    if os.path.isdir(real):
        raise InputError(f"{said}: it is a folder. Name a file, such as {example}.")
    if os.path.exists(real) and not os.path.isfile(real):
        raise InputError(f"{said}: it is no file. Name a file, such as {example}.")
    return real


@contextmanager
def replacing(path: str | os.PathLike[str], what: str, example: str) -> Iterator[str]:
    """Give the name of a new file beside a place; it takes the place when the block ends well, else it is gone.

    Parameters
    ----------
    path, what, example
        As for `check_place`.

    Raises
    ------
    InputError
        The place cannot be written, or the block cannot write the file.
    """
    real = check_place(path, what, example)
    said = f"Cannot write the {what} to {str(path)!r}"
    try:
        handle, name = tempfile.mkstemp(dir=real.parent, prefix=f".{real.name}.", suffix=".part")
        os.close(handle)
    except OSError as error:
        raise InputError(f"{said}: {error.strerror}. Name a file in a folder that can be written.") from error
    try:
        yield name
        os.chmod(name, 0o644)
        os.replace(name, real)
    except (OSError, ValueError) as error:  # a full disk; text that the format cannot hold
        raise InputError(f"{said}: {error}.") from error
    finally:
        Path(name).unlink(missing_ok=True)
