"""The live part's data: draws and formulas with which a page answers as `allocate` does, without Python."""

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from bayescale.answers.mixture import Stack
from bayescale.answers.optimum import Split, read_split
from bayescale.cost import six_nd
from bayescale.errors import InputError
from bayescale.posterior import NEW, Posterior
from bayescale.prior import REAL

MOST = 250_000  # numbers kept; a page of all draws of six groups has 140,000
REGRET = 0.05
DRAWS = ("chain", "draw")
_COST = {"N", "D"}
_KNOWN = ("N", "D", "C", "M")


def live_data(posterior: Posterior | Stack, held: Mapping[str, Any], seed: int = 0) -> tuple[dict[str, Any], list[str]]:
    """Gather what a page needs to split a budget of ``C = 6 N D``.

    Parameters
    ----------
    posterior : Posterior or Stack
        What is asked.
    held : mapping of str to float
        Inputs of the law that are held fixed, by column.
    seed : int
        For the draws of a new group and the choice of a stack's draws.

    Returns
    -------
    data : dict
        As JSON can hold it: groups, draws of each member's constants (32-bit floats in base64), references, limits.
        Draws are thinned evenly where there are more than a page should hold; ``kept`` and ``drawn`` say so.
    formulas : list of str
        Of each member, in JavaScript: `Law.javascript`.

    Raises
    ------
    InputError
        The law is not one whose N and D share a budget, or cannot be written in JavaScript.
    """

    def ask(one: Posterior) -> tuple[Split, str]:
        given = {name: value for name, value in held.items() if name in one.model.law.columns}
        split = read_split(one.model, six_nd, given)
        if set(split.free) != _COST:
            raise InputError(f"What shares the budget here is {', '.join(split.free)}, not N and D.")
        return split, one.model.law.javascript()

    asked = posterior.ask(ask) if isinstance(posterior, Stack) else {"": ask(posterior)}
    members = posterior.members if isinstance(posterior, Stack) else {"": posterior}
    weights = posterior.weights if isinstance(posterior, Stack) else {"": 1.0}
    chosen = {name: members[name] for name in asked}
    total = sum(weights[name] for name in chosen)
    groups = _groups(chosen, seed)
    params = {name: _params(one, groups, seed) for name, one in chosen.items()}
    step = _thinning(params)
    first = next(iter(chosen.values()))
    output = first.model.law.output
    costs = np.concatenate([one.model.cost() for one in chosen.values()])
    drawn = first.dataset.sizes["chain"] * first.dataset.sizes["draw"]
    return {
        **_interval(),
        "output": {"symbol": output.symbol, "unit": output.unit, "higher": output.higher_is_better},
        "over": next((one.model.group for one in chosen.values() if one.model.group), ""),
        "groups": groups,
        "regret": REGRET,
        "least": {name: max(split.least[name] for split, _ in asked.values()) for name in sorted(_COST)},
        "budgets": [float(np.log10(costs.min())), float(np.log10(costs.max())) + 4],
        "drawn": drawn,
        "kept": len(range(0, drawn, step)),
        "members": [
            _member(one, asked[name][0], params[name], weights[name] / total, step) for name, one in chosen.items()
        ],
        "picks": _picks(posterior, chosen, step, seed) if isinstance(posterior, Stack) else None,
    }, [formula for _, formula in asked.values()]


def _interval() -> dict[str, Any]:
    from arviz_base import rcParams

    return {"kind": str(rcParams["stats.ci_kind"]), "prob": float(rcParams["stats.ci_prob"])}


def _groups(members: Mapping[str, Posterior], seed: int) -> list[str]:
    """Names of the groups, and an unseen one where every law can say something of it."""
    groups = list(next((one.model.groups for one in members.values() if one.model.group), ("",)))
    try:
        for one in members.values():
            if one.model.group:
                one.params(NEW, seed)
    except InputError:
        return groups
    return [*groups, NEW] if groups != [""] else groups


def _params(posterior: Posterior, groups: list[str], seed: int) -> dict[str, np.ndarray]:
    """Constants of the formula at relative inputs, by group: shape (constant, draw)."""
    model = posterior.model
    own = groups if model.group else [""]
    neutral = {i.symbol: i.neutral for i in model.law.inputs}
    found = {}
    for group in own:
        constants = model.law.to_paper(posterior.params(group or None, seed), neutral)
        flat = [
            np.broadcast_to(constants[c].transpose(*DRAWS).to_numpy(), _shape(posterior)).ravel()
            for c in model.law.constants
        ]
        found[group] = np.array(flat)
        if not np.isfinite(found[group].astype(np.float32)).all():
            raise InputError(f"Some draws of law {model.law.name!r} are too large for numbers of 32 bits.")
    return found


def _shape(posterior: Posterior) -> tuple[int, int]:
    return posterior.dataset.sizes["chain"], posterior.dataset.sizes["draw"]


def _thinning(params: Mapping[str, Mapping[str, np.ndarray]]) -> int:
    """Every how manieth draw is kept."""
    return int(np.ceil(sum(values.size for one in params.values() for values in one.values()) / MOST))


def _member(posterior: Posterior, split: Split, params, weight: float, step: int) -> dict[str, Any]:
    model = posterior.model
    kept = {group: values[:, ::step].astype("<f4") for group, values in params.items()}
    return {
        "law": model.law.name,
        "weight": weight,
        "draws": next(iter(kept.values())).shape[1],
        "inputs": [
            {
                "column": i.column,
                # A shifted input is held; what the formula takes is its distance from the reference.
                "reference": 1.0 if i.support == REAL else model.reference[i.symbol],
                "given": _given(model, split, i),
            }
            for i in model.law.inputs
        ],
        "size": "N D" if {"N", "D"} <= {i.symbol for i in model.law.inputs} else model.law.inputs[0].column,
        "values": {group: base64.b64encode(values.tobytes()).decode() for group, values in kept.items()},
        "limits": {group: _limits(posterior, group) for group in kept},
    }


def _given(model, split: Split, i) -> float | None:
    if i.column not in split.given:
        return None
    value = float(split.given[i.column])
    return value - model.reference[i.symbol] if i.support == REAL else value


def _limits(posterior: Posterior, group: str) -> dict[str, list[float]]:
    """Ends of the runs of a group in each input, and, under no name, in size; of all runs for a new group."""
    model = posterior.model
    rows = model.group_index == model.groups.index(group) if group in model.groups else np.full(len(model.runs), True)
    inputs = {i.symbol: x[rows] for i, x in zip(model.law.inputs, model.inputs().values(), strict=True)}
    size = inputs["N"] * inputs["D"] if inputs.keys() >= _COST else next(iter(inputs.values()))
    ends = {i.column: inputs[i.symbol] for i in model.law.inputs} | {"": size}
    return {name: [float(x.min()), float(x.max())] for name, x in ends.items()}


def _picks(stack: Stack, members: Mapping[str, Posterior], step: int, seed: int) -> list[list[int]]:
    """Which draws of each member the stack's answers are made of: mixed as an answer is, and read back."""
    names = list(members)
    numbered = {}
    for k, (name, one) in enumerate(members.items()):
        shape = _shape(one)
        member = xr.DataArray(np.full(shape, k), dims=DRAWS)
        numbered[name] = xr.Dataset({"member": member, "draw_number": (DRAWS, np.arange(member.size).reshape(shape))})
    mixed = stack.mix(numbered, seed)
    member, number = (mixed[v].to_numpy().ravel() for v in ("member", "draw_number"))
    return [sorted((number[(member == k) & (number % step == 0)] // step).tolist()) for k in range(len(names))]
