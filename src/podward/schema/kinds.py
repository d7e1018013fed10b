"""The types of every kind that an API server serves: importing this module makes them known to the whole of `schema`.

Specification: `served_types`, and for types that decode themselves, k8s.io/apimachinery meta/v1 MicroTime and
apiextensions/v1 JSON, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool, JSONSchemaPropsOrStringArray.

`schema.table` has what every command reads. What only a server reads is added to its tables here, once: whoever needs
the types of all kinds imports this module, by which it also learns the type of a kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.schema import served_types
from podward.schema.fit import fits
from podward.schema.godecode.gotypes import EMBEDDED
from podward.schema.scalars import SCALARS, is_boolean, is_time
from podward.schema.table import ALWAYS_WRITTEN, GO_TYPES, TYPES

if TYPE_CHECKING:
    from podward.api.json_value import Json


def type_of(api_version: str, kind: str) -> str | None:
    """The name in `TYPES` of the objects of this kind; None where no such kind is built in."""
    return served_types.KINDS.get(api_version, {}).get(kind)


def is_registered(api_version: str, kind: str) -> bool:
    """Whether a server can still read this kind in this version, though it serves it no longer."""
    return kind.removesuffix("List") in _NO_LONGER_SERVED.get(api_version, "").split()


_WEBHOOKS = "ValidatingWebhookConfiguration MutatingWebhookConfiguration"
_POLICIES = (
    "ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding MutatingAdmissionPolicy MutatingAdmissionPolicyBinding"
)
_RULES = "Role RoleBinding ClusterRole ClusterRoleBinding"
_FLOWS = "FlowSchema PriorityLevelConfiguration"
_DEVICES = "DeviceClass ResourceClaim ResourceClaimTemplate ResourceSlice"
_NO_LONGER_SERVED = {
    "admissionregistration.k8s.io/v1alpha1": _POLICIES,
    "admissionregistration.k8s.io/v1beta1": f"{_WEBHOOKS} {_POLICIES}",
    "apps/v1beta1": "Deployment StatefulSet ControllerRevision Scale",
    "apps/v1beta2": "Deployment StatefulSet DaemonSet ReplicaSet ControllerRevision Scale",
    "authentication.k8s.io/v1alpha1": "SelfSubjectReview",
    "authentication.k8s.io/v1beta1": "SelfSubjectReview TokenReview",
    "authorization.k8s.io/v1beta1": "SelfSubjectRulesReview SelfSubjectAccessReview SubjectAccessReview"
    " LocalSubjectAccessReview",
    "batch/v1beta1": "CronJob",
    "certificates.k8s.io/v1beta1": "CertificateSigningRequest",
    "coordination.k8s.io/v1beta1": "Lease",
    "discovery.k8s.io/v1beta1": "EndpointSlice",
    "events.k8s.io/v1beta1": "Event",
    "extensions/v1beta1": "Deployment DaemonSet ReplicaSet Ingress NetworkPolicy Scale",
    "flowcontrol.apiserver.k8s.io/v1beta1": _FLOWS,
    "flowcontrol.apiserver.k8s.io/v1beta2": _FLOWS,
    "flowcontrol.apiserver.k8s.io/v1beta3": _FLOWS,
    "networking.k8s.io/v1beta1": "Ingress IngressClass IPAddress ServiceCIDR",
    "node.k8s.io/v1alpha1": "RuntimeClass",
    "node.k8s.io/v1beta1": "RuntimeClass",
    "policy/v1beta1": "PodDisruptionBudget Eviction",
    "rbac.authorization.k8s.io/v1alpha1": _RULES,
    "rbac.authorization.k8s.io/v1beta1": _RULES,
    "resource.k8s.io/v1beta1": _DEVICES,
    "resource.k8s.io/v1beta2": _DEVICES,
    "scheduling.k8s.io/v1beta1": "PriorityClass",
    "storage.k8s.io/v1alpha1": "VolumeAttachment CSIStorageCapacity VolumeAttributesClass",
    "storage.k8s.io/v1beta1": "StorageClass VolumeAttachment CSIDriver CSINode CSIStorageCapacity"
    " VolumeAttributesClass",
}
"""Versions that are read, and refused for being another version than the expected one."""


def is_number(value: Json) -> bool:
    """float64."""
    return type(value) is float or type(value) is int


def is_json(value: Json) -> bool:
    """apiextensions/v1 JSON: anything."""
    del value
    return True


def is_schema_or_list(value: Json) -> bool:
    """JSONSchemaPropsOrArray: a schema, or a list of them."""
    return fits(value, "[JSONSchemaProps" if type(value) is list else "JSONSchemaProps")


def is_schema_or_boolean(value: Json) -> bool:
    """JSONSchemaPropsOrBool: a schema, or whether anything is allowed."""
    return is_boolean(value) or fits(value, "JSONSchemaProps")


def is_schema_or_names(value: Json) -> bool:
    """JSONSchemaPropsOrStringArray: a schema, or names of properties."""
    return fits(value, "[s" if type(value) is list else "JSONSchemaProps")


def _register() -> None:
    TYPES.update(served_types.TYPES)
    GO_TYPES.update(served_types.GO_TYPES)
    ALWAYS_WRITTEN.update(served_types.ALWAYS_WRITTEN)
    for name, parts in served_types.EMBEDDED.items():
        for part, fields in parts.items():
            EMBEDDED.setdefault(name, (part, frozenset(fields.split())))
    SCALARS.update(
        {
            "m": (is_time, 'a time such as "2026-01-31T12:00:00.000000Z"'),
            "n": (is_number, "a number"),
            "JSON": (is_json, "anything"),
            "JSONSchemaPropsOrArray": (is_schema_or_list, "a schema or a list of schemas"),
            "JSONSchemaPropsOrBool": (is_schema_or_boolean, "a schema, true or false"),
            "JSONSchemaPropsOrStringArray": (is_schema_or_names, "a schema or a list of names"),
        }
    )


_register()
