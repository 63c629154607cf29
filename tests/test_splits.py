"""Which runs are held out, on tables small enough to see it."""

import numpy as np
import pandas as pd
import pytest

import bayescale as bs
from bayescale.answers.splits import beyond_in_cost, first_points, split_at, split_by_column, split_by_size


def table(groups=("a",), sizes=(1e6, 1e7, 1e8, 1e9, 1e10)):
    """Runs of ten token counts for each size and group, the second group ten times larger; shuffled."""
    rows = [
        (N * 10**k, D, 3.0 - 0.1 * np.log10(N * D) / 10, group)
        for k, group in enumerate(groups)
        for N in sizes
        for D in (1e8, 1e9)
    ]
    runs = pd.DataFrame(rows, columns=["N", "D", "L", "field"])
    return runs.assign(C=6 * runs["N"] * runs["D"]).sample(frac=1, random_state=1).reset_index(drop=True)


def test_the_largest_of_the_table_and_of_each_group():
    model = bs.Model("chinchilla", table())
    split = split_by_size(model, share=0.1, least=1)
    assert sorted(model.runs["C"][split.held]) == [6e19]
    grouped = bs.Model("chinchilla", table(("a", "b")), pool="field")
    split = split_by_size(grouped, share=0.1, least=1)
    assert dict(grouped.runs[split.held].groupby("field")["C"].max()) == {"a": 6e19, "b": 6e20}
    np.testing.assert_allclose(beyond_in_cost(grouped, split), 10.0)


def test_runs_of_one_budget_stay_together():
    """Ten times the size with a tenth of the tokens costs the same: the second largest of ten runs is two."""
    model = bs.Model("chinchilla", table())
    split = split_by_size(model, share=0.2, least=1)
    assert sorted(model.runs["C"][split.held]) == [6e18, 6e18, 6e19]
    assert split_by_size(model, share=0.2, least=4).held.sum() == 5  # the fourth and the fifth cost 6e17 both
    assert not (split.held & split.fitted).any()


def test_a_cut_holds_out_what_costs_as_much_or_more():
    model = bs.Model("chinchilla", table())
    split = split_at(model, 6e18)
    assert sorted(model.runs["C"][split.held]) == [6e18, 6e18, 6e19]


def test_a_column_says_what_is_fitted():
    runs = table().assign(mine=lambda t: t["N"] < 1e9)
    split = split_by_column(bs.Model("chinchilla", runs), "mine")
    np.testing.assert_array_equal(split.fitted, runs["mine"])
    np.testing.assert_array_equal(split.held, ~runs["mine"])


def test_first_points_of_each_group_in_turn():
    runs = pd.concat([table(("a", "b", "c")), table(("a", "b", "c"))], ignore_index=True)  # every run has a replicate
    model = bs.Model("chinchilla", runs, pool="field")
    splits = first_points(model, 3)
    assert len(splits) == 3
    for split, group in zip(splits, "abc", strict=True):
        own = (model.runs["field"] == group).to_numpy()
        assert split.fitted[~own].all()
        assert not split.held[~own].any()
        fitted, held = model.runs[split.fitted & own], model.runs[split.held & own]
        assert len(fitted) == 3  # of a setting only one run
        assert held["C"].min() >= fitted["C"].max()
        assert len(held) == 2 * (10 - 3)


def test_many_groups_are_cut_a_tenth_at_a_time():
    runs = table(tuple("abcdefghijklmnopqrst"))
    splits = first_points(bs.Model("chinchilla", runs, pool="field"), 3)
    assert len(splits) == 10
    np.testing.assert_array_equal(sum(split.held.astype(int) for split in splits), 1 - is_first(runs))


def is_first(runs):
    return (runs.groupby("field")["C"].rank(method="first") <= 3).astype(int).to_numpy()


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda model: split_at(model, 1e30), "No run is held out"),
        (lambda model: split_at(model, -1.0), "cut .a cost of a run"),
        (lambda model: split_at(model, 1e10), "no run left to fit"),
        (lambda model: split_by_size(model, share=1.5), "above 0 and below 1"),
        (lambda model: split_by_size(model, least=10), "cannot be held out"),
        (lambda model: split_by_column(model, "nothing"), "no column 'nothing'"),
        (lambda model: split_by_column(model, "N"), "must be true"),
        (lambda model: first_points(model, 3), "where there are groups"),
    ],
)
def test_splits_that_cannot_be_made(ask, said):
    with pytest.raises(bs.InputError, match=said):
        ask(bs.Model("chinchilla", table()))


def test_a_group_that_would_be_held_out_whole():
    model = bs.Model("chinchilla", table(("a", "b")).query("field == 'a' or C > 1e17"), pool="field")
    with pytest.raises(bs.InputError, match="Group 'b' has no run left"):
        split_at(model, 1e16)
