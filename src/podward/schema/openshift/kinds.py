"""The types of OpenShift's kinds: importing this module makes them known, as `schema.kinds` does with Kubernetes' own.

Specification: openshift/api (August 2026), apps/v1, authorization/v1, project/v1, security/v1, securityinternal/v1, user/v1. Codes are
those of `schema.table` and `schema.served_types`.
"""
# ruff: noqa: E501  # one type a line

from __future__ import annotations

from podward.schema import kinds, merge_table, served_types  # noqa: F401 - Kubernetes' own come first
from podward.schema.godecode.gotypes import EMBEDDED
from podward.schema.table import ALWAYS_WRITTEN, GO_TYPES, TYPES

_OPTIONS = {name: name for name in ("CreateOptions", "DeleteOptions", "PatchOptions", "UpdateOptions", "WatchEvent")}
_KINDS = {
    "apps.openshift.io/v1": "DeploymentConfig DeploymentConfigList DeploymentConfigRollback DeploymentRequest",
    "project.openshift.io/v1": "Project ProjectList ProjectRequest",
    "security.openshift.io/v1": "PodSecurityPolicyReview PodSecurityPolicySelfSubjectReview PodSecurityPolicySubjectReview",
    "security.internal.openshift.io/v1": "RangeAllocation RangeAllocationList",
    "user.openshift.io/v1": "Group GroupList User UserList",
}
_OTHERS = {
    "authorization.openshift.io/v1": {
        "LocalResourceAccessReview": "LocalResourceAccessReview",
        "LocalSubjectAccessReview": "openshift.v1.LocalSubjectAccessReview",
        "ResourceAccessReview": "ResourceAccessReview",
        "SubjectAccessReview": "openshift.v1.SubjectAccessReview",
    },
}
"""Kinds, and their types, of which some are called as types of Kubernetes' own are."""
_HEAD = {"kind": "s", "apiVersion": "s", "metadata": "ObjectMeta"}
_LIST = {"kind": "s", "apiVersion": "s", "metadata": "ListMeta"}
_ACTION = {
    "namespace": "s",
    "verb": "s",
    "resourceAPIGroup": "s",
    "resourceAPIVersion": "s",
    "resource": "s",
    "resourceName": "s",
    "path": "s",
    "isNonResourceURL": "b",
    "content": "r",
}
_OF_SUBJECTS = {**_HEAD, **_ACTION, "user": "s", "groups": "[s", "scopes": "[s"}
_SUBJECT_STATUS = {"allowedBy": "ObjectReference", "reason": "s", "template": "PodTemplateSpec"}
_TYPES: dict[str, dict[str, str]] = {
    "DeploymentConfigRollback": {
        "kind": "s",
        "apiVersion": "s",
        "name": "s",
        "updatedAnnotations": "{s",
        "spec": "DeploymentConfigRollbackSpec",
    },
    "DeploymentConfigRollbackSpec": {
        "from": "ObjectReference",
        "revision": "l",
        "includeTriggers": "b",
        "includeTemplate": "b",
        "includeReplicationMeta": "b",
        "includeStrategy": "b",
    },
    "DeploymentRequest": {
        "kind": "s",
        "apiVersion": "s",
        "name": "s",
        "latest": "b",
        "force": "b",
        "excludeTriggers": "[s",
    },
    "Group": {**_HEAD, "users": "[s"},
    "GroupList": {**_LIST, "items": "[Group"},
    "LocalResourceAccessReview": {**_HEAD, **_ACTION},
    "ResourceAccessReview": {**_HEAD, **_ACTION},
    "openshift.v1.LocalSubjectAccessReview": _OF_SUBJECTS,
    "openshift.v1.SubjectAccessReview": _OF_SUBJECTS,
    "PodSecurityPolicyReview": {
        **_HEAD,
        "spec": "PodSecurityPolicyReviewSpec",
        "status": "PodSecurityPolicyReviewStatus",
    },
    "PodSecurityPolicyReviewSpec": {"template": "PodTemplateSpec", "serviceAccountNames": "[s"},
    "PodSecurityPolicyReviewStatus": {"allowedServiceAccounts": "[ServiceAccountPodSecurityPolicyReviewStatus"},
    "PodSecurityPolicySelfSubjectReview": {
        **_HEAD,
        "spec": "PodSecurityPolicySelfSubjectReviewSpec",
        "status": "PodSecurityPolicySubjectReviewStatus",
    },
    "PodSecurityPolicySelfSubjectReviewSpec": {"template": "PodTemplateSpec"},
    "PodSecurityPolicySubjectReview": {
        **_HEAD,
        "spec": "PodSecurityPolicySubjectReviewSpec",
        "status": "PodSecurityPolicySubjectReviewStatus",
    },
    "PodSecurityPolicySubjectReviewSpec": {"template": "PodTemplateSpec", "user": "s", "groups": "[s"},
    "PodSecurityPolicySubjectReviewStatus": _SUBJECT_STATUS,
    "Project": {**_HEAD, "spec": "ProjectSpec", "status": "ProjectStatus"},
    "ProjectList": {**_LIST, "items": "[Project"},
    "ProjectRequest": {**_HEAD, "displayName": "s", "description": "s"},
    "ProjectSpec": {"finalizers": "[s"},
    "ProjectStatus": {"phase": "s", "conditions": "[NamespaceCondition"},
    "RangeAllocationList": {**_LIST, "items": "[RangeAllocation"},
    "ServiceAccountPodSecurityPolicyReviewStatus": {**_SUBJECT_STATUS, "name": "s"},
    "User": {**_HEAD, "fullName": "s", "identities": "[s", "groups": "[s"},
    "UserList": {**_LIST, "items": "[User"},
}
_GO_TYPES = {
    "DeploymentCause": "type:DeploymentTriggerType",
    "DeploymentCauseImageTrigger": "from:=",
    "DeploymentConfig": "metadata:= spec:= status:=",
    "DeploymentConfigCondition": "type:DeploymentConditionType status:ConditionStatus",
    "DeploymentConfigList": "metadata:=",
    "DeploymentConfigRollback": "spec:=",
    "DeploymentConfigRollbackSpec": "from:=",
    "DeploymentConfigSpec": "strategy:= triggers:v1.DeploymentTriggerPolicies revisionHistoryLimit:*",
    "DeploymentConfigStrategy": "type:DeploymentStrategyType resources:= activeDeadlineSeconds:*",
    "DeploymentRequest": "excludeTriggers:DeploymentTriggerType",
    "DeploymentTriggerImageChangeParams": "from:=",
    "DeploymentTriggerPolicy": "type:DeploymentTriggerType",
    "Group": "metadata:= users:v1.OptionalNames",
    "GroupList": "metadata:=",
    "LifecycleHook": "failurePolicy:LifecycleHookFailurePolicy",
    "LocalResourceAccessReview": "metadata:=",
    "ResourceAccessReview": "metadata:=",
    "openshift.v1.LocalSubjectAccessReview": "metadata:= scopes:v1.OptionalScopes",
    "openshift.v1.SubjectAccessReview": "metadata:= scopes:v1.OptionalScopes",
    "PodSecurityPolicyReview": "metadata:= spec:= status:=",
    "PodSecurityPolicyReviewSpec": "template:=",
    "PodSecurityPolicySelfSubjectReview": "metadata:= spec:= status:=",
    "PodSecurityPolicySelfSubjectReviewSpec": "template:=",
    "PodSecurityPolicySubjectReview": "metadata:= spec:= status:=",
    "PodSecurityPolicySubjectReviewSpec": "template:=",
    "PodSecurityPolicySubjectReviewStatus": "template:=",
    "Project": "metadata:= spec:= status:=",
    "ProjectList": "metadata:=",
    "ProjectRequest": "metadata:=",
    "ProjectSpec": "finalizers:FinalizerName",
    "ProjectStatus": "phase:NamespacePhase",
    "RangeAllocationList": "metadata:=",
    "RecreateDeploymentStrategyParams": "timeoutSeconds:*",
    "RollingDeploymentStrategyParams": "updatePeriodSeconds:* intervalSeconds:* timeoutSeconds:* maxUnavailable:* maxSurge:*",
    "ServiceAccountPodSecurityPolicyReviewStatus": "template:=",
    "TagImageHook": "to:=",
    "User": "metadata:=",
    "UserList": "metadata:=",
}
_ACTION_WRITTEN = " ".join(name for name in _ACTION if name != "content")
_ALWAYS_WRITTEN = {
    "DeploymentCause": "type",
    "DeploymentCauseImageTrigger": "from",
    "DeploymentConfig": "spec status",
    "DeploymentConfigCondition": "type status",
    "DeploymentConfigList": "items",
    "DeploymentConfigRollback": "name spec",
    "DeploymentConfigRollbackSpec": "from includeTriggers includeTemplate includeReplicationMeta includeStrategy",
    "DeploymentConfigSpec": "strategy triggers replicas test",
    "DeploymentConfigStatus": "latestVersion observedGeneration replicas updatedReplicas availableReplicas unavailableReplicas",
    "DeploymentDetails": "causes",
    "DeploymentRequest": "name latest force",
    "DeploymentTriggerImageChangeParams": "from",
    "ExecNewPodHook": "command containerName",
    "Group": "users",
    "GroupList": "items",
    "LifecycleHook": "failurePolicy",
    "LocalResourceAccessReview": _ACTION_WRITTEN,
    "ResourceAccessReview": _ACTION_WRITTEN,
    "openshift.v1.LocalSubjectAccessReview": f"{_ACTION_WRITTEN} user groups scopes",
    "openshift.v1.SubjectAccessReview": f"{_ACTION_WRITTEN} user groups scopes",
    "PodSecurityPolicyReview": "spec",
    "PodSecurityPolicyReviewSpec": "template",
    "PodSecurityPolicyReviewStatus": "allowedServiceAccounts",
    "PodSecurityPolicySelfSubjectReview": "spec",
    "PodSecurityPolicySelfSubjectReviewSpec": "template",
    "PodSecurityPolicySubjectReview": "spec",
    "PodSecurityPolicySubjectReviewSpec": "template",
    "ProjectList": "items",
    "RangeAllocationList": "items",
    "ServiceAccountPodSecurityPolicyReviewStatus": "name",
    "TagImageHook": "containerName to",
    "User": "groups",
    "UserList": "items",
}


def _register() -> None:
    TYPES.update(_TYPES)
    GO_TYPES.update(_GO_TYPES)
    ALWAYS_WRITTEN.update(_ALWAYS_WRITTEN)
    EMBEDDED.setdefault(
        "ServiceAccountPodSecurityPolicyReviewStatus",
        ("PodSecurityPolicySubjectReviewStatus", frozenset(_SUBJECT_STATUS)),
    )
    for api_version, names in _KINDS.items():
        served_types.KINDS[api_version] = {**{name: name for name in names.split()}, **_OPTIONS}
    for api_version, types in _OTHERS.items():
        served_types.KINDS[api_version] = {**types, **_OPTIONS}


_register()
