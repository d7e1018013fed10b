"""The resources that a container's status tells."""

import pytest

from podward.api.cri import LinuxContainerResources
from podward.api.cri_status import ContainerResources, ContainerStatus
from podward.api.json_value import JsonObject
from podward.api.pod_seen import ContainerRun
from podward.policy.kubelet import running_resources

GIVEN: JsonObject = {"limits": {"cpu": "500m", "memory": "64Mi"}, "requests": {"cpu": "0.1", "memory": "64Mi"}}


def told(given: JsonObject, state: str, **reported: int) -> JsonObject:
    linux = LinuxContainerResources(**reported)  # type: ignore[arg-type] # whole numbers are what the test gives
    return running_resources.told(
        {"resources": given}, ContainerRun(ContainerStatus(state=state, resources=ContainerResources(linux)))
    )


@pytest.mark.parametrize(
    ("reported", "limits", "requests"),
    [
        ({"cpu_shares": 102, "cpu_quota": 50000, "cpu_period": 100000}, "500m 64Mi", "0.1 64Mi"),
        ({"cpu_shares": 205, "memory_limit_in_bytes": 128 << 20}, "500m 128Mi", "201m 64Mi"),
        ({"cpu_quota": 25000, "cpu_period": 100000, "cpu_shares": 2}, "250m 64Mi", "2m 64Mi"),
    ],
)
def test_a_running_container_has_what_the_runtime_says(reported: dict[str, int], limits: str, requests: str) -> None:
    found = told(GIVEN, "CONTAINER_RUNNING", **reported)["resources"]
    assert isinstance(found, dict)
    texts = [" ".join(str(amount) for amount in part.values()) for part in found.values() if isinstance(part, dict)]
    assert texts == [limits, requests]


def test_what_does_not_run_has_what_it_was_given() -> None:
    found = told(GIVEN, "CONTAINER_EXITED", cpu_quota=1)
    assert found == {"resources": GIVEN, "allocatedResources": GIVEN["requests"]}


def test_the_smallest_that_cgroups_know_is_not_told_for_less() -> None:
    given: JsonObject = {"limits": {"cpu": "5m"}, "requests": {"cpu": "1m"}}
    found = told(given, "CONTAINER_RUNNING", cpu_shares=2, cpu_quota=1000, cpu_period=100000)
    assert found["resources"] == given
