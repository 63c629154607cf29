from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from bayescale.laws.chinchilla import chinchilla, optimum

# Hoffmann et al. (2022), equation 4, worked out for each set of constants: N, D and L at each budget.
BUDGETS = (1e18, 1e20, 1e21, 5.76e23, 3.8e25, 1e26)
TABLE = {
    "hoffmann2022": [
        (8.06e7, 2.07e9, 3.535),
        (6.45e8, 2.59e10, 2.600),
        (1.82e9, 9.14e10, 2.329),
        (3.22e10, 2.98e12, 1.931),
        (2.14e11, 2.97e13, 1.817),
        (3.31e11, 5.04e13, 1.799),
    ],
    "hoffmann2022_tex": [
        (9.47e7, 1.76e9, 3.448),
        (7.75e8, 2.15e10, 2.553),
        (2.22e9, 7.52e10, 2.296),
        (4.04e10, 2.38e12, 1.918),
        (2.73e11, 2.32e13, 1.811),
        (4.25e11, 3.92e13, 1.795),
    ],
    "besiroglu2024": [
        (8.05e7, 2.07e9, 3.491),
        (8.54e8, 1.95e10, 2.553),
        (2.78e9, 6.00e10, 2.306),
        (7.22e10, 1.33e12, 1.974),
        (6.19e11, 1.02e13, 1.892),
        (1.02e12, 1.64e13, 1.880),
    ],
}


def test_the_law_declares_it():
    assert chinchilla.optimum is optimum


@pytest.mark.parametrize("key", TABLE)
def test_optimum_at_six_budgets(key):
    values = dict(chinchilla.find(key).values)
    for C, (N, D, L) in zip(BUDGETS, TABLE[key], strict=True):
        size, tokens = optimum(C, **values)
        assert size == pytest.approx(N, rel=0.01)
        assert tokens == pytest.approx(D, rel=0.01)
        assert chinchilla(N=size, D=tokens, **values) == pytest.approx(L, abs=0.001)
        assert 6 * size * tokens == pytest.approx(C, rel=1e-12)


@pytest.mark.parametrize("key", TABLE)
def test_optimum_is_where_a_search_finds_it(key):
    values = dict(chinchilla.find(key).values)
    for C in BUDGETS:

        def at(log_N, C=C):
            return chinchilla(N=np.exp(log_N), D=C / 6 / np.exp(log_N), **values)

        found: Any = minimize_scalar(at, bounds=(np.log(1e6), np.log(1e14)), method="bounded", options={"xatol": 1e-10})
        assert np.exp(found.x) == pytest.approx(optimum(C, **values)[0], rel=1e-5)


def test_powers_of_compute_of_the_printed_constants():
    """0.5987 C**0.4516, 0.2784 C**0.5484 and 1071.4 C**-0.1535 , known as .6, .3 and 1070."""
    values = dict(chinchilla.find("hoffmann2022").values)
    for C in (1e15, 1e21, 1e27):
        size, tokens = optimum(C, **values)
        assert size == pytest.approx(0.5987 * C**0.45161, rel=0.001)
        assert tokens == pytest.approx(0.2784 * C**0.54839, rel=0.001)
        assert chinchilla(N=size, D=tokens, **values) - 1.69 == pytest.approx(1071.4 * C**-0.153548, rel=0.001)


def test_compute_for_a_loss_is_the_inverse():
    """C = 6 ((L - E) / K)**(-1 / gamma), K = A G**-alpha + B G**beta."""
    values = dict(chinchilla.find("besiroglu2024").values)
    E, A, B, alpha, beta = values.values()
    G = (alpha * A / (beta * B)) ** (1 / (alpha + beta))
    gamma, K = alpha * beta / (alpha + beta), A * G**-alpha + B * G**beta
    for L in (3.0, 2.2, 1.9):
        C = 6 * ((L - E) / K) ** (-1 / gamma)
        N, D = optimum(C, **values)
        assert chinchilla(N=N, D=D, **values) == pytest.approx(L, rel=1e-10)
        # The share of the reducible loss that size owns is a = beta / (alpha + beta).
        assert A * N**-alpha / (L - E) == pytest.approx(beta / (alpha + beta), rel=1e-10)


def test_optimum_takes_arrays():
    values = dict(chinchilla.find("hoffmann2022").values)
    size, tokens = optimum(np.array([1e18, 1e20]), **values)
    assert size == pytest.approx([8.06e7, 6.45e8], rel=0.01)
    assert tokens == pytest.approx([2.07e9, 2.59e10], rel=0.01)
