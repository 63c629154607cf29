"""Simulated runs follow the law they are told to follow; draws from the prior are the prior's."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import bayescale as bs
from bayescale.errors import InputError
from bayescale.simulation import sample_prior, simulate

PAPER = {"E": 1.7, "A": 300.0, "B": 500.0, "alpha": 0.33, "beta": 0.29}
SHARES = np.array([0.05, 0.25, 0.5, 0.75, 0.95])


def paper_law(N, D):
    return 1.7 + 300.0 / N**0.33 + 500.0 / D**0.29


def make_runs(groups=("code", "art", "text"), each=20, seed=4):
    rng = np.random.default_rng(seed)
    n = len(groups) * each
    runs = {"N": 10 ** rng.uniform(6, 9, n), "D": 10 ** rng.uniform(8, 11, n), "L": rng.uniform(2, 4, n)}
    return pd.DataFrame(runs | {"field": np.repeat(list(groups), each)})


RUNS = make_runs()


def by_field(values):
    return np.array([values[field] for field in RUNS["field"]])


@pytest.fixture
def model():
    return bs.Model("chinchilla", RUNS, noise="normal")


@pytest.fixture
def pooled():
    return bs.Model("chinchilla", RUNS, noise="normal", pool="field")


def at_reference(model):
    """The same truth as sampled: amplitudes at the geometric mean of the runs."""
    N, D = (np.exp(np.log(RUNS[s]).mean()) for s in ("N", "D"))
    rest = {s: PAPER[s] for s in ("E", "alpha", "beta")}
    return {**rest, "A_ref": 300.0 * N**-0.33, "B_ref": 500.0 * D**-0.29}


# -- simulate


def test_without_noise_the_runs_lie_on_the_law(model):
    runs = simulate(model, {**PAPER, "sigma": 1e-13})
    assert runs["L"].to_numpy() == pytest.approx(paper_law(RUNS["N"], RUNS["D"]).to_numpy(), rel=1e-10)


def test_only_the_response_is_new(model):
    runs = simulate(model, {**PAPER, "sigma": 0.01}, seed=3)
    pd.testing.assert_frame_equal(runs.drop(columns="L"), model.runs.drop(columns="L"))
    assert runs.attrs["notes"][-1] == "Simulated from chinchilla, seed 3."
    assert model.runs["L"].tolist() == RUNS["L"].tolist()
    assert "notes" not in model.runs.attrs


def test_truth_as_the_paper_prints_it_and_as_sampled(model):
    printed = simulate(model, {**PAPER, "sigma": 0.02}, seed=1)
    sampled = simulate(model, {**at_reference(model), "sigma": 0.02}, seed=1)
    assert printed["L"].to_numpy() == pytest.approx(sampled["L"].to_numpy(), rel=1e-12)


def test_noise_has_its_scale_and_shape():
    table = pd.DataFrame({"N": np.full(4000, 1e8), "D": np.logspace(9, 11, 4000), "L": 2.0})
    with pytest.warns(bs.BayescaleWarning, match="does not vary"):
        model = bs.Model("chinchilla", table)
    runs = simulate(model, {**PAPER, "sigma": 0.03, "nu": 4.0}, seed=2)
    z = np.log(runs["L"] / paper_law(runs["N"], runs["D"])) / 0.03
    assert stats.kstest(z, stats.t(4.0).cdf).pvalue > 0.01


def test_the_seed_decides(model):
    one, same, other = (simulate(model, {**PAPER, "sigma": 0.01}, seed=seed)["L"] for seed in (1, 1, 2))
    assert one.equals(same)
    assert not np.any(one.to_numpy() == other.to_numpy())


def test_published_values_by_key(model):
    with_key = simulate(
        bs.Model("chinchilla", RUNS, noise="normal", priors={"sigma": "Uniform(1e-9, 3e-9)"}), "hoffmann2022"
    )
    expected = 1.69 + 406.4 / RUNS["N"] ** 0.34 + 410.7 / RUNS["D"] ** 0.28
    assert with_key["L"].to_numpy() == pytest.approx(expected.to_numpy(), rel=1e-7)
    with pytest.raises(InputError, match="no published values 'nobody1900'"):
        simulate(model, "nobody1900")


def test_published_values_of_another_input_are_refused():
    # x_0 of L(N) is a number of parameters; put on compute it would be silently wrong by many orders.
    with pytest.raises(InputError, match="for N"):
        simulate(bs.Model("saturating:C", RUNS.assign(C=6 * RUNS["N"] * RUNS["D"])), "henighan2020_math_N")


def test_each_group_has_its_own_truth(pooled):
    floors = {"art": 1.0, "code": 2.0, "text": 3.0}
    runs = simulate(pooled, {**PAPER, "E": floors, "sigma": 1e-13})
    expected = by_field(floors) - 1.7 + paper_law(RUNS["N"], RUNS["D"])
    assert runs["L"].to_numpy() == pytest.approx(expected.to_numpy(), rel=1e-10)


def test_groups_given_as_the_paper_prints_them(pooled):
    exponents = {"art": 0.2, "code": 0.3, "text": 0.4}
    amplitudes = {"text": 4000.0, "art": 40.0, "code": 400.0}
    runs = simulate(pooled, {**PAPER, "alpha": exponents, "A": amplitudes, "sigma": 1e-13})
    term = by_field(amplitudes) / RUNS["N"] ** by_field(exponents)
    assert runs["L"].to_numpy() == pytest.approx((1.7 + term + 500 / RUNS["D"] ** 0.29).to_numpy(), rel=1e-10)


def test_a_departure_from_the_law():
    model = bs.Model("chinchilla", RUNS, noise="normal", discrepancy=True)
    runs = simulate(model, {**PAPER, "sigma": 1e-13, "tau": 0.1, "weights": [0.0, 1.0, 0.0]})
    n, d = (np.log(RUNS[s] / np.exp(np.log(RUNS[s]).mean())) for s in ("N", "D"))
    product = n * d / (n.std(ddof=0) * d.std(ddof=0))
    expected = paper_law(RUNS["N"], RUNS["D"]) * np.exp(0.1 * (product - product.mean()))
    assert runs["L"].to_numpy() == pytest.approx(expected.to_numpy(), rel=1e-10)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sigma": None}, "true value of sigma"),
        ({"E": None}, "true value of E"),
        ({"B": None}, "true value of B"),
        ({"E": -1.0}, r"E \(irreducible loss\) must lie between 0 and inf"),
        ({"sigma": 0.0}, "sigma .* must lie between 0"),
        ({"alpha": np.nan}, "must lie between 0 and inf; nan"),
        ({"gamma": 1.0}, "does not know 'gamma'"),
        ({"E": [1.0, 2.0, 3.0]}, "one value for all groups"),
    ],
)
def test_truth_that_cannot_be(model, change, words):
    truth = {**PAPER, "sigma": 0.01} | change
    with pytest.raises(InputError, match=words):
        simulate(model, {s: v for s, v in truth.items() if v is not None})


def test_truth_of_a_group_is_missing(pooled):
    with pytest.raises(InputError, match="E needs a value for every group; there is none for text"):
        simulate(pooled, {**PAPER, "E": {"art": 1.0, "code": 2.0}, "sigma": 0.01})


def test_truth_for_a_group_that_is_not_there(pooled):
    floors = {"art": 1.0, "code": 2.0, "text": 3.0, "poetry": 4.0}
    with pytest.raises(InputError, match="poetry"):
        simulate(pooled, {**PAPER, "E": floors, "sigma": 0.01})


def test_truth_in_the_wrong_number(pooled):
    with pytest.raises(InputError, match="E needs one value, or one for each of the 3 groups"):
        simulate(pooled, {**PAPER, "E": [1.0, 2.0], "sigma": 0.01})


# -- sample_prior


OWN = {"E": "LogNormal(0.5, 0.2)", "A_ref": "Gamma(2, 4)", "alpha": "Uniform(0.1, 0.9)", "sigma": "HalfNormal(0.05)"}
OWN_DISTRIBUTIONS = {
    "E": stats.lognorm(s=0.2, scale=np.exp(0.5)),
    "A_ref": stats.gamma(a=2, scale=1 / 4),
    "alpha": stats.uniform(0.1, 0.8),
    "sigma": stats.halfnorm(scale=0.05),
}


def test_each_parameter_has_its_priors_distribution():
    draws = sample_prior(bs.Model("chinchilla", RUNS, noise="normal", priors=OWN), draws=4000, seed=1).dataset
    for symbol, distribution in OWN_DISTRIBUTIONS.items():
        assert stats.kstest(draws[symbol].to_numpy().ravel(), distribution.cdf).pvalue > 0.01, symbol


def test_parameters_are_independent():
    draws = sample_prior(bs.Model("chinchilla", RUNS, noise="normal", priors=OWN), draws=4000, seed=1).dataset
    ranks = np.corrcoef([stats.rankdata(draws[s]) for s in OWN])[np.triu_indices(4, 1)]
    assert np.abs(ranks).max() < 4 / np.sqrt(4000)


def test_a_default_level_is_in_units_of_the_response(model):
    draws = sample_prior(model, draws=4000, seed=2).dataset
    scale = np.exp(np.log(RUNS["L"]).mean())
    expected = stats.lognorm(s=0.5, scale=0.6 * scale)
    assert stats.kstest(draws["E"].to_numpy().ravel(), expected.cdf).pvalue > 0.01


def test_groups_scatter_about_their_mean_by_their_spread():
    priors = {"E": "LogNormal(0.5, 0.2)", "E_spread": "LogNormal(-1, 0.5)"}
    model = bs.Model("chinchilla", RUNS, noise="normal", pool="field", priors=priors)
    draws = sample_prior(model, draws=3000, seed=3).dataset
    assert stats.kstest(draws["E_mean"].to_numpy().ravel(), OWN_DISTRIBUTIONS["E"].cdf).pvalue > 0.01
    spread = stats.lognorm(s=0.5, scale=np.exp(-1))
    assert stats.kstest(draws["E_spread"].to_numpy().ravel(), spread.cdf).pvalue > 0.01
    z: Any = (np.log(draws["E"]) - np.log(draws["E_mean"])) / draws["E_spread"]
    assert z.dims == ("chain", "draw", "field")
    assert stats.kstest(z.to_numpy().ravel(), stats.norm.cdf).pvalue > 0.01
    # Groups are independent given mean and spread.
    between = np.corrcoef(z.to_numpy()[0].T)[np.triu_indices(3, 1)]
    assert np.abs(between).max() < 4 / np.sqrt(3000)


def test_unpooled_groups_have_the_prior_each():
    model = bs.Model("chinchilla", RUNS, noise="normal", pool="field:none", priors=OWN)
    draws = sample_prior(model, draws=2000, seed=4).dataset
    assert "E_mean" not in draws
    for group in ("art", "code", "text"):
        values = draws["E"].sel(field=group).to_numpy().ravel()
        assert stats.kstest(values, OWN_DISTRIBUTIONS["E"].cdf).pvalue > 0.01
    assert not np.any(draws["E"].sel(field="art") == draws["E"].sel(field="code"))


def test_weights_of_a_discrepancy_are_standard_normal():
    model = bs.Model("chinchilla", RUNS, discrepancy=True, pool="field")
    weights = sample_prior(model, draws=1000, seed=5).dataset["weights"]
    assert dict(weights.sizes) == {"chain": 1, "draw": 1000, "term": 3, "field": 3}
    assert stats.kstest(weights.to_numpy().ravel(), stats.norm.cdf).pvalue > 0.01


def test_prior_draws_follow_the_seed(model):
    one, same, other = (sample_prior(model, draws=20, seed=s).dataset for s in (1, 1, 2))
    assert one.identical(same)
    assert not np.any(one["E"] == other["E"])


@pytest.mark.parametrize("draws", [0, -3])
def test_no_draws_are_no_answer(model, draws):
    with pytest.raises(InputError, match="at least 1"):
        sample_prior(model, draws=draws)


# -- Replicated runs


def test_replicated_runs_have_the_quantiles_of_a_run(certain, grid_runs):
    model = bs.Model("chinchilla", grid_runs)
    values = {"E": 1.69, "A_ref": 406.4 / 1e8**0.34, "B_ref": 410.7 / 1e10**0.28, "alpha": 0.34, "beta": 0.28}
    replicas = certain(model, {**values, "sigma": 0.02, "nu": 4.0}, (2, 4000)).replicate(seed=1)
    assert replicas.dims == ("chain", "draw", "run")
    z = np.log(replicas / grid_runs["L"].to_numpy()) / 0.02
    below = (z.to_numpy()[..., None] < stats.t(4.0).ppf(SHARES)).mean(axis=(0, 1))
    # 25 runs and 5 shares are looked at: four and a half standard errors.
    assert np.all(np.abs(below - SHARES) < 4.5 * np.sqrt(SHARES * (1 - SHARES) / 8000))


def test_replicated_runs_follow_their_group(grouped_posterior):
    model = grouped_posterior.model
    replicas = grouped_posterior.replicate()
    medians = np.log(replicas).median(("chain", "draw")).to_numpy()
    N, D = (model.runs[s] / np.exp(np.log(model.runs[s]).mean()) for s in ("N", "D"))
    g = model.group_index
    law = 1.0 + 0.2 * g + (0.3 + 0.05 * g) * N ** -(0.30 + 0.02 * g) + (0.4 - 0.03 * g) * D ** -(0.40 - 0.02 * g)
    # A median of 200 draws of a Student-t of 5 degrees has a standard error of about 1.32 sigma / sqrt(200).
    assert np.all(np.abs(medians - np.log(law)) < 5 * 1.32 * (0.010 + 0.002 * g) / np.sqrt(200))
