"""What a Job does next, and how its Pods are counted: outcomes that the real controller's tests expect."""

from __future__ import annotations

import pytest

from podward.api.json_value import Json, JsonObject
from podward.controllers.jobs import backoff, tracking
from podward.controllers.jobs.backoff import Record
from podward.controllers.jobs.evaluation import concluded, evaluated
from podward.controllers.jobs.indexes import INDEX
from podward.controllers.jobs.pods_of import FAILURES, FINALIZER, made
from podward.controllers.jobs.state import Evaluation
from podward.documents.raw_fields import member, objects
from podward.schema.validation.raw import text, texts

NOW = 1_000_000.0


def job(status: JsonObject | None = None, **spec: Json) -> JsonObject:
    of: JsonObject = {"parallelism": 2, "completions": 4, "backoffLimit": 6, "template": {"spec": {}}, **spec}
    metadata: JsonObject = {"name": "j", "namespace": "ns", "uid": "u"}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": of, "status": status or {}}


def pod(
    uid: str, phase: str = "Running", *, tracked: bool = True, index: int | None = None, **more: Json
) -> JsonObject:
    metadata: JsonObject = {"name": uid, "namespace": "ns", "uid": uid, "creationTimestamp": "1970-01-01T00:00:00Z"}
    if tracked:
        metadata["finalizers"] = [FINALIZER]
    if index is not None:
        metadata["annotations"] = {INDEX: str(index), **member(more, "notes")}
    if more.get("going"):
        metadata["deletionTimestamp"] = "1970-01-01T00:00:00Z"
    return {"metadata": metadata, "spec": {}, "status": {"phase": phase, **member(more, "status")}}


def exited(code: int) -> JsonObject:
    terminated: Json = {"exitCode": code, "finishedAt": "1970-01-01T00:00:00Z"}
    return {"containerStatuses": [{"name": "c", "state": {"terminated": terminated}}]}


def look(of: JsonObject, *pods: JsonObject, record: Record = Record()) -> Evaluation:  # noqa: B008 - it is frozen
    return evaluated(of, pods, record, NOW)


def reason(this: Evaluation) -> str:
    return text(this.finished or {}, "reason")


@pytest.mark.parametrize(
    ("of", "pods", "made_count", "removed"),
    [
        (job(), [], 2, 0),
        (job(), [pod("a")], 1, 0),
        (job(), [pod("a"), pod("b")], 0, 0),
        (job(), [pod("a"), pod("b"), pod("c")], 0, 1),
        (job(), [pod("a", "Succeeded"), pod("b", "Succeeded"), pod("c", "Succeeded")], 1, 0),
        (job(completions=None), [pod("a", "Succeeded")], 0, 0),
        (job(completions=None, parallelism=3), [], 3, 0),
        (job(suspend=True), [pod("a"), pod("b")], 0, 2),
        (job(), [pod("a", going=True)], 2, 0),
        (job(podReplacementPolicy="Failed"), [pod("a", going=True)], 1, 0),
        (job({"succeeded": 4}), [pod("a")], 0, 1),
    ],
)
def test_how_many_pods_are_made_and_removed(
    of: JsonObject, pods: list[JsonObject], made_count: int, removed: int
) -> None:
    this = look(of, *pods)
    # a Pod that is being deleted counts as failed at once, and as one that failed long ago
    assert (len(this.wanted.made), len(this.wanted.removed)) == (made_count, removed)


@pytest.mark.parametrize(
    ("of", "pods", "why"),
    [
        (job(), [pod("a", "Failed")], ""),
        (job(backoffLimit=0), [pod("a", "Failed")], "BackoffLimitExceeded"),
        (job({"failed": 6}), [pod("a", "Failed")], "BackoffLimitExceeded"),
        (
            job(template={"spec": {"restartPolicy": "OnFailure"}}, backoffLimit=2),
            [pod("a", status={"containerStatuses": [{"restartCount": 2}]})],
            "BackoffLimitExceeded",
        ),
        (job({"startTime": "1970-01-12T13:46:30Z"}, activeDeadlineSeconds=10), [], "DeadlineExceeded"),
        (job({"startTime": "1970-01-12T13:46:30Z"}, activeDeadlineSeconds=11), [], ""),
        (job({"startTime": "1970-01-12T13:46:30Z"}, activeDeadlineSeconds=10, suspend=True), [], ""),
        (
            job({"conditions": [{"type": "FailureTarget", "status": "True", "reason": "Before", "message": "m"}]}),
            [],
            "Before",
        ),
    ],
)
def test_why_a_job_fails(of: JsonObject, pods: list[JsonObject], why: str) -> None:
    assert reason(look(of, *pods)) == why


def policy(action: str) -> JsonObject:
    return {"rules": [{"action": action, "onExitCodes": {"operator": "In", "values": [42]}}]}


@pytest.mark.parametrize(
    ("action", "code", "failed", "message"),
    [
        ("Ignore", 42, 0, ""),
        ("Ignore", 1, 1, ""),
        ("Count", 42, 1, ""),
        ("FailJob", 42, 1, "Container c for pod ns/a failed with exit code 42 matching FailJob rule at index 0"),
        ("FailJob", 0, 1, ""),
    ],
)
def test_the_pod_failure_policy(action: str, code: int, failed: int, message: str) -> None:
    this = look(job(podFailurePolicy=policy(action)), pod("a", "Failed", status=exited(code)))
    assert (this.failed, text(this.finished or {}, "message")) == (failed, message)


def test_a_condition_of_a_pod_can_fail_the_job() -> None:
    rule: Json = {"action": "FailJob", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}
    gone = pod("a", "Failed", status={"conditions": [{"type": "DisruptionTarget", "status": "True"}]})
    said = text(look(job(podFailurePolicy={"rules": [rule]}), gone).finished or {}, "message")
    assert said == "Pod ns/a has condition DisruptionTarget matching FailJob rule at index 0"


def test_a_pod_that_failed_is_replaced_after_a_while() -> None:
    late = Record(2, NOW - 5)
    this = look(job(), record=late)
    assert (this.wanted.made, this.wanted.again) == ([], [15.0])
    assert backoff.remaining(Record(10, NOW), NOW) == 600.0
    assert backoff.remaining(Record(1, NOW - 11), NOW) == 0.0


def test_a_success_forgets_the_failures_before_it() -> None:
    def at(seconds: int) -> JsonObject:
        ended = f"1970-01-01T00:00:{seconds:02}Z"
        return pod(str(seconds), status={"containerStatuses": [{"state": {"terminated": {"finishedAt": ended}}}]})

    assert backoff.after(Record(3, 1), [], [at(5)]) == Record(4, 5)
    assert backoff.after(Record(3, 1), [at(6)], [at(5)]) == Record()
    assert backoff.after(Record(3, 1), [at(6)], [at(5), at(8), at(7)]) == Record(2, 8)


# --- indexes ---------------------------------------------------------------------------------------------------------


def indexed(status: JsonObject | None = None, **spec: Json) -> JsonObject:
    return job(status, completionMode="Indexed", parallelism=4, **spec)


def test_indexes_that_nobody_works_at_are_begun() -> None:
    this = look(indexed({"completedIndexes": "0"}), pod("b", index=2))
    assert this.wanted.made == [1, 3]


def test_pods_without_an_index_or_with_the_same_one_go() -> None:
    this = look(indexed(), pod("a", index=0), pod("b", index=0), pod("c"), pod("d", index=9), pod("e", index=1))
    assert len(this.wanted.removed) == 3
    assert {"c", "d"} < {text(member(each, "metadata"), "name") for each in this.wanted.removed}


@pytest.mark.parametrize(
    ("spec", "notes", "why", "failed"),
    [
        ({"backoffLimitPerIndex": 1}, "0", "", ""),
        ({"backoffLimitPerIndex": 1}, "1", "", "1"),
        ({"backoffLimitPerIndex": 1, "maxFailedIndexes": 0}, "1", "MaxFailedIndexesExceeded", "1"),
        ({"backoffLimitPerIndex": 1, "completions": 2}, "1", "FailedIndexes", "1"),
        ({"backoffLimitPerIndex": 1, "podFailurePolicy": policy("FailIndex")}, "0", "", "1"),
    ],
)
def test_indexes_that_failed_too_often(spec: JsonObject, notes: str, why: str, failed: str) -> None:
    gone = pod("a", "Failed", index=1, notes={FAILURES: notes}, status=exited(42))
    this = look(indexed({"completedIndexes": "0"}, **{"backoffLimit": 2147483647, **spec}), gone)
    assert (reason(this), str(this.failed_indexes)) == (why, failed)


def test_a_failed_index_keeps_its_pod_until_the_next_one_is_there() -> None:
    of, gone = indexed(backoffLimitPerIndex=3), pod("a", "Failed", index=1, notes={FAILURES: "1"})
    this = look(of, gone)
    assert this.delayed == {1: gone}
    assert tracking.noted(this, changed=False).released == []
    assert member(member(made(of, 1, gone), "metadata"), "annotations") == {INDEX: "1", FAILURES: "2"}
    this = look(of, gone, pod("b", index=1))
    assert tracking.noted(this, changed=False).released == [gone]


@pytest.mark.parametrize(
    ("rule", "met"),
    [
        ({"succeededIndexes": "0-1"}, True),
        ({"succeededIndexes": "0-2"}, False),
        ({"succeededIndexes": "1-3", "succeededCount": 1}, True),
        ({"succeededCount": 3}, False),
    ],
)
def test_the_success_policy(rule: JsonObject, met: bool) -> None:  # noqa: FBT001 - a table
    this = look(indexed({"completedIndexes": "0,1"}, successPolicy={"rules": [rule]}))
    assert (text(this.finished or {}, "message") == "Matched rules at index 0") is met


def test_a_pod_of_an_index_says_it_in_every_way() -> None:
    template: Json = {"spec": {"containers": [{"name": "c"}], "initContainers": [{"name": "i"}]}}
    found = made(indexed(template=template), 3, None)
    metadata, spec = member(found, "metadata"), member(found, "spec")
    assert (metadata["generateName"], metadata["labels"], spec["hostname"]) == ("j-3-", {INDEX: "3"}, "j-3")
    assert metadata["finalizers"] == [FINALIZER]
    variable = {
        "name": "JOB_COMPLETION_INDEX",
        "valueFrom": {"fieldRef": {"fieldPath": f"metadata.labels['{INDEX}']"}},
    }
    assert [each["env"] for each in (*objects(spec, "containers"), *objects(spec, "initContainers"))] == [
        [variable],
        [variable],
    ]
    long: JsonObject = {**indexed(), "metadata": {"name": "x" * 63, "uid": "u"}}
    assert text(member(made(long, 10, None), "metadata"), "generateName") == "x" * 54 + "-10-"


# --- counting --------------------------------------------------------------------------------------------------------


def test_pods_are_noted_then_let_go_of_then_counted() -> None:
    this = look(job(completions=1), pod("a", "Failed"), pod("b", "Succeeded"))
    concluded(this, [], 0)
    found = tracking.noted(this, changed=False)
    assert found.changed
    assert this.uncounted == {"failed": ["a"], "succeeded": ["b"]}
    assert [text(each, "type") for each in objects(this.status, "conditions")] == ["SuccessCriteriaMet"]
    assert tracking.ended(this, full=False) is None
    assert tracking.count_released(this.status, ())
    assert (this.status["failed"], this.status["succeeded"], this.uncounted) == (1, 1, {})
    told = tracking.ended(this, full=False)
    assert [each.message for each in told or ()] == ["Job completed"]
    assert this.status["completionTime"] == "1970-01-12T13:46:40Z"


def test_what_was_noted_and_let_go_of_before_is_counted_once() -> None:
    status: JsonObject = {"succeeded": 1, "uncountedTerminatedPods": {"succeeded": ["a", "b"]}}
    this = look(job(status), pod("a", "Succeeded", tracked=False), pod("b", "Succeeded"))
    assert this.succeeded == 3
    tracking.noted(this, changed=False)
    assert (this.status["succeeded"], this.uncounted) == (2, {"succeeded": ["b"]})


def test_a_job_that_failed_waits_until_its_pods_are_gone() -> None:
    running = pod("a")
    this = look(job(backoffLimit=0), pod("f", "Failed"), running)
    assert this.wanted.removed == [running]
    concluded(this, [running], 0)
    found = tracking.noted(this, changed=False)
    assert len(found.released) == 2
    tracking.count_released(this.status, ())
    assert (this.status["failed"], this.status["terminating"]) == (2, 1)
    assert tracking.ended(this, full=False) is None
    this.terminating = 0
    assert [each.reason for each in tracking.ended(this, full=False) or ()] == ["BackoffLimitExceeded"]
    assert [text(each, "type") for each in objects(this.status, "conditions")] == ["FailureTarget", "Failed"]


def test_five_hundred_are_noted_at_once() -> None:
    pods = [pod(str(number), "Succeeded") for number in range(600)]
    this = look(job(completions=1000), *pods)
    found = tracking.noted(this, changed=False)
    assert (found.full, len(texts(this.uncounted, "succeeded"))) == (True, 500)


def test_a_job_rests_and_goes_on() -> None:
    this = look(job({"startTime": "1970-01-01T00:00:00Z"}, suspend=True))
    assert [each.reason for each in concluded(this, [], 0)[1]] == ["Suspended"]
    assert "startTime" not in this.status
    resumed = look(job(this.status))
    assert [each.reason for each in concluded(resumed, [], 2)[1]] == ["Resumed"]
    assert resumed.status["startTime"] == "1970-01-12T13:46:40Z"
    assert objects(resumed.status, "conditions")[0]["status"] == "False"
