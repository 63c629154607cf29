"""What may come of bad input: a right answer, a warning, or an `InputError`. Anything else is a fault of ours."""

import contextlib
import io
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayescale import cli
from bayescale.errors import BayescaleWarning, InputError

ANSWER, WARNING, REFUSAL = "answer", "warning", "InputError"
PATIENCE = 120  # seconds; the slowest case takes a few, so that a machine under load is no hang
LONGEST = 4000  # letters of a refusal that somebody still reads


class BadOutcomeError(AssertionError):
    """Bad input was met by neither an answer, nor a warning, nor an `InputError`."""


class _Hung(BaseException):
    """It took too long; no Exception, so that nothing on the way catches it."""


@contextlib.contextmanager
def _patience() -> Iterator[None]:
    def give_up(*_):
        raise _Hung

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(PATIENCE)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def judge(ask: Callable[[], Any]) -> str:
    """Ask, and say what came of it.

    Raises
    ------
    BadOutcomeError
        It hung, another error or warning came, or a NaN without a word.
    """
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            with _patience():
                answer = ask()
        except InputError as error:
            _check_words(str(error))
            return REFUSAL
        except _Hung:
            raise BadOutcomeError(f"no answer in {PATIENCE} s") from None
    strange = [w for w in told if not issubclass(w.category, BayescaleWarning)]
    if strange:
        raise BadOutcomeError(
            f"{strange[0].category.__name__} at {strange[0].filename}:{strange[0].lineno}: {strange[0].message}"
        )
    if (where := nan_in(answer)) and not told:
        raise BadOutcomeError(f"NaN without a word in {where}")
    return WARNING if told else ANSWER


def _check_words(message: str) -> None:
    if not message.strip() or len(message) > LONGEST:
        raise BadOutcomeError(f"a refusal of {len(message)} letters: {message[:200]!r}")


def nan_in(answer: Any) -> str:
    """Where an answer holds a NaN; nothing where it holds none."""
    if isinstance(answer, xr.Dataset):
        return next(
            (str(n) for n, v in answer.variables.items() if v.dtype.kind == "f" and bool(np.isnan(v).any())), ""
        )
    if isinstance(answer, pd.DataFrame):
        numbers = answer.select_dtypes("number")
        return next((str(name) for name, column in numbers.items() if column.isna().any()), "")
    if isinstance(answer, float | np.ndarray | xr.DataArray):
        values = np.asarray(answer)
        return "the numbers" if values.dtype.kind == "f" and np.isnan(values).any() else ""
    if isinstance(answer, str):
        return "the text" if "nan" in answer.replace(",", " ").split() else ""
    if isinstance(answer, list | tuple):
        return next((found for part in answer if (found := nan_in(part))), "")
    return ""


# -- The command line


@dataclass(frozen=True)
class Said:
    """What a command ended with."""

    code: Any
    out: str
    err: str


def command(words: list[str]) -> Said:
    """Run a command line in this process."""
    out, err = io.StringIO(), io.StringIO()
    before, hook = sys.argv, warnings.showwarning
    sys.argv = ["bayescale", *words]
    code: Any = 0
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), warnings.catch_warnings():
            warnings.simplefilter("default")
            cli.main()
    except SystemExit as end:
        code = end.code
    finally:
        sys.argv, warnings.showwarning = before, hook
    return Said(code, out.getvalue(), err.getvalue())


def judge_command(words: list[str], outputs: tuple[Path, ...] = (), fine: tuple[int, ...] = (0,)) -> str:
    """Run a command line and say what came of it; files that it was to write are there whole, or as before.

    Parameters
    ----------
    words : list of str
        Without the program's name.
    outputs : tuple of Path
        Where it may write.
    fine : tuple of int
        Exit codes of an answer; `reproduce` and `refit` end with 1 where a claim fails.
    """
    before = {path: path.read_bytes() if path.is_file() else None for path in outputs}
    try:
        with _patience():
            said = command(words)
    except _Hung:
        raise BadOutcomeError(f"no answer in {PATIENCE} s") from None
    except Exception as error:
        raise BadOutcomeError(f"traceback: {type(error).__name__}: {error}") from error
    _check_files(before, said.code in fine)
    if said.code == 2:
        _check_refusal(said.err)
        return REFUSAL
    if said.code not in fine:
        raise BadOutcomeError(f"exit code {said.code!r}: {said.err[-300:]}")
    lines = [line for line in said.err.splitlines() if line.strip()]
    odd = [line for line in lines if "Traceback" in line or ("Warning:" in line and not line.startswith("Warning: "))]
    if odd:
        raise BadOutcomeError(f"on the error stream: {odd[0]}")
    if (where := nan_in(said.out)) and not lines:
        raise BadOutcomeError(f"NaN without a word in {where}")
    return WARNING if any(line.startswith("Warning: ") for line in lines) else ANSWER


def _check_refusal(err: str) -> None:
    if "Traceback" in err:
        raise BadOutcomeError(err)
    ours = [line for line in err.splitlines() if line.startswith("bayescale: ")]
    typer = "Error: " in err
    if not (ours or typer):
        raise BadOutcomeError(f"exit code 2 without a reason: {err!r}")
    _check_words(ours[-1] if ours else err)


def _check_files(before: dict[Path, bytes | None], ended_well: bool) -> None:
    for path, content in before.items():
        if left := [p.name for p in path.parent.glob("*.part")]:
            raise BadOutcomeError(f"left behind: {left}")
        now = path.read_bytes() if path.is_file() else None
        if not ended_well and now != content:
            raise BadOutcomeError(f"{path.name} was written by a command that failed")
        if now is not None and not now:
            raise BadOutcomeError(f"{path.name} is empty")
