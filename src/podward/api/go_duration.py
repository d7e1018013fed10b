"""Durations as Go writes them: `1m30s`, `300ms`.

Specification: Go, time.ParseDuration and Duration.String.
"""

from __future__ import annotations

import re

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)")
_WHOLE = re.compile(rf"[+-]?(?:{_PART.pattern})+")


def seconds_of(text: str) -> float | None:
    """How many seconds it is; None for what is no duration."""
    if text in {"0", "+0", "-0"}:
        return 0.0
    if len(text) > 100 or _WHOLE.fullmatch(text) is None:
        return None
    total = sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))
    return -total if text.startswith("-") else total


def text_of(seconds: float) -> str:
    """The duration, to the millisecond, as Go prints it."""
    sign, rest = "-" if seconds < 0 else "", round(abs(seconds) * 1000)
    if 0 < rest < 1000:
        return f"{sign}{rest}ms"
    hours, rest = divmod(rest, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    last = f"{rest / 1000:g}s"
    if hours:
        return f"{sign}{hours}h{minutes}m{last}"
    return f"{sign}{minutes}m{last}" if minutes else sign + last
