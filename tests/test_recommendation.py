"""The default for a kind of table: chosen from its columns, and nothing else."""

import numpy as np
import pandas as pd
import pytest

import bayescale as bs
from bayescale.answers import comparison, recommendation
from bayescale.answers.mixture import Stack
from bayescale.answers.recommendation import Recipe


def table(**columns):
    n = 8
    return pd.DataFrame({name: np.linspace(1, 2, n) if values is None else values for name, values in columns.items()})


@pytest.mark.parametrize(
    ("columns", "law"),
    [
        ({"N": None, "D": None, "L": None}, "chinchilla kaplan_offset"),
        ({"N": None, "D": None, "C": None, "L": None}, "chinchilla kaplan_offset"),
        ({"N": None, "D": None, "D_U": None, "L": None}, "data_constrained"),
        ({"N": None, "experts": None, "L": None}, "clark"),
        ({"D": None, "L": None}, "saturating"),
        ({"N": 1e9, "D": None, "L": None}, "saturating"),  # a size that does not vary teaches nothing
        ({"C": None, "chance": 0.25, "accuracy": np.linspace(0.3, 0.6, 8)}, "sigmoid_of_compute"),
    ],
)
def test_laws_by_the_columns_that_vary(columns, law):
    """The main law is taken twice: as exact, and with a departure."""
    recipe = bs.recommend(table(**columns))
    names = law.split()
    models = recipe.models(table(**columns))
    assert list(models) == [*names, f"{names[0]}, departing"]
    assert [model.law.name for model in models.values()] == [*names, names[0]]
    assert [model.discrepancy is not None for model in models.values()] == [*(False for _ in names), True]


def test_names_tell_a_law_on_two_columns_apart_and_a_departure_only_where_needed():
    runs = table(N=None, D=None, L=None)
    assert list(Recipe(("saturating:N", "saturating:D")).models(runs)) == ["saturating:N", "saturating:D"]
    assert list(Recipe((), departing=("chinchilla",)).models(runs)) == ["chinchilla"]


def test_fitted_as_a_stack_weighed_on_the_largest_fifth(certain, monkeypatch, grid_runs):
    """No sampler: every fit gives one law of a loss too high, but Hoffmann's where the truth may depart."""
    fitted = []

    def fit(model, **_):
        fitted.append(model)
        N, D = model.reference["N"], model.reference["D"]
        values = {"E": 1.69, "alpha": 0.34, "beta": 0.28, "A_ref": 406.4 / N**0.34, "B_ref": 410.7 / D**0.28}
        values |= {"sigma": 0.02, "nu": 30.0}
        if model.discrepancy is None:
            values["E"] = 2.5
        else:
            values |= {"tau": 1e-6, "weights": np.zeros(3)}
        return certain(model, values, (4, 50))

    for place in (recommendation, comparison):
        monkeypatch.setattr(place, "fit", fit)
    recipe = Recipe(("chinchilla",), departing=("chinchilla",))
    made = recipe.fit(grid_runs)
    assert isinstance(made, Stack)
    fifth = int(np.ceil(0.2 * len(grid_runs)))
    assert {len(model.runs) for model in fitted} == {len(grid_runs), len(grid_runs) - fifth}
    assert made.weights["chinchilla, departing"] == pytest.approx((20 + fifth) / 40, abs=0.01)
    with pytest.warns(bs.BayescaleWarning, match="equal weights"):
        few = recipe.fit(grid_runs.iloc[:6])
    assert isinstance(few, Stack)
    assert set(few.weights.values()) == {0.5}
    assert isinstance(Recipe(("chinchilla",)).fit(grid_runs), bs.Posterior)


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
