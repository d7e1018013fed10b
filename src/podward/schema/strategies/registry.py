"""Which strategy a resource has, and each of its subresources.

Specification: Kubernetes, pkg/registry/GROUP/KIND/storage. What is not in the table is checked by its schema alone: its
name is that of a subdomain, a status is written through its subresource only where there is one.
"""

from __future__ import annotations

from podward.schema.strategies import (
    access_reviews,
    accounts,
    admission_policies,
    api_services,
    autoscalers,
    budgets,
    certificate_requests,
    config,
    csi,
    daemon_sets,
    deployments,
    endpoints,
    events,
    flows,
    ingresses,
    jobs,
    leases,
    limit_ranges,
    names,
    namespaces,
    network_policies,
    nodes,
    object_meta,
    persistent_volumes,
    pods,
    priority_classes,
    quotas,
    roles,
    services,
    stateful_sets,
    storage_classes,
    volume_claims,
    webhooks,
)
from podward.schema.strategies.custom_resources import definitions
from podward.schema.strategies.devices import kinds
from podward.schema.strategies.strategy import Strategy

_ADMISSION = "admissionregistration.k8s.io"
_DEVICES = "resource.k8s.io"
_FLOWS = "flowcontrol.apiserver.k8s.io"
_RBAC = "rbac.authorization.k8s.io"

STRATEGIES: dict[tuple[str, str], Strategy] = {
    ("", "configmaps"): config.CONFIG_MAP,
    ("", "endpoints"): endpoints.ENDPOINTS,
    ("", "limitranges"): limit_ranges.LIMIT_RANGE,
    ("", "events"): events.EVENT,
    ("", "namespaces"): namespaces.NAMESPACE,
    ("", "namespaces/finalize"): namespaces.NAMESPACE_FINALIZE,
    ("", "namespaces/status"): namespaces.NAMESPACE_STATUS,
    ("", "resourcequotas"): quotas.RESOURCE_QUOTA,
    ("", "resourcequotas/status"): quotas.RESOURCE_QUOTA_STATUS,
    ("", "secrets"): config.SECRET,
    ("", "serviceaccounts"): accounts.SERVICE_ACCOUNT,
    ("", "serviceaccounts/token"): accounts.TOKEN_REQUEST,
    ("", "nodes"): nodes.NODE,
    ("", "nodes/status"): nodes.NODE_STATUS,
    ("", "persistentvolumeclaims"): volume_claims.VOLUME_CLAIM,
    ("", "persistentvolumeclaims/status"): volume_claims.VOLUME_CLAIM_STATUS,
    ("", "persistentvolumes"): persistent_volumes.PERSISTENT_VOLUME,
    ("", "persistentvolumes/status"): persistent_volumes.PERSISTENT_VOLUME_STATUS,
    ("", "pods"): pods.POD,
    ("", "pods/ephemeralcontainers"): pods.POD_EPHEMERAL_CONTAINERS,
    ("", "pods/resize"): pods.POD_RESIZE,
    ("", "pods/status"): pods.POD_STATUS,
    ("", "podtemplates"): daemon_sets.POD_TEMPLATE,
    ("", "replicationcontrollers"): deployments.REPLICATION_CONTROLLER,
    ("", "replicationcontrollers/status"): deployments.REPLICATION_CONTROLLER_STATUS,
    ("", "services"): services.SERVICE,
    ("", "services/status"): services.SERVICE_STATUS,
    (_ADMISSION, "mutatingadmissionpolicies"): admission_policies.MUTATING,
    (_ADMISSION, "mutatingadmissionpolicybindings"): admission_policies.MUTATING_BINDING,
    (_ADMISSION, "mutatingwebhookconfigurations"): webhooks.WEBHOOKS,
    (_ADMISSION, "validatingadmissionpolicies"): admission_policies.VALIDATING,
    (_ADMISSION, "validatingadmissionpolicies/status"): admission_policies.VALIDATING_STATUS,
    (_ADMISSION, "validatingadmissionpolicybindings"): admission_policies.VALIDATING_BINDING,
    (_ADMISSION, "validatingwebhookconfigurations"): webhooks.WEBHOOKS,
    ("apiextensions.k8s.io", "customresourcedefinitions"): definitions.DEFINITION,
    ("apiextensions.k8s.io", "customresourcedefinitions/status"): definitions.DEFINITION_STATUS,
    ("apiregistration.k8s.io", "apiservices"): api_services.API_SERVICE,
    ("apiregistration.k8s.io", "apiservices/status"): api_services.API_SERVICE_STATUS,
    ("apps", "controllerrevisions"): daemon_sets.CONTROLLER_REVISION,
    ("apps", "daemonsets"): daemon_sets.DAEMON_SET,
    ("apps", "daemonsets/status"): daemon_sets.DAEMON_SET_STATUS,
    ("apps", "deployments"): deployments.DEPLOYMENT,
    ("apps", "deployments/status"): deployments.DEPLOYMENT_STATUS,
    ("apps", "replicasets"): deployments.REPLICA_SET,
    ("apps", "replicasets/status"): deployments.REPLICA_SET_STATUS,
    ("apps", "statefulsets"): stateful_sets.STATEFUL_SET,
    ("apps", "statefulsets/status"): stateful_sets.STATEFUL_SET_STATUS,
    ("authorization.k8s.io", "localsubjectaccessreviews"): access_reviews.LOCAL_REVIEW,
    ("authorization.k8s.io", "selfsubjectaccessreviews"): access_reviews.OWN_REVIEW,
    ("authorization.k8s.io", "subjectaccessreviews"): access_reviews.REVIEW,
    ("autoscaling", "horizontalpodautoscalers"): autoscalers.AUTOSCALER,
    ("autoscaling", "horizontalpodautoscalers/status"): autoscalers.AUTOSCALER_STATUS,
    ("batch", "cronjobs"): jobs.CRON_JOB,
    ("batch", "cronjobs/status"): jobs.CRON_JOB_STATUS,
    ("batch", "jobs"): jobs.JOB,
    ("batch", "jobs/status"): jobs.JOB_STATUS,
    ("certificates.k8s.io", "certificatesigningrequests"): certificate_requests.REQUEST,
    ("certificates.k8s.io", "certificatesigningrequests/approval"): certificate_requests.REQUEST_APPROVAL,
    ("certificates.k8s.io", "certificatesigningrequests/status"): certificate_requests.REQUEST_STATUS,
    ("coordination.k8s.io", "leases"): leases.LEASE,
    ("discovery.k8s.io", "endpointslices"): endpoints.ENDPOINT_SLICE,
    ("events.k8s.io", "events"): events.EVENT_OF_GROUP,
    (_FLOWS, "flowschemas"): flows.FLOW_SCHEMA,
    (_FLOWS, "flowschemas/status"): flows.FLOW_STATUS,
    (_FLOWS, "prioritylevelconfigurations"): flows.PRIORITY_LEVEL,
    (_FLOWS, "prioritylevelconfigurations/status"): flows.FLOW_STATUS,
    ("networking.k8s.io", "ingressclasses"): ingresses.INGRESS_CLASS,
    ("networking.k8s.io", "ingresses"): ingresses.INGRESS,
    ("networking.k8s.io", "ingresses/status"): ingresses.INGRESS_STATUS,
    ("networking.k8s.io", "ipaddresses"): network_policies.IP_ADDRESS,
    ("networking.k8s.io", "networkpolicies"): network_policies.NETWORK_POLICY,
    ("networking.k8s.io", "servicecidrs"): network_policies.SERVICE_CIDR,
    ("networking.k8s.io", "servicecidrs/status"): network_policies.SERVICE_CIDR_STATUS,
    ("node.k8s.io", "runtimeclasses"): nodes.RUNTIME_CLASS,
    ("policy", "poddisruptionbudgets"): budgets.BUDGET,
    ("policy", "poddisruptionbudgets/status"): budgets.BUDGET_STATUS,
    (_RBAC, "clusterrolebindings"): roles.CLUSTER_ROLE_BINDING,
    (_RBAC, "clusterroles"): roles.CLUSTER_ROLE,
    (_RBAC, "rolebindings"): roles.ROLE_BINDING,
    (_RBAC, "roles"): roles.ROLE,
    (_DEVICES, "deviceclasses"): kinds.DEVICE_CLASS,
    (_DEVICES, "resourceclaims"): kinds.CLAIM,
    (_DEVICES, "resourceclaims/status"): kinds.CLAIM_STATUS,
    (_DEVICES, "resourceclaimtemplates"): kinds.CLAIM_TEMPLATE,
    (_DEVICES, "resourceslices"): kinds.SLICE,
    ("scheduling.k8s.io", "priorityclasses"): priority_classes.PRIORITY_CLASS,
    ("storage.k8s.io", "csidrivers"): csi.DRIVER,
    ("storage.k8s.io", "csinodes"): csi.NODE,
    ("storage.k8s.io", "csistoragecapacities"): storage_classes.STORAGE_CAPACITY,
    ("storage.k8s.io", "storageclasses"): storage_classes.STORAGE_CLASS,
    ("storage.k8s.io", "volumeattachments"): csi.ATTACHMENT,
    ("storage.k8s.io", "volumeattachments/status"): csi.ATTACHMENT_STATUS,
    ("storage.k8s.io", "volumeattributesclasses"): storage_classes.VOLUME_ATTRIBUTES_CLASS,
}


def _of_others(*, namespaced: bool) -> Strategy:
    new = object_meta.new(names.SUBDOMAIN, namespaced=namespaced)
    return Strategy(validate=new, validate_update=object_meta.both(new), namespaced=namespaced)


_OTHERS = {True: _of_others(namespaced=True), False: _of_others(namespaced=False)}


def strategy_of(group: str, plural: str, subresource: str = "", *, namespaced: bool = True) -> Strategy:
    """The strategy of a resource, or of one of its subresources; `namespaced` is asked of resources without one."""
    found = STRATEGIES.get((group, f"{plural}/{subresource}" if subresource else plural))
    return found if found is not None else _OTHERS[namespaced]
