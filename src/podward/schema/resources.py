"""Every resource of Kubernetes' stable groups, in the order of the discovery documents.

Specification: Kubernetes, pkg/controlplane storage providers and the registries' short names and categories; the order
of groups is that of the aggregated discovery document, a group's preferred version stands first. Events of both groups
are one resource, stored as the core group's; HorizontalPodAutoscalers are stored in version 2.
"""

from __future__ import annotations

from podward.api.resource import ALL_VERBS, CHANGED_VERBS, GroupVersion, Resource, Subresource

_CREATE = ("create",)
_CONNECT = ("create", "get")
_PROXY = ("create", "delete", "get", "patch", "update")
_OWN = {
    "status": CHANGED_VERBS,
    "approval": CHANGED_VERBS,
    "ephemeralcontainers": CHANGED_VERBS,
    "resize": CHANGED_VERBS,
    "finalize": ("update",),
    "log": ("get",),
}
"""Subresources that are the object itself, and what each can do."""
_OTHER = {
    "scale": ("Scale", "autoscaling/v1", CHANGED_VERBS),
    "binding": ("Binding", "v1", _CREATE),
    "eviction": ("Eviction", "policy/v1", _CREATE),
    "token": ("TokenRequest", "authentication.k8s.io/v1", _CREATE),
    "instantiate": ("DeploymentRequest", "apps.openshift.io/v1", _CREATE),
    "rollback": ("DeploymentConfigRollback", "apps.openshift.io/v1", _CREATE),
    "attach": ("PodAttachOptions", "v1", _CONNECT),
    "exec": ("PodExecOptions", "v1", _CONNECT),
    "portforward": ("PodPortForwardOptions", "v1", _CONNECT),
}
"""Subresources of another kind: the kind, its version, and what each can do."""
_STORED_ELSEWHERE = {
    ("events.k8s.io/v1", "events"): "v1",
    ("autoscaling/v1", "horizontalpodautoscalers"): "autoscaling/v2",
}
_DEPRECATED = {
    ("v1", "componentstatuses"): "v1 ComponentStatus is deprecated in v1.19+",
    ("v1", "endpoints"): "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
}
"""What clients of old resources are warned of."""

_TABLE = {
    "v1": """
        bindings                 Binding                ns create
        componentstatuses        ComponentStatus        -- get,list -cs
        configmaps               ConfigMap              ns -cm
        endpoints                Endpoints              ns -ep
        events                   Event                  ns -ev
        limitranges              LimitRange             ns -limits
        namespaces               Namespace              -- create,delete,get,list,patch,update,watch -ns
                                                           /finalize /status
        nodes                    Node                   -- -no /proxy /status
        persistentvolumeclaims   PersistentVolumeClaim  ns -pvc /status
        persistentvolumes        PersistentVolume       -- -pv /status
        pods                     Pod                    ns -po +all /attach /binding /ephemeralcontainers /eviction
                                                           /exec /log /portforward /proxy /resize /status
        podtemplates             PodTemplate            ns
        replicationcontrollers   ReplicationController  ns -rc +all /scale /status
        resourcequotas           ResourceQuota          ns -quota /status
        secrets                  Secret                 ns
        serviceaccounts          ServiceAccount         ns -sa /token
        services                 Service                ns -svc +all /proxy /status""",
    "apiregistration.k8s.io/v1": """
        apiservices APIService -- +api-extensions /status""",
    "apps/v1": """
        controllerrevisions ControllerRevision ns
        daemonsets          DaemonSet          ns -ds +all /status
        deployments         Deployment         ns -deploy +all /scale /status
        replicasets         ReplicaSet         ns -rs +all /scale /status
        statefulsets        StatefulSet        ns -sts +all /scale /status""",
    "events.k8s.io/v1": """
        events Event ns -ev""",
    "authentication.k8s.io/v1": """
        selfsubjectreviews SelfSubjectReview -- create
        tokenreviews       TokenReview       -- create""",
    "authorization.k8s.io/v1": """
        localsubjectaccessreviews LocalSubjectAccessReview ns create
        selfsubjectaccessreviews  SelfSubjectAccessReview  -- create
        selfsubjectrulesreviews   SelfSubjectRulesReview   -- create
        subjectaccessreviews      SubjectAccessReview      -- create""",
    "autoscaling/v2": """
        horizontalpodautoscalers HorizontalPodAutoscaler ns -hpa +all /status""",
    "autoscaling/v1": """
        horizontalpodautoscalers HorizontalPodAutoscaler ns -hpa +all /status""",
    "batch/v1": """
        cronjobs CronJob ns -cj +all /status
        jobs     Job     ns +all /status""",
    "certificates.k8s.io/v1": """
        certificatesigningrequests CertificateSigningRequest -- -csr /approval /status""",
    "networking.k8s.io/v1": """
        ingressclasses  IngressClass  --
        ingresses       Ingress       ns -ing /status
        ipaddresses     IPAddress     -- -ip
        networkpolicies NetworkPolicy ns -netpol
        servicecidrs    ServiceCIDR   -- /status""",
    "policy/v1": """
        poddisruptionbudgets PodDisruptionBudget ns -pdb /status""",
    "rbac.authorization.k8s.io/v1": """
        clusterrolebindings ClusterRoleBinding --
        clusterroles        ClusterRole        --
        rolebindings        RoleBinding        ns
        roles               Role               ns""",
    "storage.k8s.io/v1": """
        csidrivers              CSIDriver             --
        csinodes                CSINode               --
        csistoragecapacities    CSIStorageCapacity    ns
        storageclasses          StorageClass          -- -sc
        volumeattachments       VolumeAttachment      -- /status
        volumeattributesclasses VolumeAttributesClass -- -vac""",
    "admissionregistration.k8s.io/v1": """
        mutatingadmissionpolicies         MutatingAdmissionPolicy          -- +api-extensions
        mutatingadmissionpolicybindings   MutatingAdmissionPolicyBinding   -- +api-extensions
        mutatingwebhookconfigurations     MutatingWebhookConfiguration     -- +api-extensions
        validatingadmissionpolicies       ValidatingAdmissionPolicy        -- +api-extensions /status
        validatingadmissionpolicybindings ValidatingAdmissionPolicyBinding -- +api-extensions
        validatingwebhookconfigurations   ValidatingWebhookConfiguration   -- +api-extensions""",
    "apiextensions.k8s.io/v1": """
        customresourcedefinitions CustomResourceDefinition -- -crd -crds +api-extensions /status""",
    "scheduling.k8s.io/v1": """
        priorityclasses PriorityClass -- -pc""",
    "coordination.k8s.io/v1": """
        leases Lease ns""",
    "node.k8s.io/v1": """
        runtimeclasses RuntimeClass --""",
    "discovery.k8s.io/v1": """
        endpointslices EndpointSlice ns""",
    "resource.k8s.io/v1": """
        deviceclasses          DeviceClass           --
        resourceclaims         ResourceClaim         ns /status
        resourceclaimtemplates ResourceClaimTemplate ns
        resourceslices         ResourceSlice         --""",
    "flowcontrol.apiserver.k8s.io/v1": """
        flowschemas                 FlowSchema                 -- /status
        prioritylevelconfigurations PriorityLevelConfiguration -- /status""",
}
"""Of each version: plural and kind, `ns` if namespaced, the verbs where they are not all, `-` a short name, `+` a
category, `/` a subresource."""


def resources_of(api_version: str, rows: str) -> tuple[Resource, ...]:
    """The resources of a version, of which `rows` has one a line, or more where subresources go on in the next."""
    lines: list[list[str]] = []
    for line in rows.strip().splitlines():
        words = line.split()
        if words[0].startswith("/"):
            lines[-1] += words
        else:
            lines.append(words)
    return tuple([_resource(GroupVersion.parse(api_version), *line) for line in lines])


def _resource(of: GroupVersion, plural: str, kind: str, scope: str, *more: str) -> Resource:
    by_sign = {sign: tuple([word[1:] for word in more if word[0] == sign]) for sign in "-+/"}
    verbs = [tuple(word.split(",")) for word in more if word[0] not in by_sign]
    stored = _STORED_ELSEWHERE.get((str(of), plural))
    return Resource(
        of.group,
        of.version,
        kind,
        plural,
        kind.lower(),
        scope == "ns",
        f"{kind}List",
        GroupVersion.parse(stored) if stored else of,
        by_sign["-"],
        by_sign["+"],
        verbs[0] if verbs else ALL_VERBS,
        tuple([_subresource(of, kind, name) for name in by_sign["/"]]),
        _DEPRECATED.get((str(of), plural), ""),
    )


def _subresource(of: GroupVersion, kind: str, name: str) -> Subresource:
    if name in _OWN:
        return Subresource(name, kind, of.group, of.version, _OWN[name])
    if name == "proxy":
        return Subresource(name, f"{kind}ProxyOptions", of.group, of.version, _PROXY)
    other, api_version, verbs = _OTHER[name]
    other_version = GroupVersion.parse(api_version)
    return Subresource(name, other, other_version.group, other_version.version, verbs)


RESOURCES: tuple[Resource, ...] = tuple(
    [resource for api_version, rows in _TABLE.items() for resource in resources_of(api_version, rows)]
)
"""All of them, in the order of discovery: the core group first."""
BY_PLURAL = {(found.group, found.version, found.plural): found for found in RESOURCES}
"""By group, version, and the name in a path."""
BY_KIND = {(found.api_version, found.kind): found for found in RESOURCES}
"""By the `apiVersion` and `kind` of an object."""
