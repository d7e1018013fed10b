"""The metadata of plain workloads and their Pods, and what a server adds to an object that it gives back.

Specification: `validation.metadata`, taken a little too strictly rather than too loosely. What `kubectl get -o yaml`
shows beyond what people write (uid, managedFields, status and so on) is nothing that a Pod is made of: it only has to
fit its type and, in a Pod, to be sound; then the object counts as if it were not there.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from podward.api.core import ObjectMeta
from podward.api.json_value import JsonObject
from podward.path import path
from podward.schema.fit import fits
from podward.schema.plain.part import PlainObject
from podward.schema.plain.scheduling import are_labels
from podward.schema.table import TYPES
from podward.schema.validation.labels import key_faults

_SPEAKING = (
    "container.apparmor.security.beta.kubernetes.io/",
    "container.seccomp.security.alpha.kubernetes.io/",
    "seccomp.security.alpha.kubernetes.io/",
    "kubernetes.io/config.mirror",
    "controller.kubernetes.io/pod-deletion-cost",
)
"""What annotations begin with that mean something to validation, to defaulting or to a policy."""
_MOST_ANNOTATED = 64 * 1024
"""Characters of all annotations; the server takes 256 KiB."""
_WRITTEN = frozenset(("name", "generateName", "namespace", "labels", "annotations"))
_AT = path("metadata")


class PlainMeta(PlainObject, frozen=True):
    """ObjectMeta: as people write it; `namespace` is empty only where it is absent."""

    name: str | None = None
    namespace: Annotated[str, Meta(min_length=1)] = ""
    generate_name: str | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    creation_timestamp: None = None


def is_meta(metadata: PlainMeta) -> bool:
    """Whether the labels and annotations of a Pod are sound and say nothing that matters elsewhere."""
    return (not metadata.labels or are_labels(metadata.labels)) and (
        not metadata.annotations or _are_annotations(metadata.annotations)
    )


def _are_annotations(annotations: dict[str, str]) -> bool:
    size = 0
    for key, value in annotations.items():
        if key.startswith(_SPEAKING) or key_faults(key.lower()):
            return False
        size += len(key) + len(value)
    return size <= _MOST_ANNOTATED


def as_written(raw: JsonObject, kind: str, code: str) -> JsonObject | None:
    """The object without what a server adds, if that is there and sound; `code` is its type's in `schema.table`."""
    metadata = raw.get("metadata")
    if not isinstance(metadata, dict):
        return None
    added: JsonObject = {name: value for name, value in metadata.items() if name not in _WRITTEN}
    if not added and "status" not in raw:
        return None
    status, has_type = raw.get("status"), TYPES[code].get("status")
    if "status" in raw and (has_type is None or not (status is None or fits(status, has_type))):
        return None
    if not fits(added, "ObjectMeta"):
        return None
    if kind == "Pod":
        from podward.schema.validation.metadata import check

        if check(ObjectMeta(name="any"), added, _AT).refused:
            return None
    kept: JsonObject = {name: value for name, value in metadata.items() if name in _WRITTEN}
    return {**{name: value for name, value in raw.items() if name != "status"}, "metadata": kept}
