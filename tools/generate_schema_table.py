"""Writes src/podward/schema/table.py: which fields Kubernetes' objects have, and of what type.

    python tools/generate_schema_table.py > src/podward/schema/table.py

Reads the sources of the lightkube-models distribution (generated from Kubernetes' OpenAPI document; a development
dependency) without importing them. That document says neither which integers have 64 bits, nor what the values of a
map are, nor that bytes are base64: the tables below do, after Kubernetes 1.36's Go types. OpenShift's
kinds are written by hand, after github.com/openshift/api apps/v1 and security/v1.
"""

from __future__ import annotations

import ast
import re
import sys
from functools import cache
from importlib.metadata import files, version

ROOTS = {
    "Pod": ("v1", "core_v1"),
    "PodTemplate": ("v1", "core_v1"),
    "ReplicationController": ("v1", "core_v1"),
    "Namespace": ("v1", "core_v1"),
    "ServiceAccount": ("v1", "core_v1"),
    "Secret": ("v1", "core_v1"),
    "ConfigMap": ("v1", "core_v1"),
    "Deployment": ("apps/v1", "apps_v1"),
    "ReplicaSet": ("apps/v1", "apps_v1"),
    "StatefulSet": ("apps/v1", "apps_v1"),
    "DaemonSet": ("apps/v1", "apps_v1"),
    "Job": ("batch/v1", "batch_v1"),
    "CronJob": ("batch/v1", "batch_v1"),
    "Role": ("rbac.authorization.k8s.io/v1", "rbac_v1"),
    "ClusterRole": ("rbac.authorization.k8s.io/v1", "rbac_v1"),
    "RoleBinding": ("rbac.authorization.k8s.io/v1", "rbac_v1"),
    "ClusterRoleBinding": ("rbac.authorization.k8s.io/v1", "rbac_v1"),
}

INT64_FIELDS = """
    ObjectMeta.generation ObjectMeta.deletionGracePeriodSeconds ListMeta.remainingItemCount
    PodSpec.activeDeadlineSeconds PodSpec.terminationGracePeriodSeconds Probe.terminationGracePeriodSeconds
    PodSecurityContext.runAsUser PodSecurityContext.runAsGroup PodSecurityContext.fsGroup
    PodSecurityContext.supplementalGroups SecurityContext.runAsUser SecurityContext.runAsGroup
    SleepAction.seconds Toleration.tolerationSeconds ServiceAccountTokenProjection.expirationSeconds
    LinuxContainerUser.uid LinuxContainerUser.gid LinuxContainerUser.supplementalGroups
    PodCondition.observedGeneration PodStatus.observedGeneration DeploymentStatus.observedGeneration
    ReplicaSetStatus.observedGeneration StatefulSetStatus.observedGeneration DaemonSetStatus.observedGeneration
    ReplicationControllerStatus.observedGeneration JobSpec.activeDeadlineSeconds CronJobSpec.startingDeadlineSeconds
    """

QUANTITY_FIELDS = """
    ResourceRequirements.limits ResourceRequirements.requests VolumeResourceRequirements.limits
    VolumeResourceRequirements.requests PodSpec.overhead PodStatus.allocatedResources
    ContainerStatus.allocatedResources NodeAllocatableResourceClaimStatus.resources
    PersistentVolumeClaimStatus.allocatedResources PersistentVolumeClaimStatus.capacity
    """
INT64 = frozenset(INT64_FIELDS.split())
QUANTITY_MAPS = frozenset(QUANTITY_FIELDS.split())
BYTES_MAPS = frozenset(("Secret.data", "ConfigMap.binaryData"))

BASIC = {
    "str": "s",
    "bool": "b",
    "int": "i",
    "dict": "{s",
    "resource.Quantity": "q",
    "util_intstr.IntOrString": "o",
    "meta_v1.Time": "t",
    "meta_v1.FieldsV1": "r",
    "Time": "t",
    "FieldsV1": "r",
}

OPENSHIFT = {
    "DeploymentConfig": "apiVersion s, kind s, metadata ObjectMeta, spec DeploymentConfigSpec,"
    " status DeploymentConfigStatus",
    "DeploymentConfigSpec": "strategy DeploymentConfigStrategy, minReadySeconds i, triggers [DeploymentTriggerPolicy,"
    " replicas i, revisionHistoryLimit i, test b, paused b, selector {s, template PodTemplateSpec",
    "DeploymentConfigStrategy": "type s, customParams CustomDeploymentStrategyParams,"
    " recreateParams RecreateDeploymentStrategyParams, rollingParams RollingDeploymentStrategyParams,"
    " resources ResourceRequirements, labels {s, annotations {s, activeDeadlineSeconds l",
    "CustomDeploymentStrategyParams": "image s, environment [EnvVar, command [s",
    "RecreateDeploymentStrategyParams": "timeoutSeconds l, pre LifecycleHook, mid LifecycleHook, post LifecycleHook",
    "RollingDeploymentStrategyParams": "updatePeriodSeconds l, intervalSeconds l, timeoutSeconds l,"
    " maxUnavailable o, maxSurge o, pre LifecycleHook, post LifecycleHook",
    "LifecycleHook": "failurePolicy s, execNewPod ExecNewPodHook, tagImages [TagImageHook",
    "ExecNewPodHook": "command [s, env [EnvVar, containerName s, volumes [s",
    "TagImageHook": "containerName s, to ObjectReference",
    "DeploymentTriggerPolicy": "type s, imageChangeParams DeploymentTriggerImageChangeParams",
    "DeploymentTriggerImageChangeParams": "automatic b, containerNames [s, from ObjectReference, lastTriggeredImage s",
    "DeploymentConfigStatus": "latestVersion l, observedGeneration l, replicas i, updatedReplicas i,"
    " availableReplicas i, unavailableReplicas i, details DeploymentDetails,"
    " conditions [DeploymentConfigCondition, readyReplicas i",
    "DeploymentDetails": "message s, causes [DeploymentCause",
    "DeploymentCause": "type s, imageTrigger DeploymentCauseImageTrigger",
    "DeploymentCauseImageTrigger": "from ObjectReference",
    "DeploymentConfigCondition": "type s, status s, lastUpdateTime t, lastTransitionTime t, reason s, message s",
    "SecurityContextConstraints": "apiVersion s, kind s, metadata ObjectMeta, priority i, allowPrivilegedContainer b,"
    " defaultAddCapabilities [s, requiredDropCapabilities [s, allowedCapabilities [s, allowHostDirVolumePlugin b,"
    " volumes [s, allowedFlexVolumes [AllowedFlexVolume, allowHostNetwork b, allowHostPorts b, allowHostPID b,"
    " allowHostIPC b, userNamespaceLevel s, defaultAllowPrivilegeEscalation b, allowPrivilegeEscalation b,"
    " seLinuxContext SELinuxContextStrategyOptions, runAsUser RunAsUserStrategyOptions,"
    " runAsGroup RunAsGroupStrategyOptions, supplementalGroups SupplementalGroupsStrategyOptions,"
    " fsGroup FSGroupStrategyOptions, readOnlyRootFilesystem b, users [s, groups [s, seccompProfiles [s,"
    " allowedUnsafeSysctls [s, forbiddenSysctls [s",
    "AllowedFlexVolume": "driver s",
    "SELinuxContextStrategyOptions": "type s, seLinuxOptions SELinuxOptions",
    "RunAsUserStrategyOptions": "type s, uid l, uidRangeMin l, uidRangeMax l",
    "RunAsGroupStrategyOptions": "type s, gid l, ranges [IDRange",
    "SupplementalGroupsStrategyOptions": "type s, ranges [IDRange",
    "FSGroupStrategyOptions": "type s, ranges [IDRange",
    "IDRange": "min l, max l",
}
OPENSHIFT_KINDS = {
    "DeploymentConfig": ("apps.openshift.io/v1", "v1"),
    "SecurityContextConstraints": ("security.openshift.io/v1",),
}

HEADER = '''"""Which fields Kubernetes' objects have, and of what type.

Generated by tools/generate_schema_table.py: do not edit. From lightkube-models {version}
(Kubernetes {kubernetes}) and OpenShift's apps/v1 and security/v1.

A type is one letter, or the name of an object: `s` string, `b` boolean, `i` 32-bit and `l` 64-bit integer, `q`
quantity, `o` integer or string, `t` time, `y` bytes in base64, `r` any object. `[` before it makes a list, `{{` a map
with string keys.
"""
# ruff: noqa: E501  # one object a line
# fmt: off
'''


@cache
def module(name: str) -> dict[str, dict[str, str]]:
    """The classes of a module of lightkube.models, each with its fields' annotations."""
    source = next(f for f in files("lightkube-models") or () if str(f) == f"lightkube/models/{name}.py")
    return {
        node.name: {
            field.target.id: str(ast.literal_eval(field.annotation))
            for field in node.body
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        }
        for node in ast.parse(source.read_text()).body
        if isinstance(node, ast.ClassDef)
    }


def code(owner: str, field: str, annotation: str) -> tuple[str, str | None]:
    """A field's code, and the annotation of the object it needs, if any."""
    inner = re.sub(r"^Optional\[(.*)\]$", r"\1", annotation)
    listed = inner.startswith("List[")
    inner = re.sub(r"^List\[(.*)\]$", r"\1", inner)
    place = f"{owner}.{field}"
    basic = BASIC.get(inner)
    if basic == "i" and place in INT64:
        basic = "l"
    elif place in QUANTITY_MAPS:
        basic = "{q"
    elif place in BYTES_MAPS:
        basic = "{y"
    prefix = "[" if listed else ""
    return (prefix + basic, None) if basic else (prefix + inner.rpartition(".")[2], inner)


def collect(where: str, name: str, types: dict[str, dict[str, str]]) -> None:
    """Put the object and all it needs into `types`."""
    if name in types:
        return
    types[name] = {}
    for field, annotation in module(where)[name].items():
        types[name][field.rstrip("_")], needed = code(name, field.rstrip("_"), annotation)
        if needed is not None:
            other, _, local = needed.rpartition(".")
            collect(other or where, local, types)


def table() -> str:
    """The text of the generated module."""
    types: dict[str, dict[str, str]] = {}
    kinds: dict[str, dict[str, str]] = {}
    for kind, (api_version, where) in ROOTS.items():
        collect(where, kind, types)
        kinds[kind] = {api_version: kind}
    collect("meta_v1", "ListMeta", types)
    for name, fields in OPENSHIFT.items():
        types[name] = dict(field.strip().split(" ", 1) for field in fields.split(","))
    for kind, api_versions in OPENSHIFT_KINDS.items():
        kinds[kind] = dict.fromkeys(api_versions, kind)
    for kind, versions in list(kinds.items()):
        kinds[f"{kind}List"] = dict.fromkeys(versions, f"{kind}List")
        types[f"{kind}List"] = {"apiVersion": "s", "kind": "s", "metadata": "ListMeta", "items": f"[{kind}"}
    kinds["List"] = {"v1": "List"}
    types["List"] = {"apiVersion": "s", "kind": "s", "metadata": "ListMeta", "items": "[r"}
    release = version("lightkube-models")
    lines = [HEADER.format(version=release, kubernetes=".".join(release.split(".")[:2]))]
    lines += ["KINDS: dict[str, dict[str, str]] = {"]
    lines += [f"    {quoted(kind)}: {literal(versions)}," for kind, versions in sorted(kinds.items())]
    lines += ["}", '"""Of each kind, the API versions it has, and the type of its objects."""', ""]
    lines += ["TYPES: dict[str, dict[str, str]] = {"]
    lines += [f"    {quoted(name)}: {literal(fields)}," for name, fields in sorted(types.items())]
    lines += ["}", '"""Of each type of object, its fields and their types."""', ""]
    return "\n".join(lines)


def quoted(text: str) -> str:
    """A Python string literal."""
    return f'"{text}"'


def literal(mapping: dict[str, str]) -> str:
    """A Python dict literal on one line."""
    return "{" + ", ".join(f"{quoted(key)}: {quoted(value)}" for key, value in mapping.items()) + "}"


if __name__ == "__main__":
    sys.stdout.write(table())
