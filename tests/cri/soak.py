#!/usr/bin/env python3
"""Kills `podward cri` (-9) at random moments under load, starts it again, and looks for what is lost or left.

usage: soak.py [--kills N] [--clients N] [--seed N]     (`make soak-cri N=200`; needs root)

Each client makes Pods with a network of their own and a container that runs, executes something in them, stops and
removes them, and notes what was acknowledged. The server is killed in three ways: the process that answers, the engine
behind it, or one of its workers in the middle of a verb. After each start everything that was acknowledged must be in
the state that it was brought to: a container that ran still runs, as the same process. At the end all is removed, and
then no process, mount, namespace, cgroup, network device, address, layer or directory may be left. Prints last
`N kills, M lost, L leaked`; the exit status is 0 only when both are 0.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

import grpc
from cri_api.v1 import api_pb2 as cri
from cri_api.v1 import api_pb2_grpc

PROJECT = Path(__file__).parents[2]
IMAGE = "docker.io/library/busybox:root"
SECONDS = 60
PATIENCE = 60.0


class UnansweredError(Exception):
    """A call that was not answered: nobody knows whether it was done."""


@dataclass
class Pod:
    """What a client knows of a Pod. `may_be_gone`: somebody asked for its removal, and was not answered."""

    name: str
    sandbox: str = ""
    container: str = ""
    pid: int = 0
    may_be_stopped: bool = False
    may_be_gone: bool = False


@dataclass
class Figures:
    """What was done and found."""

    kills: dict[str, int] = field(default_factory=lambda: {"front": 0, "engine": 0, "worker": 0})
    acknowledged: int = 0
    unanswered: int = 0
    lost: list[str] = field(default_factory=list)
    leaked: list[str] = field(default_factory=list)
    slowest_start: float = 0.0


class Server:
    """`podward cri` in a directory of its own."""

    def __init__(self, directory: str) -> None:
        self.root = f"{directory}/state"
        self.endpoint = f"unix://{directory}/cri.sock"
        self.environment = {**os.environ, "PODWARD_ROOT": self.root}
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> float:
        """Start it; the seconds until it answered."""
        began = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "podward", "cri", "--listen", self.endpoint],
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        if self.process.stdout is None or not self.process.stdout.readline():
            raise SystemExit("soak: the server did not start")
        return time.monotonic() - began

    def kill(self, whom: str, chance: random.Random) -> bool:
        """Kill one of its processes; whether there was one, and the server is gone."""
        process = self.process
        if process is None:
            return False
        engines = children(process.pid)
        victim = {"front": [process.pid], "engine": engines}.get(whom) or [w for e in engines for w in children(e)]
        workers = [pid for pid in victim if command(pid).startswith(("python", "podward"))]
        if not workers:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(chance.choice(workers), signal.SIGKILL)
        if whom == "worker":
            return True
        process.wait()
        return True

    def stop(self) -> None:
        """Ask it to end, as an administrator does."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait()

    def stub(self) -> api_pb2_grpc.RuntimeServiceStub:
        """A client with a connection of its own."""
        return api_pb2_grpc.RuntimeServiceStub(grpc.insecure_channel(self.endpoint))  # type: ignore[no-untyped-call]


def children(pid: int) -> list[int]:
    with contextlib.suppress(OSError), open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(word) for word in file.read().split()]
    return []


def command(pid: int) -> str:
    with contextlib.suppress(OSError), open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:
        return file.read()
    return ""


class Client(threading.Thread):
    """Makes Pods and takes them away, whatever becomes of the server meanwhile."""

    def __init__(self, server: Server, figures: Figures, over: threading.Event, number: int) -> None:
        super().__init__()
        self.pods: list[Pod] = []
        self._server = server
        self._stub = server.stub()
        self._figures = figures
        self._over = over
        self._chance = random.Random(number)  # noqa: S311  # it decides what to do next

    def run(self) -> None:
        while not self._over.is_set():
            try:
                if len(self.pods) < 3 or self._chance.random() < 0.5:
                    self._make()
                else:
                    self._take_away(self._chance.choice(self.pods))
            except UnansweredError:
                self._figures.unanswered += 1
                self._stub = self._server.stub()
                self._over.wait(0.2)

    def _call(self, method: str, request: object) -> object:
        try:
            answer = getattr(self._stub, method)(request, timeout=SECONDS)
        except grpc.RpcError as error:
            if error.code() in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED, grpc.StatusCode.UNKNOWN}:
                raise UnansweredError from error
            self._figures.lost.append(f"{method}: {error.code().name}: {error.details()}")
            raise UnansweredError from error
        self._figures.acknowledged += 1
        return answer

    def _make(self) -> None:
        pod = Pod(f"soak-{uuid.uuid4().hex}")
        config = cri.PodSandboxConfig(
            metadata=cri.PodSandboxMetadata(name=pod.name, uid=pod.name, namespace="soak"), hostname="soak"
        )
        made = self._call("RunPodSandbox", cri.RunPodSandboxRequest(config=config))
        pod.sandbox = made.pod_sandbox_id  # type: ignore[attr-defined]
        self.pods.append(pod)
        container = cri.ContainerConfig(
            metadata=cri.ContainerMetadata(name="ctr"),
            image=cri.ImageSpec(image=IMAGE),
            command=["sh", "-c", "trap exit TERM; while :; do sleep 0.1; done"],
        )
        create = cri.CreateContainerRequest(pod_sandbox_id=pod.sandbox, config=container, sandbox_config=config)
        created = self._call("CreateContainer", create)
        identifier = created.container_id  # type: ignore[attr-defined]
        self._call("StartContainer", cri.StartContainerRequest(container_id=identifier))
        pod.container, pod.pid = identifier, self._pid(identifier)
        self._call("ExecSync", cri.ExecSyncRequest(container_id=identifier, cmd=["true"], timeout=SECONDS))

    def _pid(self, container: str) -> int:
        answer = self._call("ContainerStatus", cri.ContainerStatusRequest(container_id=container, verbose=True))
        return int(json.loads(answer.info["info"])["pid"])  # type: ignore[attr-defined]

    def _take_away(self, pod: Pod) -> None:
        pod.may_be_stopped = True
        if pod.container and self._chance.random() < 0.5:
            self._call("StopContainer", cri.StopContainerRequest(container_id=pod.container, timeout=5))
        self._call("StopPodSandbox", cri.StopPodSandboxRequest(pod_sandbox_id=pod.sandbox))
        pod.may_be_gone = True
        self._call("RemovePodSandbox", cri.RemovePodSandboxRequest(pod_sandbox_id=pod.sandbox))
        self.pods.remove(pod)


def check(server: Server, clients: list[Client], figures: Figures) -> None:
    """Hold what the server says to what it acknowledged; nobody asks it for anything else meanwhile."""
    stub = server.stub()
    sandboxes = {s.id: s for s in stub.ListPodSandbox(cri.ListPodSandboxRequest(), timeout=SECONDS).items}
    containers = {c.id: c for c in stub.ListContainers(cri.ListContainersRequest(), timeout=SECONDS).containers}
    for pod in (pod for client in clients for pod in client.pods if not pod.may_be_gone):
        if pod.sandbox not in sandboxes:
            figures.lost.append(f"sandbox {pod.sandbox[:12]} of {pod.name}")
        elif pod.container and not pod.may_be_stopped:
            found = containers.get(pod.container)
            if sandboxes[pod.sandbox].state != cri.SANDBOX_READY:
                figures.lost.append(f"sandbox {pod.sandbox[:12]} is not ready any more")
            if found is None or found.state != cri.CONTAINER_RUNNING or not os.path.exists(f"/proc/{pod.pid}"):
                figures.lost.append(f"container {pod.container[:12]}: {found.state if found else 'gone'}")


def remove_all(server: Server) -> None:
    stub = server.stub()
    for sandbox in stub.ListPodSandbox(cri.ListPodSandboxRequest(), timeout=SECONDS).items:
        stub.StopPodSandbox(cri.StopPodSandboxRequest(pod_sandbox_id=sandbox.id), timeout=SECONDS)
        stub.RemovePodSandbox(cri.RemovePodSandboxRequest(pod_sandbox_id=sandbox.id), timeout=SECONDS)


def devices() -> set[str]:
    return set(os.listdir("/sys/class/net"))


def cgroups() -> set[str]:
    """The cgroups of containers, of whatever Pod."""
    found = set[str]()
    for line in Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines():
        where, kind = line.split(" ")[1:3]
        if kind in {"cgroup", "cgroup2"}:
            found |= {str(p) for p in Path(where).glob("*podward*")} | {str(p) for p in Path(where).glob("*/*podward*")}
    return found


def left(server: Server, before: tuple[set[str], set[str]]) -> list[str]:
    """What is there of the server's Pods, though all were removed."""
    found = [f"device {name}" for name in devices() - before[0] if not name.startswith("podward")]
    found += [f"cgroup {name}" for name in cgroups() - before[1]]
    mounts = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace")
    found += [f"mount {line[:100]}" for line in mounts.splitlines() if f"{server.root}/" in line]
    mine = {
        os.getpid(),
        server.process.pid if server.process else 0,
        *children(server.process.pid if server.process else 0),
    }
    for entry in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            words = Path(f"/proc/{entry}/cmdline").read_bytes().replace(b"\0", b" ")
            held = Path(f"/proc/{entry}/mountinfo").read_text(encoding="utf-8", errors="replace")
            if int(entry) not in mine and (f"{server.root}/" in held or os.fsencode(server.root) in words):
                found.append(f"process {entry}: {words[:80]!r}")
    for kind in ("sandboxes", "containers", "exits"):
        found += [f"cri/{kind}/{name}" for name in os.listdir(f"{server.root}/cri/{kind}")]
    for kind in os.listdir(f"{server.root}/oci"):
        found += [f"oci/{kind}/{name}" for name in os.listdir(f"{server.root}/oci/{kind}")]
    with contextlib.suppress(FileNotFoundError):
        found += [f"images/tmp/{name}" for name in os.listdir(f"{server.root}/images/tmp")]
    addresses = Path(f"{server.root}/network/addresses/podward")
    found += [f"address {file.name}" for file in addresses.glob("*.*.*.*")]
    return found


def soak(kills: int, clients: int, number: int, directory: str) -> Figures:
    """So many kills in this directory."""
    server, figures, chance = Server(directory), Figures(), random.Random(number)  # noqa: S311  # it decides when
    subprocess.run(
        [sys.executable, PROJECT / "examples" / "images" / "build_images.py"],
        env=server.environment,
        check=True,
        capture_output=True,
    )
    before = devices(), cgroups()
    kept: list[list[Pod]] = [[] for _ in range(clients)]
    server.start()
    while sum(figures.kills.values()) < kills:
        over = threading.Event()
        working = [Client(server, figures, over, chance.randrange(1 << 32)) for _ in range(clients)]
        for client, pods in zip(working, kept, strict=True):
            client.pods = pods
            client.start()
        time.sleep(chance.uniform(0.05, 3.0))
        whom = chance.choice(("front", "engine", "worker"))
        killed = server.kill(whom, chance)
        figures.kills[whom] += killed
        over.set()
        for client in working:
            client.join(timeout=SECONDS * 4)
        if killed and whom != "worker":
            figures.slowest_start = max(figures.slowest_start, server.start())
        check(server, working, figures)
        kept = [[pod for pod in client.pods if not pod.may_be_gone] for client in working]
        if sys.stderr.isatty():
            print(f"\r{sum(figures.kills.values())} kills, {len(figures.lost)} lost", end="", file=sys.stderr)
    remove_all(server)
    deadline = time.monotonic() + 10
    while (found := left(server, before)) and time.monotonic() < deadline:
        time.sleep(0.2)
    figures.leaked = found
    server.stop()
    return figures


def main() -> int:
    """Parse the words, soak in a directory of its own, say what was found."""
    parser = argparse.ArgumentParser(
        description="podward cri killed at random moments under load: what is lost or left"
    )
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="podward-soak-") as directory:
        figures = soak(options.kills, options.clients, options.seed, directory)
    for each in (*figures.lost[:20], *figures.leaked[:20]):
        print(f"  {each}", file=sys.stderr)
    print(f"seed {options.seed}; killed: {', '.join(f'{whom} {n}' for whom, n in figures.kills.items())}")
    print(f"{figures.acknowledged} calls acknowledged, {figures.unanswered} not answered")
    print(f"the slowest start again took {figures.slowest_start:.1f} s")
    print(f"{sum(figures.kills.values())} kills, {len(figures.lost)} lost, {len(figures.leaked)} leaked")
    return 1 if figures.lost or figures.leaked else 0


if __name__ == "__main__":
    sys.exit(main())
