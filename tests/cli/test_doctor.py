"""`podward doctor` on this machine, and on machines that lack something."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from warm_command import run

from podward.cli import doctor
from podward.runtime import health
from podward.runtime.health import LIMITED, MISSING, OK, HealthCheck


def _doctor(*words: str, root: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return run("doctor", *words, environment={**os.environ, "PODWARD_ROOT": str(root), **environment})


def _mounts() -> list[str]:
    return Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()


def _cgroups() -> set[str]:
    return {name for _, names, _ in os.walk("/sys/fs/cgroup") for name in names if "doctor" in name}


@pytest.mark.needs("root", "crun", "runc", "runsc", "busybox")
def test_here_pods_can_run_and_every_runtime_ran_one(tmp_path: Path) -> None:
    root = tmp_path / "state"
    root.mkdir(mode=0o700)
    mounts = _mounts()
    said = _doctor("-o", "json", root=root)
    assert said.returncode == 0, said.stdout + said.stderr
    report = json.loads(said.stdout)
    assert report["ready"] is True
    state = {check["name"]: check for check in report["checks"]}
    for kind in ("crun", "runc", "runsc"):
        assert state[f"a container with {kind}"]["state"] == OK, state[f"a container with {kind}"]
    for check in report["checks"]:
        assert check["state"] in {OK, LIMITED, MISSING}
        assert (check["state"] == OK) == ("remedy" not in check), check
    assert _mounts() == mounts, "the host's mounts are as before"
    assert set(os.listdir(root)) == {"runtime.json"}
    assert not _cgroups()


@pytest.mark.needs("root", "crun", "runc", "busybox")
def test_the_text_fits_eighty_columns_and_has_no_colour(tmp_path: Path) -> None:
    said = _doctor(root=tmp_path)
    assert said.returncode == 0
    assert max(len(line) for line in said.stdout.splitlines()) <= 80
    assert "\x1b" not in said.stdout
    assert said.stdout.splitlines()[-1].startswith("Pods can run here.")


@pytest.mark.needs("root", "busybox")
def test_without_an_oci_runtime_pods_cannot_run(tmp_path: Path) -> None:
    """A child without the programs' directories: in a private mount namespace an empty file covers each runtime."""
    covered = "".join(
        f'p=$(command -v {name} || echo /usr/sbin/{name}); [ -e "$p" ] && mount --bind {tmp_path}/empty "$p"; '
        for name in ("crun", "runc")
    )
    (tmp_path / "empty").write_text("")
    words = f"{covered} exec {sys.executable} -m podward doctor -o json"
    said = subprocess.run(
        ["unshare", "-m", "sh", "-c", words],
        env={**os.environ, "PODWARD_ROOT": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 1, said.stderr
    report = json.loads(said.stdout)
    assert report["ready"] is False
    missing = {check["name"]: check for check in report["checks"] if check["state"] == MISSING}
    assert missing["crun"]["remedy"] == "apt install crun"
    assert missing["an OCI runtime"]["consequence"] == "no Pod can run"


@pytest.mark.needs("root")
def test_a_capability_that_is_gone_is_named(tmp_path: Path) -> None:
    said = subprocess.run(
        ["setpriv", "--bounding-set", "-sys_admin", sys.executable, "-m", "podward", "doctor", "-o", "json"],
        env={**os.environ, "PODWARD_ROOT": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 1, said.stderr
    checks = {check["name"]: check for check in json.loads(said.stdout)["checks"]}
    assert checks["CAP_SYS_ADMIN"]["state"] == MISSING
    assert checks["CAP_SYS_ADMIN"]["consequence"].endswith("no Pod can run")
    assert checks["overlayfs"]["state"] == MISSING


@pytest.mark.needs("root")
def test_another_user_is_told_to_be_root(tmp_path: Path) -> None:
    """In a child that has become nobody, who may not even read the project."""
    output = tmp_path / "out"
    child = os.fork()
    if child == 0:
        code = 99
        try:
            os.dup2(os.open(output, os.O_WRONLY | os.O_CREAT, 0o600), 1)
            os.setgroups(())
            os.setresgid(65534, 65534, 65534)
            os.setresuid(65534, 65534, 65534)
            checks = health.check_machine("/nonexistent/state")
            os.write(1, doctor.rendered(checks, coloured=False, width=80).encode())
            code = int(not doctor.is_ready(checks))
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
    said = output.read_text()
    assert "do: run it with sudo" in said
    assert said.splitlines()[-1].startswith("Pods cannot run here")


def test_colour_and_marks() -> None:
    checks = [
        HealthCheck("g", "fine", OK, "1.0"),
        HealthCheck("g", "half", LIMITED, "x", "this follows", "do that"),
        HealthCheck("h", "gone", MISSING, "\x1b[2J said a tool", "bad", "apt install gone", required=True),
    ]
    plain = doctor.rendered(checks, coloured=False, width=80)
    assert "\x1b" not in plain
    assert "\\x1b[2J said a tool" in plain
    assert "  limited half" in plain
    assert "so: this follows" in plain
    assert "do: apt install gone" in plain
    assert plain.splitlines()[-1] == "Pods cannot run here: see what is missing above. (1 ok, 1 limited, 1 missing)"
    coloured = doctor.rendered(checks, coloured=True, width=80)
    assert "\x1b[31mmissing \x1b[0mgone" in coloured
    assert not doctor.is_ready(checks)
    assert doctor.is_ready(checks[:2])


@pytest.mark.parametrize("width", [40, 80, 100])
def test_long_texts_are_wrapped(width: int) -> None:
    check = HealthCheck("g", "name", LIMITED, "found " * 30, "so " * 60, "do " * 60)
    lines = doctor.rendered([check], coloured=False, width=width).splitlines()
    assert max(len(line) for line in lines[:-1]) <= max(width, 34 + 20)
