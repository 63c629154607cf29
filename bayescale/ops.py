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


def _call(name, x):
    package = type(x).__module__.partition(".")[0]
    if package == "pytensor":
        return getattr(sys.modules["pytensor.tensor"], name)(x)
    if package == "sympy":
        sympy = sys.modules["sympy"]
        return sympy.log(1 + x) if name == "log1p" else getattr(sympy, name)(x)
    return getattr(np, name)(x)
