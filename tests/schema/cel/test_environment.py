"""Expressions in CEL: what they yield, what keeps them from compiling, and what hostile ones cost."""

from __future__ import annotations

import pytest

from podward.schema.cel.authorizing import Question, Verdict, authorizer, resource_check
from podward.schema.cel.environment import BUDGET, Environment, Expression, Failed, Uncompilable

_HERE = Environment(
    {"object": "dyn", "request": "dyn", "authorizer": "Authorizer", "authorizer.requestResource": "ResourceCheck"},
    {"request": {"name": None, "kind": {"group": None}}},
)
_VARIABLES = {
    "object": {"amount": "1Gi", "list": [1, 2, 3], "none": None, "many": list(range(1000))},
    "request": {"name": "x", "kind": {"group": "g"}},
    "authorizer": authorizer(),
    "authorizer.requestResource": resource_check(Question(resource="pods")),
}


def _ask(question: Question) -> Verdict:
    return Verdict(question.verb == "get", f"{question.resource} {question.verb}")


def _value(text: str) -> object:
    compiled = _HERE.compile(text)
    assert isinstance(compiled, Expression), compiled
    return compiled.evaluate(_VARIABLES, _ask)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('quantity(object.amount).isGreaterThan(quantity("1000Mi"))', True),
        ('quantity("1") == quantity("1000m")', True),
        ('quantity("1.5").add(1).asApproximateFloat()', 2.5),
        ('isQuantity("x")', False),
        ('cidr("10.0.0.0/8").containsIP("10.1.1.1")', True),
        ('cidr("10.0.0.0/8").containsCIDR(cidr("11.0.0.0/16"))', False),
        ('ip("2001:db8::1").family()', 6),
        ('isIP("010.0.0.1") || isIP("::ffff:1.2.3.4") || isIP("fe80::1%eth0")', False),
        ('url("https://a.example:8443/x?y=1&y=2").getPort()', "8443"),
        ('url("https://a.example/x?y=1&y=2").getQuery()', {"y": ["1", "2"]}),
        ('isURL("no url")', False),
        ("object.list.sum() == 6 && object.list.max() == 3 && [1, 2].isSorted()", True),
        ("sets.contains(object.list, [1, 3]) && !sets.intersects([4], object.list)", True),
        ('semver("1.2.3").isLessThan(semver("1.10.0"))', True),
        ('semver("1.2.3-rc.1").isLessThan(semver("1.2.3"))', True),
        ('semver("v1", true).major()', 1),
        ('jsonpatch.escapeKey("a/b~c")', "a~1b~0c"),
        ('authorizer.group("").resource("pods").namespace("n").check("get").allowed()', True),
        ('authorizer.requestResource.check("list").allowed()', False),
        ("object.?nothing.orValue(3)", 3),
        ("has(object.amount) && !has(object.other)", True),
        ("object.list.map(x, x * 2)", [2, 4, 6]),
    ],
)
def test_kubernetes_libraries(text: str, value: object) -> None:
    assert _value(text) == value


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("foo", "undeclared reference to 'foo' (in container '')"),
        ("request.foo", "ERROR: <input>:1:8: undefined field 'foo'\n | request.foo\n | .......^"),
        ("request.kind.foo == 1", "ERROR: <input>:1:13: undefined field 'foo'"),
        ("1 + 'a'", "found no matching overload for '_+_' applied to '(int, string)'"),
        ('quantity("1").isGreaterThan(1)', "applied to 'kubernetes.Quantity.(int)'"),
        ("object.", "Syntax error"),
    ],
)
def test_what_does_not_compile_is_told_in_the_compilers_words(text: str, said: str) -> None:
    found = _HERE.compile(text)
    assert isinstance(found, Uncompilable)
    assert found.reason.startswith("compilation failed: ERROR: <input>:")
    assert said in found.reason


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("object.other", "no such key: other"),
        ("1 / 0", "division by zero"),
        ("object.amount.startsWith(object.none)", "no such overload"),
        ("object.list[9]", "index out of bounds: 9"),
        ("object.many.all(a, object.many.all(b, object.many.all(c, a + b + c >= 0)))", BUDGET),
        ('quantity("x")', "quantities must match"),
    ],
)
def test_what_fails_is_a_value(text: str, said: str) -> None:
    found = _value(text)
    assert isinstance(found, Failed)
    assert said in found.reason


@pytest.mark.parametrize(
    "text",
    [
        "{'a': optional.of(1)}",
        "dyn({'a': optional.of(1)})",
        "[dyn({'a': optional.none()})]",
        "[dyn({'a': [1].first()})]",
        "{'a': {'b': object.?amount}}",
    ],
)
def test_an_optional_never_reaches_python_where_it_would_end_the_process(text: str) -> None:
    found = _HERE.compile(text)
    assert isinstance(found, Uncompilable) or isinstance(found.evaluate(_VARIABLES), Failed)
    for method in ("sum()", "max()", "distinct()"):
        assert isinstance(_HERE.compile(f"[{text}].{method} == 1"), Uncompilable)


def test_a_field_in_a_string_or_a_comment_is_none() -> None:
    assert _value("'request.foo' == '' // request.bar") is False


def test_an_expression_of_a_hundred_thousand_characters_is_refused() -> None:
    assert isinstance(_HERE.compile(f"'{'a' * 200_000}' == ''"), Uncompilable)
    assert isinstance(_HERE.compile("(" * 500 + "1" + ")" * 500), Uncompilable)
