"""What a decision is made from: draws of one law, or of several with weights, and what shares the budget."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Any

import numpy as np
import xarray as xr

from bayescale.answers.common import warn_of_nan, warn_unless_converged
from bayescale.answers.mixture import Stack
from bayescale.answers.optimum import Split, badness, sign
from bayescale.answers.trust import trust
from bayescale.errors import InputError
from bayescale.law import Output
from bayescale.posterior import Posterior
from bayescale.search import minimise

_PART = re.compile(r"_(bayes|low|high|best|least)$")
_UNITS = {"N": "parameters", "D": "tokens"}
TOKENS_PER_PARAMETER = "tokens_per_parameter"


@dataclass(frozen=True, eq=False)
class Belief:
    """One law's part in a decision.

    Parameters
    ----------
    weight : float
        Of the law.
    posterior : Posterior
        Its fit.
    group : str or None
        Which group it is asked for; None for all.
    params : mapping of str to DataArray
        Draws of its parameters.
    split : Split
        What shares the budget.
    """

    weight: float
    posterior: Posterior
    group: str | None
    params: Mapping[str, xr.DataArray]
    split: Split

    @property
    def output(self) -> Output:
        """What the law predicts."""
        return self.posterior.model.law.output

    @property
    def sign(self) -> float:
        """1 for a response of which less is better, else -1."""
        return sign(self.posterior)

    @cached_property
    def _bare(self) -> dict[str, xr.Variable]:
        return {name: value.variable for name, value in self.params.items()}

    def expected(self, values: Mapping[str, Any]) -> Any:
        """Mean over draws of the law's response at values of the free inputs (Variables), signed: less is better."""
        return badness(self.posterior, self._bare, self.split, values).mean(("chain", "draw"))

    def law(self, values: Mapping[str, xr.DataArray]) -> xr.DataArray:
        """Draws of the law at values of the free inputs."""
        return self.posterior.law(self.params, self.inputs(values)).assign_attrs(units=self.output.unit)

    def inputs(self, values: Mapping[str, xr.DataArray]) -> dict[str, Any]:
        """Inputs of the law, by the formula's symbols."""
        return self.split.inputs({**self.split.given, **values})

    def ratio(self, values: Mapping[str, Any]) -> Any:
        """Tokens per parameter, ``inf`` where no budget is enough; None where N and D are not both there."""
        known = {**self.split.given, **values}
        if not {"N", "D"} <= known.keys():
            return None
        # Where no budget is enough, N and D are infinite, and so is their ratio.
        return xr.where(np.isinf(known["N"]), np.inf, known["D"] / known["N"], keep_attrs=True)


def expected(beliefs: list[Belief], values: Mapping[str, Any]) -> Any:
    """Expected response under all laws, by their weights, signed such that less is better; values are Variables."""
    total = sum(belief.weight for belief in beliefs)
    return reduce(lambda a, b: a + b, (belief.weight / total * belief.expected(values) for belief in beliefs))


def decide(beliefs: list[Belief], budget: Any) -> tuple[Any, dict[str, Any]]:
    """Find the split of a budget with the least expected response; all are Variables.

    Returns
    -------
    place : Variable
        Log of the first free input.
    values : dict of str to Variable
        The free inputs.

    Raises
    ------
    InputError
        The expected response is finite nowhere.
    """
    split = beliefs[0].split
    low, high = split.range(budget)
    if len(split.free) == 1:
        return high, split.along(high, budget)
    place = minimise(lambda u: expected(beliefs, split.along(u, budget)), low, high)
    if bool(np.any(np.isnan(place))):
        raise InputError(
            f"The expected {beliefs[0].output.meaning} is not finite for any split of some budget, so none is best: "
            "some draws of the law overflow there. Ask for a budget nearer to the runs."
        )
    return place, split.along(place, budget)


def beyond(beliefs: list[Belief], values: Mapping[str, xr.DataArray]) -> xr.DataArray:
    """How many times a point lies beyond the runs, by the law that goes farthest."""
    found = [b.posterior.beyond(b.inputs(values), b.group) for b in beliefs]
    return reduce(np.maximum, found).assign_attrs(units="1", long_name="times beyond the runs; 1 inside")


def ask[Decision](
    posterior: Posterior | Stack,
    group: str | None,
    seed: int,
    split_of: Callable[[Posterior], Split],
    decision: Callable[[list[Belief]], Decision],
    answer: Callable[[Belief, Decision], xr.Dataset],
) -> xr.Dataset:
    """Decide once, by all laws together; answer by each; mix the answers of a stack.

    Parameters
    ----------
    posterior, group, seed
        As for the answers.
    split_of : callable
        Reads what shares the budget, for one law.
    decision : callable
        Takes the beliefs of all laws that can answer.
    answer : callable
        Takes one law's belief and the decision. Variables without draws must come from the decision alone.
    """

    def belief(one: Posterior, weight: float, own: str | None) -> Belief:
        warn_unless_converged(one, stacklevel=7)
        return Belief(weight, one, own, one.params(own, seed), split_of(one))

    if isinstance(posterior, Stack):
        stack = posterior
        weight_of = {id(one): stack.weights[name] for name, one in stack.members.items()}
        beliefs = stack.ask(lambda one: belief(one, weight_of[id(one)], stack.group_of(one, group)))
        decided = decision(list(beliefs.values()))
        found = stack.mix({name: answer(one, decided) for name, one in beliefs.items()}, seed)
        return _finished(found, list(beliefs.values()), group)
    only = belief(posterior, 1.0, group)
    found = answer(only, decision([only]))
    attrs = {"law": posterior.model.law.name, **trust(posterior, beyond=found.get("beyond", 1.0)), "seed": seed}
    return _finished(found.assign_attrs(attrs), [only], group)


def _finished(answer: xr.Dataset, beliefs: list[Belief], group: str | None) -> xr.Dataset:
    """Put units on, and say what the answer leaves out."""
    warn_of_nan(answer, 5)
    one = beliefs[0]
    columns = {i.column: i.unit for b in beliefs for i in b.posterior.model.law.inputs}
    units = {TOKENS_PER_PARAMETER: "tokens/parameter", **{n: _UNITS.get(n, columns.get(n, "")) for n in one.split.free}}
    units |= {one.output.symbol: one.output.unit, "regret": one.output.unit, "C": one.split.unit}
    for name in answer.data_vars:
        if unit := units.get(_PART.sub("", str(name))):
            answer[name].attrs["units"] = unit
    notes = [str(note) for note in answer.attrs.get("notes", ())]
    if any(belief.posterior.model.discrepancy for belief in beliefs):
        notes.append("The law alone is asked: the departure from it that the fit allows for is left out.")
    attrs: dict[str, Any] = {"free": list(one.split.free), "output": one.output.symbol, "notes": notes}
    return answer.assign_attrs(attrs | ({"group": group} if group else {})).transpose(
        "chain", "draw", ..., missing_dims="ignore"
    )
