"""What new runs changed: each parameter before and after, in the standard deviations it had before."""

from typing import TYPE_CHECKING, Any

import numpy as np

from bayescale.answers.mixture import Stack
from bayescale.answers.updating import Update, unconstrained_draws
from bayescale.errors import InputError
from bayescale.plots.common import (
    COLOURS,
    GREY,
    INK,
    NORMAL,
    PALE,
    draw_interval,
    label_rows,
    make_panels,
    note_at_right,
    note_convergence,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

OFFSET = 0.16


def plot_update(updated: Update, law: str | None = None, *, ax: Any = None) -> "Axes":
    """Draw each parameter before and after new runs.

    Parameters
    ----------
    updated : Update
        Of `update`.
    law : str, optional
        Of a stack, the member to draw.
    ax : Axes, optional
        Where; by default a new figure.

    Returns
    -------
    Axes
        A row for each parameter of the law and the noise: before in pale grey, after below it in colour, on the
        parameter's unconstrained scale (the log of a positive one), centred and scaled by what it was before. Marks are
        medians, bars the central 50 % and 90 %. At the right, the medians in natural units. Groups that are new have no
        before and are left out; the title counts them.

    Raises
    ------
    InputError
        A stack without the member's name, or a name that is none of its.

    Examples
    --------
    >>> import bayescale as bs
    >>> ax = bs.plot_update(bs.update(posterior, bs.read_runs("new.csv"), seed=1))  # doctest: +SKIP
    """
    if law is None and isinstance(updated.posterior, Stack):
        raise InputError(f"Say which law of the stack to draw: {', '.join(updated.changes)}.")
    name = law or next(iter(updated.changes))
    if name not in updated.changes:
        raise InputError(f"{name!r} was not updated; {', '.join(updated.changes)} were.")
    change = updated.changes[name]
    old, new = dict(unconstrained_draws(change.before)), dict(unconstrained_draws(change.after))
    both = [parameter for parameter in new if parameter in old]
    medians = change.parameters.to_dataframe()
    if ax is None:
        ax = make_panels(None, 1, size=(6.0, 1.3 + 0.28 * len(both)))[0]
    ax.axvline(0.0, color=GREY, lw=0.6)
    for k, parameter in enumerate(both):
        before = old[parameter][1]
        centre, spread = np.median(before), np.std(before)
        draw_interval(ax, k - OFFSET, (before - centre) / spread, PALE, "s")
        draw_interval(ax, k + OFFSET, (new[parameter][1] - centre) / spread, COLOURS[0])
        was, became = medians.loc[parameter, ["before", "after"]]
        note_at_right(ax, k, f"{was:.3g} to {became:.3g}")
    label_rows(ax, range(len(both)), both)
    ax.set_ylim(len(both) - 0.4, -0.6)
    ax.set_xlabel("standard deviations of the parameter before", fontsize=NORMAL)
    added = len(change.after.model.runs) - len(change.before.model.runs)
    left = f"; {len(new) - len(both)} parameters are new" if len(new) > len(both) else ""
    title = f"{name}: before (grey, above) and after (below) {added} more runs{left}"
    ax.set_title(title, loc="left", fontsize=NORMAL, color=INK)
    note_convergence([ax], change.after.converged)
    return ax
