"""Pods that `podward run --keep` left: finding them, and ending them.

While such a Pod runs, a monitor has it: a process of ours that holds the lock of the Pod's directory. A Pod that has
ended by itself has none, and is marked as kept. A Pod that is neither was left by a monitor that was killed: the sweep
of the next run removes it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time

import msgspec
from msgspec import Struct

from podward.api.process import ProcessState
from podward.errors import NodeError, UsageError
from podward.policy.kubelet.lifecycle import ContainerState
from podward.runtime import sweep
from podward.runtime.cgroups import Cgroups
from podward.runtime.oci import Engine, OciRuntime, write_private
from podward.runtime.state import State

PATIENCE = 15.0
"""Seconds beyond the grace period that a monitor has to end its Pod."""
END = (signal.SIGTERM,)
END_NOW = (signal.SIGTERM, signal.SIGINT)
"""What asks a monitor to end its Pod, within its grace period or at once.

It hears each of them once, so whoever asks for the same again changes nothing. Two different signals mean at once: of
one signal that is sent twice the kernel may deliver only one.
"""


class Process(Struct, frozen=True):
    """A container's first process; `started` (clock ticks since boot) tells it from a later one of the same pid."""

    pid: int
    started: int


class Options(Struct, frozen=True):
    """How the node was configured for the run, in the words of `podward run`."""

    runtime: str = "auto"
    runtime_defaults: str = "containerd"
    seccomp_default: bool = False
    seccomp_root: str = "/var/lib/kubelet/seccomp"
    allowed_unsafe_sysctls: str = ""


class Container(Struct, frozen=True):
    """A container of a kept Pod: its id, its bundle's directory, its process, and what that was predicted to be.

    `kind` is `init`, `sidecar` or `regular`; `attempt` counts its runs from 0; `exit_code` is the last run's.
    """

    name: str
    id: str
    bundle: str
    process: Process
    predicted: ProcessState | None
    kind: str
    state: ContainerState
    attempt: int
    exit_code: int
    ready: bool


class Record(Struct, frozen=True):
    """What is known of a kept Pod: the file `pod.json` of its directory. `document` is the manifest as it was read.

    `monitor` is the process that has it. `network` is the path of its network namespace in the monitor's mount
    namespace; empty where it uses the host's. `default_container` is the one that is meant where none is named.
    """

    name: str
    namespace: str
    manifest: str
    runtime: Engine
    created: float
    monitor: Process
    network: str
    grace_seconds: float
    default_container: str
    containers: tuple[Container, ...]
    images: tuple[str, ...]
    document: msgspec.Raw
    options: Options


class Kept(Struct, frozen=True):
    """A kept Pod; `directory` is all that is kept of it."""

    id: str
    directory: str
    record: Record

    @property
    def status(self) -> str:
        """How it is, in the words of a Pod's phase; Lost where its monitor was killed."""
        ended = os.path.exists(f"{self.directory}/kept")
        if not ended and not alive(self.record.monitor):
            return "Lost"
        states = tuple(c for c in self.record.containers if c.kind == "regular")
        if not ended:
            return "Running" if all(c.state is not ContainerState.WAITING for c in states) else "Pending"
        return "Failed" if any(c.exit_code for c in states) else "Succeeded"


def write(directory: str, record: Record) -> None:
    """Note what is known of the Pod, so that whoever reads has either all of it or what was known before."""
    write_private(f"{directory}/pod.json.new", msgspec.json.encode(record))
    os.replace(f"{directory}/pod.json.new", f"{directory}/pod.json")


def every(state: State) -> tuple[Kept, ...]:
    """All kept Pods, the oldest first."""
    found = []
    for name in os.listdir(state.pods):
        try:
            with open(f"{state.pods}/{name}/pod.json", "rb") as file:
                record = msgspec.json.decode(file.read(), type=Record)
        except (FileNotFoundError, NotADirectoryError, msgspec.DecodeError):
            continue  # a Pod that is not kept, or was kept by another version: the sweep's business
        found.append(Kept(name, f"{state.pods}/{name}", record))
    return tuple(sorted(found, key=lambda pod: pod.record.created))


def find(pods: tuple[Kept, ...], word: str) -> tuple[Kept, ...]:
    """The Pods of this id or name. Raises UsageError if there is none."""
    found = tuple(pod for pod in pods if word in (pod.id, pod.record.name))
    if not found:
        raise UsageError(f"no kept Pod is called {word}", advice="`podward ps` lists them")
    return found


def the_one(state: State, word: str) -> Kept:
    """The Pod of this id or name. Raises UsageError if there is none, or more than one."""
    found = find(every(state), word)
    if len(found) > 1:
        ids = ", ".join(pod.id for pod in found)
        raise UsageError(f"{len(found)} kept Pods are called {word}", advice=f"name one by its id: {ids}")
    return found[0]


def container(pod: Kept, name: str) -> Container:
    """The container of this name, or with none the one that is meant then. Raises UsageError if there is none."""
    wanted = name or pod.record.default_container
    names = [each.name for each in pod.record.containers]
    if wanted not in names:
        raise UsageError(f"Pod {pod.record.name} has no container {wanted}", advice=f"it has {', '.join(names)}")
    return pod.record.containers[names.index(wanted)]


def running_container(pod: Kept, name: str) -> Container:
    """The container to run something in. Raises UsageError if there is none, NodeError if it does not run."""
    found = container(pod, name)
    if not alive(found.process):
        raise NodeError(
            f"container {found.name} of Pod {pod.record.name} does not run",
            advice=f"the Pod is {pod.status}; `podward logs {pod.id} -c {found.name}` shows what it printed",
        )
    return found


def runtime(state: State, record: Record) -> OciRuntime:
    """The OCI runtime that has the Pod's containers."""
    return OciRuntime(record.runtime, f"{state.oci}/{record.runtime.kind}")


def ask_to_end(pod: Kept, *signals: signal.Signals) -> None:
    """Send signals to the Pod's monitor: END, or END_NOW."""
    with contextlib.suppress(ProcessLookupError):
        descriptor = os.pidfd_open(pod.record.monitor.pid)
        try:
            if alive(pod.record.monitor):  # asked once the descriptor holds the pid: it is the monitor's or nobody's
                for number in signals:
                    signal.pidfd_send_signal(descriptor, number)
        finally:
            os.close(descriptor)


def remove(state: State, pod: Kept) -> None:
    """Wait for the end of a Pod whose monitor was asked for it, and remove what is left.

    Raises NodeError where something of it stays.
    """
    deadline = time.monotonic() + pod.record.grace_seconds + PATIENCE
    while alive(pod.record.monitor) and time.monotonic() < deadline:
        time.sleep(0.01)
    ask_to_end(pod, signal.SIGKILL)
    while alive(pod.record.monitor):
        time.sleep(0.01)
    cgroups = Cgroups.here()
    try:
        with state.lock():
            if os.path.isdir(pod.directory):
                sweep.remove(state, cgroups, pod.id)
    finally:
        cgroups.close()


def alive(process: Process) -> bool:
    """Whether this very process is still there."""
    return bool(process.pid) and start_time(process.pid) == process.started


def living(record: Record) -> tuple[int, ...]:
    """The pids of the Pod's containers that still run."""
    processes = (container.process for container in record.containers)
    return tuple(process.pid for process in processes if alive(process))


def start_time(pid: int) -> int:
    """When the process was started, in clock ticks since boot (proc(5), field 22 of stat); 0 if it has ended."""
    try:
        with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:
            fields = file.read(4096).rpartition(b")")[2].split()
        return 0 if fields[0] in (b"Z", b"X") else int(fields[19])
    except OSError:
        return 0
