"""What is looked up about the machine that Pods are explained on."""

from __future__ import annotations

from pathlib import Path

from podward.runtime.explaining.machine import state_of


def test_looking_for_other_pods_makes_no_state_directory(tmp_path: Path) -> None:
    assert state_of(str(tmp_path / "none")) is None
    assert list(tmp_path.iterdir()) == []
