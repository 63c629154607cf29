"""How a learning curve goes on: its level at points not reached yet, and what would be measured there."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayescale.answers.common import interval_name, read_value, reduced_table
from bayescale.curves.curve import Beyond
from bayescale.curves.fitting import ALL, Curves
from bayescale.errors import BayescaleWarning, InputError
from bayescale.given import check_kind, check_text
from bayescale.numerals import short_number
from bayescale.streams import stream
from bayescale.words import listed, quoted

CHAINS = 4
ONE_CURVE = "curve"
FARTHEST = 1e250  # of the input, in its unit; beyond, floats give out
TESTED = 2.0  # times the last point: as far as such answers were scored (tests/benchmarks/extrapolation.py)


def extrapolate(
    curves: Curves,
    times: float | Sequence[float] | None = None,
    *,
    group: str | None = None,
    seed: int = 0,
    **inputs: Any,
) -> xr.Dataset:
    """Say how learning curves go on beyond their last points.

    Parameters
    ----------
    curves : Curves
        From `fit_curves`.
    times : number or sequence, optional
        How many times beyond each curve's last point; 2 where nothing is given.
    group : str, optional
        One curve; by default all, along their dim.
    seed : int
        Same seed, same draws.
    **inputs : number, str or sequence
        Instead of ``times``, points by the name of the input: ``D=["2B", "4B"]``, none before a curve's last point.

    Returns
    -------
    Dataset
        Dims ``chain``, ``draw``, the curves', and ``times`` or the input's. For a response L: ``L``, the curve;
        ``L_run``, what would be measured; ``beyond``, times the last point; and as a coordinate the input, where
        ``times`` is given. Draws along a curve belong together: a draw is one way the curve may go. The chains are
        independent draws, not a sampler's.

    Warns
    -----
    BayescaleWarning
        A point lies farther than twice the last one, where such answers were never scored.

    Raises
    ------
    InputError
        Unknown curve or input; a point before a curve's last one; both ``times`` and an input.

    Examples
    --------
    >>> import bayescale as bs
    >>> answer = bs.extrapolate(curves, times=[2, 4])  # doctest: +SKIP
    >>> answer["L_run"].quantile([0.05, 0.5, 0.95], ("chain", "draw"))  # doctest: +SKIP
    """
    check_kind("What is extrapolated", curves, Curves, "Fit learning curves first: bs.fit_curves(runs).")
    check_text("group", group, "text")
    if group is not None and group not in curves.names:
        raise InputError(f"There is no curve {group!r}; there are {listed(map(repr, curves.names), 10)}.")
    names = curves.names if group is None else (group,)
    dim, points = _points(curves, names, times, inputs)
    if points.max() > FARTHEST:
        raise InputError(f"{curves.x} = {points.max():g} is farther than can be computed; ask below {FARTHEST:g}.")
    last = np.array([curves.ends[name][1] for name in names])
    if doubt := _doubt_reach(float((points / last[:, None]).max())):
        warnings.warn(doubt, BayescaleWarning, stacklevel=2)
    drawn = [_draws(curves, name, x, seed) for name, x in zip(names, points, strict=True)]
    level, run = (np.stack(part, axis=2) for part in zip(*drawn, strict=True))
    by = curves.column or ONE_CURVE
    dims = ("chain", "draw", by, dim)
    answer = xr.Dataset(
        {
            curves.y: (dims, level, {"units": "", "long_name": f"{curves.y}: the curve"}),
            f"{curves.y}_run": (dims, run, {"units": "", "long_name": f"{curves.y} that would be measured"}),
            "beyond": ((by, dim), points / last[:, None], {"units": "1", "long_name": "times the last point"}),
        },
        coords={by: list(names)},
        attrs={"response": curves.y, "x": curves.x, "curve": by, "seed": seed},
    )
    if dim == "times":
        answer = answer.assign_coords({"times": points[0] / last[0], curves.x: ((by, dim), points)})
    else:
        answer = answer.assign_coords({dim: points[0]})
    return answer.squeeze(by) if group is not None or not curves.column else answer


def _doubt_reach(times: float) -> str:
    """Say how little is known of an answer so far out; nothing where such answers were scored."""
    if times <= TESTED * (1 + 1e-6):
        return ""
    return (
        f"Such answers were scored up to {TESTED:g} times the last point; at {times:.3g} times nothing was tested. "
        "What decides there is how slopes are believed to move; nothing knows of a floor or a break that no point has "
        "reached. Train farther, or ask a law with forecast and compare."
    )


def _points(curves: Curves, names, times, inputs) -> tuple[str, np.ndarray]:
    """Dim along the curves, and the points of each curve (dims curve, point)."""
    if unknown := [name for name in inputs if name != curves.x]:
        raise InputError(f"Curves run along {curves.x!r}; {quoted(unknown)} was given.")
    if inputs and times is not None:
        raise InputError(f"Give times or {curves.x}, not both.")
    last = np.array([curves.ends[name][1] for name in names])
    if inputs:
        x = np.sort(np.atleast_1d(read_value(curves.x, inputs[curves.x], False)))
        before = [name for name, end in zip(names, last, strict=True) if x[0] < end * (1 - 1e-9)]
        if before:
            raise InputError(
                f"{curves.x} = {x[0]:.4g} lies before the last point of {listed(map(repr, before), 5)}; there it was "
                "measured. Ask beyond, ask one curve with group=, or pass times=."
            )
        return curves.x, np.broadcast_to(x, (len(names), len(x)))
    with np.errstate(over="ignore"):  # what overflows is too far
        return "times", last[:, None] * read_times(2.0 if times is None else times)


def read_times(times: Any) -> np.ndarray:
    """Read how many times beyond the last point; in rising order."""
    factors = np.sort(np.atleast_1d(read_value("times", times, False)))
    if factors[0] < 1:
        raise InputError(f"times must be 1 (the last point) or more; {factors[0]:g} was given.")
    return factors


def _draws(curves: Curves, name: str, x: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Level and measurement of one curve, dims (chain, draw, point)."""
    rng = stream(f"extrapolate {name}", seed)
    parts = [_follow(part, rng) for part in curves.beyond(name, x, seed)]
    level, run = (np.concatenate(part).reshape(CHAINS, -1, len(x)) for part in zip(*parts, strict=True))
    with np.errstate(
        over="ignore"
    ):  # two or three points, asked far out, rule nothing out; then a draw may be infinite
        return curves.scale * np.exp(level), curves.scale * np.exp(run)


def _follow(part: Beyond, rng) -> tuple[np.ndarray, np.ndarray]:
    """Add to paths the error of the last level, the wander since, and what a measurement adds; on log loss."""
    steps = np.diff(part.wander, axis=1, prepend=0.0)
    wander = np.cumsum(np.sqrt(np.maximum(steps, 0.0)) * rng.standard_normal(steps.shape), axis=1)
    last = np.sqrt(part.last) * rng.standard_normal((len(steps), 1))
    level = part.path + last + wander
    return level, level + part.noise * rng.standard_normal(level.shape)


def extrapolation_table(answer: xr.Dataset) -> pd.DataFrame:
    """Reduce an extrapolation to medians and intervals.

    Returns
    -------
    DataFrame
        A line for each curve and point.
    """
    table: Any = reduced_table(answer)
    first = [name for name in (answer.attrs["curve"], "times", answer.attrs["x"]) if name in table]
    return table[[*first, *(c for c in table.columns if c not in first)]]


def extrapolation_sentences(answer: xr.Dataset) -> list[str]:
    """Say an extrapolation in words, one sentence a point."""
    y, x, by = (answer.attrs[name] for name in ("response", "x", "curve"))
    lines = []
    for row in extrapolation_table(answer).to_dict("records"):
        named = f"{row[by]}: " if by in row and row[by] != ALL else ""
        run = f"{y}_run"
        lines.append(
            f"{named}at {x} = {short_number(row[x])}, {row['beyond']:.3g} times the last point, one would measure "
            f"{y} = {row[f'{run} median']:.4g} ({interval_name()} {row[f'{run} lower']:.4g} to "
            f"{row[f'{run} upper']:.4g})."
        )
    doubt = _doubt_reach(float(answer["beyond"].max()))
    return [*lines, doubt] if doubt else lines
