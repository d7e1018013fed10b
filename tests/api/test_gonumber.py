"""Whole numbers, and what is none, as Go's strconv has them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podward.api.gonumber import parse_int, parse_uint

SYNTAX, RANGE = "invalid syntax", "value out of range"


@pytest.mark.parametrize(
    ("text", "signed", "unsigned"),
    [
        ("0", 0, 0),
        ("007", 7, 7),
        ("-5", -5, SYNTAX),
        ("+5", 5, SYNTAX),
        ("9223372036854775807", (1 << 63) - 1, (1 << 63) - 1),
        ("9223372036854775808", RANGE, 1 << 63),
        ("-9223372036854775808", -(1 << 63), SYNTAX),
        ("-9223372036854775809", RANGE, SYNTAX),
        ("18446744073709551615", RANGE, (1 << 64) - 1),
        ("18446744073709551616", RANGE, RANGE),
        ("9" * 5000, RANGE, RANGE),
        ("0" * 5000 + "1", 1, 1),
        ("", SYNTAX, SYNTAX),
        ("-", SYNTAX, SYNTAX),
        ("1_0", SYNTAX, SYNTAX),
        (" 1", SYNTAX, SYNTAX),
        ("٣", SYNTAX, SYNTAX),
        ("0x1", SYNTAX, SYNTAX),
    ],
)
def test_numbers_are_read_as_go_reads_them(text: str, signed: int | str, unsigned: int | str) -> None:
    for function, found, wanted in (
        ("ParseInt", parse_int(text), signed),
        ("ParseUint", parse_uint(text), unsigned),
    ):
        if isinstance(wanted, str):
            assert isinstance(found, str)
            assert found.startswith(f"strconv.{function}: parsing ")
            assert found.endswith(f": {wanted}")
        else:
            assert found == wanted


@given(st.integers(-(1 << 70), 1 << 70))
def test_what_fits_is_read_and_what_does_not_is_not(number: int) -> None:
    assert (
        parse_int(str(number)) == number if -(1 << 63) <= number < 1 << 63 else isinstance(parse_int(str(number)), str)
    )
