"""Quantities such as `100m`, `1.5Gi`, `1e3`: which texts are one, their value, their canonical text.

Specification: k8s.io/apimachinery resource.ParseQuantity, CanonicalizeBytes, RoundUp, Value and MilliValue of the
imitated Kubernetes, in our words:
- A sign, digits with an optional dot, then a suffix: binary (Ki Mi Gi Ti Pi Ei), decimal (n u m k M G T P E), or an
  exponent (`e3`, `E-3`), of which Go keeps the low 32 bits. Anything else fails with one of three sentences.
- White space around it is ignored as far as JSON can hold it as it is: a tab or a line break is escaped there, and an
  escape is no part of a quantity.
- Digits may be missing altogether (`Ki` is 0), except where the value needs big arithmetic (`Ei`).
- At most nine decimal places are kept: more are rounded away from zero. A binary quantity is at most 2^63-1.
- A text that is nearly canonical is kept as it is written (`0100`, `+5`); any other is written anew with the largest
  suffix that leaves no fraction.
- Value and MilliValue are 64-bit integers, rounded away from zero. What is larger comes out as its low 64 bits, or as
  0 (`10E`) where the digits themselves fit and Go multiplies them by ten step by step.

Ours, where Kubernetes computes on and on: exponents end at 10,000, and numbers of more than 4,000 digits are refused.
"""

from __future__ import annotations

from functools import lru_cache

from msgspec import Struct

FORMAT_WRONG = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
NUMERIC_WRONG = "unable to parse numeric part of quantity"
SUFFIX_WRONG = "unable to parse quantity's suffix"

_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_DECIMAL_SUFFIX = {exponent: suffix for suffix, exponent in _DECIMAL.items()}
_BINARY_SUFFIX = {exponent: suffix for suffix, exponent in _BINARY.items()} | {0: ""}
_SUFFIX_LETTERS = frozenset("eEinumkKMGTP")
_DIGITS = frozenset("0123456789")
_LARGEST = (1 << 63) - 1
_MOST_FACTORS = 18
_TEN = 10
_MOST_PLACES = 10_000  # of an exponent: no number of bytes or cores has more
_MOST_DIGITS = 4_000  # beyond this a hostile number costs time only; Python reads no more than 4300
_NANO, _MILLI = 9, 3
_MULTIPLIED_AT_ONCE = frozenset((1, 2, 3, 6, 9))  # powers of ten
_SMALLEST_BINARY = 1024
_SPACE = " \x85\xa0\u1680\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))


class QuantityError(ValueError):
    """The text is no quantity; the message is the server's."""


class Quantity(Struct, frozen=True):
    """`units` of 10^-9; `form` is `decimal`, `exponent` or `binary`; `kept` is the text, where it stays as it is.

    `scale`: of the pair of 64-bit integers, digits and power of ten, in which Go keeps most quantities; None where they
    don't fit.
    """

    units: int
    form: str = "decimal"
    kept: str = ""
    scale: int | None = 0

    def __str__(self) -> str:
        return self.kept or _canonical(self.units, self.form)

    @property
    def value(self) -> int:
        """As a whole number: bytes of memory, say."""
        return self._int64(0)

    @property
    def milli_value(self) -> int:
        """In thousandths: millicores."""
        return self._int64(_MILLI)

    def _int64(self, places: int) -> int:
        amount = _away(self.units, 10 ** (_NANO - places))
        if -_LARGEST <= amount <= _LARGEST:
            return amount
        wraps = self.scale is None or self.scale + places in _MULTIPLIED_AT_ONCE
        return (amount + _LARGEST + 1) % (1 << 64) - _LARGEST - 1 if wraps else 0

    def rounded_to_milli(self) -> Quantity:
        """At most three decimal places, rounded away from zero, as defaulting makes it."""
        step = 10 ** (_NANO - _MILLI)
        rounded = _away(self.units, step) * step
        return self if rounded == self.units else Quantity(rounded, self.form, scale=self.scale)

    def plus(self, other: Quantity) -> Quantity:
        """The sum, as Add makes it: in the form of the first unless that is zero."""
        units = self.units + other.units
        form = self.form if self.units else other.form
        large = self.scale is None or other.scale is None or abs(units) > _LARGEST * 10**_NANO
        return Quantity(units, form, scale=None if large else min(self.scale or 0, other.scale or 0))


@lru_cache(1 << 10)
def parse(written: str) -> Quantity:
    """The quantity that a JSON string's or number's text is. Raises QuantityError."""
    text = written.strip(_SPACE)
    if not text:
        raise QuantityError(FORMAT_WRONG)
    negative, value, whole, fraction, suffix = _split(text)
    base, exponent, form = _meaning(suffix)
    digits = whole + fraction
    precision = _precision(form, exponent, whole, fraction)
    if precision >= 0 and (scale := (0 if form == "binary" else exponent) - len(fraction)) >= -_NANO:
        if int(digits) > _LARGEST:
            raise QuantityError(NUMERIC_WRONG)
        amount = int(digits) << (exponent if form == "binary" else 0)
        if amount <= _LARGEST:
            units = (-amount if negative else amount) * 10 ** (scale + _NANO)
            return Quantity(units, form, text if _is_kept(form, exponent, scale, digits) else "", scale)
    if not value.strip("+-.") or len(digits) > _MOST_DIGITS:
        raise QuantityError(NUMERIC_WRONG)
    shift = _NANO - len(fraction) + (exponent if base == _TEN else 0)
    amount = int(digits) << (0 if base == _TEN else exponent)
    return _large(_shifted(amount, shift), form, -1 if negative else 1)


def _large(units: int, form: str, sign: int) -> Quantity:
    """A quantity that doesn't fit the server's 64 bits on the way: capped if it is binary."""
    if form == "binary":
        units = min(units, _LARGEST * 10**_NANO)
        if 0 < units < 10**_NANO:
            form = "decimal"
    return Quantity(sign * units, form, scale=None)


def _shifted(amount: int, places: int) -> int:
    """`amount` times 10^places, rounded away from zero."""
    return amount * 10**places if places >= 0 else _away(amount, 10**-places)


def _split(text: str) -> tuple[bool, str, str, str, str]:
    """Sign, the number with its sign, the digits before the dot without leading zeros, those after it, the suffix."""
    at = 1 if text[0] in "+-" else 0
    while at < len(text) and text[at] == "0":
        at += 1
    if at == len(text):
        return text[0] == "-", "0", "0", "", ""
    start = at
    while at < len(text) and text[at] in _DIGITS:
        at += 1
    whole, fraction = text[start:at], ""
    if at < len(text) and text[at] == ".":
        start = at + 1
        at = start
        while at < len(text) and text[at] in _DIGITS:
            at += 1
        fraction = text[start:at]
    value, start = text[:at], at
    while at < len(text) and text[at] in _SUFFIX_LETTERS:
        at += 1
    if at < len(text) and text[at] in "+-":
        at += 1
    if not _DIGITS.issuperset(text[at:]):
        raise QuantityError(FORMAT_WRONG)
    return text[0] == "-", value, whole or "0", fraction, text[start:]


def _meaning(suffix: str) -> tuple[int, int, str]:
    if suffix in _BINARY:
        return 2, _BINARY[suffix], "binary"
    if suffix in _DECIMAL:
        return _TEN, _DECIMAL[suffix], "decimal"
    exponential = suffix[:1] in {"e", "E"} and len(suffix) <= _MOST_DIGITS
    if exponential and suffix[1:].lstrip("+-").isdigit() and _DIGITS.issuperset(suffix[2:]):
        power = int(suffix[1:])
        if -_LARGEST - 1 <= power <= _LARGEST:
            power = (power + (1 << 31)) % (1 << 32) - (1 << 31)
            return _TEN, max(-_MOST_PLACES, min(power, _MOST_PLACES)), "exponent"
    raise QuantityError(SUFFIX_WRONG)


def _precision(form: str, exponent: int, whole: str, fraction: str) -> int:
    if form != "binary":
        return _MOST_FACTORS - len(whole) - len(fraction)
    return -1 if fraction else 15 - len(whole) - exponent * 3 // 10 - 1


def _is_kept(form: str, exponent: int, scale: int, digits: str) -> bool:
    if form == "binary":
        return exponent % 10 == 0 and int(digits) & 7 != 0
    return scale % 3 == 0 and not digits.endswith("000") and digits[0] != "0"


def _canonical(units: int, form: str) -> str:
    if units == 0:
        return "0"
    if form == "binary" and abs(units) >= _SMALLEST_BINARY * 10**_NANO and units % 10**_NANO == 0:
        amount, power = units // 10**_NANO, 0
        while amount % _SMALLEST_BINARY == 0:
            amount //= _SMALLEST_BINARY
            power += 10
        return f"{amount}{_BINARY_SUFFIX.get(power, '')}"
    exponent = -_NANO
    while units % 1000 == 0:
        units //= 1000
        exponent += 3
    if form == "exponent":
        return f"{units}e{exponent}" if exponent else str(units)
    return f"{units}{_DECIMAL_SUFFIX.get(exponent, '')}"


def _away(amount: int, unit: int) -> int:
    """`amount / unit`, rounded away from zero."""
    whole, rest = divmod(abs(amount), unit)
    rounded = whole + (rest > 0)
    return rounded if amount >= 0 else -rounded
