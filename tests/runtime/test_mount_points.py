"""Looking for mount points in what is on this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from podward.runtime import mount_points


@pytest.fixture
def volume(tmp_path: Path) -> str:
    top = tmp_path / "volume"
    (top / "there" / "deep").mkdir(parents=True)
    (top / "file").write_text("")
    (top / "link").symlink_to("there")
    (top / "out").symlink_to("/nowhere")
    (top / "dangling").symlink_to("absent")
    return str(top)


@pytest.mark.parametrize("inside", ["absent", "absent/deep", "there/absent", "link/absent", "dangling"])
def test_what_is_not_there_is_lacked(volume: str, inside: str) -> None:
    assert mount_points.lacks(volume, inside)


@pytest.mark.parametrize("inside", ["there", "there/deep", "file", "link/deep", "out", "out/absent", "file/below"])
def test_what_is_there_or_leads_who_knows_where_is_not(volume: str, inside: str) -> None:
    assert not mount_points.lacks(volume, inside)


def test_a_volume_that_is_a_file_or_gone_lacks_nothing_for_certain(volume: str) -> None:
    assert not mount_points.lacks(f"{volume}/file", "x")
    assert not mount_points.lacks(f"{volume}/gone", "x")


def test_mounts_land_where_links_of_the_root_lead(tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "run").symlink_to("/run")
    assert mount_points.places(str(tmp_path), (("/run", ""), ("/var/run/sub", ""))) == ("/run", "/run/sub")
