import dataclasses
import json
import warnings

import numpy as np
import pandas as pd
import pytest

from bayescale.datasets import load_runs
from bayescale.discrepancy import TAU
from bayescale.errors import BayescaleWarning, InputError
from bayescale.law import LOSS, PARAMETERS, Law, Param
from bayescale.laws import LAWS
from bayescale.model import COMPLETE, MEAN, NONE, PARTIAL, SPREAD, Model
from bayescale.noise import Normal, Student
from bayescale.prior import POSITIVE, Prior

SYMBOLS = ("E", "A_ref", "B_ref", "alpha", "beta", "sigma", "nu")


def make_runs(seed=0, groups=("b", "a", "c"), each=6):
    rng = np.random.default_rng(seed)
    n = len(groups) * each
    N, D = 10 ** rng.uniform(6, 9, n), 10 ** rng.uniform(8, 11, n)
    L = 1.5 + 30 / N**0.3 + 60 / D**0.25
    return pd.DataFrame({"N": N, "D": D, "C": 6 * N * D, "L": L, "field": np.repeat(list(groups), each)})


@pytest.fixture
def runs():
    return make_runs()


def pooled(runs, pool, law="chinchilla", **fields):
    return Model(law, runs, pool=pool, **fields)


# -- Law, runs, noise


def test_a_law_by_name_or_itself(runs):
    assert Model("chinchilla", runs).law is LAWS["chinchilla"]
    assert Model(LAWS["power"].on("D"), runs).law.columns == ("D",)
    assert Model("saturating", runs[["D", "L"]]).law.columns == ("D",)
    with pytest.raises(InputError, match="no law 'chinchila'"):
        Model("chinchila", runs)
    with pytest.raises(InputError, match=r"law\.on\('C'\)"):
        Model(LAWS["power"], runs)


def test_runs_must_be_a_table_with_the_laws_columns(runs):
    with pytest.raises(InputError, match="a list, was given"):
        Model("chinchilla", [1, 2])  # pyright: ignore[reportArgumentType]
    with pytest.raises(InputError, match="no column 'D'"):
        Model("chinchilla", runs.drop(columns="D"))
    with pytest.raises(InputError, match=r"'L'.*loss.*positive"):
        Model("chinchilla", runs.assign(L=-1.0 - np.arange(18)))


def test_the_users_table_is_not_changed_and_not_kept(runs):
    before = runs.copy()
    model = Model("chinchilla", runs, pool="field")
    pd.testing.assert_frame_equal(runs, before)
    runs.loc[0, "L"] = 99.0
    assert model.response[0] == before["L"][0]


def test_reference_and_scale_are_geometric_means(runs):
    model = Model("chinchilla", runs)
    assert dict(model.reference) == {s: pytest.approx(np.prod(runs[s] ** (1 / 18))) for s in ("N", "D")}
    assert model.response_scale == pytest.approx(np.prod(runs["L"] ** (1 / 18)))
    assert model.relative({"N": model.reference["N"], "D": 3 * model.reference["D"]}) == {"N": 1.0, "D": 3.0}


def test_default_priors_of_levels_are_in_units_of_the_response(runs):
    model = Model("chinchilla", runs)
    for p in model.params:
        factor = model.response_scale if p.scaled else 1.0
        assert model.priors[p.symbol].quantile([0.1, 0.9]) == pytest.approx(factor * p.prior.quantile([0.1, 0.9]))
    twice = Model("chinchilla", runs.assign(L=2 * runs["L"]))
    assert twice.priors["E"].quantile(0.3) == pytest.approx(2 * model.priors["E"].quantile(0.3))
    assert twice.priors["alpha"] == model.priors["alpha"]


def test_noise(runs):
    assert Model("chinchilla", runs).noise == Student()
    assert Model("chinchilla", runs, noise="normal+size").noise == Normal(by_size=True)
    assert [p.symbol for p in Model("chinchilla", runs, noise="normal+size").params][-2:] == [
        "sigma",
        "kappa",
    ]
    with pytest.raises(InputError, match="no noise 'cauchy'"):
        Model("chinchilla", runs, noise="cauchy")


def test_size_and_cost(runs):
    model = Model("chinchilla", runs)
    assert model.size({"N": 2.0, "D": 5.0}) == 10.0
    assert Model("saturating:C", runs).size({"x": 7.0}) == 7.0
    odd = runs.assign(C=7 * runs["N"] * runs["D"])
    assert Model("chinchilla", odd).cost() == pytest.approx(odd["C"].to_numpy())
    bare = runs.drop(columns="C")
    assert Model("chinchilla", bare).cost() == pytest.approx(6 * (bare["N"] * bare["D"]).to_numpy())
    assert Model("power:D", runs[["D", "L"]]).cost() == pytest.approx(runs["D"].to_numpy())


# -- Groups


def test_without_pooling_there_is_one_law(runs):
    model = Model("chinchilla", runs)
    assert model.group is None
    assert model.groups == ()
    assert dict(model.pooling) == dict.fromkeys(SYMBOLS, COMPLETE)
    assert set(model.priors) == set(SYMBOLS)
    assert not model.group_index.any()


def test_a_column_pools_the_law_and_the_noise_scale(runs):
    model = pooled(runs, "field")
    assert model.group == "field"
    assert model.groups == ("a", "b", "c")
    assert dict(model.pooling) == {**dict.fromkeys(SYMBOLS, PARTIAL), "nu": COMPLETE}
    assert set(model.priors) == {*SYMBOLS, *(s + SPREAD for s in SYMBOLS if s != "nu")}
    assert [model.groups[i] for i in model.group_index] == list(runs["field"])


@pytest.mark.parametrize("kind", [PARTIAL, NONE, COMPLETE])
def test_a_column_and_a_kind(runs, kind):
    model = pooled(runs, f"field:{kind}")
    assert dict(model.pooling) == {**dict.fromkeys(SYMBOLS, kind), "nu": COMPLETE}
    assert any(name.endswith(SPREAD) for name in model.priors) == (kind == PARTIAL)


def test_a_mapping_chooses_for_each_parameter(runs):
    pooling = pooled(runs, {"alpha": "field", "E": None, "beta": "complete", "nu": "field:none"}).pooling
    assert pooling == {
        "E": NONE,
        "A_ref": PARTIAL,
        "B_ref": PARTIAL,
        "alpha": PARTIAL,
        "beta": COMPLETE,
        "sigma": PARTIAL,
        "nu": NONE,
    }


def test_a_mapping_may_say_what_the_others_do(runs):
    pooling = pooled(runs, {"*": "field:none", "alpha": "field"}).pooling
    assert pooling == {**dict.fromkeys(SYMBOLS, NONE), "alpha": PARTIAL, "nu": COMPLETE}
    pooling = pooled(runs, {"*": "complete", "alpha": "field"}).pooling
    assert pooling == {**dict.fromkeys(SYMBOLS, COMPLETE), "alpha": PARTIAL}


@pytest.mark.parametrize(
    ("pool", "message"),
    [
        ("modality", "no column 'modality' to pool over. Columns: N, D, C, L, field"),
        ("field:half", "'field:half'.*partial, none or complete"),
        ({"gamma": "field"}, "pool names 'gamma'; parameters are E, A_ref, B_ref, alpha, beta, sigma, nu"),
        ({"A": "field"}, "pool names 'A'"),
        ({"alpha": "field", "beta": "C"}, "one column.*it names C, field"),
        ({"alpha": None}, "one column.*it names none"),
        ({}, "one column"),
        ({"alpha": "modality"}, "no column 'modality'"),
        ("none", "column"),
    ],
)
def test_pooling_that_cannot_be(runs, pool, message):
    with pytest.raises(InputError, match=message):
        pooled(runs, pool)


@pytest.mark.parametrize("column", ["D", "L"])
def test_an_input_or_the_response_is_no_group(runs, column):
    runs = runs.assign(D=np.tile([1e9, 2e9, 4e9], 6), L=np.tile([3.0, 2.5, 2.0], 6))
    with pytest.raises(InputError, match=column):
        pooled(runs, column)


def test_group_labels_may_be_numbers(runs):
    labels = {"b": 10, "a": 9, "c": 2}
    model = pooled(runs.assign(field=runs["field"].map(labels)), "field")
    assert model.groups == ("10", "2", "9")
    assert [model.groups[i] for i in model.group_index] == [str(labels[f]) for f in runs["field"]]


def test_group_labels_may_be_categories(runs):
    model = pooled(runs.assign(field=runs["field"].astype("category")), "field")
    assert model.groups == ("a", "b", "c")
    assert [model.groups[i] for i in model.group_index] == list(runs["field"])


def test_a_run_without_a_group_is_refused(runs):
    runs.loc[3, "field"] = None
    with pytest.raises(InputError, match="'field' is missing in 1 of 18 rows"):
        pooled(runs, "field")


def test_modalities_fitted_as_one_law_are_warned_about(runs):
    runs = runs.rename(columns={"field": "modality"})
    with pytest.warns(BayescaleWarning, match="3 modalities.*pool='modality'") as caught:
        Model("chinchilla", runs)
    assert caught[0].filename == __file__
    Model("chinchilla", runs, pool="modality")
    Model("chinchilla", runs.assign(modality="text"))


def test_levels_in_different_units_are_not_pooled(runs):
    units = runs["field"].map({"a": "nats/token", "b": "bits/byte", "c": "nats/token"})
    with pytest.warns(BayescaleWarning, match=r"different units.*E, A_ref, B_ref.*not pooled over field") as caught:
        model = pooled(runs.assign(unit=units), "field")
    assert caught[0].filename == __file__
    assert dict(model.pooling) == {
        **dict.fromkeys(("E", "A_ref", "B_ref"), NONE),
        **dict.fromkeys(("alpha", "beta", "sigma"), PARTIAL),
        "nu": COMPLETE,
    }
    assert set(model.priors) == {*SYMBOLS, "alpha_spread", "beta_spread", "sigma_spread"}


def test_one_unit_is_pooled(runs):
    assert pooled(runs.assign(unit="nats/token"), "field").pooling["E"] == PARTIAL


# -- Priors


def test_own_priors_replace_the_defaults_in_natural_units(runs):
    own = {"E": "Gamma(3, 2)", "alpha_spread": Prior("HalfNormal", sigma=0.5)}
    model, default = pooled(runs, "field", priors=own), pooled(runs, "field")
    assert model.priors["E"] == Prior("Gamma", alpha=3, beta=2)
    assert model.priors["alpha_spread"] == Prior("HalfNormal", sigma=0.5)
    assert model.own_priors == {"E", "alpha_spread"}
    assert default.own_priors == frozenset()
    rest = set(model.priors) - model.own_priors
    assert {s: model.priors[s] for s in rest} == {s: default.priors[s] for s in rest}


@pytest.mark.parametrize("name", ["alpha_spread", "gamma", "E_mean", "nats"])
def test_a_prior_of_no_parameter_is_answered_with_the_parameters(runs, name):
    with pytest.raises(InputError, match=f"no prior '{name}'.*E, A_ref, B_ref, alpha, beta, sigma, nu"):
        Model("chinchilla", runs, priors={name: "LogNormal(0, 1)"})


def test_spreads_are_named_among_the_parameters_where_there_are_any(runs):
    with pytest.raises(InputError, match="nu, A_ref_spread, B_ref_spread, E_spread"):
        pooled(runs, "field", priors={"nu_spread": "LogNormal(0, 1)"})


@pytest.mark.parametrize(
    ("law", "constant", "sampled"),
    [
        ("chinchilla", "A", "A_ref"),
        ("chinchilla", "B", "B_ref"),
        ("kaplan", "N_c", "L_N"),
        ("power:C", "k", "k_ref"),
    ],
)
def test_a_prior_of_a_derived_constant_points_to_what_is_sampled(runs, law, constant, sampled):
    with pytest.raises(InputError, match=f"'{constant}' follows from '{sampled}'.*put the prior on '{sampled}'"):
        Model(law, runs, priors={constant: "LogNormal(0, 1)"})


@pytest.mark.parametrize(
    ("name", "prior"),
    [
        ("E", "Normal(1, 0.1)"),
        ("E", "Uniform(-0.1, 2)"),
        ("alpha", "StudentT(3, 0, 1)"),
        ("alpha", "TruncatedNormal(0.3, 0.1, -0.2, 1)"),
        ("sigma", "Normal(0, 1)"),
        ("alpha_spread", "Normal(0.3, 0.1)"),
    ],
)
def test_a_prior_outside_its_parameters_range(runs, name, prior):
    with pytest.raises(InputError, match=f"'{name}' lies between 0 and inf"):
        pooled(runs, "field", priors={name: prior})


def test_priors_inside_the_range_are_taken(runs):
    for prior in (
        "Uniform(0, 2)",
        "TruncatedNormal(1, 1, 0, 3)",
        "HalfNormal(1)",
        "Exponential(1)",
        "Beta(2, 2)",
    ):
        assert Model("chinchilla", runs, priors={"E": prior}).priors["E"] == Prior.parse(prior)
    assert Model("power:C", runs, priors={"alpha": "Normal(0, 1)"}).priors["alpha"] == Prior("Normal", 0, 1)


@pytest.mark.parametrize("prior", [0.5, None, ("LogNormal", 0, 1)])
def test_a_prior_must_be_a_prior(runs, prior):
    with pytest.raises(InputError, match=r"prior of 'E' cannot be used\. .* is no prior\. Give a Prior, text"):
        Model("chinchilla", runs, priors={"E": prior})


# -- A value


def test_a_model_cannot_be_changed(runs):
    model = pooled(runs, "field", discrepancy=True)
    for field in dataclasses.fields(model):
        with pytest.raises(AttributeError):
            setattr(model, field.name, None)
    with pytest.raises(TypeError):
        model.priors["E"] = Prior("HalfNormal", 1)  # pyright: ignore[reportIndexIssue]
    with pytest.raises(TypeError):
        model.reference["N"] = 1.0  # pyright: ignore[reportIndexIssue]
    with pytest.raises(TypeError):
        model.pooling["E"] = NONE  # pyright: ignore[reportIndexIssue]


def same(one, other):
    """Whether two models are equal but for their tables."""
    fields = [f.name for f in dataclasses.fields(one) if f.name != "runs"]
    return all(getattr(one, name) == getattr(other, name) for name in fields)


SPECS = [
    {"law": "chinchilla"},
    {"law": "chinchilla", "pool": "field", "discrepancy": True, "noise": "normal+size"},
    {"law": "kaplan", "pool": {"*": "field", "L_N": None, "alpha_D": "complete"}},
    {"law": "saturating:D", "pool": "field:none", "priors": {"L_inf": "Gamma(3.000000000001, 2)"}},
    {"law": "power:C", "discrepancy": True, "priors": {"alpha": "Normal(0.1, 0.1)"}},
]


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_to_dict_and_back_through_json(runs, spec):
    model = Model(runs=runs, **spec)
    text = json.dumps(model.to_dict(), allow_nan=False)
    back = Model.from_dict(json.loads(text), model.runs)
    assert same(back, model)
    assert str(back) == str(model)
    assert back.to_dict() == model.to_dict()
    assert list(back.pooling) == list(model.pooling)
    assert list(back.priors) == list(model.priors)


def test_from_dict_with_a_law_that_is_not_in_the_gallery(runs):
    prior = Prior("LogNormal", 0, 1)
    params = (
        Param("k", "level", "", POSITIVE, prior, prior),
        Param("alpha", "slope", "", POSITIVE, prior, prior),
    )
    law = Law("own", lambda N, k, alpha: k * N**-alpha, (PARAMETERS,), LOSS, params)
    model = Model(law, runs)
    assert same(Model.from_dict(model.to_dict(), model.runs, law), model)
    with pytest.raises(InputError, match="no law 'own'"):
        Model.from_dict(model.to_dict(), model.runs)


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_refit_on_the_same_runs_is_the_same_model(runs, spec):
    model = Model(runs=runs, **spec)
    again = model.refit_on(runs)
    assert same(again, model)
    pd.testing.assert_frame_equal(again.runs, model.runs)


def test_refit_on_other_runs_takes_reference_scale_and_discrepancy_from_them(runs):
    priors = {"alpha": "LogNormal(-1, 0.2)"}
    model = pooled(runs, {"*": "field", "E": None}, discrepancy=True, priors=priors)
    small = runs[runs["N"] < runs["N"].median()]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayescaleWarning)  # groups of fewer than five runs
        refitted = model.refit_on(small)
        fresh = pooled(small, {"*": "field", "E": None}, discrepancy=True, priors=priors)
    assert same(refitted, fresh)
    assert refitted.reference["N"] == pytest.approx(np.exp(np.log(small["N"]).mean()))
    assert refitted.reference["N"] < model.reference["N"] / 2
    assert refitted.response_scale > model.response_scale
    assert refitted.discrepancy != model.discrepancy
    assert refitted.priors["alpha"] == model.priors["alpha"]
    assert refitted.priors["A_ref"] != model.priors["A_ref"]


def test_with_runs_keeps_everything_but_the_runs(runs):
    model = pooled(runs, "field", discrepancy=True)
    other = model.runs.assign(L=2 * model.runs["L"], N=10 * model.runs["N"])
    moved = model.with_runs(other)
    assert same(moved, model)
    assert moved.response == pytest.approx(2 * model.response)
    assert moved.relative(moved.inputs())["N"] == pytest.approx(10 * model.relative(model.inputs())["N"])


def test_discrepancy(runs):
    assert Model("chinchilla", runs).discrepancy is None
    model = Model("chinchilla", runs, discrepancy=True)
    assert model.discrepancy is not None
    assert model.discrepancy.terms == ["N*N", "N*D", "D*D"]
    assert model.params[-1] is TAU
    assert pooled(runs, "field", discrepancy=True).pooling["tau"] == COMPLETE
    assert Model("chinchilla", runs, discrepancy=model.discrepancy).discrepancy == model.discrepancy


# -- In words


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_print_shows_each_prior_with_range_meaning_and_unit(runs, spec):
    model = Model(runs=runs, **spec)
    lines = {line.split()[0]: line for line in str(model).partition("Priors")[2].splitlines() if line.strip()}
    for p in model.params:
        partial = model.pooling[p.symbol] == PARTIAL
        line = lines[p.symbol + MEAN if partial else p.symbol]
        low, high = model.priors[p.symbol].quantile([0.05, 0.95])
        assert str(model.priors[p.symbol]) in line
        assert f"({low:.3g} to {high:.3g})" in line
        assert line.rstrip().endswith(f"{p.meaning}, {p.unit}" if p.unit else p.meaning)
        if partial:
            assert str(model.priors[p.symbol + SPREAD]) in lines[p.symbol + SPREAD]


def test_print_shows_law_runs_and_choices(runs):
    runs.attrs["notes"] = ["C was filled in from C = 6 N D."]
    model = pooled(runs, {"*": "field", "E": None, "beta": "complete"}, noise="normal", discrepancy=True)
    text = str(model)
    for piece in (
        "L = E + A/N**alpha + B/D**beta",
        "18 in 3 groups",
        "normal, on log L",
        "quadratic",
        f"reference {model.reference['N']:.4g}",
        f"{runs['D'].min():.4g} to {runs['D'].max():.4g} tokens",
        f"geometric mean {model.response_scale:.4g}",
        "C was filled in from C = 6 N D.",
        "for each field by itself",
        "the same for all groups",
        "spread of it over field (log scale)",
    ):
        assert piece in text
    assert repr(model) == text
    assert "the law is taken as exact" in str(Model("chinchilla", runs))


def test_describe_has_a_line_for_each_group(runs):
    table = pooled(runs, "field").describe()
    assert sorted(table.index) == ["a", "b", "c"]
    assert table["runs"].tolist() == [6, 6, 6]
    part = runs[runs["field"] == "c"]
    assert table.loc["c", "N_geometric_mean"] == pytest.approx(np.prod(part["N"] ** (1 / 6)))


def test_the_response_is_no_input():
    with pytest.raises(InputError, match="own response"):
        Model("saturating:L", load_runs("tiny_emergence").assign(L=1.0))
