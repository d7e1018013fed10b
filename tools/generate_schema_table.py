"""Writes src/podward/schema/table.py: which fields Kubernetes' objects have, of what type, and what Go's structs add.

    python tools/generate_schema_table.py src/podward/schema/table.py        (or: make tables)

Reads Kubernetes' OpenAPI definitions, which the distribution kubernetes-validate (a development dependency) carries
for every release since 1.25, of the version that `podward.api.version` names. By hand are OpenShift's kinds, after
github.com/openshift/api apps/v1 and security/v1, and what those definitions don't know of Go's structs of a Pod, after
k8s.io/api/core/v1/types.go and k8s.io/apimachinery/pkg/apis/meta/v1/types.go.
"""

from __future__ import annotations

import argparse
import json
from importlib.metadata import files
from pathlib import Path
from typing import Any

from podward.api.version import KUBERNETES

ROOTS = {
    "io.k8s.api.core.v1": ("Pod PodTemplate ReplicationController Namespace ServiceAccount Secret ConfigMap"),
    "io.k8s.api.apps.v1": "Deployment ReplicaSet StatefulSet DaemonSet",
    "io.k8s.api.batch.v1": "Job CronJob",
    "io.k8s.api.rbac.v1": "Role ClusterRole RoleBinding ClusterRoleBinding",
}
"""The kinds that are described, each with its list, by the package of their Go types."""

SPECIAL = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "q",
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "o",
    "io.k8s.apimachinery.pkg.apis.meta.v1.Time": "t",
    "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1": "r",
    "io.k8s.apimachinery.pkg.runtime.RawExtension": "r",
}
SCALARS = {("string", None): "s", ("string", "byte"): "y", ("boolean", None): "b"} | {
    ("integer", "int32"): "i",
    ("integer", "int64"): "l",
    ("object", None): "r",
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

GO = {
    "AppArmorProfile": "localhostProfile:* type:AppArmorProfileType",
    "AzureDiskVolumeSource": "cachingMode:*AzureDataDiskCachingMode fsType:* kind:*AzureDataDiskKind readOnly:*",
    "CSIVolumeSource": "fsType:* readOnly:*",
    "Capabilities": "add:Capability drop:Capability",
    "ClusterTrustBundleProjection": "name:* optional:* signerName:*",
    "ConfigMapEnvSource": "optional:*",
    "ConfigMapKeySelector": "optional:*",
    "ConfigMapProjection": "optional:*",
    "ConfigMapVolumeSource": "defaultMode:* optional:*",
    "Container": "imagePullPolicy:PullPolicy resources:= restartPolicy:*ContainerRestartPolicy"
    " terminationMessagePolicy:TerminationMessagePolicy",
    "ContainerPort": "protocol:Protocol",
    "ContainerResizePolicy": "resourceName:ResourceName restartPolicy:ResourceResizeRestartPolicy",
    "ContainerRestartRule": "action:ContainerRestartRuleAction",
    "ContainerRestartRuleOnExitCodes": "operator:ContainerRestartRuleOnExitCodesOperator",
    "ContainerStatus": "lastState:= started:* state:= stopSignal:*Signal",
    "DownwardAPIVolumeFile": "mode:*",
    "DownwardAPIVolumeSource": "defaultMode:*",
    "EmptyDirVolumeSource": "medium:StorageMedium sizeLimit:*",
    "EphemeralContainer": "imagePullPolicy:PullPolicy resources:= restartPolicy:*ContainerRestartPolicy"
    " terminationMessagePolicy:TerminationMessagePolicy",
    "FCVolumeSource": "lun:*",
    "FileKeySelector": "optional:*",
    "GRPCAction": "service:*",
    "HTTPGetAction": "scheme:URIScheme",
    "HostPathVolumeSource": "type:*HostPathType",
    "ISCSIVolumeSource": "initiatorName:*",
    "ImageVolumeSource": "pullPolicy:PullPolicy",
    "KeyToPath": "mode:*",
    "LabelSelectorRequirement": "operator:LabelSelectorOperator",
    "Lifecycle": "stopSignal:*Signal",
    "ManagedFieldsEntry": "fieldsV1:* operation:ManagedFieldsOperationType time:*",
    "NodeAllocatableResourceClaimStatus": "resources:map[v1.ResourceName]resource.Quantity",
    "NodeSelectorRequirement": "operator:NodeSelectorOperator",
    "ObjectMeta": "deletionGracePeriodSeconds:* deletionTimestamp:* uid:types.UID",
    "OwnerReference": "blockOwnerDeletion:* controller:* uid:types.UID",
    "PersistentVolumeClaimSpec": "accessModes:PersistentVolumeAccessMode resources:= storageClassName:*"
    " volumeAttributesClassName:* volumeMode:*PersistentVolumeMode",
    "PersistentVolumeClaimTemplate": "metadata:= spec:=",
    "Pod": "metadata:= spec:= status:=",
    "PodCertificateProjection": "maxExpirationSeconds:*",
    "PodCondition": "status:ConditionStatus type:PodConditionType",
    "PodDNSConfigOption": "value:*",
    "PodOS": "name:OSName",
    "PodReadinessGate": "conditionType:PodConditionType",
    "PodResourceClaim": "resourceClaimName:* resourceClaimTemplateName:*",
    "PodResourceClaimStatus": "resourceClaimName:*",
    "PodSchedulingGroup": "podGroupName:*",
    "PodSecurityContext": "fsGroup:* fsGroupChangePolicy:*PodFSGroupChangePolicy runAsGroup:* runAsNonRoot:*"
    " runAsUser:* seLinuxChangePolicy:*PodSELinuxChangePolicy supplementalGroupsPolicy:*SupplementalGroupsPolicy",
    "PodSpec": "activeDeadlineSeconds:* automountServiceAccountToken:* dnsPolicy:DNSPolicy enableServiceLinks:*"
    " hostUsers:* hostnameOverride:* preemptionPolicy:*PreemptionPolicy priority:* restartPolicy:RestartPolicy"
    " runtimeClassName:* setHostnameAsFQDN:* shareProcessNamespace:* terminationGracePeriodSeconds:*",
    "PodStatus": "phase:PodPhase qosClass:PodQOSClass resize:PodResizeStatus startTime:*",
    "PreferredSchedulingTerm": "preference:=",
    "Probe": "terminationGracePeriodSeconds:*",
    "ProjectedVolumeSource": "defaultMode:*",
    "ResourceHealth": "health:ResourceHealthStatus message:* resourceID:ResourceID",
    "ResourceStatus": "name:ResourceName",
    "SeccompProfile": "localhostProfile:* type:SeccompProfileType",
    "SecretEnvSource": "optional:*",
    "SecretKeySelector": "optional:*",
    "SecretProjection": "optional:*",
    "SecretVolumeSource": "defaultMode:* optional:*",
    "SecurityContext": "allowPrivilegeEscalation:* privileged:* procMount:*ProcMountType readOnlyRootFilesystem:*"
    " runAsGroup:* runAsNonRoot:* runAsUser:*",
    "ServiceAccountTokenProjection": "expirationSeconds:*",
    "Toleration": "effect:TaintEffect operator:TolerationOperator tolerationSeconds:*",
    "TopologySpreadConstraint": "minDomains:* nodeAffinityPolicy:*NodeInclusionPolicy"
    " nodeTaintsPolicy:*NodeInclusionPolicy whenUnsatisfiable:UnsatisfiableConstraintAction",
    "TypedLocalObjectReference": "apiGroup:*",
    "TypedObjectReference": "apiGroup:* namespace:*",
    "VolumeMount": "mountPropagation:*MountPropagationMode recursiveReadOnly:*RecursiveReadOnlyMode",
    "VolumeMountStatus": "recursiveReadOnly:*RecursiveReadOnlyMode",
    "WeightedPodAffinityTerm": "podAffinityTerm:=",
    "WindowsSecurityContextOptions": "gmsaCredentialSpec:* gmsaCredentialSpecName:* hostProcess:* runAsUserName:*",
}
"""What fields of a Pod are in Go: `*` a pointer, `=` a struct by value (all others are pointers); then a named type."""

REQUIRED_YET_OMITTED = """
    ContainerRestartRule.action ContainerRestartRuleOnExitCodes.operator ImageVolumeStatus.imageRef
    PodCertificateProjection.keyType PodCertificateProjection.signerName
    """
"""Required by the definitions, but `omitempty` in Go; every other required field is always written."""
OPTIONAL_YET_WRITTEN = """
    GRPCAction.service ProjectedVolumeSource.sources TypedLocalObjectReference.apiGroup TypedObjectReference.apiGroup
    """
"""The other way round."""

HEADER = '''"""Which fields Kubernetes' objects have, of what type, and what Go's structs of a Pod add to that.

Generated by tools/generate_schema_table.py: do not edit. From Kubernetes' OpenAPI definitions, release {release}, and
OpenShift's apps/v1 and security/v1.

A type is one letter, or the name of an object: `s` string, `b` boolean, `i` 32-bit and `l` 64-bit integer, `q`
quantity, `o` integer or string, `t` time, `y` bytes in base64, `r` any object. `[` before it makes a list, `{{` a map
with string keys.
"""
# ruff: noqa: E501  # one object a line
# fmt: off
'''

GO_TYPES = """Of types in a Pod, what Go knows of their fields: `*` a pointer, `=` a struct by value, then a named type.

Where nothing is said, a struct is a pointer, nothing else is one, and the type is the one of `TYPES`."""
ALWAYS_WRITTEN = "Of each type in a Pod, the fields that Go writes even if they are empty."

Types = dict[str, dict[str, str]]


class Definitions:
    """The OpenAPI definitions of one release, and the types that were collected from them."""

    def __init__(self, kubernetes: str) -> None:
        carried = [file for file in files("kubernetes-validate") or () if file.match("v*-local/_definitions.json")]
        found = [file for file in carried if file.parent.name.startswith(f"v{kubernetes}.")]
        if not found:
            names = ", ".join(sorted(file.parent.name.removesuffix("-local") for file in carried))
            raise SystemExit(
                f"kubernetes-validate has no definitions of {kubernetes}, only of {names}: pin a newer one"
            )
        self.release = found[0].parent.name.removesuffix("-local").removeprefix("v")
        self.objects: dict[str, Any] = json.loads(found[0].read_text())["$defs"]
        self._places: dict[str, str] = {}
        self.types: Types = {}

    def collect(self, place: str) -> None:
        """Put the object at this place, and all that it needs, into `types`."""
        name = place.rpartition(".")[2]
        if self._places.setdefault(name, place) != place:
            raise SystemExit(f"two objects are named {name}: {place} and {self._places[name]}")
        if name in self.types:
            return
        fields = self.types[name] = {}
        for field, schema in self.objects[place].get("properties", {}).items():
            fields[field] = self._code(schema)

    def required(self, name: str) -> set[str]:
        """The fields without which an object of this type is refused."""
        return set(self.objects[self._places[name]].get("required", ()))

    def _code(self, schema: dict[str, Any]) -> str:
        if "$ref" in schema:
            place = schema["$ref"].rpartition("/")[2]
            if place not in SPECIAL:
                self.collect(place)
            return SPECIAL.get(place) or place.rpartition(".")[2]
        kind = schema["type"] if isinstance(schema["type"], str) else schema["type"][0]
        if kind == "array":
            return "[" + self._code(schema["items"])
        if "additionalProperties" in schema:
            return "{" + self._code(schema["additionalProperties"])
        return SCALARS[kind, schema.get("format")]


def kinds(definitions: Definitions) -> Types:
    """The API versions of each kind; the objects are collected on the way."""
    found: Types = {"List": {"v1": "List"}}
    types = definitions.types
    for package, names in ROOTS.items():
        group = package.removeprefix("io.k8s.api.").removesuffix(".v1")
        api_version = {"core": "v1", "rbac": "rbac.authorization.k8s.io/v1"}.get(group, f"{group}/v1")
        for kind in names.split():
            definitions.collect(f"{package}.{kind}List")
            found[kind] = {api_version: kind}
    for name, fields in OPENSHIFT.items():
        types[name] = dict(field.strip().split(" ", 1) for field in fields.split(","))
    for kind, api_versions in OPENSHIFT_KINDS.items():
        found[kind] = dict.fromkeys(api_versions, kind)
        types[f"{kind}List"] = {"apiVersion": "s", "kind": "s", "metadata": "ListMeta", "items": f"[{kind}"}
    types["List"] = {"apiVersion": "s", "kind": "s", "metadata": "ListMeta", "items": "[r"}
    for kind, versions in list(found.items()):
        if kind != "List":
            found[f"{kind}List"] = dict.fromkeys(versions, f"{kind}List")
    return found


def always_written(definitions: Definitions, names: set[str]) -> dict[str, str]:
    """Of each of these types, the fields that Go writes even if they are empty."""
    omitted, written = set(REQUIRED_YET_OMITTED.split()), set(OPTIONAL_YET_WRITTEN.split())
    refuse_stale(definitions.types, [*omitted, *written])
    found = {}
    for name in names:
        required = {f"{name}.{field}" for field in definitions.required(name)} - omitted
        found[name] = " ".join(field for field in definitions.types[name] if f"{name}.{field}" in required | written)
    return {name: fields for name, fields in found.items() if fields}


def refuse_stale(types: Types, places: list[str]) -> None:
    """End where a list above speaks of a field that the definitions don't have."""
    stale = [place for place in places if place.partition(".")[2] not in types.get(place.partition(".")[0], {})]
    if stale:
        raise SystemExit(f"Kubernetes {KUBERNETES} has no {', '.join(stale)}: take it out of {Path(__file__).name}")


def table() -> str:
    """The text of the generated module."""
    definitions = Definitions(KUBERNETES)
    definitions.collect("io.k8s.api.core.v1.Pod")
    of_pods = set(definitions.types)
    found = kinds(definitions)
    dicts = "dict[str, dict[str, str]]"
    refuse_stale(definitions.types, [f"{name}.{fact.split(':')[0]}" for name in GO for fact in GO[name].split()])
    parts: tuple[tuple[str, str, Types | dict[str, str], str], ...] = (
        ("KINDS", dicts, found, "Of each kind, the API versions it has, and the type of its objects."),
        ("TYPES", dicts, definitions.types, "Of each type of object, its fields and their types."),
        ("GO_TYPES", "dict[str, str]", GO, GO_TYPES),
        ("ALWAYS_WRITTEN", "dict[str, str]", always_written(definitions, of_pods), ALWAYS_WRITTEN),
    )
    lines = [HEADER.format(release=definitions.release)]
    for name, annotation, entries, says in parts:
        rows = [f"    {json.dumps(entry)}: {json.dumps(value)}," for entry, value in sorted(entries.items())]
        lines += [f"{name}: {annotation} = {{", *rows, "}", f'"""{says}"""', ""]
    return "\n".join(lines)


def main() -> None:
    """Write the file that the command line names."""
    parser = argparse.ArgumentParser(description="Write the table of Kubernetes' types.")
    parser.add_argument("file", type=Path, help="where to: src/podward/schema/table.py")
    file = parser.parse_args().file
    if file.name.startswith("-"):
        parser.error(f"{file}: a file's name must not begin with -")
    file.write_text(table())


if __name__ == "__main__":
    main()
