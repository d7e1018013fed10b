"""The plugins of a plain API server, in its order: a table that grows.

Specification: Kubernetes, pkg/kubeapiserver/options/plugins.go AllOrderedPlugins. Each takes the object as the ones
before have left it, and what it looks up, and returns it as it leaves it, or why it refuses. Objects are never changed
in place. Pod Security and OpenShift's are rows of `order.STEPS`.
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
    node_selectors,
    pod_accounts,
    pod_priority,
    pull_always,
    runtime_class,
    small_defaults,
    small_refusals,
    tolerations,
)
from podward.stages.admission.served_facts import Served
from podward.stages.admission.settings import OFF_BY_DEFAULT
from podward.stages.admission.steps import EPHEMERAL_CONTAINERS

Mutate: TypeAlias = Callable[[Served, JsonObject], JsonObject | Status]
"""The object as a plugin leaves it, or its refusal."""
Handles: TypeAlias = Callable[[AdmissionRequest], bool]


Validate: TypeAlias = Callable[[Served, JsonObject], Status | None]
"""A plugin's refusal of an object as it is."""


class Plugin(Struct, frozen=True):
    """A row: a plugin's name, the requests that it looks at, what it changes, and what it refuses then."""

    name: str
    handles: Handles
    mutate: Mutate | None = None
    validate: Validate | None = None


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
        if request.operation is Operation.UPDATE:
            return request.subresource == "resize"
        return request.operation is Operation.CREATE and not request.subresource
    return request.resource == _CLAIMS and request.operation in _WRITES and not request.subresource


def _gets_node(request: AdmissionRequest) -> bool:
    """A Pod, or what binds it to its node."""
    return request.resource == PODS and request.operation in _WRITES and request.subresource in {"", "binding"}


def _written(resource: GroupResource, *operations: Operation) -> Handles:
    wanted = frozenset(operations) or _WRITES
    return lambda request: request.resource == resource and request.operation in wanted and not request.subresource


def _in_namespace(request: AdmissionRequest) -> bool:
    return bool(request.namespace) and request.resource != NAMESPACES and request.operation is not Operation.CONNECT


_WRITES = frozenset((Operation.CREATE, Operation.UPDATE))
_ANYWHERE = frozenset((NAMESPACES, GroupResource("authorization.k8s.io", "localsubjectaccessreviews")))
"""What may name a namespace that is not there."""
_SERVICES, _INGRESSES = GroupResource("", "services"), GroupResource("networking.k8s.io", "ingresses")
_CLASSES = GroupResource("scheduling.k8s.io", "priorityclasses")
_CLAIMS, _VOLUMES = GroupResource("", "persistentvolumeclaims"), GroupResource("", "persistentvolumes")
_VOLUME_CLASSES = GroupResource("storage.k8s.io", "volumeattributesclasses")

PLUGINS: tuple[Plugin, ...] = (
    Plugin("NamespaceLifecycle", _namespaced, lifecycle.mutate),
    Plugin("NamespaceExists", _in_namespace, None, small_refusals.namespace_exists),
    Plugin("LimitPodHardAntiAffinityTopology", _writes_pod, None, small_refusals.anti_affinity),
    Plugin("LimitRanger", _limited, limit_ranger.mutate, limit_ranger.validate),
    Plugin(pod_accounts.NAME, _adds_to_pod, pod_accounts.mutate),
    Plugin("NodeRestriction", node_restriction.handles, node_restriction.mutate),
    Plugin("TaintNodesByCondition", _creates(GroupResource("", "nodes")), small_defaults.taint_node),
    Plugin("AlwaysPullImages", _writes_pod, pull_always.mutate, pull_always.validate),
    Plugin("PodNodeSelector", _creates(PODS), node_selectors.mutate, node_selectors.validate),
    Plugin("Priority", _writes_pod, pod_priority.mutate),
    Plugin("Priority", _written(_CLASSES), None, pod_priority.validate),
    Plugin("DefaultTolerationSeconds", _writes_pod, small_defaults.tolerate),
    Plugin("PodTolerationRestriction", _writes_pod, tolerations.mutate, tolerations.validate),
    Plugin("ExtendedResourceToleration", _writes_pod, tolerations.tolerate_resources),
    Plugin("DefaultStorageClass", _creates(_CLAIMS), small_defaults.storage_class),
    Plugin("StorageObjectInUseProtection", _creates(_CLAIMS, _VOLUMES, _VOLUME_CLASSES), small_defaults.protect),
    Plugin("PersistentVolumeClaimResize", _written(_CLAIMS, Operation.UPDATE), None, small_refusals.claim_growth),
    Plugin("RuntimeClass", _creates(PODS), runtime_class.mutate),
    Plugin("DefaultIngressClass", _creates(_INGRESSES), small_defaults.ingress_class),
    Plugin("DenyServiceExternalIPs", _written(_SERVICES), None, small_refusals.external_addresses),
    Plugin("PodTopologyLabels", _gets_node, small_defaults.topology),
)
"""Every plugin, in the API server's order; AlwaysDeny comes last, and is asked about deletions and streams too."""
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
NAMES = frozenset(_PLUGINS.split())
"""What plugins of an API server are called, those included that this one lacks."""
OPENSHIFTS = frozenset(
    (
        "security.openshift.io/DefaultSecurityContextConstraints", "security.openshift.io/SecurityContextConstraint",
        "security.openshift.io/SCCExecRestrictions", "security.openshift.io/ValidateSecurityContextConstraints",
        "storage.openshift.io/CSIInlineVolumeSecurity",
    )
)  # fmt: skip
"""What those of OpenShift are called that are here."""
DELETING = lifecycle.deletion
"""Whether an object may be deleted at all."""


def mutated(asked: Served, disabled: frozenset[str] = OFF_BY_DEFAULT) -> JsonObject | Status | None:
    """The object as all plugins leave it, or the first refusal; None where there is no object."""
    request, obj = asked.request, asked.request.object
    if request.operation is Operation.DELETE:
        held = DELETING(request) or _not_by_node(asked, disabled)
        if held is not None:
            return held
    elif obj is not None and request.operation is not Operation.CONNECT:
        for name, handles, mutate in _MUTATING:
            if name in disabled or not handles(request):
                continue
            found = mutate(asked, obj)
            if isinstance(found, Status):
                return found
            obj = found
    return small_refusals.deny(asked, obj or request.old_object or {}) if "AlwaysDeny" not in disabled else obj


def _not_by_node(asked: Served, disabled: frozenset[str]) -> Status | None:
    """Why a node may not delete it: of the mutating plugins only NodeRestriction looks at what goes."""
    old = asked.request.old_object
    if old is None or node_restriction.NAME in disabled:
        return None
    return node_restriction.refusal(asked, old)


def validated(asked: Served, disabled: frozenset[str] = OFF_BY_DEFAULT) -> Status | None:
    """The first refusal of the plugins that look at an object once all have changed it, but for those of `order`."""
    request = asked.request
    obj = request.object or request.old_object
    if obj is None:
        return None
    for name, handles, validate in _VALIDATING:
        if name not in disabled and handles(request):
            refused = validate(asked, obj)
            if refused is not None:
                return refused
    return None


_MUTATING = tuple((each.name, each.handles, each.mutate) for each in PLUGINS if each.mutate is not None)
_VALIDATING = tuple((each.name, each.handles, each.validate) for each in PLUGINS if each.validate is not None)
