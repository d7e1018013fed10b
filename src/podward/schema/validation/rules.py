"""The kinds of rules that `table` is made of.

A rule about one field says what its value may be; a rule about several fields is a function. Each kind says how it is
asked in full (`row`); `schema.known_valid` reads the same rules for a quick yes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from podward.decision import Decision, merge
from podward.schema.validation.field import NOTHING, Place, forbidden, refused, required
from podward.schema.validation.values import ValueRule
from podward.schema.validation.walk import CodeRule, Row, Scope, Written

if TYPE_CHECKING:
    from podward.api.json_value import JsonObject

# --- rules about one field --------------------------------------------------------------------------------------------


class Needed(Struct, frozen=True):
    """A field that must be there and not be empty."""

    name: str
    rule: ValueRule | None = None
    detail: str = ""

    def row(self, types: Mapping[str, str]) -> Row:
        """How it is asked, as for all rules: about an object whose fields have these types."""
        del types
        name, rule, detail = self.name, self.rule, self.detail

        def ask(owner: JsonObject, _scope: Scope, at: Place) -> Decision:
            value: Written = owner.get(name)
            if not value:
                return required(at / name, detail)
            return NOTHING if rule is None else refused(at / name, value, rule.reasons(value))

        return Row(name, ask, even_absent=True, is_sound=bool if rule is None else rule.is_sound)


class May(Struct, frozen=True):
    """A field that may be there; empty counts as absent."""

    name: str
    rule: ValueRule

    def row(self, types: Mapping[str, str]) -> Row:
        """How it is asked."""
        del types
        name, rule = self.name, self.rule

        def ask(owner: JsonObject, _scope: Scope, at: Place) -> Decision:
            value: Written = owner.get(name)
            return refused(at / name, value, rule.reasons(value)) if value else NOTHING

        return Row(name, ask, is_sound=rule.is_sound)


class Pointer(Struct, frozen=True):
    """A field that may be there, whose type is a pointer in Go: empty is a value."""

    name: str
    rule: ValueRule

    def row(self, types: Mapping[str, str]) -> Row:
        """How it is asked."""
        del types
        name, rule = self.name, self.rule

        def ask(owner: JsonObject, _scope: Scope, at: Place) -> Decision:
            value: Written = owner.get(name)
            return NOTHING if rule.is_sound(value) else refused(at / name, value, rule.reasons(value))

        return Row(name, ask, is_sound=rule.is_sound)


class Always(Struct, frozen=True):
    """A field that is asked about even where it is absent: then it is empty, or 0, or what `absent` says."""

    name: str
    rule: ValueRule
    absent: str | int | None = None

    def zero(self, types: Mapping[str, str]) -> str | int:
        """What an absent field is taken for."""
        if self.absent is not None:
            return self.absent
        return "" if types[self.name] == "s" else 0

    def row(self, types: Mapping[str, str]) -> Row:
        """How it is asked."""
        name, rule, zero = self.name, self.rule, self.zero(types)

        def ask(owner: JsonObject, _scope: Scope, at: Place) -> Decision:
            value: Written = owner.get(name)
            asked = zero if value is None else value
            return NOTHING if rule.is_sound(asked) else refused(at / name, asked, rule.reasons(asked))

        return Row(name, ask, even_absent=True, is_sound=rule.is_sound)


class Items(Struct, frozen=True):
    """A list of texts or numbers, each of which is asked about; null is empty, or 0."""

    name: str
    rule: ValueRule

    def row(self, types: Mapping[str, str]) -> Row:
        """How it is asked."""
        name, rule, is_sound = self.name, self.rule, self.rule.is_sound
        zero: str | int = "" if types.get(name, "[s") == "[s" else 0

        def ask(owner: JsonObject, _scope: Scope, at: Place) -> Decision:
            value: Written = owner.get(name)
            found: list[Decision] | None = None
            for index, item in enumerate(value):
                asked = zero if item is None else item
                if not is_sound(asked):
                    found = [*(found or ()), refused(at / name / index, asked, rule.reasons(asked))]
            return NOTHING if found is None else merge(*found)

        return Row(name, ask)


class Note(Struct, frozen=True):
    """A field that is noted where it is there, for a rule of the Pod that comes later."""

    name: str

    def row(self, types: Mapping[str, str]) -> Row:
        """How it is asked."""
        del types
        name = self.name

        def ask(_owner: JsonObject, scope: Scope, _at: Place) -> Decision:
            scope.noted.add(name)
            return NOTHING

        return Row(name, ask)


# --- rules about objects ----------------------------------------------------------------------------------------------


class There(Struct, frozen=True):
    """An object that must be there, be it empty."""

    name: str
    detail: str = ""

    def row(self, types: Mapping[str, str]) -> Row:
        """How it is asked."""
        del types
        name, detail = self.name, self.detail

        def ask(owner: JsonObject, _scope: Scope, at: Place) -> Decision:
            value: Written = owner.get(name)
            return required(at / name, detail) if value is None else NOTHING

        return Row(name, ask, even_absent=True)


class Inside(Struct, frozen=True):
    """An object, which has the rules of its type, or those that `of` names.

    `even_absent`: an absent one is taken for an empty one, as in Go where it is no pointer.
    """

    name: str
    of: str = ""
    even_absent: bool = False

    def row(self, types: Mapping[str, str]) -> Row:
        """How it is asked."""
        name, of = self.name, self.of or types[self.name]

        def ask(owner: JsonObject, scope: Scope, at: Place) -> Decision:
            value: Written = owner.get(name) or {}
            return scope.walks[of](value, scope, Place(at, name))

        return Row(name, ask, self.even_absent)


class Each(Struct, frozen=True):
    """A list of objects, each of which has the rules of its type, or those that `of` names."""

    name: str
    of: str = ""

    def row(self, types: Mapping[str, str]) -> Row:
        """How it is asked."""
        name, of = self.name, self.of or types[self.name][1:]

        def ask(owner: JsonObject, scope: Scope, at: Place) -> Decision:
            value: Written = owner[name]
            found: list[Decision] | None = None
            walk, place = scope.walks[of], Place(at, name)
            for index, item in enumerate(value):
                decision = walk(item or {}, scope, Place(place, index))
                if decision is not NOTHING:
                    found = [decision] if found is None else [*found, decision]
            return NOTHING if found is None else merge(*found)

        return Row(name, ask)


class One(Struct, frozen=True):
    """Exactly one of several objects; the first, in this order, has the rules of its type, the others are refused.

    `printed` are fields that the server calls otherwise where it refuses a second, `placed` where it looks into them.
    `after` are rules of their owner that are asked right after one of them, be it the first or a refused one.
    """

    names: tuple[str, ...]
    none: str
    more: str
    printed: Mapping[str, str] = {}
    placed: Mapping[str, str] = {}
    after: Mapping[str, CodeRule] = {}

    def row(self, types: Mapping[str, str]) -> Row:
        """How it is asked."""
        known, order = frozenset(self.names), self.names.index
        none, more, printed, placed, after = self.none, self.more, self.printed, self.placed, self.after

        def ask(owner: JsonObject, scope: Scope, at: Place) -> Decision:
            present = [name for name, value in owner.items() if value is not None and name in known]
            if not present:
                return required(at, none)
            if len(present) > 1:
                present.sort(key=order)
            first = present[0]
            written: Written = owner[first]
            found = scope.walks[types[first]](written, scope, Place(at, placed.get(first, first)))
            if len(present) == 1 and first not in after:
                return found
            every = [found]
            for name in present:
                if name is not first:
                    every.append(forbidden(at / printed.get(name, name), more))
                if name in after:
                    every.append(after[name](owner, scope, at))
            return merge(*every)

        def surely(owner: JsonObject) -> bool:
            present = known & owner.keys()
            if len(present) != 1:
                return False
            (name,) = present
            return owner[name] is not None and name not in after

        return Row("", ask, even_absent=True, surely=surely)


class When(Struct, frozen=True):
    """A rule about several fields that is asked where one of them has this value."""

    name: str
    value: str
    rule: CodeRule

    def row(self, types: Mapping[str, str]) -> Row:
        """How it is asked."""
        del types
        name, value, rule = self.name, self.value, self.rule

        def ask(owner: JsonObject, scope: Scope, at: Place) -> Decision:
            return rule(owner, scope, at) if owner.get(name) == value else NOTHING

        def surely(owner: JsonObject) -> bool:
            return owner.get(name) != value

        return Row(name, ask, is_sound=value.__ne__, surely=surely)


class Code(Struct, frozen=True):
    """A rule about several fields of an object; where `names` are given, asked only if one of these is there.

    `surely` says of most objects whose fields are each what they may be that the rule has nothing against them.
    """

    rule: CodeRule
    names: tuple[str, ...] = ()
    surely: Callable[[JsonObject], bool] | None = None

    def row(self, types: Mapping[str, str]) -> Row:
        """How it is asked."""
        del types
        rule, names = self.rule, self.names

        def ask_if_any(owner: JsonObject, scope: Scope, at: Place) -> Decision:
            for name in names:
                if owner.get(name) is not None:
                    return rule(owner, scope, at)
            return NOTHING

        if len(names) == 1:
            return Row(names[0], rule, surely=self.surely)
        return Row("", ask_if_any if names else rule, even_absent=True, surely=self.surely)


Rule: TypeAlias = Needed | May | Pointer | Always | Items | Note | There | Inside | Each | One | When | Code
