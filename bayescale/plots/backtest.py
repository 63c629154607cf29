"""Forecast against truth: what was measured of the held-out runs, and the bands that were given before."""

from typing import Any

import numpy as np
import xarray as xr

from bayescale.answers.backtest import backtest_table
from bayescale.answers.scores import DRAWS
from bayescale.errors import InputError
from bayescale.plots.common import (
    CENTRAL,
    COLOURS,
    GREY,
    INK,
    NORMAL,
    RED,
    SMALL,
    format_decimals,
    label_outer_only,
    legend_below,
    make_panels,
    plain_axes,
    with_unit,
)
from bayescale.words import quoted

HELD, MISSED = COLOURS[0], COLOURS[5]
DOT: dict[str, Any] = {"marker": "o", "ms": 3.2}
CROSS: dict[str, Any] = {"marker": "X", "ms": 5.0}
MARGIN = 0.05


def plot_backtest(answer: xr.Dataset, forecasters: Any = None, *, axes: Any = None) -> np.ndarray:
    """Draw what was forecast against what was measured, a panel for each forecaster.

    Parameters
    ----------
    answer : Dataset
        From `backtest`.
    forecasters : sequence of str, optional
        Which; by default all but ``last value``.
    axes : Axes or array of Axes, optional
        One for each forecaster; by default a new figure.

    Returns
    -------
    ndarray of Axes
        Each held-out run stands at what was measured of it (across) and its median forecast (up), with its central 50 %
        (thick) and 90 % (thin) interval, in another colour and as a cross where that missed. On the diagonal a forecast
        is right.

    Raises
    ------
    InputError
        Unknown forecaster, wrong number of axes.

    Examples
    --------
    >>> import bayescale as bs
    >>> axes = bs.plot_backtest(bs.backtest(runs, ["chinchilla", "kaplan"]))  # doctest: +SKIP
    """
    known = [str(name) for name in answer["forecaster"].to_numpy()]
    names = [name for name in known if name != "last value"] if forecasters is None else list(forecasters)
    if unknown := [name for name in names if name not in known]:
        raise InputError(f"This backtest has no forecaster {quoted(unknown)}; it has {quoted(known)}.")
    panels = make_panels(axes, len(names), None if len(names) > 1 else (4.6, 4.4))
    table = backtest_table(answer)
    response = answer.attrs["response"]
    unit = answer[response].attrs.get("units", "")
    limits = _limits(answer, names, response)
    for name, ax in zip(names, panels, strict=True):
        _draw_method(ax, answer.sel(forecaster=name), response, limits)
        row = table.loc[name]
        covered = "" if np.isnan(row["cover90"]) else f", 90 % holds {100 * row['cover90']:.0f} %"
        title = f"{name}: off by {row['rmse']:.3g}{covered}"
        ax.set_title(title, loc="left", fontsize=SMALL + 0.5, color=INK if row["converged"] else RED)
        ax.set_xlabel(with_unit(f"measured {response}", unit), fontsize=NORMAL)
        ax.set_ylabel(with_unit(f"forecast {response}", unit), fontsize=NORMAL)
        plain_axes(ax)
    if axes is None:
        label_outer_only(panels)
        _explain(panels[0].figure, answer)
    return panels


def _limits(answer: xr.Dataset, names: list[str], response: str) -> tuple[float, float]:
    """Both axes alike in all panels: what was measured, and every median; a wild interval is cut off."""
    medians = answer[f"{response}_run"].sel(forecaster=names).median(DRAWS).to_numpy()
    values = np.concatenate([answer[response].to_numpy(), medians.ravel()])
    values = values[np.isfinite(values)]
    if answer.attrs["on_log"]:
        values = np.log(values)
    room = MARGIN * max(np.ptp(values), 1e-6)
    low, high = values.min() - room, values.max() + room
    return (float(np.exp(low)), float(np.exp(high))) if answer.attrs["on_log"] else (float(low), float(high))


def _draw_method(ax, answer: xr.Dataset, response: str, limits: tuple[float, float]):
    measured = answer[response].to_numpy()
    band = answer[f"{response}_run"].quantile(CENTRAL, DRAWS, skipna=False).to_numpy()
    inside = (band[0] <= measured) & (measured <= band[-1])
    spread = bool(answer["spread"])
    ax.plot(limits, limits, color=GREY, lw=0.8, zorder=1)
    for held, colour in ((True, HELD if spread else GREY), (False, MISSED if spread else GREY)):
        chosen = inside == held
        x, rows = measured[chosen], band[:, chosen]
        if spread:
            ax.vlines(x, rows[0], rows[4], color=colour, lw=0.8, alpha=0.8)
            ax.vlines(x, rows[1], rows[3], color=colour, lw=2.2, alpha=0.5)
        look = CROSS if spread and not held else DOT
        ax.plot(x, rows[2], ls="", color=colour, markeredgewidth=0, zorder=3, **look)
    if answer.attrs["on_log"]:
        ax.set_xscale("log")
        ax.set_yscale("log")
    ax.set_xlim(*limits)
    ax.set_ylim(*limits)
    if answer.attrs["on_log"]:
        format_decimals(ax.xaxis)
        format_decimals(ax.yaxis)


def _explain(figure, answer: xr.Dataset):
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=HELD, label="inside its 90 % interval", **DOT),
        Line2D([], [], color=MISSED, label="outside it", **CROSS),
        Line2D([], [], color=GREY, ls="", label="without interval", **DOT),
    ]
    legend_below(figure, handles)
    held = f"{answer.sizes['run']} of {answer.attrs['runs']} runs held out: {answer.attrs['held_out']}"
    figure.suptitle(held, x=0.01, ha="left", fontsize=NORMAL, color=INK)
