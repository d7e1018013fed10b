"""Lines of the keys of TOML files."""

from __future__ import annotations

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from podward.check.toml_lines import Segments, lines_of, where

TEXT = '''\
# select = ["not here"],
[tool.other]
text = """
[check]
select = 1
"""

[check] # the table,
select = [
  "pss", # one,
  "hint",
]
level = "restricted"
'''

WAIVERS = """\
[[check.waivers]]
rule = "pss"

[[check.waivers]]
rule = "scc"
reason = '''
rule = "no"
'''
[check.deep.'quoted key']
a.b = 1
c = { d = [1, { e = 2 }] }
"""


def test_strings_and_comments_that_look_like_keys_are_none() -> None:
    lines = lines_of(TEXT)
    assert lines["tool", "other", "text"] == 3
    assert lines["check",] == 8
    assert lines["check", "select"] == 9
    assert lines["check", "level"] == 13
    assert set(lines) >= {("check", "select", 0), ("check", "select", 1)}
    assert len(lines) == 8


def test_tables_of_arrays_are_counted() -> None:
    lines = lines_of(WAIVERS)
    assert lines["check", "waivers", 0] == 1
    assert lines["check", "waivers", 0, "rule"] == 2
    assert lines["check", "waivers", 1] == 4
    assert lines["check", "waivers", 1, "rule"] == 5
    assert lines["check", "waivers", 1, "reason"] == 6
    assert lines["check", "deep", "quoted key", "a", "b"] == 10
    assert lines["check", "deep", "quoted key", "c", "d", 1, "e"] == 11


def test_line_ends_and_marks_of_windows_change_nothing() -> None:
    assert lines_of("\ufeff" + TEXT.replace("\n", "\r\n")) == lines_of(TEXT)


def test_what_is_not_written_is_where_its_table_is() -> None:
    assert where(lines_of(WAIVERS), ("check", "waivers", 1, "expires")) == 4
    assert where({}, ("check",)) == 1


def test_a_long_list_ends_where_it_ends() -> None:
    items = "".join(f'  "x{number}",\n' for number in range(5000))
    assert lines_of(f"a = [\n{items}]\nb = 1\n")["b",] == 5003


KEYS = st.text("abc", min_size=1, max_size=2)
VALUES = st.sampled_from(["1", '"x"', "[\n1,\n2\n]", '"""\n[a]\nb = 1\n"""', "{ a = 1 }", "2026-01-01"])


@given(st.lists(st.one_of(KEYS.map("[[{}]]".format), st.tuples(KEYS, VALUES).map(" = ".join)), max_size=8))
def test_every_key_has_the_line_on_which_it_is_written(statements: list[str]) -> None:
    text = "\n".join(statements)
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return  # the same key twice
    lines = lines_of(text)
    written = text.split("\n")
    for place in paths(said):
        assert place in lines
        name = next(segment for segment in reversed(place) if isinstance(segment, str))
        assert name in written[lines[place] - 1]


def paths(said: dict[str, object]) -> list[Segments]:
    """The keys of the first two levels."""
    found: list[Segments] = []
    for key, value in said.items():
        found.append((key,))
        if isinstance(value, list) and value and isinstance(value[0], dict):
            found += [(key, at, inner) for at, table in enumerate(value) for inner in table]
    return found
