"""The gallery of laws: one file, one or several closely related laws; each is found by itself.

A file defines `Law` objects at module level; ``LAWS`` maps their names to them. A user's own law needs no file here:
``Model(my_law, runs)`` takes it as it is.
"""

import pkgutil
from collections.abc import Iterable
from difflib import get_close_matches
from importlib import import_module
from types import MappingProxyType

from bayescale.errors import InputError
from bayescale.law import Law


def _gallery() -> dict[str, Law]:
    laws: dict[str, Law] = {}
    for module in pkgutil.iter_modules(__path__):
        for value in vars(import_module(f"{__name__}.{module.name}")).values():
            if not isinstance(value, Law) or laws.get(value.name) is value:
                continue
            if value.name in laws:
                raise InputError(f"Two laws are called {value.name!r}.")
            laws[value.name] = value
    return laws


LAWS = MappingProxyType(_gallery())


def get_law(name: str) -> Law:
    """Look up a law by its bare name."""
    if name not in LAWS:
        close = get_close_matches(name, LAWS, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise InputError(f"There is no law {name!r}.{hint} Laws: {', '.join(LAWS)}.")
    return LAWS[name]


def find_law(text: str, columns: Iterable[str] = ()) -> Law:
    """Look up a law by name.

    Parameters
    ----------
    text : str
        ``"chinchilla"``, or ``"saturating:C"`` for a law of any one input put on a column.
    columns : iterable of str
        Columns of the runs: where a law of any one input is named alone and the runs have just one of N, D and C, that
        one is taken.

    Raises
    ------
    InputError
        Unknown name, or an input left open.
    """
    name, _, column = text.partition(":")
    law = get_law(name)
    if column:
        return law.on(column)
    if all(law.columns):
        return law
    candidates = [c for c in ("N", "D", "C") if c in set(columns)]
    if len(candidates) == 1:
        return law.on(candidates[0])
    raise InputError(
        f"Law {name!r} takes any one input; say which: {' or '.join(f'{name}:{c}' for c in candidates or 'NDC')}."
    )
