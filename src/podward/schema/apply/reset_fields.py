"""Which fields a write resets, so that nobody owns them because of it.

Specification: GetResetFields of the strategies in pkg/registry, apiextensions-apiserver and kube-aggregator: a write of
an object does not touch its status where that has a path of its own, a write of the status touches nothing else. The
other subresources reset nothing here, so that who writes `ephemeralcontainers` takes fields that it leaves as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from podward.schema.apply.field_set import FieldSet, of_paths, recursive_difference

_RESET = {
    ("pods", "status"): "spec metadata.deletionTimestamp metadata.ownerReferences",
    ("namespaces", "finalize"): "status",
    ("deployments.apps", "status"): "spec metadata.labels",
    ("validatingadmissionpolicies.admissionregistration.k8s.io", "status"): "spec metadata",
    ("certificatesigningrequests.certificates.k8s.io", ""): "spec status",
    ("certificatesigningrequests.certificates.k8s.io", "status"): "spec status.conditions",
    ("certificatesigningrequests.certificates.k8s.io", "approval"): "spec status.certificate",
    ("servicecidrs.networking.k8s.io", "status"): "spec metadata",
    ("volumeattachments.storage.k8s.io", "status"): "spec metadata",
    ("flowschemas.flowcontrol.apiserver.k8s.io", "status"): "spec metadata",
    ("prioritylevelconfigurations.flowcontrol.apiserver.k8s.io", "status"): "spec metadata",
    ("customresourcedefinitions.apiextensions.k8s.io", "status"): "spec metadata",
    ("resourceclaims.resource.k8s.io", "status"): "spec metadata",
    ("apiservices.apiregistration.k8s.io", "status"): "spec metadata",
}
"""The fields that a write of this resource resets, by its qualified name and the subresource."""

_RESET_OF_ALL = {"": "status", "status": "spec"}
_RESET_OF_CUSTOM = {"": "status", "status": "spec metadata"}


@cache
def builtin_filter(resource: str, subresource: str) -> Callable[[FieldSet], FieldSet] | None:
    """What of a set a write of this built-in resource may own; None is all of it."""
    return _without(_RESET.get((resource, subresource), _RESET_OF_ALL.get(subresource, "")))


@cache
def custom_filter(subresource: str, *, has_status: bool) -> Callable[[FieldSet], FieldSet] | None:
    """What of a set a write of a custom resource may own; its status is reset if it is a subresource."""
    return _without(_RESET_OF_CUSTOM.get(subresource, "") if has_status else "")


def _without(paths: str) -> Callable[[FieldSet], FieldSet] | None:
    if not paths:
        return None
    reset = of_paths(*(tuple(path.split(".")) for path in paths.split()))
    return lambda found: recursive_difference(found, reset)
