"""The container's namespaces and host name."""

from __future__ import annotations

from typing import Any

import pytest

from podward.api.cri import (
    ContainerConfig,
    IDMapping,
    LinuxContainerConfig,
    LinuxContainerSecurityContext,
    LinuxPodSandboxConfig,
    LinuxSandboxSecurityContext,
    NamespaceOption,
    PodSandboxConfig,
    UserNamespace,
)
from podward.api.oci import LinuxIDMapping, Namespace
from podward.decision import Decision
from podward.policy.runtime import namespaces
from podward.policy.runtime.defaults import load
from podward.policy.runtime.namespaces import NamespacePaths, Placement, with_namespaces_of
from podward.policy.runtime.runtime_profile import RuntimeProfile

ALL = ("containerd", "cri-o", "docker")
PINNED = NamespacePaths(ipc="/ns/ipc", net="/ns/net", uts="/ns/uts", pid="/ns/pid", user="/ns/user")
LINE = IDMapping(0, 65536, 65536)
USERNS = UserNamespace("POD", (LINE,), (LINE,))


def decided(
    runtime: str,
    chosen: NamespaceOption | None,
    placement: Placement | None = None,
    *,
    of_pod: NamespaceOption | None = None,
    privileged: bool = False,
) -> Decision:
    context = LinuxContainerSecurityContext(namespace_options=chosen, privileged=privileged)
    pod = LinuxSandboxSecurityContext(namespace_options=of_pod or chosen)
    sandbox = PodSandboxConfig(linux=LinuxPodSandboxConfig(security_context=pod))
    placement = placement or Placement(PINNED, "host")
    return namespaces.decide(context, sandbox, placement, RuntimeProfile(load(runtime), Decision()))


def kinds(decision: Decision) -> dict[str, str]:
    assert not decision.violations
    return {a.value.type: a.value.path for a in decision.assignments if isinstance(a.value, Namespace)}


def field(decision: Decision, name: str) -> list[Any]:
    return [a.value for a in decision.assignments if name in a.path.segments]


@pytest.mark.parametrize("runtime", ["containerd", "cri-o"])
def test_an_ordinary_container_joins_its_pod_and_has_its_own_pids(runtime: str) -> None:
    assert kinds(decided(runtime, NamespaceOption(pid="CONTAINER"))) == {
        "pid": "",
        "ipc": "/ns/ipc",
        "uts": "/ns/uts",
        "network": "/ns/net",
        "mount": "",
        "cgroup": "",
    }


def test_docker_makes_a_uts_namespace_for_each_container() -> None:
    decision = decided("docker", NamespaceOption(pid="CONTAINER"))
    assert kinds(decision)["uts"] == ""
    assert field(decision, "hostname") == ["host"]


@pytest.mark.parametrize("runtime", ALL)
def test_a_shared_pid_namespace_is_joined(runtime: str) -> None:
    assert kinds(decided(runtime, NamespaceOption(pid="POD")))["pid"] == "/ns/pid"


@pytest.mark.parametrize("runtime", ALL)
def test_the_host_s_namespaces_are_left_out(runtime: str) -> None:
    left = kinds(decided(runtime, NamespaceOption(network="NODE", pid="NODE", ipc="NODE")))
    assert set(left) == {"mount", "cgroup"} | ({"uts"} if runtime == "cri-o" else set())


@pytest.mark.parametrize("runtime", ALL)
@pytest.mark.parametrize(
    ("cgroup_v2", "privileged", "present"), [(True, False, True), (False, False, False), (True, True, False)]
)
def test_the_cgroup_namespace(runtime: str, *, cgroup_v2: bool, privileged: bool, present: bool) -> None:
    placement = Placement(PINNED, "host", cgroup_v2)
    assert ("cgroup" in kinds(decided(runtime, NamespaceOption(), placement, privileged=privileged))) == present


def test_the_host_name_is_set_in_a_new_uts_namespace() -> None:
    anew = Placement(NamespacePaths(), "host")
    assert field(decided("containerd", NamespaceOption(), anew), "hostname") == ["host"]
    assert field(decided("containerd", NamespaceOption()), "hostname") == []
    assert field(decided("containerd", NamespaceOption(network="NODE"), anew), "hostname") == []
    assert field(decided("cri-o", NamespaceOption()), "hostname") == ["host"]


@pytest.mark.parametrize("runtime", ALL)
def test_a_user_namespace_is_joined_with_its_maps(runtime: str) -> None:
    decision = decided(runtime, NamespaceOption(userns_options=USERNS))
    assert kinds(decision)["user"] == "/ns/user"
    assert field(decision, "uidMappings") == [LinuxIDMapping(0, 65536, 65536)]
    assert field(decision, "gidMappings") == [LinuxIDMapping(0, 65536, 65536)]


def test_the_host_s_user_namespace_is_none() -> None:
    decision = decided("containerd", NamespaceOption(userns_options=UserNamespace("NODE")))
    assert "user" not in kinds(decision)
    assert field(decision, "uidMappings") == []


def test_pod_and_container_must_agree_on_the_user_namespace() -> None:
    context = LinuxContainerSecurityContext(namespace_options=NamespaceOption(userns_options=USERNS))
    sandbox = PodSandboxConfig()
    decision = namespaces.decide(context, sandbox, Placement(), RuntimeProfile(load("containerd"), Decision()))
    assert decision.violations[0].reason == "user namespace config for sandbox is different from container"


def test_a_containers_network_and_ipc_are_its_sandboxs() -> None:
    pod = LinuxSandboxSecurityContext(namespace_options=NamespaceOption(network="NODE", ipc="NODE", pid="NODE"))
    sandbox = PodSandboxConfig(linux=LinuxPodSandboxConfig(security_context=pod))
    for asked in (None, NamespaceOption(network="POD", ipc="POD")):
        context = LinuxContainerSecurityContext(namespace_options=asked)
        config = ContainerConfig(linux=LinuxContainerConfig(security_context=context))
        modes = with_namespaces_of(sandbox, config).linux.security_context.namespace_options
        assert modes == NamespaceOption(network="NODE", ipc="NODE", pid="NODE")
