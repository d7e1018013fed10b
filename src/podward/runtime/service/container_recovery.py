"""What is left of containers that no record knows, when a service starts: monitors, exit codes, OCI runtimes' states.

What records know is brought to its true state by `container_ending.settle`.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from podward.runtime.kept import Process, alive, start_time
from podward.runtime.service import conmon
from podward.runtime.service.records import ID_LENGTH, ContainerRecord, Records, is_id
from podward.runtime.service.runtime_service import RuntimeService
from podward.runtime.volumes import remove_tree


def end_unknown_monitors(service: RuntimeService) -> None:
    """End the monitors of this service's containers that no record has."""
    for pid, container in tuple(monitors(service.records)):
        monitor = Process(pid, start_time(pid))
        lock = service.records.lock(ContainerRecord, container)  # a worker that starts it has not noted it yet
        with lock or contextlib.nullcontext():
            record = service.records.read(ContainerRecord, container)
            if (record is None or record.monitor != monitor) and alive(monitor):
                conmon.end((pid,))


def monitors(records: Records) -> Iterator[tuple[int, str]]:
    """The pids of monitors that write exit codes to our directory, each with its container's id."""
    for entry in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError, ValueError):
            with open(f"/proc/{entry}/cmdline", "rb") as file:
                words = [os.fsdecode(word) for word in file.read(65536).split(b"\0")]
            if words[words.index("--exit-dir") + 1] == records.exits:
                yield int(entry), words[words.index("--cid") + 1]


def forget_unknown(service: RuntimeService) -> None:
    """Remove exit codes and states of OCI runtimes of containers that no record has."""
    records = service.records
    for name in os.listdir(records.exits):
        identifier = name[:ID_LENGTH]  # a monitor writes to a name that begins with it first
        if is_id(identifier) and not os.path.isdir(records.directory(ContainerRecord, identifier)):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(f"{records.exits}/{name}")
    for kind in os.listdir(service.state.oci):
        for name in os.listdir(f"{service.state.oci}/{kind}"):
            if is_id(name) and not os.path.isdir(records.directory(ContainerRecord, name)):
                remove_tree(f"{service.state.oci}/{kind}/{name}")
