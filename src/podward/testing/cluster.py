"""A cluster of `podward serve` for tests: with any free ports, in a directory of its own, gone at the end."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self

from podward.api.json_value import JsonObject
from podward.api.resource import Resource
from podward.api.status import Status
from podward.client.api import Client, PatchKind, path_of
from podward.client.connection import load
from podward.documents.raw_fields import member, objects
from podward.documents.reader import decode_documents
from podward.errors import PodwardError
from podward.schema.resources import BY_KIND

_ENDING = 60.0
_EVERY = 0.1
_NOT_FOUND = 404


class ClusterError(PodwardError):
    """The cluster cannot be started, or it refuses what it is asked."""


class Cluster:
    """A cluster of its own. Use it in a `with` statement, or by the fixture."""

    def __init__(self, *flags: str) -> None:
        """`flags` are those of `podward serve`, such as `--openshift`, `--nodes=0`."""
        self._flags = flags
        self._process: subprocess.Popen[str] | None = None
        self.directory = Path(tempfile.mkdtemp(prefix="podward-"))
        self.kubeconfig = self.directory / "kubeconfig.yaml"
        self.url = ""

    def __enter__(self) -> Self:
        """Start it; it is ready then. Raises ClusterError."""
        words = ["serve", "--data-dir", str(self.directory), "--kubeconfig", str(self.kubeconfig)]
        command = [sys.executable, "-m", "podward", *words, "--secure-port", "0", "--port", "0", *self._flags]
        with self._log.open("w") as log:
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        line = self._process.stdout.readline() if self._process.stdout is not None else ""
        if "ready at " not in line:
            said = self._end()
            raise ClusterError("the cluster cannot be started", advice=said or "run `podward doctor`")
        self.url = line.partition("ready at ")[2].split()[0]
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End it: nothing is left."""
        self._end()

    @property
    def environment(self) -> dict[str, str]:
        """The environment of this process, in which `kubectl`, `helm` and `podward` mean this cluster."""
        return {**os.environ, "KUBECONFIG": str(self.kubeconfig), "PODWARD_ROOT": str(self.directory)}

    def load_image(self, path: str | os.PathLike[str], name: str = "") -> None:
        """Give the node an image: an OCI layout or an archive of one, or of `docker save`. Raises ClusterError."""
        self._podward("image", "import", os.fspath(path), *(["--name", name] if name else []))

    def kubectl(self, *words: str, given: str = "") -> str:
        """What kubectl prints, which must be installed. Raises subprocess.CalledProcessError."""
        return subprocess.run(
            ["kubectl", *words],  # noqa: S607 - the user's own
            input=given,
            env=self.environment,
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    def apply(self, manifest: str | JsonObject, namespace: str = "default") -> list[JsonObject]:
        """Apply manifests: YAML or JSON text, or one object. The objects as they are then. Raises ClusterError."""
        documents = [manifest] if isinstance(manifest, dict) else _read(manifest)
        return [self._applied(obj, namespace) for obj in documents]

    def get(self, kind: str, name: str, namespace: str = "default", version: str = "") -> JsonObject | None:
        """An object, or None. `version` is its apiVersion, where several have the kind."""
        found = self.ask("GET", path_of(_resource(kind, version), namespace, name))
        if isinstance(found, Status):
            if found.code != _NOT_FOUND:
                _raise(found)
            return None
        return found

    def items(self, kind: str, namespace: str = "", version: str = "") -> Sequence[JsonObject]:
        """The objects of a kind, in a namespace or in all. Raises ClusterError."""
        found = self.ask("GET", path_of(_resource(kind, version), namespace))
        if isinstance(found, Status):
            _raise(found)
        return objects(found, "items")

    def delete(self, kind: str, name: str, namespace: str = "default", version: str = "") -> None:
        """Delete an object; one that is not there is fine. Raises ClusterError."""
        found = self.ask("DELETE", path_of(_resource(kind, version), namespace, name))
        if isinstance(found, Status) and found.code not in {200, _NOT_FOUND}:
            _raise(found)

    def wait_for(  # noqa: PLR0913, PLR0917 - what a person says of a wait
        self,
        kind: str,
        name: str,
        holds: Callable[[JsonObject], bool],
        namespace: str = "default",
        seconds: float = 60.0,
        version: str = "",
    ) -> JsonObject:
        """The object once this holds of it. Raises TimeoutError, which shows it as it was last."""
        end = time.monotonic() + seconds
        found: JsonObject | None = None
        while time.monotonic() < end:
            found = self.get(kind, name, namespace, version)
            if found is not None and holds(found):
                return found
            time.sleep(_EVERY)
        raise TimeoutError(f"{kind} {namespace}/{name}: {found}")

    def ask(
        self, method: str, path: str, document: JsonObject | None = None, content_type: str = "application/json"
    ) -> JsonObject | Status:
        """The server's answer to any request, as its admin."""

        async def asked() -> JsonObject | Status:
            client = Client(load(str(self.kubeconfig)), "podward-testing")
            try:
                return await client.ask(method, path, document, content_type)
            finally:
                await client.close()

        return asyncio.run(asked())

    @property
    def _log(self) -> Path:
        return self.directory / "serve.log"

    def _applied(self, obj: JsonObject, namespace: str) -> JsonObject:
        resource = _resource(str(obj.get("kind")), str(obj.get("apiVersion")))
        metadata = member(obj, "metadata")
        where = path_of(resource, str(metadata.get("namespace") or namespace), str(metadata.get("name")))
        words = "?fieldManager=podward-testing&force=true"
        found = self.ask("PATCH", where + words, obj, PatchKind.APPLY.value)
        if isinstance(found, Status):
            _raise(found)
        return found

    def _podward(self, *words: str) -> None:
        command = [sys.executable, "-m", "podward", *words]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ClusterError(done.stderr.strip())

    def _end(self) -> str:
        """End it; what it has said on its standard error."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(_ENDING)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGTERM)
                process.wait()
            if process.stdout is not None:
                process.stdout.close()
        said = self._log.read_text(errors="replace") if self._log.exists() else ""
        shutil.rmtree(self.directory, ignore_errors=True)
        return said.strip()


def ready(obj: JsonObject) -> bool:
    """Whether an object has a condition Ready, or Available, that is true."""
    return any(
        each.get("type") in {"Ready", "Available"} and each.get("status") == "True"
        for each in objects(member(obj, "status"), "conditions")
    )


def _resource(kind: str, version: str) -> Resource:
    if version:
        found = [BY_KIND[version, kind]] if (version, kind) in BY_KIND else []
    else:
        found = [resource for (_, name), resource in BY_KIND.items() if name == kind]
    if not found:
        raise ClusterError(f"there is no kind {kind!r}", where=version, advice="ask by `ask`, or by kubectl")
    return found[0]


def _raise(refused: Status) -> NoReturn:
    raise ClusterError(refused.message)


def _read(text: str) -> list[JsonObject]:
    return [document.raw for document in decode_documents(text.encode(), "manifest")]
