"""What a report is asked: a run to forecast, a budget to split, a level to reach; by default ten times the runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Real
from typing import Any

import numpy as np
import xarray as xr

from bayescale.answers.mixture import Stack
from bayescale.answers.optimum import read_split
from bayescale.cost import six_nd
from bayescale.errors import InputError
from bayescale.numerals import parse_number, short_number
from bayescale.posterior import Posterior
from bayescale.prior import POSITIVE

BEYOND = 10.0
MOST = 1e200  # FLOP


@dataclass(frozen=True, eq=False)
class Question:
    """What is asked of a posterior.

    Parameters
    ----------
    budget : float or None
        In FLOP; None where no budget is split.
    no_budget : str
        Why none is split.
    held : mapping of str to float
        Inputs of the law that are neither parameters nor tokens, and their values.
    at : mapping
        Inputs of the run to forecast, where it was named or no budget is split; empty for the run that the budget buys.
    level : float or None
        Of the response; by default what the law expects of the budget.
    words : tuple of str
        The question, a sentence each.
    """

    budget: float | None
    no_budget: str
    held: Mapping[str, float]
    at: Mapping[str, Any] = field(default_factory=dict)
    level: float | None = None
    words: tuple[str, ...] = ()


def read_question(
    posterior: Posterior | Stack,
    at: Mapping[str, Any] | None = None,
    C: Any = None,
    level: Any = None,
) -> Question:
    """Read what is asked, and choose what was not said.

    Parameters
    ----------
    posterior : Posterior or Stack
        Gives laws and runs.
    at : mapping, optional
        Inputs of the run to forecast, by column. By default the run that the budget is best spent on; of a law that
        splits no budget, a run ten times the costliest in the law's first input.
    C : number or str, optional
        Budget in FLOP; by default ten times the costliest run's.
    level : number or str, optional
        Level of the response whose budget is asked for.

    Raises
    ------
    InputError
        A number that is none, or a budget for a law that splits none.
    """
    members = list(posterior.members.values()) if isinstance(posterior, Stack) else [posterior]
    costliest = _costliest(members[0])
    columns = dict.fromkeys(c for one in members for c in one.model.law.columns)
    held = {c: costliest[c] for c in columns if c not in ("N", "D", "C", "M") and c in costliest}
    held |= {c: _number(c, x) for c, x in (at or {}).items() if c in held}
    reasons = [_refusal(one, held) for one in members]
    asked = None if C is None else _number("C", C)
    if asked is not None and asked > MOST:
        raise InputError(f"C = {short_number(asked)} FLOP is more than can be drawn; give at most {MOST:g}.")
    if all(reasons):
        if asked is not None:
            raise InputError(f"No budget can be split: {reasons[0]}")
        given = dict(at) if at else _beyond(members[0], costliest)
        return Question(None, reasons[0], held, given, _level(level), _said(members[0], given, None, level))
    cost = max(float(one.model.cost().max()) for one in members)
    budget = BEYOND * cost if asked is None else asked
    given = {**held, **(at or {})} if at else {}
    return Question(budget, "", held, given, _level(level), _said(members[0], given, (budget, budget / cost), level))


def _number(name: str, value: Any) -> float:
    number = parse_number(value) if isinstance(value, str) else float(value)
    if not (np.isfinite(number) and number > 0):
        raise InputError(f"{name} must be one positive number; {value!r} was given.")
    return number


def _level(level: Any) -> float | None:
    return None if level is None else parse_number(level) if isinstance(level, str) else float(level)


def _costliest(posterior: Posterior) -> dict[str, float]:
    """Inputs of the run that cost most."""
    model = posterior.model
    row = int(np.argmax(model.cost()))
    return {i.column: float(x[row]) for i, x in zip(model.law.inputs, model.inputs().values(), strict=True)}


def _refusal(posterior: Posterior, held: Mapping[str, float]) -> str:
    """Why a law splits no budget between N and D; empty if it does."""
    try:
        split = read_split(posterior.model, six_nd, {c: x for c, x in held.items() if c in posterior.model.law.columns})
    except InputError as error:
        return str(error)
    return "" if set(split.free) == {"N", "D"} else f"{', '.join(split.free)} would share it, not N and D."


def _beyond(posterior: Posterior, costliest: Mapping[str, float]) -> dict[str, float]:
    """Inputs of a run beyond the costliest: its first input ten times as large, or two standard deviations farther."""
    model = posterior.model
    first = next((i for i in model.law.inputs if not i.known), model.law.inputs[0])
    x = costliest[first.column]
    return dict(costliest) | {
        first.column: x * BEYOND if first.support == POSITIVE else x + 2 * model.spans[first.symbol]
    }


def _said(posterior: Posterior, at: Mapping[str, Any], budget: tuple[float, float] | None, level: Any):
    output = posterior.model.law.output
    words = []
    if at:
        run = ", ".join(f"{name} = {short_number(float(x), 4) if isinstance(x, Real) else x}" for name, x in at.items())
        words.append(f"What {output.meaning} will a run with {run} measure?")
    if budget:
        times = f", {budget[1]:.3g} times the costliest run" if budget[1] != 1 else ""
        words.append(f"How should {short_number(budget[0])} FLOP{times}, be split between parameters and tokens?")
        if not at:
            words.append(f"What {output.meaning} will that run measure?")
    if level is not None:
        words.append(f"What does {output.meaning} {level} cost?")
    return tuple(words)


def known(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values for an answer's inputs: DataArrays without the coordinates that belong to other variables."""
    return {name: x.reset_coords(drop=True) if isinstance(x, xr.DataArray) else x for name, x in values.items()}
