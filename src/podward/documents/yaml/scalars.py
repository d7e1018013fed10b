"""The JSON value that Kubernetes gives a YAML scalar.

Specification: manifests are YAML 1.1 as goyaml v2 (go.yaml.in/yaml/v2 2.4, used by sigs.k8s.io/yaml 1.6) resolves
plain scalars, then turned into JSON by Go's encoding/json:

- null: empty, `~`, `null`, `Null`, `NULL`.
- booleans: `y yes true on` and `n no false off`, in lower case, Capitalised or UPPER CASE.
- integers: optional sign, then decimal, `0x`, `0o` or leading `0` (octal), `0b`; the sign may also stand behind `0b`;
  underscores anywhere are ignored; within int64, or uint64 without sign. Beyond that, a decimal becomes a float and any
  other base a string.
- floats: decimal digits with a dot or exponent; one that overflows is a string; base 60 does not exist.
  `.inf` and `.nan` are floats, which JSON cannot write.
- timestamps stay the strings that they are. Everything else is a string, and so is everything quoted.
- A float without fraction and below 1e21 is written by encoding/json without dot, so it reads as an integer.
- `!!str`, `!!int`, `!!float`, `!!bool`, `!!null`, `!!timestamp`, `!!binary` (base64) are obeyed; a scalar that does not
  fit its tag is an error. Other tags leave a string.
- A key becomes a string: integers in decimal, floats as the shortest text that reads back as the same 32-bit float,
  booleans as `true` and `false`. null, and integers above int64, are no keys.
"""

from __future__ import annotations

from binascii import Error as Base64Error
from binascii import a2b_base64
from math import isfinite, isinf, isnan

Scalar = str | int | float | bool | None


class ScalarError(ValueError):
    """A scalar has no JSON value; the message says why."""


_MEANINGS: tuple[tuple[tuple[str, ...], bool | float | None], ...] = (
    (("", "~", "null", "Null", "NULL"), None),
    (("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    (("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    ((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    (("-.inf", "-.Inf", "-.INF"), float("-inf")),
    ((".nan", ".NaN", ".NAN"), float("nan")),
)
WORDS = {word: meaning for words, meaning in _MEANINGS for word in words}

_MAYBE_SPECIAL = frozenset("yYnNtTfFoO~.+-0123456789")
_PREFIXES = {"x": 16, "o": 8, "b": 2}
_DIGITS = {2: "01", 8: "01234567", 10: "0123456789", 16: "0123456789abcdefABCDEF"}
_ENDS_NO_NUMBER = frozenset("ghijklmnopqrstuvwxyzGHIJKLMNOPQRSTUVWXYZ")
_LONGEST = 64  # digits: no 64-bit integer has more in any base, once leading zeros are gone
_MIN_INT64, _MAX_INT64, _MAX_UINT64 = -(1 << 63), (1 << 63) - 1, (1 << 64) - 1
_INTEGRAL_BELOW = 1e21  # encoding/json writes larger floats with an exponent
_MAX_FLOAT32 = 3.4028235677973366e38  # from here on, a float64 rounds to an infinite float32

_CORE = "tag:yaml.org,2002:"
_TAGS = {f"{_CORE}{name}": name for name in ("str", "int", "float", "bool", "null", "timestamp", "binary", "merge")}


def plain(text: str) -> Scalar:
    """The JSON value of the plain scalar `text`; raises ScalarError for infinities and NaN."""
    if text and text[0] not in _MAYBE_SPECIAL:
        return text
    return _as_json(_resolved(text), text)


def tagged(tag: str, text: str) -> Scalar:
    """The JSON value of the scalar `text` with an explicit tag (`tag:yaml.org,2002:int`, `!mine`)."""
    name = _TAGS.get(tag)
    if name is None or name in {"str", "merge"}:
        return text
    if name == "binary":
        return _binary(text)
    value = _as_json(_resolved(text), text) if name != "float" else _resolved(text)
    if name == "float" and type(value) in {int, float}:
        return _as_json(float(value or 0), text)
    fits = {
        "int": type(value) is int and "." not in text and _is_integer(text),
        "bool": type(value) is bool,
        "null": value is None,
        "timestamp": type(value) is str and _looks_like_date(text),
    }
    if not fits.get(name, False):
        raise ScalarError(f"`{text[:40]}` is not what its tag !!{name} says")
    return value


def key(value: Scalar, text: str) -> str:
    """The string that a scalar becomes as a key; `text` is the scalar as it was written. Raises ScalarError."""
    if type(value) is str:
        return value
    if value is None:
        raise ScalarError("a key must not be null: quote it if a string is meant")
    if type(value) is bool:
        return "true" if value else "false"
    resolved = _resolved(text)
    if type(resolved) is float:
        return _float32_text(resolved)
    if type(value) is int and not _MIN_INT64 <= value <= _MAX_INT64:
        raise ScalarError(f"the key {value} is out of range: quote it if a string is meant")
    return str(value)


def _as_json(value: Scalar, text: str) -> Scalar:
    if type(value) is not float:
        return value
    if not isfinite(value):
        raise ScalarError(f"`{text}` has no JSON value: quote it if a string is meant")
    return int(value) if value.is_integer() and abs(value) < _INTEGRAL_BELOW else value


def _resolved(text: str) -> Scalar:
    if text in WORDS:
        return WORDS[text]
    first = text[0]
    if first == ".":
        return _float(text, text)
    if first in "+-0123456789":
        if text[-1] in _ENDS_NO_NUMBER or (first in "+-" and text[1:2] not in "0123456789._"):
            return text  # such as 100m, 1Gi and --port=80
        # The float rule sees the text without underscores too, but keeps the whole text if nothing fits.
        bare = text.replace("_", "")
        number = _integer(bare)
        return number if number is not None else _float(bare, text)
    return text


def _integer(text: str) -> int | None:
    """`text` (without underscores) as a 64-bit integer; None if it is not one."""
    if text[:2] == "0b" and text[2:3] in {"+", "-"}:
        # goyaml looks for a sign behind 0b too
        return None if text[3:].strip("01") else _bounded(text[2], text[3:], 2)
    sign = text[0] if text[:1] in {"+", "-"} else ""
    digits = text[len(sign) :]
    base = 10
    if digits[:1] == "0":
        base = _PREFIXES.get(digits[1:2].lower(), 0) if len(digits) > 2 else 0
        digits = digits[2:] if base else digits[1:] or "0"
        base = base or 8
    return None if digits.strip(_DIGITS[base]) else _bounded(sign, digits, base)


def _bounded(sign: str, digits: str, base: int) -> int | None:
    """The integer if 64 bits can hold it."""
    if not digits:
        return None
    digits = digits.lstrip("0") or "0"
    if len(digits) > _LONGEST:
        return None
    value = int(digits, base)
    if sign == "-":
        return -value if -value >= _MIN_INT64 else None
    return value if value <= (_MAX_INT64 if sign else _MAX_UINT64) else None


def _is_integer(text: str) -> bool:
    return bool(text) and _integer(text.replace("_", "")) is not None


def _float(text: str, otherwise: str) -> float | str:
    """`text` as a float if it is digits with an optional dot and exponent, and not too large; else `otherwise`."""
    mantissa, _, exponent = text.lstrip("+-").replace("E", "e").partition("e")
    whole, _, fraction = mantissa.partition(".")
    signs = len(text) - len(text.lstrip("+-"))
    digits = "0123456789"
    if signs > 1 or not (whole or fraction) or whole.strip(digits) or fraction.strip(digits):
        return otherwise
    if "e" in text.lower():
        power = exponent[1:] if exponent[:1] in {"+", "-"} else exponent
        if not power or power.strip(digits):
            return otherwise
    value = float(text)
    return otherwise if isinf(value) else value


def _looks_like_date(text: str) -> bool:
    return len(text) > 4 and text[:4].isdecimal() and text[4] == "-"


def _binary(text: str) -> str:
    try:
        data = a2b_base64(text.replace("\n", "").replace("\r", "").encode(), strict_mode=True)
    except (Base64Error, ValueError):
        raise ScalarError("what !!binary marks is not base64") from None
    return data.decode("utf-8", "replace")


def _float32_text(value: float) -> str:
    """`value` as Go prints a 32-bit float in its shortest form (format 'g'): `1.5`, `1e+06`."""
    if isnan(value):
        return ".nan"
    if abs(value) >= _MAX_FLOAT32:
        return "-.inf" if value < 0 else ".inf"
    digits, exponent = _shortest_float32(abs(value))
    sign = "-" if value < 0 or str(value).startswith("-") else ""
    if not -4 <= exponent < 6:
        point = f".{digits[1:]}" if len(digits) > 1 else ""
        return f"{sign}{digits[0]}{point}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"
    if exponent < 0:
        return f"{sign}0.{'0' * (-exponent - 1)}{digits}"
    whole = digits[: exponent + 1].ljust(exponent + 1, "0")
    return f"{sign}{whole}.{digits[exponent + 1 :]}".rstrip(".")


def _shortest_float32(value: float) -> tuple[str, int]:
    """The fewest decimal digits, and their exponent, that read back as the 32-bit float nearest to `value`."""
    target = _rounded_to_float32(value)
    precision = 0
    while _rounded_to_float32(float(f"{target:.{precision}e}")) != target:
        precision += 1
    text = f"{target:.{precision}e}"
    mantissa, _, exponent = text.partition("e")
    return mantissa.replace(".", "").rstrip("0") or "0", int(exponent)


def _rounded_to_float32(value: float) -> float:
    view = memoryview(bytearray(4)).cast("f")
    view[0] = value
    return view[0]
