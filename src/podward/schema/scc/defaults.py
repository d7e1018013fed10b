"""What OpenShift fills in when an SCC is written.

Specification: OpenShift's defaulting of security.openshift.io/v1 SecurityContextConstraints (openshift/kubernetes,
customresourcevalidation/securitycontextconstraints/defaults.go), which takes effect on create and on update:
- fsGroup and supplementalGroups without a type are RunAsAny; users and groups are empty lists, not null;
- an SCC that says nothing about privilege escalation allows it, as all did before the field was there;
- `allowHostDirVolumePlugin` and `volumes` are made to agree, and the flag wins. No list stands for `*`, an empty one
  for `none`. With the flag, hostPath is added unless `*` is there. Without it, hostPath goes, and `*` becomes every
  type but hostPath. The list is sorted and without duplicates afterwards;
- the flags that Go's type always has are false where they are absent, and the strategies empty objects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.decision import Decision, Origin, Source, Value, assign, merge
from podward.documents.patching import applied
from podward.documents.raw_fields import member
from podward.path import Path, path

if TYPE_CHECKING:
    from podward.api.json_value import Json, JsonObject

SOURCE = Source(Origin.DEFAULT, "OpenShift SCC defaulting")
"""Who decides what `decide_defaults` sets."""

VOLUME_TYPES = (
    "awsElasticBlockStore", "azureDisk", "azureFile", "cephFS", "cinder", "configMap", "csi", "downwardAPI",
    "emptyDir", "ephemeral", "fc", "flexVolume", "flocker", "gcePersistentDisk", "gitRepo", "glusterfs", "hostPath",
    "image", "iscsi", "nfs", "persistentVolumeClaim", "photonPersistentDisk", "portworxVolume", "projected", "quobyte",
    "rbd", "scaleIO", "secret", "storageOS", "vsphere",
)  # fmt: skip
"""The types of volumes that `volumes` may name, beside `*` and `none`, sorted."""
EVERY_VOLUME, NO_VOLUME, HOST_PATH = "*", "none", "hostPath"
"""Words of `volumes`: all types, no type, and the type that `allowHostDirVolumePlugin` speaks of."""

_FLAGS = (
    "allowPrivilegedContainer", "allowHostDirVolumePlugin", "allowHostNetwork", "allowHostPorts", "allowHostPID",
    "allowHostIPC", "readOnlyRootFilesystem",
)  # fmt: skip
_STRATEGIES = ("seLinuxContext", "runAsUser")
_ROOT = Path()


def decide_defaults(raw: JsonObject) -> Decision:
    """What is set on the SCC `raw`; its fields must have the right types."""
    made = [assign(_ROOT / flag, False, "unset: false", SOURCE) for flag in _FLAGS if raw.get(flag) is None]
    made += [assign(_ROOT / name, {}, "unset: no strategy", SOURCE) for name in _STRATEGIES if raw.get(name) is None]
    made += [
        assign(path(name, "type"), "RunAsAny", "unset: any group is allowed", SOURCE)
        for name in ("fsGroup", "supplementalGroups")
        if not member(raw, name).get("type")
    ]
    made += [assign(_ROOT / name, [], "unset: nobody", SOURCE) for name in ("users", "groups") if raw.get(name) is None]
    made.append(_volumes(raw))
    if raw.get("allowPrivilegeEscalation") is None:
        reason = "unset: as permissive as before this field was there"
        made.append(assign(_ROOT / "allowPrivilegeEscalation", True, reason, SOURCE))
    return merge(*made)


def defaulted(raw: JsonObject) -> JsonObject:
    """The SCC as OpenShift stores it; `raw` stays as it is."""
    return applied(raw, decide_defaults(raw))


def _volumes(raw: JsonObject) -> Decision:
    host_path = raw.get("allowHostDirVolumePlugin") is True
    written = raw.get("volumes")
    allowed, reason = _written(written, host_path=host_path)
    if host_path:
        if EVERY_VOLUME not in allowed and HOST_PATH not in allowed:
            allowed.add(HOST_PATH)
            reason = "allowHostDirVolumePlugin is true: hostPath is allowed"
    elif EVERY_VOLUME in allowed:
        allowed = allowed.union(VOLUME_TYPES) - {EVERY_VOLUME, HOST_PATH}
        reason = "allowHostDirVolumePlugin is false: every type but hostPath"
    elif HOST_PATH in allowed:
        allowed.remove(HOST_PATH)
        reason = "allowHostDirVolumePlugin is false: hostPath is not allowed"
    value: list[Value] = list(sorted(allowed))  # noqa: C413  # sorted() would be list[str], which is no list[Value]
    return Decision() if value == written else assign(_ROOT / "volumes", value, reason, SOURCE)


def _written(volumes: Json, *, host_path: bool) -> tuple[set[str], str]:
    """What the list stands for before it is made to agree with the flag, and why."""
    if not isinstance(volumes, list):
        return {EVERY_VOLUME}, "unset: every type, as before this field was there"
    if not volumes:
        return {HOST_PATH if host_path else NO_VOLUME}, "an empty list allows no type"
    return {item if isinstance(item, str) else "" for item in volumes}, "sorted, each type once"
