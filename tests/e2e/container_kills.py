#!/usr/bin/env python3
"""Kills workers (-9) of verbs of containers at random moments, and looks for what recovery does not mend.

usage: container_kills.py --kills N [--seed S]

Each round has a container created, started, stopped or removed by a process that is killed at a moment of its own; then
everything is settled as when a service starts, and must be as the records say: what was in the making is gone, what
runs runs and can be stopped, and of what was removed no process, mount, cgroup, state or file is there. Prints
`N kills, M left`; exit status 0 only when nothing is left. Needs root.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import image_layout
from served_containers import CONFIG, IMAGE, fill
from served_runtime import pod

from podward.api.cri import (
    ContainerConfig,
    ContainerMetadata,
    ImageSpec,
    LinuxContainerConfig,
    LinuxContainerSecurityContext,
    Mount,
    NamespaceOption,
)
from podward.api.cri_refusal import CriRefusal
from podward.api.cri_requests import (
    CreateContainerRequest,
    CreateContainerResponse,
    RemoveContainerRequest,
    RemovePodSandboxRequest,
    RunPodSandboxRequest,
    StartContainerRequest,
    StopContainerRequest,
)
from podward.runtime import syscalls
from podward.runtime.images.importing import import_path
from podward.runtime.kept import alive
from podward.runtime.service import (
    container_ending,
    container_making,
    container_recovery,
    container_starting,
    container_truth,
    sandboxes,
)
from podward.runtime.service.phases import ContainerPhase
from podward.runtime.service.records import ContainerRecord, SandboxRecord
from podward.runtime.service.runtime_service import RuntimeService, ServiceOptions
from podward.runtime.workers.calls import Caller

OWN = NamespaceOption(network="NODE", pid="CONTAINER")
LIVES = {"create": 0.08, "start": 0.03, "stop": 0.05, "remove": 0.05}
"""Seconds within which a worker at this verb is killed."""


class Rounds:
    """A sandbox whose containers' workers are killed. `left` tells what recovery did not mend."""

    def __init__(self, directory: Path, handler: str, seed: int) -> None:
        self.left: list[str] = []
        self._random = random.Random(seed)  # noqa: S311 - moments, not secrets
        self._directory = directory
        self._service = RuntimeService(str(directory / "root"), ServiceOptions(handler, cni_conf_dir=""))
        self._service.choose_all()
        self._ends = socket.socketpair()
        self._caller = Caller(self._ends[0])
        layout = image_layout.write_layout(directory / "layout", "small:1", CONFIG, image_layout.layer(fill))
        import_path(self._service.images, layout)
        (directory / "volume").mkdir()
        self._config = pod(log_directory=str(directory / "logs"))
        made = sandboxes.run(self._service, RunPodSandboxRequest(self._config), self._caller)
        if isinstance(made, CriRefusal):
            raise SystemExit(made.message)
        self._sandbox = made.pod_sandbox_id

    def close(self) -> None:
        """Remove the sandbox; nothing of it may be left either."""
        sandboxes.remove(self._service, RemovePodSandboxRequest(self._sandbox), self._caller)
        self._service.cgroups.close()
        for end in self._ends:
            end.close()

    def round(self, number: int) -> None:
        """A container's life, in which each verb's worker may be killed."""
        config = ContainerConfig(
            ContainerMetadata("a", number),
            ImageSpec(IMAGE),
            ("sleep", "600"),
            mounts=(Mount("/v", str(self._directory / "volume")),),
            log_path="a.log",
            linux=LinuxContainerConfig(security_context=LinuxContainerSecurityContext(namespace_options=OWN)),
        )
        service, caller = self._service, self._caller
        killed = self._random.choice(tuple(LIVES))
        identifier = ""
        request = CreateContainerRequest(self._sandbox, config, self._config)
        if killed == "create":
            self._kill(killed, lambda: container_making.create(service, request, caller))
            self._settle()
            found = [record.id for record in service.records.every(ContainerRecord)]
            identifier = found[0] if found else ""
        else:
            made = container_making.create(service, request, caller)
            identifier = made.container_id if isinstance(made, CreateContainerResponse) else ""
            if not identifier:
                self.left.append(f"round {number}: not created: {made}")
        if identifier:
            self._live(killed, identifier)
        self._look(f"round {number}, killed at {killed}")

    def _live(self, killed: str, identifier: str) -> None:
        service, caller = self._service, self._caller
        verbs: dict[str, Callable[[], object]] = {
            "start": lambda: container_starting.start(service, StartContainerRequest(identifier), caller),
            "stop": lambda: container_ending.stop(service, StopContainerRequest(identifier, 0), caller),
            "remove": lambda: container_ending.remove(service, RemoveContainerRequest(identifier), caller),
        }
        for name, verb in verbs.items():
            if killed == name:
                self._kill(name, verb)
                self._settle()
            record = service.records.read(ContainerRecord, identifier)
            if record is not None and (name != killed or self._wants(name, record)):
                answer = verb()
                if isinstance(answer, CriRefusal):
                    self.left.append(f"{name} after a kill at {killed}: {answer.message}")

    def _wants(self, name: str, record: ContainerRecord) -> bool:
        """Whether the verb is to be done again: a start that came through is refused."""
        return name != "start" or container_truth.observe(self._service, record).phase is ContainerPhase.CREATED

    def _kill(self, name: str, verb: Callable[[], object]) -> None:
        child = os.fork()
        if child == 0:
            try:
                verb()
            finally:
                os._exit(0)
        time.sleep(self._random.uniform(0.0, LIVES[name]))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)

    def _settle(self) -> None:
        for record in self._service.records.every(ContainerRecord):
            container_ending.settle(self._service, record.id)
        for name in os.listdir(f"{self._service.records.root}/containers"):
            if not self._service.records.every(ContainerRecord):
                container_ending.take_away(self._service, name)
        container_recovery.end_unknown_monitors(self._service)
        container_recovery.forget_unknown(self._service)

    def _look(self, when: str) -> None:
        service = self._service
        sandbox = service.records.read(SandboxRecord, self._sandbox)
        if sandbox is None or not alive(sandbox.pin):
            raise SystemExit("the sandbox has ended")
        found = {
            "containers": os.listdir(f"{service.records.root}/containers"),
            "exits": os.listdir(service.records.exits),
            "states": os.listdir(service.oci(sandbox.engine).state),
            "names": self._names(),
            "mounts": [line for line in self._mounts(sandbox.pin.pid) if "/containers/" in line],
            "processes": self._processes_that_stay(service.records.root),
            "cgroups": [sandbox.cgroup] if self._has_cgroups(sandbox.cgroup) else [],
        }
        self.left += [f"{when}: {what}: {names}" for what, names in found.items() if names]

    def _names(self) -> list[str]:
        """The ids for which names are reserved, but for the sandbox's own."""
        names = Path(self._service.records.root, "names")
        files = (file for file in names.iterdir() if file.name != "lock" and file.suffix != ".new")
        return [held for file in files if (held := file.read_text(encoding="ascii")) != self._sandbox]

    def _mounts(self, pid: int) -> list[str]:
        lines = Path(f"/proc/{pid}/mountinfo").read_text(encoding="utf-8").splitlines()
        return [line for line in lines if self._service.records.root in line]

    def _processes_that_stay(self, root: str) -> list[str]:
        """A runc that lost its caller looks ten times a second whether the container is gone."""
        deadline = time.monotonic() + 2.0
        while (found := self._processes(root)) and time.monotonic() < deadline:
            time.sleep(0.02)
        return found

    def _processes(self, root: str) -> list[str]:
        found = []
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                words = Path(f"/proc/{entry}/cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if f"{root}/containers" in words:
                found.append(f"{entry}: {words[:200]}")
        return found

    def _has_cgroups(self, cgroup: str) -> bool:
        places = [Path("/sys/fs/cgroup"), *Path("/sys/fs/cgroup").iterdir()]
        return any(path.is_dir() for place in places for path in place.glob(f"{cgroup.lstrip('/')}/*") if path.is_dir())


def main() -> int:
    """Do as many rounds as asked for, with either OCI runtime."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    syscalls.become_subreaper()
    left: list[str] = []
    for handler in ("crun", "runc"):
        with tempfile.TemporaryDirectory() as directory:
            rounds = Rounds(Path(directory), handler, asked.seed)
            for number in range(asked.kills // 2):
                rounds.round(number)
                while True:  # what workers that were killed have left to us
                    try:
                        if not os.waitpid(-1, os.WNOHANG)[0]:
                            break
                    except ChildProcessError:
                        break
            rounds.close()
            left += rounds.left
    for line in left[:20]:
        sys.stdout.write(f"{line}\n")
    sys.stdout.write(f"{asked.kills} kills, {len(left)} left\n")
    return int(bool(left))


if __name__ == "__main__":
    sys.exit(main())
