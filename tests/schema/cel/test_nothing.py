"""Fields of what is null."""

from __future__ import annotations

from podward.schema.cel.admission import BOOL, AdmissionScope
from podward.schema.cel.environment import Expression, Failed


def test_a_field_of_a_null_variable_is_a_missing_key() -> None:
    compiled = AdmissionScope(params=False).compile('"object.a" != "" && object.data.x == "1"', BOOL)
    assert isinstance(compiled, Expression)
    variables: dict[str, object] = {"object": None, "oldObject": {}, "namespaceObject": {}, "request": {}}
    assert compiled.evaluate(variables) == Failed("no such key: data")


def test_a_question_mark_in_what_the_compiler_says_is_one() -> None:
    found = AdmissionScope(params=False).compile("[", BOOL)
    assert "'!', '?', 'true'" in found.reason  # type: ignore[union-attr]  # it does not compile
