"""JSON values as Go prints them."""

from __future__ import annotations

import pytest

from podward.api.govalue import number, plain, syntax, type_name
from podward.api.json_value import Json


@pytest.mark.parametrize(
    ("value", "printed", "written", "name"),
    [
        (
            {"b": [1, None], "a": "x"},
            "map[a:x b:[1 <nil>]]",
            'map[string]interface {}{"a":"x", "b":[]interface {}{1, interface {}(nil)}}',
            "map[string]interface {}",
        ),
        ([True], "[true]", "[]interface {}{true}", "[]interface {}"),
        (1.5, "1.5", "1.5", "float64"),
        (2.0, "2", "2", "float64"),
        (7, "7", "7", "int64"),
        ("a b", "a b", '"a b"', "string"),
        (None, "<nil>", "interface {}(nil)", "<nil>"),
    ],
)
def test_values(value: Json, printed: str, written: str, name: str) -> None:
    assert (plain(value), syntax(value), type_name(value)) == (printed, written, name)


def test_a_number_that_cannot_be_printed() -> None:
    assert number(10**5000) == "+Inf"
    assert number(1e300) == "1e+300"
