"""Ghorbani's law of encoder and decoder size, and Gordon's of BLEU."""

import math

import numpy as np
import pandas as pd
import pytest

import bayescale as bs
from bayescale.testing import check_law

BOTH, BLEU = bs.LAWS["encoder_decoder"], bs.LAWS["bleu"]
CONSTANTS = {"L_inf": 1.0, "A": 90.0, "p_e": 0.18, "p_d": 0.22}


@pytest.mark.parametrize("law", [BOTH, BLEU], ids=lambda law: law.name)
def test_law(law):
    check_law(law)


def test_best_split_of_a_size_is_in_proportion_to_the_exponents():
    # By Lagrange, N_d / N = p_d / (p_e + p_d); with p_d / p_e = 11 / 9 that is the paper's .55.
    share = np.linspace(0.01, 0.99, 9801)
    loss = BOTH(N_e=(1 - share) * 1e9, N_d=share * 1e9, **CONSTANTS)
    assert share[np.argmin(loss)] == pytest.approx(0.55, abs=1e-4)


def test_the_papers_normalisers_are_inside_the_coefficient():
    alpha, base_e, base_d = 0.5, 1.2e8, 1.6e8
    A = alpha * base_e ** CONSTANTS["p_e"] * base_d ** CONSTANTS["p_d"]
    ours = BOTH(N_e=base_e, N_d=base_d, **{**CONSTANTS, "A": A})
    assert ours == pytest.approx(CONSTANTS["L_inf"] + alpha)


def test_reducible_loss_at_the_reference_and_the_coefficient_turn_into_each_other():
    reference = {"N_e": 3e8, "N_d": 5e8}
    sampled = BOTH.from_paper(CONSTANTS, reference)
    assert sampled["A_ref"] == pytest.approx(BOTH(**reference, **CONSTANTS) - CONSTANTS["L_inf"])


@pytest.mark.parametrize(
    ("key", "at_zero", "rate"), [("ru_en", 64.2, 0.437), ("de_en", 76.2, 0.470), ("zh_en", 83.7, 0.427)]
)
def test_bleu_rows(key, at_zero, rate):
    assert BLEU.at(f"gordon2021_{key}", L=0.0) == pytest.approx(at_zero)
    # A nat less multiplies BLEU by exp(k); a score halves every ln 2 / k nats.
    assert BLEU.at(f"gordon2021_{key}", L=1.0) == pytest.approx(at_zero * math.exp(-rate))
    assert BLEU.at(f"gordon2021_{key}", L=2 + math.log(2) / rate) == pytest.approx(
        BLEU.at(f"gordon2021_{key}", L=2.0) / 2
    )


def test_bleu_is_sampled_at_the_mean_loss():
    runs = pd.DataFrame({"L": [1.5, 2.0, 2.0, 2.5, 3.0, 4.0], "BLEU": [35.0, 30.0, 29.0, 24.0, 18.0, 10.0]})
    model = bs.Model("bleu", runs)
    assert model.reference == {"L": 2.5}
    sampled = BLEU.from_paper({"C": 64.2, "k": 0.437}, model.reference)
    assert sampled["BLEU_ref"] == pytest.approx(64.2 * math.exp(-0.437 * 2.5))
