"""Programs in running containers of the service: ExecSync, Exec with its streams, attach, and connections to ports."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from served_containers import Containers
from served_runtime import Served, pod

from podward.api.cri import LinuxContainerConfig, LinuxContainerSecurityContext, NamespaceOption
from podward.api.cri_refusal import CriCode, CriRefusal
from podward.api.cri_requests import AttachRequest, ExecRequest, ExecSyncResponse
from podward.runtime.service import verbs
from podward.runtime.service.container_streams import AttachAnswer, ConnectAnswer, ConnectRequest
from podward.runtime.service.execs import MOST_OUTPUT, ExecAnswer
from podward.runtime.service.runtime_service import RuntimeService
from podward.runtime.workers.client import Call, EngineClient

pytestmark = pytest.mark.needs("root", "crun", "runc", "catatonit", "conmon", "busybox")

OWN = NamespaceOption(network="NODE", pid="CONTAINER")


@pytest.fixture(params=("crun", "runc"))
def containers(served: Served, small_image: Path, request: pytest.FixtureRequest) -> Containers:
    """The containers of a sandbox, with either OCI runtime."""
    made = Containers(served, served.run(pod(), request.param))
    made.have(small_image)
    return made


def run(containers: Containers, *command: str, **rest: object) -> str:
    linux = LinuxContainerConfig(security_context=LinuxContainerSecurityContext(namespace_options=OWN))
    return containers.run(*(command or ("sleep", "600")), linux=linux, **rest)


def with_call(containers: Containers, request: ExecRequest, do: Callable[[Call[ExecAnswer]], Awaitable[None]]) -> None:
    async def main() -> None:
        client: EngineClient[RuntimeService] = EngineClient(containers.served.pid, containers.served.control)
        async with await client.open(verbs.EXEC, request) as call:
            await do(call)

    asyncio.run(main())


def processes(containers: Containers, identifier: str) -> list[str]:
    """The command lines of the processes in the container, but for the one that looks."""
    lines = containers.execute(identifier, "ps").splitlines()
    commands = (line.split(None, 2)[2] for line in lines if "sleep" in line)
    return [command for command in commands if not command.startswith("[")]  # ended, and not reaped by the first


def test_what_a_program_prints_and_how_it_ends(containers: Containers) -> None:
    identifier = run(containers)
    answer = containers.try_execute(identifier, "sh", "-c", "echo out; echo err >&2; exit 3")
    assert answer == ExecSyncResponse(b"out\n", b"err\n", 3)
    assert containers.try_execute(identifier, "sh", "-c", "kill -9 $$") == ExecSyncResponse(b"", b"", 137)


def test_a_program_that_is_not_there_is_an_error(containers: Containers) -> None:
    answer = containers.try_execute(run(containers), "nothing-of-this-name")
    assert isinstance(answer, CriRefusal)
    assert answer.code is CriCode.UNKNOWN
    assert "nothing-of-this-name" in answer.message


def test_the_machines_null_device_stays_roots(containers: Containers) -> None:
    """Crun gives a program's streams to its user, and the streams that nobody gave are the machine's device."""
    context = LinuxContainerSecurityContext(namespace_options=OWN, run_as_user=1234, run_as_group=1235)
    identifier = containers.run("sleep", "600", linux=LinuxContainerConfig(security_context=context))
    assert containers.execute(identifier, "sh", "-c", "cat; echo > /proc/self/fd/0 && id -u") == "1234\n"
    owned = os.stat(os.devnull)
    os.chown(os.devnull, 0, 0)
    assert (owned.st_uid, owned.st_gid) == (0, 0)


def test_the_time_that_is_over_ends_all_that_was_started(containers: Containers) -> None:
    identifier = run(containers)
    began = time.monotonic()
    answer = containers.try_execute(
        identifier, "sh", "-c", "sleep 300 & (sleep 301; true) & sleep 302; true", timeout=1
    )
    assert isinstance(answer, CriRefusal)
    assert answer.code is CriCode.DEADLINE_EXCEEDED
    assert "timeout 1s exceeded" in answer.message
    assert time.monotonic() - began < 5
    assert processes(containers, identifier) == ["sleep 600"]


def test_what_a_program_leaves_behind_is_not_waited_for(containers: Containers) -> None:
    identifier = run(containers)
    began = time.monotonic()
    answer = containers.try_execute(identifier, "sh", "-c", "sleep 300 & echo begun")
    assert answer == ExecSyncResponse(b"begun\n", b"", 0)
    assert time.monotonic() - began < 5
    assert "sleep 300" in processes(containers, identifier)


def test_of_a_flood_the_beginning_is_kept(containers: Containers) -> None:
    answer = containers.try_execute(run(containers), "dd", "if=/dev/zero", "bs=1M", "count=24")
    assert isinstance(answer, ExecSyncResponse)
    assert (len(answer.stdout), answer.exit_code) == (MOST_OUTPUT, 0)


def test_nothing_runs_in_what_does_not_run(containers: Containers) -> None:
    created = containers.create(containers.asked("sleep", "600"))
    for identifier, code in ((created, CriCode.FAILED_PRECONDITION), ("0" * 64, CriCode.NOT_FOUND)):
        answer = containers.try_execute(identifier, "true")
        assert isinstance(answer, CriRefusal)
        assert answer.code is code


def test_streams_are_handed_over(containers: Containers) -> None:
    request = ExecRequest(
        run(containers), ("sh", "-c", "cat; echo err >&2; exit 4"), stdin=True, stdout=True, stderr=True
    )

    async def do(call: Call[ExecAnswer]) -> None:
        assert await call.answer() == ExecAnswer(("stdin", "stdout", "stderr"))
        stdin, stdout, stderr = call.descriptors
        os.write(stdin, b"given\n")
        assert os.read(stdout, 100) == b"given\n"
        os.close(stdin)
        call.descriptors.remove(stdin)
        assert os.read(stderr, 100) == b"err\n"
        assert await call.answer() == ExecAnswer(exit_code=4)
        assert os.read(stdout, 100) == b""

    with_call(containers, request, do)


def test_a_terminal_is_handed_over(containers: Containers) -> None:
    request = ExecRequest(run(containers), ("sh", "-c", "tty; echo $TERM; exit 5"), tty=True, stdin=True, stdout=True)

    async def do(call: Call[ExecAnswer]) -> None:
        assert await call.answer() == ExecAnswer(("terminal",))
        said = b""
        while b"xterm" not in said:
            said += os.read(call.descriptors[0], 100)
        assert said.startswith(b"/dev/pts/0\r\n")
        assert await call.answer() == ExecAnswer(exit_code=5)

    with_call(containers, request, do)


def test_a_program_that_is_not_there_is_told_with_streams_too(containers: Containers) -> None:
    identifier = run(containers)
    for terminal in (False, True):
        request = ExecRequest(identifier, ("nothing-of-this-name",), tty=terminal, stdout=True)

        async def do(call: Call[ExecAnswer]) -> None:
            answer = await call.answer()
            while isinstance(answer, ExecAnswer) and answer.streams:
                answer = await call.answer()
            assert isinstance(answer, CriRefusal)
            assert "nothing-of-this-name" in answer.message

        with_call(containers, request, do)


def test_who_leaves_a_terminal_hangs_it_up(containers: Containers) -> None:
    identifier = run(containers)

    async def do(call: Call[ExecAnswer]) -> None:
        await call.answer()

    with_call(containers, ExecRequest(identifier, ("sh", "-c", "sleep 300; true"), tty=True, stdout=True), do)
    deadline = time.monotonic() + 5
    while processes(containers, identifier) != ["sleep 600"]:
        assert time.monotonic() < deadline


def test_a_container_is_attached_to_over_its_monitor(containers: Containers) -> None:
    identifier = run(containers, "sh", "-c", "read line; echo got $line", stdin=True, stdin_once=True, log_path="")
    answer = containers.served.call(verbs.ATTACH, AttachRequest(identifier))
    assert isinstance(answer, AttachAnswer)
    assert (answer.stdin, answer.stdin_once, answer.terminal) == (True, True, False)
    directory = os.open(answer.directory, os.O_PATH)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
        connection.connect(f"/proc/self/fd/{directory}/attach")
        connection.send(b"words\n")
        assert connection.recv(100) == b"\2got words\n"
    os.close(directory)
    assert containers.ended(identifier).exit_code == 0


def test_a_container_with_a_terminal_in_a_deep_directory(tmp_path: Path, small_image: Path) -> None:
    """A socket's address has 108 bytes only."""
    from podward.runtime.service.runtime_service import ServiceOptions

    deep = tmp_path / ("d" * 100)
    served = Served(RuntimeService(str(deep), ServiceOptions(cni_conf_dir="")))
    try:
        containers = Containers(served, served.run(pod(log_directory=str(tmp_path / "logs"))))
        containers.have(small_image)
        identifier = run(containers, "sh", "-c", "tty; sleep 600", tty=True, stdin=True, log_path="a.log")
        containers.printed(identifier, "/dev/pts/0")
        attached = served.call(verbs.ATTACH, AttachRequest(identifier))
        assert isinstance(attached, AttachAnswer)
    finally:
        served.close()


def test_a_port_of_the_sandbox_is_connected_to(served: Served, small_image: Path) -> None:
    containers = Containers(served, served.run(pod(modes=NamespaceOption(pid="CONTAINER"))))
    containers.have(small_image)
    options = LinuxContainerSecurityContext(namespace_options=NamespaceOption(pid="CONTAINER"))
    linux = LinuxContainerConfig(security_context=options)
    containers.run("httpd", "-f", "-p", "127.0.0.1:8080", linux=linux)

    async def main(port: int) -> tuple[ConnectAnswer | CriRefusal, bytes]:
        client: EngineClient[RuntimeService] = EngineClient(served.pid, served.control)
        async with await client.open(verbs.CONNECT, ConnectRequest(containers.sandbox.id, port)) as call:
            answer = await call.answer()
            if not call.descriptors:
                return answer, b""
            with socket.socket(fileno=os.dup(call.descriptors[0])) as connection:
                connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
                return answer, connection.recv(8)

    deadline = time.monotonic() + 5
    while (found := asyncio.run(main(8080))) != (ConnectAnswer(), b"HTTP/1.1"):
        assert time.monotonic() < deadline, found
    refused, _ = asyncio.run(main(8081))
    assert isinstance(refused, CriRefusal)
    assert "Connection refused" in refused.message
