"""Workers of verbs of containers are killed, and nothing is left that recovery does not mend."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import container_kills
import pytest
from served_containers import Containers
from served_runtime import Served, pod

from podward.api.cri_requests import CreateContainerRequest
from podward.runtime.kept import alive, start_time
from podward.runtime.service import container_ending, container_making, container_recovery
from podward.runtime.service.phases import ContainerPhase
from podward.runtime.service.records import ContainerRecord
from podward.runtime.workers.calls import Caller

pytestmark = pytest.mark.needs("root", "crun", "runc", "catatonit", "conmon", "busybox")


def test_killed_workers_leave_nothing() -> None:
    """A program of its own, whose children the workers' orphans become; `--kills 400` does it more often."""
    words = [sys.executable, container_kills.__file__, "--kills", "12", "--seed", "7"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "12 kills, 0 left\n"), done.stderr


def test_what_ended_unseen_is_noted(served: Served, small_image: Path) -> None:
    containers = Containers(served, served.run(pod()))
    containers.have(small_image)
    ended = containers.run("sh", "-c", "exit 4")
    runs = containers.run("sleep", "600", name="b")
    containers.ended(ended)
    assert containers.record(ended).phase is ContainerPhase.RUNNING
    assert container_ending.settle(served.service, ended)
    assert not container_ending.settle(served.service, runs)
    assert (containers.record(ended).phase, containers.record(ended).exit_code) == (ContainerPhase.EXITED, 4)
    assert containers.status(runs).state == "CONTAINER_RUNNING"


def test_monitors_of_nobody_end(served: Served, small_image: Path) -> None:
    containers = Containers(served, served.run(pod()))
    containers.have(small_image)
    kept, lost = containers.run("sleep", "600"), containers.run("sleep", "600", name="b")
    monitors = {each: containers.record(each).monitor for each in (kept, lost)}
    process = containers.record(lost).process.pid
    directory = served.service.records.directory(ContainerRecord, lost)
    os.rename(directory, f"{directory}-aside")
    container_recovery.end_unknown_monitors(served.service)
    container_recovery.forget_unknown(served.service)
    assert alive(monitors[kept])
    assert not alive(monitors[lost])
    assert not served.service.oci(containers.sandbox.engine).knows(lost)
    os.kill(process, signal.SIGKILL)
    while start_time(process):
        time.sleep(0.001)
    assert containers.status(kept).state == "CONTAINER_RUNNING"


def test_a_record_that_cannot_be_written_leaves_no_container(
    served: Served, small_image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    containers = Containers(served, served.run(pod()))
    containers.have(small_image)
    service, write = served.service, served.service.records.write

    def failing(record: ContainerRecord) -> None:
        if record.phase is ContainerPhase.CREATED:
            raise OSError(28, "No space left on device")
        write(record)

    monkeypatch.setattr(service.records, "write", failing)
    ours, theirs = socket.socketpair()
    request = CreateContainerRequest(containers.sandbox.id, containers.asked("sleep", "600"), containers.sandbox.config)
    with ours, theirs, pytest.raises(OSError, match="No space"):
        container_making.create(service, request, Caller(ours))
    assert os.listdir(f"{service.records.root}/containers") == []
    assert not [pid for pid, _ in container_recovery.monitors(service.records) if start_time(pid)]
