"""Simulated from the prior and fitted again, intervals must hold the truth as often as they say."""

import warnings

import numpy as np
import pytest
from scipy.stats import binom

import bayescale as bs

TABLES = 100
LEVEL = 0.9


@pytest.mark.slow
@pytest.mark.parametrize("law", ["chinchilla", "saturating:C"])
def test_intervals_hold_the_true_parameters(law):
    """Tables drawn from the prior predictive, reference and scales frozen: 90 % intervals cover 90 % of true values."""
    runs = bs.load_runs("tiny_sweep")
    model = bs.Model(law, runs[runs["modality"] == "text"].drop(columns="modality"))
    prior = bs.sample_prior(model, draws=TABLES, seed=20261122)
    responses = prior.replicate(seed=20261122).to_numpy()[0]
    names = [p.symbol for p in model.params]
    inside = np.zeros((TABLES, len(names)), dtype=bool)
    not_converged = 0
    for i in range(TABLES):
        table = model.runs.copy()
        table["L"] = responses[i]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", bs.ConvergenceWarning)  # counted below; none is left out of the coverage
            posterior = bs.fit(model.with_runs(table), seed=i, draws=500, tune=600)
        not_converged += not posterior.converged
        for k, name in enumerate(names):
            low, high = np.quantile(posterior.dataset[name], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
            inside[i, k] = low <= float(prior.dataset[name][0, i]) <= high
    shares = dict(zip(names, inside.mean(0), strict=True))
    # Parameters of one table go together, so that tables, not intervals, are the unit of the standard error.
    error = inside.mean(1).std(ddof=1) / np.sqrt(TABLES)
    print(f"\n{law}: pooled {inside.mean():.3f} +- {error:.3f}, not converged {not_converged},", shares)
    assert abs(inside.mean() - LEVEL) <= 3 * error
    assert error < 0.025
    # Simultaneous over parameters at 99 %: Bonferroni on two-sided binomial bounds.
    tail = 0.01 / (2 * len(names))
    lowest, highest = binom.ppf([tail, 1 - tail], TABLES, LEVEL)
    assert np.all((inside.sum(0) >= lowest) & (inside.sum(0) <= highest)), inside.sum(0)
    assert not_converged <= 5
