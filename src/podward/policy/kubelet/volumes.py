"""Which kinds of volumes this node supports.

A single machine can provide emptyDir and hostPath volumes. Every other kind is refused, and the refusal says what to
use instead. Volume names become directory names, so they are checked here again, even if the caller validated the Pod.
"""

from __future__ import annotations

from podward.api.core import PodSpec
from podward.api.effective import Place
from podward.api.volume import Volume
from podward.decision import Decision, Origin, Source, merge, refuse
from podward.path import Path
from podward.schema.validation.names import label

NODE = Source(Origin.NODE, "podward volumes")

_FILES = "need an API server: use a hostPath of a directory with the same files"
_MOUNT = "are not supported: mount it on this machine and use a hostPath"
_INSTEAD = {
    "config_map": ("configMap", _FILES),
    "csi": ("csi", "need a CSI driver: mount it on this machine and use a hostPath"),
    "downward_api": ("downwardAPI", "need a kubelet: use env with fieldRef"),
    "ephemeral": ("ephemeral", "need an API server: use an emptyDir"),
    "image": ("image", "are not supported: use an init container of that image and an emptyDir"),
    "iscsi": ("iscsi", _MOUNT),
    "nfs": ("nfs", _MOUNT),
    "persistent_volume_claim": ("persistentVolumeClaim", "need an API server: use a hostPath or an emptyDir"),
    "projected": ("projected", _FILES),
    "secret": ("secret", _FILES),
}
_UNKNOWN = ("this kind of", "are not supported: only emptyDir and hostPath can be had without an API server")


def admit(spec: PodSpec, place: Place) -> Decision:
    """A violation for each volume with an invalid name or an unsupported kind."""
    refusals = []
    for index, volume in enumerate(spec.volumes or ()):
        where = place.pod / "spec" / "volumes" / index
        refusals += [label(volume.name, where / "name"), _kind(volume, where)]
    return merge(*refusals)


def _kind(volume: Volume, where: Path) -> Decision:
    if volume.empty_dir is not None or volume.host_path is not None:
        return Decision()
    kind, advice = next((words for field, words in _INSTEAD.items() if getattr(volume, field) is not None), _UNKNOWN)
    return refuse(where, volume.name, f'volume "{volume.name}": {kind} volumes {advice}', NODE)
