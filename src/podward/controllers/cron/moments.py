"""The next moment of a schedule, and those that were missed.

Specification: cron v3, SpecSchedule.Next, in the words of a time zone's own clock: an hour that a change of time leaves
out is not found, one that comes twice may be found twice; nothing within five years is nothing. Kubernetes,
pkg/controller/cronjob mostRecentScheduleTime, which estimates how many were missed and never lists them.
"""

from __future__ import annotations

import datetime as dt

from msgspec import Struct

from podward.schema.strategies.schedules import Schedule

_YEARS = 5
_MANY = 100
_MINUTE, _HOUR, _DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)


def following(schedule: Schedule, after: dt.datetime, zone: dt.tzinfo) -> dt.datetime | None:
    """The first moment later than `after`, which is in UTC, as the answer is."""
    whole = after.replace(microsecond=0)
    if not schedule.fields:
        return whole + dt.timedelta(seconds=schedule.seconds)
    return _Search(schedule, whole + dt.timedelta(seconds=1), zone).found()


class _Search:
    """Looks for the next moment: month by month, day by day, hour by hour, minute by minute."""

    def __init__(self, schedule: Schedule, start: dt.datetime, zone: dt.tzinfo) -> None:
        self._minutes, self._hours, self._days, self._months, self._weekdays = schedule.fields
        self._zone = zone
        self._at = start.astimezone(zone)
        self._moved = False

    def found(self) -> dt.datetime | None:
        last = self._at.year + _YEARS
        while self._at.year <= last:
            if self._month() and self._day() and self._hour() and self._minute() and self._second():
                return self._at.astimezone(dt.UTC)
        return None

    def _month(self) -> bool:
        """Go on to a month that fits; whether it is in the same year."""
        while self._at.month not in self._months.values:
            self._first(day=1, hour=0)
            year, month = divmod(self._at.year * 12 + self._at.month, 12)
            self._at = self._clock(self._at.replace(year=year, month=month + 1))
            if self._at.month == 1:
                return False
        return True

    def _day(self) -> bool:
        """Go on to a day that fits; whether it is in the same month."""
        while not self._day_fits():
            self._first(hour=0)
            self._at = self._clock(self._at.replace(tzinfo=None) + _DAY)
            if self._at.hour:  # this day has no midnight
                self._at = self._plus((24 - self._at.hour if self._at.hour > 12 else -self._at.hour) * _HOUR)
            if self._at.day == 1:
                return False
        return True

    def _day_fits(self) -> bool:
        day = self._at.day in self._days.values
        weekday = self._at.isoweekday() % 7 in self._weekdays.values
        return (day and weekday) if self._days.free or self._weekdays.free else (day or weekday)

    def _hour(self) -> bool:
        while self._at.hour not in self._hours.values:
            self._first()
            self._at = self._plus(_HOUR)
            if self._at.hour == 0:
                return False
        return True

    def _minute(self) -> bool:
        while self._at.minute not in self._minutes.values:
            self._moved = True
            self._at = self._plus(_MINUTE).replace(second=0)
            if self._at.minute == 0:
                return False
        return True

    def _second(self) -> bool:
        if self._at.second:
            self._moved = True
            self._at = self._plus(_MINUTE).replace(second=0)
            return False
        return True

    def _first(self, **fields: int) -> None:
        """Once something moves, what is smaller begins anew."""
        if not self._moved:
            self._moved = True
            self._at = self._clock(self._at.replace(minute=0, second=0, **fields))  # type: ignore[arg-type]

    def _clock(self, written: dt.datetime) -> dt.datetime:
        """What is the time where the clock should show this; where it never or twice does, as Go's Date has it."""
        plain = written.replace(tzinfo=dt.UTC)
        found = plain - self._offset(plain)
        return (plain - self._offset(found)).astimezone(self._zone)

    def _offset(self, at: dt.datetime) -> dt.timedelta:
        return at.astimezone(self._zone).utcoffset() or dt.timedelta()

    def _plus(self, duration: dt.timedelta) -> dt.datetime:
        return (self._at.astimezone(dt.UTC) + duration).astimezone(self._zone)


class Missed(Struct, frozen=True):
    """The last moment that was due and has passed, if one has. `since`: from when on it was looked.

    `some`: whether any was missed; `many`: more than a hundred; `impossible`: the schedule has no moments.
    """

    since: dt.datetime
    latest: dt.datetime | None = None
    some: bool = False
    many: bool = False
    impossible: bool = False


def missed(schedule: Schedule, zone: dt.tzinfo, since: dt.datetime, now: dt.datetime) -> Missed:
    """What was due between two moments."""
    first = following(schedule, since, zone)
    if first is None:
        return Missed(since, impossible=True)
    if now < first:
        return Missed(since)
    second = following(schedule, first, zone)
    if second is None:
        return Missed(since, impossible=True)
    if now < second:
        return Missed(since, first)
    between = round((second - first).total_seconds())
    if between < 1:
        return Missed(since, impossible=True)
    count = int((now - first).total_seconds()) // between + 1
    latest, at = None, following(schedule, first + dt.timedelta(seconds=(count - 2) * between), zone)
    while at is not None and at <= now:
        latest, at = at, following(schedule, at, zone)
    return Missed(since, latest, some=True, many=count > _MANY)
