"""The defaults of volumes: Kubernetes, pkg/apis/core/v1 defaults.

A volume without a source is an emptyDir. Files of Secrets, ConfigMaps, downward API and projections have mode 0644.
A hostPath is of the type "" (anything goes). A projected token lives an hour. Network and cloud volumes have the
file system, pool and cache settings of their drivers.
"""

from __future__ import annotations

from podward.api.json_value import JsonObject
from podward.decision import Assignment, Decision, Source, Value
from podward.documents.raw_fields import member, objects
from podward.path import Path
from podward.schema.pull_policy import default_pull_policy
from podward.schema.resource_defaults import rounded
from podward.schema.table import TYPES

MODE = 0o644
"""Of files that are made from Secrets, ConfigMaps, and the Pod's own fields."""

_POINTERS: dict[str, tuple[tuple[str, Value], ...]] = {
    "secret": (("defaultMode", MODE),),
    "configMap": (("defaultMode", MODE),),
    "downwardAPI": (("defaultMode", MODE),),
    "projected": (("defaultMode", MODE),),
    "hostPath": (("type", ""),),
    "azureDisk": (("cachingMode", "ReadWrite"), ("kind", "Shared"), ("fsType", "ext4"), ("readOnly", False)),
}
_STRINGS: dict[str, tuple[tuple[str, str], ...]] = {
    "iscsi": (("iscsiInterface", "default"),),
    "rbd": (("pool", "rbd"), ("user", "admin"), ("keyring", "/etc/ceph/keyring")),
    "scaleIO": (("storageMode", "ThinProvisioned"), ("fsType", "xfs")),
}
"""Fields for which empty is unset; pointers are unset only if they are null."""


_SOURCES = frozenset(TYPES["Volume"]) - {"name"}


def volume_defaults(volume: JsonObject, at: Path, source: Source) -> Decision:
    """What defaulting sets on a volume."""
    if not _has_source(volume):
        return Decision(assignments=(Assignment(at / "emptyDir", {}, "no source: an empty directory", source),))
    made: list[Assignment] = []
    for kind, written in volume.items():
        if isinstance(written, dict):
            made += _of_kind(kind, written, at / kind, source)
    if isinstance(volume.get("downwardAPI"), dict):
        made += _field_refs(member(volume, "downwardAPI"), at / "downwardAPI", source)
    for index, projection in enumerate(objects(member(volume, "projected"), "sources")):
        made += _projection(projection, at / "projected" / "sources" / index, source)
    image = volume.get("image")
    if isinstance(image, dict):
        made += _empty(image, at / "image", "pullPolicy", default_pull_policy(image.get("reference")), source)
    template = member(volume, "ephemeral").get("volumeClaimTemplate")
    if isinstance(template, dict):
        made += _claim(member(template, "spec"), at / "ephemeral" / "volumeClaimTemplate" / "spec", source)
    return Decision(tuple(made)) if made else _NOTHING


def _of_kind(kind: str, written: JsonObject, at: Path, source: Source) -> list[Assignment]:
    made: list[Assignment] = []
    for name, value in _POINTERS.get(kind, ()):
        made += _nil(written, at, name, value, source)
    for name, text in _STRINGS.get(kind, ()):
        made += _empty(written, at, name, text, source)
    return made


def _claim(spec: JsonObject, at: Path, source: Source) -> list[Assignment]:
    resources = member(spec, "resources")
    return [
        *_nil(spec, at, "volumeMode", "Filesystem", source),
        *rounded(resources, "limits", at / "resources", source),
        *rounded(resources, "requests", at / "resources", source),
    ]


def _has_source(volume: JsonObject) -> bool:
    return not _SOURCES.isdisjoint([name for name, value in volume.items() if value is not None])


def _projection(projection: JsonObject, at: Path, source: Source) -> list[Assignment]:
    made: list[Assignment] = []
    token = projection.get("serviceAccountToken")
    if isinstance(token, dict):
        made += _nil(token, at / "serviceAccountToken", "expirationSeconds", 3600, source)
    return made + _field_refs(member(projection, "downwardAPI"), at / "downwardAPI", source)


def _field_refs(downward: JsonObject, at: Path, source: Source) -> list[Assignment]:
    made: list[Assignment] = []
    for index, item in enumerate(objects(downward, "items")):
        reference = item.get("fieldRef")
        if isinstance(reference, dict):
            made += _empty(reference, at / "items" / index / "fieldRef", "apiVersion", "v1", source)
    return made


def _nil(raw: JsonObject, at: Path, name: str, value: Value, source: Source) -> tuple[Assignment, ...]:
    return () if raw.get(name) is not None else (_default(at / name, value, source),)


def _empty(raw: JsonObject, at: Path, name: str, value: str, source: Source) -> tuple[Assignment, ...]:
    return () if raw.get(name) not in (None, "") else (_default(at / name, value, source),)


def _default(at: Path, value: Value, source: Source) -> Assignment:
    return Assignment(at, value, f"unset: {value!r} is the default", source)


_NOTHING = Decision()
