"""Containers of the service: their lives, what clients are told, and that nothing stays of them."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Timer

import pytest
from cri_server import is_alive
from msgspec import structs
from served_containers import CONFIG, IMAGE, Containers
from served_runtime import Served, pod

from podward.api.cri import (
    ImageSpec,
    LinuxContainerConfig,
    LinuxContainerResources,
    LinuxContainerSecurityContext,
    NamespaceOption,
    SecurityProfile,
)
from podward.api.cri_refusal import CriCode, CriRefusal
from podward.api.cri_requests import (
    ExecSyncResponse,
    ListContainersRequest,
    ListContainersResponse,
    ReopenContainerLogRequest,
    UpdateContainerResourcesRequest,
)
from podward.api.cri_status import ContainerFilter
from podward.runtime.kept import alive
from podward.runtime.service import verbs
from podward.runtime.service.records import ContainerRecord

pytestmark = pytest.mark.needs("root", "crun", "runc", "catatonit", "conmon", "busybox")

OWN = NamespaceOption(network="NODE", pid="CONTAINER")
SHELL = ("sh", "-c")


@pytest.fixture(params=("crun", "runc"))
def containers(
    served: Served, small_image: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Containers]:
    """The containers of a sandbox, with either OCI runtime."""
    made = Containers(served, served.run(pod(log_directory=str(tmp_path / "logs")), request.param))
    made.have(small_image)
    yield made
    assert not os.listdir(served.service.records.exits) or served.service.records.every(ContainerRecord)


def in_own_pid_namespace(**rest: object) -> LinuxContainerConfig:
    context = LinuxContainerSecurityContext(namespace_options=OWN)
    return LinuxContainerConfig(security_context=context, **rest)  # type: ignore[arg-type]


def nothing_left(containers: Containers, identifier: str) -> None:
    records, sandbox = containers.served.service.records, containers.sandbox
    assert not os.path.exists(records.directory(ContainerRecord, identifier))
    assert os.listdir(records.exits) == []
    assert not containers.served.service.oci(sandbox.engine).knows(identifier)
    mounts = Path(f"/proc/{sandbox.pin.pid}/mountinfo").read_text(encoding="utf-8")
    assert identifier not in mounts
    assert not containers.served.service.cgroups.exists(f"{sandbox.cgroup}/{identifier}")


def test_a_container_runs_and_ends_and_goes(containers: Containers, tmp_path: Path) -> None:
    identifier = containers.create(
        containers.asked(
            *SHELL,
            "echo out; echo err >&2; exit 3",
            log_path="a.log",
            labels={"app": "web"},
            annotations={"b": "c"},
            linux=in_own_pid_namespace(),
        )
    )
    created = containers.status(identifier)
    assert (created.state, created.started_at, created.finished_at) == ("CONTAINER_CREATED", 0, 0)
    assert (created.metadata.name, created.labels, created.annotations) == ("a", {"app": "web"}, {"b": "c"})
    assert created.created_at > 0
    assert containers.start(identifier) is None
    ended = containers.ended(identifier)
    assert (ended.exit_code, ended.reason) == (3, "Error")
    assert created.created_at <= ended.started_at <= ended.finished_at
    assert ended.image.image == IMAGE
    assert ended.image_ref == ended.image_id
    assert ended.image_id.startswith("sha256:")
    lines = (tmp_path / "logs" / "a.log").read_text(encoding="utf-8").splitlines()
    assert sorted(line.split(" ", 1)[1] for line in lines) == ["stderr F err", "stdout F out"]
    containers.stop(identifier)
    containers.remove(identifier)
    containers.remove(identifier)
    nothing_left(containers, identifier)


def test_a_program_that_is_not_there_fails_the_start(containers: Containers) -> None:
    identifier = containers.create(containers.asked("nothing-of-this-name", linux=in_own_pid_namespace()))
    assert containers.status(identifier).state == "CONTAINER_CREATED"
    refused = containers.start(identifier)
    assert refused is not None
    assert refused.code is CriCode.UNKNOWN
    status = containers.status(identifier)
    assert (status.state, status.exit_code, status.reason) == ("CONTAINER_EXITED", 127, "StartError")
    assert "nothing-of-this-name" in status.message
    again = containers.start(identifier)
    assert again is not None
    assert again.code is CriCode.FAILED_PRECONDITION
    containers.remove(identifier)
    nothing_left(containers, identifier)


def test_the_stop_signal_is_heard_and_what_stays_is_killed(containers: Containers) -> None:
    def run(name: str, traps: str, **rest: object) -> str:
        script = f"{traps}; echo ready; while :; do sleep 0.05; done"
        return containers.run(*SHELL, script, name=name, log_path=name, linux=in_own_pid_namespace(), **rest)

    heard = run("a", "trap 'exit 7' TERM")
    asked = run("b", "trap 'exit 8' USR1", stop_signal="SIGUSR1")
    stays = run("c", "trap : TERM")
    for identifier in (heard, asked, stays):
        containers.printed(identifier, "ready")
    containers.stop(heard, 10)
    containers.stop(asked, 10)
    containers.stop(stays, 1)
    assert [containers.status(each).exit_code for each in (heard, asked, stays)] == [7, 8, 137]
    assert containers.status(asked).stop_signal == "SIGUSR1"
    assert containers.status(heard).stop_signal == "SIGTERM"


@pytest.mark.parametrize("first", ["", "trap '' TERM; "], ids=["no handler", "ignored"])
def test_who_does_not_hear_the_stop_signal_has_his_time_too(containers: Containers, first: str) -> None:
    script = f"{first}echo ready; while ! test -e /told; do sleep 0.05; done; exit 3"
    identifier = containers.run(*SHELL, script, log_path="a", linux=in_own_pid_namespace())
    containers.printed(identifier, "ready")
    told = Path(f"/proc/{containers.record(identifier).process.pid}/root/told")
    hook = Timer(0.5, told.touch)
    hook.start()
    containers.stop(identifier, 60)
    hook.join()
    assert containers.status(identifier).exit_code == 3


def test_a_running_container_is_removed_by_force(containers: Containers) -> None:
    identifier = containers.run(*SHELL, "trap '' TERM; sleep 600; sleep 600", linux=in_own_pid_namespace())
    record = containers.record(identifier)
    containers.remove(identifier)
    assert not alive(record.process)
    assert not alive(record.monitor)
    nothing_left(containers, identifier)


def test_what_a_container_leaves_in_a_shared_namespace_ends_with_it(containers: Containers) -> None:
    options = NamespaceOption(network="NODE", pid="NODE")
    linux = LinuxContainerConfig(security_context=LinuxContainerSecurityContext(namespace_options=options))
    identifier = containers.run(*SHELL, "sleep 600 & echo $!", log_path="a.log", linux=linux)
    containers.ended(identifier)
    containers.stop(identifier)
    log = Path(containers.record(identifier).log_path).read_text(encoding="utf-8")
    assert not is_alive(int(log.split()[-1]))  # whoever reaps it may be slow


def test_a_container_without_memory_is_oom_killed(containers: Containers) -> None:
    resources = LinuxContainerResources(memory_limit_in_bytes=14 << 20)
    identifier = containers.run(
        *SHELL, "x=a; while :; do x=$x$x; done", linux=in_own_pid_namespace(resources=resources)
    )
    ended = containers.ended(identifier)
    assert (ended.exit_code, ended.reason) == (137, "OOMKilled")
    containers.stop(identifier)
    assert containers.status(identifier).reason == "OOMKilled"


def test_names_are_one_containers_until_it_is_removed(containers: Containers) -> None:
    config = containers.asked("sleep", "600", linux=in_own_pid_namespace())
    identifier = containers.create(config)
    refused = containers.try_create(config)
    assert isinstance(refused, CriRefusal)
    assert refused.code is CriCode.ALREADY_EXISTS
    containers.remove(identifier)
    containers.create(config)


def test_filters_choose_what_is_listed(containers: Containers) -> None:
    one = containers.create(containers.asked("sleep", "600", labels={"a": "1"}, linux=in_own_pid_namespace()))
    two = containers.run("sleep", "600", name="b", labels={"a": "1", "b": "2"}, linux=in_own_pid_namespace())

    def listed(**wanted: object) -> list[str]:
        request = ListContainersRequest(ContainerFilter(**wanted))  # type: ignore[arg-type]
        answer = containers.served.call(verbs.LIST_CONTAINERS, request)
        assert isinstance(answer, ListContainersResponse)
        return [item.id for item in answer.containers]

    assert listed() == [one, two]
    assert listed(id=two[:20]) == [two]
    assert listed(state="CONTAINER_RUNNING") == [two]
    assert listed(label_selector={"b": "2"}) == [two]
    assert listed(pod_sandbox_id=containers.sandbox.id[:9]) == [one, two]
    assert listed(pod_sandbox_id="0" * 64) == []


def test_a_log_is_written_anew_once_it_is_renamed(containers: Containers) -> None:
    identifier = containers.run(
        *SHELL, "while :; do echo again; sleep 0.02; done", log_path="a.log", linux=in_own_pid_namespace()
    )
    log = containers.record(identifier).log_path
    os.rename(log, f"{log}.old")
    containers.served.call(verbs.REOPEN_CONTAINER_LOG, ReopenContainerLogRequest(identifier))
    size = os.path.getsize(f"{log}.old")
    while not os.path.getsize(log):
        time.sleep(0.005)
    assert os.path.getsize(f"{log}.old") == size


def test_resources_change_and_are_told(containers: Containers) -> None:
    resources = LinuxContainerResources(cpu_shares=100, memory_limit_in_bytes=64 << 20)
    identifier = containers.run("sleep", "600", linux=in_own_pid_namespace(resources=resources))
    asked = UpdateContainerResourcesRequest(identifier, LinuxContainerResources(memory_limit_in_bytes=96 << 20))
    answer = containers.served.call(verbs.UPDATE_CONTAINER_RESOURCES, asked)
    assert not isinstance(answer, CriRefusal), answer
    told = containers.status(identifier).resources
    assert told is not None
    assert told.linux is not None
    assert (told.linux.cpu_shares, told.linux.memory_limit_in_bytes) == (100, 96 << 20)
    cgroup = containers.record(identifier).cgroup
    files = (f"/sys/fs/cgroup/memory{cgroup}/memory.limit_in_bytes", f"/sys/fs/cgroup{cgroup}/memory.max")
    found = next(Path(file).read_text(encoding="ascii") for file in files if os.path.exists(file))
    assert int(found) == 96 << 20


def test_a_monitor_and_a_process_that_are_killed_leave_an_unknown_end(containers: Containers) -> None:
    identifier = containers.run("sleep", "600", linux=in_own_pid_namespace())
    record = containers.record(identifier)
    os.kill(record.monitor.pid, signal.SIGKILL)
    assert containers.status(identifier).state == "CONTAINER_RUNNING"
    os.kill(record.process.pid, signal.SIGKILL)
    ended = containers.ended(identifier)
    assert (ended.exit_code, ended.reason) == (255, "Unknown")
    containers.remove(identifier)
    nothing_left(containers, identifier)


def test_ends_with_the_sandbox(containers: Containers) -> None:
    running = containers.run("sleep", "600", linux=in_own_pid_namespace())
    created = containers.create(containers.asked("sleep", "600", name="b", linux=in_own_pid_namespace()))
    records = [containers.record(each) for each in (running, created)]
    containers.served.stop(containers.sandbox.id)
    assert [containers.status(each).state for each in (running, created)] == ["CONTAINER_EXITED"] * 2
    assert not any(alive(record.process) for record in records)
    refused = containers.try_create(containers.asked("sleep", "600", name="c", linux=in_own_pid_namespace()))
    assert isinstance(refused, CriRefusal)
    assert refused.code is CriCode.FAILED_PRECONDITION
    containers.served.remove(containers.sandbox.id)
    assert containers.served.service.records.every(ContainerRecord) == ()


def test_a_log_path_stays_in_the_logs_directory(containers: Containers, tmp_path: Path) -> None:
    for name in ("../a.log", "x/../../a.log", "..", "/../../a"):
        refused = containers.try_create(containers.asked("sleep", "600", log_path=name, linux=in_own_pid_namespace()))
        assert isinstance(refused, CriRefusal), name
        assert refused.code is CriCode.INVALID_ARGUMENT
    (tmp_path / "logs" / "a.log").symlink_to(tmp_path / "elsewhere")
    refused = containers.try_create(containers.asked("sleep", "600", log_path="a.log", linux=in_own_pid_namespace()))
    assert isinstance(refused, CriRefusal)
    assert not (tmp_path / "elsewhere").exists()
    assert containers.served.service.records.every(ContainerRecord) == ()


def test_images_and_sandboxes_that_are_not_here(containers: Containers) -> None:
    config = structs.replace(containers.asked("true"), image=ImageSpec("docker.io/library/nothing:1"))
    refused = containers.try_create(config)
    assert isinstance(refused, CriRefusal)
    assert refused.code is CriCode.NOT_FOUND
    containers.stop("0" * 64)
    containers.remove("f" * 64)
    missing = containers.start("0" * 64)
    assert missing is not None
    assert missing.code is CriCode.NOT_FOUND


def test_an_images_stop_signal_is_the_next_best(containers: Containers, tmp_path: Path) -> None:
    containers.bring(tmp_path / "other", "signal:1", CONFIG.replace("}", ',"StopSignal":"SIGRTMIN+3"}'))
    config = structs.replace(
        containers.asked("sleep", "600", linux=in_own_pid_namespace()), image=ImageSpec("docker.io/library/signal:1")
    )
    assert containers.status(containers.create(config)).stop_signal == "SIGRTMINPLUS3"


def test_a_seccomp_profile_may_be_anywhere(containers: Containers, tmp_path: Path) -> None:
    profile = tmp_path / "profile.json"
    rule = '{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO"}'
    profile.write_text(f'{{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{rule}]}}')
    seccomp = SecurityProfile("Localhost", str(profile))
    context = LinuxContainerSecurityContext(namespace_options=OWN, seccomp=seccomp)
    identifier = containers.run("sleep", "600", linux=LinuxContainerConfig(security_context=context))
    answer = containers.try_execute(identifier, "mkdir", "/a")
    assert isinstance(answer, ExecSyncResponse)
    assert b"not permitted" in answer.stderr


def test_a_frozen_container_is_stopped(containers: Containers) -> None:
    identifier = containers.run(*SHELL, "trap : TERM; while :; do sleep 1; done", linux=in_own_pid_namespace())
    record = containers.record(identifier)
    for file, word in (("freezer{}/freezer.state", "FROZEN"), ("{}/cgroup.freeze", "1")):
        path = Path("/sys/fs/cgroup", file.format(record.cgroup))
        if path.exists():
            path.write_text(word, encoding="ascii")
    containers.stop(identifier, 1)
    assert not alive(record.process)
    containers.remove(identifier)
    nothing_left(containers, identifier)


def test_processes_that_fork_without_end_are_stopped(containers: Containers) -> None:
    options = NamespaceOption(network="NODE", pid="NODE")
    linux = LinuxContainerConfig(security_context=LinuxContainerSecurityContext(namespace_options=options))
    bomb = "while :; do (sleep 0.01 & exec sleep 0.02) & sleep 0.005; done"
    identifier = containers.run(*SHELL, f"trap '' TERM; ({bomb}) & {bomb}", linux=linux)
    containers.stop(identifier, 0)
    assert containers.status(identifier).exit_code == 137
    assert not containers.served.service.cgroups.exists(containers.record(identifier).cgroup)
    containers.remove(identifier)
    nothing_left(containers, identifier)


def test_a_flood_of_output_is_survived(containers: Containers) -> None:
    identifier = containers.run(*SHELL, "yes", log_path="a.log", linux=in_own_pid_namespace())
    log = Path(containers.record(identifier).log_path)
    while log.stat().st_size < 1 << 20:
        time.sleep(0.005)
    assert containers.execute(identifier, "echo", "here") == "here\n"
    containers.stop(identifier, 0)
    assert containers.status(identifier).state == "CONTAINER_EXITED"


def test_nobody_has_descriptors_of_ours(containers: Containers) -> None:
    identifier = containers.run(*SHELL, "echo ready; exec sleep 600", log_path="a.log", linux=in_own_pid_namespace())
    containers.printed(identifier, "ready")
    record = containers.record(identifier)
    assert sorted(os.listdir(f"/proc/{record.process.pid}/fd")) == ["0", "1", "2"]
    held = {os.readlink(entry.path) for entry in os.scandir(f"/proc/{record.monitor.pid}/fd")}
    directory = containers.served.service.records.directory(ContainerRecord, identifier)
    files = {file for file in held if file.startswith("/") and not file.startswith("/dev/")}
    assert files <= {record.log_path, f"{directory}/ctl", f"{directory}/winsz"} | {f for f in files if "cgroup" in f}
