import numpy as np
import pandas as pd
import pytest
import xarray as xr

from bayescale.discrepancy import TAU, Quadratic, tau
from bayescale.law import ACCURACY, ELO, ERROR, LOSS, reference_values
from bayescale.laws import LAWS

LAW = LAWS["chinchilla"]


@pytest.fixture
def runs():
    rng = np.random.default_rng(0)
    return pd.DataFrame({"N": 10 ** rng.uniform(6, 9, 12), "D": 10 ** rng.uniform(8, 11, 12)})


def relative(runs, reference):
    return {s: runs[s].to_numpy() / reference[s] for s in ("N", "D")}


def test_terms_are_squares_and_products(runs):
    reference = reference_values(LAW, runs)
    assert Quadratic.of(LAW, runs, reference).terms == ["N*N", "N*D", "D*D"]
    power = LAWS["power"].on("D")
    assert Quadratic.of(power, runs, reference_values(power, runs)).terms == ["x*x"]


def test_terms_are_standardised_logs_and_centred_over_the_runs(runs):
    reference = reference_values(LAW, runs)
    basis = Quadratic.of(LAW, runs, reference).basis(relative(runs, reference))
    # The reference is the geometric mean, so relative logs are logs less their mean.
    n, d = ((np.log(runs[s]) - np.log(runs[s]).mean()) / np.log(runs[s]).std(ddof=0) for s in ("N", "D"))
    for b, expected in zip(basis, (n * n, n * d, d * d), strict=True):
        assert b == pytest.approx((expected - expected.mean()).to_numpy(), abs=1e-12)
        assert b.mean() == pytest.approx(0.0, abs=1e-12)


def test_offsets_are_those_of_the_runs_anywhere(runs):
    reference = reference_values(LAW, runs)
    quadratic = Quadratic.of(LAW, runs, reference)
    at_reference = quadratic.basis({"N": 1.0, "D": 1.0})
    assert at_reference == pytest.approx([-o for o in quadratic.offsets])
    # A standardised log has mean square one.
    assert quadratic.offsets[0] == pytest.approx(1.0)
    assert quadratic.offsets[2] == pytest.approx(1.0)


def test_it_grows_with_the_square_of_the_log_distance(runs):
    quadratic = Quadratic.of(LAW, runs, reference_values(LAW, runs))
    near, far = (np.array(quadratic.basis({"N": 10.0**k, "D": 100.0**k})) + quadratic.offsets for k in (1, 3))
    assert far == pytest.approx(9 * near)


def test_named_dims_broadcast(runs):
    quadratic = Quadratic.of(LAW, runs, reference_values(LAW, runs))
    N, D = xr.DataArray([1.0, 10.0], dims="N"), xr.DataArray([1.0, 2.0, 3.0], dims="D")
    square, product, _ = quadratic.basis({"N": N, "D": D})
    assert square.dims == ("N",)
    assert dict(product.sizes) == {"N": 2, "D": 3}
    expected = quadratic.basis({"N": 10.0, "D": 3.0})[1]
    assert float(product[{"N": 1, "D": 2}]) == pytest.approx(expected)


def test_an_input_that_does_not_vary_is_left_out(runs):
    runs["D"] = 1e10
    reference = reference_values(LAW, runs)
    quadratic = Quadratic.of(LAW, runs, reference)
    assert quadratic.terms == ["N*N"]
    assert len(quadratic.basis(relative(runs, reference))) == 1


def test_an_input_that_hardly_varies_does_not_take_larger_runs_out_of_all_bounds(runs):
    runs["N"] = np.where(np.arange(12) % 2, 1.00e8, 1.01e8)
    reference = reference_values(LAW, runs)
    quadratic = Quadratic.of(LAW, runs, reference)
    assert quadratic.scales["N"] == 0.5
    ten_times = quadratic.basis({"N": 10.0, "D": 1.0})[0]
    assert ten_times == pytest.approx((np.log(10) / 0.5) ** 2, abs=1e-3)


@pytest.mark.parametrize("n", [7, 11, 12])
def test_rounding_does_not_make_an_input_vary(n):
    # The mean of n equal numbers is that number but for the last digit.
    for tokens in (2e9, 3e10, 7e10, 1.3e11, 2.7e11, 5e8):
        runs = pd.DataFrame({"N": np.logspace(6, 9, n), "D": tokens})
        assert Quadratic.of(LAW, runs, reference_values(LAW, runs)).terms == ["N*N"]


def test_it_is_a_value(runs):
    reference = reference_values(LAW, runs)
    assert Quadratic.of(LAW, runs, reference) == Quadratic.of(LAW, runs, reference)
    assert str(Quadratic.of(LAW, runs, reference)) == "quadratic"
    assert not TAU.pooled


def test_the_size_of_a_departure_is_in_units_of_a_response_that_may_be_negative():
    assert tau(LOSS) == tau(ERROR) == tau(ACCURACY) == TAU
    assert not TAU.scaled
    assert tau(ELO).scaled
    assert tau(ELO).symbol == TAU.symbol
    assert "log" not in tau(ELO).meaning
