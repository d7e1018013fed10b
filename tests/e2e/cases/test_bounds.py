"""What a manifest may make the machine do is bounded: expansion, environments, processes, state directories."""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from case_corpus import case, said, text_of, write
from podward_command import PROJECT, Podward

pytestmark = pytest.mark.needs("root", "crun", "runc", "busybox", "skopeo", "umoci")

MEMORY = 2 << 30
RAW = re.compile(r'"(msg|level)":|level=|time="')
"""How the runtimes write their own logs."""


@pytest.mark.parametrize("command", ["explain", "run", "admit", "check"])
def test_variables_that_double_each_other_end_within_the_bounds_of_execve(podward: Podward, command: str) -> None:
    words = [case("hostile/env-doubling.yaml")] if command == "check" else ["-f", case("hostile/env-doubling.yaml")]
    done = subprocess.run(
        [sys.executable, "-m", "podward", command, *words],
        env=podward.environment,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert "MemoryError" not in done.stderr
    assert "Traceback" not in done.stderr
    if command in {"explain", "run"}:
        assert done.returncode in {1, 128}, done.stderr
        assert re.search(r"E2BIG|[Aa]rgument list too long|131072|128 KiB", said(done))
        assert re.search(r"A(1[4-9]|[2-4]\d)\b", said(done)), "and which variable it is"


@pytest.mark.parametrize("runtime", ["crun", "runc"])
def test_an_environment_that_execve_refuses_is_128_and_one_sentence(
    podward: Podward, tmp_path: Path, runtime: str
) -> None:
    variables = "".join(f"    - {{name: V{number}, value: {'x' * 100_000}}}\n" for number in range(30))
    manifest = text_of("hostile/clean.yaml") + "    env:\n" + variables
    done = podward("run", "--runtime", runtime, "-f", write(tmp_path, "pod.yaml", manifest))
    assert done.returncode == 128, done.stderr[:500]
    assert RAW.search(done.stderr) is None, done.stderr[:500]
    assert len(done.stderr) < 2000
    assert re.search(r"E2BIG|[Aa]rgument list too long", done.stderr)


def test_an_environment_that_fits_is_no_trouble(podward: Podward, tmp_path: Path) -> None:
    manifest = text_of("hostile/clean.yaml") + f"    env: [{{name: V, value: {'x' * 100_000}}}]\n"
    assert podward("run", "-f", write(tmp_path, "pod.yaml", manifest)).returncode == 0


def test_the_number_of_processes_is_documented(podward: Podward) -> None:
    """A kubelet's podPidsLimit is -1 by default: none."""
    page = (PROJECT / "docs" / "run.md").read_text(encoding="utf-8")
    assert re.search(r"podPidsLimit|pids limit|number of processes", page)
    assert podward("run", "--help").returncode == 0


def test_root_does_not_use_a_state_directory_that_others_may_write(podward: Podward, tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    os.chown(state, 12345, 12345)
    state.chmod(0o777)
    podward.environment["PODWARD_ROOT"] = str(state)
    for words in (("run", "-f", case("hostile/clean.yaml")), ("image", "ls"), ("ps",)):
        done = podward(*words)
        assert done.returncode != 0, words
        assert str(state) in done.stderr
        assert re.search(r"12345|owner|belongs", done.stderr)


@pytest.mark.parametrize("runtime", ["crun", "runc"])
def test_a_volume_over_proc_makes_no_difference_without_drift(podward: Podward, runtime: str) -> None:
    for path in ("/proc/sys", "/proc/self"):
        manifest = text_of("hostile/verify-empty-dir-proc.yaml").replace("/proc/sys", path)
        done = podward("run", "--verify", "--runtime", runtime, "-f", "-", stdin=manifest)
        assert not re.search(r"[1-9]\d* differ", done.stderr), done.stderr
        assert RAW.search(done.stderr) is None
        assert done.returncode in {0, 1, 128}
        assert done.returncode == 0 or path in done.stderr, "refused with the path"
