"""Secrets and ConfigMaps out of documents: what they hold, and which ones an API server would not take."""

from __future__ import annotations

from podward.api.content import ContentKind, ContentObject
from podward.api.referenced_objects import Missing, ReferencedObjects
from podward.documents.reader import decode_documents
from podward.schema.referenced_objects import LARGEST, collect


def collected(text: str) -> ReferencedObjects:
    return collect(decode_documents(text.encode(), "objects.yaml"))


def data(objects: ReferencedObjects, kind: ContentKind, name: str, namespace: str = "default") -> dict[str, bytes]:
    found = objects.content(kind, namespace, name)
    assert isinstance(found, ContentObject), found
    return dict(found.data)


def test_plain_text_of_a_secret_takes_the_place_of_encoded_data() -> None:
    fields = 'data: {a: "b2xk\\n", b: null}, stringData: {a: new}'
    text = f"{{apiVersion: v1, kind: Secret, metadata: {{name: s}}, {fields}}}"
    assert data(collected(text), "Secret", "s") == {"a": b"new", "b": b""}


def test_only_text_of_a_config_map_can_become_variables() -> None:
    text = "{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: one}, binaryData: {b: AAE=}}"
    found = collected(text).content("ConfigMap", "default", "c")
    assert isinstance(found, ContentObject)
    assert found.data == {"a": b"one", "b": b"\x00\x01"}
    assert found.text == frozenset("a")
    assert "one" not in repr(found)


def test_objects_of_lists_and_of_other_namespaces_are_found_and_the_last_one_counts() -> None:
    text = """
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Secret, metadata: {name: s, namespace: shop}, stringData: {a: first}}
- {apiVersion: v1, kind: Secret, metadata: {name: s, namespace: shop}, stringData: {b: last}}
- {apiVersion: example.com/v1, kind: Secret, metadata: {name: s}, stringData: {a: foreign}}
"""
    objects = collected(text)
    assert data(objects, "Secret", "s", "shop") == {"b": b"last"}
    assert isinstance(objects.content("Secret", "default", "s"), Missing)


def fault(fields: str, kind: ContentKind = "Secret") -> str:
    found = collected(f"{{apiVersion: v1, kind: {kind}, metadata: {{name: s}}, {fields}}}")
    missing = found.content(kind, "default", "s")
    assert isinstance(missing, Missing), missing
    return missing.remedy


def test_what_an_api_server_refuses_is_not_there_and_says_why_without_its_value() -> None:
    for bad in ('"a b"', '".."', '"..a"', '"."', '""', "a" * 254):
        said = fault(f"stringData: {{{bad}: hunter2}}")
        assert "objects.yaml:1" in said
        assert "hunter2" not in said
    assert "Too long" in fault(f'stringData: {{a: "{"x" * (LARGEST + 1)}"}}')
    assert "duplicate of key" in fault("data: {a: x}, binaryData: {a: AAE=}", "ConfigMap")
