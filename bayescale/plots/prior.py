"""Curves the prior believes in, before any run is seen."""

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from bayescale.errors import InputError
from bayescale.model import Model
from bayescale.numerals import short_number
from bayescale.plots.common import (
    COLOURS,
    INK,
    INSIDE,
    column_of,
    label_outer_only,
    label_panel,
    legend_below,
    make_panels,
    runs_of,
    scale_axes,
)
from bayescale.prior import POSITIVE
from bayescale.simulation import sample_prior

if TYPE_CHECKING:
    pass


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

    Examples
    --------
    >>> import bayescale as bs
    >>> axes = bs.plot_prior(bs.Model("chinchilla", bs.load_runs("tiny_sweep"), pool="modality"))
    >>> [ax.get_title(loc="left") for ax in axes[:2]]
    ['code (37 runs)', 'image (37 runs)']
    """
    varying = [i for i in model.law.inputs if np.ptp(column_of(model.runs, i.column)) > 0]
    if not varying:
        raise InputError(
            f"No input of law {model.law.name!r} ({', '.join(model.law.columns)}) varies over the runs, so there is no "
            "curve to draw; give runs of different size."
        )
    x = varying[0]
    prior = sample_prior(model, draws, seed)
    groups = model.groups or (None,)
    panels = make_panels(axes, len(groups))
    along = column_of(model.runs, x.column)
    positive = x.support == POSITIVE
    grid = (np.geomspace if positive else np.linspace)(along.min(), along.max(), INSIDE)
    limits = (grid[0] / 1.15, grid[-1] * 1.15) if positive else (grid[0], grid[-1])
    inputs = {i.symbol: xr.DataArray(model.reference[i.symbol]) for i in model.law.inputs}
    inputs[x.symbol] = xr.DataArray(grid, dims="x")
    for group, ax in zip(groups, panels, strict=True):
        runs = runs_of(model, group)
        curves = prior.law(prior.params(group), inputs).transpose("chain", "draw", "x").to_numpy()[0]
        ax.plot(grid, curves.T, color=COLOURS[0], lw=0.6, alpha=0.4, zorder=1)
        ax.scatter(
            runs[x.column], runs[model.law.output.symbol], s=12, c=INK, edgecolors="white", linewidths=0.4, zorder=3
        )
        scale_axes(ax, model, x.column, limits)
        label_panel(ax, model, x.column, group, len(runs))
    if axes is None:
        label_outer_only(panels)
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
    legend_below(figure, keys)
