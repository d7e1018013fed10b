"""YAML's scalars mean what they mean to Kubernetes: the answers are goyaml v2's, then encoding/json's."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podward.documents.yaml import scalars

WORDS = {
    None: ["", "~", "null", "Null", "NULL"],
    True: ["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"],
    False: ["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"],
}
NUMBERS: dict[str, float] = {
    "0": 0,
    "-0": 0,
    "+5": 5,
    "-5": -5,
    "685_230": 685230,
    "+685_230": 685230,
    "1_": 1,
    "0_1": 1,
    "1__0": 10,
    "0644": 420,
    "0o644": 420,
    "0O17": 15,
    "00": 0,
    "08": 8,
    "0b11": 3,
    "-0b101010": -42,
    "0b-11": -3,
    "0b+11": 3,
    "0x1f": 31,
    "0X1F": 31,
    "0x_0A_74_AE": 685230,
    "02472256": 685230,
    "9223372036854775807": 2**63 - 1,
    "-9223372036854775808": -(2**63),
    "18446744073709551615": 2**64 - 1,
    "18446744073709551616": 2**64,
    "1.0": 1,
    "5.": 5,
    "5.e3": 5000,
    "1e3": 1000,
    "1E+3": 1000,
    "6.8523e+5": 685230,
    "685.230_15e+03": 685230.15,
    ".5": 0.5,
    "-.5": -0.5,
    "+.5": 0.5,
    "1.5": 1.5,
    "1e20": 10**20,
    "1e21": 1e21,
    "-0.0": 0,
    "123456e1": 1234560,
}
STRINGS = [
    "yEs",
    "tRue",
    "nUll",
    "~a",
    "_1",
    "-",
    "+",
    ".",
    "..5",
    ".5_1",
    "0x",
    "0b",
    "0b-",
    "0b-2",
    "-0b-1",
    "0B-1",
    "0o8",
    "0b2",
    "1e",
    "e3",
    "-+5",
    "1.2.3",
    "1e999",
    "-1e999",
    "0xFFFFFFFFFFFFFFFFF",
    "12:30:45",
    "190:20:30.15",
    "2001-01-01",
    "2015-02-24T18:19:39Z",
    ".Nan",
    "infinity",
    "nan",
    "\u0663",
    "0.1.1",
    "-b_c",
    "50cent_of_dollar",
    "<<",
    "=",
    "1Gi",
    "100m",
]


@pytest.mark.parametrize(("value", "text"), [(value, text) for value, texts in WORDS.items() for text in texts])
def test_words_are_null_and_booleans(value: object, text: str) -> None:
    assert scalars.plain(text) is value


@pytest.mark.parametrize(("text", "value"), NUMBERS.items())
def test_numbers(text: str, value: float) -> None:
    read = scalars.plain(text)
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize("text", STRINGS)
def test_what_only_looks_special_is_a_string(text: str) -> None:
    assert scalars.plain(text) == text


@pytest.mark.parametrize("text", [".inf", ".Inf", "+.INF", "-.inf", ".nan", ".NaN"])
def test_what_json_cannot_write_is_refused(text: str) -> None:
    with pytest.raises(scalars.ScalarError, match="no JSON value"):
        scalars.plain(text)


@pytest.mark.parametrize(
    ("tag", "text", "value"),
    [
        ("str", "12", "12"),
        ("str", "yes", "yes"),
        ("int", "0x10", 16),
        ("float", "1", 1),
        ("float", "1.5", 1.5),
        ("bool", "on", True),
        ("null", "", None),
        ("timestamp", "2015-01-01", "2015-01-01"),
        ("binary", "aGVsbG8=", "hello"),
        ("binary", "aGVs\nbG8=\n", "hello"),
    ],
)
def test_tags_are_obeyed(tag: str, text: str, value: object) -> None:
    read = scalars.tagged(f"tag:yaml.org,2002:{tag}", text)
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize(
    ("tag", "text"),
    [
        ("int", "x"),
        ("int", "1.5"),
        ("int", "1.0"),
        ("bool", "1"),
        ("null", "x"),
        ("float", "x"),
        ("binary", "?"),
        ("timestamp", "x"),
    ],
)
def test_a_scalar_that_contradicts_its_tag_is_refused(tag: str, text: str) -> None:
    with pytest.raises(scalars.ScalarError):
        scalars.tagged(f"tag:yaml.org,2002:{tag}", text)


def test_unknown_tags_leave_a_string() -> None:
    assert scalars.tagged("!mine", "12") == "12"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("yes", "true"),
        ("off", "false"),
        ("0x10", "16"),
        ("0644", "420"),
        ("1.5", "1.5"),
        ("1.0", "1"),
        ("1e6", "1e+06"),
        ("123456.0", "123456"),
        ("0.0001", "0.0001"),
        ("0.00001", "1e-05"),
        ("-0.0", "-0"),
        ("0.1", "0.1"),
        ("16777217.0", "1.6777216e+07"),
        ("1e300", ".inf"),
        ("-1e300", "-.inf"),
        ("a", "a"),
        ("3.4028235e38", "3.4028235e+38"),
    ],
)
def test_keys_become_strings(text: str, key: str) -> None:
    assert scalars.key(scalars.plain(text), text) == key


@pytest.mark.parametrize("text", ["~", "", "18446744073709551615"])
def test_some_scalars_are_no_keys(text: str) -> None:
    with pytest.raises(scalars.ScalarError):
        scalars.key(scalars.plain(text), text)


@given(st.integers(-(2**63), 2**64 - 1))
def test_an_integer_reads_back_in_every_base(number: int) -> None:
    assert scalars.plain(str(number)) == number
    if number >= 0:
        assert [scalars.plain(text) for text in (hex(number), oct(number), bin(number), f"0{number:o}")] == [number] * 4


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_reads_back(number: float) -> None:
    assert scalars.plain(repr(number)) == number


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_key_reads_back_as_the_same_32_bit_float(number: float) -> None:
    text = scalars.key(scalars.plain(repr(number)), repr(number))
    assert struct.pack("f", float(text)) == struct.pack("f", number)


@given(st.text(alphabet="0123456789abcdefxobXOBE_+-.~yYnNtTiI", max_size=12) | st.text(max_size=12))
def test_any_text_is_something(text: str) -> None:
    try:
        value = scalars.plain(text)
    except scalars.ScalarError:
        assert "." in text
    else:
        assert value is None or isinstance(value, bool | int | float | str)
