"""What a command leaves is kept until the next one begins."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from podward.cli import process_exit
from podward.cli.main import main

POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: app, image: 'a:1'}]}\n"


def test_a_check_leaves_its_objects_and_the_next_command_forgets_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tmp_path.joinpath("a.yaml").write_text(POD)
    assert main(["check", str(tmp_path / "a.yaml")]) == 1
    assert process_exit.kept
    assert main(["--version"]) == 0
    assert not process_exit.kept
    assert "pss/" in capsys.readouterr().out


def test_a_process_that_ends_so_has_said_everything(tmp_path: Path) -> None:
    names = [f"pod-{number}" for number in range(300)]
    tmp_path.joinpath("all.yaml").write_text("---\n".join(POD.replace("name: a}", f"name: {name}}}") for name in names))
    command = [sys.executable, "-m", "podward", "check", str(tmp_path), "-o", "json"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (1, "")
    assert ran.stdout.endswith("}\n")
    assert all(f'"name": "{name}"' in ran.stdout for name in names)
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        failed = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (failed.returncode, "no space left" in failed.stderr.lower()) == (1, True)
