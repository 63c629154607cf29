"""A parameter of one group against the others: the differences, and what would be none."""

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from bayescale.plots.common import (
    COLOURS,
    GREY,
    INK,
    NORMAL,
    draw_interval,
    label_rows,
    make_panels,
    math_symbol,
    note_at_right,
    note_convergence,
    with_unit,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_contrast(answer: xr.Dataset, *, ax: Any = None) -> "Axes":
    """Draw the differences of a parameter between one group and others.

    Parameters
    ----------
    answer : Dataset
        Of `contrast`, with one second group or each of the others.
    ax : Axes, optional
        Where; by default a new figure.

    Returns
    -------
    Axes
        A row for each second group: first minus second, dot at the median, bars over the central 50 % and 90 %, the
        probability that the first is larger at the right. The line at zero is no difference.

    Examples
    --------
    >>> import bayescale as bs
    >>> ax = bs.plot_contrast(bs.contrast(posterior, "alpha", "code"))
    """
    attrs, difference = answer.attrs, answer["difference"]
    group = attrs["group"]
    seconds = [str(name) for name in difference[group].to_numpy()] if group in difference.dims else [attrs["second"]]
    if ax is None:
        ax = make_panels(None, 1, size=(5.6, 1.3 + 0.25 * len(seconds)))[0]
    ax.axvline(0.0, color=GREY, lw=0.8)
    for k, second in enumerate(seconds):
        draws = difference.sel({group: second}) if group in difference.dims else difference
        values = draws.to_numpy().ravel()
        draw_interval(ax, k, values, COLOURS[0])
        note_at_right(ax, k, f"P = {np.mean(values > 0):.2f}")
    label_rows(ax, range(len(seconds)), seconds)
    ax.set_ylim(len(seconds) - 0.4, -0.6)
    unit = difference.attrs.get("units", "")
    what = f"{math_symbol(attrs['parameter'])} of {attrs['first']} minus that of"
    ax.set_title(f"{what} ...; P: the probability that it is larger", loc="left", fontsize=NORMAL, color=INK)
    ax.set_xlabel(with_unit("difference", "" if unit == "1" else unit), fontsize=NORMAL)
    note_convergence([ax], bool(attrs["converged"]))
    note_convergence([ax], bool(answer.attrs["converged"]))
    return ax
