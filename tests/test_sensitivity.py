"""What the prior decides: closed forms of a normal model, and where power-scaling is loud."""

import numpy as np
import pandas as pd
import pytest

import bayescale as bs
from bayescale.answers.check import check_fit, check_sentences
from bayescale.answers.sensitivity import sensitivity_sentences, sensitivity_table

pytestmark = pytest.mark.filterwarnings("ignore:There are only:bayescale.BayescaleWarning")

SIGMA = 0.05


def line_posterior(slope_prior=(0.0, 0.5), x=(1e6, 1e7, 1e8, 1e9), slope=0.1, draws=4000):
    """A power law is a line on logs: with the noise known, its posterior is normal and known exactly."""
    x = np.array(x)
    u = np.log(x) - np.log(x).mean()
    runs = pd.DataFrame({"N": x, "L": np.exp(1.0 - slope * u)})
    mu, sd = slope_prior
    priors = {"alpha": f"Normal({mu}, {sd})", "k_ref": "LogNormal(1.0, 2.0)"}
    model = bs.Model("power:N", runs, noise="normal", priors=priors)
    precision = u @ u / SIGMA**2 + 1 / sd**2
    mean = (slope * (u @ u) / SIGMA**2 + mu / sd**2) / precision
    rng = np.random.default_rng(3)
    shape = (4, draws // 4)
    values = {
        "alpha": mean + rng.standard_normal(shape) / np.sqrt(precision),
        "k_ref": np.exp(1.0 + rng.standard_normal(shape) / np.sqrt(len(x) / SIGMA**2 + 1 / 4)),
        "sigma": np.full(shape, SIGMA),
    }
    stat = {"diverging": np.zeros(shape)}
    like = bs.sample_prior(model, 2)
    return type(like).from_draws(model, values, stat, like.diagnostics, {}), 1 - 1 / (np.sqrt(precision) * sd)


def test_contraction_of_a_normal_model_is_its_closed_form():
    posterior, expected = line_posterior(slope_prior=(0.0, 0.01))
    found = bs.sensitivity(posterior)
    value = float(found["contraction"].sel(parameter="alpha"))
    assert value == pytest.approx(expected, abs=4 * (1 - expected) / np.sqrt(2 * 4000))
    level = 1 - 1 / np.sqrt(4 / SIGMA**2 * 4 + 1)
    assert float(found["contraction"].sel(parameter="k_ref")) == pytest.approx(level, abs=0.003)
    assert float(found["contraction"].sel(parameter="sigma")) == pytest.approx(1)
    assert np.isnan(found["prior"].sel(parameter="sigma"))  # a constant has no sensitivity


def test_a_wide_prior_is_not_sensitive():
    found = bs.sensitivity(line_posterior()[0])
    assert float(found["prior"].sel(parameter="alpha")) < 0.05 < float(found["likelihood"].sel(parameter="alpha"))
    assert sensitivity_sentences(found) == ["No parameter is mostly prior, and none is sensitive to it."]


def test_a_prior_against_the_runs_is_told():
    posterior, contraction = line_posterior(slope_prior=(0.4, 0.02), slope=0.1)
    assert contraction > 0.3
    found = bs.sensitivity(posterior)
    assert sensitivity_table(found).loc["alpha", "verdict"] == "pulled by both"
    (line,) = sensitivity_sentences(found)
    assert line.startswith("Prior and runs both move alpha")


def test_runs_that_say_nothing_leave_the_prior():
    posterior, contraction = line_posterior(slope_prior=(0.1, 0.01), x=(1e6, 1.5e6))
    assert contraction < 0.1
    found = bs.sensitivity(posterior)
    table = sensitivity_table(found)
    assert table.loc["alpha", "verdict"] == "mostly prior"
    assert table.loc["alpha", "prior"] > 0.05 > table.loc["alpha", "likelihood"]
    (line,) = sensitivity_sentences(found)
    assert line.startswith("Mostly prior, not runs: alpha (")
    assert "bayescale design POST.NC --about alpha --budget" in line
    assert line in check_sentences(check_fit(posterior))  # said once, in the same words


def test_a_noise_that_is_prior_asks_for_no_run(certain, grid_runs):
    model = bs.Model("chinchilla", grid_runs)
    prior = bs.sample_prior(model, 1000)
    values = {p.symbol: prior.dataset[p.symbol].to_numpy() for p in model.params}
    values |= {s: np.full((1, 1000), v) for s, v in {"E": 1.69, "A_ref": 0.78, "B_ref": 0.65, "alpha": 0.34}.items()}
    values |= {"beta": np.full((1, 1000), 0.28), "sigma": np.full((1, 1000), 0.01)}
    posterior = type(prior).from_draws(model, values, {"diverging": np.zeros((1, 1000))}, prior.diagnostics, {})
    (line,) = [line for line in check_sentences(check_fit(posterior)) if "prior" in line]
    assert "nu (" in line
    assert "design" not in line


def test_groups_are_named_and_those_without_a_floor_left_out():
    runs = bs.load_runs("tiny_sweep")
    model = bs.Model("saturating:D", runs, pool="modality", zero={"L_inf": ["text"]})
    posterior = bs.sample_prior(model, 300)
    found = bs.sensitivity(posterior)
    names = list(found["parameter"].to_numpy())
    assert "alpha[text]" in names
    assert "L_inf[text]" not in names
    assert "L_inf[code]" in names
    # Draws of the prior have learnt nothing.
    assert float(abs(found["contraction"]).max()) < 0.3


def test_draws_that_are_all_alike(exact_posterior):
    """Nothing moves, nothing warns."""
    found = bs.sensitivity(exact_posterior)
    assert found["contraction"].to_numpy() == pytest.approx(np.ones(6))
    assert np.isnan(found["prior"]).all()
