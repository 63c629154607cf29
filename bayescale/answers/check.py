"""Does the law fit? Residuals, predictive checks, outliers, and what is left over that is not noise."""

import numpy as np
import pandas as pd
import xarray as xr

from bayescale.answers.common import check_asked, check_many, doubted, warn_unless_converged
from bayescale.answers.patterns import one_sided, pattern_sentences, rounding, tails, together
from bayescale.answers.sensitivity import contraction, mostly_prior_sentences
from bayescale.answers.trust import trust
from bayescale.clusters import EARLIER, OTHERS
from bayescale.discrepancy import Quadratic
from bayescale.law import Position
from bayescale.measured import error_column
from bayescale.model import Model
from bayescale.noise import Normal, Student
from bayescale.posterior import Posterior

STRUCTURE_P = 0.01
STRUCTURE_SHARE = 0.25
SPREAD_RATIO = 2.0
SPREAD_P = 0.02
FEW_RUNS = 10
OUTLIER = 0.5
OUTSIDE = 0.05
USED_DRAWS = 400
GOOD_K = 0.7


def check_fit(posterior: Posterior, seed: int = 0) -> xr.Dataset:
    """Check a fit against the runs it was made from.

    Parameters
    ----------
    posterior : Posterior
        A fit.
    seed : int
        For replicated runs.

    Returns
    -------
    Dataset
        By ``run``: ``residual``, log of measured over expected response (posterior median; expected includes the
        discrepancy; the plain difference where the noise is not on the log scale), ``residual_lower`` and
        ``residual_upper``, the 90 % band of noise; ``pit``, the leave-one-out
        probability integral transform (uniform if the fit is calibrated); ``pareto_k``, above ``attrs["good_k"]``
        where that is unreliable; ``outlier``, the probability that the run
        lies farther from the law than a normal core with the fitted scale would put any of the runs [1]_; ``cost``;
        ``group``.

        By ``part`` (each group, or all runs): ``residual_sd``; ``seed_sd``, the spread of replicated runs, and
        ``seed_p``, the F test of the first against it, both NaN without
        replicates; ``structure``, share of the residuals' variance that a smooth quadratic function of the log inputs
        explains, and ``structure_p``, its posterior predictive p-value; ``cover_50``, ``cover_90``, share of runs
        inside their leave-one-out intervals; ``one_sided``, by how much runs that fall short describe the residuals
        better than a Student-t does (log likelihood); ``tails``, excess kurtosis of the
        residuals as standard normals, and its p-value ``tails_p``.

        By ``column`` (each column of the runs with repeated values): ``shared``, the share of the residuals' variance
        that runs of one value have in common, and ``shared_p``. ``rounding``, the step to which the responses are
        given, and ``rounding_share``, how much of the noise it makes: `patterns`.

        By ``place`` (each break or midpoint that is a place on an input's axis): ``outside``, the probability that it
        lies outside the range of the (group's) runs.

        By ``parameter``: ``contraction``, how much narrower the posterior is than the prior, ``1 - sd / sd``, on the
        unconstrained scale: near 1 the runs have decided, near 0 the prior has. `sensitivity` says more.

    References
    ----------
    .. [1] Chaloner & Brant (1988), Biometrika 75, 651-659.
    .. [2] Gelman, Meng & Stern (1996), Statistica Sinica 6, 733-807 (posterior predictive p-values of realised
       residuals).
    .. [3] Vehtari, Gelman & Gabry (2017), Stat. Comput. 27, 1413-1432 (leave-one-out predictive checks).
    """
    check_asked(posterior)
    check_many(posterior)
    warn_unless_converged(posterior)
    model = posterior.model
    location, params, facts = at = posterior.at_runs()
    response = xr.DataArray(model.response, dims="run")
    deviation = model.noise.deviation(response, location)
    drawn = model.noise.deviation(posterior.replicate(seed), location)
    noise = drawn.quantile([0.05, 0.95], ("chain", "draw"))
    far = abs(deviation / model.noise.scale(params, facts, location)) > _outlier_limit(len(model.runs))
    checks = xr.Dataset(
        {
            "residual": deviation.median(("chain", "draw")).assign_attrs(
                long_name="log measured over expected" if model.noise.on_log else "measured minus expected",
                units="1" if model.noise.on_log else model.law.output.unit,
            ),
            "residual_lower": noise.isel(quantile=0, drop=True),
            "residual_upper": noise.isel(quantile=1, drop=True),
            **_leave_one_out(posterior, at),
            "outlier": far.mean(("chain", "draw")),
            "cost": ("run", model.cost(), _cost_words(model)),
        },
        attrs={
            "law": model.law.name,
            **trust(posterior),
            "discrepancy": str(model.discrepancy),
            "noise": str(model.noise),
            "error_column": error_column(model.law.output.symbol),
            "good_k": min(1 - 1 / np.log10(location.sizes["chain"] * location.sizes["draw"]), GOOD_K),
        },
    )
    if model.group:
        checks = checks.assign_coords(group=("run", model.runs[model.group].to_numpy(dtype=object)))
    scores = _normal_scores(posterior, at)
    parts = _parts(model, checks, scores)
    columns = together(model, scores, _smooth(model, np.arange(len(model.runs))))
    scale = float(model.noise.scale(params, facts, location).median())
    checks["rounding"], checks["rounding_share"] = rounding(model, scale)
    return checks.merge(parts).merge(columns).merge(contraction(posterior)).merge(_outside(posterior))


def _cost_words(model: Model) -> dict[str, str]:
    if {"N", "D"} <= set(model.runs) or "C" in model.runs:
        return {"units": "FLOP", "long_name": "training compute"}
    first = model.law.inputs[0]
    return {"units": first.unit, "long_name": first.meaning}


def _leave_one_out(posterior: Posterior, at) -> dict[str, xr.DataArray]:
    """``pit`` and ``pareto_k`` of every run, left out given the others of its cluster where there are clusters."""
    response = xr.DataArray(posterior.model.response, dims="run")
    noise, *at = posterior.given_cluster(OTHERS, at=at)
    below = noise.cdf(response, *at).transpose("run", "chain", "draw").to_numpy()
    log_density = noise.log_density(response, *at).transpose("run", "chain", "draw").to_numpy()
    flat = (log_density.shape[0], -1)
    log_weights, k = zip(*(_smoothed(row) for row in log_density.reshape(flat)), strict=True)
    log_weights = np.array(log_weights)
    weights = np.exp(log_weights - log_weights.max(axis=1, keepdims=True))
    pit = (weights * below.reshape(flat)).sum(axis=1) / weights.sum(axis=1)
    return {
        "pit": xr.DataArray(pit, dims="run", attrs={"long_name": "leave-one-out probability of less", "units": "1"}),
        "pareto_k": xr.DataArray(np.array(k), dims="run", attrs={"long_name": "Pareto k", "units": "1"}),
    }


def _smoothed(log_density: np.ndarray) -> tuple[np.ndarray, float]:
    """Log weights of draws that leave one run out, and Pareto k; infinite where the tail has one value only."""
    from arviz_stats.base import array_stats

    try:
        log_weights, k = array_stats.psislw(log_density)  # takes the negative of the log weights
    except ValueError:  # draws stand still, so they tell nothing of what leaving the run out would do
        return np.zeros_like(log_density), np.inf
    return log_weights, float(k)


def _outlier_limit(n: int) -> float:
    """Standardised distance that a normal sample of size n exceeds anywhere with probability 5 % (Chaloner & Brant)."""
    from scipy.stats import norm

    return float(norm.isf((1 - 0.95 ** (1 / n)) / 2))


def _normal_scores(posterior: Posterior, at) -> np.ndarray:
    """Residuals turned to standard normal by the noise of each draw, shape (draw, run): robust to heavy tails."""
    from scipy.special import ndtri

    response = xr.DataArray(posterior.model.response, dims="run")
    noise, *at = posterior.given_cluster(EARLIER, at=at)
    below = noise.cdf(response, *at).transpose("chain", "draw", "run").to_numpy()
    flat = below.reshape(-1, below.shape[-1])
    chosen = flat[np.linspace(0, len(flat) - 1, min(USED_DRAWS, len(flat))).astype(int)]
    return ndtri(np.clip(chosen, 1e-12, 1 - 1e-12))


def _parts(model: Model, checks: xr.Dataset, scores: np.ndarray) -> xr.Dataset:
    names = model.groups or ("all runs",)
    rows = [
        _part(model, checks, scores, np.flatnonzero(model.group_index == g))
        if model.group
        else _part(model, checks, scores, np.arange(len(model.runs)))
        for g in range(len(names))
    ]
    return xr.Dataset({key: ("part", [row[key] for row in rows]) for key in rows[0]}, {"part": list(names)})


def _part(model: Model, checks: xr.Dataset, scores: np.ndarray, members: np.ndarray) -> dict[str, float]:
    share, p = _structure(model, scores, members)
    kurtosis, kurtosis_p = tails(scores[:, [] if model.noise.counts else members])  # those of counts are not normal
    symmetric = isinstance(model.noise, Normal | Student)
    pit = checks["pit"].to_numpy()[members]
    residual = checks["residual"].to_numpy()[members]
    spread, freedom = _seed_spread(model, members)
    return {
        "residual_sd": float(residual.std(ddof=1)) if members.size > 1 else float("nan"),
        "seed_sd": spread,
        "seed_p": _excess(residual, spread, freedom),
        "structure": share,
        "structure_p": p,
        "one_sided": one_sided(residual, model.law.output.higher_is_better) if symmetric else float("nan"),
        "tails": kurtosis,
        "tails_p": kurtosis_p,
        "cover_50": float(np.mean(abs(pit - 0.5) <= 0.25)),
        "cover_90": float(np.mean(abs(pit - 0.5) <= 0.45)),
    }


def _excess(residual: np.ndarray, spread: float, freedom: int) -> float:
    """Probability of residuals that spread so much if the law were right: an F test against the repeated runs."""
    from scipy.stats import f

    if freedom == 0 or residual.size < 2:
        return float("nan")
    return float(f.sf((residual.std(ddof=1) / spread) ** 2, residual.size - 1, freedom))


def _seed_spread(model: Model, members: np.ndarray) -> tuple[float, int]:
    """Pooled standard deviation of log response over repeated runs, and its degrees of freedom."""
    columns = dict.fromkeys((*model.law.columns, *(c for c in ("N", "D", "C") if c in model.runs)))
    inputs = [model.runs[c].to_numpy() for c in columns]
    table = pd.DataFrame({str(k): x[members] for k, x in enumerate(inputs)})
    y = model.response[members]
    table["y"] = np.log(y) if model.noise.on_log else y
    cells = table.groupby([c for c in table if c != "y"])["y"]
    freedom = len(table) - cells.ngroups
    if freedom == 0:
        return float("nan"), 0
    return float(np.sqrt(((table["y"] - cells.transform("mean")) ** 2).sum() / freedom)), freedom


def _structure(model: Model, scores: np.ndarray, members: np.ndarray) -> tuple[float, float]:
    """Share of variance explained by a quadratic in the log inputs, and its posterior predictive p-value.

    Under a right model the scores are independent standard normal whatever the draw, so the share has a Beta
    distribution, and the p-value of each draw is exact.
    """
    from scipy.stats import beta

    left, singular, _ = np.linalg.svd(_smooth(model, members), full_matrices=False)
    design = left[:, singular > 1e-10 * singular[0]]
    n, k = members.size, design.shape[1] - 1
    if n - k - 1 < 3 or k < 1:
        return float("nan"), float("nan")
    e = scores[:, members]
    centred = e - e.mean(axis=1, keepdims=True)
    fitted = (e @ design) @ design.T
    total = (centred**2).sum(axis=1)
    explained = ((fitted - e.mean(axis=1, keepdims=True)) ** 2).sum(axis=1) / np.where(total > 0, total, 1.0)
    explained = np.where(total > 0, explained, 0.0)  # all runs equally far off, as of draws far from all of them
    expected = k / (n - 1)
    share = float(np.median((explained - expected) / (1 - expected)))
    return max(share, 0.0), float(beta.sf(explained, k / 2, (n - k - 1) / 2).mean())


def _smooth(model: Model, members: np.ndarray) -> np.ndarray:
    """One, and all smooth functions up to squares and products of the log inputs, at some runs; shape (run, term)."""
    ratios = {s: x[members] for s, x in model.ratios(model.relative(model.inputs())).items()}
    varying = {s: x for s, x in ratios.items() if np.ptp(np.log(x)) > 0}
    columns = [np.ones(members.size), *(np.log(x) for x in varying.values())]
    if varying:
        bare = Quadratic(dict.fromkeys(varying, 1.0), (0.0,) * (len(varying) * (len(varying) + 1) // 2))
        columns += bare.basis(varying)
    return np.stack(columns, axis=1)


def _outside(posterior: Posterior) -> xr.Dataset:
    """Probability that a place on an input's axis lies outside the runs."""
    model = posterior.model
    inputs = model.inputs()
    names, values = [], []
    for p in model.law.params:
        if p.paper is None or not isinstance(p.paper, Position):
            continue
        x = inputs[p.paper.input]
        place = posterior.dataset[p.paper.symbol]
        for g, group in enumerate(model.groups if model.group in place.dims else ("",)):
            reached = x[model.group_index == g] if group else x
            at = place.sel({model.group: group}) if group else place
            names.append(p.paper.symbol + (f"[{group}]" if group else ""))
            values.append(float(((at < reached.min()) | (at > reached.max())).mean()))
    return xr.Dataset({"outside": ("place", values)}, {"place": np.array(names, dtype=object)})


def check_sentences(check: xr.Dataset) -> list[str]:
    """Say what a check found: misfit, outliers, calibration, and what the prior decided; each with a remedy."""
    lines, slight = [], []
    parts = check[
        ["residual_sd", "seed_sd", "seed_p", "structure", "structure_p", "cover_50", "cover_90"]
    ].to_dataframe()
    for part, row in parts.to_dict("index").items():
        ratio = np.divide(row["residual_sd"], row["seed_sd"])
        wide = ratio > SPREAD_RATIO and row["seed_p"] < SPREAD_P
        shaped = row["structure_p"] < STRUCTURE_P and row["structure"] > STRUCTURE_SHARE
        if wide or shaped:
            reasons = [
                f"its residuals spread {ratio:.1f} times as much as repeated runs" if wide else "",
                f"{100 * row['structure']:.0f} % of their variance is a smooth function of the inputs"
                f" (p = {row['structure_p']:.2g})"
                if shaped
                else "",
            ]
            lines.append(f"MISFIT in {part}: {' and '.join(filter(None, reasons))}.")
        elif row["structure_p"] < STRUCTURE_P:
            slight.append(
                f"Slight misfit in {part}: {100 * row['structure']:.0f} % of the residuals' variance is a smooth "
                f"function of the inputs (p = {row['structure_p']:.2g}); far beyond the runs the band is somewhat "
                "too narrow."
            )
    misfit = bool(lines)
    if misfit and check.attrs["discrepancy"] == "None":
        lines.append(
            "The law is only roughly right here, so its bands are too narrow away from the runs. Remedy: fit with "
            "discrepancy=True (--discrepancy), compare other laws, or keep to the range where the law holds."
        )
    elif misfit:
        lines.append("The discrepancy carries part of this into the forecast; what is left is taken as noise.")
    outliers = np.flatnonzero(check["outlier"].to_numpy() > OUTLIER)
    if outliers.size:
        shown = ", ".join(str(i + 1) for i in outliers[:10]) + (" ..." if outliers.size > 10 else "")
        lines.append(
            f"{outliers.size} of {check.sizes['run']} runs are probably outliers (rows {shown}); "
            "Student-t noise gives them little weight, normal noise would not."
        )
    lines += mostly_prior_sentences(check)
    for name, p in zip(check["place"].to_numpy(), check["outside"].to_numpy(), strict=True):
        if p > OUTSIDE:
            lines.append(
                f"{name} lies outside the runs with probability {p:.2f}: where it is comes from the prior and the "
                "shape of the law; only runs beyond it can tell."
            )
    n = check.sizes["run"]
    inside = np.sum(parts["cover_90"].to_numpy() * _part_sizes(check, parts)) / n
    lines.append(f"Leave-one-out: {100 * inside:.0f} % of the {n} runs lie inside their 90 % interval.")
    limit = check.attrs["good_k"]
    if bad := int((~(check["pareto_k"] <= limit)).sum()):
        lines.append(
            f"Pareto k is above {limit:.2f} for {bad} of the {n} runs: what is said of leaving one out is unreliable "
            "there. Compare laws by='largest' (--by largest)."
        )
    lines += slight
    patterns = pattern_sentences(check)
    lines += patterns
    if n < FEW_RUNS:
        lines.insert(0, f"With {n} runs a misfit could hardly be seen.")
    elif not misfit and not slight:
        excess = " and no excess over repeated runs" if np.isfinite(parts["seed_sd"].to_numpy()).any() else ""
        lines.insert(0, f"No misfit found: residuals show no smooth pattern{excess}.")
    return [*doubted(check), *lines]


def _part_sizes(check: xr.Dataset, parts: pd.DataFrame) -> np.ndarray:
    if "group" not in check.coords:
        return np.array([check.sizes["run"]])
    counts = pd.Series(check["group"].to_numpy()).value_counts()
    return counts.reindex(parts.index).to_numpy()
