"""Every public figure once, from draws that need no sampler: what the baseline images and the test of colours show."""

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.text import Text

import bayescale as bs
from bayescale.answers.comparison import Comparison
from bayescale.answers.updating import Change, Update, compare_draws
from bayescale.curves.curve import Curve
from bayescale.curves.shared import Shared
from bayescale.diagnostics import Diagnostics
from bayescale.posterior import Posterior

SHAPE = (4, 50)
CONVERGED = Diagnostics(1.0, "", 1e4, 1e4, "", 0, 1.0)
# Per-token losses of Hoffmann et al. (2022) at N = 1e8, D = 1e10.
VALUES = {"E": 1.69, "A_ref": 0.78, "B_ref": 0.65, "alpha": 0.34, "beta": 0.28, "sigma": 0.01}


def scattered(model, values, spread=0.01, seed=1):
    """A posterior whose draws scatter about values on the log scale, each parameter on its own."""
    rng = np.random.default_rng(seed)
    draws = {}
    for name, value in values.items():
        value = np.asarray(value, dtype=float)
        width = spread if name.startswith("E") else 3 * spread
        draws[name] = value * np.exp(width * rng.standard_normal((*SHAPE, *value.shape)))
    stats = {"diverging": np.zeros(SHAPE, dtype=bool), "energy": rng.standard_normal(SHAPE)}
    return Posterior.from_draws(model, draws, stats, CONVERGED, {"seed": seed})


def plain():
    """One law, 25 runs on a grid, noise of 1 % and one run that went wrong."""
    N, D = (x.ravel() for x in np.meshgrid(np.logspace(7, 9, 5), np.logspace(9, 11, 5)))
    noise = 0.01 * np.random.default_rng(3).standard_normal(N.size)
    noise[7] = 0.08
    runs = pd.DataFrame({"N": N, "D": D, "L": (1.69 + 406.4 / N**0.34 + 410.7 / D**0.28) * np.exp(noise)})
    return scattered(bs.Model("chinchilla", runs), VALUES | {"nu": 5.0})


def grouped():
    """The embedded runs, six modalities, partly pooled."""
    model = bs.Model("chinchilla", bs.load_runs("tiny_sweep"), pool="modality")
    # Near the least squares of each modality: code, image, math, music, speech, text.
    own = {
        "E": [0.81, 0.75, 0.90, 1.14, 3.88, 0.83],
        "A_ref": [0.08, 0.07, 0.035, 0.14, 0.034, 0.17],
        "B_ref": [1.25, 0.20, 0.90, 0.44, 0.29, 1.06],
        "alpha": [0.58, 0.45, 0.48, 0.39, 0.56, 0.39],
        "beta": [0.165, 0.415, 0.06, 0.355, 0.416, 0.21],
        "sigma": [0.02, 0.015, 0.01, 0.01, 0.006, 0.02],
    }
    shared = {f"{s}_mean": float(np.exp(np.log(m).mean())) for s, m in own.items()}
    shared |= {f"{s}_spread": float(np.log(m).std()) for s, m in own.items()}
    return scattered(model, own | shared | {"nu": 5.0})


def compared():
    """Three laws by WAIC, one of them flagged."""
    table = pd.DataFrame(
        {
            "elpd": [100.0, 96.0, 71.0],
            "se": [5.0, 5.0, 6.0],
            "elpd_diff": [0.0, -4.0, -29.0],
            "dse": [0.0, 2.5, 9.0],
            "p": [5.0, 4.0, 4.0],
            "weight": [0.8, 0.2, 0.0],
            "flags": ["", "3 of 50: p_waic above 0.4", ""],
        },
        index=pd.Index(["chinchilla", "kaplan_offset", "kaplan"], name="law"),
    )
    scores = xr.Dataset({"elpd_i": (("law", "unit"), np.zeros((3, 50)))}, {"law": list(table.index)})
    verdict = "chinchilla is ahead of kaplan_offset by 4.0 ± 2.5, which is not beyond doubt."
    return Comparison("waic", table, scores, verdict, ())


def backtested():
    """Twelve held-out runs, forecast by three methods, one without a spread."""
    rng = np.random.default_rng(2)
    measured = np.linspace(2.2, 3.2, 12)
    bias = np.array([0.01, -0.14, 0.15])
    draws = measured + bias[:, None] + np.array([0.05, 0.09, 0.0])[:, None] * rng.standard_normal((*SHAPE, 3, 12))
    dims = ("chain", "draw", "forecaster", "run")
    return xr.Dataset(
        {
            "L": ("run", measured, {"units": "nats/token"}),
            "L_run": (dims, draws),
            "log_density": (("forecaster", "run"), np.zeros((3, 12))),
            "spread": ("forecaster", [True, True, False]),
            "weight": ("forecaster", [np.nan] * 3),
            "converged": ("forecaster", [True, True, True]),
            "beyond": ("run", np.full(12, 2.0)),
        },
        {"forecaster": ["chinchilla", "log-log line", "least squares"]},
        {
            **{"response": "L", "on_log": 1, "runs": 50, "group": "", "cost_unit": "FLOP"},
            "held_out": "those that cost 1e+21 or more",
        },
    )


def updated(before):
    """A fit whose floor moved by two of its standard deviations and whose exponents narrowed."""
    names = ("E", "A_ref", "B_ref", "alpha", "beta", "sigma", "nu")
    draws = {name: before.dataset[name].to_numpy() for name in names}
    for name in ("alpha", "beta"):
        middle = np.median(draws[name])
        draws[name] = middle * (draws[name] / middle) ** 0.5
    draws["E"] = draws["E"] * np.exp(0.02)
    stats = {"diverging": np.zeros(SHAPE, dtype=bool)}
    after = Posterior.from_draws(before.model, draws, stats, CONVERGED, {"seed": 1})
    return Update(after, {"chinchilla": Change(before, after, compare_draws(before, after), xr.Dataset())})


def followed():
    """Two learning curves whose shared numbers are as given: a fit's own climb may end elsewhere on another machine."""
    t = np.linspace(0.0, 4.0, 9)
    losses = {"wide": 3.2 * np.exp(-0.12 * t), "narrow": 3.3 * np.exp(-0.2 * t + 0.015 * t**2)}
    rows = [pd.DataFrame({"run": name, "D": 1e8 * np.exp(t), "L": loss}) for name, loss in losses.items()]
    shared = Shared(-5.0, -4.5, -2.0, -1.0, 0.0, -1.5, 0.7, -1.5, 1.0, 0.5)
    return bs.Curves(
        *(pd.concat(rows, ignore_index=True), "D", "L", "run", 3.25, shared, 0.01 * np.eye(len(shared)), 0.3),
        noisiness={name: np.linspace(-0.3, 0.3, 100) for name in losses},
        curves={name: Curve.of(1e8 * np.exp(t), loss / 3.25) for name, loss in losses.items()},
        ends={name: (1e8, 1e8 * np.exp(4.0)) for name in losses},
    )


FIGURES = {
    "extrapolation": lambda one, six: bs.plot_extrapolation(followed()),
    "forecast": lambda one, six: bs.plot_forecast(six),
    "forecast_one": lambda one, six: bs.plot_forecast(one),
    "allocation": lambda one, six: bs.plot_allocation(bs.allocate(one, C=np.geomspace(1e19, 1e23, 9))),
    "threshold": lambda one, six: bs.plot_threshold(bs.threshold(six, L=1.3, horizon="1e18")),
    "threshold_levels": lambda one, six: bs.plot_threshold(bs.threshold(one, L=[2.2, 2.0, 1.8])),
    "exponents": lambda one, six: bs.plot_exponents(six),
    "comparison": lambda one, six: bs.plot_comparison(compared()),
    "check": lambda one, six: bs.plot_check(bs.check_fit(one)),
    "check_groups": lambda one, six: bs.plot_check(bs.check_fit(six)),
    "design": lambda one, six: bs.plot_design(
        bs.design(one, 1e21, about="L", at={"N": 7e9, "D": 1.4e11}, batch=3, checks=0)
    ),
    "contrast": lambda one, six: bs.plot_contrast(bs.contrast(six, "alpha", "code")),
    "multiplier": lambda one, six: bs.plot_multiplier(
        bs.multiplier(six, "code", "text", along="C", C=[1e12, 1e13, 1e14], reducible=0.5)
    ),
    "update": lambda one, six: bs.plot_update(updated(one)),
    "backtest": lambda one, six: bs.plot_backtest(backtested()),
    "prior": lambda one, six: bs.plot_prior(one.model, draws=30),
    "posterior": lambda one, six: bs.plot_posterior(six),
}


def overlapping(figure):
    """Pairs of texts that cover each other on the printed page."""
    figure.draw_without_rendering()
    found = []
    for ax in figure.axes:
        for axis in (ax.xaxis, ax.yaxis):
            low, high = sorted(axis.get_view_interval())
            ticks = [tick for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
            found += [axis.label, *(label for t in ticks for label in (t.label1, t.label2) if label.get_visible())]
        found += [*ax.texts, *(t for t in ax.get_children() if isinstance(t, Text) and t not in ax.texts)]
    # An annotation's own extent would include the line that leads to it.
    boxes = [(t.get_text(), Text.get_window_extent(t)) for t in found if t.get_text()]
    return [(a, b) for k, (a, box) in enumerate(boxes) for b, other in boxes[k + 1 :] if box.overlaps(other)]
