"""PodTolerationRestriction and ExtendedResourceToleration: which taints the Pods of a namespace tolerate.

Specification: Kubernetes, plugin/pkg/admission/podtolerationrestriction and extendedresourcetoleration,
pkg/util/tolerations. A namespace's annotations come before the server's configuration.
"""

from __future__ import annotations

from collections.abc import Sequence

from podward.api import status
from podward.api.admission import NAMESPACES, Operation
from podward.api.json_value import Json, JsonObject
from podward.api.status import Status
from podward.documents.raw_fields import member, objects
from podward.schema.patches.json_patch import undecodable
from podward.schema.patches.reading import UnreadableError, read_json
from podward.schema.strategies.pod_quality import quality
from podward.schema.validation.raw import text
from podward.schema.validation.resources import is_extended
from podward.stages.admission.served_facts import Served

_DEFAULTS = "scheduler.alpha.kubernetes.io/defaultTolerations"
_ALLOWED = "scheduler.alpha.kubernetes.io/tolerationsWhitelist"
_PRESSURE: JsonObject = {
    "key": "node.kubernetes.io/memory-pressure", "operator": "Exists", "effect": "NoSchedule",
}  # fmt: skip
_CONFLICT = "pod tolerations (possibly merged with namespace default tolerations) conflict with its %s whitelist"


def mutate(asked: Served, obj: JsonObject) -> JsonObject | Status:
    """The Pod with the tolerations of its namespace, if it may have them all."""
    more: list[JsonObject] = []
    if asked.request.operation is Operation.CREATE:
        found = _annotated(asked, _DEFAULTS)
        if isinstance(found, Status):
            return found
        more += asked.settings.default_tolerations or () if found is None else found
    spec = member(obj, "spec")
    if quality(spec) != "BestEffort":
        more.append(_PRESSURE)
    made = obj
    if more:
        told: list[Json] = [*merged([*objects(spec, "tolerations"), *more])]
        made = {**obj, "spec": {**spec, "tolerations": told}}
    fault = validate(asked, made)
    return made if fault is None else fault


def validate(asked: Served, obj: JsonObject) -> Status | None:
    """Why the Pod may not tolerate what it does."""
    own = objects(member(obj, "spec"), "tolerations")
    if not own:
        return None
    found = _annotated(asked, _ALLOWED)
    if isinstance(found, Status):
        return found
    allowed: Sequence[JsonObject] = asked.settings.allowed_tolerations if found is None else found
    if not allowed or all(any(_covers(wide, each) for wide in allowed) for each in own):
        return None
    return status.unexplained(_CONFLICT % ("cluster" if found is None else "namespace"))


def tolerate_resources(_asked: Served, obj: JsonObject) -> JsonObject | Status:
    """The Pod tolerating the taints of the nodes that have the extended resources that it asks for."""
    spec = member(obj, "spec")
    names = {
        name
        for field in ("containers", "initContainers")
        for container in objects(spec, field)
        for name in member(member(container, "resources"), "requests")
        if is_extended(name)
    }
    if not names:
        return obj
    tolerations = objects(spec, "tolerations")
    for name in sorted(names):
        added: JsonObject = {"key": name, "operator": "Exists", "effect": "NoSchedule"}
        if not any(_is_same(each, added) for each in tolerations):
            tolerations = [*tolerations, added]
    made: list[Json] = [*tolerations]
    return {**obj, "spec": {**spec, "tolerations": made}}


def _is_same(one: JsonObject, other: JsonObject) -> bool:
    return all(text(one, name) == text(other, name) for name in ("key", "operator", "effect", "value"))


def _annotated(asked: Served, name: str) -> Sequence[JsonObject] | Status | None:
    """The tolerations in an annotation of the namespace; None where there is none."""
    namespace = asked.objects.get("namespaces", "", asked.request.namespace)
    if namespace is None:
        return status.not_found(NAMESPACES, asked.request.namespace)
    written = member(member(namespace, "metadata"), "annotations").get(name)
    if not isinstance(written, str):
        return None
    return _read(written) if written else []


def _read(written: str) -> Sequence[JsonObject] | Status:
    try:
        found, _ = read_json(written.encode())
    except UnreadableError as error:
        return status.unexplained(str(error))
    if fault := undecodable(found, "[]v1.Toleration", "v1.Toleration"):
        return status.unexplained(fault)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def merged(tolerations: Sequence[JsonObject]) -> list[JsonObject]:
    """Without those that another one covers."""
    kept: list[JsonObject] = []
    for index, each in enumerate(tolerations):
        if any(_covers(wide, each) for wide in kept):
            continue
        if any(later != each and _covers(later, each) for later in tolerations[index + 1 :]):
            continue
        kept.append(each)
    return kept


def _covers(wide: JsonObject, each: JsonObject) -> bool:
    """Whether whatever one tolerates the other one does."""
    if wide == each:
        return True
    operator = text(wide, "operator")
    if text(each, "key") != text(wide, "key") and (text(wide, "key") or operator != "Exists"):
        return False
    if text(wide, "effect") not in {"", text(each, "effect")}:
        return False
    if text(wide, "effect") == "NoExecute" and _longer(each.get("tolerationSeconds"), wide.get("tolerationSeconds")):
        return False
    if operator in {"", "Equal"}:
        return text(each, "operator") == "Equal" and text(each, "value") == text(wide, "value")
    return operator == "Exists"


def _longer(seconds: Json, most: Json) -> bool:
    if not isinstance(most, int):
        return False
    return not isinstance(seconds, int) or seconds > most
