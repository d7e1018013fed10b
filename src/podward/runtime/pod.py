"""One Pod on this machine: what is set aside for it, its containers, and its end."""

from __future__ import annotations

import os
import time

import msgspec

from podward.decision import Decision, Outcome
from podward.errors import PodwardError
from podward.pipeline import ContainerPlan, plan_pod
from podward.policy.kubelet import lifecycle, restarts
from podward.policy.kubelet.lifecycle import ContainerState
from podward.policy.kubelet.resolved_volumes import notes
from podward.policy.runtime import selinux
from podward.runtime import kept
from podward.runtime.container import ContainerRun, PodContext
from podward.runtime.explaining.subject import PodToExplain
from podward.runtime.live_facts import LiveFacts
from podward.runtime.options import Machine, Refused, RunOptions
from podward.runtime.state import PodDirectory
from podward.runtime.volumes import remove_tree

DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"


class PodRun:
    """A Pod that is being run: made by `prepare`, driven by the supervisor, ended by `destroy`."""

    def __init__(self, machine: Machine, options: RunOptions, subject: PodToExplain) -> None:
        self.name = subject.pod.metadata.name or "pod"
        self.namespace = subject.pod.metadata.namespace or "default"
        self.keep = options.keep
        """Whether the Pod stays when we go."""
        self.done = False
        self.stopping = False
        self.exit_code = 0
        self.containers: list[ContainerRun] = []
        self.directory = PodDirectory.create(machine.state)
        self._created = time.time()
        self._machine = machine
        self._options = options
        self._facts = LiveFacts(machine, self.directory, subject)

    # --- before anything starts ---------------------------------------------------------------------------------

    def prepare(self) -> tuple[Refused, ...]:
        """Decide about every container, and set aside what the Pod needs. Refusals of the Pod leave nothing started."""
        plan = plan_pod(self._facts)
        if plan.refusals.refused:
            return (Refused("", plan.refusals),)
        for sentence in notes(Decision(tuple(a for stage in plan.stages for a in stage.decision.assignments))):
            self._machine.report.noted(self.name, sentence)
        machine, several = self._machine, len(plan.containers) > 1
        context = PodContext(self.name, self._facts, machine.runtime, machine.report, self._options, several)
        refused = tuple(Refused(c.container.name, c.refusals, c.kind) for c in plan.containers if c.refusals.refused)
        for container in plan.containers:
            if not container.refusals.refused:
                self.containers.append(ContainerRun(context, container))
                self._note_what_is_not_enforced(container)
                if not_done := restarts.not_done(container.container):
                    self._machine.report.noted(f"{self.name}/{container.container.name}", not_done)
        return refused

    def _note_what_is_not_enforced(self, plan: ContainerPlan) -> None:
        for carried in plan.spec.decision.assignments if plan.spec is not None else ():
            if carried.path == selinux.ANNOTATION:
                self._machine.report.not_enforced(f"{self.name}/{plan.container.name}", str(carried.value))

    # --- running ------------------------------------------------------------------------------------------------

    @property
    def grace_seconds(self) -> float:
        """How long containers may take to end."""
        seconds = self._facts.pod.spec.termination_grace_period_seconds
        return float(30 if seconds is None else seconds)

    def restart_policy(self, container: ContainerRun) -> str:
        """When the container is started again, as long as it runs: rules about exit codes are not asked."""
        own = "" if self._options.for_every_container else container.plan.container.restart_policy
        return own or self._options.restart_policy

    def container(self, name: str) -> ContainerRun:
        """The container of this name."""
        return next(c for c in self.containers if c.name == name)

    def by_pid(self, pid: int) -> ContainerRun | None:
        """The container whose process this is."""
        return next((c for c in self.containers if c.pid == pid), None)

    def running(self) -> tuple[ContainerRun, ...]:
        """Containers with a process."""
        return tuple(c for c in self.containers if c.state is ContainerState.RUNNING)

    def next_actions(self) -> lifecycle.PodActions:
        """What to do now; while the Pod is being stopped that is to wait until nothing runs."""
        if self.stopping:
            return lifecycle.PodActions(done=not self.running(), exit_code=self.exit_code)
        return lifecycle.next_actions(tuple(c.status for c in self.containers), self._options.restart_policy)

    def finish(self, code: int) -> None:
        """Nothing runs any more and nothing will."""
        self.done, self.exit_code = True, code

    def _default_container(self) -> str:
        """The container that is meant where none is named: kubectl's annotation, else the first regular one."""
        named = (self._facts.pod.metadata.annotations or {}).get(DEFAULT_CONTAINER)
        regular = (container.name for container in self.containers if container.kind == "regular")
        return named if any(named == container.name for container in self.containers) and named else next(regular, "")

    # --- the end ------------------------------------------------------------------------------------------------

    def record(self) -> kept.Record:
        """For `podward ps` and those who look at the kept Pod later."""
        return kept.Record(
            name=self.name,
            namespace=self.namespace,
            manifest=self._facts.place.document,
            runtime=self._machine.runtime.engine,
            created=self._created,
            monitor=kept.Process(os.getpid(), kept.start_time(os.getpid())),
            network=self._facts.network(),
            grace_seconds=self.grace_seconds,
            default_container=self._default_container(),
            containers=tuple(
                kept.Container(
                    c.name,
                    c.attempt.id,
                    c.attempt.lasting_directory,
                    kept.Process(c.pid, kept.start_time(c.pid)),
                    c.predicted.value if isinstance(c.predicted, Outcome) else None,
                    c.kind,
                    c.state,
                    c.attempt.number,
                    c.exit_code,
                    c.ready,
                )
                for c in self.containers
            ),
            images=self._facts.image_ids(),
            document=msgspec.Raw(self._options.document),
            options=self._options.options,
        )

    def destroy(self) -> None:
        """End what runs and remove everything; of a Pod to be kept that has ended by itself, its directory stays."""
        stays = self.keep and self.done and not self.stopping
        steps = [step for c in self.containers for step in ((c.end,) if stays else (c.end, c.discard))]
        steps += [self._facts.remove, self.directory.keep if stays else self._remove_directory]
        for step in steps:  # every one, whatever comes of those before it
            try:
                step()
            except (PodwardError, OSError) as error:
                self._machine.report.left_behind(self.name, str(error))
        self._facts.release()
        self.directory.lock.release()

    def _remove_directory(self) -> None:
        """Last, and not where something of the Pod is left: by its directory a later sweep knows of it."""
        self._machine.cgroups.end_pod(self.directory.id)
        with self._machine.state.lock():
            remove_tree(self.directory.path)
