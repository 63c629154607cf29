"""Abilities foretold from the lower half of the embedded compute ladder, scored on the upper half.

The law is chosen on an inner split: rungs six and seven, foretold from the first five. Only the chosen one is scored on
the upper half.
"""

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, special, stats

import bayescale as bs

LOWER, INNER = 7, 5  # rungs of compute, of 13
# Where a task turns up, and its plateau, are its own; a step between two rungs does not say how steep it is.
OWN = ("u", "early")
CANDIDATES = ("sigmoid_of_compute:D", "sigmoid_of_compute:C", "sigmoid_from_plateau:D", "sigmoid_from_plateau:C")
CHOSEN = "sigmoid_from_plateau:C"
HALF_WAY = 0.5
LEVEL = 0.9
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def ladder():
    runs = bs.load_runs("tiny_emergence")
    return runs.assign(rung=stats.rankdata(runs["C"], method="dense"))


def fit(law, runs):
    axis = law.split(":")[1]
    own = {p.symbol: "task" for p in bs.LAWS[law.split(":")[0]].params if p.symbol in OWN}
    pool = {"*": "complete", **own}
    return bs.fit(bs.Model(law, runs[["task", axis, "chance", "accuracy", "n_trials"]], pool=pool), seed=1)


def score(posterior, runs):
    """Mean log probability of the counted answers, by task."""
    columns = [*posterior.model.runs.columns]
    log_density = posterior.log_likelihood(runs[columns])
    draws = log_density.sizes["chain"] * log_density.sizes["draw"]
    density = special.logsumexp(log_density.transpose("chain", "draw", ...), axis=(0, 1)) - np.log(draws)
    return pd.Series(density, runs["task"].to_numpy()).groupby(level=0).mean()


class Rival:
    """One task by itself, at its greatest likelihood: a constant, or a logistic function of log compute."""

    def __init__(self, runs, slope):
        self.chance, self.slope = runs["chance"].iloc[0], slope
        starts = [(level, *([steep] if slope else []), 2.0) for level in (-6, -2, 0, 2) for steep in (0.3, 2.0)]
        found = [
            optimize.minimize(self._loss, start, (runs,), "Nelder-Mead", options={"maxiter": 8000}) for start in starts
        ]
        self.best = min(found, key=lambda result: result.fun).x
        self.runs = runs

    def log_density(self, runs, params=None):
        *logit, scatter = self.best if params is None else params
        x = np.log(runs["C"] / 1e10)
        rise = special.expit(logit[0] + (logit[1] * x if self.slope else 0 * x))
        share = np.clip(self.chance + (1 - self.chance) * rise, 1e-9, 1 - 1e-9)
        size = np.exp(min(scatter, 20.0))
        return stats.betabinom.logpmf(runs["n_correct"], runs["n_trials"], share * size, (1 - share) * size)

    def _loss(self, params, runs):
        return -self.log_density(runs, params).sum()

    def crossing(self, rng):
        """Draws of the compute half-way up, from the normal approximation at the best fit."""
        curvature = _curvature(lambda params: self._loss(params, self.runs), self.best)
        spread = np.linalg.pinv(curvature, hermitian=True)
        a, b, _ = rng.multivariate_normal(self.best, spread, 4000, check_valid="ignore").T
        level = special.logit((HALF_WAY - self.chance) / (1 - self.chance))
        return np.where(b > 0, 1e10 * np.exp(np.clip((level - a) / b, -300, 300)), np.inf)


def _curvature(value, at, step=1e-3):
    eye = np.eye(len(at)) * step
    return np.array(
        [
            [
                (value(at + i + j) - value(at + i - j) - value(at - i + j) + value(at - i - j)) / (4 * step**2)
                for j in eye
            ]
            for i in eye
        ]
    )


def measured_crossing(runs):
    """Compute at which the mean accuracy of the whole ladder, made monotone, is half-way up, by task."""

    def cross(task):
        mean = task.groupby("C")["accuracy"].mean()
        share = optimize.isotonic_regression(mean.to_numpy()).x
        return np.exp(np.interp(HALF_WAY, share, np.log(mean.index))) if share[-1] >= HALF_WAY else np.inf

    return runs.groupby("task")[["C", "accuracy"]].apply(cross)


def test_the_law_is_chosen_on_the_lower_half(ladder):
    known, asked = ladder[ladder["rung"] <= INNER], ladder[(ladder["rung"] > INNER) & (ladder["rung"] <= LOWER)]
    scores = pd.DataFrame({law: score(fit(law, known), asked) for law in CANDIDATES})
    print(scores.round(2).to_string(), scores.mean().round(2).to_string(), sep="\n")
    assert scores.mean().idxmax() == CHOSEN


def test_abilities_of_the_upper_half_are_foretold_better_than_by_a_constant_or_each_task_alone(ladder):
    known, asked = ladder[ladder["rung"] <= LOWER], ladder[ladder["rung"] > LOWER]
    posterior = fit(CHOSEN, known)
    scores, ends = {"pooled": score(posterior, asked)}, {}
    tail = (1 - LEVEL) / 2
    draws = bs.threshold(posterior, accuracy=HALF_WAY)["C"]
    ends["pooled"] = {
        task: np.quantile(draws.sel(task=task).to_numpy(), [tail, 1 - tail], method="inverted_cdf")
        for task in draws["task"].values
    }
    rivals = {
        name: {task: Rival(rows, slope) for task, rows in known.groupby("task")}
        for name, slope in {"constant": False, "logistic": True}.items()
    }
    for name, alone in rivals.items():
        scores[name] = pd.Series({t: alone[t].log_density(rows).mean() for t, rows in asked.groupby("task")})
    rng = np.random.default_rng(0)
    ends["logistic"] = {
        task: np.quantile(rival.crossing(rng), [tail, 1 - tail], method="inverted_cdf")
        for task, rival in rivals["logistic"].items()
    }
    scores = pd.DataFrame(scores)
    truth = measured_crossing(ladder)
    held = pd.DataFrame(
        {name: {t: low <= truth[t] <= high for t, (low, high) in e.items()} for name, e in ends.items()}
    )
    intervals = pd.DataFrame(
        {name: {t: f"{low:.2g} to {high:.2g}" for t, (low, high) in e.items()} for name, e in ends.items()}
    )
    print(
        posterior.diagnostics,
        "log score by task",
        scores.round(2).to_string(),
        "mean",
        scores.mean().round(2).to_string(),
        sep="\n",
    )
    shown = intervals.assign(measured=truth.map("{:.2g}".format)).join(held.add_suffix(" holds it"))
    print(shown.to_string())
    counts = held.sum().to_dict()
    print(f"{LEVEL:.0%} intervals that hold the crossing:", counts, "of", len(held))
    assert posterior.converged
    mean = scores.mean().to_dict()
    assert mean["pooled"] > max(mean["constant"], mean["logistic"])
    assert counts["pooled"] > counts["logistic"]
