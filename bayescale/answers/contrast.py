"""Two groups compared: the posterior of the difference and the ratio of any parameter between them."""

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayescale.answers.common import check_asked, doubted, interval, interval_name, warn_unless_converged
from bayescale.answers.mixture import Stack
from bayescale.answers.trust import trust
from bayescale.errors import InputError
from bayescale.given import check_kind, check_text
from bayescale.model import COMPLETE, Model
from bayescale.posterior import NEW, Posterior
from bayescale.words import listed

ALIKE = 0.95


def contrast(
    posterior: Posterior | Stack, parameter: str, first: str, second: str | None = None, *, seed: int = 0
) -> xr.Dataset:
    """Compare a parameter between two groups of one fit, or between one group and each other.

    Groups of one fit share draws, so that what is uncertain in both alike (a shared mean, the noise) cancels.

    Parameters
    ----------
    posterior : Posterior or Stack
        A fit with groups. Laws of a stack that lack the parameter, or have one value of it for all groups, are left out
        with a warning.
    parameter : str
        A parameter as sampled (``alpha``, ``A_ref``, ``sigma``) or a constant as the paper prints it (``A``).
    first, second : str
        Groups; ``"new"`` for an unseen one. Without ``second``, each other group, along the groups' dim.
    seed : int
        For the draws of a new group.

    Returns
    -------
    Dataset
        Dims ``chain`` and ``draw`` (and the groups'): ``first`` and ``second``, the parameter; ``difference``, first
        minus second, in its unit; ``ratio``, first over second, of a parameter that is positive. The probability that
        the first is larger is the share of positive differences; `contrast_table` gives it.

    Raises
    ------
    InputError
        No groups, an unknown group or parameter, a group compared with itself, a parameter that all groups share.

    Examples
    --------
    >>> import bayescale as bs
    >>> answer = bs.contrast(posterior, "alpha", "code", "text")
    >>> float((answer["difference"] > 0).mean())  # P(alpha_code > alpha_text)
    """
    check_asked(posterior, (Posterior, Stack))
    check_kind("parameter", parameter, str, "Name one, such as 'alpha'.")
    check_kind("first", first, str, "Name a group, or 'new'.")
    check_text("second", second, "text")
    if isinstance(posterior, Stack):
        return posterior.draws_of(lambda member: contrast(member, parameter, first, second, seed=seed), seed)
    warn_unless_converged(posterior)
    model = posterior.model
    _check_question(model, parameter, first, second)
    values = {group: group_values(posterior, parameter, group, seed) for group in {first, second} - {None}}
    if second is None:
        everyone = group_values(posterior, parameter, None, seed)
        others = [group for group in _others(model, parameter) if group != first]
        values[None] = everyone.sel({model.group: others})
    a, b = values[first], values[second]
    unit, meaning = _facts_of(model, parameter)
    answer = xr.Dataset(
        {
            "first": a.assign_attrs(units=unit, long_name=f"{meaning}, {first}"),
            "second": b.assign_attrs(units=unit, long_name=f"{meaning}, {second or 'others'}"),
            "difference": (a - b).assign_attrs(
                units=unit, long_name=f"{parameter}: {first} minus {second or 'others'}"
            ),
        },
        attrs={
            "law": model.law.name,
            **trust(posterior),
            "parameter": parameter,
            "meaning": meaning,
            "first": first,
            "second": second or "",
            "group": str(model.group),
        },
    )
    if bool((a > 0).all()) and bool((b > 0).all()):
        answer["ratio"] = (a / b).assign_attrs(units="1", long_name=f"{parameter}: {first} over {second or 'others'}")
    return answer.transpose("chain", "draw", ...)


def group_values(posterior: Posterior, parameter: str, group: str | None, seed: int) -> xr.DataArray:
    """Draws of a parameter as sampled, or of a constant of the paper, for one group, all, or a new one."""
    params = posterior.params(group, seed)
    if parameter in params:
        return params[parameter].reset_coords(drop=True)
    law = posterior.model.law
    of_law = {p.symbol: params[p.symbol] for p in law.params}
    return law.to_paper(of_law, posterior.model.reference)[parameter].reset_coords(drop=True)


def _check_question(model: Model, parameter: str, first: str, second: str | None) -> None:
    if model.group is None:
        raise InputError("These runs were fitted as one law, without groups to compare; fit with pool=.")
    known = _sampled(model)
    if parameter not in known:
        raise InputError(
            f"Law {model.law.name!r} with this noise has no parameter {parameter!r}; it has {listed(known)}."
        )
    for group in (first, second):
        if group is not None and group not in (*model.groups, NEW):
            raise InputError(
                f"There is no group {group!r} of {model.group}. Groups: {listed(model.groups)}, or {NEW!r}."
            )
    if first == second:
        raise InputError(f"{first!r} was given twice; name two groups of {model.group}: {listed(model.groups)}.")
    if parameter in model.pooling and model.pooling[parameter] == COMPLETE:
        raise InputError(
            f"{parameter} has one value for all groups in this fit, so there is nothing to compare; "
            f"fit with pool={model.group!r} for it."
        )
    left = {*_others(model, parameter), NEW}
    if gone := [group for group in (first, second) if group is not None and group not in left]:
        raise InputError(f"{parameter} is zero in {listed(gone)} by this model; there is no posterior to compare.")
    if second is None and not set(left) - {first, NEW}:
        raise InputError(f"There is no other group of {model.group} to compare {first!r} with.")


def _sampled(model: Model) -> dict[str, str]:
    """The sampled parameter behind each name that can be asked for."""
    constants = {p.paper.symbol: p.symbol for p in model.law.params if p.paper}
    return {p.symbol: p.symbol for p in model.params} | constants


def _others(model: Model, parameter: str) -> list[str]:
    """Groups in which a parameter is not zero."""
    return [group for group in model.groups if group not in model.zero.get(_sampled(model)[parameter], ())]


def _facts_of(model: Model, parameter: str) -> tuple[str, str]:
    """Unit and meaning, as far as they are declared."""
    for p in model.params:
        if p.symbol == parameter:
            return p.unit or "1", p.meaning
    return "", f"{parameter} of the paper"


def contrast_table(answer: xr.Dataset) -> pd.DataFrame:
    """Reduce a comparison for a statistician.

    Returns
    -------
    DataFrame
        A line for each pair: the medians of ``first`` and ``second``; median and interval of ``difference`` and, where
        there is one, ``ratio``; ``probability`` that the first is larger.
    """
    larger = (answer["difference"] > 0).mean(("chain", "draw"))
    columns: dict[str, Any] = {name: answer[name].median(("chain", "draw")) for name in ("first", "second")}
    for name in ("difference", "ratio"):
        if name in answer:
            reduced = interval(answer[name])
            columns |= {f"{name} {part}": reduced.sel(quantity=part, drop=True) for part in _PARTS}
    columns["probability"] = larger
    table = xr.Dataset({name: value.reset_coords(drop=True) for name, value in columns.items()})
    group = answer.attrs["group"]
    if table.sizes:
        return table.to_dataframe().reset_index().rename(columns={group: "second group"})
    return pd.DataFrame([{name: float(table[name]) for name in table.data_vars}])


_PARTS = ("median", "lower", "upper")


def contrast_sentences(answer: xr.Dataset) -> list[str]:
    """Say a comparison in words, one sentence a pair."""
    parameter, first = answer.attrs["parameter"], answer.attrs["first"]
    unit = answer["difference"].attrs.get("units", "")
    unit = "" if unit in ("", "1") else f" {unit}"
    lines = doubted(answer)
    for row in contrast_table(answer).to_dict("records"):
        second = row.get("second group") or answer.attrs["second"]
        p = row["probability"]
        verdict = (
            f"larger in {first} than in {second}"
            if p > ALIKE
            else f"smaller in {first} than in {second}"
            if p < 1 - ALIKE
            else "not told apart"
        )
        ratio = (
            f", a ratio of {row['ratio median']:.3g} ({row['ratio lower']:.3g} to {row['ratio upper']:.3g})"
            if "ratio median" in row and np.isfinite(row["ratio median"])
            else ""
        )
        lines.append(
            f"P({parameter} of {first} > {parameter} of {second}) = {p:.3f}: {verdict}. "
            f"{row['first']:.4g} against {row['second']:.4g}, a difference of {row['difference median']:.3g}{unit} "
            f"({interval_name()} {row['difference lower']:.3g} to {row['difference upper']:.3g}){ratio}."
        )
    return lines
