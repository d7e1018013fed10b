"""A container's root file system: an overlay over the image's unpacked files.

With a user namespace, the image's files (owned by host ids 0, 1000, …) must appear under the Pod's range: the lower
layer is mounted id-mapped, and the upper layer's root is owned by the range's first id, so what the container writes
is owned by ids of its range on disk too. Nothing is chowned, unless Podward is not the machine's root.

What a container writes there lasts as long as the container, and none outlives a crash of the machine. So the overlay
is volatile (Linux 5.10): else all of it would be written to the disk when the overlay is unmounted, with everybody
waiting.
"""

from __future__ import annotations

import errno
import os

from podward.api.cri import IDMapping
from podward.api.node import IDENTITY
from podward.errors import NodeError
from podward.runtime import machine, syscalls

_IN_NAMESPACE = ",userxattr"
"""Overlayfs keeps its notes in user.* attributes then: those that it has else are the machine's root's (Linux 5.11)."""


def mount(image_root: str, directory: str, mapping: IDMapping | None, userns: str) -> str:
    """Mount the overlay below `directory`; returns the root's path.

    `userns` is the pinned user namespace whose map is used where `mapping` is given.
    """
    lower, in_namespace = image_root, machine.id_map("uid_map") != IDENTITY
    paths = {name: f"{directory}/{name}" for name in ("upper", "work", "rootfs")}
    for path in paths.values():
        os.mkdir(path, 0o700)
    facts = os.stat(image_root)
    if mapping is not None:
        lower = f"{directory}/lower"
        os.mkdir(lower, 0o700)
        _map(image_root, lower, mapping, userns)
        os.chown(paths["upper"], mapping.host_id + facts.st_uid, mapping.host_id + facts.st_gid)
    else:
        os.chown(paths["upper"], facts.st_uid, facts.st_gid)
    os.chmod(paths["upper"], facts.st_mode & 0o7777)
    for path in (lower, directory):
        if set(path) & set(",:\\"):
            advice = "choose a state directory without commas, colons and backslashes"
            raise NodeError("overlayfs can't take this path", where=path, advice=advice)
    options = f"lowerdir={lower},upperdir={paths['upper']},workdir={paths['work']}{_IN_NAMESPACE * in_namespace}"
    try:
        _mount_overlay(paths["rootfs"], options)
    except OSError as error:
        raise NodeError(
            f"cannot mount the container's overlay: {error.strerror}",
            where=directory,
            advice="the state directory must be on a file system that overlayfs accepts as upper layer (ext4, xfs)",
        ) from error
    return paths["rootfs"]


def _mount_overlay(target: str, options: str) -> None:
    try:
        syscalls.mount("overlay", target, "overlay", 0, f"{options},volatile")
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        syscalls.mount("overlay", target, "overlay", 0, options)  # an older kernel


def _map(image_root: str, lower: str, mapping: IDMapping, userns: str) -> None:
    """The image's files at `lower`, with the ids of the Pod's user namespace."""
    if machine.id_map("uid_map") == IDENTITY:
        syscalls.idmapped_bind(image_root, lower, userns)
        return
    from podward.runtime.rootless import shifted_copy  # only the machine's root may map a mount's ids

    shifted_copy.copy(image_root, lower, mapping)


def unmount(directory: str) -> None:
    """Take the overlay (and the id-mapped lower layer) away; what is not mounted is fine."""
    for name in ("rootfs", "lower"):
        target = f"{directory}/{name}"
        if os.path.isdir(target):
            syscalls.unmount_if_mounted(target)
