"""Breaks of broken power laws: shares of draws, and what the prior says where the runs are silent."""

import numpy as np
import pandas as pd
import pytest

import bayescale as bs
from bayescale.answers.breaks import breaks_sentences, breaks_table
from bayescale.errors import InputError


@pytest.fixture(scope="module")
def model():
    D = np.logspace(6, 9, 12)
    return bs.Model("broken_1:D", pd.DataFrame({"D": D, "L": 1 + (1e6 / D) ** 0.3}))


@pytest.fixture(scope="module")
def known(certain, model):
    """A break at ten times the reference, which lies inside the runs."""
    values = {"a": 0.5, "k_ref": 1.0, "c_0": 0.2, "d_1_ref": 10.0, "c_1": 0.3, "f_1": 0.1, "sigma": 0.01, "nu": 5.0}
    return certain(model, values, (4, 2000))


def test_a_known_break_lies_where_it_is(known):
    answer = bs.breaks(known)
    at = 10 * known.model.reference["x"]
    assert np.unique(answer["place"]) == pytest.approx(at, rel=1e-12)
    assert np.unique(answer["change"]) == pytest.approx(0.3)
    first, following = breaks_table(answer).to_dict("records")
    assert first["P(inside)"] == 1
    assert first["contraction"] == pytest.approx(1.0)
    assert following["P(assumed)"] == 1
    assert any("the prior has it" in line for line in breaks_sentences(answer))


def test_the_next_break_follows_the_prior_of_a_gap_given_the_runs(known):
    """LogNormal(log 0.8, 0.8) times the spread of log D, beyond the largest run: shares by SciPy's truncated tail."""
    from scipy.stats import lognorm

    model = known.model
    gap = lognorm(s=0.8, scale=0.8 * model.spans["x"])
    last, largest = 10 * model.reference["x"], 1e9
    for before in (2e9, 1e10, 1e12):
        answer = bs.breaks(known, before=before)
        expected = 1 - gap.sf(np.log(before / last)) / gap.sf(np.log(largest / last))
        found = breaks_table(answer)["P(before)"].iloc[-1]
        assert found == pytest.approx(expected, abs=4 * np.sqrt(0.25 / 8000))
    assert (answer["next"] > largest).all()


def test_a_break_beyond_the_runs_is_the_next_one(certain, model, known):
    values = {p.symbol: float(known.dataset[p.symbol][0, 0]) for p in model.params} | {"d_1_ref": 1e3}
    answer = bs.breaks(certain(model, values), before="1T")
    at = 1e3 * model.reference["x"]
    assert np.unique(answer["next"]) == pytest.approx(at, rel=1e-12)
    assert not answer["assumed"].any()
    following = breaks_table(answer).iloc[-1]
    assert (following["P(before)"], following["P(assumed)"]) == (1.0, 0.0)


def test_where_the_runs_are_silent_the_prior_is_named(model):
    prior = bs.sample_prior(model, draws=2000, seed=5)
    answer = bs.breaks(prior)
    first = breaks_table(answer).iloc[0]
    assert first["P(inside)"] == pytest.approx(first["P(inside) before"], abs=0.05)
    assert abs(first["contraction"]) < 0.15
    assert any("MOSTLY PRIOR" in line for line in breaks_sentences(answer))


def test_groups(model):
    table = pd.concat([model.runs.assign(field=f) for f in ("a", "b")], ignore_index=True)
    prior = bs.sample_prior(bs.Model("broken_2:D", table, pool="field"), draws=50)
    answer = bs.breaks(prior)
    assert dict(answer["place"].sizes) == {"chain": 1, "draw": 50, "break": 2, "field": 2}
    assert (answer["place"].sel({"break": 1}) < answer["place"].sel({"break": 2})).all()
    assert len(breaks_table(answer)) == 6
    for group in ("a", "new"):
        assert np.isfinite(breaks_table(bs.breaks(prior, group=group))["place median"].to_numpy(dtype=float)).all()


def test_a_law_without_breaks_is_refused(exact_posterior, known):
    with pytest.raises(InputError, match="has no breaks; fit broken_1"):
        bs.breaks(exact_posterior)
    with pytest.raises(InputError, match="before is one number"):
        bs.breaks(known, before=[1e9, 1e10])
