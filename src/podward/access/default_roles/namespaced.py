"""The Roles of kube-system and kube-public, and who is bound to which default role.

Source: Kubernetes, plugin/pkg/auth/authorizer/rbac/bootstrappolicy/namespace_policy.go and policy.go, with the feature
gates that are on by default. The service account `leader-election-controller` and the binding of
`system:openshift:public-info-viewer` are what an API server built by OpenShift adds.
"""

from __future__ import annotations

ROLES = {
    "kube-public": """\
system:controller:bootstrap-signer
  get list watch | core | configmaps
  update | core | configmaps | cluster-info
  create patch update | core events.k8s.io | events
""",
    "kube-system": """\
extension-apiserver-authentication-reader
  get list watch | core | configmaps | extension-apiserver-authentication
system::leader-locking-kube-controller-manager
  create get list update watch | coordination.k8s.io | leases
  create get list update watch | coordination.k8s.io | leasecandidates
system::leader-locking-kube-scheduler
  create get list update watch | coordination.k8s.io | leases
  create get list update watch | coordination.k8s.io | leasecandidates
system:controller:bootstrap-signer
  get list watch | core | secrets
system:controller:cloud-provider
  create get list watch | core | configmaps
system:controller:token-cleaner
  delete get list watch | core | secrets
  create patch update | core events.k8s.io | events
""",
}
"""By namespace, in the form of `podward.access.default_roles.table`."""

CLUSTER_BINDINGS = {
    "cluster-admin": "Group system:masters",
    "system:basic-user": "Group system:authenticated",
    "system:discovery": "Group system:authenticated",
    "system:kube-controller-manager": "User system:kube-controller-manager",
    "system:kube-dns": "ServiceAccount kube-dns",
    "system:kube-scheduler": "User system:kube-scheduler",
    "system:monitoring": "Group system:monitoring",
    "system:node": "",
    "system:node-proxier": "User system:kube-proxy",
    "system:openshift:public-info-viewer": "Group system:authenticated, Group system:unauthenticated",
    "system:public-info-viewer": "Group system:authenticated, Group system:unauthenticated",
    "system:service-account-issuer-discovery": "Group system:serviceaccounts",
    "system:volume-scheduler": "User system:kube-scheduler",
}
"""The subjects of the ClusterRoleBinding to the ClusterRole of its name; service accounts are kube-system's."""

BINDINGS = {
    "kube-public": {
        "system:controller:bootstrap-signer": "ServiceAccount bootstrap-signer",
    },
    "kube-system": {
        "system::extension-apiserver-authentication-reader": (
            "User system:kube-controller-manager, User system:kube-scheduler"
        ),
        "system::leader-locking-kube-controller-manager": (
            "User system:kube-controller-manager, ServiceAccount kube-controller-manager, "
            "ServiceAccount leader-election-controller"
        ),
        "system::leader-locking-kube-scheduler": "User system:kube-scheduler, ServiceAccount kube-scheduler",
        "system:controller:bootstrap-signer": "ServiceAccount bootstrap-signer",
        "system:controller:cloud-provider": "ServiceAccount cloud-provider",
        "system:controller:token-cleaner": "ServiceAccount token-cleaner",
    },
}
"""The same for RoleBindings to Roles, by namespace."""

ROLE_OF_BINDING = {
    "system::extension-apiserver-authentication-reader": "extension-apiserver-authentication-reader",
}
"""The role of the binding that is not named after it."""
