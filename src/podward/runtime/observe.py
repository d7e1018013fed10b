"""Stops a container's process at the moment after its execve(2), so that its state can be read.

A created OCI container is a process of the runtime that waits to be started; only one execve is still to come, that of
the entry file (crun 1.8, runc 1.1; the runtimes execute themselves anew before `create` returns). The process is
seized with ptrace(2), which does not stop it, and reports its next execve: credentials, mounts and namespaces are then
final and not one instruction of the entry has run.

What it changes: `TracerPid` is not 0 until the process is let go, which is before it runs. A set-user-ID file or file
capabilities keep their effect, because a tracer that has CAP_SYS_PTRACE over the process's user namespace does not
count as unsafe (Linux `cap_bprm_creds_from_file`). Yama's `ptrace_scope` 3 forbids all of this, and AppArmor or SELinux
may refuse a change of label under a tracer: then the error says so.

A traced process also stops for every signal, and runc's sends itself signals (Go's scheduler) while `runc start` waits
for it. So a thread of its own traces, and passes signals on from the first moment; ptrace is the business of one thread
anyway. If this process dies while it holds another, the kernel lets go of that one and it runs on: PTRACE_O_EXITKILL,
which would kill it, is left out on purpose, since ending what a dead Podward left is the work of the next call. A
process that has ended is not waited for here: its exit status stays for its parent.
"""

from __future__ import annotations

import _thread
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

    from podward.runtime.live_facts import Attempt
    from podward.runtime.oci import OciRuntime

SHORTEST, LONGEST = 0.0002, 0.002
"""Seconds between two looks at the process."""
SECONDS_TO_EXEC = 20.0
RESTING = (signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)


class ExecStop:
    """A hold on process `pid`, from now to its next execve. Leaving the context lets it go, whatever happened."""

    def __init__(self, pid: int) -> None:
        """Seize the process. Raises NodeError where the kernel does not permit it."""
        self.pid = pid
        self._error: OSError | None = None
        self._stopped = False
        self._leaving = False
        self._seized, self._settled, self._let_go, self._done = (_locked() for _ in range(4))
        _thread.start_new_thread(self._trace, ())
        self._seized.acquire()
        if self._error is not None:
            raise NodeError(
                f"cannot observe process {pid}: {self._error.strerror}",
                where="ptrace",
                advice="it takes CAP_SYS_PTRACE, no other tracer, and a kernel.yama.ptrace_scope below 3",
            ) from self._error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def wait(self, timeout: float) -> None:
        """Wait until the process has executed; it then stands still.

        Raises RuntimeFailedError if it ends before, or if `timeout` seconds pass.
        """
        if not self._settled.acquire(timeout=timeout):
            raise RuntimeFailedError(
                f"process {self.pid} did not execute its entry in time", advice="is it started, and the machine idle?"
            )
        self._settled.release()
        if not self._stopped:
            why = f": {self._error.strerror}" if self._error else ""
            raise RuntimeFailedError(f"process {self.pid} ended before it could be observed{why}")

    def started(
        self, runtime: OciRuntime, attempt: Attempt, spec: RuntimeSpec, devices: tuple[str, ...]
    ) -> ProcessState:
        """Start the created container whose process is held; its state when it executes its entry.

        `devices` is what was found about its device list before it was held: to ask takes a process without threads.
        Raises RuntimeFailedError where it does not come to that.
        """
        starter = runtime.begin_start(attempt.id, attempt.directory)
        try:
            self.wait(SECONDS_TO_EXEC)
            return self.state(spec, devices)
        finally:
            self.release()  # or a process that never came to its entry would keep its starter waiting
            runtime.finish_start(starter, attempt.directory)

    def state(self, spec: RuntimeSpec, devices: tuple[str, ...] = ()) -> ProcessState:
        """The state of the stopped process."""
        return proc.read_state(self.pid, spec, devices)

    def release(self) -> None:
        """Let the process go on, untraced; one that is gone, or was let go before, is fine."""
        if not self._leaving:
            self._leaving = True
            self._let_go.release()
            self._done.acquire()

    def _trace(self) -> None:
        """The tracing thread, from seizing to letting go."""
        try:
            syscalls.ptrace(syscalls.PTRACE_SEIZE, self.pid, syscalls.PTRACE_O_TRACEEXEC)
        except OSError as error:
            self._error = error
            self._seized.release()
            return
        self._seized.release()
        try:
            self._follow()
        except ProcessLookupError:
            pass  # killed between its stop and our answer: it has ended, and `wait` says so
        except OSError as error:
            self._error = error
        finally:
            if self._settled.locked():
                self._settled.release()
            self._done.release()

    def _follow(self) -> None:
        """Pass signals on until the process executes, ends, or is to be let go."""
        pause, interrupted = SHORTEST, False
        while True:
            event = self._next_stop()
            if event is None:
                return
            if event >> 8 == syscalls.PTRACE_EVENT_EXEC:
                self._stopped = True
                self._settled.release()
                self._let_go.acquire()
                syscalls.ptrace(syscalls.PTRACE_DETACH, self.pid)
                return
            if event and self._leaving:
                # A signal that was about to be delivered is delivered by the detaching.
                syscalls.ptrace(syscalls.PTRACE_DETACH, self.pid, 0 if event >> 8 else event)
                return
            if event:
                self._pass_on(event)
                pause = SHORTEST
            elif self._leaving and not interrupted:
                syscalls.ptrace(syscalls.PTRACE_INTERRUPT, self.pid)
                interrupted = True
            else:
                time.sleep(pause)
                pause = min(pause * 2, LONGEST)

    def _next_stop(self) -> int | None:
        """A stop's signal with the event above it (`status>>8` of ptrace(2)); 0 if it runs, None if it has ended.

        The process's end is seen without being waited for.
        """
        try:
            seen = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WSTOPPED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return None
        if seen is None:
            return 0
        if seen.si_code != os.CLD_TRAPPED:
            return None
        os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WNOHANG)
        return seen.si_status

    def _pass_on(self, event: int) -> None:
        """Let the process meet a signal or a stop as if nobody watched."""
        number = event & 0xFF
        if event >> 8 == syscalls.PTRACE_EVENT_STOP:
            request = syscalls.PTRACE_LISTEN if number in RESTING else syscalls.PTRACE_CONT
            syscalls.ptrace(request, self.pid)
        else:
            syscalls.ptrace(syscalls.PTRACE_CONT, self.pid, number)


def _locked() -> _thread.LockType:
    lock = _thread.allocate_lock()
    lock.acquire()
    return lock


def stop_at_exec(pid: int) -> ExecStop:
    """Take hold of the created container whose process is `pid`; the caller then starts it.

    with stop_at_exec(pid) as held:
        runtime.start(container)
        held.wait(5.0)
        observed = held.state(spec)
    """
    return ExecStop(pid)
