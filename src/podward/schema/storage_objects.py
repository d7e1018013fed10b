"""Storage that Pods refer to, read from documents: claims, persistent volumes, CSI drivers.

The claims that a StatefulSet's first Pod gets from `volumeClaimTemplates` are among the claims: `data-db-0` for the
template `data` of the StatefulSet `db`, unless the input has a claim of that name.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from msgspec import ValidationError, convert

from podward.api.core import ObjectMeta
from podward.api.json_value import Json, JsonObject
from podward.api.storage import CsiDriver, PersistentVolume, PersistentVolumeClaim, Storage
from podward.documents.raw_fields import member
from podward.errors import InputError
from podward.path import Path
from podward.schema.objects import Item
from podward.schema.workload import DEFAULT_NAMESPACE

_CLAIM, _VOLUME = ("v1", "PersistentVolumeClaim"), ("v1", "PersistentVolume")
_DRIVER = ("storage.k8s.io/v1", "CSIDriver")
KINDS = frozenset((_CLAIM, _VOLUME, _DRIVER))
"""The apiVersion and kind of each object of its own that is storage."""

T = TypeVar("T")


def collect(items: Iterable[Item]) -> Storage:
    """The storage of these objects; what comes later takes the place of what has the same name.

    Raises InputError for one whose fields do not fit.
    """
    claims: dict[tuple[str, str], PersistentVolumeClaim] = {}
    made: dict[tuple[str, str], PersistentVolumeClaim] = {}
    volumes: dict[str, PersistentVolume] = {}
    drivers: dict[str, CsiDriver] = {}
    for item in items:
        namespace = item.namespace or DEFAULT_NAMESPACE
        kind = (item.api_version, item.kind)
        if kind == _CLAIM:
            claims[namespace, item.name] = _read(item, item.raw, PersistentVolumeClaim)
        elif kind == _VOLUME:
            volumes[item.name] = _read(item, item.raw, PersistentVolume)
        elif kind == _DRIVER:
            drivers[item.name] = _read(item, item.raw, CsiDriver)
        elif kind == ("apps/v1", "StatefulSet"):
            made.update({(namespace, name): claim for name, claim in _of_templates(item, namespace)})
    return Storage({**made, **claims}, tuple(volumes.values()), drivers)


def _of_templates(item: Item, namespace: str) -> list[tuple[str, PersistentVolumeClaim]]:
    templates = member(item.raw, "spec").get("volumeClaimTemplates")
    found = []
    for template in templates if isinstance(templates, list) else ():
        if isinstance(template, dict):
            claim = _read(item, template, PersistentVolumeClaim)
            name = f"{claim.metadata.name or ''}-{item.name}-0"
            labels = claim.metadata.labels
            found.append(
                (name, PersistentVolumeClaim(ObjectMeta(name, namespace=namespace, labels=labels), claim.spec))
            )
    return found


def _read(item: Item, raw: JsonObject, as_type: type[T]) -> T:
    try:
        return convert(_without_nulls(raw), as_type)
    except ValidationError as error:
        raise InputError(f"{item.kind} {item.name}: {error}", where=item.where(Path())) from error


def _without_nulls(value: Json) -> Json:
    """As in Go, null and absent are the same."""
    if isinstance(value, dict):
        return {name: _without_nulls(item) for name, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value if item is not None]
    return value
