import math

import numpy as np
import pytest

from bayescale.coordinates import JointLevels, LocalSlopes

TWO_TERMS = LocalSlopes(terms=(("A", "alpha"), ("B", "beta")), floor="E")
JOINT = JointLevels("L_N", "L_D", "alpha_N", "alpha_D")
JOINT_FLOOR = JointLevels("L_N", "L_D", "alpha_N", "alpha_D", floor="E")
CASES = [
    JOINT,
    JOINT_FLOOR,
    TWO_TERMS,
    LocalSlopes(terms=(("A", "alpha"), ("B", "beta"))),
    LocalSlopes(terms=(("A", "alpha"),), floor="E"),
    LocalSlopes(terms=(("A", "alpha"),)),
    LocalSlopes(terms=(("A", "a"), ("B", "b"), ("F", "f")), floor="E"),
]


def draw(coordinates, seed=0, shape=()):
    rng = np.random.default_rng(seed)
    return {symbol: rng.normal(-0.5, 1.5, shape) for symbol in coordinates.symbols}


def loss(log, n, d):
    """Hoffmann et al. (2022), at inputs relative to the reference, from logs of its parameters."""
    p = {symbol: math.exp(value) for symbol, value in log.items()}
    return p["E"] + p["A"] * n ** -p["alpha"] + p["B"] * d ** -p["beta"]


def test_symbols_are_floor_amplitudes_exponents():
    assert TWO_TERMS.symbols == ("E", "A", "B", "alpha", "beta")
    assert LocalSlopes(terms=(("A", "alpha"),)).symbols == ("A", "alpha")


def test_coordinates_worked_by_hand():
    values = {"E": 2.0, "A": 1.0, "B": 1.0, "alpha": 0.4, "beta": 0.8}
    coordinates = TWO_TERMS.forward({s: math.log(v) for s, v in values.items()})
    # Total 4; A and B are half of E; A and B make up a quarter of the total each.
    assert np.exp(coordinates) == pytest.approx([4.0, 0.5, 0.5, 0.4 / 4, 0.8 / 4])


def test_coordinates_are_level_and_slopes_at_the_reference():
    log, h = draw(TWO_TERMS), 1e-6
    coordinates = TWO_TERMS.forward(log)

    def slope(n, d):
        return (math.log(loss(log, n, d)) - math.log(loss(log, 1 / n, 1 / d))) / (2 * h)

    assert coordinates[0] == pytest.approx(math.log(loss(log, 1.0, 1.0)))
    assert np.exp(coordinates[3:]) == pytest.approx([-slope(math.exp(h), 1.0), -slope(1.0, math.exp(h))], rel=1e-6)


@pytest.mark.parametrize("coordinates", CASES, ids=str)
def test_there_and_back(coordinates):
    log = draw(coordinates, seed=1, shape=(7, 3))
    there = coordinates.forward(log)
    assert len(there) == len(coordinates.symbols)
    back = coordinates.backward(there)
    assert back.keys() == log.keys()
    for symbol, value in log.items():
        assert back[symbol] == pytest.approx(value, abs=1e-12)


@pytest.mark.parametrize("coordinates", CASES, ids=str)
def test_back_and_there(coordinates):
    rng = np.random.default_rng(2)
    x = rng.normal(0, 1.5, (len(coordinates.symbols), 5))
    assert np.stack(coordinates.forward(coordinates.backward(list(x)))) == pytest.approx(x, abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("coordinates", CASES, ids=str)
def test_volume_is_kept(coordinates, seed):
    x = np.random.default_rng(seed).normal(0, 1, len(coordinates.symbols))

    def backward(x):
        log = coordinates.backward(list(x))
        return np.array([log[symbol] for symbol in coordinates.symbols])

    step = 1e-6 * np.eye(len(x))
    jacobian = np.stack([(backward(x + h) - backward(x - h)) / 2e-6 for h in step], axis=1)
    assert abs(np.linalg.det(jacobian)) == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("coordinates", [JOINT, JOINT_FLOOR], ids=str)
def test_the_joint_forms_coordinates_at_the_reference(coordinates):
    log, h = draw(coordinates, seed=5), 1e-6
    p = {symbol: math.exp(value) for symbol, value in log.items()}
    floor = p.get("E", 0.0)

    def joint(d):
        """Kaplan et al. (2020), equation 1.5, with the losses at the reference for N_c and D_c."""
        return (p["L_N"] ** (1 / p["alpha_D"]) + p["L_D"] ** (1 / p["alpha_D"]) / d) ** p["alpha_D"]

    level, *q, ratio, size_exponent, tokens_slope = np.exp(coordinates.forward(log))
    assert level == pytest.approx(floor + joint(1.0))
    assert list(q) == pytest.approx([joint(1.0) / floor] if floor else [])
    assert ratio == pytest.approx(p["L_N"] / p["L_D"])
    assert size_exponent == pytest.approx(p["alpha_N"])
    # The slope of the response where tokens alone limit, alpha_D, times the share of the joint term.
    assert tokens_slope == pytest.approx(p["alpha_D"] * joint(1.0) / level)
    # Where tokens alone limit, that is the local slope of log loss itself.
    limit = {**log, "L_N": log["L_D"] - 40.0 * p["alpha_D"]}
    p |= {"L_N": math.exp(limit["L_N"])}
    slope = (math.log(floor + joint(math.exp(-h))) - math.log(floor + joint(math.exp(h)))) / (2 * h)
    assert math.exp(coordinates.forward(limit)[-1]) == pytest.approx(slope, rel=1e-6)


def test_extreme_levels_stay_finite():
    log = {"E": -60.0, "A": 0.0, "B": -300.0, "alpha": -1.0, "beta": -1.0}
    coordinates = TWO_TERMS.forward(log)
    assert np.isfinite(coordinates).all()
    back = TWO_TERMS.backward(coordinates)
    assert [back[s] for s in log] == pytest.approx(list(log.values()), abs=1e-10)
