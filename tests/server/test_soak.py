"""A short soak: the server is killed while clients write. `make soak-store` does it for longer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SOAK = Path(__file__).with_name("soak.py")


@pytest.mark.parametrize("store", ["sqlite", pytest.param("etcd", marks=pytest.mark.needs("etcd"))])
def test_what_was_acknowledged_is_there_after_kills_and_watches_miss_nothing(store: str) -> None:
    command = [sys.executable, str(SOAK), "--writes", "100", "--kills", "2", "--clients", "4", "--store", store]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "acknowledged writes lost: 0; watch events lost: 0, doubled: 0" in done.stdout
