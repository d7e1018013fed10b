"""Selectors in queries, and what is wrong with them."""

from __future__ import annotations

import pytest

from podward.schema.query_selectors import FieldSelector, LabelSelector, parse_fields, parse_labels


@pytest.mark.parametrize(
    ("text", "selected", "not_selected"),
    [
        ("a=b", {"a": "b"}, {"a": "c"}),
        ("a==b,c", {"a": "b", "c": ""}, {"a": "b"}),
        ("a!=b", {}, {"a": "b"}),
        ("a in (x, y)", {"a": "y"}, {"a": "z"}),
        ("a notin (x)", {"b": "x"}, {"a": "x"}),
        ("!a", {"b": ""}, {"a": ""}),
        ("a>5", {"a": "6"}, {"a": "5"}),
    ],
)
def test_labels_are_selected(text: str, selected: dict[str, str], not_selected: dict[str, str]) -> None:
    selector = parse_labels(text)
    assert isinstance(selector, LabelSelector)
    assert selector.matches(selected)
    assert not selector.matches(not_selected)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("a in b", "unable to parse requirement: found 'b' expected: '('"),
        ("=a", "found '=', expected: !, identifier, or 'end of string'"),
        ("a,,", "found ',', expected: identifier after ','"),
    ],
)
def test_what_is_wrong_with_a_selector_is_said(text: str, error: str) -> None:
    assert parse_labels(text) == error


def test_fields_are_selected_with_their_escapes() -> None:
    selector = parse_fields(r"metadata.name=a\,b,status.phase!=Running")
    assert isinstance(selector, FieldSelector)
    assert selector.exact("metadata.name") == "a,b"
    assert parse_fields("x") == "invalid selector: 'x'; can't understand 'x'"
