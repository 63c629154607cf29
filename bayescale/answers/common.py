"""What all answers share: reading the question, warning about doubtful draws, and reducing draws for a print."""

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayescale.cost import six_nd
from bayescale.errors import BayescaleWarning, ConvergenceWarning, InputError
from bayescale.given import check_kind, check_text
from bayescale.numerals import parse_number, short_number
from bayescale.posterior import NEW, Posterior
from bayescale.prior import REAL
from bayescale.words import listed, shown

FEWEST_DRAWS = 25  # of which Pareto smoothing takes the largest fifth, and five at least


def check_asked(asked: object, kinds: type | tuple[type, ...] = Posterior, group: object = None) -> None:
    """Refuse to ask what is no fit, such as the path of one, or about a group that is no name."""
    check_kind("What is asked", asked, kinds, "Open a saved file: bs.open_posterior('post.nc').")
    check_text("group", group, "text")


def check_many(posterior: Posterior) -> None:
    """Refuse to smooth the tail of so few draws that there is none."""
    draws = posterior.dataset.sizes["chain"] * posterior.dataset.sizes["draw"]
    if draws < FEWEST_DRAWS:
        raise InputError(
            f"Leaving out runs, one at a time, takes {FEWEST_DRAWS} draws or more; this posterior of "
            f"{posterior.model.law.name} has {draws}. Fit with more draws."
        )


def warn_unless_converged(posterior: Posterior, stacklevel: int = 3) -> None:
    """Repeat, with every answer, that its draws are not to be trusted."""
    if not posterior.converged:
        warnings.warn(
            f"This answer comes from a fit of {posterior.model.law.name} that is {posterior.diagnostics}.",
            ConvergenceWarning,
            stacklevel=stacklevel,
        )


def warn_of_nan(answer: xr.Dataset, stacklevel: int = 3) -> None:
    """Say that a law gives no number in some draws, such as infinity minus infinity far beyond all runs."""
    shares = {str(name): float(np.isnan(value).mean()) for name, value in answer.data_vars.items()}
    if lost := {name: share for name, share in shares.items() if share > 0}:
        warnings.warn(
            f"There is no number (NaN) in {100 * max(lost.values()):.3g} % of the draws of {listed(lost)}: the law "
            "cannot be computed so far out, or at such draws. Ask nearer to the runs.",
            BayescaleWarning,
            stacklevel=stacklevel,
        )


def unconverged(posterior: Posterior) -> str:
    """Say of an answer that its fit has not converged, and what to do."""
    return f"Do not trust this answer: the fit of {posterior.model.law.name} is {posterior.diagnostics}."


def doubted(answer: xr.Dataset) -> list[str]:
    """What speaks against an answer, loudest first, for the head of its sentences."""
    return [str(doubt) for doubt in answer.attrs.get("doubts", ())]


def read_inputs(posterior: Posterior, given: Mapping[str, Any]) -> dict[str, xr.DataArray]:
    """Inputs of the law, by the formula's symbols, from what the user named.

    Parameters
    ----------
    posterior : Posterior
        Gives the law.
    given : mapping
        Column (``N``, ``D``, ``C``, ...) to a number, text such as ``"70B"``, a sequence (which becomes a dim of that
        name), or a DataArray; one with dims ``chain`` and ``draw`` of this posterior's sizes is another value in each
        draw. Where the law takes N and D, C may stand for one of them (C = 6 N D).

    Returns
    -------
    dict of str to DataArray
        Natural units; finite, and positive unless the law shifts the input.
    """
    law = posterior.model.law
    signed = {i.column for i in law.inputs if i.support == REAL}
    values = {name: read_value(name, value, name in signed, posterior.dataset.sizes) for name, value in given.items()}
    for name, value in values.items():
        if clash := [dim for dim in map(str, value.dims) if dim in values and values[dim].dims != (dim,)]:
            raise InputError(f"{name} has a dim {clash[0]!r}, the name of another input; rename the dim.")
    for missing, a, b in (("D", "C", "N"), ("N", "C", "D")):
        if missing in law.columns and missing not in values and a in values and b in values:
            values[missing] = values.pop(a) / six_nd(values[b], 1.0)
    if "C" in law.columns and "C" not in values and "N" in values and "D" in values:
        values["C"] = six_nd(values.pop("N"), values.pop("D"))
    if sorted(values) != sorted(law.columns):
        raise InputError(
            f"Law {law.name!r} is asked at {', '.join(law.columns)}; given: {', '.join(given) or 'nothing'}."
        )
    return {i.symbol: values[i.column] for i in law.inputs}


def read_value(name: str, value: Any, signed: bool, draws: Mapping[Any, int] | None = None) -> xr.DataArray:
    """Read one input: a number, text, a DataArray, or a sequence along a dim of its name.

    A DataArray may have another value in each draw where `draws`, the sizes of ``chain`` and ``draw``, are given.
    """
    if isinstance(value, xr.DataArray):
        array = _array(name, value, draws)
    elif isinstance(value, str | int | float | np.number):
        array = xr.DataArray(_number(name, value))
    else:
        try:
            cells = np.ravel(np.asarray(value, dtype=object))
        except (TypeError, ValueError):  # what says itself that it is no array, such as a Dataset of xarray
            kind = type(value).__name__
            raise InputError(f"{name} must be a number, or a list of them; a {kind} was given.") from None
        numbers = [_number(name, cell) for cell in cells]
        if not numbers:
            raise InputError(f"{name} is empty; give a number, text such as '70B', or a list of them.")
        array = xr.DataArray(numbers, dims=name, coords={name: numbers})
    if not bool((np.isfinite(array) & (signed | (array > 0))).all()):
        raise InputError(f"{name} must be {'' if signed else 'positive and '}finite; {shown(value)} was given.")
    return array


def _array(name: str, value: xr.DataArray, draws: Mapping[Any, int] | None) -> xr.DataArray:
    """Numbers of a DataArray; along the dims of draws only where they are the posterior's own."""
    if taken := [dim for dim in value.dims if dim in ("chain", "draw")]:
        if draws is None:
            raise InputError(f"{name} has a dim {taken[0]!r}, which is that of the draws; rename it.")
        given, own = ([sizes.get(dim, 1) for dim in ("chain", "draw")] for sizes in (dict(value.sizes), draws))
        if given != own:
            raise InputError(
                f"{name} has {given[0]} chains of {given[1]} draws, the posterior {own[0]} of {own[1]}: give one value "
                "for each draw, or one for all, or rename the dim."
            )
        value = value.drop_vars(taken, errors="ignore")  # by place: xarray would keep only numbers that both have
    if not value.size:
        raise InputError(f"{name} is empty; give a number, text such as '70B', or a list of them.")
    try:
        return value.astype(float)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} must be numbers; {shown(value.to_numpy().tolist())} was given.") from error


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool):
        raise InputError(f"{name} must be a number; {shown(value)} was given.")
    if isinstance(value, str):
        return parse_number(value)
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"{name} must be a number or text such as '70B'; {shown(value)} was given.") from None


def known_inputs(posterior: Posterior, group: str | None) -> dict[str, xr.DataArray]:
    """Inputs that the formula takes as known and on which the runs of each group agree, by column."""
    columns = [i.column for i in posterior.model.law.inputs if i.known]
    found = {column: shared_value(posterior, column, group) for column in columns}
    return {column: value for column, value in found.items() if value is not None}


def shared_value(posterior: Posterior, column: str, group: str | None) -> xr.DataArray | None:
    """Value of a column on which the runs (of each group) agree; None where they do not, or there is no such column."""
    model = posterior.model
    posterior.check_group(group)
    if column not in model.runs:
        return None
    x = model.runs[column].to_numpy(dtype=float)
    if not model.group or group == NEW:
        values = np.unique(x)
        return xr.DataArray(values[0]) if values.size == 1 else None
    names = model.groups if group is None else (group,)
    by_group = [np.unique(x[model.group_index == model.groups.index(name)]) for name in names]
    if any(values.size != 1 for values in by_group):
        return None
    if group is not None:
        return xr.DataArray(by_group[0][0])
    return xr.DataArray([values[0] for values in by_group], {model.group: list(names)}, model.group)


def interval(values: xr.DataArray, dims=("chain", "draw")) -> xr.DataArray:
    """Median and interval of draws, by ArviZ's kind and level.

    Draws may be infinite, as a scale that is never enough: quantiles are then draws, not means of two, and the shortest
    interval has an infinite end only where no finite one holds enough.

    Returns
    -------
    DataArray
        A leading dim ``quantity``: ``median``, ``lower``, ``upper``. With kind ``hdi`` the shortest interval.
    """
    from arviz_base import rcParams

    kind, prob = rcParams["stats.ci_kind"], float(rcParams["stats.ci_prob"])
    finite = bool(np.isfinite(values).all())
    median = values.median(dims) if finite else _quantile(values, 0.5, dims)
    if kind == "eti":
        shares = ((1 - prob) / 2, (1 + prob) / 2)
        lower, upper = (
            values.quantile(q, dims).drop_vars("quantile") if finite else _quantile(values, q, dims) for q in shares
        )
    else:
        from arviz_stats.base import array_stats

        stacked = values.stack(sample=dims)  # noqa: PD013
        both = xr.apply_ufunc(
            (lambda x: array_stats.hdi(x, prob=prob, axis=-1)) if finite else (lambda x: _shortest(x, prob)),
            stacked,
            input_core_dims=[["sample"]],
            output_core_dims=[["bound"]],
        )
        lower, upper = both.isel(bound=0), both.isel(bound=1)
    return xr.concat([median, lower, upper], dim=pd.Index(["median", "lower", "upper"], name="quantity"))


def _quantile(values: xr.DataArray, q: float, dims=("chain", "draw")) -> xr.DataArray:
    """Smallest draw at or below which lies a share ``q`` of the draws; NaN where a draw is."""
    return values.quantile(q, dims, method="inverted_cdf", skipna=False).drop_vars("quantile")


def _shortest(x: np.ndarray, prob: float) -> np.ndarray:
    """Shortest interval along the last axis; of several infinite ones, that with the highest lower end."""
    ordered = np.sort(x, axis=-1)
    n = ordered.shape[-1]
    inside = min(int(np.floor(prob * n)), n - 1)
    low, high = ordered[..., : n - inside], ordered[..., inside:]
    with np.errstate(invalid="ignore"):
        width = np.where(low == high, 0.0, high - low)
    first = np.argmin(width, axis=-1)
    first = np.where(np.isfinite(np.min(width, axis=-1)), first, n - inside - 1)[..., None]
    return np.concatenate([np.take_along_axis(low, first, -1), np.take_along_axis(high, first, -1)], axis=-1)


def interval_name() -> str:
    """Name the interval in force, such as ``"89 % ETI"``."""
    from arviz_base import rcParams

    return f"{100 * float(rcParams['stats.ci_prob']):g} % {rcParams['stats.ci_kind'].upper()}"


def reduced_table(answer: xr.Dataset) -> pd.DataFrame:
    """Reduce an answer to a line for each point and group.

    Returns
    -------
    DataFrame
        Coordinates; for a variable with draws its median and interval, and, where it may be infinite, the share of
        draws that are, as ``never``; other variables as they are.
    """
    columns: dict[str, xr.DataArray] = {}
    for name, value in answer.data_vars.items():
        if "draw" not in value.dims:
            columns[str(name)] = value
            continue
        parts = interval(value)
        columns |= {f"{name} {q}": parts.sel(quantity=q, drop=True) for q in ("median", "lower", "upper")}
        never: Any = np.isinf(value)
        if bool(never.any()):
            columns[f"{name} never"] = never.mean(("chain", "draw"))
    reduced = xr.Dataset(columns).drop_vars(("chain", "draw"), errors="ignore")
    if reduced.sizes:
        return reduced.to_dataframe().reset_index()
    return pd.DataFrame([{str(name): reduced[name].item() for name in (*reduced.coords, *reduced.data_vars)}])


def where(answer: xr.Dataset, row: Mapping[str, Any]) -> str:
    """Say what was asked of a line of a table: its coordinates, with units."""
    said = []
    for name in map(str, answer.coords):
        if name not in row:
            continue
        unit = answer[name].attrs.get("units", "")
        said.append(f"{name} = {_worded(row[name], unit)}" if isinstance(row[name], float) else str(row[name]))
    if group := answer.attrs.get("group"):
        said.append(str(group))
    return ", ".join(said)


def _worded(value: float, unit: str) -> str:
    """A number with its unit; counts as people say them."""
    if unit in ("parameters", "tokens"):
        return short_number(value)
    return f"{value:.4g} {unit}".rstrip()


def reach(row: Mapping[str, Any]) -> str:
    """Say how far beyond the runs a line of a table lies, if it does."""
    if np.isinf(row["beyond"]) or row["beyond"] <= 1:
        return ""
    return f" That is {row['beyond']:.3g} times beyond the runs."
