"""Places in texts and replacements, applied here by an applier that knows texts as UTF-16 and nothing else."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podward.render.check.sarif_model import Replacement
from podward.render.check.sarif_regions import of_line, replacements


def applied(text: str, made: tuple[Replacement, ...]) -> str:
    """The text with the replacements made; they must be in order and apart."""
    data = text.encode("utf-16-le")
    result, done = b"", 0
    for each in made:
        region = each.deleted_region
        start = offset(text, region.start_line, region.start_column)
        end = offset(text, region.end_line, region.end_column)
        assert done <= start <= end
        result += data[done:start] + each.inserted_content.text.encode("utf-16-le")
        done = end
    return (result + data[done:]).decode("utf-16-le")


def offset(text: str, line: int, column: int) -> int:
    """Bytes before a place that an editor has: within a line, or behind its last character."""
    lines = re.split("(?<=\n)", text)
    assert 1 <= line <= len(lines)
    units = len(lines[line - 1].rstrip("\n").removesuffix("\r").encode("utf-16-le"))
    assert 0 <= 2 * (column - 1) <= units
    return sum(len(each.encode("utf-16-le")) for each in lines[: line - 1]) + 2 * (column - 1)


LINES = st.lists(
    st.sampled_from(["a: b", "  c: true", "  c: false", "🙂é: x", "", "- \x85 \x0c\u2028", "#"]), max_size=8
)
BREAKS = st.sampled_from(["\n", "\r\n"])


@given(LINES, LINES, BREAKS)
def test_replacing_makes_the_other_text(old: list[str], new: list[str], newline: str) -> None:
    before, after = (newline.join((*lines, "end", "")) for lines in (old, new))
    assert applied(before, replacements(before, after)) == after


@given(LINES, LINES, BREAKS)
def test_the_end_of_a_text_is_a_place_of_its_last_line(old: list[str], new: list[str], newline: str) -> None:
    before, after = (newline.join(("first", *lines)) for lines in (old, new))
    assert applied(before, replacements(before, after)) == after
    ended = f"{before}{newline}", f"{after}{newline}"
    assert applied(ended[0], replacements(*ended)) == ended[1]


def only(before: str, after: str) -> tuple[int, int, int, int, str]:
    (made,) = replacements(before, after)
    region = made.deleted_region
    return (region.start_line, region.start_column, region.end_line, region.end_column, made.inserted_content.text)


def test_a_word_is_replaced_whole() -> None:
    assert only("a:\n  b: true # c\n", "a:\n  b: false # c\n") == (2, 6, 2, 10, "false")
    assert only('{"b":true}', '{"b":false}') == (1, 6, 1, 10, "false")


def test_new_lines_are_put_in_between() -> None:
    assert only("a: b\nc: d\n", "a: b\nx: y\nc: d\n") == (2, 1, 2, 1, "x: y\n")


def test_what_is_added_at_the_end_goes_before_the_last_line_break() -> None:
    assert only("a: b\r\n", "a: b\r\nx: y\r\n") == (1, 5, 1, 5, "\r\nx: y")
    assert only("a: b", "a: b\nx: y") == (1, 4, 1, 5, "b\nx: y")


def test_what_is_removed_at_the_end_takes_the_line_break_before_it() -> None:
    assert only("a: b\nx: y\n", "a: b\n") == (1, 5, 2, 5, "")


def test_columns_are_utf_16() -> None:
    assert only('🙂: "é" # true\n', '🙂: "é" # false\n') == (1, 11, 1, 15, "false")


@pytest.mark.parametrize(
    ("line", "columns"),
    [("  a: b", (3, 7)), ("\ta: 🙂é \r", (2, 8)), ("x", (1, 2)), ("  \r", (0, 0)), ("", (0, 0))],
)
def test_a_line_s_region_is_what_is_written_on_it(line: str, columns: tuple[int, int]) -> None:
    region = of_line(line, 7)
    assert (region.start_line, region.start_column, region.end_column) == (7, *columns)
    assert region.end_line == (7 if columns[0] else 0)


def test_texts_that_are_the_same_need_nothing() -> None:
    assert replacements("a\n", "a\n") == ()
