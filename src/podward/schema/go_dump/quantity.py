"""How Go prints a quantity that has just been read: with what it keeps inside.

Specification: Kubernetes, k8s.io/apimachinery/pkg/api/resource ParseQuantity: a number of few digits is kept as a value
and a scale, with its text where that is the canonical one; every other one as a decimal of any size.
"""

from __future__ import annotations

import re

_WRITTEN = re.compile(r"([+-]?)0*([0-9]*)(?:\.([0-9]*))?([a-zA-Z]*(?:[+-]?[0-9]+)?)")
_TENS = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_TWOS = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_DIGITS, _BINARY_DIGITS, _NANO = 18, 14, -9
_MOST, _WORD = (1 << 63) - 1, 1 << 64
_LONGEST = 10_000
"""Decimal places that are written out: who may write a template could ask for as many as fit into no memory."""


def dumped(text: str) -> str:
    """The quantity of this text. Raises ValueError for what is none, or is too long to be written."""
    if text == "0":
        return _small(0, 0, "DecimalSI", text)
    found = _WRITTEN.fullmatch(text)
    if found is None:
        raise ValueError(text)
    sign, number, rest, suffix = found.groups()
    number, rest = number or "0", rest or ""
    base, exponent, form = _suffix(suffix)
    if base == 2:
        fits = not rest and _BINARY_DIGITS - len(number) - int(exponent * 3 / 10) >= 0
        scale, mantissa = 0, 1 << exponent
    else:
        fits = _DIGITS - len(number) - len(rest) >= 0
        scale, mantissa = exponent - len(rest), 1
    digits = number + rest
    if fits and scale >= _NANO and int(digits) * mantissa <= _MOST:
        value = int(digits)
        if base == 2:
            canonical = exponent % 10 == 0 and bool(value & 7)
        else:
            canonical = scale % 3 == 0 and not digits.endswith("000") and digits[0] != "0"
        result = value * mantissa * (-1 if sign == "-" else 1)
        return _small(result, scale, form, text if canonical else "")
    return _large(int(digits), len(rest), (base, exponent, form), negative=sign == "-")


def _suffix(suffix: str) -> tuple[int, int, str]:
    if suffix in _TENS:
        return 10, _TENS[suffix], "DecimalSI"
    if suffix in _TWOS:
        return 2, _TWOS[suffix], "BinarySI"
    if suffix[:1] in {"e", "E"}:
        return 10, int(suffix[1:]), "DecimalExponent"
    raise ValueError(suffix)


def _small(value: int, scale: int, form: str, text: str) -> str:
    amount = f"(resource.int64Amount){{value:(int64){value} scale:(resource.Scale){scale}}}"
    return f"{{i:{amount} d:(resource.infDecAmount){{Dec:(*inf.Dec)<nil>}} {_rest(form, text)}}}"


def _large(digits: int, places: int, suffix: tuple[int, int, str], *, negative: bool) -> str:
    base, exponent, form = suffix
    unscaled, scale = digits, places
    if base == 2:
        unscaled <<= exponent
    else:
        scale -= exponent
    if abs(-_NANO - scale) > _LONGEST:
        raise ValueError(exponent)
    if unscaled:
        factor = 10 ** abs(-_NANO - scale)
        unscaled = unscaled * factor if scale <= -_NANO else -(-unscaled // factor)
        scale = -_NANO
        if form == "BinarySI":
            unscaled = min(unscaled, _MOST * 10**scale)
            form = "DecimalSI" if unscaled < 10**scale else form
    words: list[str] = []
    left = unscaled
    while left:
        words.append(str(left % _WORD))
        left //= _WORD
    absolute = f"[{' '.join(words)}]" if words else "<nil>"
    number = f"(big.Int){{neg:(bool){str(negative and unscaled > 0).lower()} abs:(big.nat){absolute}}}"
    decimal = f"(*inf.Dec){{unscaled:{number} scale:(inf.Scale){scale}}}"
    amount = "(resource.int64Amount){value:(int64)0 scale:(resource.Scale)0}"
    return f"{{i:{amount} d:(resource.infDecAmount){{Dec:{decimal}}} {_rest(form, '')}}}"


def _rest(form: str, text: str) -> str:
    return f"s:(string){text} Format:(resource.Format){form}"
