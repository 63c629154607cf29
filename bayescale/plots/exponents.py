"""The exponents by group, beside their shared mean and what papers printed."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bayescale.answers.common import warn_unless_converged
from bayescale.errors import InputError
from bayescale.law import Law, Param, Published
from bayescale.model import MEAN
from bayescale.plots.common import (
    COLOURS,
    GREY,
    INK,
    NORMAL,
    SMALL,
    cycle_through,
    draw_interval,
    label_rows,
    make_panels,
    math_symbol,
    note_convergence,
)
from bayescale.posterior import Posterior

if TYPE_CHECKING:
    from matplotlib.axes import Axes


FEW_PUBLISHED = 4


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

    Examples
    --------
    >>> import bayescale as bs
    >>> ax = bs.plot_exponents(bs.open_posterior("sweep.nc"))
    """
    model = posterior.model
    params = [p for p in model.law.params if not p.scaled]
    if not params:
        raise InputError(f"Law {model.law.name!r} has no exponents: all its parameters scale with the response.")
    warn_unless_converged(posterior)
    blocks = [(p, list(_forest_rows(posterior, p)), _published(model.law, p)) for p in params]
    height = sum(1.6 + len(rows) + 0.75 * len(entries) for _, rows, entries in blocks)
    if ax is None:
        ax = make_panels(None, 1, size=(5.6, 0.9 + 0.21 * height))[0]
    top, ticks, names = 0.0, [], []
    for (p, rows, entries), colour in zip(blocks, cycle_through(COLOURS, len(blocks)), strict=True):
        first = top + 1.0 + 0.75 * len(entries)
        ax.text(0.01, top, _heading(p), transform=ax.get_yaxis_transform(), va="center", fontsize=NORMAL, color=INK)
        for k, (name, draws) in enumerate(rows):
            shared = name == "shared mean"
            draw_interval(ax, first + k, draws, INK if shared else colour, "D" if shared else "o")
            ticks.append(first + k)
            names.append(name)
        last = first + len(rows) - 1
        _draw_published(ax, p, entries, top + 0.9, last + 0.4)
        top = last + 1.6
    label_rows(ax, ticks, names)
    ax.set_ylim(top - 0.9, -0.7)
    ax.set_xlabel("exponent (no unit); dot: median, bars: central 50 % and 90 %", fontsize=NORMAL)
    ax.set_title(f"{model.law.name} ({len(model.runs)} runs)", loc="left", fontsize=NORMAL, color=INK)
    note_convergence([ax], posterior.converged)
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
