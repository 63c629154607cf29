"""Joint 95 % regions: published values inside or outside."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

import bayescale as bs
from bayescale.answers.agreement import agreement
from bayescale.posterior import Posterior


def cloud(shift, draws=20_000):
    """Normal draws in the law's coordinates about Besiroglu's values.

    In the first coordinate they lie ``shift`` standard deviations away.
    """
    runs = bs.load_runs("tiny_sweep")
    model = bs.Model("chinchilla", runs[runs["modality"] == "text"].drop(columns="modality"))
    law = model.law
    assert law.coordinates is not None
    point = law.from_paper(law.find("besiroglu2024").values, model.reference)
    centre = np.array(law.coordinates.forward({s: np.log(v) for s, v in point.items()}))
    x = centre[:, None, None] + 0.1 * np.random.default_rng(0).standard_normal((5, 2, draws // 2))
    x[0] += 0.1 * shift
    values = {s: np.exp(u) for s, u in law.coordinates.backward(x).items()}
    ones = np.ones((2, draws // 2))
    stats = {k: np.zeros((2, draws // 2)) for k in ("diverging", "energy", "n_steps")}
    values |= {"sigma": 0.01 * ones, "nu": 5 * ones}
    return Posterior.from_draws(model, values, stats, bs.sample_prior(model, 2).diagnostics, {})


@pytest.mark.parametrize("shift", [0.0, 1.0, 3.0, 3.6, 6.0])
def test_distance_is_in_standard_deviations_and_the_limit_is_chi_squared(shift):
    found = agreement(cloud(shift), "besiroglu2024")
    assert found.distance == pytest.approx(shift, abs=0.1)
    assert found.limit == pytest.approx(np.sqrt(chi2.ppf(0.95, 5)))
    assert found.inside == (shift < 3.3)
    assert ("inside" in str(found)) == found.inside


def test_unknown_key_is_refused():
    with pytest.raises(bs.InputError, match="besiroglu2024"):
        agreement(cloud(0.0, draws=100), "nobody")
    with pytest.raises(bs.InputError, match="published must be a str"):
        agreement(cloud(0.0, draws=100), pd.DataFrame())  # pyright: ignore[reportArgumentType]


def test_values_for_another_input_are_refused():
    runs = bs.load_runs("tiny_sweep")
    model = bs.Model("saturating:C", runs[runs["modality"] == "math"].drop(columns="modality"))
    with pytest.raises(bs.InputError, match="are for N"):
        agreement(bs.sample_prior(model, 50), "henighan2020_math_N")
