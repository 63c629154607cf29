"""Parameters compared between groups: probabilities, differences and ratios against the draws they come from."""

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from arviz_base import rc_context
from scipy import stats

import bayescale as bs
from bayescale.answers.contrast import contrast_sentences, contrast_table
from bayescale.answers.mixture import Stack
from bayescale.errors import BayescaleWarning, InputError

GROUPS = ("code", "image", "math", "music", "speech", "text")
SHAPE = (4, 2500)


@pytest.fixture(scope="module")
def scattered(grouped_posterior):
    """Log alpha of code is Normal(log .30, .10), that of text Normal(log .40, .05), with correlation .5."""
    rng = np.random.default_rng(1)
    values = {name: np.array(x) for name, x in grouped_posterior.dataset.items() if name not in ("A", "B")}
    values = {n: np.broadcast_to(x[:1, :1], (*SHAPE, *x.shape[2:])).copy() for n, x in values.items()}
    z = rng.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], size=SHAPE)
    values["alpha"][..., 0] = 0.30 * np.exp(0.10 * z[..., 0])
    values["alpha"][..., 5] = 0.40 * np.exp(0.05 * z[..., 1])
    stat = {"diverging": np.zeros(SHAPE)}
    return type(grouped_posterior).from_draws(
        grouped_posterior.model, values, stat, grouped_posterior.diagnostics, {"seed": 1}
    )


def test_probability_difference_and_ratio(scattered):
    answer = bs.contrast(scattered, "alpha", "text", "code")
    log_ratio = np.log(answer["ratio"].to_numpy())
    mean, sd = np.log(4 / 3), np.sqrt(0.1**2 + 0.05**2 - 0.1 * 0.05)
    assert log_ratio.mean() == pytest.approx(mean, abs=4 * sd / 100)
    assert log_ratio.std() == pytest.approx(sd, rel=0.04)
    with rc_context({"stats.ci_kind": "eti", "stats.ci_prob": 0.8}):
        (row,) = contrast_table(answer).to_dict("records")
    p = stats.norm.cdf(mean / sd)
    assert row["probability"] == pytest.approx(p, abs=0.002)
    assert row["ratio upper"] == pytest.approx(4 / 3 * np.exp(sd * stats.norm.ppf(0.9)), rel=0.01)
    assert row["difference median"] == pytest.approx(0.1, abs=0.003)
    assert answer["difference"].attrs["units"] == "1"


def test_the_other_way_round(scattered):
    there, back = (bs.contrast(scattered, "alpha", *pair) for pair in (("code", "text"), ("text", "code")))
    xr.testing.assert_allclose(there["difference"], -back["difference"])
    xr.testing.assert_allclose(there["ratio"], 1 / back["ratio"])


def test_one_group_against_each_other(scattered):
    answer = bs.contrast(scattered, "alpha", "code")
    assert answer["difference"].sizes == {"chain": 4, "draw": 2500, "modality": 5}
    table = contrast_table(answer).set_index("second group")
    assert list(table.index) == list(GROUPS[1:])
    assert table.loc["math", "second"] == pytest.approx(0.34)
    pair = contrast_table(bs.contrast(scattered, "alpha", "code", "text"))
    assert table.loc["text", "probability"] == pair["probability"].item()


def test_a_papers_constant_and_the_noise(scattered):
    params = scattered.params("code")
    A = params["A_ref"] * scattered.model.reference["N"] ** params["alpha"]
    xr.testing.assert_allclose(bs.contrast(scattered, "A", "code", "text")["first"], A.reset_coords(drop=True))
    sigma = contrast_table(bs.contrast(scattered, "sigma", "code", "text"))
    assert sigma["difference median"].item() == pytest.approx(-0.010)


def test_an_unseen_group(scattered):
    answer = bs.contrast(scattered, "alpha", "new", "text", seed=2)
    # Its log is Normal about the mean .35 with the spread .15.
    spread = np.hypot(0.15, 0.05)
    p = stats.norm.cdf(np.log(0.35 / 0.40) / spread)
    assert float((answer["difference"] > 0).mean()) == pytest.approx(p, abs=0.015)
    xr.testing.assert_identical(answer, bs.contrast(scattered, "alpha", "new", "text", seed=2))


def test_a_parameter_that_may_be_negative_has_no_ratio(grid_runs):
    runs = [grid_runs.assign(field=field) for field in ("a", "b")]
    model = bs.Model("power:N", pd.concat(runs, ignore_index=True), pool="field")
    answer = bs.contrast(bs.sample_prior(model, 100), "alpha", "a", "b")
    assert "ratio" not in answer
    assert "ratio" not in contrast_sentences(answer)[0]


def test_stacks_mix_what_their_laws_say(scattered, certain):
    other = bs.sample_prior(bs.Model("kaplan", scattered.model.runs, pool="modality"), 400)
    draws = xr.DataArray(np.full((10, 2), 0.5), {"law": ["kaplan", "chinchilla"]}, ("sample", "law"))
    stack = Stack({"kaplan": other, "chinchilla": scattered}, {"kaplan": 0.4, "chinchilla": 0.6}, draws, "loo")
    with pytest.warns(BayescaleWarning, match=r"Left out of this answer is kaplan.*no parameter 'alpha'"):
        mixed = bs.contrast(stack, "alpha", "code", "text")
    assert mixed.attrs["laws"] == ["chinchilla"]
    both = bs.contrast(stack, "sigma", "code", "text")
    assert both.attrs["laws"] == ["kaplan", "chinchilla"]
    # Six of ten draws are of the law whose groups differ by exactly .010.
    assert float(np.isclose(both["difference"], -0.010).mean()) == pytest.approx(0.6)


@pytest.mark.parametrize(
    ("question", "words"),
    [
        (("gamma", "code", "text"), "no parameter 'gamma'; it has E, A_ref"),
        (("alpha", "codes", "text"), "no group 'codes' of modality"),
        (("alpha", "code", "code"), "'code' was given twice"),
        (("nu", "code", "text"), "one value for all groups"),
    ],
)
def test_questions_that_cannot_be_asked(grouped_posterior, question, words):
    with pytest.raises(InputError, match=words):
        bs.contrast(grouped_posterior, *question)


def test_a_fit_without_groups_or_with_a_zero(exact_posterior):
    with pytest.raises(InputError, match="without groups"):
        bs.contrast(exact_posterior, "alpha", "code", "text")
    model = bs.Model("saturating:D", bs.load_runs("tiny_sweep"), pool="modality", zero={"L_inf": ["text"]})
    posterior = bs.sample_prior(model, 50)
    with pytest.raises(InputError, match="L_inf is zero in text"):
        bs.contrast(posterior, "L_inf", "code", "text")
    assert "text" not in bs.contrast(posterior, "L_inf", "code")["modality"]


def test_sentences_and_the_command_line(scattered, tmp_path, monkeypatch):
    from typer.testing import CliRunner

    from bayescale.cli import app

    (line,) = contrast_sentences(bs.contrast(scattered, "alpha", "code", "text"))
    assert line.startswith("P(alpha of code > alpha of text) = 0.00")
    assert "smaller in code than in text. 0.3" in line
    monkeypatch.chdir(tmp_path)
    scattered.save("post.nc")
    result = CliRunner().invoke(app, ["contrast", "post.nc", "alpha", "code", "text"])
    assert result.output == line + "\n"
    rows = json.loads(CliRunner().invoke(app, ["contrast", "post.nc", "alpha", "code", "--json"]).output)["contrast"]
    assert [row["second group"] for row in rows] == list(GROUPS[1:])
