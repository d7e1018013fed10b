"""The scope of a policy's expressions: what they may speak of, and what variables are."""

from __future__ import annotations

from podward.schema.cel.admission import ANY, BOOL, STRING_OR_NULL, AdmissionScope
from podward.schema.cel.environment import Expression, Failed, Uncompilable


def _reason(found: Expression | Uncompilable | None) -> str:
    return found.reason if isinstance(found, Uncompilable) else ""


def test_a_variable_is_what_its_expression_says() -> None:
    scope = AdmissionScope(params=False, composed=True)
    assert scope.define("size", "object.replicas * 2") is None
    assert scope.define("large", "variables.size > 5") is None
    found = scope.compile("variables.large && 'variables.size' != ''", BOOL)
    assert isinstance(found, Expression)
    assert found.evaluate({"object": {"replicas": 3}, "variables": {}}) is True


def test_a_variable_that_fails_fails_only_where_it_is_needed() -> None:
    scope = AdmissionScope(params=False, composed=True)
    scope.define("broken", "object.nothing.at.all")
    found = scope.compile("object.free || variables.broken", BOOL)
    assert isinstance(found, Expression)
    assert found.evaluate({"object": {"free": True}, "variables": {}}) is True
    assert isinstance(found.evaluate({"object": {"free": False}, "variables": {}}), Failed)


def test_what_is_not_there_does_not_compile() -> None:
    scope = AdmissionScope(params=False, composed=True)
    assert "undefined field 'b'" in _reason(scope.compile("variables.b == 1", BOOL))
    assert "undeclared reference to 'params'" in _reason(scope.compile("params.x == 1", BOOL))
    assert "undeclared reference to 'variables'" in _reason(AdmissionScope(params=True).compile("variables.b", ANY))
    assert "undeclared reference to 'authorizer'" in _reason(
        scope.compile("authorizer.path('/').check('get').allowed()", BOOL, authorizer=False)
    )


def test_the_type_must_be_one_of_those_wanted() -> None:
    scope = AdmissionScope(params=False)
    assert _reason(scope.compile("1", BOOL)) == "must evaluate to bool but got int"
    assert _reason(scope.compile("object.x", BOOL)) == "must evaluate to bool but got dyn"
    assert _reason(scope.compile("true", STRING_OR_NULL)) == "must evaluate to one of [string null_type] but got bool"


def test_variables_that_double_each_time_are_refused() -> None:
    scope = AdmissionScope(params=False, composed=True)
    scope.define("v0", "1")
    for number in range(20):
        scope.define(f"v{number + 1}", f"variables.v{number} + variables.v{number}")
    assert _reason(scope.compile("variables.v20 == 1", BOOL))
