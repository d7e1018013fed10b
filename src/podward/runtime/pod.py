"""One Pod on this machine: what is set aside for it, its containers, and its end."""

from __future__ import annotations

import os
import time

import msgspec
from msgspec import Struct

from podward.api.core import Container
from podward.api.cri import IDMapping, PodSandboxConfig
from podward.api.effective import Place
from podward.api.image import Image
from podward.api.node import Node
from podward.api.oci import RuntimeSpec
from podward.decision import Decision, Outcome
from podward.errors import RefusedError
from podward.pipeline import OciFacts, PodFacts, admit, plan_container, plan_runtime, plan_sandbox
from podward.policy.kubelet import lifecycle
from podward.policy.runtime.mounts import SandboxFiles
from podward.policy.runtime.namespaces import NamespacePaths
from podward.runtime import (
    cgroups,
    confine,
    devices,
    hostfiles,
    kept,
    machine,
    namespaces,
    pause,
    profiles,
    syscalls,
    userns,
)
from podward.runtime.container import ContainerRun
from podward.runtime.images.store import ImageStore, StoredImage
from podward.runtime.oci import OciRuntime, write_private
from podward.runtime.report import Report
from podward.runtime.state import Lock, PodDirectory, State
from podward.runtime.volumes import PodVolumes, remove_tree

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i686": "386"}
"""Go's names of what uname(2) calls the machine."""


class Machine(Struct, frozen=True):
    """What every Pod of a call is run with.

    `cgroup_v2`: whether the OCI runtime finds a pure cgroup2 hierarchy.
    """

    node: Node
    state: State
    images: ImageStore
    runtime: OciRuntime
    report: Report
    cgroup_v2: bool = False


class Wishes(Struct, frozen=True):
    """What the caller asked for beside the manifest.

    `verify` observes each container's process as it executes; `stdout` and `stderr` are where output goes;
    `name_lines` puts the container's name before each line.
    """

    restart_policy: str
    keep: bool = False
    verify: bool = False
    stdout: int = 1
    stderr: int = 2
    name_lines: bool = False


class Refused(Struct, frozen=True):
    """What was refused, about the Pod or about one container."""

    container: str
    decision: Decision


class PodRun:
    """A Pod that is being run: made by `prepare`, driven by the supervisor, ended by `destroy`."""

    def __init__(self, machine: Machine, wishes: Wishes, facts: PodFacts) -> None:
        self.machine = machine
        self.wishes = wishes
        self.facts = facts
        self.name = facts.pod.metadata.name or "pod"
        self.done = False
        self.stopping = False
        self.exit_code = 0
        self.containers: list[ContainerRun] = []
        self.namespaces: dict[str, str] = {}
        self.sandbox: Outcome[PodSandboxConfig]
        self._held: list[Lock] = []
        self._images: dict[str, StoredImage] = {}
        self._files: hostfiles.HostFiles
        self._volumes: PodVolumes | None = None
        self._pause: pause.Pause | None = None
        self.directory = PodDirectory.create(machine.state)

    # --- before anything starts ---------------------------------------------------------------------------------

    def prepare(self) -> tuple[Refused, ...]:
        """Decide about every container, then set aside what the Pod needs. Refusals leave nothing started."""
        spec = self.facts.pod.spec
        refused = admit(self.facts)
        if refused.refused:
            return (Refused("", refused),)
        if spec.host_users is False and self.machine.node.userns_supported:
            self.facts = _with_userns(self.facts, userns.allocate(self.machine.state, self.directory))
            confine.expose(self.directory)
        planned = plan_sandbox(self.facts)
        if isinstance(planned, Decision):
            return (Refused("", planned),)
        self.sandbox = planned
        self._make_namespaces()
        self._volumes = volumes = PodVolumes(
            self.directory.work,
            self.facts.pod,
            self.facts.place,
            userns=self.namespaces.get("user", ""),
        )
        made = volumes.prepare()
        if made.refused:
            return (Refused("", Decision(violations=made.violations)),)
        if self.facts.pod.spec.share_process_namespace and not self.facts.pod.spec.host_pid:
            self._pause = pause.start(self)
            self.namespaces["pid"] = f"/proc/{self._pause.pid}/ns/pid"
        refusals: list[Refused] = []
        for kind, place, container in _ordered(self.facts):
            refusals += self._plan(kind, place, container, volumes)
        return tuple(refusals)

    def _plan(self, kind: str, place: Place, container: Container, volumes: PodVolumes) -> list[Refused]:
        stored = self.machine.images.resolve(container.image or "")
        self._held.append(self.machine.images.hold(stored))
        self._images[stored.id] = stored
        attached = volumes.mounts(container, place)
        if attached.decision.refused:
            return [Refused(container.name, Decision(violations=attached.decision.violations))]
        plan = plan_container(self.facts, place, container, self.machine.images.load(stored), attached.mounts)
        if plan.config is None:
            return [Refused(container.name, plan.refusals)]
        run = ContainerRun(self, plan, kind)
        decided = self._decide(run, f"{run.directory}/rootfs")
        if decided.refused:
            return [Refused(container.name, Decision(violations=decided.violations))]
        self.containers.append(run)
        return []

    def _make_namespaces(self) -> None:
        spec, sandbox = self.facts.pod.spec, self.sandbox.value
        sysctls = tuple(sandbox.sysctls.items())
        wanted = namespaces.Wanted(
            ipc=not spec.host_ipc,
            net=not spec.host_network,
            hostname="" if spec.host_network else sandbox.hostname,
            mapping=self.facts.userns,
            sysctls=sysctls,
        )
        self.namespaces = namespaces.make(wanted, f"{self.directory.work}/ns")
        self._files = hostfiles.prepare(
            self.directory.work,
            sandbox.hostname,
            host_network=bool(spec.host_network),
            host_ipc=bool(spec.host_ipc),
            mapping=self.facts.userns,
        )

    # --- deciding -----------------------------------------------------------------------------------------------

    def runtime_spec(self, container: ContainerRun, root: str) -> Outcome[RuntimeSpec]:
        """The runtime spec of this attempt; raises RefusedError where it can't be made."""
        decided = self._decide(container, root)
        if decided.refused:
            raise RefusedError(decided.violations[0].reason)
        return Outcome(decided.fold(RuntimeSpec), decided)

    def _decide(self, container: ContainerRun, root: str) -> Decision:
        config = container.plan.config
        if config is None:
            return container.plan.refusals
        context, node = config.value.security_context, self.machine.node
        return plan_runtime(
            OciFacts(
                config=config.value,
                sandbox=self.sandbox.value,
                image=container.plan.image,
                node=node,
                rootfs=root,
                origin=config.decision,
                cgroups_path=cgroups.name(container.id),
                namespaces=NamespacePaths(**self.namespaces),
                files=SandboxFiles(self._files.hostname, self._files.hosts, self._files.resolv_conf, self._files.shm),
                localhost_seccomp=profiles.localhost(context.seccomp, node.seccomp_root),
                host_devices=devices.host_devices() if context.privileged else (),
                arch=_ARCHITECTURES.get(os.uname().machine, os.uname().machine),
                cgroup_v2=self.machine.cgroup_v2,
                node_hostname=os.uname().nodename,
                oom_score_adj=machine.oom_score_adj(),
            )
        )

    # --- running ------------------------------------------------------------------------------------------------

    @property
    def report(self) -> Report:
        """Where events go."""
        return self.machine.report

    @property
    def runtime(self) -> OciRuntime:
        """The OCI runtime."""
        return self.machine.runtime

    @property
    def keep(self) -> bool:
        """Whether the Pod stays when we go."""
        return self.wishes.keep

    @property
    def grace_seconds(self) -> float:
        """How long containers may take to end."""
        seconds = self.facts.pod.spec.termination_grace_period_seconds
        return float(30 if seconds is None else seconds)

    def clock(self) -> float:
        """Seconds, monotonic."""
        return time.monotonic()

    def output(self, target: int) -> int:
        """Where a container's stream 1 or 2 goes."""
        return self.wishes.stdout if target == 1 else self.wishes.stderr

    def prefix(self, container: ContainerRun) -> str:
        """The name before each line of a container's output; empty where one container is all there is."""
        return container.name if self.wishes.name_lines or len(self.containers) > 1 else ""

    def open_ways(self, container: ContainerRun) -> None:
        """Let the Pod's user namespace reach what the container mounts."""
        config = container.plan.config
        mounted = tuple(mount.host_path for mount in config.value.mounts) if config is not None else ()
        for target in (f"{container.directory}/rootfs", self._files.shm, *mounted):
            self.directory.open_way(target)

    def image_root(self, image: Image) -> str:
        """The unpacked files of an image that this Pod holds."""
        return self._images[image.id].rootfs

    def container(self, name: str) -> ContainerRun:
        """The container of this name."""
        return next(c for c in self.containers if c.name == name)

    def by_pid(self, pid: int) -> ContainerRun | None:
        """The container whose process this is."""
        return next((c for c in self.containers if c.pid == pid), None)

    def running(self) -> tuple[ContainerRun, ...]:
        """Containers with a process."""
        return tuple(c for c in self.containers if c.state == "running")

    def next_actions(self) -> lifecycle.Actions:
        """What to do now."""
        return lifecycle.next_actions(tuple(c.status for c in self.containers), self.wishes.restart_policy)

    def stopping_actions(self) -> lifecycle.Actions:
        """What to do while the Pod is being stopped: wait until nothing runs."""
        return lifecycle.Actions(done=not self.running(), exit_code=self.exit_code)

    def attach_volumes(self, container: ContainerRun) -> None:
        """Bind the container's subPaths, as before each start; raises RefusedError where one can't be."""
        attached = self._volumes.attach(container.name) if self._volumes is not None else Decision()
        if attached.refused:
            raise RefusedError(attached.violations[0].reason)

    def start(self, container: ContainerRun) -> tuple[int, ...]:
        """Start the container's next attempt; returns descriptors to poll."""
        return container.start(self.clock())

    def finish(self, code: int) -> None:
        """Nothing runs any more and nothing will."""
        self.done, self.exit_code = True, code

    def pump_logs(self) -> None:
        """Pass on what containers of a kept Pod have written."""
        for container in self.containers:
            container.pump_log()

    # --- the end ------------------------------------------------------------------------------------------------

    def leave_running(self) -> None:
        """Stop looking after the Pod without ending it."""
        self.done = True

    def record(self) -> kept.Record:
        """For `podward ps` and those who look at the kept Pod later."""
        return kept.Record(
            name=self.name,
            namespace=self.facts.pod.metadata.namespace or "default",
            manifest=self.facts.place.document,
            runtime=self.runtime.kind,
            created=time.time(),
            containers=tuple(c.id for c in self.containers),
            images=tuple(self._images),
            processes=tuple(kept.Process(c.pid, kept.start_time(c.pid)) for c in self.containers),
        )

    def destroy(self) -> None:
        """End what runs and remove everything; a Pod to be kept, once done or left, is recorded instead."""
        if self.keep and self.done:
            write_private(f"{self.directory.path}/pod.json", msgspec.json.encode(self.record()))
            self.directory.keep()
        else:
            for container in self.containers:
                container.silence()
                container.kill()
                container.finish(container.exit_code)
                container.discard()
            if self._pause is not None:
                self._pause.end()
            for name in (*(f"ns/{kind}" for kind in self.namespaces), "shm"):
                syscalls.unmount_if_mounted(f"{self.directory.work}/{name}")
            if self._volumes is not None:
                self._volumes.remove()
            if self.directory.work != self.directory.path:
                syscalls.unmount_if_mounted(self.directory.work)
            with self.machine.state.lock():
                remove_tree(self.directory.path)
        for lock in self._held:
            lock.release()
        self.directory.lock.release()

    def remove(self, directory: str) -> None:
        """Remove a directory of this Pod; nothing in it is followed or crossed."""
        remove_tree(directory)


def _ordered(facts: PodFacts) -> tuple[tuple[str, Place, Container], ...]:
    """Init containers (`init`, or `sidecar` with a restart policy of their own), then the regular ones."""
    spec, base = facts.pod.spec, facts.place.pod / "spec"
    rows = []
    for field, containers in (("initContainers", spec.init_containers), ("containers", spec.containers)):
        for index, container in enumerate(containers or ()):
            kind = "regular"
            if field == "initContainers":
                kind = "sidecar" if container.restart_policy == "Always" else "init"
            rows.append((kind, Place(facts.place.document, facts.place.pod, base / field / index), container))
    return tuple(rows)


def _with_userns(facts: PodFacts, mapping: IDMapping) -> PodFacts:
    return PodFacts(facts.pod, facts.place, facts.node, facts.hostname, mapping)
