"""What a CronJob does at a moment: outcomes that the real controller's tests expect."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from podward.api.json_value import Json, JsonObject
from podward.controllers.cron import decisions
from podward.controllers.cron.decisions import Clock
from podward.documents.raw_fields import member, objects
from podward.schema.strategies.schedules import Schedule, parsed

NOW = dt.datetime(2016, 5, 19, 10, 0, 30, tzinfo=dt.UTC)
NAME = "c-24394200"


def cron(status: JsonObject | None = None, **spec: Json) -> JsonObject:
    metadata: JsonObject = {"name": "c", "namespace": "ns", "uid": "u", "creationTimestamp": "2016-05-19T09:59:30Z"}
    template: Json = {"metadata": {"labels": {"a": "b"}, "annotations": {"x": "y"}}, "spec": {"z": 1}}
    of: JsonObject = {"schedule": "0 * * * *", "jobTemplate": template, "concurrencyPolicy": "Allow", **spec}
    return {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": metadata, "spec": of, "status": status or {}}


def job(name: str, condition: str = "", *, started: str = "", completed: str = "") -> JsonObject:
    status: JsonObject = {}
    if condition:
        status["conditions"] = [{"type": condition, "status": "True"}]
    status |= {key: value for key, value in (("startTime", started), ("completionTime", completed)) if value}
    return {"metadata": {"name": name, "namespace": "ns", "uid": name}, "status": status}


def active(*names: str) -> JsonObject:
    listed: list[Json] = [{"name": name, "namespace": "ns", "uid": name} for name in names]
    return {"active": listed}


def clock(of: JsonObject, now: dt.datetime = NOW) -> Clock:
    schedule = parsed(str(member(of, "spec")["schedule"]))
    assert isinstance(schedule, Schedule)
    return Clock(schedule, dt.UTC, now)


@pytest.mark.parametrize(
    ("of", "begins", "replaced", "told"),
    [
        (cron(), True, 0, []),
        (cron({"lastScheduleTime": "2016-05-19T10:00:00Z"}), False, 0, []),
        (cron(active(NAME)), False, 0, []),
        (cron(active("other"), concurrencyPolicy="Forbid"), False, 0, ["JobAlreadyActive"]),
        (cron(active("other"), concurrencyPolicy="Replace"), True, 1, []),
        (cron(active("other")), True, 0, []),
        (cron(startingDeadlineSeconds=10), False, 0, []),
        (cron(startingDeadlineSeconds=60), True, 0, []),
        (cron(schedule="59 23 31 2 *"), False, 0, ["InvalidSchedule"]),
        (cron({"lastScheduleTime": "2016-05-01T10:00:00Z"}), True, 0, ["TooManyMissedTimes"]),
    ],
)
def test_whether_a_job_begins(of: JsonObject, begins: bool, replaced: int, told: list[str]) -> None:  # noqa: FBT001 - a table
    start = decisions.due(of, member(of, "status"), clock(of))
    assert (start.moment is not None, len(start.replaced), [each.reason for each in start.told]) == (
        begins,
        replaced,
        told,
    )


def test_it_sleeps_until_the_next_moment() -> None:
    assert decisions.wait(cron(), {"lastScheduleTime": "2016-05-19T10:00:00Z"}, clock(cron())) == 3570.1
    assert decisions.wait(cron(), {}, clock(cron(), NOW - dt.timedelta(seconds=45))) == 15.1


def test_a_job_is_named_for_its_minute_and_made_of_the_template() -> None:
    moment = dt.datetime(2016, 5, 19, 10, 0, tzinfo=dt.UTC)
    made = decisions.job_of(cron(), moment, dt.UTC)
    of = member(made, "metadata")
    assert (of["name"], of["labels"], made["spec"]) == (NAME, {"a": "b"}, {"z": 1})
    assert of["annotations"] == {"x": "y", "batch.kubernetes.io/cronjob-scheduled-timestamp": "2016-05-19T10:00:00Z"}
    there = member(member(decisions.job_of(cron(), moment, ZoneInfo("Asia/Kolkata")), "metadata"), "annotations")
    assert there["batch.kubernetes.io/cronjob-scheduled-timestamp"] == "2016-05-19T15:30:00+05:30"


def test_jobs_that_ended_vanished_or_are_strange_are_told() -> None:
    of = cron(active("done", "failed", "lost", "slow"))
    jobs = [
        job("done", "Complete", completed="2016-05-19T09:30:00Z"),
        job("failed", "Failed"),
        job("strange"),
    ]
    status, told = decisions.counted(of, jobs, {"lost"})
    assert [each["name"] for each in objects(status, "active")] == ["slow"]
    assert status["lastSuccessfulTime"] == "2016-05-19T09:30:00Z"
    assert [each.message for each in told] == [
        "Saw completed job: done, condition: Complete",
        "Saw completed job: failed, condition: Failed",
        "Saw a job that the controller did not create or forgot: strange",
        "Active job went missing: lost",
    ]


def test_the_history_keeps_the_youngest() -> None:
    of = cron(successfulJobsHistoryLimit=1, failedJobsHistoryLimit=0)
    jobs = [
        job("new", "Complete", started="2016-05-19T09:00:00Z"),
        job("old", "Complete", started="2016-05-19T08:00:00Z"),
        job("bad", "Failed"),
        job("runs"),
    ]
    assert [member(each, "metadata")["name"] for each in decisions.outdated(of, jobs)] == ["old", "bad"]
    assert decisions.outdated(cron(), jobs) == []


def test_the_status_names_the_job_that_began() -> None:
    moment = dt.datetime(2016, 5, 19, 10, 0, tzinfo=dt.UTC)
    status = decisions.started({}, job(NAME), moment)
    assert status["lastScheduleTime"] == "2016-05-19T10:00:00Z"
    assert [each["name"] for each in objects(status, "active")] == [NAME]
    assert decisions.without_active(status, NAME) == {"lastScheduleTime": "2016-05-19T10:00:00Z"}
