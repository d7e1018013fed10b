"""One bad document does not lose the others, and the fast way of reading JSON answers what the full one answers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from proofs import examples

from podward.documents.json.exact import read_json
from podward.documents.json.fast import read_json_fast
from podward.documents.parsed_value import OutsideSubsetError, ParseError
from podward.documents.reader import decode_documents, read_all
from podward.errors import InputError
from podward.path import path

if TYPE_CHECKING:
    from podward.api.json_value import Json


@pytest.mark.parametrize(
    ("text", "documents", "errors"),
    [
        ("a: 1\n---\nb: [\n---\nc: 3\n", [{"a": 1}, {"c": 3}], ["f:3"]),
        ("a: 1\na: 2\n---\n- b\n---\nc: 3\n---\n\td", [{"c": 3}], ["f:2", "f:4", "f:8:1"]),
        ("a: 1\n--- b: 2\n---\nc: 3", [{"a": 1}], ["f:2"]),
        ("a: 1\n...\nb: 2\n---\nc: 3", [{"c": 3}], ["f:3:1"]),
        ('{"a": 1}{"b": 2}', [{"a": 1}, {"b": 2}], []),
        ('{"a": 1}{"b": 2}[]', [{"a": 1}, {"b": 2}], ["f:1"]),
        ("a: \xff", [], ["f:1"]),
        ("", [], []),
        ("# nothing\n---\nnull\n", [], []),
    ],
)
def test_good_documents_are_kept(text: str, documents: list[Json], errors: list[str]) -> None:
    reading = read_all(text.encode("latin-1"), "f")
    assert [document.raw for document in reading.documents] == documents
    assert [error.where for error in reading.errors] == errors


# fmt: off
PIECES = st.sampled_from(
    [
        "a: 1\n", "b:\n- 1\n", "c: {d: 1}\n", "---\n", "--- # c\n", "--- x\n", "...\n", "a: &x 1\n", "  b: 2\n", "\r\n",
        "\ufeff", "\t", "a: [\n", '{"a": 1}', "e: |\n  f\n", "g: >\n  h\n", "\x00", "# c\n", "null\n", "- i\n",
        "k: l\r\n", "\r", "%Y\n",
    ]
)
# fmt: on


@pytest.mark.proof
@settings(max_examples=examples(100, 1500), deadline=None)
@given(st.lists(PIECES, max_size=8).map("".join))
@example("a: 1\r\n---\r\nb:\r\n- |\r\n  x\r\n  y\r\n")
@example("e: |\n  f\r\n\rk: l")
def test_both_ways_of_reading_agree(text: str) -> None:
    data = text.encode()
    reading = read_all(data, "f.yaml")
    if reading.errors:
        first = reading.errors[0]
        with pytest.raises(InputError) as caught:
            decode_documents(data, "f.yaml")
        assert (first.what, first.where, first.advice) == (
            caught.value.what, caught.value.where, caught.value.advice
        )  # fmt: skip
        return
    exact = decode_documents(data, "f.yaml")
    assert [(read.raw, read.first_line) for read in reading.documents] == [
        (read.raw, read.first_line) for read in exact
    ]
    for fast, slow in zip(reading.documents, exact, strict=True):
        assert fast.where(path("e")) == slow.where(path("e"))
        assert fast.line_of(path("b", 0)) == slow.line_of(path("b", 0))


def test_a_large_file_is_read_the_fast_way_with_the_same_answer() -> None:
    text = "a: 1\nb:\n- c: 0644 # d\n---\n" * 5000
    documents = decode_documents(text.encode(), "f")
    assert len(documents) == 5000
    assert documents[4999].line_of(path("b", 0, "c")) == 4 * 4999 + 3
    assert documents[4999].raw == {"a": 1, "b": [{"c": 420}]}


# fmt: off
JSON_PIECES = st.sampled_from(
    [
        '{"a": ', '"b": ', "}", "[", "]", ",", "1", "-0", "1.0", "1e400", "01", "1E5", "NaN", "-Infinity", "true",
        "null", '"x"', '"\\ud800"', '"\\ud83d\\ude00"', '"\\u00e9\\/"', '"\t"', '"é"', " ", "\n", "\r\n", "\x0c",
        '{"a": 1}', '"a": 2', "9" * 310,
    ]
)
# fmt: on


def same(text: str) -> bool:
    """Whether the fast way takes the text; if it does, both must agree on all of it."""
    try:
        (fast,) = read_json_fast(text, 5)
    except OutsideSubsetError:
        return False
    try:
        (exact,) = read_json(text, 5)
    except ParseError as error:
        pytest.fail(f"taken, but {error.what}")
    assert repr(fast.value) == repr(exact.value)
    lines = fast.lines() if callable(fast.lines) else fast.lines
    assert (fast.line, lines) == (exact.line, exact.lines)
    return True


@pytest.mark.proof
@settings(max_examples=examples(130, 2000))
@given(st.lists(JSON_PIECES, max_size=9).map("".join))
@example('{"a": 1, "b": {"a": 1, "a": 2}}')
@example('{"a": "\\ud800"}')
@example('{"a": ' + "[" * 99 + "]" * 99 + "}")
@example('{"a": ' + "[" * 100 + "]" * 100 + "}")
@example("[" * 100_000)
def test_json_put_together_by_chance(text: str) -> None:
    same(text)


# No backslash: what looks like half of a surrogate pair is left to the full reader.
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\\"), max_size=5)
VALUES: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


@given(VALUES, st.sampled_from([None, 0, 4]), st.sampled_from(["", "\n\n ", "\r\n"]))
def test_json_that_programs_write_is_taken(value: Json, indent: int | None, space: str) -> None:
    assert same(space + json.dumps(value, ensure_ascii=False, indent=indent) + space)


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1, "a": 1}',
        '{"a": 1e999}',
        '{"a": ' + "9" * 310 + "}",
        '{"a": NaN}',
        '{"a": "\\uD800"}',
        "[" * 101 + "]" * 101,
        '{"a": 1}{}',
        "",
    ],
)
def test_json_that_needs_a_closer_look_is_left_to_the_full_reader(text: str) -> None:
    assert not same(text)
