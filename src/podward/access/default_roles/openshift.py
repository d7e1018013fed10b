"""The ClusterRoles and bindings that OpenShift adds to Kubernetes' own.

Source: openshift/openshift-apiserver, pkg/bootstrappolicy (2026), as far as the roles are about what is served here:
rules about builds, images, routes, templates and OAuth are left out, and so are the roles that have nothing else. The
groups are those with a domain; the core group, which had all these resources once, is there where `oc` and the reviews
still ask about it. Each has the annotation by which a later start completes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.access.default_roles.objects import AUTO_UPDATE
from podward.access.default_roles.table import roles_of
from podward.access.objects import GROUP
from podward.policy.scc.default_set import default_rbac

if TYPE_CHECKING:
    from podward.api.json_value import Json, JsonObject

_ALL = "create delete deletecollection get list patch update watch"
_ROLES = f"""\
basic-user
  get | user.openshift.io | users | ~
  list | core project.openshift.io | projectrequests
  get list watch | rbac.authorization.k8s.io | clusterroles
  get list | storage.k8s.io | storageclasses
  list watch | core project.openshift.io | projects
  create | authorization.k8s.io | selfsubjectaccessreviews
cluster-reader
  collects
cluster-status
  get | /healthz /healthz/
self-access-reviewer
  create | authorization.k8s.io | selfsubjectaccessreviews
self-provisioner
  create | core project.openshift.io | projectrequests
system:deployer
  delete | core | replicationcontrollers
  get list update watch | core | replicationcontrollers
  get update | core | replicationcontrollers/scale
  create get list watch | core | pods
  get | core | pods/log
  create list | core | events
system:openshift:aggregate-to-admin > admin
  create | core authorization.openshift.io | localresourceaccessreviews localsubjectaccessreviews
  create | core authorization.openshift.io | resourceaccessreviews subjectaccessreviews
  create | security.openshift.io | podsecuritypolicyreviews podsecuritypolicyselfsubjectreviews \
podsecuritypolicysubjectreviews
  {_ALL} | apps.openshift.io | deploymentconfigs deploymentconfigs/scale
  create | apps.openshift.io | deploymentconfigrollbacks deploymentconfigs/instantiate deploymentconfigs/rollback
  get list watch | apps.openshift.io | deploymentconfigs/log deploymentconfigs/status
  delete get patch update | core project.openshift.io | projects
  {_ALL} | networking.k8s.io | networkpolicies
system:openshift:aggregate-to-cluster-reader > cluster-reader
  get list watch | core | componentstatuses nodes nodes/status persistentvolumeclaims/status persistentvolumes \
persistentvolumes/status pods/binding pods/eviction podtemplates services/status
  get list watch | admissionregistration.k8s.io | mutatingwebhookconfigurations validatingwebhookconfigurations
  get list watch | apps | controllerrevisions daemonsets/status deployments/status replicasets/status \
statefulsets/status
  get list watch | apiextensions.k8s.io | customresourcedefinitions customresourcedefinitions/status
  get list watch | apiregistration.k8s.io | apiservices apiservices/status
  get list watch | autoscaling | horizontalpodautoscalers/status
  get list watch | batch | cronjobs/status jobs/status
  get list watch | coordination.k8s.io | leases
  get list watch | events.k8s.io | events
  get list watch | networking.k8s.io | ingresses/status
  get list watch | node.k8s.io | runtimeclasses
  get list watch | policy | poddisruptionbudgets/status
  get list watch | rbac.authorization.k8s.io | clusterrolebindings clusterroles rolebindings roles
  get list watch | storage.k8s.io | csidrivers csinodes storageclasses volumeattachments volumeattachments/status
  get list watch | scheduling.k8s.io | priorityclasses
  get list watch | certificates.k8s.io | certificatesigningrequests certificatesigningrequests/approval \
certificatesigningrequests/status
  list watch | core project.openshift.io | projects
  get list watch | core project.openshift.io | projectrequests
  get list watch | security.openshift.io | securitycontextconstraints
  get list watch | security.openshift.io | rangeallocations
  get list watch | user.openshift.io | groups users
  create | core authorization.openshift.io | localresourceaccessreviews localsubjectaccessreviews \
resourceaccessreviews subjectaccessreviews
  create | authorization.k8s.io | localsubjectaccessreviews selfsubjectaccessreviews selfsubjectrulesreviews \
subjectaccessreviews
  create | authentication.k8s.io | tokenreviews
  create | security.openshift.io | podsecuritypolicyreviews podsecuritypolicyselfsubjectreviews \
podsecuritypolicysubjectreviews
  get | *
system:openshift:aggregate-to-edit > edit
  {_ALL} | apps.openshift.io | deploymentconfigs deploymentconfigs/scale
  create | apps.openshift.io | deploymentconfigrollbacks deploymentconfigs/instantiate deploymentconfigs/rollback
  get list watch | apps.openshift.io | deploymentconfigs/log deploymentconfigs/status
  get | core project.openshift.io | projects
  {_ALL} | networking.k8s.io | networkpolicies
system:openshift:aggregate-to-view > view
  get list watch | apps.openshift.io | deploymentconfigs deploymentconfigs/scale
  get list watch | apps.openshift.io | deploymentconfigs/log deploymentconfigs/status
  get | core project.openshift.io | projects
"""
_CONTROLLERS = """\
system:openshift:controller:deploymentconfig-controller
  create delete get list patch update watch | core | replicationcontrollers
  get update | core | replicationcontrollers/scale
  update | apps.openshift.io | deploymentconfigs/status
  update | apps.openshift.io | deploymentconfigs/finalizers
  get list watch | apps.openshift.io | deploymentconfigs
  create patch update | core | events
system:openshift:controller:deployer-controller
  create delete get list patch watch | core | pods
  delete | core | replicationcontrollers
  get list update watch | core | replicationcontrollers
  get update | core | replicationcontrollers/scale
  create patch update | core | events
system:openshift:controller:default-rolebindings-controller
  create | core | serviceaccounts
  create | rbac.authorization.k8s.io | rolebindings
  bind | rbac.authorization.k8s.io | clusterroles | system:deployer
"""
"""Each is bound to the service account of its name in openshift-infra."""
_INFRA, _CONTROLLER = "openshift-infra", "system:openshift:controller:"
_BINDINGS = {
    "basic-users": ("basic-user", "system:authenticated"),
    "cluster-readers": ("cluster-reader", "system:cluster-readers"),
    "cluster-status-binding": ("cluster-status", "system:authenticated"),
    "self-access-reviewers": ("self-access-reviewer", "system:authenticated"),
    "self-provisioners": ("self-provisioner", "system:authenticated:oauth"),
}
"""Bindings to groups: of which role, and to which group."""
_KUBERNETES_OWN = frozenset((("ClusterRole", "cluster-admin"), ("ClusterRoleBinding", "cluster-admin")))
_PART_OF = "rbac.authorization.k8s.io/aggregate-to-view"


def default_objects() -> list[JsonObject]:
    """ClusterRoles and ClusterRoleBindings, those that allow the use of the default SCCs among them."""
    found = [_role(name, labels, fields) for name, labels, fields in roles_of(_ROLES)]
    found += [_binding(name, role, _group(group)) for name, (role, group) in _BINDINGS.items()]
    for name, labels, fields in roles_of(_CONTROLLERS):
        found += [_role(name, labels, fields), _binding(name, name, _account(name.removeprefix(_CONTROLLER)))]
    for raw in default_rbac():
        metadata = raw["metadata"]
        name = str(metadata.get("name")) if isinstance(metadata, dict) else ""
        if (str(raw["kind"]), name) not in _KUBERNETES_OWN:
            found.append({**raw, "metadata": _metadata(name)})
    return found


def _role(name: str, labels: dict[str, Json], fields: JsonObject) -> JsonObject:
    metadata: JsonObject = {**_metadata(name), "labels": labels} if labels else _metadata(name)
    if name == "cluster-reader":
        parts: list[Json] = [{"matchLabels": {f"rbac.authorization.k8s.io/aggregate-to-{name}": "true"}}]
        parts.append({"matchLabels": {_PART_OF: "true"}})
        fields = {"rules": None, "aggregationRule": {"clusterRoleSelectors": parts}}
    return {"apiVersion": f"{GROUP}/v1", "kind": "ClusterRole", "metadata": metadata, **fields}


def _group(name: str) -> JsonObject:
    return {"apiGroup": GROUP, "kind": "Group", "name": name}


def _account(name: str) -> JsonObject:
    return {"kind": "ServiceAccount", "name": name, "namespace": _INFRA}


def _binding(name: str, role: str, subject: JsonObject) -> JsonObject:
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": _metadata(name),
        "roleRef": {"apiGroup": GROUP, "kind": "ClusterRole", "name": role},
        "subjects": [subject],
    }


def _metadata(name: str) -> JsonObject:
    return {"name": name, "annotations": {AUTO_UPDATE: "true"}}
