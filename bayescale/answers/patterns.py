"""What residuals tell about the noise: whether they go together, lean to one side, have outliers, or show rounding.

Tests of tails and clusters take residuals turned to standard normal by the noise of each draw. Under a right model they
are independent whatever the draw, so that each draw's test is exact; the p-value is the mean over draws, as in `check`.
"""

import numpy as np
import pandas as pd
import xarray as xr

from bayescale.model import Model
from bayescale.noise import Frontier, Noise, Normal, Student
from bayescale.words import listed

LIMIT = 0.01
LEAST_TAILS = 20  # below so many runs the test of Anscombe and Glynn is no good
LEAST_ONE_SIDED, ONE_SIDED = 12, 3.0  # runs, and gain in log likelihood
LEAST_CLUSTERS = 3
ROUNDED_SHARE = 0.1
MOST_DIGITS = 6
USED_DRAWS = 100
ALIKE = 1e-6


def one_sided(residual: np.ndarray, higher_is_better: bool = False) -> float:
    """How much better runs that fall short describe residuals than a Student-t: the gain in log likelihood.

    Both have three parameters, fitted by maximum likelihood: a normal with an exponential tail on the side of worse
    runs (`bayescale.noise.Frontier`), and a Student-t. Outliers on both sides speak for the latter; zero where it is
    better.
    """
    if residual.size < LEAST_ONE_SIDED or np.ptp(residual) == 0:
        return float("nan")
    z = (np.median(residual) - residual if higher_is_better else residual - np.median(residual)) / residual.std()
    short = _best(z, Frontier(), "shortfall", (-0.6, -0.7, -0.4))
    return max(short - _best(z, Student(), "nu", (0.0, -0.2, 2.0)), 0.0)


def _best(z: np.ndarray, noise: Noise, shape: str, start: tuple[float, float, float]) -> float:
    """Largest log likelihood of log responses ``z`` over a location and the logs of scale and shape, from a start."""
    from scipy.optimize import minimize

    response = np.exp(z)

    def loss(u):
        location, sigma, other = np.exp(np.clip(u, -6, 6))
        with np.errstate(all="ignore"):
            value = (noise.log_density(response, location, {"sigma": sigma, shape: other}, {}) + z).sum()
        return -value if np.isfinite(value) else np.inf

    return -float(minimize(loss, start, method="Nelder-Mead", options={"xatol": 1e-2, "fatol": 1e-2}).fun)


def tails(scores: np.ndarray) -> tuple[float, float]:
    """Excess kurtosis of scores (draw, run) and its p-value (Anscombe & Glynn 1983, Biometrika 70, 227-234)."""
    from scipy.stats import kurtosis, kurtosistest

    scores = _varying(scores, LEAST_TAILS)
    if not scores.size:
        return float("nan"), float("nan")
    return float(np.median(kurtosis(scores, axis=1))), float(np.mean(kurtosistest(scores, axis=1).pvalue))


def _varying(scores: np.ndarray, least: int) -> np.ndarray:
    """Draws whose scores have a shape: not those that put all runs alike beyond what a float can tell."""
    return scores[scores.std(axis=1) > ALIKE] if scores.shape[1] >= least else scores[:0]


def together(model: Model, scores: np.ndarray, design: np.ndarray) -> xr.Dataset:
    """Test whether residuals go together within the values of any column: of a run, a size, a budget.

    An F test of one mean for each value against none, beside the smooth functions of the inputs in ``design``, so that
    a wrong law is not taken for clusters.

    Parameters
    ----------
    model : Model
        Gives the runs; every column with repeated values is tried, and the budget 6ND where it repeats.
    scores : ndarray
        Residuals as standard normals, shape (draw, run).
    design : ndarray
        Columns that are no evidence of clusters, shape (run, term).

    Returns
    -------
    Dataset
        By ``column``: ``shared``, the share of the residuals' variance that runs of one value have in common;
        ``shared_p``, its p-value times the number of columns tried; ``clusters``, how many values.
    """
    found = {}
    scores = scores[:: max(1, len(scores) // USED_DRAWS)]
    bare = _residual(scores, design)
    for name, codes in _candidates(model).items():
        inner = _residual(_within(scores.T, codes).T, _within(design, codes), codes.max() + 1)
        extra, free = bare[1] - inner[1], inner[1]
        if extra < LEAST_CLUSTERS - 1 or free < LEAST_CLUSTERS:
            continue
        left = inner[0] > 0
        ratio = (bare[0] - inner[0]) / extra / (np.where(left, inner[0], 1.0) / free)
        ratio = np.where(left, ratio, 1.0)  # all runs equally far off, as of draws far from all of them: no pattern
        found[name] = (*_share(ratio, extra, free, len(codes) / (codes.max() + 1)), codes.max() + 1)
    columns = np.array([*found], dtype=object)
    share, p, count = np.array([*found.values()]).T if found else np.empty((3, 0))
    return xr.Dataset(
        {
            "shared": ("column", share),
            "shared_p": ("column", np.minimum(p * len(found), 1.0)),
            "clusters": ("column", count.astype(int)),
        },
        {"column": columns},
    )


def _within(rows: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Rows less the mean of their cluster."""
    totals = np.zeros((codes.max() + 1, rows.shape[1]))
    np.add.at(totals, codes, rows)
    return rows - (totals / np.bincount(codes)[:, None])[codes]


def _residual(scores: np.ndarray, design: np.ndarray, means: int = 0) -> tuple[np.ndarray, int]:
    """Sum of squares of each draw's scores that a design leaves, and its degrees of freedom, means taken off."""
    left, singular, _ = np.linalg.svd(design, full_matrices=False)
    basis = left[:, singular > 1e-9 * np.sqrt(len(design))]
    squares = (scores**2).sum(axis=1) - ((scores @ basis) ** 2).sum(axis=1)
    return squares, scores.shape[1] - basis.shape[1] - means


def _share(ratio: np.ndarray, extra: int, free: int, size: float) -> tuple[float, float]:
    """Intraclass correlation of clusters of a mean size, and the p-value of the F ratio."""
    from scipy.stats import f

    share = (ratio - 1) / (ratio - 1 + size)
    return max(float(np.median(share)), 0.0), float(np.mean(f.sf(ratio, extra, free)))


def _candidates(model: Model) -> dict[str, np.ndarray]:
    """Columns whose values may be clusters, as codes; of several with the same clusters, inputs come last."""
    runs = model.runs
    output = model.law.output.symbol
    columns = [str(c) for c in runs if c != model.group and not str(c).startswith(output)]
    named = {c: runs[c] for c in sorted(columns, key=lambda c: c in (*model.law.columns, "C"))}
    if {"N", "D"} <= set(runs) and "C" not in runs:
        named["6ND"] = pd.Series(np.round(np.log10(model.cost()), 2))
    codes: dict[str, np.ndarray] = {}
    for name, values in named.items():
        by = [(values.astype(str) if values.dtype == object else values).to_numpy()] + (
            [runs[model.group].to_numpy()] if model.group else []
        )
        code = pd.DataFrame(dict(enumerate(by))).groupby(list(range(len(by))), dropna=False).ngroup()
        code = code.to_numpy()
        repeated = LEAST_CLUSTERS <= code.max() + 1 <= 2 * len(code) / 3
        if repeated and not any(_alike(code, other) for other in codes.values()):
            codes[name] = code
    return codes


def _alike(one: np.ndarray, other: np.ndarray) -> bool:
    return len(set(zip(one.tolist(), other.tolist(), strict=True))) == one.max() + 1 == other.max() + 1


def rounding(model: Model, scale: float) -> tuple[float, float]:
    """Step to which all responses are rounded, a power of ten, and the share of the noise's variance it makes.

    Rounding to a step spreads a response by ``step / sqrt(12)``. NaN where there is no such step, the response is in
    counts, or its errors are given.
    """
    y = model.response
    if model.noise.counts or model.error_column:
        return float("nan"), float("nan")
    for digits in range(MOST_DIGITS):
        scaled = y * 10.0**digits
        if np.allclose(scaled, np.round(scaled), rtol=0, atol=1e-6):
            step = 10.0**-digits
            spread = step / np.sqrt(12) / (np.median(y) if model.noise.on_log else 1.0)
            return step, float((spread / scale) ** 2)
    return float("nan"), float("nan")


def pattern_sentences(check: xr.Dataset) -> list[str]:
    """Say what the residuals tell about the noise, with the option that answers it."""
    lines = []
    noise = str(check.attrs["noise"])
    if check.sizes["column"]:
        first = check.isel(column=int(np.argmin(check["shared_p"].to_numpy())))
        if float(first["shared_p"]) < LIMIT:
            lines.append(_together_sentence(first, noise))
    parts = check[["one_sided", "tails", "tails_p"]].to_dataframe().to_dict("index")
    short = [part for part, row in parts.items() if row["one_sided"] > ONE_SIDED]
    if short:
        lines.append(
            f"ONE-SIDED in {listed(short)}: runs scatter farther to the side of worse ones, as where some are tuned "
            "too little or stopped early. If so, the law that is fitted is not that of well-tuned runs. Remedy: "
            "noise='frontier' (--noise frontier)."
        )
    heavy = [part for part, row in parts.items() if row["tails_p"] < LIMIT and row["tails"] > 0]
    if heavy and not noise.startswith(Student.name):
        lines.append(
            f"OUTLIERS in {listed(heavy)}: residuals have heavier tails than noise {noise!r}, which lets single runs "
            "move the law. Remedy: noise='student' (--noise student)."
        )
    step, share = float(check["rounding"]), float(check["rounding_share"])
    if share > ROUNDED_SHARE:
        lines.append(
            f"ROUNDED: the response is given to {step:g}, which makes {100 * share:.0f} % of the noise. A run of more "
            f"digits scatters less than forecast. Remedy: a column of standard errors, {check.attrs['error_column']} = "
            f"{step / np.sqrt(12):.2g}."
        )
    return lines


def _together_sentence(found: xr.Dataset, noise: str) -> str:
    name, share = str(found["column"].item()), 100 * float(found["shared"])
    where = "budget 6ND" if name == "6ND" else f"column {name!r}"
    column = "a column of the budget, named in cluster=" if name == "6ND" else f"cluster={name!r} (--cluster {name})"
    fitting = noise.startswith((Normal.name, Student.name))
    return (
        f"CLUSTERED: runs of the same {where} miss the law alike ({int(found['clusters'])} clusters; {share:.0f} % of "
        f"the residuals' variance is shared, p = {float(found['shared_p']):.2g}), so they tell less than as many "
        f"independent runs, and the bands are too narrow. Remedy: {column}{'' if fitting else ' with noise student'}."
    )
