"""Which devices a container's device list lets through, asked of the kernel.

There is no reading the list: under cgroup v2 it is a program. So a child process of ours joins the container's cgroups,
asks for access(2) to a node of each watched device, and ends. Nothing is opened: the drivers do not hear of it.
"""

from __future__ import annotations

import os
import stat

from podward.errors import NodeError
from podward.policy.kernel.devices import EVERY, WATCHED, summary
from podward.runtime.cgroups import usable

_KINDS = {"c": stat.S_IFCHR, "b": stat.S_IFBLK}
_ADVICE = "it takes CAP_MKNOD and CAP_DAC_OVERRIDE, and the right to move processes between cgroups"


def open_devices(pid: int, directory: str) -> tuple[str, ...]:
    """The watched devices that process `pid` may open, or `all`, as `policy.kernel.devices` predicts them.

    `directory` is one of ours, for nodes that are gone afterwards. Call it while this process has no other thread.
    Raises NodeError where the kernel can't be asked.
    """
    nodes: list[int] = []
    if not usable() and not _groups(pid):
        return (EVERY,)  # it is in our own cgroups: it has no list of its own, and a user may make no node to ask with
    try:
        for kind, major, minor in WATCHED.values():
            nodes.append(_node(f"{directory}/device-{os.urandom(4).hex()}", kind, os.makedev(major, minor)))
        answer = _ask(_groups(pid), nodes)
    except OSError as error:
        raise NodeError(
            f"cannot see which devices process {pid} may open: {error.strerror}", where="devices", advice=_ADVICE
        ) from error
    finally:
        for node in nodes:
            os.close(node)
    if len(answer) != len(WATCHED):
        said = answer.decode("utf-8", "replace")
        raise NodeError(f"cannot see which devices process {pid} may open: {said}", where="devices", advice=_ADVICE)
    return summary(tuple(name for name, yes in zip(WATCHED, answer, strict=True) if yes == ord("+")))


def _node(file: str, kind: str, device: int) -> int:
    """A descriptor (O_PATH) of a device node that has no name any more."""
    os.mknod(file, 0o600 | _KINDS[kind], device)
    try:
        return os.open(file, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    finally:
        os.unlink(file)


def _ask(groups: list[str], nodes: list[int]) -> bytes:
    """What the child says: a `+` or `-` for each node, or why it could not ask."""
    read, write = os.pipe2(os.O_CLOEXEC)
    child = os.fork()
    if child == 0:
        try:
            for group in groups:
                _join(group)
            found = (os.access(f"/proc/self/fd/{node}", os.R_OK | os.W_OK) for node in nodes)
            os.write(write, b"".join(b"+" if yes else b"-" for yes in found))
        except BaseException as error:  # noqa: BLE001  # a forked child must not unwind into its parent's frames
            os.write(write, f"{type(error).__name__}: {error}".encode()[:1000])
        finally:
            os._exit(0)
    os.close(write)
    try:
        return os.read(read, 4096)
    finally:
        os.close(read)
        os.waitpid(child, 0)


def _join(group: str) -> None:
    with open(f"{group}/cgroup.procs", "wb", buffering=0) as procs:
        procs.write(b"0")


def _groups(pid: int) -> list[str]:
    """The directories of the process's cgroups that may have a device list, where they are not our own."""
    own, its = _paths("self"), _paths(str(pid))
    found = []
    for name, (point, root) in _hierarchies().items():
        place = its.get(name)
        if place is not None and place != own.get(name):
            inside = place.removeprefix(root) if root != "/" else place
            found.append(f"{point}/{inside.lstrip('/')}")
    return found


def _paths(pid: str) -> dict[str, str]:
    """By `devices` (cgroup v1) and `` (cgroup v2): the path of the process's cgroup (cgroups(7))."""
    found = {}
    with open(f"/proc/{pid}/cgroup", encoding="utf-8", errors="surrogateescape") as lines:
        for line in lines:
            _, controllers, place = line.rstrip("\n").split(":", 2)
            found[_name(controllers.split(","))] = place
    found.pop("other", None)
    return found


def _hierarchies() -> dict[str, tuple[str, str]]:
    """By the same names: where the hierarchy is mounted, and which directory of it is."""
    found: dict[str, tuple[str, str]] = {}
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as lines:
        for line in lines:
            head, _, tail = line.partition(" - ")
            words, kind, options = head.split(" "), tail.split(" ")[0], tail.rstrip("\n").split(" ")[-1]
            if kind == "cgroup2":
                found[""] = words[4], words[3]
            elif kind == "cgroup" and "devices" in options.split(","):
                found["devices"] = words[4], words[3]
    return {name: place for name, place in found.items() if os.path.isfile(f"{place[0]}/cgroup.procs")}


def _name(controllers: list[str]) -> str:
    return "devices" if "devices" in controllers else "" if controllers == [""] else "other"
