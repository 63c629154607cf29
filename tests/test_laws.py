import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bayescale.coordinates import LocalSlopes
from bayescale.errors import InputError
from bayescale.law import ACCURACY, ELO, LOSS, MEAN, TOKENS, Amplitude, Input, Intercept, Law, Param, Scale
from bayescale.laws import LAWS, find_law
from bayescale.prior import POSITIVE, REAL, Prior
from bayescale.testing import check_law

SPREAD = Prior("LogNormal", mu=-1.0, sigma=0.5)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("law", LAWS.values(), ids=lambda law: law.name)
def test_every_law_passes_the_checks(law, seed):
    check_law(law, seed)


@pytest.mark.slow
@pytest.mark.parametrize("law", LAWS.values(), ids=lambda law: law.name)
def test_every_law_finds_the_truth_again(law):
    check_law(law, fit=True)


@pytest.mark.parametrize("law", LAWS.values(), ids=lambda law: law.name)
def test_every_law_says_what_it_is_and_where_it_is_from(law):
    assert law.title
    assert re.search(r"\(\d{4}\)", law.reference)
    assert re.search(r"arXiv:\d{4}\.\d{5}|\w+[-.]\w+\.\d+|doi|\d+-\d+", law.reference)
    assert all(p.meaning for p in law.params)
    assert all(entry.source for entry in law.published)


@pytest.mark.parametrize("law", LAWS.values(), ids=lambda law: law.name)
def test_published_keys_are_unique_within_a_law(law):
    keys = [entry.key for entry in law.published]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("law", [law for law in LAWS.values() if law.output == LOSS], ids=lambda law: law.name)
def test_published_values_give_a_loss_of_a_few_nats(law):
    size = {"N": 1e9, "D": 2e10, "C": 1.2e20}
    for entry in law.published:
        placed = law.on(entry.on) if entry.on else law
        if set(placed.columns) <= set(size):
            assert 0.28 < placed.at(entry.key, **{i.symbol: size[i.column] for i in placed.inputs}) < 6


def test_find_law_by_name_and_column():
    assert find_law("chinchilla") is LAWS["chinchilla"]
    assert find_law("saturating:C").columns == ("C",)
    assert find_law("power:epochs").inputs[0].column == "epochs"
    assert find_law("saturating", ["modality", "D", "L"]).columns == ("D",)
    assert find_law("chinchilla", ["C", "L"]).columns == ("N", "D")


def test_find_law_suggests_the_closest_name():
    with pytest.raises(InputError, match=r"no law 'chincilla'.*Did you mean 'chinchilla'.*kaplan"):
        find_law("chincilla")
    with pytest.raises(InputError, match="no law 'zzz'") as caught:
        find_law("zzz")
    assert "Did you mean" not in str(caught.value)


def test_find_law_asks_which_input():
    with pytest.raises(InputError, match="saturating:N or saturating:D or saturating:C"):
        find_law("saturating")
    with pytest.raises(InputError, match="power:N or power:C") as caught:
        find_law("power", ["N", "C", "L"])
    assert "power:D" not in str(caught.value)


def test_find_law_refuses_a_column_for_a_law_of_two_inputs():
    with pytest.raises(InputError, match="N, D"):
        find_law("chinchilla:C")


# -- What check_law finds wrong with a law


def loss(x, E, A, alpha):
    return E + A * x**-alpha


AMPLITUDE: Any = Amplitude("A", "x", "alpha")


def make(formula=loss, amplitude=AMPLITUDE, support=POSITIVE, output=LOSS, **fields):
    return Law(
        "own",
        formula,
        inputs=(Input("x", "compute", "FLOP", "C"),),
        output=output,
        params=(
            Param("E", "floor", "", POSITIVE, Prior("LogNormal", 0.0, 0.5), SPREAD, scaled=True),
            Param(
                "A_ref",
                "amplitude",
                "",
                POSITIVE,
                Prior("LogNormal", -1.0, 0.5),
                SPREAD,
                scaled=True,
                paper=amplitude,
            ),
            Param("alpha", "exponent", "", support, Prior("LogNormal", -1.0, 0.5), SPREAD),
        ),
        **fields,
    )


def test_an_own_law_passes():
    check_law(make(coordinates=LocalSlopes((("A_ref", "alpha"),), "E")))


def test_a_law_that_rises_is_found_unless_its_exponent_may_be_negative():
    def rising(x, E, A, alpha):
        return E + A * x**alpha

    class Rising(Amplitude):
        def to_paper(self, value, params, reference):
            return value * reference["x"] ** -params["alpha"]

        def from_paper(self, constant, params, reference):
            return constant * reference["x"] ** params["alpha"]

    with pytest.raises(AssertionError, match="does not fall in x"):
        check_law(make(rising, Rising("A", "x", "alpha")))
    check_law(make(rising, Rising("A", "x", "alpha"), REAL))
    check_law(make(rising, Rising("A", "x", "alpha"), output=replace(LOSS, symbol="score")))


def test_a_law_that_goes_the_other_way_than_it_says_is_found():
    with pytest.raises(AssertionError, match="does not rise in x"):
        check_law(make(slopes={"x": 1}))
    check_law(make(slopes={"x": -1}))
    check_law(make(slopes={}))


def test_a_response_out_of_its_range_is_found():
    # A loss is no share of right answers, whatever its prior.
    with pytest.raises(AssertionError, match="the response is not unit at parameters drawn from the default priors"):
        check_law(make(output=ACCURACY, slopes={}))
    check_law(make(output=ELO, slopes={"x": -1}))
    with pytest.raises(AssertionError, match="not positive"):
        check_law(make(lambda x, E, A, alpha: 0.0 * (E + A * x**-alpha)))


def test_default_priors_far_from_the_response_they_are_scaled_to_are_found():
    law = make()
    floor, *others = law.params
    insane = replace(floor, prior=Prior("LogNormal", 7.0, 0.5))
    with pytest.raises(AssertionError, match="100 % of the responses under the default priors are off 100-fold"):
        check_law(replace(law, params=(insane, *others)))
    # A factor of 20 is a matter of taste.
    check_law(replace(law, params=(replace(floor, prior=Prior("LogNormal", 3.0, 0.5)), *others)))


def test_a_shifted_input_read_as_a_divided_one_is_found():
    date = Input("t", "date", "years", "date", centre=MEAN, typical=(2018.0, 2026.0))
    params = (
        Param("a", "slope", "Elo/year", REAL, Prior("Normal", 0.0, 1.0), SPREAD),
        Param(
            "b_ref",
            "level at the mean date",
            "Elo",
            REAL,
            Prior("Normal", 0.0, 3.0),
            SPREAD,
            paper=Intercept("b", "t", "a"),
        ),
    )
    law = Law("line", lambda t, a, b: a * t + b, (date,), ELO, params, slopes={})
    check_law(law)
    # The level at the mean date taken for the level at year 0.
    wrong = replace(params[1], symbol="b", paper=None)
    with pytest.raises(AssertionError, match="natural units"):
        check_law(replace(law, params=(params[0], wrong)))
    with pytest.raises(AssertionError, match=r"natural units"):
        check_law(replace(law, inputs=(replace(date, centre="geometric mean"),)))


@pytest.mark.parametrize(
    ("item", "low", "high"),
    [
        (Input("x", "share", "", "C", centre="none", typical=(0.01, 0.5)), 0.01, 0.5),
        (Input("x", "experts", "", "C", centre="none"), 1, 10),
    ],
    ids=["typical", "default"],
)
def test_inputs_stay_in_their_range(item, low, high):
    seen = []

    def formula(x, E, A, alpha):
        if isinstance(x, np.ndarray):
            seen.extend(x.ravel())
        return E + A * x**-alpha

    law = make(formula)
    seen.clear()
    check_law(replace(law, inputs=(item,)))
    assert low <= min(seen) < 0.3 * high
    assert 0.5 * high < max(seen) <= high


def test_an_input_that_does_not_matter_is_found():
    law = make()
    with pytest.raises(AssertionError, match="does not depend on D"):
        check_law(
            replace(law, formula=lambda x, D, E, A, alpha: E + A * x**-alpha + 0 * D, inputs=(*law.inputs, TOKENS))
        )


def test_a_wrong_map_to_the_paper_is_found():
    # The formula has A x**-alpha; as a Scale the constant is read as (A / x)**alpha.
    with pytest.raises(AssertionError, match="natural units"):
        check_law(make(amplitude=Scale("A", "x", "alpha")))


def test_a_map_to_the_paper_without_a_way_back_is_found():
    class OneWay(Amplitude):
        def from_paper(self, constant, params, reference):
            return constant

    with pytest.raises(AssertionError, match="A_ref does not survive"):
        check_law(make(amplitude=OneWay("A", "x", "alpha")))


def test_a_formula_that_only_floats_can_take_is_found():
    import math

    def floats_only(x, E, A, alpha):
        return E + A * math.exp(-alpha * math.log(x))

    with pytest.raises(InputError, match=r"fails on arrays: TypeError.*ops\.where"):
        make(floats_only)


def test_a_formula_that_cannot_be_printed_is_found():
    with pytest.raises(AssertionError, match=r"fails on SymPy symbols.*bayescale\.ops"):
        check_law(make(lambda x, E, A, alpha: E + A * np.exp(-alpha * np.log(x))))


def test_only_laws_can_be_checked():
    with pytest.raises(InputError, match=r"check_law takes a Law.*'chinchilla' is none"):
        check_law("chinchilla")  # pyright: ignore[reportArgumentType]


def test_a_map_to_the_paper_that_asks_for_what_the_law_has_not_is_refused():
    with pytest.raises(InputError, match=r"the paper's A of 'A_ref' follows from 'beta', which is neither an input"):
        make(amplitude=Amplitude("A", "x", "beta"))
    with pytest.raises(InputError, match=r"follows from 'D'"):
        make(amplitude=Amplitude("A", "D", "alpha"))


def test_one_input_is_still_a_tuple():
    with pytest.raises(InputError, match="inputs must be a tuple, also of one"):
        replace(make(), inputs=make().inputs[0])  # pyright: ignore[reportArgumentType]


def test_a_formula_that_only_numpy_can_take_is_found():
    def numpy_only(x, E, A, alpha):
        return np.add(E, np.multiply(A, np.asarray(x, dtype=float) ** -alpha))

    with pytest.raises(AssertionError, match=r"DataArray|PyTensor"):
        check_law(make(numpy_only))


def test_a_response_that_is_negative_or_not_finite_is_found():
    with pytest.raises(AssertionError, match="not positive"):
        check_law(make(lambda x, E, A, alpha: A * x**-alpha - 100 * E))
    with pytest.raises(AssertionError, match="not finite"):
        check_law(make(lambda x, E, A, alpha: E + A * x**-alpha + float("nan")))


def test_a_constant_that_the_formula_ignores_is_found():
    with pytest.raises(AssertionError, match=r"latex\(\) does not show E"):
        check_law(make(lambda x, E, A, alpha: A * x**-alpha))


def test_coordinates_whose_jacobian_is_not_one_are_found():
    class Stretched(LocalSlopes):
        def forward(self, log):
            return [2 * c for c in super().forward(log)]

        def backward(self, coordinates):
            return super().backward([c / 2 for c in coordinates])

    with pytest.raises(AssertionError, match="Jacobian"):
        check_law(make(coordinates=Stretched((("A_ref", "alpha"),), "E")))


def test_coordinates_without_a_way_back_are_found():
    class Lost(LocalSlopes):
        def backward(self, coordinates):
            return super().backward([c + 0.1 for c in coordinates])

    with pytest.raises(AssertionError, match="does not survive the coordinates"):
        check_law(make(coordinates=Lost((("A_ref", "alpha"),), "E")))
