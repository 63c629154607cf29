import math

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from bayescale.coordinates import LocalSlopes
from bayescale.errors import InputError
from bayescale.law import (
    ACCURACY,
    ELO,
    LOSS,
    MEAN,
    PARAMETERS,
    TOKENS,
    Amplitude,
    Coefficient,
    Input,
    Intercept,
    Law,
    Output,
    Param,
    Position,
    Published,
    Scale,
    input_spans,
    reference_values,
)
from bayescale.laws import LAWS
from bayescale.prior import POSITIVE, REAL, Prior

PF_DAY = 8.64e19  # FLOP; laws.md, section 21
PRIOR = Prior("LogNormal", 0.0, 1.0)


def param(symbol, **fields):
    return Param(symbol, f"meaning of {symbol}", "", POSITIVE, PRIOR, PRIOR, **fields)


TWO = (param("k"), param("alpha"))


def power(N, k, alpha):
    return k * N**-alpha


def make(formula=power, symbols=("k", "alpha"), inputs=(PARAMETERS,), more=(), **fields):
    return Law("own", formula, inputs, LOSS, (*map(param, symbols), *more), **fields)


# -- What a law checks when it is made


@pytest.mark.parametrize(
    ("formula", "symbols"),
    [
        (power, ("alpha", "k")),
        (power, ("k",)),
        (power, ("k", "beta")),
        (lambda D, k, alpha: k * D**-alpha, ("k", "alpha")),
        (lambda k, alpha, N: k * N**-alpha, ("k", "alpha")),
    ],
)
def test_formula_and_declaration_differ(formula, symbols):
    with pytest.raises(InputError, match="the formula takes") as caught:
        make(formula, symbols)
    declared = ", ".join(("N", *symbols))
    written = ", ".join(formula.__code__.co_varnames[: formula.__code__.co_argcount])
    assert f"({written})" in str(caught.value)
    assert f"({declared})" in str(caught.value)


def test_the_formula_takes_the_papers_symbols():
    params = (param("k_ref", paper=Amplitude("k", "N", "alpha")), param("alpha"))
    law = Law("own", power, (PARAMETERS,), LOSS, params)
    assert law.constants == ("k", "alpha")
    with pytest.raises(InputError, match=r"\(N, k_ref, alpha\)"):
        Law("own", lambda N, k_ref, alpha: k_ref * N**-alpha, (PARAMETERS,), LOSS, params)


def test_a_parameter_declared_twice():
    params = (
        param("k", paper=Amplitude("k_1", "N", "alpha")),
        param("k", paper=Amplitude("k_2", "N", "alpha")),
    )
    with pytest.raises(InputError, match="twice: k, k"):
        Law("own", lambda N, k_1, k_2: k_1 + k_2 * N, (PARAMETERS,), LOSS, params)


@pytest.mark.parametrize("values", [{"k": 2.0}, {"k": 2.0, "alpha": 0.1, "E": 1.0}, {"k": 2.0, "beta": 0.1}])
def test_published_values_that_are_not_the_laws(values):
    with pytest.raises(InputError, match=r"'smith2020'.*the law has k, alpha"):
        make(published=(Published("smith2020", "a paper", **values),))


def test_coordinates_of_other_parameters():
    with pytest.raises(InputError, match="coordinates are of E, k, alpha"):
        make(coordinates=LocalSlopes((("k", "alpha"),), "E"))


@pytest.mark.parametrize(
    "fields",
    [
        {"slopes": {"D": -1}},
        {"inputs": (Input("N", "parameters", "", "N", centre="D"),)},
        {"symbols": ("k",), "more": (param("alpha", along="D"),)},
        {"symbols": ("k",), "more": (param("alpha", across="D"),)},
        {"symbols": ("k",), "more": (param("alpha", per="D"),)},
    ],
    ids=["slopes", "centre", "along", "across", "per"],
)
def test_an_input_that_the_law_does_not_have(fields):
    with pytest.raises(InputError, match="'D' is named as an input; its inputs are N"):
        make(**fields)


@pytest.mark.parametrize("centre", [MEAN, "U"])
def test_a_shared_centre_must_be_one_to_divide_by(centre):
    inputs = (Input("U", "unique", "", "U", centre="D"), Input("D", "tokens", "", "D", centre=centre))
    with pytest.raises(InputError, match="'U' shares the centre of 'D', which is not divided"):
        Law("own", lambda U, D, k, alpha: k * (U * D) ** -alpha, inputs, LOSS, TWO)


# -- Calling


def test_a_law_is_its_formula():
    assert make()(N=100.0, k=3.0, alpha=0.5) == pytest.approx(0.3)


def test_at_published_values():
    law = make(published=(Published("smith2020", "a paper", k=3.0, alpha=0.5),))
    assert law.at("smith2020", N=100.0) == pytest.approx(0.3)
    assert law.at("smith2020", N=np.array([1.0, 4.0])) == pytest.approx([3.0, 1.5])


def test_at_says_which_inputs_and_which_papers_there_are():
    law = LAWS["chinchilla"]
    with pytest.raises(InputError, match="takes N, D; given: N"):
        law.at("hoffmann2022", N=1e9)
    with pytest.raises(InputError, match="takes N, D; given: N, D, C"):
        law.at("hoffmann2022", N=1e9, D=1e9, C=1e20)
    with pytest.raises(InputError, match="takes N, D; given: nothing"):
        law.at("hoffmann2022")
    with pytest.raises(InputError, match=r"'hoffman'.*hoffmann2022, hoffmann2022_tex, besiroglu2024"):
        law.at("hoffman", N=1e9, D=1e9)
    with pytest.raises(InputError, match="Known: none"):
        make().at("smith2020", N=1e9)


def test_on_reads_the_input_from_a_column():
    law = LAWS["saturating"]
    assert law.columns == ("",)
    on_compute = law.on("C")
    assert on_compute.columns == ("C",)
    assert on_compute.inputs[0].meaning == "training compute"
    assert on_compute.inputs[0].unit == "FLOP"
    assert "C" in on_compute.text()
    assert law.on("epochs").inputs[0].meaning == "epochs"
    assert law.columns == ("",)
    x = 3e20
    assert on_compute.at("henighan2020_math_C", x=x) == law.at("henighan2020_math_C", x=x)
    with pytest.raises(InputError, match="inputs N, D"):
        LAWS["chinchilla"].on("C")


# -- The paper's constants and the parameters at the reference


def test_amplitude():
    amplitude, params, reference = Amplitude("A", "N", "alpha"), {"alpha": 0.5}, {"N": 1e4}
    # A_ref = A * N_ref**-alpha: 200 / 100.
    assert amplitude.from_paper(200.0, params, reference) == pytest.approx(2.0)
    assert amplitude.to_paper(2.0, params, reference) == pytest.approx(200.0)


def test_scale():
    scale, params, reference = Scale("N_c", "N", "alpha"), {"alpha": 0.5}, {"N": 1e4}
    # (N_c / N_ref)**alpha: sqrt(9).
    assert scale.from_paper(9e4, params, reference) == pytest.approx(3.0)
    assert scale.to_paper(3.0, params, reference) == pytest.approx(9e4)


def test_a_scale_beyond_floats_is_infinite():
    scale, reference = Scale("N_c", "N", "alpha"), {"N": 1e9}
    array = scale.to_paper(np.array([2.0]), {"alpha": np.array([1e-6])}, reference)
    assert np.isposinf(array).all()
    draws = scale.to_paper(xr.DataArray([2.0]), {"alpha": xr.DataArray([1e-6])}, reference)
    assert np.isposinf(draws).all()


def test_a_scale_beyond_floats_is_infinite_for_plain_numbers_too():
    assert Scale("N_c", "N", "alpha").to_paper(2.0, {"alpha": 1e-6}, {"N": 1e9}) == math.inf


def test_coefficient():
    coefficient = Coefficient("a", (("C", "eta", -1), ("M", "eta", 1), ("C", "zeta", 2)))
    params, reference = {"eta": 0.5, "zeta": 1.0}, {"C": 100.0, "M": 4.0}
    # a * C**-eta * M**eta * C**(2 zeta): 3 / 10 * 2 * 10,000.
    assert coefficient.from_paper(3.0, params, reference) == pytest.approx(6000.0)
    assert coefficient.to_paper(6000.0, params, reference) == pytest.approx(3.0)
    amplitude = Amplitude("a", "C", "eta")
    same = Coefficient("a", (("C", "eta", -1),))
    assert same.from_paper(3.0, params, reference) == amplitude.from_paper(3.0, params, reference)


def test_position():
    # A break at 5e9 tokens where the reference is 1e9; a date two years after the mean date.
    divided, shifted = Position("d", "D"), Position("t_0", "t", shifted=True)
    assert divided.from_paper(5e9, {}, {"D": 1e9}) == pytest.approx(5.0)
    assert divided.to_paper(5.0, {}, {"D": 1e9}) == pytest.approx(5e9)
    assert shifted.from_paper(2024.0, {}, {"t": 2022.0}) == pytest.approx(2.0)
    assert shifted.to_paper(2.0, {}, {"t": 2022.0}) == pytest.approx(2024.0)


def test_intercept():
    intercept, params, reference = Intercept("b", "t", "a"), {"a": 3.0}, {"t": 20.0}
    # The line 3 t + 7 is 67 at 20.
    assert intercept.from_paper(7.0, params, reference) == pytest.approx(67.0)
    assert intercept.to_paper(67.0, params, reference) == pytest.approx(7.0)


# A law whose parameters at the reference are each of the maps, at inputs far from the reference.
def test_every_map_leaves_the_law_what_it_is():
    def formula(N, t, a, b, d, k, alpha):
        return a * t + b + k * N**-alpha * (1 + N / d)

    date = Input("t", "date", "years", "date", centre=MEAN)
    law = Law(
        "own",
        formula,
        (PARAMETERS, date),
        ELO,
        (
            param("a"),
            param("b_ref", paper=Intercept("b", "t", "a")),
            param("d_ref", paper=Position("d", "N")),
            param("k_ref", paper=Coefficient("k", (("N", "alpha", -1),))),
            param("alpha"),
        ),
    )
    constants = {"a": 12.0, "b": -24000.0, "d": 3e9, "k": 500.0, "alpha": 0.2}
    reference = {"N": 1e8, "t": 2020.0}
    params = law.from_paper(constants, reference)
    assert params == pytest.approx(
        {"a": 12.0, "b_ref": 240.0, "d_ref": 30.0, "k_ref": 500 * 1e8**-0.2, "alpha": 0.2}, rel=1e-9
    )
    assert law.to_paper(params, reference) == pytest.approx(constants, rel=1e-9)
    N, t = np.array([1e6, 4e10]), np.array([2018.5, 2026.0])
    expected = 12 * t - 24000 + 500 * N**-0.2 * (1 + N / 3e9)
    assert law(N=N, t=t, **constants) == pytest.approx(expected)
    assert law.evaluate(params, {"N": N / 1e8, "t": t - 2020}) == pytest.approx(expected, rel=1e-9)


def test_constants_broadcast_by_name_over_draws_and_groups():
    law = LAWS["chinchilla"]
    rng = np.random.default_rng(0)
    params = {
        p.symbol: xr.DataArray(np.exp(rng.normal(-1, 0.3, (2, 3, 4))), dims=("chain", "draw", "group"))
        for p in law.params
    }
    constants = law.to_paper(params, {"N": 1e9, "D": 1e10})
    assert set(constants) == {"E", "A", "B", "alpha", "beta"}
    one = {"chain": 1, "draw": 2, "group": 3}
    expected = float(params["A_ref"][one]) * 1e9 ** float(params["alpha"][one])
    assert float(constants["A"][one]) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("key", ["hoffmann2022", "hoffmann2022_tex", "besiroglu2024"])
def test_the_reference_does_not_change_what_the_law_says(key):
    law, N, D = LAWS["chinchilla"], 70e9, 1.4e12
    for reference in ({"N": 1.0, "D": 1.0}, {"N": 5e8, "D": 1e10}, {"N": 1e13, "D": 3e5}):
        params = law.from_paper(law.find(key).values, reference)
        relative = {"N": N / reference["N"], "D": D / reference["D"]}
        assert law.evaluate(params, relative) == pytest.approx(law.at(key, N=N, D=D), rel=1e-12)


def test_reference_values_are_geometric_means():
    def formula(N, bits, k, alpha):
        return k * N**-alpha * bits

    law = make(formula, inputs=(PARAMETERS, Input("bits", "bits", "bit", "bits", centre="none")))
    runs = pd.DataFrame({"N": [1e6, 1e8, 1e10], "bits": [4.0, 8.0, 16.0]})
    assert reference_values(law, runs) == {"N": pytest.approx(1e8), "bits": 1.0}


def test_a_shifted_input_is_centred_at_its_mean_and_may_be_negative():
    date = Input("t", "date", "years", "date", centre=MEAN)
    law = Law("own", lambda t, a, b: a * t + b, (date,), ELO, (param("a"), param("b")))
    runs = pd.DataFrame({"date": [-3.0, 0.0, 6.0]})
    assert reference_values(law, runs) == {"t": pytest.approx(1.0)}
    # Deviations -4, -1 and 5: mean square 14.
    assert input_spans(law, runs) == {"t": pytest.approx(math.sqrt(14))}
    assert date.relative(6.0, 1.0) == 5.0
    assert date.log(5.0) == 5.0
    assert date.neutral == 0.0
    assert date.support == REAL
    assert (PARAMETERS.relative(6e8, 2e8), PARAMETERS.neutral, PARAMETERS.support) == (3.0, 1.0, POSITIVE)


def test_an_input_may_share_the_reference_of_another():
    unique = Input("U", "unique tokens", "tokens", "U", centre="D")
    law = Law("own", lambda U, D, k, alpha: k * (U * D) ** -alpha, (unique, TOKENS), LOSS, TWO)
    runs = pd.DataFrame({"U": [1e6, 1e6, 1e6], "D": [1e6, 1e8, 1e10]})
    assert reference_values(law, runs) == {"U": pytest.approx(1e8), "D": pytest.approx(1e8)}
    # The spans are their own; an input that does not vary has none, and 1 stands for it.
    # Logs -log 100, 0 and log 100 about their mean: mean square 2/3 of log(100)**2.
    spread = math.log(100) * math.sqrt(2 / 3)
    assert input_spans(law, runs) == {"U": 1.0, "D": pytest.approx(spread)}


# -- Default priors that follow the runs


def test_a_prior_of_a_place_widens_with_the_runs():
    place = Param("d", "break", "", POSITIVE, Prior("LogNormal", mu=0.5, sigma=1.0), PRIOR, along="D")
    assert place.default(7.0, {"D": 3.0}) == Prior("LogNormal", mu=0.5, sigma=3.0)
    assert place.default(7.0, {"D": 1.0}) == place.prior


def test_a_prior_of_a_width_grows_and_of_a_slope_falls_with_the_runs():
    width = Param("f", "width", "", POSITIVE, Prior("HalfNormal", sigma=0.4), PRIOR, across="D")
    slope = Param("c", "slope", "", REAL, Prior("Normal", mu=0.0, sigma=2.0), PRIOR, per="D")
    assert width.default(7.0, {"D": 3.0}).args["sigma"] == pytest.approx(1.2)
    assert slope.default(7.0, {"D": 4.0}).args["sigma"] == pytest.approx(0.5)
    level = Param("b", "level", "", REAL, Prior("Normal", mu=1.0, sigma=2.0), PRIOR, scaled=True, per="D")
    assert level.default(6.0, {"D": 3.0}) == Prior("Normal", mu=2.0, sigma=4.0)


def test_the_card_says_what_a_prior_follows():
    law = Law(
        "own",
        lambda N, k, d, f, alpha: k * (N / d) ** -alpha * f,
        (PARAMETERS,),
        LOSS,
        (param("k", scaled=True), param("d", along="N"), param("f", across="N"), param("alpha", per="N")),
    )
    card = law.card()
    assert "x size of the response" in card
    assert "sigma x standard deviation of log N" in card
    assert "x standard deviation of log N" in card
    assert "/ standard deviation of log N" in card


# -- What a law predicts, and which way it goes


def test_a_response_has_a_line_on_which_departures_are_added():
    x = np.array([0.1, 0.5, 0.8])
    assert LOSS.link(x) == pytest.approx(np.log(x))
    assert ACCURACY.link(x) == pytest.approx(np.log(x / (1 - x)))
    assert ELO.link(x) == pytest.approx(x)
    for output in (LOSS, ACCURACY, ELO):
        assert output.unlink(output.link(x)) == pytest.approx(x)
    # Nothing overflows far out.
    assert ACCURACY.unlink(np.array([-1000.0, 1000.0])).tolist() == [0.0, 1.0]


def test_a_loss_falls_in_every_input_unless_the_law_says_otherwise():
    def formula(N, D, k, alpha):
        return k * (N * D) ** -alpha

    both = (PARAMETERS, TOKENS)
    assert make(formula, inputs=both).directions == {"N": -1, "D": -1}
    assert make(formula, inputs=both, slopes={"N": -1}).directions == {"N": -1}
    assert make(formula, inputs=both, slopes={}).directions == {}
    score = Output("score", "score", "points")
    assert Law("own", formula, both, score, TWO).directions == {}
    signed = (param("k"), Param("alpha", "exponent", "", REAL, Prior("Normal", 0.0, 1.0), PRIOR))
    assert Law("own", formula, both, LOSS, signed).directions == {}


def test_an_equation_is_printed_in_place_of_a_numerical_solution():
    law = make(equation=lambda L, N, k, alpha: (L + L**2, k * N**-alpha))
    assert law.text() == "L + L**2 = k/N**alpha"
    assert "L + L^{2} = k N^{- \\alpha}" in law.latex()
    assert law(N=100.0, k=3.0, alpha=0.5) == pytest.approx(0.3)


# -- Words


def test_formula_in_latex_and_text():
    law = LAWS["chinchilla"]
    assert law.text() == "L = E + A/N**alpha + B/D**beta"
    assert law.latex().startswith("L = E + A N^{- \\alpha}")
    assert "L_{\\infty}" in LAWS["saturating"].latex()
    assert "C" in LAWS["saturating"].on("C").text()


@pytest.mark.parametrize("law", LAWS.values(), ids=lambda law: law.name)
def test_card_shows_every_parameter_with_meaning_unit_and_prior_and_every_published_value(law):
    card = law.card()
    for p in law.params:
        assert f"{p.symbol} " in card
        assert p.meaning in card
        assert f"[{p.unit or 'no unit'}]" in card
        assert str(p.prior) in card
    for entry in law.published:
        assert entry.key in card
        assert entry.source in card
        for value in dict(entry.values).values():
            assert f"{value:.6g}" in card
    assert law.output.unit in card


def test_a_law_cannot_be_changed():
    with pytest.raises(AttributeError):
        LAWS["chinchilla"].name = "other"  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(TypeError):
        LAWS["chinchilla"].published[0].values["E"] = 0.0  # pyright: ignore[reportIndexIssue]


def test_tokens_and_parameters_are_what_they_say():
    assert (PARAMETERS.symbol, TOKENS.symbol) == ("N", "D")
    assert (PARAMETERS.unit, TOKENS.unit) == ("parameters", "tokens")


# -- Published numbers


# laws.md, section 4, "Values at fixed points", Hoffmann rounded / Hoffmann TeX / Besiroglu.
@pytest.mark.parametrize(
    ("N", "D", "expected"),
    [(70e9, 1.4e12, (1.937, 1.921, 1.974)), (280e9, 3e11, (1.993, 1.967, 2.000))],
)
def test_chinchilla_and_gopher(N, D, expected):
    keys = ("hoffmann2022", "hoffmann2022_tex", "besiroglu2024")
    values = [LAWS["chinchilla"].at(key, N=N, D=D) for key in keys]
    assert values == pytest.approx(expected, abs=0.0005)


# laws.md, section 4, table of closed forms: N, D and L at the optimum of each budget. The loss is flat there,
# so that the rounding of N and D hardly shows in it.
@pytest.mark.parametrize(
    ("key", "N", "D", "L"),
    [
        ("hoffmann2022", 8.06e7, 2.07e9, 3.535),
        ("hoffmann2022", 3.22e10, 2.98e12, 1.931),
        ("hoffmann2022", 3.31e11, 5.04e13, 1.799),
        ("hoffmann2022_tex", 9.47e7, 1.76e9, 3.448),
        ("hoffmann2022_tex", 4.04e10, 2.38e12, 1.918),
        ("hoffmann2022_tex", 4.25e11, 3.92e13, 1.795),
        ("besiroglu2024", 8.05e7, 2.07e9, 3.491),
        ("besiroglu2024", 7.22e10, 1.33e12, 1.974),
        ("besiroglu2024", 1.02e12, 1.64e13, 1.880),
    ],
)
def test_loss_at_the_published_optima(key, N, D, L):
    assert LAWS["chinchilla"].at(key, N=N, D=D) == pytest.approx(L, abs=0.003)


# laws.md, section 4: "Unrounded values in the paper's TeX: ... (A 406.4, B 410.7, E 1.6934)".
def test_unrounded_hoffmann():
    values = LAWS["chinchilla"].find("hoffmann2022_tex").values
    assert values["A"] == pytest.approx(406.4, abs=0.05)
    assert values["B"] == pytest.approx(410.7, abs=0.05)
    assert values["E"] == pytest.approx(1.6934, abs=0.00005)
    assert values["alpha"] == pytest.approx(0.33917084, abs=1e-8)
    assert values["beta"] == pytest.approx(0.2849083, abs=1e-7)


# laws.md, section 5: point estimates and their logs, ln A 6.178, ln B 7.643, ln E 0.597.
def test_besiroglu():
    values = LAWS["chinchilla"].find("besiroglu2024").values
    assert np.log([values[s] for s in "ABE"]) == pytest.approx([6.178, 7.643, 0.597], abs=0.0005)
    assert values["beta"] / (values["alpha"] + values["beta"]) == pytest.approx(0.513, abs=0.0005)


# laws.md, section 2: L(x) = (x_c / x)**alpha, so the loss is 1 at x_c and 2 at x_c / 2**(1 / alpha).
@pytest.mark.parametrize(
    ("key", "column", "x_c", "alpha"),
    [
        ("kaplan2020_N", "N", 8.8e13, 0.076),
        ("kaplan2020_D", "D", 5.4e13, 0.095),
        ("kaplan2020_C_min", "C", 3.1e8 * PF_DAY, 0.050),
        ("kaplan2020_C", "C", 1.6e7 * PF_DAY, 0.057),
    ],
)
def test_kaplan_laws_of_one_input(key, column, x_c, alpha):
    law = LAWS["power"]
    assert law.find(key).on == column
    assert law.at(key, x=x_c) == pytest.approx(1.0)
    assert law.at(key, x=x_c / 2 ** (1 / alpha)) == pytest.approx(2.0)


# laws.md, section 2, table 2 of the paper: alpha_N 0.076, alpha_D 0.103, N_c 6.4e13, D_c 1.8e13.
def test_kaplan_joint_form():
    law = LAWS["kaplan"]
    assert law.at("kaplan2020", N=1e9, D=1e40) == pytest.approx((6.4e13 / 1e9) ** 0.076, rel=1e-9)
    assert law.at("kaplan2020", N=1e60, D=2.3e10) == pytest.approx((1.8e13 / 2.3e10) ** 0.103, rel=1e-9)
    # At N_c and D_c both terms are 1.
    assert law.at("kaplan2020", N=6.4e13, D=1.8e13) == pytest.approx(2**0.103)


# laws.md, section 3: "GPT-3 form ... L = 2.57 C^-0.048 (C in PF-days)".
@pytest.mark.parametrize("C", [1e-3, 1.0, 3640.0])
def test_language_loss_of_compute(C):
    loss = LAWS["power"].at("henighan2020_language_C", x=C * PF_DAY)
    assert loss == pytest.approx(2.57 * C**-0.048, rel=0.001)


# laws.md, section 3, table 1: floor, scale and exponent of L(N); then of L(C), C in PF-days.
HENIGHAN = {
    "image_8x8": ((3.12, 8.0e1, 0.24), (3.13, 1.8e-8, 0.19)),
    "image_16x16": ((2.64, 2.8e2, 0.22), (2.64, 1.6e-8, 0.16)),
    "image_32x32": ((2.20, 6.3e1, 0.13), (2.21, 3.6e-9, 0.10)),
    "image_vq_16x16": ((3.99, 2.7e4, 0.13), (4.09, 6.1e-7, 0.11)),
    "image_vq_32x32": ((3.07, 1.9e4, 0.14), (3.17, 2.6e-6, 0.12)),
    "text_to_image": ((2.0, 5.1e3, 0.16), (1.93, 1.5e-6, 0.15)),
    "image_to_text": ((2.0, 5.5e3, 0.15), (1.97, 1.5e-6, 0.16)),
    "video_vq": ((1.01, 3.7e4, 0.24), (0.95, 2.2e-5, 0.14)),
    "math": ((0.28, 1.1e4, 0.16), (0.14, 1.4e-5, 0.17)),
}


@pytest.mark.parametrize("domain", HENIGHAN)
def test_henighan_table_1(domain):
    law = LAWS["saturating"]
    (floor_N, N_0, alpha_N), (floor_C, C_0, alpha_C) = HENIGHAN[domain]
    # One above the floor at the scale; a tenth of that ten to the 1 / alpha beyond it.
    assert law.at(f"henighan2020_{domain}_N", x=N_0) == pytest.approx(floor_N + 1)
    assert law.at(f"henighan2020_{domain}_N", x=N_0 * 10 ** (1 / alpha_N)) == pytest.approx(floor_N + 0.1)
    assert law.at(f"henighan2020_{domain}_C", x=C_0 * PF_DAY) == pytest.approx(floor_C + 1)
    far = C_0 * PF_DAY * 10 ** (1 / alpha_C)
    assert law.at(f"henighan2020_{domain}_C", x=far) == pytest.approx(floor_C + 0.1)


def test_a_law_is_shown_in_a_line_a_card_and_on_a_page():
    law = LAWS["chinchilla"]
    assert repr(law) == "<Law chinchilla: L = E + A/N**alpha + B/D**beta>"
    assert str(law) == law.card()
    page = law._repr_html_()
    assert page.startswith("<math")
    assert "irreducible" in page
