"""A program that runs in a container beside its first process, as that process does.

The OCI runtime joins the container's namespaces and cgroup and applies its seccomp profile; who it runs as, with which
capabilities and environment, stands in the process that it is given: the container's own, with another command
(runtime spec, `process`; the kubelet's exec has nothing of its own).
"""

from __future__ import annotations

import contextlib
import os
import signal

import msgspec
from msgspec import Struct

from podward.api.oci import Process
from podward.runtime import processes
from podward.runtime.oci import OciRuntime, Streams, code_of_failure, last_message, write_private


class _SpecOfProcess(Struct, frozen=True):
    """What is needed of a config.json; the rest of it is not looked at."""

    process: Process


class Execution:
    """A program in the container with this id, whose bundle is `bundle`; its private files are there for its time.

    `begin` returns the pid to wait for; afterwards `complaint` says why the program was not started, if so.
    """

    def __init__(self, runtime: OciRuntime, container: str, bundle: str) -> None:
        self._runtime = runtime
        self._container = container
        self._bundle = bundle
        self._files = f"{bundle}/exec-{os.urandom(6).hex()}"

    def begin(self, command: tuple[str, ...], streams: Streams) -> int:
        """Start the program; returns the pid of the runtime's process, which ends with the program's exit code.

        With a terminal (`streams.console`) it ends once the program runs; that is `program` then.
        """
        self._write_process(command, streams, ())
        return self._runtime.begin_exec(self._container, self._files, streams)

    def begin_detached(self, command: tuple[str, ...], streams: Streams, env: tuple[str, ...] = ()) -> int:
        """The same for a program that becomes our child, a child subreaper's, whatever its streams are.

        `env` is added to the container's environment, where it has no variable of this name.
        """
        self._write_process(command, streams, env)
        return self._runtime.begin_detached_exec(self._container, self._files, streams)

    def _write_process(self, command: tuple[str, ...], streams: Streams, env: tuple[str, ...]) -> None:
        with open(f"{self._bundle}/config.json", "rb") as file:
            process = msgspec.json.decode(file.read(), type=_SpecOfProcess).process
        names = {word.partition("=")[0] for word in process.env}
        added = tuple(word for word in env if word.partition("=")[0] not in names)
        process = msgspec.structs.replace(
            process, args=command, terminal=bool(streams.console), env=(*process.env, *added)
        )
        write_private(f"{self._files}.json", msgspec.json.encode(process))

    def program(self) -> int:
        """The program's pid, once the runtime has told it. Raises OSError or ValueError before."""
        with open(f"{self._files}.pid", encoding="ascii") as file:
            return int(file.read())

    def kill(self, runtime_pid: int) -> None:
        """End the program, or the runtime's process where there is none yet; one that is gone is fine."""
        with contextlib.suppress(OSError, ValueError):
            program = self.program()
            if _parent(program) in (runtime_pid, os.getpid()):  # else it has ended, and its number may be anybody's
                os.kill(program, signal.SIGKILL)
                return  # who waits for it reaps it and ends
        with contextlib.suppress(ProcessLookupError):
            os.kill(runtime_pid, signal.SIGKILL)

    def complaint(self) -> str:
        """What the runtime said; empty where it started the program."""
        return last_message(f"{self._files}.log")

    def close(self) -> None:
        """Remove the private files."""
        for suffix in ("json", "pid", "log"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(f"{self._files}.{suffix}")

    def exit_code(self, status: int) -> int:
        """The program's exit code, from the wait status of the runtime's process; 126 to 128 where it did not start."""
        said = self.complaint()
        return code_of_failure(said) if said else processes.exit_code(status)


def _parent(pid: int) -> int:
    """The parent of a process (proc(5), field 4 of stat)."""
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        return int(file.read().rpartition(")")[2].split()[1])
