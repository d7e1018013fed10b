"""OpenShift's default SCCs, and the RBAC objects that allow their use.

Specification: openshift/cluster-kube-apiserver-operator, bindata/bootkube/scc-manifests, for the SCCs,
their ClusterRoles `system:openshift:scc:<name>`, and the bindings that let every authenticated user use restricted-v2
and restricted-v3; OpenShift's bootstrap policy for the bindings of cluster-admin, which allows everything.
Descriptions are in our own words. restricted-v3's `runAsGroup` is left out: it is newer than the version of SCC
admission that Podward implements.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.api.json_value import copied_object

if TYPE_CHECKING:
    from podward.api.json_value import Json, JsonObject

SCCS_NAME = "OpenShift's default SCCs"
RBAC_NAME = "OpenShift's default RBAC"
"""The names of the two tables, used where other objects have the name of their file."""

_RBAC = "rbac.authorization.k8s.io"
_VOLUMES: list[Json] = [
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim", "projected", "secret",
]  # fmt: skip
_WITH_HOST_PATH: list[Json] = sorted((*map(str, _VOLUMES), "hostPath"))  # type: ignore[assignment]  # strings are JSON
_WITH_NFS: list[Json] = sorted((*map(str, _WITH_HOST_PATH), "nfs"))  # type: ignore[assignment]  # strings are JSON
_BASE: JsonObject = {
    "allowHostDirVolumePlugin": False,
    "allowHostIPC": False,
    "allowHostNetwork": False,
    "allowHostPID": False,
    "allowHostPorts": False,
    "allowPrivilegeEscalation": True,
    "allowPrivilegedContainer": False,
    "allowedCapabilities": None,
    "defaultAddCapabilities": None,
    "fsGroup": {"type": "RunAsAny"},
    "groups": [],
    "priority": None,
    "readOnlyRootFilesystem": False,
    "requiredDropCapabilities": ["KILL", "MKNOD", "SETUID", "SETGID"],
    "runAsUser": {"type": "MustRunAsRange"},
    "seLinuxContext": {"type": "MustRunAs"},
    "supplementalGroups": {"type": "RunAsAny"},
    "users": [],
    "volumes": _VOLUMES,
}
_V2: JsonObject = {
    "allowPrivilegeEscalation": False,
    "allowedCapabilities": ["NET_BIND_SERVICE"],
    "requiredDropCapabilities": ["ALL"],
    "seccompProfiles": ["runtime/default"],
}
"""The fields in which all SCCs of the second generation differ from the first."""
_MUST: JsonObject = {"type": "MustRunAs"}
_USERNS_GROUPS: JsonObject = {"type": "MustRunAs", "ranges": [{"min": 1000, "max": 65534}]}

_CHANGES: dict[str, tuple[str, JsonObject]] = {
    "anyuid": (
        "any user and any group, root too; otherwise as restricted",
        {
            "groups": ["system:cluster-admins"],
            "priority": 10,
            "requiredDropCapabilities": ["MKNOD"],
            "runAsUser": {"type": "RunAsAny"},
        },
    ),
    "restricted-v2": (
        "for every authenticated user: the namespace's user, groups and level, no capability but NET_BIND_SERVICE",
        {**_V2, "fsGroup": _MUST},
    ),
    "restricted-v3": (
        "restricted-v2 in a user namespace, with any user from 1000 to 65534 inside it",
        {
            **_V2,
            "fsGroup": _USERNS_GROUPS,
            "runAsUser": {"type": "MustRunAsRange", "uidRangeMin": 1000, "uidRangeMax": 65534},
            "supplementalGroups": _USERNS_GROUPS,
            "userNamespaceLevel": "RequirePodLevel",
        },
    ),
    "restricted": (
        "the namespace's user, groups and SELinux level; nothing of the host; the first generation's default",
        {"fsGroup": _MUST},
    ),
    "nonroot-v2": (
        "restricted-v2 with any user but root, who must be known from the Pod or from the image",
        {**_V2, "runAsUser": {"type": "MustRunAsNonRoot"}},
    ),
    "nonroot": (
        "restricted with any user but root, who must be known from the Pod or from the image",
        {"runAsUser": {"type": "MustRunAsNonRoot"}},
    ),
    "hostmount-anyuid": (
        "any user, and the host's files: for the recycler of persistent volumes",
        {
            "allowHostDirVolumePlugin": True,
            "requiredDropCapabilities": ["MKNOD"],
            "runAsUser": {"type": "RunAsAny"},
            "users": ["system:serviceaccount:openshift-infra:pv-recycler-controller"],
            "volumes": _WITH_NFS,
        },
    ),
    "hostnetwork-v2": (
        "restricted-v2 on the host's network and its ports",
        {
            **_V2,
            "allowHostNetwork": True,
            "allowHostPorts": True,
            "fsGroup": _MUST,
            "supplementalGroups": _MUST,
        },
    ),
    "hostnetwork": (
        "restricted on the host's network and its ports",
        {"allowHostNetwork": True, "allowHostPorts": True, "fsGroup": _MUST, "supplementalGroups": _MUST},
    ),
    "hostaccess": (
        "the host's files, network, processes and IPC, as the namespace's user: only for those who are trusted",
        {
            "allowHostDirVolumePlugin": True,
            "allowHostIPC": True,
            "allowHostNetwork": True,
            "allowHostPID": True,
            "allowHostPorts": True,
            "fsGroup": _MUST,
            "volumes": _WITH_HOST_PATH,
        },
    ),
    "privileged": (
        "everything: for the cluster's own administration",
        {
            "allowHostDirVolumePlugin": True,
            "allowHostIPC": True,
            "allowHostNetwork": True,
            "allowHostPID": True,
            "allowHostPorts": True,
            "allowPrivilegedContainer": True,
            "allowedCapabilities": ["*"],
            "allowedUnsafeSysctls": ["*"],
            "groups": ["system:cluster-admins", "system:nodes", "system:masters"],
            "requiredDropCapabilities": None,
            "runAsUser": {"type": "RunAsAny"},
            "seLinuxContext": {"type": "RunAsAny"},
            "seccompProfiles": ["*"],
            "users": ["system:admin", "system:serviceaccount:openshift-infra:build-controller"],
            "volumes": ["*"],
        },
    ),
}

NAMES = tuple(_CHANGES)
"""The names of the default SCCs, in the order in which they are tried."""
USED_BY_ALL = ("restricted-v2", "restricted-v3")
"""The SCCs that every authenticated user may use."""


def default_sccs() -> tuple[JsonObject, ...]:
    """The default SCCs as OpenShift stores them; fresh copies."""
    return tuple(_scc(name) for name in NAMES)


def default_rbac() -> tuple[JsonObject, ...]:
    """The ClusterRoles and ClusterRoleBindings that allow the use of the default SCCs; fresh objects."""
    roles = [_role(f"system:openshift:scc:{name}", _use(name)) for name in NAMES]
    bindings = [
        _binding(
            f"system:openshift:scc:{name}", f"system:openshift:scc:{name}", _subject("Group", "system:authenticated")
        )
        for name in USED_BY_ALL
    ]
    everything: JsonObject = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}
    every_url: JsonObject = {"nonResourceURLs": ["*"], "verbs": ["*"]}
    admins = [
        _role("cluster-admin", everything, every_url),
        _binding("cluster-admin", "cluster-admin", _subject("Group", "system:masters")),
        _binding(
            "cluster-admins",
            "cluster-admin",
            _subject("Group", "system:cluster-admins"),
            _subject("User", "system:admin"),
        ),
    ]
    return (*roles, *bindings, *admins)


def _scc(name: str) -> JsonObject:
    description, changes = _CHANGES[name]
    return {
        "apiVersion": "security.openshift.io/v1",
        "kind": "SecurityContextConstraints",
        "metadata": {"name": name, "annotations": {"kubernetes.io/description": description}},
        **copied_object({**_BASE, **changes}),
    }


def _use(name: str) -> JsonObject:
    return {
        "apiGroups": ["security.openshift.io"],
        "resources": ["securitycontextconstraints"],
        "resourceNames": [name],
        "verbs": ["use"],
    }


def _role(name: str, *rules: JsonObject) -> JsonObject:
    return {"apiVersion": f"{_RBAC}/v1", "kind": "ClusterRole", "metadata": {"name": name}, "rules": list(rules)}


def _binding(name: str, role: str, *subjects: JsonObject) -> JsonObject:
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": role},
        "subjects": list(subjects),
    }


def _subject(kind: str, name: str) -> JsonObject:
    return {"apiGroup": _RBAC, "kind": kind, "name": name}
