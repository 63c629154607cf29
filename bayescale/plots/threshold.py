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
    MARKERS,
    NORMAL,
    ON_WHITE,
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
MARKED = (0.25, 0.5, 0.75, 1.0)  # heights, as a share of a curve's own, where its marker stands


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
        scales beyond the axis); the legend says it. Markers tell curves apart where colours cannot. A hollow one at
        the left is the probability that any scale, however small, is enough. Vertical lines: the largest run, and the
        horizon if one was given.

    Raises
    ------
    InputError
        More than 24 curves; ask for fewer levels, or one group.

    Examples
    --------
    >>> import bayescale as bs
    >>> ax = bs.plot_threshold(bs.threshold(posterior, L=[2.0, 1.9], horizon="1e26"))
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
    colours, markers = cycle_through(COLOURS, count), cycle_through(MARKERS, count)
    for k in range(count):
        series = k // levels if by_level else k
        y = flat.isel(curve=k).to_numpy()
        style = STYLES[(k % levels if by_level else k // len(COLOURS)) % len(STYLES)]
        label = _label(flat, k, dims, atoms[k]) or None
        look: Any = {"color": colours[series], "marker": markers[series] if count > 1 else "o", "clip_on": False}
        marked = _marked(y) if count > 1 else []
        ax.plot(grid, y, lw=1.4, ls=style, ms=5, mec="white", mew=0.6, markevery=marked, label=label, **look)
        at_once, worst = (y[-1], grid[-1]) if attrs["down"] else (y[0], grid[0])
        if at_once > SEEN:
            ax.plot([worst], [at_once], ms=5, ls="", mfc="white", zorder=3, **look)
    _dress(ax, answer, grid)
    if ax.get_legend_handles_labels()[1]:
        ax.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), fontsize=SMALL, frameon=False)
    note_convergence(np.array([ax], dtype=object), bool(attrs["converged"]))
    note_convergence([ax], bool(answer.attrs["converged"]))
    return ax


def _between(scales: np.ndarray, log: bool) -> np.ndarray:
    ends = (scales.min(), scales.max())
    return np.geomspace(*ends, FINE) if log else np.linspace(*ends, FINE)


def _marked(y: np.ndarray) -> list[int]:
    """Points of a curve that bear its marker: where it first comes to shares of its height; its end if it has none."""
    return sorted({int(np.argmax(y >= share * y.max())) for share in MARKED}) if y.max() > 0 else [len(y) - 1]


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
    ax.set_ylim(-0.02, 1.02)
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
        ax.annotate(
            name,
            (x, 0.96),
            (2, 0),
            xycoords=ax.get_xaxis_transform(),
            textcoords="offset points",
            rotation=90,
            va="top",
            fontsize=SMALL,
            color=GREY,
            bbox=ON_WHITE,
        )
    level = f" {float(answer['level']):.4g}" if answer["level"].ndim == 0 else " the level"
    goal = f"{attrs['output']} {'≥' if attrs['sense'] == 'at least' else '≤'}{level}"
    ax.set_ylabel(f"probability that {goal} is reached", fontsize=NORMAL)
    meaning = attrs["scale_meaning"]
    ax.set_xlabel(with_unit(scale if meaning == scale else f"{meaning} {scale}", unit), fontsize=NORMAL)
    plain_axes(ax)
