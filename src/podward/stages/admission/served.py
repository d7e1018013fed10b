"""The mutating plugins of a plain API server, in its order: a table that grows.

Specification: Kubernetes, pkg/kubeapiserver/options/plugins.go AllOrderedPlugins. Each takes the object as the ones
before have left it, and what it looks up, and returns it as it leaves it, or why it refuses. Objects are never changed
in place. Validating plugins are the rows of `order.STEPS`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from msgspec import Struct

from podward.api.admission import NAMESPACES, PODS, AdmissionRequest, GroupResource, Operation
from podward.api.json_value import JsonObject
from podward.api.status import Status
from podward.stages.admission import (
    lifecycle,
    limit_ranger,
    node_restriction,
    pod_accounts,
    pod_priority,
    runtime_class,
    small_defaults,
)
from podward.stages.admission.served_facts import Served
from podward.stages.admission.steps import EPHEMERAL_CONTAINERS

Mutate: TypeAlias = Callable[[Served, JsonObject], JsonObject | Status]
"""The object as a plugin leaves it, or its refusal."""
Handles: TypeAlias = Callable[[AdmissionRequest], bool]


class Plugin(Struct, frozen=True):
    """A row: a plugin's name, the requests that it looks at, and what it does."""

    name: str
    handles: Handles
    mutate: Mutate


def _creates(*resources: GroupResource) -> Handles:
    wanted = frozenset(resources)
    return lambda request: (
        request.operation is Operation.CREATE and request.resource in wanted and not request.subresource
    )


def _writes_pod(request: AdmissionRequest) -> bool:
    return request.resource == PODS and request.operation in _WRITES and not request.subresource


def _adds_to_pod(request: AdmissionRequest) -> bool:
    return (
        request.resource == PODS and request.operation in _WRITES and request.subresource in {"", EPHEMERAL_CONTAINERS}
    )


def _namespaced(request: AdmissionRequest) -> bool:
    return bool(request.namespace) and request.resource not in _ANYWHERE


def _limited(request: AdmissionRequest) -> bool:
    """What ranges are about; a Pod's resources change through a subresource of its own."""
    if request.resource == PODS:
        return request.operation is Operation.CREATE and not request.subresource
    return request.resource == _CLAIMS and request.operation in _WRITES and not request.subresource


_WRITES = frozenset((Operation.CREATE, Operation.UPDATE))
_ANYWHERE = frozenset((NAMESPACES, GroupResource("authorization.k8s.io", "localsubjectaccessreviews")))
"""What may name a namespace that is not there."""
_CLAIMS, _VOLUMES = GroupResource("", "persistentvolumeclaims"), GroupResource("", "persistentvolumes")

MUTATING: tuple[Plugin, ...] = (
    Plugin("NamespaceLifecycle", _namespaced, lifecycle.mutate),
    Plugin("LimitRanger", _limited, limit_ranger.mutate),
    Plugin("ServiceAccount", _adds_to_pod, pod_accounts.mutate),
    Plugin("NodeRestriction", node_restriction.handles, node_restriction.mutate),
    Plugin("TaintNodesByCondition", _creates(GroupResource("", "nodes")), small_defaults.taint_node),
    Plugin("Priority", _writes_pod, pod_priority.mutate),
    Plugin("DefaultTolerationSeconds", _writes_pod, small_defaults.tolerate),
    Plugin("DefaultStorageClass", _creates(_CLAIMS), small_defaults.storage_class),
    Plugin("StorageObjectInUseProtection", _creates(_CLAIMS, _VOLUMES), small_defaults.protect),
    Plugin("RuntimeClass", _creates(PODS), runtime_class.mutate),
)
"""Every plugin, in the API server's order."""
_PLUGINS = """
AlwaysAdmit AlwaysDeny AlwaysPullImages CertificateApproval CertificateSigning CertificateSubjectRestriction
ClusterTrustBundleAttest DefaultIngressClass DefaultStorageClass DefaultTolerationSeconds
DenyServiceExternalIPs EventRateLimit ExtendedResourceToleration ImagePolicyWebhook JobValidation
LimitPodHardAntiAffinityTopology LimitRanger MutatingAdmissionPolicy MutatingAdmissionWebhook
NamespaceAutoProvision NamespaceExists NamespaceLifecycle NodeDeclaredFeatureValidator NodeRestriction
OwnerReferencesPermissionEnforcement PersistentVolumeClaimResize PodGroupProtection PodGroupWorkloadExists
PodNodeSelector PodResizeValidator PodSecurity PodTolerationRestriction PodTopologyLabels Priority ResourceQuota
RuntimeClass ServiceAccount StorageObjectInUseProtection TaintNodesByCondition ValidatingAdmissionPolicy
ValidatingAdmissionWebhook
"""
OFF_BY_DEFAULT = frozenset((node_restriction.NAME,))
"""Plugins of this server that act only where `--enable-admission-plugins` names them."""
NAMES = frozenset(_PLUGINS.split())
"""What plugins of an API server are called, those included that this one lacks."""
OPENSHIFTS = frozenset(
    (
        "security.openshift.io/DefaultSecurityContextConstraints", "security.openshift.io/SecurityContextConstraint",
        "security.openshift.io/ValidateSecurityContextConstraints", "storage.openshift.io/CSIInlineVolumeSecurity",
    )
)  # fmt: skip
"""What those of OpenShift are called that are here."""
_NOT_ASKED = frozenset(("mutatingadmissionpolicybindings",))
"""Resources that bring others into admission, whom this server does not ask."""
DELETING = lifecycle.deletion
"""Whether an object may be deleted at all."""


def without_effect(group: str, plural: str) -> str:
    """What its writer must know of an object that is stored and decides nothing here; empty for all others."""
    if group != "admissionregistration.k8s.io" or plural not in _NOT_ASKED:
        return ""
    return f"this server stores {plural} and does not ask them: nothing is refused or changed by them"


def mutated(asked: Served, disabled: frozenset[str] = frozenset()) -> JsonObject | Status | None:
    """The object as all plugins leave it, or the first refusal; None where there is no object."""
    request = asked.request
    if request.operation is Operation.DELETE:
        return DELETING(request) or _not_by_node(asked, disabled)
    obj = request.object
    if obj is None or request.operation is Operation.CONNECT:
        return obj
    for plugin in MUTATING:
        if plugin.name in disabled or not plugin.handles(request):
            continue
        found = plugin.mutate(asked, obj)
        if isinstance(found, Status):
            return found
        obj = found
    return obj


def _not_by_node(asked: Served, disabled: frozenset[str]) -> Status | None:
    """Why a node may not delete it: of the mutating plugins only NodeRestriction looks at what goes."""
    old = asked.request.old_object
    if old is None or node_restriction.NAME in disabled:
        return None
    return node_restriction.refusal(asked, old)


def validated(asked: Served, disabled: frozenset[str] = frozenset()) -> Status | None:
    """The first refusal of the plugins that look at an object once all have changed it, but for those of `order`."""
    request = asked.request
    if request.object is None or "LimitRanger" in disabled or not _limited(request):
        return None
    return limit_ranger.validate(asked, request.object)
