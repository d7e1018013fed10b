"""Which kinds of volumes this node supports.

A single machine can provide emptyDir and hostPath volumes, and the files of Secrets, ConfigMaps, the downward API and
projections. Every other kind is refused, and the refusal says what to use instead. Volume names become directory names,
so they are checked here again, even if the caller validated the Pod.
"""

from __future__ import annotations

from podward.api.core import PodSpec
from podward.api.effective import Place
from podward.api.volume import Volume
from podward.decision import Decision, Origin, Source, merge, refuse
from podward.path import Path
from podward.schema.validation.names import label

NODE = Source(Origin.NODE, "podward volumes")

_MOUNT = "are not supported: mount it on this machine and use a hostPath"
_INSTEAD = {
    "csi": ("csi", "need a CSI driver: mount it on this machine and use a hostPath"),
    "ephemeral": ("ephemeral", "need an API server: use an emptyDir"),
    "image": ("image", "are not supported: use an init container of that image and an emptyDir"),
    "iscsi": ("iscsi", _MOUNT),
    "nfs": ("nfs", _MOUNT),
    "persistent_volume_claim": ("persistentVolumeClaim", "need an API server: use a hostPath or an emptyDir"),
}
_UNKNOWN = ("this kind of", "are not supported: only emptyDir and hostPath can be had without an API server")


def admit(spec: PodSpec, place: Place) -> Decision:
    """A violation for each volume with an invalid name or an unsupported kind."""
    refusals = []
    for index, volume in enumerate(spec.volumes or ()):
        where = place.pod / "spec" / "volumes" / index
        refusals += [label(volume.name, where / "name"), _kind(volume, where)]
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
_SUPPORTED = frozenset(("empty_dir", "host_path", "secret", "config_map", "downward_api", "projected"))


def _kind(volume: Volume, where: Path) -> Decision:
    field, _ = source_of(volume)
    if field in _SUPPORTED:
        return Decision()
    kind, advice = _INSTEAD.get(field, _UNKNOWN)
    return refuse(where, volume.name, f'volume "{volume.name}": {kind} volumes {advice}', NODE)
