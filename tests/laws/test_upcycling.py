import numpy as np
import pytest

from bayescale.laws import LAWS

LAW = LAWS["upcycled_sparsity"]
VALUES = {"E": 1.5, "A": 50.0, "a": 1.0, "b": 0.3, "c": 0.05}


def test_upcycled_sparsity_by_hand():
    """With ln P = 2 and ln N = 18: exp(-2 - 5.4 + 1.8)."""
    assert LAW(P=np.exp(2.0), N=np.exp(18.0), **VALUES) == pytest.approx(1.5 + 50 * np.exp(-5.6), rel=1e-12)


@pytest.mark.parametrize(("x", "other", "at"), [("P", "a_ref", 4.0), ("N", "b_ref", 1e8)])
def test_parameters_at_the_reference_are_what_they_are_called(x, other, at):
    """Exponents by finite differences of the printed formula, above its floor."""
    reference = {"P": 4.0, "N": 1e8}
    sampled = LAW.from_paper(VALUES, reference)
    above = [LAW(**{**reference, x: at * by}, **VALUES) - 1.5 for by in (1 / 1.001, 1.0, 1.001)]
    assert sampled["A_ref"] == pytest.approx(above[1], rel=1e-10)
    assert sampled[other] == pytest.approx(np.log(above[0] / above[2]) / (2 * np.log(1.001)), rel=1e-6)
