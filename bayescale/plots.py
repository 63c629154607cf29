"""Figures: what a posterior forecasts, its exponents, how laws compare, how the fit and the prior look.

Each function draws on the axes it is given, or on a new figure, and returns the axes. Nothing global is changed.
"""

import math
import os
import textwrap
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from bayescale.answers.common import warn_unless_converged
from bayescale.answers.comparison import Comparison
from bayescale.answers.forecast import forecast
from bayescale.errors import ConvergenceWarning, InputError
from bayescale.law import Law, Param, Published
from bayescale.model import MEAN, Model
from bayescale.posterior import Posterior
from bayescale.simulation import sample_prior

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

# Okabe & Ito's colours, told apart by colour-blind readers; their yellow is left out, it is lost on white.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
INK, GREY, RED = "#222222", "#777777", "#C00000"
SMALL, NORMAL = 7.5, 9.0

CENTRAL = (0.05, 0.25, 0.5, 0.75, 0.95)
CURVES = 4
INSIDE, BEYOND = 40, 16
FEW_PUBLISHED = 4
OUTLIER = 0.5
DRAWS = ("chain", "draw")
DASHED = (0, (4, 2))
ROUNDING = 1e-9
LONG_TITLE = 20
NUMBERED = 20
RING = 9.0


# -- Forecast


def plot_forecast(
    posterior: Posterior,
    x: str | None = None,
    *,
    reach: float = 10.0,
    axes: Any = None,
    seed: int = 0,
) -> np.ndarray:
    """Draw the runs, the law, and what a run would measure, inside the runs and beyond them.

    Parameters
    ----------
    posterior : Posterior
        A fit.
    x : str, optional
        The input along the axis; by default ``"D"`` where the law has it, else the law's first. A law of N and D is
        drawn as curves at up to four values of the other one, taken from the group's runs; further inputs are held at
        the geometric mean of the group's runs.
    reach : float
        How far beyond the largest run of a group, as a factor, at least 1. That part has paler bands and dashed lines.
    axes : Axes or array of Axes, optional
        One for each group, in the order of ``model.groups``; by default a new figure with a legend. A figure of
        one's own needs room for the labels: ``plt.subplots(..., layout="constrained")``.
    seed : int
        For the noise of the runs forecast.

    Returns
    -------
    ndarray of Axes
        One for each group, or one. Lines are medians of the law, with its departure where the model has a discrepancy;
        bands are the central 50 % and 90 % of `forecast`'s ``L_run``, noise included. A curve is beyond the runs where
        `forecast` says so: above the group's largest x, and above its largest run.

    Raises
    ------
    InputError
        Unknown input, reach below 1, wrong number of axes.
    """
    model = posterior.model
    x = _along(model.law, x)
    if not (math.isfinite(reach) and reach >= 1):
        raise InputError(f"reach is a factor beyond the largest run, at least 1; {reach!r} was given.")
    warn_unless_converged(posterior)
    groups = model.groups or (None,)
    panels = _panels(axes, len(groups))
    by = _across(model.law, x)
    for group, ax in zip(groups, panels, strict=True):
        runs = _runs_of(model, group)
        _draw_forecast(ax, posterior, group, runs, x, by, reach, seed)
        _label_panel(ax, model, x, group, len(runs))
    if axes is None:
        _label_outer_only(panels)
        _explain_forecast(panels[0].figure, model, reach)
    _note_convergence(panels, posterior.converged)
    return panels


def _along(law: Law, x: str | None) -> str:
    if x is None:
        return "D" if "D" in law.columns else law.columns[0]
    if x not in law.columns:
        raise InputError(f"Law {law.name!r} is drawn against {' or '.join(law.columns)}; x={x!r} was given.")
    return x


def _across(law: Law, x: str) -> str | None:
    """Name the input that tells the curves of a panel apart."""
    others = [c for c in law.columns if c != x]
    return next((c for c in ("N", "D") if c in others), others[0] if others else None)


def _runs_of(model: Model, group: str | None) -> pd.DataFrame:
    return model.runs if group is None else model.runs.loc[model.group_index == model.groups.index(group)]


def _column(runs: pd.DataFrame, name: str) -> np.ndarray:
    return runs[name].to_numpy(dtype=float)


def _draw_forecast(ax, posterior: Posterior, group, runs: pd.DataFrame, x: str, by: str | None, reach, seed):
    model = posterior.model
    output = model.law.output.symbol
    along = _column(runs, x)
    across = _column(runs, by) if by else np.array([])
    everywhere = _column(model.runs, by) if by else np.array([])
    grid = _grid(along.min(), along.max(), reach)
    levels = _spread_values(across) if by else np.array([])
    asked: dict[str, Any] = {c: _geometric_mean(_column(runs, c)) for c in model.law.columns} | {x: grid}
    if by:
        asked[by] = levels
    with warnings.catch_warnings():
        # plot_forecast has said it once; it need not be said again for each panel.
        warnings.simplefilter("ignore", ConvergenceWarning)
        answer = forecast(posterior, group=group, seed=seed, **asked)
    expected = f"{output}_true" if model.discrepancy else output
    median = answer[expected].median(DRAWS)
    band = answer[f"{output}_run"].quantile(CENTRAL, DRAWS, skipna=False)
    ends = []
    for k, colour in enumerate(_shades(levels, everywhere) if by else [COLOURS[0]]):
        at = {by: k} if by else {}
        line = median.isel(at).to_numpy()
        parts = _parts(answer["beyond"].isel(at).to_numpy())
        _draw_band(ax, grid, band.isel(at).to_numpy(), parts, colour)
        _draw_line(ax, grid, line, parts, colour)
        ends.append((line[-1], colour))
    colours = _shades(across, everywhere) if by else COLOURS[0]
    ax.scatter(along, _column(runs, output), s=13, c=colours, edgecolors="white", linewidths=0.4, zorder=4)
    _log_axes(ax, model, x, (grid[0] / 1.15, grid[-1]))
    if reach > 1:
        _mark_edge(ax, along.max())
    if by:
        _label_ends(ax, [f"{by} = {short_number(v, 2)}" for v in levels], ends)


def _grid(low: float, edge: float, reach: float) -> np.ndarray:
    """Points along x, one of them exactly at the largest run."""
    inside = np.geomspace(low, edge, INSIDE) if low < edge else np.array([edge])
    beyond = np.geomspace(edge, edge * reach, BEYOND)[1:] if reach > 1 else np.array([])
    return np.concatenate([inside, beyond])


def _spread_values(values: np.ndarray) -> np.ndarray:
    """Values of runs nearest to a few that are evenly spread on a log scale, ascending."""
    known = np.unique(values)
    wanted = np.geomspace(known[0], known[-1], CURVES)
    return np.unique([known[np.argmin(np.abs(np.log(known / w)))] for w in wanted])


def _geometric_mean(values: np.ndarray) -> float:
    return float(np.exp(np.log(values).mean()))


def _shades(values: np.ndarray, of: np.ndarray) -> np.ndarray:
    """Sequential colours by log value, dark to light, over the range of all runs; monotone in grey."""
    import matplotlib

    low, high = math.log(of.min()), math.log(of.max())
    share = (np.log(values) - low) / (high - low) if high > low else np.zeros(len(values))
    return matplotlib.colormaps["viridis"](0.8 * share)


def _parts(beyond: np.ndarray) -> tuple[slice, slice]:
    """Points of a curve inside the runs, and those beyond them together with the last inside."""
    inside = int((beyond <= 1 + ROUNDING).sum())
    return slice(0, inside), slice(max(inside - 1, 0), None)


def _draw_band(ax, grid, band, parts, colour):
    """Central 90 % and 50 %, paler beyond the runs."""
    for part, strength in zip(parts, (1.0, 0.5), strict=True):
        for lower, upper, alpha in ((0, 4, 0.16), (1, 3, 0.26)):
            ax.fill_between(
                grid[part], band[lower, part], band[upper, part], color=colour, alpha=alpha * strength, lw=0
            )


def _draw_line(ax, grid, line, parts, colour):
    for part, style in zip(parts, ("-", DASHED), strict=True):
        ax.plot(grid[part], line[part], color=colour, lw=1.3, ls=style, zorder=3)


def _mark_edge(ax, edge):
    ax.axvline(edge, color=GREY, lw=0.7, zorder=1)
    ax.text(
        edge,
        1.01,
        "beyond the runs",
        transform=ax.get_xaxis_transform(),
        fontsize=SMALL,
        color=GREY,
        ha="left",
        va="bottom",
    )


def _label_ends(ax, labels: Sequence[str], ends):
    """Name each curve at its right end, moved apart where they are close."""
    low, high = np.log(ax.get_ylim())
    height = ax.get_window_extent().height / ax.figure.dpi * 72
    places = _move_apart([(math.log(y) - low) / (high - low) for y, _ in ends], 1.35 * SMALL / height)
    for label, place, (y, colour) in zip(labels, places, ends, strict=True):
        ax.annotate(
            label,
            (ax.get_xlim()[1], y),
            (1.05, place),
            textcoords="axes fraction",
            fontsize=SMALL,
            color=INK,
            va="center",
            arrowprops={"arrowstyle": "-", "color": colour, "lw": 0.5, "shrinkA": 1, "shrinkB": 0},
        )


def _move_apart(places: Sequence[float] | np.ndarray, gap: float) -> np.ndarray:
    """Nearest places, in least squares, that keep their order and lie at least a gap apart."""
    order = np.argsort(places, kind="stable")
    offsets = gap * np.arange(len(order))
    blocks: list[list[float]] = []
    for target in np.asarray(places)[order] - offsets:
        blocks.append([float(target)])
        # Neighbours that would cross are moved as one, to their mean (isotonic regression).
        while len(blocks) > 1 and np.mean(blocks[-2]) > np.mean(blocks[-1]):
            last = blocks.pop()
            blocks[-1] += last
    moved = np.empty(len(order))
    moved[order] = np.array([np.mean(b) for b in blocks for _ in b]) + offsets
    return moved


def _label_panel(ax, model: Model, x: str, group: str | None, count: int):
    output = model.law.output
    title = f"{group or model.law.name} ({count} runs)"
    # A long name goes above the line that says "beyond the runs".
    ax.set_title(title, loc="left", fontsize=NORMAL, color=INK, pad=16 if len(title) > LONG_TITLE else 6)
    ax.set_xlabel(_axis_label(model, x), fontsize=NORMAL)
    ax.set_ylabel(_with_unit(f"{output.meaning} {output.symbol}", output.unit), fontsize=NORMAL)


def _explain_forecast(figure, model: Model, reach: float):
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    keys = [
        Line2D([], [], ls="", marker="o", ms=4, color=INK, label="run, measured"),
        Line2D(
            [], [], color=INK, lw=1.3, label=f"{model.law.name}{' with departure' * bool(model.discrepancy)}, median"
        ),
        Patch(color=INK, alpha=0.38, lw=0, label="50 % of runs to come"),
        Patch(color=INK, alpha=0.16, lw=0, label="90 %"),
    ]
    if reach > 1:
        keys.append(Line2D([], [], color=INK, lw=1.3, ls=DASHED, label="beyond the runs"))
    _legend_below(figure, keys)


# -- Exponents


def plot_exponents(posterior: Posterior, *, ax: Any = None) -> "Axes":
    """Draw the law's exponents by group, with their shared mean and what papers printed.

    Parameters
    ----------
    posterior : Posterior
        A fit.
    ax : Axes, optional
        Where; by default a new figure.

    Returns
    -------
    Axes
        For each parameter of the law that does not scale with the response: a row for each group, then the shared mean.
        Dots are medians, thick and thin bars the central 50 % and 90 %. Published values are thin vertical lines, where
        the law has at most four entries.

    Raises
    ------
    InputError
        The law has no such parameter.
    """
    model = posterior.model
    params = [p for p in model.law.params if not p.scaled]
    if not params:
        raise InputError(f"Law {model.law.name!r} has no exponents: all its parameters scale with the response.")
    warn_unless_converged(posterior)
    blocks = [(p, list(_forest_rows(posterior, p)), _published(model.law, p)) for p in params]
    height = sum(1.6 + len(rows) + 0.75 * len(entries) for _, rows, entries in blocks)
    if ax is None:
        ax = _panels(None, 1, size=(5.6, 0.9 + 0.21 * height))[0]
    top, ticks, names = 0.0, [], []
    for (p, rows, entries), colour in zip(blocks, _cycle(COLOURS, len(blocks)), strict=True):
        first = top + 1.0 + 0.75 * len(entries)
        ax.text(0.01, top, _heading(p), transform=ax.get_yaxis_transform(), va="center", fontsize=NORMAL, color=INK)
        for k, (name, draws) in enumerate(rows):
            _draw_interval(ax, first + k, draws, INK if name == "shared mean" else colour, name == "shared mean")
            ticks.append(first + k)
            names.append(name)
        last = first + len(rows) - 1
        _draw_published(ax, p, entries, top + 0.9, last + 0.4)
        top = last + 1.6
    ax.set_yticks(ticks, names, fontsize=SMALL)
    ax.set_ylim(top - 0.9, -0.7)
    ax.tick_params(axis="y", length=0)
    _plain_axes(ax)
    ax.spines["left"].set_visible(False)
    ax.grid(axis="x", color="#E6E6E6", lw=0.6)
    ax.set_axisbelow(True)
    ax.set_xlabel("exponent (no unit); dot: median, bars: central 50 % and 90 %", fontsize=NORMAL)
    ax.set_title(f"{model.law.name} ({len(model.runs)} runs)", loc="left", fontsize=NORMAL, color=INK)
    _note_convergence([ax], posterior.converged)
    return ax


def _forest_rows(posterior: Posterior, p: Param) -> Iterator[tuple[str, np.ndarray]]:
    """Name and draws of each row of one parameter."""
    model, draws = posterior.model, posterior.dataset
    value = draws[p.symbol]
    if model.group not in value.dims:
        yield ("all groups" if model.group else "all runs"), value.to_numpy().ravel()
        return
    for group in model.groups:
        yield group, value.sel({model.group: group}).to_numpy().ravel()
    if p.symbol + MEAN in draws:
        yield "shared mean", draws[p.symbol + MEAN].to_numpy().ravel()


def _published(law: Law, p: Param) -> list[Published]:
    """Papers' values of a parameter, ascending; none where there are too many to tell apart."""
    entries = [e for e in law.published if e.on in ("", law.columns[0]) and p.symbol in e.values]
    return sorted(entries, key=lambda e: e.values[p.symbol]) if len(entries) <= FEW_PUBLISHED else []


def _draw_interval(ax, y, draws, colour, shared):
    q05, q25, q50, q75, q95 = np.quantile(draws, CENTRAL)
    ax.plot([q05, q95], [y, y], color=colour, lw=1.0, solid_capstyle="butt")
    ax.plot([q25, q75], [y, y], color=colour, lw=3.0, solid_capstyle="butt")
    ax.plot(
        q50, y, marker="D" if shared else "o", ms=5, ls="", color=colour, markeredgecolor="white", markeredgewidth=0.7
    )


def _draw_published(ax, p: Param, entries: Sequence[Published], top: float, bottom: float):
    """Flags: the leftmost line is the tallest, so that no line crosses the name of another."""
    for k, entry in enumerate(entries):
        value, y = entry.values[p.symbol], top + 0.75 * k
        ax.plot([value, value], [bottom, y], color=GREY, lw=0.7, zorder=1)
        ax.annotate(
            f"{entry.key} {value:.3g}",
            (value, y),
            (2.5, 0),
            textcoords="offset points",
            va="center",
            fontsize=SMALL - 0.5,
            color=GREY,
        )


def _heading(p: Param) -> str:
    return f"{math_symbol(p.symbol)}, {p.meaning}" + (f" ({p.unit})" if p.unit else "")


# -- Comparison

_CRITERIA = {"waic": "WAIC", "loo": "PSIS-LOO", "largest": "largest runs held out"}


def plot_comparison(comparison: Comparison, *, ax: Any = None) -> "Axes":
    """Draw how far each law falls behind the best.

    Parameters
    ----------
    comparison : Comparison
        From `compare`.
    ax : Axes, optional
        Where; by default a new figure.

    Returns
    -------
    Axes
        Differences in expected log predictive density, the best law on top, with bars of one and two standard errors.
        Hollow dots are estimates the criterion itself calls unreliable.
    """
    table = comparison.table
    if ax is None:
        ax = _panels(None, 1, size=(6.0, 1.5 + 0.5 * len(table)))[0]
    ax.axvline(0, color=GREY, lw=0.7, zorder=1)
    for k, row in enumerate(table.to_dict("records")):
        _draw_difference(ax, k, row["elpd_diff"], row["dse"], bool(row["flags"]))
    said = [f"{d:.1f} ± {e:.1f}".replace("-", "−") for d, e in zip(table["elpd_diff"], table["dse"], strict=True)]
    for k, text in enumerate(["best", *said[1:]]):
        place = {"xytext": (0, 7), "ha": "center"} if k else {"xytext": (7, 7), "ha": "left"}
        at = (table["elpd_diff"].iloc[k], k)
        ax.annotate(text, at, textcoords="offset points", fontsize=SMALL, color=INK, **place)
    ax.set_yticks(range(len(table)), [str(name) for name in table.index], fontsize=NORMAL)
    ax.set_ylim(len(table) - 0.5, -0.7)
    ax.tick_params(axis="y", length=0)
    ax.margins(x=0.12)
    _plain_axes(ax)
    ax.spines["left"].set_visible(False)
    units = comparison.pointwise.sizes["unit"]
    ax.set_xlabel(f"elpd difference to the best law (nats, sum over {units} units)", fontsize=NORMAL)
    criterion = _CRITERIA.get(comparison.by, comparison.by)
    ax.set_title(f"Laws compared by {criterion}", loc="left", fontsize=NORMAL, color=INK)
    flagged = "; ".join(f"{name}, {flags}" for name, flags in zip(table.index, table["flags"], strict=True) if flags)
    key = "Bars: 1 and 2 standard errors of the difference." + (f" Hollow: flagged ({flagged})." if flagged else "")
    _write_below(ax, [comparison.verdict, key])
    return ax


def _draw_difference(ax, y: int, difference: float, error: float, flagged: bool):
    for width, times in ((1.0, 2), (3.0, 1)):
        ends = [difference - times * error, difference + times * error]
        ax.plot(ends, [y, y], color=COLOURS[0], lw=width, solid_capstyle="butt")
    face = "white" if flagged else COLOURS[0]
    ax.plot(difference, y, marker="o", ms=6, ls="", color=COLOURS[0], markerfacecolor=face)


def _write_below(ax, sentences: Sequence[str]):
    width = int(ax.figure.get_size_inches()[0] * 17)
    ax.annotate(
        "\n".join(textwrap.fill(s, width) for s in sentences),
        (0, 0),
        (0, -34),
        xycoords="axes fraction",
        textcoords="offset points",
        va="top",
        fontsize=SMALL,
        color=INK,
    )


# -- Check


def plot_check(check: xr.Dataset, *, axes: Any = None) -> np.ndarray:
    """Draw how the law fits its runs: residuals, calibration, outliers.

    Parameters
    ----------
    check : Dataset
        From `check_fit`.
    axes : array of 3 Axes, optional
        Where; by default a new figure.

    Returns
    -------
    ndarray of Axes
        Residuals against the cost of the run, with the 90 % band of noise (of each group), outliers ringed; histogram
        of the leave-one-out probability integral transform, with the 95 % band of a calibrated fit; probability of
        each run to be an outlier. Runs are numbered by their row in the table, from 1; the 20 most outlying at most.

    Raises
    ------
    InputError
        A variable is missing, or probabilities lie outside 0 to 1.
    """
    _check_variables(check)
    panels = _panels(axes, 3, size=(10.5, 3.3))
    _draw_residuals(panels[0], check)
    _draw_pit(panels[1], check["pit"].to_numpy())
    _draw_outliers(panels[2], check)
    for ax in panels:
        _plain_axes(ax)
    if axes is None and "group" in check.coords:
        _legend_below(panels[0].figure, panels[0].get_legend_handles_labels()[0])
    _note_convergence(panels, bool(check.attrs.get("converged", True)))
    return panels


def _check_variables(check: xr.Dataset):
    wanted = ("cost", "residual", "residual_lower", "residual_upper", "pit", "outlier")
    if missing := [name for name in wanted if name not in check]:
        raise InputError(f"plot_check draws the answer of check_fit; this one has no {', '.join(missing)}.")
    for name in ("pit", "outlier"):
        if not bool(((check[name] >= 0) & (check[name] <= 1)).all()):
            raise InputError(f"{name!r} must lie between 0 and 1 for every run; make the check anew with check_fit.")


def _draw_residuals(ax, check: xr.Dataset):
    grouped = "group" in check.coords
    groups = check["group"].to_numpy().astype(str) if grouped else np.full(check.sizes["run"], "all runs")
    names = sorted(set(groups))
    styles = zip(names, _cycle(COLOURS, len(names)), _cycle(MARKERS, len(names)), strict=True)
    for name, colour, marker in styles:
        part = check.isel(run=groups == name).sortby("cost")
        cost, lower, upper = (part[v].to_numpy() for v in ("cost", "residual_lower", "residual_upper"))
        if grouped:
            ax.plot(cost, lower, color=colour, lw=0.8, alpha=0.8)
            ax.plot(cost, upper, color=colour, lw=0.8, alpha=0.8)
        else:
            ax.fill_between(cost, lower, upper, color=colour, alpha=0.18, lw=0)
        ax.plot(cost, part["residual"], ls="", marker=marker, ms=4, color=colour, markeredgewidth=0, label=name)
    cost, residual = check["cost"].to_numpy(), check["residual"].to_numpy()
    out = _most_outlying(check)
    ax.plot(cost[out], residual[out], ls="", marker="o", ms=RING, mfc="none", mec=INK, mew=0.9)
    ax.axhline(0, color=GREY, lw=0.7, zorder=1)
    ax.set_xscale("log")
    ax.margins(x=0.08, y=0.1)
    _number_around(ax, cost, residual, out)
    unit = check["cost"].attrs.get("units", "FLOP, or the unit of the law's input")
    _format_log(ax.xaxis, unit)
    ax.set_xlabel(_with_unit(check["cost"].attrs.get("long_name", "cost"), unit), fontsize=NORMAL)
    ax.set_ylabel("log measured − log expected (no unit)", fontsize=NORMAL)
    law = f"{check.attrs['law']}: " if "law" in check.attrs else ""
    bands = "90 % bands of noise" if grouped else "90 % band of noise"
    ax.set_title(f"{law}residuals, {bands}", loc="left", fontsize=NORMAL, color=INK)


def _most_outlying(check: xr.Dataset) -> np.ndarray:
    """Positions of the runs that are probably outliers, at most as many as can be numbered, in the table's order."""
    probability = check["outlier"].to_numpy()
    order = np.argsort(-probability, kind="stable")[:NUMBERED]
    return np.sort(order[probability[order] > OUTLIER])


def _number_around(ax, x, y, chosen):
    """Number some of the points, neighbours together, each number at the corner with most room."""
    points = ax.transData.transform(np.column_stack([x, y])) * 72 / ax.figure.dpi
    low, high = ax.get_window_extent().get_points() * 72 / ax.figure.dpi
    taken = points
    for together in _neighbours(points, chosen):
        text = ", ".join(str(i + 1) for i in together)
        centre = points[together].mean(axis=0)
        reach = np.array([7 + 0.3 * SMALL * len(text), 9.0])
        corners = [centre + reach * signs for signs in ((1, 1), (-1, 1), (1, -1), (-1, -1))]
        inside = [c for c in corners if np.all((c > low + SMALL) & (c < high - SMALL))]
        place = max(inside or corners, key=lambda c: np.hypot(*(taken - c).T).min())
        taken = np.vstack([taken, place])
        ax.annotate(
            text,
            (x[together[0]], y[together[0]]),
            place - points[together[0]],
            textcoords="offset points",
            fontsize=SMALL,
            color=INK,
            ha="center",
            va="center",
        )


def _neighbours(points: np.ndarray, chosen: np.ndarray) -> list[list[int]]:
    """Gather chosen points whose rings would touch."""
    gathered: list[list[int]] = []
    for i in chosen:
        near = (g for g in gathered if np.hypot(*(points[g] - points[i]).T).min() < RING)
        home = next(near, None)
        if home is None:
            gathered.append([int(i)])
        else:
            home.append(int(i))
    return gathered


def _draw_pit(ax, pit: np.ndarray):
    from matplotlib.ticker import MaxNLocator
    from scipy.stats import binom

    bins = int(np.clip(len(pit) // 12, 5, 20))
    low, high = binom.ppf([0.025, 0.975], len(pit), 1 / bins)
    ax.axhspan(low, high, color=GREY, alpha=0.2, lw=0)
    ax.hist(pit, bins=np.linspace(0, 1, bins + 1).tolist(), color=COLOURS[0], alpha=0.75, ec="white", lw=0.6)
    ax.axhline(len(pit) / bins, color=INK, lw=0.9, ls=DASHED)
    ax.set_xlim(0, 1)
    ax.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    ax.set_xlabel("leave-one-out probability of a lower value", fontsize=NORMAL)
    ax.set_ylabel("runs (count)", fontsize=NORMAL)
    ax.set_title("LOO-PIT, 95 % band if calibrated", loc="left", fontsize=NORMAL, color=INK)


def _draw_outliers(ax, check: xr.Dataset):
    probability = check["outlier"].to_numpy()
    number = np.arange(1, len(probability) + 1)
    ax.vlines(number, 0, probability, color=GREY, lw=0.7)
    ax.scatter(number, probability, s=9, c=np.where(probability > OUTLIER, COLOURS[5], COLOURS[0]), zorder=3)
    ax.axhline(OUTLIER, color=GREY, lw=0.7, ls=DASHED)
    ax.set_xlim(1 - 0.03 * len(number), 1.03 * len(number))
    ax.set_ylim(0, 1.03)
    out = _most_outlying(check)
    _number_above(ax, number[out], probability[out])
    ax.set_xlabel("run (row of the table, from 1)", fontsize=NORMAL)
    ax.set_ylabel("probability", fontsize=NORMAL)
    pad = 26 if out.size else 6
    ax.set_title("outlier, probability by run", loc="left", fontsize=NORMAL, color=INK, pad=pad)


def _number_above(ax, numbers, heights):
    """Number stems above the frame, moved apart, each with a line to its point."""
    low, high = ax.get_xlim()
    width = ax.get_window_extent().width / ax.figure.dpi * 72
    places = _move_apart((numbers - low) / (high - low), 1.35 * SMALL / width)
    for number, height, place in zip(numbers, heights, places, strict=True):
        ax.annotate(
            str(number),
            (number, height),
            (place, 1.04),
            textcoords="axes fraction",
            rotation=90,
            fontsize=SMALL,
            color=INK,
            ha="center",
            va="bottom",
            arrowprops={"arrowstyle": "-", "color": GREY, "lw": 0.5, "shrinkA": 0, "shrinkB": 2},
        )


# -- Prior


def plot_prior(model: Model, *, draws: int = 60, axes: Any = None, seed: int = 0) -> np.ndarray:
    """Draw the curves a model believes in before it has seen a run, and the runs.

    Parameters
    ----------
    model : Model
        The model.
    draws : int
        How many curves.
    axes : Axes or array of Axes, optional
        One for each group, in the order of ``model.groups``; by default a new figure.
    seed : int
        Same seed, same curves.

    Returns
    -------
    ndarray of Axes
        One for each group, or one. Curves are the law at draws from the prior, along the first input that varies over
        the runs, the others at their reference; dots are the runs, wherever their other inputs lie.

    Raises
    ------
    InputError
        No input varies over the runs; wrong number of axes.
    """
    varying = [i for i in model.law.inputs if np.ptp(_column(model.runs, i.column)) > 0]
    if not varying:
        raise InputError(
            f"No input of law {model.law.name!r} ({', '.join(model.law.columns)}) varies over the runs, so there is no "
            "curve to draw; give runs of different size."
        )
    x = varying[0]
    prior = sample_prior(model, draws, seed)
    groups = model.groups or (None,)
    panels = _panels(axes, len(groups))
    along = _column(model.runs, x.column)
    grid = np.geomspace(along.min(), along.max(), INSIDE)
    inputs = {i.symbol: xr.DataArray(model.reference[i.symbol]) for i in model.law.inputs}
    inputs[x.symbol] = xr.DataArray(grid, dims="x")
    for group, ax in zip(groups, panels, strict=True):
        runs = _runs_of(model, group)
        curves = prior.law(prior.params(group), inputs).transpose("chain", "draw", "x").to_numpy()[0]
        ax.plot(grid, curves.T, color=COLOURS[0], lw=0.6, alpha=0.4, zorder=1)
        ax.scatter(
            runs[x.column], runs[model.law.output.symbol], s=12, c=INK, edgecolors="white", linewidths=0.4, zorder=3
        )
        _log_axes(ax, model, x.column, (grid[0] / 1.15, grid[-1] * 1.15))
        _label_panel(ax, model, x.column, group, len(runs))
    if axes is None:
        _label_outer_only(panels)
        _explain_prior(panels[0].figure, model, x.column, draws)
    return panels


def _explain_prior(figure, model: Model, x: str, draws: int):
    from matplotlib.lines import Line2D

    others = [i for i in model.law.inputs if i.column != x]
    held = [f"{i.column} = {short_number(model.reference[i.symbol], 2)}" for i in others]
    at = f" at {', '.join(held)}" if held else ""
    anywhere = f" at any {', '.join(i.column for i in others)}" if held else ""
    keys = [
        Line2D([], [], color=COLOURS[0], lw=1.0, label=f"{model.law.name}, {draws} draws from the prior{at}"),
        Line2D([], [], ls="", marker="o", ms=4, color=INK, label=f"run, measured{anywhere}"),
    ]
    _legend_below(figure, keys)


# -- Saving


def save_figure(axes: Any, path: str | os.PathLike[str]) -> None:
    """Write the figure of some axes to a file and close it.

    Parameters
    ----------
    axes : Axes or array of Axes
        What a plot function returned.
    path : path
        Where; the suffix says the format (``.png`` at 150 dots per inch, ``.pdf``, ``.svg``).

    Raises
    ------
    InputError
        A suffix matplotlib does not write, or a place that cannot be written; the figure stays open.
    """
    import matplotlib.pyplot as plt

    figure = np.ravel(np.asarray(axes, dtype=object))[0].figure
    path = Path(path)
    known = figure.canvas.get_supported_filetypes()
    if path.suffix.removeprefix(".").lower() not in known:
        raise InputError(
            f"Cannot tell the format of the figure from {str(path)!r}; end its name in .{', .'.join(sorted(known))}."
        )
    try:
        figure.savefig(path, dpi=150, bbox_inches="tight")
    except OSError as error:
        raise InputError(
            f"Cannot write the figure to {str(path)!r}: {error.strerror}. Name a folder that exists and can be written."
        ) from error
    plt.close(figure)


# -- What the figures share


def short_number(x: float, digits: int = 3) -> str:
    """Write a count as people say it: ``10k``, ``1.5M``, ``70B``, ``1.4T``; ``1e21`` beyond; below 1000 as it is.

    Parameters
    ----------
    x : float
        The count.
    digits : int
        Significant digits kept.
    """
    if x == 0 or not math.isfinite(x):
        return f"{x:g}"
    rounded = float(f"{x:.{digits - 1}e}")
    if abs(rounded) >= 1e15:
        mantissa, power = f"{rounded:.{digits - 1}e}".split("e")
        return f"{float(mantissa):g}e{int(power)}"
    for unit, letter in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(rounded) >= unit:
            return f"{rounded / unit:g}{letter}"
    return f"{rounded:g}"


_GREEK = {"alpha", "beta", "gamma", "delta", "eta", "kappa", "lambda", "mu", "nu", "rho", "sigma", "tau"}


def math_symbol(symbol: str) -> str:
    """Write a symbol in mathtext: ``alpha_N`` as a Greek letter with an index."""
    head, _, index = symbol.partition("_")
    head = rf"\{head}" if head in _GREEK else head
    index = r"\infty" if index == "inf" else rf"\mathrm{{{index}}}" if len(index) > 1 else index
    return f"${head}_{{{index}}}$" if index else f"${head}$"


def _panels(axes: Any, count: int, size: tuple[float, float] | None = None) -> np.ndarray:
    """Axes given, checked for their number, or those of a new figure."""
    import matplotlib.pyplot as plt

    if axes is not None:
        given = np.ravel(np.asarray(axes, dtype=object))
        if given.size != count:
            raise InputError(f"This figure has {count} panels; {given.size} axes were given.")
        return given
    columns = min(count, 3)
    rows = math.ceil(count / columns)
    if size is None:
        size = (6.0, 4.2) if count == 1 else (3.5 * columns, 2.7 * rows + 0.4)
    figure = plt.figure(figsize=size, layout="constrained")
    return np.array([figure.add_subplot(rows, columns, k + 1) for k in range(count)], dtype=object)


def _label_outer_only(panels: np.ndarray):
    """Keep the y label of the first column and the x label of the lowest panel of each column."""
    for k, ax in enumerate(panels):
        if k % 3:
            ax.set_ylabel("")
        if k + 3 < len(panels):
            ax.set_xlabel("")


def _cycle(values: Sequence[str], count: int) -> list[str]:
    return [values[k % len(values)] for k in range(count)]


def _with_unit(text: str, unit: str) -> str:
    return f"{text} ({unit})" if unit else text


def _axis_label(model: Model, column: str) -> str:
    known = next(i for i in model.law.inputs if i.column == column)
    return _with_unit(column if known.meaning in (column, known.unit) else f"{known.meaning} {column}", known.unit)


def _plain_axes(ax):
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(labelsize=SMALL)


def _log_axes(ax, model: Model, x: str, limits: tuple[float, float]):
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlim(*limits)
    ax.set_ylim(*ax.get_ylim())
    _format_log(ax.xaxis, next(i.unit for i in model.law.inputs if i.column == x))
    _format_decimals(ax.yaxis)
    _plain_axes(ax)


def _format_log(axis: "Axis", unit: str):
    """Powers of ten (1, 2 and 5 over a short range); counts as 10k, 1M, and FLOP as powers."""
    from matplotlib import ticker

    low, high = sorted(axis.get_view_interval())
    short = high / low < 30
    axis.set_major_locator(ticker.LogLocator(subs=(1.0, 2.0, 5.0) if short else (1.0,), numticks=6))
    axis.set_minor_locator(ticker.NullLocator())
    if unit == "FLOP":
        axis.set_major_formatter(ticker.LogFormatterMathtext())
    else:
        axis.set_major_formatter(ticker.FuncFormatter(lambda x, _: short_number(x)))


def _format_decimals(axis: "Axis"):
    """Plain decimals on a log axis: round values over a short range, 1, 2 and 5 over decades."""
    from matplotlib import ticker

    low, high = sorted(axis.get_view_interval())
    if high / low < 8:
        axis.set_major_locator(ticker.MaxNLocator(nbins=5, steps=[1, 2, 2.5, 5, 10]))
    else:
        axis.set_major_locator(ticker.LogLocator(subs=(1.0, 2.0, 5.0), numticks=8))
    axis.set_minor_locator(ticker.NullLocator())
    axis.set_major_formatter(ticker.FuncFormatter(lambda x, _: f"{x:g}"))


def _legend_below(figure, handles):
    figure.legend(
        handles=handles, loc="outside lower center", ncols=min(len(handles), 6), fontsize=SMALL, frameon=False
    )


def _note_convergence(panels, converged: bool):
    """Say in red, in the figure itself, that the draws are not to be trusted."""
    if converged:
        return
    panels[0].annotate(
        "not converged",
        (1, 1),
        (-2, -2),
        xycoords="axes fraction",
        textcoords="offset points",
        ha="right",
        va="top",
        fontsize=SMALL,
        color=RED,
    )
