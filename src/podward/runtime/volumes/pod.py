"""All volumes of one Pod, below its directory.

    volumes/NAME                                  a volume of the Pod's own
    volume-binds/NAME                             a volume as the Pod's user namespace sees it, or shared
    volume-subpaths/NAME/CONTAINER/INDEX          a subPath, bound

Every mount is made in the mount namespace of this process and goes with it; `remove` takes mounts and directories
away while the process lives on.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from msgspec import Struct, structs

from podward.api.core import Container
from podward.api.cri import IDMapping, ImageSpec, KeyValue, Mount
from podward.api.effective import Place
from podward.api.pod_facts import PodFacts
from podward.api.version import KUBERNETES
from podward.decision import Decision, Origin, Source, refuse
from podward.errors import NodeError
from podward.path import Path
from podward.pipeline import ContainerMounts
from podward.policy.kubelet import environment, volume_mounts, volumes
from podward.policy.kubelet.resolved_volumes import DRIVER, LOCAL, needs_driver
from podward.policy.runtime import without_root
from podward.runtime.volumes import attach, empty, host, subpath
from podward.runtime.volumes.removal import remove_tree
from podward.runtime.volumes.request import MadeVolume, PreparedVolume, VolumeNode, VolumeRequest, named, requests
from podward.schema.validation.names import label

DIRECTORIES = ("volume-subpaths", "volume-binds", "volumes")
_SHARED = volume_mounts.PROPAGATIONS["Bidirectional"]
NO_NODE = VolumeNode()
KUBELET = Source(Origin.RULE, f"kubelet {KUBERNETES} subPath")


def _files(request: VolumeRequest) -> MadeVolume:
    from podward.runtime.volumes import files  # most Pods have none, and start-up counts

    return files.prepare(request)


def _refuse_driver(request: VolumeRequest) -> MadeVolume:
    return MadeVolume(needs_driver(request.resolved, request.where, request.objects))


def _mount_image(request: VolumeRequest) -> MadeVolume:
    from podward.runtime.volumes import image  # few Pods have one, and start-up counts

    return image.prepare(request)


MAKERS: Mapping[str, Callable[[VolumeRequest], MadeVolume]] = {
    "empty_dir": empty.prepare,
    "host_path": host.prepare,
    "secret": _files,
    "config_map": _files,
    "downward_api": _files,
    "projected": _files,
    LOCAL: host.prepare_local,
    DRIVER: _refuse_driver,
    "image": _mount_image,
}
"""What makes the volumes of each source, by the field of `ResolvedVolume`."""


class _Environment(Struct, frozen=True):
    envs: tuple[KeyValue, ...] = ()


class _SubPath(Struct, frozen=True):
    """A subPath of a container: where it is mounted, and where the manifest asks for it."""

    mount: volume_mounts.ResolvedMount
    target: str
    where: Path


class PodVolumes:
    """The volumes of one Pod.

    `directory` is the Pod's own.
    """

    def __init__(
        self,
        directory: str,
        about: PodFacts,
        *,
        node: VolumeNode = NO_NODE,
    ) -> None:
        self._directory = directory
        self._about = about
        self._pod = about.pod
        self._place = about.place
        self._node = node
        self._userns = node.userns
        self._volumes: dict[str, PreparedVolume] = {}
        self._binds: list[str] = []
        self._sub_paths: dict[str, list[_SubPath]] = {}

    @property
    def prepared(self) -> tuple[PreparedVolume, ...]:
        """What `prepare` has made, in the manifest's order."""
        return tuple(self._volumes.values())

    def prepare(self) -> Decision:
        """Make every volume. The Decision says how and why; with a violation, which refuses the Pod, no more is made.

        Raises NodeError where this machine can't.
        """
        decision = volumes.admit(self._pod.spec, self._place)
        for field, request in requests(self._about, self._directory, self._node):
            if decision.final:
                break
            decision += self._prepare(field, request)
        return decision

    def _prepare(self, field: str, request: VolumeRequest) -> Decision:
        """Make one volume."""
        decision = named(request) + request.resolved.notes.at(request.where)
        if decision.final:
            return decision
        made = self._in_its_range(self._make(field, request), request)
        prepared = made.prepared
        if prepared is not None:
            readonly = prepared.readonly or request.resolved.readonly
            self._volumes[prepared.name] = structs.replace(prepared, readonly=readonly)
        return decision + made.decision

    def _make(self, field: str, request: VolumeRequest) -> MadeVolume:
        """Make the volume of this source. What is mounted for it is undone by `remove`, however far it came."""
        self._binds.append(request.target)
        return MAKERS[field](request)

    def _in_its_range(self, made: MadeVolume, request: VolumeRequest) -> MadeVolume:
        """The volume; where no mount's ids can be mapped, with the ids of the Pod's user namespace, or refused."""
        volume, mapping = made.prepared, self._node.mapping
        if volume is None or volume.mapped or mapping is None or not self._about.node.in_user_namespace:
            return made
        refused = without_root.decide_volume(request.where, volume.path, request.target, request.place)
        if refused.refused:
            return MadeVolume(made.decision + refused)
        self._give(volume.path, mapping)
        return structs.replace(made, prepared=structs.replace(volume, mapped=True))

    def _give(self, path: str, mapping: IDMapping) -> None:
        """Give the files of a volume to the Pod's range."""
        from podward.runtime.rootless import shifted_copy  # only the machine's root may map a mount's ids

        shifted_copy.give(path, mapping)

    def mounts(self, container: Container, place: Place) -> ContainerMounts:
        """The container's mounts.

        What a subPath leads to is another matter at each start: an init container may have made it meanwhile. It is
        mounted by `attach`; here only where no container can run before this one, so that a bad one is refused early.
        """
        named = label(container.name, place.container / "name")
        asked = environment.decide(self._about, container, place)
        if named.refused or asked.final:
            return ContainerMounts(decision=Decision(violations=named.violations + asked.violations))
        known = {row.key: row.value for row in asked.fold(_Environment).envs}
        readonly = {volume.name: volume.readonly for volume in self._volumes.values()}
        recursive = self._about.node.recursive_read_only
        wanted = volume_mounts.decide(container, readonly, known, place, recursive_supported=recursive)
        if wanted.refused:
            return ContainerMounts(decision=wanted)
        self._sub_paths[container.name] = []
        made: list[tuple[Mount, Source]] = []
        for index, mount in enumerate(wanted.fold(volume_mounts.ResolvedMounts).mounts):
            where = place.container / "volumeMounts" / index
            path = self._host_path(mount, container.name, index, where)
            made.append((self._message(mount, path), Source(Origin.MANIFEST, place.document, where)))
        if self._attaches_at_once():
            wanted += self.attach(container.name)
        return ContainerMounts(tuple(made), wanted)

    def _attaches_at_once(self) -> bool:
        """Whether no container can run before one whose mounts are asked for."""
        return not self._pod.spec.init_containers

    def attach(self, container: str) -> Decision:
        """Mount what the container's subPaths lead to now, made if missing: call it before each of its starts.

        A violation, in the kubelet's words, for one that leads out of its volume. They do not tell what was found.
        """
        for wanted in self._sub_paths.get(container, ()):
            volume = self._volumes[wanted.mount.volume]
            try:
                descriptor = subpath.open_inside(volume.path, wanted.mount.sub_path, self._owner(volume))
            except subpath.SubPathError as error:
                reason = f'{error} for volumeMount "{volume.name}" of container "{container}"'
                return refuse(wanted.where / "subPath", wanted.mount.sub_path, reason, KUBELET)
            self._bind(descriptor, wanted.target, wanted.mount)
        return Decision()

    def _owner(self, volume: PreparedVolume) -> int:
        """The id that owns what is made in a volume: ours, unless its files have the ids of the Pod already."""
        return self._node.mapping.host_id if volume.mapped and self._node.mapping is not None else 0

    def remove(self) -> None:
        """Unmount and remove everything that was made here; hostPaths stay as they are."""
        for target in reversed(self._binds):
            attach.detach(target)
        self._binds.clear()
        self._volumes.clear()
        for name in DIRECTORIES:
            remove_tree(f"{self._directory}/{name}")

    def _host_path(self, mount: volume_mounts.ResolvedMount, container: str, index: int, where: Path) -> str:
        """The path that the OCI runtime mounts: the volume's own, or that of a bind of it or of its subPath."""
        volume = self._volumes[mount.volume]
        if volume.image:
            return ""
        if mount.sub_path:
            target = f"{self._directory}/volume-subpaths/{volume.name}/{container}/{index}"
            self._sub_paths[container].append(_SubPath(mount, target, where))
            return target
        if (not self._userns or volume.mapped) and mount.propagation != _SHARED:
            return volume.path
        target = f"{self._directory}/volume-binds/{volume.name}"
        if target not in self._binds:
            self._bind(_open(volume.path), target, mount)
        elif mount.propagation == _SHARED:
            attach.share(target)
        return target

    def _bind(self, descriptor: int, target: str, mount: volume_mounts.ResolvedMount) -> None:
        """Mount the open file, which is closed, at `target`."""
        if target not in self._binds:
            self._binds.append(target)
        try:
            attach.bind(descriptor, target, "" if self._volumes[mount.volume].mapped else self._userns)
        finally:
            os.close(descriptor)
        if mount.propagation == _SHARED:
            attach.share(target)

    def _message(self, mount: volume_mounts.ResolvedMount, path: str) -> Mount:
        """The CRI message. It carries id mappings only where what it points to is not mapped already."""
        volume = self._volumes[mount.volume]
        of_ours = self._userns or volume.mapped or self._node.mapping is None
        mappings = () if of_ours or self._node.mapping is None else (self._node.mapping,)
        return Mount(
            container_path=mount.container_path,
            host_path=path,
            readonly=mount.readonly,
            recursive_read_only=mount.recursive_read_only,
            selinux_relabel=volume.managed,
            propagation=mount.propagation,
            uid_mappings=mappings,
            gid_mappings=mappings,
            image=ImageSpec(volume.image, user_specified_image=volume.image) if volume.image else None,
            image_sub_path=mount.sub_path if volume.image else "",
        )


def _open(path: str) -> int:
    try:
        return os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError as error:
        raise NodeError(f"the volume is gone: {error.strerror}", where=path) from error
