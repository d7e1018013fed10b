"""One container of a Pod: its bundle, its process, its output, its end, and its next attempt."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from msgspec import Struct

from podward.api.oci import RuntimeSpec
from podward.api.process import ProcessState
from podward.decision import Decision, Outcome
from podward.errors import PodwardError, RefusedError, RuntimeFailedError
from podward.pipeline import ContainerPlan, predict, runtime_spec
from podward.policy.kernel import exec_arguments
from podward.policy.kubelet import lifecycle, restarts
from podward.policy.kubelet.lifecycle import ContainerState
from podward.runtime import container_root, container_stop, machine, processes
from podward.runtime.live_facts import Attempt, LiveFacts
from podward.runtime.logs import Output, Relay, Sink, WatchedOutput
from podward.runtime.oci import OciRuntime, code_of_failure
from podward.runtime.options import RunOptions
from podward.runtime.report import Reporter
from podward.runtime.streams import ContainerStreams

if TYPE_CHECKING:
    from podward.runtime.handlers import Target
    from podward.runtime.stdin import ContainerInput


class PodContext(Struct, frozen=True):
    """What a container needs of its Pod. `name` is the Pod's; `several`: it has more than one container."""

    name: str
    facts: LiveFacts
    runtime: OciRuntime
    report: Reporter
    options: RunOptions
    several: bool


class ContainerRun:
    """A container's life: `status` says how far it is, for the lifecycle rule."""

    def __init__(self, pod: PodContext, plan: ContainerPlan) -> None:
        self.plan = plan
        self.kind = plan.kind
        self.name = plan.container.name
        self.label = f"{pod.name}/{self.name}"
        """How events name this container."""
        self.state = ContainerState.WAITING
        self.exit_code = 0
        self.restarts = 0
        self.pid = 0
        self.failed_to_start = False
        self.starting = False
        """Whether what comes after it in the Pod must wait, though it runs."""
        self.unhealthy = False
        """Whether a probe's failure has ended this run, or is about to."""
        self.ready = False
        self.predicted: Outcome[ProcessState] | Decision | None = None
        self.observed: ProcessState | None = None
        self._pod = pod
        self._started = 0.0
        self.input: ContainerInput | None = None
        """Our end of its standard input, where it asks for one and has not ended."""
        self._relays: dict[int, Relay] = {}
        self._created = False

    @property
    def status(self) -> lifecycle.ContainerStatus:
        """For the lifecycle rule."""
        spec = self.plan.container
        own = "" if self._pod.options.for_every_container else restarts.own_policy(spec, self.exit_code)
        return lifecycle.ContainerStatus(
            self.name,
            self.kind,
            self.state,
            self.exit_code,
            self.starting,
            self.unhealthy,
            spec.target_container_name or "",
            own,
        )

    @property
    def attempt(self) -> Attempt:
        """The current attempt: the container's id for the OCI runtime, and its directory."""
        return self._pod.facts.attempt(self.name)

    def start(self, now: float) -> tuple[int, ...]:
        """Create and start the next attempt; returns the descriptors to poll for its output.

        A container that can't be created or started has `exited` with 128 afterwards; its reason is reported.
        """
        self.discard()
        self._pod.facts.next_attempt(self.name)
        self._started = now
        self.starting = self.unhealthy = self.failed_to_start = False
        self.ready = self.plan.container.readiness_probe is None
        try:
            self._launch()
        except PodwardError as error:
            self.failed_to_start = True
            self.silence()  # only the runtime wrote there, and its log says the same
            self._pod.report.failed_to_start(self.label, self._without_values(str(error)))
            self.finish(code_of_failure(str(error)))
            return ()
        self._become(ContainerState.RUNNING)
        return tuple(self._relays)

    @property
    def attended(self) -> bool:
        """Whether it has probes or lifecycle hooks."""
        spec = self.plan.container
        return bool(spec.liveness_probe or spec.readiness_probe or spec.startup_probe or spec.lifecycle)

    def target(self) -> Target:
        """The running container, for its probes and hooks."""
        from podward.runtime.execution import Execution
        from podward.runtime.handlers import Target

        network, address = self._pod.facts.reached_from()
        attempt, runtime = self.attempt, self._pod.runtime
        return Target(self.plan.container, lambda: Execution(runtime, attempt.id, attempt.directory), network, address)

    def _without_values(self, reason: str) -> str:
        """What a runtime says, without the values of variables that it repeats from the command."""
        from podward.render.written_words import as_written, with_written_words  # when something fails

        config = self.plan.config.value if self.plan.config is not None else None
        if config is None:
            return reason
        written = self.plan.container
        words: dict[str, str] = {}
        for given, own in ((config.command, written.command), (config.args, written.args)):
            words |= as_written(given, own) if own else {}  # the image's words are put together of nothing
        return with_written_words(reason, words)

    def _launch(self) -> None:
        facts, options = self._pod.facts, self._pod.options
        facts.set_aside(self.plan)
        spec = runtime_spec(facts, self.plan)
        if isinstance(spec, Decision):
            raise RefusedError(spec.violations[0].reason)
        for unknown in spec.decision.unknowns:  # who it would be is not known: a default must not run in its place
            raise RefusedError(unknown.why, advice=unknown.remedy)
        if (refused := exec_arguments.decide(spec.value.process, machine.stack_limit())).refused:
            raise RefusedError(refused.violations[0].reason)
        if options.verify or options.keep:  # who looks at a kept Pod later wants to see what it drifted from
            self.predicted = predict(facts, self.plan, spec)
        if unsafe := container_root.unsafe_place(self.attempt.directory, spec.value.mounts):
            raise RefusedError(f"container {self.name}: {unsafe}", advice="have a regular file or directory there")
        try:
            self._create_and_start(spec.value)
        except RuntimeFailedError as error:
            if isinstance(self.predicted, Decision):
                foreseen = self.predicted.violations[0].reason
                raise RefusedError(f"{foreseen} (foreseen; {error.where}: {error.what})") from error
            raise

    def _create_and_start(self, spec: RuntimeSpec) -> None:
        runtime, streams, attempt = self._pod.runtime, self._streams(), self.attempt
        try:
            self._created = True
            self.pid = runtime.create(attempt.id, attempt.directory, spec, streams.given)
            self._pod.facts.note_process(self.name, self.pid)
            streams.created()
        finally:
            streams.release()
            self._relays, self.input = streams.relays, streams.input
        if not self._pod.options.verify:
            runtime.start(attempt.id, attempt.directory)
            return
        from podward.runtime import device_list, observe  # most runs observe nothing, and start-up counts

        devices = device_list.open_devices(self.pid, attempt.directory)
        with observe.stop_at_exec(self.pid) as held:
            self.observed = held.started(runtime, attempt, spec, devices)
        self._pod.report.observed(self.label, self.predicted, self.observed)

    def _streams(self) -> ContainerStreams:
        stdout, stderr = self._sinks()
        return ContainerStreams(self.attempt.directory, self.plan.container, stdout, stderr)

    def _sinks(self) -> tuple[Sink, Sink]:
        """Where its output goes: ours, or the log file of a kept Pod."""
        options = self._pod.options
        if options.keep:
            from podward.runtime.cri_log import LogFile

            log = LogFile(self._pod.facts.log_file(self.name))
            return log.stream("stdout"), log.stream("stderr")
        prefix = self.name if options.name_lines or self._pod.several else ""
        report, label = self._pod.report, self.label
        out, err = Output(options.stdout, prefix), Output(options.stderr, prefix)
        return out, WatchedOutput(err, lambda printed: report.printed_denial(label, printed))

    def pump(self, descriptor: int) -> bool:
        """Pass output on; False at the stream's end."""
        relay = self._relays.get(descriptor)
        if relay is None:
            return False
        if relay.pump():
            return True
        del self._relays[descriptor]
        return False

    def finish(self, code: int) -> tuple[int, ...]:
        """The process has ended: end what is left of the container; returns the descriptors no longer to be polled."""
        self._become(ContainerState.EXITED)
        self.exit_code, self.pid, self.starting, self.ready = code, 0, False, False
        self._pod.facts.note_process(self.name, 0)
        if self._created:
            self._created = False
            try:
                self._pod.runtime.delete(self.attempt.id, self.attempt.directory)
            except (PodwardError, OSError) as error:
                self._pod.report.left_behind(self.label, str(error))
        if self.input is not None:
            self.input.close()
            self.input = None
        gone = tuple(self._relays)
        for relay in self._relays.values():
            relay.drain()
        self._relays.clear()
        return gone

    def _become(self, state: ContainerState) -> None:
        if state not in lifecycle.FOLLOWS[self.state]:
            raise ValueError(f"container {self.name} cannot become {state.value}: it is {self.state.value}")
        self.state = state

    def silence(self) -> None:
        """Drop the output that was not passed on yet."""
        for relay in self._relays.values():
            os.close(relay.source)
        self._relays.clear()

    def next_restart(self, now: float) -> int:
        """Count a restart; returns its number, starting over after a long run."""
        if now - self._started >= lifecycle.RESET_AFTER:
            self.restarts = 0
        self.restarts += 1
        return self.restarts

    def terminate(self, grace: float) -> float:
        """Ask the process to end; returns after how many seconds it must be killed.

        The first process of a pid namespace never sees a signal for which it has no handler: it is killed at once, so
        that Ctrl-C is not in vain, unless a preStop hook may have told it to end. Who ignores the signal, or blocks it,
        has his time.
        """
        if not self.pid:
            return 0.0
        number = self.stop_signal()
        taken = container_stop.is_taken(self.pid, number)
        os.kill(self.pid, number)
        spec = self._pod.facts.pod.spec
        shared = spec.host_pid or spec.share_process_namespace or self.plan.container.target_container_name
        lifecycle = self.plan.container.lifecycle
        told = taken or bool(shared) or (lifecycle is not None and lifecycle.pre_stop is not None)
        return grace if told else 0.0

    def stop_signal(self) -> int:
        """The signal that asks it to end."""
        return container_stop.number(self._pod.facts.image(self.plan.container).config.stop_signal)

    def end(self) -> None:
        """End the process, wait for its end, and forget its output: nobody looks after this container any more."""
        self.silence()
        if self.pid:
            processes.end(self.pid)
        self.finish(self.exit_code)

    def kill(self) -> None:
        """End the process now, and all others of the container."""
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            self._pod.runtime.kill(self.attempt.id)

    def discard(self) -> None:
        """Unmount and remove what an earlier attempt left, except in a kept Pod."""
        self._pod.facts.discard(self.name)
