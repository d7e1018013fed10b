"""When a schedule is due next: cron v3's own table, and what was missed."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from podward.controllers.cron.moments import Missed, following, missed
from podward.schema.strategies.schedules import Schedule, parsed

NEW_YORK, SAO_PAULO = ZoneInfo("America/New_York"), ZoneInfo("America/Sao_Paulo")


def schedule(text: str) -> Schedule:
    found = parsed(text)
    assert isinstance(found, Schedule)
    return found


def next_of(text: str, after: str, zone: dt.tzinfo = dt.UTC) -> str:
    start = dt.datetime.fromisoformat(after)
    start = start if start.tzinfo else start.replace(tzinfo=zone)
    found = following(schedule(text), start.astimezone(dt.UTC), zone)
    return "" if found is None else found.astimezone(zone).strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("after", "text", "expected"),
    [
        ("2012-07-09 14:45", "0/15 * * * *", "2012-07-09 15:00"),
        ("2012-07-09 14:59:59", "0/15 * * * *", "2012-07-09 15:00"),
        ("2012-07-09 15:45", "20-35/15 * * * *", "2012-07-09 16:20"),
        ("2012-07-09 23:35:51", "15/35 20-23/15 * * *", "2012-07-10 20:15"),
        ("2012-07-09 23:35", "0 0 9 apr-oct ?", "2012-08-09 00:00"),
        ("2012-07-09 23:35", "0 0 */5 apr,aug,oct mon", "2012-08-01 00:00"),
        ("2012-07-09 23:35", "0 0 * feb mon/2", "2013-02-01 00:00"),
        ("2012-07-09 23:35", "0 0 29 feb ?", "2016-02-29 00:00"),
        ("2012-12-31 23:59:45", "* * * * *", "2013-01-01 00:00"),
        ("2012-07-09 00:00", "0 0 30 feb ?", ""),
        ("2012-07-15 00:00", "* * 10 * fri", "2012-07-20 00:00"),
        ("2012-07-09 14:45:10", "@hourly", "2012-07-09 15:00"),
        ("2012-07-09 14:45:10", "@weekly", "2012-07-15 00:00"),
        ("2012-07-09 14:45:10", "@every 90m", "2012-07-09 16:15"),
    ],
)
def test_the_next_moment(after: str, text: str, expected: str) -> None:
    assert next_of(text, after) == expected


@pytest.mark.parametrize(
    ("after", "text", "zone", "expected"),
    [
        ("2012-03-11 00:00", "30 2 11 mar ?", NEW_YORK, "2013-03-11 02:30"),  # this hour is left out that day
        ("2012-03-11 01:59", "0 * * * *", NEW_YORK, "2012-03-11 03:00"),
        ("2012-11-04 00:59", "0 1 * * *", NEW_YORK, "2012-11-04 01:00"),
        ("2012-11-04T01:00:00-04:00", "0 1 * * *", NEW_YORK, "2012-11-04 01:00"),  # it comes twice
        ("2018-11-03 05:00", "0 9 4 * *", SAO_PAULO, "2018-11-04 09:00"),  # this day has no midnight
    ],
)
def test_clocks_that_are_changed(after: str, text: str, zone: ZoneInfo, expected: str) -> None:
    assert next_of(text, after, zone) == expected


def moment(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("text", "since", "now", "latest", "some", "many"),
    [
        ("0 * * * *", "2016-05-19 09:59", "2016-05-19 09:59:30", "", False, False),
        ("0 * * * *", "2016-05-19 09:59", "2016-05-19 10:30", "2016-05-19 10:00", False, False),
        ("0 * * * *", "2016-05-19 09:59", "2016-05-19 13:30", "2016-05-19 13:00", True, False),
        ("* * * * *", "2016-05-19 09:59", "2016-05-19 13:30", "2016-05-19 13:30", True, True),
        ("@every 1h", "2016-05-19 09:59", "2016-05-19 13:30", "2016-05-19 12:59", True, False),
        ("30 6-16/4 * * 1-5", "2022-01-21 20:00", "2022-01-24 12:00", "2022-01-24 10:30", True, False),
    ],
)
def test_what_was_missed(text: str, since: str, now: str, latest: str, some: bool, many: bool) -> None:  # noqa: FBT001, PLR0913, PLR0917 - a table
    found = missed(schedule(text), dt.UTC, moment(since), moment(now))
    assert found == Missed(moment(since), moment(latest) if latest else None, some=some, many=many)


def test_a_day_that_no_month_has_is_told() -> None:
    now = moment("2016-05-19 10:00")
    assert missed(schedule("59 23 31 2 *"), dt.UTC, now - dt.timedelta(days=1), now).impossible
