"""The best split of a budget between two inputs of a law, for every draw; and the budget a level needs.

A question comes and goes as DataArrays. In between are their Variables, as `bayescale.search` asks for.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
import xarray as xr

from bayescale.answers.common import read_value
from bayescale.cost import cost_arguments, cost_unit, six_nd
from bayescale.errors import InputError
from bayescale.given import check_kind
from bayescale.law import Law
from bayescale.model import Model
from bayescale.posterior import Posterior
from bayescale.search import crossing, minimise
from bayescale.words import listed, quoted, shown

# What follows from parameters N and tokens D, where a law takes it.
_DERIVED: Mapping[str, Callable[[Any, Any], Any]] = MappingProxyType({"C": six_nd, "M": lambda N, D: D / N})
_HUGE = 1e30
LARGEST = 1e60  # of either input; far beyond any run
_EXACT = 1e-9


@dataclass(frozen=True, eq=False)
class Split:
    """Inputs of a law that share a budget, and all else held fixed.

    Parameters
    ----------
    law : Law
        What the budget is spent for.
    cost : callable
        What a run costs: takes columns of the runs and numbers of its own, by name.
    given : mapping of str to DataArray
        What is held fixed, natural units: other inputs of the law, other arguments of the cost, or one of the inputs
        that would share the budget.
    free : tuple of str
        The inputs that share the budget, in the order of the cost's arguments: two, or one where the other is given.
    least, most : mapping of str to float
        Limits of the free inputs.
    """

    law: Law
    cost: Callable[..., Any]
    given: Mapping[str, xr.DataArray]
    free: tuple[str, ...]
    least: Mapping[str, float]
    most: Mapping[str, float]

    @cached_property
    def _of_cost(self) -> tuple[str, ...]:
        return tuple(name for names in cost_arguments(self.cost) for name in names)

    @cached_property
    def _fixed(self) -> dict[str, xr.Variable]:
        return {name: array.variable for name, array in self.given.items()}

    @property
    def unit(self) -> str:
        """Unit of the budget."""
        return cost_unit(self.cost)

    @property
    def closed(self) -> bool:
        """Whether the law's closed form answers: N and D are free, at the usual cost."""
        return self.law.optimum is not None and self.cost is six_nd and len(self.free) == 2 and not self.given

    def spent(self, values: Mapping[str, Any]) -> Any:
        """Cost at values of the free inputs."""
        known = {**self._fixed, **values}
        found = self.cost(**{name: known[name] for name in self._of_cost if name in known})
        if not isinstance(found, xr.DataArray) and any(isinstance(x, xr.DataArray) for x in values.values()):
            raise InputError(
                f"The cost must be a number computed from what is bought, {listed(values)}; {self.cost!r} gives "
                f"{shown(found)} whatever they are. Write it like `lambda N, D: 6 * N * D`."
            )
        return found

    def inputs(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Inputs of the law, by the formula's symbols, at values of the free inputs."""
        known = {**self._fixed, **values}
        known |= {
            c: follows(known["N"], known["D"])
            for c, follows in _DERIVED.items()
            if c in self.law.columns and c not in known
        }
        return {i.symbol: known[i.column] for i in self.law.inputs}

    def afford(self, name: str, values: Mapping[str, Any], budget: Any) -> Any:
        """How much of one free input the rest of a budget buys; negative or zero where nothing is left.

        Costs are straight lines in tokens, nearly always; that is tried first and checked, then a search.
        """
        first = self.spent({**values, name: 0 * budget})
        each = self.spent({**values, name: 0 * budget + _HUGE}) / _HUGE
        bought: Any = (budget - first) / each
        found = self.spent({**values, name: bought})
        right = (np.abs(found - budget) <= _EXACT * np.abs(budget)) | (bought <= 0)
        if bool(right.all()):
            return bought

        def left(place: Any) -> Any:
            return budget - self.spent({**values, name: np.exp(place)})

        place = crossing(left, 0 * budget + np.log(self.least[name] / 1e6), 0 * budget + np.log(LARGEST))
        return np.exp(place.where(place < np.inf, np.log(LARGEST)))

    def range(self, budget: Any) -> tuple[Any, Any]:
        """Ends of the first free input, on the log scale: its limits, and what the budget buys beside the least other.

        Raises
        ------
        InputError
            The budget does not buy the smallest run.
        """
        size, *others = self.free
        smallest = {name: 0 * budget + self.least[name] for name in self.free}
        self._refuse_poor(budget, self.spent(smallest))
        low = 0 * budget + np.log(self.least[size])

        def left(place: Any) -> Any:
            values = {size: np.exp(place), **{name: smallest[name] for name in others}}
            return budget - self.spent(values)

        most = np.log(self.most[size])
        high = crossing(left, low, 0 * budget + most)
        return low, high.where(high > -np.inf, low).where(high < np.inf, most)

    def _refuse_poor(self, budget: Any, cheapest: Any) -> None:
        poor = cheapest > budget * (1 + _EXACT)
        if not bool(np.any(poor)):
            return
        at = ", ".join(f"{name} = {self.least[name]:.4g}" for name in self.free)
        least, price = ((x + 0 * poor).where(poor).to_numpy() for x in (budget, cheapest))
        raise InputError(
            f"A budget of {np.nanmin(least):.4g} {self.unit} does not buy the smallest run ({at}), which costs "
            f"{np.nanmin(price):.4g}. Give more, or lower the limits."
        )

    def along(self, place: Any, budget: Any) -> dict[str, Any]:
        """Free inputs at a place, the log of the first; the second is what the rest of the budget buys.

        The second is NaN where the budget does not buy its least; it stops at its most, and the budget is not spent.
        """
        size = self.free[0]
        values = {size: np.exp(place)}
        if len(self.free) == 1:
            return values
        other = self.free[1]
        bought = self.afford(other, values, budget + 0 * place)
        bought = bought.where(bought >= self.least[other] * (1 - 1e-6))
        return {**values, other: np.minimum(bought, self.most[other])}


def read_split(
    model: Model,
    cost: Callable[..., Any],
    given: Mapping[str, Any],
    at_least: Mapping[str, Any] | None = None,
    at_most: Mapping[str, Any] | None = None,
) -> Split:
    """Read which inputs of a law share a budget, from what is held fixed.

    Parameters
    ----------
    model : Model
        Gives the law.
    cost : callable
        What a run costs.
    given : mapping
        Column of the law, or argument of the cost, to a number, text such as ``"70B"``, a sequence (a dim of that name)
        or a DataArray.
    at_least, at_most : mapping, optional
        Limits of the inputs that are not given. By default at least 1, or the least of the runs where that is smaller.

    Raises
    ------
    InputError
        A name that neither the law nor the cost knows; not two inputs left that share the budget; limits that leave
        nothing.
    """
    law = model.law
    needed, optional = cost_arguments(cost)
    taken = [c for c in law.columns if not (c in _DERIVED and c not in needed and {"N", "D"} <= {*needed, *given})]
    known = {*law.columns, *needed, *optional, "N", "D"}
    if unknown := [name for name in given if name not in known]:
        raise InputError(
            f"{quoted(unknown)} is no input of law {law.name!r} and no argument of the cost; "
            f"those are {listed(dict.fromkeys((*law.columns, *needed, *optional)))}."
        )
    if len(law.columns) == 1 and law.columns[0] in _DERIVED:
        raise InputError(
            f"Law {law.name!r} takes {law.columns[0]} alone, so every split of a budget is as good as another. "
            "Ask a law of N and D, such as chinchilla."
        )
    names = dict.fromkeys((*needed, *taken))
    free = tuple(name for name in names if name not in given)
    if strange := [name for name in free if name not in needed]:
        raise InputError(
            f"Law {law.name!r} takes {listed(law.columns)}; {listed(strange)} costs nothing by this cost, which takes "
            f"{listed(needed)}. Give {listed(f'{name}=' for name in strange)}, or a cost that takes it."
        )
    if not 1 <= len(free) <= 2:
        raise InputError(
            f"A budget is split between two inputs, here {listed(free) or 'none'} "
            f"{'are' if len(free) != 1 else 'is'} free. Law {law.name!r} and the cost take {listed(names)}; "
            f"give all but two of them, or all but one."
        )
    values = {name: _read_given(name, value, name in law.columns) for name, value in given.items()}
    least = {name: min(1.0, _smallest(model, name)) for name in free} | _read_limits(at_least, free, "at_least")
    most = dict.fromkeys(free, LARGEST) | _read_limits(at_most, free, "at_most")
    if crossed := [name for name in free if least[name] > most[name]]:
        name = crossed[0]
        raise InputError(f"{name} must be at least {least[name]:.4g} and at most {most[name]:.4g}: nothing is left.")
    split = Split(law, cost, MappingProxyType(values), free, MappingProxyType(least), MappingProxyType(most))
    _require_cost(split)
    return split


def _require_cost(split: Split) -> None:
    """Refuse a cost that gives no number above zero for the smallest run."""
    numbers, found = np.array(np.nan), "no finite number"
    try:
        numbers = np.asarray(
            split.spent({name: xr.Variable((), split.least[name]) for name in split.free}), dtype=float
        )
    except InputError:
        raise
    except Exception as error:  # the cost may be the user's own program
        found = f"{type(error).__name__} {shown(str(error))}"
    if not bool((np.isfinite(numbers) & (numbers > 0)).all()):
        at = listed(f"{name} = {split.least[name]:.4g}" for name in split.free)
        found = f"{numbers.min():.4g}" if numbers.size and np.isfinite(numbers).any() else found
        raise InputError(
            f"A cost must be positive and finite; for the smallest run ({at}) this one gives {found}. "
            "Mend the function, or its other arguments."
        )


def _read_given(name: str, value: Any, of_law: bool) -> xr.DataArray:
    array = read_value(name, value, signed=not of_law)
    if bool((array < 0).any()):  # of the cost alone: tokens of inference may be 0
        raise InputError(f"{name} must not be negative; {shown(value)} was given.")
    return array


def _read_limits(limits: Mapping[str, Any] | None, free: Iterable[str], what: str) -> dict[str, float]:
    check_kind(what, {} if limits is None else limits, Mapping, "Write {'N': '70B'}.")
    if unknown := [name for name in limits or {} if name not in free]:
        raise InputError(f"{what} limits {quoted(unknown)}; what shares the budget is {listed(free)}.")
    read = {name: read_value(name, value, signed=False) for name, value in (limits or {}).items()}
    if several := [name for name, array in read.items() if array.ndim]:
        raise InputError(f"{what} takes one number for {several[0]!r}.")
    return {name: float(array) for name, array in read.items()}


def _smallest(model: Model, column: str) -> float:
    known = {i.column: i.symbol for i in model.law.inputs}
    return float(np.min(model.inputs()[known[column]])) if column in known else 1.0


def badness(posterior: Posterior, params: Mapping[str, Any], split: Split, values: Mapping[str, Any]) -> Any:
    """Return the law's response at values of the free inputs, with a sign such that less is better.

    Far from the runs a draw of the law may overflow; what is not finite is never the best.
    """
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        return posterior.law(params, split.inputs(values)) * sign(posterior)


def sign(posterior: Posterior) -> float:
    """Return 1 for a response of which less is better, else -1."""
    return -1.0 if posterior.model.law.output.higher_is_better else 1.0


def optimum(
    posterior: Posterior, params: Mapping[str, xr.DataArray], budget: xr.DataArray, split: Split
) -> dict[str, xr.DataArray]:
    """Best values of the free inputs at a budget, for every draw.

    Where the law has a closed form and the cost is 6 N D, that, within the limits; otherwise a search.

    Parameters
    ----------
    posterior, params
        The fit, and draws of its parameters (`Posterior.params`).
    budget : DataArray
        In the cost's unit; may have the dims of the draws.
    split : Split
        What shares the budget.

    Returns
    -------
    dict of str to DataArray
        By column, dims of the draws and of the budget; NaN where the law has no finite value anywhere, ``inf`` where
        the budget is.
    """
    dress = _Dress(params, budget, split)
    finite = np.isfinite(budget.variable)
    stand_in: Any = np.exp(budgets(split, 0.0 * finite)[0])
    found = _optimum(posterior, dress.params, xr.where(finite, budget.variable, stand_in), split)
    return {name: dress(xr.where(finite, value, np.inf)) for name, value in found.items()}


def least_budget(
    posterior: Posterior, params: Mapping[str, xr.DataArray], level: xr.DataArray, split: Split
) -> xr.DataArray:
    """Least budget that reaches a level of the response, for every draw.

    Parameters
    ----------
    posterior, params, split
        As for `optimum`.
    level : DataArray
        Of the response, in its unit; may have the dims of the draws.

    Returns
    -------
    DataArray
        In the cost's unit; ``inf`` where none is enough, and the cost of the smallest run where that reaches it.
    """
    dress = _Dress(params, level, split)

    def missing(place: Any) -> Any:
        found = _optimum(posterior, dress.params, np.exp(place), split)
        return badness(posterior, dress.params, split, found) - sign(posterior) * level.variable

    low, high = budgets(split, 0 * level.variable)
    place = crossing(missing, low, high)
    return dress(np.exp(place.where(place > -np.inf, low)))


def budgets(split: Split, zero: Any) -> tuple[Any, Any]:
    """Logs of the least budget that buys a run, and of one beyond all questions, plus zero of some dims."""
    for array in split.given.values():
        zero = zero + 0 * array.variable
    low = split.spent({name: zero + split.least[name] for name in split.free})
    high = split.spent({name: zero + min(split.most[name], _HUGE) for name in split.free})
    return np.log(low * (1 + 1e-6)), np.log(high)


class _Dress:
    """Draws without their coordinates, and the coordinates to put on again."""

    def __init__(self, params: Mapping[str, xr.DataArray], asked: xr.DataArray, split: Split):
        self.params = {name: value.variable for name, value in params.items()}
        coords: dict[Any, Any] = {}
        for array in (*params.values(), asked, *split.given.values()):
            coords |= {dim: array[dim] for dim in array.dims if dim in array.coords}
        self._coords = coords

    def __call__(self, value: xr.Variable) -> xr.DataArray:
        coords = {dim: self._coords[dim] for dim in value.dims if dim in self._coords}
        return xr.DataArray(value, coords).transpose("chain", "draw", ..., missing_dims="ignore")


def _optimum(posterior: Posterior, params, budget, split: Split) -> dict[str, Any]:
    if split.closed and (found := _closed(posterior, params, budget, split)) is not None:
        return found
    low, high = split.range(budget)
    if len(split.free) == 1:
        return {split.free[0]: np.exp(high)}
    place = minimise(lambda u: badness(posterior, params, split, split.along(u, budget)), low, high)
    return split.along(place, budget)


def _closed(posterior: Posterior, params, budget, split: Split) -> dict[str, Any] | None:
    """The closed form, moved into the limits; None where it is not finite.

    Along a budget these losses fall to the optimum and rise after it, so the limit nearest to it is the best allowed.
    """
    law, reference = posterior.model.law, posterior.model.reference
    assert law.optimum is not None
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        constants = law.to_paper({p.symbol: params[p.symbol] for p in law.params}, reference)
        size, tokens = law.optimum(budget, **constants)
    if not bool(np.all(np.isfinite(size) & np.isfinite(tokens))):
        return None
    low, high = split.range(budget)
    full = np.log(budget / 6 / split.most[split.free[1]])  # a smaller size cannot spend the budget
    return split.along(np.minimum(np.maximum(np.log(size), np.maximum(low, full)), high), budget)
