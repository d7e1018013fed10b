"""Writes src/podward/schema/godecode/table.py: the Go types of a Pod, as Kubernetes' structs have them.

    python tools/generate_go_types.py > src/podward/schema/godecode/table.py

Fields come from lightkube-models, as for the schema table. Its OpenAPI document doesn't know Go: which strings have a
named type, which fields are pointers, and which are left out when empty is said below, after Kubernetes 1.36's
k8s.io/api/core/v1/types.go and k8s.io/apimachinery/pkg/apis/meta/v1/types.go.
"""

from __future__ import annotations

import sys
from importlib.metadata import version

from generate_schema_table import collect, literal, quoted

NAMED_STRINGS = """
    AppArmorProfile.type:AppArmorProfileType AzureDiskVolumeSource.cachingMode:AzureDataDiskCachingMode
    AzureDiskVolumeSource.kind:AzureDataDiskKind Capabilities.add:Capability Capabilities.drop:Capability
    Container.imagePullPolicy:PullPolicy Container.restartPolicy:ContainerRestartPolicy
    Container.terminationMessagePolicy:TerminationMessagePolicy ContainerPort.protocol:Protocol
    ContainerResizePolicy.resourceName:ResourceName ContainerResizePolicy.restartPolicy:ResourceResizeRestartPolicy
    ContainerRestartRule.action:ContainerRestartRuleAction
    ContainerRestartRuleOnExitCodes.operator:ContainerRestartRuleOnExitCodesOperator
    ContainerStatus.stopSignal:Signal EmptyDirVolumeSource.medium:StorageMedium
    EphemeralContainer.imagePullPolicy:PullPolicy EphemeralContainer.restartPolicy:ContainerRestartPolicy
    EphemeralContainer.terminationMessagePolicy:TerminationMessagePolicy HTTPGetAction.scheme:URIScheme
    HostPathVolumeSource.type:HostPathType ImageVolumeSource.pullPolicy:PullPolicy
    LabelSelectorRequirement.operator:LabelSelectorOperator Lifecycle.stopSignal:Signal
    ManagedFieldsEntry.operation:ManagedFieldsOperationType NodeSelectorRequirement.operator:NodeSelectorOperator
    PersistentVolumeClaimSpec.accessModes:PersistentVolumeAccessMode
    PersistentVolumeClaimSpec.volumeMode:PersistentVolumeMode PodCondition.status:ConditionStatus
    PodCondition.type:PodConditionType PodOS.name:OSName PodReadinessGate.conditionType:PodConditionType
    PodSecurityContext.fsGroupChangePolicy:PodFSGroupChangePolicy
    PodSecurityContext.seLinuxChangePolicy:PodSELinuxChangePolicy
    PodSecurityContext.supplementalGroupsPolicy:SupplementalGroupsPolicy PodSpec.dnsPolicy:DNSPolicy
    PodSpec.preemptionPolicy:PreemptionPolicy PodSpec.restartPolicy:RestartPolicy PodStatus.phase:PodPhase
    PodStatus.qosClass:PodQOSClass PodStatus.resize:PodResizeStatus ResourceHealth.health:ResourceHealthStatus
    ResourceHealth.resourceID:ResourceID ResourceStatus.name:ResourceName SeccompProfile.type:SeccompProfileType
    SecurityContext.procMount:ProcMountType Toleration.effect:TaintEffect Toleration.operator:TolerationOperator
    TopologySpreadConstraint.nodeAffinityPolicy:NodeInclusionPolicy
    TopologySpreadConstraint.nodeTaintsPolicy:NodeInclusionPolicy
    TopologySpreadConstraint.whenUnsatisfiable:UnsatisfiableConstraintAction
    VolumeMount.mountPropagation:MountPropagationMode VolumeMount.recursiveReadOnly:RecursiveReadOnlyMode
    VolumeMountStatus.recursiveReadOnly:RecursiveReadOnlyMode
    """
UIDS = frozenset(("ObjectMeta.uid", "OwnerReference.uid"))

POINTERS = """
    AppArmorProfile.localhostProfile AzureDiskVolumeSource.cachingMode AzureDiskVolumeSource.fsType
    AzureDiskVolumeSource.kind AzureDiskVolumeSource.readOnly CSIVolumeSource.fsType CSIVolumeSource.readOnly
    ClusterTrustBundleProjection.name ClusterTrustBundleProjection.optional ClusterTrustBundleProjection.signerName
    ConfigMapEnvSource.optional ConfigMapKeySelector.optional ConfigMapProjection.optional
    ConfigMapVolumeSource.defaultMode ConfigMapVolumeSource.optional Container.restartPolicy
    ContainerStatus.started ContainerStatus.stopSignal DownwardAPIVolumeFile.mode DownwardAPIVolumeSource.defaultMode
    EmptyDirVolumeSource.sizeLimit EphemeralContainer.restartPolicy FCVolumeSource.lun FileKeySelector.optional
    GRPCAction.service HostPathVolumeSource.type ISCSIVolumeSource.initiatorName KeyToPath.mode Lifecycle.stopSignal
    ManagedFieldsEntry.time ManagedFieldsEntry.fieldsV1 ObjectMeta.deletionGracePeriodSeconds
    ObjectMeta.deletionTimestamp OwnerReference.blockOwnerDeletion OwnerReference.controller
    PersistentVolumeClaimSpec.storageClassName PersistentVolumeClaimSpec.volumeAttributesClassName
    PersistentVolumeClaimSpec.volumeMode PodCertificateProjection.maxExpirationSeconds PodDNSConfigOption.value
    PodResourceClaim.resourceClaimName PodResourceClaim.resourceClaimTemplateName
    PodResourceClaimStatus.resourceClaimName PodSchedulingGroup.podGroupName
    PodSecurityContext.fsGroup PodSecurityContext.fsGroupChangePolicy PodSecurityContext.runAsGroup
    PodSecurityContext.runAsNonRoot PodSecurityContext.runAsUser PodSecurityContext.seLinuxChangePolicy
    PodSecurityContext.supplementalGroupsPolicy PodSpec.activeDeadlineSeconds PodSpec.automountServiceAccountToken
    PodSpec.enableServiceLinks PodSpec.hostUsers PodSpec.hostnameOverride PodSpec.preemptionPolicy PodSpec.priority
    PodSpec.runtimeClassName PodSpec.setHostnameAsFQDN PodSpec.shareProcessNamespace
    PodSpec.terminationGracePeriodSeconds PodStatus.startTime Probe.terminationGracePeriodSeconds
    ProjectedVolumeSource.defaultMode ResourceHealth.message SeccompProfile.localhostProfile SecretEnvSource.optional
    SecretKeySelector.optional SecretProjection.optional SecretVolumeSource.defaultMode SecretVolumeSource.optional
    SecurityContext.allowPrivilegeEscalation SecurityContext.privileged SecurityContext.procMount
    SecurityContext.readOnlyRootFilesystem SecurityContext.runAsGroup SecurityContext.runAsNonRoot
    SecurityContext.runAsUser ServiceAccountTokenProjection.expirationSeconds Toleration.tolerationSeconds
    TopologySpreadConstraint.minDomains TopologySpreadConstraint.nodeAffinityPolicy
    TopologySpreadConstraint.nodeTaintsPolicy TypedLocalObjectReference.apiGroup TypedObjectReference.apiGroup
    TypedObjectReference.namespace VolumeMount.mountPropagation VolumeMount.recursiveReadOnly
    VolumeMountStatus.recursiveReadOnly WindowsSecurityContextOptions.gmsaCredentialSpec
    WindowsSecurityContextOptions.gmsaCredentialSpecName WindowsSecurityContextOptions.hostProcess
    WindowsSecurityContextOptions.runAsUserName
    """

VALUE_STRUCTS = """
    Container.resources ContainerStatus.lastState ContainerStatus.state EphemeralContainer.resources
    PersistentVolumeClaimSpec.resources PersistentVolumeClaimTemplate.metadata PersistentVolumeClaimTemplate.spec
    Pod.metadata Pod.spec Pod.status PreferredSchedulingTerm.preference WeightedPodAffinityTerm.podAffinityTerm
    """

ALWAYS_WRITTEN = """
    AWSElasticBlockStoreVolumeSource.volumeID AppArmorProfile.type AzureDiskVolumeSource.diskName
    AzureDiskVolumeSource.diskURI AzureFileVolumeSource.secretName AzureFileVolumeSource.shareName
    CSIVolumeSource.driver CephFSVolumeSource.monitors CinderVolumeSource.volumeID ClusterTrustBundleProjection.path
    ConfigMapKeySelector.key Container.name ContainerExtendedResourceRequest.containerName
    ContainerExtendedResourceRequest.requestName ContainerExtendedResourceRequest.resourceName
    ContainerPort.containerPort ContainerResizePolicy.resourceName ContainerResizePolicy.restartPolicy
    ContainerStateTerminated.exitCode ContainerStatus.image ContainerStatus.imageID ContainerStatus.name
    ContainerStatus.ready ContainerStatus.restartCount DownwardAPIVolumeFile.path EnvVar.name EphemeralContainer.name
    FileKeySelector.key FileKeySelector.path FileKeySelector.volumeName FlexVolumeSource.driver
    GCEPersistentDiskVolumeSource.pdName GRPCAction.port GRPCAction.service GitRepoVolumeSource.repository
    GlusterfsVolumeSource.endpoints GlusterfsVolumeSource.path HTTPGetAction.port HTTPHeader.name HTTPHeader.value
    HostAlias.ip HostIP.ip HostPathVolumeSource.path ISCSIVolumeSource.iqn ISCSIVolumeSource.lun
    ISCSIVolumeSource.targetPortal KeyToPath.key KeyToPath.path LabelSelectorRequirement.key
    LabelSelectorRequirement.operator LinuxContainerUser.gid LinuxContainerUser.uid NFSVolumeSource.path
    NFSVolumeSource.server NodeSelector.nodeSelectorTerms NodeSelectorRequirement.key NodeSelectorRequirement.operator
    ObjectFieldSelector.fieldPath OwnerReference.apiVersion OwnerReference.kind OwnerReference.name OwnerReference.uid
    PersistentVolumeClaimTemplate.spec PersistentVolumeClaimVolumeSource.claimName PhotonPersistentDiskVolumeSource.pdID
    PodAffinityTerm.topologyKey PodCondition.status PodCondition.type PodIP.ip PodOS.name
    PodReadinessGate.conditionType PodResourceClaim.name PodResourceClaimStatus.name PodSchedulingGate.name
    PodSpec.containers PortworxVolumeSource.volumeID PreferredSchedulingTerm.preference PreferredSchedulingTerm.weight
    ProjectedVolumeSource.sources QuobyteVolumeSource.registry QuobyteVolumeSource.volume RBDVolumeSource.image
    RBDVolumeSource.monitors ResourceClaim.name ResourceFieldSelector.resource ResourceHealth.resourceID
    ResourceStatus.name ScaleIOVolumeSource.gateway ScaleIOVolumeSource.secretRef ScaleIOVolumeSource.system
    SeccompProfile.type SecretKeySelector.key ServiceAccountTokenProjection.path SleepAction.seconds Sysctl.name
    Sysctl.value TCPSocketAction.port TopologySpreadConstraint.maxSkew TopologySpreadConstraint.topologyKey
    TopologySpreadConstraint.whenUnsatisfiable TypedLocalObjectReference.apiGroup TypedLocalObjectReference.kind
    TypedLocalObjectReference.name TypedObjectReference.apiGroup TypedObjectReference.kind TypedObjectReference.name
    Volume.name VolumeDevice.devicePath VolumeDevice.name VolumeMount.mountPath VolumeMount.name
    VolumeMountStatus.mountPath VolumeMountStatus.name VsphereVirtualDiskVolumeSource.volumePath
    WeightedPodAffinityTerm.podAffinityTerm WeightedPodAffinityTerm.weight
    """

SCALARS = {
    "s": "string",
    "b": "bool",
    "i": "int32",
    "l": "int64",
    "q": "resource.Quantity",
    "o": "intstr.IntOrString",
    "t": "v1.Time",
    "r": "v1.FieldsV1",
}

HEADER = '''"""The Go types of a Pod, by the names and JSON tags of Kubernetes' structs.

Generated by tools/generate_go_types.py: do not edit. From lightkube-models {version} (Kubernetes {kubernetes}).

A field's type is written as in Go, with its JSON tag's option after the comma: `*bool,omitempty`. `v1` is both
k8s.io/api/core/v1 and k8s.io/apimachinery/pkg/apis/meta/v1, as Go prints them.
"""
# ruff: noqa: E501  # one struct a line
# fmt: off
'''


def go_type(owner: str, field: str, code: str) -> str:
    """The Go type of a field, and its JSON tag's option."""
    place = f"{owner}.{field}"
    named = dict(pair.split(":") for pair in NAMED_STRINGS.split())
    prefix = {"[": "[]", "{": "map[string]"}.get(code[0], "")
    inner = code.lstrip("[{")
    base = SCALARS.get(inner, f"v1.{inner}")
    if place in named:
        base = f"v1.{named[place]}"
    elif place in UIDS:
        base = "types.UID"
    if code == "{q":
        prefix, base = "", "v1.ResourceList"
    struct = inner not in SCALARS and not prefix and base != "v1.ResourceList"
    if place in POINTERS.split() or (struct and place not in VALUE_STRUCTS.split()):
        prefix = "*"
    option = "" if place in ALWAYS_WRITTEN.split() else ",omitempty"
    return prefix + base + (",omitzero" if place == "ObjectMeta.creationTimestamp" else option)


def table() -> str:
    """The text of the generated module."""
    types: dict[str, dict[str, str]] = {}
    collect("core_v1", "Pod", types)
    release = version("lightkube-models")
    named = sorted({pair.split(":")[1] for pair in NAMED_STRINGS.split()})
    lines = [HEADER.format(version=release, kubernetes=".".join(release.split(".")[:2]))]
    lines += ["NAMED: dict[str, str] = {"]
    lines += [f'    "v1.{name}": "string",' for name in named]
    lines += ['    "types.UID": "string",', '    "v1.ResourceList": "map[v1.ResourceName]resource.Quantity",', "}"]
    lines += ['"""Of each named type that is no struct, what it is."""', ""]
    lines += ["STRUCTS: dict[str, dict[str, str]] = {"]
    for name, fields in sorted(types.items()):
        written = {field: go_type(name, field, code) for field, code in fields.items()}
        lines.append(f"    {quoted(f'v1.{name}')}: {literal(written)},")
    lines += ["}", '"""Of each struct, its fields and their types."""', ""]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(table())
