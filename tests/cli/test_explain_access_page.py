"""The page about `podward explain access` shows what the command prints."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from podward.cli.main import main

PAGE = Path(__file__).parents[2] / "docs" / "explain-access.md"
TEXT = PAGE.read_text(encoding="utf-8")
BLOCKS = re.findall(r"```console\n\$ podward (.*)\n([^`]*)```", TEXT)


@pytest.mark.parametrize(("command", "output"), BLOCKS)
def test_what_is_shown_is_printed(
    command: str, output: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = re.search(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    assert manifest is not None
    (tmp_path / "rbac.yaml").write_text(manifest[1])
    monkeypatch.chdir(tmp_path)
    assert main(shlex.split(command)) == (0 if output.startswith("allowed") else 1)
    assert capsys.readouterr().out == output
