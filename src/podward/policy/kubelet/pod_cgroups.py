"""The cgroup of a Pod: where it is, and what it may take.

Specification (kubelet, pkg/kubelet/cm `GetPodContainerName` and `ResourceConfigForPod`, in our words): a Guaranteed
Pod's is kubepods/podUID, others' kubepods/burstable/podUID and kubepods/besteffort/podUID. Its CPU shares follow from
the sum of the requests; a BestEffort Pod has the least. A quota of CPU and a limit of memory it has where every
container has such a limit, or the Pod itself. Of containers that run one after the other the largest counts.
Beside the Guaranteed Pods, all BestEffort Pods together have the least shares, all Burstable Pods the sum of theirs
(qos_container_manager_linux.go).
"""

from __future__ import annotations

from podward.api.core import Container, PodSpec
from podward.api.cri import LinuxContainerResources
from podward.policy.kubelet import resources
from podward.policy.kubelet.resources import PERIOD

ROOT = "/kubepods"
_BELOW = {"Guaranteed": "", "Burstable": "/burstable", "BestEffort": "/besteffort"}


TIERS = tuple(f"{ROOT}{below}" for below in _BELOW.values() if below)
"""What is above the cgroups of all Pods but Guaranteed ones; the nodes of a machine share it."""


def path(spec: PodSpec, uid: str) -> str:
    """The path of the Pod's cgroup, below each hierarchy."""
    return f"{ROOT}{_BELOW[resources.qos(spec)]}/pod{uid}"


def every(uid: str) -> tuple[str, ...]:
    """Where the cgroup of a Pod may be, whatever its class."""
    return tuple(f"{ROOT}{below}/pod{uid}" for below in _BELOW.values())


def tier(path: str) -> tuple[str, bool]:
    """The cgroup of all Pods of this one's class, "" for Guaranteed, and whether it has the sum of their shares."""
    above = path.rpartition("/")[0]
    return ("" if above == ROOT else above), above == f"{ROOT}{_BELOW['Burstable']}"


def decide(spec: PodSpec) -> LinuxContainerResources:
    """What all containers of the Pod may take together; 0 is no limit."""
    if resources.qos(spec) == "BestEffort":
        return LinuxContainerResources(cpu_shares=resources.LEAST_SHARES)
    whole = resources.pod_amounts(spec)
    own = resources.amounts(spec.resources)
    containers: tuple[Container, ...] = (*(spec.init_containers or ()), *(spec.containers or ()))
    limits = [resources.amounts(container.resources) for container in containers]
    cpu = own.cpu_limit or (whole.cpu_limit if all(each.cpu_limit for each in limits) else 0)
    memory = own.memory_limit or (whole.memory_limit if all(each.memory_limit for each in limits) else 0)
    return LinuxContainerResources(
        cpu_period=PERIOD if cpu else 0,
        cpu_quota=resources.quota(cpu),
        cpu_shares=resources.shares(whole.cpu_request),
        memory_limit_in_bytes=memory,
    )
