"""OpenAPI of version 2 in Protobuf, byte by byte as the messages of gnostic-models are written."""

from __future__ import annotations

import pytest

from podward.api.json_value import JsonObject
from podward.schema.openapi.protobuf import document_bytes


def varint(number: int) -> bytes:
    return bytes([number]) if number < 128 else bytes([number & 0x7F | 0x80, number >> 7])


def field(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def extension(number: int, name: bytes, yaml: bytes) -> bytes:
    return field(number, field(1, name) + field(2, field(2, yaml)))


def of_schema(content: bytes) -> bytes:
    return field(9, field(1, field(1, b"a") + field(2, content)))


SCHEMAS: list[tuple[JsonObject, bytes]] = [
    ({"type": "object"}, field(22, field(1, b"object"))),
    ({"$ref": "#/definitions/b"}, field(1, b"#/definitions/b")),
    ({"items": {"format": "int32"}}, field(23, field(1, field(2, b"int32")))),
    ({"additionalProperties": True}, field(21, b"\x10\x01")),
    ({"additionalProperties": {"title": "t"}}, field(21, field(1, field(3, b"t")))),
    ({"properties": {"p": {"description": "d"}}}, field(25, field(1, field(1, b"p") + field(2, field(4, b"d"))))),
    ({"x-kubernetes-list-type": "map"}, extension(31, b"x-kubernetes-list-type", b'"map"')),
    ({"enum": ["A"], "required": ["p"]}, field(20, field(2, b'"A"')) + field(19, b"p")),
    ({"minimum": 1, "maxLength": 300}, b"\x49\0\0\0\0\0\0\xf0\x3f" + b"\x58\xac\x02"),
]


@pytest.mark.parametrize(("schema", "expected"), SCHEMAS, ids=[next(iter(schema)) for schema, _ in SCHEMAS])
def test_a_schema(schema: JsonObject, expected: bytes) -> None:
    assert document_bytes({"definitions": {"a": schema}}) == of_schema(expected)


def test_an_operation_with_parameters_and_responses() -> None:
    parameters: list[JsonObject] = [
        {"$ref": "#/parameters/p"},
        {"in": "body", "name": "body"},
        {"in": "query", "name": "q", "type": "string", "uniqueItems": True},
        {"in": "path", "name": "n"},
    ]
    operation: JsonObject = {
        "operationId": "i",
        "parameters": [*parameters],
        "responses": {"200": {"schema": {"title": "t"}}},
        "x-kubernetes-action": "get",
    }
    query = field(3, field(2, b"query") + field(4, b"q") + field(6, b"string") + b"\xa0\x01\x01")
    expected = (
        field(5, b"i")
        + field(8, field(2, field(1, b"#/parameters/p")))
        + field(8, field(1, field(1, field(3, b"body") + field(2, b"body"))))
        + field(8, field(1, field(2, query)))
        + field(8, field(1, field(2, field(4, field(2, b"path") + field(4, b"n")))))
        + field(9, field(1, field(1, b"200") + field(2, field(1, field(2, field(1, field(3, b"t")))))))
    ) + extension(13, b"x-kubernetes-action", b'"get"')
    path = field(1, b"/p") + field(2, field(2, expected))
    assert document_bytes({"paths": {"/p": {"get": operation}}}) == field(8, field(2, path))
