"""One function, many tasks: here, in a pool of processes, or on a cluster; with what is done kept on disk.

A task that fails is reported and stops nothing. A worker that dies takes its tasks with it; they are tried again, one
at a time, so that the one it died of is known. Where and in which order tasks run changes no number.
"""

import json
import os
import signal
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

from bayescale.errors import InputError
from bayescale.files import replacing
from bayescale.progress import counting

TRIES = 3  # deaths of a worker that one task may cause


@dataclass(frozen=True)
class Outcome:
    """What became of one task.

    Parameters
    ----------
    name : str
        The task's.
    value : object
        What the function gave; None if it failed.
    error : str
        Why it failed; empty if it did not.
    kept : bool
        Whether it was on disk already, and was not done again.
    """

    name: str
    value: Any = None
    error: str = ""
    kept: bool = False

    @property
    def failed(self) -> bool:
        """Whether there is no value."""
        return bool(self.error)


class Keeper(Protocol):
    """How a value is kept in a file."""

    suffix: str

    def write(self, path: Path, key: str, value: Any) -> None:
        """Write it, whole or not at all."""
        ...

    def read(self, path: Path, key: str) -> Any:
        """Read it back; raise `InputError` if the file is damaged or is another's."""
        ...


class JsonKeeper:
    """Values of numbers, text, lists and dicts, as JSON; floats come back to the bit."""

    suffix = ".json"

    def write(self, path: Path, key: str, value: Any) -> None:
        """Write it, whole or not at all."""
        with replacing(path, "result", "result.json") as name:
            Path(name).write_text(json.dumps({"key": key, "value": value}))

    def read(self, path: Path, key: str) -> Any:
        """Read it back; raise `InputError` if the file is damaged or is another's."""
        try:
            stored = json.loads(path.read_text())
            if stored["key"] == key:
                return stored["value"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"{str(path)!r} is damaged: {error!r}.") from error
        raise InputError(f"{str(path)!r} holds the result of another task.")


def digest(*parts: Any) -> str:
    """Hash of what JSON can hold: the name under which a result is kept.

    Raises
    ------
    InputError
        A part is nothing that JSON can hold.
    """
    try:
        text = json.dumps(parts, sort_keys=True)
    except (TypeError, ValueError) as error:
        raise InputError(f"Results are kept under a hash of their task, and this one has none ({error}).") from error
    return sha256(text.encode()).hexdigest()


def run_many(
    function: Callable[[Any], Any],
    tasks: Mapping[str, Any],
    *,
    workers: int | None = None,
    client: Any = None,
    folder: str | os.PathLike[str] | None = None,
    key: Callable[[Any], str] | None = None,
    keeper: Keeper | None = None,
    progress: bool | None = None,
    each: Callable[[Outcome], object] | None = None,
) -> list[Outcome]:
    """Call a function with every task.

    Parameters
    ----------
    function : callable
        Of one task. For a pool or a cluster it stands at the top of a module, and so do the classes of its tasks and
        values; a script that calls this does so under ``if __name__ == "__main__":``.
    tasks : mapping
        By name.
    workers : int, optional
        Processes; by default as many as there are processors, at most one for each task. 1: in this process.
    client : distributed.Client, optional
        Do it on this Dask cluster instead (``pip install "bayescale[cluster]"``).
    folder : path, optional
        Keep every value in a file here as soon as it is there; what is there already is read and not done again. It is
        made if missing.
    key : callable, optional
        Of one task: a text (`digest`) that says all that its value depends on. By default a hash of the function's
        name and the task.
    keeper : Keeper, optional
        How values are kept; by default as JSON.
    progress : bool, optional
        Tell what is done and how long the rest may take; by default only on a terminal.
    each : callable, optional
        Called with every `Outcome` as soon as it is there, in the order in which they come.

    Returns
    -------
    list of Outcome
        In the order of the tasks.

    Raises
    ------
    InputError
        The folder cannot be used, or a task cannot be hashed.
    """
    if workers is not None and workers < 1:
        raise InputError(f"workers must be at least 1; {workers!r} was given.")
    names, keeper = list(tasks), keeper or JsonKeeper()
    places = _places(function, tasks, folder, key, keeper)
    found: dict[str, Outcome] = {}
    tell = counting(len(tasks), progress)

    def receive(outcome: Outcome) -> None:
        found[outcome.name] = outcome
        tell(outcome.name + (f" FAILED: {outcome.error}" if outcome.failed else ""))
        if each is not None:
            each(outcome)

    for name, (path, stamp) in places.items():
        if (kept := _read(keeper, path, stamp)) is not None:
            receive(Outcome(name, kept, kept=True))
    left = {name: tasks[name] for name in names if name not in found}
    for name, value, error in _engine(function, left, workers, client):
        if name in places and not error:
            keeper.write(*places[name], value)
        receive(Outcome(name, value, error))
    return [found[name] for name in names]


def _engine(function, tasks, workers, client) -> "_Done":
    if client is not None:
        return _on_cluster(function, tasks, client)
    workers = min(workers or os.cpu_count() or 1, len(tasks))
    return _in_pool(function, tasks, workers) if workers > 1 else _here(function, tasks)


_Done = Iterator[tuple[str, Any, str]]  # name, value, error


def _attempt(function, task) -> tuple[Any, str]:
    """Value and no error, or none and what went wrong."""
    try:
        return function(task), ""
    except InputError as error:
        return None, str(error)
    except Exception as error:  # whatever a function raises is told, and stops nothing else
        return None, f"{type(error).__name__}: {error}"


def _here(function, tasks) -> _Done:
    for name, task in tasks.items():
        value, error = _attempt(function, task)
        yield name, value, error


# --- processes --------------------------------------------------------------------------------------------------------


def _in_pool(function, tasks, workers) -> _Done:
    """Tasks in processes of their own. Those that ran when a worker died go first, one at a time."""
    left, deaths = dict(tasks), Counter()
    while left:
        suspects = [name for name in left if deaths[name]]
        running: dict[Any, str] = {}
        for name, value, error in _one_pool(
            function, left, suspects or list(left), 1 if suspects else workers, running
        ):
            del left[name]
            yield name, value, error
        for name in running.values():  # the pool broke
            deaths[name] += 1
            if deaths[name] == TRIES:
                del left[name]
                yield (
                    name,
                    None,
                    (
                        f"its worker died, {TRIES} times: killed, out of memory, or a crash. "
                        'If all fail so: a script calls this under if __name__ == "__main__".'
                    ),
                )


def _one_pool(function, tasks, names, workers, running) -> _Done:
    """Yield what one pool does, until it is done or breaks; ``running`` then has what it broke on."""
    from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import get_context

    queue = deque(names)
    with ProcessPoolExecutor(workers, get_context("spawn"), initializer=_start_worker) as pool:
        while queue or running:
            try:
                while queue and len(running) < workers:
                    future = pool.submit(_attempt, function, tasks[queue[0]])
                    running[future] = queue.popleft()
            except BrokenProcessPool:
                return
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in sorted(done, key=lambda f: f.exception() is not None):
                error = future.exception()
                if isinstance(error, BrokenProcessPool):
                    return
                name = running.pop(future)
                value, said = (None, _unsent(error)) if error else future.result()
                yield name, value, said


def _unsent(error: BaseException) -> str:
    return f"the task or its value cannot be sent between processes ({type(error).__name__}: {error}); use workers=1"


def _start_worker() -> None:
    """Leave Ctrl-C to the process that asked."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


# --- a cluster --------------------------------------------------------------------------------------------------------


def _on_cluster(function, tasks, client) -> _Done:
    """Tasks on a Dask cluster, which tries those of a lost worker again by itself."""
    from distributed import as_completed

    futures = {client.submit(_attempt, function, task, pure=False): name for name, task in tasks.items()}
    try:
        for future in as_completed(list(futures)):
            name, error = futures.pop(future), future.exception()
            value, said = (None, f"{type(error).__name__}: {error}") if error else future.result()
            yield name, value, said
    finally:
        client.cancel(list(futures))


# --- on disk ----------------------------------------------------------------------------------------------------------


def _places(function, tasks, folder, key, keeper) -> dict[str, tuple[Path, str]]:
    """File and key of each task, where results are kept."""
    if folder is None:
        return {}
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"Cannot keep results in {str(folder)!r}: {error.strerror}. Name a folder.") from error
    of = key or (lambda task: digest(function.__module__, function.__qualname__, task))
    keys = {name: of(task) for name, task in tasks.items()}
    return {name: (Path(folder) / (stamp + keeper.suffix), stamp) for name, stamp in keys.items()}


def _read(keeper, path, key) -> Any:
    """What is kept, or None: a damaged file is as good as none."""
    try:
        return keeper.read(path, key) if path.is_file() else None
    except InputError:
        return None
