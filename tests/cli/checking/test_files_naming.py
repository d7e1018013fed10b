"""What files are called, here and in the configuration."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from podward.cli.checking.files import Naming, naming

DEEP = Naming("/repo/deploy", "/repo")


@pytest.mark.parametrize(
    ("path", "shown", "rooted"),
    [
        ("x.yaml", "x.yaml", "deploy/x.yaml"),
        ("./a/../x.yaml", "x.yaml", "deploy/x.yaml"),
        ("/repo/deploy/x.yaml", "x.yaml", "deploy/x.yaml"),
        (".", ".", "deploy"),
        ("../charts/x.yaml", "../charts/x.yaml", "charts/x.yaml"),
        ("/repo/charts/x.yaml", "../charts/x.yaml", "charts/x.yaml"),
        ("/repository/x.yaml", "/repository/x.yaml", "/repository/x.yaml"),
        ("../../repository/x.yaml", "../../repository/x.yaml", "/repository/x.yaml"),
        ("/etc//x.yaml", "/etc/x.yaml", "/etc/x.yaml"),
        ("-", "-", None),
    ],
)
def test_names_from_a_directory_below_the_configuration(path: str, shown: str, rooted: str | None) -> None:
    assert DEEP.shown(path) == shown
    if rooted is not None:
        assert DEEP.rooted(shown) == rooted


def test_names_beside_the_configuration_are_the_same() -> None:
    plain = Naming("/repo", "/repo")
    assert [plain.rooted(name) for name in ("x.yaml", "a/x.yaml", "/etc/x.yaml", "<stdin>")] == [
        "x.yaml",
        "a/x.yaml",
        "/etc/x.yaml",
        "<stdin>",
    ]


def test_patterns_of_the_command_line_are_meant_from_here() -> None:
    assert [DEEP.pattern(text) for text in ("*.yaml", "old/", "old/*", "/etc/*")] == [
        "*.yaml",
        "old/",
        "deploy/old/*",
        "/etc/*",
    ]


def test_the_root_is_the_directory_of_the_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "deploy").mkdir()
    monkeypatch.chdir(tmp_path / "deploy")
    here = str(tmp_path / "deploy")
    assert naming("") == Naming(here, here)
    assert naming("../podward.toml") == Naming(here, str(tmp_path))
    assert naming("/etc/podward.toml") == Naming(here, here), "it is about the files here"


def test_a_current_directory_that_is_gone_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(FileNotFoundError):
        os.getcwd()
    assert naming("").shown("/etc/x.yaml") == "/etc/x.yaml"
