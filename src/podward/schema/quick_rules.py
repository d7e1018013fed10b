"""The table of rules compiled into a quick yes: that the fields of an object are of their types, and what they may be.

One walk does both, without places and without sentences: the functions of `fit`, which ask what the table says of each
field. Rules about several fields can't be asked before what is inside has been looked at: they are gathered, each with
its object, for who knows the Pod around. A yes is about the object as defaulting will leave it, though nothing is
filled in: a field that must be there may be missing where it has a default.

A yes is certain. Whatever is no yes may be valid all the same, and is looked at in full.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from podward.schema.filling import Default
from podward.schema.fit import Fit, Fits, Surely, Together
from podward.schema.scalars import INT32, is_int32
from podward.schema.table import TYPES
from podward.schema.validation.rules import (
    Always,
    Code,
    Each,
    Inside,
    Items,
    May,
    Needed,
    Note,
    One,
    Pointer,
    Rule,
    There,
    When,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from podward.api.json_value import Json
    from podward.schema.filling import Row
    from podward.schema.validation.values import ValueRule


class QuickRules(Fits):
    """For each type the function that says whether an object is surely what `rules` want, after these `defaults`.

    `around` has the fields of types that stand around a Pod's template and lead to it: nothing is asked of the others.
    """

    null_items = False

    def __init__(
        self,
        rules: Mapping[str, Sequence[Rule]],
        defaults: Mapping[str, Sequence[Row]],
        around: Mapping[str, frozenset[str]] | None = None,
    ) -> None:
        super().__init__()
        self._rules = rules
        self._defaults = defaults
        self._around = around or {}
        self._elsewhere = Fits()

    def text(self, of: str, name: str) -> Callable[[str], object] | Literal[True]:
        """Whether a text may stand in this field."""
        asked = [bool if rule is None else rule.is_sound for rule in self._about(of, name)]
        if len(asked) > 1:
            return lambda value: all(is_sound(value) for is_sound in asked)
        return asked[0] if asked else True

    def field(self, of: str, name: str) -> Fit:
        """The function of a field that is no text: its type's, with the rules about it."""
        if of in self._around and name not in self._around[of]:
            return self._elsewhere.field(of, name)
        fit = self[self._type(of, name)]
        for rule in self._about(of, name):
            fit = _not_empty(fit) if rule is None else _ruled(fit, rule)
        for row in self._rules.get(of, ()):
            if isinstance(row, Items) and row.name == name:
                fit = _each(fit, row.rule)
        return fit

    def needed(self, of: str) -> tuple[str, ...]:
        """The fields without which nothing is certain."""
        types, rules = TYPES[of.partition("/")[0]], self._rules.get(of, ())
        defaults = {row.name: row for row in self._defaults.get(of.partition("/")[0], ()) if isinstance(row, Default)}
        wanted = [
            rule.name
            for rule in rules
            if isinstance(rule, Needed | There)
            or (isinstance(rule, Inside) and rule.even_absent)
            or (isinstance(rule, Always) and not rule.rule.is_sound(rule.zero(types)))
        ]
        together = [name for rule in rules if isinstance(rule, Code) for name in rule.names]
        names = [name for name in wanted if name not in defaults]
        # A rule about several fields sees what is written. Where it begins with a field that defaulting sets, to more
        # than an empty object, it would see another object afterwards.
        names += [name for name in together if name in defaults and defaults[name].of({})]
        return tuple(dict.fromkeys(names))

    def together(self, of: str) -> tuple[tuple[str, Together, Surely], ...]:
        """The rules about several fields."""
        types = TYPES[of.partition("/")[0]]
        rows = [rule.row(types) for rule in self._rules.get(of, ()) if isinstance(rule, Note | One | When | Code)]
        return tuple([("" if row.even_absent else row.name, row.ask, row.surely) for row in rows])

    def _type(self, of: str, name: str) -> str:
        """The type of a field, with the rules that it has where it stands."""
        written = TYPES[of.partition("/")[0]][name]
        for rule in self._rules.get(of, ()):
            if isinstance(rule, Inside | Each) and rule.name == name and rule.of:
                return rule.of if isinstance(rule, Inside) else f"[{rule.of}"
        return written

    def _about(self, of: str, name: str) -> list[ValueRule | None]:
        """What is asked of the value of a field; None: that it is not empty."""
        return [
            rule.rule
            for rule in self._rules.get(of, ())
            if isinstance(rule, Needed | May | Pointer | Always) and rule.name == name
        ]


def _ruled(fit: Fit, rule: ValueRule) -> Fit:
    is_sound = rule.is_sound
    if fit is is_int32:
        return lambda value: type(value) is int and -INT32 <= value < INT32 and bool(is_sound(value))
    return lambda value: fit(value) and bool(is_sound(value))


def _not_empty(fit: Fit) -> Fit:
    return lambda value: bool(value) and fit(value)


def _each(fit: Fit, rule: ValueRule) -> Fit:
    is_sound = rule.is_sound

    def sound(value: Json) -> bool:
        return fit(value) and isinstance(value, list) and all(map(is_sound, value))

    return sound
