"""A real `podward serve` in processes of its own, and the real kubectl for it."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

_DEADLINE = 60.0
_EVERY = 0.1
_SHORT = {"GOGC": "off"}
"""For a command that ends soon: collecting its garbage is a fifth of its work."""
KUBECTL = str(Path(sys.executable).with_name("kubectl"))


class ServedCluster:
    """A cluster whose first node has its images and Pods in `root`."""

    def __init__(self, root: Path, *flags: str) -> None:
        self.root = root
        self.kubeconfig = root / "kubeconfig.yaml"
        self._errors = (root / "serve.err").open("w+")
        words = ["serve", "--data-dir", str(root), "--kubeconfig", str(self.kubeconfig), "--secure-port", "0"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "podward", *words, "--port", "0", "--name", "n1", *flags],
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        assert self.process.stdout is not None
        self.first_line = self.process.stdout.readline()
        if "ready at " not in self.first_line:
            self.process.wait(_DEADLINE)
            raise AssertionError(f"not ready:\n{self.said()}")

    def said(self) -> str:
        """What it has said on its standard error."""
        return (self.root / "serve.err").read_text()

    def kubectl(self, *words: str, given: str = "", code: int | None = 0) -> str:
        """What kubectl prints; it must end with this code, unless that is None."""
        done = subprocess.run(
            [KUBECTL, "--kubeconfig", str(self.kubeconfig), "--request-timeout=30s", *words],
            input=given, capture_output=True, text=True, timeout=_DEADLINE, check=False, env={**os.environ, **_SHORT},
        )  # fmt: skip
        assert code is None or done.returncode == code, f"{words}: {done.stdout}{done.stderr}\n{self.said()}"
        return done.stdout + (done.stderr if done.returncode else "")

    def get(self, *words: str) -> Any:  # noqa: ANN401 - of any kind
        """An object or a list, by kubectl."""
        return json.loads(self.kubectl("get", "-o", "json", *words))

    def until(self, holds: Callable[[Any], bool], *words: str, seconds: float = 30.0) -> Any:  # noqa: ANN401 - as above
        """The object, or the list, once this holds of it."""
        found: Any = None
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with contextlib.closing(self._seen(words, end)) as seen:
                for found in seen:
                    if holds(found):
                        return found
            time.sleep(_EVERY)
        raise AssertionError(f"{words}: {json.dumps(found, indent=1)}\n{self.said()}")

    def _seen(self, words: tuple[str, ...], end: float) -> Generator[Any]:
        """What is there; of an object that is named, each of its versions too, as long as kubectl watches it.

        The one object is watched as a list: of a name kubectl drops the first event, be it a version not yet seen.
        """
        kind, *rest = words
        if rest and not rest[0].startswith("-"):
            rest[:1] = ["--watch", "--field-selector", f"metadata.name={rest[0]}"]
        process = subprocess.Popen(
            [KUBECTL, "--kubeconfig", str(self.kubeconfig), "get", "-o", "json", kind, *rest],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={**os.environ, **_SHORT},
        )  # fmt: skip
        text = b""
        with process:
            assert process.stdout is not None
            try:
                while select.select([process.stdout], [], [], max(0.0, end - time.monotonic()))[0]:
                    part = os.read(process.stdout.fileno(), 1 << 20)
                    if not part:
                        return
                    *whole, text = (text + part).split(b"\n}\n")  # indented: only the end of an object is so
                    yield from (json.loads(each + b"}") for each in whole)
            finally:
                process.kill()

    def until_running(self, name: str, namespace: str = "default") -> Any:  # noqa: ANN401 - as above
        """The Pod once it runs and is ready."""
        return self.until(is_ready, "pod", name, "-n", namespace)

    def end(self) -> None:
        """End it as Ctrl-C does, and wait for it."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(_DEADLINE)
            except subprocess.TimeoutExpired:
                self.process.send_signal(signal.SIGINT)
                self.process.wait(_DEADLINE)
        if self.process.stdout is not None:
            self.process.stdout.close()
        self._errors.close()


def is_ready(pod: Any) -> bool:  # noqa: ANN401 - of kubectl
    """Whether a Pod runs and is ready."""
    conditions = pod.get("status", {}).get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def with_images(images: Path, root: Path) -> Path:
    """A state directory of its own that has the same images."""
    root.mkdir(mode=0o700, exist_ok=True)
    shutil.copytree(images / "images", root / "images", symlinks=True)
    return root


def left_over(root: Path) -> list[str]:
    """Processes that have to do with a state directory."""
    found = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = Path("/proc", entry, "cmdline").read_bytes().decode(errors="replace").replace("\0", " ")
        except OSError:
            continue
        if str(root) in words:
            found.append(words)
    return found
