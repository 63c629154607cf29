"""Elementary functions that a formula may use on floats, arrays, DataArrays, PyTensor tensors and SymPy symbols alike.

Arithmetic and powers need no help: every one of these types has them. What a formula writes as a *function* comes from
here, so that one formula serves NumPy evaluation, the sampler's graph and LaTeX.
"""

import sys

import numpy as np


def exp(x):
    """Exponential of ``x``."""
    return _call("exp", x)


def log(x):
    """Natural logarithm of ``x``."""
    return _call("log", x)


def log1p(x):
    """``log(1 + x)``, accurate for small ``x``."""
    return _call("log1p", x)


def softplus(x):
    """``log(1 + exp(x))`` without overflow."""
    package = _package(x)
    if package == "pytensor":
        return sys.modules["pytensor.tensor"].softplus(x)
    if package == "sympy":
        return sys.modules["sympy"].log(1 + sys.modules["sympy"].exp(x))
    return np.logaddexp(0.0, x)


def sigmoid(x):
    """``1 / (1 + exp(-x))`` without overflow."""
    if _package(x) == "sympy":
        return 1 / (1 + exp(-x))
    return exp(-softplus(-x))


def minimum(x, y):
    """The smaller of two, element by element."""
    return _call_two("minimum", x, y)


def maximum(x, y):
    """The larger of two, element by element."""
    return _call_two("maximum", x, y)


def _call_two(name, x, y):
    packages = {_package(x), _package(y)}
    if "bayescale" in packages:  # stand-ins for numbers, which say themselves what a function of NumPy does to them
        return getattr(np, name)(x, y)
    if "pytensor" in packages:
        return getattr(sys.modules["pytensor.tensor"], name)(x, y)
    if "sympy" in packages:
        return getattr(sys.modules["sympy"], {"minimum": "Min", "maximum": "Max"}[name])(x, y)
    return getattr(np, name)(x, y)


def _package(x):
    return type(x).__module__.partition(".")[0]


def _call(name, x):
    package = _package(x)
    if package == "pytensor":
        return getattr(sys.modules["pytensor.tensor"], name)(x)
    if package == "sympy":
        sympy = sys.modules["sympy"]
        return sympy.log(1 + x) if name == "log1p" else getattr(sympy, name)(x)
    return getattr(np, name)(x)
