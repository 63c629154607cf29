"""Loss against an input: runs, law and bands, with what lies beyond the runs told apart."""

import math
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayescale.answers.common import warn_unless_converged
from bayescale.answers.forecast import forecast
from bayescale.answers.mixture import Stack
from bayescale.errors import ConvergenceWarning, InputError
from bayescale.law import Input, Law
from bayescale.model import Model
from bayescale.numerals import short_number
from bayescale.plots.common import (
    BEYOND,
    CENTRAL,
    COLOURS,
    DASHED,
    GREY,
    INK,
    INSIDE,
    SMALL,
    column_of,
    label_outer_only,
    label_panel,
    legend_below,
    make_panels,
    move_apart,
    note_convergence,
    runs_of,
    scale_axes,
)
from bayescale.posterior import Posterior
from bayescale.prior import POSITIVE

if TYPE_CHECKING:
    pass


CURVES = 4
DRAWS = ("chain", "draw")
ROUNDING = 1e-9
LEAST = 0.005  # weight that is named


def plot_forecast(
    posterior: Posterior | Stack,
    x: str | None = None,
    *,
    reach: float = 10.0,
    axes: Any = None,
    seed: int = 0,
) -> np.ndarray:
    """Draw the runs, the law, and what a run would measure, inside the runs and beyond them.

    Parameters
    ----------
    posterior : Posterior or Stack
        A fit; or a stack, drawn along the inputs of its law of most weight (among those with groups, where some have).
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

    Examples
    --------
    >>> import bayescale as bs
    >>> axes = bs.plot_forecast(bs.open_posterior("sweep.nc"), "N", reach=100)
    """
    model = _shown(posterior).model
    x = _along(model.law, x)
    if not (math.isfinite(reach) and reach >= 1):
        raise InputError(f"reach is a factor beyond the largest run, at least 1; {reach!r} was given.")
    for member in posterior.members.values() if isinstance(posterior, Stack) else [posterior]:
        warn_unless_converged(member)
    groups = model.groups or (None,)
    panels = make_panels(axes, len(groups))
    by = _across(model.law, x)
    for group, ax in zip(groups, panels, strict=True):
        runs = runs_of(model, group)
        _draw_forecast(ax, posterior, group, runs, x, by, reach, seed)
        label_panel(ax, model, x, group or ("stack" if isinstance(posterior, Stack) else None), len(runs))
    if axes is None:
        label_outer_only(panels)
        _explain_forecast(panels[0].figure, posterior, reach)
    note_convergence(panels, posterior.converged)
    return panels


def _shown(posterior: Posterior | Stack) -> Posterior:
    """Whose runs and inputs are drawn."""
    if isinstance(posterior, Posterior):
        return posterior
    members = posterior.members
    grouped = [name for name, member in members.items() if member.model.group]
    return members[max(grouped or members, key=lambda name: posterior.weights[name])]


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


def _draw_forecast(ax, posterior: Posterior | Stack, group, runs: pd.DataFrame, x: str, by: str | None, reach, seed):
    model = _shown(posterior).model
    output = model.law.output.symbol
    along = column_of(runs, x)
    across = column_of(runs, by) if by else np.array([])
    everywhere = column_of(model.runs, by) if by else np.array([])
    inputs = {i.column: i for i in model.law.inputs}
    grid = _grid(along, reach) if inputs[x].support == POSITIVE else _shifted_grid(along, reach, inputs[x], model)
    levels = _spread_values(across, inputs[by]) if by else np.array([])
    asked: dict[str, Any] = {c: _middle(column_of(runs, c), item) for c, item in inputs.items()} | {x: grid}
    if by:
        asked[by] = levels
    with warnings.catch_warnings():
        # plot_forecast has said it once; it need not be said again for each panel.
        warnings.simplefilter("ignore", ConvergenceWarning)
        answer = forecast(posterior, group=group, seed=seed, **asked)
    expected = f"{output}_true" if f"{output}_true" in answer else output
    median = answer[expected].median(DRAWS)
    band = answer[f"{output}_run"].quantile(CENTRAL, DRAWS, skipna=False)
    ends = []
    for k, colour in enumerate(_shades(levels, everywhere, inputs[by]) if by else [COLOURS[0]]):
        at = {by: k} if by else {}
        line = median.isel(at).to_numpy()
        parts = _parts(answer["beyond"].isel(at).to_numpy())
        _draw_band(ax, grid, band.isel(at).to_numpy(), parts, colour)
        _draw_line(ax, grid, line, parts, colour)
        ends.append((line[-1], colour))
    colours = _shades(across, everywhere, inputs[by]) if by else COLOURS[0]
    ax.scatter(along, column_of(runs, output), s=13, c=colours, edgecolors="white", linewidths=0.4, zorder=4)
    start = grid[0] / 1.15 if inputs[x].support == POSITIVE else grid[0] - 0.03 * np.ptp(grid)
    scale_axes(ax, model, x, (start, grid[-1]))
    if reach > 1:
        _mark_edge(ax, along.max())
    if by:
        _label_ends(ax, [f"{by} = {short_number(v, 2)}" for v in levels], ends)


def _grid(x: np.ndarray, reach: float) -> np.ndarray:
    """Points along x, one of them exactly at the largest run."""
    low, edge = x.min(), x.max()
    inside = np.geomspace(low, edge, INSIDE) if low < edge else np.array([edge])
    beyond = np.geomspace(edge, edge * reach, BEYOND)[1:] if reach > 1 else np.array([])
    return np.concatenate([inside, beyond])


def _shifted_grid(x: np.ndarray, reach: float, item: Input, model: Model) -> np.ndarray:
    """Points along an input that is shifted, not divided; a factor e of reach is a standard deviation of the runs."""
    low, edge = x.min(), x.max()
    inside = np.linspace(low, edge, INSIDE) if low < edge else np.array([edge])
    farthest = edge + model.spans[item.symbol] * math.log(reach)
    beyond = np.linspace(edge, farthest, BEYOND)[1:] if reach > 1 else np.array([])
    return np.concatenate([inside, beyond])


def _spread_values(values: np.ndarray, item: Input) -> np.ndarray:
    """Values of runs nearest to a few that are evenly spread, on a log scale unless shifted, ascending."""
    known = np.unique(values)
    places = item.log(known)
    wanted = np.linspace(places[0], places[-1], CURVES)
    return np.unique([known[np.argmin(np.abs(places - w))] for w in wanted])


def _middle(values: np.ndarray, item: Input) -> float:
    """Geometric mean; of an input that is shifted, the mean."""
    return float(np.exp(np.log(values).mean())) if item.support == POSITIVE else float(values.mean())


def _shades(values: np.ndarray, of: np.ndarray, item: Input) -> np.ndarray:
    """Sequential colours by log value, dark to light, over the range of all runs; monotone in grey."""
    import matplotlib

    low, high = item.log(of.min()), item.log(of.max())
    share = (item.log(values) - low) / (high - low) if high > low else np.zeros(len(values))
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
    height = ax.get_window_extent().height / ax.figure.dpi * 72
    right = ax.get_xlim()[1]
    seen = ax.transAxes.inverted().transform(ax.transData.transform([(right, y) for y, _ in ends]))
    places = move_apart(seen[:, 1].tolist(), 1.35 * SMALL / height)
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


def _explain_forecast(figure, posterior: Posterior | Stack, reach: float):
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    keys = [
        Line2D([], [], ls="", marker="o", ms=4, color=INK, label="run, measured"),
        Line2D([], [], color=INK, lw=1.3, label=f"{_name(posterior)}, median"),
        Patch(color=INK, alpha=0.38, lw=0, label="50 % of runs to come"),
        Patch(color=INK, alpha=0.16, lw=0, label="90 %"),
    ]
    if reach > 1:
        keys.append(Line2D([], [], color=INK, lw=1.3, ls=DASHED, label="beyond the runs"))
    legend_below(figure, keys)


def _name(posterior: Posterior | Stack) -> str:
    """What is drawn: a law, or laws with their weights."""
    if isinstance(posterior, Stack):
        return " + ".join(f"{weight:.2f} {name}" for name, weight in posterior.weights.items() if weight >= LEAST)
    return f"{posterior.model.law.name}{' with departure' * bool(posterior.model.discrepancy)}"
