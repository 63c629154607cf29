from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import integrate, stats

from bayescale.errors import InputError
from bayescale.law import ACCURACY, ELO, ERROR, LOSS
from bayescale.noise import (
    CONCENTRATION,
    KAPPA,
    NOISES,
    NU,
    SHORTFALL,
    SHORTFALL_OWN,
    SIGMA,
    SIGMA_OWN,
    BetaBinomial,
    Binomial,
    Frontier,
    Noise,
    Normal,
    Student,
    find_noise,
)
from bayescale.prior import POSITIVE, REAL

LAW, SIZE = 2.2, {"size": 30.0}
NO_FACTS: dict[str, Any] = {"size": 1.0}
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
    assert Normal().log_density(response, LAW, PARAMS, NO_FACTS) == pytest.approx(expected.logpdf(response), rel=1e-12)
    assert Normal().cdf(response, LAW, PARAMS, NO_FACTS) == pytest.approx(expected.cdf(response), rel=1e-12)


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
    facts = {"size": np.array([0.01, 1.0, 100.0])}
    assert Student(by_size=True).scale(params, facts) == pytest.approx([0.002, 0.02, 0.2])
    assert Student().scale(params, facts) == 0.02


@pytest.mark.parametrize("noise", NOISE, ids=str)
def test_named_dims_broadcast(noise):
    rng = np.random.default_rng(1)
    params = {s: xr.DataArray(v + 0.01 * rng.random(3), dims="draw") for s, v in PARAMS.items()}
    law = xr.DataArray([1.5, 2.0, 2.5], dims="run")
    response = xr.DataArray([1.6, 2.1, 2.2], dims="run")
    facts = {"size": xr.DataArray([0.1, 1.0, 10.0], dims="run")}
    density = noise.log_density(response, law, params, facts)
    distribution = noise.cdf(response, law, params, facts)
    for draw in range(3):
        for run in range(3):
            one = {s: float(v[draw]) for s, v in params.items()}
            at = (float(response[run]), float(law[run]), one, {"size": float(facts["size"][run])})
            where = {"draw": draw, "run": run}
            assert float(density[where]) == pytest.approx(noise.log_density(*at), rel=1e-12)
            assert float(distribution[where]) == pytest.approx(noise.cdf(*at), rel=1e-12)


@pytest.mark.parametrize("noise", NOISE, ids=str)
def test_draws_have_the_dims_of_all_arguments(noise):
    params = {s: xr.DataArray(np.full((4, 3), v), dims=("chain", "draw")) for s, v in PARAMS.items()}
    law = xr.DataArray(np.full((4, 3, 5), LAW), dims=("chain", "draw", "run"))
    draws = noise.draw(np.random.default_rng(0), law, params, {"size": xr.DataArray(np.ones(5), dims="run")})
    assert dict(draws.sizes) == {"chain": 4, "draw": 3, "run": 5}
    assert np.unique(draws).size == 60


def test_draws_have_the_dims_of_the_shape_parameter_too():
    law = xr.DataArray([1.5, 2.0, 2.5], dims="run")
    params = {"sigma": 0.1, "nu": xr.DataArray([3.0, 5.0, 30.0], dims="draw")}
    draws = Student().draw(np.random.default_rng(0), law, params, NO_FACTS)
    assert dict(draws.sizes) == {"run": 3, "draw": 3}
    assert np.unique(draws).size == 9


@pytest.mark.parametrize("noise", NOISE, ids=str)
def test_graph_has_the_density_of_log_response(noise):
    import pymc as pm

    response, mu, facts = np.array([1.6, 2.1, 2.6]), np.log([1.5, 2.0, 2.5]), {"size": np.array([0.1, 1.0, 10.0])}
    with pm.Model() as graph:
        noise.to_pymc("y", mu, PARAMS, facts, noise.observed(response, facts))
    expected = noise.log_density(response, np.exp(mu), PARAMS, facts) + np.log(response)
    logp: Any = graph.logp()
    assert logp.eval(mode="FAST_COMPILE") == pytest.approx(np.sum(expected), rel=1e-6)


# -- Names


@pytest.mark.parametrize("noise", NOISE, ids=str)
def test_a_noise_is_found_by_what_it_prints(noise):
    assert find_noise(str(noise)) == noise
    assert find_noise(noise) == noise


def test_known_noises():
    assert list(NOISES) == ["student", "normal", "frontier", "binomial", "beta_binomial"]
    assert [str(n) for n in NOISE] == ["student", "normal", "student+size", "normal+size"]


@pytest.mark.parametrize("text", ["gauss", "Student", "student+", "student+N", "+size", "", "binomial+size"])
def test_unknown_noise_is_answered_with_the_known_ones(text):
    with pytest.raises(InputError, match=r"student, student\+size, normal, normal\+size, .*, beta_binomial"):
        find_noise(text)


def test_parameters():
    assert Student().params == (SIGMA, NU)
    assert Normal().params == (SIGMA,)
    assert Student(by_size=True).params == (SIGMA, NU, KAPPA)
    assert Normal(by_size=True).params == (SIGMA, KAPPA)
    assert (SIGMA.support, NU.support, KAPPA.support) == (POSITIVE, POSITIVE, REAL)


def test_the_bare_noise_is_abstract():
    with pytest.raises(TypeError, match="Student or Normal"):
        Noise().log_density(2.0, 2.0, PARAMS, NO_FACTS)


def test_a_response_with_counts_has_noise_in_counts_by_default():
    assert find_noise(None) == Student()
    assert find_noise(None, ACCURACY) == Student(output=ACCURACY)
    assert find_noise(None, ACCURACY, has_counts=True) == BetaBinomial(output=ACCURACY)
    assert find_noise(None, LOSS, has_counts=True) == Student()
    # A noise made for one response serves another.
    assert find_noise(Normal(by_size=True), ELO) == Normal(by_size=True, output=ELO)


# -- Responses that scatter on their own scale


OWN_SCALE = [Student(output=ELO), Normal(output=ELO), Normal(output=ACCURACY), Student(by_size=True, output=ELO)]


@pytest.mark.parametrize("noise", OWN_SCALE, ids=lambda n: f"{n} {n.output.symbol}")
def test_a_response_that_may_be_negative_or_a_share_scatters_on_its_own_scale(noise):
    response, law = np.array([-0.3, 0.0, 0.24, 0.31, 1.2]), 0.25
    expected: Any = standard(noise)
    z = (response - law) / scale(noise)
    density = noise.log_density(response, law, PARAMS, SIZE)
    assert density == pytest.approx(expected.logpdf(z) - np.log(scale(noise)), rel=1e-12)
    assert noise.cdf(response, law, PARAMS, SIZE) == pytest.approx(expected.cdf(z), rel=1e-10)
    assert noise.deviation(response, law) == pytest.approx(response - law)
    assert noise.observed(response, SIZE) == pytest.approx(response)
    assert noise.where == f"on {noise.output.symbol}"
    draws = noise.draw(np.random.default_rng(5), np.full(20_000, law), PARAMS, SIZE)
    assert stats.kstest((draws - law) / scale(noise), expected.cdf).pvalue > 1e-3


@pytest.mark.parametrize("output", [LOSS, ERROR])
def test_a_positive_response_scatters_on_its_log(output):
    assert Student(output=output).where == f"on log {output.symbol}"
    assert Student(output=output).params == (SIGMA, NU)


def test_parameters_of_other_noises():
    assert Student(output=ELO).params == (SIGMA_OWN, NU)
    assert Normal(by_size=True, output=ACCURACY).params == (SIGMA_OWN, KAPPA)
    assert Frontier().params == (SIGMA, SHORTFALL)
    assert Frontier(by_size=True, output=ELO).params == (SIGMA_OWN, KAPPA, SHORTFALL_OWN)
    assert Binomial(output=ACCURACY).params == ()
    assert BetaBinomial(output=ACCURACY).params == (CONCENTRATION,)
    # In units of the response where it is not a log.
    assert not SIGMA.scaled
    assert not SHORTFALL.scaled
    assert SIGMA_OWN.scaled
    assert SHORTFALL_OWN.scaled


# -- One-sided: runs fall short of the frontier


SHORT = {"sigma": 0.03, "shortfall": 0.12, "kappa": 0.2}
SHORT_SIZE = {"size": 2.0}
FRONTIERS = [
    Frontier(),
    Frontier(by_size=True),
    Frontier(output=ELO),
    Frontier(output=ACCURACY),
    Frontier(by_size=True, output=ELO),
]


def frontier_id(noise):
    return f"{noise} {noise.output.symbol}"


def exponnorm(noise) -> Any:
    """SciPy's normal plus exponential of a run's shortfall, on the scale of the noise."""
    sigma = 0.03 * 2.0**0.2 if noise.by_size else 0.03
    return stats.exponnorm(K=0.12 / sigma, scale=sigma)


def short_of(noise, response, law):
    """How far a response falls short: above a law of loss, below a law of Elo or accuracy."""
    return np.log(response / law) if noise.output == LOSS else law - response


@pytest.mark.parametrize("noise", FRONTIERS, ids=frontier_id)
def test_a_run_falls_short_of_the_frontier_by_a_normal_plus_an_exponential(noise):
    law = 2.2 if noise.output == LOSS else 0.5
    response = law + np.array([-0.4, -0.1, -0.02, 0.0, 0.02, 0.1, 0.4])
    short = short_of(noise, response, law)
    jacobian = -np.log(response) if noise.output == LOSS else 0.0
    expected = exponnorm(noise)
    density = noise.log_density(response, law, SHORT, SHORT_SIZE)
    assert density == pytest.approx(expected.logpdf(short) + jacobian, rel=1e-9)
    below = expected.cdf(short) if noise.output == LOSS else expected.sf(short)
    assert noise.cdf(response, law, SHORT, SHORT_SIZE) == pytest.approx(below, abs=1e-12)


@pytest.mark.parametrize("noise", FRONTIERS, ids=frontier_id)
def test_draws_fall_short_of_the_frontier(noise):
    law = 2.2 if noise.output == LOSS else 0.5
    draws = noise.draw(np.random.default_rng(8), np.full(20_000, law), SHORT, SHORT_SIZE)
    short = short_of(noise, draws, law)
    assert stats.kstest(short, exponnorm(noise).cdf).pvalue > 1e-3
    assert short.mean() == pytest.approx(0.12, abs=4 * exponnorm(noise).std() / np.sqrt(20_000))


def test_density_of_the_frontier_integrates_to_one():
    def density(y):
        return np.exp(Frontier(output=ELO).log_density(y, 0.5, SHORT, NO_FACTS))

    total, _ = integrate.quad(density, -5, 1, points=[0.3, 0.5])
    assert total == pytest.approx(1.0, abs=1e-7)
    part, _ = integrate.quad(density, -5, 0.45, points=[0.3])
    assert Frontier(output=ELO).cdf(0.45, 0.5, SHORT, NO_FACTS) == pytest.approx(part, abs=1e-7)


# Shortfalls from a thousandth of sigma, where normal noise is all there is, to a thousand times sigma.
@pytest.mark.parametrize("ratio", [1e-3, 0.1, 1.0, 30.0, 1e3])
def test_the_frontiers_density_neither_overflows_nor_loses_its_limits(ratio):
    params = {"sigma": 1.0, "shortfall": ratio}
    z = np.array([-30.0, -3.0, 0.0, 3.0, 30.0])
    density = -Frontier(output=ELO).log_density(-z, 0.0, params, NO_FACTS)
    assert np.isfinite(density).all()
    if ratio < 0.01:
        normal: Any = stats.norm(loc=ratio)
        assert density == pytest.approx(-normal.logpdf(z), rel=1e-4)
    # Far above a shortfall's scale the normal part is nothing: an exponential density.
    far = Frontier(output=ELO).log_density(-40.0 * max(ratio, 1.0), 0.0, params, NO_FACTS)
    assert np.isfinite(far)
    if ratio >= 30:
        assert far == pytest.approx(-np.log(ratio) - 40.0, abs=0.01)


@pytest.mark.parametrize("noise", FRONTIERS, ids=frontier_id)
def test_graph_has_the_density_of_the_frontier(noise):
    law = np.array([1.5, 2.0, 2.5])
    response = law + np.array([0.2, -0.05, 0.5])
    facts = {"size": np.array([0.5, 1.0, 3.0])}
    expected = noise.log_density(response, law, SHORT, facts)
    if noise.output == LOSS:
        expected = expected + np.log(response)
    found = graph_density(noise, np.log(law) if noise.on_log else law, response, SHORT, facts)
    assert found == pytest.approx(np.sum(expected), rel=1e-6)


def graph_density(noise, mu, response, params, facts):
    """Log density of the graph's observed variable, summed over the runs."""
    import pymc as pm

    with pm.Model() as graph:
        noise.to_pymc("y", mu, params, facts, noise.observed(response, facts))
    logp: Any = graph.logp()
    return logp.eval(mode="FAST_COMPILE")


@pytest.mark.parametrize("noise", OWN_SCALE, ids=lambda n: f"{n} {n.output.symbol}")
def test_graph_has_the_density_of_a_response_on_its_own_scale(noise):
    law, response = np.array([0.2, 0.5, 0.7]), np.array([0.1, 0.52, 0.9])
    facts = {"size": np.array([0.1, 1.0, 10.0])}
    expected = noise.log_density(response, law, PARAMS, facts)
    assert graph_density(noise, law, response, PARAMS, facts) == pytest.approx(np.sum(expected), rel=1e-6)


# -- Counts


COUNTS = {"binomial": Binomial(output=ACCURACY), "beta_binomial": BetaBinomial(output=ACCURACY)}
PHI = {"phi": 12.0}


@pytest.fixture(params=COUNTS)
def counted(request):
    return COUNTS[request.param]


def counts_law(noise, trials, p) -> Any:
    return stats.betabinom(trials, 12 * p, 12 * (1 - p)) if isinstance(noise, BetaBinomial) else stats.binom(trials, p)


@pytest.mark.parametrize("p", [0.02, 0.3, 0.9])
def test_probabilities_of_counts(counted, p):
    facts = {"trials": 40.0}
    right = np.arange(41.0)
    share = np.exp(counted.log_density(right / 40, p, PHI, facts))
    assert share.sum() == pytest.approx(1.0, rel=1e-10)
    expected = counts_law(counted, 40, p)
    # A probability keeps off 0 and 1 by a billionth.
    assert share == pytest.approx(expected.pmf(right), rel=1e-6)
    below = expected.cdf(right) - 0.5 * expected.pmf(right)
    assert counted.cdf(right / 40, p, PHI, facts) == pytest.approx(below, abs=1e-7)
    assert float(counted.cdf(0.25, p, PHI, facts)) == pytest.approx(below[10], abs=1e-7)
    assert counted.scale(PHI, facts, p) == pytest.approx(expected.std() / 40, rel=1e-10)


# From nearly all certain to nearly binomial, at both ends of the counts: each tail is summed from its own side.
@pytest.mark.parametrize("phi", [0.05, 1.0, 2.0, 300.0, 1e5])
@pytest.mark.parametrize("trials", [1.0, 7.0, 1000.0])
def test_distribution_function_of_scattered_counts(phi, trials):
    p = np.array([1e-6, 0.01, 0.5, 0.999])
    right = np.round(np.array([0.0, 0.01, 0.4, 0.9, 1.0]) * trials)[:, None]
    found = COUNTS["beta_binomial"].cdf(right / trials, p, {"phi": phi}, {"trials": trials})
    expected: Any = stats.betabinom(trials, p * phi, (1 - p) * phi)
    assert found == pytest.approx(expected.cdf(right) - 0.5 * expected.pmf(right), abs=1e-6)


def test_draws_of_counts_have_their_probabilities(counted):
    draws = counted.draw(np.random.default_rng(2), np.full(20_000, 0.3), PHI, {"trials": 12.0})
    right = draws * 12
    assert np.allclose(right, np.round(right))
    seen = np.bincount(np.round(right).astype(int), minlength=13)
    expected = 20_000 * counts_law(counted, 12, 0.3).pmf(np.arange(13))
    often = expected > 5
    seen, expected = [*seen[often], seen[~often].sum()], [*expected[often], expected[~often].sum()]
    chi2 = sum((a - b) ** 2 / b for a, b in zip(seen, expected, strict=True) if b > 0)
    assert stats.chi2.sf(chi2, len(seen) - 1) > 1e-3


def test_graph_has_the_probability_of_counts(counted):
    law, facts = np.array([0.2, 0.5, 0.97]), {"trials": np.array([20.0, 100.0, 300.0])}
    response = np.array([0.0, 0.52, 1.0])
    expected = counted.log_density(response, law, PHI, facts)
    assert graph_density(counted, law, response, PHI, facts) == pytest.approx(np.sum(expected), rel=1e-6)


def test_a_law_that_is_certain_is_not_refuted_by_a_float(counted):
    # A logistic curve far out is exactly 1 in floats; one wrong answer of 200 must not be impossible.
    density = counted.log_density(np.array([0.995, 1.0]), 1.0, PHI, {"trials": 200.0})
    assert np.isfinite(density).all()
    assert density[1] == pytest.approx(0.0, abs=1e-6)
    assert density[0] < np.log(200 * 1e-8)


def test_counts_broadcast_by_name(counted):
    params = {"phi": xr.DataArray([5.0, 12.0, 90.0], dims="draw")}
    law = xr.DataArray([[0.2, 0.5, 0.8], [0.3, 0.4, 0.6]], dims=("run", "draw"))
    facts = {"trials": xr.DataArray([20.0, 200.0], dims="run")}
    response = xr.DataArray([0.25, 0.5], dims="run")
    density, below = (f(response, law, params, facts) for f in (counted.log_density, counted.cdf))
    for run in range(2):
        for draw in range(3):
            where = {"run": run, "draw": draw}
            one = {"phi": float(params["phi"][draw])}
            at = (float(response[run]), float(law[where]), one, {"trials": float(facts["trials"][run])})
            assert float(density[where]) == pytest.approx(float(counted.log_density(*at)), rel=1e-12)
            assert float(below[where]) == pytest.approx(float(counted.cdf(*at)), rel=1e-12)


# Dims in an order other than (chain, draw, run), as a law whose formula begins with an input gives them.
@pytest.mark.parametrize("dims", [("chain", "draw", "run"), ("run", "chain", "draw")])
@pytest.mark.parametrize("noise", [*COUNTS.values(), *FRONTIERS[1:3], Student(output=ELO)], ids=str)
def test_draws_keep_the_order_of_the_laws_dims(noise, dims):
    sizes = {"chain": 4, "draw": 3, "run": 5}
    law = xr.DataArray(np.full([sizes[d] for d in dims], 0.4), dims=dims)
    law = law + 0.1 * xr.DataArray(np.arange(5.0), dims="run")
    values = {"sigma": 1e-6, "kappa": 0.0, "shortfall": 1e-6, "nu": 50.0, "phi": 1e6}
    params = {s: xr.DataArray(np.full((4, 3), v), dims=("chain", "draw")) for s, v in values.items()}
    facts = {"size": xr.DataArray(np.ones(5), dims="run"), "trials": xr.DataArray(np.full(5, 1e6), dims="run")}
    draws = noise.draw(np.random.default_rng(0), law, params, facts)
    assert dict(draws.sizes) == sizes
    # So little noise that each draw shows the law of its own run.
    assert draws.transpose(*dims).to_numpy() == pytest.approx(law.to_numpy(), abs=0.01)


def test_draws_have_the_dims_of_the_other_parameters_too():
    law = xr.DataArray([0.2, 0.5], dims="run")
    values = xr.DataArray([5.0, 20.0, 80.0], dims="draw")
    drawn = COUNTS["beta_binomial"].draw(np.random.default_rng(0), law, {"phi": values}, {"trials": 1000.0})
    assert dict(drawn.sizes) == {"run": 2, "draw": 3}
    drawn = Frontier(output=ELO).draw(np.random.default_rng(0), law, {"sigma": 0.1, "shortfall": values}, NO_FACTS)
    assert dict(drawn.sizes) == {"run": 2, "draw": 3}


def accuracies(**columns):
    return pd.DataFrame({"accuracy": [0.25, 0.5, 0.75], "n_trials": [20, 40, 200]} | columns)


def test_whole_counts_pass(counted):
    counted.check(accuracies())
    # A third as a table prints it: 99.99 of 300 answers is within the rounding of four digits.
    counted.check(accuracies(accuracy=[0.3333, 0.0, 1.0], n_trials=[300, 40, 200]))
    assert counted.observed(np.array([0.3333, 1.0]), {"trials": np.array([300.0, 200.0])}).tolist() == [100, 200]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"n_trials": [20, 0, 200]}, r"whole numbers from 1 to 1e\+12; row 2 holds 0"),
        ({"n_trials": [20, 40, 1e13]}, r"row 3 holds 1e\+13"),
        ({"n_trials": [20, 40, -5]}, r"row 3 holds -5"),
        ({"n_trials": [20, 40.5, 200]}, r"row 2 holds 40\.5"),
        ({"n_trials": [20, np.nan, 200]}, r"row 2 holds nan"),
        ({"n_trials": ["20", "40", "many"]}, r"'n_trials' must be numbers up to 1e\+12; row 1 holds '20'"),
        ({"n_trials": [20, 40, 10**30]}, r"row 3 holds 10000"),
        ({"accuracy": [0.25, 0.512, 0.75]}, r"in row 2 it is 20\.480.*rounded, averaged, or adjusted"),
    ],
)
def test_counts_that_are_not_whole_are_refused(counted, columns, message):
    with pytest.raises(InputError, match=message):
        counted.check(accuracies(**columns))


def test_counts_need_a_column_of_trials_and_a_share(counted):
    with pytest.raises(InputError, match=r"needs a column 'n_trials'.*noise='normal'"):
        counted.check(accuracies().drop(columns="n_trials"))
    with pytest.raises(InputError, match="shares of right answers; L is none"):
        type(counted)(output=LOSS).check(accuracies())


def test_binomial_density_is_the_closed_form():
    # Three right of four at p = 1/2: 4 / 16.
    density = COUNTS["binomial"].log_density(0.75, 0.5, {}, {"trials": 4.0})
    assert density == pytest.approx(np.log(0.25), rel=1e-6)
    # Beta-binomial at p = 1/2 and phi = 2 is uniform over the five counts.
    density = COUNTS["beta_binomial"].log_density(0.75, 0.5, {"phi": 2.0}, {"trials": 4.0})
    assert density == pytest.approx(-np.log(5), rel=1e-6)
