"""How far each law is behind the best."""

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bayescale.answers.comparison import Comparison
from bayescale.plots.common import (
    COLOURS,
    GREY,
    INK,
    NORMAL,
    ON_WHITE,
    SMALL,
    make_panels,
    note_convergence,
    plain_axes,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes


_CRITERIA = {"waic": "WAIC", "loo": "PSIS-LOO", "largest": "largest runs held out"}


def plot_comparison(comparison: Comparison, *, ax: Any = None) -> "Axes":
    """Draw how far each law falls behind the best.

    Parameters
    ----------
    comparison : Comparison
        From `compare`.
    ax : Axes, optional
        Where; by default a new figure.

    Returns
    -------
    Axes
        Differences in expected log predictive density, the best law on top, with bars of one and two standard errors.
        Hollow dots are estimates the criterion itself calls unreliable.

    Examples
    --------
    >>> import bayescale as bs
    >>> ax = bs.plot_comparison(bs.compare({"kaplan": one, "chinchilla": two}, by="loo"))  # doctest: +SKIP
    """
    table = comparison.table
    if ax is None:
        ax = make_panels(None, 1, size=(6.0, 1.5 + 0.5 * len(table)))[0]
    ax.axvline(0, color=GREY, lw=0.7, zorder=1)
    for k, row in enumerate(table.to_dict("records")):
        _draw_difference(ax, k, row["elpd_diff"], row["dse"], bool(row["flags"]))
    said = [f"{d:.1f} ± {e:.1f}".replace("-", "−") for d, e in zip(table["elpd_diff"], table["dse"], strict=True)]
    for k, text in enumerate(["best", *said[1:]]):
        place: Any = {"xytext": (0, 7), "ha": "center"} if k else {"xytext": (7, 7), "ha": "left"}
        at = (table["elpd_diff"].iloc[k], k)
        ax.annotate(text, at, textcoords="offset points", fontsize=SMALL, color=INK, bbox=ON_WHITE, **place)
    ax.set_yticks(range(len(table)), [str(name) for name in table.index], fontsize=NORMAL)
    ax.set_ylim(len(table) - 0.5, -0.7)
    ax.tick_params(axis="y", length=0)
    ax.margins(x=0.12)
    plain_axes(ax)
    ax.spines["left"].set_visible(False)
    units = comparison.pointwise.sizes["unit"]
    ax.set_xlabel(f"elpd difference to the best law (nats, sum over {units} units)", fontsize=NORMAL)
    criterion = _CRITERIA.get(comparison.by, comparison.by)
    ax.set_title(f"Laws compared by {criterion}", loc="left", fontsize=NORMAL, color=INK)
    flagged = "; ".join(f"{name}, {flags}" for name, flags in zip(table.index, table["flags"], strict=True) if flags)
    key = "Bars: 1 and 2 standard errors of the difference." + (f" Hollow: flagged ({flagged})." if flagged else "")
    _write_below(ax, [comparison.verdict, key])
    note_convergence([ax], not comparison.table["flags"].str.contains("not converged").any())
    return ax


def _draw_difference(ax, y: int, difference: float, error: float, flagged: bool):
    for width, times in ((1.0, 2), (3.0, 1)):
        ends = [difference - times * error, difference + times * error]
        ax.plot(ends, [y, y], color=COLOURS[0], lw=width, solid_capstyle="butt")
    face = "white" if flagged else COLOURS[0]
    ax.plot(difference, y, marker="o", ms=6, ls="", color=COLOURS[0], markerfacecolor=face)


def _write_below(ax, sentences: Sequence[str]):
    width = int(ax.figure.get_size_inches()[0] * 16)
    ax.annotate(
        "\n".join(textwrap.fill(s, width) for s in sentences),
        (0, 0),
        (0, -34),
        xycoords="axes fraction",
        textcoords="offset points",
        va="top",
        fontsize=SMALL,
        color=INK,
    )
