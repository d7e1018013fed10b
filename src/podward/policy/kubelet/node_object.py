"""The Node object that a kubelet registers, and its status.

Specification (kubelet, `initialNode` and the setters of pkg/kubelet/nodestatus, in our words):
- The labels tell the host's name, the operating system and the architecture, each of the latter two by two names; those
  of `--node-labels` come over them. The taints of `--register-with-taints` are set at registration alone.
- The addresses are the InternalIP and the Hostname. Capacity has cpu, memory, ephemeral-storage, pods and each size of
  huge pages; all of it is allocatable but the memory that huge pages have taken away.
- The conditions are MemoryPressure, DiskPressure, PIDPressure and last Ready. A condition keeps its time of transition
  as long as its status stays. Ready is false while the runtime or its network is not, and says why.
- The features that the kubelet has and others must know of are declared (component-helpers/nodedeclaredfeatures).
- At most 50 images are told, the largest first, each with at most 5 names, digests before tags.
- Of the runtime are told its name and version, its handlers and what each can do, and whether it knows
  `supplementalGroupsPolicy`.

No pressure is measured here, and nothing is evicted, so the three conditions of pressure are false.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from podward.api.cri_requests import StatusResponse
from podward.api.cri_status import Image, RuntimeHandler, RuntimeHandlerFeatures
from podward.api.json_value import Json, JsonObject
from podward.api.version import GIT_VERSION

MOST_IMAGES, MOST_NAMES = 50, 5
HOSTNAME = "kubernetes.io/hostname"
FEATURES = (
    "ExtendWebSocketsToKubelet",
    "InPlacePodLevelResourcesVerticalScaling",
    "InPlacePodVerticalScalingInitContainers",
    "RestartAllContainersOnContainerExits",
)
"""What the node declares that it can do, sorted: schedulers and API servers read it."""
_PRESSURES = (
    ("MemoryPressure", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
)
_READY = ("KubeletReady", "kubelet is posting ready status")


class NodeIdentity(Struct, frozen=True):
    """Who the node is: its name, where it is reached, and what it is registered with."""

    name: str
    address: str
    port: int
    labels: Mapping[str, str] = {}
    taints: tuple[JsonObject, ...] = ()
    max_pods: int = 110


class MachineInfo(Struct, frozen=True):
    """What the machine is. Memory, disk and swap are in bytes; `hugepages` are bytes by size, such as `2Mi`."""

    architecture: str
    kernel: str
    os_image: str
    machine_id: str
    system_uuid: str
    boot_id: str
    cpus: int
    memory: int
    ephemeral_storage: int
    swap: int = 0
    hugepages: Mapping[str, int] = {}


class RuntimeSeen(Struct, frozen=True):
    """What the CRI runtime says of itself; `failure` is why it cannot be asked."""

    name: str = "unknown"
    version: str = "Unknown"
    status: StatusResponse = StatusResponse()
    failure: str = ""


class NodeSeen(Struct, frozen=True):
    """All that a status is made of."""

    identity: NodeIdentity
    machine: MachineInfo
    runtime: RuntimeSeen
    images: tuple[Image, ...] = ()


def labels(identity: NodeIdentity, machine: MachineInfo) -> dict[str, str]:
    """The labels that the node is registered with."""
    return {
        "beta.kubernetes.io/arch": machine.architecture,
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": machine.architecture,
        HOSTNAME: identity.name,
        "kubernetes.io/os": "linux",
        **identity.labels,
    }


def registered(identity: NodeIdentity, machine: MachineInfo, status: JsonObject) -> JsonObject:
    """The object that is created where there is no Node of this name."""
    told: dict[str, Json] = {name: value for name, value in labels(identity, machine).items()}  # noqa: C416 - of Json
    metadata: JsonObject = {
        "name": identity.name,
        "labels": told,
        "annotations": {"volumes.kubernetes.io/controller-managed-attach-detach": "true"},
    }
    spec: JsonObject = {"taints": [*identity.taints]} if identity.taints else {}
    return {"apiVersion": "v1", "kind": "Node", "metadata": metadata, "spec": spec, "status": status}


def status(seen: NodeSeen, before: JsonObject, now: str) -> JsonObject:
    """The status that the node has at `now`, after the one `before`: of that, times of transition are kept."""
    identity, machine, runtime = seen.identity, seen.machine, seen.runtime
    capacity = _capacity(identity, machine)
    answer: JsonObject = {
        "capacity": capacity,
        "allocatable": _allocatable(capacity, machine),
        "conditions": _conditions(_condition_rows(runtime), before, now),
        "addresses": [
            {"type": "InternalIP", "address": identity.address},
            {"type": "Hostname", "address": identity.name},
        ],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": identity.port}},
        "nodeInfo": _node_info(machine, runtime),
        "images": _images(seen.images),
        "declaredFeatures": [*FEATURES],
    }
    handlers = [_handler(each) for each in runtime.status.runtime_handlers]
    if handlers:
        answer["runtimeHandlers"] = [*handlers]
    if runtime.status.features is not None:
        answer["features"] = {"supplementalGroupsPolicy": runtime.status.features.supplemental_groups_policy}
    return answer


def _handler(told: RuntimeHandler) -> JsonObject:
    """What a handler can do: what an old OCI runtime does not say of itself it cannot."""
    can = told.features or RuntimeHandlerFeatures()
    features: JsonObject = {
        "recursiveReadOnlyMounts": can.recursive_read_only_mounts,
        "userNamespaces": can.user_namespaces,
    }
    return {"name": told.name, "features": features}


def changes(before: JsonObject, after: JsonObject) -> bool:
    """Whether something changed but for the times at which conditions were looked at."""
    return any(_without_heartbeats(before.get(name)) != _without_heartbeats(value) for name, value in after.items())


def patch(after: JsonObject) -> JsonObject:
    """The strategic merge patch that makes the status so; others' conditions and capacities stay.

    Addresses are replaced as a whole: their merge key, the type, does not tell two of one type apart.
    """
    addresses = after.get("addresses")
    replaced: list[Json] = [*addresses] if isinstance(addresses, list) else []
    return {"status": {**after, "addresses": [*replaced, {"$patch": "replace"}]}}


def _without_heartbeats(value: Json) -> Json:
    if not isinstance(value, list):
        return value
    return [
        {name: item for name, item in row.items() if name != "lastHeartbeatTime"} if isinstance(row, dict) else row
        for row in value
    ]


def _capacity(identity: NodeIdentity, machine: MachineInfo) -> JsonObject:
    return {
        "cpu": str(machine.cpus),
        "ephemeral-storage": _kibibytes(machine.ephemeral_storage),
        **{f"hugepages-{size}": str(amount) for size, amount in sorted(machine.hugepages.items())},
        "memory": _kibibytes(machine.memory),
        "pods": str(identity.max_pods),
    }


def _allocatable(capacity: JsonObject, machine: MachineInfo) -> JsonObject:
    memory = max(0, machine.memory - sum(machine.hugepages.values()))
    return {**capacity, "memory": _kibibytes(memory)}


def _kibibytes(amount: int) -> str:
    return f"{amount // 1024}Ki" if amount % 1024 == 0 else str(amount)


def _condition_rows(runtime: RuntimeSeen) -> list[tuple[str, str, str, str]]:
    rows = [(kind, "False", reason, message) for kind, reason, message in _PRESSURES]
    faults = _faults(runtime)
    if not faults:
        return [*rows, ("Ready", "True", *_READY)]
    message = faults[0] if len(faults) == 1 else f"[{', '.join(faults)}]"
    return [*rows, ("Ready", "False", "KubeletNotReady", message)]


def _faults(runtime: RuntimeSeen) -> list[str]:
    if runtime.failure:
        return [f"container runtime is down: {runtime.failure}"]
    conditions = runtime.status.status.conditions if runtime.status.status is not None else ()
    words = {"RuntimeReady": "container runtime not ready", "NetworkReady": "container runtime network not ready"}
    return [
        f"{words[row.type]}: {row.type}=false reason:{row.reason} message:{row.message}"
        for row in conditions
        if row.type in words and not row.status
    ]


def _conditions(rows: list[tuple[str, str, str, str]], before: JsonObject, now: str) -> list[Json]:
    listed = before.get("conditions")
    known: dict[Json, JsonObject] = {
        row.get("type"): row for row in (listed if isinstance(listed, list) else ()) if isinstance(row, dict)
    }
    made: list[Json] = []
    for kind, word, reason, message in rows:
        earlier = known.get(kind, {})
        since = earlier.get("lastTransitionTime") if earlier.get("status") == word else None
        made.append(
            {
                "type": kind,
                "status": word,
                "lastHeartbeatTime": now,
                "lastTransitionTime": since or now,
                "reason": reason,
                "message": message,
            }
        )
    return made


def _node_info(machine: MachineInfo, runtime: RuntimeSeen) -> JsonObject:
    info: JsonObject = {
        "machineID": machine.machine_id,
        "systemUUID": machine.system_uuid,
        "bootID": machine.boot_id,
        "kernelVersion": machine.kernel,
        "osImage": machine.os_image,
        "containerRuntimeVersion": f"{runtime.name}://{runtime.version}",
        "kubeletVersion": GIT_VERSION,
        "kubeProxyVersion": "",
        "operatingSystem": "linux",
        "architecture": machine.architecture,
    }
    if machine.swap:
        info["swap"] = {"capacity": machine.swap}
    return info


def _images(images: tuple[Image, ...]) -> list[Json]:
    largest = sorted(images, key=lambda image: image.size, reverse=True)[:MOST_IMAGES]
    return [
        {"names": [*(*image.repo_digests, *image.repo_tags)[:MOST_NAMES]], "sizeBytes": image.size} for image in largest
    ]
