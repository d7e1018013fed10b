"""How many Pods are made and deleted, and what the status says."""

from __future__ import annotations

import pytest
from workload_samples import NOW, pod, workload

from podward.api.json_value import JsonObject
from podward.controllers.apps.replicas import BURST, Change, Counted, change, status_of
from podward.schema.moments import written

FAILED = {
    "type": "ReplicaFailure",
    "status": "True",
    "reason": "FailedCreate",
    "message": "no",
    "lastTransitionTime": written(NOW),
}


@pytest.mark.parametrize(
    ("wanted", "there", "expected"),
    [(2, 2, Change()), (3, 1, Change(make=2)), (1000, 0, Change(make=BURST)), (0, 1, Change(delete=(pod("p0"),)))],
)
def test_the_change(wanted: int, there: int, expected: Change) -> None:
    pods = [pod(f"p{index}") for index in range(there)]
    assert change(workload("ReplicaSet", "web", replicas=wanted), pods, [], NOW) == expected


def test_the_numbers_of_the_status() -> None:
    owner = workload("ReplicaSet", "web", replicas=3, minReadySeconds=30)
    pods = [
        pod("a", ready=30.0),
        pod("b", ready=29.0),
        pod("c", labels={"app": "web", "more": "x"}),
        pod("d", labels={}),
    ]
    assert status_of(owner, Counted(pods, 1, "", NOW)) == {
        "replicas": 4,
        "fullyLabeledReplicas": 3,
        "readyReplicas": 2,
        "availableReplicas": 1,
        "terminatingReplicas": 1,
        "observedGeneration": 1,
    }


@pytest.mark.parametrize(
    ("before", "failure", "expected"),
    [
        ([], "no", [FAILED]),
        ([{**FAILED, "message": "earlier"}], "no", [{**FAILED, "message": "earlier"}]),
        ([FAILED], "", None),
    ],
)
def test_a_failure_is_told_until_it_works(before: list[JsonObject], failure: str, expected: object) -> None:
    owner = workload("ReplicaSet", "web")
    owner["status"] = {"conditions": [*before]}
    assert status_of(owner, Counted([], None, failure, NOW)).get("conditions") == expected
