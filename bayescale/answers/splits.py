"""Which runs are held out: the largest, those the user names, or all of a group but its first points."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from bayescale.errors import InputError
from bayescale.given import check_text, real_number, whole_number
from bayescale.model import Model
from bayescale.words import counted, listed

SHARE, LEAST = 0.2, 5
ALIKE = 1e-6  # costs that differ by less are of one budget, and stay on one side
FOLDS = 10


class Split(NamedTuple):
    """Runs to fit and runs to forecast, as masks over the table, and in words how they were told apart."""

    fitted: np.ndarray
    held: np.ndarray
    text: str


def split_by_size(model: Model, share: float = SHARE, least: int = LEAST) -> Split:
    """Hold out the largest runs by cost, of each group: a share of them, and at least so many.

    Runs that cost the same stay together, so that more may be held out.
    """
    real_number("share (of the runs to hold out)", share, 0, 1)
    whole_number("least", least, 1)
    cost = model.cost()
    held = np.zeros(len(cost), dtype=bool)
    for members in _groups(model):
        count = max(int(least), int(np.ceil(share * members.size)))
        if count >= members.size:
            raise InputError(
                f"{_name(model, members)} has {counted(members.size, 'run')}; {count} cannot be held out of them. Hold "
                "out fewer, least=1, or drop that group."
            )
        line = np.sort(cost[members])[-count]
        held[members] = cost[members] >= line * (1 - ALIKE)
    each = " of each group" if model.group else ""
    return _checked(model, ~held, held, f"the largest {100 * share:g} %{each} and at least {least}, by cost")


def split_at(model: Model, cut: float) -> Split:
    """Hold out the runs that cost at least ``cut``."""
    real_number("cut (a cost of a run, such as 1e21 FLOP)", cut, 0, np.inf)
    held = model.cost() >= cut
    return _checked(model, ~held, held, f"those that cost {cut:.4g} or more")


def split_by_column(model: Model, column: str) -> Split:
    """Fit the runs for which a column is true, and hold out the others."""
    check_text("train", column, "is_small")
    if column not in model.runs.columns:
        raise InputError(f"There is no column {column!r} to split by. Columns: {listed(model.runs.columns)}.")
    values = model.runs[column]
    if bad := set(values.unique()) - {True, False}:
        raise InputError(f"Column {column!r} must be true (fit) or false (hold out); it holds {min(map(str, bad))!r}.")
    fitted = values.astype(bool).to_numpy()
    return _checked(model, fitted, ~fitted, f"those not marked in column {column!r}")


def first_points(model: Model, points: int, folds: int = FOLDS) -> list[Split]:
    """Cut groups to their first few settings, by cost, and hold out all larger ones; one split for each fold of groups.

    Of runs with the same inputs, such as other seeds, only the first is fitted; the others of that setting are neither
    fitted nor held out.
    """
    if not model.group:
        raise InputError("Groups are left out but for their first points where there are groups: pass pool='column'.")
    whole_number("points (known of a new group)", points, 2)
    cost, inputs = model.cost(), model.runs[list(model.law.columns)]
    known, asked = (np.zeros(len(cost), dtype=bool) for _ in range(2))
    small = []
    for members in _groups(model):
        order = members[np.argsort(cost[members], kind="stable")]
        setting = inputs.iloc[order].groupby(list(inputs.columns), sort=False).ngroup().to_numpy()
        first = ~inputs.iloc[order].duplicated().to_numpy()
        known[order[first & (setting < points)]] = True
        asked[order[setting >= points]] = True
        small += [_name(model, members)] if setting.max() < points else []
    if small or len(model.groups) < 2:
        few = f"; {listed(small, 5)} has no more" if small else ""
        raise InputError(f"At least two groups, each with more than {points} different runs, are needed{few}.")
    fold = model.group_index % min(folds, len(model.groups))
    text = f"each group but its first {counted(points, 'run')}, by cost"
    return [Split(np.where(fold == f, known, True), asked & (fold == f), text) for f in np.unique(fold)]


def beyond_in_cost(model: Model, split: Split) -> np.ndarray:
    """How many times each held-out run costs more than the largest fitted run of its group; not below 1."""
    cost, times = model.cost(), np.ones(len(model.runs))
    for members in _groups(model):
        times[members] = cost[members] / cost[members][split.fitted[members]].max()
    return np.maximum(times[split.held], 1.0)


def small_runs(model: Model, split: Split) -> pd.DataFrame:
    """The runs to fit."""
    return model.runs.loc[split.fitted].reset_index(drop=True)


def large_runs(model: Model, split: Split) -> pd.DataFrame:
    """The runs to forecast."""
    return model.runs.loc[split.held].reset_index(drop=True)


def _groups(model: Model) -> list[np.ndarray]:
    index = model.group_index
    return [np.flatnonzero(index == g) for g in np.unique(index)]


def _name(model: Model, members: np.ndarray) -> str:
    return f"Group {model.groups[model.group_index[members[0]]]!r}" if model.group else "The table"


def _checked(model: Model, fitted: np.ndarray, held: np.ndarray, text: str) -> Split:
    if not held.any():
        raise InputError(f"No run is held out: there are none of {text}.")
    for members in _groups(model):
        if held[members].any() and not fitted[members].any():
            raise InputError(
                f"{_name(model, members)} has no run left to fit when {text} are held out; split each group by its own "
                "size (share=), or hold out fewer."
            )
    if fitted.sum() < len(model.law.params):
        raise InputError(
            f"Holding out {held.sum()} of {len(held)} runs leaves too few for the {len(model.law.params)} parameters "
            f"of {model.law.name!r}."
        )
    return Split(fitted, held, text)
