"""The rows of the kinds of other groups: roles, networks, storage, policies, leases.

Specification: Kubernetes, pkg/printers/internalversion.
"""

from __future__ import annotations

from collections.abc import Callable

from podward.api.json_value import Json, JsonObject
from podward.documents.raw_fields import member
from podward.server.tables.columns import AGE, NAME, Cells, Column, Printer, boolean, integer, wide
from podward.server.tables.core_objects import JUST_AGE, balancers
from podward.server.tables.texts import (
    NONE,
    UNSET,
    age_of,
    condition,
    cut,
    human_duration,
    name_of,
    number_of,
    objects_of,
    selector_or_none,
    text_of,
    texts_of,
)

_RBAC, _NETWORK, _STORAGE, _ADMISSION = (
    "rbac.authorization.k8s.io", "networking.k8s.io", "storage.k8s.io", "admissionregistration.k8s.io",
)  # fmt: skip
_MOST = 3


def _named(*cells: Callable[[JsonObject], Json]) -> Cells:
    """The name, these cells, and the age."""

    def row(raw: JsonObject, now: float) -> list[Json]:
        return [name_of(raw), *(cell(raw) for cell in cells), age_of(raw, now)]

    return row


def _spec(name: str, unset: str = "") -> Callable[[JsonObject], Json]:
    return lambda raw: text_of(member(raw, "spec"), name, unset)


def _field(name: str, unset: str = "") -> Callable[[JsonObject], Json]:
    return lambda raw: text_of(raw, name, unset)


def _role_binding(raw: JsonObject, now: float) -> list[Json]:
    role, subjects = member(raw, "roleRef"), objects_of(raw, "subjects")
    by_kind: dict[str, list[str]] = {"User": [], "Group": [], "ServiceAccount": []}
    for each in subjects:
        name = text_of(each, "name")
        if each.get("kind") == "ServiceAccount":
            name = f"{text_of(each, 'namespace')}/{name}" if each.get("namespace") else name
        by_kind.setdefault(text_of(each, "kind"), []).append(name)
    told = [", ".join(by_kind[kind]) for kind in ("User", "Group", "ServiceAccount")]
    return [name_of(raw), f"{text_of(role, 'kind')}/{text_of(role, 'name')}", age_of(raw, now), *told]


def _created(raw: JsonObject, _now: float) -> list[Json]:
    return [name_of(raw), text_of(member(raw, "metadata"), "creationTimestamp")]


def _ingress(raw: JsonObject, now: float) -> list[Json]:
    spec = member(raw, "spec")
    hosts = [host for each in objects_of(spec, "rules") if (host := text_of(each, "host"))]
    return [
        name_of(raw), text_of(spec, "ingressClassName", NONE), cut(hosts, _MOST, len(hosts), "*"),
        ",".join(balancers(member(raw, "status"))), "80, 443" if spec.get("tls") else "80", age_of(raw, now),
    ]  # fmt: skip


def _default(raw: JsonObject, annotation: str) -> str:
    said = member(member(raw, "metadata"), "annotations").get(annotation)
    return f"{name_of(raw)} (default)" if said == "true" else name_of(raw)


def _ingress_class(raw: JsonObject, now: float) -> list[Json]:
    spec = member(raw, "spec")
    parameters, told = spec.get("parameters"), NONE
    if isinstance(parameters, dict):
        group = text_of(parameters, "apiGroup")
        kind = f"{text_of(parameters, 'kind')}.{group}" if group else text_of(parameters, "kind")
        told = f"{kind}/{text_of(parameters, 'name')}"
    shown = _default(raw, "ingressclass.kubernetes.io/is-default-class")
    return [shown, text_of(spec, "controller"), told, age_of(raw, now)]


def _storage_class(raw: JsonObject, now: float) -> list[Json]:
    return [
        _default(raw, "storageclass.kubernetes.io/is-default-class"), text_of(raw, "provisioner"),
        text_of(raw, "reclaimPolicy", "Delete"), text_of(raw, "volumeBindingMode", "Immediate"),
        raw.get("allowVolumeExpansion") is True, age_of(raw, now),
    ]  # fmt: skip


def _csi_driver(raw: JsonObject, now: float) -> list[Json]:
    spec = member(raw, "spec")
    requests = [text_of(each, "audience") for each in objects_of(spec, "tokenRequests")]
    return [
        name_of(raw), spec.get("attachRequired") is not False, spec.get("podInfoOnMount") is True,
        spec.get("storageCapacity") is True, ",".join(requests) if spec.get("tokenRequests") is not None else UNSET,
        spec.get("requiresRepublish") is True, ",".join(texts_of(spec, "volumeLifecycleModes")) or NONE,
        age_of(raw, now),
    ]  # fmt: skip


def _attachment(raw: JsonObject, now: float) -> list[Json]:
    spec = member(raw, "spec")
    return [
        name_of(raw), text_of(spec, "attacher"), text_of(member(spec, "source"), "persistentVolumeName"),
        text_of(spec, "nodeName"), member(raw, "status").get("attached") is True, age_of(raw, now),
    ]  # fmt: skip


def _param_kind(raw: JsonObject) -> Json:
    kind = member(raw, "spec").get("paramKind")
    return f"{text_of(kind, 'apiVersion')}/{text_of(kind, 'kind')}" if isinstance(kind, dict) else UNSET


def _param_name(raw: JsonObject) -> Json:
    reference = member(raw, "spec").get("paramRef")
    if not isinstance(reference, dict) or not reference.get("name"):
        return UNSET
    return f"{text_of(reference, 'namespace', '*')}/{text_of(reference, 'name')}"


def _policy(count: str) -> Printer:
    columns = (NAME, integer(count.capitalize()), Column("ParamKind"), AGE)
    return Printer(columns, _named(lambda raw: len(objects_of(member(raw, "spec"), count)), _param_kind))


_BINDING = Printer((NAME, Column("PolicyName"), Column("ParamRef"), AGE), _named(_spec("policyName"), _param_name))
_WEBHOOKS = Printer((NAME, integer("Webhooks"), AGE), _named(lambda raw: len(objects_of(raw, "webhooks"))))


def _priority_class(raw: JsonObject, now: float) -> list[Json]:
    default, policy = raw.get("globalDefault") is True, text_of(raw, "preemptionPolicy")
    return [name_of(raw), number_of(raw, "value"), default, age_of(raw, now), policy]


def _slice(raw: JsonObject, now: float) -> list[Json]:
    ports = [str(each["port"]) if each.get("port") else "*" for each in objects_of(raw, "ports")]
    addresses = [address for each in objects_of(raw, "endpoints") for address in texts_of(each, "addresses")]
    return [
        name_of(raw), text_of(raw, "addressType"), cut(ports, _MOST, len(ports), UNSET),
        cut(addresses, _MOST, len(addresses), UNSET), age_of(raw, now),
    ]  # fmt: skip


def _signing_request(raw: JsonObject, now: float) -> list[Json]:
    spec, status = member(raw, "spec"), member(raw, "status")
    seconds = spec.get("expirationSeconds")
    said = [kind for kind in ("Approved", "Denied", "Failed") if condition(raw, kind) is not None]
    state = ",".join(said) or "Pending"
    if status.get("certificate"):
        state += ",Issued"
    asked = human_duration(seconds) if isinstance(seconds, int) else NONE
    return [
        name_of(raw), age_of(raw, now), text_of(spec, "signerName", NONE), text_of(spec, "username"), asked, state,
    ]  # fmt: skip


def _address(raw: JsonObject) -> Json:
    parent = member(raw, "spec").get("parentRef")
    if not isinstance(parent, dict):
        return NONE
    group, namespace = text_of(parent, "group"), text_of(parent, "namespace")
    told = f"{text_of(parent, 'resource')}.{group}" if group else text_of(parent, "resource")
    return "/".join([told, *([namespace] if namespace else []), text_of(parent, "name")])


def _flow_schema(raw: JsonObject, now: float) -> list[Json]:
    spec, dangling = member(raw, "spec"), condition(raw, "Dangling")
    return [
        name_of(raw), text_of(member(spec, "priorityLevelConfiguration"), "name"),
        number_of(spec, "matchingPrecedence"), text_of(member(spec, "distinguisherMethod"), "type", NONE),
        age_of(raw, now), text_of(dangling, "status") if dangling is not None else "?",
    ]  # fmt: skip


_CREATED_AT = Printer((NAME, Column("Created At", type="date")), _created)
"""What has no columns of its own."""
_BOUND = Printer((NAME, Column("Role"), AGE, wide("Users"), wide("Groups"), wide("ServiceAccounts")), _role_binding)
OTHERS: dict[tuple[str, str], Printer] = {
    (_RBAC, "RoleBinding"): _BOUND,
    (_RBAC, "ClusterRoleBinding"): _BOUND,
    (_NETWORK, "Ingress"): Printer(
        (NAME, Column("Class"), Column("Hosts"), Column("Address"), Column("Ports"), AGE), _ingress
    ),
    (_NETWORK, "IngressClass"): Printer((NAME, Column("Controller"), Column("Parameters"), AGE), _ingress_class),
    (_NETWORK, "NetworkPolicy"): Printer(
        (NAME, Column("Pod-Selector"), AGE),
        _named(lambda raw: selector_or_none(member(raw, "spec").get("podSelector"))),
    ),
    (_NETWORK, "IPAddress"): Printer((NAME, Column("ParentRef")), _named(_address)),  # the age has no column
    (_NETWORK, "ServiceCIDR"): Printer(
        (NAME, Column("CIDRs"), AGE), _named(lambda raw: ",".join(texts_of(member(raw, "spec"), "cidrs")))
    ),
    (_STORAGE, "StorageClass"): Printer(
        (
            NAME, Column("Provisioner"), Column("ReclaimPolicy"), Column("VolumeBindingMode"),
            Column("AllowVolumeExpansion"), AGE,
        ),
        _storage_class,
    ),
    (_STORAGE, "CSIDriver"): Printer(
        (
            NAME, boolean("AttachRequired"), boolean("PodInfoOnMount"), boolean("StorageCapacity"),
            Column("TokenRequests"), boolean("RequiresRepublish"), Column("Modes"), AGE,
        ),
        _csi_driver,
    ),
    (_STORAGE, "CSINode"): Printer(
        (NAME, integer("Drivers"), AGE), _named(lambda raw: len(objects_of(member(raw, "spec"), "drivers")))
    ),
    (_STORAGE, "VolumeAttachment"): Printer(
        (NAME, Column("Attacher", format="name"), Column("PV"), Column("Node"), boolean("Attached"), AGE), _attachment
    ),
    (_STORAGE, "VolumeAttributesClass"): Printer((NAME, Column("DriverName"), AGE), _named(_field("driverName"))),
    (_ADMISSION, "ValidatingAdmissionPolicy"): _policy("validations"),
    (_ADMISSION, "MutatingAdmissionPolicy"): _policy("mutations"),
    (_ADMISSION, "ValidatingAdmissionPolicyBinding"): _BINDING,
    (_ADMISSION, "MutatingAdmissionPolicyBinding"): _BINDING,
    (_ADMISSION, "ValidatingWebhookConfiguration"): _WEBHOOKS,
    (_ADMISSION, "MutatingWebhookConfiguration"): _WEBHOOKS,
    ("scheduling.k8s.io", "PriorityClass"): Printer(
        (NAME, integer("Value"), boolean("Global-Default"), AGE, Column("PreemptionPolicy")), _priority_class
    ),
    ("coordination.k8s.io", "Lease"): Printer((NAME, Column("Holder"), AGE), _named(_spec("holderIdentity"))),
    ("node.k8s.io", "RuntimeClass"): Printer((NAME, Column("Handler"), AGE), _named(_field("handler"))),
    ("discovery.k8s.io", "EndpointSlice"): Printer(
        (NAME, Column("AddressType"), Column("Ports"), Column("Endpoints"), AGE), _slice
    ),
    ("certificates.k8s.io", "CertificateSigningRequest"): Printer(
        (
            NAME, AGE, Column("SignerName"), Column("Requestor"), Column("RequestedDuration"), Column("Condition"),
        ),
        _signing_request,
    ),
    ("flowcontrol.apiserver.k8s.io", "FlowSchema"): Printer(
        (
            NAME, Column("PriorityLevel"), Column("MatchingPrecedence"), Column("DistinguisherMethod"), AGE,
            Column("MissingPL"),
        ),
        _flow_schema,
    ),
    ("resource.k8s.io", "DeviceClass"): JUST_AGE,
    ("resource.k8s.io", "ResourceClaimTemplate"): JUST_AGE,
}  # fmt: skip
FALLBACK = _CREATED_AT
"""The columns of every other kind."""
