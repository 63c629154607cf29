"""What the figures share: panels, axes, labels, colours, and saving."""

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayescale.errors import InputError
from bayescale.files import replacing
from bayescale.model import Model
from bayescale.numerals import short_number
from bayescale.prior import POSITIVE

if TYPE_CHECKING:
    from matplotlib.axis import Axis


# Okabe & Ito's colours, told apart by colour-blind readers; their yellow is left out, it is lost on white.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#000000")
# In print without colour several of them are the same grey, so a series has a shape beside its colour.
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
INK, GREY, PALE, RED = "#222222", "#707070", "#B0B0B0", "#C00000"
SMALL, NORMAL = 7.5, 9.0
# A box behind words that a line would run through.
ON_WHITE: dict[str, Any] = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
CENTRAL = (0.05, 0.25, 0.5, 0.75, 0.95)
INSIDE, BEYOND = 40, 16
DASHED = (0, (4, 2))
LONG_TITLE = 20
TEXT_AS_TEXT: dict[Any, Any] = {"svg.fonttype": "none", "pdf.fonttype": 42, "ps.fonttype": 42}


_GREEK = {"alpha", "beta", "gamma", "delta", "eta", "kappa", "lambda", "mu", "nu", "rho", "sigma", "tau"}


def math_symbol(symbol: str) -> str:
    """Write a symbol in mathtext: ``alpha_N`` as a Greek letter with an index."""
    head, _, index = symbol.partition("_")
    head = rf"\{head}" if head in _GREEK else head
    index = r"\infty" if index == "inf" else rf"\mathrm{{{index}}}" if len(index) > 1 else index
    return f"${head}_{{{index}}}$" if index else f"${head}$"


def make_panels(axes: Any, count: int, size: tuple[float, float] | None = None) -> np.ndarray:
    """Axes given, checked for their number, or those of a new figure."""
    import matplotlib.pyplot as plt

    if axes is not None:
        given = np.ravel(np.asarray(axes, dtype=object))
        if given.size != count:
            raise InputError(f"This figure has {count} panels; {given.size} axes were given.")
        return given
    columns = min(count, 3)
    rows = math.ceil(count / columns)
    if size is None:
        size = (6.0, 4.2) if count == 1 else (3.5 * columns, 2.7 * rows + 0.4)
    figure = plt.figure(figsize=size, layout="constrained")
    return np.array([figure.add_subplot(rows, columns, k + 1) for k in range(count)], dtype=object)


def label_outer_only(panels: np.ndarray):
    """Keep the y label of the first column and the x label of the lowest panel of each column."""
    for k, ax in enumerate(panels):
        if k % 3:
            ax.set_ylabel("")
        if k + 3 < len(panels):
            ax.set_xlabel("")


def cycle_through(values: Sequence[str], count: int) -> list[str]:
    """Repeat values until there are enough."""
    return [values[k % len(values)] for k in range(count)]


def with_unit(text: str, unit: str) -> str:
    """Add a unit in brackets, if there is one."""
    return f"{text} ({unit})" if unit else text


def axis_label(model: Model, column: str) -> str:
    """What stands at the axis of an input: meaning, symbol, unit."""
    known = next(i for i in model.law.inputs if i.column == column)
    return with_unit(column if known.meaning in (column, known.unit) else f"{known.meaning} {column}", known.unit)


def plain_axes(ax):
    """Take the frame's upper and right sides away."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(labelsize=SMALL)


def scale_axes(ax, model: Model, x: str, limits: tuple[float, float]):
    """Make axes logarithmic where values are positive by nature, with ticks that people read."""
    along = next(i for i in model.law.inputs if i.column == x)
    if along.support == POSITIVE:
        ax.set_xscale("log")
    if model.law.output.support == POSITIVE:
        ax.set_yscale("log")
    ax.set_xlim(*limits)
    ax.set_ylim(*ax.get_ylim())
    if along.support == POSITIVE:
        format_log(ax.xaxis, along.unit)
    if model.law.output.support == POSITIVE:
        format_decimals(ax.yaxis)
    plain_axes(ax)


def format_log(axis: "Axis", unit: str):
    """Powers of ten (1, 2 and 5 over a short range); counts as 10k, 1M, and FLOP as powers."""
    from matplotlib import ticker

    low, high = sorted(axis.get_view_interval())
    short = high / low < 30
    axis.set_major_locator(ticker.LogLocator(subs=(1.0, 2.0, 5.0) if short else (1.0,), numticks=6))
    axis.set_minor_locator(ticker.NullLocator())
    if unit == "FLOP":
        axis.set_major_formatter(ticker.LogFormatterMathtext())
    else:
        axis.set_major_formatter(ticker.FuncFormatter(lambda x, _: short_number(x)))


def format_decimals(axis: "Axis"):
    """Plain decimals on a log axis: round values over a short range, then 1, 2 and 5, over decades powers of ten."""
    from matplotlib import ticker

    low, high = sorted(axis.get_view_interval())
    if high / low < 8:
        axis.set_major_locator(ticker.MaxNLocator(nbins=5, steps=[1, 2, 2.5, 5, 10]))
    else:
        axis.set_major_locator(ticker.LogLocator(subs=(1.0, 2.0, 5.0) if high / low < 300 else (1.0,), numticks=8))
    axis.set_minor_locator(ticker.NullLocator())
    axis.set_major_formatter(ticker.FuncFormatter(lambda x, _: f"{x:g}"))


def legend_below(figure, handles):
    """Put one legend for all panels below them, in as many columns as there is room for."""
    for columns in range(min(len(handles), 6), 0, -1):
        legend = figure.legend(
            handles=handles, loc="outside lower center", ncols=columns, fontsize=SMALL, frameon=False
        )
        if columns == 1 or legend.get_window_extent().width <= figure.bbox.width:
            return
        legend.remove()


def note_convergence(panels, converged: bool):
    """Say in red, above the first panel, that the draws are not to be trusted."""
    if converged:
        return
    panels[0].annotate(
        "not converged",
        (1, 1),
        (0, 19),  # over the title, whatever stands beside it
        xycoords="axes fraction",
        textcoords="offset points",
        ha="right",
        va="bottom",
        fontsize=SMALL,
        color=RED,
    )


def runs_of(model: Model, group: str | None) -> pd.DataFrame:
    """The runs of one group, or all."""
    return model.runs if group is None else model.runs.loc[model.group_index == model.groups.index(group)]


def column_of(runs: pd.DataFrame, name: str) -> np.ndarray:
    """A column of the runs as numbers."""
    return runs[name].to_numpy(dtype=float)


def move_apart(places: Sequence[float] | np.ndarray, gap: float) -> np.ndarray:
    """Nearest places, in least squares, that keep their order and lie at least a gap apart."""
    order = np.argsort(places, kind="stable")
    offsets = gap * np.arange(len(order))
    blocks: list[list[float]] = []
    for target in np.asarray(places)[order] - offsets:
        blocks.append([float(target)])
        # Neighbours that would cross are moved as one, to their mean (isotonic regression).
        while len(blocks) > 1 and np.mean(blocks[-2]) > np.mean(blocks[-1]):
            last = blocks.pop()
            blocks[-1] += last
    moved = np.empty(len(order))
    moved[order] = np.array([np.mean(b) for b in blocks for _ in b]) + offsets
    return moved


def draw_interval(ax, y: float, draws: np.ndarray, colour: str, marker: str = "o"):
    """Draw one row: a dot at the median, bars over the central 50 % and 90 %."""
    low, left, middle, right, high = np.quantile(draws, CENTRAL)
    ax.plot([low, high], [y, y], color=colour, lw=1.0, solid_capstyle="butt")
    ax.plot([left, right], [y, y], color=colour, lw=3.0, solid_capstyle="butt")
    ax.plot(middle, y, marker=marker, ms=5, ls="", color=colour, markeredgecolor="white", markeredgewidth=0.7)


def label_rows(ax, places: Sequence[float], names: Sequence[str]):
    """Name rows at the left, the first on top, and take away what only a plane of points needs."""
    ax.set_yticks(places, names, fontsize=SMALL)
    ax.tick_params(axis="y", length=0)
    plain_axes(ax)
    ax.spines["left"].set_visible(False)
    ax.grid(axis="x", color="#E6E6E6", lw=0.6)
    ax.set_axisbelow(True)


def note_at_right(ax, y: float, text: str):
    """Write a few words at the right end of a row, outside the axes."""
    ax.annotate(
        text,
        (1, y),
        (4, 0),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        va="center",
        fontsize=SMALL,
        color=INK,
        annotation_clip=False,
    )


def label_panel(ax, model: Model, x: str, group: str | None, count: int):
    """Name a panel and its axes."""
    output = model.law.output
    title = f"{group or model.law.name} ({count} runs)"
    # A long name goes above the line that says "beyond the runs".
    ax.set_title(title, loc="left", fontsize=NORMAL, color=INK, pad=16 if len(title) > LONG_TITLE else 6)
    ax.set_xlabel(axis_label(model, x), fontsize=NORMAL)
    ax.set_ylabel(with_unit(f"{output.meaning} {output.symbol}", output.unit), fontsize=NORMAL)


def check_format(path: str | os.PathLike[str]) -> None:
    """Refuse a file name whose suffix matplotlib cannot write."""
    from matplotlib.backend_bases import FigureCanvasBase

    known = FigureCanvasBase.get_supported_filetypes()
    if Path(path).suffix.removeprefix(".").lower() not in known:
        raise InputError(
            f"Cannot tell the format of the figure from {str(path)!r}; end its name in .{', .'.join(sorted(known))}."
        )


def save_figure(axes: Any, path: str | os.PathLike[str]) -> None:
    """Write the figure of some axes to a file and close it.

    Parameters
    ----------
    axes : Axes or array of Axes
        What a plot function returned.
    path : path
        Where; the suffix says the format (``.png`` at 150 dots per inch, ``.pdf``, ``.svg``). In the last two the
        words stay words, to be searched, copied and edited.

    Raises
    ------
    InputError
        A suffix matplotlib does not write, or a place that cannot be written; the figure stays open.
    """
    import matplotlib as mpl
    import matplotlib.pyplot as plt

    check_format(path)
    figure = np.ravel(np.asarray(axes, dtype=object))[0].figure
    suffix = Path(path).suffix.lower().removeprefix(".")
    with replacing(path, "figure", "figure.png") as name, mpl.rc_context(TEXT_AS_TEXT):
        figure.savefig(name, format=suffix, dpi=150, bbox_inches="tight")
    plt.close(figure)
