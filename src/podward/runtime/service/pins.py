"""Pins: the process that holds a sandbox's mount namespace, in which everything of its containers is mounted.

A pin is `catatonit -P`, which waits and does nothing else. It is in no other namespace than the machine's own, so
nothing in a container sees it; whoever shows the container a process namespace starts another one for that (`pause`).
Its last word is the sandbox's directory, by which pins that no record knows are found. It has started when the lock of
the sandbox is free: until it executes, it holds that lock, too.

When the last of a sandbox's processes has ended, the kernel takes the mounts away.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
from collections.abc import Iterator

from podward.api.node import IDENTITY
from podward.errors import NodeError
from podward.runtime import machine, mount_namespace, processes, syscalls
from podward.runtime.kept import Process, alive, start_time
from podward.runtime.pause import PROGRAM

_WORDS = ("-P",)
_TO_END = 5
"""Seconds that a killed pin may take."""


def start(directory: str, *, hide_unified_cgroup: bool) -> Process:
    """Move this process into a mount namespace of its own, and start the pin that holds it.

    `directory` is the sandbox's. Raises NodeError where this machine can't.
    """
    if not os.path.exists(PROGRAM):
        raise NodeError("sandboxes need catatonit", where=PROGRAM, advice="apt-get install catatonit")
    mount_namespace.enter(hide_unified_cgroup)
    pid = processes.spawn(PROGRAM, (*_WORDS, directory), stdin=_held())
    return Process(pid, start_time(pid))


def _held() -> int:
    """What the pin is given as its input: of an ordinary user's the lock that keeps his user namespace."""
    if machine.id_map("uid_map") == IDENTITY:
        return -1
    from podward.runtime.rootless import entering  # only a user needs it

    return entering.use()


@contextlib.contextmanager
def returning() -> Iterator[None]:
    """Take this process back to the mount namespace and the directory that it has now, once the context is left."""
    ours = os.open("/proc/self/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
    here = os.open(".", os.O_PATH | os.O_CLOEXEC)
    try:
        yield
    finally:
        syscalls.setns(ours, syscalls.CLONE_NEWNS)  # which leads to its root
        os.fchdir(here)
        os.close(here)
        os.close(ours)


@contextlib.contextmanager
def inside(pin: Process) -> Iterator[None]:
    """Have this process in the pin's mount namespace for as long as the context lasts.

    Raises NodeError where the pin is gone.
    """
    with returning():
        enter(pin)
        yield


def enter(pin: Process) -> None:
    """Move this process into the pin's mount namespace. Raises NodeError where the pin is gone."""
    try:
        namespace = os.open(f"/proc/{pin.pid}/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise _gone(pin) from None
    try:
        if not alive(pin):  # asked once the descriptor holds the namespace: it is the pin's or nobody's
            raise _gone(pin)
        syscalls.setns(namespace, syscalls.CLONE_NEWNS)
    finally:
        os.close(namespace)


def end(pin: Process) -> None:
    """End the pin and wait until it is gone; one that is gone is fine."""
    if not pin.pid:
        return
    try:
        descriptor = os.pidfd_open(pin.pid)
    except ProcessLookupError:
        return
    try:
        if alive(pin):
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            poll = select.poll()
            poll.register(descriptor, select.POLLIN)
            poll.poll(_TO_END * 1000)
    except ProcessLookupError:
        return
    finally:
        os.close(descriptor)


def _gone(pin: Process) -> NodeError:
    return NodeError(
        "the sandbox's own process is gone, and its mounts with it",
        where=f"process {pin.pid}",
        advice="stop and remove the sandbox",
    )


def of(directory: str) -> tuple[Process, ...]:
    """The pins of the sandbox in this directory: for those who may have started one that nobody noted."""
    return tuple(pin for pin, place in every(os.path.dirname(directory)) if place == directory)


def every(home: str) -> Iterator[tuple[Process, str]]:
    """The pins of all sandboxes in this directory, with the sandboxes' own directories."""
    for entry in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            with open(f"/proc/{entry}/cmdline", "rb") as file:
                words = [os.fsdecode(word) for word in file.read(4096).split(b"\0")[:-1]]
            if words[:-1] == [PROGRAM, *_WORDS] and os.path.dirname(words[-1]) == home:
                yield Process(int(entry), start_time(int(entry))), words[-1]
