"""A Pod's volumes as they would be: decided by the rules that make them, and nothing made on disk.

What only exists once a Pod runs has a placeholder path, below `POD`.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable

from podward.api.core import Container, VolumeMount
from podward.api.cri import IDMapping
from podward.api.filesystem import PlannedFile
from podward.api.pod_facts import PodFacts
from podward.api.process import MountState
from podward.decision import Decision, Unknown, refuse
from podward.path import Path
from podward.policy.hints.facts import FileFacts, VolumeFacts
from podward.policy.kubelet import volume_mounts
from podward.policy.kubelet.resolved_volumes import LOCAL
from podward.policy.kubelet.volume_paths import mount_holding
from podward.policy.kubelet.volumes import source_of
from podward.runtime import syscalls
from podward.runtime.explaining.volume_looks import LOOKS
from podward.runtime.volumes import PodVolumes, PreparedVolume
from podward.runtime.volumes.pod import KUBELET, NO_NODE
from podward.runtime.volumes.request import MadeVolume, VolumeNode, VolumeRequest

POD = "/run/podward/POD"
"""Where the Pod's directory would be; no Pod's directory has this name."""
BINDS = (f"{POD}/volume-binds/", f"{POD}/volume-subpaths/")
"""What the paths begin with at which a volume, or something in it, would be mounted for the Pod."""
_KINDS = {"empty_dir": "emptyDir", "host_path": "hostPath", LOCAL: LOCAL}
"""What a volume is where something of this kind is mounted for it, whatever the Pod calls it."""
_STAYS = syscalls.RESOLVE_BENEATH | syscalls.RESOLVE_NO_MAGICLINKS


class DryVolumes(PodVolumes):
    """As `PodVolumes`, with the same decisions and messages; `facts` and `stand_ins` say what would be there."""

    def __init__(
        self,
        about: PodFacts,
        mapping: IDMapping | None,
        image_root: Callable[[str], str | Unknown] | None = NO_NODE.image_root,
    ) -> None:
        userns = f"{POD}/ns/user" if mapping is not None else ""
        super().__init__(POD, about, node=VolumeNode(userns, mapping, image_root))
        self._mapping = mapping
        self._roots: dict[str, FileFacts | None] = {}
        self._kinds: dict[str, str] = {}
        self._files: dict[str, tuple[tuple[str, FileFacts], ...]] = {}
        self.planned: dict[str, PlannedFile] = {}
        """By name of a volume: the files that would be made in it."""
        self._inside: dict[str, list[tuple[PreparedVolume, volume_mounts.ResolvedMount, Path]]] = {}
        self._contents: dict[str, str] = {}
        """By path of a bind that would be made: the path that it would be made from."""
        self.stand_ins: dict[str, str | MountState] = {}
        """By path of a mount's source: the path that has its mount's flags now, or these flags themselves."""

    @property
    def facts(self) -> tuple[VolumeFacts, ...]:
        """Every volume, with what its root would be: ids as the mount shows them to the host."""
        return tuple(
            VolumeFacts(
                volume.name,
                self._kinds.get(volume.name, source_of(volume)[1]),
                self._roots.get(volume.name),
                self._files.get(volume.name, ()),
            )
            for volume in self._pod.spec.volumes or ()
        )

    @property
    def sources(self) -> dict[str, str]:
        """The volumes whose files are on this machine already: by name, the path of their top."""
        return {volume.name: volume.path for volume in self.prepared if not volume.path.startswith(f"{POD}/")}

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
        made = {volume.name for volume in self.prepared if volume.path.startswith(f"{POD}/")}
        made -= {name for name, planned in self.planned.items() if not planned.partial}
        mounts = (m.mount_path or "" for m in container.volume_mounts or () if m.name in made)
        return any(path.startswith(f"{mount.rstrip('/')}/") for mount in mounts)

    def readonly(self, name: str) -> bool:
        """Whether the volume is read-only, however it is mounted."""
        return any(volume.readonly for volume in self.prepared if volume.name == name)

    def lacks(self, mount: VolumeMount, inside: str) -> bool:
        """Whether there is certainly nothing at this path of what a volumeMount shows, which would be made."""
        planned = self.planned.get(mount.name)
        if planned is not None:
            return not planned.partial and planned.find(f"{mount.sub_path or ''}/{inside}") is None
        root = self._roots.get(mount.name)
        return root is not None and stat.S_ISDIR(root.mode)

    def planned_file(self, container: Container, path: str) -> PlannedFile | None:
        """The file at a path of the container that would be made for it; None where none would be."""
        held = mount_holding(container, path)
        if held is None or held[0].name not in self.planned:
            return None
        found = self.planned[held[0].name].find(held[1])
        return found if found is not None and stat.S_ISREG(found.mode) else None

    def _make(self, field: str, request: VolumeRequest) -> MadeVolume:
        seen = LOOKS[field](request)
        root = seen.root
        if field in _KINDS:
            self._kinds[request.volume.name] = _KINDS[field]
        self._roots[request.volume.name] = None if root is None else self._mapped(root)
        self._files[request.volume.name] = tuple((path, self._mapped(file)) for path, file in seen.files)
        if seen.planned is not None:
            self.planned[request.volume.name] = seen.planned
        if seen.made.prepared is not None and seen.flags is not None:
            self.stand_ins[seen.made.prepared.path] = seen.flags
        return seen.made

    def _give(self, path: str, mapping: IDMapping) -> None:
        """Nothing was made that could be given away."""

    def _host_path(self, mount: volume_mounts.ResolvedMount, container: str, index: int, where: Path) -> str:
        volume = self._volumes[mount.volume]
        target = volume.path
        if mount.sub_path:
            self._inside.setdefault(container, []).append((volume, mount, where))
            target = f"{BINDS[1]}{volume.name}/{container}/{index}"
        elif (self._userns and not volume.mapped) or mount.propagation == volume_mounts.PROPAGATIONS["Bidirectional"]:
            target = f"{BINDS[0]}{volume.name}"
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
