"""The volumes of a Pod that a node runs, on disk: each is made once, and found again by whatever process comes next.

Specification (kubelet, pkg/kubelet/volumemanager and pkg/volume, in our words): a volume that was set up is left as it
is until the Pod is gone, but for those of files (secret, configMap, downwardAPI, projected), which are written anew
whenever the Pod is looked at; where that fails, what is there stays. Each volume is tried for itself, and what fails is
told of it, and tried again.

    volumes.lock                  held by whoever changes something
    volumes.json                  what was made: a volume that is not in there is made from the start
    volumes/, volume-binds/, …    as `runtime.volumes.pod` has them

A tmpfs lives as long as the mount namespace: one that is gone, as the machine was started anew, is made again.

Where whoever runs the containers sees no mount of ours, volumes are plain directories, those that are to be in memory
on a tmpfs that the machine has (`memory_of`), and a subPath is given as the path that it leads to. A container that
writes to the volume could lead that path elsewhere before it is mounted; so only a volume that nobody but us writes to
may have one there.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from hashlib import sha256

import msgspec
from msgspec import Struct

from podward.api.core import every_container
from podward.api.effective import Place
from podward.api.gotext import quote
from podward.api.pod_facts import PodFacts
from podward.decision import Decision, refuse
from podward.errors import NodeError, PodwardError
from podward.path import Path
from podward.pipeline import ContainerMounts
from podward.policy.kubelet import volumes
from podward.policy.kubelet.volume_mounts import ResolvedMount
from podward.runtime.state import Lock
from podward.runtime.volumes import PodVolumes, files, remove_tree, subpath
from podward.runtime.volumes.attach import detach
from podward.runtime.volumes.pod import DIRECTORIES, KUBELET
from podward.runtime.volumes.request import OF_FILES, PreparedVolume, VolumeNode, VolumeRequest, requests

RECORD, _LOCK = "volumes.json", "volumes.lock"
NO_SUB_PATH = (
    "a runtime of its own sees no mount of this node, so that no subPath is safe in a volume that is written to:"
)
_IN_MEMORY = ("/dev/shm", "/run")  # noqa: S108  # what is made there is looked at
"""Where machines have a tmpfs. Programs in the second one can't be executed on most."""
_ESCAPED = re.compile(r"\\([0-7]{3})")


class KeptVolume(Struct, frozen=True):
    """A volume that was made; `mounted` where a file system of its own is mounted there."""

    prepared: PreparedVolume
    mounted: bool = False

    @property
    def is_there(self) -> bool:
        """Whether it is still as it was made."""
        path = self.prepared.path
        return not path or (os.path.lexists(path) and (not self.mounted or os.path.ismount(path)))


class Complaint(Struct, frozen=True):
    """What is wrong with a volume, in the words of a kubelet's event; `processing` where it was not even tried."""

    volume: str
    message: str
    processing: bool = False


class KeptVolumes(PodVolumes):
    """The volumes of one Pod, of which a process before may have made some."""

    def __init__(self, directory: str, about: PodFacts, node: VolumeNode) -> None:
        super().__init__(directory, about, node=node)
        self._record = f"{directory}/{RECORD}"
        self._kept = _read(self._record)
        self._refused = Decision()
        below = f"{directory}/volume-binds/"
        self._binds = [place for place in _mount_points() if place.startswith(below)]

    def bring(self) -> tuple[tuple[Complaint, ...], tuple[str, ...]]:
        """Make what is not there, and write files anew; what is wrong, and the volumes that are not there."""
        admitted = volumes.admit(self._pod.spec, self._place)
        if admitted.refused:
            names = tuple(volume.name for volume in self._pod.spec.volumes or ())
            return (Complaint(names[0], admitted.violations[0].reason, processing=True),), names
        complaints, before = [], dict(self._kept)
        for field, request in requests(self._about, self._directory, self._node):
            complaints += self._tried(field, request)
        if self._kept != before:
            self._note()
        wanted = (volume.name for volume in self._pod.spec.volumes or ())
        return tuple(complaints), tuple(name for name in wanted if name not in self._volumes)

    def mounts_of(self, name: str) -> ContainerMounts:
        """The mounts of the container of this name, its subPaths mounted as they are now."""
        for field, index, container in every_container(self._pod.spec):
            if container.name == name:
                at = self._place.pod / "spec" / field / index
                return self.mounts(container, Place(self._place.document, self._place.pod, at))
        raise NodeError(f"the Pod has no container {name}")

    def _tried(self, field: str, request: VolumeRequest) -> list[Complaint]:
        name = request.volume.name
        try:
            decision = self._prepare(field, request)
        except PodwardError as error:
            return [Complaint(name, _set_up(name, [error.what]))]
        except OSError as error:
            return [Complaint(name, _set_up(name, [(error.strerror or str(error)).lower()]))]
        if not decision.refused:
            return []
        reasons = [violation.reason for violation in decision.violations]
        if request.resolved.notes.refused:
            return [Complaint(name, "; ".join(reasons), processing=True)]
        return [Complaint(name, _set_up(name, reasons))]

    def _prepare(self, field: str, request: VolumeRequest) -> Decision:
        name = request.volume.name
        kept = self._kept.get(name)
        if kept is not None and kept.is_there:
            self._volumes[name] = kept.prepared
            return files.renew(request) if field in OF_FILES else Decision()
        detach(request.target)
        remove_tree(request.target)
        decision = super()._prepare(field, request)
        if decision.refused:
            self._volumes.pop(name, None)
            return decision
        made = self._volumes[name]
        self._kept[name] = KeptVolume(made, mounted=made.path == request.target and os.path.ismount(made.path))
        return decision

    def _attaches_at_once(self) -> bool:
        return True

    def attach(self, container: str) -> Decision:
        """Mount what the container's subPaths lead to now."""
        return super().attach(container) if self._node.mounts else self._refused

    def _host_path(self, mount: ResolvedMount, container: str, index: int, where: Path) -> str:
        volume = self._volumes[mount.volume]
        if self._node.mounts:
            return super()._host_path(mount, container, index, where)
        return self._led_to(volume, mount, where) if mount.sub_path and not volume.image else volume.path

    def _led_to(self, volume: PreparedVolume, mount: ResolvedMount, where: Path) -> str:
        """The path that a subPath leads to."""
        if not (volume.managed and volume.readonly):
            self._refused += refuse(where / "subPath", mount.sub_path, f"{NO_SUB_PATH} {volume.name}", KUBELET)
            return ""
        try:
            descriptor = subpath.open_inside(volume.path, mount.sub_path)
        except subpath.SubPathError as error:
            reason = f'{error} for volumeMount "{volume.name}"'
            self._refused += refuse(where / "subPath", mount.sub_path, reason, KUBELET)
            return ""
        try:
            return os.readlink(f"/proc/self/fd/{descriptor}")
        finally:
            os.close(descriptor)

    def _note(self) -> None:
        new = f"{self._record}.new"
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as file:
            file.write(msgspec.json.encode(self._kept))
        os.rename(new, self._record)


def locked(directory: str) -> Lock:
    """The right to a Pod's volumes, of one process at a time; its directory is made."""
    os.makedirs(directory, mode=0o700, exist_ok=True)
    return Lock.wait(f"{directory}/{_LOCK}")


def memory_of(directory: str) -> str:
    """Where on a tmpfs of the machine the Pod of this directory may have volumes; empty where there is no tmpfs.

    The place has the name of the node's directory in its own, so that every process of the node finds the same.
    """
    pods, uid = os.path.split(directory)
    there = {place for place, kind in _file_systems() if kind == "tmpfs"}
    machine = next((place for place in _IN_MEMORY if place in there), "")
    return f"{machine}/podward-{sha256(os.fsencode(pods)).hexdigest()[:16]}/{uid}" if machine else ""


def make_memory(directory: str) -> str:
    """The same, made: nobody but root may look into it. Raises NodeError where somebody else has made it before."""
    place = memory_of(directory)
    while place:
        above = os.path.dirname(place)
        os.makedirs(above, mode=0o700, exist_ok=True)
        if not _is_ours(above):
            advice = "remove it: it was not made by this node"
            raise NodeError("volumes in memory have no place", where=above, advice=advice)
        with contextlib.suppress(FileNotFoundError):  # the last volume of another Pod went: once more
            with contextlib.suppress(FileExistsError):
                os.mkdir(place, 0o700)
            break
    return place


def _is_ours(directory: str) -> bool:
    """Whether it is a directory into which nobody else may look: beside it anybody may make what has its name."""
    try:
        facts = os.lstat(directory)
    except FileNotFoundError:
        return False
    return stat.S_ISDIR(facts.st_mode) and facts.st_uid == os.geteuid() and not facts.st_mode & 0o077


def remove(directory: str) -> None:
    """Unmount and remove what is in a Pod's directory of its volumes. Raises NodeError where something stays."""
    memory = memory_of(directory)
    if memory and _is_ours(os.path.dirname(memory)):
        remove_tree(memory)
        with contextlib.suppress(OSError):  # those of other Pods are there
            os.rmdir(os.path.dirname(memory))
    below = f"{directory}/"
    for place in reversed(_mount_points()):
        if place.startswith(below):
            detach(place)
    for name in DIRECTORIES:
        remove_tree(f"{directory}/{name}")
    for name in (RECORD, f"{RECORD}.new"):
        remove_tree(f"{directory}/{name}")


def _set_up(volume: str, reasons: list[str]) -> str:
    prefix = f"MountVolume.SetUp failed for volume {quote(volume)} : "
    said = list(dict.fromkeys(reason.removeprefix(prefix) for reason in reasons))
    return prefix + (said[0] if len(said) == 1 else f"[{', '.join(said)}]")


def _read(file: str) -> dict[str, KeptVolume]:
    """What was made; nothing where nothing was, or where nobody can read what was noted."""
    try:
        with open(file, "rb") as opened:
            return msgspec.json.decode(opened.read(), type=dict[str, KeptVolume])
    except (FileNotFoundError, msgspec.MsgspecError):
        return {}


def _mount_points() -> list[str]:
    """Where something is mounted that this process sees, in the order in which it was."""
    return [place for place, _ in _file_systems()]


def _file_systems() -> list[tuple[str, str]]:
    """The same, with the kinds of the file systems (proc(5), mountinfo)."""
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as lines:
        rows = [line.split(" - ")[0].split(" ")[4:5] + line.split(" - ")[1].split(" ")[:1] for line in lines]
    return [(_ESCAPED.sub(lambda found: chr(int(found[1], 8)), place), kind) for place, kind in rows]
