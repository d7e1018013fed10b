"""A Pod's namespaces, made without a pause process.

This process makes them (`unshare`) and goes back to its own; for a user namespace, whose id maps are written from
outside and which nobody leaves, a short-lived child does. Each namespace is pinned by a bind mount in the Pod's
directory. The mounts live in a private mount namespace, so they vanish with the last process that needs them, however
it ends. Containers join by path, as they do under CRI-O without an infra container.
"""

from __future__ import annotations

import _socket
import fcntl
import os
import struct

from msgspec import Struct

from podward.api.cri import IDMapping
from podward.errors import NodeError, RuntimeFailedError
from podward.runtime import syscalls

_KINDS = (
    ("user", syscalls.CLONE_NEWUSER),
    ("ipc", syscalls.CLONE_NEWIPC),
    ("net", syscalls.CLONE_NEWNET),
    ("uts", syscalls.CLONE_NEWUTS),
)
_NET, _IPC = ("net.",), ("kernel.shm", "kernel.msg", "kernel.sem", "fs.mqueue.")
"""What the names of sysctls begin with that each network namespace, and each IPC namespace, has of its own."""
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 0x1


class Wanted(Struct, frozen=True):
    """Which namespaces the Pod gets of its own; `mapping` asks for a user namespace."""

    ipc: bool
    net: bool
    hostname: str
    mapping: IDMapping | None = None
    sysctls: tuple[tuple[str, str], ...] = ()

    def kinds(self) -> tuple[tuple[str, int], ...]:
        """The namespaces to make, as (name under /proc/PID/ns, clone flag)."""
        asked = {"user": self.mapping is not None, "ipc": self.ipc, "net": self.net, "uts": bool(self.hostname)}
        return tuple((name, flag) for name, flag in _KINDS if asked[name])


def make(wanted: Wanted, directory: str) -> dict[str, str]:
    """Make the namespaces and pin them below `directory`; returns name -> path.

    Raises RuntimeFailedError with the step that failed: unshare, a sysctl's write, an id map.
    """
    os.makedirs(directory, mode=0o700, exist_ok=True)
    ways_back = _ways_back(wanted) if wanted.mapping is None else None
    return _make_by_child(wanted, directory) if ways_back is None else _make_here(wanted, directory, ways_back)


def _ways_back(wanted: Wanted) -> tuple[int, ...] | None:
    """Descriptors of our own namespaces of these kinds; None where we could not join them again.

    That is so without root: they belong to the machine, not to a user.
    """
    ours = tuple(os.open(f"/proc/thread-self/ns/{name}", os.O_RDONLY | os.O_CLOEXEC) for name, _ in wanted.kinds())
    try:
        for descriptor in ours:
            syscalls.setns(descriptor)
    except PermissionError:
        _close(ours)
        return None
    return ours


def _make_here(wanted: Wanted, directory: str, ways_back: tuple[int, ...]) -> dict[str, str]:
    try:
        try:
            syscalls.unshare(_flags(wanted))
            _configure(wanted)
            return {name: _pin("thread-self", name, directory) for name, _ in wanted.kinds()}
        finally:
            for descriptor in ways_back:
                syscalls.setns(descriptor)
    except (NodeError, OSError) as error:
        raise RuntimeFailedError(str(error), where="making namespaces") from error
    finally:
        _close(ways_back)


def _flags(wanted: Wanted) -> int:
    flags = 0
    for _, flag in wanted.kinds():
        flags |= flag
    return flags


def _close(descriptors: tuple[int, ...]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def _make_by_child(wanted: Wanted, directory: str) -> dict[str, str]:
    ready_read, ready_write = os.pipe()
    go_read, go_write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ready_read)
        os.close(go_write)  # a copy here would keep the child waiting for itself
        _child(wanted, ready_write, go_read)
    try:
        os.close(ready_write)
        os.close(go_read)
        ready_write = go_read = -1
        _expect(ready_read, b"u")
        if wanted.mapping is not None:
            _write_maps(child, wanted.mapping)
        os.write(go_write, b"m")
        _expect(ready_read, b"s")
        return {name: _pin(str(child), name, directory) for name, _ in wanted.kinds()}
    finally:
        for descriptor in (ready_read, ready_write, go_read, go_write):
            if descriptor >= 0:
                os.close(descriptor)
        os.waitpid(child, 0)


def _expect(descriptor: int, step: bytes) -> None:
    said = os.read(descriptor, 4096)
    if said != step:
        raise RuntimeFailedError(said[1:].decode("utf-8", "replace") or "the child died", where="making namespaces")


def _write_maps(pid: int, mapping: IDMapping) -> None:
    line = f"{mapping.container_id} {mapping.host_id} {mapping.length}\n".encode()
    for name in ("uid_map", "gid_map"):
        with open(f"/proc/{pid}/{name}", "wb", buffering=0) as file:
            file.write(line)


def _pin(process: str, name: str, directory: str) -> str:
    target = f"{directory}/{name}"
    os.close(os.open(target, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600))
    syscalls.mount(f"/proc/{process}/ns/{name}", target, "", syscalls.MS_BIND, "")
    return target


def _child(wanted: Wanted, ready: int, go: int) -> None:
    """In the forked child: never returns. Tells each step on `ready`; an error's text follows an `e`."""
    try:
        _close_all_but(ready, go)
        syscalls.unshare(_flags(wanted))
        os.write(ready, b"u")
        if os.read(go, 1) == b"m":
            _configure(wanted)
            os.write(ready, b"s")
            os.read(go, 1)  # hold the namespaces until the parent has pinned them and closes its end
    except BaseException as error:  # noqa: BLE001  # a forked child must not unwind into its parent's frames
        os.write(ready, b"e" + str(error).encode()[:2000])
    finally:
        os._exit(0)


def _close_all_but(ready: int, go: int) -> None:
    """Close what the child inherited: a copy of the Pod's lock would outlive a parent that is killed meanwhile."""
    low, high = sorted((ready, go))
    for first, end in ((3, low), (low + 1, high), (high + 1, os.sysconf("SC_OPEN_MAX"))):
        os.closerange(first, end)


def _configure(wanted: Wanted) -> None:
    if wanted.mapping is not None:
        os.setgroups(())
        os.setresgid(0, 0, 0)
        os.setresuid(0, 0, 0)
        # The kernel closes /proc/PID/ns of who changed his ids to all but those who are privileged where his program
        # was started: a user's Podward has started outside of its namespace.
        syscalls.prctl(syscalls.PR_SET_DUMPABLE, 1)
    if wanted.hostname:
        _socket.sethostname(wanted.hostname)
    if wanted.net:
        _raise_loopback()
    own = (_NET * wanted.net) + (_IPC * wanted.ipc)
    for name, value in wanted.sysctls:
        if not name.startswith(own):  # what admitted it must not be all that protects the machine
            raise NodeError("a sysctl of the machine, not of the Pod", where=name)
        set_sysctl(name, value)


def set_sysctl(name: str, value: str) -> None:
    """Write a sysctl of our own namespaces; `name` in dotted form, already admitted."""
    file = "/proc/sys/" + name.translate(str.maketrans("./", "/."))
    if "/../" in file:
        raise NodeError("not a sysctl", where=name)
    try:
        with open(file, "wb", buffering=0) as opened:
            opened.write(value.encode())
    except OSError as error:
        raise NodeError(f"cannot set sysctl {name} to {value!r}: {error.strerror}", where=file) from error


def _raise_loopback() -> None:
    """Bring `lo` up, which gives it 127.0.0.1 and ::1 (netdevice(7))."""
    with_flags = struct.pack("16sH22x", b"lo", 0)
    endpoint = _socket.socket(_socket.AF_INET, _socket.SOCK_DGRAM | _socket.SOCK_CLOEXEC)
    try:
        answer = fcntl.ioctl(endpoint.fileno(), _SIOCGIFFLAGS, with_flags)
        (flags,) = struct.unpack_from("H", answer, 16)
        fcntl.ioctl(endpoint.fileno(), _SIOCSIFFLAGS, struct.pack("16sH22x", b"lo", flags | _IFF_UP))
    finally:
        endpoint.close()
