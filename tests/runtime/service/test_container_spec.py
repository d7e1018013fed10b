"""What CRI's less common fields come to in a running container: devices, and limits of swap."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from served_containers import Containers
from served_runtime import Served, pod

from podward.api.cri import (
    Device,
    LinuxContainerConfig,
    LinuxContainerResources,
    LinuxContainerSecurityContext,
    NamespaceOption,
)
from podward.api.cri_refusal import CriRefusal
from podward.api.cri_requests import UpdateContainerResourcesRequest
from podward.runtime.cgroup_controllers import controllers
from podward.runtime.service import verbs

pytestmark = pytest.mark.needs("root", "crun", "runc", "catatonit", "conmon", "busybox")

OWN = LinuxContainerSecurityContext(namespace_options=NamespaceOption(network="NODE", pid="CONTAINER"))


@pytest.fixture(params=("crun", "runc"))
def containers(served: Served, small_image: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Containers:
    made = Containers(served, served.run(pod(log_directory=str(tmp_path / "logs")), request.param))
    made.have(small_image)
    return made


def test_a_device_may_be_used_as_it_was_given(containers: Containers) -> None:
    given = (Device("/dev/own", "/dev/full", "r"), Device("/dev/more", "/dev/kmsg", "w"))
    identifier = containers.run("sleep", "100", devices=given, linux=LinuxContainerConfig(security_context=OWN))
    assert containers.execute(identifier, "sh", "-c", "head -c 3 /dev/own | wc -c").strip() == "3"
    refused = containers.try_execute(identifier, "sh", "-c", "head -c 1 /dev/more")
    assert not isinstance(refused, CriRefusal)
    assert refused.exit_code != 0
    assert b"not permitted" in refused.stderr


def test_a_device_that_is_not_there_is_refused(containers: Containers) -> None:
    answer = containers.try_create(containers.asked("true", devices=(Device("/dev/x", "/dev/nowhere", "r"),)))
    assert isinstance(answer, CriRefusal)
    assert answer.message == '"/dev/nowhere" is no device of this machine: name one that is there'


def test_a_log_that_leaves_its_directory_is_refused(containers: Containers) -> None:
    answer = containers.try_create(containers.asked("true", log_path="../x"))
    assert isinstance(answer, CriRefusal)
    assert answer.message == 'log path "../x" leaves the sandbox\'s log directory'


@pytest.mark.skipif(
    not os.path.exists("/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes") or not controllers().swap,
    reason="cgroup v1's limit of swap",
)
def test_a_limit_of_memory_is_one_of_swap_and_stays_one(containers: Containers) -> None:
    limit = LinuxContainerResources(memory_limit_in_bytes=64 << 20)
    identifier = containers.run("sleep", "100", linux=LinuxContainerConfig(limit, OWN))
    group = Path(f"/sys/fs/cgroup/memory/{containers.record(identifier).cgroup}")
    assert (group / "memory.memsw.limit_in_bytes").read_text().strip() == str(64 << 20)
    more = UpdateContainerResourcesRequest(identifier, LinuxContainerResources(memory_limit_in_bytes=128 << 20))
    answer = containers.served.call(verbs.UPDATE_CONTAINER_RESOURCES, more)
    assert not isinstance(answer, CriRefusal)
    assert (group / "memory.memsw.limit_in_bytes").read_text().strip() == str(128 << 20)
    assert (group / "memory.limit_in_bytes").read_text().strip() == str(128 << 20)
