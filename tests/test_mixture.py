"""Stacks: mixtures against the moments of their members, what is left out, files there and back."""

import os
import warnings
from dataclasses import replace

import h5py
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from arviz_base import rc_context

import bayescale as bs
from bayescale.answers.forecast import forecast, forecast_sentences, forecast_table
from bayescale.answers.mixture import Stack, open_stack
from bayescale.diagnostics import Diagnostics
from bayescale.errors import BayescaleWarning, ConvergenceWarning, InputError
from bayescale.law import COMPUTE, LOSS, Law, Param
from bayescale.posterior import open_posterior
from bayescale.prior import POSITIVE, Prior

UNCONVERGED = Diagnostics(1.5, "E", 40.0, 40.0, "E", 0, 1.0)


@pytest.fixture(scope="module")
def table(grid_runs):
    return grid_runs.assign(C=6 * grid_runs["N"] * grid_runs["D"], width=np.tile([512.0, 1024.0, 2048, 4096, 8192], 5))


def hoffmann(N, D, E=1.69):
    return E + 406.4 / N**0.34 + 410.7 / D**0.28


@pytest.fixture(scope="module")
def members(certain, table):
    """Hoffmann's law with two floors, a law of C, and a law of width; every draw known."""
    centre = {"A_ref": 406.4 / 1e8**0.34, "B_ref": 410.7 / 1e10**0.28, "alpha": 0.34, "beta": 0.28, "sigma": 0.01}
    model = bs.Model("chinchilla", table, noise="normal")
    return {
        "low": certain(model, centre | {"E": 1.69}),
        "high": certain(model, centre | {"E": 2.69}),
        "compute": certain(
            bs.Model("saturating:C", table, noise="normal"), {"L_inf": 2.0, "A_ref": 1.0, "alpha": 0.1, "sigma": 0.01}
        ),
        "width": certain(bs.Model("power:width", table, noise="normal"), {"k_ref": 3.0, "alpha": 0.1, "sigma": 0.01}),
    }


def stack_of(members, *weights, notes=()):
    rng = np.random.default_rng(0)
    draws = rng.dirichlet(50 * np.array(weights) + 1, size=500)
    names = list(members)
    return Stack(
        members,
        dict(zip(names, weights, strict=True)),
        xr.DataArray(draws, {"law": names}, ("sample", "law")),
        "loo",
        3,
        tuple(notes),
    )


def some(members, *names):
    return {name: members[name] for name in names}


@pytest.fixture(scope="module")
def two(members):
    return stack_of(some(members, "low", "high"), 0.25, 0.75, notes=["Scored on 25 runs."])


def test_a_stack_prints_weights_and_their_intervals(two):
    with rc_context({"stats.ci_kind": "eti", "stats.ci_prob": 0.8}):
        table, text = two.table(), str(two)
    draws = two.weight_draws.sel(law="high")
    assert table.loc["high", "weight"] == 0.75
    assert table.loc["high", "median"] == pytest.approx(float(draws.median()))
    assert table.loc["high", ["lower", "upper"]].tolist() == pytest.approx(draws.quantile([0.1, 0.9]).to_numpy())
    assert text.startswith("Stack of 2 laws, weighed by 'loo'; weights and their 80 % ETI")
    assert text.endswith("Scored on 25 runs.")
    assert repr(two) == str(two)


def test_a_stack_is_frozen_and_its_weights_are_checked(members, two):
    with pytest.raises(AttributeError):
        two.by = "waic"
    pair = some(members, "low", "high")
    for weights in (
        {"low": 1.0},
        {"low": 0.5, "high": 0.6},
        {"low": -0.5, "high": 1.5},
        {"low": float("nan"), "high": 1},
    ):
        with pytest.raises(InputError, match="with sum 1"):
            Stack(pair, weights, two.weight_draws, "loo")


# -- Mixtures


def test_a_forecast_of_a_stack_looks_like_any_other(two, members):
    mixed, single = forecast(two, N=1e9, D=[1e11, 1e12]), forecast(members["low"], N=1e9, D=[1e11, 1e12])
    assert dict(mixed.sizes) == dict(single.sizes) == {"chain": 4, "draw": 50, "D": 2}
    assert list(mixed.data_vars) == list(single.data_vars)
    assert mixed["L"].dims == single["L"].dims
    xr.testing.assert_equal(mixed.coords.to_dataset(), single.coords.to_dataset())
    for name in mixed.variables:
        assert mixed[name].attrs == single[name].attrs
    assert mixed.attrs == {
        "law": "stack of 0.25 low, 0.75 high",
        "laws": ["low", "high"],
        "weights": [0.25, 0.75],
        "converged": 1,
        "doubts": [],
        "seed": 0,
    }


def test_moments_are_those_of_the_mixture(two):
    """Two values, 1 apart, of weights 0.25 and 0.75: the counts of 200 draws are exact."""
    answer = forecast(two, N=1e9, D=1e11)
    assert float(answer["L"].mean()) == pytest.approx(hoffmann(1e9, 1e11, 1.69 + 0.75), rel=1e-12)
    assert float(answer["L"].var()) == pytest.approx(0.25 * 0.75, rel=1e-9)
    # A run scatters by 1 % about the law of its own draw.
    assert float(np.log(answer["L_run"] / answer["L"]).std()) == pytest.approx(0.01, rel=0.2)
    # Every chain has its part of both.
    assert ((answer["L"] > 3).mean("draw") > 0.5).all()


def test_moments_of_members_that_spread(certain, members):
    """Mean and variance of a mixture: sum w m, and sum w (s**2 + m**2) less the square of the mean."""
    rng = np.random.default_rng(4)
    model = members["low"].model
    values = {n: v.to_numpy() for n, v in members["low"].dataset.items() if n not in ("A", "B")}
    shape = (4, 5000)
    spread = {
        name: certain(
            model,
            {k: v[0, 0] for k, v in values.items()} | {"E": 1.0},
            shape,
        )
        for name in ("a", "b")
    }
    floors = {"a": 1.5 + 0.1 * rng.standard_normal(shape), "b": 2.0 + 0.3 * rng.standard_normal(shape)}
    for name, posterior in spread.items():
        posterior.draws["posterior"]["E"][:] = floors[name]
    mixed = stack_of(spread, 0.3, 0.7).draws_of(lambda p: p.dataset[["E"]])
    assert mixed["E"].shape == shape
    mean = 0.3 * 1.5 + 0.7 * 2.0
    variance = 0.3 * (0.01 + 1.5**2) + 0.7 * (0.09 + 2.0**2) - mean**2
    assert float(mixed["E"].mean()) == pytest.approx(mean, abs=4 * np.sqrt(variance / 20_000))
    assert float(mixed["E"].var()) == pytest.approx(variance, rel=0.03)


@pytest.mark.parametrize(("weight", "count"), [(1 / 3, 67), (0.999, 200), (1.0, 200), (0.0, 0), (0.5, 100)])
def test_draws_are_shared_out_by_largest_remainder(members, weight, count):
    made = stack_of(some(members, "low", "high"), weight, 1 - weight)
    assert int((forecast(made, N=1e9, D=1e11)["L"] < 3).sum()) == count


def test_draws_follow_the_seed_and_are_the_same_at_every_point(two):
    one, same, other = (forecast(two, N=1e9, D=1e11, seed=s) for s in (1, 1, 2))
    xr.testing.assert_identical(one, same)
    assert not np.array_equal(one["L"], other["L"])
    gain = one["L"] - forecast(two, N=1e9, D=1e12, seed=1)["L"]
    assert np.ptp(gain.to_numpy()) < 1e-12


def test_members_may_have_different_numbers_of_draws(certain, members):
    model = members["low"].model
    values = {n: float(v[0, 0]) for n, v in members["low"].dataset.items() if n not in ("A", "B")}
    parts = {"a": certain(model, values, (4, 50)), "b": certain(model, values | {"E": 2.69}, (2, 300))}
    answer = forecast(stack_of(parts, 0.25, 0.75), N=1e9, D=1e11)
    assert dict(answer.sizes) == {"chain": 2, "draw": 100}
    assert int((answer["L"] < 3).sum()) == 50


def test_each_draw_is_taken_once(certain, members):
    """Within a member no draw comes twice, and a member of weight 1 comes whole."""
    number = np.arange(200.0).reshape(4, 50)
    model = members["low"].model
    part = certain(model, {n: float(v[0, 0]) for n, v in members["low"].dataset.items() if n not in ("A", "B")})
    part.draws["posterior"]["E"][:] = number
    made = stack_of({"a": part, "b": part}, 1.0, 0.0)
    mixed = made.draws_of(lambda p: p.dataset[["E"]])
    assert sorted(mixed["E"].to_numpy().ravel()) == list(range(200))
    half = stack_of({"a": part, "b": members["high"]}, 0.5, 0.5).draws_of(lambda p: p.dataset[["E"]])["E"].to_numpy()
    taken = half[half != 2.69]
    assert len(set(taken)) == len(taken) == 100


def test_a_law_that_lacks_an_input_is_left_out_loudly(members):
    made = stack_of(some(members, "low", "high", "width"), 0.2, 0.3, 0.5)
    with pytest.warns(
        BayescaleWarning,
        match=r"Left out .* width \(weight 0.50\): Law 'power' is asked at width; width is not given. .*low, high",
    ):
        answer = forecast(made, N=1e9, D=1e11)
    assert answer.attrs["weights"] == pytest.approx([0.4, 0.6])
    assert answer.attrs["laws"] == ["low", "high"]
    assert float(answer["L"].mean()) == pytest.approx(hoffmann(1e9, 1e11, 1.69 + 0.6), rel=1e-12)


def test_each_law_takes_the_inputs_it_knows(members):
    """A law of width and a law of N and D, asked at all three: neither is troubled by what only the other takes."""
    made = stack_of(some(members, "low", "width"), 0.5, 0.5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        answer = forecast(made, N=[1e8, 1e9], D=1e11, width=2048)
    assert dict(answer.sizes) == {"chain": 4, "draw": 50, "N": 2}
    of_width = 3.0 * (2048 / 2048) ** -0.1
    for i, N in enumerate((1e8, 1e9)):
        assert sorted(set(np.round(answer["L"].isel(N=i).to_numpy().ravel(), 9))) == pytest.approx(
            sorted([of_width, hoffmann(N, 1e11)])
        )
    assert "width" in answer.coords
    assert "width = 2048" in forecast_sentences(answer)[0]
    assert len(forecast_table(answer)) == 2


def test_compute_follows_from_size_and_tokens_and_the_other_way_round(members):
    made = stack_of(some(members, "low", "compute"), 0.5, 0.5)
    by_size = forecast(made, N=1e9, D=1e11)
    by_compute = forecast(made, N=1e9, C=6e20)
    np.testing.assert_allclose(by_size["L"], by_compute["L"], rtol=1e-12)
    reference = 6e18
    values = sorted(set(np.round(by_size["L"].to_numpy().ravel(), 9)))
    assert values == pytest.approx(sorted([hoffmann(1e9, 1e11), 2.0 + (6e20 / reference) ** -0.1]))
    assert float(by_size.coords["C"]) == pytest.approx(6e20)
    np.testing.assert_allclose(forecast(made, D=1e11, C=6e20)["L"], by_size["L"], rtol=1e-12)


def test_questions_that_no_law_can_answer(two, members):
    with pytest.raises(InputError, match=r"^Law 'chinchilla' is asked at N, D; D is not given\.$"):
        forecast(two, N=1e9)
    with pytest.raises(InputError, match=r"width is no input of any law of the stack; they are asked at N, D"):
        forecast(two, N=1e9, D=1e11, width=512)
    with pytest.raises(InputError, match="C is no input of any law"):
        forecast(two, N=1e9, D=1e11, C=1e21)
    with pytest.raises(InputError, match="N must be positive"):
        forecast(two, N=-1e9, D=1e11)
    both = stack_of(some(members, "compute", "width"), 0.5, 0.5)
    with pytest.raises(InputError, match=r"No law of the stack can answer. compute: Law .* width: Law "):
        forecast(both)
    with pytest.raises(InputError, match="Give runs or inputs"):
        forecast(two, pd.DataFrame({"N": [1e9], "D": [1e11]}), N=1e9)
    with pytest.raises(InputError, match="without pool="):
        forecast(two, N=1e9, D=1e11, group="text")
    alone = stack_of(some(members, "low", "width"), 0.0, 1.0)
    with (
        pytest.warns(BayescaleWarning, match="Left out of this answer is width"),
        pytest.raises(InputError, match="low can answer, and has no weight"),
    ):
        forecast(alone, N=1e9, D=1e11)


def test_a_table_of_runs(two, members):
    asked = pd.DataFrame({"N": ["1B", "70B"], "D": ["100B", "1.4T"]})
    answer = forecast(two, asked)
    for i, (N, D) in enumerate([(1e9, 1e11), (70e9, 1.4e12)]):
        assert float(answer["L"].isel(run=i).mean()) == pytest.approx(hoffmann(N, D, 2.44), rel=1e-12)
    assert forecast_table(answer)["N"].tolist() == [1e9, 70e9]
    made = stack_of(some(members, "low", "width"), 0.5, 0.5)
    with pytest.warns(BayescaleWarning, match=r"width \(weight 0.50\): The runs to forecast have no column width"):
        forecast(made, asked)


def test_groups(grouped_posterior, certain):
    with pytest.warns(BayescaleWarning, match="fitted here as one law"):
        model = bs.Model("chinchilla", bs.load_runs("tiny_sweep"))
    together = certain(
        model, {"E": 5.0, "A_ref": 0.4, "B_ref": 0.3, "alpha": 0.3, "beta": 0.3, "sigma": 0.01, "nu": 5.0}
    )
    made = stack_of({"pooled": grouped_posterior, "together": together}, 0.5, 0.5)
    answer = forecast(made, N=1e6, D=1e7)
    assert set(answer["L"].dims) == {"chain", "draw", "modality"}
    one, own = forecast(made, N=1e6, D=1e7, group="text"), forecast(grouped_posterior, N=1e6, D=1e7, group="text")
    assert one["L"].dims == ("chain", "draw")
    assert one.attrs["group"] == "text"
    high = one["L"].to_numpy().ravel()
    assert np.sum(high > 5) == 100
    assert high[high < 5] == pytest.approx(float(own["L"][0, 0]))
    np.testing.assert_array_equal(answer["L"].sel(modality="text"), one["L"])
    assert forecast(made, N=1e6, D=1e7, group="new")["L"].dims == ("chain", "draw")
    with pytest.raises(InputError, match="There is no group 'poetry'"):
        forecast(made, N=1e6, D=1e7, group="poetry")


def test_the_law_that_goes_farthest_says_how_far(members):
    made = stack_of(some(members, "low", "width"), 0.5, 0.5)
    for N, D, width, factor in [(1e8, 1e10, 81920, 10.0), (2e10, 1e10, 2048, 20.0), (1e8, 1e10, 2048, 1.0)]:
        answer = forecast(made, N=N, D=D, width=width)
        assert float(answer["beyond"]) == pytest.approx(factor)
        assert answer["beyond"].dims == ()


def test_where_one_law_departs_the_others_truth_is_their_law(exact_posterior, departing_posterior):
    made = stack_of({"exact": exact_posterior, "departing": departing_posterior}, 0.5, 0.5)
    answer = forecast(made, N=3e8, D=5e10)
    departed = forecast(departing_posterior, N=3e8, D=5e10)["L_true"]
    found = sorted(set(np.round(answer["L_true"].to_numpy().ravel(), 9)))
    assert found == pytest.approx(sorted([hoffmann(3e8, 5e10), float(departed[0, 0])]))
    assert answer["L_true"].attrs == departed.attrs
    reverse = stack_of({"departing": departing_posterior, "exact": exact_posterior}, 0.5, 0.5)
    assert set(forecast(reverse, N=3e8, D=5e10).data_vars) == set(answer.data_vars)


def test_doubtful_members_make_a_doubtful_answer(members):
    doubtful = {"low": members["low"], "high": replace(members["high"], diagnostics=UNCONVERGED)}
    made = stack_of(doubtful, 0.5, 0.5)
    assert not made.converged
    with pytest.warns(ConvergenceWarning, match="R-hat of E is 1.5"):
        answer = forecast(made, N=1e9, D=1e11)
    assert answer.attrs["converged"] == 0
    assert "False" in str(made)


def test_other_answers_are_mixed_too(two):
    """Any question of a posterior: here the loss over its floor, infinite for the high one."""

    def question(posterior):
        floor = posterior.params()["E"]
        answer = xr.Dataset(
            {"excess": xr.where(floor > 2, np.inf, floor), "target": ("C", [2.0, 3.0])}, {"C": [1e20, 1e21]}
        )
        return answer.assign_attrs(cost="6 N D")

    mixed = two.draws_of(question, seed=5)
    assert float(np.isinf(mixed["excess"]).mean()) == 0.75
    assert mixed["target"].to_numpy().tolist() == [2.0, 3.0]
    assert mixed.attrs["cost"] == "6 N D"
    xr.testing.assert_identical(mixed, two.mix(two.ask(question), seed=5))


def test_answers_that_do_not_mix(two, members):
    low, high = (members[name].dataset[["E"]] for name in ("low", "high"))
    with pytest.raises(InputError, match="'low', 'high' mixes answers of those; 'kaplan' was given"):
        two.mix({"low": low, "kaplan": high})
    with pytest.raises(InputError, match="none was given"):
        two.mix({})
    with pytest.raises(InputError, match=r"differ in their variables do not mix. low: E; high: E, alpha"):
        two.mix({"low": low, "high": members["high"].dataset[["E", "alpha"]]})
    with pytest.raises(InputError, match="'best' has no draws and differs between low, high"):
        two.mix({"low": low.assign(best=1.0), "high": high.assign(best=2.0)})


def test_a_mixture_can_be_kept_as_netcdf(two, tmp_path):
    answer = forecast(two, N=[1e9, 1e10], D=1e11)
    answer.to_netcdf(tmp_path / "answer.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "answer.nc", engine="h5netcdf") as again:
        xr.testing.assert_equal(again.load(), answer)


# -- There and back


def test_a_stack_comes_back(two, tmp_path):
    two.save(tmp_path / "stack.nc")
    assert os.listdir(tmp_path) == ["stack.nc"]
    again = bs.open_stack(tmp_path / "stack.nc")
    assert (again.weights, again.by, again.seed, again.notes) == (two.weights, "loo", 3, two.notes)
    xr.testing.assert_identical(again.weight_draws.drop_attrs(), two.weight_draws.rename("weight"))
    for name, posterior in two.members.items():
        xr.testing.assert_identical(again.members[name].dataset, posterior.dataset)
        pd.testing.assert_frame_equal(again.members[name].model.runs, posterior.model.runs)
        assert again.members[name].diagnostics == posterior.diagnostics
    xr.testing.assert_identical(forecast(again, N=1e9, D=1e11), forecast(two, N=1e9, D=1e11))
    assert str(again) == str(two)


def test_many_members_with_groups_and_strange_names(grouped_posterior, tmp_path):
    names = ["a/b.nc", "größe", "weights", *(f"law {i}" for i in range(9))]
    made = stack_of(dict.fromkeys(names, grouped_posterior), *np.full(12, 1 / 12))
    made.save(tmp_path / "stack.nc")
    again = open_stack(tmp_path / "stack.nc")
    assert again.weights == made.weights
    xr.testing.assert_identical(
        forecast(again, N=1e6, D=1e7, group="new", seed=2), forecast(made, N=1e6, D=1e7, group="new", seed=2)
    )


def test_a_law_of_ones_own_is_given_by_members_name(certain, members, table, tmp_path):
    own = Law(
        "own",
        lambda C, a, b: a * C**-b,
        (COMPUTE,),
        LOSS,
        (
            Param("a", "loss at the centre", "nats/token", POSITIVE, Prior("LogNormal", 1, 1), Prior("HalfNormal", 1)),
            Param("b", "exponent", "", POSITIVE, Prior("LogNormal", -2, 1), Prior("HalfNormal", 1)),
        ),
    )
    mine = certain(bs.Model(own, table, noise="normal"), {"a": 2.5, "b": 0.1, "sigma": 0.01})
    made = stack_of({"mine": mine, "low": members["low"]}, 0.5, 0.5)
    made.save(tmp_path / "stack.nc")
    with pytest.raises(InputError, match="'own', which is not in the gallery"):
        open_stack(tmp_path / "stack.nc")
    assert open_stack(tmp_path / "stack.nc", laws={"mine": own}).members["mine"].model.law is own
    with pytest.raises(InputError, match="no member 'yours'; they are 'mine', 'low'"):
        open_stack(tmp_path / "stack.nc", laws={"yours": own})


def test_a_stack_is_no_posterior_and_the_other_way_round(two, members, tmp_path):
    two.save(tmp_path / "stack.nc")
    members["low"].save(tmp_path / "post.nc")
    with pytest.raises(InputError, match="is a stack of posteriors, not one posterior"):
        open_posterior(tmp_path / "stack.nc")
    with pytest.raises(InputError, match="is not a stack saved by this version"):
        open_stack(tmp_path / "post.nc")
    with pytest.raises(InputError, match="There is no file"):
        open_stack(tmp_path / "none.nc")


def set_loss(file):
    runs = file["member_1/runs"]
    next(c for c in runs.values() if c.attrs.get("column") == "L")[3] = 0.5


def set_weights(file):
    file.attrs["spec"] = file.attrs["spec"].replace("0.25", "0.35")


def break_spec(file):
    file.attrs["spec"] = "{"


def drop_member(file):
    del file["member_1"]


def drop_weights(file):
    del file["weights"]


def older_member(file):
    file["member_0"].attrs["format"] = "bayescale posterior 0"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (set_loss, "its runs are not those it was saved with"),
        (set_weights, "damaged stack: its description is not"),
        (break_spec, "damaged stack"),
        (drop_member, "2 weights, 1 posteriors"),
        (drop_weights, "is not a stack saved by this version"),
        (older_member, "is not a posterior saved by this version"),
    ],
)
def test_a_stack_changed_since_is_refused(two, tmp_path, change, words):
    path = tmp_path / "stack.nc"
    two.save(path)
    with h5py.File(path, "r+") as file:
        change(file)
    with pytest.raises(InputError, match=words) as error:
        open_stack(path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_stack_cut_short_is_refused(two, tmp_path, share):
    two.save(tmp_path / "stack.nc")
    content = (tmp_path / "stack.nc").read_bytes()
    (tmp_path / "stack.nc").write_bytes(content[: int(share * len(content))])
    with pytest.raises(InputError, match="cannot be read as a stack"):
        open_stack(tmp_path / "stack.nc")


def test_a_stack_is_written_whole_or_not_at_all(two, tmp_path, monkeypatch):
    (tmp_path / "stack.nc").write_bytes(b"old")

    def break_off(self, path, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(xr.DataTree, "to_netcdf", break_off)
    with pytest.raises(InputError, match=r"Cannot write the stack to .*No space left"):
        two.save(tmp_path / "stack.nc")
    assert os.listdir(tmp_path) == ["stack.nc"]
    assert (tmp_path / "stack.nc").read_bytes() == b"old"
    with pytest.raises(InputError, match=r"it is a folder. Name a file, such as stack.nc"):
        two.save(tmp_path)
