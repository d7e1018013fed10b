"""How many Pods budgets let go."""

from __future__ import annotations

import pytest
from workload_samples import NOW, meta, pod, workload

from podward.api.json_value import Json, JsonObject
from podward.controllers.apps.ownership import name_of
from podward.controllers.disruption import budgets
from podward.controllers.disruption.budgets import Expected
from podward.documents.raw_fields import member, objects
from podward.schema.moments import written

READY = 3600.0
OWNER = workload("ReplicaSet", "web")


def budget(status: JsonObject | None = None, /, **spec: Json) -> JsonObject:
    selector: JsonObject = {"matchLabels": {"app": "web"}}
    return {"metadata": meta("b"), "spec": {"selector": selector, **spec}, "status": status or {}}


@pytest.mark.parametrize(
    ("spec", "replicas", "pods", "wanted"),
    [
        ({"minAvailable": 3}, 10, 5, Expected(5, 3)),
        ({"minAvailable": "28%"}, 7, 5, Expected(7, 2)),
        ({"maxUnavailable": 3}, 10, 5, Expected(10, 7)),
        ({"maxUnavailable": "28%"}, 7, 5, Expected(7, 5)),
        ({"maxUnavailable": 9}, 3, 3, Expected(3, 0)),
        ({}, 3, 3, Expected(0, 0)),
    ],
)
def test_what_is_asked_for(spec: JsonObject, replicas: int, pods: int, wanted: Expected) -> None:
    assert budgets.expected(budget(**spec), replicas, pods) == wanted


@pytest.mark.parametrize(
    ("pods", "wanted", "allowed"),
    [
        ([pod("a", OWNER, ready=READY), pod("b", OWNER, ready=READY)], Expected(2, 1), 1),
        ([pod("a", OWNER, ready=READY), pod("b", OWNER)], Expected(2, 1), 0),
        ([pod("a", OWNER, ready=READY), pod("b", OWNER, ready=READY, gone=True)], Expected(2, 1), 0),
        ([pod("a", OWNER, ready=READY)], Expected(0, 0), 0),
        ([pod("a", OWNER, ready=READY)], Expected(1, 3), 0),
    ],
)
def test_what_is_allowed(pods: list[JsonObject], wanted: Expected, allowed: int) -> None:
    status = budgets.decide(budget(), pods, wanted, NOW).status
    assert status["disruptionsAllowed"] == allowed
    [condition] = objects(status, "conditions")
    reason = "SufficientPods" if allowed else "InsufficientPods"
    assert (condition["type"], condition["reason"], condition["observedGeneration"]) == ("DisruptionAllowed", reason, 1)


def test_what_is_being_evicted_counts_as_gone_for_two_minutes() -> None:
    pods = [pod("a", OWNER, ready=READY), pod("b", OWNER, ready=READY)]
    begun: JsonObject = {"disruptedPods": {"a": written(NOW - 20), "b": written(NOW - 121), "c": written(NOW)}}
    found = budgets.decide(budget(begun), pods, Expected(2, 0), NOW)
    assert found.status["currentHealthy"] == 1
    assert found.status["disruptedPods"] == {"a": written(NOW - 20)}
    assert ([name_of(each) for each in found.stayed], found.again) == (["b"], 100.0)


def test_what_cannot_be_counted_allows_nothing() -> None:
    status = budgets.uncounted(budget({"disruptionsAllowed": 4, "currentHealthy": 9}), "nobody knows", NOW)
    [condition] = objects(status, "conditions")
    assert (status["disruptionsAllowed"], status["currentHealthy"]) == (0, 9)
    assert (condition["status"], condition["reason"], condition["message"]) == ("False", "SyncFailed", "nobody knows")
    assert "observedGeneration" not in condition
    seen = budgets.uncounted(budget({"observedGeneration": 3}), "nobody knows", NOW)
    assert objects(seen, "conditions")[0]["observedGeneration"] == 3


@pytest.mark.parametrize(("selector", "covered"), [({}, True), ({"matchLabels": {"app": "no"}}, False), (None, False)])
def test_an_empty_selector_is_of_every_pod(selector: Json, *, covered: bool) -> None:
    assert budgets.covers(budget(selector=selector), pod("a")) is covered


def test_a_target_that_stays_is_none_after_two_minutes() -> None:
    staying = pod("a")
    condition: JsonObject = {"type": "DisruptionTarget", "status": "True", "lastTransitionTime": written(NOW - 100)}
    member(staying, "status")["conditions"] = [condition]
    assert budgets.stale_target(staying, NOW) == 20.0
    cleared = budgets.without_target(staying, NOW)
    assert [each["status"] for each in objects(member(cleared, "status"), "conditions")] == ["False"]
    assert budgets.stale_target(cleared, NOW) is None
