"""The files of a volume change all at once, in the kubelet's layout."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from podward.errors import NodeError
from podward.runtime import syscalls
from podward.runtime.volumes.atomic import WrittenFile, write


def nothing() -> None:
    return


def files(**contents: str) -> tuple[WrittenFile, ...]:
    return tuple(WrittenFile(name, 0o644, text.encode()) for name, text in contents.items())


def shown(volume: Path) -> dict[str, str]:
    return {name: (volume / name).read_text() for name in os.listdir(volume) if not name.startswith("..")}


def test_names_are_links_through_data_to_a_directory_named_by_the_time(tmp_path: Path) -> None:
    assert write(str(tmp_path), (WrittenFile("a/b/c", 0o440, b"x"), WrittenFile("d", 0o400, b"y")), nothing)
    assert os.readlink(tmp_path / "a") == "..data/a"
    assert os.readlink(tmp_path / "d") == "..data/d"
    made = os.readlink(tmp_path / "..data")
    assert made.startswith("..2")
    assert stat.S_IMODE((tmp_path / made).stat().st_mode) == 0o755
    assert stat.S_IMODE((tmp_path / made / "a/b").stat().st_mode) == 0o755
    assert stat.S_IMODE((tmp_path / "a/b/c").stat().st_mode) == 0o440


def test_the_umask_takes_no_bits_away(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        write(str(tmp_path), (WrittenFile("a/b", 0o666, b""),), nothing)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a/b").stat().st_mode) == 0o666
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o755


def test_an_update_replaces_removes_and_leaves_no_old_directory(tmp_path: Path) -> None:
    write(str(tmp_path), files(a="1", b="1"), nothing)
    assert write(str(tmp_path), files(a="2", c="2"), nothing)
    assert shown(tmp_path) == {"a": "2", "c": "2"}
    assert len([name for name in os.listdir(tmp_path) if name.startswith("..2")]) == 1


def test_the_same_files_are_not_written_again(tmp_path: Path) -> None:
    write(str(tmp_path), files(a="1"), nothing)
    before = os.readlink(tmp_path / "..data")
    assert not write(str(tmp_path), files(a="1"), nothing)
    assert os.readlink(tmp_path / "..data") == before


def test_a_link_that_was_lost_comes_back(tmp_path: Path) -> None:
    write(str(tmp_path), files(a="1"), nothing)
    os.unlink(tmp_path / "a")
    write(str(tmp_path), files(a="1"), nothing)
    assert shown(tmp_path) == {"a": "1"}


def test_the_volume_is_given_to_its_group_before_anybody_sees_the_files(tmp_path: Path) -> None:
    seen: list[bool] = []
    write(str(tmp_path), files(a="1"), lambda: seen.append((tmp_path / "a").exists()))
    assert seen == [False]


def test_two_files_that_are_each_others_directory_are_an_error_and_leave_nothing(tmp_path: Path) -> None:
    with pytest.raises(NodeError, match="cannot write its files"):
        write(str(tmp_path), (WrittenFile("a", 0o644, b""), WrittenFile("a/b", 0o644, b"")), nothing)
    assert os.listdir(tmp_path) == []


def test_a_data_link_that_leads_out_of_the_volume_removes_nothing_there(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").touch()
    volume = tmp_path / "volume"
    volume.mkdir()
    os.symlink("../outside", volume / "..data")
    write(str(volume), files(a="1"), nothing)
    assert (outside / "kept").exists()
    assert shown(volume) == {"a": "1"}


@pytest.mark.needs("root")
def test_a_file_with_an_owner_belongs_to_it_and_so_does_its_link(tmp_path: Path) -> None:
    write(str(tmp_path), (WrittenFile("token", 0o600, b"x", 1234),), nothing)
    assert (tmp_path / "token").stat().st_uid == 1234
    assert (tmp_path / "token").lstat().st_uid == 1234


def test_a_reader_never_sees_a_mixture(tmp_path: Path) -> None:
    write(str(tmp_path), files(a="0", b="0"), nothing)
    stopped = threading.Event()
    mixed: list[tuple[str, str]] = []

    def reading() -> None:
        while not stopped.is_set():
            try:
                directory = os.open(tmp_path / "..data", os.O_RDONLY | os.O_DIRECTORY)
            except FileNotFoundError:
                continue  # the old directory went between the link and what it leads to
            try:
                pair = (_read(directory, "a"), _read(directory, "b"))
            except FileNotFoundError:
                continue  # the old directory went while it was open
            finally:
                os.close(directory)
            if pair[0] != pair[1]:
                mixed.append(pair)

    reader = threading.Thread(target=reading)
    reader.start()
    for turn in range(200):
        write(str(tmp_path), files(a=str(turn), b=str(turn)), nothing)
    stopped.set()
    reader.join()
    assert mixed == []


def _read(directory: int, name: str) -> str:
    descriptor = os.open(name, os.O_RDONLY, dir_fd=directory)
    with os.fdopen(descriptor) as opened:
        return opened.read()


def test_what_a_killed_writer_has_left_hinders_nobody(tmp_path: Path) -> None:
    write(str(tmp_path), files(a="1"), nothing)
    (tmp_path / "..2020_01_01_00_00_00.1").mkdir()
    (tmp_path / "..data_tmp").symlink_to("..2020_01_01_00_00_00.1")
    (tmp_path / "gone").symlink_to("..data/gone")
    assert not write(str(tmp_path), files(a="1"), nothing)
    assert sorted(os.listdir(tmp_path)) == [os.readlink(tmp_path / "..data"), "..data", "a"]
    (tmp_path / "..data_tmp").symlink_to("..nowhere")
    assert write(str(tmp_path), files(a="2"), nothing)
    assert shown(tmp_path) == {"a": "2"}


@pytest.mark.needs("root")
@pytest.mark.usefixtures("private_mounts")
def test_on_a_full_disk_the_old_files_stay(tmp_path: Path) -> None:
    syscalls.mount("tmpfs", str(tmp_path), "tmpfs", 0, "size=64k")
    write(str(tmp_path), files(a="1"), nothing)
    before = sorted(os.listdir(tmp_path))
    with pytest.raises(NodeError, match="No space left on device"):
        write(str(tmp_path), files(a="2", b="x" * 100_000), nothing)
    assert shown(tmp_path) == {"a": "1"}
    assert sorted(os.listdir(tmp_path)) == before
    assert write(str(tmp_path), files(a="3"), nothing)
