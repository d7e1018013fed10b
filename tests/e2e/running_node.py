"""A real `podward apiserver` with a real `podward node`, whose image has a busybox; Pods are of the host's network."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import image_layout
import served_containers
from api_server import Server
from warm_command import start
from warm_process import WarmProcess

from podward.node import home
from podward.runtime.images.importing import import_path
from podward.runtime.images.store import ImageStore
from podward.server.own_authority import OwnAuthority

NAME = "n1"
IMAGE = "small:1"
PODS = "/api/v1/namespaces/default/pods"
_DEADLINE = 60.0
Pod = dict[str, Any]


def kubeconfig(server: Server, user: str, *groups: str) -> str:
    """A kubeconfig of whom the server's own authority calls so."""
    authority = OwnAuthority(str(server.data))
    pair = authority.client(user, groups)
    parts = authority.pem, pair.certificate, pair.key
    ca, certificate, key = (base64.b64encode(part).decode() for part in parts)
    made = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "it",
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
        "clusters": [{"name": "it", "cluster": {"server": server.url, "certificate-authority-data": ca}}],
        "users": [{"name": "it", "user": {"client-certificate-data": certificate, "client-key-data": key}}],
    }
    return json.dumps(made)


class Node:
    """A node of a server, with a state directory of its own."""

    def __init__(self, server: Server, directory: Path, *flags: str, name: str = NAME) -> None:
        self.server = server
        self.name = name
        self.root = directory / "node"
        self.root.mkdir(0o700)
        place = directory / "layout"
        packed = image_layout.layer(served_containers.fill)
        import_path(
            ImageStore(str(self.root)), image_layout.write_layout(place, IMAGE, served_containers.CONFIG, packed)
        )
        config = directory / "node.kubeconfig"
        config.write_text(kubeconfig(server, f"system:node:{name}", "system:nodes"))
        self._words = ["--kubeconfig", str(config), "--name", name, "--data-dir", str(self.root), "--port", "0", *flags]
        self.process = self._started()

    def _started(self) -> subprocess.Popen[str] | WarmProcess:
        process = start("node", *self._words, stderr=sys.__stderr__)
        assert process.stdout is not None
        assert "is registered" in process.stdout.readline()
        return process

    def kill(self) -> None:
        """As if its process had been killed."""
        self.process.kill()
        self.process.communicate()

    def start_again(self) -> None:
        """Another one in its place."""
        self.process = self._started()

    # --- Pods ---

    def run(self, name: str, script: str, **spec: Any) -> Pod:  # noqa: ANN401 - as people write it
        """A Pod of one container with this script."""
        container = {"name": "c", "image": IMAGE, "command": ["sh", "-c", script], **spec.pop("container", {})}
        return self.create(name, [container], **spec)

    def create(self, name: str, containers: list[Pod], **spec: Any) -> Pod:  # noqa: ANN401 - as above
        """A Pod that is bound to the node."""
        fixed = {"nodeName": self.name, "hostNetwork": True, "automountServiceAccountToken": False}
        metadata = {"name": name, **spec.pop("metadata", {})}
        body = {"metadata": metadata, "spec": {**fixed, "containers": containers, **spec}}
        code, made, _ = self.server.ask("POST", PODS, body)
        assert code == 201, made
        return made  # type: ignore[no-any-return]  # JSON

    def pod(self, name: str) -> Pod | None:
        """The Pod as the server has it."""
        code, found, _ = self.server.ask("GET", f"{PODS}/{name}")
        return found if code == 200 else None

    def until(self, name: str, holds: Callable[[Pod], bool]) -> Pod:
        """The Pod once this holds of it."""
        deadline = time.monotonic() + _DEADLINE
        while (found := self.pod(name)) is None or not holds(found):
            assert time.monotonic() < deadline, json.dumps(found and found["status"], indent=1)
            time.sleep(0.05)
        return found

    def until_gone(self, name: str) -> None:
        """Wait until there is no such Pod."""
        deadline = time.monotonic() + _DEADLINE
        while self.pod(name) is not None:
            assert time.monotonic() < deadline, name
            time.sleep(0.05)

    def delete(self, name: str, grace: int | None = None) -> None:
        """Ask for its end."""
        options = {} if grace is None else {"gracePeriodSeconds": grace}
        code, answer, _ = self.server.ask("DELETE", f"{PODS}/{name}", options)
        assert code in {200, 202}, answer

    def events(self, name: str) -> list[tuple[str, str]]:
        """Reasons and messages of what was told of a Pod."""
        _, found, _ = self.server.ask("GET", "/api/v1/namespaces/default/events")
        items = [item for item in found["items"] if item["involvedObject"]["name"] == name]
        return [(item["reason"], item["message"]) for item in items]

    def log(self, pod: Pod, container: str = "c", number: int = 0) -> str:
        """What a container has printed."""
        about = pod["metadata"]
        directory = self.root / "node" / "logs" / f"{about['namespace']}_{about['name']}_{about['uid']}"
        lines = (directory / container / f"{number}.log").read_text().splitlines()
        return "".join(line.split(" ", 3)[3] + "\n" for line in lines)

    def until_log(self, pod: Pod, text: str, container: str = "c") -> str:
        """What the container has printed once this is among it."""
        deadline = time.monotonic() + _DEADLINE
        while text not in (found := self.log(pod, container)):
            assert time.monotonic() < deadline, found
            time.sleep(0.05)
        return found

    def until_event(self, name: str, message: str) -> None:
        """Wait until this is told of a Pod."""
        deadline = time.monotonic() + _DEADLINE
        while message not in (found := [told for _, told in self.events(name)]):
            assert time.monotonic() < deadline, found
            time.sleep(0.05)

    def waiting(self, name: str) -> str | None:
        """The reason for which the Pod's first container waits."""
        pod = self.pod(name)
        statuses = (pod or {"status": {}})["status"].get("containerStatuses") or [{}]
        return statuses[0].get("state", {}).get("waiting", {}).get("reason")  # type: ignore[no-any-return]  # JSON

    def end(self) -> None:
        """Delete all Pods, then end the node and what holds its mounts."""
        if self.process.poll() is not None:
            self.start_again()
        _, listed, _ = self.server.ask("GET", PODS)
        for pod in listed["items"]:
            self.delete(pod["metadata"]["name"], grace=1)
        for pod in listed["items"]:
            self.until_gone(pod["metadata"]["name"])
        deadline = time.monotonic() + _DEADLINE
        while os.listdir(self.root / "cri" / "sandboxes") or os.listdir(self.root / "node" / "pods"):
            assert time.monotonic() < deadline, "sandboxes or places of Pods are left"
            time.sleep(0.05)
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=_DEADLINE)
        home.leave_nothing(str(self.root / "node"))


def eventually(holds: Callable[[], bool]) -> None:
    """Wait until this holds."""
    deadline = time.monotonic() + _DEADLINE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@contextlib.contextmanager
def running(directory: Path, *flags: str) -> Iterator[Node]:
    """A server with a node, for a while."""
    server = Server(
        directory, "--authorization-mode", "Node,RBAC", "--controllers", "*,serviceaccount", "--node-metrics"
    )
    try:
        node = Node(server, directory, *flags)
        try:
            yield node
        finally:
            node.end()
    finally:
        server.process.terminate()
        server.process.communicate()
