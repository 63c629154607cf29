"""How far ahead would this table have let one see? Fit the small runs, forecast the large ones that were made."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr

from bayescale.answers.baselines import (
    LAST,
    LEAST_SQUARES,
    LINE,
    Predicted,
    last_value,
    least_squares_law,
    log_log_line,
)
from bayescale.answers.comparison import log_mean
from bayescale.answers.mixture import Stack
from bayescale.answers.recommendation import Recipe, recommend, weigh
from bayescale.answers.scores import LEVELS, score
from bayescale.answers.splits import (
    LEAST,
    SHARE,
    Split,
    beyond_in_cost,
    first_points,
    large_runs,
    small_runs,
    split_at,
    split_by_column,
    split_by_size,
)
from bayescale.errors import BayescaleWarning, InputError
from bayescale.given import check_kind
from bayescale.inference import fit, whole
from bayescale.law import Law
from bayescale.many import fit_many
from bayescale.model import Model
from bayescale.posterior import Posterior
from bayescale.progress import track
from bayescale.streams import stream
from bayescale.words import counted, listed

STACK, ALONE = "stack", " alone"
FAIR = 0.05  # a share of runs inside that would come about this seldom by chance is too small
LEVEL = 0.9  # the interval that the sentences are about


class _Fits(NamedTuple):
    """Settings of every fit."""

    seed: int
    draws: int
    tune: int
    progress: bool | None
    method: str
    workers: int

    def fit(self, model: Model) -> Posterior:
        posterior = fit(
            model,
            seed=self.seed,
            draws=self.draws,
            tune=self.tune,
            progress=self.progress,
            method=self.method,
        )
        return whole(posterior)

    def fit_each(self, models: Mapping[str, Model], name: str) -> dict[str, Posterior]:
        """Fit several models, in processes of their own where there are workers; ``name`` says of which runs."""
        if self.workers == 1:
            each = track(list(models.items()), lambda item: f"{item[0]}{name}", self.progress)
            return {key: self.fit(model) for key, model in each}
        settings: Any = self._asdict()
        fits = fit_many({f"{key}{name}": model for key, model in models.items()}, **settings)
        if failed := [one for one in fits if one.failed]:
            raise InputError(f"The fit of {failed[0].name} failed: {failed[0].error}")
        return {key: whole(one.value) for key, one in zip(models, fits, strict=True)}


def backtest(
    runs: pd.DataFrame,
    laws: Sequence[str | Law] | Mapping[str, Model] | Recipe | None = None,
    *,
    share: float = SHARE,
    least: int = LEAST,
    cut: float | None = None,
    train: str | None = None,
    points: int | None = None,
    pool: str | Mapping[str, str | None] | None = None,
    noise: str | None = None,
    discrepancy: bool = False,
    seed: int = 0,
    draws: int = 1000,
    tune: int = 1000,
    progress: bool | None = None,
    method: str = "nuts",
    workers: int = 1,
) -> xr.Dataset:
    """Forecast runs that were made from smaller ones, and keep both.

    Nothing of the held-out runs is used: reference points, priors' scales and the weights of the stack come from
    the fitted runs alone.

    Parameters
    ----------
    runs : DataFrame
        A table from `read_runs` or `load_runs`.
    laws : sequence of str or Law, mapping of str to Model, or Recipe, optional
        What to fit; several laws are also stacked, weighed on the largest fifth of the fitted runs (`stack`). A
        mapping names models of the whole table, each with settings of its own. By default what `recommend` says.
    share, least : float, int
        How much to hold out: the largest runs by cost, of each group.
    cut : float, optional
        Hold out, instead, the runs that cost so much or more (FLOP; else the law's first input).
    train : str, optional
        Fit, instead, the runs for which this column is true.
    points : int, optional
        Ask, instead, about new groups: hold out all of a group but its first ``points`` runs, by cost, each group in
        its turn (with more than 10 groups, a tenth of them at a time). Every law is then fitted pooled, and to those
        few runs ``alone``. Needs groups.
    pool, noise, discrepancy
        As `Model` takes them, for laws given by name.
    seed : int
        For all fits and draws.
    draws, tune : int
        Of each chain of each fit.
    progress : bool, optional
        Show the progress of fits; by default only on a terminal.
    method : str
        Of every fit, as `fit` takes it: ``"fast"`` where a tenth of the time matters.
    workers : int
        Processes in which several laws are fitted to the smaller runs (`fit_many`); the numbers stay the same.

    Returns
    -------
    Dataset
        Dims ``run`` (held-out runs), ``forecaster`` (laws, ``stack``, and the naive ``last value``, ``log-log line``
        and ``least squares`` of the first law), ``chain``, ``draw``. For a response L: ``L``, measured; ``L_run``,
        draws of what was forecast, noise included; ``log_density``, of the response as measured; ``spread``, whether
        there are intervals at all; ``beyond``, how many times a run costs more than the largest fitted of its group.
        `backtest_table`, `backtest_sentences` and `plot_backtest` reduce it; `score` gives the scores run by run.

    Raises
    ------
    InputError
        Too few runs, unknown columns, nothing held out, a group without runs to fit.

    Examples
    --------
    >>> import bayescale as bs
    >>> answer = bs.backtest(runs, ["kaplan", "chinchilla"], cut=1e21)  # doctest: +SKIP
    >>> bs.backtest_table(answer)  # doctest: +SKIP
    """
    check_kind("runs", runs, pd.DataFrame, "Read them with read_runs.")
    given = sum(choice is not None for choice in (cut, train, points))
    if given > 1:
        raise InputError("Runs are held out by one of cut, train and points; more than one was given.")
    models, recipe = _models(runs, laws, pool, noise, discrepancy)
    first = next(iter(models.values()))
    _check_alike(models)
    fits = _Fits(seed, draws, tune, progress, method, workers)
    if points is not None:
        splits = first_points(first, points)
        parts = [_forecast_new(models, split, fits) for split in splits]
    else:
        splits = [_split(first, share, least, cut, train)]
        parts = [_forecast_large(models, splits[0], fits)]
    answer = _joined(parts)
    return answer.assign_attrs(
        {
            "stacking": answer.attrs.get("stacking", ""),
            "response": first.law.output.symbol,
            "on_log": int(first.noise.on_log),
            "cost_unit": _cost_unit(first),
            "held_out": splits[0].text,
            "runs": len(first.runs),
            "fitted": int(splits[0].fitted.sum()) if points is None else len(first.runs) - answer.sizes["run"],
            "group": first.group or "",
            "points": points or 0,
            "recipe": str(recipe) if recipe else "",
            "seed": seed,
        }
    )


# -- What is fitted, and on which runs


def _models(runs, laws, pool, noise, discrepancy) -> tuple[dict[str, Model], Recipe | None]:
    """Models of the whole table by name, and the recipe they come from."""
    if isinstance(laws, Mapping):
        if not laws or not all(isinstance(model, Model) for model in laws.values()):
            raise InputError("A mapping of laws names models, {'plain': bs.Model(...)}; name laws in a list instead.")
        return dict(laws), None
    if laws is None and (noise or discrepancy):
        raise InputError("Without laws, all follows the recommendation; name laws to choose noise or discrepancy.")
    if isinstance(laws, str | Law):
        raise InputError("Name laws in a list: laws=['chinchilla'].")
    check_kind("laws", [] if laws is None else laws, (list, tuple, Recipe), "Name laws in a list: ['chinchilla'].")
    if laws is None or isinstance(laws, Recipe):
        recipe = laws or recommend(runs, pool)
        return recipe.models(runs), recipe
    if not laws:
        raise InputError("Name at least one law to backtest, or none at all for what is recommended.")
    exact, departing = ((), tuple(laws)) if discrepancy else (tuple(laws), ())
    return Recipe(exact, pool, noise, departing).models(runs), None


def _check_alike(models: Mapping[str, Model]) -> None:
    first = next(iter(models.values()))
    for name, model in models.items():
        if model.law.output != first.law.output or model.group != first.group or len(model.runs) != len(first.runs):
            raise InputError(
                f"Model {name!r} is not of the same runs, response and groups as the others; all of a backtest are."
            )


def _split(model: Model, share, least, cut, train) -> Split:
    if train is not None:
        return split_by_column(model, train)
    return split_by_size(model, share, least) if cut is None else split_at(model, cut)


def _forecast_large(models: Mapping[str, Model], split: Split, fits: _Fits) -> xr.Dataset:
    """Fit every law to the smaller runs, stack them, and forecast the larger."""
    small = {name: model.refit_on(small_runs(model, split)) for name, model in models.items()}
    first = next(iter(small.values()))
    held = large_runs(next(iter(models.values())), split)
    posteriors = fits.fit_each(small, " without the largest runs")
    found = {name: _of_law(posterior, held, fits.seed) for name, posterior in posteriors.items()}
    converged = {name: posterior.converged for name, posterior in posteriors.items()}
    weights, notes = {}, ()
    if len(posteriors) > 1:
        weighed = weigh(posteriors, seed=fits.seed, progress=fits.progress)
        found[STACK], converged[STACK] = _of_stack(weighed, found, fits.seed), weighed.converged
        weights, notes = dict(weighed.weights), weighed.notes
    found |= _naive(first, held, fits)
    together = _together(next(iter(models.values())), split, found, converged, weights, fits)
    return together.assign_attrs(stacking=" ".join(notes))


def _forecast_new(models: Mapping[str, Model], split: Split, fits: _Fits) -> xr.Dataset:
    """Fit every law to all groups, some of them cut short, and to each group cut short alone."""
    whole = next(iter(models.values()))
    held = large_runs(whole, split)
    found, converged = {}, {}
    for name, model in track(list(models.items()), lambda item: f"{item[0]}, pooled", fits.progress):
        pooled = fits.fit(model.refit_on(small_runs(model, split)))
        found[name], converged[name] = _of_law(pooled, held, fits.seed), pooled.converged
        found[name + ALONE], converged[name + ALONE] = _of_law_alone(pooled.model, held, fits)
    cut_short = whole.refit_on(small_runs(whole, split))
    found |= _naive(cut_short, held, fits)
    return _together(whole, split, found, converged, {}, fits)


def _of_law_alone(model: Model, held: pd.DataFrame, fits: _Fits) -> tuple[Predicted, bool]:
    """Forecast the runs of each group from its own runs alone."""
    assert model.group is not None
    parts, densities, places, converged = [], [], [], True
    for group in track(list(held[model.group].unique()), lambda group: f"{group} alone", fits.progress):
        own = model.runs.loc[model.runs[model.group] == group].drop(columns=model.group).reset_index(drop=True)
        with warnings.catch_warnings():
            # That a few runs do not determine a law is what is being shown.
            warnings.simplefilter("ignore", BayescaleWarning)
            alone = fits.fit(_ungrouped(model, own))
        rows = np.flatnonzero(held[model.group] == group)
        predicted = _of_law(alone, held.iloc[rows].reset_index(drop=True), fits.seed)
        parts.append(_thin(predicted.draws, fits.draws))
        densities.append(predicted.log_density)
        places.append(rows)
        converged &= alone.converged
    order = np.argsort(np.concatenate(places), kind="stable")
    joined: Any = xr.concat(parts, "run")
    return Predicted(joined.isel(run=order), np.concatenate(densities)[order]), converged


def _ungrouped(model: Model, runs: pd.DataFrame) -> Model:
    own = {name: model.priors[name] for name in model.own_priors if name in {p.symbol for p in model.params}}
    return Model(
        model.law,
        runs,
        priors=own,
        noise=model.noise,
        discrepancy=model.discrepancy is not None,
        cluster=None if model.cluster == model.group else model.cluster,
        input_error=model.input_error,
    )


# -- Forecasts of held-out runs


def _of_law(posterior: Posterior, held: pd.DataFrame, seed: int) -> Predicted:
    """What a run would measure, noise and its own error of measurement included."""
    location, params, facts = posterior.at_runs(held)
    drawn = posterior.model.noise.draw(stream("backtest", seed), location, params, facts)
    density = log_mean(posterior.log_likelihood(held)).to_numpy()
    return Predicted(drawn.transpose("chain", "draw", "run").reset_coords(drop=True), density)


def _of_stack(weighed: Stack, found: Mapping[str, Predicted], seed: int) -> Predicted:
    """The mixture: draws of each law in proportion to its weight, and the weighted mean of densities."""
    mixed = weighed.mix({name: xr.Dataset({"drawn": found[name].draws}) for name in weighed.members}, seed)
    weights = np.array([weighed.weights[name] for name in weighed.members])
    densities = np.stack([found[name].log_density for name in weighed.members])
    with np.errstate(divide="ignore"):
        return Predicted(mixed["drawn"], np.logaddexp.reduce(np.log(weights)[:, None] + densities, axis=0))


def _naive(model: Model, held: pd.DataFrame, fits: _Fits) -> dict[str, Predicted]:
    shape = (4, fits.draws)
    naive: dict[str, Callable[..., Predicted]] = {
        LAST: last_value,
        LINE: partial(log_log_line, seed=fits.seed),
        LEAST_SQUARES: partial(least_squares_law, seed=fits.seed),
    }
    found = {name: method(model, held, shape) for name, method in naive.items()}
    return {name: forecast for name, forecast in found.items() if np.isfinite(forecast.draws[0, 0]).all()}


def _thin(draws: xr.DataArray, count: int) -> xr.DataArray:
    """Four chains of so many draws, evenly spaced: a repeated try has more than was asked for."""
    flat = draws.transpose("chain", "draw", "run").to_numpy().reshape(-1, draws.sizes["run"])
    chosen = np.linspace(0, len(flat) - 1, 4 * count).round().astype(int)
    return xr.DataArray(flat[chosen].reshape(4, count, -1), dims=("chain", "draw", "run"))


def _together(whole: Model, split: Split, found, converged, weights, fits: _Fits) -> xr.Dataset:
    """One Dataset of all methods, with what was measured and how far beyond the fitted runs that is."""
    output = whole.law.output
    held = large_runs(whole, split)
    names = list(found)
    coords: dict[str, Any] = {column: ("run", held[column].to_numpy()) for column in whole.law.columns}
    if whole.group:
        coords[whole.group] = ("run", held[whole.group].to_numpy(dtype=str).astype(object))
    unit = {"units": output.unit}
    draws = xr.concat([_thin(found[name].draws, fits.draws) for name in names], "forecaster")
    measured = held[output.symbol].to_numpy(dtype=float)
    return xr.Dataset(
        {
            output.symbol: ("run", measured, {**unit, "long_name": f"{output.meaning}, measured"}),
            f"{output.symbol}_run": draws.assign_attrs(unit, long_name=f"{output.meaning} forecast, noise included"),
            "log_density": (("forecaster", "run"), np.stack([found[name].log_density for name in names])),
            "spread": ("forecaster", [found[name].spread for name in names]),
            "beyond": (
                "run",
                beyond_in_cost(whole, split),
                {"units": "1", "long_name": "cost over the largest fitted"},
            ),
            "weight": ("forecaster", [float(weights.get(name, np.nan)) for name in names]),
            "converged": ("forecaster", [bool(converged.get(name, True)) for name in names]),
        },
        {
            "forecaster": names,
            "chain": np.arange(4),
            "draw": np.arange(fits.draws),
            "row": ("run", np.flatnonzero(split.held)),
            "cost": ("run", whole.cost()[split.held]),
            **coords,
        },
    ).transpose("chain", "draw", ...)


def _joined(parts: Sequence[xr.Dataset]) -> xr.Dataset:
    """The held-out runs of all splits, forecast by the methods that all splits have."""
    names = [name for name in parts[0]["forecaster"].to_numpy() if all(name in part["forecaster"] for part in parts)]
    chosen = [part.sel(forecaster=names) for part in parts]
    of_runs = [part.drop_vars(_OF_METHODS) for part in chosen]
    joined = xr.concat(of_runs, "run", data_vars="minimal", coords="minimal", compat="override", join="exact")
    for name in _OF_METHODS:
        joined[name] = chosen[0][name]
    joined["converged"] = xr.concat([part["converged"] for part in chosen], "split").all("split")
    return joined


_OF_METHODS = ["spread", "weight", "converged"]


def _cost_unit(model: Model) -> str:
    if "C" in model.runs or ("N" in model.runs and "D" in model.runs):
        return "FLOP"
    return model.law.inputs[0].unit


# -- In print


def backtest_table(answer: xr.Dataset, by: str | None = None) -> pd.DataFrame:
    """Reduce a backtest to a line for each method.

    Parameters
    ----------
    answer : Dataset
        From `backtest`.
    by : str, optional
        A coordinate of the held-out runs, such as the groups' column: a line for each of its values and each method.

    Returns
    -------
    DataFrame
        Means over the held-out runs. ``rmse`` and ``bias`` of the median, response's unit; ``crps``, log units where
        the noise is on the log; ``log_score``, log density of the response as measured, higher is better;
        ``cover50`` ... ``cover95``, share inside the central interval; ``width95`` and ``interval_score95``, response's
        unit; ``weight`` in the stack; ``runs``; ``converged``. NaN where a method has no spread.
    """
    scores = score(answer)
    levels = {f"cover{100 * level:.0f}": scores["inside"].sel(level=level, drop=True) for level in LEVELS} | {
        f"{name}95": scores[name].sel(level=0.95, drop=True) for name in ("width", "interval_score")
    }
    flat = xr.Dataset(
        {
            "square": scores["error"] ** 2,
            "bias": scores["error"],
            "crps": scores["crps"],
            "log_score": scores["log_score"],
            **levels,
        }
    ).reset_coords(drop=True)
    if by is not None and (by not in answer.coords or answer[by].dims != ("run",)):
        known = [str(name) for name in answer.coords if answer[name].dims == ("run",)]
        raise InputError(f"{by!r} is no property of the held-out runs; there are {listed(known)}.")
    grouped = flat.assign_coords({by: answer[by]}).groupby(by) if by else flat
    means = grouped.mean("run", skipna=False)
    table = means.drop_vars("run", errors="ignore").to_dataframe()
    table.insert(0, "rmse", np.sqrt(table.pop("square")))
    table["runs"] = (
        answer.sizes["run"]
        if by is None
        else table.index.get_level_values(by).map(answer[by].to_series().value_counts())
    )
    methods = table.index.get_level_values("forecaster")
    for name in ("weight", "converged"):
        table[name] = answer[name].to_series().reindex(methods).to_numpy()
    if by is None:
        return table.reindex(answer["forecaster"].to_numpy())
    return table.reorder_levels([by, "forecaster"]).sort_index(level=by, sort_remaining=False)


def backtest_sentences(answer: xr.Dataset) -> list[str]:
    """Say in words how well the held-out runs were foretold, and how far ahead this table lets one see."""
    table = backtest_table(answer)
    best = STACK if STACK in table.index else str(table.index[0])
    unit = answer[answer.attrs["response"]].attrs.get("units", "")
    n = answer.sizes["run"]
    lines = [
        f"{counted(n, 'run')} of {answer.attrs['runs']} held out: {answer.attrs['held_out']}. They cost up to "
        f"{float(answer['beyond'].max()):.3g} times the largest run fitted{_of_its_group(answer)}."
    ]
    row = table.loc[best]
    lines.append(
        f"{best}: off by {row['rmse']:.3g} {unit} (root mean square); its 90 % interval held "
        f"{_count(answer, best)} of {n}, its 95 % interval is {row['width95']:.3g} {unit} wide on average."
    )
    if STACK in table.index:
        weighed = table["weight"].dropna()
        shares = listed(f"{weight:.2f} {name}" for name, weight in weighed.items())
        lines.append(f"Weights in the stack, learnt inside the fitted runs: {shares}.")
    naive = [name for name in (LEAST_SQUARES, LINE, LAST) if name in table.index]
    lines.append(f"Off by, in comparison: {listed(f'{name} {_rmse(table, name)}' for name in naive)}.")
    lines.append(_how_far(answer, best))
    if bad := [str(name) for name in answer["forecaster"].to_numpy()[~answer["converged"].to_numpy()]]:
        lines.append(f"NOT CONVERGED: {listed(bad)}. Their forecasts are not to be trusted; raise draws and tune.")
    return lines


def _of_its_group(answer: xr.Dataset) -> str:
    return " of their group" if answer.attrs["group"] else ""


def _rmse(table: pd.DataFrame, name: str) -> str:
    return f"{table.loc[name, 'rmse']:.3g}"


def _count(answer: xr.Dataset, method: str) -> int:
    return int(score(answer.sel(forecaster=[method]))["inside"].sel(level=LEVEL).sum())


def _how_far(answer: xr.Dataset, method: str) -> str:
    """The largest factor in cost up to which the interval held as many runs as it should, give or take chance."""
    from scipy import stats

    inside = score(answer.sel(forecaster=[method]))["inside"].sel(level=LEVEL).isel(forecaster=0).to_numpy()
    beyond = answer["beyond"].to_numpy()
    order = np.argsort(beyond, kind="stable")
    times, held, count = beyond[order], np.cumsum(inside[order]).astype(int), np.arange(1, beyond.size + 1)
    # Runs of one factor are taken together.
    last = np.append(np.diff(times) > 0, True)
    times, held, count = times[last], held[last], count[last]
    fair = stats.binom.cdf(held, count, LEVEL) > FAIR
    unit = answer.attrs["cost_unit"]
    what = "compute" if unit == "FLOP" else unit
    if not fair.any():
        return (
            f"This table does not let one see ahead with {method}: even up to {times[0]:.3g} times the {what}, its "
            f"90 % interval held {held[0]} of {count[0]}. Let the truth depart from the law, or stack laws."
        )
    k = int(np.flatnonzero(fair)[-1])
    reach = (
        f"Up to {times[k]:.3g} times the {what} of the runs fitted, the 90 % interval of {method} held {held[k]} of "
        f"{counted(int(count[k]), 'run')}"
    )
    if k == len(times) - 1:
        return f"{reach}: as far as this table can tell, it may be trusted there. Farther out nothing was tested."
    rest = int(count[-1] - count[k])
    return f"{reach}; beyond that {int(held[-1] - held[k])} of {rest}: do not trust it there."
