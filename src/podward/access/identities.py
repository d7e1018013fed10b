"""Who asks where no authenticator is asked: users as impersonation makes them, and the controllers of workloads.

Specification: Kubernetes, pkg/endpoints/filters/impersonation: whoever is impersonated is authenticated, except
`system:anonymous`, and a service account is in the groups of service accounts. kube-controller-manager runs each
controller under a service account of kube-system (`--use-service-account-credentials`), OpenShift's the same.
"""

from __future__ import annotations

from podward.api.caller import User

_AUTHENTICATED = "system:authenticated"
_ANONYMOUS = "system:anonymous"
_ACCOUNT_PREFIX, _ACCOUNT_PARTS = "system:serviceaccount:", 4
SOMEBODY = User("somebody", ("system:authenticated:oauth", _AUTHENTICATED))
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
    if name.startswith(_ACCOUNT_PREFIX) and len(parts) == _ACCOUNT_PARTS:
        own = ("system:serviceaccounts", f"system:serviceaccounts:{parts[2]}")
        made += [group for group in own if group not in made]
    if name != _ANONYMOUS and _AUTHENTICATED not in made:
        made.append(_AUTHENTICATED)
    return User(name, tuple(made))


def creator_of_pods(kind: str, otherwise: User | None = None) -> User:
    """Who creates the Pods of a kind of workload: its controller; `otherwise`, or somebody, where it has none."""
    controller = _CONTROLLERS.get(kind)
    if controller is not None:
        return impersonated(f"{_ACCOUNT_PREFIX}kube-system:{controller}")
    return otherwise or SOMEBODY
