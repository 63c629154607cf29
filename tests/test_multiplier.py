"""How much more one recipe needs: against closed forms and SciPy's root finder, draw by draw."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.optimize import brentq, minimize_scalar

import bayescale as bs
from bayescale.answers.mixture import Stack
from bayescale.answers.multiplier import multiplier_sentences, multiplier_table
from bayescale.errors import BayescaleWarning, InputError

CODE = {"E": 1.0, "A_ref": 0.8, "B_ref": 0.6, "alpha": 0.34, "beta": 0.28}
TEXT = {"E": 1.4, "A_ref": 0.7, "B_ref": 0.5, "alpha": 0.30, "beta": 0.36}
SHAPE = (2, 30)


@pytest.fixture(scope="module")
def two_groups(grid_runs):
    return pd.concat([grid_runs.assign(field=field) for field in ("code", "text")], ignore_index=True)


@pytest.fixture(scope="module")
def fitted(two_groups, exact_posterior):
    """Two recipes whose draws scatter about the values above; the reference is N 1e8 and D 1e10."""
    model = bs.Model("chinchilla", two_groups, pool="field", noise="normal")
    rng = np.random.default_rng(2)
    values = {s: np.stack([CODE[s], TEXT[s]], axis=-1) * np.exp(0.03 * rng.standard_normal((*SHAPE, 2))) for s in CODE}
    values["sigma"] = np.full((*SHAPE, 2), 0.01)
    for p in model.params:
        values[p.symbol + "_mean"] = values[p.symbol].mean(axis=-1)
        values[p.symbol + "_spread"] = np.full(SHAPE, 0.1)
    stat = {"diverging": np.zeros(SHAPE)}
    return type(exact_posterior).from_draws(model, values, stat, exact_posterior.diagnostics, {"seed": 1})


def of(posterior, group, draw):
    params = posterior.params(group)
    return {s: float(params[s].to_numpy()[draw]) for s in CODE}


def loss(p, N, D):
    return p["E"] + p["A_ref"] * (N / 1e8) ** -p["alpha"] + p["B_ref"] * (D / 1e10) ** -p["beta"]


def best_loss(p, C):
    """Loss at the best split of C = 6 N D, by SciPy's bounded search: no closed form."""
    middle = 0.5 * np.log(C / 6)
    found: Any = minimize_scalar(
        lambda u: loss(p, np.exp(u), C / 6 / np.exp(u)), bounds=(middle - 15, middle + 15), options={"xatol": 1e-9}
    )
    return found.fun


DRAWS = [(0, 0), (0, 17), (1, 29)]


@pytest.mark.parametrize("draw", DRAWS)
def test_parameters_to_the_same_loss(fitted, draw):
    found = bs.multiplier(fitted, "text", "code", along="N", N=3e8, D="20B")["multiplier"].to_numpy()[draw]
    code, text = of(fitted, "code", draw), of(fitted, "text", draw)
    left = loss(text, 3e8, 2e10) - code["E"] - code["B_ref"] * 2.0 ** -code["beta"]
    assert found == pytest.approx((left / code["A_ref"]) ** (-1 / code["alpha"]) * 1e8 / 3e8, rel=1e-9)


@pytest.mark.parametrize("draw", DRAWS)
def test_compute_to_the_same_loss(fitted, draw):
    found = bs.multiplier(fitted, "text", "code", C=1e20)["multiplier"].to_numpy()[draw]
    code, text = of(fitted, "code", draw), of(fitted, "text", draw)
    goal = best_loss(text, 1e20)
    expected = brentq(lambda u: best_loss(code, 1e20 * np.exp(u)) - goal, -20, 20)
    assert np.log(found) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("draw", DRAWS)
@pytest.mark.parametrize("along", ["D", "C"])
def test_relative_loss(fitted, draw, along):
    answer = bs.multiplier(fitted, "code", "text", along=along, reducible=0.7)
    expected = []
    for group in ("code", "text"):
        p = of(fitted, group, draw)
        if along == "C":
            start = 6e18
            L = lambda x, p=p: best_loss(p, x) - p["E"]  # noqa: E731
        else:
            start = 1e10
            L = lambda x, p=p: loss(p, 1e8, x) - p["E"]  # noqa: E731
        expected.append(brentq(lambda u, L=L, start=start: L(start * np.exp(u)) - 0.7 * L(start), -1, 20))
    assert np.log(answer["multiplier"].to_numpy()[draw]) == pytest.approx(expected[1] - expected[0], abs=1e-6)
    assert np.log(answer["first"].to_numpy()[draw] / start) == pytest.approx(expected[0], abs=1e-6)


def test_relative_loss_of_power_laws_asks_for_exponents_alone(two_groups, certain):
    """ln k = -ln r (1 / a_second - 1 / a_first), whatever floors and coefficients are."""
    model = bs.Model("saturating:N", two_groups, pool="field:none", noise="normal")
    posterior = certain(model, {"L_inf": [1.0, 3.0], "A_ref": [0.5, 2.0], "alpha": [0.4, 0.25], "sigma": [0.01, 0.02]})
    for point in ({}, {"N": "3B"}):
        k = bs.multiplier(posterior, "code", "text", along="N", reducible=0.5, **point)["multiplier"]
        assert np.log(k.to_numpy()) == pytest.approx(np.full((4, 50), np.log(2) * (1 / 0.25 - 1 / 0.4)), rel=1e-10)


def test_density_of_a_recipe_that_makes_each_parameter_count_three_times(certain, exact_posterior):
    """A_ref smaller by 3**alpha is 3 N in place of N, at any point: Xiao et al. (2024), section 3."""
    values = {s: float(exact_posterior.dataset[s].mean()) for s in ("E", "A_ref", "B_ref", "alpha", "beta", "sigma")}
    dense = certain(exact_posterior.model, values | {"A_ref": values["A_ref"] * 3.0**-0.34}, (2, 40))
    answer = bs.multiplier(dense, other=exact_posterior, along="N", N=["10M", "7B"], D="1T")
    assert answer["multiplier"].sizes == {"chain": 2, "draw": 40, "N": 2}
    assert answer["multiplier"].to_numpy() == pytest.approx(np.full((2, 40, 2), 3.0), rel=1e-9)
    same = bs.multiplier(dense, other=dense, along="C", C=1e21)
    assert same["multiplier"].to_numpy() == pytest.approx(np.ones((2, 40)), rel=1e-9)
    line = multiplier_sentences(answer)[0]
    assert line.startswith("from N = 1e+07, D = 1e+12: the second recipe needs 3 times the N of the first recipe")


def test_never_and_always(certain, exact_posterior):
    values = {s: float(exact_posterior.dataset[s].mean()) for s in ("E", "A_ref", "B_ref", "alpha", "beta", "sigma")}
    rng = np.random.default_rng(0)
    floors = np.where(rng.random((4, 250)) < 0.25, 9.0, 1.69)
    draws = {s: np.full((4, 250), v) for s, v in values.items()} | {"E": floors}
    stat = {"diverging": np.zeros((4, 250))}
    worse = type(exact_posterior).from_draws(exact_posterior.model, draws, stat, exact_posterior.diagnostics, {})
    for point in ({"along": "N", "N": 1e9, "D": 1e10}, {"along": "C", "C": 1e20}):
        answer = bs.multiplier(exact_posterior, other=worse, **point)
        (row,) = multiplier_table(answer).to_dict("records")
        share = float((floors == 9.0).mean())
        # 200 draws of the first are paired with as many of the second's 1,000.
        assert row["never"] == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / 200))
        assert row["multiplier median"] == pytest.approx(1.0)
        assert row["multiplier upper"] == np.inf
        assert "never with probability 0.2" in multiplier_sentences(answer)[-1]
    always = bs.multiplier(worse, other=exact_posterior, along="N", N=1e9, D=1e60)
    k = always["multiplier"].to_numpy()
    # The first's loss with endless data, of its size and a floor of 9, needs a far smaller model of the second.
    small = ((9.0 - 1.69) / values["A_ref"] + 10.0**-0.34) ** (-1 / 0.34) / 10
    assert k[floors == 9.0] == pytest.approx(small, rel=1e-6)
    assert k[floors < 9.0] == pytest.approx(1.0)


def test_neither_is_told_apart(fitted):
    answer = bs.multiplier(fitted, "code", "text", along="N", reducible=0.1)
    (row,) = multiplier_table(answer).to_dict("records")
    assert row["neither"] == 1.0  # half of what is reducible is the tokens'
    assert np.isnan(row["multiplier median"])
    assert multiplier_sentences(answer)[0].endswith("to 0.1 of that at the start by N alone.")


def test_fits_of_one_seed_are_not_taken_for_paired(certain, exact_posterior):
    rng = np.random.default_rng(1)
    values = {
        s: np.full((4, 500), float(exact_posterior.dataset[s].mean())) for s in ("B_ref", "alpha", "beta", "sigma")
    }
    values |= {"E": np.full((4, 500), 1.69), "A_ref": 0.8 * np.exp(0.1 * rng.standard_normal((4, 500)))}
    stat = {"diverging": np.zeros((4, 500))}
    posterior = type(exact_posterior).from_draws(exact_posterior.model, values, stat, exact_posterior.diagnostics, {})
    k = bs.multiplier(posterior, other=posterior, along="N", N=1e9, D=1e10)["multiplier"]
    assert np.log(k).std().item() == pytest.approx(np.sqrt(2) * 0.1 / 0.34, rel=0.06)


def test_groups_along_their_dim_and_an_unseen_one(fitted):
    each = bs.multiplier(fitted, "code", along="N", N=1e8, D=1e10)
    pair = bs.multiplier(fitted, "code", "text", along="N", N=1e8, D=1e10)
    xr.testing.assert_allclose(each["multiplier"].isel(field=0, drop=True), pair["multiplier"])
    assert list(each["field"]) == ["text"]
    new = bs.multiplier(fitted, "code", "new", along="N", N=1e8, D=1e10, seed=3)
    assert float(np.log(new["multiplier"]).std()) > float(np.log(pair["multiplier"]).std())
    assert list(multiplier_table(each)["field"]) == ["text"]
    assert multiplier_sentences(each)[0].startswith("from N = 1e+08, D = 1e+10: text needs ")


def test_what_lies_beyond_the_runs_is_said(fitted):
    inside = bs.multiplier(fitted, "text", "code", along="N", N=3e8, D=2e10)
    assert float(inside["beyond"]) == 1.0
    assert "beyond" not in multiplier_sentences(inside)[0]
    outside = bs.multiplier(fitted, "text", "code", along="N", N=3e8, D=1e12)
    assert float(outside["beyond"]) == pytest.approx(10.0)
    assert "10 times beyond the runs" in multiplier_sentences(outside)[0]


def test_a_stack_on_either_side(fitted, exact_posterior, certain):
    draws = xr.DataArray(np.full((10, 2), 0.5), {"law": ["low", "high"]}, ("sample", "law"))
    values = {s: float(exact_posterior.dataset[s].mean()) for s in ("E", "A_ref", "B_ref", "alpha", "beta", "sigma")}
    low = certain(exact_posterior.model, values | {"A_ref": values["A_ref"] * 2.0**-0.34})
    stack = Stack({"low": low, "high": exact_posterior}, {"low": 0.25, "high": 0.75}, draws, "loo")
    point = {"along": "N", "N": 1e8, "D": 1e10}
    first = bs.multiplier(stack, other=exact_posterior, **point)["multiplier"]
    assert sorted(np.unique(np.round(first, 6))) == [1.0, 2.0]
    assert float((first > 1.5).mean()) == pytest.approx(0.25)
    second = bs.multiplier(exact_posterior, other=stack, **point)["multiplier"]
    assert sorted(np.unique(np.round(second, 6))) == [0.5, 1.0]
    assert float((second < 0.75).mean()) == pytest.approx(0.25)


def test_other_units_are_warned_of(two_groups):
    runs = two_groups.assign(unit=np.where(two_groups["field"] == "code", "bits/byte", "nats/token"))
    with pytest.warns(BayescaleWarning):
        posterior = bs.sample_prior(bs.Model("chinchilla", runs, pool="field"), 20)
    with pytest.warns(BayescaleWarning, match="different units.*reducible="):
        bs.multiplier(posterior, "code", "text", along="N", N=1e8, D=1e10)
    bs.multiplier(posterior, "code", "text", along="N", reducible=0.9)


@pytest.mark.parametrize(
    ("groups", "point", "words"),
    [
        (("code", "text"), {"along": "N", "N": 1e8}, "asked at N, D"),
        (("code", "text"), {"along": "x", "N": 1e8, "D": 1e9}, "asked along N, D, C"),
        (("code", "text"), {"along": "N", "N": 1e8, "D": 1e9, "C": 6e17}, "two of the three"),
        (("code", "text"), {"N": 1e8, "D": 1e9}, "give C="),
        (("code", "text"), {"N": 1e8, "C": 1e19}, "leave out N"),
        (("code", "text"), {"C": 1e19, "width": 3}, "'width' is no input"),
        (("code", "code"), {"C": 1e19}, "Name two groups"),
        ((), {"C": 1e19}, "Name two groups"),
        (("code", "video"), {"C": 1e19}, "no group 'video'"),
        (("code", "text"), {"reducible": 1.5}, "from 0 to 1; 1.5 was given"),
    ],
)
def test_questions_that_cannot_be_asked(fitted, groups, point, words):
    with pytest.raises(InputError, match=words):
        bs.multiplier(fitted, *groups, **point)


def test_one_fit_without_groups_is_one_recipe(exact_posterior):
    with pytest.raises(InputError, match="one recipe"):
        bs.multiplier(exact_posterior, C=1e20)


def test_the_command_line(fitted, exact_posterior, tmp_path, monkeypatch):
    from typer.testing import CliRunner

    from bayescale.cli import app

    monkeypatch.chdir(tmp_path)
    fitted.save("post.nc")
    exact_posterior.save("other.nc")
    words = ["multiplier", "post.nc", "code", "text", "--reducible", "0.5"]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    (sentence,) = multiplier_sentences(bs.multiplier(fitted, "code", "text", reducible=0.5))
    assert result.output == sentence + "\n"
    (row,) = json.loads(CliRunner().invoke(app, [*words, "--json"]).output)["multiplier"]
    assert row["multiplier lower"] < row["multiplier median"] < row["multiplier upper"]
    words = ["multiplier", "post.nc", "code", "--other", "other.nc", "--along", "N", "--N", "1B", "--D", "20B"]
    assert "the second recipe needs" in CliRunner().invoke(app, words).output


def test_a_share_that_is_no_number_is_refused(grouped_posterior):
    with pytest.raises(bs.InputError, match="reducible is a share"):
        bs.multiplier(grouped_posterior, "code", "text", reducible="half")  # pyright: ignore[reportArgumentType]
