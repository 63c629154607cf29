"""Everything a report asks of a posterior, asked once, with the warnings that answers gave."""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from bayescale.answers.allocation import allocate
from bayescale.answers.check import check_fit
from bayescale.answers.comparison import Comparison, compare
from bayescale.answers.forecast import forecast
from bayescale.answers.identification import identify
from bayescale.answers.mixture import Stack
from bayescale.answers.sensitivity import sensitivity
from bayescale.answers.threshold import threshold
from bayescale.errors import BayescaleWarning, ConvergenceWarning, InputError
from bayescale.posterior import Posterior
from bayescale.reports.question import Question, known

BUDGETS = 13
BELOW, ABOVE = 0.1, 100.0  # of the costliest run: ends of the frontier


@dataclass(frozen=True, eq=False)
class Answered:
    """Answers to a report's questions; an answer that cannot be given is a reason instead.

    Parameters
    ----------
    members : mapping of str to Posterior
        All posteriors, by name.
    subject : Posterior or Stack
        What is asked: the one posterior, the stack, or the law that the comparison puts first.
    main : str
        The member whose figures are shown.
    question : Question
        What is asked.
    comparison : Comparison, str or None
        Of the members, by leave-one-out; None where there is one.
    forecast, plan, frontier, reached : Dataset or str
        Of `forecast`, `allocate` at the budget and along budgets, `threshold`.
    check, leaning, told : Dataset or str
        Of `check_fit`, `sensitivity` and `identify`, of the main member.
    warned : tuple of str
        What answers warned of, once each.
    """

    members: Mapping[str, Posterior]
    subject: Posterior | Stack
    main: str
    question: Question
    comparison: Comparison | str | None
    forecast: xr.Dataset | str
    plan: xr.Dataset | str
    frontier: xr.Dataset | str
    reached: xr.Dataset | str
    check: xr.Dataset | str
    leaning: xr.Dataset | str
    told: xr.Dataset | str
    warned: tuple[str, ...] = field(default=())

    @property
    def posterior(self) -> Posterior:
        """The member whose figures are shown."""
        return self.members[self.main]


def choose(members: Mapping[str, Posterior], seed: int) -> tuple[str, Comparison | str | None]:
    """Compare posteriors by leave-one-out, and name the first; where they cannot be compared, why not."""
    first = next(iter(members))
    if len(members) == 1:
        return first, None
    found = tried(lambda: compare(members, by="loo", seed=seed))
    return (first if isinstance(found, str) else str(found.table.index[0])), found


def answer_all(
    members: Mapping[str, Posterior],
    subject: Posterior | Stack,
    main: str,
    comparison: Comparison | str | None,
    question: Question,
    seed: int,
) -> Answered:
    """Ask everything."""
    posterior = members[main]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", BayescaleWarning)
        plan = tried(lambda: _plan(subject, question, [question.budget], seed).isel(C=0))
        answers = {
            "plan": plan,
            "forecast": tried(lambda: _forecast(subject, question, plan, seed)),
            "frontier": tried(lambda: _plan(subject, question, _budgets(members, question), seed)),
            "reached": tried(lambda: _reached(subject, question, plan, seed)),
            "check": tried(lambda: check_fit(posterior, seed)),
            "leaning": tried(lambda: sensitivity(posterior)),
            "told": tried(lambda: identify(posterior.model, seed)),
        }
    # Convergence has a section of its own.
    said = [str(w.message) for w in caught if not issubclass(w.category, ConvergenceWarning)]
    return Answered(members, subject, main, question, comparison, warned=tuple(dict.fromkeys(said)), **answers)


def tried[Answer](ask: Callable[[], Answer]) -> Answer | str:
    """An answer, or the reason why there is none."""
    try:
        return ask()
    except InputError as error:
        return str(error)


def _plan(subject: Posterior | Stack, question: Question, budgets: Any, seed: int) -> xr.Dataset:
    if question.budget is None:
        raise InputError(question.no_budget)
    return allocate(subject, C=budgets, seed=seed, **_held(subject, question))


def _held(subject: Posterior | Stack, question: Question) -> dict[str, Any]:
    """What is held fixed; a stack's laws are each given what they know, so a stack is given none they differ in."""
    laws = subject.members.values() if isinstance(subject, Stack) else [subject]
    return {c: x for c, x in question.held.items() if all(c in one.model.law.columns for one in laws)}


def _budgets(members: Mapping[str, Posterior], question: Question) -> np.ndarray:
    costliest = max(float(one.model.cost().max()) for one in members.values())
    largest = max(ABOVE * costliest, question.budget or 0.0)
    return np.geomspace(BELOW * costliest, largest, BUDGETS)


def _forecast(subject: Posterior | Stack, question: Question, plan: xr.Dataset | str, seed: int) -> xr.Dataset:
    if question.at:
        return forecast(subject, seed=seed, **question.at)
    if isinstance(plan, str):
        raise InputError(plan)
    columns = subject.columns if isinstance(subject, Stack) else subject.model.law.columns
    bought = known({name: plan[f"{name}_bayes"] for name in ("N", "D")})
    bought |= {"C": 6 * bought["N"] * bought["D"], "M": bought["D"] / bought["N"]}
    asked = {c: bought.get(c, question.held.get(c)) for c in columns}
    if isinstance(subject, Stack) or {"N", "D"} <= asked.keys():
        asked = {c: x for c, x in asked.items() if c != "C"} | {c: bought[c] for c in ("N", "D")}
    return forecast(subject, seed=seed, **asked)


def _reached(subject: Posterior | Stack, question: Question, plan: xr.Dataset | str, seed: int) -> xr.Dataset:
    """Ask what a level costs: the one asked for, or what the law expects of the budget (of each group)."""
    one = next(iter(subject.members.values())) if isinstance(subject, Stack) else subject
    symbol = one.model.law.output.symbol
    if question.level is not None:
        level: Any = question.level
    elif isinstance(plan, str):
        raise InputError("No level was asked for; name one, level=2.0 in Python or --level 2.0.")
    else:
        level = plan[f"{symbol}_bayes"].median(("chain", "draw")).reset_coords(drop=True)
    return threshold(subject, seed=seed, **{symbol: level}, **_held(subject, question))
