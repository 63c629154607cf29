from typing import Any

import numpy as np
import pytest
import xarray as xr
from scipy import integrate, stats

from bayescale.errors import InputError
from bayescale.noise import KAPPA, NOISES, NU, SIGMA, Noise, Normal, Student, find_noise
from bayescale.prior import POSITIVE, REAL

LAW, SIZE = 2.2, 30.0
PARAMS = {"sigma": 0.08, "nu": 3.5, "kappa": -0.3}
NOISE = [Student(), Normal(), Student(by_size=True), Normal(by_size=True)]


def scale(noise):
    return 0.08 * 30.0**-0.3 if noise.by_size else 0.08


def standard(noise) -> Any:
    return stats.t(3.5) if isinstance(noise, Student) else stats.norm()


@pytest.mark.parametrize("noise", NOISE, ids=str)
def test_density_is_that_of_the_response_as_measured(noise):
    response = np.array([1.2, 2.0, 2.2, 2.3, 5.0])
    z = (np.log(response) - np.log(LAW)) / scale(noise)
    # Change of variables from standard residual to response: dz / dy = 1 / (scale * y).
    expected = standard(noise).logpdf(z) - np.log(scale(noise)) - np.log(response)
    assert noise.log_density(response, LAW, PARAMS, SIZE) == pytest.approx(expected, rel=1e-12)


def test_normal_noise_makes_a_log_normal_response():
    response = np.array([1.2, 2.0, 2.2, 2.3, 5.0])
    expected: Any = stats.lognorm(s=0.08, scale=LAW)
    assert Normal().log_density(response, LAW, PARAMS, 1.0) == pytest.approx(expected.logpdf(response), rel=1e-12)
    assert Normal().cdf(response, LAW, PARAMS, 1.0) == pytest.approx(expected.cdf(response), rel=1e-12)


@pytest.mark.parametrize("noise", NOISE, ids=str)
def test_density_integrates_to_one_and_to_the_distribution_function(noise):
    # Over log response, where the tails are those of the noise; d(response) = response * d(log response).
    def density(u):
        return np.exp(noise.log_density(np.exp(u), LAW, PARAMS, SIZE) + u)

    middle, reach = np.log(LAW), 40 * scale(noise)
    total, _ = integrate.quad(density, middle - 200, middle + 200, points=[middle - reach, middle, middle + reach])
    assert total == pytest.approx(1.0, abs=1e-5)
    part, _ = integrate.quad(density, middle - 200, np.log(2.3), points=[middle - reach, middle])
    assert noise.cdf(2.3, LAW, PARAMS, SIZE) == pytest.approx(part, abs=1e-5)


@pytest.mark.parametrize("noise", NOISE, ids=str)
def test_distribution_function(noise):
    response = np.array([1.2, 2.0, 2.2, 2.3, 5.0])
    expected = standard(noise).cdf((np.log(response) - np.log(LAW)) / scale(noise))
    assert noise.cdf(response, LAW, PARAMS, SIZE) == pytest.approx(expected, rel=1e-10)
    assert noise.cdf(LAW, LAW, PARAMS, SIZE) == pytest.approx(0.5)


@pytest.mark.parametrize("noise", NOISE, ids=str)
def test_draws_have_the_quantiles_of_the_distribution(noise):
    share = np.array([0.01, 0.1, 0.5, 0.9, 0.99])
    quantiles = LAW * np.exp(scale(noise) * standard(noise).ppf(share))
    draws = noise.draw(np.random.default_rng(7), np.full(20_000, LAW), PARAMS, SIZE)
    below = (draws[:, None] < quantiles).mean(axis=0)
    # Four standard errors of a share of 20,000 draws.
    assert np.all(np.abs(below - share) < 4 * np.sqrt(share * (1 - share) / 20_000))
    again = noise.draw(np.random.default_rng(7), np.full(20_000, LAW), PARAMS, SIZE)
    assert np.array_equal(draws, again)


@pytest.mark.parametrize("noise", NOISE, ids=str)
def test_draws_of_two_runs_are_independent(noise):
    draws = noise.draw(np.random.default_rng(3), np.full((5000, 2), LAW), PARAMS, SIZE)
    ranks = stats.rankdata(draws, axis=0)
    # Four standard errors of a correlation of 5,000 pairs.
    assert abs(np.corrcoef(ranks.T)[0, 1]) < 4 / np.sqrt(5000)


def test_scale_follows_size():
    params = {"sigma": 0.02, "kappa": 0.5, "nu": 4.0}
    size = np.array([0.01, 1.0, 100.0])
    assert Student(by_size=True).scale(params, size) == pytest.approx([0.002, 0.02, 0.2])
    assert Student().scale(params, size) == 0.02


@pytest.mark.parametrize("noise", NOISE, ids=str)
def test_named_dims_broadcast(noise):
    rng = np.random.default_rng(1)
    params = {s: xr.DataArray(v + 0.01 * rng.random(3), dims="draw") for s, v in PARAMS.items()}
    law = xr.DataArray([1.5, 2.0, 2.5], dims="run")
    response = xr.DataArray([1.6, 2.1, 2.2], dims="run")
    size = xr.DataArray([0.1, 1.0, 10.0], dims="run")
    density = noise.log_density(response, law, params, size)
    distribution = noise.cdf(response, law, params, size)
    for draw in range(3):
        for run in range(3):
            one = {s: float(v[draw]) for s, v in params.items()}
            at = (float(response[run]), float(law[run]), one, float(size[run]))
            where = {"draw": draw, "run": run}
            assert float(density[where]) == pytest.approx(noise.log_density(*at), rel=1e-12)
            assert float(distribution[where]) == pytest.approx(noise.cdf(*at), rel=1e-12)


@pytest.mark.parametrize("noise", NOISE, ids=str)
def test_draws_have_the_dims_of_all_arguments(noise):
    params = {s: xr.DataArray(np.full((4, 3), v), dims=("chain", "draw")) for s, v in PARAMS.items()}
    law = xr.DataArray(np.full((4, 3, 5), LAW), dims=("chain", "draw", "run"))
    draws = noise.draw(np.random.default_rng(0), law, params, xr.DataArray(np.ones(5), dims="run"))
    assert dict(draws.sizes) == {"chain": 4, "draw": 3, "run": 5}
    assert np.unique(draws).size == 60


def test_draws_have_the_dims_of_the_shape_parameter_too():
    law = xr.DataArray([1.5, 2.0, 2.5], dims="run")
    params = {"sigma": 0.1, "nu": xr.DataArray([3.0, 5.0, 30.0], dims="draw")}
    draws = Student().draw(np.random.default_rng(0), law, params, 1.0)
    assert dict(draws.sizes) == {"run": 3, "draw": 3}
    assert np.unique(draws).size == 9


@pytest.mark.parametrize("noise", NOISE, ids=str)
def test_graph_has_the_density_of_log_response(noise):
    import pymc as pm

    response, mu, size = np.array([1.6, 2.1, 2.6]), np.log([1.5, 2.0, 2.5]), np.array([0.1, 1.0, 10.0])
    with pm.Model() as graph:
        noise.to_pymc("y", mu, PARAMS, size, np.log(response))
    expected = noise.log_density(response, np.exp(mu), PARAMS, size) + np.log(response)
    logp: Any = graph.logp()
    assert logp.eval(mode="FAST_COMPILE") == pytest.approx(np.sum(expected), rel=1e-6)


# -- Names


@pytest.mark.parametrize("noise", NOISE, ids=str)
def test_a_noise_is_found_by_what_it_prints(noise):
    assert find_noise(str(noise)) == noise
    assert find_noise(noise) is noise


def test_known_noises():
    assert list(NOISES) == ["student", "normal"]
    assert [str(n) for n in NOISE] == ["student", "normal", "student+size", "normal+size"]


@pytest.mark.parametrize("text", ["gauss", "Student", "student+", "student+N", "+size", "", None, 3])
def test_unknown_noise_is_answered_with_the_known_ones(text):
    with pytest.raises(InputError, match=r"student, student\+size, normal, normal\+size"):
        find_noise(text)


def test_parameters():
    assert Student().params == (SIGMA, NU)
    assert Normal().params == (SIGMA,)
    assert Student(by_size=True).params == (SIGMA, NU, KAPPA)
    assert Normal(by_size=True).params == (SIGMA, KAPPA)
    assert (SIGMA.support, NU.support, KAPPA.support) == (POSITIVE, POSITIVE, REAL)


def test_the_bare_noise_is_abstract():
    with pytest.raises(TypeError, match="Student or Normal"):
        Noise().log_density(2.0, 2.0, PARAMS, 1.0)
