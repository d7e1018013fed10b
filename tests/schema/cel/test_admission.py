"""The scope of a policy's expressions: what they may speak of, and what variables are."""

from __future__ import annotations

import pytest

from podward.schema.cel.admission import ANY, BOOL, OBJECT, PATCHES, STRING_OR_NULL, AdmissionScope
from podward.schema.cel.environment import BUDGET, CelValue, Expression, Failed, Uncompilable
from podward.schema.cel.literals import TYPE


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


def test_a_text_that_doubles_with_every_variable_is_ended() -> None:
    scope = AdmissionScope(params=False, composed=True)
    scope.define("v0", "object.text")
    for number in range(60):
        scope.define(f"v{number + 1}", f"variables.v{number} + variables.v{number}")
    found = _evaluated(scope, "variables.v60 == ''", BOOL, text="x" * 1000)
    assert isinstance(found, Failed)
    assert BUDGET in found.reason


def test_variables_that_fail_fail_once_each() -> None:
    scope = AdmissionScope(params=False, composed=True)
    scope.define("v0", "object.no")
    scope.define("v1", "variables.v0 + 1")
    for number in range(60):
        scope.define(f"v{number + 2}", f"variables.v{number} + variables.v{number + 1}")
    assert isinstance(_evaluated(scope, "variables.v61 == 1", BOOL), Failed)


def _evaluated(scope: AdmissionScope, expression: str, yields: tuple[str, ...], **fields: object) -> CelValue | Failed:
    found = scope.compile(expression, yields)
    assert isinstance(found, Expression), found
    return found.evaluate({"object": {"x": 1, **fields}, "request": {}, "variables": {}})


def test_why_a_variable_fails_is_told() -> None:
    scope = AdmissionScope(params=False, composed=True)
    scope.define("broken", "object.no.such")
    found = _evaluated(scope, "variables.broken == 1", BOOL)
    assert found == Failed('composited variable "broken" fails to evaluate: no such key: no')


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("request.dryRun", "bool"),
        ("request.userInfo.username", "string"),
        ("object.a", "dyn"),
        ("optional.none()", "optional_type(dyn)"),
        ("authorizer.requestResource.check('a')", "kubernetes.authorization.Decision"),
        ("null", "null_type"),
        ("variables.text", "string"),
        ("has(variables.text)", "bool"),
        ("has(request.name) && !has( request.userInfo.extra )", "bool"),
    ],
)
def test_an_expression_has_the_type_that_the_compiler_knows(text: str, kind: str) -> None:
    scope = AdmissionScope(params=False, composed=True)
    scope.define("text", "'abc'")
    found = scope.compile(text, ANY)
    assert isinstance(found, Expression), found
    assert found.yields == kind


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("foo.bar == 1", "ERROR: <input>:1:1: undeclared reference to 'foo' (in container '')"),
        ("true &&\n  objct.x > 1", "ERROR: <input>:2:3: undeclared reference to 'objct' (in container '')"),
        ("request.foo.bar", "ERROR: <input>:1:8: undefined field 'foo'"),
        (
            "request.name == 1",
            "ERROR: <input>:1:14: found no matching overload for '_==_' applied to '(string, int)'",
        ),
        (
            "object.a.startsWith(1)",
            "ERROR: <input>:1:20: found no matching overload for 'startsWith' applied to 'dyn.(int)'",
        ),
        ("has(request.name) && foo", "ERROR: <input>:1:22: undeclared reference to 'foo' (in container '')"),
        ("has(object)", "ERROR: <input>:1:5: invalid argument to has() macro"),
        ("object.", "ERROR: <input>:1:8: Syntax error: no viable alternative at input '.'"),
        ("cel.bind(x, 1, true)", "ERROR: <input>:1:1: undeclared reference to 'cel' (in container '')"),
        ("Object{}", "ERROR: <input>:1:7: undeclared reference to 'Object' (in container '')"),
    ],
)
def test_what_is_wrong_is_told_in_the_words_of_the_real_compiler(text: str, told: str) -> None:
    said = _reason(AdmissionScope(params=False).compile(text, ANY))
    assert said.removeprefix("compilation failed: ").split("\n |")[0] == told


def test_a_variable_may_be_an_optional_value() -> None:
    scope = AdmissionScope(params=False, composed=True)
    scope.define("some", "object.?x")
    assert _evaluated(scope, "variables.some.hasValue() && variables.some.value() == 1", BOOL) is True


def test_expressions_make_objects() -> None:
    scope = AdmissionScope(params=False, composed=True)
    text = "Object{spec: Object.spec{n: object.x, ?o: object.?no, ?p: object.?x}}"
    assert _evaluated(scope, text, OBJECT) == {TYPE: "Object", "spec": {TYPE: "Object.spec", "n": 1, "p": 1}}
    made = _evaluated(scope, '[JSONPatch{op: "add", path: "/" + jsonpatch.escapeKey("a/b")}]', PATCHES)
    assert made == [{TYPE: "JSONPatch", "op": "add", "path": "/a~1b"}]
    assert "undefined field 'x'" in _reason(scope.compile("[JSONPatch{x: 1}]", PATCHES))


def test_errors_beside_objects_are_told_at_their_places() -> None:
    said = _reason(AdmissionScope(params=False).compile('Object{\n  spec: 1 + "a"}', OBJECT))
    assert "<input>:2:11: found no matching overload" in said
    assert said.endswith('|   spec: 1 + "a"}\n | ..........^')


def test_a_map_with_an_optional_value_is_no_value_and_no_end_of_the_process() -> None:
    assert isinstance(_evaluated(AdmissionScope(params=False), "{'a': optional.of(1)}", ANY), Failed)
