"""The Scale of an object, and the object that a changed Scale makes.

Specification: Kubernetes, the ScaleREST of pkg/registry/apps and core/replicationcontroller: a Scale has the object's
names and version, the replicas that are wished for and that there are, and the selector as text. Its write changes
the replicas alone. Owners of the replicas are those of the Scale (`apply/scale.py`).
"""

from __future__ import annotations

from podward.api.json_value import Json, JsonObject
from podward.documents.raw_fields import member, objects
from podward.schema.apply.scale import SCALE_VERSION, WORKLOADS, of_object, of_scale

_NAMES = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
_NEGATIVE = "must be greater than or equal to 0"


def scale_of(obj: JsonObject) -> JsonObject:
    """The Scale of a workload."""
    metadata = member(obj, "metadata")
    spec, status = member(obj, "spec"), member(obj, "status")
    found: JsonObject = {"replicas": status.get("replicas") or 0}
    selector = selector_text(spec.get("selector"))
    if selector:
        found["selector"] = selector
    replicas = spec.get("replicas") or 0
    return {
        "kind": "Scale",
        "apiVersion": SCALE_VERSION,
        "metadata": {name: metadata[name] for name in _NAMES if name in metadata},
        "spec": {"replicas": replicas} if replicas else {},
        "status": found,
    }


def managed_scale_of(obj: JsonObject) -> JsonObject:
    """The Scale of a workload, with those who own its replicas."""
    found = scale_of(obj)
    entries = of_scale(member(obj, "metadata").get("managedFields"), WORKLOADS)
    if not entries:
        return found
    return {**found, "metadata": {**member(found, "metadata"), "managedFields": entries}}


def fault_of(scale: JsonObject) -> str:
    """What is wrong with `spec.replicas` of a Scale; empty where nothing is."""
    replicas = member(scale, "spec").get("replicas") or 0
    return f"Invalid value: {replicas}: {_NEGATIVE}" if isinstance(replicas, int) and replicas < 0 else ""


def scaled(obj: JsonObject, scale: JsonObject) -> JsonObject:
    """The workload that a written Scale makes of this one."""
    metadata, written = dict(member(obj, "metadata")), member(scale, "metadata")
    entries = of_object(
        metadata.pop("managedFields", None), written.get("managedFields"), str(obj.get("apiVersion")), WORKLOADS
    )
    if entries:
        metadata["managedFields"] = entries
    metadata["resourceVersion"] = written.get("resourceVersion") or ""
    replicas: Json = member(scale, "spec").get("replicas") or 0
    return {**obj, "metadata": metadata, "spec": {**member(obj, "spec"), "replicas": replicas}}


def selector_text(selector: Json) -> str:
    """A selector as the query of a list writes it; ReplicationControllers have a map of labels alone."""
    if not isinstance(selector, dict):
        return ""
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
