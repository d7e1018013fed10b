"""Schedules of CronJobs, and their time zones.

Specification: Kubernetes, validateScheduleFormat and validateTimeZone of pkg/apis/batch/validation; cron v3's
ParseStandard, whose sentences these are: five fields of ranges with steps, or one of a few words, or `@every` and a
duration of Go's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from msgspec import Struct

from podward.api.go_duration import seconds_of
from podward.api.gotext import quote
from podward.schema.strategies.time_zones import KNOWN


class _ScheduleFault(Exception):  # noqa: N818 - it never leaves this module
    """The sentence of the fault."""


class _Bounds(Struct, frozen=True):
    least: int
    most: int
    names: Mapping[str, int] = {}


def _named(words: str, first: int) -> Mapping[str, int]:
    return {word: number for number, word in enumerate(words.split(), first)}


class Field(Struct, frozen=True):
    """The numbers that a field allows. `free`: it is a star, and leaves the days to the other field of days."""

    values: frozenset[int]
    free: bool = False


class Schedule(Struct, frozen=True):
    """When something is due: at minutes of hours of days, by five fields, or after so many seconds each time.

    `zone` is the one that the schedule names itself; empty where it names none.
    """

    fields: tuple[Field, ...] = ()
    seconds: float = 0.0
    zone: str = ""


_FIELDS: Sequence[_Bounds] = (
    _Bounds(0, 59),
    _Bounds(0, 23),
    _Bounds(1, 31),
    _Bounds(1, 12, _named("jan feb mar apr may jun jul aug sep oct nov dec", 1)),
    _Bounds(0, 6, _named("sun mon tue wed thu fri sat", 0)),
)
_WORDS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_EVERY = "@every "
_PART = re.compile(r"(\d+\.?\d*|\.\d+)([^\d.]*)")
_UNITS = frozenset(("ns", "us", "\u00b5s", "\u03bcs", "ms", "s", "m", "h"))
_ZONE_PART = re.compile(r"[A-Za-z.\-_0-9+]{1,14}")
_LARGEST = (1 << 63) - 1
_LONGEST = _LARGEST // 10**9
"""Seconds: no duration of Go's is longer."""


def schedule_fault(schedule: str) -> str:
    """What is wrong with a schedule that is not empty; empty where nothing is."""
    found = parsed(schedule)
    return found if isinstance(found, str) else ""


def parsed(schedule: str) -> Schedule | str:
    """The schedule, or what is wrong with it."""
    try:
        return _schedule(schedule)
    except _ScheduleFault as fault:
        return str(fault)


def zone_fault(zone: str) -> tuple[str, ...]:
    """What is wrong with a time zone's name."""
    if not zone:
        return ("timeZone must be nil or non-empty string",)
    for part in zone.split("/"):
        if part in {".", ".."} or part.startswith("-") or not _ZONE_PART.fullmatch(part):
            return (f"unknown time zone {zone}",)
    found = []
    if zone.lower() == "local":
        found.append("timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones")
    if zone not in KNOWN and zone != "Local":
        found.append(f"unknown time zone {zone}")
    return tuple(found)


def _schedule(text: str) -> Schedule:
    zone = ""
    if text.startswith(("TZ=", "CRON_TZ=")):
        end, start = text.find(" "), text.find("=") + 1
        if end < 0:
            raise _ScheduleFault("invalid schedule format: runtime error: slice bounds out of range [:-1]")
        zone = text[start:end]
        if zone not in KNOWN and zone not in {"", "Local"}:
            raise _ScheduleFault(f"provided bad location {zone}: unknown time zone {zone}")
        text = text[end:].strip()
    if text.startswith("@"):
        return _descriptor(text, zone)
    return Schedule(_fields(text), zone=zone)


def _fields(text: str) -> tuple[Field, ...]:
    fields = text.split()
    if len(fields) != len(_FIELDS):
        listed = f"[{' '.join(fields)}]"
        raise _ScheduleFault(f"expected exactly {len(_FIELDS)} fields, found {len(fields)}: {listed}")
    return tuple(_field(field, bounds) for field, bounds in zip(fields, _FIELDS, strict=True))


def _field(field: str, bounds: _Bounds) -> Field:
    parts = [_range(expression, bounds) for expression in field.split(",") if expression]
    return Field(frozenset().union(*(part.values for part in parts)), any(part.free for part in parts))


def _range(expression: str, bounds: _Bounds) -> Field:
    span, *steps = expression.split("/")
    low, *high = span.split("-")
    if low in {"*", "?"}:
        start, end = bounds.least, bounds.most
    else:
        start = end = _number_or_name(low, bounds)
        if len(high) == 1:
            end = _number_or_name(high[0], bounds)
        elif high:
            raise _ScheduleFault(f"too many hyphens: {expression}")
    if len(steps) > 1:
        raise _ScheduleFault(f"too many slashes: {expression}")
    step = _number(steps[0]) if steps else 1
    if steps and not high:
        end = bounds.most
    if start < bounds.least:
        raise _ScheduleFault(f"beginning of range ({start}) below minimum ({bounds.least}): {expression}")
    if end > bounds.most:
        raise _ScheduleFault(f"end of range ({end}) above maximum ({bounds.most}): {expression}")
    if start > end:
        raise _ScheduleFault(f"beginning of range ({start}) beyond end of range ({end}): {expression}")
    if step == 0:
        raise _ScheduleFault(f"step of range should be a positive number: {expression}")
    return Field(frozenset(range(start, end + 1, step)), low in {"*", "?"} and step == 1)


def _number_or_name(text: str, bounds: _Bounds) -> int:
    named = bounds.names.get(text.lower())
    return _number(text) if named is None else named


def _number(text: str) -> int:
    fault = integer_fault(text)
    if fault:
        raise _ScheduleFault(f"failed to parse int from {text}: {fault}")
    number = int(text)
    if number < 0:
        raise _ScheduleFault(f"negative number ({number}) not allowed: {text}")
    return number


def integer_fault(text: str) -> str:
    """What Go's strconv.Atoi says of a text; empty where it is a number."""
    digits = text[1:] if text[:1] in {"+", "-"} else text
    if not digits.isascii() or not digits.isdecimal():
        return f"strconv.Atoi: parsing {quote(text)}: invalid syntax"
    digits = digits.lstrip("0")
    if len(digits) > 19 or int(digits or "0") > _LARGEST + (text[0] == "-"):
        return f"strconv.Atoi: parsing {quote(text)}: value out of range"
    return ""


def _descriptor(text: str, zone: str) -> Schedule:
    if text in _WORDS:
        return Schedule(_fields(_WORDS[text]), zone=zone)
    if not text.startswith(_EVERY):
        raise _ScheduleFault(f"unrecognized descriptor: {text}")
    fault = _duration_fault(text.removeprefix(_EVERY))
    if fault:
        raise _ScheduleFault(f"failed to parse duration {text}: {fault}")
    seconds = seconds_of(text.removeprefix(_EVERY))
    whole = _LONGEST if seconds is None else min(max(int(seconds), 1), _LONGEST)
    return Schedule(seconds=float(whole), zone=zone)


def _duration_fault(text: str) -> str:
    rest = text[1:] if text[:1] in {"+", "-"} else text
    if rest == "0":
        return ""
    invalid = f"time: invalid duration {quote(text)}"
    while rest:
        part = _PART.match(rest)
        if part is None:
            return invalid
        unit = part.group(2)
        if not unit:
            return f"time: missing unit in duration {quote(text)}"
        if unit not in _UNITS:
            return f"time: unknown unit {quote(unit)} in duration {quote(text)}"
        rest = rest[part.end() :]
    return "" if text.strip("+-") else invalid
