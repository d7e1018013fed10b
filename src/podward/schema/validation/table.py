"""What the API server asks of each type of object, in its order: the one statement of what a field may be.

Specification: Kubernetes, pkg/apis/core/validation. The fields and their types are those of `schema.table`. A type with
a second part after a slash has rules of its own where it stands: a probe that is asked before a container is started, a
container that ends before others start.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from podward.schema.validation import (
    addresses,
    apparmor,
    claims,
    containers,
    environment,
    labels,
    metadata,
    names,
    operating_system,
    pod_resources,
    resources,
    scheduling,
    seccomp,
    security_context,
    sysctls,
    topology,
    volumes,
    windows_options,
)
from podward.schema.validation.container_table import CONTAINERS
from podward.schema.validation.rules import (
    Code,
    Each,
    Inside,
    Items,
    May,
    Needed,
    Note,
    Pointer,
    Rule,
    When,
)
from podward.schema.validation.scheduling_table import SCHEDULING
from podward.schema.validation.values import (
    ID,
    LABEL,
    NOT_NEGATIVE,
    SUBDOMAIN,
    as_json,
    named,
    one_of,
    within,
)
from podward.schema.validation.volume_table import VOLUMES
from podward.schema.validation.walk import Walks

_PROFILE = one_of(*seccomp.TYPES)

PODS: Mapping[str, Sequence[Rule]] = {
    "ObjectMeta": (
        May("generation", NOT_NEGATIVE),
        Code(labels.of("labels"), ("labels",)),
        Code(metadata.check_annotations, ("annotations",)),
        Code(metadata.owners, ("ownerReferences",)),
        Code(metadata.finalizers, ("finalizers",)),
        Each("managedFields"),
        Items("finalizers", named(metadata.finalizer_faults)),
    ),
    "ManagedFieldsEntry": (Code(metadata.managed_field),),
    "PodSpec": (
        Code(volumes.check, ("volumes",)),
        Code(claims.check, ("resourceClaims",)),
        Code(containers.check, surely=containers.is_one),
        Code(pod_resources.check, ("resources",)),
        Code(containers.on_the_network_of_the_node, ("hostNetwork",)),
        Needed("restartPolicy", one_of("Always", "OnFailure", "Never")),
        Needed("dnsPolicy", one_of("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")),
        Code(labels.of("nodeSelector"), ("nodeSelector",)),
        Inside("securityContext"),
        Inside("affinity"),
        When("dnsPolicy", "None", addresses.needed),
        Code(addresses.dns, ("dnsConfig",)),
        Each("readinessGates"),
        Code(scheduling.gates, ("schedulingGates",)),
        Code(topology.check, ("topologySpreadConstraints",)),
        Code(windows_options.host_process),
        Code(operating_system.host_users, ("hostUsers",)),
        Code(scheduling.hostname_override, ("hostnameOverride",)),
        May("serviceAccountName", SUBDOMAIN),
        Code(scheduling.account, ("serviceAccount",)),
        May("nodeName", SUBDOMAIN),
        Pointer("activeDeadlineSeconds", within(1, 2**31 - 1)),
        May("hostname", LABEL),
        May("subdomain", LABEL),
        Each("tolerations"),
        Each("hostAliases"),
        May("priorityClassName", SUBDOMAIN),
        Pointer("runtimeClassName", SUBDOMAIN),
        Code(scheduling.preemption, ("preemptionPolicy",)),
        Code(resources.overhead, ("overhead",)),
        Code(operating_system.check, ("os",)),
        Code(scheduling.group, ("schedulingGroup",)),
        Code(environment.files),
        Code(volumes.tokens, ("volumes",)),
        Code(containers.images),
        Code(containers.not_created, ("ephemeralContainers",)),
        Code(scheduling.bound_and_gated, ("schedulingGates",)),
    ),
    "PodSecurityContext": (
        Pointer("fsGroup", ID),
        Pointer("runAsUser", ID),
        Pointer("runAsGroup", ID),
        Items("supplementalGroups", ID),
        Code(security_context.shared_processes),
        Code(sysctls.check, ("sysctls",)),
        Pointer("fsGroupChangePolicy", one_of("Always", "OnRootMismatch")),
        Inside("seccompProfile"),
        Note("windowsOptions"),
        Inside("windowsOptions"),
        Inside("appArmorProfile"),
        Pointer("supplementalGroupsPolicy", one_of("Merge", "Strict")),
        Pointer("seLinuxChangePolicy", one_of("Recursive")),  # the feature gate SELinuxMount is off
    ),
    "SecurityContext": (
        Code(security_context.privileged, ("privileged",)),
        Pointer("runAsUser", ID),
        Pointer("runAsGroup", ID),
        Code(security_context.proc_mount, ("procMount",)),
        Inside("seccompProfile"),
        Code(security_context.escalation, ("allowPrivilegeEscalation",)),
        Note("windowsOptions"),
        Inside("windowsOptions"),
        Inside("appArmorProfile"),
    ),
    "SeccompProfile": (
        Needed("type", _PROFILE, "type is required when seccompProfile is set"),
        When("type", "Localhost", seccomp.localhost),
        Code(seccomp.not_localhost, ("localhostProfile",)),
    ),
    "AppArmorProfile": (Code(apparmor.check),),
    "WindowsSecurityContextOptions": (
        Pointer("gmsaCredentialSpecName", as_json(names.subdomain_faults)),
        Pointer("gmsaCredentialSpec", as_json(windows_options.spec_faults)),
        Pointer("runAsUserName", as_json(windows_options.user_name_faults)),
    ),
}

RULES: Mapping[str, Sequence[Rule]] = {**PODS, **CONTAINERS, **VOLUMES, **SCHEDULING}
WALKS = Walks(RULES)
