"""Whether the rules of a schema compile, and whether they may cost what they may cost.

Specification: Kubernetes, apiextensions-apiserver pkg/apis/apiextensions/validation: what
ValidateCustomResourceDefinitionOpenAPISchema asks of `x-kubernetes-validations`, and cel_validation.go. A rule is asked
as often as there can be values of its schema; where lists and maps have no bounds, as often as fits into a request.
Rules where something is wrong with the schema, there or below, are not looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from podward.decision import Decision, merge
from podward.documents.raw_fields import member, objects
from podward.path import Key
from podward.schema.cel.amounts import MOST
from podward.schema.custom_objects.rule_types import Declared, declared, escaped
from podward.schema.validation.field import NOTHING, Place, forbidden, invalid, invalid_value
from podward.schema.validation.raw import text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from podward.api.json_value import Json, JsonObject
    from podward.path import Path
    from podward.schema.custom_objects.compiling import CompiledRule, Types

_RULES = "x-kubernetes-validations"
_COST_OF_RULE, _COST_OF_SCHEMA = 10_000_000, 100_000_000
_MOST_NAMED = 4
_HINT = (
    "try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are"
    " declared"
)
_CONTRIBUTED = "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema"
_NEAR, _FAR = 1.5, 100.0


class _Where(Struct, frozen=True):
    """A schema in the whole one.

    `count`: how many values of it there can be, None where nothing says. `type`: theirs, once it is made. `apart`: from
    where on values cannot be told from what they were before. `scoped`: there are rules here or above.
    """

    schema: JsonObject
    at: Place
    count: int | None
    type: Declared | None
    apart: Place | None
    scoped: bool
    whole: bool


def check(schema: JsonObject, at: Place, wrong: Decision, *, unchanged: bool) -> Decision:
    """What is wrong with all rules; `wrong` is what is wrong with the schema, `unchanged`: it was let in before."""
    asked = _Asked(tuple(each.path for each in wrong.violations), unchanged=unchanged)
    asked.look(_Where(schema, at, 1, None, None, False, True))
    return merge(*asked.found, asked.total(at))


def _inside(schema: JsonObject) -> Iterator[tuple[JsonObject, str, str]]:
    """The schemas of what is in a value: of further fields, of fields, of items."""
    more, items = schema.get("additionalProperties"), schema.get("items")
    if isinstance(more, dict):
        yield more, "additionalProperties", ""
    for name, inner in sorted(member(schema, "properties").items()):
        if isinstance(inner, dict):
            yield inner, "properties", name
    if isinstance(items, dict):
        yield items, "items", ""


class _Asked:
    def __init__(self, wrong: tuple[Path, ...], *, unchanged: bool) -> None:
        self.found: list[Decision] = []
        self._wrong, self._unchanged = wrong, unchanged
        self._spent = 0
        self._dear: list[tuple[int, Place]] = []
        self._with_rules: dict[int, bool] = {}

    def look(self, where: _Where) -> None:
        """See to a schema, after all that is in it."""
        rules = objects(where.schema, _RULES)
        if rules and not where.scoped:
            where = _scoped(where)
        for inner, how, name in _inside(where.schema):
            if self._has_rules(inner):
                self.look(_below(where, inner, how, name))
        if rules and not self._is_wrong(where.at.path):
            self._rules(where, rules)

    def _has_rules(self, schema: JsonObject) -> bool:
        """Whether there are rules here or below; remembered, as it is asked again on the way down."""
        found = self._with_rules.get(id(schema))
        if found is None:
            inner = [self._has_rules(each) for each, *_ in _inside(schema)]
            found = self._with_rules[id(schema)] = bool(schema.get(_RULES)) or any(inner)
        return found

    def _is_wrong(self, place: Path) -> bool:
        steps = place.segments
        return any(each.segments[: len(steps)] == steps for each in self._wrong)

    def _rules(self, where: _Where, rules: list[JsonObject]) -> None:
        from podward.schema.custom_objects.compiling import CompiledRule, Types  # the library is only for rules

        if where.type is None:
            return
        types = Types(where.type)
        for index, rule in enumerate(rules):
            place = where.at / _RULES / index
            made = types.compiled(rule) if text(rule, "rule").strip() else CompiledRule()
            self._costs(made, place, where, types)
            if made.fault:
                self.found.append(invalid_value(place / "rule", _shown(rule), made.fault))
            if made.message_fault:
                self.found.append(invalid_value(place / "messageExpression", _shown(rule), made.message_fault))
            elif made.has_message:
                self._cost(place / "messageExpression", "estimated messageExpression cost", made.message_cost)
            self.found.append(_of_changes(made, rule, place, where))

    def _costs(self, made: CompiledRule, place: Place, where: _Where, types: Types) -> None:
        count = types.most_values if where.count is None else where.count
        self._cost(place / "rule", "estimated rule cost", min(made.cost * count, MOST))

    def _cost(self, place: Place, what: str, cost: int) -> None:
        if cost > _COST_OF_RULE and not self._unchanged:
            self.found.append(forbidden(place, _exceeded(what, cost, _COST_OF_RULE)))
        self._spent = min(self._spent + cost, MOST)
        if cost >= _COST_OF_SCHEMA // 100:
            self._dear = sorted([*self._dear, (cost, place)], key=lambda each: -each[0])[:_MOST_NAMED]

    def total(self, at: Place) -> Decision:
        """Whether all rules together cost too much."""
        if self._spent <= _COST_OF_SCHEMA:
            return NOTHING
        what = "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema"
        named = [forbidden(place, _CONTRIBUTED) for _, place in self._dear]
        return merge(*named, forbidden(at, _exceeded(what, self._spent, _COST_OF_SCHEMA)))


def _scoped(where: _Where) -> _Where:
    """The first schema on the way down that has rules: from here on, types are made of what is above."""
    whole = where.whole or where.schema.get("x-kubernetes-embedded-resource") is True
    made = where.type or declared(where.schema, "selfType", whole=whole)
    return _Where(where.schema, where.at, where.count, made, where.apart, True, where.whole)


def _below(where: _Where, inner: JsonObject, how: str, name: str) -> _Where:
    at = where.at / how / Key(name) if how == "properties" else where.at / how
    above, schema, of = where.type, where.schema, None
    apart = where.apart
    if how == "properties" and text(schema, "x-kubernetes-map-type") == "atomic":
        apart = apart or where.at
    if how == "items" and text(schema, "x-kubernetes-list-type") != "map":
        apart = apart or where.at
    if above is not None:
        of = above.fields.get(escaped(name)) if how == "properties" else above.element
    if where.scoped and of is None:
        of = declared(inner, "selfType", whole=inner.get("x-kubernetes-embedded-resource") is True)
    factor = _factor(schema)
    count = None if where.count is None or factor is None else min(where.count * factor, MOST)
    return _Where(inner, at, count, of, apart, where.scoped, False)


def _factor(schema: JsonObject) -> int | None:
    """How many values there are in one of a schema; None where nothing says."""
    kind = text(schema, "type")
    if kind == "array":
        return _bound(schema, "maxItems")
    if kind == "object" and schema.get("additionalProperties") is not None:
        return _bound(schema, "maxProperties")
    return 1


def _bound(schema: JsonObject, name: str) -> int | None:
    found = schema.get(name)
    return max(found, 0) if type(found) is int else None


def _of_changes(made: CompiledRule, rule: JsonObject, place: Place, where: _Where) -> Decision:
    if made.fault:
        return _unused(rule, place)
    if not made.of_changes:
        return _unused(rule, place)
    if where.apart is None:
        return NOTHING
    detail = f"oldSelf cannot be used on the uncorrelatable portion of the schema within {where.apart.path}"
    return invalid(place / "rule", text(rule, "rule"), detail)


def _unused(rule: JsonObject, place: Place) -> Decision:
    optional = rule.get("optionalOldSelf")
    if optional is None:
        return NOTHING
    return invalid_value(place / "optionalOldSelf", optional, "may not be set if oldSelf is not used in rule")


def _exceeded(what: str, cost: int, limit: int) -> str:
    times = cost / limit
    exact = f"{times:.6f}x" if times < _NEAR else f"{times:.1f}x"
    factor = "more than 100x" if times > _FAR else exact
    return f"{what} exceeds budget by factor of {factor} ({_HINT})"


def _shown(rule: JsonObject) -> Json:
    return {
        "Rule": text(rule, "rule"),
        "Message": text(rule, "message"),
        "MessageExpression": text(rule, "messageExpression"),
        "Reason": rule.get("reason"),
        "FieldPath": text(rule, "fieldPath"),
        "OptionalOldSelf": rule.get("optionalOldSelf"),
    }
