"""Positive numbers of a graph kept by their logs, so that products and powers are sums and products.

A formula written as ``E + A * N**-alpha`` costs a power for each run, and its gradient two more and a log. Of numbers
known to be positive the same formula is ``E + exp(log A - alpha * log N)``, and the graph's logs, which are what the
sampler moves in, are never undone. Where an exponent is near zero the log also holds what its exponential could not.
"""

from typing import Any

import numpy as np
import pytensor.tensor as pt


class Positive(np.lib.mixins.NDArrayOperatorsMixin):
    """A positive tensor, by its value or by its log; the other is made when it is asked for.

    Products, quotients, powers and sums of positive numbers are positive; what else is done to one is done to its
    value, and gives a plain tensor.
    """

    __array_priority__ = 2000  # before PyTensor's own

    def __init__(self, *, value=None, log=None):
        self._value = value
        self._log = log

    @property
    def value(self) -> Any:
        """The tensor."""
        if self._value is None:
            self._value = pt.exp(self._log)
        return self._value

    @property
    def log(self) -> Any:
        """Its natural logarithm."""
        if self._log is None:
            self._log = pt.log(self._value)
        return self._log

    def __array_ufunc__(self, ufunc, method, *inputs, **settings):
        if method != "__call__" or settings:
            return NotImplemented
        name = ufunc.__name__
        if name == "power" and isinstance(inputs[0], Positive):
            return Positive(log=inputs[0].log * plain(inputs[1]))
        if name == "log":
            return self.log
        positive = [_as_positive(x) for x in inputs]
        if name in _CLOSED and all(isinstance(x, Positive) for x in positive):
            return _CLOSED[name](*positive)
        return getattr(pt, _NAMES.get(name, name))(*(plain(x) for x in inputs))


def plain(x) -> Any:
    """The value of a positive tensor; anything else as it is."""
    return x.value if isinstance(x, Positive) else x


def log_of(x) -> Any:
    """Log of a tensor, positive or plain."""
    return x.log if isinstance(x, Positive) else pt.log(x)


def _as_positive(x) -> "Positive | None":
    if isinstance(x, Positive):
        return x
    if isinstance(x, int | float | np.integer | np.floating) and x > 0:
        return Positive(value=float(x), log=float(np.log(float(x))))
    return None


_CLOSED = {
    "multiply": lambda a, b: Positive(log=a.log + b.log),
    "divide": lambda a, b: Positive(log=a.log - b.log),
    "add": lambda a, b: Positive(value=a.value + b.value),
    "exp": lambda a: Positive(log=a.value),
}
_NAMES = {  # of functions that PyTensor calls otherwise than NumPy
    "absolute": "abs",
    "divide": "true_div",
    "multiply": "mul",
    "negative": "neg",
    "power": "pow",
    "subtract": "sub",
}
