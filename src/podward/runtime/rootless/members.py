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


def left_of(namespace: int, marks: tuple[bytes, ...]) -> int:
    """A descriptor of the user namespace of this number if a container of ours runs in it or below it; -1 if none does.

    Its root is made of layers below one of the places `marks`. The number alone says nothing: that of a namespace that
    is gone may be another one's by now, and who is in that is nobody of ours.
    """
    for entry in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            if root_has_layers(int(entry), marks) and (found := _above(entry, namespace)) >= 0:
                return found
    return -1


def root_has_layers(pid: int, marks: tuple[bytes, ...]) -> bool:
    """Whether the root of a process is an overlay with a layer at a path that has one of these parts in it."""
    with open(f"/proc/{pid}/mountinfo", "rb") as file:
        for line in file:
            words = line.split(b" ")
            if len(words) > 4 and words[4] == b"/" and any(mark in line for mark in marks):
                return True
    return False


def _is_below(pid: str, own: int) -> bool:
    found = _above(pid, own)
    if found >= 0:
        os.close(found)
    return found >= 0


def _above(pid: str, namespace: int) -> int:
    """A descriptor of the user namespace of this number if the process is in it or below it; -1 if not."""
    try:
        here = os.open(f"/proc/{pid}/ns/user", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return -1
    try:
        while os.fstat(here).st_ino != namespace:
            above = fcntl.ioctl(here, _NS_GET_PARENT)  # EPERM: it is ours or above it
            os.close(here)
            here = above
    except OSError:
        os.close(here)
        return -1
    return here


def _has_ended(pid: str) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] in ("Z", "X")
    except OSError:
        return True
