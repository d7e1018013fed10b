"""The image's user files. Expected values are what github.com/moby/sys/user v0.4 reads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podward.api.image import GroupEntry, PasswdEntry
from podward.policy.runtime.passwd import parse_group, parse_passwd


def test_each_entry_knows_its_line() -> None:
    text = "root:x:0:0:root:/root:/bin/sh\n\n  \nweb:x:33:34:Web,,,:/var/www:/bin/false\n"
    assert parse_passwd(text) == (PasswdEntry("root", 0, 0, "/root", 1), PasswdEntry("web", 33, 34, "/var/www", 4))
    assert parse_group("a:x:1:\nb:x:2:u,v") == (GroupEntry("a", 1, (), 1), GroupEntry("b", 2, ("u", "v"), 2))


def test_a_comment_is_none_in_the_passwd_file() -> None:
    assert parse_group("#a:x:1:u\n  # b\n") == ()
    assert parse_passwd("#a:x:1:2::/h:") == (PasswdEntry("#a", 1, 2, "/h", 1),)


@pytest.mark.parametrize(
    ("line", "uid", "gid", "home"),
    [
        ("u", 0, 0, ""),
        ("u:x", 0, 0, ""),
        ("u:x:5", 5, 0, ""),
        ("u:x:5:6", 5, 6, ""),
        ("u:x:5:6:g:/h:/s:more:and:more", 5, 6, "/h"),
        ("  u:x:5:6:g:/h:/s \r", 5, 6, "/h"),
        ("u:x:+5:-6::/h:", 5, -6, "/h"),
        ("u:x:five:6x::/h:", 0, 0, "/h"),
        ("u:x: 5:0x6::/h:", 0, 0, "/h"),
        ("u:x:1_0:٣::/h:", 0, 0, "/h"),
        ("u:x::+::/h:", 0, 0, "/h"),
        ("u:x:007:4294967296::/h:", 7, 4294967296, "/h"),
        ("u:x:9223372036854775808:-9223372036854775809::/h:", (1 << 63) - 1, -(1 << 63), "/h"),
        (f"u:x:{'9' * 6000}:{'0' * 6000}1::/h:", (1 << 63) - 1, 1, "/h"),
    ],
)
def test_fields_that_are_missing_or_malformed_read_as_zero(line: str, uid: int, gid: int, home: str) -> None:
    assert parse_passwd(line) == (PasswdEntry("u", uid, gid, home, 1),)


def test_members_are_taken_as_they_are_written() -> None:
    assert parse_group("g:x:1:a,,b , c") == (GroupEntry("g", 1, ("a", "", "b ", " c"), 1),)
    assert parse_group("g:x:1:a:b") == (GroupEntry("g", 1, ("a",), 1),)


def test_only_what_go_calls_white_space_is_trimmed() -> None:
    assert parse_passwd("\u2003\x85u:x:1:2\u3000") == (PasswdEntry("u", 1, 2, "", 1),)
    assert parse_passwd("\x1cu:x:1")[0].name == "\x1cu"


def test_lines_end_at_line_feeds_only() -> None:
    assert parse_passwd("a:x:1\x0bb:x:2\u2028c")[0].name == "a"
    assert len(parse_passwd("a:x:1\x0bb:x:2\u2028c\rd")) == 1


NAME = st.text(st.characters(exclude_characters=":\n,#", exclude_categories=("Cs", "Cc", "Z")), min_size=1, max_size=8)
ID = st.integers(-(1 << 63), (1 << 63) - 1)


@given(st.lists(st.tuples(NAME, ID, ID, NAME), max_size=6))
def test_what_was_written_is_read(users: list[tuple[str, int, int, str]]) -> None:
    text = "\n".join(f"{name}:x:{uid}:{gid}:{name}:{home}:/s" for name, uid, gid, home in users)
    assert parse_passwd(text) == tuple(PasswdEntry(*user, line) for line, user in enumerate(users, start=1))


@given(st.lists(st.tuples(NAME, ID, st.lists(NAME, max_size=4).map(tuple)), max_size=6))
def test_the_groups_that_were_written_are_read(groups: list[tuple[str, int, tuple[str, ...]]]) -> None:
    text = "\n".join(f"{name}:x:{gid}:{','.join(members)}" for name, gid, members in groups)
    assert parse_group(text) == tuple(GroupEntry(*group, line) for line, group in enumerate(groups, start=1))


@given(st.text(alphabet=":,#\n\r \t-+0123456789aé\0", max_size=200))
def test_no_text_is_too_odd(text: str) -> None:
    numbers = [entry.line for entry in parse_passwd(text)]
    assert numbers == sorted(set(numbers))
    assert all(1 <= entry.line <= text.count("\n") + 1 for entry in parse_group(text))
