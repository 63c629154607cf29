"""Tests of the table of runs: what is read, what is filled in, what is refused and in which words."""

import hashlib
import json
import math
import time
import warnings
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bayescale.errors import BayescaleWarning, InputError
from bayescale.prior import REAL, UNIT
from bayescale.runs import KNOWN, check_runs, describe_runs, hash_runs, read_runs

INPUTS = {"N": "parameters", "D": "training tokens"}
LOSS = ("L", "loss")


def table(**columns: object) -> pd.DataFrame:
    """Six plausible runs, with columns replaced or added."""
    plain = {
        "N": [1e6, 2e6, 4e6, 8e6, 16e6, 32e6],
        "D": [3e7, 2e7, 9e7, 1e8, 4e8, 7e8],
        "L": [4.0, 3.9, 3.5, 3.3, 3.0, 2.8],
    }
    return pd.DataFrame(plain | columns)


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


class TestReadFiles:
    def test_csv_with_names_text_and_other_columns(self, tmp_path):
        path = write(tmp_path, "a.csv", 'n_params, tokens, L, seed\n7B,1.4T,2.0,1\n70 M,"1,000,000",3.5,2\n')
        runs = read_runs(path, N="n_params", D="tokens")
        assert list(runs.columns) == ["N", "D", "L", "seed", "C"]
        assert runs["N"].tolist() == [7e9, 7e7]
        assert runs["D"].tolist() == [1.4e12, 1e6]
        assert runs["C"].tolist() == [6 * 7e9 * 1.4e12, 6 * 7e7 * 1e6]
        assert runs["seed"].tolist() == [1, 2]
        assert all(runs[name].dtype == np.float64 for name in "NDLC")

    def test_text_and_numbers_may_mix_in_json(self, tmp_path):
        path = write(tmp_path, "runs.json", '[\n{"N": "7B", "L": 2},\n{"N": 1e9, "L": 3}\n]')
        assert read_runs(path)["N"].tolist() == [7e9, 1e9]

    def test_integers_do_not_overflow(self, tmp_path):
        path = write(tmp_path, "runs.csv", "N,D\n70000000000,1400000000000\n99999999999999999999999,1e24\n")
        assert read_runs(path)["C"].tolist() == pytest.approx([5.88e23, 6e47])

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("N,L\n", "0 rows"),
            ("N;L\n7e9;2\n8e9;3\n", "not semicolons"),
            ("N,N\n1e9,2\n2e9,3\n", "More than one column is called 'N'"),
        ],
    )
    def test_what_is_no_table_of_runs_is_refused(self, tmp_path, text, words):
        with pytest.raises(InputError, match=words):
            read_runs(write(tmp_path, "runs.csv", text))


class TestColumns:
    def test_source_is_not_changed(self):
        source = table(n=list("abcdef"))
        source.attrs["notes"] = ["Downloaded."]
        before = source.copy(deep=True)
        runs = read_runs(source, modality="n")
        pd.testing.assert_frame_equal(source, before)
        assert source.attrs == {"notes": ["Downloaded."]}
        assert runs.attrs["notes"][0] == "Downloaded."

    def test_notes_say_what_was_done(self):
        runs = read_runs(table(D=["30M", "20M", "90M", "0.1B", "0.4B", "0.7B"]).rename(columns={"N": "size"}), N="size")
        assert runs.attrs["notes"] == [
            "Column 'size' is read as 'N'.",
            "Text in column 'D' is read as numbers.",
            "C is filled in from C = 6 N D for 6 runs.",
        ]
        assert json.loads(json.dumps(runs.attrs)) == runs.attrs

    def test_mapped_column_wins_and_the_other_is_kept(self):
        own = [5.0, 6.0, 7.0, 8.0, 9.0, 10.0]
        runs = read_runs(table(val_loss=own), L="val_loss")
        assert runs["L"].tolist() == own
        assert runs["L_original"].tolist() == table()["L"].tolist()
        assert "The table's own column 'L' is kept as 'L_original'." in runs.attrs["notes"]

    def test_two_columns_may_trade_names(self):
        runs = read_runs(table(), N="D", D="N")
        assert runs["N"].tolist() == table()["D"].tolist()
        assert runs["D"].tolist() == table()["N"].tolist()
        assert "N_original" not in runs.columns

    def test_original_that_is_taken_is_refused(self):
        with pytest.raises(InputError, match="More than one column is called 'L_original'"):
            read_runs(table(L_original=1.0, val_loss=2.0), L="val_loss")

    def test_one_column_cannot_be_two(self):
        with pytest.raises(InputError, match="'size' is given for N, D"):
            read_runs(table(size=1e9), N="size", D="size")

    def test_mapped_text_of_numbers_becomes_numbers_and_other_text_stays(self):
        source = table(u=["1M", "2M", "3M", "4M", "5M", "6M"], kind=["1M", "2M", "code", "a", "b", "c"])
        runs = read_runs(source, unique="u", modality="kind")
        assert runs["unique"].tolist() == [1e6, 2e6, 3e6, 4e6, 5e6, 6e6]
        assert runs["modality"].tolist() == source["kind"].tolist()
        assert read_runs(source)["u"].tolist() == source["u"].tolist()

    def test_unknown_column_names_the_near_ones_and_all(self):
        with pytest.raises(InputError) as caught:
            read_runs(table(n_params=1e9), N="N_parms")
        assert "N='N_parms'" in str(caught.value)
        assert "Did you mean 'n_params'?" in str(caught.value)
        assert "It has: 'N', 'D', 'L', 'n_params'." in str(caught.value)

    def test_table_without_known_columns_is_asked_about_not_guessed(self):
        source = pd.DataFrame({"Model Size": [1e9, 2e9], "n_tokens": [1e9, 2e9], "final_loss": [1, 2], "x": [1, 2]})
        with pytest.raises(InputError) as caught:
            read_runs(source)
        assert "read_runs(..., N='Model Size', D='n_tokens', L='final_loss')" in str(caught.value)
        assert "It has: 'Model Size', 'n_tokens', 'final_loss', 'x'" in str(caught.value)

    def test_duplicate_names_and_levels_in_a_frame_are_refused(self):
        twice = pd.DataFrame([[1e9, 2.0], [2e9, 3.0]], columns=["N", "N"])
        with pytest.raises(InputError, match="More than one column is called 'N'"):
            read_runs(twice)
        with pytest.raises(InputError, match="2 levels"):
            read_runs(pd.DataFrame([[1e9], [2e9]], columns=pd.MultiIndex.from_tuples([("N", "total")])))

    def test_named_index_becomes_a_column_and_an_unnamed_one_goes(self):
        indexed = table(modality=list("aabbcc")).set_index("modality")
        assert read_runs(indexed)["modality"].tolist() == list("aabbcc")
        shuffled = table().set_axis([9, 9, 3, 2, 1, 0])
        assert read_runs(shuffled).index.tolist() == [0, 1, 2, 3, 4, 5]
        assert read_runs(shuffled)["N"].tolist() == table()["N"].tolist()

    def test_odd_choices_are_refused(self):
        with pytest.raises(InputError, match="Choose one of None, 'C', 'N', 'D'"):
            read_runs(table(), fill="L")  # pyright: ignore[reportArgumentType]
        with pytest.raises(InputError, match="Choose one of 'warn', 'keep', 'drop'"):
            read_runs(table(), duplicates="ignore")  # pyright: ignore[reportArgumentType]
        with pytest.raises(InputError, match="is not the name of a column"):
            read_runs(table(), N=3)  # pyright: ignore[reportArgumentType]


class TestValues:
    @pytest.mark.parametrize("name", ["N", "D", "C", "L"])
    @pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf, -math.inf, None])
    def test_runs_need_positive_finite_numbers(self, name, value):
        source = table(C=table()["N"] * table()["D"] * 6)
        source[name] = source[name].astype(object)
        source.loc[[2, 5], name] = value
        words = rf"'{name}' \({KNOWN[name].meaning}\) must be positive and finite; 2 of 6 rows are not"
        with pytest.raises(InputError, match=rf"{words} \(rows 3, 6;"):
            read_runs(source)

    @pytest.mark.parametrize("value", [-0.01, 1.01, 45.0, math.nan])
    def test_accuracy_is_a_share(self, value):
        with pytest.raises(InputError, match=r"between 0 and 1.*1 of 6 rows is not \(row 1;"):
            read_runs(table(accuracy=[value, 0.0, 1.0, 0.5, 0.5, 0.5]))

    def test_elo_may_be_negative_but_not_infinite(self):
        assert read_runs(pd.DataFrame({"elo": [-300, 0, 1200]}))["elo"].tolist() == [-300.0, 0.0, 1200.0]
        with pytest.raises(InputError, match=r"'elo' .*finite; 1 of 2 rows is not \(row 2;"):
            read_runs(pd.DataFrame({"elo": [1.0, math.inf]}))

    def test_text_that_is_no_number_is_named(self):
        with pytest.raises(InputError) as caught:
            read_runs(table(N=["1M", "small", "4M", "8M", "big", "32M"]))
        assert "Column 'N' (parameters) must be numbers; 2 of 6 rows are not (rows 2, 5;" in str(caught.value)
        assert "first 'small'" in str(caught.value)

    @pytest.mark.parametrize(
        "values",
        [
            [True] * 6,
            [True, 1.0, 1.0, 1.0, 1.0, 1.0],
            [1 + 1j] * 6,
            [[1.0]] * 6,
            pd.to_datetime(["2024-01-01"] * 6),
            pd.Series([True] * 6, dtype="boolean"),
        ],
        ids=["bool", "mixed", "complex", "list", "date", "nullable bool"],
    )
    def test_what_only_looks_like_a_number_is_refused(self, values):
        with pytest.raises(InputError, match=r"'L' \(loss\) must be numbers"):
            read_runs(table(L=values))

    @pytest.mark.parametrize(
        "values",
        [
            pd.Series([1, 2, 3, 4, 5, 6], dtype="Int64"),
            pd.Series([1, 2, 3, 4, 5, 6], dtype="float32"),
            pd.Series([1, 2, 3, 4, 5, 6], dtype="category"),
            pd.Series([1, 2, 3, 4, 5, 6], dtype="int64[pyarrow]"),
            [Decimal(1), 2, "3", 4.0, np.float32(5), np.int8(6)],
        ],
        ids=["nullable", "float32", "category", "arrow", "mixed"],
    )
    def test_numbers_in_any_storage_are_read(self, values):
        runs = read_runs(table(L=values))
        assert runs["L"].dtype == np.float64
        assert runs["L"].tolist() == [1, 2, 3, 4, 5, 6]

    def test_nullable_missing_is_missing(self):
        with pytest.raises(InputError, match=r"row 2.*first missing"):
            read_runs(table(L=pd.Series([1, None, 3, 4, 5, 6], dtype="Int64")))

    def test_long_lists_of_rows_are_cut(self):
        with pytest.raises(InputError, match=r"6 of 6 rows are not \(rows 1, 2, 3, 4, 5 and 1 more;"):
            read_runs(table(L=-1.0))


class TestCompute:
    def test_compute_is_filled_in_unasked_and_only_compute(self):
        assert read_runs(table())["C"].tolist() == [6 * n * d for n, d in zip(table()["N"], table()["D"], strict=True)]
        assert "D" not in read_runs(table(C=1e18).drop(columns="D")).columns

    @pytest.mark.parametrize("name", ["N", "D", "C"])
    def test_any_of_the_three_is_filled_in_when_asked(self, name):
        whole = table(C=6 * table()["N"] * table()["D"])
        runs = read_runs(whole.drop(columns=name), fill=name)
        np.testing.assert_allclose(runs[name], whole[name], rtol=1e-15)
        assert runs.attrs["notes"] == [f"{name} is filled in from C = 6 N D for 6 runs."]

    def test_fill_needs_the_column_away_and_the_others_there(self):
        with pytest.raises(InputError, match="has a column 'D', and fill='D'"):
            read_runs(table(), fill="D")
        with pytest.raises(InputError, match="fill='D' needs the columns N and C; the table has: 'N', 'L'"):
            read_runs(table().drop(columns="D"), fill="D")

    def test_a_product_too_large_is_refused(self):
        with pytest.raises(InputError, match=r"'C' \(training FLOP, from C = 6 N D\) must be positive and finite"):
            read_runs(table(N=1e200, D=1e200))

    def test_agreeing_compute_is_silent_up_to_a_factor_of_two(self):
        six = 6 * table()["N"] * table()["D"]
        assert read_runs(table(C=six * 2.0))["C"].tolist() == (six * 2.0).tolist()
        assert read_runs(table(C=six * 0.5))["C"].tolist() == (six * 0.5).tolist()

    def test_rows_that_disagree_are_counted(self):
        six = 6 * table()["N"] * table()["D"]
        with pytest.warns(BayescaleWarning, match=r"2 of 6 rows \(rows 2, 4;.*C / 6ND is 0.45 to 2.1\."):
            runs = read_runs(table(C=six * [1, 2.1, 1, 0.45, 1.5, 1]))
        assert runs["C"].iloc[1] == 2.1 * six[1]

    @pytest.mark.parametrize(("unit", "power"), [(1e6, 6), (1e9, 9)])
    def test_parameters_in_a_larger_unit_are_refused(self, unit, power):
        source = table(C=6 * table()["N"] * table()["D"], N=table()["N"] / unit)
        with pytest.raises(InputError, match=f"C is about 1e{power} times 6 N D.*N or D is probably in millions"):
            read_runs(source)

    def test_compute_in_a_larger_unit_is_refused(self):
        with pytest.raises(InputError, match=r"C is about 1e-15 times 6 N D.*multiply it by about 1e15"):
            read_runs(table(C=6 * table()["N"] * table()["D"] / 1e15))

    def test_a_factor_below_a_thousand_warns_and_one_above_raises(self):
        six = 6 * table()["N"] * table()["D"]
        with pytest.warns(BayescaleWarning, match="6 of 6 rows"):
            read_runs(table(C=six * 999))
        with pytest.raises(InputError, match="1e3 times"):
            read_runs(table(C=six * 1001))

    @pytest.mark.parametrize(
        ("columns", "sign"),
        [
            ({"N": [0.1, 0.2, 0.4, 1, 7, 70]}, "largest N is 70 parameters"),
            ({"D": [1, 2, 3, 4, 5, 999]}, "largest D is 999 tokens"),
            ({"D": [1e4] * 6, "N": [1e9] * 6}, "about 1e-5 tokens per parameter"),
            ({"D": [1e11] * 6, "N": [1e3] * 6}, "about 1e8 tokens per parameter"),
        ],
    )
    def test_implausible_units_are_doubted(self, columns, sign):
        with pytest.warns(BayescaleWarning, match=f"looks as if in billions.*{sign}"):
            read_runs(table(**columns))

    def test_published_sizes_are_not_doubted(self):
        runs = read_runs(pd.DataFrame({"N": ["70B", "280B"], "D": ["1.4T", "300B"]}))
        assert runs["C"].tolist() == pytest.approx([5.88e23, 5.04e23])

    def test_warnings_point_at_the_caller(self):
        with pytest.warns(BayescaleWarning) as caught:
            read_runs(table(N=7.0))
        assert [warning.filename for warning in caught] == [__file__]


class TestCopies:
    source = pd.concat([table(), table().iloc[[1, 4]]], ignore_index=True)

    def test_copies_warn_and_stay(self):
        with pytest.warns(BayescaleWarning, match=r"2 rows are exact copies of others \(first: row 7;"):
            runs = read_runs(self.source)
        assert len(runs) == 8

    def test_copies_may_be_kept_in_silence_or_dropped_with_a_note(self):
        assert len(read_runs(self.source, duplicates="keep")) == 8
        runs = read_runs(self.source, duplicates="drop")
        assert runs["N"].tolist() == table()["N"].tolist()
        assert runs.index.tolist() == [0, 1, 2, 3, 4, 5]
        assert runs.attrs["notes"][-1] == "2 rows dropped: copies of other rows."

    def test_a_row_that_differs_anywhere_is_no_copy(self):
        assert len(read_runs(self.source.assign(seed=range(8)), duplicates="drop")) == 8

    def test_a_row_counter_without_a_name_hides_no_copy(self, tmp_path):
        path = tmp_path / "runs.csv"
        self.source.to_csv(path)
        assert len(read_runs(path, duplicates="drop")) == 6

    def test_cells_that_are_lists_compare(self):
        tagged = self.source.assign(tags=[["a"], ["b"], ["c"], ["d"], ["e"], ["f"], ["b"], ["changed"]])
        assert len(read_runs(tagged, duplicates="drop")) == 7
        assert len(read_runs(self.source.assign(tags=[["a"]] * 8), duplicates="drop")) == 6

    def test_copies_of_one_run_are_refused(self):
        with pytest.raises(InputError, match="All 3 rows are copies of one run"):
            read_runs(table().iloc[[0, 0, 0]], duplicates="drop")


class TestCheckRuns:
    def test_gives_floats_in_order_and_keeps_the_rest(self):
        source = table(N=[1, 2, 4, 8, 16, 32], modality=list("abcdef")).set_axis([5, 5, 4, 3, 2, 1])
        source.attrs["notes"] = ["Kept."]
        checked = check_runs(source, INPUTS, LOSS)
        assert checked["N"].dtype == np.float64
        assert checked["N"].tolist() == [1, 2, 4, 8, 16, 32]
        assert checked["modality"].tolist() == list("abcdef")
        assert checked.index.tolist() == [0, 1, 2, 3, 4, 5]
        assert checked.attrs == {"notes": ["Kept."]}
        assert source["N"].dtype == np.int64

    def test_missing_column_names_its_likely_stand_in(self):
        with pytest.raises(InputError, match=r"no column 'N' \(parameters\).*read_runs\(\.\.\., N='n_params'\)"):
            check_runs(table().rename(columns={"N": "n_params"}), INPUTS, LOSS)
        with pytest.raises(InputError, match=r"no column 'epochs' \(epochs\).*epochs='your_column'"):
            check_runs(table(), INPUTS | {"epochs": "epochs"}, LOSS)

    @pytest.mark.parametrize(("missing", "suggests"), [("D", True), ("L", False)])
    def test_missing_tokens_with_compute_there_suggest_fill(self, missing, suggests):
        with pytest.raises(InputError) as caught:
            check_runs(table(C=1e15).drop(columns=missing), INPUTS, LOSS)
        assert (f"fill='{missing}'" in str(caught.value)) is suggests

    def test_text_is_sent_to_read_runs(self):
        with pytest.raises(InputError, match=r"'N' \(parameters\) must be numbers.*first '1M'.*read_runs"):
            check_runs(table(N="1M"), INPUTS, LOSS)
        with pytest.raises(InputError, match="must be numbers"):
            check_runs(table(L=[True, False] * 3), INPUTS, LOSS)

    @pytest.mark.parametrize(("name", "value"), [("N", 0.0), ("D", -1.0), ("N", math.nan), ("L", 0.0), ("L", math.inf)])
    def test_values_are_checked_again(self, name, value):
        source = table()
        source.loc[3, name] = value
        with pytest.raises(InputError, match=rf"'{name}'.*positive and finite; 1 of 6 rows is not \(row 4;"):
            check_runs(source, INPUTS, LOSS)

    def test_each_output_has_its_own_range(self):
        rating = ("elo", "Elo rating")
        elo = check_runs(table(elo=[-1.0, 0, 1, 2, 3, 4]), INPUTS, rating, support=REAL)
        assert elo["elo"].tolist() == [-1, 0, 1, 2, 3, 4]
        with pytest.raises(InputError, match="between 0 and 1"):
            check_runs(table(accuracy=50.0), INPUTS, ("accuracy", "accuracy"), support=UNIT)
        shares = table(accuracy=[0.0, 0.2, 0.4, 0.6, 0.8, 1.0])
        share = check_runs(shares, INPUTS, ("accuracy", "accuracy"), support=UNIT)
        assert share["accuracy"].tolist() == [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
        with pytest.raises(InputError, match=r"'elo'.*positive and finite"):
            check_runs(table(elo=[-1.0, 0, 1, 2, 3, 4]), INPUTS, rating)

    def test_an_input_that_is_shifted_may_be_negative(self):
        dates = table(date=[-2.0, -1, 0, 1, 2, 3])
        checked = check_runs(dates, INPUTS | {"date": "release"}, LOSS, signed=["date"])
        assert checked["date"].tolist() == [-2, -1, 0, 1, 2, 3]
        with pytest.raises(InputError, match=r"'date'.*positive and finite"):
            check_runs(dates, INPUTS | {"date": "release"}, LOSS)
        with pytest.raises(InputError, match=r"'N'.*positive and finite"):
            check_runs(table(N=-1.0), INPUTS, LOSS, signed=["date"])
        with pytest.raises(InputError, match=r"'date'.*finite"):
            check_runs(table(date=math.nan), INPUTS | {"date": "release"}, LOSS, signed=["date"])

    def test_too_few_or_equal_runs_are_refused(self):
        with pytest.raises(InputError, match="has 1 run"):
            check_runs(table().head(1), INPUTS, LOSS)
        with pytest.raises(InputError, match="has 0 runs"):
            check_runs(table().head(0), INPUTS, LOSS)
        with pytest.raises(InputError, match="All 6 runs are equal in N, D, L"):
            check_runs(table(N=1e6, D=1e7, L=3.0, seed=range(6)), INPUTS, LOSS)
        with pytest.raises(InputError, match="must be a DataFrame, not a list"):
            check_runs([], INPUTS, LOSS)  # pyright: ignore[reportArgumentType]

    def test_groups_must_be_there_and_whole(self):
        with pytest.raises(InputError, match=r"no column 'modality' \(group\)"):
            check_runs(table(), INPUTS, LOSS, ["modality"])
        with pytest.raises(InputError, match=r"'modality' is missing in 2 of 6 rows \(rows 2, 6;"):
            check_runs(table(modality=["a", None, "a", "a", "a", math.nan]), INPUTS, LOSS, ["modality"])
        with pytest.raises(InputError, match="values of type list"):
            check_runs(table(modality=[["a"]] * 6), INPUTS, LOSS, ["modality"])
        with pytest.raises(InputError, match=r"'modality' is missing in 1 of 6 rows \(row 2;"):
            check_runs(table(modality=["a", Decimal("sNaN"), "a", "a", "a", "a"]), INPUTS, LOSS, ["modality"])

    def test_an_input_that_never_varies_is_named_once(self):
        with pytest.warns(BayescaleWarning) as caught:
            check_runs(table(D=1e9, modality="a"), INPUTS, LOSS, ["modality"])
        assert len(caught) == 1
        message = str(caught[0].message)
        assert message.startswith("Column 'D' (training tokens) does not vary in these 6 runs:")
        assert "prior" in message

    def test_an_input_constant_within_a_group_is_named_with_the_group(self):
        source = pd.concat([table(modality="code", D=1e9), table(modality="text")])
        with pytest.warns(BayescaleWarning) as caught:
            check_runs(source, INPUTS, LOSS, ["modality"])
        assert len(caught) == 1
        assert "Column 'D' (training tokens) does not vary within group 'code':" in str(caught[0].message)

    def test_small_groups_are_listed_and_a_single_run_is_not_called_constant(self):
        source = pd.concat([table(modality="text"), table(modality="code").head(4), table(modality="dna").head(1)])
        with pytest.warns(BayescaleWarning) as caught:
            check_runs(source, INPUTS, LOSS, ["modality"])
        assert len(caught) == 1
        assert "Fewer than 5 runs in groups 'code' (4), 'dna' (1):" in str(caught[0].message)

    def test_five_runs_are_enough_and_four_are_doubted(self):
        assert len(check_runs(table().head(5), INPUTS, LOSS)) == 5
        with pytest.warns(BayescaleWarning, match="only 4 runs"):
            check_runs(table().head(4), INPUTS, LOSS)

    def test_crossed_groups_count_together(self):
        source = pd.concat([table(modality="text"), table(modality="code")]).assign(shots=[0] * 6 + [1] * 5 + [0])
        with pytest.warns(BayescaleWarning, match=r"in group 'code / 0' \(1\):"):
            check_runs(source, INPUTS, LOSS, ["modality", "shots"])


class TestDescribeRuns:
    def test_one_line_in_all(self):
        lines = describe_runs(pd.DataFrame({"N": [2e6, 8e6], "L": [1.0, 9.0]}), {"N": "parameters"}, LOSS)
        assert lines.index.tolist() == ["all runs"]
        expected = [2, 2e6, 4e6, 8e6, 1.0, 3.0, 9.0]  # geometric means: sqrt(2 * 8) and sqrt(1 * 9)
        names = ["N_min", "N_geometric_mean", "N_max", "L_min", "L_geometric_mean", "L_max"]
        assert lines.columns.tolist() == ["runs", *names]
        np.testing.assert_allclose(lines.iloc[0].astype(float), expected, rtol=1e-12)

    def test_one_line_per_group_in_order_of_appearance(self):
        source = pd.DataFrame({"N": [3e6, 1e6, 4e6], "elo": [-5.0, 0.0, 15.0], "modality": ["text", "code", "text"]})
        lines = describe_runs(source, {"N": "parameters"}, ("elo", "Elo rating"), ["modality"], support=REAL)
        assert lines.index.tolist() == ["text", "code"]
        assert lines["runs"].tolist() == [2, 1]
        assert lines["N_max"].tolist() == [4e6, 1e6]
        assert lines["elo_mean"].tolist() == [5.0, 0.0]

    def test_a_mean_of_numbers_near_the_largest_float(self):
        lines = describe_runs(pd.DataFrame({"N": [1.0, 2.0], "elo": [1.6e308, 1.4e308]}), {"N": "x"}, ("elo", "Elo"))
        assert lines["elo_mean"].tolist() == pytest.approx([1.5e308])


class TestHashRuns:
    source = table(modality=["a", None, "c", "d", "e", "f"], seed=range(6), odd=[1.0, math.nan, 0.0, 1.0, 2.0, 3.0])

    def test_is_a_sha256_that_content_alone_decides(self):
        order = ["odd", "seed", "L", "modality", "D", "N"]
        same = self.source.reindex(columns=order).set_axis(list("uvwxyz"))
        same.attrs["notes"] = ["Something."]
        same["seed"] = same["seed"].astype("float64")
        same["modality"] = same["modality"].astype(object)
        same["odd"] = pd.array([1.0, None, -0.0, 1.0, 2.0, 3.0], dtype="Float64")
        assert hash_runs(same) == hash_runs(self.source)
        assert len(hash_runs(self.source)) == hashlib.sha256().digest_size * 2
        int(hash_runs(self.source), 16)

    @pytest.mark.parametrize(
        "change",
        [
            lambda runs: runs.iloc[::-1],
            lambda runs: runs.head(5),
            lambda runs: runs.rename(columns={"seed": "run"}),
            lambda runs: runs.drop(columns="seed"),
            lambda runs: runs.assign(N=runs["N"] * (1 + 1e-15)),
            lambda runs: runs.assign(modality=["a", "None", "c", "d", "e", "f"]),
            lambda runs: runs.assign(modality=["a", None, "c", "d", "e", "g"]),
            lambda runs: runs.assign(odd=runs["odd"].fillna(0.0)),
            lambda runs: runs.assign(N=runs["D"], D=runs["N"]),
        ],
    )
    def test_any_change_changes_it(self, change):
        assert hash_runs(change(self.source)) != hash_runs(self.source)

    def test_integers_beyond_a_float_are_told_apart(self):
        one, other = (pd.DataFrame({"seed": [2**60, 2**60 + k]}) for k in (1, 2))
        assert hash_runs(one) != hash_runs(other)

    def test_a_signalling_nan_is_missing_like_any_other(self):
        one, other = (pd.DataFrame({"tag": ["a", nan]}) for nan in (Decimal("sNaN"), Decimal("NaN")))
        assert hash_runs(one) == hash_runs(other)

    def test_survives_a_file(self, tmp_path):
        self.source.to_csv(tmp_path / "runs.csv", index=False)
        assert hash_runs(pd.read_csv(tmp_path / "runs.csv")) == hash_runs(self.source)


def quietly(verb, *arguments, **options):
    """Result of a verb, or None where it refuses in words; any other error or warning is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", BayescaleWarning)
        try:
            return verb(*arguments, **options)
        except InputError:
            return None


CELLS = st.one_of(
    st.floats(),
    st.floats(1e-3, 1e12),
    st.integers(),
    st.booleans(),
    st.none(),
    st.text(max_size=5),
    st.sampled_from(["7B", "1.4T", "3e9", "70 M", "1e400", pd.NA, pd.NaT, np.float32(2), Decimal("sNaN"), 10**400]),
    st.lists(st.integers(), max_size=2),
    st.complex_numbers(),
)
NUMBERS = st.floats(min_value=0, exclude_min=True, allow_infinity=False)
NAMES = st.sampled_from(["N", "D", "C", "L", "accuracy", "elo", "loss", "group", "N_original", "Unnamed: 0"])


@st.composite
def frames(draw, cells=CELLS):
    names = draw(st.lists(NAMES, max_size=6))
    n = draw(st.integers(0, 4))
    cells = st.one_of(st.just(cells), st.just(NUMBERS))
    columns = [draw(st.lists(draw(cells), min_size=n, max_size=n)) for _ in names]
    frame = pd.DataFrame({i: pd.Series(column, dtype=object) for i, column in enumerate(columns)})
    return draw(st.sampled_from([frame, frame.infer_objects()])).set_axis(names, axis=1)


class TestAnyTable:
    @given(
        frames(),
        st.sampled_from([None, "C", "N", "D"]),
        st.sampled_from(["warn", "keep", "drop"]),
        st.dictionaries(NAMES, NAMES, max_size=3),
    )
    @settings(max_examples=300, deadline=None)
    def test_is_read_or_refused_in_words(self, frame, fill, duplicates, columns):
        runs = quietly(read_runs, frame, fill=fill, duplicates=duplicates, **columns)
        if runs is None:
            return
        assert 1 <= len(runs) <= len(frame)
        for name in KNOWN.keys() & set(runs.columns):
            assert runs[name].dtype == np.float64
            assert np.isfinite(runs[name]).all()
        json.dumps(runs.attrs["notes"], allow_nan=False)
        assert hash_runs(runs) == hash_runs(runs.copy())

    @given(frames(), st.lists(st.sampled_from(["N", "D", "C"]), unique=True), NAMES, st.lists(NAMES, max_size=2))
    @settings(max_examples=300, deadline=None)
    def test_is_checked_or_refused_in_words(self, frame, inputs, output, groups):
        arguments = (frame, {name: KNOWN[name].meaning for name in inputs}, (output, output), groups)
        checked = quietly(check_runs, *arguments)
        if checked is not None:
            assert len(checked) == len(frame)
            assert describe_runs(*arguments)["runs"].tolist() == describe_runs(checked, *arguments[1:])["runs"].tolist()
            assert describe_runs(*arguments)["runs"].to_numpy().sum() == len(frame)

    @given(
        st.sampled_from([".csv", ".tsv", ".json", ".parquet"]),
        st.one_of(
            st.binary(max_size=60),
            st.text('NDCL,\t\n"17e.[]{}:;# ', max_size=60).map(str.encode),
            st.text(max_size=40).map(lambda text: ("N,L\n7B,2\n8B,3\n" + text).encode(errors="replace")),
        ),
    )
    @settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_any_bytes_are_read_or_refused_in_words(self, tmp_path, suffix, content):
        path = tmp_path / f"runs{suffix}"
        path.write_bytes(content)
        runs = quietly(read_runs, path)
        assert runs is None or len(runs) >= 1


def test_a_hundred_thousand_runs_take_about_a_second(tmp_path):
    n = 100_000
    rng = np.random.default_rng(1)
    sizes = [f"{size:.3f}B" for size in rng.uniform(1, 9, n)]
    source = pd.DataFrame({"N": sizes, "D": rng.uniform(1e9, 1e12, n), "L": rng.uniform(2, 3, n)})
    source.to_csv(tmp_path / "runs.csv", index=False)
    start = time.perf_counter()
    runs = read_runs(tmp_path / "runs.csv")
    check_runs(runs, INPUTS, LOSS)
    hash_runs(runs)
    assert time.perf_counter() - start < 5  # a tenth of it on an idle machine; a loop over frames would take minutes
