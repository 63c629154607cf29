"""Fitting: the posterior is right, reproducible, honest about failure, and compiles once."""

import pickle
import warnings

import numpy as np
import pytest
from scipy import stats

import bayescale as bs
from bayescale import inference, machine_code
from bayescale.diagnostics import Diagnostics
from bayescale.storage import versions


@pytest.fixture(scope="module")
def line():
    """Runs of a power law: with normal noise of fixed scale its posterior is close to a linear regression's."""
    rng = np.random.default_rng(5)
    x = np.geomspace(1e6, 1e9, 30)
    table = bs.read_runs(_frame(D=x, L=3.0 * (x / 3e7) ** -0.1 * np.exp(0.02 * rng.standard_normal(30))))
    return bs.Model("power:D", table, noise="normal")


def _frame(**columns):
    import pandas as pd

    return pd.DataFrame(columns)


@pytest.fixture(scope="module")
def fitted(line):
    return bs.fit(line, seed=3)


def test_posterior_of_a_line_is_the_closed_form_of_linear_regression(line, fitted):
    """Log response is linear in log x: the slope's posterior is Student-t up to a nearly flat prior."""
    u = np.log(line.inputs()["x"] / line.reference["x"])
    y = np.log(line.response)
    design = np.stack([np.ones_like(u), -u], axis=1)
    estimate, residual, *_ = np.linalg.lstsq(design, y, rcond=None)
    freedom = len(y) - 2
    error = np.sqrt(residual[0] / freedom * np.linalg.inv(design.T @ design).diagonal())
    alpha = fitted.dataset["alpha"].to_numpy().ravel()
    k = np.log(fitted.dataset["k_ref"].to_numpy().ravel())
    monte_carlo = 4 / np.sqrt(len(alpha) / 2)  # four standard errors at half the draws' information
    assert abs(alpha.mean() - estimate[1]) < monte_carlo * error[1]
    assert abs(k.mean() - estimate[0]) < monte_carlo * error[0]
    # The prior of sigma is proper, so the spread is the regression's only to a few percent.
    assert alpha.std() == pytest.approx(error[1] * stats.t(freedom).std(), rel=0.08)


def test_same_seed_same_draws_to_the_bit(line, fitted):
    assert bs.fit(line, seed=3).dataset.identical(fitted.dataset)
    assert not bs.fit(line, seed=4).dataset.identical(fitted.dataset)


def test_number_of_threads_does_not_change_the_draws(line, fitted):
    assert bs.fit(line, seed=3, cores=1).dataset.identical(fitted.dataset)


def test_fresh_seed_is_kept_and_repeats_the_fit(line):
    once = bs.fit(line)
    assert bs.fit(line, seed=once.info["seed"]).dataset.identical(once.dataset)
    assert once.info["versions"] == versions()


def test_another_table_of_another_length_compiles_nothing(line, fitted, monkeypatch):
    monkeypatch.setattr(machine_code, "_find", lambda *_: pytest.fail("compiled again"))
    shorter = line.refit_on(line.runs.iloc[:20].reset_index(drop=True))
    other = bs.fit(shorter, seed=3)
    assert len(other.model.runs) == 20
    assert not np.array_equal(other.dataset["alpha"], fitted.dataset["alpha"])
    # The first table's answer is not touched by the second having used the same graph.
    assert bs.fit(line, seed=3).dataset.identical(fitted.dataset)


def test_too_few_draws_are_called_not_converged_and_answers_repeat_it(line, monkeypatch):
    monkeypatch.setattr(inference, "_next_attempt", lambda *_: None)
    with pytest.warns(bs.ConvergenceWarning, match="raise draws"):
        hasty = bs.fit(line, seed=1, draws=60, tune=300)
    assert not hasty.converged
    with pytest.warns(bs.ConvergenceWarning, match="NOT CONVERGED"):
        bs.forecast(hasty, D=1e10)


def test_a_failed_try_is_repeated_and_all_tries_are_kept(line):
    posterior = bs.fit(line, seed=1, draws=100, tune=300)
    assert posterior.converged
    assert len(posterior.info["attempts"]) > 1
    assert posterior.dataset.sizes["draw"] > 100


def test_next_try_depends_on_what_failed():
    first = inference._Attempt("low_rank", 0.8, 1000, 1000)
    short = Diagnostics(1.005, "a", 200, 200, "a", 0, 1.0)
    divergent = Diagnostics(1.005, "a", 900, 900, "a", 7, 1.0)
    more = inference._next_attempt(first, 1, short)
    careful = inference._next_attempt(first, 1, divergent)
    last = inference._next_attempt(first, 2, divergent)
    assert more is not None
    assert (more.target_accept, more.draws) == (0.8, 3000)
    assert careful is not None
    assert careful.target_accept == 0.97
    strict = inference._next_attempt(inference._Attempt("low_rank", 0.99, 1000, 1000), 1, divergent)
    assert strict is not None
    assert strict.target_accept > 0.99
    assert inference._next_seed(1, 1) != inference._next_seed(1, 2)
    assert last is not None
    assert last.adaptation == "diag"
    assert inference._next_attempt(first, 3, divergent) is None


class _Stopped:
    """A sampler that Ctrl-C reaches when the first chains are done and the last has just begun."""

    def __init__(self, real, lengths):
        self.real, self.lengths = real, lengths

    def wait(self):
        self.trace = self.real.wait()
        raise KeyboardInterrupt

    def abort(self):
        for group in ("posterior", "sample_stats"):
            dataset = self.trace[group].to_dataset()
            for chain, length in enumerate(self.lengths):
                dataset["x" if group == "posterior" else "energy"][chain, length:] = np.nan
            self.trace[group] = dataset
        return self.trace


@pytest.mark.parametrize(("lengths", "kept"), [((300, 250, 120, 3), (3, 120)), ((300, 0, 0, 0), (1, 300))])
def test_interrupted_fit_keeps_what_was_drawn_and_says_so(line, monkeypatch, lengths, kept):
    nutpie = inference._nutpie()

    class Interrupted:
        @staticmethod
        def sample(*args, **kwargs):
            return _Stopped(nutpie.sample(*args, **kwargs), lengths)

    monkeypatch.setattr(inference, "_nutpie", lambda: Interrupted)
    with pytest.warns(bs.ConvergenceWarning, match="interrupted"):
        partial = bs.fit(line, seed=1, draws=300, tune=300)
    assert not partial.converged
    assert partial.diagnostics.interrupted
    assert (partial.dataset.sizes["chain"], partial.dataset.sizes["draw"]) == kept
    assert np.isfinite(partial.dataset["alpha"]).all()


def test_interrupt_before_any_draw_raises(line, monkeypatch):
    nutpie = inference._nutpie()

    class Interrupted:
        @staticmethod
        def sample(*args, **kwargs):
            return _Stopped(nutpie.sample(*args, **kwargs), (0, 0, 0, 0))

    monkeypatch.setattr(inference, "_nutpie", lambda: Interrupted)
    with pytest.raises(KeyboardInterrupt):
        bs.fit(line, seed=1, draws=100, tune=100)


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"draws": 1}, "draws"),
        ({"tune": 2.5}, "tune"),
        ({"chains": 1}, "chains"),
        ({"target_accept": 1.0}, "target_accept"),
        ({"seed": -1}, "seed"),
    ],
)
def test_settings_out_of_range_are_refused(line, settings, word):
    with pytest.raises(bs.InputError, match=word):
        bs.fit(line, **settings)


def test_read_only_cache_folder_is_no_obstacle(line, fitted, monkeypatch, tmp_path):
    """The cache is never needed for correctness: with a file where its folder should be, the fit is the same."""
    blocked = tmp_path / "cache"
    blocked.write_text("not a folder")
    monkeypatch.setenv("BAYESCALE_CACHE", str(blocked))
    monkeypatch.setattr(machine_code, "_codes", {})
    assert bs.fit(line, seed=3).dataset.identical(fitted.dataset)


def test_prior_with_bounds_is_respected(line):
    model = bs.Model("power:D", line.runs, noise="normal", priors={"alpha": "Uniform(0.15, 0.4)"})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", bs.ConvergenceWarning)  # the runs say 0.1: the posterior leans on the bound
        alpha = bs.fit(model, seed=1).dataset["alpha"]
    assert float(alpha.min()) >= 0.15
    assert float(alpha.max()) <= 0.4


def test_interrupt_in_a_repeated_try_keeps_the_first(line, monkeypatch):
    real, calls = inference._sample, []

    def second_is_stopped(*args):
        calls.append(args)
        if len(calls) > 1:
            raise KeyboardInterrupt
        return real(*args)

    monkeypatch.setattr(inference, "_sample", second_is_stopped)
    with pytest.warns(bs.ConvergenceWarning):
        kept = bs.fit(line, seed=1, draws=60, tune=300)
    assert kept.dataset.sizes["draw"] == 60
    assert kept.info["attempts"][-1].endswith("interrupted")


def test_a_model_can_be_pickled_for_a_process_pool(line):
    again = pickle.loads(pickle.dumps(line))
    assert again.to_dict() == line.to_dict()
    assert again.runs.equals(line.runs)
