"""Which requests SCC admission leaves alone."""

from __future__ import annotations

import pytest

from podward.api.admission import Operation
from podward.api.authorization import Answer, Attributes
from podward.api.caller import User
from podward.api.json_value import JsonObject, copied_object
from podward.documents.raw_fields import member
from podward.policy.scc.request import RequestFacts
from podward.policy.scc.updates import why_left_alone
from podward.schema.view import pod_view

STORED: JsonObject = {
    "metadata": {"name": "p", "labels": {"a": "b"}, "annotations": {"x": "y"}, "finalizers": ["f"]},
    "spec": {
        "containers": [{"name": "c", "image": "i", "securityContext": {"runAsUser": 1}}],
        "schedulingGates": [{"name": "g"}],
        "serviceAccountName": "default",
    },
    "status": {"phase": "Pending"},
}


class Nobody:
    def authorize(self, wanted: Attributes) -> Answer:
        raise AssertionError(f"nobody asks {wanted}")


def left_alone(
    raw: JsonObject, old: JsonObject | None = None, subresource: str = "", operation: Operation = Operation.UPDATE
) -> bool:
    facts = RequestFacts(pod_view(raw), raw, None, "ns", User(), Nobody(), operation, old, subresource)
    return why_left_alone(facts) is not None


def changed(*steps: str | int, to: object) -> JsonObject:
    raw = copied_object(STORED)
    node: object = raw
    for step in steps[:-1]:
        node = node[step]  # type: ignore[index]  # STORED has these places
    if to is None:
        del node[steps[-1]]  # type: ignore[attr-defined]  # as above
    else:
        node[steps[-1]] = to  # type: ignore[index]  # as above
    return raw


@pytest.mark.parametrize("name", ["exec", "attach", "binding", "eviction", "log", "portforward", "proxy", "status"])
@pytest.mark.parametrize("operation", [Operation.CREATE, Operation.UPDATE])
def test_some_subresources_are_left_alone(name: str, operation: Operation) -> None:
    assert left_alone(changed("spec", "hostNetwork", to=True), STORED, name, operation)


@pytest.mark.parametrize("name", ["", "ephemeralcontainers", "resize", "STATUS", "scale"])
def test_other_subresources_are_decided(name: str) -> None:
    assert not left_alone(changed("spec", "hostNetwork", to=True), STORED, name)


@pytest.mark.parametrize("system", ["windows", "Windows", "linux", ""])
def test_windows_pods_are_left_alone_by_their_exact_name(system: str) -> None:
    created = changed("spec", "os", to={"name": system})
    assert left_alone(created, None, "", Operation.CREATE) == (system == "windows")


def test_a_host_process_is_no_windows_pod() -> None:
    raw = changed("spec", "securityContext", to={"windowsOptions": {"hostProcess": True}})
    assert not left_alone(raw, None, "", Operation.CREATE)


def test_an_update_that_changes_nothing_is_left_alone_and_a_creation_is_not() -> None:
    assert left_alone(copied_object(STORED), STORED)
    assert not left_alone(copied_object(STORED), STORED, "", Operation.CREATE)


@pytest.mark.parametrize(
    ("steps", "to"),
    [
        (("spec", "schedulingGates"), None),
        (("spec", "schedulingGates"), []),
        (("metadata", "finalizers"), ["f", "g"]),
        (("metadata", "finalizers"), None),
        (("metadata", "ownerReferences"), [{"name": "o"}]),
        (("metadata", "managedFields"), [{"manager": "m"}]),
        (("metadata", "annotations", "k8s.ovn.org/pod-networks"), "{}"),
        (("spec", "serviceAccount"), "default"),
        (("spec", "volumes"), []),
        (("spec", "nodeSelector"), {}),
        (("spec", "securityContext"), {}),
        (("spec", "containers", 0, "resources"), {"limits": {}}),
        (("status", "conditions"), []),
    ],
)
def test_updates_of_these_are_left_alone_both_ways(steps: tuple[str | int, ...], to: object) -> None:
    assert left_alone(changed(*steps, to=to), STORED)
    assert left_alone(copied_object(STORED), changed(*steps, to=to))


@pytest.mark.parametrize(
    ("steps", "to"),
    [
        (("metadata", "labels", "new"), "1"),
        (("metadata", "labels"), None),
        (("metadata", "annotations", "x"), "z"),
        (("metadata", "annotations", "x"), ""),
        (("metadata", "annotations", "x"), None),
        (("metadata", "annotations", "openshift.io/scc"), "privileged"),
        (("metadata", "resourceVersion"), "7"),
        (("spec", "containers", 0, "image"), "j"),
        (("spec", "containers", 0, "securityContext"), None),
        (("spec", "containers", 0, "securityContext", "runAsUser"), 0),
        (("spec", "containers", 0, "securityContext", "capabilities"), {}),
        (("spec", "ephemeralContainers"), [{"name": "e"}]),
        (("spec", "serviceAccountName"), "other"),
        (("spec", "securityContext"), {"fsGroup": 0}),
        (("spec", "volumes"), [{"name": "v"}]),
        (("spec", "unknown"), {}),
        (("status", "phase"), "Running"),
    ],
)
def test_updates_of_these_are_decided_again_both_ways(steps: tuple[str | int, ...], to: object) -> None:
    assert not left_alone(changed(*steps, to=to), STORED)
    assert not left_alone(copied_object(STORED), changed(*steps, to=to))


def test_an_update_without_the_stored_pod_is_decided() -> None:
    assert not left_alone(copied_object(STORED), None)


def test_null_and_absent_are_the_same() -> None:
    raw = copied_object(STORED)
    member(raw, "spec")["volumes"] = None
    member(raw, "metadata")["ownerReferences"] = None
    assert left_alone(raw, STORED)
