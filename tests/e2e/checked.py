"""`podward check` as tests of the command use it: manifests, and what a call of it said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from podward.cli import main as commands

PROJECT = Path(__file__).parent.parent.parent
SCHEMA = json.loads((PROJECT / "docs/schema/check.schema.json").read_text(encoding="utf-8"))

GOOD = """apiVersion: v1
kind: Pod
metadata: {name: good, namespace: shop}
spec:
  securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
  containers:
  - name: app
    image: registry.example.com/app:1
    securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
"""
BAD = (
    GOOD.replace("name: good", "name: bad")
    .replace("escalation: false", "x")
    .replace("allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true")
)
TEMPLATE = """\
    spec:
      containers:
      - name: app
        image: registry.example.com/app:1
        securityContext: {privileged: true}
"""
NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {%s}}\n"
LABEL = "pod-security.kubernetes.io/%s: %s"

HINTED = GOOD.replace(", seccompProfile: {type: RuntimeDefault}", "")


class Ran:
    """One call: its exit code and what it printed."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def report(self) -> Any:  # noqa: ANN401  # JSON
        return json.loads(self.out)

    @property
    def rules(self) -> list[str]:
        return [finding["rule"] for finding in self.report["findings"]]


class Check:
    """The command, in a directory of its own."""

    def __init__(self, directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.directory = directory
        self._capsys = capsys

    def __call__(self, *words: str) -> Ran:
        code = commands.main(["check", *words])
        out, err = self._capsys.readouterr()
        return Ran(code, out, err)

    def json(self, *words: str) -> Ran:
        ran = self(*words, "-o", "json")
        jsonschema.validate(ran.report, SCHEMA)
        assert ran.report["exitCode"] == ran.code
        return ran

    def write(self, name: str, text: str) -> Path:
        file = self.directory / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", errors="surrogateescape", newline="")
        return file


def annotated(text: str, waiver: str) -> str:
    return text.replace("namespace: shop}", f'namespace: shop, annotations: {{check.podward.dev/waive: "{waiver}"}}}}')
