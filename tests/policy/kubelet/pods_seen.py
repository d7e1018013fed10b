"""Pods for the tests of a kubelet's decisions: their documents, and what is seen of them."""

from collections.abc import Mapping

from msgspec import Struct, structs

from podward.api.core import Pod
from podward.api.cri import ContainerMetadata, ImageSpec, NamespaceOption, PodSandboxMetadata
from podward.api.cri_status import (
    ContainerStatus,
    LinuxPodSandboxStatus,
    Namespace,
    PodSandboxNetworkStatus,
    PodSandboxStatus,
)
from podward.api.json_value import Json, JsonObject
from podward.api.pod_seen import HASH, BackOff, ContainerRun, ContainerSeen, Failure, PodSeen
from podward.policy.kubelet import container_definition
from podward.schema.view import pod_view

NOW = 1_700_000_000.0
CREATED, RUNNING, EXITED, UNKNOWN = (
    "CONTAINER_CREATED",
    "CONTAINER_RUNNING",
    "CONTAINER_EXITED",
    "CONTAINER_UNKNOWN",
)


class Seen(Struct, frozen=True):
    """A container as a test describes it: its newest run, and what is known besides."""

    state: str = RUNNING
    code: int = 0
    attempt: int = 0
    changed: bool = False
    failure: Failure | None = None
    back_off: BackOff | None = None
    startup: bool | None = None
    liveness: bool | None = None
    readiness: bool | None = None
    reason: str = ""
    sandbox: str = "sandbox"


def container(name: str, **more: Json) -> JsonObject:
    """A container's definition."""
    return {"name": name, "image": "busybox:root", **more}


def sidecar(name: str, **more: Json) -> JsonObject:
    """An init container that is restarted for ever."""
    return container(name, restartPolicy="Always", **more)


def pod(names: str = "foo1 foo2 foo3", *, inits: tuple[JsonObject, ...] = (), **spec: Json) -> JsonObject:
    """A Pod with these regular containers."""
    containers: list[Json] = [container(name) for name in names.split()]
    listed: list[Json] = [*inits]
    made: JsonObject = {"containers": containers, "restartPolicy": "Always", "terminationGracePeriodSeconds": 30}
    if listed:
        made["initContainers"] = listed
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "foo", "namespace": "new", "uid": "12345678", "generation": 1},
        "spec": {**made, **spec},
    }


def sandbox(*, ready: bool = True, attempt: int = 0, ip: str = "10.0.0.1", network: str = "POD") -> PodSandboxStatus:
    """A sandbox."""
    return PodSandboxStatus(
        id="sandbox" if not attempt else f"sandbox{attempt}",
        metadata=PodSandboxMetadata("foo", "12345678", "new", attempt),
        state="SANDBOX_READY" if ready else "SANDBOX_NOTREADY",
        network=PodSandboxNetworkStatus(ip=ip) if network == "POD" else None,
        linux=LinuxPodSandboxStatus(Namespace(NamespaceOption(network=network))),
    )


def run(of: Pod, name: str, seen: Seen) -> ContainerRun:
    """The run that a test has described."""
    spec = of.spec
    containers = (*(spec.init_containers or ()), *(spec.containers or ()), *(spec.ephemeral_containers or ()))
    definition = next(each for each in containers if each.name == name)
    started = seen.state in {RUNNING, EXITED}
    status = ContainerStatus(
        id=f"{name}-{seen.attempt}",
        metadata=ContainerMetadata(name, seen.attempt),
        state=seen.state,
        created_at=int((NOW - 20) * 1e9),
        started_at=int((NOW - 19) * 1e9) if started else 0,
        finished_at=int((NOW - 5) * 1e9) if seen.state == EXITED else 0,
        exit_code=seen.code,
        reason=seen.reason or ("" if seen.state != EXITED else "Error" if seen.code else "Completed"),
        image=ImageSpec("busybox:root"),
        image_ref="sha256:abc",
        annotations={HASH: "0" if seen.changed else container_definition.number(definition)},
    )
    return ContainerRun(status, seen.sandbox)


def saw(
    document: JsonObject, containers: Mapping[str, Seen | None], *sandboxes: PodSandboxStatus, **more: object
) -> PodSeen:
    """What is seen of a Pod; None is a container with no run. Without sandboxes there is one that is ready."""
    view = pod_view(document)
    found = {
        name: ContainerSeen(
            (run(view, name, each),),
            each.failure,
            each.back_off,
            each.startup,
            each.liveness,
            each.readiness,
        )
        for name, each in containers.items()
        if each is not None
    }
    seen = PodSeen(NOW, sandboxes or (sandbox(),), found, host_ips=("192.168.0.1",))
    return structs.replace(seen, **more)
