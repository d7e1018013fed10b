"""Inside brackets YAML is read as libyaml's port to Go reads it."""

from __future__ import annotations

import pytest

from podward.documents.parsed_value import ParseError
from podward.documents.yaml.exact import read_yaml


def value(text: str) -> object:
    found = read_yaml(f"k: {text}\n", 1)
    assert found is not None
    assert isinstance(found.value, dict)
    return found.value["k"]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("[a:]", ["a:"]),
        ("[x, 001:db8::]", ["x", "001:db8::"]),
        ("[a:, {b: c:}]", ["a:", {"b": "c:"}]),
        ("{a:}", {"a:": None}),
        ("{\"a\":[1], 'b':{c: 2}, d: [e:]}", {"a": [1], "b": {"c": 2}, "d": ["e:"]}),
        ('["x:,", y:]', ["x:,", "y:"]),
        ("[a:\ue000, b]", ["a:\ue000", "b"]),
    ],
)
def test_a_plain_string_may_end_with_a_colon(text: str, read: object) -> None:
    assert value(text) == read


def test_lines_and_strings_elsewhere_stay_as_they_are() -> None:
    found = read_yaml("a: |\n  x:[1]\n  y:,\nb: [c:,\n  d:]\n", 3)
    assert found is not None
    assert found.value == {"a": "x:[1]\ny:,\n", "b": ["c:", "d:"]}
    assert found.lines == {"a": 3, "b": (6, {0: 6, 1: 7})}


@pytest.mark.parametrize("text", ["[a:{b: c}]", "[::1]", "[http://x/y?z=1]", "{a?: b}", "[a?]", "[a:?b]", r'["\/"]'])
def test_what_the_port_refuses_is_refused(text: str) -> None:
    with pytest.raises(ParseError) as caught:
        value(text)
    assert caught.value.line == 1


@pytest.mark.parametrize("text", ["a?b", '["a?b"]', "['?']", r'"a\\/b"', "'\\/'", "what?"])
def test_elsewhere_both_are_characters(text: str) -> None:
    assert value(text) is not None
