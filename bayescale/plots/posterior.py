"""Prior and posterior of each parameter of a law, side by side."""

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np

from bayescale.answers.common import warn_unless_converged
from bayescale.law import Param
from bayescale.plots.common import (
    COLOURS,
    GREY,
    INK,
    MARKERS,
    NORMAL,
    SMALL,
    cycle_through,
    format_log,
    legend_below,
    make_panels,
    math_symbol,
    note_convergence,
    plain_axes,
    with_unit,
)
from bayescale.posterior import Posterior
from bayescale.prior import POSITIVE
from bayescale.simulation import sample_prior

PRIOR_DRAWS = 2000
POINTS = 200
SEEN = (0.01, 0.99)
TITLE = 52
WIDE = 30.0  # a range that calls for a log axis


def plot_posterior(posterior: Posterior, *, axes: Any = None, seed: int = 0) -> np.ndarray:
    """Draw what was believed of each parameter of the law before the runs, and after.

    Parameters
    ----------
    posterior : Posterior
        A fit.
    axes : array of Axes, optional
        One for each parameter of the law; by default a new figure with a legend.
    seed : int
        For the draws from the prior.

    Returns
    -------
    ndarray of Axes
        One for each parameter: the density of the prior (of a group, where groups differ) in grey, and that of the
        posterior, a line for each group with its marker on the peak, all scaled to the same height. Densities are of
        the log of a parameter whose axis is logarithmic.

    Raises
    ------
    InputError
        Wrong number of axes.

    Examples
    --------
    >>> import bayescale as bs
    >>> axes = bs.plot_posterior(posterior)
    """
    warn_unless_converged(posterior)
    model = posterior.model
    params = list(model.law.params)
    panels = make_panels(axes, len(params))
    prior = sample_prior(model, PRIOR_DRAWS, seed).dataset
    groups = model.groups or ("",)
    looks = _looks(groups)
    for p, ax in zip(params, panels, strict=True):
        before = prior[p.symbol]
        if model.group in before.dims:
            first = next(g for g in groups if g not in model.zero.get(p.symbol, ()))
            before = before.sel({model.group: first})
        lines = _lines(posterior, p)
        _draw(ax, p, before.to_numpy().ravel(), lines, looks if len(lines) > 1 else _looks([""]))
        title = textwrap.fill(f"{math_symbol(p.symbol)}, {p.meaning}", TITLE)
        ax.set_title(title, loc="left", fontsize=SMALL, color=INK)
    if axes is None:
        _explain(panels[0].figure, looks)
    note_convergence(panels, posterior.converged)
    return panels


def _looks(groups: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Colour and marker of each group; one alone needs no marker."""
    if len(groups) == 1:
        return {groups[0]: {"color": COLOURS[0]}}
    looks = zip(groups, cycle_through(COLOURS, len(groups)), cycle_through(MARKERS, len(groups)), strict=True)
    shape = {"ms": 5, "mec": "white", "mew": 0.6}
    return {group: {"color": colour, "marker": marker, **shape} for group, colour, marker in looks}


def _lines(posterior: Posterior, p: Param) -> dict[str, np.ndarray]:
    """Draws of a parameter, by group where it differs between them."""
    model, value = posterior.model, posterior.dataset[p.symbol]
    if model.group not in value.dims:
        return {"": value.to_numpy().ravel()}
    asked = [g for g in model.groups if g not in model.zero.get(p.symbol, ())]
    return {g: value.sel({model.group: g}).to_numpy().ravel() for g in asked}


def _draw(ax, p: Param, before: np.ndarray, lines: dict[str, np.ndarray], looks: dict[str, dict[str, Any]]):
    ends = [np.quantile(x, SEEN) for x in (before, *lines.values())]
    low, high = min(e[0] for e in ends), max(e[1] for e in ends)
    log = p.support == POSITIVE and high / low > WIDE
    grid = np.geomspace(low, high, POINTS) if log else np.linspace(low, high, POINTS)
    ax.fill_between(grid, _density(before, grid, log), color=GREY, alpha=0.3, lw=0)
    for group, draws in lines.items():
        density = _density(draws, grid, log)
        ax.plot(grid, density, lw=1.4, markevery=[int(density.argmax())], clip_on=False, **looks[group])
    if log:
        ax.set_xscale("log")
    ax.set_xlim(low, high)
    ax.set_ylim(0, 1.05)
    if log:
        format_log(ax.xaxis, p.unit)
    ax.set_yticks([])
    ax.set_xlabel(with_unit(math_symbol(p.symbol), p.unit), fontsize=NORMAL)
    plain_axes(ax)
    ax.spines["left"].set_visible(False)


def _density(draws: np.ndarray, grid: np.ndarray, log: bool) -> np.ndarray:
    """Kernel density, scaled to a height of 1: a narrow posterior would hide its prior."""
    from scipy.stats import gaussian_kde

    x, at = (np.log(draws), np.log(grid)) if log else (draws, grid)
    if np.ptp(x) == 0:
        return (np.abs(at - x[0]) == np.abs(at - x[0]).min()).astype(float)
    found = gaussian_kde(x)(at)
    return found / found.max()


def _explain(figure, looks: dict[str, dict[str, Any]]):
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    named = [
        Line2D([], [], lw=1.4, label=f"posterior, {group}" if group else "posterior", **look)
        for group, look in looks.items()
    ]
    legend_below(figure, [Patch(color=GREY, alpha=0.3, lw=0, label="prior"), *named])
