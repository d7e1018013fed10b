"""The inputs of tests/corpus/cases, and what tests read out of the command's answers."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any, cast

from podward_command import PROJECT, Podward

CASES = PROJECT / "tests" / "corpus" / "cases"
Done = subprocess.CompletedProcess[str]

READABLE = {"\n", "\t"}
BIDI = {chr(number) for number in (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C)}
SEPARATORS = {"\u2028", "\u2029"}


def case(name: str) -> str:
    """The path of one input."""
    found = CASES / name
    assert found.exists(), found
    return str(found)


def text_of(name: str) -> str:
    return (CASES / name).read_text(encoding="utf-8")


def said(done: Done) -> str:
    """Both outputs, with runs of white space as one blank: tables wrap their sentences."""
    return re.sub(r"\s+", " ", f"{done.stdout}\n{done.stderr}")


def run(podward: Podward, manifest: str, *words: str, stdin: str = "", timeout: float = 60) -> Done:
    """Run once, with what was predicted beside what was observed."""
    return podward("run", "--verify", "--restart", "Never", "-f", manifest, *words, stdin=stdin, timeout=timeout)


def agrees(done: Done) -> bool:
    """Whether every process was what had been predicted, and at least one was seen."""
    counts = re.findall(r"(\d+) fields, (\d+) differ", done.stderr)
    return bool(counts) and all(int(fields) > 10 and differ == "0" for fields, differ in counts)


def explained(podward: Podward, *words: str, stdin: str = "") -> list[dict[str, Any]]:
    """The Pods of `explain -o json`, whatever its exit code."""
    done = podward("explain", *words, "-o", "json", stdin=stdin)
    assert done.stdout, done.stderr
    return cast("list[dict[str, Any]]", json.loads(done.stdout)["pods"])


def hints(pods: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [hint for pod in pods for container in pod["containers"] for hint in container["hints"]]


def hint_about(pods: list[dict[str, Any]], *words: str) -> list[dict[str, Any]]:
    """The hints whose sentences and changes have all these words."""
    return [hint for hint in hints(pods) if all(word in json.dumps(hint, ensure_ascii=False) for word in words)]


def assigned(pods: list[dict[str, Any]], stage: str) -> list[dict[str, Any]]:
    """Everything that this stage set, for the Pods and for their containers."""
    held = [*pods, *(container for pod in pods for container in pod["containers"])]
    return [made for each in held for part in each["stages"] if part["stage"] == stage for made in part["assignments"]]


def row(table: str, name: str) -> str:
    """One row of the table with the lines that continue it; empty where there is none."""
    found = re.search(rf"^{name}(?: .*|)\n(?: +.*\n)*", table + "\n", re.MULTILINE)
    return found.group() if found else ""


class Checked:
    """What `check -o json` says."""

    def __init__(self, podward: Podward, *words: str, stdin: str = "", cwd: str | None = None) -> None:
        self.done = podward("check", *words, "-o", "json", stdin=stdin, cwd=cwd)
        assert self.done.stdout, self.done.stderr
        self.report: dict[str, Any] = json.loads(self.done.stdout)
        self.code = self.done.returncode

    def findings(self, rule: str = "", severity: str = "") -> list[dict[str, Any]]:
        """Those of a rule or a family, and of a severity."""
        return [
            finding
            for finding in self.report["findings"]
            if finding["rule"].startswith(rule) and severity in {"", finding["severity"]}
        ]

    def about(self, *words: str) -> list[dict[str, Any]]:
        """The findings in which all these words stand."""
        found = self.report["findings"]
        return [finding for finding in found if all(word in json.dumps(finding, ensure_ascii=False) for word in words)]

    @property
    def rules(self) -> set[str]:
        return {finding["rule"] for finding in self.report["findings"]}

    @property
    def errors(self) -> set[str]:
        return {finding["rule"] for finding in self.findings(severity="error")}

    @property
    def workloads(self) -> int:
        return int(self.report["summary"]["workloads"])


def raw_controls(text: str) -> set[str]:
    """The characters that drive a terminal, turn text around or forge a line."""
    return {
        each for each in text
        if each in BIDI | SEPARATORS or (each not in READABLE and (ord(each) < 0x20 or 0x7F <= ord(each) < 0xA0))
    }  # fmt: skip


def write(directory: Path, name: str, text: str) -> str:
    """A file of a test, and its path."""
    file = directory / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return str(file)
