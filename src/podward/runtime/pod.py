"""One Pod on this machine: what is set aside for it, its containers, and its end."""

from __future__ import annotations

import os
import time

import msgspec

from podward.api.core import Container
from podward.api.cri import IDMapping
from podward.api.effective import Place
from podward.api.image import Image
from podward.api.oci import RuntimeSpec
from podward.decision import Decision, Outcome
from podward.errors import RefusedError
from podward.pipeline import OciFacts, PodFacts, admit, in_order, plan_container, plan_runtime, plan_sandbox
from podward.policy.kubelet import lifecycle
from podward.policy.runtime import selinux
from podward.runtime import cgroups, devices, kept, machine, mount_namespace, profiles, syscalls, userns
from podward.runtime.container import ContainerRun
from podward.runtime.images.store import StoredImage
from podward.runtime.oci import OciRuntime, write_private
from podward.runtime.options import Machine, Refused, RunOptions
from podward.runtime.report import Reporter
from podward.runtime.sandbox import Sandbox
from podward.runtime.state import Lock, PodDirectory
from podward.runtime.volumes import PodVolumes, remove_tree

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i686": "386"}
"""Go's names of what uname(2) calls the machine."""


class PodRun:
    """A Pod that is being run: made by `prepare`, driven by the supervisor, ended by `destroy`."""

    def __init__(self, machine: Machine, wishes: RunOptions, facts: PodFacts) -> None:
        self.machine = machine
        self.wishes = wishes
        self.facts = facts
        self.name = facts.pod.metadata.name or "pod"
        self.done = False
        self.stopping = False
        self.exit_code = 0
        self.containers: list[ContainerRun] = []
        self.sandbox: Sandbox | None = None
        self._held: list[Lock] = []
        self._images: dict[str, StoredImage] = {}
        self._volumes: PodVolumes | None = None
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
            mount_namespace.expose(self.directory)
        planned = plan_sandbox(self.facts)
        if isinstance(planned, Decision):
            return (Refused("", planned),)
        self.sandbox = sandbox = Sandbox(self.directory, spec, planned.value, self.facts.userns)
        self._volumes = volumes = PodVolumes(
            self.directory.work, self.facts.pod, self.facts.place, userns=sandbox.user_namespace
        )
        made = volumes.prepare()
        if made.refused:
            return (Refused("", Decision(violations=made.violations)),)
        if spec.share_process_namespace and not spec.host_pid:
            sandbox.share_processes(self.runtime)
        refusals: list[Refused] = []
        for kind, place, container in in_order(self.facts.pod, self.facts.place):
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
        for carried in decided.assignments:
            if carried.path == selinux.ANNOTATION:
                self.report.not_enforced(run.label, str(carried.value))
        return []

    # --- deciding -----------------------------------------------------------------------------------------------

    def runtime_spec(self, container: ContainerRun, root: str) -> Outcome[RuntimeSpec]:
        """The runtime spec of this attempt; raises RefusedError where it can't be made."""
        decided = self._decide(container, root)
        if decided.refused:
            raise RefusedError(decided.violations[0].reason)
        return Outcome(decided.fold(RuntimeSpec), decided)

    def _decide(self, container: ContainerRun, root: str) -> Decision:
        config, sandbox = container.plan.config, self.sandbox
        if config is None or sandbox is None:
            return container.plan.refusals
        context, node = config.value.security_context, self.machine.node
        return plan_runtime(
            OciFacts(
                config=config.value,
                sandbox=sandbox.config,
                image=container.plan.image,
                node=node,
                rootfs=root,
                origin=config.decision,
                cgroups_path=cgroups.name(container.id),
                namespaces=sandbox.namespaces,
                files=sandbox.files,
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
    def report(self) -> Reporter:
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
        config, sandbox = container.plan.config, self.sandbox
        if config is not None and sandbox is not None and sandbox.mapping is not None:
            mounted = (mount.host_path for mount in config.value.mounts)
            for target in (f"{container.directory}/rootfs", sandbox.files.shm, *mounted):
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

    def next_actions(self) -> lifecycle.PodActions:
        """What to do now."""
        return lifecycle.next_actions(tuple(c.status for c in self.containers), self.wishes.restart_policy)

    def stopping_actions(self) -> lifecycle.PodActions:
        """What to do while the Pod is being stopped: wait until nothing runs."""
        return lifecycle.PodActions(done=not self.running(), exit_code=self.exit_code)

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
            containers=tuple(
                kept.Container(
                    c.name,
                    c.id,
                    c.lasting_directory,
                    kept.Process(c.pid, kept.start_time(c.pid)),
                    c.predicted.value if isinstance(c.predicted, Outcome) else None,
                )
                for c in self.containers
            ),
            images=tuple(self._images),
            document=msgspec.Raw(self.wishes.document),
            options=self.wishes.options,
        )

    def destroy(self) -> None:
        """End what runs and remove everything; a Pod to be kept, once done or left, is recorded instead."""
        if self.keep and self.done:
            write_private(f"{self.directory.path}/pod.json", msgspec.json.encode(self.record()))
            self.directory.keep()
        else:
            for container in self.containers:
                container.end()
                container.discard()
            if self.sandbox is not None:
                self.sandbox.end()
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


def _with_userns(facts: PodFacts, mapping: IDMapping) -> PodFacts:
    return PodFacts(facts.pod, facts.place, facts.node, facts.hostname, mapping)
