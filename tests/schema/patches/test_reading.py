"""Reading the JSON of a patch."""

from __future__ import annotations

import pytest

from podward.api.json_value import Json
from podward.schema.patches.reading import UnreadableError, read_json


@pytest.mark.parametrize(
    ("body", "value", "twice"),
    [
        (b'{"a": 1, "a": 2.5}', {"a": 2.5}, ['duplicate field "a"']),
        (b'[{"a": {"b": 1, "b": 1}}]', [{"a": {"b": 1}}], ['duplicate field "[0].a.b"']),
        (b'"\\ud800"', "\ufffd", []),
        (b"null", None, []),
    ],
)
def test_what_is_read(body: bytes, value: Json, twice: list[str]) -> None:
    assert read_json(body) == (value, twice)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "unexpected end of JSON input"),
        (b"hello", "invalid character 'h' looking for beginning of value"),
        (b"1e999", "json: cannot unmarshal number into Go value of type float64"),
        (b"NaN", "invalid character 'N' looking for beginning of value"),
        (b"[" * 129 + b"]" * 129, "invalid character '[' exceeded max depth"),
        (b'{"a":' * 50_000, "invalid character '{' exceeded max depth"),
        (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, "invalid character '{' exceeded max depth"),
    ],
)
def test_what_is_refused(body: bytes, words: str) -> None:
    with pytest.raises(UnreadableError) as raised:
        read_json(body)
    assert str(raised.value) == words
