"""Farseer's exponents that change with size, and the loss along a learning-rate path."""

import numpy as np
import pytest

from bayescale.laws import LAWS
from bayescale.laws.farseer import ANCHOR
from bayescale.testing import check_law

farseer, path = LAWS["farseer"], LAWS["learning_rate_path"]
values = {
    "a3": 12.0,
    "b3": 0.3,
    "gamma": 0.18,
    "a2": 80.0,
    "b2": 5.9,
    "beta": 0.2,
    "a1": 8.0,
    "b1": -1.15,
    "alpha": 0.2,
}
annealed = {"L0": 2.6, "A": 0.5, "alpha": 0.5, "C": 0.4}


@pytest.mark.parametrize("law", [farseer, path], ids=lambda law: law.name)
@pytest.mark.parametrize("seed", [1, 2])
def test_laws_do_what_is_asked_of_every_law(law, seed):
    check_law(law, seed=seed)


def test_farseer_by_hand():
    """With N = 1024 and every power 1/10, N**-x is 1/2; with D = e**2 the exponents add up."""
    powers = {"gamma": 0.1, "beta": 0.1, "alpha": 0.1}
    loss = farseer(N=1024.0, D=np.exp(2.0), a3=0.4, b3=0.1, a2=0.6, b2=0.3, a1=2.0, b1=-1.0, **powers)
    assert loss == pytest.approx(np.exp(0.3) + np.exp(0.6 - 2.0), rel=1e-12)


def test_farseer_without_bends_is_a_power_of_tokens_and_a_floor():
    flat = values | {"a1": 0.0, "a2": 0.0, "a3": 0.0}
    expected = LAWS["saturating"].on("D")(
        x=1e11, L_inf=np.exp(0.3), x_0=np.exp(5.9 * np.exp(1.15)), alpha=np.exp(-1.15)
    )
    for N in (1e8, 1e11):
        assert farseer(N=N, D=1e11, **flat) == pytest.approx(expected, rel=1e-12)


def test_farseer_of_a_model_without_limit_keeps_a_floor_and_an_exponent():
    D = np.array([1e10, 1e12])
    limit = np.exp(0.3) + np.exp(5.9) * D ** -np.exp(-1.15)
    np.testing.assert_allclose(farseer(N=1e300, D=D, **values), limit, rtol=1e-12)


def test_farseer_s_exponent_falls_with_size():
    """From differences of the log of what tokens leave, against ``exp(a1 N**-alpha + b1)``."""
    D = np.array([1e10, 1.001e10])
    for N in (1e8, 1e10):
        left = farseer(N=N, D=D, **values) - np.exp(12.0 * N**-0.18 + 0.3)
        slope = -np.diff(np.log(left)) / np.diff(np.log(D))
        np.testing.assert_allclose(slope, np.exp(8.0 * N**-0.2 - 1.15), rtol=1e-9)


def test_farseer_is_sampled_at_the_reference_size_and_the_anchor():
    N = 1.1e9
    sampled = farseer.from_paper(values, {"N": N, "D": 1.0})
    floor = farseer(N=N, D=1e300, **values)
    assert sampled["E_ref"] == pytest.approx(floor, rel=1e-12)
    assert sampled["B_ref"] == pytest.approx(farseer(N=N, D=ANCHOR, **values) - floor, rel=1e-10)
    assert sampled["s_ref"] == pytest.approx(np.exp(8.0 * N**-0.2 - 1.15), rel=1e-12)


def test_path_by_hand():
    """At a quarter of the area without annealing, .5 * .25**-.5 = 1; annealing of .2 takes .08 away."""
    assert path(S1=0.25, S2=0.0, **annealed) == pytest.approx(3.6, rel=1e-12)
    assert path(S1=0.25, S2=0.2, **annealed) == pytest.approx(3.52, rel=1e-12)


def test_path_without_annealing_is_a_power_and_a_floor_and_ends_at_it():
    S1 = np.geomspace(0.1, 100, 4)
    expected = LAWS["saturating"].on("S1")(x=S1, L_inf=2.6, x_0=0.25, alpha=0.5)
    np.testing.assert_allclose(path(S1=S1, S2=0.0, **annealed), expected, rtol=1e-12)
    assert path(S1=1e300, S2=0.5, **annealed) == pytest.approx(2.6 - 0.2, rel=1e-12)


def test_path_is_sampled_at_the_mean_annealing_area():
    sampled = path.from_paper(annealed, {"S1": 4.0, "S2": 0.25})
    assert sampled["L0_ref"] == pytest.approx(2.5)
    assert sampled["L0_ref"] + sampled["A_ref"] == pytest.approx(path(S1=4.0, S2=0.25, **annealed))
