"""Quantities as the API server and the kubelet read, round and write them; what is expected is what Go answered."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as some

from podward.api.quantity import FORMAT_WRONG, NUMERIC_WRONG, SUFFIX_WRONG, QuantityError, parse
from podward.schema.scalars import is_quantity


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("1", "1"),
        ("0", "0"),
        ("-1", "-1"),
        ("+1", "+1"),
        ("100m", "100m"),
        ("1000m", "1"),
        ("1500m", "1500m"),
        ("0.5", "500m"),
        ("0.0001", "100u"),
        ("1Gi", "1Gi"),
        ("1024Mi", "1Gi"),
        ("1.5Gi", "1536Mi"),
        ("0.5Ki", "512"),
        ("1000", "1k"),
        ("1000k", "1M"),
        ("1e3", "1e3"),
        ("1000e3", "1e6"),
        ("1E", "1E"),
        ("1n", "1n"),
        ("0.1n", "1n"),
        ("010", "010"),
        (" 1\u3000", "1"),
        ("1e4294967299", "1e4294967299"),
        ("1000e4294967299", "1e6"),
        ("1e1001", "100e999"),
        ("9Ei", "9223372036854775807"),
        ("12345678901234567890k", "12345678901234567890k"),
    ],
)
def test_a_quantity_is_written_canonically_or_kept_as_the_server_keeps_it(written: str, canonical: str) -> None:
    assert str(parse(written)) == canonical


@pytest.mark.parametrize(
    ("written", "units"),
    [
        ("0", 0), ("1", 10**9), ("1.5", 15 * 10**8), ("100m", 10**8), ("0.1", 10**8), (".5", 5 * 10**8), ("1.", 10**9),
        ("1Ki", 1024 * 10**9), ("1.5Gi", (3 << 29) * 10**9), ("2Pi", (2 << 50) * 10**9), ("1E", 10**27),
        ("1E3", 10**12), ("1e+3", 10**12), ("12e-3", 12 * 10**6), ("1.e2", 10**11), ("5e0", 5 * 10**9), ("1u", 1000),
        ("7n", 7), ("0.9n", 1), ("-0.1n", -1), ("-3", -3 * 10**9), ("007", 7 * 10**9),
        ("18446744073709551616", (1 << 64) * 10**9),
        ("8Ei", ((1 << 63) - 1) * 10**9), ("-9Ei", -((1 << 63) - 1) * 10**9), ("1e4294967296", 10**9),
    ],
)  # fmt: skip
def test_a_quantity_is_kept_in_billionths(written: str, units: int) -> None:
    assert parse(written).units == units


@pytest.mark.parametrize(
    ("written", "value", "milli"),
    [
        ("1m", 1, 1), ("-1m", -1, -1), ("1500u", 1, 2), ("9Ei", (1 << 63) - 1, -1000), ("9E", 9 * 10**18, 0),
        ("10E", 0, 0), ("100000000000000000", 10**17, 7766279631452241920), ("200000000000G", -2914184810805067776, 0),
        ("717246219592.T", 0, 0), ("1e1001", 0, 0), ("12345678901234567890", -6101065172474983726, 4807115922877858896),
    ],
)  # fmt: skip
def test_what_64_bits_cannot_hold_comes_out_as_in_go(written: str, value: int, milli: int) -> None:
    assert (parse(written).value, parse(written).milli_value) == (value, milli)


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("", FORMAT_WRONG), ("  ", FORMAT_WRONG), ("x", FORMAT_WRONG), ("1 Mi", FORMAT_WRONG), ("lots", FORMAT_WRONG),
        ("1,5", FORMAT_WRONG), ("1..5", FORMAT_WRONG), ("1.5.5", FORMAT_WRONG), ("0x10", FORMAT_WRONG),
        ("NaN", FORMAT_WRONG), ("1MB", FORMAT_WRONG), ("1KiB", FORMAT_WRONG), ("1e1.5", FORMAT_WRONG),
        ("true", FORMAT_WRONG), ("\u0663", FORMAT_WRONG), ("1\n", FORMAT_WRONG), ("\t1", FORMAT_WRONG),
        ("--1", SUFFIX_WRONG), ("1mi", SUFFIX_WRONG), ("1K", SUFFIX_WRONG), ("1kk", SUFFIX_WRONG), ("1e", SUFFIX_WRONG),
        ("1i", SUFFIX_WRONG), ("1Ki2", SUFFIX_WRONG), ("1e9223372036854775808", SUFFIX_WRONG),
        ("Ei", NUMERIC_WRONG), ("Pi", NUMERIC_WRONG), ("9" * 5000, NUMERIC_WRONG),
    ],
)  # fmt: skip
def test_what_is_no_quantity_gets_kubernetes_sentence(written: str, sentence: str) -> None:
    with pytest.raises(QuantityError) as caught:
        parse(written)
    assert str(caught.value) == sentence
    assert not is_quantity(written)


@pytest.mark.parametrize("written", ["Ki", "-", ".", "m", "Ti"])
def test_a_quantity_without_digits_is_zero_where_kubernetes_reads_it_so(written: str) -> None:
    assert parse(written).units == 0


def test_resources_are_rounded_up_to_thousandths() -> None:
    assert str(parse("0.1m").rounded_to_milli()) == "1m"
    assert str(parse("-0.1m").rounded_to_milli()) == "-1m"
    assert str(parse("1.0001").rounded_to_milli()) == "1001m"


@given(some.integers(-(10**12), 10**12), some.sampled_from(["", "m", "k", "M", "Ki", "Mi", "u", "n"]))
def test_the_canonical_form_means_the_same_and_is_canonical(number: int, suffix: str) -> None:
    once = parse(f"{number}{suffix}")
    again = parse(str(once))
    assert again.units == once.units
    assert str(again) == str(once)


@given(some.text(max_size=12))
def test_any_text_is_read_or_refused(text: str) -> None:
    read = False
    with suppress(QuantityError):
        read = bool(str(parse(text)))
    assert is_quantity(text) == read


def test_a_huge_exponent_costs_nothing() -> None:
    assert parse("1e999999999").units > 0
    assert parse("1e-999999999").units == 1


@pytest.mark.parametrize(
    ("first", "second", "total"),
    [
        ("1Gi", "500m", "1073741824500m"),
        ("0", "1Gi", "1Gi"),
        ("1", "1Ki", "1025"),
        ("1e3", "1", "1001"),
        ("1k", "1k", "2k"),
    ],
)
def test_a_sum_has_the_form_of_its_first_part_unless_that_is_zero(first: str, second: str, total: str) -> None:
    assert str(parse(first).plus(parse(second))) == total
