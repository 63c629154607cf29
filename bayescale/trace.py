"""What a formula does, written down while it runs on stand-ins for numbers: two laws that do the same are the same."""

import hashlib

import numpy as np

from bayescale.law import Law


class _Traced(np.lib.mixins.NDArrayOperatorsMixin):
    """A stand-in for a number that writes down what is done to it."""

    def __init__(self, tape: list[str], name: str):
        self._tape = tape
        self._name = name

    def __array_ufunc__(self, ufunc, method, *inputs, **settings):
        known = _Traced, int, float, np.integer, np.floating
        if method != "__call__" or settings or not all(isinstance(x, known) for x in inputs):
            raise TypeError(f"{ufunc.__name__} with {settings} of {inputs} cannot be traced")
        name = f"t{len(self._tape)}"
        said = (x._name if isinstance(x, _Traced) else repr(float(x)) for x in inputs)
        self._tape.append(f"{name} = {ufunc.__name__}({', '.join(said)})")
        return _Traced(self._tape, name)

    def __bool__(self):
        raise TypeError("a formula that branches on its values cannot be traced")


def operations(law: Law) -> tuple[str, ...]:
    """Write down what a law's formula does to its inputs and parameters, operation by operation.

    Raises
    ------
    TypeError
        It cannot be written down, as where a formula branches on its values.
    """
    tape: list[str] = []
    inputs = {i.symbol: _Traced(tape, i.symbol) for i in law.inputs}
    result = law.evaluate({p.symbol: _Traced(tape, p.symbol) for p in law.params}, inputs)
    if not isinstance(result, _Traced):
        raise TypeError("a formula that returns a constant cannot be traced")
    return (*tape, result._name)


def fingerprint(law: Law) -> str:
    """Hash of a law's `operations`; empty where they cannot be written down."""
    try:
        return hashlib.sha256(repr(operations(law)).encode()).hexdigest()[:32]
    except TypeError:
        return ""
