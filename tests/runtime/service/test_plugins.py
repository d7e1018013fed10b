"""What plugins are shown of records, and what a worker does with their answers, or without."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import msgspec
import pytest

from podward.api import cri, nri
from podward.api.cri_refusal import CriCode, CriRefusal
from podward.api.nri import Event
from podward.api.oci import Process as OciProcess
from podward.api.oci import Root, RuntimeSpec
from podward.policy.runtime.nri_collecting import PluginAdjustment
from podward.runtime.kept import Process
from podward.runtime.oci import Engine
from podward.runtime.service.phases import ContainerPhase, SandboxPhase
from podward.runtime.service.plugins import (
    Answer,
    Plugins,
    Question,
    asked_resources,
    container_view,
    pod_view,
    resources_view,
)
from podward.runtime.service.records import ContainerRecord, Records, SandboxRecord

SANDBOX = SandboxRecord(
    id="a" * 64,
    phase=SandboxPhase.READY,
    config=cri.PodSandboxConfig(
        cri.PodSandboxMetadata("pod", "uid", "ns"),
        labels={"l": "1"},
        annotations={"a": "2"},
        linux=cri.LinuxPodSandboxConfig(
            cgroup_parent="/kubepods", overhead=cri.LinuxContainerResources(memory_limit_in_bytes=5)
        ),
    ),
    runtime_handler="crun",
    engine=Engine("crun", "/bin/crun", ()),
    created_at=1,
    pin=Process(7, 1),
    namespaces={"net": "/ns/net", "ipc": "/ns/ipc"},
    addresses=("10.0.0.1",),
)
CONTAINER = ContainerRecord(
    id="b" * 64,
    sandbox=SANDBOX.id,
    phase=ContainerPhase.RUNNING,
    config=cri.ContainerConfig(
        cri.ContainerMetadata("app"),
        labels={"l": "1"},
        linux=cri.LinuxContainerConfig(
            security_context=cri.LinuxContainerSecurityContext(seccomp=cri.SecurityProfile("Localhost", "x.json"))
        ),
    ),
    image_id="i",
    image_ref="i",
    created_at=2,
    started_at=3,
    process=Process(8, 1),
)
SPEC = RuntimeSpec(oci_version="1.0.2", process=OciProcess(args=("sh",), cwd="/"), root=Root())


def test_a_sandbox_is_shown() -> None:
    assert pod_view(SANDBOX) == nri.PodSandbox(
        id="a" * 64,
        name="pod",
        uid="uid",
        namespace="ns",
        labels={"l": "1"},
        annotations={"a": "2"},
        runtime_handler="crun",
        linux=nri.LinuxPodSandbox(
            pod_overhead=nri.Resources(nri.Memory(limit=5), nri.Cpu()),
            cgroup_parent="/kubepods",
            namespaces=(nri.Namespace("network", "/ns/net"), nri.Namespace("ipc", "/ns/ipc")),
        ),
        pid=7,
        ips=("10.0.0.1",),
    )


def test_a_container_is_shown_with_its_spec_or_without() -> None:
    seen = container_view(CONTAINER, SPEC)
    assert (seen.name, seen.pod_sandbox_id, seen.state, seen.pid) == ("app", SANDBOX.id, nri.ContainerState.RUNNING, 8)
    assert seen.args == ("sh",)
    assert seen.linux is not None
    assert seen.linux.seccomp_profile == nri.SecurityProfile(2, "x.json")
    assert container_view(CONTAINER, None).name == "app"


def test_resources_go_there_and_back() -> None:
    asked = cri.LinuxContainerResources(
        cpu_period=1,
        cpu_quota=-1,
        cpu_shares=3,
        memory_limit_in_bytes=4,
        cpuset_cpus="0",
        cpuset_mems="1",
        hugepage_limits=(cri.HugepageLimit("2MB", 5),),
        unified={"a": "b"},
        memory_swap_limit_in_bytes=6,
    )
    shown = resources_view(asked)
    assert shown is not None
    assert asked_resources(shown) == asked
    assert asked_resources(nri.Resources(pids=nri.Pids(1))) == "pids"


def test_where_there_is_no_nri_nobody_is_asked(tmp_path: Path) -> None:
    plugins = Plugins(Records(str(tmp_path)))
    assert not plugins
    assert plugins.ask(Question(Event.CREATE_CONTAINER, nri.PodSandbox())) == Answer()
    assert plugins.tell_of_sandbox(Event.STOP_POD_SANDBOX, SANDBOX) is None
    assert plugins.tell_of_container(Event.STOP_CONTAINER, CONTAINER) is None


@pytest.mark.parametrize(
    "answer",
    [
        Answer(),
        Answer(CriRefusal(CriCode.UNKNOWN, "no")),
        Answer(adjustments=(PluginAdjustment("00-p", nri.ContainerAdjustment(args=("x",), hooks=nri.Hooks())),)),
        Answer(resources=nri.Resources(pids=nri.Pids(0))),
    ],
)
def test_a_question_is_answered(tmp_path: Path, answer: Answer) -> None:
    path = str(tmp_path / "s")
    asked: list[Question] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind(path)
        server.listen()

        def front() -> None:
            connection, _ = server.accept()
            with connection:
                content = b"".join(iter(lambda: connection.recv(1 << 16), b""))
                asked.append(msgspec.json.decode(content, type=Question))
                connection.sendall(msgspec.json.encode(answer))

        thread = threading.Thread(target=front)
        thread.start()
        question = Question(Event.CREATE_CONTAINER, pod_view(SANDBOX), container_view(CONTAINER, SPEC))
        assert Plugins(Records(str(tmp_path)), path).ask(question) == answer
        thread.join()
    assert asked == [question]


def test_who_cannot_be_asked_refuses(tmp_path: Path) -> None:
    refusal = Plugins(Records(str(tmp_path)), str(tmp_path / "s")).tell_of_sandbox(Event.RUN_POD_SANDBOX, SANDBOX)
    assert refusal is not None
    assert refusal.code is CriCode.UNAVAILABLE
