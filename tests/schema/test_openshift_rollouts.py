"""Whose logs are told of a rollout that is complete."""

from __future__ import annotations

import pytest

from podward.api.json_value import Json, JsonObject
from podward.schema.openshift.rollouts import application_pod, is_complete


def _pod(name: str, phase: str = "Running", ready: str = "", *, node: str = "n", restarts: int = 0) -> JsonObject:
    conditions: list[Json] = [{"type": "Ready", "status": "True", "lastTransitionTime": ready}] if ready else []
    return {
        "metadata": {"name": name, "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {"nodeName": node},
        "status": {"phase": phase, "conditions": conditions, "containerStatuses": [{"restartCount": restarts}]},
    }


EARLY, LATE = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (_pod("z", "Pending"), _pod("a", "Pending", node="")),
        (_pod("z"), _pod("a", "Pending")),
        (_pod("z", ready=LATE), _pod("a")),
        (_pod("z", ready=EARLY), _pod("a", ready=LATE)),
        (_pod("z", restarts=1), _pod("a")),
        (_pod("a"), _pod("z")),
    ],
)
def test_the_pod_that_says_most(better: JsonObject, worse: JsonObject) -> None:
    expected = better["metadata"]
    assert isinstance(expected, dict)
    assert application_pod([worse, better]) == application_pod([better, worse]) == expected["name"]


def test_without_a_pod_there_is_none() -> None:
    assert not application_pod([])


def test_a_rollout_is_complete_when_its_phase_says_so() -> None:
    assert is_complete({"metadata": {"annotations": {"openshift.io/deployment.phase": "Complete"}}})
    assert not is_complete({"metadata": {"annotations": {"openshift.io/deployment.phase": "Failed"}}})
