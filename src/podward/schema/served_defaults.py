"""What an API server sets in objects of every kind where a field is not set.

Specification: Kubernetes, SetDefaults_* and the generated SetObjectDefaults_* of pkg/apis/*/v1 and autoscaling/v2, of
apiextensions and of the aggregator. A Pod has its rows in `default_table`; a Pod's template has the same but for what
is worked out for Pods alone: requests that follow from limits, ports of the node's network, the links to services.

Left out: a device's taint is not given the time, which the pure rooms don't know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from podward.documents.raw_fields import member
from podward.schema import kinds  # noqa: F401 - the types of all kinds
from podward.schema.default_table import DEFAULTS as OF_PODS
from podward.schema.default_table import with_defaults
from podward.schema.filling import At, Default, Derived, Fills, Into, Row, Told
from podward.schema.resource_defaults import amounts

if TYPE_CHECKING:
    from podward.api.json_value import Json, JsonObject

_RBAC = "rbac.authorization.k8s.io"
_NOTHING: tuple[Json, ...] = (None, "", [])
_ZERO: tuple[Json, ...] = (None, 0)
_FAR = 2_147_483_647
_HPA_CPU_PERCENT = 80


def with_served_defaults(of: str, value: JsonObject) -> JsonObject:
    """The object of this type in `TYPES`, which is in Go's form, with its defaults: itself where it has them all."""
    return _FILLS[of](value, (None, ""), None) if of in DEFAULTS else value


def derived(change: Callable[[JsonObject], Mapping[str, Json]]) -> Derived:
    """Fields that follow from several: what `change` answers is set."""

    def fill(owner: JsonObject, at: At, told: Told | None) -> JsonObject:
        del at, told
        changed = change(owner)
        if None in changed.values():  # what is not to be there is nobody's
            owner = {name: value for name, value in owner.items() if changed.get(name, value) is not None}
            changed = {name: value for name, value in changed.items() if value is not None}
        return {**owner, **changed} if changed else owner

    return Derived(fill)


def _rounded(*names: str) -> Derived:
    """Amounts of resources are rounded up to thousandths."""

    def fill(owner: JsonObject, at: At, told: Told | None) -> JsonObject:
        for name in names:
            owner = amounts(owner, name, at, told)
        return owner

    return Derived(fill)


def _always(name: str, value: Json) -> Default:
    """A field that is a pointer: only null is unset."""
    return Default(name, value, unset=(None,))


def _empty(name: str) -> Default:
    return Default(name, lambda _: {}, unset=(None,))


def _pod(pod: JsonObject) -> Mapping[str, Json]:
    spec = member(pod, "spec")
    made = with_defaults(spec, (None, "spec"))
    return {} if made is spec else {"spec": made}


def _of_template(rows: Iterable[Row]) -> tuple[Row, ...]:
    """The rows of a PodSpec in a template."""
    made: list[Row] = []
    for row in rows:
        if isinstance(row, Into) and row.name in {"containers", "initContainers"}:
            made.append(Into(row.name, "Container/of a template"))
        elif not (isinstance(row, Default) and row.name == "enableServiceLinks"):
            made.append(row)
    return tuple(made)


def _rolling(**values: Json) -> Derived:
    """What a rolling update is by default, where the strategy is one."""

    def change(strategy: JsonObject) -> Mapping[str, Json]:
        if strategy.get("type") != "RollingUpdate":
            return {}
        written = {name: value for name, value in member(strategy, "rollingUpdate").items() if value is not None}
        made = {**values, **written}
        return {} if made == written else {"rollingUpdate": made}

    return derived(change)


def _stateful_update(strategy: JsonObject) -> Mapping[str, Json]:
    """A rolling update that is written without its settings stays without."""
    kind = strategy.get("type") or "RollingUpdate"
    written = strategy.get("rollingUpdate")
    if not strategy.get("type") and written is None:
        written = {}
    made: dict[str, Json] = {"type": kind}
    if kind == "RollingUpdate" and isinstance(written, dict):
        made["rollingUpdate"] = {"partition": 0, **written}
    return made


def _labels_of_template(owner: JsonObject) -> JsonObject:
    template = member(member(owner, "spec"), "template")
    return member(member(template, "metadata"), "labels")


def _named_like_its_template(owner: JsonObject) -> Mapping[str, Json]:
    """Labels of the template are those of the object, where it has none: the very same, whoever adds to them."""
    labels = _labels_of_template(owner)
    metadata = member(owner, "metadata")
    return {} if not labels or metadata.get("labels") else {"metadata": {**metadata, "labels": labels}}


def _selects_its_template(owner: JsonObject) -> Mapping[str, Json]:
    labels, spec = _labels_of_template(owner), member(owner, "spec")
    return {} if not labels or spec.get("selector") else {"spec": {**spec, "selector": {**labels}}}


def _job(spec: JsonObject) -> Mapping[str, Json]:
    made: dict[str, Json] = {}
    if spec.get("parallelism") is None:
        made["parallelism"] = 1
        if spec.get("completions") is None:
            made["completions"] = 1
    if spec.get("backoffLimit") is None:
        made["backoffLimit"] = 6 if spec.get("backoffLimitPerIndex") is None else _FAR
    if spec.get("podReplacementPolicy") is None:
        made["podReplacementPolicy"] = "TerminatingOrFailed" if spec.get("podFailurePolicy") is None else "Failed"
    return made


def _service(spec: JsonObject) -> Mapping[str, Json]:
    """Affinity, and what depends on the type of the Service."""
    made: dict[str, Json] = {}
    kind = spec.get("type")
    if spec.get("sessionAffinity") == "None":
        if spec.get("sessionAffinityConfig") is not None:
            made["sessionAffinityConfig"] = None
    elif spec.get("sessionAffinity") == "ClientIP":
        client = member(member(spec, "sessionAffinityConfig"), "clientIP")
        if client.get("timeoutSeconds") is None:
            made["sessionAffinityConfig"] = {"clientIP": {"timeoutSeconds": 10800}}
    outside = kind in {"NodePort", "LoadBalancer"} or (kind == "ClusterIP" and bool(spec.get("externalIPs")))
    if outside and not spec.get("externalTrafficPolicy"):
        made["externalTrafficPolicy"] = "Cluster"
    if spec.get("internalTrafficPolicy") is None and kind in {"NodePort", "LoadBalancer", "ClusterIP"}:
        made["internalTrafficPolicy"] = "Cluster"
    if kind == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts") is None:
        made["allocateLoadBalancerNodePorts"] = True
    return made


def _balancers(service: JsonObject) -> Mapping[str, Json]:
    """An address of a load balancer is a virtual one."""
    status = member(service, "status")
    balancer = member(status, "loadBalancer")
    written = balancer.get("ingress")
    if member(service, "spec").get("type") != "LoadBalancer" or not isinstance(written, list):
        return {}
    made: list[Json] = [
        {**item, "ipMode": "VIP"} if isinstance(item, dict) and item.get("ip") and item.get("ipMode") is None else item
        for item in written
    ]
    return {} if made == written else {"status": {**status, "loadBalancer": {**balancer, "ingress": made}}}


def _named_namespace(namespace: JsonObject) -> Mapping[str, Json]:
    metadata = member(namespace, "metadata")
    name, labels = metadata.get("name"), member(metadata, "labels")
    if not name or labels.get("kubernetes.io/metadata.name") == name:
        return {}
    return {"metadata": {**metadata, "labels": {**labels, "kubernetes.io/metadata.name": name}}}


def _limits(item: JsonObject) -> Mapping[str, Json]:
    """Of containers the highest limit is the default one, and that or the lowest the default request."""
    if item.get("type") != "Container":
        return {}
    default = {**member(item, "max"), **member(item, "default")}
    request = {**member(item, "min"), **default, **member(item, "defaultRequest")}
    made: dict[str, Json] = {"default": default} if default else {}
    return {**made, "defaultRequest": request} if request else made


def _policy_types(spec: JsonObject) -> Mapping[str, Json]:
    if spec.get("policyTypes"):
        return {}
    return {"policyTypes": ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]}


def _subject(subject: JsonObject) -> Mapping[str, Json]:
    return {"apiGroup": _RBAC} if subject.get("kind") in {"User", "Group"} and not subject.get("apiGroup") else {}


def _counted(request: JsonObject) -> Mapping[str, Json]:
    return {"count": 1} if request.get("allocationMode") == "ExactCount" and not request.get("count") else {}


def _multiplied(device: JsonObject) -> Mapping[str, Json]:
    written = device.get("nodeAllocatableResourceMappings")
    if not isinstance(written, dict):
        return {}
    made: dict[str, Json] = {
        name: {**item, "allocationMultiplier": "1"}
        if isinstance(item, dict) and item.get("allocationMultiplier") is None
        else item
        for name, item in written.items()
    }
    return {} if made == written else {"nodeAllocatableResourceMappings": made}


def _scaling(*policies: tuple[str, int], window: int | None) -> Callable[[JsonObject], Json]:
    def rules(of: JsonObject) -> Json:
        del of
        listed: list[Json] = [{"type": kind, "value": value, "periodSeconds": 15} for kind, value in policies]
        made: JsonObject = {"selectPolicy": "Max", "policies": listed}
        return made if window is None else {"stabilizationWindowSeconds": window, **made}

    return rules


_SCALE_UP = _scaling(("Pods", 4), ("Percent", 100), window=0)
_SCALE_DOWN = _scaling(("Percent", 100), window=None)


def _behavior(behavior: JsonObject) -> Mapping[str, Json]:
    made: dict[str, Json] = {}
    for name, usual in (("scaleUp", _SCALE_UP({})), ("scaleDown", _SCALE_DOWN({}))):
        written = {field: value for field, value in member(behavior, name).items() if value is not None}
        full = {**(usual if isinstance(usual, dict) else {}), **written}
        if full != behavior.get(name):
            made[name] = full
    return made


def _cpu_metric(of: JsonObject) -> Json:
    del of
    target: JsonObject = {"type": "Utilization", "averageUtilization": _HPA_CPU_PERCENT}
    return [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]


def _definition(crd: JsonObject) -> Mapping[str, Json]:
    status, versions = member(crd, "status"), member(crd, "spec").get("versions")
    if status.get("storedVersions") or not isinstance(versions, list):
        return {}
    stored: list[Json] = [item.get("name") for item in versions if isinstance(item, dict) and item.get("storage")]
    return {"status": {**status, "storedVersions": stored[:1]}} if stored else {}


def _names(names: JsonObject) -> Mapping[str, Json]:
    kind = names.get("kind")
    made: dict[str, Json] = {}
    if not names.get("singular") and isinstance(kind, str) and kind:
        made["singular"] = kind.lower()
    if not names.get("listKind") and kind:
        made["listKind"] = f"{kind}List"
    return made


_TEMPLATE = (Into("spec", "PodSpec/of a template"),)
_WEBHOOK: tuple[Row, ...] = (
    _always("failurePolicy", "Fail"),
    _always("matchPolicy", "Equivalent"),
    _empty("namespaceSelector"),
    _empty("objectSelector"),
    _always("timeoutSeconds", 10),
    Into("clientConfig"),
    Into("rules"),
)
_SERVICE_PORT = (_always("port", 443),)
_ROLE_REF = (Default("apiGroup", _RBAC),)
_DEVICE_REQUEST = (Default("allocationMode", "ExactCount"), derived(_counted), Into("tolerations"))
_POLICY_SPEC = (_always("failurePolicy", "Fail"), Into("matchConstraints"))

DEFAULTS: dict[str, Sequence[Row]] = {
    **OF_PODS,
    "Pod": (derived(_pod),),
    "PodSpec/of a template": _of_template(OF_PODS["PodSpec"]),
    "Container/of a template": OF_PODS["EphemeralContainer"],
    "PodTemplateSpec": _TEMPLATE,
    "PodTemplate": (Into("template"),),
    "ReplicationController": (derived(_selects_its_template), derived(_named_like_its_template), Into("spec")),
    "ReplicationControllerSpec": (_always("replicas", 1), Into("template")),
    "Deployment": (Into("spec"),),
    "DeploymentSpec": (
        _always("replicas", 1),
        _always("revisionHistoryLimit", 10),
        _always("progressDeadlineSeconds", 600),
        Into("strategy"),
        Into("template"),
    ),
    "DeploymentStrategy": (Default("type", "RollingUpdate"), _rolling(maxUnavailable="25%", maxSurge="25%")),
    "DaemonSet": (Into("spec"),),
    "DaemonSetSpec": (_always("revisionHistoryLimit", 10), Into("updateStrategy"), Into("template")),
    "DaemonSetUpdateStrategy": (Default("type", "RollingUpdate"), _rolling(maxUnavailable=1, maxSurge=0)),
    "StatefulSet": (Into("spec"),),
    "StatefulSetSpec": (
        Default("podManagementPolicy", "OrderedReady"),
        _empty("persistentVolumeClaimRetentionPolicy"),
        _always("replicas", 1),
        _always("revisionHistoryLimit", 10),
        Into("updateStrategy"),
        Into("persistentVolumeClaimRetentionPolicy"),
        Into("template"),
        Into("volumeClaimTemplates"),
    ),
    "StatefulSetUpdateStrategy": (derived(_stateful_update),),
    "StatefulSetPersistentVolumeClaimRetentionPolicy": (
        Default("whenDeleted", "Retain"),
        Default("whenScaled", "Retain"),
    ),
    "ReplicaSet": (Into("spec"),),
    "ReplicaSetSpec": (_always("replicas", 1), Into("template")),
    "Job": (derived(_named_like_its_template), Into("spec")),
    "JobSpec": (
        derived(_job),
        _always("completionMode", "NonIndexed"),
        _always("suspend", False),
        _always("manualSelector", False),
        Into("podFailurePolicy"),
        Into("template"),
    ),
    "PodFailurePolicy": (Into("rules"),),
    "PodFailurePolicyRule": (Into("onPodConditions"),),
    "PodFailurePolicyOnPodConditionsPattern": (Default("status", "True"),),
    "CronJob": (Into("spec"),),
    "CronJobSpec": (
        Default("concurrencyPolicy", "Allow"),
        _always("suspend", False),
        _always("successfulJobsHistoryLimit", 3),
        _always("failedJobsHistoryLimit", 1),
        Into("jobTemplate"),
    ),
    "JobTemplateSpec": (Into("spec", "JobSpec/of a template"),),
    "JobSpec/of a template": (Into("podFailurePolicy"), Into("template")),
    "HorizontalPodAutoscaler": (Into("spec"),),
    "HorizontalPodAutoscalerSpec": (_always("minReplicas", 1),),
    "autoscaling.v2.HorizontalPodAutoscaler": (Into("spec"),),
    "autoscaling.v2.HorizontalPodAutoscalerSpec": (
        _always("minReplicas", 1),
        Default("metrics", _cpu_metric, unset=_NOTHING),
        Into("behavior"),
    ),
    "autoscaling.v2.HorizontalPodAutoscalerBehavior": (derived(_behavior),),
    "Service": (Into("spec"), derived(_balancers)),
    "ServiceSpec": (
        Default("sessionAffinity", "None"),
        Default("type", "ClusterIP"),
        Into("ports"),
        derived(_service),
    ),
    "ServicePort": (
        Default("protocol", "TCP"),
        Default("targetPort", lambda port: port.get("port"), unset=(None, "", 0)),
    ),
    "Endpoints": (Into("subsets"),),
    "EndpointSubset": (Into("ports"),),
    "EndpointPort": (Default("protocol", "TCP"),),
    "EndpointSlice": (Into("ports"),),
    "discovery.v1.EndpointPort": (_always("name", ""), _always("protocol", "TCP")),
    "Secret": (Default("type", "Opaque"),),
    "PersistentVolume": (Into("spec"), Into("status")),
    "PersistentVolumeSpec": (
        Default("persistentVolumeReclaimPolicy", "Retain"),
        _always("volumeMode", "Filesystem"),
        _rounded("capacity"),
        *map(Into, ("hostPath", "rbd", "iscsi", "azureDisk", "scaleIO")),
    ),
    "RBDPersistentVolumeSource": OF_PODS["RBDVolumeSource"],
    "ISCSIPersistentVolumeSource": OF_PODS["ISCSIVolumeSource"],
    "ScaleIOPersistentVolumeSource": OF_PODS["ScaleIOVolumeSource"],
    "PersistentVolumeStatus": (Default("phase", "Pending"),),
    "PersistentVolumeClaim": (Into("spec"), Into("status")),
    "PersistentVolumeClaimSpec": (_always("volumeMode", "Filesystem"), *OF_PODS["PersistentVolumeClaimSpec"]),
    "PersistentVolumeClaimStatus": (Default("phase", "Pending"), _rounded("capacity", "allocatedResources")),
    "Namespace": (derived(_named_namespace), Into("status")),
    "NamespaceStatus": (Default("phase", "Active"),),
    "Node": (Into("status"),),
    "NodeStatus": (
        derived(
            lambda status: (
                {} if status.get("allocatable") or not status.get("capacity") else {"allocatable": status["capacity"]}
            )
        ),
        _rounded("capacity", "allocatable"),
    ),
    "LimitRange": (Into("spec"),),
    "LimitRangeSpec": (Into("limits"),),
    "LimitRangeItem": (derived(_limits), _rounded("max", "min", "default", "defaultRequest", "maxLimitRequestRatio")),
    "ResourceQuota": (Into("spec"), Into("status")),
    "ResourceQuotaSpec": (_rounded("hard"),),
    "ResourceQuotaStatus": (_rounded("hard", "used"),),
    "NetworkPolicy": (Into("spec"),),
    "NetworkPolicySpec": (derived(_policy_types), Into("ingress"), Into("egress")),
    "NetworkPolicyIngressRule": (Into("ports"),),
    "NetworkPolicyEgressRule": (Into("ports"),),
    "NetworkPolicyPort": (_always("protocol", "TCP"),),
    "IngressClass": (Into("spec"),),
    "IngressClassSpec": (Into("parameters"),),
    "IngressClassParametersReference": (_always("scope", "Cluster"),),
    "RoleBinding": (Into("roleRef"), Into("subjects")),
    "ClusterRoleBinding": (Into("roleRef"), Into("subjects")),
    "RoleRef": _ROLE_REF,
    "Subject": (derived(_subject),),
    "StorageClass": (_always("reclaimPolicy", "Delete"), _always("volumeBindingMode", "Immediate")),
    "CSIDriver": (Into("spec"),),
    "CSIDriverSpec": (
        _always("attachRequired", True),
        _always("podInfoOnMount", False),
        _always("storageCapacity", False),
        _always("fsGroupPolicy", "ReadWriteOnceWithFSType"),
        Default("volumeLifecycleModes", lambda _: ["Persistent"], unset=_NOTHING),
        _always("requiresRepublish", False),
        _always("seLinuxMount", False),
    ),
    "VolumeAttachment": (Into("spec"),),
    "VolumeAttachmentSpec": (Into("source"),),
    "VolumeAttachmentSource": (Into("inlineVolumeSpec", "PersistentVolumeSpec/inline"),),
    "PersistentVolumeSpec/inline": (
        _rounded("capacity"),
        *map(Into, ("hostPath", "rbd", "iscsi", "azureDisk", "scaleIO")),
    ),
    "PriorityClass": (_always("preemptionPolicy", "PreemptLowerPriority"),),
    "TokenRequest": (Into("spec"),),
    "TokenRequestSpec": (_always("expirationSeconds", 3600),),
    "MutatingWebhookConfiguration": (Into("webhooks"),),
    "ValidatingWebhookConfiguration": (Into("webhooks"),),
    "MutatingWebhook": (*_WEBHOOK, _always("reinvocationPolicy", "Never")),
    "ValidatingWebhook": _WEBHOOK,
    "WebhookClientConfig": (Into("service"),),
    "ServiceReference": _SERVICE_PORT,
    "RuleWithOperations": (_always("scope", "*"),),
    "NamedRuleWithOperations": (_always("scope", "*"),),
    "ValidatingAdmissionPolicy": (Into("spec"),),
    "ValidatingAdmissionPolicySpec": _POLICY_SPEC,
    "MutatingAdmissionPolicy": (Into("spec"),),
    "MutatingAdmissionPolicySpec": _POLICY_SPEC,
    "ValidatingAdmissionPolicyBinding": (Into("spec"),),
    "ValidatingAdmissionPolicyBindingSpec": (Into("matchResources"),),
    "MutatingAdmissionPolicyBinding": (Into("spec"),),
    "MutatingAdmissionPolicyBindingSpec": (Into("matchResources"),),
    "MatchResources": (
        _always("matchPolicy", "Equivalent"),
        _empty("namespaceSelector"),
        _empty("objectSelector"),
        Into("resourceRules"),
        Into("excludeResourceRules"),
    ),
    "CustomResourceDefinition": (Into("spec"), derived(_definition)),
    "CustomResourceDefinitionSpec": (
        Default("conversion", lambda _: {"strategy": "None"}, unset=(None,)),
        Into("names"),
        Into("conversion"),
    ),
    "CustomResourceDefinitionNames": (derived(_names),),
    "CustomResourceConversion": (Into("webhook"),),
    "WebhookConversion": (Into("clientConfig"),),
    "apiextensions.v1.WebhookClientConfig": (Into("service"),),
    "apiextensions.v1.ServiceReference": _SERVICE_PORT,
    "APIService": (Into("spec"),),
    "APIServiceSpec": (Into("service"),),
    "apiregistration.v1.ServiceReference": _SERVICE_PORT,
    "FlowSchema": (Into("spec"),),
    "FlowSchemaSpec": (Default("matchingPrecedence", 1000, unset=_ZERO),),
    "PriorityLevelConfiguration": (Into("spec"),),
    "PriorityLevelConfigurationSpec": (Into("exempt"), Into("limited")),
    "ExemptPriorityLevelConfiguration": (_always("nominalConcurrencyShares", 0), _always("lendablePercent", 0)),
    "LimitedPriorityLevelConfiguration": (
        _always("nominalConcurrencyShares", 30),
        _always("lendablePercent", 0),
        Into("limitResponse"),
    ),
    "LimitResponse": (Into("queuing"),),
    "QueuingConfiguration": (
        Default("handSize", 8, unset=_ZERO),
        Default("queues", 64, unset=_ZERO),
        Default("queueLengthLimit", 50, unset=_ZERO),
    ),
    "resource.v1.ResourceClaim": (Into("spec"), Into("status")),
    "ResourceClaimTemplate": (Into("spec"),),
    "ResourceClaimTemplateSpec": (Into("spec"),),
    "ResourceClaimSpec": (Into("devices"),),
    "DeviceClaim": (Into("requests"),),
    "DeviceRequest": (Into("exactly"), Into("firstAvailable")),
    "ExactDeviceRequest": _DEVICE_REQUEST,
    "DeviceSubRequest": _DEVICE_REQUEST,
    "DeviceToleration": (Default("operator", "Equal"),),
    "ResourceClaimStatus": (Into("allocation"),),
    "AllocationResult": (Into("devices"),),
    "DeviceAllocationResult": (Into("results"),),
    "DeviceRequestAllocationResult": (Into("tolerations"),),
    "ResourceSlice": (Into("spec"),),
    "ResourceSliceSpec": (Into("devices"),),
    "Device": (derived(_multiplied),),
}
"""The defaults of each type, in the order in which they are set."""

_FILLS = Fills(DEFAULTS)
