"""What is at a subPath of a volume, opened so that no link and no race leads out of the volume.

Specification (kubelet, pkg/volume/util/subpath, in our words): links inside the volume that stay inside it are
followed, links out of it are an error; what is missing is made as directories with the mode of the volume's root,
whatever the umask, each held open while the next is made in it; a file may be a subPath too. What was opened is then
mounted from its descriptor. The user is told which mount failed, not what was found on the host.

The kubelet does this step by step; here the kernel does it in one (openat2(2) with RESOLVE_BENEATH).
"""

from __future__ import annotations

import os
import stat

from podward.runtime import syscalls

_ANYTHING = os.O_PATH | os.O_CLOEXEC
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_INSIDE = syscalls.RESOLVE_BENEATH | syscalls.RESOLVE_NO_MAGICLINKS
_NO_LINKS = _INSIDE | syscalls.RESOLVE_NO_SYMLINKS


class SubPathError(Exception):
    """A subPath that can't be had: which step failed, in the kubelet's words. The errno is its cause."""


def open_inside(volume: str, sub_path: str, owner: int = 0) -> int:
    """A descriptor (O_PATH) of `sub_path` in the volume's directory, made if missing; raises SubPathError.

    `owner` is the uid and the gid of directories that are made.
    """
    try:
        root = os.open(volume, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise SubPathError("failed to prepare subPath") from error
    try:
        return syscalls.openat2(root, sub_path, _ANYTHING, _INSIDE)
    except FileNotFoundError:
        try:
            return _make(root, [step for step in sub_path.split("/") if step not in {"", "."}], owner)
        except OSError as error:
            raise SubPathError("failed to create subPath directory") from error
    except OSError as error:
        raise SubPathError("failed to prepare subPath") from error
    finally:
        os.close(root)


def _make(root: int, steps: list[str], owner: int) -> int:
    mode = stat.S_IMODE(os.fstat(root).st_mode)
    existing = _deepest_existing(root, steps)
    parent = syscalls.openat2(root, "/".join(steps[:existing]) or ".", os.O_RDONLY | os.O_DIRECTORY, _INSIDE)
    try:
        for step in steps[existing:]:
            os.mkdir(step, 0o700, dir_fd=parent)
            child = syscalls.openat2(parent, step, _DIRECTORY, _NO_LINKS)
            os.close(parent)
            parent = child
            if owner:
                os.fchown(parent, owner, owner)
            os.fchmod(parent, mode)
        return os.open(f"/proc/self/fd/{parent}", _ANYTHING)
    finally:
        os.close(parent)


def _deepest_existing(root: int, steps: list[str]) -> int:
    """How many of the steps lead to something that is there."""
    for count in range(len(steps) - 1, 0, -1):
        try:
            os.close(syscalls.openat2(root, "/".join(steps[:count]), _ANYTHING, _INSIDE))
        except FileNotFoundError:
            continue
        return count
    return 0
