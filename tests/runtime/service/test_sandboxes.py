"""Sandboxes of the service: what there is of one, what its containers see of it, and that nothing stays of it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import structs
from served_runtime import Served, pod

from podward.api.cri import (
    DNSConfig,
    IDMapping,
    LinuxPodSandboxConfig,
    NamespaceOption,
    PodSandboxConfig,
    PortMapping,
    UserNamespace,
)
from podward.api.cri_refusal import CriCode, CriRefusal
from podward.api.cri_requests import ListPodSandboxRequest, ListPodSandboxResponse, PodSandboxStatusRequest
from podward.api.cri_status import PodSandboxFilter, PodSandboxStatus
from podward.runtime import syscalls
from podward.runtime.kept import alive
from podward.runtime.service import pins, verbs
from podward.runtime.service.phases import SandboxPhase
from podward.runtime.service.records import SandboxRecord

pytestmark = pytest.mark.needs("root", "crun", "catatonit")

OWN = NamespaceOption(pid="CONTAINER")
MAP = (IDMapping(0, 1 << 20, 65536),)


def status(served: Served, identifier: str) -> PodSandboxStatus:
    answer = served.call(verbs.POD_SANDBOX_STATUS, PodSandboxStatusRequest(identifier))
    assert not isinstance(answer, CriRefusal), answer
    assert answer.status is not None
    return answer.status


def listed(served: Served, wanted: PodSandboxFilter | None = None) -> list[str]:
    answer = served.call(verbs.LIST_POD_SANDBOX, ListPodSandboxRequest(wanted))
    assert isinstance(answer, ListPodSandboxResponse)
    return [item.metadata.name for item in answer.items]


def with_linux(config: PodSandboxConfig, **members: object) -> PodSandboxConfig:
    linux: LinuxPodSandboxConfig = structs.replace(config.linux, **members)
    return structs.replace(config, linux=linux)


def in_pin(record: SandboxRecord, path: str) -> str:
    return f"/proc/{record.pin.pid}/root{path}"


def test_a_sandbox_is_what_was_asked_for_until_it_is_removed(served: Served) -> None:
    record = served.run(pod(labels={"app": "web"}, annotations={"a": "b"}))
    found = status(served, record.id[:12])
    assert (found.id, found.state, found.metadata.name) == (record.id, "SANDBOX_READY", "web")
    assert (found.labels, found.annotations) == ({"app": "web"}, {"a": "b"})
    assert found.linux is not None
    assert found.linux.namespaces is not None
    assert found.linux.namespaces.options == NamespaceOption(network="NODE", pid="CONTAINER")
    served.stop(record.id)
    served.stop(record.id)
    assert status(served, record.id).state == "SANDBOX_NOTREADY"
    assert not alive(record.pin)
    served.remove(record.id)
    served.remove(record.id)
    served.stop(record.id)
    answer = served.call(verbs.POD_SANDBOX_STATUS, PodSandboxStatusRequest(record.id))
    assert isinstance(answer, CriRefusal)
    assert answer.code is CriCode.NOT_FOUND
    assert os.listdir(f"{served.service.records.root}/names") == ["lock"]


def test_a_status_without_those_of_the_containers_has_no_time(served: Served) -> None:
    """With a time, a kubelet that listens to events believes that there are no containers, and makes them anew."""
    record = served.run(pod())
    answer = served.call(verbs.POD_SANDBOX_STATUS, PodSandboxStatusRequest(record.id))
    assert not isinstance(answer, CriRefusal), answer
    assert (answer.timestamp, answer.containers_statuses) == (0, ())


def test_one_whose_pin_died_is_not_ready(served: Served) -> None:
    record = served.run(pod())
    pins.end(record.pin)
    assert status(served, record.id).state == "SANDBOX_NOTREADY"
    assert listed(served, PodSandboxFilter(state="SANDBOX_READY")) == []


def test_one_whose_shared_process_namespace_is_gone_is_not_ready(served: Served) -> None:
    record = served.run(pod(modes=NamespaceOption(network="NODE", pid="POD")))
    os.kill(record.pause.pid, signal.SIGKILL)
    while alive(record.pause):
        time.sleep(0.01)
    assert status(served, record.id).state == "SANDBOX_NOTREADY"


def test_filters_choose(served: Served) -> None:
    first = served.run(pod("a", labels={"app": "x", "tier": "y"}))
    served.run(pod("b", labels={"app": "x"}))
    served.stop(served.run(pod("c")).id)
    assert listed(served) == ["a", "b", "c"]
    assert listed(served, PodSandboxFilter(id=first.id[:9])) == ["a"]
    assert listed(served, PodSandboxFilter(state="SANDBOX_NOTREADY")) == ["c"]
    assert listed(served, PodSandboxFilter(label_selector={"app": "x"})) == ["a", "b"]
    assert listed(served, PodSandboxFilter(label_selector={"app": "x", "tier": "y"})) == ["a"]
    assert listed(served, PodSandboxFilter(label_selector={"tier": ""})) == []


def test_a_name_is_had_by_one(served: Served) -> None:
    record = served.run(pod())
    refused = served.refused(pod())
    assert refused.code is CriCode.ALREADY_EXISTS
    assert record.id in refused.message
    second = structs.replace(pod().metadata, attempt=1)
    served.run(structs.replace(pod(), metadata=second))
    served.remove(record.id)
    served.run(pod())


def test_its_files_are_seen_in_its_mount_namespace_alone(served: Served) -> None:
    dns = DNSConfig(("192.0.2.1",), ("a.example", "b.example"), ("ndots:5",))
    record = served.run(pod(modes=OWN, hostname="front", dns_config=dns))
    assert Path(in_pin(record, f"{record.work}/hostname")).read_text() == "front\n"
    resolvers = Path(in_pin(record, f"{record.work}/resolv.conf")).read_text()
    assert resolvers == "search a.example b.example\nnameserver 192.0.2.1\noptions ndots:5\n"
    assert Path(in_pin(record, f"{record.work}/hosts")).read_text() == Path("/etc/hosts").read_text()
    shm = os.statvfs(in_pin(record, f"{record.work}/shm"))
    assert shm.f_blocks * shm.f_frsize == 64 << 20
    assert f"{record.work}/" not in Path("/proc/self/mountinfo").read_text()
    assert set(record.namespaces) == {"net", "ipc", "uts"}


def test_on_the_hosts_network_there_is_no_namespace_for_it(served: Served) -> None:
    record = served.run(pod(modes=NamespaceOption(network="NODE", ipc="NODE", pid="NODE")))
    assert record.namespaces == {}
    assert status(served, record.id).network is not None


def test_a_shared_process_namespace_shows_nothing_of_the_host(served: Served) -> None:
    record = served.run(pod(modes=NamespaceOption(network="NODE", pid="POD")))
    assert record.namespaces["pid"] == f"/proc/{record.pause.pid}/ns/pid"
    assert os.readlink(record.namespaces["pid"]) != os.readlink("/proc/self/ns/pid")
    assert sorted(os.listdir(f"/proc/{record.pause.pid}/root")) == ["dev", "pause", "proc"]
    served.stop(record.id)
    assert not alive(record.pause)


def test_ids_are_mapped_as_the_caller_says(served: Served) -> None:
    modes = NamespaceOption(pid="POD", userns_options=UserNamespace("POD", MAP, MAP))
    record = served.run(pod(modes=modes))
    assert Path(f"/proc/{record.pause.pid}/uid_map").read_text().split() == ["0", str(1 << 20), "65536"]
    assert os.stat(in_pin(record, f"{record.work}/hostname")).st_uid == 1 << 20


@pytest.mark.parametrize(
    ("userns", "words"),
    [
        (UserNamespace("POD", MAP * 2, MAP * 2), "only one mapping line"),
        (UserNamespace("POD", (IDMapping(1, 1 << 20, 9),), (IDMapping(1, 1 << 20, 9),)), "container id 0"),
        (UserNamespace("POD", (IDMapping(0, 1 << 20, 0),), MAP), "length: 0"),
        (UserNamespace("POD", MAP, (IDMapping(0, 1 << 21, 65536),)), "the same way"),
        (UserNamespace("POD"), "without UID and GID mappings"),
        (UserNamespace("NODE", MAP, MAP), "with mappings"),
        (UserNamespace("CONTAINER"), 'mode: "CONTAINER"'),
        (UserNamespace("TARGET"), 'mode: "TARGET"'),
    ],
)
def test_other_mappings_are_refused(served: Served, userns: UserNamespace, words: str) -> None:
    refused = served.refused(pod(modes=NamespaceOption(userns_options=userns)))
    assert refused.code is CriCode.INVALID_ARGUMENT
    assert words in refused.message


@pytest.mark.parametrize(
    ("handler", "code", "words"),
    [
        ("kata", CriCode.FAILED_PRECONDITION, "virtual machines"),
        ("nobody", CriCode.INVALID_ARGUMENT, "no runtime handler 'nobody'"),
        ("../crun", CriCode.INVALID_ARGUMENT, "no runtime handler"),
    ],
)
def test_unknown_and_absent_handlers_are_refused(served: Served, handler: str, code: CriCode, words: str) -> None:
    refused = served.refused(pod(), handler)
    assert refused.code is code
    assert words in refused.message
    assert listed(served) == []


@pytest.mark.needs("runc")
def test_a_handler_is_the_oci_runtime(served: Served) -> None:
    record = served.run(pod(modes=NamespaceOption(network="NODE", pid="POD")), "runc")
    assert record.engine.kind == "runc"
    assert status(served, record.id).runtime_handler == "runc"
    assert alive(record.pause)


@pytest.mark.parametrize("parent", ["/../x", "a/../../b", "/x/."])
def test_a_parent_cgroup_that_leads_elsewhere_is_refused(served: Served, parent: str) -> None:
    refused = served.refused(with_linux(pod(), cgroup_parent=parent))
    assert refused.code is CriCode.INVALID_ARGUMENT


def test_its_cgroup_is_below_the_parent_and_goes_with_it(served: Served) -> None:
    parent = f"/podward-test-{os.getpid()}/besteffort/pod1"
    modes = NamespaceOption(network="NODE", pid="POD")
    record = served.run(with_linux(pod(modes=modes), cgroup_parent=parent))
    assert record.cgroup == f"{parent}/podward-{record.id}"
    assert f"{record.cgroup}/pause" in Path(f"/proc/{record.pause.pid}/cgroup").read_text()
    assert served.service.cgroups.exists(parent)
    served.stop(record.id)
    assert not served.service.cgroups.exists(parent.rpartition("/")[0].rpartition("/")[0])


def test_sysctls_are_the_sandboxs_own(served: Served) -> None:
    sysctls = {"kernel.shm_rmid_forced": "1", "fs.mqueue.msg_max": "100"}
    before = Path("/proc/sys/fs/mqueue/msg_max").read_text()
    served.run(with_linux(pod(modes=NamespaceOption(network="NODE", pid="CONTAINER")), sysctls=sysctls))
    assert Path("/proc/sys/fs/mqueue/msg_max").read_text() == before
    refused = served.refused(with_linux(pod("other"), sysctls={"kernel.pid_max": "9"}))
    assert "kernel.pid_max" in refused.message
    assert listed(served) == ["web"]


def test_the_log_directory_is_made(served: Served, tmp_path: Path) -> None:
    served.run(pod(log_directory=str(tmp_path / "logs" / "pod")))
    assert (tmp_path / "logs" / "pod").is_dir()


def test_what_fails_leaves_nothing(served: Served, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    refused = served.refused(pod(log_directory=str(tmp_path / "file" / "pod")))
    assert "file" in refused.message
    assert os.listdir(f"{served.service.records.root}/sandboxes") == []
    assert SandboxPhase.MAKING not in {r.phase for r in served.service.records.every(SandboxRecord)}


@pytest.mark.needs("cni")
def test_ports_of_the_node_lead_to_the_pod_from_the_node_itself_too(served: Served) -> None:
    before = Path("/proc/sys/net/ipv4/conf/all/route_localnet").read_text()
    port = free_port()
    mapped = (PortMapping("TCP", 8080, port), PortMapping("UDP", 53, 0))
    record = served.run(pod(modes=OWN, port_mappings=mapped))
    with answering(record, 8080):
        assert said_by("127.0.0.1", port) == b"from the Pod"
        assert said_by(record.addresses[0], 8080) == b"from the Pod"
    found = status(served, record.id).network
    assert found is not None
    assert found.ip == record.addresses[0]
    assert Path("/proc/sys/net/ipv4/conf/all/route_localnet").read_text() == before
    served.stop(record.id)
    assert record.id not in subprocess.run(["iptables-save"], capture_output=True, text=True, check=True).stdout


def free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        number: int = asked.getsockname()[1]
    return number


@contextlib.contextmanager
def answering(record: SandboxRecord, port: int) -> Iterator[None]:
    """A process in the Pod's network that answers on this port."""
    ready, told = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            pins.enter(record.pin)
            namespace = os.open(record.namespaces["net"], os.O_RDONLY)
            syscalls.setns(namespace, syscalls.CLONE_NEWNET)
            with socket.create_server(("0.0.0.0", port)) as server:  # noqa: S104 - of the Pod's network
                os.write(told, b"r")
                while True:
                    connection, _ = server.accept()
                    with connection:
                        connection.sendall(b"from the Pod")
        finally:
            os._exit(1)
    try:
        assert os.read(ready, 1) == b"r"
        yield
    finally:
        os.close(ready)
        os.close(told)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def said_by(address: str, port: int) -> bytes:
    with socket.create_connection((address, port), timeout=10) as connection:
        return connection.recv(100)


def test_one_whose_removal_failed_is_still_seen(served: Served) -> None:
    record = served.run(pod())
    served.stop(record.id)
    served.service.records.write(served.record(record.id).became(SandboxPhase.REMOVING))
    assert listed(served, PodSandboxFilter(state="SANDBOX_NOTREADY")) == ["web"]
    served.remove(record.id)
    assert listed(served) == []


@pytest.mark.needs("cni")
def test_a_network_that_cannot_be_made_is_told_and_forgotten(served: Served, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    plugins = [{"type": "bridge", "ipam": {"type": "nobody"}}]
    content = {"name": "broken", "cniVersion": "1.0.0", "plugins": plugins}
    (tmp_path / "none" / "1.conflist").write_text(json.dumps(content))
    refused = served.refused(pod(modes=OWN))
    assert "nobody" in refused.message
    assert "ADD" in refused.message
    assert os.listdir(f"{served.service.records.root}/sandboxes") == []
