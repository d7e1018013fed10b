"""A Pod's volumes as they would be: decided by the rules that make them, and nothing made on disk.

What only exists once a Pod runs has a placeholder path, below `POD`.
"""

from __future__ import annotations

import os
import stat

from podward.api.core import Container, Pod
from podward.api.cri import IDMapping
from podward.api.effective import Place
from podward.api.filesystem import acl_text
from podward.api.process import MountState
from podward.api.volume import Volume
from podward.decision import Decision, refuse
from podward.errors import NodeError
from podward.path import Path
from podward.policy.hints.facts import FileFacts, VolumeFacts
from podward.policy.kubelet import empty_dir, fs_group, host_path, resources, volume_mounts
from podward.runtime import machine, syscalls
from podward.runtime.acl import parse_attribute
from podward.runtime.volumes import PodVolumes, PreparedVolume, host
from podward.runtime.volumes.pod import KUBELET

POD = "/run/podward/POD"
"""Where the Pod's directory would be; no Pod's directory has this name."""
ACL = "system.posix_acl_access"
_STAYS = syscalls.RESOLVE_BENEATH | syscalls.RESOLVE_NO_MAGICLINKS


class DryVolumes(PodVolumes):
    """As `PodVolumes`, with the same decisions and messages; `facts` and `stand_ins` say what would be there."""

    def __init__(self, pod: Pod, place: Place, mapping: IDMapping | None) -> None:
        super().__init__(POD, pod, place, userns=f"{POD}/ns/user" if mapping is not None else "")
        self._mapping = mapping
        self._roots: dict[str, FileFacts | None] = {}
        self._inside: dict[str, list[tuple[PreparedVolume, volume_mounts.ResolvedMount, Path]]] = {}
        self._contents: dict[str, str] = {}
        """By path of a bind that would be made: the path that it would be made from."""
        self.stand_ins: dict[str, str | MountState] = {}
        """By path of a mount's source: the path that has its mount's flags now, or these flags themselves."""

    @property
    def facts(self) -> tuple[VolumeFacts, ...]:
        """Every volume, with what its root would be: ids as the mount shows them to the host."""
        return tuple(
            VolumeFacts(volume.name, _kind(volume), self._roots.get(volume.name))
            for volume in self._pod.spec.volumes or ()
        )

    def attach(self, container: str) -> Decision:
        """The refusal of a subPath that leads out of its volume now; what is missing would be made."""
        for volume, wanted, where in self._inside.get(container, ()):
            try:
                root = os.open(volume.path, os.O_PATH | os.O_CLOEXEC)
            except OSError:
                continue  # the volume itself would be made
            try:
                os.close(syscalls.openat2(root, wanted.sub_path, os.O_PATH | os.O_CLOEXEC, _STAYS))
            except FileNotFoundError:
                continue
            except OSError:
                reason = f'failed to prepare subPath for volumeMount "{volume.name}" of container "{container}"'
                return refuse(where / "subPath", wanted.sub_path, reason, KUBELET)
            finally:
                os.close(root)
        return Decision()

    def on_disk(self, source: str) -> str:
        """The path at which what a mount's source leads to is now; empty where it would be made."""
        found = self._contents.get(source, source)
        return found if not found.startswith(f"{POD}/") and os.path.lexists(found) else ""

    def holds(self, container: Container, path: str) -> bool:
        """Whether a path of the container is in a volume that would be made, so that who knows what may be there."""
        made = {v.name for v in self._pod.spec.volumes or () if v.empty_dir is not None}
        mounts = (m.mount_path or "" for m in container.volume_mounts or () if m.name in made)
        return any(path.startswith(f"{mount.rstrip('/')}/") for mount in mounts)

    def _prepare_empty(self, volume: Volume, where: Path) -> Decision:
        spec, source = self._pod.spec, volume.empty_dir
        if source is None:
            return Decision()
        memory = machine.memory() if source.medium == "Memory" else 0
        decision = empty_dir.decide(source, memory, resources.pod_memory_limit(spec), where, self._place)
        if decision.refused:
            return decision
        target = f"{POD}/volumes/{volume.name}"
        in_memory = decision.fold(empty_dir.EmptyDirectory).medium == "Memory"
        self.stand_ins[target] = MountState(target) if in_memory else ""
        root = fs_group.FileFacts("directory", 0, empty_dir.MODE | (stat.S_ISVTX if in_memory else 0))
        walk = fs_group.decide(spec.security_context, root, self._place, fresh=True)
        group = walk.fold(fs_group.OwnershipChange).group
        owned = fs_group.ownership(root, group) if group is not None else fs_group.Ownership(0, root.mode)
        self._roots[volume.name] = self._mapped(FileFacts(0, owned.gid, stat.S_IFDIR | (owned.mode or root.mode)))
        self._add(PreparedVolume(volume.name, target, managed=True))
        return (decision + walk).at(where)

    def _prepare_host(self, volume: Volume, where: Path) -> Decision:
        source = volume.host_path
        if source is None:
            return Decision()
        decision = host_path.decide(source, host.found(source.path), where, self._place)
        if decision.refused:
            return decision
        plan = decision.fold(host_path.HostFile)
        path = os.path.realpath(plan.path)
        if plan.create:
            made = stat.S_IFDIR | 0o755 if plan.create == "Directory" else stat.S_IFREG | 0o644
            self._roots[volume.name] = self._mapped(FileFacts(0, 0, made))
            self.stand_ins[path] = _nearest(path)
        else:
            self._roots[volume.name] = self._mapped(_file_facts(path))
        self._add(PreparedVolume(volume.name, path, managed=False))
        return decision.at(where)

    def _host_path(self, mount: volume_mounts.ResolvedMount, container: str, index: int, where: Path) -> str:
        volume = self._volumes[mount.volume]
        target = volume.path
        if mount.sub_path:
            self._inside.setdefault(container, []).append((volume, mount, where))
            target = f"{POD}/volume-subpaths/{volume.name}/{container}/{index}"
        elif self._userns or mount.propagation == volume_mounts.PROPAGATIONS["Bidirectional"]:
            target = f"{POD}/volume-binds/{volume.name}"
        if target != volume.path:
            self.stand_ins[target] = self.stand_ins.get(volume.path, volume.path)
            self._contents[target] = os.path.realpath(os.path.join(volume.path, mount.sub_path))
        return target

    def _mapped(self, facts: FileFacts) -> FileFacts:
        """The ids as an id-mapped mount shows them."""
        if self._mapping is None:
            return facts
        return FileFacts(shift(facts.uid, self._mapping), shift(facts.gid, self._mapping), facts.mode, facts.acl)


OVERFLOW = 65534
"""What an id without a mapping shows as (user_namespaces(7), /proc/sys/kernel/overflowuid)."""


def shift(number: int, mapping: IDMapping) -> int:
    """An id of a file as a mount shows it that maps the Pod's range."""
    return mapping.host_id + number if number < mapping.length else OVERFLOW


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


def _kind(volume: Volume) -> str:
    fields = type(volume).__struct_fields__
    names = type(volume).__struct_encode_fields__
    given = (name for field, name in zip(fields, names, strict=True) if field != "name" and getattr(volume, field))
    return next(given, "emptyDir" if volume.empty_dir is not None else "")
