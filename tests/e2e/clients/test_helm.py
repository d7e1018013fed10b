"""Helm installs, upgrades, rolls back and uninstalls charts here as at a real server: transcripts recorded there."""

from __future__ import annotations

from pathlib import Path

import pytest
from api_server import running
from transcripts import Shell, kubeconfig, read

pytestmark = pytest.mark.needs("helm")

HERE = Path(__file__).parent
TRANSCRIPTS = sorted((HERE / "helm").glob("*.txt"))


@pytest.mark.parametrize("transcript", TRANSCRIPTS, ids=lambda path: path.stem)
def test_it_does_what_it_does_at_a_real_server(tmp_path: Path, transcript: Path) -> None:
    with running(tmp_path, "--controllers", "") as server:
        shell = Shell(tmp_path, kubeconfig(server.url, str(server.data / "ca.crt")), HERE / "manifests")
        told = shell.differences(read(transcript.read_text()))
    if told:
        pytest.fail(told, pytrace=False)
