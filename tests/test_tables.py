"""Tests of reading a table: every format gives the same rows, and what is no table is refused in words."""

import json

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bayescale.errors import InputError
from bayescale.tables import read_table


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet", ".jsonl", ".ndjson", ".json"])
def test_every_format_gives_the_same_table(tmp_path, suffix):
    expected = pd.DataFrame({"N": [1e6, 2e6], "L": [4.0, 3.9], "modality": ["text", "naïve, quoted"]})
    path = tmp_path / f"runs{suffix}"
    if suffix == ".parquet":
        expected.to_parquet(path)
    elif suffix in (".csv", ".tsv"):
        expected.to_csv(path, index=False, sep="," if suffix == ".csv" else "\t")
    else:
        path.write_text("\n".join(json.dumps(run) for run in expected.to_dict("records")), encoding="utf-8")
    pd.testing.assert_frame_equal(read_table(str(path)), expected)


def test_json_may_be_one_list_and_upper_case_suffixes_count(tmp_path):
    path = tmp_path / "runs.JSON"
    path.write_text('[\n{"N": "7B", "L": 2},\n{"N": 1e9, "L": 3}\n]', encoding="utf-8")
    assert read_table(path).to_dict("list") == {"N": ["7B", 1e9], "L": [2, 3]}


def test_byte_order_mark_is_no_part_of_a_name(tmp_path):
    path = tmp_path / "runs.csv"
    path.write_bytes(b"\xef\xbb\xbfN,L\n7e9,2\n8e9,3\n")
    assert list(read_table(path).columns) == ["N", "L"]


@given(numbers=st.lists(st.floats(1e-300, 1e300), min_size=2, max_size=5, unique=True))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_csv_loses_no_digit(tmp_path, numbers):
    path = tmp_path / "runs.csv"
    path.write_text("L\n" + "\n".join(map(repr, numbers)), encoding="utf-8")
    assert read_table(path)["L"].tolist() == numbers


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("runs.xlsx", b"PK", r"ends in '\.xlsx'. Give a table in \.csv, \.tsv, \.parquet"),
        ("runs", b"N,L\n1,2\n", "ends in ''"),
        ("runs.csv", b"", "is empty"),
        ("runs.csv", b"\n \n", "is empty"),
        ("runs.csv", b"\n<!DOCTYPE html><html></html>", "web page"),
        ("runs.jsonl", b"<html>", "web page"),
        ("runs.csv", b"N,L\n7e9,\xff\xfe\n", "not UTF-8"),
        ("runs.jsonl", b'{"N": "\xff"}', "not UTF-8"),
        ("runs.csv", b"N,N\n1e9,2\n2e9,3\n", "More than one column is called 'N'"),
        ("runs.csv", b"N, N\n1e9,2\n2e9,3\n", "More than one column is called 'N'"),
        ("runs.jsonl", b'{"N": 1, "N": 2}\n{"N": 1}', "More than one column is called 'N'"),
        ("runs.csv", b"N,L\n7e9,2,3\n8e9,2,3\n", "more fields than its header"),
        ("runs.csv", b"N,L\n7e9,2\n8e9,2,3\n", "cannot be read as a .csv"),
        ("runs.jsonl", b'{"N": 1}\n\n{"N": }\n', "Line 3 is not JSON"),
        ("runs.jsonl", b'{"N": 1}\n[1]\n', "Entry 2 has no named fields"),
        ("runs.json", b"[" * 100_000, "cannot be read as a .json"),
        ("runs.parquet", b"PAR1", "cannot be read as a .parquet"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path, name, content, words):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=words):
        read_table(path)


def test_missing_file_folder_and_stranger(tmp_path):
    with pytest.raises(InputError, match=r"no file .*absent\.csv"):
        read_table(tmp_path / "absent.csv")
    with pytest.raises(InputError, match="is a folder"):
        read_table(tmp_path)
    with pytest.raises(InputError, match="this is a dict"):
        read_table({"N": [1e9]})  # pyright: ignore[reportArgumentType]


def test_a_frame_is_copied_and_its_index_counts_anew():
    source = pd.DataFrame({"N": [1e6, 2e6]}, index=[7, 7])
    table = read_table(source)
    assert table.index.tolist() == [0, 1]
    table.loc[0, "N"] = 0.0
    assert source["N"].tolist() == [1e6, 2e6]


def test_two_columns_of_one_name_are_refused_in_a_frame():
    twice = pd.DataFrame([[1e9, 2.0], [2e9, 3.0]], columns=["N", "N"])
    with pytest.raises(InputError, match="More than one column is called 'N'"):
        read_table(twice)
