"""What is mounted for a volume on this machine: its own source, what its claim brings, or a directory in its place.

Specification, ours: `--stand-in NAME=DIR` comes before everything else. A claim (`claim_volumes`) brings files of the
host, a directory of the node, or a driver's volume; without any, an empty directory of the Pod's own stands in. The
files of a driver (`drivers`) are nowhere on this machine: who owns them is not known, and a Pod that has such a volume
does not run without a stand-in. fsGroup is not applied to a directory that stands in: it is the user's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from podward.api.storage import VolumeNote
from podward.api.volume import EmptyDir, HostPath, Volume
from podward.decision import Decision, Origin, Source, Unknown, assign, merge, refuse
from podward.path import path
from podward.policy.kubelet import claim_volumes, drivers
from podward.policy.kubelet.volumes import NODE, source_of

if TYPE_CHECKING:
    from podward.api.core import Pod
    from podward.api.effective import Place
    from podward.api.referenced_objects import ReferencedObjects
    from podward.api.storage import Storage
    from podward.path import Path

CLAIMS = frozenset(("persistent_volume_claim", "ephemeral"))
LOCAL, DRIVER = "local", "driver"
_HELD = frozenset(("empty_dir", "host_path", "secret", "config_map", "downward_api", "projected", "image"))
"""Sources that are mounted as they are; of those that are no claims either, a driver has the files."""
_NO_CSI = "kubernetes.io/csi: mounter.SetUpAt failed to get CSI client"
EMPTY_STAND_IN = "stand-in, an empty directory"


class ResolvedVolume(Struct, frozen=True):
    """A volume as it is mounted.

    `field` is the field of `Volume` that counts, `local` for a directory of the node at `directory`, or `driver`.
    `volume` has the source of that field. `notes` say how it came to that, their places below the volume's source.
    """

    field: str
    volume: Volume
    notes: Decision = Decision()
    readonly: bool = False
    directory: str = ""
    driver: drivers.DriverVolume | None = None


def resolve(volume: Volume, where: Path, pod: Pod, place: Place, storage: Storage) -> ResolvedVolume:
    """What is mounted for the volume; `where` is the place of its source in the manifest."""
    found = _own(volume, where, pod, place, storage)
    stand_in = storage.stand_ins.get(volume.name)
    if stand_in is None:
        return found
    source = Source(Origin.NODE, f"--stand-in {volume.name}")
    notes = assign(path("standIn"), stand_in, "a directory of this machine is mounted in its place", source)
    kept = Volume(volume.name, host_path=HostPath(stand_in, "Directory"))
    return ResolvedVolume("host_path", kept, found.notes + notes, found.readonly)


def _own(volume: Volume, where: Path, pod: Pod, place: Place, storage: Storage) -> ResolvedVolume:
    field, _ = source_of(volume)
    if field in CLAIMS:
        return _claimed(volume, where, claim_volumes.resolve(volume, pod, storage), place)
    if field in _HELD:
        return ResolvedVolume(field, volume)
    return _driven(volume, drivers.of_volume(field, volume, storage), Source(Origin.MANIFEST, place.document, where))


def _claimed(volume: Volume, where: Path, found: claim_volumes.ClaimedVolume, place: Place) -> ResolvedVolume:
    name = volume.name
    if found.refusal:
        return ResolvedVolume("empty_dir", Volume(name, EmptyDir()), refuse(where, name, found.refusal, NODE))
    cited = Source(Origin.MANIFEST, place.document, where)
    if found.stand_in:
        why = f"volume {name}: {found.stand_in}: an empty directory stands in"
        said = assign(path("content"), EMPTY_STAND_IN, found.stand_in, cited) + _note(why, cited)
        return ResolvedVolume("empty_dir", Volume(name, EmptyDir()), said, found.readonly)
    bound = assign(path("volumeName"), found.volume, f"claim {found.claim} is bound to it", cited)
    about = f"volume {name}: claim {found.claim} is bound to PersistentVolume {found.volume}"
    if found.host_path is not None:
        bound += _note(f"{about}: hostPath {found.host_path.path}", cited)
        return ResolvedVolume("host_path", Volume(name, host_path=found.host_path), bound, found.readonly)
    if found.local is not None:
        at = found.local.path
        bound += assign(path("local"), at, "a directory of the node", cited) + _note(f"{about}: local {at}", cited)
        return ResolvedVolume(LOCAL, volume, bound, found.readonly, directory=at)
    driven = _driven(volume, found.driver or drivers.DriverVolume("", ""), cited)
    return ResolvedVolume(DRIVER, volume, bound + driven.notes, driven.readonly, driver=driven.driver)


def _note(sentence: str, source: Source) -> Decision:
    return assign(path("note"), VolumeNote(sentence), "how the volume came to it", source)


def _driven(volume: Volume, driver: drivers.DriverVolume, source: Source) -> ResolvedVolume:
    why = f"who owns the files of volume {volume.name} ({driver.what}), only its driver knows"
    unknown = Unknown(why, f"`--stand-in {volume.name}=DIR` mounts a directory in its place")
    notes = merge(
        assign(path("driver"), driver.what, "the files are its driver's", source),
        assign(path("owner"), unknown, "the files are its driver's", NODE),
        assign(path("fsGroup"), driver.fs_group, "what the kubelet does to the files", NODE),
    )
    return ResolvedVolume(DRIVER, volume, notes, driver.readonly, driver=driver)


def notes(decision: Decision) -> tuple[str, ...]:
    """What the Decision about the Pod's volumes says of claims: a sentence for each."""
    return tuple(a.value.sentence for a in decision.assignments if isinstance(a.value, VolumeNote))


def needs_driver(found: ResolvedVolume, where: Path, objects: ReferencedObjects) -> Decision:
    """The refusal of a driver's volume by a machine without drivers; a kubelet knows those of CSI by their names."""
    what, name = found.driver.what if found.driver is not None else "it", found.volume.name
    needed = f'volume "{name}": {what} needs a driver that is not here'
    if objects.live and what.startswith(drivers.CSI):
        driver = what.removeprefix(drivers.CSI)
        needed = f"{_NO_CSI}: driver name {driver} not found in the list of registered CSI drivers"
    advice = f"`--stand-in {name}=DIR` mounts a directory in its place"
    return refuse(where, name, objects.told(needed, advice), NODE)
