"""The flat vector a sampler moves in: which entries belong to which parameter, and how they become natural values."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bayescale.law import Param
from bayescale.model import COMPLETE, MEAN, NONE, PARTIAL, SPREAD, Model
from bayescale.prior import POSITIVE, Prior

WEIGHTS = "weights"
THETA = "theta"


@dataclass(frozen=True)
class Free:
    """One random variable of the graph.

    Parameters
    ----------
    name : str
        Its name in the graph.
    shape : tuple of int
        ``()``, ``(group,)``, ``(row,)`` or ``(row, group)``.
    param : Param, optional
        The parameter it is, or is the mean or spread of.
    prior : Prior, optional
        Its own prior; without one it is Normal around other variables.
    standard : bool
        Whether it is a group's distance from the mean in spreads, on the unconstrained scale, and so a standard Normal.
        The noise is: groups differ little in it, and so a spread near zero is drawn with ease.
    """

    name: str
    shape: tuple[int, ...]
    param: Param | None = None
    prior: Prior | None = None
    standard: bool = False

    @property
    def size(self) -> int:
        """How many entries of the flat vector it takes."""
        return math.prod(self.shape)


def layout(model: Model) -> list[Free]:
    """Random variables in the order of the flat vector.

    First means and spreads, then the law's, the noise's, the discrepancy's.
    """
    frees: list[Free] = []
    for p in model.params:
        if model.pooling[p.symbol] == PARTIAL:
            frees.append(Free(p.symbol + MEAN, (), p, model.priors[p.symbol]))
            frees.append(Free(p.symbol + SPREAD, (), p, model.priors[p.symbol + SPREAD]))
    law = {p.symbol for p in model.law.params}
    if has_coordinates(model):
        assert model.law.coordinates is not None
        rows = len(model.law.coordinates.symbols)
        frees.append(Free(THETA, (rows, len(model.groups)) if model.group else (rows,)))
    for p in model.params:
        if has_coordinates(model) and p.symbol in law:
            continue
        shape = () if model.pooling[p.symbol] == COMPLETE else (len(model.groups),)
        prior = None if model.pooling[p.symbol] == PARTIAL else model.priors[p.symbol]
        frees.append(Free(p.symbol, shape, p, prior, standard=prior is None and p.symbol not in law))
    if model.discrepancy:
        terms = len(model.discrepancy.terms)
        frees.append(Free(WEIGHTS, (terms, len(model.groups)) if model.group else (terms,)))
    return frees


def has_coordinates(model: Model) -> bool:
    """Whether the law's coordinates serve: all its parameters vary alike and are Normal on the unconstrained scale."""
    if model.law.coordinates is None or model.zero:
        return False
    kinds = {model.pooling[p.symbol] for p in model.law.params}
    alike = kinds <= {PARTIAL, NONE} if model.group else kinds == {COMPLETE}
    return alike and all(
        model.pooling[p.symbol] == PARTIAL or model.priors[p.symbol].is_normal_on(p.support) for p in model.law.params
    )


def unpack(model: Model, x: np.ndarray) -> dict[str, np.ndarray]:
    """Natural values from flat vectors.

    Parameters
    ----------
    model : Model
        The model.
    x : ndarray
        Any leading dims, then the flat vector.

    Returns
    -------
    dict of str to ndarray
        Leading dims, then those of the variable: group means, spreads, parameters, discrepancy weights.
    """
    natural: dict[str, np.ndarray] = {}
    start = 0
    lead = x.shape[:-1]
    for free in layout(model):
        block = x[..., start : start + free.size].reshape((*lead, *free.shape))
        start += free.size
        if free.name == THETA:
            coordinates = model.law.coordinates
            assert coordinates is not None
            axis = len(lead)
            logs = coordinates.backward([block.take(i, axis=axis) for i in range(free.shape[0])])
            support = {p.symbol: p.support for p in model.law.params}
            natural |= {symbol: support[symbol].constrain(value) for symbol, value in logs.items()}
        elif free.prior is not None:
            natural[free.name] = _from_free(free.prior, block)
        elif free.param is not None:
            u = block
            if free.standard:
                mean = free.param.support.unconstrain(natural[free.name + MEAN])
                u = mean[..., None] + natural[free.name + SPREAD][..., None] * block
            natural[free.name] = free.param.support.constrain(u)
        else:
            natural[free.name] = block
    for symbol in model.zero:
        natural[symbol] = natural[symbol] * model.nonzero(symbol)
    return natural


def starting_point(model: Model, rng: np.random.Generator | None) -> np.ndarray:
    """Flat vector at the prior medians, levels at each group's own response; with ``rng``, jittered by U(-0.5, 0.5)."""
    medians: dict[str, float] = {name: float(prior.quantile(0.5)) for name, prior in model.priors.items()}
    shift = _group_shift(model)
    blocks: list[Any] = []
    for free in layout(model):
        if free.name == THETA:
            blocks.append(_theta_start(model, medians, shift))
        elif free.name == WEIGHTS:
            blocks.append(np.zeros(free.shape))
        elif free.prior is not None:
            name = free.name.removesuffix(MEAN) if free.name not in medians else free.name
            blocks.append(np.full(free.shape, _to_free(free.prior, medians[name])))
        elif free.standard:
            blocks.append(np.zeros(free.shape))
        else:
            assert free.param is not None
            u = free.param.support.unconstrain(medians[free.param.symbol])
            blocks.append(u + (shift if free.param.scaled else 0.0) * np.ones(free.shape))
    x = np.concatenate([np.ravel(block) for block in blocks])
    return x if rng is None else x + rng.uniform(-0.5, 0.5, x.size)


def prior_point(model: Model, rng: np.random.Generator) -> np.ndarray:
    """Flat vector drawn from the priors, each group's by itself; without a prior, near `starting_point`."""
    x = starting_point(model, rng)
    start = 0
    for free in layout(model):
        block = slice(start, start + free.size)
        if free.prior is not None:
            drawn = free.prior.draw(rng, free.shape).ravel()
            x[block] = [_to_free(free.prior, float(value)) for value in drawn]
        elif free.name == THETA and model.law.coordinates is not None:
            drawn = {
                p.symbol: p.support.unconstrain(model.priors[p.symbol].draw(rng, free.shape[1:]))
                for p in model.law.params
            }
            x[block] = np.stack(model.law.coordinates.forward(drawn)).ravel()
        start += free.size
    return x


def _theta_start(model, medians, shift):
    coordinates = model.law.coordinates
    of = {p.symbol: p for p in model.law.params}
    logs = {
        s: of[s].support.unconstrain(medians[s]) + (shift if of[s].scaled else 0.0) * np.ones_like(shift)
        for s in coordinates.symbols
    }
    return np.stack(coordinates.forward(logs))


def _group_shift(model: Model) -> np.ndarray:
    """Log of each group's geometric mean response over that of all runs."""
    if not model.group:
        return np.asarray(0.0)
    if model.law.output.support != POSITIVE:
        return np.zeros(len(model.groups))
    y = np.log(model.response)
    means = np.array([y[model.group_index == g].mean() for g in range(len(model.groups))])
    return means - math.log(model.response_scale)


def _from_free(prior: Prior, u: np.ndarray) -> np.ndarray:
    """Natural value from the unconstrained one, as PyMC's default transforms do."""
    lower, upper = prior.support
    if math.isinf(lower):
        return u
    if math.isinf(upper):
        return np.exp(u)
    share = 1 / (1 + np.exp(-u))
    return lower + (upper - lower) * share


def _to_free(prior: Prior, x: float) -> float:
    lower, upper = prior.support
    if math.isinf(lower):
        return x
    if math.isinf(upper):
        return math.log(x)
    share = (x - lower) / (upper - lower)
    return math.log(share) - math.log1p(-share)


def natural_dims(model: Model) -> Mapping[str, tuple[str, ...]]:
    """Names of the dims of each natural value after (chain, draw)."""
    group = (model.group,) if model.group else ()
    dims: dict[str, tuple[str, ...]] = {}
    for p in model.params:
        kind = model.pooling[p.symbol]
        dims[p.symbol] = () if kind == COMPLETE else group
        if kind == PARTIAL:
            dims[p.symbol + MEAN] = ()
            dims[p.symbol + SPREAD] = ()
    if model.discrepancy:
        dims[WEIGHTS] = ("term", *group)
    return dims
