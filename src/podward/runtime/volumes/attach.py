"""Bind mounts of open files, with the ids of a user namespace where the Pod has one.

A mount is made from a descriptor, never from a path: what a container puts where the path leads, after it was looked
at, can't change what is mounted (open_tree(2), mount_setattr(2), move_mount(2); Linux 5.12).

Mounts below the source come along. In a user namespace only the source itself is id-mapped, as OCI runtimes do it:
files of mounts below it keep the host's ids, which show as nobody's inside.
"""

from __future__ import annotations

import errno
import os
import stat

from podward.errors import NodeError
from podward.runtime import syscalls

UNMAPPABLE = (
    "put the volume on a file system that can be id-mapped (ext4, xfs, btrfs; from Linux 6.3 tmpfs, where Secrets and "
    "tokens are, too), or leave hostUsers out"
)


def bind(descriptor: int, target: str, userns: str = "") -> None:
    """Mount the open file or directory at `target`, which is made (its parents too); what is mounted there goes first.

    `userns` is the path of a pinned user namespace, or empty. Raises NodeError where the file system can't be mapped.
    """
    make_target(target, directory=stat.S_ISDIR(os.fstat(descriptor).st_mode))
    flags = syscalls.OPEN_TREE_CLONE | syscalls.AT_EMPTY_PATH | syscalls.AT_RECURSIVE
    tree = syscalls.open_tree(descriptor, "", flags)
    try:
        if userns:
            _map_ids(tree, userns, os.readlink(f"/proc/self/fd/{descriptor}"))
        syscalls.move_mount(tree, target)
    finally:
        os.close(tree)


def share(target: str) -> None:
    """Let mounts made below `target` show in every other mount of it (mount_namespaces(7), shared)."""
    syscalls.mount("", target, "", syscalls.MS_SHARED | syscalls.MS_REC, "")


def detach(target: str) -> None:
    """Unmount everything that is mounted at `target`, one on top of the other; nothing there is fine."""
    while True:
        try:
            syscalls.umount2(target, syscalls.MNT_DETACH | syscalls.UMOUNT_NOFOLLOW)
        except OSError as error:
            if error.errno in {errno.EINVAL, errno.ENOENT}:  # not a mount point any more; not there
                return
            raise


def make_target(target: str, *, directory: bool) -> None:
    """An empty file or directory to mount on; one that is there, with its mounts, is taken away first."""
    detach(target)
    os.makedirs(os.path.dirname(target), mode=0o700, exist_ok=True)
    if os.path.isdir(target) != directory and os.path.lexists(target):
        (os.unlink if directory else os.rmdir)(target)
    if directory:
        os.makedirs(target, mode=0o700, exist_ok=True)
    else:
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))


def _map_ids(tree: int, userns: str, source: str) -> None:
    namespace = os.open(userns, os.O_RDONLY | os.O_CLOEXEC)
    try:
        syscalls.mount_setattr(tree, syscalls.MOUNT_ATTR_IDMAP, recursive=False, userns=namespace)
    except OSError as error:
        raise NodeError(
            f"cannot map the volume's ids into the Pod's user namespace: {error.strerror}",
            where=source,
            advice=UNMAPPABLE,
        ) from error
    finally:
        os.close(namespace)
