"""Expressions that might go through too much text are not begun; ordinary ones are, about large objects too."""

from __future__ import annotations

import pytest

from podward.schema.cel.environment import BUDGET, Environment, Expression, Failed
from podward.schema.cel.volume import Volume

_HERE = Environment({"object": "dyn"})
_LARGE = {
    "big": "x" * 1_000_000,
    "list": list(range(90)),
    "env": [{"name": f"N{number}"} for number in range(100)],
    "containers": [{"image": "registry.example/a:1", "env": [{"name": f"N{each}"} for each in range(100)]}],
    "applied": "y" * 20_000,
}
_ORDINARY = {**_LARGE, "big": ""}


def _value(text: str, obj: object) -> object:
    compiled = _HERE.compile(text)
    assert isinstance(compiled, Expression), compiled
    return compiled.evaluate({"object": obj})


@pytest.mark.parametrize(
    "text",
    [
        "object.list.map(a, object.list.map(b, object.big + object.big)).size() > 0",
        "object.list.all(a, object.list.all(b, (object.big + object.big).contains('z') || true))",
        "object.list.all(a, object.big.replace('x', 'yyyyyyyyyyyyyyyyyyyyyyyyyyyyyy').size() > 0)",
        "object.big.replace('x', object.big).size() > 0",
        "object.list.all(a, object.list.all(b, object.big.matches('(x+x+)+y') || true))",
        "[" + "(object.big + object.big), " * 400 + "''].size() > 0",
    ],
)
def test_what_would_take_all_memory_or_time_is_not_begun(text: str) -> None:
    assert _value(text, _LARGE) == Failed(BUDGET)


@pytest.mark.parametrize(
    "text",
    [
        "object.containers.all(c, c.env.all(e, !e.name.contains('SECRET') && !e.name.startsWith('AWS')))",
        "object.containers.all(c, c.image.startsWith('registry.example/')) && object.env.all(e, e.name + '' != '')",
        "object.containers.map(c, c.image.replace('registry.example', 'r')).join(',') != ''",
        "'too many: ' + string(object.list.size()) != ''",
        "object.containers.all(c, c.image.split(':').size() == 2)",
    ],
)
def test_ordinary_expressions_are_evaluated_about_objects_with_a_long_annotation(text: str) -> None:
    assert _value(text, _ORDINARY) is True


def test_loops_beside_each_other_are_not_inside_of_each_other() -> None:
    assert Volume.of("a.all(x, x > 1) && b.exists(y, y.c.map(z, z)[0])").loops == 2
    assert Volume.of("a.all(x, x > 1) && b.all(y, y > 1)").loops == 1
    assert Volume.of("'a.all(x, b.all(y, true))' == ''").loops == 0
