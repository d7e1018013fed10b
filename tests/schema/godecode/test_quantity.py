"""Quantities as the API server reads, rounds and writes them."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as some

from podward.schema.godecode.quantity import QuantityError, parse


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
        (" 1 ", "1"),
    ],
)
def test_a_quantity_is_written_canonically_or_kept_as_the_server_keeps_it(written: str, canonical: str) -> None:
    assert str(parse(written)) == canonical


@pytest.mark.parametrize("written", ["", "x", "1 Gi", "1GiB", "1kk", "1.5.5", "--1", "1e", "true", "٣", "9" * 5000])
def test_what_is_no_quantity_is_refused(written: str) -> None:
    with pytest.raises(QuantityError):
        parse(written)


def test_the_servers_words_tell_what_is_wrong() -> None:
    said = {}
    for written in ("x", "1kk"):
        with pytest.raises(QuantityError) as raised:
            parse(written)
        said[written] = str(raised.value)
    assert said["x"].startswith("quantities must match the regular expression")
    assert said["1kk"] == "unable to parse quantity's suffix"


def test_resources_are_rounded_up_to_thousandths() -> None:
    assert str(parse("0.1m").rounded_to_milli()) == "1m"
    assert str(parse("-0.1m").rounded_to_milli()) == "-1m"
    assert str(parse("1.0001").rounded_to_milli()) == "1001m"


def test_what_does_not_fit_64_bits_is_cut_as_go_cuts_it() -> None:
    assert parse("1Ei").milli == -(1 << 63)  # 2^60 * 1000, of which 64 bits are left
    assert parse("10e399").whole == 0
    assert parse("9e18").milli == 0
    assert parse("9e18").whole == 9 * 10**18
    assert parse("1Ei").rounded_to_milli().milli == -(1 << 63)


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


@given(some.integers(-(10**12), 10**12), some.sampled_from(["", "m", "k", "M", "Ki", "Mi", "u", "n"]))
def test_the_canonical_form_means_the_same_and_is_canonical(number: int, suffix: str) -> None:
    once = parse(f"{number}{suffix}")
    again = parse(str(once))
    assert again.units == once.units
    assert str(again) == str(once)


@given(some.text(max_size=12))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(QuantityError):
        assert str(parse(text))


def test_a_huge_exponent_costs_nothing() -> None:
    assert parse("1e999999999").units > 0
    assert parse("1e-999999999").units == 1
