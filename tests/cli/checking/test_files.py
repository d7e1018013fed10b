"""Which files a check is about."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from podward.check.globs import glob
from podward.cli.checking.files import Link, listed, search


@pytest.fixture(autouse=True)
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with what directories have, and the current one."""
    for name in ("d/b.yaml", "d/a.yml", "d/c.json", "d/n.txt", "d/.hidden/x.yaml", "d/sub/z.yaml", "d/.dot.yaml"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("", encoding="ascii")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def below(*paths: str, exclude: str = "") -> list[str]:
    return list(listed(paths, (glob(exclude),) if exclude else ()))


def test_a_directory_stands_for_its_manifests_in_order() -> None:
    assert below("d") == ["d/.dot.yaml", "d/a.yml", "d/b.yaml", "d/c.json", "d/.hidden/x.yaml", "d/sub/z.yaml"]


def test_what_git_keeps_is_searched_only_where_it_is_named(tree: Path) -> None:
    (tree / "d/sub/.git").mkdir()
    (tree / "d/sub/.git/x.yaml").touch()
    assert below("d/sub") == ["d/sub/z.yaml"]
    assert below("d/sub/.git") == ["d/sub/.git/x.yaml"]


def test_a_link_to_a_directory_is_told_with_whether_that_is_read_anyway(tree: Path) -> None:
    (tree / "elsewhere").mkdir()
    (tree / "d/.git").mkdir()
    for name, target in (("in", "sub"), ("out", "../elsewhere"), ("git", ".git"), ("up", ".."), ("around", ".")):
        (tree / "d" / name).symlink_to(target)
    found = search(["d"], (glob("d/up"),)).links
    assert found == (Link("d/around", True), Link("d/git", False), Link("d/in", True), Link("d/out", False))


def test_kustomizations_are_found_by_their_names(tree: Path) -> None:
    for name in ("d/kustomization.yaml", "d/sub/Kustomization", "d/sub/my-kustomization.yaml"):
        (tree / name).touch()
    found = search(["d"], ())
    assert found.kustomizations == ("d/kustomization.yaml", "d/sub/Kustomization")
    assert "d/sub/Kustomization" not in found.names


def test_links_are_followed_to_files_and_not_to_directories(tree: Path) -> None:
    (tree / "d/sub/up").symlink_to("..")
    (tree / "d/sub/self").symlink_to("self")
    (tree / "d/sub/l.yaml").symlink_to("../b.yaml")
    (tree / "d/sub/directory.yaml").symlink_to("..")
    assert below("d/sub") == ["d/sub/l.yaml", "d/sub/z.yaml"]


def test_a_link_that_leads_nowhere_is_listed_so_that_it_is_told(tree: Path) -> None:
    (tree / "d/sub/gone.yaml").symlink_to("nowhere")
    (tree / "d/sub/loop.yaml").symlink_to("loop.yaml")
    assert below("d/sub") == ["d/sub/gone.yaml", "d/sub/loop.yaml", "d/sub/z.yaml"]


def test_pipes_are_no_manifests_unless_they_are_named(tree: Path) -> None:
    os.mkfifo(tree / "d/sub/pipe.yaml")
    assert below("d/sub") == ["d/sub/z.yaml"]
    assert below("d/sub/pipe.yaml") == ["d/sub/pipe.yaml"]


def test_what_is_excluded_is_left_out_unless_it_is_named() -> None:
    assert below("d", exclude="d/sub") == ["d/.dot.yaml", "d/a.yml", "d/b.yaml", "d/c.json", "d/.hidden/x.yaml"]
    assert below("d", exclude=".hidden") == ["d/.dot.yaml", "d/a.yml", "d/b.yaml", "d/c.json", "d/sub/z.yaml"]
    assert below("d", exclude="*.y*ml") == ["d/c.json"]
    assert below("d/sub/z.yaml", "d/n.txt", exclude="*") == ["d/sub/z.yaml", "d/n.txt"]


def test_patterns_see_the_name_that_they_are_about() -> None:
    assert listed(["d/sub"], (glob("root/d/sub"),), "root/{}".format) == ()
    assert listed(["d/sub"], (glob("root/d/sub"),)) == ("d/sub/z.yaml",)


def test_every_file_once_and_standard_input_stays() -> None:
    assert below("d/b.yaml", "d/sub", "-", "d/b.yaml", "d/sub/z.yaml") == ["d/b.yaml", "d/sub/z.yaml", "-"]
