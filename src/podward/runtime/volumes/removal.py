"""Removing a directory that a container could write to: every name in it is hostile.

- Nothing outside is touched: no link is followed, and no mount is entered, not even a bind mount of the same file
  system (openat2(2) with RESOLVE_NO_XDEV). A mount point stays, and is what the error names.
- The depth does not matter: what is deeper than a hundred directories is first moved up to the tree's root, so neither
  Python's stack nor the number of open files grows with it, and no path is ever longer than one name.
- What somebody makes in it meanwhile, such as the lock of a worker that comes too late, is removed, too: it is emptied
  a few times.
- Immutable and append-only marks (chattr(1)), which a container with CAP_LINUX_IMMUTABLE can set, are cleared.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable

from podward.errors import NodeError
from podward.runtime import syscalls

_DEEPEST = 100
_MOST_ROUNDS = 10
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_STAYS = syscalls.RESOLVE_NO_XDEV | syscalls.RESOLVE_NO_SYMLINKS | syscalls.RESOLVE_BENEATH
_GET_FLAGS, _SET_FLAGS = 0x80086601, 0x40086602
_APPEND_ONLY, _IMMUTABLE = 0x20, 0x10

Act = Callable[[], None]


def remove_tree(path: str) -> None:
    """Remove `path` and all below it; nothing there is fine.

    The directory that holds `path` must be out of every container's reach. Raises NodeError, naming what is mounted
    inside or could not be removed, after everything else is gone.
    """
    parent, name = os.path.split(os.path.abspath(path))
    try:
        anchor = os.open(parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        left = _Remover(anchor, name).run()
    finally:
        os.close(anchor)
    if left:
        more = f" and {len(left) - 1} more" if len(left) > 1 else ""
        advice = "unmount what is mounted there, then remove the directory"
        raise NodeError(f"cannot remove {left[0]}{more}", where=path, advice=advice)


class _Remover:
    """One removal; `_left` names what stayed, with the reason."""

    def __init__(self, anchor: int, name: str) -> None:
        self._anchor = anchor
        self._name = name
        self._root = -1
        self._left: list[str] = []
        self._moved = False

    def run(self) -> list[str]:
        try:
            facts = os.stat(self._name, dir_fd=self._anchor, follow_symlinks=False)
        except FileNotFoundError:
            return []
        if not stat.S_ISDIR(facts.st_mode):
            self._unlink(self._anchor, self._name)
            return self._left
        try:
            self._root = syscalls.openat2(self._anchor, self._name, _DIRECTORY, _STAYS)
        except OSError as error:
            return [f"{self._name!r}: {_why(error)}"]
        try:
            for more in reversed(range(_MOST_ROUNDS)):
                self._empty_all()
                if self._left:
                    break
                self._rmdir(self._anchor, self._name)
                if not (more and self._left and os.listdir(self._root)):
                    break
                self._left.clear()
        finally:
            os.close(self._root)
        return self._left

    def _empty_all(self) -> None:
        self._moved = True
        while self._moved and not self._left:
            self._moved = False
            self._empty(self._root, 0)

    def _empty(self, directory: int, depth: int) -> None:
        with os.scandir(directory) as entries:
            found = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
        for name, is_directory in found:
            if not is_directory:
                self._unlink(directory, name)
            elif depth >= _DEEPEST:
                self._move_up(directory, name)
            else:
                self._descend(directory, name, depth)

    def _descend(self, directory: int, name: str, depth: int) -> None:
        try:
            child = syscalls.openat2(directory, name, _DIRECTORY, _STAYS)
        except OSError as error:
            self._left.append(f"{name!r}: {_why(error)}")
            return
        before = len(self._left)
        try:
            self._empty(child, depth + 1)
        finally:
            os.close(child)
        if len(self._left) == before:
            self._rmdir(directory, name)

    def _move_up(self, directory: int, name: str) -> None:
        fresh = f"podward-{os.urandom(8).hex()}"
        self._insist(directory, name, lambda: os.rename(name, fresh, src_dir_fd=directory, dst_dir_fd=self._root))
        self._moved = True

    def _unlink(self, directory: int, name: str) -> None:
        self._insist(directory, name, lambda: os.unlink(name, dir_fd=directory))

    def _rmdir(self, directory: int, name: str) -> None:
        self._insist(directory, name, lambda: os.rmdir(name, dir_fd=directory))

    def _insist(self, directory: int, name: str, act: Act) -> None:
        """Do it; where a mark on the file or its directory forbids it, clear the marks and do it again."""
        try:
            try:
                act()
            except PermissionError:
                _clear_marks(os.dup(directory))
                _clear_marks(_open_quietly(directory, name))
                act()
        except FileNotFoundError:
            return
        except OSError as error:
            self._left.append(f"{name!r}: {_why(error)}")


def _open_quietly(directory: int, name: str) -> int:
    """The file or directory, opened without effect on it; -1 for anything else, which has no marks to clear."""
    try:
        kind = os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode
        if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
            return -1
        return syscalls.openat2(directory, name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, _STAYS)
    except OSError:
        return -1


def _clear_marks(descriptor: int) -> None:
    """Clear the immutable and append-only marks (ioctl_iflags(2)) and close; a file system without marks is fine."""
    if descriptor < 0:
        return
    import fcntl
    import struct

    try:
        (flags,) = struct.unpack("l", fcntl.ioctl(descriptor, _GET_FLAGS, struct.pack("l", 0)))
        if flags & (_APPEND_ONLY | _IMMUTABLE):
            fcntl.ioctl(descriptor, _SET_FLAGS, struct.pack("l", flags & ~(_APPEND_ONLY | _IMMUTABLE)))
    except OSError:
        return  # the removal that follows fails with the reason that counts
    finally:
        os.close(descriptor)


def _why(error: OSError) -> str:
    if error.errno in {errno.EXDEV, errno.EBUSY}:
        return "something is mounted on it"
    return (error.strerror or str(error)).lower()
