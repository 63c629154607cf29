"""Laws of section-long papers: hyper-parameters, vocabulary, mixtures, distillation, reinforcement, Rosenfeld."""

import numpy as np
import pandas as pd
import pytest

import bayescale as bs
from bayescale.laws import LAWS
from bayescale.laws.mixing import mixing
from bayescale.testing import check_law


def test_step_law_by_hand():
    """1.79 * 1e9**-.713 * 1e11**.307 = 10**(.25285 - 6.417 + 3.377); the batch is .58 * 1e11**.571 at any size."""
    law = LAWS["power_product"]
    rate = law.at("step_law2025_learning_rate", N=1e9, D=1e11)
    assert rate == pytest.approx(10 ** (0.25285 - 6.417 + 3.377), rel=1e-4)
    batches = law.at("step_law2025_batch", N=np.array([1e8, 1e10]), D=1e11)
    np.testing.assert_allclose(batches, 0.58 * 10**6.281)


def test_vocabulary_with_the_published_constants():
    """At a million parameters of both kinds and a billion characters the printed coefficients add up."""
    loss = LAWS["vocabulary"].at("tao2024", N=1e6, V=1e6, H=1e9)
    assert loss == pytest.approx(-5.533 + 1.831 + 0.196 + 2.124, rel=1e-12)


def test_vocabulary_has_chinchilla_within():
    values = {k: v for k, v in LAWS["vocabulary"].find("tao2024").values.items() if k in ("A1", "B", "alpha1", "beta")}
    ours = LAWS["vocabulary"](N=1e9, V=1e7, H=1e11, E=5.0, A2=0.0, alpha2=0.5, **values)
    renamed = {"A": values["A1"], "B": values["B"], "alpha": values["alpha1"], "beta": values["beta"]}
    assert ours + 10 == pytest.approx(LAWS["chinchilla"](N=1e9, D=1e11, E=5.0, **renamed), rel=1e-12)


@pytest.mark.parametrize("domains", [2, 3, 5])
def test_mixing_of_any_number_of_domains(domains):
    check_law(mixing(domains))


def test_mixing_is_the_paper_s_form_with_a_share_for_every_domain():
    """``k exp(sum t_j r_j)`` over all three shares: the last effect goes into ``k`` and the others."""
    shares, t, k = np.array([0.2, 0.5, 0.3]), np.array([-1.0, 0.5, 2.0]), 0.7
    full = 1.5 + k * np.exp(t @ shares)
    ours = LAWS["mixing_3"](r_1=shares[0], r_2=shares[1], c=1.5, k=k * np.exp(t[2]), t_1=t[0] - t[2], t_2=t[1] - t[2])
    assert ours == pytest.approx(full, rel=1e-14)


def test_mixing_is_sampled_at_the_mean_shares_of_the_runs():
    values = {"c": 1.5, "k": 0.7, "t_1": -1.0, "t_2": 0.5}
    sampled = LAWS["mixing_3"].from_paper(values, {"r_1": 0.2, "r_2": 0.3})
    assert sampled["k_ref"] == pytest.approx(LAWS["mixing_3"](r_1=0.2, r_2=0.3, **values) - 1.5, rel=1e-12)


def test_a_domain_may_be_left_out_of_a_mixture():
    shares = pd.DataFrame({"r_1": 4 * [0.0, 0.2, 0.5, 0.7], "r_2": np.repeat([0.0, 0.1, 0.2, 0.3], 4)})
    model = bs.Model("mixing_3", shares.assign(L=3.0 - shares["r_1"]))
    assert model.reference == pytest.approx({"r_1": 0.35, "r_2": 0.15})


def test_rosenfeld_is_the_modulus_of_a_complex_ratio():
    """The paper's form with ``eta`` written out, and its limits."""
    N, D, eta, eps_0, c, a, b, alpha, beta = 1e6, 1e5, 0.7, 0.9, 0.05, 20.0, 30.0, 0.4, 0.3
    x = a * D**-alpha + b * N**-beta + c
    expected = eps_0 * abs(x / (x - 1j * eta))
    law = LAWS["rosenfeld"]
    ours = law(N=N, D=D, eps_0=eps_0, c=c / eta, a=a / eta, b=b / eta, alpha=alpha, beta=beta)
    assert ours == pytest.approx(expected, rel=1e-12)
    start = law(N=1e-30, D=1e-30, eps_0=eps_0, c=c, a=a, b=b, alpha=alpha, beta=beta)
    assert start == pytest.approx(eps_0, rel=1e-9)


def test_distillation_with_a_strong_teacher_is_a_power_of_its_loss():
    """Far below the break the broken factor is 1; the paper's form by hand."""
    values = {"A": 100.0, "B": 1000.0, "c_0": 0.5, "c_1": 1.0, "d_1": 1.2, "f_1": 0.1}
    exponents = {"alpha": 0.3, "beta": 0.35, "gamma": 0.9}
    bracket = 100.0 * 1e8**-0.3 + 1000.0 * 1e9**-0.35
    law = LAWS["distillation"]
    strong = law(N=1e8, D=1e9, T=1.0, S=30.0, **values, **exponents)
    assert strong == pytest.approx(1.0 + bracket**0.9, rel=1e-9)
    weak = law(N=1e8, D=1e9, T=3.0, S=2.0, **values, **exponents)
    factor = 3.0**-0.5 * (1 + (3.0 / 2.4) ** 10) ** -0.1
    assert weak == pytest.approx(3.0 + factor * bracket**0.9, rel=1e-12)


def test_hilton_is_the_paper_s_sum_of_powers():
    """``I**-beta = (N_c / N)**alpha_N + (E_c / E)**alpha_E``."""
    beta, N_c, E_c, alpha_N, alpha_E, N, E = 0.4, 3e4, 2e7, 0.3, 0.2, 1e6, 1e9
    expected = ((N_c / N) ** alpha_N + (E_c / E) ** alpha_E) ** (-1 / beta)
    ours = LAWS["hilton"](
        N=N,
        E=E,
        beta=beta,
        k_N=N_c ** (-alpha_N / beta),
        k_E=E_c ** (-alpha_E / beta),
        a_N=alpha_N / beta,
        a_E=alpha_E / beta,
    )
    assert ours == pytest.approx(expected, rel=1e-12)


def test_reward_peaks_where_the_closed_forms_say():
    """``d (alpha - beta d)`` at ``alpha / 2 beta``, ``d (alpha - beta log d)`` at ``exp(alpha / beta - 1)``."""
    d = np.linspace(0.01, 20, 200_000)
    for name, peak in (("best_of_n", 1.0 / 0.4), ("policy_optimisation", np.exp(1.0 / 0.5 - 1))):
        beta = 0.2 if name == "best_of_n" else 0.5
        assert d[np.argmax(LAWS[name](d=d, alpha=1.0, beta=beta))] == pytest.approx(peak, abs=1e-3)


def test_vocabulary_product_by_hand():
    """A hundred-fold model, a tenth of the loss above the limit per factor 100 of size at exponent .5."""
    values = {"E": 5.0, "A": 20.0, "alpha": 0.5, "beta": 0.25, "gamma": -0.1}
    law = LAWS["vocabulary_product"]
    assert law(N=100.0, V=1e10, H=1e4, **values) == pytest.approx(-5.0 + 20.0 / 10 / 10 * 10, rel=1e-12)
