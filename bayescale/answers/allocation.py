"""How to split a budget: the size to train, how far one may deviate from it, and what a level needs at least."""

import re
from collections.abc import Callable, Mapping
from functools import partial, reduce
from operator import and_
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayescale.answers.belief import TOKENS_PER_PARAMETER, Belief, ask, beyond, decide, expected
from bayescale.answers.common import check_asked, doubted, interval_name, reach, read_value, reduced_table, where
from bayescale.answers.mixture import Stack
from bayescale.answers.optimum import LARGEST, Split, budgets, least_budget, optimum, read_split
from bayescale.cost import six_nd
from bayescale.errors import InputError
from bayescale.law import Output
from bayescale.numerals import short_number
from bayescale.posterior import Posterior
from bayescale.prior import REAL
from bayescale.search import crossing
from bayescale.words import listed

BUDGET = "C"
_PERCENT = re.compile(r"\s*([0-9.]+)\s*%\s*")
_AT_LIMIT = 1e-6


def allocate(
    posterior: Posterior | Stack,
    C: Any = None,
    *,
    cost: Callable[..., Any] = six_nd,
    regret: float | str = "5%",
    at_least: Mapping[str, Any] | None = None,
    at_most: Mapping[str, Any] | None = None,
    group: str | None = None,
    seed: int = 0,
    **given: Any,
) -> xr.Dataset:
    """Split a budget between the inputs of a law, or find the least budget for a level of the response.

    The decision, ``N_bayes``, is the size of least posterior expected loss at the budget. Beside it stands the
    posterior of the best size, ``N``, which nobody knows. Where the optimum is flat its spread costs little, so the
    sizes that are nearly as good are given too.

    Parameters
    ----------
    posterior : Posterior or Stack
        A fit, or several laws with weights: the decision is then the mixture's.
    C : number, str, sequence or DataArray, optional
        Budget, in the cost's unit; a sequence becomes the dim ``C``.
    cost : callable
        What a run costs, a function of the law's inputs by column and of numbers of its own: `six_nd` (default),
        `with_inference`, others of `bayescale.cost` (``training_dollars``, ``hours``, ``exact_flop``, ...), or one's
        own ``lambda N, D: ...``. It must rise in each input.
    regret : float or str
        How far from the optimum a size may be: in the unit of the response, or as a share of the budget, ``"5%"``: no
        worse than the best run of 5 % less.
    at_least, at_most : mapping of str to number or str, optional
        Limits of what shares the budget: ``at_most={"N": "70B"}`` for a model that can be served.
    group : str, optional
        One group, or ``"new"``; by default all, along their dim.
    seed : int
        For the draws of a new group and the choice of a stack's draws.
    **given : number, str, sequence or DataArray
        What is held fixed: other inputs of the law (``D_U="100B"`` unique tokens), arguments of the cost
        (``D_inference="1T"``), one of the inputs themselves (``N="70B"``: how many tokens?). Instead of C, a level of
        the response (``L=2.0``): the least budget that reaches it.

    Returns
    -------
    Dataset
        Of a budget, for a law of N and D. Draws (``chain``, ``draw``): ``N``, ``D``, ``tokens_per_parameter`` and
        ``L`` at each draw's own optimum; ``L_bayes`` at the decision; ``regret``, how much worse that is than ``L``.
        Without draws: ``N_bayes``, ``D_bayes``, ``tokens_per_parameter_bayes``; ``N_low`` and ``N_high``, the sizes
        within ``regret`` of it; ``beyond``, how many times the decision lies beyond the runs. Of a level: ``C``, ``N``
        and ``D`` of each draw, ``inf`` where no budget is enough; and ``C_bayes``, ``N_bayes``, ``D_bayes``, with which
        the expected response reaches it. All are of the law, without noise and without any discrepancy.

    Raises
    ------
    InputError
        No budget and no level, or both; inputs missing or unknown; a budget that buys no run; a law of one input.

    References
    ----------
    .. [1] Hoffmann et al. (2022), arXiv:2203.15556, section 3.3 (closed form).
    .. [2] Sardana et al. (2024), arXiv:2401.00448 (cost of use).

    Examples
    --------
    >>> import bayescale as bs
    >>> posterior = bs.open_posterior("sweep.nc")
    >>> bs.allocate(posterior, C=1e24)["N_bayes"]
    >>> bs.allocate(posterior, C=1e24, cost=bs.with_inference, D_inference="1T")
    """
    check_asked(posterior, (Posterior, Stack), group)
    output = _output(posterior)
    if (C is None) == (output.symbol not in given):
        raise InputError(
            f"Give a budget, C=1e24, or a level to reach, {output.symbol}=...; "
            f"{'neither was' if C is None else 'both were'} given."
        )
    level = given.pop(output.symbol, None)

    def split_of(one: Posterior) -> Split:
        return read_split(one.model, cost, given, at_least, at_most)

    if C is not None:
        budget = read_value(BUDGET, C, signed=False)
        allowed = _read_regret(regret)
        answer = ask(
            posterior, group, seed, split_of, lambda beliefs: _decide(beliefs, budget, allowed), partial(_own, budget)
        )
        return answer.assign_coords({BUDGET: budget.assign_attrs(units=answer.attrs["cost_unit"])})
    asked = read_value(output.symbol, level, signed=output.support == REAL)
    answer = ask(posterior, group, seed, split_of, lambda beliefs: _reach(beliefs, asked), partial(_needed, asked))
    return answer.assign_coords({output.symbol: asked.assign_attrs(units=output.unit)})


def _output(posterior: Posterior | Stack) -> Output:
    one = next(iter(posterior.members.values())) if isinstance(posterior, Stack) else posterior
    return one.model.law.output


def _read_regret(regret: float | str) -> tuple[float, float]:
    """Read how far from the optimum a size may be: in the response's unit, or as a share of the budget."""
    match = _PERCENT.fullmatch(regret) if isinstance(regret, str) else None
    try:
        number = float(match[1]) / 100 if match else float(regret)
    except (TypeError, ValueError):
        number = np.nan
    if not 0 < number < (1 if match else np.inf):
        raise InputError(
            f"regret is a positive number in the response's unit, such as 0.01, or a share of the budget above 0 and "
            f"below 100 %, such as '5%'; {regret!r} was given."
        )
    return (0.0, number) if match else (number, 0.0)


def _decide(beliefs: list[Belief], budget: xr.DataArray, allowed: tuple[float, float]) -> xr.Dataset:
    """Decide how to split a budget, and how far from it the expected response stays within what is allowed."""
    split = beliefs[0].split
    place, values = decide(beliefs, budget.variable)
    found = {f"{name}_bayes": value for name, value in values.items()}
    notes = []
    if len(split.free) == 2:
        size = split.free[0]
        low, high = split.range(budget.variable)
        best = expected(beliefs, values)
        slack = best * 0 + allowed[0]
        if allowed[1]:
            slack = expected(beliefs, decide(beliefs, budget.variable * (1 - allowed[1]))[1]) - best

        def left(u: Any) -> Any:
            more = expected(beliefs, split.along(u, budget.variable)) - best
            # At the very end nothing may be left for the other input: no loss there is finite, and none is allowed.
            return slack - more.where(np.isfinite(more), LARGEST)

        up, down = crossing(left, place, high), crossing(lambda u: left(-u), -place, -low)
        # Minus infinity: nothing is allowed, not even rounding; infinity: all up to the limit is.
        found[f"{size}_low"] = np.exp(-down.where(down > -np.inf, -place).where(down < np.inf, -low))
        found[f"{size}_high"] = np.exp(up.where(up > -np.inf, place).where(up < np.inf, high))
        limited = np.mean((place - low < _AT_LIMIT) | (high - place < _AT_LIMIT))
        if limited > 0:
            notes.append(
                f"The best {size} lies at a limit of what is allowed in {100 * float(limited):.3g} % of the cases."
            )
    if bool(np.any(split.spent(values) < budget.variable * (1 - _AT_LIMIT))):
        notes.append("The limits leave part of the budget unspent.")
    said = f"{100 * allowed[1]:.3g} % of the budget" if allowed[1] else f"{allowed[0]:.3g} {beliefs[0].output.unit}"
    return _dressed(beliefs, found, budget, {"notes": notes, "cost_unit": split.unit, "allowed": said})


def _dressed(beliefs: list[Belief], found: Mapping[str, Any], asked: xr.DataArray, attrs: Mapping) -> xr.Dataset:
    """Put coordinates on a decision, and add what follows from it."""
    coords: dict[Any, Any] = {}
    for array in (asked, *beliefs[0].split.given.values(), *(x for b in beliefs for x in b.params.values())):
        coords |= {dim: array[dim] for dim in array.dims if dim in array.coords}
    decision = {
        name: xr.DataArray(value, {dim: coords[dim] for dim in value.dims if dim in coords})
        for name, value in found.items()
    }
    free = {name: decision[f"{name}_bayes"] for name in beliefs[0].split.free}
    if (ratio := beliefs[0].ratio(free)) is not None:
        decision[f"{TOKENS_PER_PARAMETER}_bayes"] = ratio
    reached = {name: value.where(np.isfinite(value), 1.0) for name, value in free.items()}
    finite = reduce(and_, (np.isfinite(value) for value in free.values()))
    decision["beyond"] = beyond(beliefs, reached).where(finite, np.inf)
    return xr.Dataset(decision, attrs=dict(attrs))


def _own(budget: xr.DataArray, belief: Belief, decision: xr.Dataset) -> xr.Dataset:
    """One law's draws of the best split, and of the response there and at the decision."""
    symbol = belief.output.symbol
    own = optimum(belief.posterior, belief.params, budget, belief.split)
    answer = dict(own)
    if (ratio := belief.ratio(own)) is not None:
        answer[TOKENS_PER_PARAMETER] = ratio
    answer[symbol] = belief.law(own)
    answer[f"{symbol}_bayes"] = belief.law({name: decision[f"{name}_bayes"] for name in own})
    answer["regret"] = belief.sign * (answer[f"{symbol}_bayes"] - answer[symbol])
    return decision.assign(answer)


def _reach(beliefs: list[Belief], level: xr.DataArray) -> xr.Dataset:
    """Decide on the least budget with which the expected response reaches a level, and its split."""
    aim = beliefs[0].sign * level.variable

    def missing(place: Any) -> Any:
        return expected(beliefs, decide(beliefs, np.exp(place))[1]) - aim

    low, high = budgets(beliefs[0].split, 0 * aim)
    place = crossing(missing, low, high)
    reached: Any = place < np.inf
    budget = np.exp(place.where(place > -np.inf, low).where(reached, low))
    _, values = decide(beliefs, budget)
    found = {f"{name}_bayes": value.where(reached, np.inf) for name, value in values.items()}
    found[f"{BUDGET}_bayes"] = budget.where(reached, np.inf)
    return _dressed(beliefs, found, level, {"notes": [], "cost_unit": beliefs[0].split.unit})


def _needed(level: xr.DataArray, belief: Belief, decision: xr.Dataset) -> xr.Dataset:
    """One law's draws of the least budget that reaches a level, and its split."""
    budget = least_budget(belief.posterior, belief.params, level, belief.split)
    own = optimum(belief.posterior, belief.params, budget, belief.split)
    answer = dict(own)
    if (ratio := belief.ratio(own)) is not None:
        answer[TOKENS_PER_PARAMETER] = ratio
    return decision.assign({BUDGET: budget, **answer})


def allocation_table(answer: xr.Dataset) -> pd.DataFrame:
    """Reduce an allocation to a line for each budget or level, and group.

    Returns
    -------
    DataFrame
        The decision (columns that end in ``_bayes``, ``_low``, ``_high``), ``beyond``, and median and interval of what
        has draws.
    """
    return reduced_table(answer)


def allocation_sentences(answer: xr.Dataset) -> list[str]:
    """Say an allocation in words: a sentence for each budget or level, then what limits it."""
    rows = allocation_table(answer).to_dict("records")
    say = _say_level if f"{BUDGET}_bayes" in answer else _say_budget
    return [*doubted(answer), *(say(answer, row) for row in rows), *answer.attrs["notes"]]


def _say_budget(answer: xr.Dataset, row: Mapping[str, Any]) -> str:
    free, symbol = answer.attrs["free"], answer.attrs["output"]
    said = (
        f"{where(answer, row)}: {_plan(answer, row)}; the law expects {symbol} {row[f'{symbol}_bayes median']:.4g} "
        f"{answer[symbol].attrs['units']} ({interval_name()} {row[f'{symbol}_bayes lower']:.4g} to "
        f"{row[f'{symbol}_bayes upper']:.4g})."
    )
    if len(free) == 2:
        size = free[0]
        best = [short_number(row[f"{size} {part}"]) for part in ("lower", "upper")]
        near = [short_number(row[f"{size}_{end}"]) for end in ("low", "high")]
        said += (
            f" The best {size} lies between {best[0]} and {best[1]}; any from {near[0]} to {near[1]} gives away "
            f"no more than {answer.attrs['allowed']}."
        )
    return said + reach(row)


def _say_level(answer: xr.Dataset, row: Mapping[str, Any]) -> str:
    unit = answer.attrs["cost_unit"]
    if not np.isfinite(row[f"{BUDGET}_bayes"]):
        said = f"{where(answer, row)}: no budget is expected to be enough"
    else:
        said = f"{where(answer, row)}: {row[f'{BUDGET}_bayes']:.3g} {unit} are expected to be enough, "
        said += _plan(answer, row)
    never = row.get(f"{BUDGET} never", 0.0)
    if never == 1:
        return f"{said}, and in no draw is any: the law's limit lies short of the level."
    median = row[f"{BUDGET} median"]
    least = f"The least budget is {median:.3g} {unit}" if np.isfinite(median) else "More likely than not none is enough"
    return (
        f"{said}. {least} ({interval_name()} of the least budget {row[f'{BUDGET} lower']:.3g} to "
        f"{row[f'{BUDGET} upper']:.3g} {unit}); with probability {never:.2g} none is enough.{reach(row)}"
    )


def _plan(answer: xr.Dataset, row: Mapping[str, Any]) -> str:
    """Say the decision: ``N = 41.3B, D = 4.03T (97.6 tokens per parameter)``."""
    said = listed(f"{name} = {short_number(row[f'{name}_bayes'])}" for name in answer.attrs["free"])
    ratio = row.get(f"{TOKENS_PER_PARAMETER}_bayes")
    return said if ratio is None else f"{said} ({short_number(ratio)} tokens per parameter)"
