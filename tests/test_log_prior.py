"""The prior's density in NumPy against the graph's, and its width."""

import math

import numpy as np
import pytest
from scipy.special import polygamma

import bayescale as bs
from bayescale.graph import to_pymc
from bayescale.layout import layout, unpack
from bayescale.log_prior import log_prior, prior_sd, top_level

MODELS = {
    "chinchilla": ("chinchilla", {}),
    "noise that grows": ("chinchilla", {"noise": "student+size"}),
    "partial": ("chinchilla", {"pool": "modality"}),
    "unpooled": ("chinchilla", {"pool": "modality:none"}),
    "mixed": ("chinchilla", {"pool": {"*": "modality", "E": None, "alpha": "complete"}}),
    "departures": ("chinchilla", {"pool": "modality", "discrepancy": True}),
    "kaplan": ("kaplan", {"pool": "modality"}),
    "any sign": ("power:D", {"pool": "modality"}),
    "own priors": (
        "chinchilla",
        {"priors": {"E": "Gamma(3, 2)", "sigma": "Exponential(30)", "nu": "InverseGamma(3, 10)"}},
    ),
    "own spreads": ("chinchilla", {"pool": "modality", "priors": {"E": "HalfNormal(2)", "E_spread": "HalfNormal(1)"}}),
}


@pytest.fixture(scope="module")
def runs():
    table = bs.load_runs("tiny_sweep")
    return table[table["modality"].isin(["text", "music", "code"])].reset_index(drop=True)


def posterior_at(certain, model, flat):
    return certain(model, {name: value[0, 0] for name, value in unpack(model, flat[None, None]).items()}, (1, 1))


@pytest.mark.filterwarnings("ignore:The runs have 3 modalities")  # one law for all, on purpose
@pytest.mark.parametrize("name", MODELS)
def test_density_is_the_graphs(certain, runs, name):
    """PyMC's density at the vector it samples in, Jacobians included: the logs of positive parameters."""
    law, options = MODELS[name]
    model = bs.Model(law, runs, **options)
    graph = to_pymc(model)
    rng = np.random.default_rng(4)
    point = {k: v + 0.3 * rng.standard_normal(np.shape(v)) for k, v in graph.initial_point().items()}
    expected = float(graph.compile_logp(vars=graph.free_RVs, sum=True)(point))
    names = []
    for free in layout(model):
        names.append(
            next(n for n in (free.name + e for e in ("", "_unconstrained", "_standard")) if n in graph.named_vars)
        )
        if free.standard:  # distances in spreads: the graph's density is of them, the parts are of where they lead
            expected -= math.prod(free.shape) * math.log(float(np.exp(point[f"{free.name}_spread_log__"])))
    flat = np.concatenate([np.ravel(point[graph.rvs_to_values[graph[n]].name]) for n in names])
    parts = log_prior(model, posterior_at(certain, model, flat).dataset)
    found = sum(float(part.sum()) for part in parts.values())
    assert found == pytest.approx(expected, rel=1e-9)


def test_a_bounded_prior_has_its_own_density(certain, grid_runs):
    model = bs.Model("chinchilla", grid_runs, noise="normal", priors={"alpha": "Uniform(0.05, 0.9)"})
    values = {"E": 1.7, "A_ref": 0.7, "B_ref": 0.7, "alpha": 0.3, "beta": 0.3, "sigma": 0.01}
    parts = log_prior(model, certain(model, values).dataset)
    assert parts["alpha"].to_numpy() == pytest.approx(-np.log(0.85) + np.log(0.3))
    assert top_level(model) == list(values)


def test_groups_given_their_mean_are_no_prior_of_the_users(runs):
    model = bs.Model("chinchilla", runs, pool="modality", discrepancy=True)
    names = top_level(model)
    assert {"alpha_mean", "alpha_spread", "nu"} <= set(names)
    assert not {"alpha", "weights"} & set(names)
    assert set(names) <= set(log_prior(model, bs.sample_prior(model, 5).dataset))


def test_a_group_without_a_floor_has_no_prior_of_it(runs):
    model = bs.Model("saturating:D", runs, pool="modality", zero={"L_inf": "text"})
    parts = log_prior(model, bs.sample_prior(model, 20).dataset)
    assert (parts["L_inf"].sel(modality="text") == 0).all()
    assert np.isfinite(parts["L_inf"]).all()


def test_width_of_the_prior(runs):
    model = bs.Model("chinchilla", runs, pool={"*": "modality", "E": None}, priors={"beta": "Gamma(4, 10)"})
    of = {p.symbol: p for p in model.params}
    assert prior_sd(model, of["E"]) == pytest.approx(model.priors["E"].args["sigma"], rel=1e-3)
    mean, spread = model.priors["alpha"].args["sigma"], model.priors["alpha_spread"].args
    between = np.exp(2 * spread["mu"] + 2 * spread["sigma"] ** 2)  # of a squared LogNormal
    assert prior_sd(model, of["alpha"]) == pytest.approx(np.hypot(mean, np.sqrt(between)), rel=1e-3)
    # A Gamma(4)'s log has the trigamma of 4 as variance; the groups' spread comes on top.
    spread = model.priors["beta_spread"].args
    expected = polygamma(1, 4) + np.exp(2 * spread["mu"] + 2 * spread["sigma"] ** 2)
    assert prior_sd(model, of["beta"]) == pytest.approx(np.sqrt(expected), rel=1e-3)
