"""Resources of a Pod that change while it runs: what it was given, and which containers are changed for that."""

from __future__ import annotations

import json

import pytest

from podward.api.cri import ContainerMetadata
from podward.api.cri_status import ContainerStatus
from podward.api.json_value import Json, JsonObject
from podward.api.pod_seen import RUNNING, ContainerRun, ContainerSeen, PodSeen
from podward.documents.raw_fields import member, objects
from podward.policy.kubelet import resizing
from podward.policy.kubelet.resizing import Change
from podward.schema.view import pod_view


def resources(cpu: Json, memory: Json) -> JsonObject:
    return {"requests": {"cpu": cpu, "memory": memory}, "limits": {"cpu": cpu, "memory": memory}}


def pod(**containers: JsonObject) -> JsonObject:
    listed: list[Json] = [{"name": name, "image": "i", **container} for name, container in containers.items()]
    return {"metadata": {"name": "p", "generation": 2}, "spec": {"containers": listed}}


def seen(*names: str) -> PodSeen:
    runs = {
        name: ContainerSeen((ContainerRun(ContainerStatus(f"run-{name}", ContainerMetadata(name), RUNNING)),))
        for name in names
    }
    return PodSeen(0.0, containers=runs)


BEFORE = pod(a={"resources": resources("100m", "32Mi")}, b={"resources": resources("100m", "32Mi")})
AFTER = pod(a={"resources": resources("200m", "32Mi")}, b={"resources": resources("50m", "32Mi")})


def test_until_it_is_given_what_it_asks_for_a_pod_is_what_it_was() -> None:
    allocation = resizing.asked(BEFORE)
    assert resizing.is_pending(AFTER, allocation)
    given = resizing.given(AFTER, allocation)
    assert objects(member(given, "spec"), "containers") == objects(member(BEFORE, "spec"), "containers")
    assert member(given, "metadata") == member(AFTER, "metadata")


@pytest.mark.parametrize("same", [resources("0.1", "33554432"), resources("100m", "32Mi"), resources("100e-3", "32Mi")])
def test_what_means_the_same_is_no_change(same: JsonObject) -> None:
    assert not resizing.is_pending(pod(a={"resources": same}, b={"resources": same}), resizing.asked(BEFORE))


def test_who_gets_less_is_changed_before_who_gets_more() -> None:
    found = resizing.changes(pod_view(AFTER), resizing.asked(BEFORE), seen("a", "b"))
    assert found == (
        Change("b", "run-b", again=False, increases=False),
        Change("a", "run-a", again=False, increases=True),
    )
    assert resizing.changes(pod_view(AFTER), resizing.asked(AFTER), seen("a", "b")) == ()
    assert resizing.changes(pod_view(AFTER), resizing.asked(BEFORE), seen("a"))[0].name == "a"


@pytest.mark.parametrize(("changed", "again"), [(resources("100m", "64Mi"), True), (resources("200m", "32Mi"), False)])
def test_a_container_is_started_again_where_its_policy_says_so(changed: JsonObject, *, again: bool) -> None:
    policy: list[Json] = [{"resourceName": "memory", "restartPolicy": "RestartContainer"}]
    after = pod(a={"resources": changed, "resizePolicy": policy}, b={"resources": resources("100m", "32Mi")})
    (found,) = resizing.changes(pod_view(after), resizing.asked(BEFORE), seen("a", "b"))
    assert found.again is again


def test_an_event_tells_the_resources_in_the_order_of_go() -> None:
    told_of = pod(a={"resources": {"requests": {"memory": "1Mi", "cpu": "1m"}, "limits": {"cpu": "2m"}}}, b={})
    assert resizing.summary(told_of) == (
        '{"containers":[{"name":"a","resources":{"limits":{"cpu":"2m"},"requests":{"cpu":"1m","memory":"1Mi"}}},'
        '{"name":"b","resources":{}}],"generation":2}'
    )


def test_an_event_tells_the_resources() -> None:
    told = json.loads(resizing.summary(AFTER, "no room"))
    assert (told["generation"], told["error"]) == (2, "no room")
    assert told["containers"][0] == {"name": "a", "resources": resources("200m", "32Mi")}
