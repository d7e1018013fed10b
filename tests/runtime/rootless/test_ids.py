"""Which ids a user may map: the lines of /etc/subuid and /etc/subgid that name him."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podward.runtime.rootless import ids


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(ids, "SUBUID", f"{tmp_path}/subuid")
    monkeypatch.setattr(ids, "SUBGID", f"{tmp_path}/subgid")
    return tmp_path


def write(files: Path, uids: str, gids: str) -> None:
    (files / "subuid").write_text(uids, encoding="ascii")
    (files / "subgid").write_text(gids, encoding="ascii")


def test_the_user_is_root_and_his_ranges_follow(files: Path) -> None:
    write(files, "7001:100000:65536\n", "7001:200000:10\n7001:300000:20\n")
    maps = ids.maps_of(7001, 7002)
    assert maps.uids == ((0, 7001, 1), (1, 100000, 65536))
    assert maps.gids == ((0, 7002, 1), (1, 200000, 10), (11, 300000, 20))
    assert maps.delegated


def test_root_finds_lines_by_name(files: Path) -> None:
    write(files, "root:100000:5\nother:200000:5\n", "root:100000:5\n")
    assert ids.maps_of(0, 0).uids == ((0, 0, 1), (1, 100000, 5))


@pytest.mark.parametrize(
    ("uids", "gids"),
    [("", ""), ("7001:100000:65536\n", ""), ("7001:1:x\n", "7001:1:5\n"), ("7001:1:0\n", "7001:1:5\n")],
)
def test_who_lacks_one_of_the_ranges_has_his_own_ids_alone(files: Path, uids: str, gids: str) -> None:
    write(files, uids, gids)
    maps = ids.maps_of(7001, 7002)
    assert (maps.uids, maps.gids, maps.delegated) == (((0, 7001, 1),), ((0, 7002, 1),), False)


def test_without_the_files_there_are_no_ranges(files: Path) -> None:
    assert not ids.maps_of(7001, 7001).delegated
    assert list(files.iterdir()) == []


def test_a_map_is_written_as_the_kernel_and_the_tools_take_it() -> None:
    lines = ((0, 7001, 1), (1, 100000, 65536))
    assert ids.written(lines) == b"0 7001 1\n1 100000 65536\n"
    assert ids.words(lines) == ("0", "7001", "1", "1", "100000", "65536")


@given(st.lists(st.tuples(st.integers(1, 2**31), st.integers(1, 2**20)), max_size=400))
def test_ids_inside_have_no_gap_and_no_overlap(ranges: list[tuple[int, int]]) -> None:
    lines = ids.lines_of(7001, ranges)
    expected = 0
    for inside, _, length in lines:
        assert inside == expected
        expected += length
    assert len(lines) <= 340
