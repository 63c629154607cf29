"""How much more does one recipe need than another? The factor on an input at which both reach the same level."""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayescale.answers.common import (
    check_asked,
    doubted,
    interval,
    interval_name,
    read_inputs,
    read_value,
    warn_unless_converged,
)
from bayescale.answers.mixture import Stack
from bayescale.answers.optimum import Split, least_budget, optimum, read_split
from bayescale.answers.trust import trust
from bayescale.cost import six_nd
from bayescale.errors import BayescaleWarning, InputError
from bayescale.given import check_text
from bayescale.law import NONE
from bayescale.posterior import NEW, Posterior
from bayescale.prior import POSITIVE
from bayescale.search import crossing
from bayescale.streams import stream
from bayescale.words import listed, quoted, shown

LIMIT = 60.0  # e-folds either way: a factor of 1e26, beyond which is never
_BUDGETS = ("N", "D", "C")
_HUGE = 1e300


def multiplier(
    posterior: Posterior | Stack,
    first: str | None = None,
    second: str | None = None,
    *,
    other: Posterior | Stack | None = None,
    along: str = "C",
    reducible: float | None = None,
    seed: int = 0,
    **inputs: Any,
) -> xr.Dataset:
    """Compare how much of an input two recipes need: the second's need as a multiple of the first's.

    At the *same level*, the default, the first recipe stands at the point given, and the multiplier is the factor ``k``
    by which the second's input ``along`` must grow from that point to reach the first's response there. Along ``N``
    with the second as reference that is the first's capability density: effective over actual parameters [1]_. Along
    ``C`` both spend their compute as well as they can.

    At the same *relative* level, with ``reducible=r``, levels are not compared between recipes, which may be modalities
    with other units and floors. Each falls from the point until its reducible response, what is above the law's own
    limit as all its inputs grow, is ``r`` times what it is at the point. ``k`` is the second's input there over the
    first's: in log units, ``ln k = ln x_second - ln x_first``. For two power laws of one input with exponents ``a``,
    ``ln k = -ln(r) (1 / a_second - 1 / a_first)``, whatever their floors and coefficients.

    Parameters
    ----------
    posterior : Posterior or Stack
        A fit, or several laws with weights; of a stack each law that can is asked, and answers are mixed.
    first, second : str, optional
        Two groups of the fit, or ``"new"`` for an unseen one. Without ``second``, each other group, along the groups'
        dim. With ``other``, ``second`` is a group of that.
    other : Posterior or Stack, optional
        The second recipe's own fit. Its draws are independent of the first's: they are paired at random.
    along : str
        The input: a column of the law, or ``C`` = 6 N D, split at its best, for a law of N and D.
    reducible : float, optional
        Between 0 and 1; see above.
    seed : int
        For the draws of a new group, and the pairing.
    **inputs : number, str, sequence or DataArray
        The point, by column, as for `forecast`; along ``C``, ``C`` and what else the law takes beside N and D. With
        ``reducible`` what is not given is the centre of the runs of ``posterior``.

    Returns
    -------
    Dataset
        Dims ``chain``, ``draw``, those of the inputs and groups. ``multiplier``, ``k``: ``inf`` where the second never
        gets there (not by a factor of 1e26, or not by this input alone), 0 where it is there at any size, NaN where
        neither recipe does. ``first`` and ``second``, the input itself. ``beyond``, without draws: how many times the
        farther of both lies beyond its runs, at the median. The law is asked, without discrepancy and noise.

    Warns
    -----
    BayescaleWarning
        The groups' responses are in different units, and the same level was asked for.

    Raises
    ------
    InputError
        An input missing or unknown, a law without a limit, groups not named or unknown.

    References
    ----------
    .. [1] Xiao et al. (2024), arXiv:2412.04315, section 3.

    Examples
    --------
    >>> import bayescale as bs
    >>> bs.multiplier(posterior, "code", "text", along="C", reducible=0.5)
    >>> bs.multiplier(new, other=reference, along="N", N="1B", D="20B")  # density of the new recipe  # doctest: +SKIP
    """
    check_asked(posterior, (Posterior, Stack))
    if other is not None:
        check_asked(other, (Posterior, Stack))
    for name, word in (("first", first), ("second", second), ("along", along)):
        check_text(name, word, "text")
    asked = {"along": along, "reducible": reducible, "seed": seed, **inputs}
    if isinstance(posterior, Stack):
        return _mix(
            posterior,
            lambda member: multiplier(member, *_own(posterior, member, first, second, other), other=other, **asked),
            seed,
        )
    if isinstance(other, Stack):
        return _mix(
            other,
            lambda member: multiplier(posterior, first, other.group_of(member, second), other=member, **asked),
            seed,
        )
    if reducible is not None and not (isinstance(reducible, float | int | np.number) and 0 < reducible < 1):
        raise InputError(f"reducible is a share of the reducible response, from 0 to 1; {shown(reducible)} was given.")
    _check_names(posterior, other, first, second)
    for fitted in (posterior, other):
        if fitted is not None:
            warn_unless_converged(fitted)
    given = _complete(posterior, along, inputs) if reducible is not None else inputs
    _check_inputs(posterior, other, along, given)
    _compare_units(posterior, other, first, second, reducible)
    a = _recipe(posterior, _params(posterior, first, seed), first, along, given)
    b = _recipe(other or posterior, _second_params(posterior, other, first, second, seed), second, along, given)
    return _answer(a, b, reducible, seed)


def _own(stack: Stack, member: Posterior, first, second, other):
    """Groups to ask a member for."""
    return stack.group_of(member, first), second if other is not None else stack.group_of(member, second)


def _mix(stack: Stack, question: Callable[[Posterior], xr.Dataset], seed: int) -> xr.Dataset:
    answers = stack.ask(question)
    # The law that goes farthest beyond its runs says how far the mixture does.
    farthest: Any = reduce(np.maximum, (answer["beyond"] for answer in answers.values()))
    attrs = next(iter(answers.values()))["beyond"].attrs
    return stack.mix({n: answer.assign(beyond=farthest.assign_attrs(attrs)) for n, answer in answers.items()}, seed)


# -- Reading the question


def _check_names(posterior: Posterior, other: Posterior | None, first, second) -> None:
    if other is not None:
        return
    if posterior.model.group is None:
        raise InputError(
            "One fit without groups is one recipe; give the other recipe's fit as other=, or fit both with pool=."
        )
    if first is None or first == second:
        raise InputError(f"Name two groups of {posterior.model.group} to compare: {listed(posterior.model.groups)}.")


def _params(posterior: Posterior, group: str | None, seed: int) -> dict[str, xr.DataArray]:
    return {name: value.reset_coords(drop=True) for name, value in posterior.params(group, seed).items()}


def _second_params(posterior: Posterior, other: Posterior | None, first, second, seed: int):
    if other is not None:
        return _paired(_params(other, second, seed), posterior, seed)
    params = _params(posterior, second, seed)
    if second is not None:
        return params
    group = posterior.model.group
    rest = [name for name in posterior.model.groups if name != first]
    if not rest:
        raise InputError(f"{first!r} is the only group of {group}; there is no other to compare it with.")
    return {name: value.sel({group: rest}) if group in value.dims else value for name, value in params.items()}


def _paired(params: Mapping[str, xr.DataArray], like: Posterior, seed: int) -> dict[str, xr.DataArray]:
    """Draws in a random order and in the shape of another fit's: fits of one seed may else move together."""
    rng = stream("multiplier", seed)
    sizes = next(iter(params.values())).sizes
    shape = tuple(like.dataset.sizes[dim] for dim in ("chain", "draw"))
    wanted, there = int(np.prod(shape)), sizes["chain"] * sizes["draw"]
    rounds = [rng.permutation(there) for _ in range(-(-wanted // there))]
    chosen = np.concatenate(rounds)[:wanted].reshape(shape)
    place = {dim: xr.DataArray(at, dims=("chain", "draw")) for dim, at in _places(chosen, sizes["draw"]).items()}
    coords = {dim: like.dataset[dim] for dim in ("chain", "draw")}
    return {
        name: value.drop_vars(("chain", "draw"), errors="ignore").isel(place).assign_coords(coords)
        for name, value in params.items()
    }


def _places(chosen: np.ndarray, draws: int) -> dict[str, np.ndarray]:
    return {"chain": chosen // draws, "draw": chosen % draws}


def _complete(posterior: Posterior, along: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The point, at the centre of the runs where it is not given."""
    law, reference = posterior.model.law, posterior.model.reference
    centre = {i.column: reference[i.symbol] for i in law.inputs if i.centre != NONE}
    if along == "C" and "C" not in centre and {"N", "D"} <= centre.keys():
        centre["C"] = float(six_nd(centre.pop("N"), centre.pop("D")))
    return centre | dict(inputs)


def _check_inputs(posterior: Posterior, other: Posterior | None, along: str, given: Mapping[str, Any]) -> None:
    columns = dict.fromkeys(c for p in (posterior, other) if p is not None for c in p.model.law.columns)
    if unknown := [name for name in given if name not in (*columns, *_BUDGETS)]:
        raise InputError(f"{quoted(unknown)} is no input here; the law is asked at {listed(columns)}.")
    if "C" not in columns and along != "C" and {"N", "D", "C"} <= given.keys():
        raise InputError("C follows from N and D here; give two of the three.")
    for fitted in (posterior, other):
        if fitted is not None:
            _check_along(fitted, along)


def _check_along(posterior: Posterior, along: str) -> None:
    law = posterior.model.law
    if along == "C" and "C" not in law.columns and {"N", "D"} <= {*law.columns}:
        return
    item = {i.column: i for i in law.inputs}.get(along)
    if item is None:
        ways = [*law.columns, *(["C"] if {"N", "D"} <= {*law.columns} else [])]
        raise InputError(f"Law {law.name!r} is asked along {listed(ways)}; along={along!r} was given.")
    if item.support != POSITIVE:
        raise InputError(f"{along} of law {law.name!r} is shifted, not multiplied; there is no factor to ask for.")


def _compare_units(posterior: Posterior, other: Posterior | None, first, second, reducible) -> None:
    """Warn where a level of one recipe means nothing to the other."""
    if reducible is not None:
        return
    units = [_units(posterior, first), _units(other or posterior, second)]
    if all(units) and units[0] != units[1]:
        warnings.warn(
            f"The recipes' responses are in different units ({listed(sorted(units[0] | units[1]))}): the same level "
            "is not the same quality. Ask for the same relative level with reducible=.",
            BayescaleWarning,
            stacklevel=3,
        )


def _units(posterior: Posterior, group: str | None) -> set[str]:
    model = posterior.model
    if "unit" not in model.runs:
        return set()
    units = model.runs["unit"].to_numpy(dtype=str)
    if group in model.groups and group != NEW:
        units = units[model.group_index == model.groups.index(group)]
    return set(units.tolist())


# -- A recipe: a law with draws, on a path


@dataclass(frozen=True, eq=False)
class _Recipe:
    """Draws of one law, the point where it is asked, and the input that moves."""

    posterior: Posterior
    params: Mapping[str, xr.DataArray]
    group: str | None
    along: str
    x: xr.DataArray
    held: Mapping[str, xr.DataArray]
    split: Split | None

    @property
    def symbol(self) -> str:
        return next(i.symbol for i in self.posterior.model.law.inputs if i.column == self.along)

    @property
    def sign(self) -> float:
        return -1.0 if self.posterior.model.law.output.higher_is_better else 1.0

    def inputs(self, x: xr.DataArray) -> dict[str, Any]:
        """Inputs of the law, by symbol, where the moving one is ``x``."""
        if self.split is None:
            return {**self.held, self.symbol: x}
        found = optimum(self.posterior, self.params, x, self.split)
        known = {**found, **self.split.given}
        return {i.symbol: known[i.column] for i in self.posterior.model.law.inputs}

    def response(self, x: xr.DataArray) -> xr.DataArray:
        return self.posterior.law(self.params, self.inputs(x))

    def limit(self) -> xr.DataArray:
        """The response as every input that is free to grow does so."""
        law = self.posterior.model.law
        ends: dict[str, Any] = {}
        for i in law.inputs:
            grows = i.support == POSITIVE and i.centre != NONE and not i.known
            ends[i.symbol] = xr.DataArray(np.inf) if grows else self.held[i.symbol]
        with np.errstate(all="ignore"):
            limit = self.posterior.law(self.params, ends)
        if not bool(np.isfinite(limit).all()):
            raise InputError(
                f"Law {law.name!r} has no finite limit as {', '.join(law.columns)} grow, so nothing is told to be "
                "reducible; ask for the same level, without reducible=."
            )
        return limit

    def reach(self, level: xr.DataArray) -> xr.DataArray:
        """Where the response is as good as a level; ``inf`` where nowhere, 0 where everywhere."""
        if self.split is not None:
            return least_budget(self.posterior, self.params, level, self.split)
        params: dict[str, Any] = {name: value.variable for name, value in self.params.items()}
        held = {name: value.variable for name, value in self.held.items()}

        def missing(place: Any) -> Any:
            with np.errstate(over="ignore"):
                response = self.posterior.law(params, {**held, self.symbol: np.exp(place) * self.x.variable})
            return np.minimum(self.sign * (response - level.variable), _HUGE)

        zero = 0 * self.x.variable
        place = crossing(missing, zero - LIMIT, zero + LIMIT)
        coords: dict[Any, Any] = {}
        for array in (*self.params.values(), level, self.x, *self.held.values()):
            coords |= {dim: array[dim] for dim in array.dims if dim in array.coords and dim in place.dims}
        return xr.DataArray(np.exp(place), coords) * self.x

    def beyond(self, x: xr.DataArray) -> xr.DataArray:
        """How many times the median place lies beyond the runs; infinite where half of the draws have none."""
        values = self.inputs(x.where(np.isfinite(x) & (x > 0), self.x))
        middle = {s: v.median(("chain", "draw")) if "draw" in v.dims else v for s, v in values.items()}
        far = xr.DataArray(self.posterior.beyond(middle, self.group))
        far = far.sel({d: alpha[d] for alpha in self.params.values() for d in alpha.dims if d in far.dims})
        return far.where(np.isfinite(_middle(x)), np.inf)


def _middle(x: xr.DataArray) -> xr.DataArray:
    """Median over draws; infinite where half of them are."""
    if "draw" not in x.dims:
        return x
    return x.fillna(np.inf).quantile(0.5, ("chain", "draw"), method="lower").drop_vars("quantile")


def _recipe(posterior: Posterior, params, group, along: str, given: Mapping[str, Any]) -> _Recipe:
    law = posterior.model.law
    if along in law.columns:
        needed = {name: value for name, value in given.items() if name in law.columns}
        if len(needed) < len(law.columns):
            needed |= {name: value for name, value in given.items() if name in _BUDGETS}
        values = read_inputs(posterior, needed)
        symbol = next(i.symbol for i in law.inputs if i.column == along)
        return _Recipe(posterior, params, group, along, values[symbol], values, None)
    if "C" not in given:
        raise InputError("Along C the point is a budget: give C=, in FLOP; N and D follow from the best split.")
    if extra := [name for name in ("N", "D") if name in given]:
        raise InputError(
            f"Along C both recipes split it at their best; leave out {listed(extra)}, or ask along N or D."
        )
    rest = {name: value for name, value in given.items() if name in law.columns}
    split = read_split(posterior.model, six_nd, rest)
    held = {i.symbol: split.given[i.column] for i in law.inputs if i.column in split.given}
    return _Recipe(posterior, params, group, along, read_value("C", given["C"], False), held, split)


# -- The answer


def _answer(a: _Recipe, b: _Recipe, reducible: float | None, seed: int) -> xr.Dataset:
    if reducible is None:
        level = a.response(a.x)
        first, second = a.x + 0 * level, b.reach(level)
    else:
        first, second = (r.reach(_relative_level(r, reducible)) for r in (a, b))
    unit = "FLOP" if a.along == "C" else next(i.unit for i in a.posterior.model.law.inputs if i.column == a.along)
    with np.errstate(invalid="ignore"):
        k = (second / first).where(np.isfinite(first))
    names = _names(a, b)
    farthest: Any = np.maximum(a.beyond(first), b.beyond(second))
    laws = dict.fromkeys((a.posterior.model.law.name, b.posterior.model.law.name))
    answer = xr.Dataset(
        {
            "multiplier": k.assign_attrs(units="1", long_name=f"{a.along} of {names[1]} over {a.along} of {names[0]}"),
            "first": first.assign_attrs(units=unit, long_name=f"{a.along}, {names[0]}"),
            "second": second.assign_attrs(units=unit, long_name=f"{a.along}, {names[1]}"),
            "beyond": farthest.assign_attrs(units="1", long_name="times beyond the runs; 1 inside"),
        },
        attrs={
            "law": listed(laws),
            **trust(a.posterior, b.posterior, beyond=farthest),
            "along": a.along,
            "first": names[0],
            "second": names[1],
            "group": b.posterior.model.group or "",
            "reducible": 0.0 if reducible is None else reducible,
            "output": a.posterior.model.law.output.meaning,
            "seed": seed,
        },
    )
    columns = {i.symbol: i.column for i in a.posterior.model.law.inputs}
    point = {columns[s]: value for s, value in a.held.items()} | {a.along: a.x}
    return answer.assign_coords(point).transpose("chain", "draw", ...)


def _names(a: _Recipe, b: _Recipe) -> tuple[str, str]:
    """What the recipes are called: their groups, where those tell them apart."""
    if a.group != b.group:
        return a.group or "the first recipe", b.group or "the second recipe"
    of = f" ({a.group})" if a.group else ""
    return f"the first recipe{of}", f"the second recipe{of}"


def _relative_level(recipe: _Recipe, share: float) -> xr.DataArray:
    limit = recipe.limit()
    return limit + share * (recipe.response(recipe.x) - limit)


def multiplier_table(answer: xr.Dataset) -> pd.DataFrame:
    """Reduce multipliers for a statistician.

    Returns
    -------
    DataFrame
        A line for each point and group: median and interval of ``multiplier`` (taken on its log), ``more``, the
        probability that the second needs more than the first; ``never``, that it never gets there; ``neither``, that
        the first does not either, which the other figures leave out; and ``beyond``.
    """
    k: Any = answer["multiplier"]
    told: Any = ~np.isnan(k)
    dims = ("chain", "draw")
    with np.errstate(divide="ignore"):
        log: Any = np.log(k.fillna(1.0)).clip(-_LOG_END, _LOG_END)
    some = told.any(dims)
    reduced: Any = interval(log.where(told | ~some)).where(some)
    reduced = np.exp(xr.where(reduced >= _LOG_END, np.inf, xr.where(reduced <= -_LOG_END, -np.inf, reduced)))
    shares = {
        "more": xr.where(k > 1, 1.0, 0.0).where(told).mean(dims),
        "never": xr.where(k == np.inf, 1.0, 0.0).where(told).mean(dims),
        "neither": 1 - told.mean(dims),
    }
    columns = {f"multiplier {part}": reduced.sel(quantity=part, drop=True) for part in ("median", "lower", "upper")}
    table = xr.Dataset({**columns, **shares, "beyond": answer["beyond"]})
    if table.sizes:
        return table.to_dataframe().reset_index()
    return pd.DataFrame([{str(name): float(table[name]) for name in (*table.coords, *table.data_vars)}])


_LOG_END = 700.0


def multiplier_sentences(answer: xr.Dataset) -> list[str]:
    """Say multipliers in words, one sentence a point."""
    attrs = answer.attrs
    along, group = attrs["along"], attrs["group"]
    share = attrs["reducible"]
    lines = doubted(answer)
    for row in multiplier_table(answer).to_dict("records"):
        first, second = attrs["first"], row.get(group) or attrs["second"]
        at = [f"{c} = {row[c]:.4g}" for c in map(str, answer.coords) if c in row and c != group]
        where = f"from {', '.join(at)}: " if at else ""
        goal = (
            f"cut its reducible {attrs['output']} to {share:g} of that at the start"
            if share
            else f"reach the same {attrs['output']}"
        )
        never = f"; never with probability {row['never']:.2g}" if row["never"] > 0 else ""
        never += f"; neither gets there with probability {row['neither']:.2g}" if row["neither"] > 0 else ""
        reach = f"; {row['beyond']:.3g} times beyond the runs" if 1 < row["beyond"] < np.inf else ""
        factor = row["multiplier median"]
        if np.isnan(factor):
            lines.append(f"{where}neither {first} nor {second} can {goal} by {along} alone.")
            continue
        often = f"{factor:.3g} times" if np.isfinite(factor) else "infinitely many times"
        lines.append(
            f"{where}{second} needs {often} the {along} of {first} to {goal} "
            f"({interval_name()} {row['multiplier lower']:.3g} to {row['multiplier upper']:.3g}); "
            f"more than it with probability {row['more']:.2g}{never}{reach}."
        )
    return lines
