"""Rules in CEL that a schema binds values to, and what breaks them.

Specification: apiextensions-apiserver pkg/apiserver/schema/cel: a rule sees the value as `self`; one that speaks of
`oldSelf` is asked of changes only, where the old value can be told: fields by name, items of a list that is a map by
their keys. What was as it is now is not asked again. A rule that cannot be read or evaluated here refuses: nothing is
let in that nobody has looked at.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from podward.api.json_value import Json, JsonObject
from podward.documents.raw_fields import member, objects
from podward.schema.cel.environment import Environment, Expression, Failed, Uncompilable
from podward.schema.custom_objects.matching import Fault
from podward.schema.strategies.equality import same
from podward.schema.validation.raw import texts

_RULES = "x-kubernetes-validations"
_KINDS = {
    "FieldValueForbidden": "Forbidden",
    "FieldValueRequired": "Required value",
    "FieldValueDuplicate": "Duplicate value",
}
_WORDS = (
    "true false null in as break const continue else for function if import let loop package namespace return var void"
    " while"
)
_RESERVED = frozenset(_WORDS.split())
_ESCAPES = {"__": "__underscores__", ".": "__dot__", "-": "__dash__", "/": "__slash__"}
_ESCAPED = re.compile(r"__|[.\-/]")
_OLD = re.compile(r"\boldSelf\b")
_RULE = Environment({"self": "dyn", "oldSelf": "dyn"})
_FIRST = "cel.bind(oldSelf, optional.none(), {})"
_CHANGE = "cel.bind(oldSelf, optional.of(oldSelf), {})"


class Rules:
    """All rules of a schema."""

    def __init__(self, schema: JsonObject) -> None:
        self._schema = schema

    def broken(self, obj: JsonObject, old: JsonObject | None) -> list[Fault]:
        """The errors of the rules that an object breaks."""
        return _broken(obj, old, self._schema, "", root=True)


def rules_of(schema: JsonObject) -> Rules:
    """The rules of a schema."""
    return Rules(schema)


def _broken(value: Json, old: Json, schema: JsonObject, at: str, *, root: bool = False) -> list[Fault]:
    if value is None:
        return []
    found: list[Fault] = []
    for rule in objects(schema, _RULES):
        found += _asked(rule, value, old, schema, at, root=root)
    if isinstance(value, dict):
        properties, others = member(schema, "properties"), schema.get("additionalProperties")
        before = old if isinstance(old, dict) else {}
        for name, field in value.items():
            of, declared = properties.get(name, others), name in properties
            if isinstance(of, dict):
                place = (f"{at}.{name}" if at else name) if declared else f"{at}[{name}]"
                found += _broken(field, before.get(name), of, place)
    items = schema.get("items")
    if isinstance(value, list) and isinstance(items, dict):
        for index, item in enumerate(value):
            found += _broken(item, _correlated(item, old, schema), items, f"{at}[{index}]")
    return found


def _correlated(item: Json, old: Json, schema: JsonObject) -> Json:
    """The same item as it was, where items can be told."""
    if schema.get("x-kubernetes-list-type") != "map" or not isinstance(old, list) or not isinstance(item, dict):
        return None
    keys = texts(schema, "x-kubernetes-list-map-keys")
    wanted = [item.get(name) for name in keys]
    return next((each for each in old if isinstance(each, dict) and [each.get(name) for name in keys] == wanted), None)


def _asked(  # noqa: PLR0913 - as much as there is to know
    rule: JsonObject, value: Json, old: Json, schema: JsonObject, at: str, *, root: bool
) -> list[Fault]:
    text = str(rule.get("rule") or "")
    of_change = _OLD.search(text) is not None
    optional = of_change and rule.get("optionalOldSelf") is True
    if of_change and old is None and not optional:
        return []
    if not of_change and old is not None and same(value, old):
        return []
    known = {"self": _seen(value, schema, root=root), "oldSelf": _seen(old, schema, root=root)}
    as_asked = (_FIRST if old is None else _CHANGE) if optional else "{}"
    found = _evaluated(text, as_asked, known)
    if found is True:
        return []
    if isinstance(found, Failed):
        return [
            _fault({}, at, f"rule evaluation error: {text}: {found.reason.splitlines()[0] if found.reason else ''}")
        ]
    return [_fault(rule, at, _message(rule, text, as_asked, known))]


def _message(rule: JsonObject, text: str, as_asked: str, known: Mapping[str, Any]) -> str:
    told = rule.get("messageExpression")
    if isinstance(told, str) and told:
        found = _evaluated(told, as_asked, known)
        if isinstance(found, str) and found.strip() and "\n" not in found:
            return found.strip()
    message = rule.get("message")
    return message.strip() if isinstance(message, str) and message else f"failed rule: {text.strip()}"


def _fault(rule: JsonObject, at: str, message: str) -> Fault:
    path = rule.get("fieldPath")
    place = at + path if isinstance(path, str) else at
    return place.removeprefix(".") or "<nil>", f"{_KINDS.get(str(rule.get('reason')), 'Invalid value')}: {message}"


def _evaluated(text: str, as_asked: str, known: Mapping[str, Any]) -> object:
    """What the expression yields; Failed where nothing. `as_asked` is what is evaluated, with a gap for the text."""
    compiled = _compiled(as_asked.replace("{}", text))
    return compiled.evaluate(known) if isinstance(compiled, Expression) else Failed(compiled.reason)


@lru_cache(1024)
def _compiled(text: str) -> Expression | Uncompilable:
    return _RULE.compile(text)


def _seen(value: Json, schema: Json, *, root: bool = False) -> Any:  # noqa: ANN401 - times are no JSON
    """A value as rules see it: times are times, numbers are not integers, names are those that CEL can write."""
    of: JsonObject = schema if isinstance(schema, dict) else {}
    if isinstance(value, str):
        return _time(value) if of.get("format") == "date-time" else value
    if type(value) is int and of.get("type") == "number":
        return float(value)
    if isinstance(value, list):
        return [_seen(item, of.get("items")) for item in value]
    if not isinstance(value, dict):
        return value
    properties, others = member(of, "properties"), of.get("additionalProperties")
    made = {
        escaped(name) if name in properties else name: _seen(field, properties.get(name, others))
        for name, field in value.items()
        if field is not None or member(properties, name).get("nullable") is True
    }
    if root or of.get("x-kubernetes-embedded-resource") is True:
        metadata = member(value, "metadata")
        made["metadata"] = {name: metadata[name] for name in ("name", "generateName") if name in metadata}
    return made


def _time(text: str) -> str | dt.datetime:
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        return text


def escaped(name: str) -> str:
    """A name as an identifier of CEL."""
    if name in _RESERVED:
        return f"__{name}__"
    return _ESCAPED.sub(lambda found: _ESCAPES[found.group()], name)
