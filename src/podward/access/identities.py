"""Who asks where no authenticator is asked: users as impersonation makes them, and the controllers of workloads.

Specification: Kubernetes, pkg/endpoints/filters/impersonation: whoever is impersonated is authenticated, except
`system:anonymous`, and a service account for whom no groups are named is in those of service accounts.
kube-controller-manager runs each controller under a service account of kube-system
(`--use-service-account-credentials`), OpenShift's the same.
"""

from __future__ import annotations

from podward.access.service_account_names import split_username
from podward.api.caller import ANONYMOUS, AUTHENTICATED, UNAUTHENTICATED, User, account_groups, account_username

SOMEBODY = User("somebody", ("system:authenticated:oauth", AUTHENTICATED))
"""Any user of the cluster, without rights of its own."""
_CONTROLLERS = {
    "Deployment": "replicaset-controller",
    "ReplicaSet": "replicaset-controller",
    "StatefulSet": "statefulset-controller",
    "DaemonSet": "daemon-set-controller",
    "Job": "job-controller",
    "CronJob": "job-controller",
    "ReplicationController": "replication-controller",
    "DeploymentConfig": "replication-controller",
    "Rollout": "replicaset-controller",
}
"""The service account that creates the Pods of each kind of workload."""


def impersonated(name: str, groups: tuple[str, ...] = ()) -> User:
    """The user of this name, in these groups and in those that impersonation adds."""
    account = split_username(name)
    made = groups if account is None or groups else account_groups(account[0])
    added = UNAUTHENTICATED if name == ANONYMOUS else AUTHENTICATED
    if added not in made and (added == UNAUTHENTICATED or UNAUTHENTICATED not in made):
        made = (*made, added)
    return User(name, made)


def creator_of_pods(kind: str, otherwise: User | None = None) -> User:
    """Who creates the Pods of a kind of workload: its controller; `otherwise`, or somebody, where it has none."""
    controller = _CONTROLLERS.get(kind)
    if controller is not None:
        return impersonated(account_username("kube-system", controller))
    return otherwise or SOMEBODY
