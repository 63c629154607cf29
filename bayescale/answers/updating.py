"""New runs have come in: fit again with them, say what they changed, and whether they were expected."""

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayescale.answers.common import check_asked, warn_unless_converged
from bayescale.answers.mixture import Stack
from bayescale.errors import BayescaleWarning, InputError
from bayescale.given import check_kind
from bayescale.inference import fit, whole
from bayescale.law import Param
from bayescale.measured import error_column
from bayescale.model import Model
from bayescale.posterior import NEW, Posterior
from bayescale.progress import track
from bayescale.streams import stream
from bayescale.words import COUNTING, counted, listed, quoted, row_numbers

USED_DRAWS = 400  # of the old posterior, in the replicates that surprise is measured by
SURPRISE_P = 0.01
MOVED = 1.0
NARROWED = 0.8
AGREED = 4.0  # Monte Carlo errors between two sets of draws of one posterior


@dataclass(frozen=True, eq=False)
class Change:
    """What new runs did to one fit.

    Parameters
    ----------
    before, after : Posterior
        The fit to the old runs, and to all of them.
    parameters : Dataset
        By ``parameter``: ``before`` and ``after``, the medians in natural units; ``shift``, the median's move in
        standard deviations of the old posterior; ``ratio``, standard deviation after over before; both on the
        parameter's unconstrained scale (the log of a positive one). NaN before for a group that is new.
    surprise : Dataset
        By ``run`` (the new ones): ``log_density`` under the old posterior's prediction, ``pit``, the probability that
        it gave to a lower response. ``p``: the share of tables of new runs, drawn from that prediction, whose summed
        log density is as low as the measured one's. NaN where the old fit could not predict a new group.
    """

    before: Posterior
    after: Posterior
    parameters: xr.Dataset
    surprise: xr.Dataset


@dataclass(frozen=True, eq=False)
class Update:
    """A posterior or stack fitted again with new runs, and what they changed.

    Parameters
    ----------
    posterior : Posterior or Stack
        The new one.
    changes : mapping of str to Change
        By law; of a stack each member's.
    notes : tuple of str
        What was done with columns, groups and weights.
    """

    posterior: Posterior | Stack
    changes: Mapping[str, Change]
    notes: tuple[str, ...] = ()

    def __str__(self):
        return "\n".join(update_sentences(self))


def update(
    posterior: Posterior | Stack, new_runs: pd.DataFrame, *, seed: int | None = None, progress: bool | None = None
) -> Update:
    """Fit again with new runs added, and say what they changed.

    Law, priors, pooling, noise and discrepancy stay. So do the reference point and the sizes by which default priors
    are scaled: the prior is the one believed before any run was seen, a parameter such as ``A_ref`` means the same
    before and after, and fitting all runs at once is Bayes' rule applied to the new ones.

    Parameters
    ----------
    posterior : Posterior or Stack
        A fit. Of a stack each member is fitted again; its weights are kept, since they come from refits of their own,
        and the answer says which law foretold the new runs better. Weigh again with `stack`.
    new_runs : DataFrame
        The new runs only, read by `read_runs`: the columns of the law, the response, and the group's where there are
        groups. A group not seen before is added, and said to be.
    seed : int, optional
        For the refit. Sampler settings are those of the fit.
    progress : bool, optional
        Whether to show a progress bar.

    Returns
    -------
    Update
        ``update(...).posterior`` is the new posterior; `update_table` and `update_sentences` say what changed.

    Raises
    ------
    InputError
        Copies of runs that are fitted already, a column missing, values out of range, a response in another unit.

    Examples
    --------
    >>> import bayescale as bs
    >>> updated = bs.update(posterior, bs.read_runs("new.csv"), seed=1)  # doctest: +SKIP
    >>> print(updated)  # doctest: +SKIP
    >>> updated.posterior.save("sweep2.nc")  # doctest: +SKIP
    """
    check_asked(posterior, (Posterior, Stack))
    check_kind("new_runs", new_runs, pd.DataFrame, "Read them with read_runs.")
    members = posterior.members if isinstance(posterior, Stack) else {posterior.model.law.name: posterior}
    notes: list[str] = []
    extended = {name: _extend(member.model, new_runs, notes) for name, member in members.items()}
    for note in dict.fromkeys(notes):
        warnings.warn(note, BayescaleWarning, stacklevel=2)
    changes = {}
    for name, before in track(list(members.items()), lambda item: f"{item[0]} with the new runs", progress):
        warn_unless_converged(before)
        added = extended[name].runs.iloc[len(before.model.runs) :].reset_index(drop=True)
        surprise = _surprise(before, added, seed or 0)
        after = fit(extended[name], seed=seed, progress=progress, **_settings(before))
        after = after if len(members) == 1 else whole(after)
        changes[name] = Change(before, after, compare_draws(before, after), surprise)
    if not isinstance(posterior, Stack):
        return Update(next(iter(changes.values())).after, changes, tuple(dict.fromkeys(notes)))
    kept = f"The weights are those learnt before {counted(len(new_runs), 'run')} came in."
    stack = Stack(
        {name: change.after for name, change in changes.items()},
        posterior.weights,
        posterior.weight_draws,
        posterior.by,
        posterior.seed,
        (*posterior.notes, kept),
        posterior.doubts,
    )
    return Update(stack, changes, (*dict.fromkeys(notes), kept))


def _settings(posterior: Posterior) -> dict[str, Any]:
    """Sampler settings of a fit; `fit`'s own where the draws do not come from it."""
    return dict(posterior.info.get("settings", {}))


def _extend(model: Model, new: pd.DataFrame, notes: list[str]) -> Model:
    """The model with the new runs under the old ones, all else kept; what is wrong with them is said."""
    if not isinstance(new, pd.DataFrame) or not len(new):
        raise InputError("update needs a table with the new runs, one row for each; read it with read_runs.")
    new = new.reset_index(drop=True)
    if model.group and model.group in new:
        new = new.assign(**{model.group: new[model.group].astype(str)})
    model.with_runs(new).describe()  # refuses what no fit could use, by the rows of the new table
    model.noise.check(new)
    model.errors(new)
    _refuse_other_units(model, new)
    _refuse_copies(model, new)
    name = error_column(model.law.output.symbol)
    if name in new and not model.error_column and not model.noise.counts:
        notes.append(f"Column {name!r} of the new runs is not used: the fitted runs have none. To use it, fit anew.")
    # read_runs fills in C; where the fitted table was not read by it, that is no loss.
    expected = {*model.runs.columns, name, *(("C",) if {"N", "D"} <= {*new.columns} else ())}
    if extra := [c for c in new.columns if c not in expected]:
        notes.append(f"Columns that the fitted runs lack are left out: {quoted(extra)}.")
    if model.group and (fresh := sorted(set(new[model.group]) - set(model.groups))):
        notes.append(f"New {model.group}: {listed(fresh)}. Its parameters are learnt with those of the other groups.")
    if NEW in set(new[model.group] if model.group else ()):
        raise InputError(f"A group of {model.group!r} is called {NEW!r}, which asks for an unseen one; rename it.")
    runs = pd.concat([model.runs, new.reindex(columns=model.runs.columns)], ignore_index=True)
    runs.attrs = {**model.runs.attrs, "notes": [*model.runs.attrs.get("notes", ()), f"{len(new)} runs were added."]}
    numeric = [*model.law.columns, model.law.output.symbol]
    return model.with_runs(runs.astype(dict.fromkeys(numeric, float)))


def _refuse_other_units(model: Model, new: pd.DataFrame) -> None:
    if "unit" not in model.runs or "unit" not in new:
        return
    for group in model.groups or (None,):
        old, fresh = _units(model.runs, model.group, group), _units(new, model.group, group)
        if other := sorted(fresh - old):
            where = f" of {group!r}" if group else ""
            raise InputError(
                f"{model.law.output.symbol}{where} is in {listed(sorted(old))} in the fitted runs, in {listed(other)} "
                "in the new ones. Convert them (bits/byte: bayescale.conversions)."
            )


def _units(runs: pd.DataFrame, column: str | None, group: str | None) -> set[str]:
    """Units that a group's rows name."""
    units = runs["unit"].to_numpy(dtype=object)
    there = ~runs["unit"].isna().to_numpy()
    if column is not None:
        there = there & (runs[column].to_numpy(dtype=object) == group)
    return set(map(str, units[there]))


def _refuse_copies(model: Model, new: pd.DataFrame) -> None:
    """Refuse new rows that equal a fitted one, or an earlier new one, in every column that both have."""
    shared = [c for c in new.columns if c in model.runs.columns]
    both = pd.concat([model.runs[shared], new[shared]], ignore_index=True).astype(
        dict.fromkeys(model.law.columns, float)
    )
    copies = np.flatnonzero(both.astype(str).duplicated().to_numpy()[len(model.runs) :])
    if copies.size:
        raise InputError(
            f"{counted(copies.size, 'new run')} ({row_numbers(copies)}; {COUNTING}) "
            f"{'is a copy' if copies.size == 1 else 'are copies'} of a run that is fitted already or stands above: "
            "they would fake certainty. Give only runs that are new; if a rerun truly gave the same numbers, tell it "
            "apart by a column such as seed."
        )


# -- What changed


def compare_draws(before: Posterior, after: Posterior) -> xr.Dataset:
    """Median, shift and ratio of standard deviations of each parameter; see `Change`."""
    old, new = dict(unconstrained_draws(before)), dict(unconstrained_draws(after))
    nothing = np.full(2, np.nan)
    rows = []
    for name, (param, draws) in new.items():
        earlier = old[name][1] if name in old else nothing
        constrain = param.support.constrain if param else np.exp
        spread = np.std(earlier)
        rows.append(
            (
                float(constrain(np.median(earlier))),
                float(constrain(np.median(draws))),
                float((np.median(draws) - np.median(earlier)) / spread) if spread > 0 else np.nan,
                float(np.std(draws) / spread) if spread > 0 else np.nan,
            )
        )
    columns = dict(zip(("before", "after", "shift", "ratio"), np.array(rows).T, strict=True))
    return xr.Dataset(
        {name: ("parameter", values) for name, values in columns.items()},
        {"parameter": np.array(list(new), dtype=object)},
    )


def unconstrained_draws(posterior: Posterior) -> Iterator[tuple[str, tuple[Param | None, np.ndarray]]]:
    """Name, declaration and draws on the unconstrained scale of each parameter of each group."""
    model, draws = posterior.model, posterior.dataset
    for p in model.params:
        value = draws[p.symbol].transpose("chain", "draw", ...)
        groups = model.groups if model.group in value.dims else ("",)
        flat = value.to_numpy().reshape(-1, len(groups))
        for k, group in enumerate(groups):
            if group not in model.zero.get(p.symbol, ()):
                yield f"{p.symbol}[{group}]" if group else p.symbol, (p, np.asarray(p.support.unconstrain(flat[:, k])))


# -- Was it expected?


def _surprise(posterior: Posterior, new: pd.DataFrame, seed: int) -> xr.Dataset:
    """How probable the new runs were: see `Change`."""
    density = np.full(len(new), np.nan)
    pit = np.full(len(new), np.nan)
    observed, replicated = 0.0, 0.0
    for rows, location, params, facts in _predictions(posterior, new, seed):
        noise = posterior.model.noise
        flat = ("chain", "draw", "run")
        y = xr.DataArray(new[posterior.model.law.output.symbol].to_numpy(dtype=float)[rows], dims="run")
        log = noise.log_density(y, location, params, facts).transpose(*flat).to_numpy()
        density[rows] = _log_mean(log.reshape(-1, rows.size))
        pit[rows] = noise.cdf(y, location, params, facts).transpose(*flat).mean(("chain", "draw")).to_numpy()
        drawn = noise.draw(stream("update", seed), location, params, facts).transpose(*flat)
        thin = np.linspace(0, location.sizes["chain"] * location.sizes["draw"] - 1, USED_DRAWS).astype(int)
        tables = drawn.to_numpy().reshape(-1, rows.size)[thin]
        few, few_params, few_facts = _thinned(location, params, facts, thin)
        log_of = [
            noise.log_density(xr.DataArray(table, dims="run"), few, few_params, few_facts).transpose("sample", "run")
            for table in (y.to_numpy(), *tables)
        ]
        scores = np.array([_log_mean(log.to_numpy()).sum() for log in log_of])
        observed, replicated = observed + scores[0], replicated + scores[1:]
    p = float(np.mean(replicated <= observed)) if np.isfinite(density).any() else np.nan
    return xr.Dataset({"log_density": ("run", density), "pit": ("run", pit), "p": p})


def _thinned(location, params, facts, thin):
    """Some of the draws, along one dim ``sample``."""

    def take(value):
        if not isinstance(value, xr.DataArray) or "draw" not in value.dims:
            return value
        return value.stack(sample=("chain", "draw"), create_index=False).reset_coords(drop=True).isel(sample=thin)  # noqa: PD013

    return take(location), {k: take(v) for k, v in params.items()}, {k: take(v) for k, v in facts.items()}


def _log_mean(log: np.ndarray) -> np.ndarray:
    """Log of the mean over draws, the first axis."""
    from scipy.special import logsumexp

    return logsumexp(log, axis=0) - np.log(len(log))


def _predictions(posterior: Posterior, new: pd.DataFrame, seed: int) -> Iterator[tuple[np.ndarray, Any, Any, Any]]:
    """Rows, and what was expected at them: those of known groups together, then those of each new group."""
    model = posterior.model
    labels = new[model.group].to_numpy(dtype=str) if model.group else np.full(len(new), "")
    known = np.flatnonzero(np.isin(labels, model.groups)) if model.group else np.arange(len(new))
    if known.size:
        yield known, *posterior.at_runs(new.iloc[known].reset_index(drop=True))
    for k, group in enumerate(sorted(set(labels) - set(model.groups)) if model.group else ()):
        rows = np.flatnonzero(labels == group)
        table = new.iloc[rows].reset_index(drop=True)
        try:
            params = posterior.params(NEW, seed + k)
        except InputError:  # nothing is shared between groups, so nothing was expected
            continue
        inputs = {s: xr.DataArray(x, dims="run") for s, x in model.inputs(table).items()}
        location = posterior.truth(params, inputs, posterior.beyond(inputs, NEW))
        yield rows, location, params, model.facts_of(params, table)


# -- In print


def update_table(updated: Update) -> pd.DataFrame:
    """What changed, as a statistician checks it.

    Returns
    -------
    DataFrame
        A line for each parameter (of each law of a stack, in the column ``law``): ``before`` and ``after``, medians in
        natural units; ``shift`` in old posterior standard deviations; ``sd_ratio``.
    """
    parts = []
    for name, change in updated.changes.items():
        table = change.parameters.to_dataframe().rename(columns={"ratio": "sd_ratio"}).reset_index()
        parts.append(table.assign(law=name) if len(updated.changes) > 1 else table)
    return pd.concat(parts, ignore_index=True)


def update_sentences(updated: Update) -> list[str]:
    """Say what new runs changed, and whether they were expected."""
    lines = []
    several = len(updated.changes) > 1
    for name, change in updated.changes.items():
        lead = f"{name}: " if several else ""
        lines += [lead + line for line in (_count_line(change), _surprise_line(change.surprise), *_moved_lines(change))]
        for which, one in (("old", change.before), ("new", change.after)):
            if not one.converged:
                lines.append(f"{lead}the {which} fit is {one.diagnostics}.")
    if several:
        scores = {n: float(c.surprise["log_density"].sum(skipna=False)) for n, c in updated.changes.items()}
        shown = listed(f"{n} {score:.1f}" for n, score in sorted(scores.items(), key=lambda item: -item[1]))
        lines.append(f"Log density of the new runs, before they were seen: {shown}. Weigh the laws again with stack.")
    return [*lines, *updated.notes]


def _count_line(change: Change) -> str:
    old, total = len(change.before.model.runs), len(change.after.model.runs)
    return f"{counted(total - old, 'run')} added to {old}; law, priors, noise and reference point are kept."


def _surprise_line(surprise: xr.Dataset) -> str:
    pit = surprise["pit"].to_numpy()
    told = pit[np.isfinite(pit)]
    if not told.size:
        return "Whether the new runs were expected cannot be said: nothing is shared between groups."
    inside = int(np.sum(abs(told - 0.5) <= 0.45))
    p = float(surprise["p"])
    chance = f"p below {1 / USED_DRAWS:g}" if p == 0 else f"p = {p:.2g}"
    counts = f"{inside} of {told.size} inside the 90 % interval forecast for them"
    if p >= SURPRISE_P:
        return f"The new runs were expected: {counts}; {chance} for runs as improbable as these."
    side = "above" if np.mean(told) > 0.5 else "below"
    return (
        f"SURPRISE: the new runs were not expected: {counts}, most lie {side}; {chance} for runs as improbable. "
        "Check their unit, tokenizer and data first; if they stand, the law or its noise does not hold there: look at "
        "check_fit, a discrepancy, or other laws."
    )


def _moved_lines(change: Change) -> list[str]:
    rows = change.parameters.to_dataframe().dropna().to_dict("index")
    moved = {str(name): row for name, row in rows.items() if abs(row["shift"]) > MOVED}
    lines = [
        f"{name} moved from {row['before']:.4g} to {row['after']:.4g}, {row['shift']:+.1f} of its standard deviations."
        for name, row in sorted(moved.items(), key=lambda item: -abs(item[1]["shift"]))
    ]
    if not moved:
        lines.append(f"No parameter moved by more than {MOVED:g} of its standard deviations.")
    ratios = sorted((row["ratio"], str(name)) for name, row in rows.items())
    narrowed = [f"{name} ({ratio:.2f})" for ratio, name in ratios if ratio < NARROWED]
    wider = [f"{name} ({ratio:.2f})" for ratio, name in reversed(ratios) if ratio > 1 / NARROWED]
    for words, part in (("Narrower now", narrowed), ("Wider now", wider)):
        if part:
            lines.append(f"{words}, as a share of the width before: {listed(part, limit=8)}.")
    return lines


# -- The same fit again


@dataclass(frozen=True, eq=False)
class Refit:
    """A fit made again from its model, seed and settings.

    Parameters
    ----------
    before, after : Posterior
        As it was, and as it came out now.
    parameters : Dataset
        As for `Change`.
    """

    before: Posterior
    after: Posterior
    parameters: xr.Dataset

    @property
    def identical(self) -> bool:
        """Whether every draw is the same, bit for bit."""
        return self.before.dataset.equals(self.after.dataset)

    @property
    def limit(self) -> float:
        """Shift of a median, in posterior standard deviations, that Monte Carlo error alone hardly makes.

        Four standard errors of the difference of two medians, each ``sqrt(pi / 2 / ESS)`` for a normal posterior.
        """
        fewest = [p.diagnostics.ess_bulk for p in (self.before, self.after)]
        return AGREED * float(np.sqrt(np.pi / 2 * sum(1 / max(n, 1.0) for n in fewest)))

    @property
    def agrees(self) -> bool:
        """Whether the draws are identical, or medians differ by Monte Carlo error only."""
        return self.identical or bool((abs(self.parameters["shift"].fillna(0)) <= self.limit).all())

    def __str__(self):
        bad = [p.diagnostics for p in dict.fromkeys((self.before, self.after)) if not p.converged]
        doubt = f" Do not trust them: the fit is {bad[0]}." if bad else ""
        return self._verdict() + doubt

    def _verdict(self) -> str:
        if self.identical:
            return "The same draws, bit for bit."
        shift = self.parameters["shift"].fillna(0)
        worst = int(abs(shift).argmax("parameter"))
        name, by = self.parameters["parameter"].to_numpy()[worst], float(shift[worst])
        verdict = "within Monte Carlo error" if self.agrees else "MORE than Monte Carlo error"
        return (
            f"Other draws ({self._cause()}); the largest shift of a median is "
            f"{by:+.2f} standard deviations, of {name}: {verdict} (limit {self.limit:.2f})."
        )

    def _cause(self) -> str:
        then, now = (p.info.get("versions", {}) for p in (self.before, self.after))
        changed = [
            f"{name} {version} then, {now.get(name, 'none')} now"
            for name, version in then.items()
            if now.get(name) != version
        ]
        return listed(changed) if changed else "another machine or other code changes their rounding"


def refit(posterior: Posterior, *, progress: bool | None = None) -> Refit:
    """Fit again from the model, seed and settings that a posterior carries, and compare.

    On one machine, with the versions it was made with, the draws are the same, bit for bit.

    Parameters
    ----------
    posterior : Posterior
        A fit of `fit`, perhaps opened from its file.
    progress : bool, optional
        Whether to show a progress bar.

    Returns
    -------
    Refit
        ``identical``, ``agrees``, and the new posterior, ``after``.

    Raises
    ------
    InputError
        The draws do not come from `fit`, so there is nothing to repeat.
    """
    if "settings" not in posterior.info:
        raise InputError("These draws were not made by fit, or by a version that kept no settings; fit the model anew.")
    after = whole(fit(posterior.model, seed=posterior.info["seed"], progress=progress, **_settings(posterior)))
    return Refit(posterior, after, compare_draws(posterior, after))
