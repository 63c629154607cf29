"""Arguments of the wrong kind, refused in words: a path in place of a posterior, a list in place of a name."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from bayescale.errors import InputError
from bayescale.words import listed, shown


def check_kind(name: str, given: object, kinds: type | tuple[type, ...], advice: str = "") -> None:
    """Refuse what is of none of the kinds; ``advice`` says what to do."""
    kinds = kinds if isinstance(kinds, tuple) else (kinds,)
    if not isinstance(given, kinds):
        wanted = " or ".join(f"a {kind.__name__}" for kind in kinds)
        kind = type(given).__name__
        raise InputError(
            f"{name} must be {wanted}; {shown(given)}, a {kind}, was given.{' ' if advice else ''}{advice}"
        )


def check_choice(name: str, given: object, choices: Iterable[str | None]) -> None:
    """Refuse what is none of the words that are understood."""
    known = list(choices)
    if not (given is None or isinstance(given, str)) or given not in known:
        raise InputError(f"{name}={shown(given)} is unknown. Choose one of {listed(map(repr, known))}.")


def check_text(name: str, given: object, example: str) -> None:
    """Refuse what is no text, where a name is asked for; None is no name given."""
    if given is not None and not isinstance(given, str):
        raise InputError(f"{name} is a name, such as {name}={example!r}; {shown(given)} was given.")


def whole_number(name: str, given: Any, least: int = 0) -> int:
    """A whole number of at least ``least``, or refuse it."""
    if isinstance(given, bool) or not isinstance(given, int | np.integer) or given < least:
        raise InputError(f"{name} must be a whole number of at least {least}; {shown(given)} was given.")
    return int(given)


def real_number(name: str, given: Any, above: float, below: float) -> float:
    """A number between two others, or refuse it."""
    if isinstance(given, bool) or not isinstance(given, int | float | np.number) or not above < given < below:
        raise InputError(f"{name} must be a number above {above:g} and below {below:g}; {shown(given)} was given.")
    return float(given)
