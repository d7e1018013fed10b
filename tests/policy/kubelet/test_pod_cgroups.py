"""The cgroup of a Pod."""

from __future__ import annotations

import pytest

from podward.api.core import Container, PodSpec, Resources
from podward.policy.kubelet import pod_cgroups


def container(requests: dict[str, str] | None = None, limits: dict[str, str] | None = None) -> Container:
    return Container(name="c", resources=Resources(requests={**(requests or {})}, limits={**(limits or {})}))


CPU, MEMORY = {"cpu": "100m"}, {"memory": "64Mi"}
BOTH = CPU | MEMORY


@pytest.mark.parametrize(
    ("spec", "path", "shares", "quota", "memory"),
    [
        (PodSpec(containers=(container(),)), "/kubepods/besteffort/podu", 2, 0, 0),
        (PodSpec(containers=(container(BOTH, BOTH),)), "/kubepods/podu", 102, 10_000, 64 << 20),
        (PodSpec(containers=(container(CPU), container(CPU))), "/kubepods/burstable/podu", 204, 0, 0),
        (PodSpec(containers=(container(BOTH, BOTH), container(CPU))), "/kubepods/burstable/podu", 204, 0, 0),
        (PodSpec(containers=(container(CPU, BOTH), container(CPU, BOTH))), "/kubepods/burstable/podu",
         204, 20_000, 128 << 20),
    ],
)  # fmt: skip
def test_it_has_the_sums_of_what_its_containers_have(
    spec: PodSpec, path: str, shares: int, quota: int, memory: int
) -> None:
    found = pod_cgroups.decide(spec)
    assert pod_cgroups.path(spec, "u") == path
    assert (found.cpu_shares, found.cpu_quota, found.memory_limit_in_bytes) == (shares, quota, memory)


def test_of_what_runs_one_after_the_other_the_largest_counts() -> None:
    first = container({"cpu": "500m"})
    found = pod_cgroups.decide(PodSpec(init_containers=(first,), containers=(container(CPU),)))
    assert found.cpu_shares == 512


def test_the_limits_of_the_pod_itself_count() -> None:
    own = Resources(limits={**MEMORY}, requests={**MEMORY})
    assert pod_cgroups.decide(PodSpec(containers=(container(),), resources=own)).memory_limit_in_bytes == 64 << 20


@pytest.mark.parametrize(
    ("spec", "tier"),
    [
        (PodSpec(containers=(container(),)), ("/kubepods/besteffort", False)),
        (PodSpec(containers=(container(CPU),)), ("/kubepods/burstable", True)),
        (PodSpec(containers=(container(BOTH, BOTH),)), ("", False)),
    ],
)
def test_pods_of_a_class_have_a_share_together(spec: PodSpec, tier: tuple[str, bool]) -> None:
    assert pod_cgroups.tier(pod_cgroups.path(spec, "u")) == tier
