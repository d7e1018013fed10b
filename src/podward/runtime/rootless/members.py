"""The processes of a user namespace and of those within it: who they are, and their end (ioctl_ns(2))."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import time
from collections.abc import Iterator

_NS_GET_PARENT = 0xB702
_LOOKS = 3
_PAUSE = 0.005
PATIENCE = 10.0
"""Seconds that killed processes may take to end."""


def end_all() -> None:
    """Kill every other process of our user namespace and of those below it, until there is none."""
    deadline, unseen = time.monotonic() + PATIENCE, 0
    while unseen < _LOOKS and time.monotonic() < deadline:
        found = list(others())
        for pid in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        unseen = 0 if found else unseen + 1
        time.sleep(_PAUSE)


def others() -> Iterator[int]:
    """The pids of the other processes in our user namespace or below it; those that have ended are left out."""
    own = os.stat("/proc/self/ns/user").st_ino
    for entry in filter(str.isdigit, os.listdir("/proc")):
        if int(entry) != os.getpid() and _is_below(entry, own) and not _has_ended(entry):
            yield int(entry)


def _is_below(pid: str, own: int) -> bool:
    try:
        here = os.open(f"/proc/{pid}/ns/user", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        while os.fstat(here).st_ino != own:
            above = fcntl.ioctl(here, _NS_GET_PARENT)  # EPERM: it is ours or above it
            os.close(here)
            here = above
    except OSError:
        return False
    else:
        return True
    finally:
        os.close(here)


def _has_ended(pid: str) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] in ("Z", "X")
    except OSError:
        return True
