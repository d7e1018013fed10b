"""Objects for tests of controllers: owners, Pods, conditions, with the times at which something was so."""

from __future__ import annotations

from podward.api.json_value import Json, JsonObject
from podward.schema.moments import written

NOW = 1_800_000_000.0
"""The moment of these tests."""


def meta(name: str, **more: Json) -> JsonObject:
    """Metadata of an object in the namespace `ns`, whose uid is `uid-NAME`."""
    found: JsonObject = {"name": name, "namespace": "ns", "uid": f"uid-{name}", "generation": 1, **more}
    found.setdefault("creationTimestamp", written(NOW - 3600))
    return found


def owned_by(owner: JsonObject) -> list[Json]:
    """The owners of an object that `owner` controls."""
    metadata = owner["metadata"]
    assert isinstance(metadata, dict)
    reference: JsonObject = {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    return [reference]


def template(image: str = "web:1", **labels: str) -> JsonObject:
    """A template of Pods with one container."""
    return {
        "metadata": {"labels": {**(labels or {"app": "web"})}},
        "spec": {"containers": [{"name": "web", "image": image}]},
    }


def workload(kind: str, name: str, **spec: Json) -> JsonObject:
    """An object of apps/v1 that selects `app: web`."""
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": meta(name),
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": template(), **spec},
        "status": {},
    }


def pod(name: str, owner: JsonObject | None = None, /, *, ready: float | None = None, **more: Json) -> JsonObject:
    """A Pod of an owner; `ready`: since how many seconds. `more`: `phase`, `node`, `labels`, `annotations`, `gone`."""
    labels = more.get("labels", {"app": "web"})
    metadata = meta(name, labels=labels, annotations=more.get("annotations", {}))
    if owner is not None:
        metadata["ownerReferences"] = owned_by(owner)
    if more.get("gone"):
        metadata["deletionTimestamp"] = written(NOW)
    if "age" in more:
        age = more["age"]
        assert isinstance(age, int)
        metadata["creationTimestamp"] = written(NOW - age)
    status: JsonObject = {"phase": more.get("phase", "Running")}
    if ready is not None:
        status["conditions"] = [{"type": "Ready", "status": "True", "lastTransitionTime": written(NOW - ready)}]
    if "restarts" in more:
        status["containerStatuses"] = [{"name": "web", "restartCount": more["restarts"]}]
    spec: JsonObject = {"containers": [{"name": "web", "image": "web:1"}]}
    if node := more.get("node", "n1"):
        spec["nodeName"] = node
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": status}
