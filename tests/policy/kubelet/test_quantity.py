"""Quantities as apimachinery reads them; the expected values are its own tests' and documentation's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podward.policy.kubelet import quantity

NANO = quantity.NANO


@pytest.mark.parametrize(
    ("written", "steps"),
    [
        ("0", 0), ("1", NANO), (1, NANO), (1.5, 3 * NANO // 2), ("100m", NANO // 10), ("0.1", NANO // 10),
        ("128Mi", 128 << 20), ("1Ki", 1024), ("1.5Gi", 3 << 29), ("1Ei", 1 << 60), ("5Ti", 5 << 40), ("2Pi", 2 << 50),
        ("1k", 1000), ("1M", 10**6), ("3G", 3 * 10**9), ("1T", 10**12), ("1P", 10**15), ("1E", 10**18),
        ("1e3", 1000), ("1E3", 1000), ("1e+3", 1000), (1e3, 1000), ("5e0", 5), ("1.e2", 100), (".5", NANO // 2),
        ("1u", 1000), ("7n", 7), ("+3", 3 * NANO), ("-3", -3 * NANO), ("007", 7 * NANO), (" 12Mi\n", 12 << 20),
        ("12e-3", 12 * NANO // 1000), ("1000E", 10**21), ("18446744073709551616", (1 << 64) * NANO),
    ],
)  # fmt: skip
def test_quantities_have_their_value(written: str | float, steps: int) -> None:
    whole = written if isinstance(written, str) else ""
    in_units = whole.strip().endswith(("i", "k", "M", "G", "T", "P")) or any(
        whole == text for text in ("1E", "1000E", "1e3", "1E3", "1e+3", "5e0", "1.e2")
    )
    expected = steps * NANO if in_units or written == 1e3 else steps
    assert quantity.parse(written) == expected


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("", quantity.FORMAT_WRONG), ("  ", quantity.FORMAT_WRONG), ("1 Mi", quantity.FORMAT_WRONG),
        ("lots", quantity.FORMAT_WRONG), ("1,5", quantity.FORMAT_WRONG), ("1..5", quantity.FORMAT_WRONG),
        ("1Mi5x", quantity.FORMAT_WRONG), ("--1", quantity.SUFFIX_WRONG), ("0x10", quantity.FORMAT_WRONG),
        ("1.2.3", quantity.FORMAT_WRONG), ("NaN", quantity.FORMAT_WRONG),
        ("1MB", quantity.FORMAT_WRONG), ("1mi", quantity.SUFFIX_WRONG), ("1K", quantity.SUFFIX_WRONG),
        ("1e", quantity.SUFFIX_WRONG), ("1KiB", quantity.FORMAT_WRONG), ("1i", quantity.SUFFIX_WRONG),
        ("1Ki2", quantity.SUFFIX_WRONG), ("1e1.5", quantity.FORMAT_WRONG), ("Ei", quantity.NUMERIC_WRONG),
        ("Pi", quantity.NUMERIC_WRONG),
    ],
)  # fmt: skip
def test_what_is_no_quantity_gets_kubernetes_sentence(written: str, sentence: str) -> None:
    with pytest.raises(quantity.QuantityError) as caught:
        quantity.parse(written)
    assert str(caught.value) == sentence


@pytest.mark.parametrize("written", ["Ki", "-", ".", "m", "Ti"])
def test_a_quantity_without_digits_is_zero_where_kubernetes_reads_it_so(written: str) -> None:
    assert quantity.parse(written) == 0


@pytest.mark.parametrize("written", ["1e999999999999", "1e-99999", "9" * 5000, "1e2000000000"])
def test_absurd_sizes_are_refused_and_not_computed(written: str) -> None:
    with pytest.raises(quantity.QuantityError):
        quantity.parse(written)


def test_rounding_goes_away_from_zero() -> None:
    assert quantity.parse("0.9n") == 1
    assert quantity.parse("-0.1n") == -1
    assert quantity.value(quantity.parse("1m")) == 1
    assert quantity.value(quantity.parse("-1m")) == -1
    assert quantity.milli_value(quantity.parse("1u")) == 1
    assert quantity.milli_value(quantity.parse("1500u")) == 2


def test_a_binary_quantity_is_capped() -> None:
    assert quantity.value(quantity.parse("8Ei")) == (1 << 63) - 1
    assert quantity.value(quantity.parse("9E")) == 9 * 10**18


@given(st.integers(0, 10**9), st.sampled_from(sorted(quantity._DECIMAL) + sorted(quantity._BINARY)))  # noqa: SLF001
def test_a_fraction_is_the_number_that_it_looks_like(number: int, suffix: str) -> None:
    whole = quantity.parse(f"{number}{suffix}")
    assert quantity.parse(f"{number}.000{suffix}") == whole
    assert quantity.parse(f"-{number}{suffix}") == -whole
    assert quantity.parse(f"0{number}{suffix}") == whole


@given(st.text(max_size=12))
def test_any_text_is_read_or_refused(text: str) -> None:
    said = ""
    try:
        quantity.parse(text)
    except quantity.QuantityError as error:
        said = str(error)
    assert said in {"", quantity.FORMAT_WRONG, quantity.NUMERIC_WRONG, quantity.SUFFIX_WRONG}
