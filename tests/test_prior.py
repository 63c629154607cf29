import copy
import math
import pickle
from typing import Any

import numpy as np
import preliz
import pymc as pm
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayescale.errors import InputError
from bayescale.prior import _FAMILIES, POSITIVE, REAL, UNIT, Prior

# One of each family, no argument equal to another or to a default, so that a swapped or forgotten one shows.
EXAMPLES = [
    Prior("Normal", mu=0.7, sigma=1.3),
    Prior("LogNormal", mu=-0.4, sigma=0.6),
    Prior("HalfNormal", sigma=1.7),
    Prior("StudentT", nu=3.5, mu=-0.3, sigma=0.8),
    Prior("Exponential", lam=2.5),
    Prior("Gamma", alpha=2.2, beta=0.4),
    Prior("InverseGamma", alpha=3.1, beta=1.9),
    Prior("Beta", alpha=1.6, beta=4.2),
    Prior("Uniform", lower=-0.5, upper=2.5),
    Prior("TruncatedNormal", mu=0.4, sigma=1.1, lower=-0.7, upper=1.9),
]
SUPPORTS = {
    "Normal": (-math.inf, math.inf),
    "LogNormal": (0, math.inf),
    "HalfNormal": (0, math.inf),
    "StudentT": (-math.inf, math.inf),
    "Exponential": (0, math.inf),
    "Gamma": (0, math.inf),
    "InverseGamma": (0, math.inf),
    "Beta": (0, 1),
    "Uniform": (-0.5, 2.5),
    "TruncatedNormal": (-0.7, 1.9),
}
# From the textbooks, in the arguments' own letters.
MEANS = {
    "Normal": 0.7,
    "LogNormal": math.exp(-0.4 + 0.6**2 / 2),
    "HalfNormal": 1.7 * math.sqrt(2 / math.pi),
    "StudentT": -0.3,
    "Exponential": 1 / 2.5,
    "Gamma": 2.2 / 0.4,
    "InverseGamma": 1.9 / (3.1 - 1),
    "Beta": 1.6 / (1.6 + 4.2),
    "Uniform": 1.0,
}
QUANTILES = np.array([0.01, 0.1, 0.35, 0.5, 0.8, 0.99])


def name(prior):
    return prior.distribution


def test_there_is_an_example_of_every_family():
    assert [p.distribution for p in EXAMPLES] == list(_FAMILIES)


@pytest.mark.parametrize("prior", EXAMPLES, ids=name)
def test_scipy_and_pymc_are_the_same_distribution(prior):
    x = prior.quantile(QUANTILES)
    # PyTensor works in single precision on constants that fit it, here and inside PyMC: hence the tolerance,
    # and hence the graph of a model passes the priors' numbers as data.
    with pm.Model():
        data: Any = pm.Data("numbers", np.array(list(prior.args.values())))
        variable = prior.to_pymc("x", args=[data[i] for i in range(len(prior.args))])
        rounded = prior.to_pymc("y")
    logp, rough = (pm.logp(v, x).eval(mode="FAST_COMPILE") for v in (variable, rounded))
    assert logp == pytest.approx(prior.to_scipy().logpdf(x), rel=1e-7, abs=1e-7)
    assert rough == pytest.approx(prior.to_scipy().logpdf(x), rel=1e-6, abs=1e-6)


def test_tensors_may_stand_in_for_the_numbers():
    prior = Prior("Gamma", alpha=2.2, beta=0.4)
    with pm.Model():
        numbers: Any = pm.Data("numbers", np.array([5.0, 2.0]))
        variable = prior.to_pymc("x", args=[numbers[0], numbers[1]], shape=(3,))
    assert variable.type.shape == (3,)
    expected = Prior("Gamma", alpha=5, beta=2).to_scipy().logpdf([1.0, 2.0, 3.0])
    assert pm.logp(variable, np.array([1.0, 2.0, 3.0])).eval(mode="FAST_COMPILE") == pytest.approx(expected)


@pytest.mark.parametrize("prior", EXAMPLES, ids=name)
def test_support(prior):
    assert prior.support == pytest.approx(SUPPORTS[prior.distribution])


@pytest.mark.parametrize("prior", [p for p in EXAMPLES if p.distribution in MEANS], ids=name)
def test_mean_is_the_textbooks(prior):
    assert prior.to_scipy().mean() == pytest.approx(MEANS[prior.distribution], rel=1e-9)


@pytest.mark.parametrize("prior", EXAMPLES, ids=name)
def test_quantiles_invert_the_distribution_function(prior):
    assert prior.to_scipy().cdf(prior.quantile(QUANTILES)) == pytest.approx(QUANTILES, abs=1e-9)


@pytest.mark.parametrize("prior", EXAMPLES, ids=name)
def test_draws_have_the_shape_the_distribution_and_the_seed(prior):
    draws = prior.draw(np.random.default_rng(4), (40, 50))
    assert draws.shape == (40, 50)
    below = (draws[..., None] < prior.quantile(QUANTILES)).mean(axis=(0, 1))
    # Four standard errors of a share of 2,000 draws.
    assert np.all(np.abs(below - QUANTILES) < 4 * np.sqrt(QUANTILES * (1 - QUANTILES) / 2000))
    assert np.array_equal(draws, prior.draw(np.random.default_rng(4), (40, 50)))


@pytest.mark.parametrize("prior", [p for p in EXAMPLES if p.distribution != "Beta"], ids=name)
@pytest.mark.parametrize("by", [0.03, 2.5, 400.0])
def test_scaled_is_the_distribution_of_the_product(prior, by):
    scaled = prior.scaled(by)
    assert scaled.distribution == prior.distribution
    assert scaled.quantile(QUANTILES) == pytest.approx(by * prior.quantile(QUANTILES), rel=1e-9)


def test_a_beta_cannot_be_scaled():
    with pytest.raises(InputError, match="Beta"):
        Prior("Beta", alpha=1, beta=2).scaled(2.0)


@pytest.mark.parametrize("prior", EXAMPLES, ids=name)
def test_preliz_is_the_same_distribution(prior):
    x = prior.quantile(QUANTILES)
    assert prior.to_preliz().logpdf(x) == pytest.approx(prior.to_scipy().logpdf(x), rel=1e-6)


@pytest.mark.parametrize("prior", EXAMPLES, ids=name)
def test_preliz_there_and_back(prior):
    assert Prior.read(prior.to_preliz()) == prior


@pytest.mark.parametrize(
    ("family", "given", "moments"),
    [
        ("Gamma", {"mu": 2.0, "sigma": 1.0}, (2.0, 1.0)),
        ("InverseGamma", {"mu": 3.0, "sigma": 1.0}, (3.0, 1.0)),
        ("Beta", {"mu": 0.3, "nu": 9.0}, (0.3, math.sqrt(0.3 * 0.7 / 10))),  # nu + 1 = alpha + beta + 1
        ("Normal", {"mu": 1.0, "tau": 4.0}, (1.0, 0.5)),
        ("Exponential", {"scale": 2.0}, (2.0, 2.0)),
        ("StudentT", {"nu": 4.0, "mu": 1.0, "lam": 4.0}, (1.0, 0.5 * math.sqrt(2.0))),  # variance nu/(nu - 2)
    ],
)
def test_other_parametrisations_of_preliz(family, given, moments):
    prior = Prior.read(getattr(preliz, family)(**given))
    frozen = prior.to_scipy()
    assert (frozen.mean(), frozen.std()) == pytest.approx(moments)


def test_a_prior_elicited_with_preliz():
    elicited = preliz.LogNormal()
    maxent: Any = preliz.maxent  # its hints ask for whole numbers
    maxent(elicited, 0.1, 0.5, 0.9, plot=False)
    low, high = Prior.read(elicited).to_scipy().cdf([0.1, 0.5])
    assert high - low == pytest.approx(0.9, abs=1e-3)  # what was asked of maxent, to its own tolerance


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (preliz.LogNormal(), r"LogNormal has no value yet for all of mu, sigma: .* preliz\.maxent"),
        (preliz.Normal(mu=0), "Normal has no value yet for all of mu, sigma"),
        (preliz.LogNormal, "LogNormal has no value yet"),
        (preliz.TruncatedNormal(0, 1), "TruncatedNormal has no value yet for all of mu, sigma, lower, upper"),
        (preliz.Cauchy(0, 1), "PreliZ's Cauchy cannot be a prior here. Known: Normal, LogNormal"),
        (preliz.Truncated(preliz.Normal(0, 1), 0, 2), "PreliZ's Truncated cannot"),
        (preliz.Normal([0, 1], 1), "mu must be a number"),
        (0.5, "0.5 is no prior"),
        (None, "None is no prior"),
    ],
)
def test_what_is_no_prior_is_refused(given, words):
    with pytest.raises(InputError, match=words):
        Prior.read(given)


# -- Text


@pytest.mark.parametrize("prior", EXAMPLES, ids=name)
def test_what_is_printed_can_be_read(prior):
    assert Prior.parse(repr(prior)) == prior


def test_arguments_are_read_by_place_or_name():
    expected = Prior("LogNormal", mu=0.5, sigma=0.2)
    for text in (
        "LogNormal(0.5, 0.2)",
        " LogNormal ( 0.5 ,0.2 ) ",
        "LogNormal(mu=0.5, sigma=0.2)",
        "LogNormal(sigma=0.2, mu=0.5)",
        "LogNormal(0.5, sigma = 0.2)",
        "LogNormal(5e-1, 2E-1)",
    ):
        assert Prior.parse(text) == expected


@given(mu=st.floats(-1e12, 1e12), sigma=st.floats(1e-12, 1e12))
def test_numbers_are_read_to_the_last_digit(mu, sigma):
    prior = Prior.parse(f"Normal(mu={mu!r}, sigma={sigma!r})")
    assert dict(prior.args) == {"mu": mu, "sigma": sigma}
    assert prior == Prior("Normal", mu, sigma)


@given(mu=st.floats(-1e12, 1e12), sigma=st.floats(1e-12, 1e12))
def test_a_printed_prior_reads_back_to_the_six_digits_shown(mu, sigma):
    back = Prior.parse(repr(Prior("Normal", mu, sigma)))
    assert dict(back.args) == {"mu": pytest.approx(mu, rel=1e-5), "sigma": pytest.approx(sigma, rel=1e-5)}


@pytest.mark.parametrize("text", ["", "LogNormal", "LogNormal(0.5", "0.5", "Log Normal(0, 1)", "Normal(0, 1) + 1"])
def test_text_that_is_no_prior(text):
    with pytest.raises(InputError, match="Cannot read the prior"):
        Prior.parse(text)


@pytest.mark.parametrize("text", ["Normal(zero, 1)", "Normal(mu=, sigma=1)", "Normal(0, 1 2)"])
def test_text_with_an_argument_that_is_no_number(text):
    with pytest.raises(InputError, match="not a number"):
        Prior.parse(text)


def test_text_that_names_an_argument_twice():
    with pytest.raises(InputError, match="mu"):
        Prior.parse("Normal(0, mu=1, sigma=1)")
    with pytest.raises(InputError, match="mu"):
        Prior.parse("Normal(mu=0, mu=1, sigma=1)")


def test_text_with_an_argument_left_empty():
    with pytest.raises(InputError):
        Prior.parse("Normal(0,,1)")


# -- Errors


def test_an_unknown_distribution_is_answered_with_the_known_ones():
    with pytest.raises(InputError, match=r"'Lognormal'.*LogNormal.*InverseGamma"):
        Prior("Lognormal", 0, 1)


@pytest.mark.parametrize(
    ("distribution", "args", "kwargs"),
    [
        ("Normal", (0,), {}),
        ("Normal", (), {"mu": 0}),
        ("Normal", (), {"mu": 0, "sd": 1}),
        ("Normal", (0, 1, 2), {}),
        ("Normal", (0, 1), {"lower": 0}),
        ("HalfNormal", (), {}),
    ],
)
def test_missing_or_unknown_arguments_are_answered_with_the_right_ones(distribution, args, kwargs):
    with pytest.raises(InputError, match=rf"{distribution} takes (mu, )?sigma"):
        Prior(distribution, *args, **kwargs)


@pytest.mark.parametrize("value", ["wide", None, [1, 2], math.nan, math.inf, -math.inf])
def test_arguments_are_finite_numbers(value):
    with pytest.raises(InputError, match="mu must be"):
        Prior("Normal", value, 1)


@pytest.mark.parametrize("value", [0, -1.5])
@pytest.mark.parametrize(
    ("distribution", "argument"),
    [
        ("Normal", "sigma"),
        ("LogNormal", "sigma"),
        ("HalfNormal", "sigma"),
        ("StudentT", "nu"),
        ("StudentT", "sigma"),
        ("Exponential", "lam"),
        ("Gamma", "alpha"),
        ("Gamma", "beta"),
        ("InverseGamma", "alpha"),
        ("InverseGamma", "beta"),
        ("Beta", "alpha"),
        ("Beta", "beta"),
        ("TruncatedNormal", "sigma"),
    ],
)
def test_scales_and_shapes_are_positive(distribution, argument, value):
    example = next(p for p in EXAMPLES if p.distribution == distribution)
    with pytest.raises(InputError, match=f"{distribution}: {argument} must be positive"):
        Prior(distribution, **{**example.args, argument: value})


@pytest.mark.parametrize("upper", [1.0, 0.5])
def test_lower_lies_below_upper(upper):
    with pytest.raises(InputError, match="lower must be below upper"):
        Prior("Uniform", lower=1.0, upper=upper)
    with pytest.raises(InputError, match="lower must be below upper"):
        Prior("TruncatedNormal", mu=0, sigma=1, lower=1.0, upper=upper)


# -- A value


def test_equality_is_of_every_digit():
    prior = Prior("Normal", 0.5, 0.2)
    assert prior == Prior("Normal", sigma=0.2, mu=0.5)
    assert prior != Prior("Normal", np.nextafter(0.5, 1), 0.2)
    assert prior != Prior("LogNormal", 0.5, 0.2)
    assert prior != "Normal(mu=0.5, sigma=0.2)"
    assert len({prior, Prior("Normal", sigma=0.2, mu=0.5), Prior("Normal", 0.5, 0.3)}) == 2


def test_a_prior_cannot_be_changed():
    prior = Prior("Normal", 0, 1)
    with pytest.raises(AttributeError):
        prior.distribution = "Uniform"
    with pytest.raises(TypeError):
        prior.args["mu"] = 1  # pyright: ignore[reportIndexIssue]


@pytest.mark.parametrize("prior", EXAMPLES, ids=name)
def test_copies_keep_every_digit(prior):
    prior = Prior(prior.distribution, **{k: v * (1 + 1e-15) for k, v in prior.args.items()})
    assert pickle.loads(pickle.dumps(prior)) == prior
    assert copy.deepcopy(prior) == prior


# -- Supports of parameters


@given(u=st.floats(-15, 15))
def test_supports_map_the_line_to_their_range_and_back(u):
    for support in (REAL, POSITIVE, UNIT):
        x = support.constrain(np.float64(u))
        assert support.lower < x < support.upper
        assert support.unconstrain(x) == pytest.approx(u, abs=1e-8)


def test_supports_at_known_points():
    assert REAL.constrain(-2.0) == -2.0
    assert POSITIVE.constrain(0.0) == 1.0
    assert POSITIVE.unconstrain(math.e) == pytest.approx(1.0)
    assert UNIT.constrain(0.0) == 0.5
    assert UNIT.unconstrain(0.8) == pytest.approx(math.log(4.0))


@pytest.mark.parametrize("support", [REAL, POSITIVE, UNIT], ids=lambda s: s.name)
def test_the_priors_that_are_normal_on_the_unconstrained_scale(support):
    normal = {REAL: ["Normal"], POSITIVE: ["LogNormal"], UNIT: []}[support]
    assert [p.distribution for p in EXAMPLES if p.is_normal_on(support)] == normal
