"""runAsUser: who gets a uid, who gets runAsNonRoot, and who is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from podward.api.json_value import JsonObject
from podward.decision import Decision
from podward.policy.scc.violation import SccViolation

UID, NON_ROOT = "spec.containers[0].securityContext.runAsUser", "spec.containers[0].securityContext.runAsNonRoot"
POD_UID = "spec.securityContext.runAsUser"
ANY: JsonObject = {"type": "RunAsAny"}
RANGE: JsonObject = {"type": "MustRunAsRange"}
INVERTED: JsonObject = {"type": "MustRunAsRange", "uidRangeMin": 9, "uidRangeMax": 3}
NOT_ROOT: JsonObject = {"type": "MustRunAsNonRoot"}
FIVE: JsonObject = {"type": "MustRunAs", "uid": 5}
ROOT: JsonObject = {"type": "MustRunAs", "uid": 0}


def run(decide: Callable[..., Decision], strategy: JsonObject, pod: JsonObject, container: JsonObject) -> Decision:
    spec = {"securityContext": pod, "containers": [{"name": "c", "securityContext": container}]}
    return decide({"runAsUser": strategy}, spec)


@pytest.mark.parametrize(
    ("strategy", "pod", "container", "given"),
    [
        (RANGE, {}, {}, {UID: 1000, NON_ROOT: True}),
        (RANGE, {"runAsUser": 1001}, {}, {NON_ROOT: True}),
        (RANGE, {}, {"runAsUser": 1001, "runAsNonRoot": False}, {}),
        (RANGE, {"runAsNonRoot": False}, {}, {UID: 1000}),
        (FIVE, {}, {}, {UID: 5, NON_ROOT: True}),
        (ROOT, {}, {}, {UID: 0}),
        (ANY, {}, {}, {}),
        (ANY, {"runAsUser": 7}, {}, {NON_ROOT: True}),
        (ANY, {"runAsUser": 7}, {"runAsUser": 0}, {}),
        (ANY, {}, {"runAsUser": -1}, {}),
        (NOT_ROOT, {}, {}, {NON_ROOT: True}),
        (NOT_ROOT, {}, {"runAsUser": 1}, {NON_ROOT: True}),
        (NOT_ROOT, {}, {"runAsUser": -1}, {}),
        (NOT_ROOT, {"runAsNonRoot": True}, {}, {}),
    ],
)
def test_what_is_given(
    decide: Callable[..., Decision], strategy: JsonObject, pod: JsonObject, container: JsonObject, given: JsonObject
) -> None:
    made = run(decide, strategy, pod, container)
    assert not made.violations
    assert {str(one.path): one.value for one in made.assignments} == given


@pytest.mark.parametrize(
    ("strategy", "contexts", "place", "printed"),
    [
        (RANGE, ({}, {"runAsUser": 999}), UID, "runAsUser: Invalid value: 999: must be in the ranges: [1000, 1009]"),
        (RANGE, ({"runAsUser": 0}, {}), POD_UID, "runAsUser: Invalid value: 0: must be in the ranges: [1000, 1009]"),
        (INVERTED, ({}, {}), UID, "runAsUser: Invalid value: 9: must be in the ranges: [9, 3]"),
        (FIVE, ({}, {"runAsUser": 6}), UID, "runAsUser: Invalid value: 6: must be: 5"),
        (NOT_ROOT, ({}, {"runAsUser": 0}), UID, "runAsUser: Invalid value: 0: running with the root UID is forbidden"),
        (NOT_ROOT, ({}, {"runAsNonRoot": False}), NON_ROOT, "runAsNonRoot: Invalid value: false: must be true"),
        (
            NOT_ROOT,
            ({"runAsNonRoot": False, "runAsUser": 0}, {}),
            "spec.securityContext.runAsNonRoot",
            "runAsNonRoot: Invalid value: false: must be true",
        ),
    ],
)
def test_what_is_refused(
    decide: Callable[..., Decision],
    strategy: JsonObject,
    contexts: tuple[JsonObject, JsonObject],
    place: str,
    printed: str,
) -> None:
    (violation,) = run(decide, strategy, *contexts).violations
    assert isinstance(violation, SccViolation)
    assert violation.printed == f"provider mine: .containers[0].{printed}"
    assert str(violation.path) == place


def test_a_range_of_the_scc_is_not_mixed_with_that_of_the_namespace(decide: Callable[..., Decision]) -> None:
    made = run(decide, {**RANGE, "uidRangeMin": 5, "uidRangeMax": 6}, {}, {})
    assert made.assignments[0].value == 5
    assert str(made.assignments[0].source) == "scc mine runAsUser.uidRangeMin"
