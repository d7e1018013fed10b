"""subPaths never lead out of their volume, whatever a container plants there."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import stat
import time
from pathlib import Path

import pytest

from podward.runtime.volumes import subpath

pytestmark = pytest.mark.needs("root")


def _opened(volume: Path, sub_path: str) -> str:
    """The path on the host of what was opened."""
    descriptor = subpath.open_inside(str(volume), sub_path)
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}")
    finally:
        os.close(descriptor)


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key").write_text("x")
    (tmp_path / "volume" / "there").mkdir(parents=True)
    (tmp_path / "volume" / "file").write_text("x")
    return tmp_path / "volume"


def test_what_is_there_is_opened(volume: Path) -> None:
    assert _opened(volume, "there") == str(volume / "there")
    assert _opened(volume, "./there//") == str(volume / "there")
    assert _opened(volume, "file") == str(volume / "file")


def test_what_is_missing_is_made_with_the_mode_of_the_volume(volume: Path) -> None:
    os.chown(volume, 0, 4321)
    volume.chmod(0o2777)
    before = os.umask(0o077)
    try:
        assert _opened(volume, "there/a/b/c") == str(volume / "there" / "a" / "b" / "c")
        assert _opened(volume, "x") == str(volume / "x")
    finally:
        os.umask(before)
    for made in ("there/a", "there/a/b", "there/a/b/c", "x"):
        assert stat.S_IMODE((volume / made).stat().st_mode) == 0o2777
    assert (volume / "x").stat().st_gid == 4321


def test_a_link_inside_the_volume_may_be_followed(volume: Path) -> None:
    (volume / "link").symlink_to("there")
    assert _opened(volume, "link") == str(volume / "there")
    assert _opened(volume, "link/made") == str(volume / "there" / "made")


@pytest.mark.parametrize(
    ("target", "sub_path"),
    [
        ("/", "link"),
        ("/etc", "link/passwd"),
        ("../secret", "link"),
        ("../secret", "link/key"),
        ("../secret", "link/made/here"),
        ("there/../../secret", "link"),
        ("/proc/self/root", "link/etc"),
        ("/proc/1/root", "link"),
        ("link", "link"),
        ("link", "link/made"),
        ("../secret/new", "link"),
        ("../secret/new", "link/deeper"),
        ("nowhere", "link"),
        ("..", "link/secret"),
        ("there/../..", "link/secret/made"),
    ],
)
def test_a_link_out_of_the_volume_is_refused(volume: Path, target: str, sub_path: str) -> None:
    (volume / "link").symlink_to(target)
    with pytest.raises(subpath.SubPathError, match=r"failed to (prepare subPath|create subPath directory)"):
        subpath.open_inside(str(volume), sub_path)
    assert os.listdir(volume.parent / "secret") == ["key"]


def test_a_link_below_a_directory_is_refused(volume: Path) -> None:
    (volume / "there" / "up").symlink_to("../../secret")
    with pytest.raises(subpath.SubPathError):
        subpath.open_inside(str(volume), "there/up/made")
    assert os.listdir(volume.parent / "secret") == ["key"]


@pytest.mark.parametrize("sub_path", ["../secret", "there/../../secret", "/etc", "file/below"])
def test_steps_that_validation_should_have_stopped_are_refused_here_too(volume: Path, sub_path: str) -> None:
    with pytest.raises(subpath.SubPathError):
        subpath.open_inside(str(volume), sub_path)


def test_a_volume_that_is_a_file_has_no_sub_path(volume: Path) -> None:
    with pytest.raises(subpath.SubPathError, match="failed to prepare subPath"):
        subpath.open_inside(str(volume / "file"), "x")


def test_a_race_against_a_container_never_leads_out(volume: Path) -> None:
    """A process swaps a directory for a link to the secret, as fast as it can, while the subPath is opened and made."""
    swapper = os.fork()
    if swapper == 0:
        _swap_for_ever(volume)
    inside, refused, deadline = 0, 0, time.monotonic() + 1.0
    try:
        while time.monotonic() < deadline:
            for wanted in ("swapped/key", "swapped/made", "swapped"):
                try:
                    found = _opened(volume, wanted)
                except subpath.SubPathError:
                    refused += 1
                    continue
                inside += 1
                assert found.startswith(f"{volume}/"), found
    finally:
        os.kill(swapper, signal.SIGKILL)
        os.waitpid(swapper, 0)
    assert os.listdir(volume.parent / "secret") == ["key"]
    assert inside, "never won: the race was no race"
    assert refused, "never lost: the race was no race"


def _swap_for_ever(volume: Path) -> None:
    """In the forked child: never returns. What was made in the directory goes aside with it."""
    number = 0
    os.chdir(volume)
    while True:
        number += 1
        try:
            os.mkdir("swapped")
            os.rename("swapped", f"aside{number % 50}")
            os.symlink("../secret", "swapped")
            os.unlink("swapped")
        except OSError:  # the other side made it first, or filled what is to be replaced
            _clear("swapped")
            _clear(f"aside{number % 50}")


def _clear(name: str) -> None:
    for remove in (os.unlink, shutil.rmtree):
        with contextlib.suppress(OSError):
            remove(name)


def test_no_descriptor_is_left_open(volume: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    _opened(volume, "there/a/b")
    (volume / "link").symlink_to("/")
    for bad in ("link", "link/x", "file/x"):
        with pytest.raises(subpath.SubPathError):
            subpath.open_inside(str(volume), bad)
    assert len(os.listdir("/proc/self/fd")) == before
