"""Looking at a Pod's volumes: what each source would be, by the rules that make it; nothing is made."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping

from msgspec import Struct

from podward.api.filesystem import PlannedFile, acl_text
from podward.api.process import MountState
from podward.decision import Decision, Unknown, assign
from podward.errors import NodeError
from podward.path import path
from podward.policy.hints.facts import FileFacts
from podward.policy.kubelet import empty_dir, fs_group, host_path, volume_files
from podward.policy.kubelet.resolved_volumes import DRIVER, LOCAL
from podward.policy.kubelet.volume_files import VolumeFiles
from podward.policy.kubelet.volumes import NODE
from podward.runtime import machine
from podward.runtime.acl import parse_attribute
from podward.runtime.explaining import planned_files
from podward.runtime.volumes import PreparedVolume, host, image
from podward.runtime.volumes.request import MadeVolume, VolumeRequest

ACL = "system.posix_acl_access"


class SeenVolume(Struct, frozen=True):
    """A volume as it would be made.

    `root` is its top, with the ids on disk, None if nobody knows it; `planned` the files that are made in it, and
    `files` these by their paths. `flags` are those of its mount, or the path of
    something that is on the same mount, None where the volume is there already.
    """

    made: MadeVolume
    root: FileFacts | None = None
    flags: str | MountState | None = None
    planned: PlannedFile | None = None
    files: tuple[tuple[str, FileFacts], ...] = ()


def empty(request: VolumeRequest) -> SeenVolume:
    """An emptyDir."""
    source = request.volume.empty_dir
    if source is None:
        return SeenVolume(MadeVolume(Decision()))
    memory = machine.memory() if source.medium == "Memory" else 0
    decision = empty_dir.decide(source, memory, request.pod.spec, request.where, request.place)
    if decision.refused:
        return SeenVolume(MadeVolume(decision))
    in_memory = decision.fold(empty_dir.EmptyDirectory).medium == "Memory"
    walk, root = given(request, empty_dir.MODE | (stat.S_ISVTX if in_memory else 0))
    prepared = PreparedVolume(request.volume.name, request.target, managed=True)
    made = MadeVolume((decision + walk).at(request.where), prepared)
    return SeenVolume(made, root, MountState(request.target) if in_memory else "")


def given(request: VolumeRequest, mode: int) -> tuple[Decision, FileFacts]:
    """The new directory of root's and of this mode once it is given to the Pod's fsGroup, and who decided that."""
    root = fs_group.FileFacts("directory", 0, mode)
    walk = fs_group.decide(request.pod.spec.security_context, root, request.place, fresh=True)
    group = walk.fold(fs_group.OwnershipChange).group
    owned = fs_group.ownership(root, group) if group is not None else fs_group.Ownership(0, mode)
    return walk, FileFacts(0, owned.gid, stat.S_IFDIR | (owned.mode or mode))


def host_file(request: VolumeRequest) -> SeenVolume:
    """A hostPath."""
    source = request.volume.host_path
    if source is None:
        return SeenVolume(MadeVolume(Decision()))
    decision = host_path.decide(source, host.found(source.path), request.where, request.place)
    if decision.refused:
        return SeenVolume(MadeVolume(decision))
    plan = decision.fold(host_path.HostFile)
    real = os.path.realpath(plan.path)
    made = MadeVolume(decision.at(request.where), PreparedVolume(request.volume.name, real, managed=False))
    if plan.create:
        mode = stat.S_IFDIR | 0o755 if plan.create == "Directory" else stat.S_IFREG | 0o644
        return SeenVolume(made, FileFacts(0, 0, mode), _nearest(real))
    return SeenVolume(made, _file_facts(real))


def local(request: VolumeRequest) -> SeenVolume:
    """A directory of the node, as fsGroup would leave it."""
    at, readonly = request.resolved.directory, request.resolved.readonly
    decision = host_path.decide_local(at, host.found(at), request.where)
    if decision.refused:
        return SeenVolume(MadeVolume(decision))
    real = os.path.realpath(at)
    root = _file_facts(real)
    if not readonly:
        owned = fs_group.FileFacts("directory", root.gid, stat.S_IMODE(root.mode))
        walk = fs_group.decide(request.pod.spec.security_context, owned, request.place)
        group = walk.fold(fs_group.OwnershipChange).group
        if group is not None:
            given_to = fs_group.ownership(owned, group)
            root = FileFacts(root.uid, given_to.gid, stat.S_IFDIR | (given_to.mode or owned.mode))
        decision += walk
    prepared = PreparedVolume(request.volume.name, real, managed=not readonly)
    return SeenVolume(MadeVolume(decision.at(request.where), prepared), root)


def driver(request: VolumeRequest) -> SeenVolume:
    """A driver's volume, of which nothing more is known than what `resolved` says."""
    prepared = PreparedVolume(request.volume.name, request.target, managed=False)
    return SeenVolume(MadeVolume(Decision(), prepared), None, "")


def image_files(request: VolumeRequest) -> SeenVolume:
    """An image; its files, where it is here."""
    source = request.volume.image
    reference = (source.reference if source is not None else "") or ""
    decision, find = image.decide(request, reference), request.node.image_root
    found = find(reference) if find is not None else Unknown("it is not here", "run it here")
    if isinstance(found, Unknown):
        decision += assign(path("content"), found, "the image's files", NODE)
        made = MadeVolume(decision.at(request.where), image.prepared(request, request.target))
        return SeenVolume(made, None, MountState(request.target))
    made = MadeVolume(decision.at(request.where), image.prepared(request, found))
    return SeenVolume(made, _file_facts(found), MountState(found))


def files(request: VolumeRequest) -> SeenVolume:
    """The files of a secret, configMap, downwardAPI or projected volume."""
    decision = volume_files.decide(request.volume, request.about, request.where)
    prepared = PreparedVolume(request.volume.name, request.target, managed=True, readonly=True)
    if decision.final:
        return SeenVolume(MadeVolume(decision))
    plan = decision.fold(VolumeFiles)
    top = planned_files.layout(plan, request, partial=bool(decision.refused or decision.unknowns))
    owned = ((file.path, volume_files.ownership(file, request.pod)) for file in plan.files)
    return SeenVolume(
        MadeVolume(decision.at(request.where), prepared),
        FileFacts(top.uid, top.gid, top.mode),
        MountState(request.target) if plan.medium else "",
        top,
        tuple((path, FileFacts(uid, gid, stat.S_IFREG | mode)) for path, (uid, gid, mode) in owned),
    )


LOOKS: Mapping[str, Callable[[VolumeRequest], SeenVolume]] = {
    "empty_dir": empty,
    "host_path": host_file,
    "secret": files,
    "config_map": files,
    "downward_api": files,
    "projected": files,
    LOCAL: local,
    DRIVER: driver,
    "image": image_files,
}
"""What looks at the volumes of each source, by the field of `ResolvedVolume`: one for each of `MAKERS`."""


def _file_facts(path: str) -> FileFacts:
    try:
        found = os.lstat(path)
        try:
            acl = acl_text(parse_attribute(os.getxattr(path, ACL, follow_symlinks=False), path))
        except OSError:
            acl = ""  # no ACL, or a file system without
    except OSError as error:
        raise NodeError(f"cannot look at the hostPath: {error.strerror}", where=path) from error
    return FileFacts(found.st_uid, found.st_gid, found.st_mode, acl)


def _nearest(path: str) -> str:
    """The closest directory above that is there."""
    while not os.path.lexists(path):
        path = os.path.dirname(path)
    return path
