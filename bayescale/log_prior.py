"""Log density of the prior at draws, and how wide the prior is: NumPy and SciPy, independent of the graph."""

import math
from typing import Any

import numpy as np
import xarray as xr

from bayescale.law import Param
from bayescale.layout import WEIGHTS
from bayescale.model import MEAN, PARTIAL, SPREAD, Model
from bayescale.prior import POSITIVE, Prior, Support

_GRID = (np.arange(20_000) + 0.5) / 20_000


def log_prior(model: Model, draws: xr.Dataset) -> xr.Dataset:
    """Log density of every part of the prior, on the scale on which it is free: the log of a positive parameter.

    On that scale a prior raised to a power keeps its median where it is a LogNormal, and so does a group's Normal.

    Parameters
    ----------
    model : Model
        Gives priors and pooling.
    draws : Dataset
        Natural values, as a posterior has them.

    Returns
    -------
    Dataset
        One variable for each part, dims (chain, draw) and those of the part: a parameter's own prior, under its name;
        of a pooled one its mean's and spread's, under theirs, and the groups' given both, under its name (zero where
        the model has the parameter as zero); and of a discrepancy its weights'. Their sum is the log prior.
    """
    parts: dict[str, xr.DataArray] = {}
    for p in model.params:
        value = draws[p.symbol]
        if model.pooling[p.symbol] == PARTIAL:
            mean, spread = draws[p.symbol + MEAN], draws[p.symbol + SPREAD]
            parts[p.symbol + MEAN] = _own(model.priors[p.symbol], mean, p.support)
            parts[p.symbol + SPREAD] = _own(model.priors[p.symbol + SPREAD], spread, POSITIVE)
            parts[p.symbol] = _standard((_free(p.support, value) - p.support.unconstrain(mean)) / spread) - np.log(
                spread
            )
        else:
            parts[p.symbol] = _own(model.priors[p.symbol], value, p.support)
        if p.symbol in model.zero:
            there = xr.DataArray(model.nonzero(p.symbol), {model.group: list(model.groups)}, model.group)
            parts[p.symbol] = parts[p.symbol].where(there, 0.0)
    if model.discrepancy:
        parts[WEIGHTS] = _standard(draws[WEIGHTS])
    return xr.Dataset({name: part.reset_coords(drop=True).assign_attrs({}) for name, part in parts.items()})


def top_level(model: Model) -> list[str]:
    """Parts of the prior that the user states: all but what groups are given their mean and spread."""
    names = []
    for p in model.params:
        pooled = model.pooling[p.symbol] == PARTIAL
        names += [p.symbol + MEAN, p.symbol + SPREAD] if pooled else [p.symbol]
    return names


def prior_sd(model: Model, param: Param) -> float:
    """Standard deviation of a parameter (of any group) under the prior, on the unconstrained scale."""
    u = np.asarray(param.support.unconstrain(model.priors[param.symbol].quantile(_GRID)))
    variance = float(u.var())
    if model.pooling[param.symbol] == PARTIAL:
        variance += float((model.priors[param.symbol + SPREAD].quantile(_GRID) ** 2).mean())
    return math.sqrt(variance)


def _own(prior: Prior, value: xr.DataArray, support: Support) -> xr.DataArray:
    density = xr.apply_ufunc(prior.to_scipy().logpdf, value)
    if support.name == "positive":
        return density + _log(value)
    return density + _log(value) + _log(1 - value) if support.name == "unit" else density


def _log(value: xr.DataArray) -> Any:
    with np.errstate(divide="ignore"):
        return np.log(value)


def _free(support: Support, value: xr.DataArray) -> xr.DataArray:
    with np.errstate(divide="ignore"):
        return support.unconstrain(value)


def _standard(z: xr.DataArray) -> xr.DataArray:
    return -0.5 * z**2 - 0.5 * math.log(2 * math.pi)
