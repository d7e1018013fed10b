"""The cache of unchanged files: ours alone, whole or none, and bounded."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podward.cli.checking import cache as caching
from podward.cli.checking.cache import Cache, CacheEntry, digest, key_of, open_cache

ENTRY = CacheEntry(b"", b"policies", b"outcome")
KEY = key_of("a.yaml", b"kind: Pod")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "podward" / "check"


def kept(home: Path) -> Path:
    open_cache(b"wishes").keep({KEY: ENTRY})
    (file,) = home.iterdir()
    return file


def test_what_is_kept_is_found_again(home: Path) -> None:
    file = kept(home)
    assert open_cache(b"wishes").entry(KEY) == ENTRY
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_other_wishes_and_another_directory_have_their_own(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept(home)
    assert not open_cache(b"other wishes")
    monkeypatch.chdir("/")
    assert not open_cache(b"wishes")


def test_name_and_content_both_count() -> None:
    assert len({key_of("a", b"bc"), key_of("ab", b"c"), key_of("", b"abc"), key_of("a", b"bd")}) == 4


@given(at=st.integers(0), bit=st.integers(0, 7))
def test_a_file_with_one_wrong_bit_is_none(tmp_path_factory: pytest.TempPathFactory, at: int, bit: int) -> None:
    directory = tmp_path_factory.mktemp("bits")
    file = directory / "pack"
    Cache(str(file)).keep({KEY: ENTRY})
    data = bytearray(file.read_bytes())
    data[at % len(data)] ^= 1 << bit
    file.write_bytes(data)
    assert not Cache(str(file))


def test_a_cut_file_and_a_pickle_are_none_and_are_replaced(home: Path) -> None:
    import pickle

    file = kept(home)
    foreign = pickle.dumps({KEY: ("", b"", b"")})
    for data in (b"", file.read_bytes()[:-1], foreign, digest(foreign) + foreign):
        file.write_bytes(data)
        cache = open_cache(b"wishes")
        assert not cache
        cache.keep({KEY: ENTRY})
        assert open_cache(b"wishes").entry(KEY) == ENTRY


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_may_write_is_none(home: Path, mode: int) -> None:
    kept(home).chmod(mode)
    assert not open_cache(b"wishes")


def test_a_directory_that_others_may_write_is_none(home: Path) -> None:
    kept(home)
    home.chmod(0o770)
    assert not open_cache(b"wishes").used


@pytest.mark.needs("root")
def test_what_is_not_ours_is_none(home: Path) -> None:
    file = kept(home)
    os.chown(file, 12345, 12345)
    assert not open_cache(b"wishes")
    os.chown(file, 0, 0)
    os.chown(home, 12345, 12345)
    assert not open_cache(b"wishes").used


def test_links_and_pipes_are_none(home: Path, tmp_path: Path) -> None:
    file = kept(home)
    file.rename(tmp_path / "elsewhere")
    file.symlink_to(tmp_path / "elsewhere")
    assert not open_cache(b"wishes")
    file.unlink()
    os.mkfifo(file, 0o600)
    assert not open_cache(b"wishes")


def test_a_home_that_cannot_be_made_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    cache = open_cache(b"wishes")
    assert not cache.used
    cache.keep({KEY: ENTRY})


def test_a_relative_home_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", "here")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    open_cache(b"wishes").keep({KEY: ENTRY})
    assert not (tmp_path / "here").exists()
    assert list((tmp_path / "home" / ".cache" / "podward" / "check").iterdir())


def test_old_entries_stay_as_long_as_there_is_room(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept(home)
    monkeypatch.setattr(caching, "_ROOM", 1000)
    open_cache(b"wishes").keep({key_of("b", b""): CacheEntry(b"", b"", bytes(500))})
    assert open_cache(b"wishes").entry(KEY) == ENTRY
    open_cache(b"wishes").keep({key_of("c", b""): CacheEntry(b"", b"", bytes(900))})
    assert open_cache(b"wishes").entry(KEY) is None
    assert open_cache(b"wishes").entry(key_of("c", b"")) is not None


def test_only_the_newest_caches_stay(home: Path) -> None:
    for number in range(25):
        open_cache(b"%d" % number).keep({KEY: ENTRY})
    assert len(list(home.iterdir())) == 16
    assert open_cache(b"24")


def test_there_is_none_within_what_is_checked(home: Path, tmp_path: Path) -> None:
    kept(home)
    assert not open_cache(b"wishes", (str(tmp_path),)).used
    assert not open_cache(b"wishes", ("/somewhere", str(home))).used
    (tmp_path / "link").symlink_to(tmp_path)
    assert not open_cache(b"wishes", (str(tmp_path / "link"),)).used
    assert open_cache(b"wishes", (str(tmp_path / "pod"), "/somewhere")).used


def test_there_is_none_where_others_can_put_another_in_its_place(home: Path) -> None:
    kept(home)
    home.parent.chmod(0o777)
    assert not open_cache(b"wishes").used
    home.parent.chmod(0o1777)
    assert open_cache(b"wishes").used, "as in /tmp: nobody may move what belongs to others"
