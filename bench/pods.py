"""Pods as an API server hands them to admission: the same for the same seed, nothing taken from a real cluster.

All of them are valid: where one is refused, a policy refuses it; tests/test_bench.py holds that.
One to three containers with probes, resources, environment, ports and volumes; the token volume and the service
account that every Pod gets; labels and annotations of its Deployment. Most ask for nothing, some for what their own
service account is granted (root, a fixed uid), and about one in ten for what it may not have.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

NAMESPACE = "payments"
REFUSED_SHARE = 0.1
"""So many Pods ask for what they may not have."""
OWN_RIGHTS = {"legacy-root": "anyuid", "fixed-uid": "nonroot-v2"}
"""Which SCC a service account of the namespace may use beside those that everybody may use."""

Json = dict[str, Any]
Change = Callable[[Json], None]

_APPS = ("web", "api", "worker", "cache", "queue", "ledger", "search", "mailer", "gateway", "metrics")
_WORDS = ("LOG_LEVEL", "DATABASE_URL", "CACHE_HOST", "FEATURE_FLAGS", "REGION", "TIMEOUT", "WORKERS", "QUEUE_NAME")


class Asked:
    """A Pod and who asks for it."""

    __slots__ = ("groups", "pod", "user")

    def __init__(self, pod: bytes, user: str, groups: tuple[str, ...]) -> None:
        self.pod = pod
        self.user = user
        self.groups = groups


def pods(count: int, seed: int = 1) -> list[Asked]:
    """`count` requests to create a Pod."""
    chance = random.Random(seed)  # noqa: S311  # Pods, not secrets
    return [_asked(chance, number) for number in range(count)]


def _asked(chance: random.Random, number: int) -> Asked:
    account, want = "default", None
    draw = chance.random()
    if draw < REFUSED_SHARE:
        want = chance.choice(_TOO_MUCH)
    elif draw < REFUSED_SHARE + 0.08:
        account = "legacy-root"
    elif draw < REFUSED_SHARE + 0.16:
        account, want = "fixed-uid", _FIXED_UID
    elif draw < 0.5:
        want = _CAREFUL
    pod = _pod(chance, number, account)
    if want is not None:
        want(pod["spec"])
    groups: tuple[str, ...] = ("system:authenticated:oauth", "system:authenticated")
    user = f"developer-{chance.randrange(40)}"
    if chance.random() < 0.8:
        user = "system:serviceaccount:kube-system:replicaset-controller"
        groups = ("system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated")
    return Asked(json.dumps(pod, separators=(",", ":")).encode(), user, groups)


def _pod(chance: random.Random, number: int, account: str) -> Json:
    app = chance.choice(_APPS)
    volumes, mounts = _volumes(chance, app)
    spec: Json = {
        "volumes": volumes,
        "containers": [_served(chance, app, place, mounts) for place in range(chance.randint(1, 3))],
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 30,
        "dnsPolicy": "ClusterFirst",
        "serviceAccountName": account,
        "serviceAccount": account,
        "securityContext": {},
        "schedulerName": "default-scheduler",
        "enableServiceLinks": True,
        "preemptionPolicy": "PreemptLowerPriority",
        "tolerations": [_toleration("not-ready"), _toleration("unreachable")],
    }
    if chance.random() < 0.25:
        spec["initContainers"] = [_container(chance, f"{app}-init", 0, mounts)]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "generateName": f"{app}-{number:08x}-",
            "namespace": NAMESPACE,
            "labels": {"app": app, "pod-template-hash": f"{number:08x}", "app.kubernetes.io/part-of": "shop"},
            "annotations": {"example.com/config-checksum": f"{number:064x}"},
            "ownerReferences": [
                {
                    "apiVersion": "apps/v1",
                    "kind": "ReplicaSet",
                    "name": f"{app}-{number:08x}",
                    "uid": f"00000000-0000-4000-8000-{number:012x}",
                    "controller": True,
                    "blockOwnerDeletion": True,
                }
            ],
        },
        "spec": spec,
    }


def _container(chance: random.Random, app: str, place: int, mounts: list[Json]) -> Json:
    return {
        "name": app if not place else f"{app}-sidecar{place}",
        "image": f"registry.example.com/shop/{app}:{chance.randint(1, 40)}.{chance.randint(0, 9)}",
        "env": [
            {"name": word, "value": f"{word.lower()}-{chance.randint(0, 999)}"}
            for word in _WORDS[: chance.randint(0, len(_WORDS))]
        ],
        "ports": [{"name": f"http{place}", "containerPort": 8080 + place, "protocol": "TCP"}],
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
        "volumeMounts": mounts,
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "imagePullPolicy": "IfNotPresent",
    }


def _served(chance: random.Random, app: str, place: int, mounts: list[Json]) -> Json:
    """A container with probes, which an init container may not have."""
    container = _container(chance, app, place, mounts)
    for name in ("livenessProbe", "readinessProbe"):
        if chance.random() < 0.6:
            container[name] = {
                "httpGet": {"path": "/healthz", "port": container["ports"][0]["containerPort"], "scheme": "HTTP"},
                "initialDelaySeconds": 5, "timeoutSeconds": 1, "periodSeconds": 10,
                "successThreshold": 1, "failureThreshold": 3,
            }  # fmt: skip
    return container


def _volumes(chance: random.Random, app: str) -> tuple[list[Json], list[Json]]:
    token = {
        "name": "kube-api-access-x7k2p",
        "projected": {
            "defaultMode": 420,
            "sources": [
                {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
                {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
                {
                    "downwardAPI": {
                        "items": [
                            {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
                        ]
                    }
                },
            ],
        },
    }
    mounted = "/var/run/secrets/kubernetes.io/serviceaccount"
    volumes: list[Json] = [token]
    mounts: list[Json] = [{"name": token["name"], "readOnly": True, "mountPath": mounted}]
    kinds: list[Json] = [
        {"name": "tmp", "emptyDir": {}},
        {"name": "config", "configMap": {"name": f"{app}-config", "defaultMode": 420}},
        {"name": "credentials", "secret": {"secretName": f"{app}-credentials", "defaultMode": 420}},
        {"name": "data", "persistentVolumeClaim": {"claimName": f"{app}-data"}},
    ]
    for volume in chance.sample(kinds, chance.randint(0, 3)):
        volumes.append(volume)
        mounts.append({"name": volume["name"], "mountPath": f"/mnt/{volume['name']}"})
    return volumes, mounts


def _toleration(state: str) -> Json:
    key = f"node.kubernetes.io/{state}"
    return {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}


def _in_first_container(context: Json) -> Change:
    def change(spec: Json) -> None:
        spec["containers"][0]["securityContext"] = context

    return change


def _in_spec(name: str, value: object) -> Change:
    def change(spec: Json) -> None:
        spec[name] = value

    return change


def _with_host_path(spec: Json) -> None:
    spec["volumes"].append({"name": "host", "hostPath": {"path": "/var/log"}})
    first = spec["containers"][0]
    first["volumeMounts"] = [*first["volumeMounts"], {"name": "host", "mountPath": "/host/log"}]


_CAREFUL = _in_first_container(
    {
        "allowPrivilegeEscalation": False,
        "runAsNonRoot": True,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
)
"""What the restricted Pod Security Standard asks of a Pod."""
_FIXED_UID = _in_first_container({"runAsUser": 1001})
_TOO_MUCH = (
    _in_first_container({"privileged": True}),
    _in_first_container({"runAsUser": 0}),
    _in_spec("hostNetwork", value=True),
    _with_host_path,
)
