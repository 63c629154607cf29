"""Sharpness against closed forms: sigmoids, power laws, and exact match whatever the length of the answer."""

import numpy as np
import pandas as pd
import pytest

import bayescale as bs
from bayescale.answers.sharpness import sharpness_sentences, sharpness_table
from bayescale.errors import InputError

SLOPES = np.linspace(1.0, 6.0, 120).reshape(2, 60)


def runs(**columns):
    return pd.DataFrame({"D": np.logspace(5, 7, 8), "n_trials": 1000} | columns)


@pytest.fixture(scope="module")
def task(certain):
    made = certain(
        bs.Model("sigmoid_of_compute:D", runs(chance=0.1, accuracy=np.linspace(0.1, 0.9, 8).round(2))),
        {"reach": 0.9, "slope": 1.0, "u": 0.0, "phi": 50.0},
        (2, 60),
    )
    values = {p.symbol: made.dataset[p.symbol].to_numpy() for p in made.model.params} | {"slope": SLOPES}
    stats = {"diverging": np.zeros((2, 60), dtype=bool), "energy": np.zeros((2, 60))}
    return type(made).from_draws(made.model, values, stats, made.diagnostics, {"seed": 1})


@pytest.fixture(scope="module")
def power(certain):
    table = runs(L=1.0 + (1e5 / np.logspace(5, 7, 8)) ** 0.5).drop(columns="n_trials")
    return certain(
        bs.Model("saturating:D", table), {"L_inf": 0.2, "A_ref": 0.5, "alpha": 0.5, "sigma": 0.01, "nu": 5.0}, (2, 60)
    )


def test_a_sigmoid_takes_log_81_over_its_slope(task):
    """From logit -log 9 to log 9, whatever the chance and the ceiling."""
    answer = bs.sharpness(task)
    assert answer["decades"].to_numpy() == pytest.approx(np.log10(81) / SLOPES, rel=1e-9)


def test_p_sharp_is_the_share_of_draws(task):
    answer = bs.sharpness(task, than=0.5)
    row = sharpness_table(answer).iloc[0]
    assert row["P(sharp)"] == pytest.approx((np.log10(81) / SLOPES < 0.5).mean())
    assert "verdict" not in row


@pytest.mark.parametrize("start", [1.5, 4.0])
def test_a_power_law_takes_log_9_over_its_exponent_from_any_start(task, power, start):
    answer = bs.sharpness(task, power, start=start)
    assert np.unique(answer["companion_decades"]) == pytest.approx(np.log10(9) / 0.5, rel=1e-9)


@pytest.mark.parametrize("length", [1.0, 5.0, 50.0])
def test_exact_match_is_as_sharp_at_any_length(certain, length):
    """exp(-K (c / x)**a): ln 10 to ln(10 / 9) of the exponent, which K moves and does not stretch."""
    table = runs(answer_tokens=length, accuracy=np.linspace(0.1, 0.9, 8).round(2))
    made = certain(bs.Model("exact_match:D", table), {"l_ref": 0.5, "alpha": 0.8, "phi": 50.0}, (2, 5))
    expected = np.log10(np.log(10) / np.log(10 / 9)) / 0.8
    assert np.unique(bs.sharpness(made)["decades"]) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("than", "verdict"),
    [(0.2, "gradual"), (1.0, "undecided"), (1.9, "artefact of the metric"), (5.0, "sharp under both")],
)
def test_the_verdict_needs_both(task, power, than, verdict):
    """The task takes 0.32 to 1.91 decades over the draws, its companion 1.91 (log10(9) / 0.5)."""
    answer = bs.sharpness(task, power, start=3.0, than=than)
    assert sharpness_table(answer)["verdict"].item() == verdict
    assert verdict.upper() in " ".join(sharpness_sentences(answer))


def test_what_has_no_way_is_refused(task, power):
    with pytest.raises(InputError, match="has no start"):
        bs.sharpness(power)
    with pytest.raises(InputError, match="Give start="):
        bs.sharpness(task, power)
    with pytest.raises(InputError, match=r"than \(decades\) must be"):
        bs.sharpness(task, than=0)


def test_a_loss_is_no_scale_of_size(certain, exact_posterior):
    table = pd.DataFrame({"L": np.linspace(2.0, 3.5, 6), "chance": 0.1, "n_trials": 1000})
    table["accuracy"] = [0.9, 0.8, 0.6, 0.4, 0.2, 0.1]
    ability = certain(bs.Model("sigmoid_of_loss", table), {"reach": 0.9, "kappa": 3.0, "u": 0.0, "phi": 50.0})
    with pytest.raises(InputError, match="with chain"):
        bs.sharpness(ability)
    answer = bs.sharpness(bs.chain(exact_posterior, ability))
    # The loss spans the way from 10 to 90 % of what the law's floor allows; the least compute of either end.
    floor, top = 1.69, 0.1 + 0.81 / (1 + np.exp(3 * (1.69 - 2.75)))
    ends = [2.75 - np.log(share * (top - 0.1) / (0.81 - share * (top - 0.1))) / 3 for share in (0.1, 0.9)]
    decades = (1 / 0.34 + 1 / 0.28) * np.log10((ends[0] - floor) / (ends[1] - floor))
    assert np.unique(answer["decades"]) == pytest.approx(decades, rel=1e-6)
