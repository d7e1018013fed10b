"""Formats of texts: whether a text is one of a format that a schema names.

Specification: k8s.io/kube-openapi pkg/validation/strfmt, and apiextensions-apiserver's list of supported formats. A
format that is in no table here says nothing of a text.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import ipaddress
import re
from collections.abc import Callable, Mapping

_UUID = re.compile(r"(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:?\d{2})?")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_DURATION = re.compile(r"[+-]?((\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h))+|0")
_MAC = re.compile(r"(?i)([0-9a-f]{2}[:-]){5}[0-9a-f]{2}")
_HOST = re.compile(r"(?i)(?=.{1,255}\Z)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*\.?")


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


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return False
    return True


def _like(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda text: pattern.fullmatch(text) is not None


def _network(text: str) -> object:
    if "/" not in text:
        raise ValueError(text)
    return ipaddress.ip_network(text, strict=False)


_FORMATS: Mapping[str, Callable[[str], bool]] = {
    "byte": _is_base64,
    "cidr": _read(_network),
    "date": _is_day,
    "date-time": _is_moment,
    "datetime": _is_moment,
    "duration": _like(_DURATION),
    "hostname": _like(_HOST),
    "ipv4": _read(ipaddress.IPv4Address),
    "ipv6": _read(ipaddress.IPv6Address),
    "mac": _like(_MAC),
    "uuid": _like(_UUID),
}


def matches_format(form: str, text: str) -> bool:
    """Whether a text is one of this format."""
    matches = _FORMATS.get(form)
    return matches is None or matches(text)
