"""The sysctls that containerd and Docker add to a sandbox and CRI-O does not; a privileged container's sandbox."""

import pytest

from podward.api.cri import (
    ContainerConfig,
    ContainerMetadata,
    ImageSpec,
    LinuxContainerSecurityContext,
    LinuxPodSandboxConfig,
    LinuxSandboxSecurityContext,
    PodSandboxConfig,
    PodSandboxMetadata,
)
from podward.decision import Decision, Origin, Source
from podward.policy.runtime import sandbox
from podward.policy.runtime.defaults import load
from podward.policy.runtime.runtime_profile import RuntimeProfile

TABLE = Source(Origin.DEFAULT, "table")
PORTS, PING = "net.ipv4.ip_unprivileged_port_start", "net.ipv4.ping_group_range"


def added(runtime: str, *written: str, host_network: bool = False, user_namespace: bool = False) -> set[str]:
    decision = sandbox.decide_sysctls(
        runtime, TABLE, frozenset(written), host_network=host_network, user_namespace=user_namespace
    )
    return {str(assignment.path) for assignment in decision.assignments}


@pytest.mark.parametrize("runtime", ["containerd", "docker"])
def test_low_ports_and_ping_are_for_everybody(runtime: str) -> None:
    assert added(runtime) == {f"linux.sysctls[{PORTS}]", f"linux.sysctls[{PING}]"}


def test_crio_adds_nothing() -> None:
    assert added("cri-o") == set()


def test_the_hosts_network_is_left_alone() -> None:
    assert added("containerd", host_network=True) == set()


def test_what_the_pod_writes_counts() -> None:
    assert added("containerd", PORTS, PING) == set()


def test_a_user_namespace_has_no_such_groups() -> None:
    assert added("containerd", user_namespace=True) == {f"linux.sysctls[{PORTS}]"}


@pytest.mark.parametrize(("runtime", "refused"), [("containerd", True), ("cri-o", True), ("docker", False)])
def test_a_privileged_container_needs_a_privileged_sandbox(runtime: str, *, refused: bool) -> None:
    profile = RuntimeProfile(load(runtime), Decision())
    context = LinuxContainerSecurityContext(privileged=True)
    plain = PodSandboxConfig()
    assert sandbox.check_privilege(context, plain, profile).refused == refused
    allowed = PodSandboxConfig(
        linux=LinuxPodSandboxConfig(security_context=LinuxSandboxSecurityContext(privileged=True))
    )
    assert not sandbox.check_privilege(context, allowed, profile).refused


def annotations(oci_runtime: str, sandbox_id: str, image: ImageSpec) -> dict[str, object]:
    config = ContainerConfig(ContainerMetadata("c"), image)
    pod = PodSandboxConfig(PodSandboxMetadata("p", "u", "ns"))
    profile = RuntimeProfile(load("containerd"), Decision())
    decision = sandbox.decide_annotations(config, pod, profile, oci_runtime, sandbox_id)
    named = {str(a.path): a.value for a in decision.assignments}
    return {name.removeprefix("annotations[io.kubernetes.cri.").removesuffix("]"): v for name, v in named.items()}


def test_containerd_names_what_its_containers_are() -> None:
    assert annotations("runc", "0a", ImageSpec("sha256:1", user_specified_image="busybox:1")) == {
        "container-type": "container",
        "container-name": "c",
        "image-name": "busybox:1",
        "sandbox-id": "0a",
        "sandbox-name": "p",
        "sandbox-namespace": "ns",
        "sandbox-uid": "u",
    }


def test_a_pod_without_a_service_has_no_id() -> None:
    named = annotations("runsc", "", ImageSpec("busybox"))
    assert named["image-name"] == "busybox"
    assert not {"sandbox-id", "container-type"} & set(named)
