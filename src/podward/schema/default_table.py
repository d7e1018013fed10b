"""What is set where a field is not, by the type of its object.

Specification: Kubernetes, pkg/apis/core/v1 defaults. A field is unset where it is absent or null, and a text where it
is empty too; of a probe, whose numbers are no pointers in Go, 0 as well. Files of Secrets, ConfigMaps, the downward API
and projections have mode 0644; a projected token lives an hour; network and cloud volumes have the settings of their
drivers. A type with a second part after a slash has defaults of its own where it stands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from podward.schema import resource_defaults
from podward.schema.filling import At, Default, Derived, Fills, Into, Row, Told
from podward.schema.pull_policy import default_pull_policy
from podward.schema.table import TYPES

if TYPE_CHECKING:
    from podward.api.json_value import Json, JsonObject

MODE = 0o644
"""Of files that are made from Secrets, ConfigMaps, and the Pod's own fields."""
_QUOTED = "unset: {!r} is the default"


def _node_ports(container: JsonObject, at: At, told: Told | None) -> JsonObject:
    """In the node's network each port of a container is one of the node's."""
    ports = container.get("ports")
    if not isinstance(ports, list):
        return container
    made: list[Json] = []
    for index, port in enumerate(ports):
        number = port.get("containerPort") if isinstance(port, dict) else None
        if number and isinstance(port, dict) and port.get("hostPort") in _ZERO:
            if told is not None:
                told.note(((at, "ports"), index), "hostPort", number, "hostNetwork: the containerPort")
            port = {**port, "hostPort": number}  # noqa: PLW2901
        made.append(port)
    return container if made == ports else {**container, "ports": made}


def _empty_directory(volume: JsonObject, at: At, told: Told | None) -> JsonObject:
    """A volume without a source is an empty directory."""
    for name, value in volume.items():
        if value is not None and name in _SOURCES:
            return volume
    if told is not None:
        told.note(at, "emptyDir", {}, "no source: an empty directory")
    return {**volume, "emptyDir": {}}


def _claim(template: JsonObject, at: At, told: Told | None) -> JsonObject:
    """What an ephemeral volume's claim is of, in a spec that need not be there."""
    spec = template.get("spec")
    if isinstance(spec, dict) and spec.get("volumeMode") is not None:
        return template
    if told is not None:
        told.note((at, "spec"), "volumeMode", "Filesystem", _QUOTED.format("Filesystem"))
    return {**template, "spec": {**(spec if isinstance(spec, dict) else {}), "volumeMode": "Filesystem"}}


def _containers(of: str) -> tuple[Row, ...]:
    return (Into("initContainers", of), Into("containers", of), Into("ephemeralContainers"))


_ZERO: tuple[Json, ...] = (None, 0)
_SOURCES = frozenset(TYPES["Volume"]) - {"name"}
_POD: tuple[Row, ...] = (
    Default("dnsPolicy", "ClusterFirst"),
    Default("restartPolicy", "Always"),
    Default("terminationGracePeriodSeconds", 30),
    Default("schedulerName", "default-scheduler"),
    Default("enableServiceLinks", True),
    Default("securityContext", lambda _: {}, "unset: an empty one", (None,)),
)
_CONTAINER: tuple[Row, ...] = (
    Default(
        "imagePullPolicy",
        lambda container: default_pull_policy(container.get("image")),
        "unset: {} is the default for this image's tag",
    ),
    Default("terminationMessagePath", "/dev/termination-log"),
    Default("terminationMessagePolicy", "File"),
    Default("resources", lambda _: {}, "unset: no limits", (None,)),
    Into("ports"),
    Into("env"),
    Into("livenessProbe"),
    Into("readinessProbe"),
    Into("startupProbe"),
    Into("lifecycle"),
)
_ROUNDED = Derived(resource_defaults.rounded)
_OWN: tuple[Row, ...] = (_ROUNDED, Derived(resource_defaults.rounded_overhead))
_FILES: tuple[Row, ...] = (Default("defaultMode", MODE, _QUOTED),)

DEFAULTS: Mapping[str, Sequence[Row]] = {
    "PodSpec": (*_POD, *_containers("Container"), Into("volumes"), *_OWN),
    "PodSpec/on the node's network": (
        *_POD,
        *_containers("Container/on the node's network"),
        Into("volumes"),
        *_OWN,
    ),
    "Container": (*_CONTAINER, _ROUNDED, Derived(resource_defaults.requests)),
    "Container/on the node's network": (
        *_CONTAINER,
        _ROUNDED,
        Derived(resource_defaults.requests),
        Derived(_node_ports),
    ),
    "EphemeralContainer": (*_CONTAINER, _ROUNDED),
    "ContainerPort": (Default("protocol", "TCP"),),
    "EnvVar": (Into("valueFrom"),),
    "EnvVarSource": (Into("fieldRef"), Into("fileKeyRef")),
    "FileKeySelector": (Default("optional", False, "unset: the file must have the key", (None,)),),
    "ObjectFieldSelector": (Default("apiVersion", "v1"),),
    "ObjectFieldSelector/of a file": (Default("apiVersion", "v1", _QUOTED),),
    "Probe": (
        Default("timeoutSeconds", 1, unset=_ZERO),
        Default("periodSeconds", 10, unset=_ZERO),
        Default("successThreshold", 1, unset=_ZERO),
        Default("failureThreshold", 3, unset=_ZERO),
        Into("httpGet"),
        Into("grpc"),
    ),
    "Lifecycle": (Into("postStart"), Into("preStop")),
    "LifecycleHandler": (Into("httpGet"),),
    "HTTPGetAction": (Default("path", "/"), Default("scheme", "HTTP")),
    "GRPCAction": (Default("service", "", "unset: no service", (None,)),),
    "Volume": (
        Derived(_empty_directory),
        *map(
            Into,
            ("secret", "configMap", "downwardAPI", "projected", "hostPath", "iscsi", "rbd", "azureDisk", "scaleIO"),
        ),
        Into("image"),
        Into("ephemeral"),
    ),
    "SecretVolumeSource": _FILES,
    "ConfigMapVolumeSource": _FILES,
    "DownwardAPIVolumeSource": (*_FILES, Into("items")),
    "DownwardAPIVolumeFile": (Into("fieldRef", "ObjectFieldSelector/of a file"),),
    "ProjectedVolumeSource": (*_FILES, Into("sources")),
    "VolumeProjection": (Into("serviceAccountToken"), Into("downwardAPI")),
    "ServiceAccountTokenProjection": (Default("expirationSeconds", 3600, _QUOTED),),
    "DownwardAPIProjection": (Into("items"),),
    "HostPathVolumeSource": (Default("type", "", _QUOTED, (None,)),),
    "ISCSIVolumeSource": (Default("iscsiInterface", "default", _QUOTED),),
    "RBDVolumeSource": (
        Default("pool", "rbd", _QUOTED),
        Default("user", "admin", _QUOTED),
        Default("keyring", "/etc/ceph/keyring", _QUOTED),
    ),
    "AzureDiskVolumeSource": (
        Default("cachingMode", "ReadWrite", _QUOTED, (None,)),
        Default("kind", "Shared", _QUOTED, (None,)),
        Default("fsType", "ext4", _QUOTED, (None,)),
        Default("readOnly", False, _QUOTED),
    ),
    "ScaleIOVolumeSource": (Default("storageMode", "ThinProvisioned", _QUOTED), Default("fsType", "xfs", _QUOTED)),
    "ImageVolumeSource": (Default("pullPolicy", lambda image: default_pull_policy(image.get("reference")), _QUOTED),),
    "EphemeralVolumeSource": (Into("volumeClaimTemplate"),),
    "PersistentVolumeClaimTemplate": (Derived(_claim), Into("spec")),
    "PersistentVolumeClaimSpec": (_ROUNDED,),
}
"""The defaults of each type, in the order in which they are told."""

_FILLS = Fills(DEFAULTS)


def with_defaults(spec: JsonObject, at: At, told: Told | None = None) -> JsonObject:
    """The PodSpec with its defaults."""
    shared = spec.get("hostNetwork") is True
    whole = spec if spec.get("resources") is None else resource_defaults.with_pod_resources(spec, at, told)
    return _FILLS["PodSpec/on the node's network" if shared else "PodSpec"](whole, at, told)
