"""What is being done, told on a terminal to whoever waits: never in a pipe, never after `silence`."""

import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

PATIENCE = 2.0  # seconds that nobody needs explained

_silenced = False


def silence(quiet: bool) -> None:
    """Tell nothing from now on, or tell again."""
    global _silenced
    _silenced = quiet


def wanted(progress: bool | None = None) -> bool:
    """Whether to tell: as asked for, else on a terminal unless silenced."""
    return sys.stderr.isatty() and not _silenced if progress is None else progress


@contextmanager
def waiting(what: str, progress: bool | None = None) -> Iterator[None]:
    """Say what is being done if it takes more than two seconds, and then how long it took.

    Parameters
    ----------
    what : str
        Such as ``"compiling chinchilla"``.
    progress : bool, optional
        As for `wanted`.
    """
    if not wanted(progress):
        yield
        return
    began, told = time.monotonic(), threading.Event()

    def say():
        told.set()
        print(f"{what} ...", file=sys.stderr, flush=True)

    timer = threading.Timer(PATIENCE, say)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        if told.is_set():
            print(f"{what}: {_duration(time.monotonic() - began)}", file=sys.stderr, flush=True)


def track[Item](items: Sequence[Item], name: Callable[[Item], str], progress: bool | None = None) -> Iterator[Item]:
    """Go through what takes seconds each; before each, say which it is and how long the rest may take.

    Parameters
    ----------
    items : sequence
        What is gone through. One alone is not announced.
    name : callable
        What an item is called: ``fit of kaplan``.
    progress : bool, optional
        As for `wanted`.
    """
    told, began = wanted(progress) and len(items) > 1, time.monotonic()
    for done, item in enumerate(items):
        if told:
            passed = time.monotonic() - began
            left = f", about {_duration(passed / done * (len(items) - done))} left" if done else ""
            print(f"[{done + 1} of {len(items)}] {name(item)}{left}", file=sys.stderr, flush=True)
        yield item


def counting(total: int, progress: bool | None = None) -> Callable[[str], None]:
    """Make a function to call with the name of each thing that is done: it says how many are, and how long is left.

    Parameters
    ----------
    total : int
        How many there are. One alone is not announced.
    progress : bool, optional
        As for `wanted`.
    """
    told, began, done = wanted(progress) and total > 1, time.monotonic(), 0

    def tell(name: str) -> None:
        nonlocal done
        done += 1
        if told:
            left = (time.monotonic() - began) / done * (total - done)
            more = f", about {_duration(left)} left" if done < total else ""
            print(f"[{done} of {total}] {name}{more}", file=sys.stderr, flush=True)

    return tell


def _duration(seconds: float) -> str:
    """Time as one reads it: ``8 s``, ``3 min 5 s``, ``2 h 10 min``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
