"""What anyone would do without a posterior: the last value, a line in logs, a law by least squares."""

import warnings
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr

from bayescale.log_prior import prior_sd
from bayescale.model import Model
from bayescale.streams import stream

STARTS = 12
FAR = 1e3
LAST, LINE, LEAST_SQUARES = "last value", "log-log line", "least squares"


class Predicted(NamedTuple):
    """Forecasts of runs: draws, dims (chain, draw, run); log density of each; whether there is a spread at all."""

    draws: xr.DataArray
    log_density: np.ndarray
    spread: bool = True


def last_value(model: Model, runs: pd.DataFrame, shape: tuple[int, int]) -> Predicted:
    """The mean response of the costliest runs fitted, of the same group."""
    cost, values = model.cost(), np.empty(len(runs))
    for fitted, asked in _parts(model, runs):
        top = cost[fitted] >= cost[fitted].max() * (1 - 1e-9)
        values[asked] = model.response[fitted][top].mean()
    return _point(values, shape)


def log_log_line(model: Model, runs: pd.DataFrame, shape: tuple[int, int], seed: int = 0) -> Predicted:
    """Bayesian linear regression of the log response on the logs of the inputs, for each group by itself.

    With a flat prior on coefficients and log scale the forecast is Student-t, ``b'x`` with squared scale
    ``s**2 (1 + x' (X'X)^-1 x)`` and ``n - p`` degrees of freedom (Gelman et al., Bayesian Data Analysis, section
    14.2), the same as the prediction interval of least squares. Inputs that do not vary are left out; where a group has
    too few runs for all inputs, the line is in the log of the cost. A response that may be negative, or is a share, is
    taken as it is. NaN for a group with fewer than three runs.
    """
    from scipy import stats

    on_log = model.noise.on_log
    y = np.log(model.response) if on_log else model.response
    measured = runs[model.law.output.symbol].to_numpy(dtype=float)
    centre, scale, freedom = (np.full(len(runs), np.nan) for _ in range(3))
    for fitted, asked in _parts(model, runs):
        for before, after in (_logs(model), _logs(model, runs)), (_log_cost(model), _log_cost(model, runs)):
            if (found := _regress(before[fitted], y[fitted], after[asked])) is not None:
                centre[asked], scale[asked], freedom[asked] = found
                break
    known = np.isfinite(centre)
    standard = stream(LINE, seed).standard_t(np.where(known, freedom, 1.0), (*shape, len(runs)))
    with np.errstate(over="ignore"):
        drawn = centre + scale * standard
        drawn = np.exp(drawn) if on_log else drawn
    density = stats.t.logpdf(np.log(measured) if on_log else measured, freedom, centre, scale)
    return Predicted(_draws(drawn), density - np.log(measured) if on_log else density)


def least_squares_law(model: Model, runs: pd.DataFrame, shape: tuple[int, int], seed: int = 0) -> Predicted:
    """Fit the law by least squares on the scale of the noise, for each group by itself, from several starts.

    A point forecast, without priors: what a deterministic fit gives. NaN for a group with fewer runs than parameters.
    """
    values = np.full(len(runs), np.nan)
    rng = stream(LEAST_SQUARES, seed)
    asked_inputs = model.relative(model.inputs(runs))
    fitted_inputs = model.relative(model.inputs())
    for fitted, asked in _parts(model, runs):
        if fitted.size >= len(model.law.params):
            params = _fit(model, {s: x[fitted] for s, x in fitted_inputs.items()}, model.response[fitted], rng)
            values[asked] = model.law.evaluate(params, {s: x[asked] for s, x in asked_inputs.items()})
    return _point(values, shape)


def _fit(model: Model, relative: Mapping[str, np.ndarray], response: np.ndarray, rng) -> dict[str, Any]:
    """Parameters of least squares; the best of several starts, drawn about the prior's middle."""
    from scipy import optimize

    law = model.law.params
    middle = np.array([float(p.support.unconstrain(float(model.priors[p.symbol].quantile(0.5)))) for p in law])
    sds = np.array([prior_sd(model, p) for p in law])

    def params(z):
        return {p.symbol: p.support.constrain(u) for p, u in zip(law, middle + sds * z, strict=True)}

    def misfits(z):
        away = model.noise.deviation(response, model.law.evaluate(params(z), relative))
        return np.nan_to_num(np.clip(away, -FAR, FAR), nan=FAR)

    starts = np.vstack([np.zeros(len(law)), rng.standard_normal((STARTS - 1, len(law)))])
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        fits = [optimize.least_squares(misfits, z, max_nfev=1000) for z in starts]
    return params(min(fits, key=lambda fit: fit.cost).x)


def _regress(x: np.ndarray, y: np.ndarray, x_new: np.ndarray) -> tuple[np.ndarray, np.ndarray, int] | None:
    """Centre, scale and degrees of freedom of the line's forecast; None where the runs do not determine a line."""
    varying = np.ptp(x, axis=0) > 0
    X = np.column_stack([np.ones(len(x)), x[:, varying]])
    freedom = len(X) - X.shape[1]
    if freedom < 1 or np.linalg.matrix_rank(X) < X.shape[1]:
        return None
    X_new = np.column_stack([np.ones(len(x_new)), x_new[:, varying]])
    b, *_ = np.linalg.lstsq(X, y, rcond=None)
    lever = np.einsum("ij,jk,ik->i", X_new, np.linalg.inv(X.T @ X), X_new)
    scale = np.sqrt(np.sum((y - X @ b) ** 2) / freedom)
    return X_new @ b, np.maximum(scale * np.sqrt(1 + lever), np.finfo(float).tiny), freedom


def _logs(model: Model, runs: pd.DataFrame | None = None) -> np.ndarray:
    """Logs of the inputs, relative to the reference, shape (run, input); without what the formula takes as known."""
    relative = model.relative(model.inputs(runs))
    return np.column_stack([i.log(relative[i.symbol]) for i in model.law.inputs if not i.known])


def _log_cost(model: Model, runs: pd.DataFrame | None = None) -> np.ndarray:
    return np.log(model.cost(runs) / model.cost().max())[:, None]


def _parts(model: Model, runs: pd.DataFrame) -> list[tuple[np.ndarray, np.ndarray]]:
    """Positions of the fitted runs and of those asked for, group by group."""
    if not model.group:
        return [(np.arange(len(model.runs)), np.arange(len(runs)))]
    labels = runs[model.group].to_numpy(dtype=str)
    parts = [(np.flatnonzero(model.group_index == g), np.flatnonzero(labels == n)) for g, n in enumerate(model.groups)]
    return [part for part in parts if part[1].size]


def _point(values: np.ndarray, shape: tuple[int, int]) -> Predicted:
    return Predicted(_draws(np.broadcast_to(values, (*shape, values.size))), np.full(values.size, np.nan), spread=False)


def _draws(values: np.ndarray) -> xr.DataArray:
    return xr.DataArray(values, dims=("chain", "draw", "run"))
