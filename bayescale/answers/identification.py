"""What can these runs tell, before any fit? Inputs that move together, what a fit would narrow, and the floor."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayescale import clusters
from bayescale.answers.sensitivity import MOSTLY_PRIOR
from bayescale.given import check_kind
from bayescale.law import NONE, Input, Param
from bayescale.layout import WEIGHTS
from bayescale.log_prior import prior_sd
from bayescale.model import COMPLETE, MEAN, PARTIAL, SPREAD, Model
from bayescale.posterior import Posterior
from bayescale.prior import POSITIVE
from bayescale.simulation import sample_prior
from bayescale.words import listed

TOGETHER = 0.95
NARROW = 1.0  # decades
USED_DRAWS = 100
STEP = 1e-4
PARTLY = 0.6
_FAR = 1e6
FALLEN = 1.5


def identify(model: Model, seed: int = 0) -> xr.Dataset:
    """Say what a model's runs can tell about its law, before it is fitted.

    Parameters
    ----------
    model : Model
        Law, runs and priors. Only `floor` looks at the responses (through their fit by least squares).
    seed : int
        For draws from the prior.

    Returns
    -------
    Dataset
        By ``part`` (each group, or all runs) and ``pair`` of inputs: ``correlation`` of their logs, and by ``input``
        ``decades``, how many powers of ten it spans.

        By ``parameter`` of the law (of each group): ``contraction`` expected, ``1 - sd / prior sd`` on the
        unconstrained scale. For draws of the prior, the runs' Fisher information about the law, linear at that draw,
        is added to the prior's precision, groups joined by their means at the drawn spreads; the mean over draws is
        given, and ``contraction_sd`` over them. The noise is taken as known, its tails as normal.

        By ``part``: ``told``, how many of the law's parameters' directions these runs alone tell better than the
        prior, of ``directions``, at the prior's medians; ``condition``, the condition number of that information in
        units of the prior: large where some combination is not told.

        By ``part``, for a law with a limit below the runs (`floor_share` is NaN for others): of a quick fit to the
        responses, by least squares with the prior, ``floor_share``, the limit's share of the best run's response;
        ``fall``, reducible response of the worst run over that of the best; ``over_noise``, log of the best run's
        response over the limit, in scales of the scatter about that fit; ``floor_contraction``, that of the limit's
        log, linear at that fit.

    Notes
    -----
    Pooled groups lend each other strength in ``contraction`` as they do in a fit; ``told`` and the floor are of a
    group's own runs.
    """
    check_kind("model", model, Model)
    prior = sample_prior(model, USED_DRAWS, seed)
    parts = model.groups or ("all runs",)
    varying = [i for i in model.law.inputs if not i.known]
    pairs = list(combinations(varying, 2))
    rows = [_rows(model, k) for k in range(len(parts))]
    logs = {i.column: i.log(model.relative(model.inputs())[i.symbol]) for i in varying}
    correlations = [[_correlation(logs[a.column][r], logs[b.column][r]) for a, b in pairs] for r in rows]
    found = xr.Dataset(
        {
            "correlation": (("part", "pair"), np.reshape(correlations, (len(rows), len(pairs)))),
            "decades": (("part", "input"), [[np.ptp(logs[i.column][r]) / np.log(10) for i in varying] for r in rows]),
        },
        {
            "part": np.array(parts, dtype=object),
            "pair": np.array([f"{a.column}, {b.column}" for a, b in pairs], dtype=object),
            "input": np.array([i.column for i in varying], dtype=object),
        },
    )
    found = found.merge(_expected(model, prior)).merge(_alone(model, rows)).merge(_floors(model, rows))
    return found.assign_attrs(law=model.law.name, runs=len(model.runs), directions=len(model.law.params))


def _rows(model: Model, k: int) -> np.ndarray:
    return np.flatnonzero(model.group_index == k)


def _correlation(x: np.ndarray, y: np.ndarray) -> float:
    """Correlation; NaN where one does not vary."""
    if min(np.ptp(x), np.ptp(y)) <= 1e-9 * max(1.0, abs(x).max(), abs(y).max()):
        return float("nan")
    return float(np.corrcoef(x, y)[0, 1])


# -- What a fit would narrow


def _expected(model: Model, prior: Posterior) -> xr.Dataset:
    """Contraction of every parameter of the law, expected over draws of the prior."""
    slopes, weight = _slopes(prior)
    entries = _entries(model)
    spreads = {p.symbol: _flat(prior.dataset[p.symbol + SPREAD]) for p in model.law.params if _is_partial(model, p)}
    draws = len(weight)
    left = np.full((draws, len(entries)), np.nan)
    index = model.group_index
    columns = [np.where(index == e.group, 1.0, 0.0) if e.group >= 0 else np.ones(len(index)) for e in entries]
    own = {p.symbol: _own_variance(model, p) for p in model.law.params}
    for k in range(draws):
        precision, prior_variance = _prior_precision(model, entries, own, {s: v[k] for s, v in spreads.items()})
        J = np.stack([slopes[e.name][k] * c for e, c in zip(entries, columns, strict=True)], axis=1)
        J[:, [e.role == _MEAN for e in entries]] = 0.0  # a mean is told by its groups alone
        information = (J * weight[k][:, None]).T @ J
        covariance = np.linalg.inv(information + precision)
        left[k] = np.sqrt(np.diag(covariance) / prior_variance)
    asked = [k for k, e in enumerate(entries) if e.role == _VALUE and not _is_zero(model, e)]
    names = [entries[k].label for k in asked]
    return xr.Dataset(
        {
            "contraction": ("parameter", 1 - left[:, asked].mean(axis=0)),
            "contraction_sd": ("parameter", left[:, asked].std(axis=0)),
        },
        {"parameter": np.array(names, dtype=object)},
    )


_VALUE, _MEAN, _NUISANCE = "value", "mean", "nuisance"


@dataclass(frozen=True)
class _Entry:
    """One unknown of the linear model: a parameter of a group (-1: of all), a mean, or a weight of the departure."""

    name: str
    group: int
    role: str
    label: str = ""
    param: Param | None = None


def _is_partial(model: Model, p: Param) -> bool:
    return model.pooling[p.symbol] == PARTIAL


def _is_zero(model: Model, entry: _Entry) -> bool:
    return entry.group >= 0 and model.groups[entry.group] in model.zero.get(entry.name, ())


def _entries(model: Model) -> list[_Entry]:
    entries: list[_Entry] = []
    for p in model.law.params:
        if model.pooling[p.symbol] == COMPLETE:
            entries.append(_Entry(p.symbol, -1, _VALUE, p.symbol, p))
            continue
        entries += [_Entry(p.symbol, k, _VALUE, f"{p.symbol}[{group}]", p) for k, group in enumerate(model.groups)]
        if _is_partial(model, p):
            entries.append(_Entry(p.symbol, -1, _MEAN, param=p))
    if model.discrepancy:
        groups = range(len(model.groups)) if model.group else (-1,)
        entries += [_Entry(f"{WEIGHTS}{t}", g, _NUISANCE) for t in range(len(model.discrepancy.terms)) for g in groups]
    return entries


def _prior_precision(model: Model, entries, own: Mapping[str, float], spreads: Mapping[str, float]):
    """Precision of the prior at given spreads between groups, and the variance of each unknown.

    ``own`` are the variances of stated priors: of a parameter, or of its mean.
    """
    precision = np.zeros((len(entries), len(entries)))
    variance = np.ones(len(entries))
    mean_at = {e.name: k for k, e in enumerate(entries) if e.role == _MEAN}
    for k, e in enumerate(entries):
        if e.role == _NUISANCE:
            precision[k, k] += 1.0
            continue
        assert e.param is not None
        if e.role == _MEAN or not _is_partial(model, e.param):
            precision[k, k] += 1 / own[e.name]
            variance[k] = own[e.name]
            continue
        between, m = spreads[e.name] ** 2, mean_at[e.name]
        precision[[k, k, m, m], [k, m, k, m]] += np.array([1, -1, -1, 1]) / between
        variance[k] = own[e.name] + between
    return precision, variance


def _own_variance(model: Model, p: Param) -> float:
    """Variance of a parameter's stated prior: its own, or its mean's."""
    total = prior_sd(model, p) ** 2
    if not _is_partial(model, p):
        return total
    grid = (np.arange(2_000) + 0.5) / 2_000
    return float(np.var(np.asarray(p.support.unconstrain(model.priors[p.symbol].quantile(grid)))))


def _slopes(posterior: Posterior) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Slopes of the expected response in each unknown on the noise's scale, and a run's weight; both (draw, run).

    Of runs in clusters, what is left of the slopes beside the earlier runs of the cluster.
    """
    model = posterior.model
    inputs = {s: xr.DataArray(x, dims="run") for s, x in model.inputs().items()}
    location, params, facts = posterior.at_runs()
    shift = {}
    for p in model.law.params:
        with np.errstate(divide="ignore"):
            u = p.support.unconstrain(params[p.symbol])
        ends = [
            posterior.truth({**params, p.symbol: p.support.constrain(u + step)}, inputs, 1.0) for step in (STEP, -STEP)
        ]
        shift[p.symbol] = model.noise.deviation(*ends) / (2 * STEP)
    if model.discrepancy:
        for t in range(len(model.discrepancy.terms)):
            weights = params[WEIGHTS]
            at = xr.where(xr.DataArray(np.arange(weights.sizes["term"]) == t, dims="term"), STEP, 0.0)
            ends = [posterior.truth({**params, WEIGHTS: weights + sign * at}, inputs, 1.0) for sign in (1, -1)]
            shift[f"{WEIGHTS}{t}"] = model.noise.deviation(*ends) / (2 * STEP)
    variance = model.noise.scale(params, facts, location) ** 2
    if "shortfall" in params:
        variance = variance + params["shortfall"] ** 2
    runs = len(model.runs)
    slopes = {name: np.nan_to_num(_flat(value + 0 * location, runs)) for name, value in shift.items()}
    variances = _flat(variance + 0 * location, runs)
    if model.cluster:
        own, omega = (_flat(v + 0 * location, runs) for v in (model.noise.own_scale(params, facts), params["omega"]))
        left = {name: clusters.apart(value, own, omega, model.cluster_index()) for name, value in slopes.items()}
        slopes = {name: value for name, (value, _) in left.items()}
        variances = next(iter(left.values()))[1] ** 2
    # A draw that is certain of an answer (an accuracy of 0 or 1) does not move with any parameter either.
    certain = variances == 0
    return slopes, np.where(certain, 0.0, 1 / np.where(certain, 1.0, variances))


def _flat(value: xr.DataArray, runs: int | None = None) -> np.ndarray:
    """Draws along one axis, then runs."""
    if runs is None:
        return value.transpose("chain", "draw").to_numpy().reshape(-1)
    return value.transpose("chain", "draw", "run").to_numpy().reshape(-1, runs)


# -- What each group's own runs tell, and its floor


def _alone(model: Model, rows) -> xr.Dataset:
    """Directions of the law's parameters that the runs of a part tell by themselves, at the prior's medians."""
    slopes, weight = _slopes(_at_medians(model))
    told, condition = [], []
    for k, r in enumerate(rows):
        free = [p for p in model.law.params if not (model.group and model.groups[k] in model.zero.get(p.symbol, ()))]
        J = np.stack([slopes[p.symbol][0, r] * prior_sd(model, p) for p in free], axis=1)
        values = np.linalg.eigvalsh((J * weight[0, r][:, None]).T @ J)
        told.append(int((values > 1).sum()))
        condition.append(float(values[-1] / max(values[0], np.finfo(float).eps * values[-1])))
    return xr.Dataset({"told": ("part", told), "condition": ("part", condition)})


def _at_medians(model: Model, values: Mapping[str, np.ndarray] | None = None) -> Posterior:
    """One draw: parameters at their prior medians, or at given values by group."""
    wanted: dict[str, Any] = {}
    one = sample_prior(model, 1).dataset
    for name in one.data_vars:
        key = str(name).removesuffix(MEAN)
        shape = one[name].shape
        if values is not None and name in values:
            wanted[str(name)] = np.reshape(values[str(name)], shape)
        elif key in model.priors:
            wanted[str(name)] = np.full(shape, float(model.priors[key].quantile(0.5)))
        elif name == WEIGHTS:
            wanted[str(name)] = np.zeros(shape)
    for symbol in model.zero:
        wanted[symbol] = wanted[symbol] * model.nonzero(symbol)
    stats = {"diverging": np.zeros((1, 1), dtype=bool)}
    return Posterior.from_draws(model, wanted, stats, sample_prior(model, 1).diagnostics, {})


def _floors(model: Model, rows) -> xr.Dataset:
    """How far the runs of each part are from the law's limit."""
    empty = {
        name: ("part", np.full(len(rows), np.nan))
        for name in ("floor_share", "fall", "over_noise", "floor_contraction")
    }
    if model.noise.counts or not model.noise.on_log or not _has_limit(model):
        return xr.Dataset(empty)
    found = [_floor(model, k, r) for k, r in enumerate(rows)]
    return xr.Dataset({name: ("part", [row[name] for row in found]) for name in empty})


_FLOOR = ("floor_share", "fall", "over_noise", "floor_contraction")


def _grows(i: Input) -> bool:
    return i.support == POSITIVE and i.centre != NONE and not i.known


def _has_limit(model: Model) -> bool:
    """Whether the response has a positive limit as all inputs grow, at the prior's medians."""
    if not all(_grows(i) or i.known for i in model.law.inputs):
        return False
    with np.errstate(all="ignore"):
        medians = {p.symbol: float(model.priors[p.symbol].quantile(0.5)) for p in model.law.params}
        limit = float(np.asarray(_limit(model, medians)))
    return np.isfinite(limit) and limit > 0


def _limit(model: Model, params: Mapping[str, Any]) -> Any:
    ends = {i.symbol: np.float64(np.inf) if _grows(i) else np.float64(1.0) for i in model.law.inputs}
    return model.law.evaluate(params, ends)


def _floor(model: Model, k: int, rows: np.ndarray) -> dict[str, float]:
    """Least squares with the prior on the runs of one part, the scatter estimated beside it."""
    from scipy.optimize import least_squares

    free = [p for p in model.law.params if not (model.group and model.groups[k] in model.zero.get(p.symbol, ()))]
    fixed = {p.symbol: 0.0 for p in model.law.params if p not in free}
    sds = np.array([prior_sd(model, p) for p in free])
    middle = np.array([float(p.support.unconstrain(float(model.priors[p.symbol].quantile(0.5)))) for p in free])
    relative = {s: x[rows] for s, x in model.relative(model.inputs()).items()}
    y = np.log(model.response[rows])

    def params(z):
        own = zip(free, middle + sds * z, strict=True)
        return fixed | {p.symbol: p.support.constrain(u) for p, u in own}

    def predicted(z):
        return np.log(model.law.evaluate(params(z), relative))

    def misfits(z, scale):
        away = np.nan_to_num((y - predicted(z)) / scale, posinf=_FAR, neginf=-_FAR)
        return np.concatenate([away, z])

    scale, z = 0.05, np.zeros(len(free))
    with np.errstate(all="ignore"):
        for _ in range(4):
            fit = least_squares(misfits, z, args=(scale,))
            z = fit.x
            freedom = max(rows.size - len(free), 1)
            scale = max(float(np.sqrt(np.sum((y - predicted(z)) ** 2) / freedom)), 1e-4)
        limit = float(np.asarray(_limit(model, params(z))))
        if not (np.isfinite(limit) and limit > 0):
            return dict.fromkeys(_FLOOR, float("nan"))  # the model has none in this group
        expected = np.exp(predicted(z))
        information = fit.jac.T @ fit.jac
        gradient = np.array([_step(lambda z: np.log(_limit(model, params(z))), z, j) for j in range(len(free))])
    after = float(gradient @ np.linalg.solve(information, gradient))
    before = float(gradient @ gradient)
    return {
        "floor_share": limit / expected.min(),
        "fall": (expected.max() - limit) / (expected.min() - limit),
        "over_noise": float(np.log(expected.min() / limit)) / scale,
        "floor_contraction": 1 - float(np.sqrt(after / before)),
    }


def _step(function, z: np.ndarray, j: int) -> float:
    """Slope of a function in one of its arguments."""
    e = np.eye(len(z))[j] * STEP
    return float((function(z + e) - function(z - e)) / (2 * STEP))


# -- In print


def identify_table(found: xr.Dataset) -> pd.DataFrame:
    """A line for each parameter of the law: ``contraction`` expected, its ``sd`` over the prior, and a ``verdict``."""
    table = found[["contraction", "contraction_sd"]].to_dataframe().rename(columns={"contraction_sd": "sd"})
    table["verdict"] = np.select(
        [table["contraction"] < MOSTLY_PRIOR, table["contraction"] < PARTLY],
        ["leans on the prior", "partly told"],
        "told",
    )
    return table


def identify_sentences(found: xr.Dataset, model: Model) -> list[str]:
    """Say what the runs can tell and what they cannot, each with the runs to add."""
    lines = [*_together(found, model), *_narrow(found)]
    table = identify_table(found)
    rows = table.to_dict("index")
    weak = {str(name): row["contraction"] for name, row in rows.items() if row["contraction"] < MOSTLY_PRIOR}
    if weak:
        shown = listed((f"{name} ({c:.2f})" for name, c in weak.items()), 10)
        lines.append(f"These runs will hardly narrow {shown}: expected contraction, 0 is prior alone, 1 certainty.")
    told, directions = found["told"].to_numpy(), int(found.attrs["directions"])
    if model.group and (few := [str(p) for p, n in zip(found["part"].to_numpy(), told, strict=True) if n < directions]):
        lines.append(
            f"By themselves the runs of {listed(few, 6)} tell fewer than the {directions} parameters of the law; the "
            "rest comes from the other groups and the prior."
        )
    return [*(lines or ["These runs can tell every parameter of the law."]), *_floor_lines(found, model)]


def _together(found: xr.Dataset, model: Model) -> list[str]:
    lines = []
    for pair in found["pair"].to_numpy():
        r = found["correlation"].sel(pair=pair)
        parts = [str(p) for p in found["part"].to_numpy() if abs(float(r.sel(part=p))) > TOGETHER]
        if not parts:
            continue
        a, b = str(pair).split(", ")
        worst = max(parts, key=lambda p: abs(float(r.sel(part=p))))
        value = float(r.sel(part=worst))
        where = "" if parts == ["all runs"] else f" in {listed(parts, 6)}"
        rows = _rows(model, list(found["part"].to_numpy()).index(worst))
        low, high = ({c: float(end(model.runs[c].to_numpy()[rows])) for c in (a, b)} for end in (np.min, np.max))
        swap = (high[b], low[b]) if value > 0 else (low[b], high[b])
        lines.append(
            f"{a} and {b} move together{where} (correlation {value:.2f}): what each does alone is not told, so their "
            f"exponents, and any split of a budget, lean on the prior. Add runs off that line, such as {a} = "
            f"{low[a]:.3g} with {b} = {swap[0]:.3g}, and {a} = {high[a]:.3g} with {b} = {swap[1]:.3g}."
        )
    return lines


def _narrow(found: xr.Dataset) -> list[str]:
    lines = []
    for name in found["input"].to_numpy():
        decades = found["decades"].sel(input=name)
        parts = [str(p) for p in found["part"].to_numpy() if float(decades.sel(part=p)) < NARROW]
        if parts:
            least = float(decades.sel(part=parts).min())
            where = "" if parts == ["all runs"] else f" in {listed(parts, 6)}"
            lines.append(
                f"{name} spans {10**least:.3g} times{where}, less than ten: its exponent and the floor are hard to "
                f"tell apart. Add runs with {name} farther out."
            )
    return lines


def _floor_lines(found: xr.Dataset, model: Model) -> list[str]:
    lines = []
    for part in found["part"].to_numpy():
        row = found.sel(part=part)
        if not np.isfinite(float(row["floor_share"])):
            continue
        contraction = float(row["floor_contraction"])
        facts = (
            f"the reducible part falls {float(row['fall']):.2g}-fold over the runs, and of the best run "
            f"{100 * (1 - float(row['floor_share'])):.0f} % is reducible"
        )
        where = "" if part == "all runs" else f" of {part}"
        if contraction < MOSTLY_PRIOR:
            lines.append(
                f"The floor{where} is not reached: {facts} (quick fit). Its limit will be mostly prior (contraction "
                f"{contraction:.2f}), and so will forecasts far beyond. Add larger runs, or say what you know of it as "
                "a prior."
            )
        else:
            lines.append(f"The floor{where} shows: {facts} (quick fit; contraction {contraction:.2f}).")
    return lines
