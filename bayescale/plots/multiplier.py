"""How much more of an input one recipe needs than another, on a log axis."""

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from bayescale.answers.multiplier import multiplier_table
from bayescale.errors import InputError
from bayescale.plots.common import (
    COLOURS,
    GREY,
    INK,
    NORMAL,
    draw_interval,
    format_decimals,
    label_rows,
    make_panels,
    note_at_right,
    note_convergence,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDEST = 1e6  # either way of 1; what lies farther is drawn at the edge, and said
MOST_ROWS = 40


def plot_multiplier(answer: xr.Dataset, *, ax: Any = None) -> "Axes":
    """Draw how many times as much of an input the second recipe needs.

    Parameters
    ----------
    answer : Dataset
        Of `multiplier`, at one point or several.
    ax : Axes, optional
        Where; by default a new figure.

    Returns
    -------
    Axes
        A row for each point and second group: dot at the median, bars over the central 50 % and 90 %; at the right the
        probability that the second needs more, and that it never gets there. The line at 1 is as much. A bar that
        reaches a factor of 1e6 either way ends there.

    Raises
    ------
    InputError
        More than 40 rows, or neither recipe ever reaches the level.

    Examples
    --------
    >>> import bayescale as bs
    >>> ax = bs.plot_multiplier(bs.multiplier(posterior, "code", along="C", reducible=0.5))
    """
    attrs, factor = answer.attrs, answer["multiplier"].transpose("chain", "draw", ...)
    rows = multiplier_table(answer).to_dict("records")
    if len(rows) > MOST_ROWS:
        raise InputError(f"{len(rows)} multipliers do not fit in one figure; ask at most {MOST_ROWS}.")
    draws = factor.to_numpy().reshape(-1, len(rows)).T
    if np.isnan(draws).all():
        raise InputError("Neither recipe reaches the level in any draw, so there is nothing to draw.")
    if ax is None:
        ax = make_panels(None, 1, size=(5.6, 1.3 + 0.25 * len(rows)))[0]
    ax.set_xscale("log")
    ax.axvline(1.0, color=GREY, lw=0.8)
    names = []
    for k, (row, values) in enumerate(zip(rows, draws, strict=True)):
        told = values[~np.isnan(values)]
        if told.size:
            draw_interval(ax, k, np.clip(told, 1 / WIDEST, WIDEST), COLOURS[0])
            never = f", never {row['never']:.2f}" if row["never"] > 0 else ""
            note_at_right(ax, k, f"more {row['more']:.2f}{never}")
        at = [f"{c} = {row[c]:.3g}" for c in map(str, factor.dims[2:]) if c in row and c != attrs["group"]]
        names.append(", ".join([str(row.get(attrs["group"]) or attrs["second"]), *at]))
    label_rows(ax, range(len(rows)), names)
    format_decimals(ax.xaxis)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.set_xlabel(f"{attrs['along']} needed, as a multiple of that of {attrs['first']}", fontsize=NORMAL)
    goal = (
        f"to cut the reducible {attrs['output']} to {attrs['reducible']:g} of what it is"
        if attrs["reducible"]
        else f"to reach the same {attrs['output']}"
    )
    ax.set_title(goal, loc="left", fontsize=NORMAL, color=INK)
    note_convergence([ax], bool(attrs["converged"]))
    note_convergence([ax], bool(answer.attrs["converged"]))
    return ax
