"""Weighed points stand for a posterior, or are refused: against densities whose answers are known."""

import numpy as np
import pytest
from scipy.stats import gamma, norm

import bayescale as bs
from bayescale import importance, inference, modes
from bayescale.diagnostics import diagnose_weights
from bayescale.importance import RefusedError, Weighted, weigh

COVARIANCE = np.array([[4.0, 1.2, 0.0], [1.2, 1.0, 0.3], [0.0, 0.3, 0.25]])
CENTRE = np.array([3.0, -1.0, 0.5])


def normal(x):
    slope = -np.linalg.solve(COVARIANCE, x - CENTRE)
    return 0.5 * slope @ (x - CENTRE), slope


def student(df):
    def logp(x):
        return -0.5 * (df + x.size) * np.log1p(x @ x / df), -(df + x.size) * x / (df + x @ x)

    return logp


def two_modes(x):
    parts = norm.logpdf(x[0], [-4, 4])
    share = np.exp(parts - np.logaddexp(*parts))
    return float(np.logaddexp(*parts)), np.array([-share @ (x[0] - np.array([-4, 4]))])


def without_a_flat_top(x):
    return -float(abs(x).sum()), -np.sign(x)


def needle(x):
    slope = -np.array([1.0, 1e14]) * x
    return 0.5 * slope @ x, slope


def starts(size, seed=0):
    return list(np.random.default_rng(seed).normal(0, 5, (2, size)))


# -- Points and their weights


def test_a_normal_density_is_found_again():
    found = weigh(normal, starts(3), np.random.default_rng(1))
    x = found.resample(20_000, np.random.default_rng(2))
    # Five standard errors of the mean and of the covariance, from the number of effective points.
    error = 5 / np.sqrt(found.effective)
    assert found.pareto_k < 0.5
    assert np.all(abs(x.mean(0) - CENTRE) < error * np.sqrt(np.diag(COVARIANCE)))
    scale = np.sqrt(np.outer(np.diag(COVARIANCE), np.diag(COVARIANCE)))
    assert np.all(abs(np.cov(x.T) - COVARIANCE) < np.sqrt(2) * error * scale)


def test_one_dimension_will_do():
    found = weigh(lambda x: (-0.5 * float(x @ x), -x), starts(1), np.random.default_rng(1))
    assert found.points.shape == (1000 * found.rounds, 1)
    assert found.weights @ found.points[:, 0] ** 2 == pytest.approx(1, abs=0.15)


def test_skewed_density_has_the_quantiles_of_its_own():
    # The log of a Gamma(2) variable: its quantiles are known, its mode and curvature alone would give others.
    def log_gamma(x):
        return float(2 * x[0] - np.exp(x[0])), 2 - np.exp(x)

    found = weigh(log_gamma, [np.zeros(1), np.ones(1)], np.random.default_rng(5))
    x = np.exp(found.resample(20_000, np.random.default_rng(6)))[:, 0]
    for level in (0.05, 0.5, 0.95):
        assert gamma(2).cdf(np.quantile(x, level)) == pytest.approx(level, abs=4 * np.sqrt(level * (1 - level) / 1500))


@pytest.mark.parametrize(
    ("logp", "size", "words"),
    [
        # Proposals with the tails of t(5) for a target with those of t(0.3): k = (5 - 0.3) / 5 = 0.94.
        (student(0.3), 2, "Pareto k-hat"),
        (two_modes, 1, "2 modes were found"),
        (without_a_flat_top, 2, "Pareto k-hat|short of it"),
        (lambda x: (np.nan, x), 2, "no mode was found"),
        (needle, 2, "many orders narrower"),
    ],
    ids=["heavy tails", "two modes", "a kink", "not a number", "a needle"],
)
def test_what_cannot_be_relied_on_is_refused(logp, size, words):
    with pytest.raises(RefusedError, match=words):
        weigh(logp, [np.full(size, -3.0), np.full(size, 3.1)], np.random.default_rng(3))


def test_a_climb_that_ends_short_of_the_mode_is_refused(monkeypatch):
    monkeypatch.setattr(modes, "MAX_ITERATIONS", 1)
    with pytest.raises(RefusedError, match="standard deviations short of it"):
        weigh(normal, starts(3)[:1], np.random.default_rng(1))


def test_heavy_tails_within_reach_are_weighed():
    found = weigh(student(8), starts(2), np.random.default_rng(4))
    x = found.resample(20_000, np.random.default_rng(5))
    inside = np.mean(np.sum(x**2, axis=1) < 4)
    truth = 1 - (1 + 4 / 8) ** (-8 / 2)  # of a bivariate t: P(r^2 < s) = 1 - (1 + s / df)^(-df / 2)
    assert inside == pytest.approx(truth, abs=4 * np.sqrt(truth * (1 - truth) / found.effective))


def test_resampling_keeps_shares():
    weighted = Weighted(np.arange(3.0)[:, None], np.array([0.5, 0.25, 0.25]), 0.0, 1)
    drawn = weighted.resample(1000, np.random.default_rng(0))[:, 0]
    assert [int(np.sum(drawn == k)) for k in range(3)] == [500, 250, 250]
    assert np.any(np.diff(drawn) < 0)  # not in the order of the points


# -- How many draws they are worth


def test_equal_weights_are_worth_as_many_draws():
    x = np.random.default_rng(0).standard_normal((4000, 2))
    verdict = diagnose_weights({"a": x}, np.full(4000, 1 / 4000), 0.1)
    assert verdict.ess_bulk == pytest.approx(4000, rel=0.01)
    assert verdict.ess_tail == pytest.approx(4000, rel=0.01)
    assert verdict.converged
    assert str(verdict).startswith("converged (importance sampling, Pareto k-hat 0.10, ESS bulk")
    assert "R-hat" not in str(verdict)


def test_points_of_no_weight_are_worth_nothing():
    weights = np.repeat([1.0, 0.0], 2000) / 2000
    x = np.random.default_rng(0).standard_normal(4000)
    assert diagnose_weights({"a": x}, weights, 0.1).ess_bulk == pytest.approx(2000, rel=0.01)


def test_the_value_that_suffers_is_named():
    rng = np.random.default_rng(0)
    calm, wild = rng.standard_normal(4000), rng.standard_normal(4000)
    weights = np.where(wild > 1.6, 20.0, 1.0)  # a few heavy points, all in the tail of one of them
    verdict = diagnose_weights({"calm": calm, "wild": wild}, weights / weights.sum(), 0.9)
    assert verdict.ess_of == "wild"
    assert not verdict.converged
    assert any("Pareto k-hat 0.90" in problem and "method='nuts'" in problem for problem in verdict.problems)


# -- Fits


@pytest.fixture(scope="module")
def model(grid_runs):
    noisy = grid_runs.assign(L=grid_runs["L"] * np.exp(0.01 * np.random.default_rng(3).standard_normal(len(grid_runs))))
    return bs.Model("chinchilla", noisy, noise="normal")


def test_a_fast_fit_agrees_with_a_chain(model, tmp_path):
    fast, chain = (bs.fit(model, seed=1, method=method) for method in ("fast", "nuts"))
    assert fast.diagnostics.pareto_k < 0.7
    assert fast.dataset.sizes["chain"] * fast.dataset.sizes["draw"] == 4000
    fewest = min(fast.diagnostics.ess_bulk, fast.diagnostics.ess_tail)
    for symbol in ("E", "A_ref", "B_ref", "alpha", "beta", "sigma"):
        for level in (0.05, 0.5, 0.95):
            at = float(chain.dataset[symbol].quantile(level))
            below = float((fast.dataset[symbol] < at).mean())
            assert below == pytest.approx(level, abs=4 * np.sqrt(level * (1 - level) * (1 / fewest + 1 / 1500)))
    assert "importance sampling, Pareto k-hat" in str(fast)
    assert "r_hat" not in str(fast)
    assert fast.summary()["r_hat"].isna().all()
    fast.save(tmp_path / "fast.nc")
    again = bs.open_posterior(tmp_path / "fast.nc")
    assert again.diagnostics.pareto_k == fast.diagnostics.pareto_k
    assert again.info["settings"]["method"] == "fast"
    assert bs.fit(model, seed=1, method="fast").dataset.equals(fast.dataset)


def test_what_is_refused_is_left_to_the_chains_and_said(model, monkeypatch):
    monkeypatch.setattr(importance, "GOOD_K", -1.0)
    monkeypatch.setattr(importance, "MAX_PARETO_K", -1.0)
    posterior = bs.fit(model, seed=1, method="fast", draws=300, tune=300)
    assert posterior.diagnostics.pareto_k is None
    assert posterior.diagnostics.rhat < 1.05
    assert "the fast path was refused: Pareto k-hat" in str(posterior)


def test_an_unknown_method_is_named(model):
    with pytest.raises(bs.InputError, match="method must be 'nuts' or 'fast'; 'vi' was given"):
        bs.fit(model, method="vi")


def test_the_command_asks_for_it(model, run_command, monkeypatch, tmp_path):
    asked = []

    def fit(model, **settings):
        asked.append(settings["method"])
        return bs.sample_prior(model, draws=50)

    monkeypatch.setattr(inference, "fit", fit)
    path = tmp_path / "runs.csv"
    model.runs[["N", "D", "L"]].to_csv(path, index=False)
    assert run_command("fit", str(path), "--fast", "--noise", "normal")[0] == 0
    assert run_command("fit", str(path), "--noise", "normal")[0] == 0
    assert asked == ["fast", "nuts"]
