"""Whether the container's /etc/passwd and /etc/group are files that end.

crun 1.8 reads /etc/passwd, runc 1.1 both, while they create the container: as they stand in its tree then, with what
its volumes hold. They open what they find. A pipe keeps them waiting for a writer for ever; /dev/zero has no end, and
runc keeps all of it. An init container can have put either there. Programs in the container look there, too.
"""

from __future__ import annotations

import os
import stat
from posixpath import normpath

from podward.runtime.rooted_tree import RootedTree

_FILES = ("/etc/passwd", "/etc/group")
_KERNELS = ("dev", "proc", "sys")
"""What is below these, only the running container knows: but no file of users."""
_EVERY_CONTAINERS = frozenset(
    (
        *("/proc", "/sys", "/sys/fs/cgroup", "/dev", "/dev/pts", "/dev/mqueue", "/dev/shm"),  # noqa: S108  # its own
        *("/dev/termination-log", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf"),
    )
)


def fault(rootfs: str, mounts: tuple[tuple[str, str], ...]) -> str:
    """What is wrong with one of them, with its path; empty if nothing is.

    `rootfs` is the root on the host; `mounts` are the container's in order, as (destination, source on the host), ""
    being a file system that the kernel fills.
    """
    if all(normpath(destination) in _EVERY_CONTAINERS for destination, _ in mounts) and _plain(rootfs):
        return ""
    with RootedTree(rootfs, mounts) as tree:
        for file in _FILES:
            place, mode = tree.place(file)
            if stat.S_ISFIFO(mode):
                return f"{file} is a pipe"
            if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
                return f"{file} is a device"
            if not mode and place[:1] and place[0] in _KERNELS and place != ("dev", "null"):
                return f"{file} leads to /{'/'.join(place)}"
    return ""


def _plain(rootfs: str) -> bool:
    """Whether the image's own are regular files in a directory, or absent: no link leads elsewhere."""
    wanted = ((f"{rootfs}/etc", stat.S_IFDIR), *((f"{rootfs}{file}", stat.S_IFREG) for file in _FILES))
    for path, kind in wanted:
        try:
            if stat.S_IFMT(os.lstat(path).st_mode) != kind:
                return False
        except FileNotFoundError:
            continue
    return True
