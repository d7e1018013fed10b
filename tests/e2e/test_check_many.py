"""`podward check` over many files, as a user calls it: bad files among good ones, hostile files, one or two cores."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

POD = """apiVersion: v1
kind: Pod
metadata: {{name: pod-{number}}}
spec:
  securityContext: {{runAsNonRoot: true, runAsUser: 1000, seccompProfile: {{type: RuntimeDefault}}}}
  containers:
  - name: app
    image: registry.example.com/app:1
    securityContext: {{allowPrivilegeEscalation: {escalation}, capabilities: {{drop: [ALL]}}}}
"""
BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


class Check:
    """The command in a directory of its own, with a cache of its own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.manifests = directory / "manifests"
        self.manifests.mkdir()
        self.cache = directory.with_name(f"{directory.name}-cache")  # within what is checked none is kept
        self.environment = {**os.environ, "XDG_CACHE_HOME": str(self.cache), "COLUMNS": "100"}
        self.environment.pop("PYTHONPATH", None)

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "podward", "check", *words]

    def __call__(self, *words: str, cores: int = 0, stdin: str = "") -> subprocess.CompletedProcess[str]:
        def on_few_cores() -> None:
            if cores:
                os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])

        return subprocess.run(
            self.command(*words),
            cwd=self.directory,
            env=self.environment,
            preexec_fn=on_few_cores,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def write(self, name: str, content: str | bytes) -> Path:
        file = self.manifests / name
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    def write_pods(self, count: int, bad_every: int = 10) -> None:
        for number in range(count):
            escalation = "true" if number % bad_every == 0 else "false"
            self.write(f"pod-{number:04d}.yaml", POD.format(number=number, escalation=escalation))


@pytest.fixture
def check(tmp_path: Path) -> Check:
    return Check(tmp_path)


def findings(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    assert done.stderr == ""
    found: list[dict[str, Any]] = json.loads(done.stdout)["findings"]
    return found


def test_one_bad_file_among_a_thousand_does_not_stop_the_others(check: Check) -> None:
    check.write_pods(999)
    check.write("pod-0500-broken.yaml", "apiVersion: v1\nkind: Pod\nmetadata:\n  name: [\n")
    done = check("manifests", "-o", "json", "--no-cache")
    assert done.returncode == 2
    found = findings(done)
    bad = [(each["file"], each["line"]) for each in found if each["rule"] == "input/syntax"]
    assert bad == [("manifests/pod-0500-broken.yaml", 4)]
    refused = {each["file"] for each in found if each["rule"] == "pss/allowPrivilegeEscalation"}
    assert refused == {f"manifests/pod-{number:04d}.yaml" for number in range(0, 999, 10)}
    assert json.loads(done.stdout)["summary"]["files"] == 1000


def test_reports_are_the_same_by_one_process_by_two_and_from_the_cache(check: Check) -> None:
    check.write_pods(120, bad_every=3)
    check.write("broken.yaml", "a: {\n")
    check.write("namespace.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: default}\n")
    reports = [
        check("manifests", "-", "-o", "json", *words, cores=cores, stdin=POD.format(number=1, escalation="true"))
        for cores, words in ((1, ("--no-cache",)), (2, ("--no-cache",)), (2, ()), (2, ()), (1, ()))
    ]
    assert {report.returncode for report in reports} == {2}
    assert len({report.stdout for report in reports}) == 1
    assert {report.stderr for report in reports} == {""}
    assert any(each["file"] == "<stdin>" for each in findings(reports[0]))
    assert list((check.cache / "podward" / "check").iterdir())


def test_no_cache_keeps_nothing(check: Check) -> None:
    check.write_pods(50)
    assert check("manifests", "--no-cache").returncode == 1
    assert not (check.cache).exists()


@pytest.mark.parametrize(
    ("content", "rule", "line"),
    [
        (BOMB, "input/limits", 4),
        ("apiVersion: v1\nkind: Pod\nmetadata:\n  " + "[" * 500 + "]" * 500, "input/limits", 4),
        ("a:\n" + "".join(f"{' ' * depth}a:\n" for depth in range(1, 200)), "input/limits", 101),
        ('{"a":\n' + "[" * 500 + "]" * 500 + "}", "input/limits", 2),
        ("apiVersion: v1\nkind: ConfigMap\ndata:\n  a: |\n" + f"    {'x' * 1000}\n" * 4000, "input/limits", 1),
        ("---\n" * 100_001, "input/limits", 100_000),
        ("kind: Pod\na: \x00\n", "input/syntax", 2),
        (b"\x7fELF\x02\x01\x01\x00\x00", "input/syntax", 1),
        (b"kind: Pod\na: \xff\xfe\n", "input/syntax", 2),
        ("a: 1\nb: 2\na: 3\n", "input/syntax", 3),
        ("kind: Pod\na: *nobody\n", "input/syntax", 2),
        ("a: &a\n  b: *a\n", "input/syntax", 2),
        ("x: {{ .Values.name }}\n", "input/template", 1),
    ],
    ids=["aliases", "deep flow", "deep block", "deep JSON", "large", "many", "NUL", "ELF", "not UTF-8", "twice",
         "unknown anchor", "anchor in itself", "template"],
)  # fmt: skip
def test_hostile_files_are_refused_with_their_line(check: Check, content: str | bytes, rule: str, line: int) -> None:
    check.write_pods(3, bad_every=2)
    check.write("hostile.yaml", content)
    start = time.monotonic()
    done = check("manifests", "-o", "json")
    assert time.monotonic() - start < 20
    assert done.returncode == 2
    found = findings(done)
    assert [(each["rule"], each["line"]) for each in found if each["file"] == "manifests/hostile.yaml"] == [
        (rule, line)
    ]
    assert len([each for each in found if each["rule"] == "pss/allowPrivilegeEscalation"]) == 2


def _socket(place: Path) -> None:
    import socket

    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(place))


@pytest.mark.parametrize("make", [lambda place: place.mkdir(), os.mkfifo, _socket], ids=["directory", "FIFO", "socket"])
def test_what_is_no_file_is_passed_over_in_a_directory(check: Check, make: Callable[[Path], None]) -> None:
    check.write_pods(2, bad_every=9)
    make(check.manifests / "odd.yaml")
    done = check("manifests", "-o", "json")
    assert (done.returncode, len(findings(done))) == (1, 1)


def test_manifests_below_a_directory_named_like_a_file_are_checked(check: Check) -> None:
    (check.manifests / "odd.yaml").mkdir()
    check.write("odd.yaml/pod.yaml", POD.format(number=1, escalation="true"))
    assert [each["file"] for each in findings(check("manifests", "-o", "json"))] == ["manifests/odd.yaml/pod.yaml"]


def test_a_link_that_leads_nowhere_is_reported(check: Check) -> None:
    check.write_pods(50, bad_every=100)
    (check.manifests / "gone.yaml").symlink_to("nowhere.yaml")
    done = check("manifests", "-o", "json")
    assert done.returncode == 2
    assert [each["rule"] for each in findings(done) if each["file"].endswith("gone.yaml")] == ["input/reading"]


def test_a_link_in_a_circle_ends(check: Check) -> None:
    check.write_pods(2)
    (check.manifests / "round").symlink_to(check.manifests)
    (check.manifests / "self.yaml").symlink_to("self.yaml")
    done = check("manifests", "-o", "json")
    assert done.returncode == 2
    assert json.loads(done.stdout)["summary"]["files"] == 3


@pytest.mark.needs("root")
def test_what_may_not_be_read_is_reported(check: Check) -> None:
    check.write_pods(2)
    check.write("secret.yaml", "a: 1\n").chmod(0)
    (check.manifests / "closed").mkdir(mode=0)
    done = subprocess.run(
        ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *check.command("manifests", "-o", "json")],
        cwd=check.directory, env=check.environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip  # without these capabilities a mode counts for root too
    assert done.returncode == 2
    unread = [each["file"] for each in findings(done) if each["rule"] == "input/reading"]
    assert unread == ["manifests/closed", "manifests/secret.yaml"]


def test_files_that_are_too_large_are_not_read(check: Check) -> None:
    with check.write("huge.yaml", "").open("r+b") as file:
        file.truncate(1 << 40)
    done = check("manifests", "-o", "json", "--allow-empty")
    assert done.returncode == 2
    assert [each["rule"] for each in findings(done)] == ["input/limits"]


def test_an_interrupt_ends_all_processes_quietly(check: Check) -> None:
    check.write_pods(3000)
    process = subprocess.Popen(
        check.command("manifests", "--no-cache"),
        cwd=check.directory, env=check.environment, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    with process:
        deadline = time.monotonic() + 20
        while not (workers := _children(process.pid)) and time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.002)
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=20)
    assert process.returncode == 130
    assert said == ""
    assert len(workers) == min(len(os.sched_getaffinity(0)), 150) - 1
    assert not any(os.path.exists(f"/proc/{pid}") for pid in workers)


def test_a_parent_that_is_killed_leaves_no_worker(check: Check) -> None:
    check.write_pods(3000)
    process = subprocess.Popen(
        check.command("manifests", "--no-cache"),
        cwd=check.directory, env=check.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    with process:
        deadline = time.monotonic() + 20
        while not (workers := _children(process.pid)) and time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.002)
        process.kill()
    assert workers
    deadline = time.monotonic() + 5
    while any(_runs(pid) for pid in workers) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not any(_runs(pid) for pid in workers)


def _children(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _runs(pid: int) -> bool:
    """Whether the process is there, and is no zombie that its new parent has still to reap."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False
