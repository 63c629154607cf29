"""The probability that a level is reached, against the scale."""

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from bayescale.answers.threshold import DRAWS, crossed_by, default_scales
from bayescale.errors import InputError
from bayescale.plots.common import (
    COLOURS,
    DASHED,
    GREY,
    NORMAL,
    SMALL,
    cycle_through,
    format_log,
    make_panels,
    note_convergence,
    plain_axes,
    with_unit,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STYLES = ("-", DASHED, ":")
FINE = 400
MOST = 24
SEEN = 0.005


def plot_threshold(answer: xr.Dataset, *, ax: Any = None) -> "Axes":
    """Draw the probability that a level is reached by a scale.

    Parameters
    ----------
    answer : Dataset
        What `threshold` gave: a curve for each level and group.
    ax : Axes, optional
        Where; by default a new figure.

    Returns
    -------
    Axes
        Curves of P(reached by x), at most 24. What a curve lacks of 1 at the right is the probability of never (and of
        scales beyond the axis); the legend says it. A square at the left is the probability that any scale, however
        small, is enough. Vertical lines: the largest run, and the horizon if one was given.

    Raises
    ------
    InputError
        More than 24 curves; ask for fewer levels, or one group.
    """
    scale, attrs = answer.attrs["scale"], answer.attrs
    grid = _between(default_scales(answer), bool(attrs["log"]))
    curves = crossed_by(answer, xr.DataArray(grid, dims="x_drawn"))
    dims = [str(d) for d in curves.dims if d != "x_drawn"]
    flat = curves.stack(curve=dims).transpose("curve", "x_drawn") if dims else curves.expand_dims("curve")
    if flat.sizes["curve"] > MOST:
        raise InputError(
            f"{flat.sizes['curve']} curves are too many for one figure; ask for fewer levels or one group."
        )
    never = (answer[scale] == (-np.inf if attrs["down"] else np.inf)).mean(DRAWS)
    atoms = np.ravel(never.transpose(*dims).to_numpy())
    if ax is None:
        ax = make_panels(None, 1, size=(6.4, 4.0))[0]
    levels = answer.sizes.get(attrs["output"], answer.sizes.get("margin", 1))
    by_level = len(dims) > 1 and levels > 1 and dims[-1] in (attrs["output"], "margin")
    count = flat.sizes["curve"]
    colours = cycle_through(COLOURS, count)
    for k in range(count):
        colour = colours[k // levels if by_level else k]
        y = flat.isel(curve=k).to_numpy()
        style = STYLES[(k % levels if by_level else k // len(COLOURS)) % len(STYLES)]
        ax.plot(grid, y, color=colour, lw=1.4, ls=style, label=_label(flat, k, dims, atoms[k]) or None)
        at_once, worst = (y[-1], grid[-1]) if attrs["down"] else (y[0], grid[0])
        if at_once > SEEN:
            ax.plot([worst], [at_once], marker="s", ms=4, color=colour, clip_on=False)
    _dress(ax, answer, grid)
    if ax.get_legend_handles_labels()[1]:
        ax.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), fontsize=SMALL, frameon=False)
    note_convergence(np.array([ax], dtype=object), bool(attrs["converged"]))
    return ax


def _between(scales: np.ndarray, log: bool) -> np.ndarray:
    ends = (scales.min(), scales.max())
    return np.geomspace(*ends, FINE) if log else np.linspace(*ends, FINE)


def _label(flat: xr.DataArray, k: int, dims: list[str], never: float) -> str:
    """Name a curve by its level and group, with the probability of never."""
    at = flat["curve"].to_numpy()[k] if dims else ()
    values = at if isinstance(at, tuple) else (at,)
    words = [
        f"{dim} {value:.4g}" if isinstance(value, float) else str(value)
        for dim, value in zip(dims, values, strict=False)
    ]
    return ", ".join([*words, *([f"never {never:.2f}"] if never > 0 else [])])


def _dress(ax, answer: xr.Dataset, grid: np.ndarray) -> None:
    """Axes, their names, and the lines of the largest run and the horizon."""
    scale, attrs = answer.attrs["scale"], answer.attrs
    unit = answer[scale].attrs["units"].removesuffix("1")
    ax.set_ylim(0, 1)
    if attrs["log"]:
        ax.set_xscale("log")
    ax.set_xlim(*((grid[-1], grid[0]) if attrs["down"] else (grid[0], grid[-1])))
    if attrs["log"]:
        format_log(ax.xaxis, unit)
    marks = [(float(x), "largest run") for x in np.unique(answer["largest"].to_numpy())]
    if len(marks) > 1:
        marks = [(max(x for x, _ in marks), "largest run of all")]
    marks += [(attrs["horizon"], "horizon")] if "horizon" in attrs else []
    for x, name in marks:
        ax.axvline(x, color=GREY, lw=0.7, zorder=1)
        ax.text(
            x, 0.99, f" {name}", transform=ax.get_xaxis_transform(), fontsize=SMALL, color=GREY, rotation=90, va="top"
        )
    level = f" {float(answer['level']):.4g}" if answer["level"].ndim == 0 else " the level"
    goal = f"{attrs['output']} {'≥' if attrs['sense'] == 'at least' else '≤'}{level}"
    ax.set_ylabel(f"probability that {goal} is reached", fontsize=NORMAL)
    meaning = attrs["scale_meaning"]
    ax.set_xlabel(with_unit(scale if meaning == scale else f"{meaning} {scale}", unit), fontsize=NORMAL)
    plain_axes(ax)
