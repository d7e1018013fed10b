"""Requests and limits as the kubelet turns them into cgroup settings; expected numbers follow its own tests."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import pytest

from podward.api.core import PodSpec
from podward.api.cri import LinuxContainerResources
from podward.api.effective import Place
from podward.decision import Decision
from podward.path import Path, path
from podward.policy.kubelet import resources

MEMORY = 17179860387  # the kubelet's own tests take this as the node's 16 GB
PLACE = Place("pod.yaml", Path(), path("spec", "containers", 0))


def _spec(*of: Mapping[str, object], **more: object) -> PodSpec:
    containers = [{"name": f"c{i}", "resources": r} for i, r in enumerate(of)]
    return msgspec.convert({"containers": containers, **more}, PodSpec)


def _decide(spec: PodSpec, memory: int = MEMORY) -> Decision:
    assert spec.containers is not None
    return resources.decide(spec, spec.containers[0], PLACE, memory)


def _made(spec: PodSpec, memory: int = MEMORY) -> LinuxContainerResources:
    decision = _decide(spec, memory)
    assert not decision.refused
    return decision.fold(LinuxContainerResources)


def test_nothing_asked_for_is_best_effort() -> None:
    assert _made(_spec({})) == LinuxContainerResources(100000, 0, 2, 0, 1000)


def test_equal_requests_and_limits_are_guaranteed() -> None:
    both = {"cpu": "250m", "memory": "500Mi"}
    made = _made(_spec({"requests": both, "limits": both}))
    assert made == LinuxContainerResources(100000, 25000, 256, 524288000, -997)


def test_requests_below_limits_are_burstable() -> None:
    asked = {"requests": {"cpu": "500m", "memory": "750Mi"}, "limits": {"cpu": "500m", "memory": "1Gi"}}
    made = _made(_spec(asked))
    assert made == LinuxContainerResources(100000, 50000, 512, 1073741824, 1000 - 1000 * (750 << 20) // MEMORY)
    assert 3 <= made.oom_score_adj <= 999


def test_a_limit_without_request_counts_as_one() -> None:
    assert _made(_spec({"limits": {"cpu": 2}})).cpu_shares == 2048


def test_a_request_of_nothing_is_not_a_missing_request() -> None:
    assert _made(_spec({"requests": {"cpu": 0}, "limits": {"cpu": 2}})).cpu_shares == 2


@pytest.mark.parametrize(("millicores", "shares"), [("1m", 2), ("2m", 2), ("3m", 3), ("1", 1024), ("1000", 262144)])
def test_shares_have_a_floor_and_a_ceiling(millicores: str, shares: int) -> None:
    assert _made(_spec({"requests": {"cpu": millicores}})).cpu_shares == shares


@pytest.mark.parametrize(("limit", "quota"), [("1m", 1000), ("10m", 1000), ("11m", 1100), ("1.5", 150000), ("0", 0)])
def test_a_quota_has_a_floor(limit: str, quota: int) -> None:
    assert _made(_spec({"limits": {"cpu": limit}})).cpu_quota == quota


@pytest.mark.parametrize(
    ("request_", "score"), [("0", 999), ("1", 999), (f"{MEMORY // 10}", 901), (f"{MEMORY}", 3), (f"{MEMORY * 2}", 3)]
)
def test_burstable_scores_stay_between_guaranteed_and_best_effort(request_: str, score: int) -> None:
    assert _made(_spec({"requests": {"cpu": "1", "memory": request_}})).oom_score_adj == score


def test_an_unknown_memory_gives_the_worst_burstable_score() -> None:
    assert _made(_spec({"requests": {"memory": "1Gi"}}), memory=0).oom_score_adj == 999


def test_containers_that_disagree_are_burstable() -> None:
    both = {"cpu": "1", "memory": "1Gi"}
    assert resources.qos(_spec({"requests": both, "limits": both}, {})) == "Burstable"
    assert resources.qos(_spec({"requests": both, "limits": both}, {"requests": both, "limits": both})) == "Guaranteed"
    assert resources.qos(_spec({}, {})) == "BestEffort"
    assert resources.qos(_spec({"limits": {"cpu": "1"}, "requests": {"cpu": "1000m"}})) == "Burstable"
    assert resources.qos(_spec({"limits": {"ephemeral-storage": "1Gi"}})) == "BestEffort"


def test_init_containers_count_for_the_class() -> None:
    both = {"cpu": "1", "memory": "1Gi"}
    init = [{"name": "i", "resources": {"requests": {"cpu": "1"}}}]
    assert resources.qos(_spec({"requests": both, "limits": both}, initContainers=init)) == "Burstable"


def test_a_sidecar_is_not_killed_before_the_containers_it_serves() -> None:
    side = {"name": "s", "restartPolicy": "Always", "resources": {"requests": {"memory": "1Mi"}}}
    spec = _spec({"requests": {"memory": f"{MEMORY // 2}"}}, initContainers=[side])
    assert spec.init_containers is not None
    made = resources.decide(spec, spec.init_containers[0], PLACE, MEMORY).fold(LinuxContainerResources)
    assert made.oom_score_adj == _made(spec).oom_score_adj == 501


def test_the_pods_own_resources_stand_in() -> None:
    pod = {"limits": {"cpu": "2", "memory": "2Gi"}, "requests": {"cpu": "2", "memory": "2Gi"}}
    made = _made(_spec({}, {}, resources=pod))
    assert (made.memory_limit_in_bytes, made.cpu_quota, made.oom_score_adj) == (2 << 30, 200000, -997)
    burst = {"limits": {"memory": "2Gi"}, "requests": {"memory": f"{MEMORY // 2}"}}
    share = _made(_spec({}, {}, resources={"requests": burst["requests"]})).oom_score_adj
    assert share == 1000 - 1000 * (MEMORY // 2 // 2) // MEMORY


def test_the_pods_memory_limit_needs_every_containers() -> None:
    one = {"limits": {"memory": "1Mi"}}
    assert resources.pod_memory_limit(_spec(one, one)) == 2 << 20
    assert resources.pod_memory_limit(_spec(one, {})) == 0
    init = [{"name": "i", "resources": {"limits": {"memory": "5Mi"}}}]
    assert resources.pod_memory_limit(_spec(one, one, initContainers=init)) == 5 << 20
    assert resources.pod_memory_limit(_spec(one, {}, resources={"limits": {"memory": "7Mi"}})) == 7 << 20


@pytest.mark.parametrize(
    ("asked", "where", "reason"),
    [
        ({"limits": {"memory": "lots"}}, "limits[memory]", "quantities must match the regular expression"),
        ({"requests": {"cpu": "1K"}}, "requests[cpu]", "unable to parse quantity's suffix"),
        ({"limits": {"example.com/x": "?"}}, "limits[example.com/x]", "quantities must match"),
        ({"limits": {"cpu": "-1"}}, "limits[cpu]", "must be greater than or equal to 0"),
        (
            {"limits": {"cpu": "1"}, "requests": {"cpu": "1001m"}},
            "requests",
            "must be less than or equal to cpu limit of 1",
        ),
    ],
)
def test_bad_resources_are_refused_where_they_stand(asked: dict[str, object], where: str, reason: str) -> None:
    (violation,) = _decide(_spec(asked)).violations
    assert str(violation.path) == f"spec.containers[0].resources.{where}"
    assert violation.reason.startswith(reason)


def test_every_value_says_where_it_comes_from() -> None:
    decision = _decide(_spec({"limits": {"memory": "1Gi"}}))
    limit = decision.assignment(path("memoryLimitInBytes"))
    assert limit is not None
    assert str(limit.source) == "pod.yaml spec.containers[0].resources"


def test_a_limit_beyond_64_bits_is_none_as_the_kubelet_reads_it() -> None:
    assert _made(_spec({"limits": {"memory": "10E"}})).memory_limit_in_bytes == 0


@pytest.mark.parametrize(("version", "unified"), [(2, {"memory.oom.group": "1"}), (1, {})])
def test_all_processes_of_a_container_end_when_its_memory_runs_out(version: int, unified: dict[str, str]) -> None:
    spec = _spec({"limits": {"memory": "1Gi"}})
    assert spec.containers is not None
    decided = resources.decide(spec, spec.containers[0], PLACE, cgroup_v2=version == 2)
    assert decided.fold(LinuxContainerResources).unified == unified
