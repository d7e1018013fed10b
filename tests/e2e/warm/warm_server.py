"""The process that `warm_command` forks commands from: `python warm_server.py SOCKET`.

A request is a packet with five descriptors: a connection, the request as JSON, and the command's standard streams. The
answers on the connection are the pid, and in the end the status that waitpid(2) gives. A child leaves `serve` and goes
on as `python -m podward`.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import json
import os
import runpy
import select
import signal
import socket
import sys
from typing import Any, NamedTuple, TextIO

COMMANDS = ("admit", "check", "diff", "doctor", "exec", "explain", "explain_access", "image", "logs", "ps", "rm", "run")
IMPORTED_LATER = (
    "access.rbac", "access.reading", "check.judging", "cli.admission_answers", "cli.checking.finding_fixes",
    "cli.checking.fixing", "cli.checking.run", "cli.comparing", "cli.inspecting", "cli.keeping", "cli.main",
    "documents.yaml.exact", "documents.yaml.fast", "policy.hints.all", "policy.runtime.defaults.containerd",
    "policy.runtime.defaults.containerd_seccomp", "policy.runtime.defaults.crio",
    "policy.runtime.defaults.crio_seccomp", "policy.runtime.defaults.docker", "policy.runtime.defaults.docker_seccomp",
    "policy.scc.documents", "policy.scc.passes", "policy.scc.run_levels", "render.check.json", "render.check.table",
    "render.explain.document", "render.explain.first_screen", "render.explain.table", "render.objects",
    "runtime.cri_log", "runtime.images.layout", "runtime.kept_logs", "runtime.observe", "schema.referenced_objects",
)  # fmt: skip
"""What the commands import once they know what they are asked. A child imports for itself what is missing here."""

OF_PYTHON = ("ctypes", "encodings.ascii", "encodings.idna", "locale", "resource")
"""Modules that are no Podward's, and imported where they are used."""

OF_SERVERS = {
    "apiserver": (
        "cryptography.hazmat.backends.openssl.backend", "podward.access.certificate_requests", "podward.cli.apiserver",
        "podward.documents.json.exact", "podward.policy.pss.verdict", "podward.server.aggregation.backends",
        "podward.server.aggregation.serving", "podward.server.controllers.calling",
        "podward.server.controllers.certificates", "podward.server.controllers.namespaces", "podward.server.process",
        "podward.server.subresources.binding", "podward.server.subresources.token", "podward.server.verbs.create",
        "podward.server.verbs.get", "podward.server.verbs.list", "podward.server.verbs.patch",
        "podward.server.verbs.watch",
    ),
    "controller-manager": ("podward.cli.controller_manager", "podward.controllers.process"),
    # What serves is imported once the engine is forked; of that, these begin no thread.
    "cri": ("aiohttp.web", "google.protobuf.descriptor_pb2", "podward.cli.cri", "podward.cri.process"),
    "node": ("podward.cli.node", "podward.node.process"),
}  # fmt: skip
"""What servers import before they fork or begin threads: some hundred modules."""


class Child(NamedTuple):
    """A command that runs."""

    pid: int
    end: int
    """A descriptor that can be read once it has ended."""
    connection: socket.socket
    """To who has asked for it, and has it killed by going away."""


class Other(NamedTuple):
    """A process that forks servers."""

    pid: int
    control: socket.socket
    """On which it is passed requests."""


class Server:
    """Forks commands until pytest ends.

    Servers are forked by other processes, one for each command of `OF_SERVERS`, that have imported more: what a fork
    costs goes with what its process has in memory.
    """

    def __init__(self, control: socket.socket, command: str = "") -> None:
        self._control = control
        self._command = command
        self._asker = os.pidfd_open(os.getppid())
        self._running: dict[int, Child] = {}  # by each of both descriptors
        self._others: dict[str, Other] = {}
        self._poll = select.poll()
        self._poll.register(control, select.POLLIN)
        self._poll.register(self._asker, select.POLLIN)

    def serve(self) -> list[int]:
        """Return in each child, with the descriptors of its request and its streams; at the end, with none."""
        while True:
            for descriptor, _ in self._poll.poll():
                if descriptor == self._control.fileno():
                    packet, numbers, _, _ = socket.recv_fds(self._control, 1, 5)
                    if not packet:
                        return self._end()
                    command = next(iter(read(numbers[1])["words"]), "")
                    if command in OF_SERVERS and command != self._command:
                        if command not in self._others and (theirs := self._begun(command)):
                            close(*numbers)
                            return Server(theirs, command).serve()
                        socket.send_fds(self._others[command].control, [b"x"], numbers)
                        close(*numbers)
                    elif self._is_child(*numbers):
                        return numbers[1:]
                elif descriptor == self._asker:
                    return self._end()
                elif child := self._running.get(descriptor):
                    self._heard(child, descriptor)

    def _begun(self, command: str) -> socket.socket | None:
        """Fork a process for a server's command; what it is asked on, in itself."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        if pid := os.fork():
            theirs.close()
            self._others[command] = Other(pid, ours)
            return None
        ours.close()
        self._leave()
        for name in OF_SERVERS[command]:
            importlib.import_module(name)
        gc.freeze()
        assert len(os.listdir("/proc/self/task")) == 1, "a child would not have the threads that have begun"
        return theirs

    def _is_child(self, connection: int, *numbers: int) -> bool:
        """Fork, and tell in which of both we are."""
        if not (pid := os.fork()):
            self._leave()
            return True
        close(*numbers)
        child = Child(pid, os.pidfd_open(pid), socket.socket(fileno=connection))
        child.connection.send(pid.to_bytes(4))
        self._running |= {child.end: child, connection: child}
        self._poll.register(child.end, select.POLLIN)
        self._poll.register(connection, select.POLLRDHUP)
        return False

    def _leave(self) -> None:
        """Close what is the parent's, in a child."""
        for child in self._running.values():
            child.connection.close()
        for other in self._others.values():
            other.control.close()

    def _heard(self, child: Child, descriptor: int) -> None:
        with contextlib.suppress(KeyError):
            self._poll.unregister(child.connection)
        if descriptor != child.end:
            os.kill(child.pid, signal.SIGKILL)
            return
        _, status = os.waitpid(child.pid, 0)
        for each in (child.end, child.connection.fileno()):
            del self._running[each]
        self._poll.unregister(child.end)
        os.close(child.end)
        with child.connection, contextlib.suppress(BrokenPipeError):
            child.connection.send(status.to_bytes(4))

    def _end(self) -> list[int]:
        for child in self._running.values():
            os.kill(child.pid, signal.SIGKILL)
        for other in self._others.values():
            other.control.close()
            os.waitpid(other.pid, 0)
        return []


def close(*numbers: int) -> None:
    for number in numbers:
        os.close(number)


def read(request: int) -> dict[str, Any]:
    with open(request, "rb", closefd=False) as file:
        file.seek(0)
        return json.load(file)  # type: ignore[no-any-return]  # JSON


def become(request: int, *streams: int) -> None:
    """Be as a new process is that has been given these."""
    asked = read(request)
    os.close(request)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    os.environ.clear()
    os.environ.update(asked["environment"])
    os.chdir(asked["directory"])
    sys.path[0] = os.getcwd()
    sys.argv[1:] = asked["words"]
    sys.orig_argv[1:] = ["-m", "podward", *asked["words"]]
    sys.stdin, sys.stdout, sys.stderr = map(opened, range(3), (sys.stdin, sys.stdout, sys.stderr))
    sys.__dict__.update(__stdin__=sys.stdin, __stdout__=sys.stdout, __stderr__=sys.stderr)


def opened(number: int, before: TextIO) -> TextIO:
    """A standard stream as Python opens it at its start (create_stdio in pylifecycle.c)."""
    unbuffered = isinstance(before, io.TextIOWrapper) and before.write_through
    return io.TextIOWrapper(
        open(number, "wb" if number else "rb", 0 if unbuffered and number else -1, closefd=False),
        before.encoding,
        before.errors,
        newline="\n",
        line_buffering=not unbuffered and (number == 2 or os.isatty(number)),
        write_through=unbuffered,
    )


def main() -> None:
    for name in OF_PYTHON:
        importlib.import_module(name)
    for name in (*(f"cli.{command}" for command in COMMANDS), *IMPORTED_LATER):
        importlib.import_module(f"podward.{name}")
    gc.freeze()
    interrupted = signal.signal(signal.SIGINT, signal.SIG_IGN)  # pytest is told too, and ends this process by ending
    with socket.socket(fileno=int(sys.argv[1])) as control:
        numbers = Server(control).serve()
    if numbers:
        signal.signal(signal.SIGINT, interrupted)
        become(*numbers)
        runpy.run_module("podward", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
