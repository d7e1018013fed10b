"""The volumes of a Pod: their names, and their sources.

Volume names become directory names, so they are checked here again, even if the caller validated the Pod.
"""

from __future__ import annotations

from podward.api.core import PodSpec
from podward.api.effective import Place
from podward.api.volume import Volume
from podward.decision import Decision, Origin, Source, merge
from podward.schema.validation.names import label

NODE = Source(Origin.NODE, "podward volumes")


def admit(spec: PodSpec, place: Place) -> Decision:
    """A violation for each volume with an invalid name."""
    refusals = []
    for index, volume in enumerate(spec.volumes or ()):
        where = place.pod / "spec" / "volumes" / index
        refusals.append(label(volume.name, where / "name"))
    return merge(*refusals)


def source_of(volume: Volume) -> tuple[str, str]:
    """The volume's source: the field of `Volume` that is set, and its name in the manifest; an emptyDir if none is."""
    for field, name in _SOURCES:
        if getattr(volume, field) is not None:
            return field, name
    return "empty_dir", "emptyDir"


_SOURCES = tuple(
    (field, name)
    for field, name in zip(Volume.__struct_fields__, Volume.__struct_encode_fields__, strict=True)
    if field != "name"
)
