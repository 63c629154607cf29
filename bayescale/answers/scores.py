"""How good was a forecast, now that the run has been made? Proper scores of predictive draws."""

from typing import Any

import numpy as np
import xarray as xr

LEVELS = (0.5, 0.8, 0.9, 0.95)
DRAWS = ("chain", "draw")


def crps(draws: xr.DataArray, measured: xr.DataArray) -> xr.DataArray:
    """Continuous ranked probability score, in the unit of the draws; lower is better.

    ``E|X - y| - E|X - X'| / 2`` over the draws as an empirical distribution (Gneiting & Raftery 2007, eq. 21). Of a
    point forecast it is the absolute error; infinite where a draw is.

    Parameters
    ----------
    draws : DataArray
        Dims ``chain``, ``draw`` and those of ``measured``.
    measured : DataArray
        What was measured.
    """
    stacked: Any = draws.stack(sample=DRAWS, create_index=False)
    return xr.apply_ufunc(_crps, stacked, measured, input_core_dims=[["sample"], []])


def _crps(draws: np.ndarray, measured: np.ndarray) -> np.ndarray:
    n = draws.shape[-1]
    finite = np.isfinite(draws).all(axis=-1)  # one draw at infinity, and the score of the draws is infinite
    draws = np.where(finite[..., None], draws, 0.0)
    error = np.abs(draws - measured[..., None]).mean(axis=-1)
    # Half the mean difference of all pairs, from the sorted draws: each is larger than those before it.
    rank = (2 * np.arange(1, n + 1) - n - 1) / n**2
    return np.where(finite, error - np.sort(draws, axis=-1) @ rank, np.inf)


def interval_score(low: Any, high: Any, measured: Any, level: float) -> Any:
    """Score a central interval by its width, and ``2 / (1 - level)`` times how far the measured value lies outside.

    In the unit of the response; lower is better (Gneiting & Raftery 2007, eq. 43).
    """
    outside = np.maximum(low - measured, 0) + np.maximum(measured - high, 0)
    return high - low + 2 / (1 - level) * outside


def central(draws: xr.DataArray, level: float) -> tuple[Any, Any]:
    """Ends of the central interval of draws; of draws of infinity, too, without a mean of two of them."""
    low, high = (
        draws.quantile(q, DRAWS, skipna=False, method="inverted_cdf").drop_vars("quantile")
        for q in ((1 - level) / 2, (1 + level) / 2)
    )
    return low, high


def score(answer: xr.Dataset) -> xr.Dataset:
    """Score every forecast of a `backtest`.

    Parameters
    ----------
    answer : Dataset
        From `backtest`.

    Returns
    -------
    Dataset
        Dims ``forecaster`` and ``run``: ``error``, the median minus what was measured, in the response's unit;
        ``crps``, in log units where the noise is on the log; ``log_score``, log predictive density of the response as
        measured; and with dim ``level``, for central intervals: ``inside``, ``width`` and ``interval_score``. NaN for
        what a point forecast does not have.
    """
    response = answer.attrs["response"]
    measured, draws = answer[response], answer[f"{response}_run"]
    spread = answer["spread"]
    on_scale: Any = np.log if answer.attrs["on_log"] else (lambda x: x)
    ends = [central(draws, level) for level in LEVELS]
    low, high = (xr.concat([end[k] for end in ends], "level").assign_coords(level=list(LEVELS)) for k in (0, 1))
    level = low["level"]
    with np.errstate(divide="ignore"):  # in logs, a draw that rounds to zero lies infinitely far off
        drawn = on_scale(draws)
    scores: dict[str, Any] = {
        "error": draws.median(DRAWS) - measured,
        "crps": crps(drawn, on_scale(measured)),
        "log_score": answer["log_density"],
        "inside": ((low <= measured) & (measured <= high)).astype(float).where(spread),
        "width": (high - low).where(spread),
        "interval_score": interval_score(low, high, measured, level).where(spread),
    }
    return xr.Dataset(scores).transpose("forecaster", "level", "run")
