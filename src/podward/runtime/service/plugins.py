"""NRI's plugins as verbs know them: what they are shown of sandboxes and containers, and how they are asked.

Plugins are connected to the front. Where the service is started with NRI, the front listens on a socket below ROOT/cri;
a worker connects to it in the middle of a verb, sends one question, and waits for the answer. Who cannot be asked
refuses: but what is stopped and removed goes on whatever is answered.
"""

from __future__ import annotations

import socket

import msgspec
from msgspec import Struct, structs

from podward.api import nri
from podward.api.cri import HugepageLimit, LinuxContainerResources
from podward.api.cri_refusal import CriCode, CriRefusal
from podward.api.nri import Event
from podward.api.oci import RuntimeSpec
from podward.policy.runtime.nri_adjusting import view
from podward.policy.runtime.nri_collecting import PluginAdjustment
from podward.runtime.service.phases import ContainerPhase
from podward.runtime.service.records import ContainerRecord, Records, SandboxRecord

SOCKET = "nri.sock"
"""The socket's name below ROOT/cri."""


class Question(Struct, frozen=True, omit_defaults=True):
    """What happens, and to whom.

    `resources` are what an update asks for, `overhead` those of a sandbox beside it. `undone` is a container that
    plugins were asked about and that there will not be.
    """

    event: Event
    pod: nri.PodSandbox
    container: nri.Container | None = None
    resources: nri.Resources | None = None
    overhead: nri.Resources | None = None
    undone: bool = False


class Answer(Struct, frozen=True, omit_defaults=True):
    """What plugins say: a refusal; or what they change in a new container, or in an update of its resources."""

    refusal: CriRefusal | None = None
    adjustments: tuple[PluginAdjustment, ...] = ()
    resources: nri.Resources | None = None


_NOTHING = Answer()


class Plugins:
    """The plugins, by way of the front's socket; without one there are none, and nothing is changed or refused."""

    def __init__(self, records: Records, path: str = "") -> None:
        self._records = records
        self._path = path

    def __bool__(self) -> bool:
        return bool(self._path)

    def tell_of_sandbox(self, event: Event, sandbox: SandboxRecord) -> CriRefusal | None:
        """Tell what happens to a sandbox. Answers a refusal, if there is one."""
        return self.ask(Question(event, pod_view(sandbox))).refusal if self._path else None

    def tell_of_container(self, event: Event, container: ContainerRecord) -> CriRefusal | None:
        """Tell what happens to a container. Answers a refusal, if there is one."""
        if not self._path:
            return None
        seen = container_view(container, spec_of(self._records, container))
        return self.ask(Question(event, self.pod_of(container), seen)).refusal

    def undo(self, container: ContainerRecord) -> None:
        """Tell that a container which plugins were asked about cannot be created."""
        if self._path:
            seen = container_view(container, None)
            self.ask(Question(Event.REMOVE_CONTAINER, self.pod_of(container), seen, undone=True))

    def pod_of(self, container: ContainerRecord) -> nri.PodSandbox:
        """The sandbox of a container; its id alone where it is gone."""
        sandbox = self._records.read(SandboxRecord, container.sandbox)
        return nri.PodSandbox(container.sandbox) if sandbox is None else pod_view(sandbox)

    def ask(self, question: Question) -> Answer:
        """Ask, and wait for the answer."""
        if not self._path:
            return _NOTHING
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.connect(self._path)
                connection.sendall(msgspec.json.encode(question))
                connection.shutdown(socket.SHUT_WR)
                return msgspec.json.decode(b"".join(iter(lambda: connection.recv(1 << 16), b"")), type=Answer)
        except (OSError, msgspec.MsgspecError) as error:
            why = f"NRI plugins cannot be asked: {error}; the service that they are connected to must run"
            return Answer(CriRefusal(CriCode.UNAVAILABLE, why))


def spec_of(records: Records, container: ContainerRecord) -> RuntimeSpec | None:
    """The runtime spec that a container was made with; None where there is none any more."""
    try:
        with open(f"{records.directory(ContainerRecord, container.id)}/config.json", "rb", buffering=0) as file:
            return msgspec.json.decode(file.read(), type=RuntimeSpec)
    except (OSError, msgspec.MsgspecError):
        return None


def pod_view(record: SandboxRecord) -> nri.PodSandbox:
    """A sandbox as plugins see it."""
    config, linux = record.config, record.config.linux
    kinds = {"net": "network"}
    return nri.PodSandbox(
        id=record.id,
        name=config.metadata.name,
        uid=config.metadata.uid,
        namespace=config.metadata.namespace,
        labels=config.labels,
        annotations=config.annotations,
        runtime_handler=record.runtime_handler,
        linux=nri.LinuxPodSandbox(
            pod_overhead=resources_view(linux.overhead),
            pod_resources=resources_view(linux.resources),
            cgroup_parent=linux.cgroup_parent,
            cgroups_path=record.cgroup,
            namespaces=tuple(nri.Namespace(kinds.get(kind, kind), path) for kind, path in record.namespaces.items()),
        ),
        pid=record.pause.pid or record.pin.pid,
        ips=record.addresses,
    )


_STATES = {
    ContainerPhase.CREATED: nri.ContainerState.CREATED,
    ContainerPhase.STARTING: nri.ContainerState.CREATED,
    ContainerPhase.RUNNING: nri.ContainerState.RUNNING,
    ContainerPhase.EXITED: nri.ContainerState.STOPPED,
}


def container_view(record: ContainerRecord, spec: RuntimeSpec | None) -> nri.Container:
    """A container as plugins see it."""
    config, profile = record.config, record.config.linux.security_context.seccomp
    known = nri.Container(
        id=record.id,
        pod_sandbox_id=record.sandbox,
        name=config.metadata.name,
        state=_STATES.get(record.phase, nri.ContainerState.UNKNOWN),
        labels=config.labels,
        annotations=config.annotations,
        pid=record.process.pid,
        created_at=record.created_at,
        started_at=record.started_at,
        finished_at=record.finished_at,
        exit_code=record.exit_code,
        status_reason=record.reason,
        status_message=record.message,
        cdi_devices=tuple(nri.CDIDevice(device.name) for device in config.cdi_devices),
    )
    if spec is None:
        return known
    seen = view(spec, known)
    if profile is None or seen.linux is None:
        return seen
    kinds = {"RuntimeDefault": 0, "Unconfined": 1, "Localhost": 2}
    asked = nri.SecurityProfile(kinds.get(profile.profile_type, 1), profile.localhost_ref)
    return structs.replace(seen, linux=structs.replace(seen.linux, seccomp_profile=asked))


# --- resources as CRI and as NRI have them ----------------------------------------------------------------------------


def resources_view(asked: LinuxContainerResources | None) -> nri.Resources | None:
    """What CRI asks for, as plugins see it: 0 is no setting."""
    if asked is None:
        return None
    return nri.Resources(
        memory=nri.Memory(
            limit=asked.memory_limit_in_bytes or None,
            swap=asked.memory_swap_limit_in_bytes or None,
        ),
        cpu=nri.Cpu(
            shares=asked.cpu_shares or None,
            quota=asked.cpu_quota or None,
            period=asked.cpu_period or None,
            cpus=asked.cpuset_cpus,
            mems=asked.cpuset_mems,
        ),
        hugepage_limits=tuple(nri.HugepageLimit(limit.page_size, limit.limit) for limit in asked.hugepage_limits),
        unified=asked.unified,
    )


def asked_resources(changed: nri.Resources) -> LinuxContainerResources | str:
    """What plugins ask for, as CRI asks for it; or the name of what CRI cannot ask for."""
    memory, cpu = changed.memory or nri.Memory(), changed.cpu or nri.Cpu()
    unknown = {
        "memory.reservation": memory.reservation,
        "cpu.realtime_runtime": cpu.realtime_runtime,
        "cpu.realtime_period": cpu.realtime_period,
        "pids": changed.pids,
    }
    for name, value in unknown.items():
        if value is not None:
            return name
    return LinuxContainerResources(
        cpu_period=cpu.period or 0,
        cpu_quota=cpu.quota or 0,
        cpu_shares=cpu.shares or 0,
        memory_limit_in_bytes=memory.limit or 0,
        memory_swap_limit_in_bytes=memory.swap or 0,
        cpuset_cpus=cpu.cpus,
        cpuset_mems=cpu.mems,
        hugepage_limits=tuple(HugepageLimit(limit.page_size, limit.limit) for limit in changed.hugepage_limits),
        unified=changed.unified,
    )
