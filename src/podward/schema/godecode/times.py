"""Times: what Go's time.Parse says about an RFC 3339 text, and how meta/v1 writes one.

Specification: Go's package time, Parse with the layout RFC3339; k8s.io/apimachinery meta/v1 Time: written in UTC, to
the second. Year to day have fixed widths, the hour needn't; any fraction of a second goes with the second. meta/v1
MicroTime has six digits of a second's fraction, which must be there.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_LAYOUT = "2006-01-02T15:04:05Z07:00"
_MICRO_LAYOUT = "2006-01-02T15:04:05.000000Z07:00"
_MICRO_WIDTH = len(".000000")
_DIGITS = frozenset("0123456789")
_OFFSET_WIDTH = len("+07:00")
_MOST_HOURS, _MOST_MINUTES, _MOST_SECONDS, _MOST_MONTHS = 23, 59, 59, 12
_MOST_OFFSET = (24, 60)


class GoTimeError(ValueError):
    """The text is no time; the message is Go's."""


def parse(text: str) -> datetime:
    """The moment that `text` names. Raises GoTimeError."""
    return _parsed(text, _LAYOUT)


def parse_micro(text: str) -> datetime:
    """The moment that `text` names with its microseconds. Raises GoTimeError."""
    return _parsed(text, _MICRO_LAYOUT)


def _parsed(text: str, layout: str) -> datetime:
    reader = _Reader(text, layout)
    year = reader.digits(4, "2006")
    reader.literal("-")
    month = reader.number("01", "month", 1, _MOST_MONTHS)
    reader.literal("-")
    day = reader.number("02", "", 0, 99)
    reader.literal("T")
    hour = reader.number("15", "hour", 0, _MOST_HOURS, fixed=False)
    reader.literal(":")
    minute = reader.number("04", "minute", 0, _MOST_MINUTES)
    reader.literal(":")
    second = reader.number("05", "second", 0, _MOST_SECONDS)
    micro = reader.microseconds() if layout is _MICRO_LAYOUT else reader.fraction()
    offset = reader.zone()
    if reader.rest:
        raise GoTimeError(f"parsing time {_quote(text)}: extra text: {_quote(reader.rest)}")
    if not 1 <= day <= _days(year, month):
        raise GoTimeError(f"parsing time {_quote(text)}: day out of range")
    moment = datetime(max(year, 1), month, day, hour, minute, second, micro, tzinfo=UTC)
    try:
        return moment - timedelta(minutes=offset)
    except OverflowError:
        return moment


def written(text: str) -> str:
    """The time `text` as meta/v1 Time writes it: UTC, whole seconds."""
    return parse(text).strftime("%Y-%m-%dT%H:%M:%SZ").rjust(len("2006-01-02T15:04:05Z"), "0")


def written_micro(text: str) -> str:
    """The time `text` as meta/v1 MicroTime writes it: UTC, with microseconds."""
    return parse_micro(text).strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(len("2006-01-02T15:04:05.000000Z"), "0")


class _Reader:
    """What is left of the text."""

    __slots__ = ("_layout", "_text", "rest")

    def __init__(self, text: str, layout: str) -> None:
        self._text = text
        self._layout = layout
        self.rest = text

    def literal(self, char: str) -> None:
        """Go past a character of the layout."""
        if not self.rest.startswith(char):
            self._fail(char, self.rest)
        self.rest = self.rest[1:]

    def digits(self, width: int, element: str) -> int:
        """A number of this many digits, the first of which Go looks at first."""
        taken = self.rest[:width]
        if len(taken) < width or not _DIGITS.issuperset(taken):
            self._fail(element, self.rest)
        self.rest = self.rest[width:]
        return int(taken)

    def number(self, element: str, name: str, least: int, most: int, *, fixed: bool = True) -> int:
        """A number of two digits, or of one where the layout allows it, within its range."""
        hold = self.rest
        width = 1 if not fixed and not _DIGITS.issuperset(hold[1:2] or "x") else 2
        taken = hold[:width]
        if len(taken) < width or not _DIGITS.issuperset(taken):
            self._fail(element, hold)
        self.rest = hold[width:]
        if not least <= int(taken) <= most:
            raise GoTimeError(f"parsing time {_quote(self._text)}: {name} out of range")
        return int(taken)

    def fraction(self) -> int:
        """Go past the fraction of a second, if there is one; it counts for nothing."""
        if self.rest[:1] in {".", ","} and self.rest[1:2] in _DIGITS:
            self.rest = self.rest[1:].lstrip("0123456789")
        return 0

    def microseconds(self) -> int:
        """The fraction of a second, which has six digits."""
        taken = self.rest[:_MICRO_WIDTH]
        if len(taken) < _MICRO_WIDTH or taken[0] not in ".," or not _DIGITS.issuperset(taken[1:]):
            self._fail(".000000", self.rest)
        self.rest = self.rest[_MICRO_WIDTH:]
        return int(taken[1:])

    def zone(self) -> int:
        """The offset from UTC in minutes."""
        hold = self.rest
        if hold.startswith("Z"):
            self.rest = hold[1:]
            return 0
        taken = hold[:_OFFSET_WIDTH]
        shaped = len(taken) == _OFFSET_WIDTH and taken[3] == ":"
        if not shaped or not _DIGITS.issuperset(taken[1:3] + taken[4:]):
            self._fail("Z07:00", hold)
        self.rest = hold[_OFFSET_WIDTH:]
        hours, minutes = int(taken[1:3]), int(taken[4:])
        for value, most, name in ((hours, _MOST_OFFSET[0], "hour"), (minutes, _MOST_OFFSET[1], "minute")):
            if value > most:
                raise GoTimeError(f"parsing time {_quote(self._text)}: time zone offset {name} out of range")
        if taken[0] not in "+-":
            self._fail("Z07:00", hold)
        return (hours * 60 + minutes) * (-1 if taken[0] == "-" else 1)

    def _fail(self, element: str, rest: str) -> None:
        text = _quote(self._text)
        raise GoTimeError(f'parsing time {text} as "{self._layout}": cannot parse {_quote(rest)} as {_quote(element)}')


def _days(year: int, month: int) -> int:
    if month == 2:  # February
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in {4, 6, 9, 11} else 31


def _quote(text: str) -> str:
    r"""As package time quotes: quotes and backslashes escaped, every byte that isn't printable ASCII as `\xNN`."""
    quoted = '"'
    for char in text:
        if char in {'"', "\\"}:
            quoted += "\\" + char
        elif " " <= char <= "~":
            quoted += char
        else:
            quoted += "".join(f"\\x{byte:02x}" for byte in char.encode("utf-8", "replace"))
    return quoted + '"'
