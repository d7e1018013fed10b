"""Transcripts: commands of a shell with what they print, compared with what they print here.

A transcript was recorded at a real kube-apiserver by `tests/e2e/clients/record.py`. `$ ` begins a command, two spaces a
line of its output, `! ` one of its errors, `? ` its exit code where that is not 0; `# ` is a remark. What differs from
run to run is masked: ages, times, uids, versions, tokens, addresses.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sysconfig
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import unified_diff
from pathlib import Path

SCRIPTS = Path(sysconfig.get_path("scripts"))
"""Where kubectl is."""
HELM = ":".join(str(place) for place in sorted(Path(__file__).parents[2].glob("build/helm-*")))
"""Where Helm is, which `make` puts there."""
USERS = ("admin", "alice", "bob", "carol")

_MASKS = [
    (re.compile(pattern), mask)
    for pattern, mask in (
        (r"https://[\w.]+:\d+", "SERVER"),
        (r"kube-api-access-[a-z0-9]{5}\b", "kube-api-access-RANDOM"),
        (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "UID"),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "TIME"),
        (r"\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}", "TIME"),
        (r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}", "TIME"),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)? [+-]\d{4}( UTC)?", "TIME"),
        (r'(resourceVersion"?: )"\d+"', r'\1"VERSION"'),
        (r"(Resource Version: +)\d+", r"\1VERSION"),
        (r"(?<![\w.-])(\d+[smhd])+(?![\w.-])|<invalid>", "AGE"),
        (r"\beyJ[\w-]+\.[\w-]+\.[\w-]+", "TOKEN"),
        (r"\bLS0t[\w+/=]+", "PEM"),
        (r"\b[EWI]\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ ", "LOG "),
        (r"(?<![\w.])/[\w./-]*?(LIVE|MERGED)-\d+", r"\1"),
        (r"(?<![\w.])/tmp/[\w./-]+", "FILE"),
        (r"\b10\.0\.0\.\d+\b", "ADDRESS"),
        (r"(nodePort: |<unset> +|:)3[0-2]\d{3}\b", r"\1PORT"),
        (r"(?<=\S) {2,}", "  "),
        (r"\s+$", ""),
    )
]


@dataclass
class Step:
    """A command, and what it prints."""

    command: str
    lines: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    """Remarks above it."""


def read(text: str) -> list[Step]:
    """The steps of a transcript."""
    steps: list[Step] = []
    remarks: list[str] = []
    for line in text.splitlines():
        if line.startswith("# "):
            remarks.append(line)
        elif line.startswith("$ "):
            steps.append(Step(line[2:], remarks=remarks))
            remarks = []
        elif steps:
            steps[-1].lines.append(line)
    for step in steps:
        step.lines = _trimmed(step.lines)
    return steps


def written(steps: Sequence[Step]) -> str:
    """The transcript of these steps."""
    return "".join("\n".join([*step.remarks, f"$ {step.command}", *step.lines]) + "\n" for step in steps)


class Shell:
    """A directory with the manifests, where commands are run with a kubeconfig."""

    def __init__(self, directory: Path, config: Mapping[str, object], manifests: Path) -> None:
        self.place = directory / "work"
        shutil.copytree(manifests, self.place)
        path = directory / "kubeconfig"
        path.write_text(json.dumps(config))
        home = directory / "home"
        home.mkdir()
        self._environment = {
            "PATH": f"{SCRIPTS}:{HELM}:{os.environ['PATH']}",
            "HOME": str(home),
            "KUBECONFIG": str(path),
            "GOGC": "off",  # each command is short: collecting its garbage is a fifth of its work
            "TMPDIR": str(home),  # where `kubectl edit` leaves what could not be stored
        }

    def run(self, command: str) -> list[str]:
        """What the command prints, masked."""
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.place,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        out, err = (text.replace(self._environment["TMPDIR"], "/tmp") for text in (done.stdout, done.stderr))  # noqa: S108
        lines = [f"  {line}" for line in _masked(out)] + [f"! {line}" for line in _masked(err)]
        return _trimmed([line.rstrip() for line in lines]) + ([f"? {done.returncode}"] if done.returncode else [])

    def differences(self, steps: Sequence[Step]) -> str:
        """Run all of them, and tell where they print something else."""
        told = []
        for step in steps:
            found = self.run(step.command)
            if found != step.lines:
                told += [f"$ {step.command}", *unified_diff(step.lines, found, "recorded", "here", lineterm="", n=1)]
        return "\n".join(told)


def kubeconfig(server: str, authority: str) -> dict[str, object]:
    """A context for each of the users, and one for nobody; without an authority, the server is believed."""
    trust = {"certificate-authority": authority} if authority else {"insecure-skip-tls-verify": True}
    users = [{"name": name, "user": {"token": f"{name}-token"}} for name in USERS] + [{"name": "nobody", "user": {}}]
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "it", "cluster": {"server": server, **trust}}],
        "users": users,
        "contexts": [{"name": user["name"], "context": {"cluster": "it", "user": user["name"]}} for user in users],
        "current-context": "admin",
    }


def _masked(text: str) -> list[str]:
    return [_mask(line) for line in text.splitlines()]


def _mask(line: str) -> str:
    for pattern, mask in _MASKS:
        line = pattern.sub(mask, line)
    return line


def _trimmed(lines: list[str]) -> list[str]:
    """Without empty lines at the end."""
    end = len(lines)
    while end and not lines[end - 1].strip():
        end -= 1
    return lines[:end]
