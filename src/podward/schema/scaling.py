"""The Scale of an object, and the object that a changed Scale makes.

Specification: Kubernetes, the ScaleREST of pkg/registry/apps, core/replicationcontroller and apiextensions-apiserver: a
Scale has the object's names and version, the replicas that are wished for and that there are, and the selector as
text. Its write changes the replicas alone. Owners of the replicas are those of the Scale (`apply/scale.py`). Where a
custom resource has them, its definition says.
"""

from __future__ import annotations

from msgspec import Struct

from podward.api.json_value import Json, JsonObject
from podward.documents.raw_fields import member, objects
from podward.schema.apply.scale import SCALE_VERSION, WORKLOADS, ReplicasPaths, of_object, of_scale

_NAMES = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
_NEGATIVE = "must be greater than or equal to 0"


class ScalePaths(Struct, frozen=True):
    """Where an object has its replicas and its selector, and where each version of its kind has the replicas."""

    replicas: tuple[str, ...]
    status: tuple[str, ...]
    selector: tuple[str, ...]
    versions: ReplicasPaths


WORKLOAD = ScalePaths(("spec", "replicas"), ("status", "replicas"), ("spec", "selector"), WORKLOADS)
"""Where built-in kinds have them."""


def custom_paths(definition: JsonObject) -> dict[str, ScalePaths]:
    """Where custom objects have replicas and selector, by the API versions of their definition that have a Scale."""
    spec = member(definition, "spec")
    scales = {
        f"{spec.get('group')}/{version.get('name')}": member(member(version, "subresources"), "scale")
        for version in objects(spec, "versions")
    }
    replicas = {version: _path(scale, "specReplicasPath") for version, scale in scales.items()}
    return {
        version: ScalePaths(
            replicas[version], _path(scale, "statusReplicasPath"), _path(scale, "labelSelectorPath"), replicas
        )
        for version, scale in scales.items()
        if replicas[version]
    }


def _path(scale: JsonObject, name: str) -> tuple[str, ...]:
    """A path of a definition, which is a simple one: `.spec.replicas`."""
    written = scale.get(name)
    return tuple(written.split(".")[1:]) if isinstance(written, str) else ()


def scale_of(obj: JsonObject, paths: ScalePaths = WORKLOAD) -> JsonObject:
    """The Scale of an object."""
    metadata = member(obj, "metadata")
    found: JsonObject = {"replicas": _at(obj, paths.status) or 0}
    selector = selector_text(_selector(obj, paths))
    if selector:
        found["selector"] = selector
    replicas = _at(obj, paths.replicas) or 0
    return {
        "kind": "Scale",
        "apiVersion": SCALE_VERSION,
        "metadata": {name: metadata[name] for name in _NAMES if name in metadata},
        "spec": {"replicas": replicas} if replicas else {},
        "status": found,
    }


def _selector(obj: JsonObject, paths: ScalePaths) -> Json:
    """The selector; of OpenShift's DeploymentConfigs it chooses their own Pods alone, whatever they say."""
    found = _at(obj, paths.selector)
    if obj.get("kind") != "DeploymentConfig" or not isinstance(found, dict):
        return found
    return {**found, "deploymentconfig": member(obj, "metadata").get("name")}


def missing_replicas(obj: JsonObject, paths: ScalePaths) -> str:
    """Why a custom resource has no Scale: an internal error, in the server's words; empty where it has one."""
    if _at(obj, paths.replicas) is not None:
        return ""
    return f'the spec replicas field ".{".".join(paths.replicas)}" does not exist'


def managed_scale_of(obj: JsonObject, paths: ScalePaths = WORKLOAD) -> JsonObject:
    """The Scale of an object, with those who own its replicas."""
    found = scale_of(obj, paths)
    entries = of_scale(member(obj, "metadata").get("managedFields"), paths.versions)
    if not entries:
        return found
    return {**found, "metadata": {**member(found, "metadata"), "managedFields": entries}}


def fault_of(scale: JsonObject) -> str:
    """What is wrong with `spec.replicas` of a Scale; empty where nothing is."""
    replicas = member(scale, "spec").get("replicas") or 0
    return f"Invalid value: {replicas}: {_NEGATIVE}" if isinstance(replicas, int) and replicas < 0 else ""


def scaled(obj: JsonObject, scale: JsonObject, paths: ScalePaths = WORKLOAD) -> JsonObject:
    """The object that a written Scale makes of this one."""
    metadata, written = dict(member(obj, "metadata")), member(scale, "metadata")
    entries = of_object(
        metadata.pop("managedFields", None), written.get("managedFields"), str(obj.get("apiVersion")), paths.versions
    )
    if entries:
        metadata["managedFields"] = entries
    if written.get("resourceVersion"):
        metadata["resourceVersion"] = written["resourceVersion"]
    return _with({**obj, "metadata": metadata}, paths.replicas, member(scale, "spec").get("replicas") or 0)


def _at(obj: JsonObject, path: tuple[str, ...]) -> Json:
    """The value at this path; None where there is none."""
    *way, last = path or ("",)
    for name in way:
        obj = member(obj, name)
    return obj.get(last)


def _with(obj: JsonObject, path: tuple[str, ...], value: Json) -> JsonObject:
    if len(path) == 1:
        return {**obj, path[0]: value}
    return {**obj, path[0]: _with(member(obj, path[0]), path[1:], value)}


def selector_text(selector: Json) -> str:
    """A selector as the query of a list writes it; ReplicationControllers have labels alone, custom resources text."""
    if not isinstance(selector, dict):
        return selector if isinstance(selector, str) else ""
    plain = "matchLabels" not in selector and "matchExpressions" not in selector
    labels = selector if plain else member(selector, "matchLabels")
    terms = [(key, f"{key}={value}") for key, value in labels.items()]
    for each in () if plain else objects(selector, "matchExpressions"):
        key, values = str(each.get("key")), each.get("values")
        listed = ",".join(sorted(str(value) for value in values)) if isinstance(values, list) else ""
        written = {
            "In": f"{key} in ({listed})",
            "NotIn": f"{key} notin ({listed})",
            "Exists": key,
            "DoesNotExist": f"!{key}",
        }
        terms.append((key, written.get(str(each.get("operator")), "")))
    return ",".join(text for _, text in sorted(terms, key=lambda term: term[0]) if text)
