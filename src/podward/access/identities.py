"""Who asks where no authenticator is asked: users as impersonation makes them, and the controllers of workloads.

Specification: Kubernetes, pkg/endpoints/filters/impersonation: whoever is impersonated is authenticated, except
`system:anonymous`, and a service account is in the groups of service accounts. kube-controller-manager runs each
controller under a service account of kube-system (`--use-service-account-credentials`), OpenShift's the same.
"""

from __future__ import annotations

from podward.api.caller import ACCOUNT_PREFIX, ANONYMOUS, AUTHENTICATED, User, account_groups, account_username

_ACCOUNT_PARTS = 4
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
    made = list(groups)
    parts = name.split(":")
    if name.startswith(ACCOUNT_PREFIX) and len(parts) == _ACCOUNT_PARTS:
        made += [group for group in account_groups(parts[2]) if group not in made]
    if name != ANONYMOUS and AUTHENTICATED not in made:
        made.append(AUTHENTICATED)
    return User(name, tuple(made))


def creator_of_pods(kind: str, otherwise: User | None = None) -> User:
    """Who creates the Pods of a kind of workload: its controller; `otherwise`, or somebody, where it has none."""
    controller = _CONTROLLERS.get(kind)
    if controller is not None:
        return impersonated(account_username("kube-system", controller))
    return otherwise or SOMEBODY
