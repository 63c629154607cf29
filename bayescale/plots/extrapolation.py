"""Learning curves and how they may go on."""

from typing import Any

import numpy as np

from bayescale.answers.extrapolation import extrapolate
from bayescale.curves.fitting import ALL, Curves
from bayescale.errors import InputError
from bayescale.numerals import short_number
from bayescale.plots.common import (
    BEYOND,
    CENTRAL,
    COLOURS,
    GREY,
    INK,
    NORMAL,
    format_decimals,
    format_log,
    label_outer_only,
    legend_below,
    make_panels,
    plain_axes,
)
from bayescale.words import counted

LIMIT = 12  # panels of a figure


def plot_extrapolation(
    curves: Curves, times: float = 2.0, *, group: str | None = None, seed: int = 0, axes: Any = None
) -> np.ndarray:
    """Draw curves, and bands of what would be measured beyond them.

    Parameters
    ----------
    curves : Curves
        From `fit_curves`.
    times : float
        How many times beyond the last point.
    group : str, optional
        One curve; by default a panel for each.
    seed : int
        Same seed, same draws.
    axes : Axes or array of Axes, optional
        One for each curve; by default a new figure.

    Returns
    -------
    ndarray of Axes
        Points as measured; beyond them the median and the central 50 % and 90 % of what would be measured.

    Raises
    ------
    InputError
        Unknown curve; more curves than one figure holds; wrong number of axes.
    """
    names = curves.names if group is None else (group,)
    if len(names) > LIMIT:
        raise InputError(f"A figure holds {LIMIT} curves; there are {counted(len(names), 'curve')}. Name one as group.")
    factors = np.geomspace(1.0, max(times, 1.0), BEYOND)
    panels = make_panels(axes, len(names))
    column = curves.runs[curves.column].astype(str) if curves.column else None
    for k, (name, ax) in enumerate(zip(names, panels, strict=True)):
        part = curves.runs if column is None else curves.runs[column == name]
        answer = extrapolate(curves, times=factors.tolist(), group=None if name == ALL else name, seed=seed)
        colour = COLOURS[k % len(COLOURS)]
        ax.plot(part[curves.x], part[curves.y], ls="", marker="o", ms=3, color=INK, zorder=3)
        band = answer[f"{curves.y}_run"].quantile(CENTRAL, ("chain", "draw")).to_numpy()
        along = answer[curves.x].to_numpy()
        for lower, upper, alpha in ((0, 4, 0.16), (1, 3, 0.26)):
            ax.fill_between(along, band[lower], band[upper], color=colour, alpha=alpha, lw=0)
        ax.plot(along, band[2], color=colour, lw=1.3)
        ax.axvline(along[0], color=GREY, lw=0.7, zorder=1)
        ax.set_xscale("log")
        ax.set_yscale("log")
        ax.set_title(f"{name} ({counted(len(part), 'point')})", loc="left", fontsize=NORMAL, color=INK)
        ax.set_xlabel(curves.x, fontsize=NORMAL)
        ax.set_ylabel(curves.y, fontsize=NORMAL)
        format_log(ax.xaxis, "")
        format_decimals(ax.yaxis)
        plain_axes(ax)
    if axes is None:
        label_outer_only(panels)
        _explain(panels[0].figure, curves, times)
    return panels


def _explain(figure, curves: Curves, times: float):
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles = [
        Line2D([], [], ls="", marker="o", ms=3, color=INK, label="measured"),
        Line2D([], [], color=INK, lw=1.3, label=f"median, to {short_number(times)} times the last point"),
        Patch(color=INK, alpha=0.38, lw=0, label="50 % of what would be measured"),
        Patch(color=INK, alpha=0.16, lw=0, label="90 %"),
    ]
    legend_below(figure, handles)
