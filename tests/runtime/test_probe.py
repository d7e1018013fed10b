"""The choice of the OCI runtime, with programs and caches as they may be found."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from podward.errors import NodeError
from podward.runtime import probe


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH of its own; Debian's directories are not looked at."""
    place = tmp_path / "bin"
    place.mkdir()
    monkeypatch.setenv("PATH", str(place))
    monkeypatch.setattr(probe, "_DIRECTORIES", ())
    return place


def _program(place: Path, name: str, script: str) -> Path:
    program = place / name
    program.write_text(f"#!/bin/sh\necho called >> {place}/{name}.calls\n{script}\n")
    program.chmod(0o755)
    return program


def _calls(place: Path, name: str) -> int:
    log = place / f"{name}.calls"
    return len(log.read_text().splitlines()) if log.exists() else 0


def test_crun_is_preferred(programs: Path, tmp_path: Path) -> None:
    _program(programs, "runc", "echo runc version 1.1.5")
    assert probe.choose(root=str(tmp_path)).kind == "runc"
    _program(programs, "crun", "echo crun version 1.8.1; echo commit: f8a0")
    choice = probe.choose(root=str(tmp_path))
    assert (choice.kind, choice.path, choice.version) == ("crun", str(programs / "crun"), "1.8.1")


def test_a_program_that_does_not_start_is_passed_over(programs: Path, tmp_path: Path) -> None:
    _program(programs, "crun", "echo 'error while loading shared libraries' >&2; exit 127")
    _program(programs, "runc", "echo runc version 1.1.5+ds1")
    assert probe.choose(root=str(tmp_path)).kind == "runc"
    (programs / "runc").chmod(0o644)
    with pytest.raises(NodeError, match="no OCI runtime is here") as caught:
        probe.choose(root=str(tmp_path))
    assert "apt install crun" in caught.value.advice


def test_a_wish_is_granted_or_refused_and_never_replaced(programs: Path, tmp_path: Path) -> None:
    _program(programs, "crun", "echo crun version 1.8.1")
    with pytest.raises(NodeError, match="'runc' is not here"):
        probe.choose("runc", str(tmp_path))
    other = _program(tmp_path, "runc-1.2", "echo runc version 1.2.0")
    assert probe.choose(str(other), str(tmp_path)).kind == "runc"


def test_a_program_is_asked_once_until_it_changes(programs: Path, tmp_path: Path) -> None:
    crun = _program(programs, "crun", "echo crun version 1.8.1")
    for _ in range(3):
        assert probe.choose(root=str(tmp_path)).version == "1.8.1"
    assert _calls(programs, "crun") == 1
    _program(programs, "crun", "echo crun version 1.14.4")
    os.utime(crun, (1, 1))
    assert probe.choose(root=str(tmp_path)).version == "1.14.4"
    assert _calls(programs, "crun") == 2
    assert (tmp_path / "runtime.json").stat().st_mode & 0o777 == 0o600
    assert b"1.8.1" not in (tmp_path / "runtime.json").read_bytes()


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"versions": 3}', b"\xff" * 100])
def test_a_damaged_cache_is_made_anew(programs: Path, tmp_path: Path, damage: bytes) -> None:
    _program(programs, "crun", "echo crun version 1.8.1")
    (tmp_path / "runtime.json").write_bytes(damage)
    assert probe.choose(root=str(tmp_path)).version == "1.8.1"
    probe.choose(root=str(tmp_path))
    assert _calls(programs, "crun") == 1


def test_without_a_state_directory_it_still_answers(programs: Path, tmp_path: Path) -> None:
    _program(programs, "crun", "echo crun version 1.8.1")
    assert probe.choose(root=str(tmp_path / "absent")).version == "1.8.1"
    assert not (tmp_path / "absent").exists()


def test_only_crun_is_kept_from_seeing_a_hybrids_unified_hierarchy(
    programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("crun", "runc", "runsc"):
        _program(programs, name, f"echo {name} version 1.0")
    for layout, crun in ((("hybrid", True), True), (("hybrid", False), False), (("v2", False), False)):
        monkeypatch.setattr(probe, "cgroup_layout", lambda found=layout: found)
        assert probe.choose("crun", str(tmp_path)).needs_private_cgroup_mounts == crun
        assert not probe.choose("runc", str(tmp_path)).needs_private_cgroup_mounts
        assert not probe.choose("runsc", str(tmp_path)).needs_private_cgroup_mounts
    assert "--platform=ptrace" in probe.choose("runsc", str(tmp_path)).arguments


def test_this_machines_layout_is_what_is_mounted() -> None:
    layout, controllers = probe.cgroup_layout()
    unified_root = os.path.exists("/sys/fs/cgroup/cgroup.controllers")
    unified_beside = os.path.exists(f"{probe.UNIFIED}/cgroup.controllers")
    assert layout == ("v2" if unified_root else "hybrid" if unified_beside else layout)
    assert controllers == (layout == "hybrid" and bool(probe.controllers(probe.UNIFIED)))
