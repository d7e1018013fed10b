"""Python's clients, each in a process of its own: they warn of versions, and leave sockets open at their end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from api_server import running
from transcripts import kubeconfig

PROGRAMS = sorted((Path(__file__).parent / "python").glob("with_*.py"))


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem.removeprefix("with_"))
def test_it_works_here(tmp_path: Path, program: Path) -> None:
    config = tmp_path / "kubeconfig"
    words = [sys.executable, "-m", "pytest", "-q", "-c", os.devnull, "-p", "no:cacheprovider", "-W", "ignore"]
    words += ["--confcutdir", str(program.parent)]
    with running(tmp_path) as server:
        config.write_text(json.dumps(kubeconfig(server.url, str(server.data / "ca.crt"))))
        server.ask("POST", "/api/v1/namespaces", {"metadata": {"name": "shop"}})
        server.ask("POST", "/api/v1/namespaces/shop/serviceaccounts", {"metadata": {"name": "default"}})
        done = subprocess.run(
            [*words, "--rootdir", str(program.parent), str(program)],
            env={**os.environ, "KUBECONFIG": str(config), "HOME": str(tmp_path), "PYTEST_ADDOPTS": ""},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
    if done.returncode:
        pytest.fail(done.stdout + done.stderr, pytrace=False)
