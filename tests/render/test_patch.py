"""The patched document and the JSON Patch are two forms of the same Decision."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UnsetType

from podward.api.core import Capabilities
from podward.api.json_value import Json, JsonObject, copied_object
from podward.decision import Assignment, Decision, Origin, Source, Value
from podward.path import Key, Path, path
from podward.render.patch import Operation, apply, json_patch

SOURCE = Source(Origin.RULE, "a test")


def decided(*pairs: tuple[Path, Value]) -> Decision:
    return Decision(tuple(Assignment(place, value, "because", SOURCE) for place, value in pairs))


def rfc6902(document: JsonObject, operations: list[Operation]) -> Json:
    """RFC 6902 `add`, `replace` and `remove`, written from its text and not from ours."""
    root: Json = copied_object(document)
    for operation in operations:
        *parents, last = [part.replace("~1", "/").replace("~0", "~") for part in operation.path.split("/")[1:]]
        node: Json = root
        for part in parents:
            node = node[int(part)] if isinstance(node, list) else node[part] if isinstance(node, dict) else None
        if operation.operation == "remove":
            assert isinstance(node, dict)
            assert isinstance(operation.value, UnsetType)
            del node[last]
            continue
        assert not isinstance(operation.value, UnsetType)
        if isinstance(node, list):
            if operation.operation == "add":
                assert int(last) <= len(node)
                node.insert(int(last), operation.value)
            else:
                node[int(last)] = operation.value
        else:
            assert isinstance(node, dict)
            assert operation.operation == "add" or last in node
            node[last] = operation.value
    return root


def test_absent_and_null_parents_are_created() -> None:
    raw: JsonObject = {"spec": {"securityContext": None, "kept": [1]}}
    decision = decided(
        (path("spec", "securityContext", "runAsUser"), 5),
        (path("metadata", "annotations", Key("a/b~c")), "x"),
        (path("list", 0, "x"), True),
    )
    assert apply(raw, decision) == {
        "spec": {"securityContext": {"runAsUser": 5}, "kept": [1]},
        "metadata": {"annotations": {"a/b~c": "x"}},
        "list": [{"x": True}],
    }
    assert [(o.operation, o.path, o.value) for o in json_patch(raw, decision)] == [
        ("replace", "/spec/securityContext", {}),
        ("add", "/spec/securityContext/runAsUser", 5),
        ("add", "/metadata", {}),
        ("add", "/metadata/annotations", {}),
        ("add", "/metadata/annotations/a~1b~0c", "x"),
        ("add", "/list", []),
        ("add", "/list/0", {}),
        ("add", "/list/0/x", True),
    ]


def test_the_document_itself_is_left_alone() -> None:
    raw: JsonObject = {"a": {"b": [1]}}
    patched = apply(raw, decided((path("a", "c"), {"d": 1})))
    assert raw == {"a": {"b": [1]}}
    inner = patched["a"]
    assert isinstance(inner, dict)
    assert isinstance(inner["b"], list)
    inner["b"].append(2)
    assert raw == {"a": {"b": [1]}}


def test_typed_values_become_json() -> None:
    decision = decided((path("c"), Capabilities(add=("NET_ADMIN",))), (path("t"), (1, 2)))
    assert apply({}, decision) == {"c": {"add": ["NET_ADMIN"]}, "t": [1, 2]}


def test_what_is_so_already_needs_no_operation() -> None:
    raw: JsonObject = {"a": 1, "b": {"c": []}, "n": None}
    same = decided((path("a"), 1), (path("b", "c"), []), (path("x"), None))
    assert json_patch(raw, same) == []
    assert [o.path for o in json_patch(raw, decided((path("a"), True)))] == ["/a"]


def test_none_removes_a_member_and_leaves_the_places_of_a_list() -> None:
    raw: JsonObject = {"a": {"b": 1, "c": 2}, "n": None, "l": [1, 2]}
    decision = decided((path("a", "b"), None), (path("n"), None), (path("l", 0), None))
    assert apply(raw, decision) == {"a": {"c": 2}, "l": [None, 2]}
    assert json_patch(raw, decision) == [
        Operation("remove", "/a/b"),
        Operation("remove", "/n"),
        Operation("replace", "/l/0", None),
    ]


@pytest.mark.parametrize("place", [path("a", "b"), path("l", 2), path("l", "x"), path("o", 0), Path()])
def test_an_assignment_that_does_not_fit_is_a_defect(place: Path) -> None:
    raw: JsonObject = {"a": 1, "l": [1], "o": {}}
    with pytest.raises((LookupError, TypeError)):
        apply(raw, decided((place, 1)))


def test_operations_are_written_as_rfc_6902_writes_them() -> None:
    import msgspec

    assert msgspec.json.encode(Operation("add", "/a", 1)) == b'{"op":"add","path":"/a","value":1}'
    assert msgspec.json.encode(Operation("remove", "/a")) == b'{"op":"remove","path":"/a"}'


NAMES = st.sampled_from(["a", "b", "c/d", "e~f", ""])
VALUES: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2) | st.sampled_from(["", "x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


PLACES = st.lists(NAMES | st.integers(0, 2), min_size=1, max_size=4)


@given(st.dictionaries(NAMES, VALUES, max_size=3), st.lists(st.tuples(PLACES, VALUES), max_size=5))
def test_the_json_patch_makes_the_patched_document(raw: JsonObject, places: list[tuple[list[str | int], Json]]) -> None:
    fitting: list[tuple[Path, Value]] = []
    for segments, value in places:
        try:
            apply(raw, decided(*fitting, (Path(tuple(segments)), value)))
        except (LookupError, TypeError):
            continue
        fitting.append((Path(tuple(segments)), value))
    decision = decided(*fitting)
    patched = apply(raw, decision)
    assert json.dumps(rfc6902(raw, json_patch(raw, decision))) == json.dumps(patched)
    assert json_patch(patched, Decision()) == []
