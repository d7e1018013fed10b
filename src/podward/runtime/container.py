"""One container of a Pod: its bundle, its process, its output, its end, and its next attempt."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from podward.api.oci import RuntimeSpec
from podward.api.process import ProcessState
from podward.decision import Decision, Outcome
from podward.errors import PodwardError, RefusedError, RuntimeFailedError
from podward.policy.kubelet import lifecycle
from podward.runtime import processes, rootfs
from podward.runtime.logs import Relay
from podward.runtime.oci import Streams

if TYPE_CHECKING:
    from podward.pipeline import ContainerPlan
    from podward.runtime.pod import PodRun

CANNOT_RUN, CANNOT_EXECUTE, NOT_FOUND = 128, 126, 127
"""Exit codes of a container whose process could not be started: the kubelet's, and what shells and podman make of an
entry that may not be executed, or is not there."""


class ContainerRun:
    """A container's life: `status` says how far it is, for the lifecycle rule."""

    def __init__(self, pod: PodRun, plan: ContainerPlan, kind: str) -> None:
        self.pod = pod
        self.plan = plan
        self.kind = kind
        self.name = plan.container.name
        self.state = "waiting"
        self.exit_code = 0
        self.restarts = 0
        self.pid = 0
        self.failed_to_start = False
        self.predicted: Outcome[ProcessState] | Decision | None = None
        self.observed: ProcessState | None = None
        self._attempt = -1
        self._started = 0.0
        self._relays: dict[int, Relay] = {}
        self._created = False

    @property
    def label(self) -> str:
        """How events name this container."""
        return f"{self.pod.name}/{self.name}"

    @property
    def status(self) -> lifecycle.ContainerStatus:
        """For the lifecycle rule."""
        return lifecycle.ContainerStatus(self.name, self.kind, self.state, self.exit_code)

    @property
    def id(self) -> str:
        """The container's id for the OCI runtime; a new one for each attempt."""
        return f"{self.pod.directory.id}-{self.name}-{self._attempt}"

    @property
    def directory(self) -> str:
        """Bundle, overlay and logs of the current attempt."""
        return f"{self.pod.directory.container(self.name)}/{self._attempt}"

    @property
    def lasting_directory(self) -> str:
        """The same directory by the path that it has for everybody, also once we are gone."""
        return f"{self.pod.directory.path}/containers/{self.name}/{self._attempt}"

    def start(self, now: float) -> tuple[int, ...]:
        """Create and start the next attempt; returns the descriptors to poll for its output.

        A container that can't be created or started has `exited` with 128 afterwards; its reason is reported.
        """
        self.discard()
        self._attempt += 1
        self._started = now
        os.makedirs(self.directory, mode=0o700)
        try:
            self._launch()
        except PodwardError as error:
            self.failed_to_start = True
            self.silence()  # only the runtime wrote there, and its log says the same
            self.pod.report.failed_to_start(self.label, str(error))
            self.finish(_start_code(str(error)))
            return ()
        self.state = "running"
        return tuple(descriptor for descriptor in self._relays if descriptor >= 0)

    def _launch(self) -> None:
        pod = self.pod
        image = self.plan.image
        mapping = pod.facts.userns
        pod.attach_volumes(self)
        pod.open_ways(self)
        userns = pod.sandbox.user_namespace if pod.sandbox is not None else ""
        root = rootfs.mount(pod.image_root(image), self.directory, mapping, userns)
        spec = pod.runtime_spec(self, root)
        if pod.wishes.verify or pod.keep:  # who looks at a kept Pod later wants to see what it drifted from
            from podward.runtime import verifying  # most runs predict nothing, and start-up counts

            self.predicted = verifying.predict_process(self, root, spec)
        try:
            self._create_and_start(spec.value)
        except RuntimeFailedError as error:
            if isinstance(self.predicted, Decision):
                foreseen = self.predicted.violations[0].reason
                raise RefusedError(f"{foreseen} (foreseen; {error.where}: {error.what})") from error
            raise

    def _create_and_start(self, spec: RuntimeSpec) -> None:
        runtime, streams = self.pod.runtime, self._streams()
        try:
            self._created = True
            self.pid = runtime.create(self.id, self.directory, spec, streams)
        finally:
            for descriptor in {streams.stdout, streams.stderr}:
                os.close(descriptor)
        if not self.pod.wishes.verify:
            runtime.start(self.id, self.directory)
            return
        from podward.runtime import verifying

        self.observed = verifying.start_and_see(self, spec)
        self.pod.report.observed(self.label, self.predicted, self.observed)

    def _streams(self) -> Streams:
        """Pipes to us; or, for a Pod that may outlive us, a file that we follow."""
        if self.pod.keep:
            log = f"{self.directory}/log"
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
            written = os.open(log, flags, 0o600)
            self._relays[-1] = Relay(os.open(log, os.O_RDONLY | os.O_CLOEXEC), 1, self.pod.prefix(self))
            return Streams(stdout=written, stderr=written)
        ends = []
        for target in (1, 2):
            read, write = os.pipe2(os.O_CLOEXEC)
            os.set_blocking(read, False)
            self._relays[read] = Relay(read, self.pod.output(target), self.pod.prefix(self))
            ends.append(write)
        return Streams(stdout=ends[0], stderr=ends[1])

    def pump(self, descriptor: int) -> bool:
        """Pass output on; False at the stream's end."""
        relay = self._relays.get(descriptor)
        if relay is None:
            return False
        if relay.pump():
            return True
        del self._relays[descriptor]
        return False

    def pump_log(self) -> None:
        """Pass on what was added to the log file of a Pod that may outlive us."""
        relay = self._relays.get(-1)
        if relay is not None:
            relay.follow()

    def finish(self, code: int) -> tuple[int, ...]:
        """The process has ended: end what is left of the container; returns the descriptors no longer to be polled."""
        self.state, self.exit_code, self.pid = "exited", code, 0
        if self._created:
            self.pod.runtime.delete(self.id, self.directory)
            self._created = False
        self.pump_log()
        gone = tuple(self._relays)
        for relay in self._relays.values():
            relay.drain()
        self._relays.clear()
        return gone

    def silence(self) -> None:
        """Drop the output that was not passed on yet."""
        for relay in self._relays.values():
            os.close(relay.source)
        self._relays.clear()

    def next_restart(self) -> int:
        """Count a restart; returns its number, starting over after a long run."""
        if self.pod.clock() - self._started >= lifecycle.RESET_AFTER:
            self.restarts = 0
        self.restarts += 1
        return self.restarts

    def terminate(self, grace: float) -> float:
        """Ask the process to end; returns after how many seconds it must be killed.

        The first process of a pid namespace never sees a signal that it does not handle, so waiting for one that
        ignores the stop signal would be in vain: it is killed at once.
        """
        if not self.pid:
            return 0.0
        number = self.stop_signal()
        caught = _handles(self.pid, number)
        os.kill(self.pid, number)
        spec = self.pod.facts.pod.spec
        first_of_namespace = not spec.host_pid and not spec.share_process_namespace
        return 0.0 if first_of_namespace and not caught else grace

    def stop_signal(self) -> signal.Signals:
        """The image's StopSignal, else SIGTERM."""
        name = self.plan.image.config.stop_signal
        if name.isdigit() and int(name) in signal.valid_signals():
            return signal.Signals(int(name))
        full = name if name.startswith("SIG") else f"SIG{name}"
        return signal.Signals[full] if full in signal.Signals.__members__ else signal.SIGTERM

    def end(self) -> None:
        """End the process, wait for its end, and forget its output: nobody looks after this container any more."""
        self.silence()
        if self.pid:
            processes.end(self.pid)
        self.finish(self.exit_code)

    def kill(self) -> None:
        """End the process now."""
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)

    def discard(self) -> None:
        """Unmount and remove what an earlier attempt left, except in a kept Pod."""
        if self._attempt >= 0:
            rootfs.unmount(self.directory)
            self.pod.remove(self.directory)


def _start_code(said: str) -> int:
    """The exit code for what the OCI runtime said when it could not start the entry (crun 1.8, runc 1.1)."""
    if ("executable file" in said and "not found" in said) or "No such file or directory" in said:
        return NOT_FOUND
    return CANNOT_EXECUTE if "ermission denied" in said else CANNOT_RUN


def _handles(pid: int, number: signal.Signals) -> bool:
    """Whether the process has a handler for this signal (SigCgt of /proc/PID/status)."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
            for line in file:
                if line.startswith("SigCgt:"):
                    return bool(int(line.split()[1], 16) >> (number - 1) & 1)
    except OSError:
        return False
    return False
