"""Table of learning curves to what they share, and to what may follow each of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.interpolate import CubicSpline
from scipy.linalg import solve_triangular
from scipy.optimize import minimize

from bayescale.curves.curve import Approximation, Beyond, Curve, approximate, go_on
from bayescale.curves.shared import HIGHEST, LOWEST, MEANS, PRIORS, SPREADS, UNEVENNESS, Shared
from bayescale.errors import InputError
from bayescale.given import check_text
from bayescale.numerals import numbers_of
from bayescale.runs import check_runs
from bayescale.streams import stream
from bayescale.words import counted, listed, quoted

ROUNDS, ITERATIONS = 10, 10  # of the fit, at most: noisiness and shared numbers in turn, and steps for the latter
SLOPE_STEP = 5e-3  # for derivatives of the evidence
INFORMATION_STEP = 0.05
SETTLED = 0.03  # largest step of a round, in prior standard deviations, after which the fit ends
COARSE, FINE = np.linspace(-3.0, 3.0, 13), np.linspace(-3.0, 3.0, 121)  # noisiness of a curve
TRIED = np.geomspace(0.03, 3.0, 60)  # unevenness
FARTHEST_MIDDLE = 1.5
SHARED_DRAWS, SLOPE_DRAWS = 100, 10  # what is shared, and paths for each of them
# Curves of one table are rarely independent, and the process is only roughly theirs: what they say together of the
# shared numbers counts for a quarter. Chosen on inner splits from 1, 1/4, 1/10 and 1/33.
CREDIT = 0.25
# What is shared is drawn from a Student-t distribution: of few short curves its posterior is far from Normal, and a
# Normal one gave bands that were too sure of the smoothest. Degrees of freedom; inner splits preferred 4 to infinity.
FREEDOM = 4
FEWEST, MOST = 2, 1000  # points of a curve
APART = 1000.0  # factor between responses, of two curves or along one, above which this is no learning curve's
ALL = "all runs"
MOSTLY_PRIOR = 0.2  # narrowed by less


@dataclass(frozen=True, eq=False)
class Curves:
    """Learning curves, and what they share as far as they tell. Made by `fit_curves`.

    Parameters
    ----------
    runs : DataFrame
        The table, checked.
    x, y, column : str
        Columns of input, response and curve; ``column`` is ``""`` where the table is one curve.
    scale : float
        Size of the response: geometric mean over curves of each one's largest value.
    shared : Shared
        Most probable values of what is shared.
    covariance : ndarray
        Of what is shared, in the order of `Shared`.
    unevenness : float
        Standard deviation over curves of the log of their noise.
    noisiness : mapping of str to ndarray
        For each curve, equally probable values of the log of its factor on the noise.
    """

    runs: pd.DataFrame
    x: str
    y: str
    column: str
    scale: float
    shared: Shared
    covariance: np.ndarray
    unevenness: float
    noisiness: Mapping[str, np.ndarray]
    curves: Mapping[str, Curve] = field(repr=False)
    ends: Mapping[str, tuple[float, float]] = field(repr=False)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the curves, in order of appearance."""
        return tuple(self.curves)

    def table(self) -> pd.DataFrame:
        """What is shared: value, standard deviation, prior, and how much the curves narrowed it.

        Returns
        -------
        DataFrame
            ``narrowed`` is 1 minus posterior over prior standard deviation: near 0, the prior decided.
        """
        sd = np.sqrt(np.diag(self.covariance))
        prior = [f"Normal({mean:g}, {spread:g})" for _, mean, spread in PRIORS]
        columns = {"value": np.array(self.shared), "sd": sd, "prior": prior, "narrowed": 1 - sd / SPREADS}
        columns["meaning"] = [meaning for meaning, _, _ in PRIORS]
        return pd.DataFrame(columns, index=pd.Index(Shared._fields, name="shared"))

    def beyond(self, name: str, x: np.ndarray, seed: int = 0) -> list[Beyond]:
        """What may follow one curve at ``x``, none before its last point: draws for each of several draws of shared."""
        curve, (first, _) = self.curves[name], self.ends[name]
        rng = stream(f"curves {name}", seed)
        likely = self.noisiness[name]
        start = approximate(curve, self.shared, float(np.median(likely))).slope
        drawn = []
        factor = np.linalg.cholesky(self.covariance)
        for noisiness in rng.permutation(likely):
            away = factor @ rng.standard_normal(len(factor)) / np.sqrt(rng.chisquare(FREEDOM) / FREEDOM)
            values = np.array(self.shared) + away
            shared = Shared(*np.clip(values, LOWEST, HIGHEST))
            found = approximate(curve, shared, noisiness, start, most=25)
            drawn.append(go_on(curve, found, shared, noisiness, np.log(x / first), SLOPE_DRAWS, rng))
        return drawn

    def __str__(self):
        points = [len(c.t) for c in self.curves.values()]
        table = self.table()
        lines = [
            f"{counted(len(self.curves), 'curve')} of {self.y} along {self.x}, {min(points)} to {max(points)} points "
            f"each; {self.y} is measured against {self.scale:.4g}",
            f"curves differ in noise by a factor of about {np.exp(self.unevenness):.2g}",
            "",
            table.drop(columns="meaning").to_string(float_format="{:.3g}".format),
        ]
        unmoved = np.abs(np.array(self.shared) - MEANS) < SPREADS
        doubtful = (table["narrowed"].to_numpy() < MOSTLY_PRIOR) & unmoved
        if mostly := list(table.index[doubtful]):
            lines.append(f"Mostly prior: {listed(mostly)}. More curves of this kind would tell.")
        return "\n".join(lines)


def fit_curves(runs: pd.DataFrame, *, x: str = "D", y: str = "L", curve: str | None = None) -> Curves:
    """Learn from a table of learning curves how their slopes go on.

    No law is assumed. In log-log each curve falls at its own smooth rate; how fast that rate dies out, how freely it
    moves and how noisy curves are is learnt from all of them. Fit curves together that are of one kind: one response,
    one sort of training; where there are enough, one data set. Of 72 public curves of image classification, three
    points known, the median RMSLE up to twice the third is .019 beside those of the same data set, .024 beside all and
    .037 alone (tests/benchmarks/extrapolation.py).

    What is shared is found by maximising the evidence times its priors (empirical Bayes, Laplace approximation for
    each curve). Its uncertainty is Student-t with four degrees of freedom, from a quarter of the expected information
    of the points, since curves of one table resemble each other. The priors, and these two numbers, were chosen by
    hand on inner splits of the public learning curves of images, language and translation
    (tests/benchmarks/extrapolation.py). No sampler: ten curves take seconds, seventy of sixty points a minute or two.

    Parameters
    ----------
    runs : DataFrame
        One row for each point; order does not matter.
    x : str
        Column of the input along the curves: tokens, examples seen, parameters, FLOP.
    y : str
        Column of the response, positive and falling along the curve: a loss or an error rate.
    curve : str, optional
        Column that says which curve a point is of; without it the table is one curve.

    Returns
    -------
    Curves
        To be asked by `extrapolate`.

    Raises
    ------
    InputError
        Unusable table; a curve with one point or with more than a thousand; a curve that does not fall.

    Examples
    --------
    >>> import bayescale as bs
    >>> curves = bs.fit_curves(bs.load_runs("nanogpt_bench_width"), x="width", curve="curve_id")  # doctest: +SKIP
    """
    for name, column in (("x", x), ("y", y), ("curve", curve)):
        check_text(name, column, "D")
    _check_names(x, y, curve)
    groups = [] if curve is None else [curve]
    checked = check_runs(runs, {x: "input along the curve"}, (y, "response"), groups)
    names = np.full(len(checked), ALL) if curve is None else checked[curve].astype(str).to_numpy()
    points = {}
    for name in dict.fromkeys(names):
        along, loss = numbers_of(checked, x)[names == name], numbers_of(checked, y)[names == name]
        order = np.argsort(along, kind="stable")
        points[str(name)] = along[order], loss[order]
    _check_points(points, x, y)
    scale = float(np.exp(np.mean([np.log(loss.max()) for _, loss in points.values()])))
    curves = {name: Curve.of(along, loss / scale) for name, (along, loss) in points.items()}
    ends = {name: (float(along[0]), float(along[-1])) for name, (along, _) in points.items()}
    found = _Fit(list(curves.values())).run()
    noisiness = dict(zip(curves, found.noisiness(), strict=True))
    return Curves(
        checked, x, y, curve or "", scale, Shared(*found.values), found.covariance(), found.unevenness, noisiness,
        curves, ends,
    )  # fmt: skip


def _check_names(x: str, y: str, curve: str | None) -> None:
    """Refuse columns that would share their name with each other or with a part of the answer."""
    named = [x, y] if curve is None else [x, y, curve]
    if twice := [name for k, name in enumerate(named) if name in named[:k]]:
        raise InputError(f"{twice[0]!r} is named twice among x, y and curve; each is a column of its own.")
    taken = {"chain", "draw", "times", "beyond", f"{y}_run"}
    if clash := [name for name in named if name in taken]:
        raise InputError(f"A column called {clash[0]!r} cannot be used here: answers use that name; rename it.")


def _check_points(points: Mapping[str, tuple[np.ndarray, np.ndarray]], x: str, y: str) -> None:
    """Refuse curves that cannot be followed."""
    if short := [name for name, (along, _) in points.items() if len(np.unique(along)) < FEWEST]:
        raise InputError(
            f"A curve needs points at {FEWEST} values of {x!r} or more; {counted(len(short), 'curve')} "
            f"{'has' if len(short) == 1 else 'have'} fewer: {listed(map(repr, short), 5)}. Leave them out."
        )
    if long := [name for name, (along, _) in points.items() if len(along) > MOST]:
        raise InputError(
            f"A curve may have {MOST} points; {quoted(long[:5])} has more. Take every tenth, or average neighbours."
        )
    if tied := [name for name, (along, _) in points.items() if 2 * len(np.unique(along)) < len(along)]:
        raise InputError(
            f"Points of one curve lie at different {x!r}; most of {listed(map(repr, tied), 5)} share theirs with "
            "others. Name the column that tells curves apart as curve, or average replicates."
        )
    sizes = {name: loss.max() for name, (_, loss) in points.items()}
    high, low = max(sizes, key=sizes.__getitem__), min(sizes, key=sizes.__getitem__)
    if sizes[high] > APART * sizes[low]:
        raise InputError(
            f"Curves are learnt from together, so {y!r} must be one response; that of {high!r} is "
            f"{sizes[high] / sizes[low]:.3g} times that of {low!r}. Fit each kind by itself, or bring them to one unit."
        )
    if deep := [name for name, (_, loss) in points.items() if loss.max() > APART * loss.min()]:
        raise InputError(
            f"{y!r} falls by more than a factor {APART:g} in {listed(map(repr, deep), 5)}; this is made for losses and "
            "error rates, which do not. Leave out the points of one end, or fit the law 'power'."
        )
    rising = [name for name, (_, loss) in points.items() if loss[-1] >= loss[0]]
    if rising:
        raise InputError(
            f"{y!r} must fall along {x!r}; from the first to the last point it does not in "
            f"{listed(map(repr, rising), 5)}. For a share of right answers take the error, 1 - accuracy; "
            "leave out curves that learn nothing."
        )


def _bell(away: np.ndarray, sd: float) -> np.ndarray:
    """Normal density, up to the constant."""
    return np.exp(-((away / sd) ** 2) / 2) / sd


class _Fit:
    """Coordinate ascent: each curve's noisiness, its spread over curves, and what is shared, in turn."""

    def __init__(self, curves: list[Curve]):
        self.curves = curves
        self.values = MEANS.copy()
        self.values[Shared._fields.index("slope")] = np.clip(
            np.median([np.log(max(-(c.log_loss[-1] - c.log_loss[0]) / c.t[-1], 1e-3)) for c in curves]), -6.0, 0.0
        )
        self.offsets = np.zeros(len(curves))
        self.unevenness = float(np.exp(UNEVENNESS[0]))
        self.starts: list[np.ndarray | None] = [None] * len(curves)

    def run(self) -> "_Fit":
        """Go round until nothing moves."""
        for _ in range(ROUNDS):
            before = self.values
            self._settle_noisiness()
            self._climb()
            if np.max(np.abs(self.values - before) / SPREADS) < SETTLED:
                break
        return self

    def _find(self, k: int, values: np.ndarray, offset: float) -> Approximation:
        found = approximate(self.curves[k], Shared(*values), offset, self.starts[k])
        self.starts[k] = found.slope
        return found

    def _evidences(self, values: np.ndarray) -> np.ndarray:
        return np.array([self._find(k, values, offset).evidence for k, offset in enumerate(self.offsets)])

    def _climb(self) -> None:
        """Shared numbers, given each curve's noisiness."""

        def depth(values):
            try:
                fit = self._evidences(values).sum()
            except np.linalg.LinAlgError:  # a step into numbers no covariance stands
                return 1e6
            return (np.sum(((values - MEANS) / SPREADS) ** 2) / 2 - fit) / len(self.curves)

        bounds = list(zip(LOWEST, HIGHEST, strict=True))
        options = {"maxiter": ITERATIONS, "eps": SLOPE_STEP, "ftol": 1e-6}
        self.values = minimize(depth, self.values, method="L-BFGS-B", bounds=bounds, options=options).x

    def _settle_noisiness(self) -> None:
        """How noisiness spreads over curves, and where each one's lies; the middle goes into what is shared."""
        told = self._told()
        middles = FINE[np.abs(FINE) <= FARTHEST_MIDDLE]
        away = FINE - middles[:, None]
        density = np.array([told @ _bell(away, tried).T for tried in TRIED])  # dims (unevenness, curve, middle)
        prior = -(((np.log(TRIED) - UNEVENNESS[0]) / UNEVENNESS[1]) ** 2) / 2
        height = np.log(np.maximum(density, np.finfo(float).tiny)).sum(axis=1) + prior[:, None]
        best, at = np.unravel_index(np.argmax(height), height.shape)
        self.unevenness, middle = float(TRIED[best]), float(middles[at])
        belief = told * _bell(FINE - middle, self.unevenness)
        self.offsets = belief @ FINE / belief.sum(axis=1) - middle
        shared = Shared(*self.values)
        self.values = np.array(
            shared._replace(
                noise=shared.noise + middle,
                wander=shared.wander + middle,
                restlessness=shared.restlessness + shared.coupling * middle,
            )
        )

    def _told(self) -> np.ndarray:
        """Density of each curve's points at each noisiness, up to a factor; dims (curve, `FINE`)."""
        logs = [[self._find(k, self.values, value).evidence for value in COARSE] for k in range(len(self.curves))]
        fine = CubicSpline(COARSE, np.array(logs), axis=1)(FINE)
        return np.exp(fine - fine.max(axis=1, keepdims=True))

    def noisiness(self) -> np.ndarray:
        """Equally probable values of each curve's noisiness; dims (curve, `SHARED_DRAWS`)."""
        belief = np.cumsum(self._told() * _bell(FINE, self.unevenness), axis=1)
        shares = (np.arange(SHARED_DRAWS) + 0.5) / SHARED_DRAWS
        return np.array([np.interp(shares, below / below[-1], FINE) for below in belief])

    def covariance(self) -> np.ndarray:
        """Of what is shared: inverse of the prior's precision plus what the curves are credited with."""
        information = sum(map(self._information, range(len(self.curves))))
        return np.linalg.inv(CREDIT * information + np.diag(SPREADS**-2.0))

    def _information(self, k: int) -> np.ndarray:
        """Expected (Fisher) information of one curve about what is shared, points being Normal about its mean path."""
        offset = self.offsets[k]
        means, spreads = [], []
        for step in INFORMATION_STEP * np.eye(len(self.values)):
            (above, high), (below, low) = (self._find(k, self.values + d, offset).moments() for d in (step, -step))
            means.append((above - below) / (2 * INFORMATION_STEP))
            spreads.append((high - low) / (2 * INFORMATION_STEP))
        _, covariance = self._find(k, self.values, offset).moments()
        factor = np.linalg.cholesky(covariance)
        moved = solve_triangular(factor, np.array(means).T, lower=True)
        widened = np.array(
            [solve_triangular(factor, solve_triangular(factor, d, lower=True).T, lower=True) for d in spreads]
        )
        return moved.T @ moved + np.einsum("iab,jab->ij", widened, widened) / 2
