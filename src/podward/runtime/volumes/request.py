"""What is asked of whoever makes, or looks at, a volume of one kind, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec import Struct

from podward.api.content import TokenContent
from podward.api.core import Pod
from podward.api.cri import IDMapping
from podward.api.effective import Place
from podward.api.pod_facts import PodFacts
from podward.api.referenced_objects import ReferencedObjects
from podward.api.volume import NamedSource, Volume
from podward.decision import Decision, Origin, Source, Unknown, assign
from podward.path import Path
from podward.policy.kubelet import volume_files
from podward.policy.kubelet.resolved_volumes import ResolvedVolume, resolve
from podward.policy.kubelet.volumes import source_of

OF_FILES = frozenset(("secret", "config_map", "downward_api", "projected"))
"""The fields of what is a volume of files that are made for the Pod."""


def local_token(wanted: TokenContent, pod: Pod) -> str:
    """A token that is made on this machine, of no cluster."""
    from podward.runtime.volumes import tokens  # few Pods have one, and its library is slow to load

    return tokens.token(wanted, pod)


class VolumeNode(Struct, frozen=True):
    """What the node has for a Pod's volumes: the user namespace that is the Pod's own, and the files of images.

    `userns` is the path of the pinned user namespace, empty where there is none; with a `mapping` alone, whoever runs
    the containers maps the ids of what is mounted. `image_root` finds an image's unpacked files by its name; where it
    is None, whoever runs the containers mounts images. `token` makes a token of the Pod's service account. Where
    `mounts` is False, whoever runs the containers sees no mount of ours, and none is made: what is to be in memory is
    below `memory` then, a directory for this Pod on a tmpfs of the machine, or on disk where that is empty.
    """

    userns: str = ""
    mapping: IDMapping | None = None
    image_root: Callable[[str], str | Unknown] | None = lambda name: Unknown(
        f"image {name} is not looked at", "run it here"
    )
    token: Callable[[TokenContent, Pod], str] = local_token
    mounts: bool = True
    memory: str = ""


class VolumeRequest(Struct, frozen=True):
    """One volume of a Pod: `volume` has the source that is mounted for it, which `resolved` found.

    `where` is the place of its source in the manifest, such as `spec.volumes[0].emptyDir`; `target` the path at which a
    volume of the Pod's own is made, which is not there yet.
    """

    volume: Volume
    where: Path
    about: PodFacts
    target: str
    resolved: ResolvedVolume
    node: VolumeNode

    @property
    def pod(self) -> Pod:
        """The Pod."""
        return self.about.pod

    @property
    def place(self) -> Place:
        """Where the Pod is written."""
        return self.about.place

    @property
    def objects(self) -> ReferencedObjects:
        """The objects that the Pod may refer to."""
        return self.about.objects


class PreparedVolume(Struct, frozen=True):
    """A volume that is there: `path` on the host.

    `managed` ones are the Pod's own and may be relabelled; no container may write to one that is `readonly`. Of a
    `mapped` one the files have the ids of the Pod's user namespace already. One with an `image` is mounted by whoever
    runs the containers, and has no path.
    """

    name: str
    path: str
    managed: bool
    readonly: bool = False
    mapped: bool = False
    image: str = ""


class MadeVolume(Struct, frozen=True):
    """A volume with the Decision that says how and why it is so, its places below the source; None where refused."""

    decision: Decision
    prepared: PreparedVolume | None = None


def requests(about: PodFacts, directory: str, node: VolumeNode) -> Iterator[tuple[str, VolumeRequest]]:
    """The Pod's volumes, each with the field of what is mounted for it; `directory` is the Pod's own."""
    for index, volume in enumerate(about.pod.spec.volumes or ()):
        where = about.place.pod / "spec" / "volumes" / index / source_of(volume)[1]
        found = resolve(volume, where, about.pod, about.place, about.objects.storage)
        place = node.memory if node.memory and _in_memory(found.field, found.volume) else directory
        target = f"{place}/volumes/{volume.name}"
        yield found.field, VolumeRequest(found.volume, where, about, target, found, node)


def _in_memory(field: str, volume: Volume) -> bool:
    if volume.empty_dir is not None:
        return volume.empty_dir.medium == "Memory"
    return field in OF_FILES and volume_files.in_memory(volume)


def named(request: VolumeRequest) -> Decision:
    """The volume by its name, at the place of its source: what is decided about it stands below."""
    kind = str(request.where.segments[-1])
    source = Source(Origin.MANIFEST, request.place.document, request.where)
    return assign(request.where, NamedSource(request.volume.name, kind), "the volume's source", source)
