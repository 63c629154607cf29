"""Where the next runs should lie: candidates by what they tell for their cost, chosen ones numbered."""

from typing import Any

import numpy as np
import xarray as xr

from bayescale.errors import InputError
from bayescale.plots.common import (
    GREY,
    INK,
    NORMAL,
    RED,
    SMALL,
    format_log,
    make_panels,
    note_convergence,
    plain_axes,
)

UNITS = {"N": "parameters", "D": "tokens", "C": "FLOP"}


def plot_design(answer: xr.Dataset, x: str | None = None, y: str | None = None, *, axes: Any = None):
    """Draw the candidate runs in the plane of two inputs, coloured by information per unit of cost.

    Parameters
    ----------
    answer : Dataset
        From `design`.
    x, y : str, optional
        Inputs along the axes; by default N and D where the law takes them, else its first two. Further inputs and
        groups lie on top of each other, the one that tells most above. For a law of one input, its information is drawn
        against it.
    axes : Axes, optional
        By default a new figure.

    Returns
    -------
    Axes
        Dots are candidates, red circles with numbers the chosen runs in their order; dashed lines join runs of equal
        cost, where the plane tells the cost.

    Raises
    ------
    InputError
        Unknown input.

    Examples
    --------
    >>> import bayescale as bs
    >>> answer = bs.design(posterior, 1e21, about="L", at={"N": "70B", "D": "1.4T"})
    >>> ax = bs.plot_design(answer)
    """
    from matplotlib import colors

    x, y = _axes(answer, x, y)
    (ax,) = make_panels(axes, 1)
    across = answer[x].to_numpy().astype(float)
    worth = answer["information_per_cost"].to_numpy()
    up = answer["information"].to_numpy() if y is None else answer[y].to_numpy().astype(float)
    telling = worth > 0
    unit = answer.attrs["cost_unit"]
    ax.scatter(across[~telling], up[~telling], s=9, color=GREY, alpha=0.35, lw=0, zorder=1)
    if telling.any():
        order = np.flatnonzero(telling)[np.argsort(worth[telling])]
        least, most = float(worth[order[0]]), float(worth[order[-1]])
        norm = colors.LogNorm(least, max(most, 1.01 * least))
        dots = ax.scatter(across[order], up[order], s=22, c=worth[order], cmap="viridis_r", norm=norm, lw=0, zorder=2)
        bar = ax.figure.colorbar(dots, ax=ax, pad=0.07)
        bar.set_label(f"information alone (nats per {unit})", fontsize=SMALL)
        bar.ax.tick_params(labelsize=SMALL)
    ax.set_xscale("log" if (across > 0).all() else "linear")
    if y is not None:
        ax.set_yscale("log" if (up > 0).all() else "linear")
        _draw_costs(ax, across, up, answer["cost"].to_numpy(), unit)
    _number(ax, answer, across, up)
    for axis, name in ((ax.xaxis, x), *([(ax.yaxis, y)] if y is not None else [])):
        if axis.get_scale() == "log":
            format_log(axis, UNITS.get(str(name), ""))
    plain_axes(ax)
    ax.set_xlabel(_name(x), fontsize=NORMAL)
    ax.set_ylabel("information alone (nats)" if y is None else _name(y), fontsize=NORMAL)
    ax.set_title(_title(answer), loc="left", fontsize=NORMAL, color=INK)
    note_convergence(np.array([ax]), bool(answer.attrs["converged"]))
    note_convergence([ax], bool(answer.attrs["converged"]))
    return ax


def _axes(answer: xr.Dataset, x: str | None, y: str | None) -> tuple[str, str | None]:
    inputs = [c for c in answer.attrs["columns"] if np.issubdtype(answer[c].dtype, np.number)]
    if unknown := [name for name in (x, y) if name is not None and name not in inputs]:
        raise InputError(f"A design is drawn against {', '.join(inputs)}; {unknown[0]!r} was given.")
    preferred = [c for c in ("N", "D") if c in inputs] + [c for c in inputs if c not in ("N", "D")]
    x = x or next(c for c in preferred if c != y)
    return x, y or next((c for c in preferred if c != x), None)


def _draw_costs(ax, across, up, cost, unit: str) -> None:
    """Draw lines of equal cost for powers of ten, where the cost is a product of powers of the two inputs."""
    if not ((across > 0).all() and (up > 0).all()):
        return
    design = np.column_stack([np.ones(len(cost)), np.log(across), np.log(up)])
    (level, a, b), *_ = np.linalg.lstsq(design, np.log(cost), rcond=None)
    if np.abs(design @ [level, a, b] - np.log(cost)).max() > 0.01 or min(abs(a), abs(b)) < 1e-6:
        return
    (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
    lowest, highest = np.log10(cost.min()), np.log10(cost.max())
    step = max(1, round((highest - lowest) / 5))
    places = np.geomspace(left, right, 200)
    for power in range(int(np.ceil(lowest)), int(np.floor(highest)) + 1, step):
        line = np.exp((power * np.log(10) - level - a * np.log(places)) / b)
        ax.plot(places, line, color=GREY, lw=0.6, ls=(0, (4, 3)), zorder=0)
        inside = np.flatnonzero((line > low) & (line < high))
        if inside.size:
            at = inside[-1] if a / b > 0 else inside[0]
            _name_cost(ax, power, f" {unit}" * (power == int(np.ceil(lowest))), (places[at], line[at]))
    ax.set_xlim(left, right)
    ax.set_ylim(low, high)


def _name_cost(ax, power: int, unit: str, end: tuple[float, float]) -> None:
    """Name a line of equal cost at its end: outside the panel at the right, else just above the lower side."""
    outside = ax.transAxes.inverted().transform(ax.transData.transform(end))[0] > 0.97
    ax.annotate(
        f"$10^{{{power}}}${unit}",
        end,
        (3, 0) if outside else (4, 1),
        textcoords="offset points",
        fontsize=SMALL - 1,
        color=GREY,
        va="center" if outside else "bottom",
        annotation_clip=False,
    )


def _number(ax, answer: xr.Dataset, across, up) -> None:
    """Circle and number the chosen runs; runs at one place share their label."""
    places: dict[tuple[float, float], list[int]] = {}
    for order, candidate in enumerate(answer["chosen"].to_numpy(), start=1):
        places.setdefault((across[candidate], up[candidate]), []).append(order)
    for (right, high), orders in places.items():
        ax.plot(right, high, "o", ms=9, mfc="none", mec=RED, mew=1.3, zorder=3)
        label = ", ".join(map(str, orders))
        ax.annotate(label, (right, high), (7, 5), textcoords="offset points", fontsize=NORMAL, color=RED, zorder=4)


def _name(column: str) -> str:
    return f"{UNITS[column]} {column}" if column in UNITS else column


def _title(answer: xr.Dataset) -> str:
    if "point" not in answer.dims:
        return "next runs, to tell which law is right"
    labels = answer["point"].to_numpy()
    return (
        f"next runs for {labels[0]}"
        if len(labels) == 1
        else f"next runs for {len(labels)} values of {answer.attrs['about']}"
    )
