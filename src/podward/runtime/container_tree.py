"""The files of a container that does not run yet: the image's, and what will be mounted over them.

What exists on this machine is walked as it is. What will be made (emptyDir, a missing hostPath, the Pod's own files, a
tmpfs) is known by its owner and mode. What the kernel will show (/proc, /sys) is not known.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from posixpath import normpath

from msgspec import Struct, structs

from podward.api.core import Container, Pod, VolumeMount
from podward.api.filesystem import FileAccessFacts, MountFlags, PlannedFile, parse_acl
from podward.api.oci import Device, Mount, RuntimeSpec
from podward.api.process import MountState, ProcessState
from podward.policy.hints.facts import FileFacts, VolumeFacts
from podward.policy.kernel import devices, earlier_containers
from podward.policy.kernel.earlier_containers import EarlierContainer
from podward.policy.kernel.mounts import is_bind
from podward.policy.kernel.user_namespace import is_identity
from podward.policy.kubelet import container_files
from podward.policy.runtime.image_volumes import DIRECTORY_MODE
from podward.runtime import syscalls
from podward.runtime.explaining.facts import IMAGE_VOLUMES
from podward.runtime.walk import IdLines, Tree, TreeMount

_INSIDE = syscalls.RESOLVE_BENEATH | syscalls.RESOLVE_NO_MAGICLINKS
_POD_FILE, _SHM = FileAccessFacts("", mode=stat.S_IFREG | 0o644), FileAccessFacts("", mode=stat.S_IFDIR | 0o1777)


class ContainerFiles(Struct, frozen=True):
    """A container as `explain` knows it.

    `process` is the predicted state, `spec` the runtime spec that was decided, `runtime` the OCI runtime's kind,
    `image_root` the image's unpacked files, `volumes` what the Pod's volumes would be, `planned` the files that would
    be made in them. `earlier` are the containers that start before it. `made` are the directories that the runtime
    makes in its root, where the image has none. `sources` are the paths of the volumes whose
    files are on this machine.
    """

    pod: Pod
    container: Container
    spec: RuntimeSpec
    process: ProcessState
    image_root: str
    runtime: str = "crun"
    volumes: tuple[VolumeFacts, ...] = ()
    earlier: tuple[EarlierContainer, ...] = ()
    made: tuple[str, ...] = ()
    planned: Mapping[str, PlannedFile] = {}
    sources: Mapping[str, str] = {}


def tree_of(files: ContainerFiles) -> Tree:
    """The container's tree."""
    lines: IdLines = () if is_identity(files.process.uid_map) else files.process.uid_map
    flags = MountFlags(readonly=files.process.root_readonly)
    root = TreeMount("/", files.image_root, flags=flags, lines=lines, origin="image")
    owner = lines[0][1] if lines else 0
    mounts = [_made_directory(files, place, flags) for place in files.made if not _in_image(files, place)[0]]
    for mount in files.spec.mounts:
        mounts.append(_mount(files, mount, lines, owner))
        if mounts[-1].destination == "/dev" and mount.type == "tmpfs":
            mounts += _devices(files.spec, flags=mounts[-1].flags, shared=bool(lines))
    return Tree(root, tuple(mounts), (owner, owner))


def _made_directory(files: ContainerFiles, place: str, flags: MountFlags) -> TreeMount:
    """The process's own directory, which the runtime makes for it."""
    process = files.process
    root = FileAccessFacts("", process.uid[0], process.gid[0], stat.S_IFDIR | DIRECTORY_MODE)
    return TreeMount(place, root=root, flags=flags, origin="runtime")


def _in_image(files: ContainerFiles, place: str) -> tuple[str, bool]:
    return _inside(files.image_root, place.lstrip("/"))


def _image_volume(files: ContainerFiles, place: str, flags: MountFlags, lines: IdLines, owner: int) -> TreeMount:
    """A volume of the image: what the image has there, writable; or an empty directory."""
    found, _ = _in_image(files, place)
    if found:
        return TreeMount(place, found, flags=flags, lines=lines, origin="image")
    root = FileAccessFacts("", owner, owner, stat.S_IFDIR | DIRECTORY_MODE)
    return TreeMount(place, root=root, flags=flags, origin="image")


def _devices(spec: RuntimeSpec, *, flags: MountFlags | None, shared: bool) -> list[TreeMount]:
    """The device nodes in a new /dev: the runtime's own, and those of the spec.

    With a user namespace they are `shared`: the host's files, bound.
    """
    own = (Device(f"/dev/{name}", *devices.WATCHED[name], file_mode=0o666) for name in devices.NODES)
    nodes = {device.path: device for device in (*own, *spec.linux.devices)}
    if shared:
        return [TreeMount(path, path, origin="runtime") for path in nodes if os.path.lexists(path)]
    return [TreeMount(path, root=_node(device), flags=flags, origin="runtime") for path, device in nodes.items()]


def _node(device: Device) -> FileAccessFacts:
    kind = stat.S_IFBLK if device.type == "b" else stat.S_IFCHR
    mode = kind | (0o666 if device.file_mode is None else device.file_mode)
    return FileAccessFacts("", device.uid or 0, device.gid or 0, mode, major=device.major, minor=device.minor)


def _mount(files: ContainerFiles, mount: Mount, lines: IdLines, owner: int) -> TreeMount:
    place = normpath("/" + mount.destination.lstrip("/"))
    flags = _flags(files.process, place)
    asked = next((m for m in files.container.volume_mounts or () if _same(m.mount_path, place)), None)
    if asked is not None:
        return _volume(files, asked, place, flags, lines)
    if mount.source.startswith(f"{IMAGE_VOLUMES}/"):
        return _image_volume(files, place, flags, lines, owner)
    if is_bind(mount):
        if os.path.lexists(mount.source):
            return TreeMount(place, mount.source, flags=flags, origin="runtime")
        made = _SHM if place == "/dev/shm" else _POD_FILE  # noqa: S108  # a path in the container
        if _same(container_files.log_path(files.container), place):
            made = FileAccessFacts("", mode=stat.S_IFREG | container_files.LOG_MODE)
        if made is not _SHM:
            made = FileAccessFacts("", owner, owner, made.mode)
        return TreeMount(place, root=made, flags=flags, origin="runtime")
    if mount.type != "tmpfs":
        return TreeMount(place)
    # The runtime fills /dev and the cgroups' directory itself.
    sealed = place in ("/dev", "/sys/fs/cgroup")
    return TreeMount(place, root=_tmpfs(mount, owner), flags=flags, origin="runtime", sealed=sealed)


def _volume(files: ContainerFiles, asked: VolumeMount, place: str, flags: MountFlags, lines: IdLines) -> TreeMount:
    known = next((v for v in files.volumes if v.name == asked.name), VolumeFacts(asked.name, ""))
    if asked.sub_path_expr:
        why = f"is where the subPathExpr of volume {asked.name} leads, which is known only when the container runs"
        return TreeMount(place, why=why)
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
    writers = earlier_containers.writers(asked, files.earlier)
    source = files.sources.get(asked.name, "")
    found, made = _inside(source, asked.sub_path or "") if source else ("", False)
    if found:
        return TreeMount(place, found, flags=flags, lines=lines, origin=known.kind, volume=asked.name, writers=writers)
    if any(writer.may_be_root for writer in writers):
        return TreeMount(place, volume=asked.name, writers=writers)
    root = _facts(known.root)
    if root is not None and (made or asked.sub_path):
        root = _made(root, lines)
    why = f"is on volume {asked.name} ({known.kind}), whose files nobody knows here" if root is None else ""
    return TreeMount(place, root=root, flags=flags, origin=known.kind, volume=asked.name, writers=writers, why=why)


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
