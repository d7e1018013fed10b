"""Ending everything in the cgroups of a container, or of a Pod that nobody looks after any more.

A container's cgroup has the same path in every hierarchy and a name that begins with the Pod's id, so it finds all of
its processes, in whatever state the OCI runtime was when its caller died, and whichever runtime it was (cgroups(7)).
Sandboxes of the CRI have one cgroup each, below the parent that the caller names, with those of their containers in it.

What is in these cgroups is hostile: processes that fork faster than they are killed, that freeze themselves, and that
nest cgroups until a path has no end. So processes are frozen before they are killed (cgroup v1's freezer; v2 kills a
whole tree at once), and cgroups are visited one name at a time, from an open directory to the one below it or above.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from podward.errors import NodeError

if TYPE_CHECKING:
    from podward.runtime.rootless.container_processes import ContainerProcesses

PATIENCE = 10.0
"""Seconds that killed processes may take to leave their cgroup."""
_FIRST_WAIT, _LONGEST_WAIT = 0.1, 2.0
"""Seconds that they have before they are frozen and killed anew: what is frozen does not end, and on a busy machine a
short thaw may pass before it came to run."""
_TO_FREEZE = 0.2
_PAUSE = 0.005
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

_TO_END = (("cpu.cfs_quota_us", b"-1"), ("cpu.shares", b"1024"), ("cpu.max", b"max"), ("cpu.weight", b"100"))
"""What a cgroup is given when its processes are killed. To end takes processor time: beside busy processes, hundreds of
them would take minutes for it with what a Pod without requests has (2 shares), or with a small limit."""
_THREADS = ("tasks", "cgroup.threads")
"""v1's file and v2's: a container may put a thread elsewhere than its process, which is then not listed."""

_OF_THE_MACHINE = ["0", "0", "4294967295"]
"""The map of the machine's own user namespace."""

_Group = tuple[int, str]
"""An open directory of a hierarchy, mostly its root, and the name of a cgroup there."""


def name(container: str) -> str:
    """The path, below each hierarchy, of the cgroup of a container with this id."""
    return f"/podward-{container}"


def usable() -> bool:
    """Whether we may make cgroups: the machine's root may; a user namespace's root where /sys/fs/cgroup is his."""
    with open("/proc/self/uid_map", encoding="ascii") as file:
        return file.read().split() == _OF_THE_MACHINE or os.access("/sys/fs/cgroup", os.W_OK, effective_ids=True)


class Cgroups:
    """The hierarchies of this machine, by descriptors of their roots: they work where a mount is out of sight, too.

    `processes` finds those of containers where no cgroups can be made.
    """

    def __init__(self, roots: tuple[int, ...], processes: ContainerProcesses | None = None) -> None:
        self._roots = roots
        self._processes = processes

    @classmethod
    def here(cls) -> Cgroups:
        """Those that are mounted here and now: to be asked before our own mount namespace hides one."""
        if not usable():
            from podward.runtime.rootless.container_processes import ContainerProcesses  # only a user needs it

            return cls((), ContainerProcesses())
        roots = []
        for place in _hierarchies():
            with contextlib.suppress(OSError):
                roots.append(os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
        return cls(tuple(roots))

    def close(self) -> None:
        """Close the descriptors."""
        for root in self._roots:
            os.close(root)
        self._roots = ()

    def kill(self, container: str) -> None:
        """Kill what is in the container's cgroups, once; who still lives is ended by `end`."""
        _kill_once(self._of_container(container))
        if self._processes is not None:
            self._processes.kill(container)

    def end(self, container: str) -> None:
        """Kill what is in the cgroups of the container with this id and remove them; none is fine.

        Raises NodeError where a process or a cgroup stays.
        """
        _end(self._of_container(container))
        if self._processes is not None:
            self._processes.end(container)

    def end_pod(self, pod: str) -> None:
        """The same for all containers of a Pod."""
        _end(self._of_pod(pod))
        if self._processes is not None:
            self._processes.end_pod(pod)

    def left(self, pod: str) -> bool:
        """Whether a container of this Pod has a cgroup, or a process where there are none."""
        return bool(self._of_pod(pod)) or (self._processes is not None and self._processes.left(pod))

    def end_path(self, path: str) -> None:
        """The same for the cgroup at this path below each hierarchy, and all below it.

        Raises NodeError where a process or a cgroup stays.
        """
        with self._at(path) as groups:
            _end(groups)
        if self._processes is not None:
            self._processes.end_below(path.rpartition("/")[2])

    def kill_path(self, path: str) -> None:
        """Kill what is in the cgroup at this path and those below, once; who still lives is ended by `end_path`."""
        with self._at(path) as groups:
            _kill_once(groups)
        if self._processes is not None:
            self._processes.kill_below(path.rpartition("/")[2])

    def remove_empty(self, path: str, above: str = "") -> None:
        """Remove the cgroup at this path, and those above it that are below `above`, as long as they are empty."""
        while path.strip("/") and path.startswith(f"{above}/"):
            with self._at(path) as groups:
                for directory, group in groups:
                    with contextlib.suppress(OSError):
                        os.rmdir(group, dir_fd=directory)
            path = path.rpartition("/")[0]

    def exists(self, path: str) -> bool:
        """Whether a hierarchy has a cgroup at this path."""
        with self._at(path) as groups:
            return bool(groups)

    @contextlib.contextmanager
    def _at(self, path: str) -> Iterator[list[_Group]]:
        """The cgroups at a path; no link on the way is followed, nor a step upwards taken."""
        *above, last = [step for step in path.split("/") if step] or ("",)
        groups: list[_Group] = []
        try:
            for root in self._roots if last else ():
                parent = _descend(root, above)
                if parent < 0:
                    continue
                if _is_there(parent, last):
                    groups.append((parent, last))
                else:
                    os.close(parent)
            yield groups
        finally:
            for parent, _ in groups:
                os.close(parent)

    def _of_container(self, container: str) -> list[_Group]:
        wanted = name(container).removeprefix("/")
        return [(root, wanted) for root in self._roots if _is_there(root, wanted)]

    def _of_pod(self, pod: str) -> list[_Group]:
        prefix = name(f"{pod}-").removeprefix("/")
        return [(root, entry) for root in self._roots for entry in os.listdir(root) if entry.startswith(prefix)]


def _hierarchies() -> list[str]:
    kinds = {}  # of what is mounted last at each place: it covers what was there before
    with open("/proc/self/mounts", encoding="utf-8", errors="replace") as mounts:
        for line in mounts:
            fields = line.split(" ", 3)
            if len(fields) == 4:
                kinds[fields[1]] = fields[2]
    return [place for place, kind in kinds.items() if kind in ("cgroup", "cgroup2")]


def _descend(root: int, steps: list[str]) -> int:
    """A descriptor of the directory that these names lead to; -1 where one of them is not there."""
    here = os.dup(root)
    for step in steps:
        there = _step(here, step) if step not in (".", "..") else -1
        os.close(here)
        if there < 0:
            return -1
        here = there
    return here


def _is_there(root: int, group: str) -> bool:
    try:
        os.stat(group, dir_fd=root, follow_symlinks=False)
    except OSError:
        return False
    return True


# --- killing ----------------------------------------------------------------------------------------------------------


def _end(groups: list[_Group]) -> None:
    deadline = time.monotonic() + PATIENCE
    killed: set[int] = set()
    wait = _FIRST_WAIT
    while pids := _kill_once(groups):
        killed |= pids
        if time.monotonic() > deadline:
            listed = ", ".join(map(str, sorted(pids)[:10]))
            raise NodeError(f"processes of a container do not end: {listed}", where=groups[0][1])
        _wait_for_end(groups, killed, wait)
        wait = min(wait * 2, _LONGEST_WAIT)
    for root, group in groups:
        while True:
            try:
                _remove(root, group)
                break
            except OSError as error:
                if error.errno != errno.EBUSY or time.monotonic() > deadline:
                    raise NodeError(f"cannot remove a cgroup: {error.strerror}", where=group) from error
            _reap(killed)
            time.sleep(_PAUSE)


def _wait_for_end(groups: list[_Group], killed: set[int], seconds: float) -> None:
    """Until nothing is there, or something that was not killed, or the time is over."""
    unreaped = set(killed)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        _reap(unreaped)
        left = {pid for root, group in groups for pid in _members(root, group)}
        if not left or left - killed:
            return
        time.sleep(_PAUSE)


def _kill_once(groups: list[_Group]) -> set[int]:
    """Kill what is in these cgroups while it is frozen, so that nothing forks meanwhile; returns what was there."""
    for root, group in groups:
        if not _write(root, f"{group}/cgroup.kill", b"1"):
            _write(root, f"{group}/freezer.state", b"FROZEN")
    deadline = time.monotonic() + _TO_FREEZE
    while any(_read(root, f"{group}/freezer.state") == b"FREEZING" for root, group in groups):
        if time.monotonic() > deadline:
            break  # a process that waits for its child to execute, or for a disk, freezes no sooner
        time.sleep(_PAUSE / 5)
    pids = {pid for root, group in groups for pid in _members(root, group)}
    pids -= {1, os.getpid()}  # a container that may move them here must not make us kill them
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    for root, group in groups:
        _thaw(root, group)
        if pids:
            _give_time(root, group)
    return pids


def _members(root: int, group: str) -> set[int]:
    """The processes of a cgroup and of those below, which a privileged container may have made."""
    return {
        int(word)
        for directory in _tree(root, group)
        for file in ("cgroup.procs", *_THREADS)
        for word in _read(directory, file).split()
        if word != b"0"
    }


def _thaw(root: int, group: str) -> None:
    """Let frozen processes go on: to their end. A container may have frozen each cgroup by itself."""
    for directory in _tree(root, group):
        if not _write(directory, "freezer.state", b"THAWED"):
            _write(directory, "cgroup.freeze", b"0")


def _give_time(root: int, group: str) -> None:
    """Let the killed processes of the cgroup and of those below come to run; a container may have made these slower."""
    for directory in _tree(root, group):
        for file, content in _TO_END:
            _write(directory, file, content)


def _reap(pids: set[int]) -> None:
    """Reap those that are our children: a zombie may hold its cgroup."""
    for pid in tuple(pids):
        try:
            if os.waitpid(pid, os.WNOHANG)[0] == pid:
                pids.discard(pid)
        except ChildProcessError:
            pids.discard(pid)


# --- the tree of a cgroup ---------------------------------------------------------------------------------------------


def _tree(root: int, group: str) -> Iterator[int]:
    """Descriptors of the cgroup and of all below it, each open until the next one is asked for."""
    here, waiting = os.dup(root), [[group]]
    try:
        while waiting:
            if waiting[-1]:
                step = waiting[-1].pop()
            else:
                waiting.pop()
                step = ".."
            if not waiting:
                return
            there = _step(here, step)
            if there >= 0:
                os.close(here)
                here = there
            if there >= 0 and step != "..":
                yield here
                waiting.append(_directories(here))
    finally:
        os.close(here)


def _remove(root: int, group: str) -> None:
    """Remove the cgroup and all below it, the deepest first."""
    names: list[str] = []
    here, inner = os.dup(root), [group]
    try:
        while inner or names:
            there = _step(here, inner[-1] if inner else "..")
            if there >= 0:
                os.close(here)
                here = there
            if not inner:
                with contextlib.suppress(FileNotFoundError):
                    os.rmdir(names.pop(), dir_fd=here)
                inner = _directories(here) if names else []
            elif there >= 0:
                names.append(inner[-1])
                inner = _directories(here)
            else:
                inner.pop()
    finally:
        os.close(here)


def _step(here: int, to: str) -> int:
    """The directory of this name, or above; -1 where it is gone."""
    try:
        return os.open(to, _DIRECTORY, dir_fd=here)
    except FileNotFoundError:
        return -1


def _directories(here: int) -> list[str]:
    try:
        with os.scandir(here) as entries:
            return [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    except FileNotFoundError:
        return []


def _read(directory: int, file: str) -> bytes:
    """What a file of a cgroup says; empty where the hierarchy has none, or the cgroup is gone."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC, dir_fd=directory)
    except OSError:
        return b""
    with open(descriptor, "rb") as opened, contextlib.suppress(OSError):
        return opened.read().strip()
    return b""


def _write(directory: int, file: str, content: bytes) -> bool:
    """Whether the cgroup took it."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CLOEXEC, dir_fd=directory)
    except OSError:
        return False
    try:
        os.write(descriptor, content)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True
