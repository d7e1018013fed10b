"""What the files of a container, as they stand before it is created, would lead an OCI runtime into.

crun 1.8 reads /etc/passwd, runc 1.1 /etc/group too, while they create the container: with what its volumes hold. They
open what they find. A pipe keeps them waiting for a writer for ever; /dev/zero has no end, and runc keeps all of it. An
init container can have put either there. Programs in the container look there, too.

They mount the kubelet's files, and volumes, where links of the image lead: a file over /dev/null would then be what
paths are masked with, and one over a file of /proc would change what the kernel says.
"""

from __future__ import annotations

import os
import stat
from posixpath import normpath

from podward.runtime.rooted_tree import RootedTree

_USER_FILES = ("/etc/passwd", "/etc/group")
_KUBELETS_FILES = ("/etc/hosts", "/etc/hostname", "/etc/resolv.conf")
_KERNELS = ("dev", "proc", "sys")
"""What is below these, the kernel or the runtime makes: nothing that is mounted elsewhere, and no file of users."""
_EVERY_CONTAINERS = frozenset(
    (
        *("/proc", "/sys", "/sys/fs/cgroup", "/dev", "/dev/pts", "/dev/mqueue", "/dev/shm"),  # noqa: S108  # its own
        *("/dev/termination-log", *_KUBELETS_FILES),
    )
)


def fault(rootfs: str, mounts: tuple[tuple[str, str], ...]) -> str:
    """What is wrong, with the path in the container; empty if nothing is.

    `rootfs` is the root on the host; `mounts` are the container's in order, as (destination, source on the host), ""
    being a file system that the kernel fills.
    """
    if all(normpath(destination) in _EVERY_CONTAINERS for destination, _ in mounts) and _plain(rootfs):
        return ""
    with RootedTree(rootfs, mounts) as tree:
        for (destination, _), place in zip(mounts, tree.landed, strict=True):
            names = tuple(name for name in normpath("/" + destination.lstrip("/")).split("/") if name)
            if place[:1] != names[:1] and place[:1] and place[0] in _KERNELS:
                return f"{destination}, where something is to be mounted, leads to /{'/'.join(place)}"
        faults = (_of_users(file, *tree.place(file)) for file in _USER_FILES)
        return next(filter(None, faults), "")


def _of_users(file: str, place: tuple[str, ...], mode: int) -> str:
    """What keeps this from being a file that ends; `place` is where it leads to."""
    if stat.S_ISFIFO(mode):
        return f"{file} is a pipe, and who looks a user up there waits for ever"
    if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
        return f"{file} is a device, and who looks a user up there may wait for ever"
    if not mode and place[:1] and place[0] in _KERNELS and place != ("dev", "null"):
        return f"{file} leads to /{'/'.join(place)}, and who looks a user up there may wait for ever"
    return ""


def _plain(rootfs: str) -> bool:
    """Whether the image's own are regular files in a directory, or absent: no link leads elsewhere."""
    files = ((f"{rootfs}{file}", stat.S_IFREG) for file in (*_USER_FILES, *_KUBELETS_FILES))
    for path, kind in ((f"{rootfs}/etc", stat.S_IFDIR), *files):
        try:
            if stat.S_IFMT(os.lstat(path).st_mode) != kind:
                return False
        except FileNotFoundError:
            continue
    return True
