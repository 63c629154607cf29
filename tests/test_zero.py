"""Groups in which a parameter is zero: the graph, the draws, what is saved, and what is forecast."""

import numpy as np
import pandas as pd
import pymc as pm
import pytest
from scipy import stats

import bayescale as bs
from bayescale.errors import InputError
from bayescale.graph import to_pymc
from bayescale.layout import layout, unpack
from bayescale.model import MEAN, SPREAD
from bayescale.structure import graph_data, graph_structure

FIELDS = ["art", "code", "text"]
RUNS = pd.DataFrame(
    {"C": np.tile(np.geomspace(1e15, 1e21, 8), 3), "field": np.repeat(FIELDS, 8), "L": np.linspace(4, 2, 24)}
)
WITHOUT_FLOOR = np.array([False, False, True])


def make(zero: str | list[str] = "text", pool="field", runs=RUNS):
    return bs.Model("saturating:C", runs, pool=pool, noise="normal", zero={"L_inf": zero})


@pytest.fixture
def prior():
    return bs.sample_prior(make(), draws=30, seed=3)


# -- The graph


def log_density(model, values):
    """Log posterior density on the log scale of every variable, from the model as written down."""
    total = 0.0
    for name, prior in model.priors.items():
        value = values.get(name + MEAN, values[name])
        total += stats.norm.logpdf(np.log(value), prior.args["mu"], prior.args["sigma"]).sum()
    for symbol in ("L_inf", "A_ref", "alpha", "sigma"):
        if symbol + MEAN in values:
            log_mean, spread = np.log(values[symbol + MEAN]), values[symbol + SPREAD]
            total += stats.norm.logpdf(np.log(values[symbol]), log_mean, spread).sum()
    g = model.group_index
    floor = np.where(WITHOUT_FLOOR, 0.0, values["L_inf"])[g]
    x = model.runs["C"] / np.exp(np.log(model.runs["C"]).mean())
    law = floor + values["A_ref"][g] * x ** -values["alpha"][g]
    return total + stats.norm.logpdf(np.log(model.runs["L"]), np.log(law), values["sigma"][g]).sum()


@pytest.mark.parametrize("pool", ["field", "field:none"])
def test_graph_has_no_floor_where_the_model_says_so(pool):
    model = make(pool=pool)
    graph = to_pymc(model)
    compiled = graph.compile_logp()
    names = [v.name for v in graph.value_vars]
    rng = np.random.default_rng(0)
    for _ in range(3):
        values = {free.name: np.exp(rng.normal(-1, 0.4, free.shape)) for free in layout(model)}
        entered = {free.name: np.log(values[free.name]) for free in layout(model)}
        # Every variable is positive, or the log of group values, and enters the graph as its log; but the noise of
        # groups enters as distances from its log mean, in spreads: the Jacobian of that is one spread a group.
        stretch = 0.0
        if "sigma" + MEAN in values:
            entered["sigma"] = (np.log(values["sigma"]) - np.log(values["sigma" + MEAN])) / values["sigma" + SPREAD]
            stretch = values["sigma"].size * np.log(values["sigma" + SPREAD])
        found = compiled({name: entered[free.name] for name, free in zip(names, layout(model), strict=True)})
        assert found == pytest.approx(log_density(model, values) + stretch, rel=1e-10)


def test_unpacked_floors_are_zero_in_those_groups_alone():
    model = make(["text", "art"])
    size = sum(free.size for free in layout(model))
    natural = unpack(model, np.random.default_rng(1).normal(size=(2, 5, size)))
    assert np.all(natural["L_inf"][..., [0, 2]] == 0)
    assert np.all(natural["L_inf"][..., 1] > 0)
    assert np.all(natural["A_ref"] > 0)


def test_one_graph_serves_other_groups_without_a_floor():
    one, other = make("text"), make("code")
    assert graph_structure(one) == graph_structure(other) != graph_structure(make([]))
    graph = to_pymc(one)
    with graph:
        pm.set_data(graph_data(other))
    point = graph.initial_point()
    assert graph.compile_logp()(point) == to_pymc(other).compile_logp()(point)


# -- Draws


def test_prior_draws_and_new_groups(prior):
    floor = prior.dataset["L_inf"]
    assert np.all(floor.sel(field="text") == 0)
    assert np.all(floor.sel(field=["art", "code"]) > 0)
    assert np.all(prior.params("new")["L_inf"] > 0)


def test_saved_and_opened(prior, tmp_path):
    prior.save(tmp_path / "post.nc")
    back = bs.open_posterior(tmp_path / "post.nc")
    assert back.model.zero == {"L_inf": ("text",)}
    assert back.dataset.identical(prior.dataset)
    assert "L_inf of text" in str(back.model)


def test_forecast_is_a_power_law_where_there_is_no_floor(prior):
    C = np.array([1e12, 1e18, 1e24])
    loss = bs.forecast(prior, C=C, group="text")["L"]
    draws = prior.params("text")
    expected = draws["A_ref"].to_numpy()[..., None] * (C / 1e18) ** -draws["alpha"].to_numpy()[..., None]
    np.testing.assert_allclose(loss.transpose("chain", "draw", "C"), expected, rtol=1e-9)


def test_simulated_runs_follow_the_power_law():
    truth = {"L_inf": {"art": 1.0, "code": 2.0, "text": 0.0}, "x_0": 1e14, "alpha": 0.1, "sigma": 1e-9}
    runs = bs.simulate(make(), truth, seed=1)
    expected = np.repeat([1.0, 2.0, 0.0], 8) + (1e14 / RUNS["C"]) ** 0.1
    np.testing.assert_allclose(runs["L"], expected, rtol=1e-7)
    same = bs.simulate(make(), {**truth, "L_inf": 2.0}, seed=1)
    np.testing.assert_allclose(same["L"][RUNS["field"] == "text"], runs["L"][RUNS["field"] == "text"])


def test_refitted_on_fewer_groups():
    model = make(["text", "art"])
    assert model.refit_on(RUNS[RUNS["field"] != "art"]).zero == {"L_inf": ("text",)}


# -- Mistakes


@pytest.mark.parametrize(
    ("zero", "pool", "message"),
    [
        ({"E": "text"}, "field", "positive parameter of 'saturating' can be zero: L_inf, A_ref, alpha"),
        ({"L_inf": "poetry"}, "field", "'poetry'; the groups are art, code, text"),
        ({"L_inf": FIELDS}, "field", "zero in every group"),
        ({"L_inf": "text"}, None, "pass pool="),
        ({"L_inf": "text"}, {"*": "field", "L_inf": "complete"}, "pass pool="),
    ],
)
def test_impossible_zeros_are_refused(zero, pool, message):
    with pytest.raises(InputError, match=message):
        bs.Model("saturating:C", RUNS, pool=pool, zero=zero)


def test_true_values_that_are_not_zero_are_refused():
    truth = {"A_ref": 0.5, "alpha": 0.1, "sigma": 0.01}
    with pytest.raises(InputError, match=r"L_inf is zero in text by this model"):
        bs.simulate(make(), {"L_inf": {"art": 1.0, "code": 2.0, "text": 3.0}, **truth})
    with pytest.raises(InputError, match="must lie between 0 and inf"):
        bs.simulate(make(), {"L_inf": {"art": 1.0, "code": 0.0, "text": 0.0}, **truth})


@pytest.mark.slow
def test_a_fit_recovers_a_floor_beside_a_power_law():
    truth = {"L_inf": {"art": 3.0, "code": 1.0, "text": 0.0}, "A_ref": 1.0, "alpha": 0.08, "sigma": 0.002}
    posterior = bs.fit(make(runs=bs.simulate(make(), truth, seed=1)), seed=1, draws=500, tune=500)
    assert posterior.converged
    low, high = posterior.dataset["alpha"].sel(field="text").quantile([0.005, 0.995], ("chain", "draw")).to_numpy()
    assert low < 0.08 < high < 0.085
