"""A link is followed within the trees that are checked, and each file is changed once."""

from __future__ import annotations

from pathlib import Path

from podward.cli.checking.linked import each_once


def test_each_file_has_one_name_and_no_link_leads_out(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "a.yaml").touch()
    (tmp_path / "tree-2.yaml").touch()
    for name, target in (("0.yaml", "a.yaml"), ("out.yaml", "../tree-2.yaml"), ("nowhere.yaml", "none.yaml")):
        (tree / name).symlink_to(target)
    names = [str(tree / name) for name in ("0.yaml", "a.yaml", "out.yaml")]
    found = each_once(names, (str(tree),))
    assert found.files == (str(tree / "a.yaml"),)
    assert found.left == ((str(tree / "out.yaml"), str(tmp_path / "tree-2.yaml")),)


def test_a_file_below_a_linked_directory_that_was_named_is_changed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.yaml").touch()
    (tmp_path / "link").symlink_to("real")
    name = str(tmp_path / "link" / "a.yaml")
    assert each_once([name], (str(tmp_path / "link"),)).files == (name,)
