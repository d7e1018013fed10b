"""What a quantity means: `100m`, `128Mi`, `1e3`, `0.5`, and numbers.

Specification (Kubernetes 1.36, apimachinery `resource.Quantity`, in our words):
- A sign, digits with an optional dot, then a suffix: binary (Ki Mi Gi Ti Pi Ei), decimal (n u m k M G T P E), or an
  exponent (`e3`, `E-3`). White space around it is ignored. Anything else fails with one of three sentences.
- The value is kept in steps of 10^-9; what is finer is rounded away from zero, so a non-zero quantity never becomes 0.
- A binary quantity above 2^63-1 becomes 2^63-1, silently.
- A whole-number reading (`Value`) and one in thousandths (`MilliValue`) round away from zero as well.
- Digits may be missing altogether (`Ki` is 0), except where the value needs big arithmetic (`Ei`).

Ours, where Kubernetes computes on and on: more digits or a larger exponent than a node could ever use are refused.
"""

from __future__ import annotations

from functools import lru_cache

FORMAT_WRONG = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
NUMERIC_WRONG = "unable to parse numeric part of quantity"
SUFFIX_WRONG = "unable to parse quantity's suffix"

NANO = 1_000_000_000
"""How many steps of a parsed quantity make 1."""
LARGEST_INT64 = (1 << 63) - 1

_DECIMAL = {"": 0, "n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_DIGITS = "0123456789"
_SUFFIX_LETTERS = "eEinumkKMGTP"
_MOST_DIGITS, _MOST_EXPONENT = 1000, 1000
_FAST_DIGITS, _FAST_BINARY_DIGITS = 18, 14


class QuantityError(ValueError):
    """Not a quantity; the message is Kubernetes' sentence."""


@lru_cache(1 << 10, typed=True)
def parse(written: str | float) -> int:
    """The quantity in steps of 10^-9; raises QuantityError."""
    text = str(written).strip()
    if not text:
        raise QuantityError(FORMAT_WRONG)
    negative, whole, fraction, suffix = _split(text)
    if max(len(whole), len(fraction)) > _MOST_DIGITS:
        raise QuantityError(NUMERIC_WRONG)
    binary = _BINARY.get(suffix)
    exponent = 0 if binary is not None else _exponent(suffix)
    if not whole and not fraction and "0" not in text and _needs_big_arithmetic(binary, exponent):
        raise QuantityError(NUMERIC_WRONG)
    # The exact value is digits * 2^binary * 10^power; the power counts steps of 10^-9.
    scaled = int(whole + fraction or "0") << (binary or 0)
    power = exponent - len(fraction) + 9
    unit: int = 10 ** abs(power)
    steps = scaled * unit if power >= 0 else -(-scaled // unit)
    if binary is not None:
        steps = min(steps, LARGEST_INT64 * NANO)
    return -steps if negative else steps


def value(steps: int) -> int:
    """The quantity as a whole number, rounded away from zero: bytes of memory, say."""
    return _away_from_zero(steps, NANO)


def milli_value(steps: int) -> int:
    """The quantity in thousandths, rounded away from zero: millicores."""
    return _away_from_zero(steps, NANO // 1000)


def _away_from_zero(steps: int, unit: int) -> int:
    rounded = -(-abs(steps) // unit)
    return -rounded if steps < 0 else rounded


def _split(text: str) -> tuple[bool, str, str, str]:
    """Whether it is negative, the digits before the dot without leading zeros, those after it, and the suffix."""
    signed = text[0] in "+-"
    rest = text[1:] if signed else text
    unsigned = rest.lstrip("0")
    after_whole = unsigned.lstrip(_DIGITS)
    whole = unsigned[: len(unsigned) - len(after_whole)]
    fraction, suffix = "", after_whole
    if after_whole.startswith("."):
        suffix = after_whole[1:].lstrip(_DIGITS)
        fraction = after_whole[1 : len(after_whole) - len(suffix)]
    digits = suffix.lstrip(_SUFFIX_LETTERS)
    digits = digits[1:] if digits[:1] in {"+", "-"} else digits
    if digits.strip(_DIGITS):
        raise QuantityError(FORMAT_WRONG)
    return text[0] == "-", whole, fraction, suffix


def _exponent(suffix: str) -> int:
    """The power of ten that a suffix stands for."""
    known = _DECIMAL.get(suffix)
    if known is not None:
        return known
    number = suffix[1:]
    digits = number[1:] if number[:1] in {"+", "-"} else number
    if suffix[:1] not in {"e", "E"} or not digits or digits.strip(_DIGITS):
        raise QuantityError(SUFFIX_WRONG)
    digits = digits.lstrip("0") or "0"
    if len(digits) > 4 or int(digits) > _MOST_EXPONENT:
        raise QuantityError(SUFFIX_WRONG)
    return -int(digits) if number[0] == "-" else int(digits)


def _needs_big_arithmetic(binary: int | None, exponent: int) -> bool:
    """Whether a quantity without digits leaves the short way of reading, in which it counts as 0."""
    if binary is not None:
        return int(binary * 3 / 10) + 1 > _FAST_BINARY_DIGITS
    return exponent < -9
