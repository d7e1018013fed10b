"""managedFields of a Scale, which are those of its object's replicas.

Specification: apimachinery, util/managedfields/scalehandler.go. Who owns the replicas of an object owns
`.spec.replicas` of its Scale; what a write of the Scale changes about that goes back to the object, where the writer's
entry names the subresource `scale`.
"""

from __future__ import annotations

from collections.abc import Mapping

from podward.api.json_value import Json
from podward.schema.apply.field_set import FieldSet, difference, has, of_paths
from podward.schema.apply.managers import Managers, Owned, decoded_managers, encoded_managers

SCALE_VERSION = "autoscaling/v1"
_IN_SCALE = of_paths(("spec", "replicas"))

ReplicasPaths = Mapping[str, tuple[str, ...]]
"""Where the replicas of a kind's objects stand, by API version; no names where a version has none."""

WORKLOADS: ReplicasPaths = dict.fromkeys(("apps/v1", "v1", "apps.openshift.io/v1"), ("spec", "replicas"))
"""Where built-in kinds have them."""


def of_scale(entries: Json, paths: ReplicasPaths) -> list[Json]:
    """The entries of a Scale, from those of its object."""
    found: Managers = {}
    for key, each in _decoded(entries).items():
        path = paths.get(each.api_version)
        if path and has(each.fields, *_steps(path)):
            found[key] = Owned(_IN_SCALE, SCALE_VERSION, each.time)
    return encoded_managers(found)


def of_object(entries: Json, scale_entries: Json, api_version: str, paths: ReplicasPaths) -> list[Json]:
    """The entries of an object, from those that it had and those of its Scale after a write."""
    scaled = _decoded(scale_entries)
    found: Managers = {}
    for key, each in _decoded(entries).items():
        path = paths.get(each.api_version)
        if path is None:
            continue
        if not path or not has(each.fields, *_steps(path)):
            found[key] = each
        elif key in scaled:
            found[key] = each
            del scaled[key]
        else:
            left = each.owning(difference(each.fields, of_paths(path)))
            if left.fields:
                found[key] = left
    replicas: FieldSet = of_paths(paths[api_version])
    for key, each in scaled.items():
        if has(each.fields, "f:spec", "f:replicas"):
            found[key] = Owned(replicas, api_version, each.time)
    return encoded_managers(found)


def _steps(path: tuple[str, ...]) -> list[str]:
    return [f"f:{name}" for name in path]


def _decoded(entries: Json) -> Managers:
    found = decoded_managers(entries)
    return found if isinstance(found, dict) else {}
