"""What a run gives away that is not the best for its cost, such as a small model trained for long."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayescale.answers.belief import Belief, ask, beyond
from bayescale.answers.common import check_asked, doubted, interval_name, reach, read_value, reduced_table, where
from bayescale.answers.mixture import Stack
from bayescale.answers.optimum import Split, least_budget, optimum, read_split
from bayescale.cost import cost_arguments, six_nd
from bayescale.errors import InputError
from bayescale.posterior import Posterior
from bayescale.words import listed

_COST = "C"


def deviation(
    posterior: Posterior | Stack,
    *,
    cost: Callable[..., Any] = six_nd,
    group: str | None = None,
    seed: int = 0,
    **run: Any,
) -> xr.Dataset:
    """Compare a run with the best one of its cost.

    Parameters
    ----------
    posterior : Posterior or Stack
        A fit, or several laws with weights.
    cost : callable
        As for `allocate`.
    group : str, optional
        One group, or ``"new"``; by default all, along their dim.
    seed : int
        For the draws of a new group and the choice of a stack's draws.
    **run : number, str, sequence or DataArray
        The run, by column, ``N="8B", D="15T"``, and what else the law or the cost takes.

    Returns
    -------
    Dataset
        For a law of loss, draws of: ``L`` of the run; ``L_best`` of the best run of the same cost; ``regret``, how much
        worse the run is, never negative; ``C_least``, the least budget that reaches ``L``; ``times``, the run's cost
        over that. Without draws: ``C``, the run's cost, and ``beyond``, how many times it lies beyond the runs. All are
        of the law, without noise and without any discrepancy.

    Raises
    ------
    InputError
        Inputs missing or unknown.

    Examples
    --------
    >>> import bayescale as bs
    >>> bs.deviation(bs.open_posterior("sweep.nc"), N="8B", D="15T")["times"]
    """
    check_asked(posterior, (Posterior, Stack), group)
    shared = cost_arguments(cost)[0][:2]
    if missing := [name for name in shared if name not in run]:
        raise InputError(f"A run is told by {listed(shared)}, which its cost takes; {listed(missing)} is not given.")
    units = {"N": "parameters", "D": "tokens"}
    values = {
        name: read_value(name, run[name], signed=False).assign_attrs(units=units.get(name, "")) for name in shared
    }
    for name, x in values.items():
        if clash := [str(dim) for dim in x.dims if dim in values and x.dims != (name,)]:
            raise InputError(f"{name} has a dim {clash[0]!r}, the name of an input; rename the dim.")
    given = {name: value for name, value in run.items() if name not in shared}

    def split_of(one: Posterior) -> Split:
        return read_split(one.model, cost, given)

    def decision(beliefs: list[Belief]) -> xr.Dataset:
        one = beliefs[0].split
        spent = one.spent({**one.given, **values}).assign_attrs(units=one.unit)
        if not bool(np.isfinite(spent).all()):
            raise InputError(f"A run's cost is no finite number at {listed(f'{n}={run[n]}' for n in shared)}.")
        return xr.Dataset({_COST: spent, "beyond": beyond(beliefs, values)})

    def answer(belief: Belief, decided: xr.Dataset) -> xr.Dataset:
        symbol = belief.output.symbol
        own = belief.law(values)
        best = belief.law(optimum(belief.posterior, belief.params, decided[_COST], belief.split))
        least = least_budget(belief.posterior, belief.params, own, belief.split)
        draws = {symbol: own, f"{symbol}_best": best, "regret": belief.sign * (own - best)}
        times = (decided[_COST] / least).assign_attrs(units="1")
        return decided.assign({**draws, f"{_COST}_least": least, "times": times})

    found = ask(posterior, group, seed, split_of, decision, answer)
    return found.assign_coords(values)


def deviation_table(answer: xr.Dataset) -> pd.DataFrame:
    """Reduce a deviation to a line for each run and group, as `reduced_table` does."""
    return reduced_table(answer)


def deviation_sentences(answer: xr.Dataset) -> list[str]:
    """Say in words what each run gives away, then what limits the answer."""
    symbol = answer.attrs["output"]
    unit, spent = answer[symbol].attrs["units"], answer[_COST].attrs["units"]
    rows = deviation_table(answer).to_dict("records")
    return [*doubted(answer), *(_say(answer, row, symbol, unit, spent) for row in rows), *answer.attrs["notes"]]


def _say(answer: xr.Dataset, row: Mapping[str, Any], symbol: str, unit: str, spent: str) -> str:
    return (
        f"{where(answer, row)}: costs {row[_COST]:.3g} {spent}, {row['times median']:.3g} times what its {symbol} must "
        f"cost ({interval_name()} {row['times lower']:.3g} to {row['times upper']:.3g}); the law expects {symbol} "
        f"{row[f'{symbol} median']:.4g} {unit}, {row['regret median']:.3g} worse than the best run of that cost."
        f"{reach(row)}"
    )
