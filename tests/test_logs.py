"""Positive numbers kept by their logs: whatever a formula does to them, the value is that of plain arithmetic."""

from typing import Any

import numpy as np
import pytensor.tensor as pt
import pytest

from bayescale.logs import Positive, log_of, plain

VALUES = 0.3, np.array([0.1, 2.0, 1.0]), np.array([-1.0, 3.0, 0.5])

CLOSED = {
    "product": lambda a, n, t: a * n,
    "power": lambda a, n, t: n**-a,
    "power of any number": lambda a, n, t: n**t,
    "quotient": lambda a, n, t: 2 / n,
    "scale": lambda a, n, t: (a ** (1 / a) / n) ** a,
    "sum": lambda a, n, t: 1.5 + a + np.float64(2) * n,
    "exponential": lambda a, n, t: np.exp(n),
    "square": lambda a, n, t: n**2,
}
OPEN = {
    "difference": lambda a, n, t: 1 - n,
    "negative": lambda a, n, t: -a * n,
    "times any number": lambda a, n, t: t * n + n * t + n * -2.0,
    "with any number": lambda a, n, t: t + n - (n - t) / t,
    "base": lambda a, n, t: 3**n,
    "log": lambda a, n, t: np.log(n * a),
    "functions": lambda a, n, t: np.log1p(n) + np.sqrt(n) + abs(n),
    "two": lambda a, n, t: np.logaddexp(0.0, n) + np.minimum(n, a) + np.maximum(t, n),
}


@pytest.fixture
def symbols():
    """Two positive numbers, by their logs, and one of any sign; and what to put in."""
    a, n, t = pt.dscalar("log_a"), pt.dvector("log_n"), pt.dvector("t")
    numbers = {a: np.log(VALUES[0]), n: np.log(VALUES[1]), t: VALUES[2]}
    return (Positive(log=a), Positive(log=n), t), numbers


def evaluated(tensor: Any, numbers):
    return tensor.eval(numbers, on_unused_input="ignore", mode="FAST_COMPILE")


@pytest.mark.parametrize("formula", CLOSED.values(), ids=CLOSED)
def test_what_is_positive_stays_so_and_knows_its_log(formula, symbols):
    arguments, numbers = symbols
    result, expected = formula(*arguments), formula(*VALUES)
    assert isinstance(result, Positive)
    np.testing.assert_allclose(evaluated(plain(result), numbers), expected, rtol=1e-13)
    np.testing.assert_allclose(evaluated(log_of(result), numbers), np.log(expected), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("formula", OPEN.values(), ids=OPEN)
def test_what_may_be_negative_is_a_plain_tensor(formula, symbols):
    arguments, numbers = symbols
    result = formula(*arguments)
    assert not isinstance(result, Positive)
    np.testing.assert_allclose(evaluated(result, numbers), formula(*VALUES), rtol=1e-13)


def test_a_log_holds_what_no_float_does():
    exponent: Any = pt.dscalar("exponent")
    number = pt.dscalar("log_k")
    scale = Positive(log=number) ** (1 / exponent)  # e**1000: infinite
    back = (scale / 2.0) ** exponent
    values = {exponent: 1e-3, number: 1.0}
    assert evaluated(log_of(back), values) == pytest.approx(1.0 - 1e-3 * np.log(2), rel=1e-14)
