"""kubectl prints here what it prints at a real server: transcripts that were recorded there."""

from __future__ import annotations

from pathlib import Path

import pytest
from api_server import running
from transcripts import Shell, kubeconfig, read

HERE = Path(__file__).parent
TRANSCRIPTS = sorted((HERE / "kubectl").glob("*.txt"))


@pytest.mark.parametrize("transcript", TRANSCRIPTS, ids=lambda path: path.stem)
def test_it_prints_what_it_prints_at_a_real_server(tmp_path: Path, transcript: Path) -> None:
    with running(tmp_path, "--controllers", "") as server:
        shell = Shell(tmp_path, kubeconfig(server.url, str(server.data / "ca.crt")), HERE / "manifests")
        told = shell.differences(read(transcript.read_text()))
    if told:
        pytest.fail(told, pytrace=False)


def test_there_are_transcripts() -> None:
    assert sum(len(read(path.read_text())) for path in TRANSCRIPTS) > 250
