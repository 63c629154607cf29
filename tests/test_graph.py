"""The graph's log density is that of the model as written down: computed again with NumPy and SciPy."""

from typing import Any

import numpy as np
import pandas as pd
import pymc as pm
import pytest
from scipy import stats

from bayescale.discrepancy import Quadratic
from bayescale.graph import to_pymc
from bayescale.laws import find_law
from bayescale.layout import THETA, WEIGHTS, has_coordinates, layout, starting_point, unpack
from bayescale.model import COMPLETE, MEAN, PARTIAL, SPREAD, Model
from bayescale.prior import Prior
from bayescale.structure import graph_data, graph_structure


def make_runs(seed, groups=3, each=6):
    """Runs about a Chinchilla law whose levels differ between groups; C is not quite 6ND."""
    rng = np.random.default_rng(seed)
    n = groups * each
    group = np.repeat(np.arange(groups), each)
    N, D = 10 ** rng.uniform(6, 9, n), 10 ** rng.uniform(8, 11, n)
    L = (1.2 + 0.3 * group) * (1 + 30 / N**0.3 + 60 / D**0.25) * np.exp(rng.normal(0, 0.02, n))
    table = {"N": N, "D": D, "C": 6.5 * N * D, "L": L, "field": np.array(["text", "code", "art"])[group]}
    return pd.DataFrame(table).sample(frac=1, random_state=seed).reset_index(drop=True)


RUNS = make_runs(0)
MODELS = {
    "chinchilla": {"law": "chinchilla"},
    "partial": {"law": "chinchilla", "pool": "field"},
    "unpooled normal": {"law": "chinchilla", "pool": "field:none", "noise": "normal"},
    "complete": {"law": "chinchilla", "pool": {"*": "complete", "sigma": "field"}},
    "free floor": {"law": "chinchilla", "pool": {"*": "field", "E": None}},
    "one exponent": {"law": "chinchilla", "pool": {"*": "field", "alpha": "complete", "nu": "field"}},
    "partial by size": {"law": "chinchilla", "pool": "field", "noise": "student+size"},
    "departure": {"law": "chinchilla", "discrepancy": True},
    "departures": {"law": "chinchilla", "pool": "field", "noise": "normal+size", "discrepancy": True},
    "own priors": {
        "law": "chinchilla",
        "priors": {"E": "Gamma(3, 2)", "alpha": "Uniform(0.05, 0.9)", "nu": "InverseGamma(3, 10)"},
    },
    "own priors unpooled": {
        "law": "chinchilla",
        "pool": "field:none",
        "priors": {"E": "HalfNormal(2)", "beta": "Beta(2, 5)", "sigma": "Exponential(30)"},
    },
    "own priors partial": {
        "law": "chinchilla",
        "pool": "field",
        "priors": {
            "E": "Gamma(3, 2)",
            "E_spread": "HalfNormal(1)",
            "alpha": "TruncatedNormal(0.3, 0.2, 0.1, 0.8)",
        },
    },
    "kaplan": {"law": "kaplan", "noise": "normal"},
    "kaplan partial": {"law": "kaplan", "pool": "field", "discrepancy": True},
    "kaplan with floor": {"law": "kaplan_offset", "pool": {"*": "field", "alpha_N": None}},
    "kaplan mixed": {
        "law": "kaplan_offset",
        "pool": {"*": "field", "alpha_D": "complete"},
        "noise": "student+size",
    },
    "saturating": {"law": "saturating:C", "pool": "field", "noise": "normal+size"},
    "saturating unpooled": {"law": "saturating:N", "pool": "field:none", "noise": "student+size"},
    "power": {"law": "power:C", "noise": "normal+size", "priors": {"alpha": "StudentT(4, 0.1, 0.2)"}},
    "power partial": {"law": "power:D", "pool": "field", "discrepancy": True},
}


@pytest.fixture(params=MODELS)
def model(request):
    return Model(runs=RUNS, **MODELS[request.param])


# -- The second computation


def blocks(model, x):
    """The entries of a flat vector of each random variable, in the variable's shape."""
    found, start = {}, 0
    for free in layout(model):
        found[free.name] = x[start : start + free.size].reshape(free.shape)
        start += free.size
    assert start == len(x)
    return found


def log_density(model, x):
    """Log posterior density of a flat vector, up to the evidence; the likelihood is that of log response."""
    natural = {name: value[0] for name, value in unpack(model, x[None]).items()}
    return log_prior(model, blocks(model, x), natural) + log_likelihood(model, natural)


def log_prior(model, flat, natural):
    total = 0.0
    for free in layout(model):
        u = flat[free.name]
        if free.name == THETA:
            total += sum(log_normal_on_line(model, p, natural) for p in model.law.params)
            total += coordinates_jacobian(model, u)
        elif free.name == WEIGHTS:
            total += stats.norm.logpdf(u).sum()
        elif free.name.endswith((MEAN, SPREAD)):
            key = free.name.removesuffix(MEAN)
            total += own_prior(model.priors[key], natural[free.name])
        elif model.pooling[free.name] == PARTIAL:
            total += log_normal_on_line(model, free.param, natural)
            if free.standard:  # distances in spreads: u = mean + spread * x, so du = spread * dx
                total += u.size * np.log(natural[free.name + SPREAD])
        else:
            total += own_prior(model.priors[free.name], natural[free.name])
    return total


def log_normal_on_line(model, param, natural):
    """Log density, on the unconstrained scale, of real or positive values that are Normal there."""
    line = np.log if param.support.lower == 0 else np.asarray
    if model.pooling[param.symbol] == PARTIAL:
        mu, sigma = line(natural[param.symbol + MEAN]), natural[param.symbol + SPREAD]
    else:
        mu, sigma = model.priors[param.symbol].args["mu"], model.priors[param.symbol].args["sigma"]
    return stats.norm.logpdf(line(natural[param.symbol]), mu, sigma).sum()


def own_prior(prior, value):
    """Log density of natural values plus the log derivative of value by its unconstrained one."""
    lower, upper = prior.support
    slope: Any = np.ones_like(value)
    if np.isfinite(lower) and np.isfinite(upper):
        slope = (value - lower) * (upper - value) / (upper - lower)
    elif np.isfinite(lower):
        slope = value - lower
    return (prior.to_scipy().logpdf(value) + np.log(slope)).sum()


def coordinates_jacobian(model, u):
    """Log determinant of logs of the parameters by coordinates, by finite differences, over the groups."""
    coordinates, step = model.law.coordinates, 1e-5

    def backward(x):
        log = coordinates.backward(list(x))
        return np.array([log[symbol] for symbol in coordinates.symbols])

    columns = u.reshape(len(u), -1).T
    steps = step * np.eye(len(u))
    slopes = [[(backward(x + h) - backward(x - h)) / (2 * step) for h in steps] for x in columns]
    return np.log(np.abs(np.linalg.det(slopes))).sum()


def log_likelihood(model, natural):
    runs, law = model.runs, model.law
    number = pd.Categorical(runs["field"], categories=sorted(runs["field"].unique())).codes if model.group else 0
    each = {
        p.symbol: natural[p.symbol] if model.pooling[p.symbol] == COMPLETE else natural[p.symbol][number]
        for p in model.params
    }
    columns = {i.symbol: runs[i.column].to_numpy() for i in law.inputs}
    centre = {s: np.exp(np.log(x).mean()) for s, x in columns.items()}
    # The paper's formula, constants and units; nothing here is relative to the reference.
    mu = np.log(law.formula(**columns, **law.to_paper(each, centre)))
    if model.discrepancy:
        weights = natural[WEIGHTS][:, number] if model.group else natural[WEIGHTS][:, None]
        mu = mu + each["tau"] * (weights * standardised_products(columns)).sum(axis=0)
    size = np.prod([columns[s] / centre[s] for s in columns], axis=0)
    sigma = each["sigma"] * size ** each["kappa"] if "kappa" in each else each["sigma"]
    y = np.log(runs["L"].to_numpy())
    if "nu" in each:
        return stats.t.logpdf(y, each["nu"], mu, sigma).sum()
    return stats.norm.logpdf(y, mu, sigma).sum()


def standardised_products(columns):
    z = {s: (np.log(x) - np.log(x).mean()) / np.log(x).std() for s, x in columns.items()}
    names = list(z)
    products = [z[a] * z[b] for i, a in enumerate(names) for b in names[i:]]
    return np.stack([product - product.mean() for product in products])


def points(model, count=2):
    """Flat vectors about where a sampler starts."""
    rng = np.random.default_rng(11)
    return [starting_point(model, rng) + rng.normal(0, 0.3, n_free(model)) for _ in range(count)]


def n_free(model):
    return sum(free.size for free in layout(model))


def compiled(graph, model):
    """The graph's log density of a flat vector, its value variables taken in their order."""
    # Term by term: PyTensor's uncompiled mode cannot add more than 32 of them.
    terms = graph.compile_fn(graph.logp(sum=False), inputs=graph.value_vars, point_fn=False, mode="FAST_COMPILE")
    return lambda x: sum(float(np.sum(term)) for term in terms(*blocks(model, x).values()))


# -- The graph


def test_log_density_is_that_of_the_model_as_written_down(model):
    logp = compiled(to_pymc(model), model)
    for x in points(model):
        assert logp(x) == pytest.approx(log_density(model, x), rel=1e-7, abs=1e-6)


def test_value_variables_are_those_of_the_layout_in_its_order(model):
    graph = to_pymc(model)
    frees = layout(model)
    plain = [bool(free.prior) or free.name in (THETA, WEIGHTS) for free in frees]
    names = [
        free.name if own else f"{free.name}_{'standard' if free.standard else 'unconstrained'}"
        for free, own in zip(frees, plain, strict=True)
    ]
    assert [variable.name for variable in graph.free_RVs] == names
    assert [graph.rvs_to_values[variable] for variable in graph.free_RVs] == graph.value_vars
    start = graph.initial_point()
    assert [start[str(v.name)].shape for v in graph.value_vars] == [free.shape for free in frees]
    assert [variable.name for variable in graph.observed_RVs] == ["measured_observed"]


@pytest.mark.parametrize("name", ["departure", "kaplan with floor"])
def test_the_samplers_flat_function_and_its_gradient(name):
    model = Model(runs=RUNS, **MODELS[name])
    # As `inference` compiles it, but for the mode.
    value_grad: Any = to_pymc(model).logp_dlogp_function(ravel_inputs=True, mode="FAST_COMPILE")
    function = value_grad._pytensor_function
    x = points(model, 1)[0]
    value, gradient = function(x)
    assert value == pytest.approx(log_density(model, x), rel=1e-7)
    step = 1e-5 * np.eye(len(x))
    quotient = [(log_density(model, x + h) - log_density(model, x - h)) / 2e-5 for h in step]
    assert gradient == pytest.approx(quotient, rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("name", ["departures", "own priors partial", "kaplan partial", "saturating unpooled"])
def test_one_graph_serves_another_table_of_the_same_structure(name):
    first = Model(runs=RUNS, **MODELS[name])
    second = first.refit_on(make_runs(5, each=8))
    assert graph_structure(first) == graph_structure(second)
    graph = to_pymc(first)
    logp = compiled(graph, first)
    x = points(first, 1)[0]
    with graph:
        pm.set_data(graph_data(second))
    assert logp(x) == pytest.approx(log_density(second, x), rel=1e-7)
    assert log_density(first, x) != pytest.approx(log_density(second, x), rel=1e-3)
    with graph:
        pm.set_data(graph_data(first))
    assert logp(x) == pytest.approx(log_density(first, x), rel=1e-7)


def test_one_graph_serves_other_numbers_in_the_priors():
    fields: Any = MODELS["own priors"]
    first = Model(runs=RUNS, **fields)
    moved = {"E": "Gamma(5, 3)", "alpha": "Uniform(0.01, 1.2)", "nu": "InverseGamma(2, 8)"}
    second = Model(runs=RUNS, **{**fields, "priors": moved})
    assert graph_structure(first) == graph_structure(second)
    graph = to_pymc(first)
    logp = compiled(graph, first)
    with graph:
        pm.set_data(graph_data(second))
    x = points(second, 1)[0]
    assert logp(x) == pytest.approx(log_density(second, x), rel=1e-7)


# -- What one graph may serve


def structure(**changes):
    return graph_structure(Model(**{"law": "chinchilla", "runs": RUNS, "pool": "field", **changes}))


def test_structures_are_equal_where_only_numbers_differ():
    assert structure() == structure()
    assert structure() == structure(runs=make_runs(9, each=7))
    assert structure() == structure(priors={"alpha": Prior("LogNormal", 0.0, 0.2)})
    assert hash(structure()) == hash(structure(runs=make_runs(9)))


@pytest.mark.parametrize(
    "changes",
    [
        {"law": "kaplan"},
        {"law": "saturating:N"},
        {"pool": None},
        {"pool": "field:none"},
        {"pool": {"*": "field", "E": None}},
        {"pool": {"*": "field", "nu": "field"}},
        {"runs": make_runs(0, groups=2)},
        {"noise": "normal"},
        {"noise": "student+size"},
        {"discrepancy": True},
        {"priors": {"alpha": "Gamma(2, 5)"}},
        {"priors": {"alpha_spread": "HalfNormal(1)"}},
    ],
    ids=str,
)
def test_structures_differ_where_the_graph_does(changes):
    assert structure(**changes) != structure()


def test_structures_differ_where_the_departures_terms_do():
    runs = RUNS.assign(D=1e10)
    with pytest.warns(UserWarning, match="'D'.*does not vary"):
        stuck = Model("chinchilla", runs, pool="field", discrepancy=Quadratic({"N": 1.0}, (1.0,)))
    both = structure(discrepancy=True)
    assert graph_structure(stuck) != both


# -- The layout


def test_coordinates_serve_where_all_parameters_vary_alike_and_are_normal_on_the_line():
    serve = {name: has_coordinates(Model(runs=RUNS, **fields)) for name, fields in MODELS.items()}
    law_has = {name: find_law(str(fields["law"])).coordinates is not None for name, fields in MODELS.items()}
    exceptions = {"one exponent", "own priors", "own priors unpooled", "kaplan mixed"}
    # Complete pooling has one value for all groups, as no pooling column has, but a group index besides.
    exceptions |= {"complete"}
    assert serve == {name: law_has[name] and name not in exceptions for name in MODELS}


def test_unpacked_values_have_the_leading_dims_of_the_flat_vectors(model):
    x = np.stack(points(model, 4))
    flat = unpack(model, x)
    for name, value in unpack(model, x.reshape(2, 2, -1)).items():
        assert value.shape[:2] == (2, 2)
        assert np.array_equal(value.reshape(flat[name].shape), flat[name])


def test_one_flat_vector_has_no_leading_dims():
    model = Model("chinchilla", RUNS, pool="field")
    x = points(model, 1)[0]
    for name, value in unpack(model, x).items():
        assert np.array_equal(value, unpack(model, x[None])[name][0])


def test_unpacked_values_lie_in_their_range(model):
    natural = unpack(model, np.stack(points(model, 6)))
    for p in model.params:
        lower, upper = p.support.lower, p.support.upper
        assert np.all((natural[p.symbol] > lower) & (natural[p.symbol] < upper))
        if p.symbol in model.own_priors and model.pooling[p.symbol] != PARTIAL:
            below, above = model.priors[p.symbol].support
            assert np.all((natural[p.symbol] > below) & (natural[p.symbol] < above))


def line(prior, value):
    """Unconstrained value of a variable with a prior of its own."""
    lower, upper = prior.support
    if np.isfinite(upper):
        return np.log(value - lower) - np.log(upper - value)
    return np.log(value) if np.isfinite(lower) else value


def test_starting_points_lie_within_half_a_unit_of_the_prior_medians(model):
    rng = np.random.default_rng(3)
    natural = unpack(model, np.stack([starting_point(model, rng) for _ in range(12)]))
    levels = {p.symbol for p in model.params if p.scaled}
    shifts = []
    for free in layout(model):
        if free.prior and free.name not in levels:
            shift = line(free.prior, natural[free.name]) - line(free.prior, free.prior.quantile(0.5))
            shifts.append(np.ravel(shift))
    shifts = np.concatenate(shifts)
    assert np.abs(shifts).max() <= 0.5 + 1e-9
    assert shifts.min() < -0.3
    assert shifts.max() > 0.3


def test_starting_points_have_a_finite_density_and_levels_near_the_responses(model):
    rng = np.random.default_rng(4)
    for _ in range(3):
        x = starting_point(model, rng)
        assert np.isfinite(log_density(model, x))
        natural = unpack(model, x[None])
        levels = [natural[p.symbol] for p in model.params if p.scaled]
        # Each group's losses lie between 1.5 and 6; no level starts a factor of a hundred away.
        assert all(np.all((level > 0.015) & (level < 600)) for level in levels)
