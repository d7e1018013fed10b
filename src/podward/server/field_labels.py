"""Which fields objects can be selected by, kind by kind.

Specification: Kubernetes, pkg/apis/*/v1/conversion.go (AddFieldLabelConversionFunc) and the registries' field sets.
What is in no table is selected by name and namespace.
"""

from __future__ import annotations

from collections.abc import Callable

from podward.api.json_value import Json, JsonObject
from podward.api.resource import Resource
from podward.documents.raw_fields import member
from podward.schema.custom_objects.kind import CustomKind
from podward.server.encoding import decoded
from podward.store.interface import Stored

COMMON = ("metadata.name", "metadata.namespace")
_EVENT = (
    "involvedObject.kind involvedObject.namespace involvedObject.name involvedObject.uid involvedObject.apiVersion"
    " involvedObject.resourceVersion involvedObject.fieldPath reason reportingComponent source type"
)
_REGARDING = {
    field.replace("involvedObject", "regarding"): (field,)
    for field in _EVENT.split()
    if field.startswith("involvedObject.")
}
"""What the newer group calls the fields of the object that an Event is about."""
_FIELDS: dict[tuple[str, str], tuple[str, ...]] = {
    ("", "pods"): (
        "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "spec.hostNetwork",
        "status.phase", "status.podIP", "status.podIPs", "status.nominatedNodeName",
    ),
    ("", "nodes"): ("spec.unschedulable",),
    ("", "namespaces"): ("status.phase",),
    ("", "secrets"): ("type",),
    ("", "services"): ("spec.clusterIP", "spec.type"),
    ("", "replicationcontrollers"): ("status.replicas",),
    ("", "events"): tuple(_EVENT.split()),
    ("events.k8s.io", "events"): (*_REGARDING, "reason", "reportingController", "type"),
    ("apps", "replicasets"): ("status.replicas",),
    ("batch", "jobs"): ("status.successful",),
    ("certificates.k8s.io", "certificatesigningrequests"): ("spec.signerName",),
    ("resource.k8s.io", "resourceslices"): ("spec.nodeName", "spec.driver"),
    ("networking.k8s.io", "ipaddresses"): ("spec.parentRef.resource",),
}  # fmt: skip
_OWN_ERROR = frozenset(_FIELDS) - {("apps", "replicasets")}
_ALIASES = {
    **{(name, "events"): fields for name, fields in _REGARDING.items()},
    ("reportingController", "events"): ("reportingComponent", "source.component"),
    ("source", "events"): ("source.component", "reportingComponent"),
    ("status.successful", "jobs"): ("status.succeeded",),
    ("reportingComponent", "events"): ("reportingComponent", "source.component"),
}
_ZERO = {"status.replicas": "0", "status.successful": "0", "spec.unschedulable": "false", "spec.hostNetwork": "false"}


def unsupported(resource: Resource, field: str, custom: CustomKind | None = None) -> str | None:
    """Why objects cannot be selected by this field; None where they can."""
    if custom is not None:
        known = field in COMMON or field in custom.selectable
        return None if known else f"field label not supported: {field}"
    own = _FIELDS.get((resource.group, resource.plural), ())
    if field in own or field in COMMON:
        return None
    if (resource.group, resource.plural) in _OWN_ERROR:
        return f"field label not supported: {field}"
    return f'"{field}" is not a known field selector: only "metadata.name", "metadata.namespace"'


def value_of(
    resource: Resource, stored: Stored, read: Callable[[Stored], JsonObject] = decoded
) -> Callable[[str], str]:
    """The values of an object's fields, by the names that selectors use. `read` gives the object as it is asked for."""
    obj: JsonObject | None = None

    def value(field: str) -> str:
        nonlocal obj
        if field == "metadata.name":
            return stored.key.rpartition("/")[2]
        if obj is None:
            obj = read(stored)
        for name in _ALIASES.get((field, resource.plural), (field,)):
            if found := _printed(_at(obj, name)):
                return found
        return _ZERO.get(field, "")

    return value


def _at(obj: JsonObject, field: str) -> Json:
    *above, last = field.split(".")
    if field == "status.podIPs":
        return member(obj, "status").get("podIP")
    for name in above:
        obj = member(obj, name)
    return obj.get(last)


def _printed(value: Json) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None or isinstance(value, dict | list) else str(value)
