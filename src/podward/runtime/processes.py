"""Starting programs without a shell, and reaping them.

`posix_spawn` instead of the standard library's subprocess: importing that costs as long as starting a container's
runtime does. Arguments are lists; nothing is ever interpreted by a shell; nothing secret is put in them.
"""

from __future__ import annotations

import os
import signal

from podward.errors import NodeError


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
    """Start `program` and wait; returns its exit code, 128 + N where signal N ended it."""
    return exit_code(wait(spawn(program, arguments, stdin=stdin, stdout=stdout, stderr=stderr)))


def wait(pid: int) -> int:
    """Reap this child; returns its wait status."""
    return os.waitpid(pid, 0)[1]


def end(pid: int) -> None:
    """Kill this child of ours and reap it, with all children that end meanwhile; one that is no child is fine.

    Only what is reaped has left its cgroup for sure: who removes the cgroup next must not find a zombie in it. The
    first process of a pid namespace ends only when every other one in it is reaped, and those are our children too.
    """
    try:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)  # a pid that is not our child's may be anybody's
        os.kill(pid, signal.SIGKILL)
        while os.waitpid(-1, 0)[0] != pid:
            continue
    except (ChildProcessError, ProcessLookupError):
        return


def exit_code(status: int) -> int:
    """A wait status as shells print it: the exit code, or 128 + the signal's number."""
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)
