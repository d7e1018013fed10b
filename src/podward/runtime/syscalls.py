"""System calls that Python does not offer, typed; the only module that knows of ctypes.

Constants carry the names of C's headers (Linux 6.x). Each function raises OSError with the errno and, where there is
one, the path. ctypes itself is imported with the first call, because it costs about 3 ms.
"""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ctypes

CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_REMOUNT = 32
MS_BIND = 4096
MS_MOVE = 8192
MS_REC = 16384
MS_PRIVATE = 1 << 18
MS_SLAVE = 1 << 19
MS_SHARED = 1 << 20
MNT_DETACH = 2
UMOUNT_NOFOLLOW = 8

AT_FDCWD = -100
AT_RECURSIVE = 0x8000
AT_EMPTY_PATH = 0x1000
OPEN_TREE_CLONE = 1
MOVE_MOUNT_F_EMPTY_PATH = 4
MOUNT_ATTR_RDONLY = 0x1
MOUNT_ATTR_NOSUID = 0x2
MOUNT_ATTR_NODEV = 0x4
MOUNT_ATTR_NOEXEC = 0x8
MOUNT_ATTR_IDMAP = 0x00100000

IN_CLOSE_WRITE = 0x00000008
IN_MOVED_TO = 0x00000080
IN_GONE = 0x00000040 | 0x00000200
"""What was moved away, or deleted (IN_MOVED_FROM, IN_DELETE)."""
IN_Q_OVERFLOW = 0x00004000
IN_NONBLOCK = os.O_NONBLOCK
IN_CLOEXEC = os.O_CLOEXEC

O_PATH = os.O_PATH
RESOLVE_NO_XDEV = 0x01
RESOLVE_NO_MAGICLINKS = 0x02
RESOLVE_NO_SYMLINKS = 0x04
RESOLVE_BENEATH = 0x08
RESOLVE_IN_ROOT = 0x10

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_KEEPCAPS = 8
PR_CAPBSET_READ = 23
PR_CAPBSET_DROP = 24
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
PR_CAP_AMBIENT_CLEAR_ALL = 4

PTRACE_CONT = 7
PTRACE_DETACH = 17
PTRACE_SEIZE = 0x4206
PTRACE_INTERRUPT = 0x4207
PTRACE_LISTEN = 0x4208
PTRACE_O_TRACEEXEC = 0x10
PTRACE_EVENT_EXEC = 4
PTRACE_EVENT_STOP = 128

# Numbers of the generic table (include/uapi/asm-generic/unistd.h), which x86_64 shares from 424 on.
_OPEN_TREE, _MOVE_MOUNT, _OPENAT2, _MOUNT_SETATTR = 428, 429, 437, 442
_RENAME_EXCHANGE = 2
_CAPSET = {"x86_64": 126, "aarch64": 91}
_CAPABILITY_VERSION_3 = 0x20080522


class _Library:
    """The C library, loaded with the first call."""

    loaded: ctypes.CDLL | None = None


def _libc() -> ctypes.CDLL:
    if _Library.loaded is None:
        import ctypes

        _Library.loaded = ctypes.CDLL(None, use_errno=True)
    return _Library.loaded


def _check(result: int, path: str | None = None) -> int:
    if result < 0:
        import ctypes

        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), path)
    return result


def _syscall(number: int, *arguments: object, path: str | None = None) -> int:
    """Make a call by its number.

    Integers are passed as C long: varargs of another width would leave half a register unset.
    """
    import ctypes

    call = _libc().syscall
    call.restype = ctypes.c_long
    passed = [ctypes.c_long(argument) if isinstance(argument, int) else argument for argument in arguments]
    return _check(call(ctypes.c_long(number), *passed), path)


def unshare(flags: int) -> None:
    """Give this process new namespaces, named by CLONE_NEW* flags."""
    _check(_libc().unshare(flags))


def setns(descriptor: int, flags: int = 0) -> None:
    """Join the namespace of an open /proc/PID/ns file (setns(2)); `flags` may name the kind that it must be."""
    _check(_libc().setns(descriptor, flags))


def mount(source: str, target: str, kind: str, flags: int, data: str) -> None:
    """Mount a file system, bind a part of the tree, or change a mount; `kind` and `data` may be empty."""
    import ctypes

    result = _libc().mount(
        os.fsencode(source), os.fsencode(target), os.fsencode(kind), ctypes.c_ulong(flags), os.fsencode(data)
    )
    _check(result, target)


def umount2(target: str, flags: int) -> None:
    """Unmount what is at `target`, with MNT_* flags."""
    _check(_libc().umount2(os.fsencode(target), flags), target)


def unmount_if_mounted(target: str) -> None:
    """Detach what is mounted at `target` without following a link there; nothing mounted, or no such path, is fine."""
    import errno

    try:
        umount2(target, MNT_DETACH | UMOUNT_NOFOLLOW)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOENT):
            raise


def open_tree(descriptor: int, path: str, flags: int) -> int:
    """A descriptor of a mount, or with OPEN_TREE_CLONE of a detached copy of it (open_tree(2))."""
    return _syscall(_OPEN_TREE, descriptor, os.fsencode(path), flags | os.O_CLOEXEC, path=path)


def move_mount(tree: int, target: str) -> None:
    """Attach the detached mount `tree` at `target` (move_mount(2))."""
    _syscall(_MOVE_MOUNT, tree, b"", AT_FDCWD, os.fsencode(target), MOVE_MOUNT_F_EMPTY_PATH, path=target)


def mount_setattr(tree: int, set_flags: int, *, recursive: bool, userns: int = 0, clear_flags: int = 0) -> None:
    """Set, and clear, MOUNT_ATTR_* flags of the mount `tree` (mount_setattr(2)).

    `userns` is an open user namespace for MOUNT_ATTR_IDMAP.
    """
    import struct

    attributes = struct.pack("=QQQQ", set_flags, clear_flags, 0, userns)
    flags = AT_EMPTY_PATH | (AT_RECURSIVE if recursive else 0)
    _syscall(_MOUNT_SETATTR, tree, b"", flags, attributes, len(attributes))


def idmapped_bind(source: str, target: str, userns: str) -> None:
    """Mount `source` at `target` with the ids of its files mapped as the user namespace at `userns` maps them."""
    namespace = os.open(userns, os.O_RDONLY | os.O_CLOEXEC)
    try:
        tree = open_tree(AT_FDCWD, source, OPEN_TREE_CLONE)
        try:
            mount_setattr(tree, MOUNT_ATTR_IDMAP, recursive=False, userns=namespace)
            move_mount(tree, target)
        finally:
            os.close(tree)
    except OSError as error:
        raise OSError(error.errno, error.strerror, source, None, target) from error
    finally:
        os.close(namespace)


def openat2(directory: int, path: str, flags: int, resolve: int, mode: int = 0) -> int:
    """Open `path` below the descriptor `directory`, its links resolved as the RESOLVE_* flags say (openat2(2)).

    O_CLOEXEC is added. EAGAIN, which a rename beside it may cause with RESOLVE_IN_ROOT, is tried again a few times.
    """
    import struct

    how = struct.pack("=QQQ", flags | os.O_CLOEXEC, mode, resolve)
    for _ in range(8):
        try:
            return _syscall(_OPENAT2, directory, os.fsencode(path), how, len(how), path=path)
        except BlockingIOError:
            continue
    return _syscall(_OPENAT2, directory, os.fsencode(path), how, len(how), path=path)


def exchange(one: str, other: str) -> None:
    """Give each of two files the other's name, in one step (renameat2(2))."""
    call = _libc().renameat2
    _check(call(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE), other)


def inotify(directory: str, mask: int) -> int:
    """A descriptor that tells what happens in the directory, without waiting (inotify(7))."""
    descriptor = _check(_libc().inotify_init1(IN_NONBLOCK | IN_CLOEXEC))
    try:
        _check(_libc().inotify_add_watch(descriptor, os.fsencode(directory), mask), directory)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def ptrace(request: int, pid: int, data: int = 0) -> None:
    """Trace another process: a request whose address is 0."""
    import ctypes

    call = _libc().ptrace
    call.argtypes = (ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
    call.restype = ctypes.c_long
    _check(call(request, pid, None, data))


def prctl(option: int, second: int = 0, third: int = 0) -> int:
    """Change or ask an attribute of this process; the answer is the call's."""
    import ctypes

    call = _libc().prctl
    call.argtypes = (ctypes.c_int, *(ctypes.c_ulong,) * 4)
    return _check(call(option, second, third, 0, 0))


def become_subreaper() -> None:
    """Make this process the parent of orphans among its descendants."""
    prctl(PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent thread ends."""
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def capset(effective: int, permitted: int, inheritable: int) -> None:
    """Set this thread's capability masks (capset(2), version 3)."""
    import struct

    header = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0)
    low, high = 0xFFFFFFFF, 32
    data = struct.pack(
        "=6I",
        effective & low,
        permitted & low,
        inheritable & low,
        effective >> high,
        permitted >> high,
        inheritable >> high,
    )
    _syscall(_CAPSET[os.uname().machine], header, data)
