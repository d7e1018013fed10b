"""The resources of a Pod as a whole, as its status tells them; the values are those that a kubelet 1.36 told."""

from __future__ import annotations

import pytest

from podward.api.cri import LinuxContainerResources
from podward.api.json_value import Json, JsonObject
from podward.policy.kubelet import pod_cgroups, whole_resources
from podward.schema.view import pod_view


def container(requests: JsonObject | None = None, limits: JsonObject | None = None) -> JsonObject:
    resources: JsonObject = {}
    if requests:
        resources["requests"] = requests
    if limits:
        resources["limits"] = limits
    return {"name": "c", "resources": resources}


def pod(*containers: JsonObject, phase: str = "Pending", **spec: Json) -> JsonObject:
    listed: list[Json] = [{**each, "name": f"c{index}"} for index, each in enumerate(containers)]
    return {"spec": {"containers": listed, **spec}, "status": {"phase": phase}}


def told(document: JsonObject, before: JsonObject | None = None) -> JsonObject:
    return whole_resources.told(document, before or {}, pod_cgroups.decide(pod_view(document).spec))


SOME: JsonObject = {"cpu": "100m", "memory": "20Mi"}
MORE: JsonObject = {"cpu": "200m", "memory": "40Mi"}


def test_a_pod_that_asks_for_nothing_has_nothing() -> None:
    assert told(pod(container())) == {"resources": {}}
    assert told(pod(container(), phase="Running")) == {"resources": {}}


def test_until_it_runs_a_pod_has_what_its_containers_ask_for() -> None:
    document = pod(container(SOME, MORE), container(SOME), overhead={"cpu": "10m"})
    assert told(document) == {
        "allocatedResources": {"cpu": "210m", "memory": "40Mi"},
        "resources": {
            "requests": {"cpu": "210m", "memory": "40Mi"},
            "limits": {"cpu": "210m", "memory": "40Mi"},
        },
    }


def test_a_pod_that_runs_has_what_its_cgroup_has() -> None:
    assert told(pod(container(SOME, MORE), container(SOME), phase="Running"))["resources"] == {
        "requests": {"cpu": "200m", "memory": "40Mi"}
    }
    assert told(pod(container(SOME, MORE), phase="Running"))["resources"] == {"requests": SOME, "limits": MORE}


def test_what_the_pod_itself_says_counts() -> None:
    own: JsonObject = {"requests": {"cpu": "100m"}, "limits": {"cpu": "200m"}}
    document = pod(container({"cpu": "50m"}), container(None, {"memory": "30Mi"}), phase="Running", resources=own)
    assert told(document)["allocatedResources"] == {"cpu": "100m", "memory": "30Mi"}
    assert told(document)["resources"] == {
        "requests": {"cpu": "100m", "memory": "30Mi"},
        "limits": {"cpu": "200m"},
    }


@pytest.mark.parametrize("phase", ["Running", "Pending"])
def test_a_request_of_memory_stays_as_it_was_told_of_a_pod_that_ran(phase: str) -> None:
    before: JsonObject = {"phase": phase, "resources": {"requests": {"cpu": "50m", "memory": "10Mi"}}}
    found = told(pod(container(SOME, MORE), phase="Running"), before)
    memory = "10Mi" if phase == "Running" else "20Mi"
    assert found["resources"] == {"requests": {"cpu": "100m", "memory": memory}, "limits": MORE}
    assert found["allocatedResources"] == SOME


def test_limits_that_the_cgroup_does_not_have_stay_as_they_were_told() -> None:
    before: JsonObject = {"phase": "Running", "resources": {"limits": {"cpu": "200m", "memory": "40Mi"}}}
    found = told(pod(container(SOME, {"cpu": "300m", "memory": "60Mi"}), container(), phase="Running"), before)
    assert found["resources"] == {"requests": SOME, "limits": MORE}


def test_a_cgroup_that_was_not_changed_yet_is_told_as_it_is() -> None:
    document = pod(container(MORE, MORE), phase="Running")
    earlier = LinuxContainerResources(
        cpu_period=100_000, cpu_quota=10_000, cpu_shares=102, memory_limit_in_bytes=20 << 20
    )
    assert whole_resources.told(document, {}, earlier) == {
        "allocatedResources": MORE,
        "resources": {"requests": {"cpu": "100m", "memory": "40Mi"}, "limits": SOME},
    }


def test_a_node_that_has_just_begun_keeps_what_was_told() -> None:
    before: JsonObject = {"phase": "Running", "resources": {"requests": {"cpu": "7m"}}}
    found = whole_resources.told(pod(container(SOME), phase="Running"), before, None)
    assert found["resources"] == before["resources"]
