"""Which law do the runs support? WAIC, PSIS-LOO, and the largest runs held out; each with its own reliability."""

import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayescale import ops
from bayescale.answers.common import check_asked, check_many, warn_unless_converged
from bayescale.diagnostics import Diagnostics
from bayescale.errors import InputError
from bayescale.given import check_kind, check_text
from bayescale.inference import fit, whole
from bayescale.model import Model
from bayescale.posterior import NEW, Posterior
from bayescale.progress import track
from bayescale.words import listed, shown

P_WAIC_LIMIT = 0.4
FEW_UNITS = 100
CLOSE = 4.0
UNRELIABLE_SHARE = 0.05
NEW_GROUPS, FEW_DRAWS = 50, 50
HELD_SHARE, HELD_LEAST = 0.2, 5
_NONE: Mapping[str, Diagnostics] = MappingProxyType({})
_STEPS, _TOLERANCE, _CENTRING = 200, 1e-10, 0.1


@dataclass(frozen=True, eq=False)
class Criterion:
    """Expected log predictive density of one posterior, unit by unit.

    Parameters
    ----------
    elpd_i : DataArray
        Log predictive density of each unit, natural scale of the response; dim ``unit``.
    p_i : DataArray or None
        Effective number of parameters by unit, where the criterion has one.
    flagged : int
        Units whose estimate is unreliable.
    flag : str
        What is wrong with them; empty if nothing is.
    """

    elpd_i: xr.DataArray
    p_i: xr.DataArray | None = None
    flagged: int = 0
    flag: str = ""


@dataclass(frozen=True, eq=False)
class Comparison:
    """Laws ranked by one criterion.

    Parameters
    ----------
    by : str
        ``"waic"``, ``"loo"`` or ``"largest"``.
    table : DataFrame
        A line for each law, best first: ``elpd`` (higher is better) and its standard error ``se``; ``elpd_diff`` to the
        best and its standard error ``dse``; ``p``, effective parameters; ``weight``, stacking weight; ``flags``.
    pointwise : Dataset
        ``elpd_i`` with dims ``law`` and ``unit``.
    verdict : str
        One sentence.
    notes : tuple of str
        What limits the verdict.
    """

    by: str
    table: pd.DataFrame
    pointwise: xr.Dataset
    verdict: str
    notes: tuple[str, ...]

    def __str__(self):
        shown = self.table.copy()
        for column in ("elpd", "se", "elpd_diff", "dse", "p"):
            shown[column] = [f"{v:.1f}" if np.isfinite(v) else "" for v in shown[column]]
        shown["weight"] = [f"{v:.2f}" for v in shown["weight"]]
        lines = [shown.to_string(), "", self.verdict, *self.notes]
        return "\n".join(lines)

    def __repr__(self):
        return str(self)


def compare(
    posteriors: Mapping[str, Posterior],
    by: str = "waic",
    *,
    unit: str | None = None,
    seed: int = 0,
    progress: bool | None = None,
) -> Comparison:
    """Compare laws fitted to the same runs.

    Parameters
    ----------
    posteriors : mapping of str to Posterior
        At least two, fitted to the same rows in the same order.
    by : str
        ``"waic"``: ``elpd = lppd - p``, ``p`` the variance over draws of the pointwise log density (ddof 1).
        ``"loo"``: leave one out by Pareto-smoothed importance sampling (ArviZ). ``"largest"``: each model is fitted
        again, with its own settings, without the largest runs, by cost C, 20 % and at least 5 of each group, and scored
        on them.
    unit : str, optional
        A column of the runs: what is left out and scored together, such as the checkpoints of one curve. The column the
        runs were pooled over leaves whole groups out, by refitting (``by="loo"`` only). By default each run, given
        its group; or each cluster, where a model has clusters (`Model`).
    seed : int
        For refits.
    progress : bool, optional
        Show the progress of refits; by default only on a terminal.

    Returns
    -------
    Comparison
        Table, pointwise values, verdict. Densities are those of the response as measured, so laws with different noise
        compare.

    Raises
    ------
    InputError
        Fewer than two posteriors, different runs, unknown criterion or column.

    References
    ----------
    .. [1] Watanabe (2010), JMLR 11, 3571-3594. Gelman, Hwang & Vehtari (2014), Stat. Comput. 24, 997-1016.
    .. [2] Vehtari, Gelman & Gabry (2017), Stat. Comput. 27, 1413-1432.
    .. [3] Yao, Vehtari, Simpson & Gelman (2018), Bayesian Analysis 13, 917-1007 (stacking weights).
    """
    models = models_of(posteriors)
    unit = unit_of(models, unit)
    check_question(models, by, unit)
    for posterior in posteriors.values():
        warn_unless_converged(posterior)
    if unit is not None and unit in {model.group for model in models.values()}:
        criteria = {name: _leave_group_out(p, name, seed, progress) for name, p in posteriors.items()}
    elif by == "largest":
        held = held_out(models)
        fits = track(list(posteriors.items()), lambda item: f"{item[0]} without the largest runs", progress)
        criteria = {name: largest(p, held, unit, seed, progress) for name, p in fits}
    else:
        criteria = {name: _CRITERIA[by](p, unit) for name, p in posteriors.items()}
    return _tabulate(by, criteria, {name: p.diagnostics for name, p in posteriors.items() if not p.converged})


def unit_of(models: Mapping[str, Model], unit: str | None = None) -> str | None:
    """What is left out together: as asked, else the clusters of the models, of which single runs are no evidence."""
    clusters = {model.cluster for model in models.values() if model.cluster}
    if unit is not None or not clusters:
        return unit
    if len(clusters) > 1:
        raise InputError(f"The models have different clusters, {', '.join(sorted(clusters))}; name one with unit=.")
    cluster = clusters.pop()
    return None if cluster in {model.group for model in models.values()} else cluster


def models_of(posteriors: object) -> dict[str, Model]:
    """Models of posteriors by name; refuse what is no mapping of names to posteriors."""
    check_kind("What is compared", posteriors, Mapping, "Write {'kaplan': one, 'chinchilla': other}.")
    named: Any = posteriors
    for name, posterior in named.items():
        check_kind("The name of a posterior", name, str)
        check_asked(posterior)
    return {name: posterior.model for name, posterior in named.items()}


def check_question(models: Mapping[str, Model], by: str, unit: str | None) -> None:
    """Refuse a comparison that cannot be made, before anything is fitted for it."""
    if not isinstance(by, str) or by not in _CRITERIA:
        raise InputError(f"Laws are compared by {', '.join(_CRITERIA)}; {shown(by)} was given.")
    check_text("unit", unit, "curve")
    if len(models) < 2:
        raise InputError(f"A comparison needs at least two posteriors; {len(models)} was given.")
    _check_same_runs(models)
    first = next(iter(models.values()))
    if unit is not None and unit not in first.runs.columns:
        raise InputError(f"There is no column {unit!r} to compare by. Columns: {', '.join(first.runs.columns)}.")
    groups = {model.group for model in models.values()}
    if unit is not None and unit in groups:
        if by != "loo":
            raise InputError(f"Leaving whole groups of {unit!r} out is done by='loo'; {by!r} was given.")
        if len(groups) > 1:
            raise InputError(f"Leaving groups of {unit!r} out needs every model pooled over it; not all are.")
        if len(first.groups) < 3:
            raise InputError(f"Leaving groups out needs at least three; there are {len(first.groups)}.")
    if by == "largest":
        held_out(models)


def held_out(models: Mapping[str, Model], share: float = HELD_SHARE, least: int = HELD_LEAST) -> np.ndarray:
    """The runs every model is scored on: the largest of each group, if any model has groups."""
    grouped = {model.group: model for model in models.values() if model.group}
    if len(grouped) > 1:
        raise InputError(
            f"The models are pooled over different columns, {', '.join(map(repr, grouped))}; pool over one."
        )
    by_group = next(iter(grouped.values()), next(iter(models.values())))
    held = largest_runs(by_group, share, least)
    for name, model in models.items():
        if (~held).sum() < len(model.law.params):
            raise InputError(f"Holding out {held.sum()} runs leaves too few for {name!r}. Compare by 'loo' or 'waic'.")
    return held


def waic(posterior: Posterior, unit: str | None = None) -> Criterion:
    """Widely applicable information criterion, as expected log predictive density."""
    log_density = _by_unit(posterior.log_likelihood(), posterior.model, unit)
    lppd = log_mean(log_density)
    p = log_density.var(("chain", "draw"), ddof=1)
    flagged = int((p > P_WAIC_LIMIT).sum())
    return Criterion(lppd - p, p, flagged, f"p_waic above {P_WAIC_LIMIT}" if flagged else "")


def loo(posterior: Posterior, unit: str | None = None) -> Criterion:
    """Leave one out by Pareto-smoothed importance sampling (ArviZ)."""
    import arviz_stats

    check_many(posterior)
    log_density = _by_unit(posterior.log_likelihood(), posterior.model, unit)
    output = posterior.model.law.output.symbol
    tree = xr.DataTree.from_dict(
        {
            # Only what was sampled: a paper's constant may be infinite, and would spoil the sampling efficiency.
            "posterior": posterior.dataset[[p.symbol for p in posterior.model.params]],
            "log_likelihood": log_density.to_dataset(name=output),
        }
    )
    with warnings.catch_warnings():
        # The count of unreliable units stands in the table, with the threshold; ArviZ's warning would say it twice.
        warnings.filterwarnings("ignore", category=UserWarning, module="arviz_stats")
        try:
            result: Any = arviz_stats.loo(tree, pointwise=True)
        except ValueError as error:  # a tail of equal values
            raise InputError(
                f"PSIS-LOO cannot judge {posterior.model.law.name!r}: some run is as probable under most of its draws, "
                f"as if chains stood still ({error}). Fit again with more draws, or compare by='largest'."
            ) from error
    lppd = log_mean(log_density)
    flagged = int((result.pareto_k > result.good_k).sum())
    return Criterion(
        result.elpd_i, lppd - result.elpd_i, flagged, f"Pareto k above {result.good_k:.2f}" if flagged else ""
    )


def largest(
    posterior: Posterior, held: np.ndarray, unit: str | None = None, seed: int = 0, progress: bool | None = None
) -> Criterion:
    """Score on the largest runs of a fit without them; the reference point comes from the smaller runs alone."""
    model = posterior.model
    runs = model.runs.loc[held].reset_index(drop=True)
    smaller = model.refit_on(model.runs.loc[~held].reset_index(drop=True))
    without = whole(fit(smaller, seed=seed, progress=progress, **posterior.info.get("settings", {})))
    log_density = without.log_likelihood(runs)
    elpd = log_mean(_by_unit(log_density, model, unit, runs))
    return Criterion(
        elpd,
        flagged=0 if without.converged else elpd.size,
        flag="" if without.converged else "refit not converged",
    )


def largest_runs(model: Model, share: float = HELD_SHARE, least: int = HELD_LEAST) -> np.ndarray:
    """Mark the largest runs: by cost, the top 20 % and at least 5, of each group.

    Parameters
    ----------
    model : Model
        Gives runs, costs and groups.
    share, least : float, int
        How many of each group.

    Returns
    -------
    ndarray of bool
        One for each run.

    Raises
    ------
    InputError
        A group would keep fewer runs than the law has parameters.
    """
    cost, index = model.cost(), model.group_index
    held = np.zeros(len(cost), dtype=bool)
    for g in np.unique(index):
        members = np.flatnonzero(index == g)
        count = max(least, int(np.ceil(share * members.size)))
        kept = members.size - count
        if kept < len(model.law.params):
            where = f"Group {model.groups[g]!r}" if model.group else "The table"
            raise InputError(
                f"{where} has {members.size} runs; holding out the {count} largest leaves {max(kept, 0)}, too few for "
                f"the {len(model.law.params)} parameters of {model.law.name!r}. Compare by 'loo' or 'waic'."
            )
        order = members[np.argsort(cost[members], kind="stable")]
        held[order[-count:]] = True
    return held


def _leave_group_out(posterior: Posterior, name: str, seed, progress) -> Criterion:
    """Joint density of all runs of a group, from a fit to the other groups: a mean over new groups drawn from it."""
    model = posterior.model
    scores, flagged = [], 0
    for group in track(model.groups, lambda group: f"{name} without {group}", progress):
        inside = model.group_index == model.groups.index(group)
        rest = model.refit_on(model.runs.loc[~inside].reset_index(drop=True))
        others = whole(fit(rest, seed=seed, progress=progress, **posterior.info.get("settings", {})))
        runs = model.runs.loc[inside].reset_index(drop=True)
        density = xr.concat([_of_new_group(others, runs, seed + k) for k in range(NEW_GROUPS)], "new")
        weight = np.exp(density - density.max())
        flagged += not others.converged or float(weight.sum() ** 2 / (weight**2).sum()) < FEW_DRAWS
        top = density.max()
        scores.append((ops.log(np.exp(density - top).mean()) + top).assign_coords(unit=group))
    elpd: Any = xr.concat(scores, "unit")
    return Criterion(elpd, flagged=flagged, flag=f"fewer than {FEW_DRAWS} draws carry the mean" if flagged else "")


def _of_new_group(posterior: Posterior, runs: pd.DataFrame, seed: int) -> xr.DataArray:
    """Log density of runs taken together as those of a new group, for each draw of one."""
    model = posterior.model
    inputs = {s: xr.DataArray(x, dims="run") for s, x in model.inputs(runs).items()}
    params = posterior.params(NEW, seed)
    location = posterior.truth(params, inputs, posterior.beyond(inputs, NEW))
    response = xr.DataArray(np.asarray(runs[model.law.output.symbol]), dims="run")
    return model.noise.log_density(response, location, params, model.facts_of(params, runs)).sum("run")


_CRITERIA: Mapping[str, Callable[..., Criterion]] = {"waic": waic, "loo": loo, "largest": largest}


def _check_same_runs(models: Mapping[str, Model]) -> None:
    (first_name, a), *others = models.items()
    for name, b in others:
        same_inputs = [c for c in (*a.law.columns, *b.law.columns) if c in a.runs and c in b.runs]
        if (
            a.law.output != b.law.output
            or len(a.runs) != len(b.runs)
            or not np.array_equal(a.response, b.response)
            or any(not np.array_equal(a.runs[c], b.runs[c]) for c in same_inputs)
        ):
            raise InputError(
                f"{first_name!r} and {name!r} were not fitted to the same runs in the same order "
                f"({len(a.runs)} and {len(b.runs)} rows of {a.law.output.symbol} and {b.law.output.symbol}); "
                "fit both to one table."
            )
        if a.noise.counts != b.noise.counts:
            raise InputError(
                f"{first_name!r} has noise {a.noise}, {name!r} has {b.noise}: a chance of counts and a density of "
                "shares do not compare; fit both with counts, or both without."
            )


def _by_unit(log_density: xr.DataArray, model: Model, unit: str | None, runs: pd.DataFrame | None = None):
    """Rename runs to units, or sum what belongs to one unit."""
    if unit is None:
        return log_density.rename(run="unit")
    table = model.runs if runs is None else runs
    labels = xr.DataArray(table[unit].astype(str).to_numpy(dtype=object), dims="run", name="unit")
    return log_density.groupby(labels).sum("run").transpose("chain", "draw", "unit")


def log_mean(log_density: xr.DataArray) -> xr.DataArray:
    """Log of the mean density over draws: the log density of the mixture of them all."""
    top = log_density.max(("chain", "draw"))
    with np.errstate(divide="ignore"):  # no draw foresees it: minus infinity
        return ops.log(ops.exp(log_density - top).mean(("chain", "draw"))) + top


def _tabulate(by: str, criteria: Mapping[str, Criterion], bad: Mapping[str, Diagnostics] = _NONE) -> Comparison:
    names = sorted(criteria, key=lambda name: -float(criteria[name].elpd_i.sum()))
    scores = np.stack([criteria[name].elpd_i.to_numpy() for name in names])
    n = scores.shape[1]
    differences = scores - scores[0]
    table = pd.DataFrame(
        {
            "elpd": scores.sum(axis=1),
            "se": _standard_error(scores),
            "elpd_diff": differences.sum(axis=1),
            "dse": _standard_error(differences),
            "p": [float(np.sum(p)) if (p := criteria[name].p_i) is not None else float("nan") for name in names],
            "weight": stacking_weights(scores),
            "flags": [_flag(criteria[name], name in bad) for name in names],
        },
        index=pd.Index(names, name="law"),
    )
    pointwise = xr.Dataset({"elpd_i": (("law", "unit"), scores)}, {"law": names})
    reason = "too many units are unreliable" if _unreliable(criteria, names[:2], n) else ""
    reason = f"{listed(bad)} has not converged" if bad else reason
    notes = [f"Do not trust this comparison: the fit of {name} is {said}." for name, said in bad.items()]
    return Comparison(by, table, pointwise, _verdict(by, table, reason), (*notes, *_notes(by, table, n)))


def _unreliable(criteria: Mapping[str, Criterion], names: Iterable[str], n: int) -> bool:
    return any(criteria[name].flagged > UNRELIABLE_SHARE * n for name in names)


def _standard_error(scores: np.ndarray) -> np.ndarray:
    """``sqrt(n * variance)`` of a sum over n units; the variance has ddof 1."""
    n = scores.shape[1]
    return np.sqrt(n * scores.var(axis=1, ddof=1)) if n > 1 else np.full(len(scores), np.nan)


def stacking_weights(
    scores: np.ndarray, counts: np.ndarray | None = None, prior: np.ndarray | None = None
) -> np.ndarray:
    """Weights on the simplex that maximise the summed log density of the mixture.

    ``sum_i counts_i log(sum_k w_k p_ik) + sum_k prior_k log(w_k)``. At its maximum the gradient is the total of counts
    and prior for every law of positive weight, and less for the others; Newton steps on these conditions with positive
    weights and slacks (a primal-dual interior point method) reach it whatever the ties. Equal laws share equally.

    Parameters
    ----------
    scores : ndarray
        Pointwise log predictive densities, shape (law, unit); an outlier's may underflow as densities.
    counts : ndarray, optional
        How often each unit counts; by default once.
    prior : ndarray, optional
        How many imaginary units only this law explains, for each law; by default none.

    Returns
    -------
    ndarray
        One weight for each law; they sum to 1. NaN where a unit has no finite density under any law.

    References
    ----------
    .. [1] Yao, Vehtari, Simpson & Gelman (2018), Bayesian Analysis 13, 917-1007, equation 4.
    .. [2] Koenker & Mizera (2014), JASA 109, 674-685 (interior point methods for weights of a mixture).
    """
    top = scores.max(axis=0)
    if not np.isfinite(top).all():
        return np.full(len(scores), np.nan)
    density = np.exp(scores - top).T
    seen = np.ones(len(density)) if counts is None else counts
    imaginary = np.zeros(len(scores)) if prior is None else prior
    total = seen.sum() + imaginary.sum()
    seen, imaginary = seen / total, imaginary / total
    weights, slack = np.full(len(scores), 1.0 / len(scores)), np.ones(len(scores))
    for _ in range(_STEPS):
        mixture = density @ weights
        responsibility = seen / mixture
        off_gradient = 1.0 - responsibility @ density - slack
        off_product = weights * slack - imaginary
        if max(np.abs(off_gradient).max(), np.abs(off_product).max()) < _TOLERANCE:
            return weights / weights.sum()
        curvature = (density.T * (responsibility / mixture)) @ density
        aim = _CENTRING * np.abs(off_product).mean()
        step = np.linalg.solve(curvature + np.diag(slack / weights), (aim - off_product) / weights - off_gradient)
        slack_step = curvature @ step + off_gradient
        length = min(_to_boundary(weights, step), _to_boundary(slack, slack_step))
        weights, slack = weights + length * step, slack + length * slack_step
    raise ArithmeticError(f"Stacking weights did not converge in {_STEPS} steps for scores {scores!r}.")


def _to_boundary(values: np.ndarray, step: np.ndarray) -> float:
    """Length of a step, at most 1, that keeps every value positive."""
    falls = step < 0
    return float(np.min(0.95 * values[falls] / -step[falls], initial=1.0))


def _flag(criterion: Criterion, unconverged: bool) -> str:
    flag = f"{criterion.flagged} of {criterion.elpd_i.size}: {criterion.flag}" if criterion.flagged else ""
    return "; ".join(filter(None, ("not converged" if unconverged else "", flag)))


_NAMES = {"waic": "WAIC", "loo": "PSIS-LOO", "largest": "largest runs held out"}


def _verdict(by: str, table: pd.DataFrame, reason: str) -> str:
    best, second = table.index[:2]
    ahead, error = -table["elpd_diff"].iloc[1], table["dse"].iloc[1]
    clear = ahead > 2 * error and ahead > CLOSE and not reason
    but = f": {reason}" if reason else ""
    return (
        f"{best} is ahead of {second} by {ahead:.1f} ± {error:.1f} in log predictive density ({_NAMES[by]}); "
        f"the difference is {'clear' if clear else 'not clear'}{but}."
    )


def _notes(by: str, table: pd.DataFrame, n: int) -> list[str]:
    notes = []
    if by == "largest":
        notes.append(
            f"Scored on the {n} largest runs. They share what is special about large runs; "
            "the standard error ignores that."
        )
    if n < FEW_UNITS:
        notes.append(f"Only {n} units: below {FEW_UNITS} the standard errors are themselves rough.")
    remedy = "fit it with more draws or tighter priors" if by == "largest" else "compare by='largest' as well"
    flagged = table.loc[table["flags"] != "", "flags"]
    notes += [f"{name}: {flag}; its estimate is unreliable there: {remedy}." for name, flag in flagged.items()]
    return notes
