"""Words about custom objects that are not as their schema has them."""

from __future__ import annotations

import pytest

from podward.api.json_value import Json, JsonObject
from podward.schema.custom_objects.list_types import twice
from podward.schema.custom_objects.matching import faults_of


@pytest.mark.parametrize(
    ("kind", "form", "value", "said"),
    [
        ("string", "date-time", 5, 'Invalid value: "int64": a in body must be of type date-time: "int64"'),
        ("string", "date-time", {}, 'Invalid value: "": a in body must be of type date-time: ""'),
        ("string", "unheard-of", 5, 'Invalid value: "integer": a in body must be of type string: "integer"'),
        ("integer", "int32", "x", 'Invalid value: "string": a in body must be of type integer: "string"'),
        ("integer", "int32", True, 'Invalid value: "": a in body must be of type int32: ""'),
        ("string", "date-time", [], None),
    ],
)
def test_a_value_of_the_wrong_type_is_told_with_the_format(kind: str, form: str, value: Json, said: str | None) -> None:
    found = faults_of(value, {"type": kind, "format": form}, "a")
    assert [words for _, words in found][:1] == ([said] if said else [])


def test_a_list_that_is_a_map_holds_objects() -> None:
    items: JsonObject = {"type": "object"}
    schema: JsonObject = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["n"], "items": items}
    (only,) = twice(["a", "a"], schema, "l")
    assert only == ("l[0]", 'Invalid value: "a": must be an object for an array of list-type map')
