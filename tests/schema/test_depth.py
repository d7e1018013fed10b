"""How deep a body may nest."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podward.api.json_value import Json
from podward.schema.bodies import Body, Expected, Undecodable, decode_body, decode_custom_body
from podward.schema.body_reading import Media
from podward.schema.depth import is_too_deep, too_deep

MEDIA: tuple[Media, ...] = ("json", "yaml")
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
    assert not is_too_deep(value)
    assert too_deep(b"[" * 129 + padded) == "["


def nested(depth: int, opening: str, closing: str) -> bytes:
    return f'{{"metadata":{{"name":"a"}},"odd":{opening * depth}1{closing * depth}}}'.encode()


KINDS_OF_NESTING = pytest.mark.parametrize(("opening", "closing"), [('{"a":', "}"), ("[", "]")])


@pytest.mark.parametrize("depth", [150, 880])
@KINDS_OF_NESTING
def test_what_no_type_knows_may_nest_deeper(depth: int, opening: str, closing: str) -> None:
    text = nested(depth, opening, closing)
    for media in MEDIA:
        found = decode_body(text, media, CONFIG_MAP)
        assert isinstance(found, Body), media
        assert "odd" not in found.object


@pytest.mark.parametrize("depth", [130, 500, 880])
@KINDS_OF_NESTING
def test_what_is_kept_may_not(depth: int, opening: str, closing: str) -> None:
    text = nested(depth, opening, closing)
    custom = decode_custom_body(text, "json", Expected("a.b/v1", "A"), lambda obj, _: (obj, []))
    assert isinstance(custom, Undecodable)
    revision = text.replace(b'"odd"', b'"data"').replace(b'"metadata"', b'"revision":1,"metadata"')
    for media in MEDIA:
        found = decode_body(revision, media, Expected("apps/v1", "ControllerRevision"))
        assert isinstance(found, Undecodable), media
        assert "exceeded max depth" in found.message


@pytest.mark.parametrize("depth", [1000, 5_000, 20_000])
@KINDS_OF_NESTING
def test_a_body_that_nests_deeper_is_refused_in_the_servers_words(depth: int, opening: str, closing: str) -> None:
    found = decode_body(nested(depth, opening, closing), "json", CONFIG_MAP)
    assert isinstance(found, Undecodable)
    assert f"json parse error: invalid character '{opening[0]}' exceeded max depth" in found.message
    found = decode_body(b"metadata: {name: a}\nodd: " + b"[ " * depth, "yaml", CONFIG_MAP)
    assert isinstance(found, Undecodable)
    assert "yaml: line 2: exceeded max depth of 900" in found.message
