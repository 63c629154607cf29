"""Draws as plain tables: every draw is there once, under its name and with its unit."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import bayescale as bs
from bayescale.errors import InputError


def test_draws_of_a_posterior_are_a_tidy_table(scattered_posterior):
    table = scattered_posterior.to_dataframe()
    assert list(table.columns) == ["chain", "draw", *scattered_posterior.summary().index]
    assert len(table) == 4 * 250
    last = table[(table["chain"] == 3) & (table["draw"] == 17)]
    assert last["alpha"].item() == scattered_posterior.dataset["alpha"].sel(chain=3, draw=17).item()
    assert (table.attrs["units"]["E"], table.attrs["units"]["alpha"]) == ("nats/token", "1")


def test_a_group_has_columns_of_its_own(grouped_posterior):
    table = grouped_posterior.to_dataframe()
    assert "alpha" not in table.columns
    for number, group in enumerate(grouped_posterior.model.groups):
        np.testing.assert_allclose(table[f"alpha[{group}]"], 0.30 + 0.02 * number)  # as the fixture has it
    np.testing.assert_allclose(table["alpha_mean"], 0.35)


def test_weights_of_a_discrepancy_are_named_by_their_terms(departing_posterior):
    table = departing_posterior.to_dataframe()
    terms = departing_posterior.model.discrepancy.terms
    assert [table[f"weights[{term}]"].unique().tolist() for term in terms] == [[0.5], [-1.0], [2.0]]


def test_draws_of_an_answer_carry_their_units(scattered_posterior):
    answer = bs.forecast(scattered_posterior, N=[1e9, 1e10], D=1e11)
    table = bs.to_dataframe(answer)
    assert list(table.columns[:2]) == ["chain", "draw"]
    assert {"N [parameters]", "D [tokens]", "L [nats/token]", "L_run [nats/token]", "beyond"} <= set(table.columns)
    assert len(table) == 4 * 250 * 2
    one = table[(table["chain"] == 2) & (table["draw"] == 9) & (table["N [parameters]"] == 1e10)]
    assert one["L [nats/token]"].item() == answer["L"].sel(chain=2, draw=9, N=1e10).item()
    assert one["D [tokens]"].item() == 1e11


def test_a_summary_has_a_row_for_each_point_and_group(grouped_posterior):
    answer = bs.forecast(grouped_posterior, N=[1e6, 1e7], D=1e8)
    table = bs.to_dataframe(answer, summary=True)
    groups = grouped_posterior.model.groups
    assert len(table) == 2 * len(groups)
    at = table[(table["modality"] == groups[1]) & (table["N [parameters]"] == 1e7)]
    expected = answer["L"].sel(modality=groups[1], N=1e7).median().item()
    assert at["L median [nats/token]"].item() == pytest.approx(expected)
    assert (at["L lower [nats/token]"] <= at["L median [nats/token]"]).all()


def test_a_level_that_may_never_be_reached_says_how_often(scattered_posterior):
    table = bs.to_dataframe(bs.threshold(scattered_posterior, L=1.75), summary=True)
    draws = scattered_posterior.dataset["E"] >= 1.75
    assert draws.any()
    assert not draws.all()
    assert table["C never"].item() == pytest.approx(draws.mean().item())
    assert "C median [FLOP]" in table.columns


def test_a_table_survives_a_file(scattered_posterior, tmp_path):
    table = bs.to_dataframe(bs.forecast(scattered_posterior, N=1e9, D=1e11), summary=True)
    table.to_csv(tmp_path / "forecast.csv", index=False)
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "forecast.csv"), table, check_dtype=False)
    draws = scattered_posterior.to_dataframe()
    draws.to_parquet(tmp_path / "draws.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "draws.parquet"), draws)


def test_summary_is_yes_or_no(scattered_posterior):
    answer = bs.forecast(scattered_posterior, N=1e9, D=1e11)
    with pytest.raises(InputError, match="summary must be a bool"):
        bs.to_dataframe(answer, summary=np.array([]))  # pyright: ignore[reportArgumentType]


def test_what_is_no_answer_is_refused(scattered_posterior):
    with pytest.raises(InputError, match=r"this is a Posterior\. Of a posterior ask posterior\.to_dataframe"):
        bs.to_dataframe(scattered_posterior)
    with pytest.raises(InputError, match="has no draws; its dims are"):
        bs.to_dataframe(xr.Dataset({"L": ("N", [2.0, 3.0])}))
    several = xr.Dataset({"L": (("chain", "draw"), [[2.0, 3.0]]), "cost": ("candidate", [1.0, 2.0, 3.0])})
    with pytest.raises(InputError, match=r"No variable .* all its dims, chain, draw, candidate.* of L, cost at a time"):
        bs.to_dataframe(several)


def test_a_ratio_of_costs_has_no_unit(scattered_posterior):
    answer = bs.deviation(scattered_posterior, N=1e9, D=1e11)
    assert {"times median", "C_least median [FLOP]"} <= set(bs.to_dataframe(answer, summary=True).columns)
