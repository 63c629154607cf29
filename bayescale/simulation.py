"""Runs from a model: from given true values, and from the prior. Plain NumPy, independent of the graph."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from bayescale.diagnostics import Diagnostics
from bayescale.errors import InputError
from bayescale.given import check_kind, whole_number
from bayescale.layout import WEIGHTS, natural_dims
from bayescale.model import COMPLETE, MEAN, PARTIAL, SPREAD, Model
from bayescale.posterior import Posterior
from bayescale.streams import stream
from bayescale.words import shown


def sample_prior(model: Model, draws: int = 500, seed: int = 0) -> Posterior:
    """Draw parameters from the prior.

    Parameters
    ----------
    model : Model
        Its runs give the reference, the groups and the inputs; their responses are used only for the scale of default
        priors.
    draws : int
        How many.
    seed : int
        Same seed, same draws.

    Returns
    -------
    Posterior
        One chain of draws from the prior, so that `forecast`, `replicate` and the plots show what the model believes
        before it has seen a run.
    """
    check_kind("model", model, Model)
    whole_number("draws", draws, 1)
    rng = stream("prior", seed)
    shape = (1, draws)
    groups = len(model.groups)
    values: dict[str, np.ndarray] = {}
    for p in model.params:
        kind = model.pooling[p.symbol]
        if kind == COMPLETE:
            values[p.symbol] = model.priors[p.symbol].draw(rng, shape)
        elif kind == PARTIAL:
            mean = model.priors[p.symbol].draw(rng, shape)
            spread = model.priors[p.symbol + SPREAD].draw(rng, shape)
            z = rng.standard_normal((*shape, groups))
            values[p.symbol + MEAN], values[p.symbol + SPREAD] = mean, spread
            values[p.symbol] = p.support.constrain(p.support.unconstrain(mean)[..., None] + spread[..., None] * z)
        else:
            values[p.symbol] = model.priors[p.symbol].draw(rng, (*shape, groups))
    if model.discrepancy:
        values[WEIGHTS] = rng.standard_normal(
            (*shape, len(model.discrepancy.terms), *((groups,) if model.group else ()))
        )
    return _exact(model, values, {"seed": seed, "sampler": "prior"})


def simulate(model: Model, truth: Mapping[str, Any] | str, seed: int = 0) -> pd.DataFrame:
    """Make runs as a law and a noise would.

    Parameters
    ----------
    model : Model
        Its runs give inputs and groups; its responses are replaced.
    truth : mapping or str
        True values in natural units: every parameter of the law, either as sampled (``A_ref``) or as the paper prints
        it (``A``), and of the noise; a number, or a mapping from group to number. Or the key of published values, with
        the noise at its prior medians.
    seed : int
        Same seed, same runs.

    Returns
    -------
    DataFrame
        The model's runs with simulated responses; ``attrs["notes"]`` says so. Standard errors of the response, where
        the runs have them, keep their size on the scale of the noise: of a loss, their share of it.

    Raises
    ------
    InputError
        A value is missing, unknown, or out of its range.
    """
    check_kind("model", model, Model)
    check_kind("truth", truth, (str, Mapping), "Name published values, or give {'E': 1.7, ...}.")
    values = _true_values(model, truth)
    known = _exact(model, values, {"seed": seed, "sampler": "simulation"})
    response = known.replicate(seed).to_numpy()[0, 0]
    runs = model.runs.copy()
    runs[model.law.output.symbol] = response
    if (errors := model.errors()) is not None:
        runs[model.error_column] = errors * response if model.noise.on_log else errors
    runs.attrs["notes"] = [
        *model.runs.attrs.get("notes", []),
        f"Simulated from {model.law.name}, seed {seed}.",
    ]
    return runs


def _true_values(model: Model, truth) -> dict[str, np.ndarray]:
    if isinstance(truth, str):
        noise = {
            p.symbol: float(model.priors[p.symbol].quantile(0.5)) for p in model.params if p not in model.law.params
        }
        entry = model.law.find(truth)
        if entry.on and entry.on != model.law.inputs[0].column:
            raise InputError(
                f"The published values {truth!r} are for {entry.on}; this law is put on {model.law.inputs[0].column!r}."
            )
        truth = {**entry.values, **noise}
    given = {symbol: _per_group(model, symbol, value) for symbol, value in truth.items()}
    printed = [c for c in model.law.constants if c not in {p.symbol for p in model.law.params}]
    if any(c in given for c in printed):
        _require(model, given, model.law.constants)
        at_reference = model.law.from_paper(given, model.reference)
        given = {s: v for s, v in given.items() if s not in printed} | at_reference
    expected = [p.symbol for p in model.params] + ([WEIGHTS] if model.discrepancy else [])
    _require(model, given, expected)
    if unknown := [s for s in given if s not in expected]:
        raise InputError(
            f"simulate does not know {', '.join(map(repr, unknown))}; the model has {', '.join(expected)}."
        )
    dims = natural_dims(model)
    values = {}
    for p in model.params:
        value = np.asarray(given[p.symbol], dtype=float)
        if value.ndim and not dims[p.symbol]:
            raise InputError(f"{p.symbol} has one value for all groups in this model; a value per group was given.")
        if value.ndim and value.shape != (len(model.groups),):
            raise InputError(
                f"{p.symbol} needs one value, or one for each of the {len(model.groups)} groups; {value} was given."
            )
        inside = (value > p.support.lower) & (value < p.support.upper)
        if p.symbol in model.zero:
            absent = ~model.nonzero(p.symbol)
            if value.ndim and np.any(value[absent] != 0):
                raise InputError(
                    f"{p.symbol} is zero in {', '.join(model.zero[p.symbol])} by this model; {value} was given. "
                    "Give zero there, or one number for the other groups."
                )
            inside = inside | absent
        if not np.all(inside):
            raise InputError(
                f"{p.symbol} ({p.meaning}) must lie between {p.support.lower:g} and {p.support.upper:g}; "
                f"{value} was given."
            )
        full = np.broadcast_to(value, (len(model.groups),) if dims[p.symbol] else ())
        values[p.symbol] = np.array(full)[None, None]
    if model.discrepancy:
        values[WEIGHTS] = np.asarray(given[WEIGHTS], dtype=float)[None, None]
    return values


def _per_group(model: Model, symbol: str, value) -> Any:
    if not isinstance(value, Mapping):
        return _numbers(symbol, value)
    if missing := [g for g in model.groups if g not in value]:
        raise InputError(f"{symbol} needs a value for every group; there is none for {', '.join(missing)}.")
    if unknown := [str(g) for g in value if g not in model.groups]:
        raise InputError(f"{symbol} names {', '.join(unknown)}; the groups are {', '.join(model.groups)}.")
    return _numbers(symbol, [value[g] for g in model.groups])


def _numbers(symbol: str, value: Any) -> np.ndarray:
    try:
        return np.asarray(value, dtype=float)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"{symbol} must be a number, or one for each group; {shown(value)} was given.") from None


def _require(model, given, expected):
    if missing := [s for s in expected if s not in given]:
        raise InputError(
            f"simulate needs a true value of {', '.join(missing)} as well (law {model.law.name}, noise {model.noise})."
        )


def _exact(model: Model, values: dict[str, np.ndarray], info: dict[str, Any]) -> Posterior:
    """Wrap values that are exact draws, not a Markov chain's."""
    values = {**values, **{s: values[s] * model.nonzero(s) for s in model.zero}}
    chains, draws = next(iter(values.values())).shape[:2]
    stats = {
        "diverging": np.zeros((chains, draws), dtype=bool),
        "energy": np.zeros((chains, draws)),
        "n_steps": np.zeros((chains, draws), dtype=int),
    }
    verdict = Diagnostics(1.0, "", 1e9, 1e9, "", 0, 1.0)
    complete = {name: values[name] for name in natural_dims(model) if name in values}
    return Posterior.from_draws(model, complete, stats, verdict, info)
