"""Whether what a file says of a posterior fits together: a file may be damaged, or made by somebody else.

Nothing here trusts a file because its checksums agree; whoever changes it can sign it again.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import xarray as xr

from bayescale.errors import InputError
from bayescale.layout import natural_dims
from bayescale.model import COMPLETE, NONE, PARTIAL, SPREAD, Model
from bayescale.words import listed, shown


@contextmanager
def refusing_damage(path: object, what: str) -> Iterator[None]:
    """Say of whatever fails in the block that the file is damaged."""
    try:
        yield
    except InputError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
        raise InputError(f"{str(path)!r} is a damaged {what}: {type(error).__name__} {shown(str(error))}.") from error


def check_sound(model: Model, draws: xr.DataTree, info: Mapping[str, Any]) -> None:
    """Refuse a model whose parts do not belong together, or draws that are none of its parameters'.

    Raises
    ------
    InputError, KeyError, TypeError, ValueError
        Told as damage by `refusing_damage`.
    """
    _check_model(model)
    posterior = draws["posterior"]
    for symbol, dims in natural_dims(model).items():
        _require(posterior[symbol].dims == ("chain", "draw", *dims), f"the dims of {symbol}")
    for constant in model.law.constants:
        _require({"chain", "draw"} <= {*posterior[constant].dims}, f"the dims of {constant}")
    if model.group:
        _require(list(posterior[model.group].to_numpy()) == list(model.groups), "the groups of the draws")
    for p in model.params:
        values = posterior[p.symbol].to_numpy()
        # An end of the range may be reached by rounding, and is where a group has no such term; NaN lies nowhere.
        _require(bool(((values >= p.support.lower) & (values <= p.support.upper)).all()), f"the draws of {p.symbol}")
    _require(bool(posterior.sizes["chain"] and posterior.sizes["draw"]), "the number of draws")
    settings = info.get("settings", {})
    _require(isinstance(settings, dict) and all(isinstance(name, str) for name in settings), "the sampler's settings")


def _check_model(model: Model) -> None:
    symbols = [p.symbol for p in model.params]
    spreads = [s + SPREAD for s in symbols if model.pooling[s] == PARTIAL]
    inputs = [i.symbol for i in model.law.inputs]
    _require(sorted(model.pooling) == sorted(symbols), "the pooling")
    _require({*model.pooling.values()} <= {COMPLETE, NONE, PARTIAL}, "the pooling")
    _require(model.group is not None or {*model.pooling.values()} <= {COMPLETE}, "the pooling")
    _require(sorted(model.priors) == sorted([*symbols, *spreads]), "the priors")
    _require(sorted(model.reference) == sorted(inputs) == sorted(model.spans), "the reference")
    numbers = [model.response_scale, *model.reference.values(), *model.spans.values()]
    _require(all(isinstance(x, int | float) and np.isfinite(x) for x in numbers), "the reference")
    _require(all(isinstance(s, str) for s in [model.error_column, *model.own_priors]), "the model")
    _require({*model.zero} <= {*symbols} and all({*z} <= {*model.groups} for z in model.zero.values()), "the zeros")
    if model.discrepancy:
        terms, scales = len(model.discrepancy.terms), model.discrepancy.scales
        _require({*scales} <= {*inputs} and all(x > 0 for x in scales.values()), "the discrepancy")
        _require(terms == len(model.discrepancy.offsets), "the discrepancy")
    model.describe()  # checks the runs
    model.errors()
    model.noise.check(model.runs)


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise ValueError(f"{what} cannot be so")


def check_weights(weights: Any, names: list[str], draws: Any) -> None:
    """Refuse weights of a stack, or draws of them, that are not of its members."""
    _require(isinstance(weights, dict) and all(isinstance(w, int | float) for w in weights.values()), "the weights")
    _require({*draws.dims} == {"sample", "law"} and sorted(draws["law"].to_numpy()) == sorted(names), "the weights")
    values = draws.to_numpy()
    _require(bool(values.size and ((values >= 0) & (values <= 1)).all()), f"weights of {listed(names)}")
