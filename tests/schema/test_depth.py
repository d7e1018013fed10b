"""How deep a body may nest."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podward.api.json_value import Json
from podward.schema.bodies import Expected, Undecodable, decode_body, decode_custom_body
from podward.schema.depth import too_deep

CONFIG_MAP = Expected("v1", "ConfigMap")


@pytest.mark.parametrize(
    ("text", "bracket"),
    [
        (b"[" * 128 + b"]" * 128, ""),
        (b"[" * 129 + b"]" * 129, "["),
        (b'{"a":' * 129, "{"),
        (b"[" * 128 + b"{", "{"),
        (b"[" + b"[]," * 500, ""),
        (json.dumps({"script": "[" * 500 + '"\\' + "{" * 500}).encode(), ""),
        (b'["' + b"[" * 500, ""),
        (b"[" * 127 + b'"[[[[", [[', "["),
    ],
)
def test_128_levels_are_enough(text: bytes, bracket: str) -> None:
    assert too_deep(text) == bracket


@given(
    st.recursive(
        st.text('[]{}"\\ab', max_size=8) | st.integers(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text('[{"\\', max_size=3), inner, max_size=4),
    )
)
def test_nothing_that_people_write_is_too_deep(value: Json) -> None:
    padded = json.dumps([value, *([[]] * 200)]).encode()
    assert too_deep(padded) == ""
    assert too_deep(b"[" * 129 + padded) == "["


@pytest.mark.parametrize("depth", [150, 900, 5_000, 20_000])
@pytest.mark.parametrize(("opening", "closing"), [('{"a":', "}"), ("[", "]")])
def test_a_body_that_nests_deeper_is_refused_in_the_servers_words(depth: int, opening: str, closing: str) -> None:
    deep = f'{{"metadata":{{"name":"a"}},"odd":{opening * depth}1{closing * depth}}}'.encode()
    found = decode_body(deep, "json", CONFIG_MAP)
    assert isinstance(found, Undecodable)
    assert f"json parse error: invalid character '{opening[0]}' exceeded max depth" in found.message
    custom = decode_custom_body(deep, "json", Expected("a.b/v1", "A"), lambda obj, _: (obj, []))
    assert isinstance(custom, Undecodable)
    assert "exceeded max depth" in custom.message


@pytest.mark.parametrize("depth", [150, 900, 20_000])
def test_so_is_one_in_yaml(depth: int) -> None:
    found = decode_body(b"metadata: {name: a}\nodd: " + b"[ " * depth, "yaml", CONFIG_MAP)
    assert isinstance(found, Undecodable)
    assert "yaml: line 2: exceeded max depth of 100" in found.message
