"""Directories that lead to the user's namespace are trusted only where nobody else can have made or changed them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from podward.errors import NodeError
from podward.runtime.rootless import directories


def test_a_directory_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    made = directories.private(f"{tmp_path}/own", os.getuid())
    assert os.stat(made).st_mode & 0o777 == 0o700
    assert directories.private(made, os.getuid()) == made


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777])
def test_one_that_others_may_write_is_refused(tmp_path: Path, mode: int) -> None:
    (tmp_path / "open").mkdir()
    os.chmod(tmp_path / "open", mode)
    with pytest.raises(NodeError, match="nobody else may write"):
        directories.private(f"{tmp_path}/open", os.getuid())


def test_a_link_is_refused_wherever_it_leads(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to("real")
    with pytest.raises(NodeError, match="nobody else may write"):
        directories.private(f"{tmp_path}/link", os.getuid())


def test_somebody_elses_is_refused(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir(mode=0o700)
    with pytest.raises(NodeError, match="nobody else may write"):
        directories.private(f"{tmp_path}/theirs", os.getuid() + 1)


def test_places_follow_the_base_directories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert directories.data_root() == "/data/podward"
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    monkeypatch.setenv("HOME", "/home/alice")
    assert directories.data_root() == "/home/alice/.local/share/podward"
    (tmp_path / "run").mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", f"{tmp_path}/run")
    assert directories.runtime_path(os.getuid()) == f"{tmp_path}/run/podward"
    assert directories.runtime_path(os.getuid() + 1) == f"/tmp/podward-run-{os.getuid() + 1}"  # noqa: S108
