"""The default for a kind of table: chosen from its columns, and nothing else."""

import numpy as np
import pandas as pd
import pytest

import bayescale as bs


def table(**columns):
    n = 8
    return pd.DataFrame({name: np.linspace(1, 2, n) if values is None else values for name, values in columns.items()})


@pytest.mark.parametrize(
    ("columns", "law"),
    [
        ({"N": None, "D": None, "L": None}, "chinchilla"),
        ({"N": None, "D": None, "C": None, "L": None}, "chinchilla"),
        ({"N": None, "D": None, "D_U": None, "L": None}, "data_constrained"),
        ({"N": None, "experts": None, "L": None}, "clark"),
        ({"D": None, "L": None}, "saturating"),
        ({"N": 1e9, "D": None, "L": None}, "saturating"),  # a size that does not vary teaches nothing
        ({"C": None, "chance": 0.25, "accuracy": np.linspace(0.3, 0.6, 8)}, "sigmoid_of_compute"),
    ],
)
def test_law_by_the_columns_that_vary(columns, law):
    recipe = bs.recommend(table(**columns))
    assert [find.partition(":")[0] for find in recipe.laws] == [law]  # pyright: ignore[reportAttributeAccessIssue]
    if law != "sigmoid_of_compute":
        (model,) = recipe.models(table(**columns)).values()
        assert model.discrepancy is not None


def test_nothing_of_the_response_decides():
    runs = bs.load_runs("tiny_sweep")
    shuffled = runs.assign(L=runs["L"].sample(frac=1, random_state=0).to_numpy())
    assert str(bs.recommend(runs)) == str(bs.recommend(shuffled))


def test_groups_of_a_usual_name_are_pooled_and_others_where_asked():
    runs = table(N=None, D=None, L=None, task=["a", "b"] * 4, field=["x"] * 8)
    assert bs.recommend(runs).pool == "task"
    assert bs.recommend(runs.drop(columns="task")).pool is None
    assert bs.recommend(runs, pool="field").pool == "field"


def test_its_print_gives_the_reasons():
    said = str(bs.recommend(bs.load_runs("tiny_sweep")))
    assert "6 groups in column 'modality'" in said
    assert "No law is exact" in said


def test_a_table_of_unknown_kind_is_refused_with_the_kinds_there_are():
    with pytest.raises(bs.InputError, match=r"No law is recommended.*N D L"):
        bs.recommend(table(x=None, L=None))
