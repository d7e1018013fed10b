"""Programs in running containers: ExecSync, and Exec, whose streams are handed to whoever speaks to the client.

Specification (CRI; containerd 2.2 `execInContainer`, in our words). A program runs as the container's first process
does. With a terminal TERM is `xterm` where nobody says otherwise. ExecSync gives back the first 16 MiB of each stream,
and reads on; it answers when the program has ended, with what was printed until then: what a program leaves
behind may hold its streams for ever, and is not waited for (containerd waits, unless it is configured not to). Where
the time is over, or nobody waits for the answer, the program is killed, and here also what it has started: processes of
its session, and their children. A program that could not be started is an error. Who leaves an Exec closes its streams;
the program is left alone.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from collections.abc import Iterator

from msgspec import Struct

from podward.api.cri_refusal import CriCode, CriRefusal
from podward.api.cri_requests import ExecRequest, ExecSyncRequest, ExecSyncResponse
from podward.errors import RuntimeFailedError
from podward.runtime import processes, syscalls
from podward.runtime.consoles import ConsoleSocket
from podward.runtime.execution import Execution
from podward.runtime.oci import Streams
from podward.runtime.service import container_status, pins
from podward.runtime.service.records import ContainerRecord, SandboxRecord
from podward.runtime.service.runtime_service import RuntimeService
from podward.runtime.workers.calls import Caller, Passed

MOST_OUTPUT = 16 << 20
TERM = ("TERM=xterm",)
_CHUNK = 1 << 16
_ROUNDS = 50
"""How often processes of a killed program are looked for, which may start others meanwhile."""


class ExecAnswer(Struct, frozen=True, omit_defaults=True):
    """What Exec answers. First it has descriptors, which are the `streams`; then the program's exit code, with none.

    The streams are those of `stdin`, `stdout` and `stderr` that were asked for, or one `terminal`.
    """

    streams: tuple[str, ...] = ()
    exit_code: int = 0


def exec_sync(service: RuntimeService, request: ExecSyncRequest, caller: Caller) -> ExecSyncResponse | CriRefusal:
    """Run a program to its end."""
    record = container_status.running(service, request.container_id)
    if isinstance(record, CriRefusal):
        return record
    if not request.cmd:
        return CriRefusal(CriCode.INVALID_ARGUMENT, "there is no command to execute")
    execution = _execution(service, record)
    try:
        return _run(execution, request, caller)
    finally:
        execution.close()


def _execution(service: RuntimeService, record: ContainerRecord) -> Execution:
    """A program in the container, in whose sandbox's mount namespace this process is from now on."""
    sandbox = service.records.read(SandboxRecord, record.sandbox)
    if sandbox is None:
        raise RuntimeFailedError(f"sandbox {record.sandbox} is gone")
    pins.enter(sandbox.pin)
    return Execution(service.oci(sandbox.engine), record.id, record.bundle)


def _run(execution: Execution, request: ExecSyncRequest, caller: Caller) -> ExecSyncResponse | CriRefusal:
    syscalls.become_subreaper()  # the runtime leaves the program to us
    out, err = _Output(), _Output()
    try:
        runtime = execution.begin_detached(request.cmd, Streams(-1, out.write, err.write))
    finally:
        out.begun()
        err.begun()
    deadline = time.monotonic() + request.timeout if request.timeout > 0 else float("inf")
    if not _attend(runtime, (out, err), deadline, caller):
        processes.end(runtime)
        with contextlib.suppress(OSError, ValueError):
            _kill(execution.program())
        return _timed_out(request, caller)
    if processes.exit_code(processes.wait(runtime)):
        return _not_started(execution.complaint())
    program = execution.program()
    if not _attend(program, (out, err), deadline, caller):
        _kill(program)
        return _timed_out(request, caller)
    status = processes.wait(program)
    for output in (out, err):
        output.drain()
    return ExecSyncResponse(bytes(out.content), bytes(err.content), processes.exit_code(status))


def _timed_out(request: ExecSyncRequest, caller: Caller) -> CriRefusal:
    why = "nobody waits any more" if caller.is_gone else f"timeout {request.timeout}s exceeded"
    return CriRefusal(CriCode.DEADLINE_EXCEEDED, f"failed to exec in container: {why}: context deadline exceeded")


def _pipe() -> tuple[int, int]:
    """A pipe that whoever the program runs as may open anew, as /dev/stdout is opened."""
    read, write = os.pipe2(os.O_CLOEXEC)
    os.fchmod(write, 0o666)
    return read, write


class _Output:
    """A pipe for an output of a program, and the beginning of what came through it."""

    def __init__(self) -> None:
        self.read, self.write = _pipe()
        os.set_blocking(self.read, False)
        self.content = bytearray()

    def begun(self) -> None:
        """The program has its end."""
        os.close(self.write)

    def take(self) -> bool:
        """Read once; False at the end."""
        try:
            data = os.read(self.read, _CHUNK)
        except BlockingIOError:
            return True
        self.content += data[: MOST_OUTPUT - len(self.content)]
        return bool(data)

    def drain(self) -> None:
        """Read what is there, not waiting for more, and at most as much as is kept: another may write without end."""
        left = MOST_OUTPUT
        with contextlib.suppress(BlockingIOError):
            while left > 0 and (data := os.read(self.read, _CHUNK)):
                self.content += data[: MOST_OUTPUT - len(self.content)]
                left -= len(data)
        os.close(self.read)


def _attend(pid: int, outputs: tuple[_Output, ...], deadline: float, caller: Caller) -> bool:
    """Read until the process ends; False where the time is over before, or nobody waits."""
    watched = os.pidfd_open(pid)
    poll = select.poll()
    poll.register(watched, select.POLLIN)
    poll.register(caller, select.POLLIN | select.POLLRDHUP)
    by_descriptor = {output.read: output for output in outputs}
    for descriptor in by_descriptor:
        poll.register(descriptor, select.POLLIN)
    try:
        while (left := deadline - time.monotonic()) > 0:
            ready = {found for found, _ in poll.poll(min(left * 1000 + 1, 1 << 30))}
            if watched in ready:
                return True
            if caller.fileno() in ready:
                return False
            for descriptor in ready & set(by_descriptor):
                if not by_descriptor[descriptor].take():
                    poll.unregister(descriptor)
        return False
    finally:
        os.close(watched)


# --- its end ----------------------------------------------------------------------------------------------------------


def _kill(program: int) -> None:
    """Kill the program, a child of ours, with what it has started; a frozen one ends when it is thawed."""
    for pid in _all_of(program):
        _send(pid, signal.SIGKILL)
    processes.end(program)


def _all_of(program: int) -> set[int]:
    """The program and what it has started, stopped so that they start nothing more."""
    known: set[int] = set()
    found = {program}
    for _ in range(_ROUNDS):
        for pid in found:
            _send(pid, signal.SIGSTOP)
        known |= found
        found = _started_by(program, known) - known
        if not found:
            break
    return known


def _send(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _started_by(program: int, known: set[int]) -> set[int]:
    """The processes in the program's session, and the children of those that are known."""
    found = set()
    for entry in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError, ValueError):
            with open(f"/proc/{entry}/stat", encoding="ascii", errors="replace") as file:
                fields = file.read().rpartition(")")[2].split()
            if int(fields[3]) == program or int(fields[1]) in known:
                found.add(int(entry))
    return found


# --- with streams -----------------------------------------------------------------------------------------------------


def exec_streams(
    service: RuntimeService, request: ExecRequest, caller: Caller
) -> Iterator[ExecAnswer | CriRefusal | Passed[ExecAnswer]]:
    """Run a program; its streams first, then its exit code."""
    record = container_status.running(service, request.container_id)
    if isinstance(record, CriRefusal):
        yield record
        return
    if not request.cmd:
        yield CriRefusal(CriCode.INVALID_ARGUMENT, "there is no command to execute")
        return
    execution = _execution(service, record)
    syscalls.become_subreaper()  # the runtime leaves the program to us
    try:
        if request.tty:
            yield from _on_terminal(execution, service.records.directory(ContainerRecord, record.id), request, caller)
        else:
            yield from _on_pipes(execution, request, caller)
    finally:
        execution.close()


def _on_pipes(
    execution: Execution, request: ExecRequest, caller: Caller
) -> Iterator[ExecAnswer | CriRefusal | Passed[ExecAnswer]]:
    asked = (("stdin", request.stdin), ("stdout", request.stdout), ("stderr", request.stderr))
    ours, theirs = {}, {}
    for name, wanted in asked:
        if wanted:
            read, write = _pipe()
            ours[name], theirs[name] = (write, read) if name == "stdin" else (read, write)
    given = Streams(theirs.get("stdin", -1), theirs.get("stdout", -1), theirs.get("stderr", -1))
    try:
        runtime = execution.begin_detached(request.cmd, given)
    finally:
        for descriptor in theirs.values():
            os.close(descriptor)
    if processes.exit_code(processes.wait(runtime)):
        yield _not_started(execution.complaint())
        return
    yield Passed(ExecAnswer(tuple(ours)), tuple(ours.values()))
    yield from _to_its_end(execution.program(), caller)


def _on_terminal(
    execution: Execution, directory: str, request: ExecRequest, caller: Caller
) -> Iterator[ExecAnswer | CriRefusal | Passed[ExecAnswer]]:
    with ConsoleSocket(directory) as console:
        runtime = execution.begin_detached(request.cmd, Streams(console=console.path), TERM)
        if processes.exit_code(processes.wait(runtime)):
            yield _not_started(execution.complaint())
            return
        terminal = console.receive()
    yield Passed(ExecAnswer(("terminal",)), (terminal,))
    yield from _to_its_end(execution.program(), caller)


def _to_its_end(program: int, caller: Caller) -> Iterator[ExecAnswer]:
    """The program's exit code; nothing where the caller goes before: then it is left alone."""
    watched = os.pidfd_open(program)
    poll = select.poll()
    poll.register(watched, select.POLLIN)
    poll.register(caller, select.POLLIN | select.POLLRDHUP)
    try:
        ended = watched in {found for found, _ in poll.poll()}
    finally:
        os.close(watched)
    if ended:
        yield ExecAnswer(exit_code=processes.exit_code(processes.wait(program)))


def _not_started(complaint: str) -> CriRefusal:
    return CriRefusal(CriCode.UNKNOWN, f"failed to exec in container: failed to start exec: {complaint}")
