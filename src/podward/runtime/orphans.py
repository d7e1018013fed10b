"""Ending OCI runtimes that a dead podward left at work outside of the Pod's cgroups.

A `crun create` that was in the middle goes on, and would make cgroups and containers that nobody knows of; gVisor runs
here outside of cgroups altogether (`--ignore-cgroups`). Both have the path of the Pod's directory among their words;
a Pod's id is random and used once, so no other process has it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator

from podward.errors import NodeError

WAITING = (b"exec",)
"""Verbs at which a runtime waits for a program in the container: it is that program's parent, and reaps it."""
PATIENCE = 10.0
"""Seconds that killed runtimes may take to end."""
_PAUSE = 0.005
_LOOKS = 3
_MORE_LOOKS = 40
RUNTIMES = (b"crun", b"runc", b"runsc", b"runsc-sandbox", b"runsc-gofer")
MONITORS = (b"conmon",)
"""What starts runtimes."""


def end(directory: str, spared: tuple[bytes, ...] = (), programs: tuple[bytes, ...] = RUNTIMES) -> None:
    """Kill the programs of these names that work for the Pod in this directory, until they are gone; none is fine.

    Those at work on a `spared` verb go on. The others are looked for until none is found several times: one that was
    killed may just have started another, and one that starts another and ends while /proc is read is not seen. Who is
    in execve(2) has no words, and on a busy machine may stay there: more looks are taken while there is one.
    """
    deadline, unseen = time.monotonic() + PATIENCE, 0
    while unseen < _LOOKS or (unseen < _MORE_LOOKS and _somebody_executes()):
        pids = []
        for pid in working_for(os.fsencode(f"{directory}/"), spared, programs):
            pids.append(pid)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)  # on sight, before it starts another
        unseen = 0 if pids else unseen + 1
        if pids and time.monotonic() > deadline:
            raise NodeError(f"OCI runtimes do not end: {', '.join(map(str, pids))}", where=directory)
        time.sleep(0 if pids else _PAUSE)


def _youngest_first() -> list[str]:
    """The pids of all processes. The kernel counts up, and begins anew after the largest."""
    with open("/proc/loadavg", encoding="ascii") as file:
        last = int(file.read().split()[-1])
    pids = map(int, filter(str.isdigit, os.listdir("/proc")))
    return [str(pid) for pid in sorted(pids, key=lambda pid: (pid > last, -pid))]


def _somebody_executes() -> bool:
    """Whether a process has a program and no words: kernel threads and what has ended have neither."""
    for entry in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            os.readlink(f"/proc/{entry}/exe")
            with open(f"/proc/{entry}/cmdline", "rb") as file:
                if not file.read(1):
                    return True
    return False


def working_for(
    directory: bytes, spared: tuple[bytes, ...] = (), programs: tuple[bytes, ...] = RUNTIMES
) -> Iterator[int]:
    """The pids of programs with this path among their words; one that has ended has no words any more.

    The youngest are looked at first: on a machine with many processes the last is read long after all were listed, and
    who lives for some milliseconds would never be seen.
    """
    for entry in _youngest_first():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            with open(f"/proc/{entry}/cmdline", "rb") as file:
                words = file.read(65536).split(b"\0")
            works_here = os.path.basename(words[0]) in programs and any(directory in word for word in words[1:])
            if works_here and not set(words) & set(spared):
                yield int(entry)
