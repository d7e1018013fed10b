"""Stops a container's process at the moment after its execve(2), so that its state can be read.

A created OCI container is a process of the runtime that waits to be started; only one execve is still to come, that of
the entry file (crun 1.8, runc 1.1; the runtimes execute themselves anew before `create` returns). The process is
seized with ptrace(2), which does not stop it, and reports its next execve: credentials, mounts and namespaces are then
final and not one instruction of the entry has run.

What it changes: `TracerPid` is not 0 until the process is let go, which is before it runs. A set-user-ID file or file
capabilities keep their effect, because a tracer that has CAP_SYS_PTRACE over the process's user namespace does not
count as unsafe (Linux `cap_bprm_creds_from_file`). Yama's `ptrace_scope` 3 forbids all of this, and AppArmor or SELinux
may refuse a change of label under a tracer: then the error says so.

If this process dies while it holds another, the kernel lets go of that one and it runs on: PTRACE_O_EXITKILL, which
would kill it, is left out on purpose, since ending what a dead Podward left is the work of the next call. ptrace is the
business of one thread: create, use and leave an `ExecStop` in the same one. A process that has ended is not waited for
here: its exit status stays for its parent.
"""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

from podward.api.oci import RuntimeSpec
from podward.api.process import ProcessState
from podward.errors import NodeError, RuntimeFailedError
from podward.runtime import proc, syscalls

if TYPE_CHECKING:
    from typing import Self

SHORTEST, LONGEST = 0.0002, 0.005
"""Seconds between two looks at the process."""
LETTING_GO = 5.0
"""Seconds within which an interrupted process must stop to be let go."""


class ExecStop:
    """A hold on process `pid`, from now to its next execve. Leaving the context lets it go, whatever happened."""

    def __init__(self, pid: int) -> None:
        """Seize the process. Raises NodeError where the kernel does not permit it."""
        self.pid = pid
        self._stopped = False
        try:
            syscalls.ptrace(syscalls.PTRACE_SEIZE, pid, syscalls.PTRACE_O_TRACEEXEC)
        except OSError as error:
            raise NodeError(
                f"cannot observe process {pid}: {error.strerror}",
                where="ptrace",
                advice="it takes CAP_SYS_PTRACE, no other tracer, and a kernel.yama.ptrace_scope below 3",
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def wait(self, timeout: float) -> None:
        """Wait until the process has executed; it then stands still.

        Raises RuntimeFailedError if it ends before, or if `timeout` seconds pass.
        """
        deadline = time.monotonic() + timeout
        while True:
            event = self._next_stop(deadline)
            if event >> 8 == syscalls.PTRACE_EVENT_EXEC:
                self._stopped = True
                return
            self._pass_on(event)

    def state(self, spec: RuntimeSpec) -> ProcessState:
        """The state of the stopped process."""
        return proc.read_state(self.pid, spec)

    def release(self) -> None:
        """Let the process go on, untraced; one that is gone is fine."""
        try:
            if not self._stopped:
                syscalls.ptrace(syscalls.PTRACE_INTERRUPT, self.pid)
                event = self._next_stop(time.monotonic() + LETTING_GO)
                delivered = event & 0xFF if not event >> 8 else 0
                syscalls.ptrace(syscalls.PTRACE_DETACH, self.pid, delivered)
            else:
                syscalls.ptrace(syscalls.PTRACE_DETACH, self.pid)
        except (ProcessLookupError, RuntimeFailedError):
            return

    def _next_stop(self, deadline: float) -> int:
        """The next stop's signal, with the event above it (`status>>8` of ptrace(2)).

        The process's end is seen without being waited for.
        """
        pause = SHORTEST
        flags = os.WEXITED | os.WSTOPPED | os.WNOHANG | os.WNOWAIT
        while True:
            try:
                seen = os.waitid(os.P_PID, self.pid, flags)
            except ChildProcessError:
                raise RuntimeFailedError(f"process {self.pid} ended before it could be observed") from None
            if seen is not None and seen.si_code == os.CLD_TRAPPED:
                os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WNOHANG)
                return seen.si_status
            if seen is not None:
                raise RuntimeFailedError(f"process {self.pid} ended before it could be observed")
            if time.monotonic() >= deadline:
                raise RuntimeFailedError(
                    f"process {self.pid} did not execute its entry in time",
                    advice="is it started, and the machine idle?",
                )
            time.sleep(pause)
            pause = min(pause * 2, LONGEST)

    def _pass_on(self, event: int) -> None:
        """Let the process meet a signal or a stop as if nobody watched."""
        if event >> 8 == syscalls.PTRACE_EVENT_STOP:
            number = event & 0xFF
            resting = number in (signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)
            syscalls.ptrace(syscalls.PTRACE_LISTEN if resting else syscalls.PTRACE_CONT, self.pid)
        else:
            syscalls.ptrace(syscalls.PTRACE_CONT, self.pid, event & 0xFF)


def stop_at_exec(pid: int) -> ExecStop:
    """Take hold of the created container whose process is `pid`; the caller then starts it.

    with stop_at_exec(pid) as held:
        runtime.start(container)
        held.wait(5.0)
        observed = held.state(spec)
    """
    return ExecStop(pid)
