"""Which kinds an API server has, and what it says of one that it has not.

Specification: Kubernetes' OpenAPI definitions: the groups that it serves, with every kind that any release since 1.25
had there (what a release has dropped is no misspelling), and those of before that manifests still say; OpenShift's
groups of the kinds that Podward reads, and what OpenShift 3 served as `v1`, which `oc` still takes. The group of a
custom resource has a dot in its name. kubectl: `no matches for kind "Pdo" in version "v1"`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.errors import InputError
from podward.path import path
from podward.schema.pod_kinds import TEMPLATES
from podward.schema.table import KINDS

if TYPE_CHECKING:
    from collections.abc import Collection

    from podward.schema.objects import Item

_NAMES = {
    "": "Binding ComponentStatus ConfigMap Config Endpoints Event LimitRange List Namespace Node PersistentVolume"
    " PersistentVolumeClaim Pod PodTemplate ReplicationController ResourceQuota Secret Service ServiceAccount Status"
    " APIGroup APIVersions DeleteOptions RangeAllocation",
    "admissionregistration.k8s.io": "MutatingAdmissionPolicy MutatingAdmissionPolicyBinding"
    " MutatingWebhookConfiguration ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding"
    " ValidatingWebhookConfiguration",
    "apiextensions.k8s.io": "CustomResourceDefinition ConversionReview",
    "apiregistration.k8s.io": "APIService",
    "apps": "ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet Scale",
    "apps.openshift.io": "DeploymentConfig DeploymentConfigRollback DeploymentRequest DeploymentLog",
    "authentication.k8s.io": "SelfSubjectReview TokenRequest TokenReview",
    "authorization.k8s.io": "LocalSubjectAccessReview SelfSubjectAccessReview SelfSubjectRulesReview"
    " SubjectAccessReview",
    "autoscaling": "HorizontalPodAutoscaler Scale",
    "batch": "CronJob Job JobTemplate ScheduledJob",
    "certificates.k8s.io": "CertificateSigningRequest ClusterTrustBundle PodCertificateRequest",
    "coordination.k8s.io": "Lease LeaseCandidate",
    "discovery.k8s.io": "EndpointSlice",
    "events.k8s.io": "Event",
    "extensions": "DaemonSet Deployment DeploymentRollback Ingress NetworkPolicy PodSecurityPolicy ReplicaSet Scale"
    " ThirdPartyResource Job HorizontalPodAutoscaler",
    "flowcontrol.apiserver.k8s.io": "FlowSchema PriorityLevelConfiguration",
    "internal.apiserver.k8s.io": "StorageVersion",
    "networking.k8s.io": "ClusterCIDR IPAddress Ingress IngressClass NetworkPolicy ServiceCIDR",
    "node.k8s.io": "RuntimeClass",
    "policy": "Eviction PodDisruptionBudget PodSecurityPolicy",
    "rbac.authorization.k8s.io": "ClusterRole ClusterRoleBinding Role RoleBinding",
    "resource.k8s.io": "DeviceClass DeviceTaintRule PodScheduling PodSchedulingContext ResourceClaim"
    " ResourceClaimParameters ResourceClaimTemplate ResourceClass ResourceClassParameters ResourcePoolStatusRequest"
    " ResourceSlice",
    "scheduling.k8s.io": "CompositePodGroup PodGroup PriorityClass Workload",
    "security.openshift.io": "SecurityContextConstraints PodSecurityPolicyReview PodSecurityPolicySelfSubjectReview"
    " PodSecurityPolicySubjectReview RangeAllocation",
    "storage.k8s.io": "CSIDriver CSINode CSIStorageCapacity StorageClass VolumeAttachment VolumeAttributesClass",
    "storagemigration.k8s.io": "StorageVersionMigration",
    "template.openshift.io": "BrokerTemplateInstance Template TemplateInstance ProcessedTemplate",
}
_AS_V1 = (
    "BinaryBuildRequestOptions Build BuildConfig BuildLog BuildRequest ClusterNetwork ClusterPolicy"
    " ClusterPolicyBinding ClusterRole ClusterRoleBinding DeploymentConfig DeploymentConfigRollback EgressNetworkPolicy"
    " Group HostSubnet Identity Image ImageSignature ImageStream ImageStreamImage ImageStreamImport ImageStreamMapping"
    " ImageStreamTag LocalResourceAccessReview LocalSubjectAccessReview NetNamespace OAuthAccessToken"
    " OAuthAuthorizeToken OAuthClient OAuthClientAuthorization Policy PolicyBinding ProcessedTemplate Project"
    " ProjectRequest ResourceAccessReview Role RoleBinding RoleBindingRestriction Route SecurityContextConstraints"
    " SelfSubjectRulesReview SubjectAccessReview Template TemplateConfig User UserIdentityMapping"
)
"""What OpenShift 3 served in the core group, and kubeconfig files, which are `v1` too (`Config`)."""
_KINDS = {group: frozenset(names.split()) for group, names in _NAMES.items()}
_KINDS[""] |= frozenset(_AS_V1.split())


def knows(group: str) -> bool:
    """Whether every kind of this group is known."""
    return group in _KINDS


def has(group: str, kind: str) -> bool:
    """Whether an API server has such a kind in its own groups, or had it once."""
    known = _KINDS.get(group, frozenset())
    return kind in known or (kind.endswith("List") and kind.removesuffix("List") in known)


class NoMatchError(InputError):
    """No API has such a kind: it is misspelt, or of a version that is gone. Its object was not looked at."""


def require_match(item: Item) -> None:
    """Raise NoMatchError for an object whose kind no API server has. Kinds of unknown groups are anybody's."""
    group, kind, versions = item.group, item.kind, KINDS.get(item.kind)
    if versions is None:
        if has(group, kind) or not knows(group):
            return
    elif item.api_version in versions or not (knows(group) or _is_misspelt(group, kind)):
        return
    raise NoMatchError(
        f'no matches for kind "{kind}" in version "{item.api_version}"',
        where=item.where(path("kind" if versions is None else "apiVersion")),
        advice=_meant(group, kind, versions or ()),
    )


def _is_misspelt(group: str, kind: str) -> bool:
    """Whether a workload's group, which is none of Kubernetes', can't be that of a custom resource either."""
    return "." not in group and kind in TEMPLATES


def _meant(group: str, kind: str, versions: Collection[str]) -> str:
    if versions:
        return f"write apiVersion: {' or '.join(versions)}"
    from difflib import get_close_matches

    known = _KINDS[group] | frozenset(KINDS)
    lowered = {name.lower(): name for name in sorted(known, reverse=True)}
    for word in (kind.lower(), kind.lower().removesuffix("s"), kind.lower().removesuffix("es")):
        if word in lowered:
            return f"did you mean {lowered[word]}?"
    of_group = get_close_matches(kind.lower(), [name.lower() for name in sorted(_KINDS[group])], 1, 0.6)
    near = of_group or get_close_matches(kind.lower(), lowered, 1, 0.6)
    return f"did you mean {lowered[near[0]]}?" if near else f"is {kind} a kind of another API group?"
