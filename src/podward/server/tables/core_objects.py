"""The rows of the core group's kinds that make no Pods, and of what belongs to them.

Specification: Kubernetes, pkg/printers/internalversion.
"""

from __future__ import annotations

from podward.api.json_value import Json, JsonObject
from podward.api.resource import GroupVersion
from podward.documents.raw_fields import member
from podward.schema.versions import in_version
from podward.server.tables.columns import AGE, NAME, Column, Printer, wide
from podward.server.tables.pods import POD
from podward.server.tables.texts import (
    NONE,
    UNKNOWN,
    UNSET,
    age_of,
    cut,
    labels,
    name_of,
    number_of,
    objects_of,
    since,
    text_of,
    texts_of,
)

_MODES = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}
_OLD_CLASS = "volume.beta.kubernetes.io/storage-class"
_ROLE, _OLD_ROLE = "node-role.kubernetes.io/", "kubernetes.io/role"
_MOST_ENDPOINTS = 3


def _service(raw: JsonObject, now: float) -> list[Json]:
    spec = member(raw, "spec")
    addresses, ports = texts_of(spec, "clusterIPs"), [_port(each) for each in objects_of(spec, "ports")]
    return [
        name_of(raw), text_of(spec, "type"), addresses[0] if addresses else NONE, _external(raw),
        ",".join(ports) or NONE, age_of(raw, now), labels(spec.get("selector")),
    ]  # fmt: skip


def _port(port: JsonObject) -> str:
    number, node, protocol = number_of(port, "port"), number_of(port, "nodePort"), text_of(port, "protocol")
    return f"{number}:{node}/{protocol}" if node else f"{number}/{protocol}"


def _external(raw: JsonObject) -> str:
    spec = member(raw, "spec")
    own = texts_of(spec, "externalIPs")
    match text_of(spec, "type"):
        case "ClusterIP" | "NodePort":
            return ",".join(own) or NONE
        case "LoadBalancer":
            return ",".join([*balancers(member(raw, "status")), *own]) or "<pending>"
        case "ExternalName":
            return text_of(spec, "externalName")
        case _:
            return UNKNOWN


def balancers(status: JsonObject) -> list[str]:
    """The addresses of a load balancer."""
    listed = objects_of(member(status, "loadBalancer"), "ingress")
    return sorted({text_of(each, "ip") or text_of(each, "hostname") for each in listed} - {""})


def _endpoints(raw: JsonObject, now: float) -> list[Json]:
    found = []
    for subset in objects_of(raw, "subsets"):
        addresses = [text_of(each, "ip") for each in objects_of(subset, "addresses")]
        ports = [number_of(each, "port") for each in objects_of(subset, "ports")]
        found += [_joined(address, port) for port in ports for address in addresses] if ports else addresses
    shown = cut(found, _MOST_ENDPOINTS, len(found), "" if raw.get("subsets") else NONE)
    return [name_of(raw), shown, age_of(raw, now)]


def _joined(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _node(raw: JsonObject, now: float) -> list[Json]:
    status = member(raw, "status")
    info = member(status, "nodeInfo")
    ready = [each for each in objects_of(status, "conditions") if each.get("type") == "Ready"]
    said = ["Ready" if ready[-1].get("status") == "True" else "NotReady"] if ready else ["Unknown"]
    if member(raw, "spec").get("unschedulable") is True:
        said.append("SchedulingDisabled")
    kernel, machine = text_of(info, "kernelVersion", UNKNOWN), text_of(info, "architecture")
    return [
        name_of(raw), ",".join(said), _roles(raw), age_of(raw, now), text_of(info, "kubeletVersion"),
        _address(status, "InternalIP"), _address(status, "ExternalIP"), text_of(info, "osImage", UNKNOWN),
        f"{kernel} ({machine})" if machine else kernel, text_of(info, "containerRuntimeVersion", UNKNOWN),
    ]  # fmt: skip


def _roles(raw: JsonObject) -> str:
    found = set()
    for key, value in member(member(raw, "metadata"), "labels").items():
        if key.startswith(_ROLE) and key != _ROLE:
            found.add(key.removeprefix(_ROLE))
        elif key == _OLD_ROLE and value:
            found.add(str(value))
    return ",".join(sorted(found)) or NONE


def _address(status: JsonObject, kind: str) -> str:
    found = [text_of(each, "address") for each in objects_of(status, "addresses") if each.get("type") == kind]
    return found[0] if found else NONE


def _event(raw: JsonObject, now: float) -> list[Json]:
    about, source, series = member(raw, "involvedObject"), member(raw, "source"), raw.get("series")
    first = since(raw.get("firstTimestamp") or raw.get("eventTime"), now)
    last = since(raw.get("lastTimestamp"), now, first)
    count = number_of(raw, "count") or 1
    if isinstance(series, dict):
        last, count = since(series.get("lastObservedTime"), now), number_of(series, "count")
    kind, name = text_of(about, "kind").lower(), text_of(about, "name")
    component = text_of(source, "component") or text_of(raw, "reportingComponent")
    host = text_of(source, "host") or text_of(raw, "reportingInstance")
    return [
        last, text_of(raw, "type"), text_of(raw, "reason"), f"{kind}/{name}" if name else kind,
        text_of(about, "fieldPath"), f"{component}, {host}" if host else component, text_of(raw, "message").strip(),
        first, count, name_of(raw),
    ]  # fmt: skip


def _event_of_its_own_group(raw: JsonObject, now: float) -> list[Json]:
    return _event(in_version(raw, GroupVersion("", "v1")), now)


def _volume(raw: JsonObject, now: float) -> list[Json]:
    spec, status = member(raw, "spec"), member(raw, "status")
    claim = spec.get("claimRef")
    held = f"{text_of(claim, 'namespace')}/{text_of(claim, 'name')}" if isinstance(claim, dict) else ""
    annotations = member(member(raw, "metadata"), "annotations")
    return [
        name_of(raw), text_of(member(spec, "capacity"), "storage", "0"), _modes(spec),
        text_of(spec, "persistentVolumeReclaimPolicy"), _phase(raw), held,
        text_of(annotations, _OLD_CLASS) or text_of(spec, "storageClassName"),
        text_of(spec, "volumeAttributesClassName", UNSET), text_of(status, "reason"), age_of(raw, now),
        text_of(spec, "volumeMode", UNSET),
    ]  # fmt: skip


def _claim(raw: JsonObject, now: float) -> list[Json]:
    spec, status = member(raw, "spec"), member(raw, "status")
    volume, annotations = text_of(spec, "volumeName"), member(member(raw, "metadata"), "annotations")
    capacity = text_of(member(status, "capacity"), "storage", "0") if volume else ""
    return [
        name_of(raw), _phase(raw), volume, capacity, _modes(status) if volume else "",
        text_of(annotations, _OLD_CLASS) or text_of(spec, "storageClassName"),
        text_of(spec, "volumeAttributesClassName", UNSET), age_of(raw, now), text_of(spec, "volumeMode", UNSET),
    ]  # fmt: skip


def _phase(raw: JsonObject) -> str:
    going = member(raw, "metadata").get("deletionTimestamp") is not None
    return "Terminating" if going else text_of(member(raw, "status"), "phase")


def _modes(owner: JsonObject) -> str:
    said = texts_of(owner, "accessModes")
    return ",".join(short for name, short in _MODES.items() if name in said)


def _quota(raw: JsonObject, now: float) -> list[Json]:
    status = member(raw, "status")
    hard, used = member(status, "hard"), member(status, "used")
    told: dict[bool, list[str]] = {True: [], False: []}
    for name in sorted(hard):
        told[name.startswith("limits.")].append(f"{name}: {used.get(name) or 0}/{hard[name]}")
    return [name_of(raw), ", ".join(told[False]), ", ".join(told[True]), age_of(raw, now)]


def _config_map(raw: JsonObject, now: float) -> list[Json]:
    return [name_of(raw), len(member(raw, "data")) + len(member(raw, "binaryData")), age_of(raw, now)]


def _secret(raw: JsonObject, now: float) -> list[Json]:
    return [name_of(raw), text_of(raw, "type"), len(member(raw, "data")), age_of(raw, now)]


def _namespace(raw: JsonObject, now: float) -> list[Json]:
    return [name_of(raw), text_of(member(raw, "status"), "phase"), age_of(raw, now)]


def _aged(raw: JsonObject, now: float) -> list[Json]:
    return [name_of(raw), age_of(raw, now)]


JUST_AGE = Printer((NAME, AGE), _aged)
"""What has a name and an age."""
_EVENT = Printer(
    (
        Column("Last Seen"), Column("Type"), Column("Reason"), Column("Object"), wide("Subobject"), wide("Source"),
        Column("Message"), wide("First Seen"), wide("Count"), Column("Name", format="name", priority=1),
    ),
    _event,
)  # fmt: skip
CORE: dict[tuple[str, str], Printer] = {
    ("", "Pod"): POD,
    ("", "Service"): Printer(
        (
            NAME, Column("Type"), Column("Cluster-IP"), Column("External-IP"), Column("Port(s)"), AGE, wide("Selector"),
        ),
        _service,
    ),
    ("", "Endpoints"): Printer((NAME, Column("Endpoints"), AGE), _endpoints),
    ("", "Node"): Printer(
        (
            NAME, Column("Status"), Column("Roles"), AGE, Column("Version"), wide("Internal-IP"), wide("External-IP"),
            wide("OS-Image"), wide("Kernel-Version"), wide("Container-Runtime"),
        ),
        _node,
    ),
    ("", "Event"): _EVENT,
    ("events.k8s.io", "Event"): Printer(_EVENT.columns, _event_of_its_own_group),
    ("", "Namespace"): Printer((NAME, Column("Status"), AGE), _namespace),
    ("", "Secret"): Printer((NAME, Column("Type"), Column("Data"), AGE), _secret),
    ("", "ServiceAccount"): JUST_AGE,
    ("", "ConfigMap"): Printer((NAME, Column("Data"), AGE), _config_map),
    ("", "PersistentVolume"): Printer(
        (
            NAME, Column("Capacity"), Column("Access Modes"), Column("Reclaim Policy"), Column("Status"),
            Column("Claim"), Column("StorageClass"), Column("VolumeAttributesClass"), Column("Reason"), AGE,
            wide("VolumeMode"),
        ),
        _volume,
    ),
    ("", "PersistentVolumeClaim"): Printer(
        (
            NAME, Column("Status"), Column("Volume"), Column("Capacity"), Column("Access Modes"),
            Column("StorageClass"), Column("VolumeAttributesClass"), AGE, wide("VolumeMode"),
        ),
        _claim,
    ),
    ("", "ResourceQuota"): Printer((NAME, Column("Request"), Column("Limit"), AGE), _quota),
}  # fmt: skip
