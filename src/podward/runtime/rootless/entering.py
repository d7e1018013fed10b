"""Entering the user's namespace: afterwards this process is its root, and everything goes on as it does for root.

There is one user namespace for all that a user runs at a time, so that each call may end what another has begun. A
process of ours holds it, the holder: it has made it, and waits until nobody uses it any more.

    RUNTIME/lock     held for moments, by who looks for the holder or becomes one
    RUNTIME/users    held (flock, shared) by every podward in the namespace as long as it lives
    RUNTIME/holder   the holder's pid and start time, and the number of the namespace

The holder waits to have `users` alone. Then no podward lives, and what still runs in the namespace was left by one that
was killed: the holder ends it all and itself, so nothing stays behind (decision 24). Where the holder itself was
killed, and a container of ours still runs in its namespace, the next podward finds that and has it held anew.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import time
from typing import NoReturn

import msgspec
from msgspec import Struct

from podward.errors import NodeError
from podward.runtime import kept, processes, syscalls
from podward.runtime.oci import write_private
from podward.runtime.rootless import directories, ids, members

NEWUIDMAP, NEWGIDMAP = "newuidmap", "newgidmap"
_PAUSE = 0.01


class _Holder(Struct, frozen=True):
    """What the file says of the holder: the process, and the inode of /proc/PID/ns/user."""

    process: kept.Process
    namespace: int


class _Use:
    """The lock that says that we live; the children that this process forks have it too."""

    descriptor = -1


def enter() -> None:
    """Become root of the user's namespace, which is made if it is not there. Call it once, while there is one thread.

    PODWARD_ROOT is the user's state directory afterwards, if it was not set. Raises NodeError where a user can't.
    """
    uid, maps = os.getuid(), ids.own_maps()
    runtime = directories.runtime_directory(uid)
    os.environ["PODWARD_ROOT"] = os.environ.get("PODWARD_ROOT") or directories.data_root()
    lock = _open(f"{runtime}/lock")
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        holder = _recorded(runtime)
        _Use.descriptor = _open(f"{runtime}/users")
        fcntl.flock(_Use.descriptor, fcntl.LOCK_SH)
        namespace = _held_by(holder.process) if holder is not None else -1
        if namespace < 0:
            left = members.left_of(holder.namespace, _marks(uid)) if holder is not None else -1
            namespace = _held_by(_begin(runtime, left, maps))
        _join(namespace)
    finally:
        os.close(lock)


def _held_by(holder: kept.Process) -> int:
    """A descriptor of the user namespace of this very process; -1 where it has ended."""
    try:
        namespace = os.open(f"/proc/{holder.pid}/ns/user", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return -1
    if kept.alive(holder):  # asked once the descriptor holds the namespace: it is the holder's or nobody's
        return namespace
    os.close(namespace)
    return -1


def use() -> int:
    """The descriptor of the lock that keeps the namespace: whoever has it open keeps that. -1 where we entered none."""
    return _Use.descriptor


def _open(file: str) -> int:
    return os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def _recorded(runtime: str) -> _Holder | None:
    try:
        with open(f"{runtime}/holder", "rb") as file:
            return msgspec.json.decode(file.read(4096), type=_Holder)
    except (OSError, msgspec.DecodeError):
        return None


def _marks(uid: int) -> tuple[bytes, ...]:
    """Where the layers of a container of ours are."""
    return (
        os.fsencode(os.path.abspath(os.environ["PODWARD_ROOT"])) + b"/",
        os.fsencode(directories.passage_of(uid)) + b"/",
    )


def _join(namespace: int) -> None:
    """Enter the user namespace of this descriptor, which is closed."""
    try:
        syscalls.setns(namespace, syscalls.CLONE_NEWUSER)
    except OSError as error:
        raise NodeError(f"cannot enter our user namespace: {error.strerror}", advice=_ADVICE) from error
    finally:
        os.close(namespace)


# --- the holder -------------------------------------------------------------------------------------------------------


def _begin(runtime: str, left: int, maps: ids.IdMaps) -> kept.Process:
    """Start a holder, of the namespace of the descriptor `left`, or of a new one with these maps."""
    told_read, told_write = os.pipe2(os.O_CLOEXEC)
    go_read, go_write = os.pipe2(os.O_CLOEXEC)
    pid = os.fork()
    if pid == 0:
        _hold(runtime, left, (told_write, go_read), (told_read, go_write))
    os.close(told_write)
    os.close(go_read)
    try:
        said = os.read(told_read, 4096)
        _require_made(said)
        if left < 0:
            write_maps(pid, maps)
        there = os.stat(f"/proc/{pid}/ns/user").st_ino
        holder = kept.Process(pid, kept.start_time(pid))
        write_private(f"{runtime}/holder", msgspec.json.encode(_Holder(holder, there)))
        os.write(go_write, b"g")
    except BaseException:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise
    finally:
        for descriptor in (told_read, go_write, left):
            if descriptor >= 0:
                os.close(descriptor)
    return holder


def _require_made(said: bytes) -> None:
    if said != b"u":
        raise NodeError(f"cannot make a user namespace: {said.decode(errors='replace')}", advice=_ADVICE)


_ADVICE = "the kernel must let users make them: `podward doctor` says what stands against it"


def write_maps(pid: int, maps: ids.IdMaps) -> None:
    """Map the ids of this process's new user namespace. Raises NodeError where that is refused."""
    if maps.delegated:
        _map_by_tool(NEWUIDMAP, pid, maps.uids)
        _map_by_tool(NEWGIDMAP, pid, maps.gids)
        return
    for name, content in (
        ("uid_map", ids.written(maps.uids)),
        ("setgroups", b"deny"),
        ("gid_map", ids.written(maps.gids)),
    ):
        with open(f"/proc/{pid}/{name}", "wb", buffering=0) as file:
            file.write(content)


def _map_by_tool(tool: str, pid: int, lines: ids.IdLines) -> None:
    from podward.runtime import probe

    program = probe.find(tool)
    if not program:
        advice = "`apt install uidmap`: it lets users have the ids of /etc/subuid and /etc/subgid"
        raise NodeError(f"{tool} is not here", advice=advice)
    read, write = os.pipe2(os.O_CLOEXEC)
    try:
        code = processes.run(program, (str(pid), *ids.words(lines)), stderr=write)
        os.close(write)
        write = -1
        said = os.read(read, 1000).decode(errors="replace").strip() if code else ""
    finally:
        os.close(read)
        if write >= 0:
            os.close(write)
    if code:
        advice = "it must be set-user-ID root or have file capabilities, and agree with /etc/subuid and /etc/subgid"
        raise NodeError(f"{tool} maps no ids: {said or f'it ended with {code}'}", where=program, advice=advice)


def _hold(runtime: str, left: int, ours: tuple[int, int], others: tuple[int, ...]) -> NoReturn:
    """In the forked child: make the namespace, hold it, and at the end clear it."""
    told, go = ours
    try:
        for descriptor in (*others, _Use.descriptor):
            os.close(descriptor)
        os.setsid()
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(null, stream)
        os.chdir("/")
        try:
            if left >= 0:
                _join(left)
            else:
                syscalls.unshare(syscalls.CLONE_NEWUSER)
        except (OSError, NodeError) as error:
            os.write(told, str(error).encode())
            os._exit(1)
        os.write(told, b"u")
        if os.read(go, 1) == b"g":
            _close_from(3)
            _wait_and_clear(runtime)
    except BaseException:  # noqa: BLE001  # a forked child must not unwind into its parent's frames
        os._exit(1)
    finally:
        os._exit(0)


def _close_from(first: int) -> None:
    """Close what the holder inherited of its maker: pipes and files of who knows whom."""
    os.closerange(first, os.sysconf("SC_OPEN_MAX"))


def _wait_and_clear(runtime: str) -> None:
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    users = _open(f"{runtime}/users")
    while True:
        fcntl.flock(users, fcntl.LOCK_EX)
        lock = _open(f"{runtime}/lock")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:  # somebody is about to enter
            os.close(lock)
            fcntl.flock(users, fcntl.LOCK_UN)
            time.sleep(_PAUSE)
            continue
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f"{runtime}/holder")
        with contextlib.suppress(OSError):
            os.rmdir(directories.passage())
        members.end_all()
        return
