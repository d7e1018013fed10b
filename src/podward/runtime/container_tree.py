"""The files of a container that does not run yet: the image's, and what will be mounted over them.

What exists on this machine is walked as it is. What will be made (emptyDir, a missing hostPath, the Pod's own files, a
tmpfs) is known by its owner and mode. What the kernel will show (/proc, /sys, devices) is not known.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from posixpath import normpath

from msgspec import Struct, structs

from podward.api.core import Container, Pod, VolumeMount
from podward.api.filesystem import FileAccessFacts, MountFlags, PlannedFile, parse_acl
from podward.api.oci import Mount, RuntimeSpec
from podward.api.process import MountState, ProcessState
from podward.api.volume import Volume
from podward.errors import InputError
from podward.policy.hints.facts import FileFacts, VolumeFacts
from podward.policy.kernel.mounts import is_bind
from podward.policy.kernel.user_namespace import IDENTITY
from podward.runtime import syscalls
from podward.runtime.walk import IdLines, Tree, TreeMount

_INSIDE = syscalls.RESOLVE_BENEATH | syscalls.RESOLVE_NO_MAGICLINKS
_POD_FILE, _SHM = FileAccessFacts("", mode=stat.S_IFREG | 0o644), FileAccessFacts("", mode=stat.S_IFDIR | 0o1777)


class ContainerFiles(Struct, frozen=True):
    """A container as `explain` knows it.

    `process` is the predicted state, `spec` the runtime spec that was decided, `image_root` the image's unpacked files,
    `volumes` what the Pod's volumes would be, and `planned` the files that would be made in them.
    """

    pod: Pod
    container: Container
    spec: RuntimeSpec
    process: ProcessState
    image_root: str
    volumes: tuple[VolumeFacts, ...] = ()
    planned: Mapping[str, PlannedFile] = {}


def tree_of(files: ContainerFiles) -> Tree:
    """The container's tree. Raises InputError for a volume whose place in the tree depends on the running Pod."""
    lines: IdLines = () if files.process.uid_map == IDENTITY else files.process.uid_map
    flags = MountFlags(readonly=files.process.root_readonly)
    root = TreeMount("/", files.image_root, flags=flags, lines=lines, origin="image")
    owner = lines[0][1] if lines else 0
    mounts = tuple(_mount(files, mount, lines, owner) for mount in files.spec.mounts)
    return Tree(root, mounts, (owner, owner))


def _mount(files: ContainerFiles, mount: Mount, lines: IdLines, owner: int) -> TreeMount:
    place = normpath("/" + mount.destination.lstrip("/"))
    flags = _flags(files.process, place)
    asked = next((m for m in files.container.volume_mounts or () if _same(m.mount_path, place)), None)
    if asked is not None:
        return _volume(files, asked, place, flags, lines)
    if is_bind(mount):
        if os.path.lexists(mount.source):
            return TreeMount(place, mount.source, flags=flags, origin="runtime")
        made = _SHM if place == "/dev/shm" else _POD_FILE  # noqa: S108  # a path in the container
        if made is _POD_FILE:
            made = FileAccessFacts("", owner, owner, made.mode)
        return TreeMount(place, root=made, flags=flags, origin="runtime")
    if mount.type != "tmpfs":
        return TreeMount(place)
    # The runtime fills /dev and the cgroups' directory itself.
    sealed = place in ("/dev", "/sys/fs/cgroup")
    return TreeMount(place, root=_tmpfs(mount, owner), flags=flags, origin="runtime", sealed=sealed)


def _volume(files: ContainerFiles, asked: VolumeMount, place: str, flags: MountFlags, lines: IdLines) -> TreeMount:
    volume = next((v for v in files.pod.spec.volumes or () if v.name == asked.name), Volume(asked.name))
    known = next((v for v in files.volumes if v.name == asked.name), VolumeFacts(asked.name, ""))
    if asked.sub_path_expr:
        raise InputError(
            f"where the subPathExpr of volume {asked.name} leads is known only when the container runs",
            where=place,
            advice="use a subPath, or look with `podward run --keep`",
        )
    planned = files.planned.get(asked.name)
    if planned is not None:
        there = planned.find(asked.sub_path or "")
        planned = there if there is not None else structs.replace(planned, inside={})  # a subPath that is made
        return TreeMount(
            place,
            planned=planned,
            flags=flags,
            lines=lines,
            origin=known.kind,
            volume=asked.name,
            sealed=planned.partial,
        )
    source = os.path.realpath(volume.host_path.path) if volume.host_path is not None else ""
    found, made = _inside(source, asked.sub_path or "") if source else ("", False)
    if found:
        return TreeMount(place, found, flags=flags, lines=lines, origin=known.kind, volume=asked.name)
    root = _facts(known.root)
    if root is not None and (made or asked.sub_path):
        root = _made(root, lines)
    return TreeMount(place, root=root, flags=flags, origin=known.kind, volume=asked.name)


def _inside(source: str, sub_path: str) -> tuple[str, bool]:
    """The path on this machine of what is mounted, empty where it will be made; and whether a subPath will be."""
    try:
        root = os.open(source, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return "", False
    try:
        if not sub_path:
            return source, False
        found = syscalls.openat2(root, sub_path, os.O_PATH, _INSIDE)
    except OSError:
        return "", True
    finally:
        os.close(root)
    try:
        return os.readlink(f"/proc/self/fd/{found}"), False
    finally:
        os.close(found)


def _made(volume: FileAccessFacts, lines: IdLines) -> FileAccessFacts:
    """A subPath that is made: root's directory of the volume's mode; the group is the volume's where that is setgid."""
    owner = lines[0][1] if lines else 0
    group = volume.gid if volume.mode & stat.S_ISGID else owner
    return FileAccessFacts("", owner, group, volume.mode)


def _facts(root: FileFacts | None) -> FileAccessFacts | None:
    if root is None:
        return None
    return FileAccessFacts("", root.uid, root.gid, root.mode, parse_acl(root.acl))


def _tmpfs(mount: Mount, owner: int) -> FileAccessFacts:
    """The root of a new tmpfs: mode 1777 unless its options say otherwise (tmpfs(5))."""
    options = dict(option.split("=", 1) for option in mount.options if "=" in option)
    return FileAccessFacts("", owner, owner, stat.S_IFDIR | int(options.get("mode", "1777"), 8))


def _flags(process: ProcessState, place: str) -> MountFlags:
    state = next((m for m in process.mounts if m.destination == place), MountState(place))
    return MountFlags(readonly=state.readonly, noexec=state.noexec, nodev=state.nodev)


def _same(mount_path: str, place: str) -> bool:
    return normpath("/" + mount_path.lstrip("/")) == place
