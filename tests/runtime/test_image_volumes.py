"""Making the volumes of an image."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from podward.errors import RefusedError
from podward.runtime import image_volumes

pytestmark = pytest.mark.needs("root")


def test_a_directory_is_made_with_the_owner_and_its_parents_too(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir(mode=0o700)
    image_volumes.make_directories(str(tmp_path), ("/there/a/b",), (1000, 2000))
    for made in ("there/a", "there/a/b"):
        found = (tmp_path / made).stat()
        assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (1000, 2000, 0o755)
    assert (tmp_path / "there").stat().st_uid == os.geteuid()


def test_links_of_the_image_stay_in_it(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (root / "way").symlink_to(outside)
    with pytest.raises(RefusedError):
        image_volumes.make_directories(str(root), ("/way/a",), (0, 0))
    (root / "up").symlink_to("../../outside")
    with pytest.raises(RefusedError):
        image_volumes.make_directories(str(root), ("/up/a",), (0, 0))
    assert list(outside.iterdir()) == []


def test_a_file_is_no_volume(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RefusedError, match="no directory"):
        image_volumes.mount(str(tmp_path), ("/file",), str(tmp_path / "made"), None, "")


def test_an_empty_directory_stands_for_what_the_image_lacks(tmp_path: Path) -> None:
    image_volumes.mount(str(tmp_path), ("/none",), str(tmp_path / "made"), None, "")
    made = tmp_path / "made" / "0" / "rootfs"
    assert (stat.S_IMODE(made.stat().st_mode), list(made.iterdir())) == (0o755, [])
