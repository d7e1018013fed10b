"""Rules in CEL that a schema binds values to, and what breaks them.

Specification: apiextensions-apiserver pkg/apiserver/schema/cel: a rule sees the value as `self`; one that speaks of
`oldSelf` is asked of changes only, where the old value can be told: fields by name, items of a list that is a map by
their keys. What was as wrong as it is now is warned of. A rule that cannot be evaluated refuses: nothing is let in that
nobody has looked at. Rules that stand under `allOf` are asked, too.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from msgspec import Struct

from podward.api.gotext import quote
from podward.api.json_value import Json, JsonObject
from podward.documents.raw_fields import member, objects
from podward.schema.cel.environment import BUDGET, Environment, Expression, Failed, Uncompilable
from podward.schema.cel.source import mentions
from podward.schema.custom_objects.compiling import Types
from podward.schema.custom_objects.field_paths import NoFieldError, field_at
from podward.schema.custom_objects.formats import bytes_of, seconds_of
from podward.schema.custom_objects.matching import Fault, equal, shown
from podward.schema.custom_objects.rule_types import declared, escaped
from podward.schema.validation.raw import text, texts

_RULES = "x-kubernetes-validations"
_RULE = Environment({"self": "dyn", "oldSelf": "dyn"})
_FIRST = "cel.bind(oldSelf, optional.none(), {})"
_CHANGE = "cel.bind(oldSelf, optional.of(oldSelf), {})"
_TIMES = frozenset(("date-time", "date", "duration"))
_LONGEST_MESSAGE = 5 * 1024
_NO_OVERLOAD = "no such overload"
_TOO_COSTLY = "operation cancelled: actual cost limit exceeded"
_OF_REASONS = {"FieldValueForbidden": "Forbidden", "FieldValueRequired": "Required value"}


class Outcome(Struct, frozen=True):
    """What the rules say of an object: the errors, and those that were there before, which are warnings."""

    faults: list[Fault]
    warnings: list[str]


class _Seen(Struct, frozen=True):
    """A value beside what it was, and where it stands. `kept`: it, or what it is in, is what it was."""

    value: Json
    old: Json
    at: str
    kept: bool
    root: bool = False


class Rules:
    """All rules of a schema; `whole`: it is one of objects of the API."""

    def __init__(self, schema: JsonObject, *, whole: bool = True) -> None:
        self._schema, self._whole = schema, whole
        self._evaluated: dict[tuple[int, str], str] = {}

    def asked(self, obj: Json, old: Json, at: str = "") -> Outcome:
        """What the rules say of a value that stands at `at`."""
        found = Outcome([], [])
        _ask(self, _Seen(obj, old, at, _is_kept(obj, old), self._whole), self._schema, found)
        return found

    def evaluated(self, expression: str, rule: JsonObject, schema: JsonObject) -> str:
        """An expression of a rule of this part of the schema as it is evaluated."""
        key = (id(schema), expression)
        if key not in self._evaluated:
            self._evaluated[key] = self._with_times(expression, rule, schema)
        return self._evaluated[key]

    def _with_times(self, expression: str, rule: JsonObject, schema: JsonObject) -> str:
        if not expression or not _has_times(schema):
            return expression
        whole = (schema is self._schema and self._whole) or schema.get("x-kubernetes-embedded-resource") is True
        of = declared(schema, "selfType", whole=whole)
        return expression if of is None else Types(of).evaluated(expression, rule)


def _has_times(schema: JsonObject) -> bool:
    """Whether a value of the schema may hold times."""
    if text(schema, "format") in _TIMES:
        return True
    inner = [*member(schema, "properties").values(), schema.get("items"), schema.get("additionalProperties")]
    return any(isinstance(each, dict) and _has_times(each) for each in inner)


def _ask(rules: Rules, seen: _Seen, schema: JsonObject, found: Outcome) -> None:
    value = seen.value
    if value is None:
        return
    for rule in objects(schema, _RULES):
        _ask_rule(rules, rule, seen, schema, found)
    for part in objects(schema, "allOf"):
        if _has_rules(part):
            _ask(rules, _Seen(value, seen.old, seen.at, kept=False), part, found)
    if isinstance(value, dict):
        properties, others = member(schema, "properties"), schema.get("additionalProperties")
        before = seen.old if isinstance(seen.old, dict) else {}
        told = text(schema, "x-kubernetes-map-type") != "atomic"
        for name, field in value.items():
            of, declared = properties.get(name, others), name in properties
            if isinstance(of, dict):
                place = (f"{seen.at}.{name}" if seen.at else name) if declared else f"{seen.at}[{name}]"
                old = before.get(name) if told else None
                _ask(rules, _Seen(field, old, place, seen.kept or _is_kept(field, old)), of, found)
    items = schema.get("items")
    if isinstance(value, list) and isinstance(items, dict):
        for index, item in enumerate(value):
            old = correlated(item, seen.old, schema)
            _ask(rules, _Seen(item, old, f"{seen.at}[{index}]", seen.kept or _is_kept(item, old)), items, found)


def _is_kept(value: Json, old: Json) -> bool:
    return old is not None and equal(value, old)


def _has_rules(schema: JsonObject) -> bool:
    """Whether anything in the schema is bound to rules in CEL."""
    if schema.get(_RULES):
        return True
    inner = [*member(schema, "properties").values(), schema.get("items"), schema.get("additionalProperties")]
    inner += objects(schema, "allOf")
    return any(isinstance(each, dict) and _has_rules(each) for each in inner)


def correlated(item: Json, old: Json, schema: JsonObject) -> Json:
    """The same item as it was, where items can be told."""
    if schema.get("x-kubernetes-list-type") != "map" or not isinstance(old, list) or not isinstance(item, dict):
        return None
    keys = texts(schema, "x-kubernetes-list-map-keys")
    wanted = [item.get(name) for name in keys]
    return next((each for each in old if isinstance(each, dict) and [each.get(name) for name in keys] == wanted), None)


# --- one rule ---------------------------------------------------------------------------------------------------------


def _ask_rule(rules: Rules, rule: JsonObject, seen: _Seen, schema: JsonObject, found: Outcome) -> None:
    written = text(rule, "rule")
    of_change = mentions(written, "oldSelf")
    optional = rule.get("optionalOldSelf") is True
    if not written.strip() or (of_change and seen.old is None and not optional):
        return
    known = {
        "self": _as_seen(seen.value, schema, root=seen.root),
        "oldSelf": _as_seen(seen.old, schema, root=seen.root),
    }
    as_asked = (_FIRST if seen.old is None else _CHANGE) if optional and of_change else "{}"
    result = _evaluated(rules.evaluated(written, rule, schema), as_asked, known)
    if result is True:
        return
    place = seen.at or "<nil>"
    if not isinstance(result, bool):
        found.faults.append((place, _failed(result, rule, schema)))
        return
    place = _place_of(rule, seen.at, schema)
    told = rules.evaluated(text(rule, "messageExpression"), rule, schema)
    error = _error(rule, seen.value, schema, _message(rule, told, as_asked, known))
    if seen.kept and not of_change:
        found.warnings.append(f"{place}: {error}")
    else:
        found.faults.append((place, error))


def _failed(result: object, rule: JsonObject, schema: JsonObject) -> str:
    why = result.reason.split("\n")[0] if isinstance(result, Failed) else "no such overload"
    named = text(rule, "message").strip() or text(rule, "rule").strip()
    if why.startswith(_NO_OVERLOAD):
        why = _NO_OVERLOAD
        words = (
            f"'{why}': call arguments did not match a supported operator, function or macro signature for rule: {named}"
        )
    elif why == BUDGET:
        words = (
            f"'{_TOO_COSTLY}': no further validation rules will be run due to call cost exceeds limit for rule: {named}"
        )
    else:
        words = f"{why} evaluating rule: {named}"
    return f"Invalid value: {quote(text(schema, 'type'))}: {words}"


def _place_of(rule: JsonObject, at: str, schema: JsonObject) -> str:
    way = text(rule, "fieldPath")
    if way:
        try:
            below = str(field_at(way, schema)[0])
        except NoFieldError:
            below = ""
        if below:
            return f"{at}.{below}" if at else below
    return at or "<nil>"


def _error(rule: JsonObject, value: Json, schema: JsonObject, message: str) -> str:
    reason = text(rule, "reason")
    if reason in _OF_REASONS:
        return f"{_OF_REASONS[reason]}: {message}"
    told = "" if text(schema, "type") in {"object", "array"} else shown(value)
    if reason == "FieldValueDuplicate":
        return f"Duplicate value: {told}" if told else "Duplicate value"
    return f"Invalid value: {told}: {message}" if told else f"Invalid value: {message}"


def _message(rule: JsonObject, told: str, as_asked: str, known: Mapping[str, Any]) -> str:
    """What is told of a broken rule; `told` is the expression for it, if it has one."""
    if told:
        found = _evaluated(told, as_asked if mentions(told, "oldSelf") else "{}", known)
        if isinstance(found, str):
            sentence = found.strip()
            if sentence and "\n" not in sentence and len(sentence.encode()) <= _LONGEST_MESSAGE:
                return sentence
    message = text(rule, "message")
    return message.strip() if message else f"failed rule: {text(rule, 'rule').strip()}"


def _evaluated(written: str, as_asked: str, known: Mapping[str, Any]) -> object:
    """What the expression yields; Failed where nothing. `as_asked` is what is evaluated, with a gap for the text."""
    compiled = _compiled(written, as_asked.replace("{}", written))
    return compiled.evaluate(known) if isinstance(compiled, Expression) else Failed(compiled.reason)


@lru_cache(1024)
def _compiled(written: str, evaluated: str) -> Expression | Uncompilable:
    return _RULE.compile(written, evaluated)


# --- values -----------------------------------------------------------------------------------------------------------


def _as_seen(value: Json, schema: Json, *, root: bool = False) -> Any:  # noqa: ANN401 - bytes are no JSON
    """A value as rules see it: numbers are not integers, names are those that CEL can write."""
    of: JsonObject = schema if isinstance(schema, dict) else {}
    if isinstance(value, str):
        return _of_format(value, text(of, "format"))
    if type(value) is int and of.get("type") == "number":
        return float(value)
    if isinstance(value, list):
        return [_as_seen(item, of.get("items")) for item in value]
    if not isinstance(value, dict):
        return value
    properties, others = member(of, "properties"), of.get("additionalProperties")
    made = {
        escaped(name) if name in properties else name: _as_seen(field, properties.get(name, others))
        for name, field in value.items()
        if field is not None or member(properties, name).get("nullable") is True
    }
    if root or of.get("x-kubernetes-embedded-resource") is True:
        metadata = member(value, "metadata")
        made["metadata"] = {name: metadata[name] for name in ("name", "generateName") if name in metadata}
    return made


def _of_format(value: str, form: str) -> Any:  # noqa: ANN401 - as above
    """A text of a format: times in the form in which CEL reads them, see `cel.wrapping`."""
    try:
        if form in {"date-time", "date"}:
            found = dt.datetime.fromisoformat(value)
            return (found if found.tzinfo is not None else found.replace(tzinfo=dt.UTC)).isoformat()
        if form == "duration":
            return f"{seconds_of(value):.9f}s"
        return bytes_of(value) if form == "byte" else value
    except ValueError:
        return value
