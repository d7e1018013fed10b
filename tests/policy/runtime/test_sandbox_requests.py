"""Sandboxes that a runtime refuses to make, each with its sentence."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from podward.api.cri import (
    DNSConfig,
    IDMapping,
    LinuxPodSandboxConfig,
    LinuxSandboxSecurityContext,
    NamespaceOption,
    PodSandboxConfig,
    PodSandboxMetadata,
    PortMapping,
    UserNamespace,
)
from podward.api.cri_refusal import CriCode, CriRefusal
from podward.path import path
from podward.policy.runtime.request_refusal import refusal_of, refuse_request
from podward.policy.runtime.sandbox_requests import check, mapping

WEB = PodSandboxConfig(PodSandboxMetadata("web", "u1", "default"))
RANGE = IDMapping(0, 65536, 65536)


def said(config: PodSandboxConfig) -> list[str]:
    return [violation.reason for violation in check(config).violations]


def linux(
    modes: NamespaceOption | None = None, *, cgroup_parent: str = "", sysctls: dict[str, str] | None = None
) -> PodSandboxConfig:
    context = LinuxSandboxSecurityContext(namespace_options=modes)
    return structs.replace(WEB, linux=LinuxPodSandboxConfig(cgroup_parent, context, sysctls or {}))


@pytest.mark.parametrize("config", [None, PodSandboxConfig(), PodSandboxConfig(PodSandboxMetadata("", "u", "ns"))])
def test_a_sandbox_has_metadata(config: PodSandboxConfig | None) -> None:
    answer = refusal_of(check(config))
    assert answer == CriRefusal(CriCode.INVALID_ARGUMENT, "sandbox config must include metadata")


def test_a_sandbox_has_a_namespace() -> None:
    assert said(PodSandboxConfig(PodSandboxMetadata("web", "u1"))) == ["sandbox metadata must include a namespace"]


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"hostname": "a" * 65}, "at most 64 bytes"),
        ({"hostname": "two words"}, "without spaces"),
        ({"log_directory": "logs"}, 'logDirectory must be an absolute path without . and .., got "logs"'),
        ({"log_directory": "/var/log/../../etc"}, "logDirectory must be an absolute path"),
        ({"dns_config": DNSConfig(servers=("10.0.0.1\nnameserver 6.6.6.6",))}, "DNS servers must be words"),
        ({"dns_config": DNSConfig(searches=("",))}, "DNS searches must be words"),
        ({"port_mappings": (PortMapping(container_port=80, host_port=70000),)}, "host port 70000 is none"),
        ({"port_mappings": (PortMapping(container_port=0, host_port=80),)}, "container port 0 is none"),
        ({"port_mappings": (PortMapping(container_port=80, host_port=80, host_ip="a"),)}, '"a" is no IP address'),
    ],
)
def test_what_could_not_be_made_is_refused_before(changed: dict[str, Any], sentence: str) -> None:
    (reason,) = said(structs.replace(WEB, **changed))
    assert sentence in reason


@pytest.mark.parametrize(
    "fine",
    [
        WEB,
        structs.replace(WEB, hostname="a" * 64, log_directory="/var/log/pods/x"),
        structs.replace(WEB, dns_config=DNSConfig(("10.0.0.1",), ("a.svc", "."), ("ndots:5",))),
        structs.replace(WEB, port_mappings=(PortMapping(container_port=80), PortMapping("UDP", 53, 53, "::1"))),
        linux(cgroup_parent="/kubepods/pod1"),
        linux(cgroup_parent="kubepods-pod1.slice"),
        linux(NamespaceOption("NODE", "NODE", "NODE")),
        linux(NamespaceOption(pid="CONTAINER", userns_options=UserNamespace("POD", (RANGE,), (RANGE,)))),
        linux(NamespaceOption(userns_options=UserNamespace("NODE"))),
        linux(sysctls={"kernel.shm_rmid_forced": "1", "fs.mqueue.msg_max": "100", "net.ipv4.ip_forward": "1"}),
    ],
)
def test_what_kubelets_ask_for_is_made(fine: PodSandboxConfig) -> None:
    assert said(fine) == []


def test_a_cgroup_is_not_elsewhere() -> None:
    assert said(linux(cgroup_parent="/kubepods/../system")) == [
        'cgroupParent must be a path without . and .., got "/kubepods/../system"'
    ]


@pytest.mark.parametrize(
    ("modes", "sentence"),
    [
        (NamespaceOption(network="CONTAINER"), 'a sandbox\'s network namespace is one of POD, NODE, not "CONTAINER"'),
        (NamespaceOption(pid="TARGET"), "pid namespace is one of POD, CONTAINER, NODE"),
        (NamespaceOption(ipc="TARGET"), "ipc namespace is one of"),
    ],
)
def test_a_sandbox_shares_with_nobody_but_the_node(modes: NamespaceOption, sentence: str) -> None:
    (reason,) = said(linux(modes))
    assert sentence in reason


TWO = (RANGE, IDMapping(65536, 200000, 10))


@pytest.mark.parametrize(
    ("userns", "sentence"),
    [
        (UserNamespace("CONTAINER"), 'unsupported user namespace mode: "CONTAINER"'),
        (UserNamespace("TARGET"), 'unsupported user namespace mode: "TARGET"'),
        (UserNamespace("POD"), 'can\'t use user namespace mode "POD" without UID and GID mappings'),
        (UserNamespace("POD", (RANGE,)), "without UID and GID mappings"),
        (UserNamespace("NODE", (RANGE,)), "Got 1 UID mappings and 0 GID mappings"),
        (UserNamespace("POD", TWO, TWO), "UID mapping: only one mapping line supported, got 2 mapping lines"),
        (UserNamespace("POD", (RANGE,), TWO), "GID mapping: only one mapping line supported"),
        (UserNamespace("POD", (IDMapping(0, 1, 0),), (RANGE,)), "UID mapping: invalid mapping length: 0"),
        (UserNamespace("POD", (IDMapping(1, 1000, 9),), (RANGE,)), "UID mapping: container id 0 is not mapped"),
        (UserNamespace("POD", (IDMapping(0, 4294967200, 100),), (RANGE,)), "no ids beyond"),
        (UserNamespace("POD", (RANGE,), (IDMapping(0, 131072, 65536),)), "must be mapped in the same way"),
    ],
)
def test_user_namespaces_that_nobody_makes(userns: UserNamespace, sentence: str) -> None:
    (reason,) = said(linux(NamespaceOption(userns_options=userns)))
    assert reason.startswith("user namespace configuration: ")
    assert sentence in reason


def test_the_ids_of_a_sandbox() -> None:
    own = NamespaceOption(userns_options=UserNamespace("POD", (RANGE,), (RANGE,)))
    assert mapping(linux(own)) == RANGE
    assert mapping(linux(NamespaceOption(userns_options=UserNamespace("NODE")))) is None
    assert mapping(WEB) is None


@pytest.mark.parametrize(
    ("modes", "name", "sentence"),
    [
        (None, "vm.swappiness", 'sysctl "vm.swappiness" is not in a separate kernel namespace'),
        (None, "kernel.hostname", "is not in a separate kernel namespace"),
        (None, "net.ipv4/../../../../etc/passwd", "is no sysctl"),
        (NamespaceOption(network="NODE"), "net.core.somaxconn", "not allowed in host network namespace"),
        (NamespaceOption(ipc="NODE"), "fs.mqueue.msg_max", "is not allowed in the hosts ipc namespace"),
    ],
)
def test_nobody_sets_the_machines_sysctls(modes: NamespaceOption | None, name: str, sentence: str) -> None:
    (reason,) = said(linux(modes, sysctls={name: "1"}))
    assert sentence in reason


def test_a_group_alone_is_nobody() -> None:
    context = LinuxSandboxSecurityContext(run_as_group=5)
    config = structs.replace(WEB, linux=LinuxPodSandboxConfig(security_context=context))
    assert said(config) == ['user group "5" is specified without user']
    assert not check(config, "cri-o").refused


@given(
    st.builds(PodSandboxConfig, st.builds(PodSandboxMetadata, st.text(), st.text(), st.text()), st.text(), st.text())
)
def test_no_text_breaks_the_rules(config: PodSandboxConfig) -> None:
    for violation in check(config).violations:
        assert violation.reason.isprintable()


def test_a_refusal_keeps_its_code() -> None:
    assert refusal_of(refuse_request(path("x"), "", "gone", CriCode.NOT_FOUND)) == CriRefusal(CriCode.NOT_FOUND, "gone")
    assert refusal_of(check(WEB)) is None
