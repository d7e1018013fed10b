"""Pods that `podward run --keep` left: finding them, and ending them."""

from __future__ import annotations

import os

import msgspec
from msgspec import Struct

from podward.api.process import ProcessState
from podward.errors import UsageError
from podward.runtime import sweep
from podward.runtime.cgroups import Cgroups
from podward.runtime.state import State


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
    """A container of a kept Pod: its id, its bundle's directory, its process, and what that was predicted to be."""

    name: str
    id: str
    bundle: str
    process: Process
    predicted: ProcessState | None


class Record(Struct, frozen=True):
    """What is known of a kept Pod: the file `pod.json` of its directory. `document` is the manifest as it was read."""

    name: str
    namespace: str
    manifest: str
    runtime: str
    created: float
    containers: tuple[Container, ...]
    images: tuple[str, ...]
    document: msgspec.Raw
    options: Options


class Kept(Struct, frozen=True):
    """A kept Pod."""

    id: str
    record: Record


def every(state: State) -> tuple[Kept, ...]:
    """All kept Pods, the oldest first."""
    found = []
    for name in os.listdir(state.pods):
        try:
            with open(f"{state.pods}/{name}/pod.json", "rb") as file:
                record = msgspec.json.decode(file.read(), type=Record)
        except (FileNotFoundError, NotADirectoryError):
            continue
        if os.path.exists(f"{state.pods}/{name}/kept"):
            found.append(Kept(name, record))
    return tuple(sorted(found, key=lambda pod: pod.record.created))


def find(pods: tuple[Kept, ...], word: str) -> tuple[Kept, ...]:
    """The Pods of this id or name. Raises UsageError if there is none."""
    found = tuple(pod for pod in pods if word in (pod.id, pod.record.name))
    if not found:
        raise UsageError(f"no kept Pod is called {word}", advice="`podward ps` lists them")
    return found


def remove(state: State, pod: Kept) -> None:
    """End the Pod's containers and remove its directory. Raises NodeError where something of it stays."""
    cgroups = Cgroups.here()
    try:
        with state.lock():
            sweep.remove(state, cgroups, pod.id)
    finally:
        cgroups.close()


def living(record: Record) -> tuple[int, ...]:
    """The pids of the Pod's containers that still run."""
    processes = (container.process for container in record.containers)
    return tuple(p.pid for p in processes if p.pid and start_time(p.pid) == p.started)


def start_time(pid: int) -> int:
    """When the process was started, in clock ticks since boot (proc(5), field 22 of stat); 0 if there is none."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return int(file.read().rpartition(")")[2].split()[19])
    except OSError:
        return 0
