"""Where a broken power law breaks: inside the runs, beyond them, and where another break may wait."""

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayescale.answers.common import check_asked, doubted, interval, interval_name, read_value, warn_unless_converged
from bayescale.answers.trust import trust
from bayescale.errors import InputError
from bayescale.law import Position
from bayescale.laws.broken import broken
from bayescale.posterior import NEW, Posterior
from bayescale.simulation import sample_prior
from bayescale.streams import stream

DRAWS = ("chain", "draw")
SILENT = 0.5
PRIOR_DRAWS = 2000


def breaks(posterior: Posterior, *, before: Any = None, group: str | None = None, seed: int = 0) -> xr.Dataset:
    """Places of the breaks of a broken power law, and of the next one beyond the runs.

    The law has as many breaks as it was given. Where all of a draw's breaks lie inside the runs, the next one is drawn
    from the prior that the law with one more break puts on the log ratio of neighbours, given that it is beyond the
    largest run: the runs say nothing of it, and nothing says that it is there at all.

    Parameters
    ----------
    posterior : Posterior
        Of ``broken_1``, ``broken_2``, ...
    before : number or str, optional
        A scale, in the input's unit, before which the next break may come.
    group, seed
        As for `forecast`; the seed also of the breaks drawn from the prior.

    Returns
    -------
    Dataset
        ``place`` (dims ``chain``, ``draw``, ``break``, and the groups'), in the input's unit; ``change`` of the
        exponent there; ``next``, the first break beyond the runs; ``assumed``, whether that comes from the prior of a
        further break. Without draws: ``smallest`` and ``largest`` run; ``contraction`` of each place, by how much the
        runs have narrowed its prior, and ``prior_inside``, the prior probability that it lies inside the runs.

    Raises
    ------
    InputError
        A law without breaks; unknown group.

    References
    ----------
    .. [1] Caballero, Gupta, Rish & Krueger (2023), arXiv:2210.14891.
    """
    check_asked(posterior, group=group)
    model = posterior.model
    law = model.law
    count = sum(isinstance(p.paper, Position) and p.paper.symbol.startswith("d_") for p in law.params)
    if not count or f"f_{count}" not in law.constants:
        raise InputError(f"Law {law.name!r} has no breaks; fit broken_1 (or broken_2, broken_3) to look for one.")
    posterior.check_group(group)
    warn_unless_converged(posterior)
    x = model.inputs()["x"]
    if model.group and group is None:
        index: list[Any] = [model.group_index == g for g in range(len(model.groups))]
        ends = [
            xr.DataArray([float(f(x[rows])) for rows in index], {model.group: list(model.groups)}, model.group)
            for f in (np.min, np.max)
        ]
    else:
        rows = model.group_index == model.groups.index(group) if group not in (None, NEW) else slice(None)
        ends = [xr.DataArray(float(f(x[rows]))) for f in (np.min, np.max)]
    smallest, largest = ends
    place, change = _places(posterior, count, group, seed)
    before_runs = sample_prior(model, PRIOR_DRAWS, seed)
    prior_place, _ = _places(before_runs, count, None if group == NEW else group, seed)
    beyond = place.where(place > largest).min("break")  # NaN where none is
    drawn = _another(posterior, count, place.max("break"), largest, seed)
    assumed = (place <= largest).all("break")
    answer = xr.Dataset(
        {
            "place": place.transpose(*DRAWS, ...).assign_attrs(units=law.inputs[0].unit or "1", long_name="break"),
            "change": change.transpose(*DRAWS, ...).assign_attrs(units="1", long_name="change of the exponent"),
            "next": xr.where(assumed, drawn, beyond)
            .transpose(*DRAWS, ...)
            .assign_attrs(units=law.inputs[0].unit or "1", long_name="first break beyond the runs"),
            "assumed": assumed.transpose(*DRAWS, ...),
            "smallest": smallest,
            "largest": largest,
            "contraction": 1 - _log_variance(place) / _log_variance(prior_place),
            "prior_inside": ((prior_place >= smallest) & (prior_place <= largest)).mean(DRAWS),
        },
        attrs={"law": law.name, "scale": law.inputs[0].column, **trust(posterior), "seed": seed},
    )
    if group is not None:
        answer.attrs["group"] = group
    if before is None:
        return answer
    at = read_value("before", before, signed=False)
    if at.ndim:
        raise InputError(f"before is one number; {before!r} was given.")
    return answer.assign_attrs(before=float(at))


def _log_variance(place: xr.DataArray) -> xr.DataArray:
    logs: Any = np.log(place)
    return logs.var(DRAWS)


def _places(posterior: Posterior, count: int, group, seed) -> tuple[xr.DataArray, xr.DataArray]:
    """Breaks and changes of the exponent, along the dim ``break``."""
    model = posterior.model
    params = posterior.params(group, seed)
    constants = model.law.to_paper({p.symbol: params[p.symbol] for p in model.law.params}, model.reference)
    number = pd.Index(range(1, count + 1), name="break")

    def along(letter: str) -> Any:
        values: list[xr.DataArray] = [constants[f"{letter}_{i}"].reset_coords(drop=True) for i in number]
        return xr.concat(values, number, coords="minimal", compat="override")

    return along("d"), along("c")


def _another(posterior: Posterior, count: int, last: xr.DataArray, largest: xr.DataArray, seed: int) -> xr.DataArray:
    """A further break from the prior of the gap to the one before, given that it lies beyond the runs."""
    model = posterior.model
    gap = next(p for p in broken(count + 1).params if p.symbol == f"gap_{count + 1}")
    prior = gap.default(model.response_scale, model.spans).to_scipy()
    least: Any = np.maximum(np.log(largest / last), 0.0)
    share = stream("another break", seed).random(least.shape)
    log_ratio = least.copy(data=prior.isf(share * prior.sf(least.to_numpy())))
    with np.errstate(over="ignore"):
        return last * np.exp(log_ratio)


def breaks_table(answer: xr.Dataset) -> pd.DataFrame:
    """Reduce to medians, intervals and probabilities.

    Returns
    -------
    DataFrame
        A line for each break (and group): its place and change with intervals; ``P(inside)``, that it lies inside the
        runs, beside what the prior said, ``P(inside) before``; ``contraction``. A last line, ``next``, for the first
        break beyond the runs: ``P(before)``, that it comes before ``attrs["before"]``, and ``P(assumed)``, how often it
        is a further break that only the prior knows.
    """
    inside = (answer["place"] >= answer["smallest"]) & (answer["place"] <= answer["largest"])
    parts = {name: interval(answer[name]) for name in ("place", "change", "next")}
    each = xr.Dataset(
        {f"{name} {q}": parts[name].sel(quantity=q, drop=True) for name in ("place", "change") for q in _PARTS}
    ).assign(
        {
            "P(inside)": inside.mean(DRAWS),
            "P(inside) before": answer["prior_inside"],
            "contraction": answer["contraction"],
        }
    )
    following = xr.Dataset({f"place {q}": parts["next"].sel(quantity=q, drop=True) for q in _PARTS}).assign(
        {"P(assumed)": answer["assumed"].mean(DRAWS)}
    )
    if "before" in answer.attrs:
        following["P(before)"] = (answer["next"] <= answer.attrs["before"]).mean(DRAWS)
    rows = (
        following.to_dataframe().reset_index()
        if following.sizes
        else pd.DataFrame([{str(name): float(following[name]) for name in following.data_vars}])
    )
    return pd.concat([each.to_dataframe().reset_index(), rows.assign(**{"break": "next"})], ignore_index=True)


_PARTS = ("median", "lower", "upper")


def breaks_sentences(answer: xr.Dataset) -> list[str]:
    """Say where the breaks are, in words, and what of it is the prior's."""
    scale, unit = answer.attrs["scale"], answer["place"].attrs["units"]
    unit = "" if unit == "1" else f" {unit}"
    lines = doubted(answer)
    for row in breaks_table(answer).to_dict("records"):
        who = "".join(f"{value}, " for name, value in row.items() if name in answer.dims and name != "break")
        where = (
            f"{scale} = {row['place median']:.3g}{unit} ({interval_name()} {row['place lower']:.3g} to "
            f"{row['place upper']:.3g})"
        )
        if row["break"] == "next":
            said = f"{who}next break beyond the runs: {where}"
            if "before" in answer.attrs:
                said += f"; P(before {answer.attrs['before']:.3g}) = {row['P(before)']:.2g}"
            if row["P(assumed)"]:
                said += (
                    f". In {100 * row['P(assumed)']:.0f} % of the draws that is a further break of which the runs say "
                    "nothing: if there is one, this is where the prior has it"
                )
        else:
            said = (
                f"{who}break {row['break']}: {where}, exponent changes by {row['change median']:.2g} "
                f"({row['change lower']:.2g} to {row['change upper']:.2g}); P(inside the runs) = "
                f"{row['P(inside)']:.2g}, {row['P(inside) before']:.2g} before the runs were seen"
            )
            if row["contraction"] < SILENT:
                said += ". MOSTLY PRIOR: the runs hardly say where it is; only runs that pass it can"
        lines.append(said + ".")
    return lines
