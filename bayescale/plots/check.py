"""Residuals, leave-one-out calibration and outliers of a fit."""

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from bayescale.errors import InputError
from bayescale.plots.common import (
    COLOURS,
    DASHED,
    GREY,
    INK,
    MARKERS,
    NORMAL,
    SMALL,
    cycle_through,
    format_log,
    legend_below,
    make_panels,
    move_apart,
    note_convergence,
    plain_axes,
    with_unit,
)

if TYPE_CHECKING:
    pass


OUTLIER = 0.5
NUMBERED = 20
RING = 9.0


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

    Examples
    --------
    >>> import bayescale as bs
    >>> axes = bs.plot_check(bs.check_fit(posterior))
    """
    _check_variables(check)
    panels = make_panels(axes, 3, size=(10.5, 3.3))
    _draw_residuals(panels[0], check)
    _draw_pit(panels[1], check["pit"].to_numpy())
    _draw_outliers(panels[2], check)
    for ax in panels:
        plain_axes(ax)
    if axes is None and "group" in check.coords:
        legend_below(panels[0].figure, panels[0].get_legend_handles_labels()[0])
    note_convergence(panels, bool(check.attrs.get("converged", True)))
    note_convergence(panels, bool(check.attrs["converged"]))
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
    styles = zip(names, cycle_through(COLOURS, len(names)), cycle_through(MARKERS, len(names)), strict=True)
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
    if (cost > 0).all():
        ax.set_xscale("log")
    ax.margins(x=0.08, y=0.1)
    _number_around(ax, cost, residual, out)
    unit = check["cost"].attrs.get("units", "FLOP, or the unit of the law's input")
    if (cost > 0).all():
        format_log(ax.xaxis, unit)
    ax.set_xlabel(with_unit(check["cost"].attrs.get("long_name", "cost"), unit), fontsize=NORMAL)
    scale = check["residual"].attrs.get("units", "1")
    on_log = scale == "1"
    label = "log measured − log expected (no unit)" if on_log else f"measured − expected ({scale or 'no unit'})"
    ax.set_ylabel(label, fontsize=NORMAL)
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
    gap = 1.35 * SMALL / width
    places = move_apart((numbers - low) / (high - low), gap)
    if len(places):  # towards the middle where numbers at an end would leave the panel
        places += max(0.0, gap / 2 - places[0]) + min(0.0, 1 - gap / 2 - places[-1])
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
