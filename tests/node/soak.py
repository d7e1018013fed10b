#!/usr/bin/env python3
"""Pods of `podward serve` that come, change and go while its parts are killed: what ends wrong, or is left.

usage: soak.py [--pods N] [--seconds S] [--seed N]     (`make soak-node PODS=300`; needs root)

Four clients create Pods, change them and their Secrets, and delete them. Meanwhile, one after the other: the API
server, the controllers, the node, a monitor or a container's process is killed (-9), the disk is full, a Secret goes
under a Pod that runs, nobody reaches the server any more. Each Pod must come to run, follow its Secret, and go. One Pod
runs from the beginning to the end: nothing of it may be started again but what was killed, and its token must be valid
in the end, though the first one has run out.
Prints last `N Pods, M wrong, L left`; the exit status is 0 where both are 0.

All is done in a mount namespace of its own, with the cluster's directory on a file system of limited size.
"""

from __future__ import annotations

import argparse
import base64
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
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[2]
IMAGE = "docker.io/library/busybox:root"
PATIENCE = 120.0
SIZE = "700m"
TABLE = "podward-soak"
CLIENTS = 4
INSIDE = "PODWARD_SOAK_INSIDE"


@dataclass
class Figures:
    """What was done and found."""

    pods: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    running: list[float] = field(default_factory=list)
    gone: list[float] = field(default_factory=list)


class Soak:
    """A cluster, and what is done to it."""

    def __init__(self, directory: Path, figures: Figures, chance: random.Random) -> None:
        from podward.testing import Cluster

        tempfile.tempdir = str(directory)
        self.cluster = Cluster("--name", "soak")
        tempfile.tempdir = None  # what we ourselves write is not on the disk that is full
        self.disk = directory
        self.figures = figures
        self.chance = chance
        self.calm = threading.Event()
        """Set while nothing is broken: clients judge how long something takes only then."""
        self.calm.set()

    # --- asking ------------------------------------------------------------------------------------------------------

    def ask(
        self, method: str, path: str, body: dict[str, Any] | None = None, kind: str = "application/json"
    ) -> dict[str, Any]:
        """An answer, asked for until there is one; a refusal has a `code`."""
        from podward.api.status import Status

        end = time.monotonic() + PATIENCE
        while True:
            found = self.cluster.ask(method, path, body, kind)
            if not isinstance(found, Status):
                return found
            if found.code not in {429, 500, 503, 504, 507} or time.monotonic() > end:
                return {"code": found.code, "message": found.message, "reason": found.reason}
            time.sleep(0.3)

    def until(self, what: str, holds: Callable[[], bool]) -> float:
        """The seconds until it held; where it did not within the patience, that is wrong."""
        began = last = time.monotonic()
        while not holds():
            if not self.calm.is_set():
                last = time.monotonic()
            if time.monotonic() - last > PATIENCE:
                self.figures.wrong.append(what)
                return time.monotonic() - began
            time.sleep(0.2)
        return time.monotonic() - began

    def pod(self, name: str) -> dict[str, Any]:
        """A Pod as the server has it."""
        return self.ask("GET", f"/api/v1/namespaces/default/pods/{name}")

    def make_secret(self, name: str, word: str) -> None:
        """Make a Secret, or give it another word."""
        secret = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name},
            "data": {"word": base64.b64encode(word.encode()).decode()},
        }
        made = self.ask("POST", "/api/v1/namespaces/default/secrets", secret)
        if made.get("code") == 409:
            where = f"/api/v1/namespaces/default/secrets/{name}"
            self.ask("PATCH", where, {"data": secret["data"]}, "application/merge-patch+json")

    # --- a Pod from its beginning to its end -------------------------------------------------------------------------

    def live(self) -> None:
        """One Pod: it runs, follows its Secret, and goes."""
        name = f"soak-{uuid.uuid4().hex[:12]}"
        self.make_secret(name, "first")
        made = self.ask("POST", "/api/v1/namespaces/default/pods", manifest(name))
        if made.get("code") not in {None, 409}:
            self.figures.wrong.append(f"{name} is refused: {made['message']}")
            return
        self.figures.running.append(self.until(f"{name} does not run", lambda: is_ready(self.pod(name))))
        change = {"metadata": {"labels": {"changed": "yes"}}}
        self.ask("PATCH", f"/api/v1/namespaces/default/pods/{name}", change, "application/merge-patch+json")
        if self.chance.random() < 0.3:
            self.make_secret(name, "second")
            self.until(f"{name} does not follow its Secret", lambda: self.reads(name, "second"))
        time.sleep(self.chance.uniform(0, 2))
        self.ask("DELETE", f"/api/v1/namespaces/default/pods/{name}", {"gracePeriodSeconds": 1})
        self.figures.gone.append(self.until(f"{name} does not go", lambda: self.pod(name).get("code") == 404))
        self.ask("DELETE", f"/api/v1/namespaces/default/secrets/{name}")
        self.figures.pods += 1

    def reads(self, name: str, word: str) -> bool:
        """Whether its container, or the one after it, sees this word in the file of its Secret."""
        return self.inside(name, "/secret/word") == word

    def inside(self, name: str, path: str) -> str:
        """A file as the container of a Pod sees it; empty where there is none."""
        pid = self.pid(name)
        with contextlib.suppress(OSError):
            return Path(f"/proc/{pid}/root{path}").read_text(encoding="utf-8") if pid else ""
        return ""

    def pid(self, name: str) -> int:
        """The first process of a Pod's container, by the name of the Pod in its environment."""
        wanted = f"SOAK={name}\0".encode()
        for entry in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                if wanted in Path(f"/proc/{entry}/environ").read_bytes() and b"sh\0-c" in (
                    Path(f"/proc/{entry}/cmdline").read_bytes()
                ):
                    return int(entry)
        return 0

    # --- faults ------------------------------------------------------------------------------------------------------

    def break_something(self) -> None:
        """One fault, and its end."""
        kind = self.chance.choice(list(FAULTS))
        self.figures.faults[kind] = self.figures.faults.get(kind, 0) + 1
        self.calm.clear()
        try:
            FAULTS[kind](self)
        finally:
            self.calm.set()

    def kill_part(self, command: str) -> None:
        """Kill a part of the cluster; who supervises it starts it again."""
        for pid in self.parts(command):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(2)

    def parts(self, command: str) -> list[int]:
        """The processes of the cluster that run this command."""
        process = self.cluster._process  # noqa: SLF001 - whose children they are
        return [pid for pid in children(process.pid if process else 0) if f" podward {command} " in words(pid)]

    def kill_monitor(self) -> None:
        """Kill the monitor of a container."""
        found = [
            pid for pid in processes() if words(pid).startswith("/usr/bin/conmon ") and str(self.disk) in words(pid)
        ]
        if found:
            os.kill(self.chance.choice(found), signal.SIGKILL)

    def kill_container(self) -> None:
        """Kill the first process of a Pod's container, but not the keeper's."""
        pods = [pod["metadata"]["name"] for pod in self.ask("GET", "/api/v1/namespaces/default/pods").get("items", [])]
        names = [name for name in pods if name != "keeper"]
        if names and (pid := self.pid(self.chance.choice(names))):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def fill_disk(self) -> None:
        """Let nobody write for a few seconds."""
        full = self.disk / "full"
        try:
            with contextlib.suppress(OSError), full.open("wb", buffering=0) as file:
                while True:
                    file.write(b"\0" * (1 << 20))
            time.sleep(3)
        finally:
            full.unlink(missing_ok=True)
            time.sleep(1)

    def take_secret(self) -> None:
        """Delete the keeper's Secret: it keeps what it has; then give it back."""
        self.ask("DELETE", "/api/v1/namespaces/default/secrets/keeper")
        time.sleep(2)
        if not self.inside("keeper", "/secret/word"):
            self.figures.wrong.append("the keeper's file went with its Secret")
        self.make_secret("keeper", "kept")

    def cut_network(self) -> None:
        """Let nobody reach the server for a few seconds."""
        port = self.cluster.url.rpartition(":")[2]
        rules = (
            f"table inet {TABLE} {{ chain output {{ type filter hook output priority 0; tcp dport {port} drop; "
            f"tcp sport {port} drop; }}; }}\n"
        )
        subprocess.run(["nft", "-f", "-"], input=rules, text=True, check=True)
        try:
            time.sleep(6)
        finally:
            subprocess.run(["nft", "delete", "table", "inet", TABLE], check=True)

    # --- the whole ---------------------------------------------------------------------------------------------------

    def run(self, pods: int, seconds: float) -> None:
        """So many Pods in about so many seconds."""
        environment = {**os.environ, "PODWARD_ROOT": str(self.cluster.directory)}
        with self.cluster:
            script = PROJECT / "examples" / "images" / "build_images.py"
            subprocess.run([sys.executable, script], env=environment, check=True, capture_output=True)
            self.make_secret("keeper", "kept")
            self.ask("POST", "/api/v1/namespaces/default/pods", manifest("keeper"))
            self.until("the keeper does not run", lambda: is_ready(self.pod("keeper")))
            keeper, token, before = self.pid("keeper"), self.inside("keeper", TOKEN), self.memory()
            self._work(pods, seconds)
            self._look_at_keeper(keeper, token, seconds)
            print(f"memory, MiB: {before} at first, {self.memory()} in the end")
            self.ask("DELETE", "/api/v1/namespaces/default/pods/keeper", {"gracePeriodSeconds": 1})
            self.until("the keeper does not go", lambda: self.pod("keeper").get("code") == 404)
            time.sleep(3)
            self.figures.left += self.left_of_pods()
        self.figures.left += self.left_of_cluster()

    def _work(self, pods: int, seconds: float) -> None:
        started, lock, end = [0], threading.Lock(), time.monotonic() + seconds

        def client() -> None:
            while True:
                with lock:
                    if started[0] >= pods:
                        return
                    started[0] += 1
                try:
                    self.live()
                except Exception as error:  # noqa: BLE001 - it is what is looked for
                    self.figures.wrong.append(f"{type(error).__name__}: {error}")
                time.sleep(max(0.0, (end - time.monotonic()) / max(1, (pods - started[0]) / CLIENTS) / 2 - 1))

        working = [threading.Thread(target=client) for _ in range(CLIENTS)]
        for thread in working:
            thread.start()
        while any(thread.is_alive() for thread in working):
            if started[0] < pods:
                self.break_something()
            for _ in range(40):
                time.sleep(0.2)
                if not any(thread.is_alive() for thread in working):
                    return

    def _look_at_keeper(self, pid: int, token: str, seconds: float) -> None:
        self.until("the keeper is not ready in the end", lambda: is_ready(self.pod("keeper")))
        (status,) = self.pod("keeper")["status"]["containerStatuses"]
        if status["restartCount"] or self.pid("keeper") != pid:
            self.figures.wrong.append(f"the keeper was started again {status['restartCount']} times")
        now = self.inside("keeper", TOKEN)
        if expiry(now) < time.time() or (seconds > RENEWED and now == token):
            self.figures.wrong.append("the keeper's token is not renewed")
        print(f"the keeper's token: {'renewed' if now != token else 'the first'}")

    def memory(self) -> dict[str, int]:
        """What the parts hold for themselves, in MiB."""
        found = {}
        for command in ("apiserver", "controller-manager", "node"):
            every = [each for pid in self.parts(command) for each in (pid, *children(pid))]
            found[command] = sum(proportional(pid) for pid in every) >> 10
        return found

    def left_of_pods(self) -> list[str]:
        """What is there of Pods though all are gone."""
        root = self.cluster.directory
        found = [f"process {pid}: {words(pid)[:80]}" for pid in processes() if "SOAK=" in environ(pid)]
        found += [
            f"monitor {pid}"
            for pid in processes()
            if words(pid).startswith("/usr/bin/conmon ") and str(root) in words(pid)
        ]
        for place in ("cri/sandboxes", "cri/containers", "node/pods", "node/logs"):
            found += [f"{place}/{name}" for name in (os.listdir(root / place) if (root / place).is_dir() else ())]
        return found

    def left_of_cluster(self) -> list[str]:
        """What is there of the cluster though it has ended."""
        root = str(self.cluster.directory)
        found = [f"process {pid}: {words(pid)[:80]}" for pid in processes() if root in words(pid)]
        found += [f"device {name}" for name in set(os.listdir("/sys/class/net")) - DEVICES]
        found += [f"table {line}" for line in set(tables()) - TABLES]
        return found + ([root] if os.path.exists(root) else [])


FAULTS: dict[str, Callable[[Soak], None]] = {
    "server": lambda soak: soak.kill_part("apiserver"),
    "controllers": lambda soak: soak.kill_part("controller-manager"),
    "node": lambda soak: soak.kill_part("node"),
    "monitor": Soak.kill_monitor,
    "container": Soak.kill_container,
    "full disk": Soak.fill_disk,
    "Secret": Soak.take_secret,
    "network": Soak.cut_network,
}
TOKEN = "/token/token"  # noqa: S105 - a path
LIFE = 600
RENEWED = 0.85 * LIFE
DEVICES = frozenset(os.listdir("/sys/class/net"))


def manifest(name: str) -> dict[str, Any]:
    """A Pod with a Secret, a token, and a process that stays."""
    sources = [{"serviceAccountToken": {"path": "token", "expirationSeconds": LIFE}}]
    container = {
        "name": "ctr",
        "image": IMAGE,
        "command": ["sh", "-c", "trap exit TERM; while :; do sleep 0.5; done"],
        "env": [{"name": "SOAK", "value": name}],
        "volumeMounts": [{"name": "secret", "mountPath": "/secret"}, {"name": "token", "mountPath": "/token"}],
    }
    volumes = [{"name": "secret", "secret": {"secretName": name}}, {"name": "token", "projected": {"sources": sources}}]
    spec = {"containers": [container], "volumes": volumes, "terminationGracePeriodSeconds": 1}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def is_ready(pod: dict[str, Any]) -> bool:
    """Whether a Pod is ready."""
    return any(
        row["type"] == "Ready" and row["status"] == "True" for row in pod.get("status", {}).get("conditions", ())
    )


def expiry(token: str) -> float:
    """When a token ends; 0 for none."""
    if token.count(".") != 2:
        return 0
    middle = token.split(".")[1]
    return float(json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))["exp"])


def processes() -> list[int]:
    """All of this machine that are not this one."""
    return [int(entry) for entry in os.listdir("/proc") if entry.isdigit() and int(entry) != os.getpid()]


def words(pid: int) -> str:
    """The words of a process."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return ""


def environ(pid: int) -> str:
    """The variables that a process was started with."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace")
    return ""


def children(pid: int) -> list[int]:
    """The children of a process."""
    with contextlib.suppress(OSError):
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]
    return []


def proportional(pid: int) -> int:
    """A process's share of memory, in KiB."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


def tables() -> list[str]:
    """The tables of nftables."""
    return subprocess.run(["nft", "list", "tables"], capture_output=True, text=True, check=True).stdout.splitlines()


TABLES = frozenset(tables())


def report(figures: Figures, seed: int, seconds: float) -> int:
    """Print what was done and found; the exit status."""
    for each in (*figures.wrong[:20], *figures.left[:20]):
        print(f"  {each}", file=sys.stderr)
    print(f"seed {seed}; {seconds:.0f} s; faults: {', '.join(f'{k} {n}' for k, n in sorted(figures.faults.items()))}")
    for what, times in (("to Running", figures.running), ("to be gone", figures.gone)):
        if times:
            times.sort()
            print(
                f"{what}, s: median {times[len(times) // 2]:.1f}, longest {times[-1]:.1f} (faults and waits included)"
            )
    print(f"{figures.pods} Pods, {len(figures.wrong)} wrong, {len(figures.left)} left")
    return 1 if figures.wrong or figures.left else 0


def main() -> int:
    """Parse the words; soak on a disk of its own; say what was found."""
    parser = argparse.ArgumentParser(description="a cluster whose parts are killed: what ends wrong, or is left")
    parser.add_argument("--pods", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    options = parser.parse_args()
    if INSIDE not in os.environ:
        os.environ[INSIDE] = "1"
        os.execvp(  # noqa: S606 - this very program again
            "unshare", ["unshare", "--mount", "--propagation", "private", sys.executable, *sys.argv]
        )
    figures, began = Figures(), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="podward-soak-") as directory:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=0700", "soak", directory], check=True)
        try:
            Soak(Path(directory), figures, random.Random(options.seed)).run(options.pods, options.seconds)  # noqa: S311
        finally:
            subprocess.run(["umount", "-l", directory], check=True)
    return report(figures, options.seed, time.monotonic() - began)


if __name__ == "__main__":
    sys.exit(main())
