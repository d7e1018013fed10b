"""Starting programs without a shell, and reaping them.

`posix_spawn` instead of the standard library's subprocess: importing that costs as long as starting a container's
runtime does. Arguments are lists; nothing is ever interpreted by a shell; nothing secret is put in them.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time

from podward.errors import NodeError, RuntimeFailedError
from podward.runtime.stop_signals import StopSignals

SECONDS = 30.0
"""How long a program may take that we wait for: four times what any took on the busiest machine seen."""
_AFTER_A_SIGNAL = 2.0
"""How long it may still take once a signal asks us to stop; the next one ends it."""
_ONCE_ASKED, _ASKED_AGAIN = 10.0, 2.0
"""The same for what is begun after a signal, and after several."""
_LOOK = 0.05
_TO_DIE = 5.0
"""How long a killed program may take to end."""


def spawn(
    program: str,
    arguments: tuple[str, ...],
    *,
    stdin: int = -1,
    stdout: int = -1,
    stderr: int = -1,
) -> int:
    """Start `program`; returns its pid. A stream of -1 is /dev/null.

    The child gets default signal handling and an empty signal mask, its own session (so that a terminal's Ctrl-C
    reaches Podward alone), and none of our other descriptors.
    """
    actions: list[tuple[int, int, int] | tuple[int, int, str, int, int]] = []
    for target, given in ((0, stdin), (1, stdout), (2, stderr)):
        if given < 0:
            actions.append((os.POSIX_SPAWN_OPEN, target, "/dev/null", os.O_RDWR, 0))
        else:
            actions.append((os.POSIX_SPAWN_DUP2, given, target))
    try:
        return os.posix_spawn(
            program,
            (program, *arguments),
            os.environ,
            file_actions=actions,
            setsid=True,
            setsigmask=(),
            setsigdef=(signal.SIGINT, signal.SIGTERM, signal.SIGPIPE, signal.SIGHUP, signal.SIGCHLD),
        )
    except OSError as error:
        advice = "`podward doctor` lists the tools that are missing"
        raise NodeError(f"cannot start it: {error.strerror}", where=program, advice=advice) from error


def run(program: str, arguments: tuple[str, ...], *, stdout: int = -1, stderr: int = -1, stdin: int = -1) -> int:
    """Start `program` and wait; returns its exit code, 128 + N where signal N ended it.

    Raises RuntimeFailedError where it takes longer than SECONDS.
    """
    pid = spawn(program, arguments, stdin=stdin, stdout=stdout, stderr=stderr)
    return exit_code(wait_within(pid, SECONDS, StopSignals(), program))


def wait(pid: int) -> int:
    """Reap this child, however long it takes; returns its wait status."""
    return os.waitpid(pid, 0)[1]


def wait_within(pid: int, seconds: float, stop: StopSignals, name: str) -> int:
    """Wait for this child, which `spawn` started, and reap it; returns its wait status.

    Where it takes longer, or a signal asks us to stop, it is killed. Raises RuntimeFailedError then; `name` is what it
    is called in the error.
    """
    began, heard = time.monotonic(), stop.count
    seconds = min(seconds, (seconds, _ONCE_ASKED, _ASKED_AGAIN)[min(heard, 2)])
    deadline = began + seconds
    watched = os.pidfd_open(pid)
    poll = select.poll()
    poll.register(watched, select.POLLIN)
    try:
        while (left := deadline - time.monotonic()) > 0:
            if poll.poll(min(left, _LOOK) * 1000):
                return os.waitpid(pid, 0)[1]
            if stop.count > heard:
                shorter = time.monotonic() + (_AFTER_A_SIGNAL if stop.count == heard + 1 else 0.0)
                deadline, heard = min(deadline, shorter), stop.count
    finally:
        os.close(watched)
        _kill_group(pid)
    if deadline < began + seconds:
        raise RuntimeFailedError("it was ended, as a signal asked us to stop", where=name)
    raise RuntimeFailedError(f"it did not end within {seconds:.0f} s, and was killed", where=name)


def _kill_group(pid: int) -> None:
    """Kill a child of `spawn` with all that it started, unless it was reaped; reap it."""
    try:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)  # a pid that is not our child's may be anybody's
    except ChildProcessError:
        return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    _reaped(pid, _TO_DIE)


def _reaped(pid: int, seconds: float) -> bool:
    """Reap this child, if it ends in this time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if os.waitpid(pid, os.WNOHANG)[0] == pid:
                return True
        except ChildProcessError:
            return True
        time.sleep(0.002)
    return False


def end(pid: int) -> None:
    """Kill this child of ours and reap it, with all children that end meanwhile; one that is no child is fine.

    Only what is reaped has left its cgroup for sure: who removes the cgroup next must not find a zombie in it. The
    first process of a pid namespace ends only when every other one in it is reaped, and those are our children too.
    One that does not end in time is left to who ends its cgroup.
    """
    try:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)  # a pid that is not our child's may be anybody's
        os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + _TO_DIE
        while (found := os.waitpid(-1, os.WNOHANG)[0]) != pid and time.monotonic() < deadline:
            if not found:
                time.sleep(0.001)
    except (ChildProcessError, ProcessLookupError):
        return


def exit_code(status: int) -> int:
    """A wait status as shells print it: the exit code, or 128 + the signal's number."""
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)
