"""Tests of numbers as people write them: what is read, and what is refused."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayescale.errors import InputError
from bayescale.numerals import parse_number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("7B", 7_000_000_000),
        ("7b", 7_000_000_000),
        ("7G", 7_000_000_000),
        ("1.4T", 1_400_000_000_000),
        ("70 M", 70_000_000),
        ("350k", 350_000),
        ("350K", 350_000),
        (" 3e9 ", 3_000_000_000),
        ("2.5E+21", 2.5e21),
        ("1,000,000", 1_000_000),
        ("1,234.5", 1234.5),
        ("70_000_000", 70_000_000),
        (".5M", 500_000),
        ("5.", 5),
        ("-2.5k", -2500),
        ("0", 0),
    ],
)
def test_reads_what_people_write(text, number):
    assert parse_number(text) == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "B",
        "seven",
        "7Q",
        "7BB",
        "7 B B",
        "1,5",
        "1,0000",
        "1,000,00",
        "1e",
        "e9",
        "1e3k",
        "0x10",
    ],
)
def test_refuses_what_is_no_number(text):
    with pytest.raises(InputError, match=r"is not a number\. Write it like 7B"):
        parse_number(text)


@pytest.mark.parametrize("text", ["nan", "inf", "7B tokens", "45%", "1.2.3", "--1", "٧", "7\u212a"])
def test_refuses_what_python_or_unicode_might_read(text):
    with pytest.raises(InputError, match=r"is not a number\. Write it like 7B"):
        parse_number(text)


@pytest.mark.parametrize("text", ["1e999", "9" * 400, "1" * 300 + "T"])
def test_refuses_what_a_float_cannot_hold(text):
    with pytest.raises(InputError, match="too large"):
        parse_number(text)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_any_printed_float_comes_back(number):
    assert parse_number(repr(number)) == number


@given(st.integers(-(10**25), 10**25))
def test_thousands_may_be_grouped(number):
    assert parse_number(f"{number:,}") == float(number)
    assert parse_number(f"{number:_}") == float(number)


@given(
    st.decimals(0, 10_000, places=4),
    st.sampled_from(["", " "]),
    st.sampled_from([("k", 3), ("K", 3), ("m", 6), ("M", 6), ("b", 9), ("B", 9), ("G", 9), ("t", 12), ("T", 12)]),
)
def test_a_suffix_is_an_exact_power_of_ten(number, space, suffix):
    letter, power = suffix
    assert parse_number(f"{number}{space}{letter}") == float(number * Decimal(10) ** power)
