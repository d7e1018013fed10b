"""Image volumes: an image's files, with a layer of the Pod's own above them that nobody writes to.

The mount in the container is read-only. Were it the store's own files, a container that may remount could write to
them; so it is an overlay, as under containerd.
"""

from __future__ import annotations

import os

from podward.decision import Decision, Origin, Source, Unknown, assign
from podward.errors import NodeError
from podward.path import path
from podward.runtime import rootfs
from podward.runtime.volumes import attach
from podward.runtime.volumes.request import MadeVolume, PreparedVolume, VolumeRequest


def prepare(request: VolumeRequest) -> MadeVolume:
    """Mount the image. Raises NodeError where it is not here."""
    source = request.volume.image
    reference = (source.reference if source is not None else "") or ""
    if request.node.image_root is None:
        asked = PreparedVolume(request.volume.name, "", managed=False, readonly=True, mapped=True, image=reference)
        return MadeVolume(decide(request, reference).at(request.where), asked)
    found = request.node.image_root(reference)
    if isinstance(found, Unknown):
        raise NodeError(found.why, where=f"volume {request.volume.name}", advice=found.remedy)
    layers = f"{request.target}.layers"  # no volume's name has a dot
    os.makedirs(layers, mode=0o700)
    try:
        top = os.open(rootfs.mount(found, layers, request.node.mapping, request.node.userns), os.O_PATH | os.O_CLOEXEC)
        try:
            attach.bind(top, request.target)
        finally:
            os.close(top)
    finally:
        rootfs.unmount(layers)
    return MadeVolume(decide(request, reference).at(request.where), prepared(request, request.target))


def decide(request: VolumeRequest, reference: str) -> Decision:
    """What the volume holds."""
    source = Source(Origin.MANIFEST, request.place.document, request.where)
    return assign(path("reference"), reference, "the files of this image, read-only", source)


def prepared(request: VolumeRequest, at: str) -> PreparedVolume:
    """The volume at this path."""
    return PreparedVolume(request.volume.name, at, managed=False, readonly=True, mapped=True)
