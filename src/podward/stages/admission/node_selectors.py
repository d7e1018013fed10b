"""PodNodeSelector: the nodes that the Pods of a namespace may be on.

Specification: Kubernetes, plugin/pkg/admission/podnodeselector. The namespace's annotation, or else the server's
configuration, is added to the Pod's selector; what the configuration says of a namespace is all that may be selected.
"""

from __future__ import annotations

from collections.abc import Mapping

from podward.api import status
from podward.api.admission import NAMESPACES
from podward.api.gotext import quote
from podward.api.json_value import Json, JsonObject
from podward.api.status import Status
from podward.documents.raw_fields import member
from podward.schema.validation.labels import key_faults, value_faults
from podward.schema.validation.raw import text
from podward.stages.admission.served_facts import Served

_ANNOTATION = "scheduler.alpha.kubernetes.io/node-selector"
DEFAULT = "clusterDefaultNodeSelector"
"""What the configuration calls the selector of all namespaces without one."""
_CONFLICT = "pod node label selector conflicts with its namespace node label selector"
_NOT_ALLOWED = "pod node label selector labels conflict with its namespace whitelist"


def mutate(asked: Served, obj: JsonObject) -> JsonObject | Status:
    """The Pod with the selector of its namespace, or why they do not go together."""
    wanted = _of_namespace(asked)
    if isinstance(wanted, Status):
        return wanted
    own = member(member(obj, "spec"), "nodeSelector")
    if _conflict(wanted, own):
        return _refused(asked, obj, _CONFLICT)
    merged: JsonObject = {**wanted, **own}
    made = obj if merged == own else {**obj, "spec": {**member(obj, "spec"), "nodeSelector": merged}}
    fault = validate(asked, made)
    return made if fault is None else fault


def validate(asked: Served, obj: JsonObject) -> Status | None:
    """Why the Pod may not select its nodes so."""
    wanted, own = _of_namespace(asked), member(member(obj, "spec"), "nodeSelector")
    if isinstance(wanted, Status):
        return wanted
    if _conflict(wanted, own):
        return _refused(asked, obj, _CONFLICT)
    allowed = parsed(asked.settings.node_selectors.get(asked.request.namespace, ""))
    if isinstance(allowed, str):
        return status.unexplained(allowed)
    outside = allowed and any(allowed.get(name) != value for name, value in own.items())
    return _refused(asked, obj, _NOT_ALLOWED) if outside else None


def _of_namespace(asked: Served) -> Mapping[str, str] | Status:
    namespace = asked.objects.get("namespaces", "", asked.request.namespace)
    if namespace is None:
        return status.not_found(NAMESPACES, asked.request.namespace)
    annotations = member(member(namespace, "metadata"), "annotations")
    written = annotations.get(_ANNOTATION)
    chosen = written if isinstance(written, str) else asked.settings.node_selectors.get(DEFAULT, "")
    found = parsed(chosen)
    return status.unexplained(found) if isinstance(found, str) else found


def parsed(written: str) -> dict[str, str] | str:
    """The labels that `name=value,name=value` names, or what is wrong with it."""
    found: dict[str, str] = {}
    for each in written.split(",") if written else ():
        parts = each.split("=")
        if len(parts) != 2:
            return f"invalid selector: [{' '.join(parts)}]"
        name, value = parts[0].strip(), parts[1].strip()
        for word, faults in ((name, key_faults(name)), (value, value_faults(value))):
            if faults:
                return f"<nil>: Invalid value: {quote(word)}: {'; '.join(faults)}"
        found[name] = value
    return found


def _conflict(one: Mapping[str, str], other: Mapping[str, Json]) -> bool:
    return any(name in other and other[name] != value for name, value in one.items())


def _refused(asked: Served, obj: JsonObject, why: str) -> Status:
    return status.forbidden(asked.request.resource, text(member(obj, "metadata"), "name"), why)
