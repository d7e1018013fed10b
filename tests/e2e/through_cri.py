"""Random Pods brought to `podward cri` as a kubelet would: predicted against observed, through gRPC.

What a kubelet does is done here: the Pod is planned as far as the CRI's messages, and its volumes and files are made in
this process's mount namespace, of which the server is started. The rest is the server's. What a process will be is
predicted of the runtime spec that the server has written, from within the sandbox's mount namespace; it is observed
from outside at its execve.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import TypeVar

os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

import grpc
import msgspec
from google.protobuf.message import Message
from msgspec import Struct, structs

from podward.api.core import Container
from podward.api.cri import ContainerConfig, IDMapping, PodSandboxConfig
from podward.api.cri_requests import (
    ContainerStatusRequest,
    ContainerStatusResponse,
    CreateContainerRequest,
    CreateContainerResponse,
    RemovePodSandboxRequest,
    RemovePodSandboxResponse,
    RunPodSandboxRequest,
    RunPodSandboxResponse,
    StartContainerRequest,
    StartContainerResponse,
)
from podward.api.effective import Place
from podward.api.oci import RuntimeSpec
from podward.api.pod_facts import PodFacts
from podward.api.process import ProcessState
from podward.decision import Decision, Outcome
from podward.errors import NodeError, RefusedError, RuntimeFailedError
from podward.pipeline import ContainerMounts, ContainerPlan, plan_requests, predict
from podward.policy.kubelet.container_files import ContainerFiles
from podward.runtime import container_files, device_list, observe, userns
from podward.runtime.cri_messages import message, typed
from podward.runtime.explaining.subject import PodToExplain
from podward.runtime.kept import Process
from podward.runtime.live_facts import LiveFacts
from podward.runtime.options import Machine
from podward.runtime.service import pins
from podward.runtime.service.records import Records, SandboxRecord
from podward.runtime.state import PodDirectory
from podward.runtime.volumes import PodVolumes, remove_tree
from podward.runtime.volumes.request import VolumeNode

Answer = TypeVar("Answer", bound=Struct)
SECONDS = 60


class RefusedByServerError(Exception):
    """The server answered with an error; its text is the exception's. `invalid`: what was asked for can't be."""

    def __init__(self, said: str, *, invalid: bool) -> None:
        super().__init__(said)
        self.invalid = invalid


class Server:
    """`podward cri` with the defaults of one runtime, with a state of its own but for the images of `directory`."""

    def __init__(self, directory: str, defaults: str, runtime: str) -> None:
        root, endpoint = f"{directory}/{defaults}", f"unix://{directory}/{defaults}.sock"
        os.mkdir(root, 0o700)
        os.symlink(f"{directory}/images", f"{root}/images")
        words = ["--listen", endpoint, "--data-dir", root, "--runtime-defaults", defaults, "--cni-conf-dir", ""]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "podward", "cri", *words, "--default-runtime", runtime],
            stdout=subprocess.PIPE,
        )
        if self.process.stdout is None or not self.process.stdout.readline():
            raise SystemExit("prove: podward cri did not start")
        self.records = Records(root)
        self._channel = grpc.insecure_channel(endpoint)

    def call(self, method: str, request: Struct, answer: type[Answer]) -> Answer:
        """One call of the runtime service. Raises RefusedByServerError."""
        sent = message(request)
        kind = type(message(answer()))
        ask: Callable[..., Message] = self._channel.unary_unary(
            f"/runtime.v1.RuntimeService/{method}",
            request_serializer=lambda m: m.SerializeToString(),
            response_deserializer=kind.FromString,
        )
        try:
            return typed(ask(sent, timeout=SECONDS), answer)
        except grpc.RpcError as error:
            said = f"{method}: {error.code().name}: {error.details()}"
            raise RefusedByServerError(said, invalid=error.code() is grpc.StatusCode.INVALID_ARGUMENT) from None

    def end(self) -> None:
        """Let it end."""
        self._channel.close()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


class KubeletFacts(LiveFacts):
    """What a kubelet knows of a Pod and makes for it; the sandbox is the server's, in whose namespace `pin` is."""

    def __init__(self, here: Machine, directory: PodDirectory, subject: PodToExplain, server: Server) -> None:
        super().__init__(here, directory, subject)
        self._server = server
        self._mapping: IDMapping | None = None
        self.sandbox_id = ""
        self.asked = PodSandboxConfig()
        self.pin = Process(0, 0)

    def id_range(self) -> IDMapping:
        """A range that nobody else has."""
        return userns.allocate(self._machine.state, self._directory)

    def volumes(self, sandbox: PodSandboxConfig, userns: IDMapping | None) -> Decision:
        """Have the sandbox run, and make the volumes."""
        self.asked, self._mapping = self.asked_for(sandbox), userns
        run = self._server.call("RunPodSandbox", RunPodSandboxRequest(self.asked), RunPodSandboxResponse)
        self.sandbox_id = run.pod_sandbox_id
        record = self._server.records.read(SandboxRecord, self.sandbox_id)
        if record is None:
            raise ValueError(f"sandbox {self.sandbox_id} has no record")
        self.pin, inside = record.pin, record.namespaces.get("user", "")
        node = VolumeNode(f"/proc/{self.pin.pid}/root{inside}" if inside else "", userns, self._image_root)
        about = PodFacts(self.pod, self.place, self.objects, self.node)
        self._volumes = PodVolumes(self._directory.work, about, node=node)
        return self._volumes.prepare()

    def mounts(self, container: Container, place: Place) -> ContainerMounts:
        """What is mounted into the container."""
        files = ContainerFiles(f"{self._directory.work}/hosts", self._log(container.name))
        return structs.replace(self._prepared().mounts(container, place), files=files)

    def set_aside(self, plan: ContainerPlan) -> None:
        """What a kubelet makes before it asks for a container: subPaths, the hosts file, the termination log."""
        attached = self._prepared().attach(plan.container.name)
        if attached.refused:
            raise RefusedError(attached.violations[0].reason)
        container_files.write_hosts(f"{self._directory.work}/hosts", self.pod, self.addresses, self._mapping)
        container_files.make_termination_log(self._log(plan.container.name), self._mapping)

    @property
    def scratch(self) -> str:
        """A directory of ours."""
        return self._directory.path

    def _prepared(self) -> PodVolumes:
        if self._volumes is None:
            raise ValueError("the volumes are asked for before they are made")
        return self._volumes


class Compared(Struct, frozen=True):
    """A container: what was predicted of its process, or why it could not be; and what was observed, or why not."""

    name: str
    predicted: ProcessState | str
    observed: ProcessState | str


class ThroughCri:
    """Brings Pods to a server, one at a time, and takes them away."""

    def __init__(self, here: Machine, server: Server) -> None:
        self._here = here
        self._server = server

    def run(self, subject: PodToExplain) -> tuple[Compared, ...] | None:
        """Every container of the Pod, compared; None where the Pod, or a container of it, is refused before it runs."""
        directory = PodDirectory.create(self._here.state)
        facts = KubeletFacts(self._here, directory, subject, self._server)
        try:
            plan = plan_requests(facts)
            if plan.refusals.refused or any(c.refusals.refused or c.config is None for c in plan.containers):
                return None
            ids: dict[str, str] = {}
            return tuple(self._container(facts, container, ids) for container in plan.containers)
        except RefusedByServerError as error:
            if error.invalid and not facts.sandbox_id:
                return None  # such as a group without a user, which containerd's sandboxes do not have
            raise
        finally:
            if facts.sandbox_id:
                gone = RemovePodSandboxRequest(facts.sandbox_id)
                self._server.call("RemovePodSandbox", gone, RemovePodSandboxResponse)
            facts.remove()
            facts.release()
            with self._here.state.lock():
                remove_tree(directory.path)
            directory.lock.release()

    def _container(self, facts: KubeletFacts, plan: ContainerPlan, ids: dict[str, str]) -> Compared:
        """One container, which runs until the Pod goes; `ids` are those of the Pod by name."""
        name = plan.container.name
        try:
            facts.set_aside(plan)
            asked = CreateContainerRequest(facts.sandbox_id, _with_target(plan, ids), facts.asked)
            ids[name] = self._server.call("CreateContainer", asked, CreateContainerResponse).container_id
            status = ContainerStatusRequest(ids[name], verbose=True)
            info = json.loads(self._server.call("ContainerStatus", status, ContainerStatusResponse).info["info"])
        except (RefusedByServerError, RefusedError) as error:
            return Compared(name, str(error), str(error))
        spec = msgspec.convert(info["runtimeSpec"], RuntimeSpec)
        pid = info["pid"]
        foreseen = in_child(lambda: _foreseen(facts, plan, spec, pid))
        return Compared(name, foreseen.predicted, self._observed(ids[name], pid, spec, foreseen.devices))

    def _observed(self, container: str, pid: int, spec: RuntimeSpec, devices: tuple[str, ...]) -> ProcessState | str:
        """The process at its execve, or why it did not come to that."""
        said: list[str] = []

        def start() -> None:
            try:
                self._server.call("StartContainer", StartContainerRequest(container), StartContainerResponse)
            except RefusedByServerError as error:
                said.append(str(error))

        if not pid:
            start()
            return "; ".join(said) or "it has no process"
        starting = threading.Thread(target=start)
        try:
            with observe.stop_at_exec(pid) as held:
                starting.start()
                held.wait(observe.SECONDS_TO_EXEC)
                return held.state(spec, devices)
        except (RuntimeFailedError, NodeError) as error:
            return "; ".join((str(error), *said))
        finally:
            starting.join()


class _Foreseen(Struct, frozen=True):
    predicted: ProcessState | str
    devices: tuple[str, ...]


def _with_target(plan: ContainerPlan, ids: dict[str, str]) -> ContainerConfig:
    """The message, with a target's id in the place of its name: a kubelet knows it once the target runs."""
    if plan.config is None:
        raise ValueError(f"container {plan.container.name} was not planned")
    config = plan.config.value
    options = config.linux.security_context.namespace_options
    if options is None or not options.target_id:
        return config
    found = structs.replace(options, target_id=ids.get(options.target_id, options.target_id))
    context = structs.replace(config.linux.security_context, namespace_options=found)
    return structs.replace(config, linux=structs.replace(config.linux, security_context=context))


def _foreseen(facts: KubeletFacts, plan: ContainerPlan, spec: RuntimeSpec, pid: int) -> _Foreseen:
    """What the process will be, and the devices that it may open: asked in a process without threads."""
    devices = device_list.open_devices(pid, facts.scratch) if pid else ()
    pins.enter(facts.pin)
    decided = predict(facts, plan, Outcome(spec, Decision()))
    if isinstance(decided, Outcome):
        return _Foreseen(decided.value, devices)
    reasons = [v.reason for v in decided.violations] + [u.why for u in decided.unknowns]
    return _Foreseen("; ".join(reasons), devices)


def in_child(do: Callable[[], _Foreseen]) -> _Foreseen:
    """Do it in a forked process, which may join namespaces; what came of it."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(read)
            with open(write, "wb") as out:
                out.write(msgspec.json.encode(do()))
        except BaseException as error:  # noqa: BLE001 - a forked child must not unwind into its parent's frames
            os.write(2, f"{type(error).__name__}: {error}\n".encode())
        finally:
            os._exit(0)
    os.close(write)
    with open(read, "rb") as said:
        foreseen = said.read()
    os.waitpid(child, 0)
    return msgspec.json.decode(foreseen, type=_Foreseen)
