"""Whole numbers as Go's strconv reads them: ASCII digits alone, and in its words what is wrong with others."""

from __future__ import annotations

from podward.api.gotext import quote

_LARGEST_SIGNED, _LARGEST = (1 << 63) - 1, (1 << 64) - 1
_MOST_DIGITS = 20


def parse_int(text: str) -> int | str:
    """The number of 64 bits with a sign, or the error of `strconv.ParseInt`."""
    return _parsed("ParseInt", text, text[1:] if text[:1] in {"+", "-"} else text, _LARGEST_SIGNED)


def parse_uint(text: str) -> int | str:
    """The number of 64 bits without a sign, or the error of `strconv.ParseUint`."""
    return _parsed("ParseUint", text, text, _LARGEST)


def _parsed(function: str, text: str, digits: str, largest: int) -> int | str:
    error = f"strconv.{function}: parsing {quote(text)}"
    if not digits.isascii() or not digits.isdecimal():
        return f"{error}: invalid syntax"
    significant = digits.lstrip("0") or "0"
    number = int(significant) if len(significant) <= _MOST_DIGITS else largest + 2
    negative = text.startswith("-")
    if number > largest + negative:
        return f"{error}: value out of range"
    return -number if negative else number
