"""Formats of texts: whether a text is one of a format that a schema names.

Specification: k8s.io/kube-openapi pkg/validation/strfmt with its govalidator, and apiextensions-apiserver's list of
supported formats, whose names are compared without dashes. A format that is in no table here says nothing of a text.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import ipaddress
import re
from collections.abc import Callable, Mapping
from email.utils import parseaddr

from podward.schema.cel.patterns import contains
from podward.schema.validation.names import label_faults, subdomain_faults

_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:?\d{2})?")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_DURATION = re.compile(r"[+-]?((\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h))+|[+-]?0")
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)")
_OTHER_DURATION = re.compile(r"(\d+)\s*([A-Za-zµ]+)")
_MAC = re.compile(r"(?i)([0-9a-f]{2}[:-]){5}[0-9a-f]{2}|([0-9a-f]{2}[:-]){7}[0-9a-f]{2}|([0-9a-f]{4}\.){2}[0-9a-f]{4}")
_HOST = (
    r"^([a-zA-Z0-9\p{S}\p{L}]((-?[a-zA-Z0-9\p{S}\p{L}]{0,62})?)"
    r"|([a-zA-Z0-9\p{S}\p{L}](([a-zA-Z0-9-\p{S}\p{L}]{0,61}[a-zA-Z0-9\p{S}\p{L}])?)(\.)){1,}([a-zA-Z\p{L}]){2,63})$"
)
_LONGEST_HOST, _LONGEST_LABEL = 255, 63
_COLOUR = re.compile(r"rgb\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)")
_CARD = re.compile(
    r"4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|6(?:011|5[0-9][0-9])[0-9]{12}|3[47][0-9]{13}|3(?:0[0-5]|[68][0-9])[0-9]{11}"
    r"|(?:2131|1800|35\d{3})\d{11}"
)
_UNITS = (
    (1e-9, ("ns",), "nano"), (1e-6, ("us", "µs"), "micro"), (1e-3, ("ms",), "milli"), (1.0, ("s",), "sec"),
    (60.0, ("m",), "min"), (3600.0, ("h", "hr"), "hour"), (86400.0, ("d",), "day"), (604800.0, ("w", "wk"), "week"),
)  # fmt: skip
_OF_GO = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_LEADING_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")
_DIGIT_LIMIT, _LARGEST_BYTE = 9, 255


def seconds_of(text: str) -> float:
    """How long a duration is. Raises ValueError for what is none."""
    if _DURATION.fullmatch(text):
        sign = -1 if text.startswith("-") else 1
        return sign * sum(float(number) * _OF_GO[unit] for number, unit in _PART.findall(text))
    found = [
        int(number) * factor
        for number, unit in _OTHER_DURATION.findall(text)
        for factor, names, beginning in _UNITS
        if unit.lower() in names or unit.lower().startswith(beginning)
    ]
    if not found:
        raise ValueError(text)
    return sum(found)


def bytes_of(text: str) -> bytes:
    """What is written in base64. Raises ValueError for what is not."""
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(text) from error


def _is_moment(text: str) -> bool:
    if _MOMENT.fullmatch(text) is None:
        return False
    try:
        dt.datetime.fromisoformat(text[:10] + "T" + text[11:19])
    except ValueError:
        return False
    return True


def _is_day(text: str) -> bool:
    try:
        return _DAY.fullmatch(text) is not None and bool(dt.date.fromisoformat(text))
    except ValueError:
        return False


def _read(make: Callable[[str], object]) -> Callable[[str], bool]:
    def reads(text: str) -> bool:
        try:
            make(text)
        except ValueError:
            return False
        return True

    return reads


def _like(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda text: compiled.fullmatch(text) is not None


def _network(text: str) -> object:
    if "/" not in text:
        raise ValueError(text)
    return ipaddress.ip_network(text, strict=False)


def _is_host(text: str) -> bool:
    parts = text.split(".")
    short = len(text.encode()) <= _LONGEST_HOST and all(len(part.encode()) <= _LONGEST_LABEL for part in parts)
    return short and contains(text, _HOST)


def _is_uri(text: str) -> bool:
    """An absolute address, or a path."""
    if any(char < " " or char == "\x7f" for char in text):
        return False
    scheme, _, rest = text.partition(":")
    absolute = bool(rest) and re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*", scheme) is not None
    return (text.startswith("/") or absolute) and re.search(r"%(?![0-9A-Fa-f]{2})", text) is None


def _is_email(text: str) -> bool:
    local, _, domain = parseaddr(text)[1].rpartition("@")
    return bool(local) and bool(domain) and " " not in domain


def _is_isbn10(text: str) -> bool:
    digits = re.sub(r"[\s-]", "", text)
    if re.fullmatch(r"\d{9}[\dX]", digits) is None:
        return False
    return not sum((index + 1) * (10 if char == "X" else int(char)) for index, char in enumerate(digits)) % 11


def _is_isbn13(text: str) -> bool:
    digits = re.sub(r"[\s-]", "", text)
    if re.fullmatch(r"\d{13}", digits) is None:
        return False
    return not sum((3 if index % 2 else 1) * int(char) for index, char in enumerate(digits)) % 10


def _is_card(text: str) -> bool:
    digits = re.sub(r"[^0-9]+", "", text)
    if _CARD.fullmatch(digits) is None:
        return False
    doubled = [int(char) * (2 if index % 2 else 1) for index, char in enumerate(reversed(digits))]
    return not sum(each - _DIGIT_LIMIT if each > _DIGIT_LIMIT else each for each in doubled) % 10


def _is_colour(text: str) -> bool:
    found = _COLOUR.fullmatch(text)
    return found is not None and all(int(each) <= _LARGEST_BYTE for each in found.groups())


_HEX = "[0-9a-fA-F]"
_FORMATS: Mapping[str, Callable[[str], bool]] = {
    "bsonobjectid": _like(f"{_HEX}{{24}}"),
    "byte": _read(bytes_of),
    "cidr": _read(_network),
    "creditcard": _is_card,
    "date": _is_day,
    "datetime": _is_moment,
    "duration": _read(seconds_of),
    "email": _is_email,
    "hexcolor": _like(f"#?({_HEX}{{3}}|{_HEX}{{6}})"),
    "hostname": _is_host,
    "ipv4": _read(lambda text: ipaddress.IPv4Address(_LEADING_ZEROS.sub("", text))),
    "ipv6": _read(ipaddress.IPv6Address),
    "isbn": lambda text: _is_isbn10(text) or _is_isbn13(text),
    "isbn10": _is_isbn10,
    "isbn13": _is_isbn13,
    "k8sshortname": lambda text: not label_faults(text),
    "k8slongname": lambda text: not subdomain_faults(text),
    "mac": lambda text: _MAC.fullmatch(text) is not None,
    "password": lambda _text: True,
    "rgbcolor": _is_colour,
    "ssn": _like(r"\d{3}[- ]?\d{2}[- ]?\d{4}"),
    "uri": _is_uri,
    "uuid": _like(f"{_HEX}{{8}}-?{_HEX}{{4}}-?{_HEX}{{4}}-?{_HEX}{{4}}-?{_HEX}{{12}}"),
    "uuid3": _like(f"{_HEX}{{8}}-?{_HEX}{{4}}-?3{_HEX}{{3}}-?{_HEX}{{4}}-?{_HEX}{{12}}"),
    "uuid4": _like(f"{_HEX}{{8}}-?{_HEX}{{4}}-?4{_HEX}{{3}}-?[89abAB]{_HEX}{{3}}-?{_HEX}{{12}}"),
    "uuid5": _like(f"{_HEX}{{8}}-?{_HEX}{{4}}-?5{_HEX}{{3}}-?[89abAB]{_HEX}{{3}}-?{_HEX}{{12}}"),
}
_OF_NUMBERS = {"integer": ("int32", "int64"), "number": ("float", "double")}


def matches_format(form: str, text: str) -> bool:
    """Whether a text is one of this format."""
    matches = _FORMATS.get(form.replace("-", ""))
    return matches is None or matches(text)


def is_known(form: str, kind: str) -> bool:
    """Whether a format says anything of values of this type."""
    if kind in {"", "string"}:
        return form.replace("-", "") in _FORMATS
    return form in _OF_NUMBERS.get(kind, ())
