"""Ending the processes of a container where there are no cgroups: they are known by the file system that they see.

A container's root is an overlay whose layers are below its own directory (`pods/ID/containers/NAME/N`), and every
process of the container has it among its mounts (/proc/PID/mountinfo), whatever its namespaces are: also one that went
on after its container's first process has ended, as it can where a container shares the host's pids. A process that
detaches this mount, in a mount namespace of its own, is not found here; the holder of the user namespace ends it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator

from podward.errors import NodeError
from podward.runtime.rootless import members

PATIENCE = 10.0
"""Seconds that killed processes may take to end."""
_LOOKS = 2
_PAUSE = 0.005


class ContainerProcesses:
    """The processes of containers, by the containers' ids: what `Cgroups` asks where we may make none."""

    def kill(self, container: str) -> None:
        """Kill the processes of the container with this id, once."""
        _kill(_layers_of(container))

    def end(self, container: str) -> None:
        """Kill the processes of the container with this id until there is none. Raises NodeError where one stays."""
        _end(_layers_of(container))

    def end_pod(self, pod: str) -> None:
        """The same for all containers of a Pod."""
        _end(f"/{pod}/containers/".encode())

    def kill_below(self, directory: str) -> None:
        """Kill the processes whose root has its layers in a directory of this name, such as a container's id, once."""
        _kill(f"/{directory}/".encode())

    def end_below(self, directory: str) -> None:
        """The same until there is none. Raises NodeError where one stays."""
        _end(f"/{directory}/".encode())

    def left(self, pod: str) -> bool:
        """Whether a process of this Pod's containers is there."""
        return any(True for _ in _with_mount(f"/{pod}/containers/".encode()))


def _layers_of(container: str) -> bytes:
    """What the overlay's options name, for the id `POD-NAME-N` of a container."""
    pod, _, rest = container.partition("-")
    name, _, number = rest.rpartition("-")
    return (f"/{pod}/containers/{name}/{number}/" if name else f"/{pod}/containers/{rest}/").encode()


def _with_mount(part: bytes) -> Iterator[int]:
    for pid in members.others():
        try:
            found = members.root_has_layers(pid, (part,))
        except OSError:
            continue
        if found and not _is_ours(pid):
            yield pid


def _is_ours(pid: int) -> bool:
    """Whether it has our own root: we and those we fork see the Pods' mounts too."""
    try:
        own, its = os.stat("/proc/self/root"), os.stat(f"/proc/{pid}/root")
    except OSError:
        return False
    return (own.st_dev, own.st_ino) == (its.st_dev, its.st_ino)


def _kill(part: bytes) -> list[int]:
    found = list(_with_mount(part))
    for pid in found:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return found


def _end(part: bytes) -> None:
    deadline, unseen = time.monotonic() + PATIENCE, 0
    while unseen < _LOOKS:
        found = _kill(part)
        unseen = 0 if found else unseen + 1
        if found and time.monotonic() > deadline:
            raise NodeError(f"processes of a container do not end: {', '.join(map(str, found[:10]))}")
        for pid in found:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
        if found:
            time.sleep(_PAUSE)
