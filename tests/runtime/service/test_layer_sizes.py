"""What was written below a directory is counted, not for ever, and not elsewhere."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from podward.runtime.service import layer_sizes


def test_a_directory_is_counted_with_all_below_it(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "file").write_bytes(b"x" * 10_000)
    size = layer_sizes.measure(str(tmp_path))
    assert size.inodes == 3
    assert size.used >= 10_000
    assert size.counted_at > 0


def test_a_link_is_not_followed_and_a_second_name_not_counted(tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside" / "up").symlink_to("/usr")
    (tmp_path / "inside" / "file").write_bytes(b"x" * 50_000)
    os.link(tmp_path / "inside" / "file", tmp_path / "inside" / "other")
    size = layer_sizes.measure(f"{tmp_path}/inside")
    assert size.inodes == 2
    assert size.used < 100_000


def test_directories_without_an_end_are_counted_to_a_depth(tmp_path: Path) -> None:
    place = os.open(tmp_path, os.O_RDONLY)
    for _ in range(layer_sizes.MOST_LEVELS * 2):
        os.mkdir("x", dir_fd=place)
        below = os.open("x", os.O_RDONLY, dir_fd=place)
        os.close(place)
        place = below
    os.close(place)
    before = len(os.listdir("/proc/self/fd"))
    assert layer_sizes.measure(str(tmp_path)).inodes == layer_sizes.MOST_LEVELS + 1
    assert len(os.listdir("/proc/self/fd")) == before


def test_what_is_gone_holds_nothing_and_has_a_time(tmp_path: Path) -> None:
    size = layer_sizes.measure(f"{tmp_path}/gone")
    assert (size.used, size.inodes) == (0, 0)
    assert size.counted_at > 0


def test_a_size_is_kept_for_a_while(tmp_path: Path) -> None:
    sizes, place = layer_sizes.LayerSizes(seconds=3600, patience=60), str(tmp_path)
    sizes.refresh([place])
    first = sizes.of(place)
    (tmp_path / "new").write_text("x")
    sizes.refresh([place])
    assert sizes.of(place) == first
    sizes.keep_only(())
    sizes.refresh([place])
    assert sizes.of(place).inodes == 1
    sizes.close()


def test_a_size_that_takes_long_to_count_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counted, go = layer_sizes.measure, threading.Event()

    def slow(directory: str) -> layer_sizes.LayerSize:
        go.wait(60)
        return counted(directory)

    monkeypatch.setattr(layer_sizes, "measure", slow)
    sizes, place = layer_sizes.LayerSizes(patience=0.01), str(tmp_path)
    (tmp_path / "new").write_text("x")
    sizes.refresh([place])
    assert sizes.of(place) == layer_sizes.LayerSize()
    go.set()
    deadline = time.monotonic() + 60
    while not sizes.of(place).inodes:
        assert time.monotonic() < deadline
        sizes.refresh([place])
    sizes.close()
