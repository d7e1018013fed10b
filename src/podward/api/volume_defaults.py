"""The defaults of volumes: Kubernetes 1.36, pkg/apis/core/v1 defaults.

A volume without a source is an emptyDir. Files of Secrets, ConfigMaps, downward API and projections have mode 0644.
A hostPath is of the type "" (anything goes). A projected token lives an hour. Network and cloud volumes have the
file system, pool and cache settings of their drivers.
"""

from __future__ import annotations

from podward.api.json_value import JsonObject
from podward.api.pull_policy import default_pull_policy
from podward.api.raw_fields import member, objects
from podward.api.schema_table import TYPES
from podward.decision import Assignment, Decision, Source, Value, merge
from podward.path import Path

MODE = 0o644
"""Of files that are made from Secrets, ConfigMaps, and the Pod's own fields."""

_FIELDS: dict[str, tuple[tuple[str, Value], ...]] = {
    "secret": (("defaultMode", MODE),),
    "configMap": (("defaultMode", MODE),),
    "downwardAPI": (("defaultMode", MODE),),
    "projected": (("defaultMode", MODE),),
    "hostPath": (("type", ""),),
    "iscsi": (("iscsiInterface", "default"),),
    "rbd": (("pool", "rbd"), ("user", "admin"), ("keyring", "/etc/ceph/keyring")),
    "azureDisk": (("cachingMode", "ReadWrite"), ("kind", "Shared"), ("fsType", "ext4"), ("readOnly", False)),
    "scaleIO": (("storageMode", "ThinProvisioned"), ("fsType", "xfs")),
}


def volume_defaults(volume: JsonObject, at: Path, source: Source) -> Decision:
    """What defaulting sets on a volume."""
    if not any(value is not None for name, value in volume.items() if name != "name" and name in TYPES["Volume"]):
        return Decision(assignments=(Assignment(at / "emptyDir", {}, "no source: an empty directory", source),))
    made: list[Decision] = []
    for kind, fields in _FIELDS.items():
        body = volume.get(kind)
        if isinstance(body, dict):
            made += [_unset(body, at / kind, name, value, source) for name, value in fields]
    for index, item in enumerate(objects(member(volume, "downwardAPI"), "items")):
        made.append(_field_ref(item, at / "downwardAPI" / "items" / index, source))
    for index, projection in enumerate(objects(member(volume, "projected"), "sources")):
        made.append(_projection(projection, at / "projected" / "sources" / index, source))
    image = volume.get("image")
    if isinstance(image, dict):
        made.append(_image(image, at / "image", source))
    template = member(member(volume, "ephemeral"), "volumeClaimTemplate")
    if template:
        spec_at = at / "ephemeral" / "volumeClaimTemplate" / "spec"
        made.append(_unset(member(template, "spec"), spec_at, "volumeMode", "Filesystem", source))
    return merge(*made)


def _projection(projection: JsonObject, at: Path, source: Source) -> Decision:
    made: list[Decision] = []
    token = projection.get("serviceAccountToken")
    if isinstance(token, dict):
        made.append(_unset(token, at / "serviceAccountToken", "expirationSeconds", 3600, source))
    for index, item in enumerate(objects(member(projection, "downwardAPI"), "items")):
        made.append(_field_ref(item, at / "downwardAPI" / "items" / index, source))
    return merge(*made)


def _field_ref(item: JsonObject, at: Path, source: Source) -> Decision:
    reference = item.get("fieldRef")
    return _unset(reference, at / "fieldRef", "apiVersion", "v1", source) if isinstance(reference, dict) else Decision()


def _image(image: JsonObject, at: Path, source: Source) -> Decision:
    return _unset(image, at, "pullPolicy", default_pull_policy(image.get("reference")), source)


def _unset(raw: JsonObject, at: Path, name: str, value: Value, source: Source) -> Decision:
    current = raw.get(name)
    if current is not None and (current != "" or value == ""):
        return Decision()
    return Decision(assignments=(Assignment(at / name, value, f"unset: {value!r} is the default", source),))
