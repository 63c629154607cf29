"""Patterns of residuals: silent where the noise is as believed, loud and with the right remedy where it is not."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import bayescale as bs
from bayescale.answers.check import check_fit, check_sentences
from bayescale.answers.patterns import one_sided, rounding, tails, together
from bayescale.posterior import Posterior

TRUTH = {"E": 1.5, "A_ref": 0.3, "B_ref": 0.4, "alpha": 0.4, "beta": 0.35, "sigma": 0.01}


def grid():
    N, D = (x.ravel() for x in np.meshgrid(np.geomspace(1e6, 1e8, 8), np.geomspace(1e8, 1e10, 8)))
    return pd.DataFrame({"N": N, "D": D, "L": 2.0, "run": np.arange(64) % 8 * 11 % 8})


def exact(model, **extra):
    """All draws at the truth, but for a millionth: importance sampling wants them to differ."""
    rng = np.random.default_rng(0)
    values = {name: v * np.exp(1e-6 * rng.standard_normal((2, 50))) for name, v in {**TRUTH, **extra}.items()}
    stats = {k: np.zeros((2, 50)) for k in ("diverging", "energy", "n_steps")}
    return Posterior.from_draws(model, values, stats, bs.sample_prior(model, 2).diagnostics, {})


def fitted(runs, error, **settings):
    """A fit that knows the law, to runs with these errors of log loss."""
    model = bs.Model("chinchilla", runs, noise="normal", **settings)
    extra = {"omega": 0.02} if "cluster" in settings else {}
    without = exact(model, **extra).at_runs()[0].to_numpy()[0, 0]
    return exact(model.with_runs(model.runs.assign(L=without * np.exp(error))), **extra)


def said(posterior):
    return "\n".join(check_sentences(check_fit(posterior)))


def shared_errors(codes, rng, offset=0.02):
    return offset * rng.standard_normal(codes.max() + 1)[codes] + 0.01 * rng.standard_normal(len(codes))


def test_runs_that_go_together_are_told_with_the_option():
    runs = grid().assign(run=np.random.default_rng(5).permutation(np.repeat(np.arange(8), 8)))
    error = shared_errors(runs["run"].to_numpy(), np.random.default_rng(1))
    sentences = said(fitted(runs, error))
    assert "CLUSTERED: runs of the same column 'run'" in sentences
    assert "--cluster run" in sentences
    assert "CLUSTERED" not in said(fitted(runs, error, cluster="run"))


def test_a_budget_without_a_column_is_found():
    C, ratio = (x.ravel() for x in np.meshgrid(np.geomspace(1e17, 1e19, 6), np.geomspace(2, 200, 8)))
    runs = pd.DataFrame({"N": np.sqrt(C / 6 / ratio), "D": np.sqrt(C * ratio / 6), "L": 2.0})
    error = shared_errors(np.unique(np.round(np.log10(C), 2), return_inverse=True)[1], np.random.default_rng(3))
    assert "the same budget 6ND" in said(fitted(runs, error))


def test_the_test_of_clusters_is_exact():
    """Independent standard normals: p-values times the number of columns tried are uniform but for their cut at one."""
    model = bs.Model("chinchilla", grid().assign(run=np.random.default_rng(5).permutation(np.repeat(np.arange(16), 4))))
    design = np.column_stack([np.ones(64), np.log(model.runs["N"]), np.log(model.runs["D"])])
    rng = np.random.default_rng(0)
    found = [together(model, rng.standard_normal((1, 64)), design) for _ in range(300)]
    assert set(found[0]["column"].to_numpy()) == {"run", "N", "D", "6ND"}
    for column in ("run", "N"):
        p = np.array([float(one.sel(column=column)["shared_p"]) for one in found])
        assert stats.kstest(p[p < 1] / 4, "uniform", args=(0, 0.25)).pvalue > 0.01, column
        assert np.mean(p < 1) == pytest.approx(0.25, abs=0.08)  # three standard errors of 300


def test_the_share_is_the_intraclass_correlation():
    codes = np.repeat(np.arange(400), 5)
    runs = pd.DataFrame({"N": np.geomspace(1e6, 1e9, 2000), "D": 1e9, "L": 2.0, "run": codes})
    with pytest.warns(UserWarning, match="does not vary"):
        model = bs.Model("chinchilla", runs)
    rng = np.random.default_rng(0)
    scores = 0.6 * rng.standard_normal((1, 400))[:, codes] + 0.8 * rng.standard_normal((1, 2000))
    found = together(model, scores, np.ones((2000, 1)))
    # 400 clusters tell a correlation of 0.36 to 0.03 (Donner 1986, Int. Stat. Rev. 54, 67-82, equation 2.3).
    assert float(found["shared"].sel(column="run")) == pytest.approx(0.36, abs=0.09)


def test_a_wrong_law_is_not_taken_for_clusters():
    u, v = np.log(grid()["N"] / 1e7), np.log(grid()["D"] / 1e9)
    error = -0.02 * u * v + 0.01 * np.random.default_rng(2).standard_normal(64)
    sentences = said(fitted(grid(), error))
    assert "MISFIT" in sentences
    assert "CLUSTERED" not in sentences


def test_one_sided_scatter_is_told_whatever_the_side():
    rng = np.random.default_rng(4)
    short = 0.02 * rng.standard_exponential(64) + 0.003 * rng.standard_normal(64)
    assert "noise='frontier'" in said(fitted(grid(), short))
    assert one_sided(short) == pytest.approx(one_sided(-short, higher_is_better=True))
    assert one_sided(-short) < 3
    # An independent fit of both, by SciPy's own optimiser.
    gain = stats.exponnorm.logpdf(short, *stats.exponnorm.fit(short)).sum()
    gain -= stats.t.logpdf(short, *stats.t.fit(short)).sum()
    assert one_sided(short) == pytest.approx(gain, abs=0.1)


def test_neither_normal_nor_heavy_tails_are_one_sided():
    rng = np.random.default_rng(6)
    alarms = {
        "normal": sum(one_sided(rng.standard_normal(40)) > 3 for _ in range(40)),
        "heavy": sum(one_sided(rng.standard_t(2, 40)) > 3 for _ in range(40)),
    }
    assert max(alarms.values()) <= 3, alarms  # 1 % each: four or more of 40 in one case of 1,000


def test_heavy_tails_are_told_where_the_noise_is_normal():
    rng = np.random.default_rng(7)
    sentences = said(fitted(grid(), 0.01 * rng.standard_t(2, 64)))
    assert "OUTLIERS" in sentences
    assert "--noise student" in sentences
    kurtosis, p = tails(rng.standard_normal((1, 5000)))
    assert abs(kurtosis) < 0.25
    assert p > 0.01


def test_rounding_is_told_where_it_counts():
    rng = np.random.default_rng(8)
    posterior = fitted(grid(), 0.002 * rng.standard_normal(64))
    model = posterior.model.with_runs(posterior.model.runs.assign(L=posterior.model.runs["L"].round(2)))
    step, share = rounding(model, 0.002)
    assert step == 0.01
    assert share == pytest.approx((0.01 / np.sqrt(12) / np.median(model.response) / 0.002) ** 2)
    sentences = said(exact(model, sigma=0.002))
    assert "L_se = 0.0029" in sentences
    assert "ROUNDED" not in said(exact(model, sigma=0.02))
    assert "ROUNDED" not in said(posterior)


def test_a_right_model_is_left_in_peace():
    words = ("CLUSTERED", "ONE-SIDED", "OUTLIERS", "ROUNDED")
    rng = np.random.default_rng(9)
    alarms = sum(any(w in said(fitted(grid(), 0.01 * rng.standard_normal(64))) for w in words) for _ in range(4))
    assert alarms <= 1
