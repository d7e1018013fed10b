"""The values of flags as Go reads them: what is none is refused, and never taken for another one."""

from __future__ import annotations

import argparse
import re

_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_PART = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(h|ms|m|s)")
_LARGEST = 999_999_999


def boolean(text: str) -> bool:
    """A truth value."""
    if text in {"1", "t", "T", "true", "TRUE", "True"}:
        return True
    if text in {"0", "f", "F", "false", "FALSE", "False"}:
        return False
    raise argparse.ArgumentTypeError(f"{text!r} is neither true nor false")


def count(text: str) -> int:
    """A number that is not negative."""
    if not text.isascii() or not text.isdigit() or len(text) > len(str(_LARGEST)):
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 to {_LARGEST}")
    return int(text)


def duration(text: str) -> float:
    """A time that is more than none, in seconds."""
    parts = _PART.findall(text)
    seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if "".join(map("".join, parts)) != text or seconds <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no time such as 1h30m or 90s")
    return seconds
