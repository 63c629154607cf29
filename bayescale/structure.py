"""What a model's graph is made of: the numbers that go into it, and what models must share for one to serve both.

Neither needs PyMC, so that machine code kept on disk is found without it.
"""

import hashlib
import sys
from functools import cache
from pathlib import Path
from types import CodeType
from typing import Any

import numpy as np

from bayescale.model import Model
from bayescale.prior import POSITIVE
from bayescale.trace import operations

# The modules a graph is built by; their text is part of the key of compiled code.
_BUILDERS = (
    "clusters",
    "coordinates",
    "discrepancy",
    "graph",
    "input_error",
    "law",
    "layout",
    "logs",
    "machine_code",
    "noise",
    "ops",
    "prior",
    "structure",
)


def graph_data(model: Model) -> dict[str, np.ndarray]:
    """Everything in the graph that depends on the table or on the priors' numbers."""
    relative = {symbol: np.asarray(x) for symbol, x in model.relative(model.inputs()).items()}
    by_log = logged_inputs(model)
    data: dict[str, Any] = {f"input_{s}": x for s, x in relative.items() if s not in by_log}
    data |= {f"log_{s}": np.log(x) for s, x in relative.items() if s in by_log}
    data["measured"] = model.noise.observed(model.response, {"trials": model.trials})
    if model.group:
        data["group_index"] = model.group_index
    facts = model.facts(relative, model.trials, model.errors())
    if model.noise.by_size:
        data["size"] = np.asarray(facts["size"])
    if model.noise.counts:
        data["trials"] = facts["trials"]
    if "se" in facts:
        data["se"] = facts["se"]
    if model.cluster:
        data["cluster_index"] = model.cluster_index()
    data |= {f"input_error_{symbol}": errors for symbol, errors in model.input_errors().items()}
    data |= {f"nonzero_{symbol}": model.nonzero(symbol).astype(float) for symbol in model.zero}
    if model.discrepancy:
        data["basis"] = np.stack(model.discrepancy.basis(model.ratios(relative)))
    for name, prior in model.priors.items():
        data[f"prior_{name}"] = np.array(list(prior.args.values()))
    return data


def graph_structure(model: Model) -> tuple:
    """What two models must share for one compiled graph to serve both."""
    return (
        model.law.name,
        model.law.formula,
        model.law.coordinates,
        tuple((p.symbol, p.support, p.paper) for p in model.params),
        tuple(model.pooling.items()),
        tuple((name, prior.distribution) for name, prior in model.priors.items()),
        str(model.noise),
        bool(model.error_column),
        bool(model.cluster),
        tuple(model.input_error),
        model.law.output.support,
        model.law.output.higher_is_better,
        tuple(i.neutral for i in model.law.inputs),
        tuple(logged_inputs(model)),
        tuple(model.zero),
        tuple(model.discrepancy.terms) if model.discrepancy else None,
        len(model.groups),
    )


def logged_inputs(model: Model) -> list[str]:
    """Inputs that enter the graph by their logs: positive in every run."""
    values = model.inputs()
    return [i.symbol for i in model.law.inputs if i.support == POSITIVE and bool((values[i.symbol] > 0).all())]


def structure_key(model: Model) -> str | None:
    """Name compiled code so that another process finds it: a hash of all that shapes the graph, but for versions.

    A law enters by its byte code and by every operation of its formula, written down while the formula runs on
    stand-ins for numbers. None where that cannot be done: a formula that branches on its values, coordinates or noise
    of the user's own.
    """
    if any(type(x).__module__.partition(".")[0] != "bayescale" for x in _shapers(model)):
        return None
    try:
        trace = operations(model.law)
    except TypeError:
        return None
    parts = (graph_structure(model)[2:], trace, _code(model.law.formula.__code__), _source())
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


def _shapers(model: Model) -> list[Any]:
    """The objects whose code shapes the graph."""
    supports = [model.law.output.support, *(p.support for p in model.params)]
    return [x for x in (model.law.coordinates, model.noise, model.discrepancy, *supports) if x is not None]


def _code(code: CodeType) -> tuple:
    """What a function does, without where it is written."""
    constants = tuple(_code(c) if isinstance(c, CodeType) else repr(c) for c in code.co_consts)
    return code.co_code.hex(), code.co_names, code.co_varnames, constants


@cache
def _source() -> str:
    """Hash of the text of what builds a graph."""
    here = Path(__file__).parent
    texts = b"".join((here / f"{name}.py").read_bytes() for name in _BUILDERS)
    return hashlib.sha256(texts + sys.version.encode()).hexdigest()
