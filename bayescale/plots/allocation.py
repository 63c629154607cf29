"""The frontier of a budget: best size against compute, what is known of it, and how far one may deviate."""

from typing import Any

import numpy as np
import xarray as xr

from bayescale.answers.common import interval, interval_name
from bayescale.errors import InputError
from bayescale.plots.common import (
    COLOURS,
    DASHED,
    GREY,
    INK,
    NORMAL,
    SMALL,
    format_log,
    legend_below,
    make_panels,
    note_convergence,
    plain_axes,
    with_unit,
)

_BUDGET = "C"
_FEWEST = 3
DOTTED = (0, (1, 2))


def plot_allocation(answer: xr.Dataset, *, axes: Any = None) -> np.ndarray:
    """Draw the best size against the budget, its interval, and the sizes that cost little more.

    Parameters
    ----------
    answer : Dataset
        Of `allocate`, at three budgets or more: ``C=np.geomspace(1e20, 1e25, 21)``.
    axes : Axes or array of Axes, optional
        One for each group, in their order; by default a new figure with a legend.

    Returns
    -------
    ndarray of Axes
        One for each group, or one. The thick line is the decision, ``N_bayes``, dashed where it lies beyond the runs;
        the band, the sizes within the regret that `allocate` was asked for; the thin lines, the interval of the best
        size. Dotted grey lines have equal tokens per parameter.

    Raises
    ------
    InputError
        Another answer, too few budgets, further dims, wrong number of axes.

    Examples
    --------
    >>> import bayescale as bs
    >>> answer = bs.allocate(posterior, C=[1e20, 1e21, 1e22, 1e23])
    >>> axes = bs.plot_allocation(answer)
    """
    size, group = _read(answer)
    labels = [None] if group is None else [str(label) for label in answer[group].to_numpy()]
    panels = make_panels(axes, len(labels))
    for label, ax in zip(labels, panels, strict=True):
        one = answer if label is None else answer.sel({group: label})
        _draw(ax, one, size)
        ax.set_title(label or answer.attrs["law"], loc="left", fontsize=NORMAL, color=INK)
        ax.set_xlabel(with_unit("budget", answer.attrs["cost_unit"]), fontsize=NORMAL)
        ax.set_ylabel(with_unit(size, answer[size].attrs.get("units", "")), fontsize=NORMAL)
    if axes is None:
        _explain(panels[0], answer)
    note_convergence(panels, bool(answer.attrs["converged"]))
    note_convergence(panels, bool(answer.attrs["converged"]))
    return panels


def _read(answer: xr.Dataset) -> tuple[str, str | None]:
    """Name of the size, and of the groups' dim; refuses what cannot be drawn."""
    free = answer.attrs.get("free", [])
    if len(free) != 2 or f"{free[0]}_low" not in answer:
        raise InputError(
            "The frontier is drawn from allocate(posterior, C=[...]) with two inputs that share the budget."
        )
    if _BUDGET not in answer.dims or answer.sizes[_BUDGET] < _FEWEST:
        raise InputError(f"The frontier needs at least {_FEWEST} budgets: allocate(posterior, C=[1e20, 1e22, 1e24]).")
    others = [str(dim) for dim in answer.dims if dim not in ("chain", "draw", _BUDGET)]
    grouped = [dim for dim in others if answer[dim].dtype.kind in "OUS"] if others else []
    if others != grouped or len(grouped) > 1:
        raise InputError(
            f"The frontier is drawn against the budget alone; choose one of {', '.join(others)} with .sel()."
        )
    return str(free[0]), grouped[0] if grouped else None


def _draw(ax, answer: xr.Dataset, size: str):
    answer = answer.sortby(_BUDGET)
    C = answer[_BUDGET].to_numpy()
    parts = interval(answer[size])
    lower, upper = (parts.sel(quantity=q).to_numpy() for q in ("lower", "upper"))
    colour = COLOURS[0]
    decided = answer[f"{size}_bayes"].to_numpy()
    low, high = answer[f"{size}_low"].to_numpy(), answer[f"{size}_high"].to_numpy()
    ax.fill_between(C, low, high, color=colour, alpha=0.25, lw=0)
    for end in (lower, upper):
        ax.plot(C, end, color=COLOURS[1], lw=1.0)
    inside = answer["beyond"].to_numpy() <= 1
    ax.plot(C, decided, color=colour, lw=1.5, ls=DASHED)
    ax.plot(C, np.where(inside, decided, np.nan), color=colour, lw=1.8)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlim(C.min(), C.max())
    ax.set_ylim(np.min([low, lower]) / 2, np.max([high, upper]) * 2)
    if "tokens_per_parameter_bayes" in answer and answer.attrs["cost_unit"] == "FLOP":
        _draw_ratios(ax, C)
    format_log(ax.xaxis, "FLOP")
    format_log(ax.yaxis, "")
    plain_axes(ax)


def _draw_ratios(ax, C: np.ndarray):
    """Lines of equal tokens per parameter at C = 6 N D, named where they leave the panel."""
    bottom, top = ax.get_ylim()
    for ratio in (1, 20, 400):
        N = np.sqrt(C / (6 * ratio))
        if not ((bottom < N) & (top > N)).any():
            continue
        ax.plot(C, N, color=GREY, lw=0.9, ls=DOTTED, zorder=0)
        leaves_above = N[-1] > top
        ax.annotate(
            f"D/N = {ratio}",
            (6 * ratio * top**2, top) if leaves_above else (C[-1], N[-1]),
            (2, -2) if leaves_above else (3, 0),
            textcoords="offset points",
            fontsize=SMALL,
            color=GREY,
            ha="left",
            va="top" if leaves_above else "center",
            annotation_clip=False,
        )


def _explain(ax, answer: xr.Dataset):
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    colour = COLOURS[0]
    handles = [
        Line2D([], [], color=colour, lw=1.8, label="size to train"),
        Line2D([], [], color=colour, lw=1.5, ls=DASHED, label="beyond the runs"),
        Patch(color=colour, alpha=0.25, lw=0, label=f"gives away no more than {answer.attrs['allowed']}"),
        Line2D([], [], color=COLOURS[1], lw=1.0, label=f"best size, {interval_name()}"),
    ]
    legend_below(ax.figure, handles)
