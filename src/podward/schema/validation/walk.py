"""How the rules of a table are asked: one walk over an object, in the order of the table, which is the API server's.

Nearly every value is sound: before one is not, nothing is made, neither a place nor a list.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from msgspec import Struct

from podward.decision import Decision, merge
from podward.schema.table import TYPES
from podward.schema.validation.field import NOTHING, Place

if TYPE_CHECKING:
    from podward.api.json_value import JsonObject

CodeRule: TypeAlias = "Callable[[JsonObject, Scope, Place], Decision]"
"""What is wrong with an object at a place, as far as one rule goes."""
Written: TypeAlias = Any
"""A field's value, which is of the field's type."""


class Row(Struct, frozen=True):
    """How a rule is asked: about an object that has its field.

    `even_absent`: it is asked where the field is not there too. `is_sound` is the quick answer about a value that is
    neither empty nor 0; None where there is none but asking. `surely` is the same about an object whose fields are
    each what they may be: True where the rule has nothing against it.
    """

    name: str
    ask: CodeRule
    even_absent: bool = False
    is_sound: Callable[[Written], object] | None = None
    surely: Callable[[JsonObject], bool] | None = None


class Rule(Protocol):
    """A rule of a table."""

    def row(self, types: Mapping[str, str]) -> Row:
        """How the rule is asked about an object whose fields have these types."""


class Scope:
    """What rules see of the Pod around an object.

    `walks` lead from an object to those inside it. `raw` is the Pod and `name` what it is called. `volumes` are those
    that are valid, by name, as far as they have been looked at, and `mountable` those that containers may use; `volume`
    is the one that is being looked at. `claims` are the names of device claims. `noted` are fields that some object
    has. `allow_privileged` is the API server's switch of that name.
    """

    __slots__ = (
        "allow_privileged", "claims", "mountable", "name", "noted", "raw", "spec", "volume", "volumes", "walks",
    )  # fmt: skip

    def __init__(
        self, walks: Mapping[str, CodeRule], name: str, raw: JsonObject, *, allow_privileged: bool = True
    ) -> None:
        spec = raw.get("spec")
        self.walks = walks
        self.name = name
        self.raw = raw
        self.spec: JsonObject = spec if isinstance(spec, dict) else {}
        self.allow_privileged = allow_privileged
        self.volumes: dict[str, JsonObject] = {}
        self.mountable = self.volumes
        self.volume: JsonObject = {}
        self.claims: frozenset[str] = frozenset()
        self.noted: set[str] = set()

    def check(self, of: str, value: JsonObject, at: Place) -> Decision:
        """What is wrong with an object of this type."""
        return self.walks[of](value, self, at)


_UNKNOWN: Mapping[str, str] = {}


class Walks(dict[str, CodeRule]):
    """For each type the function that asks all its rules: made when the type is first met, as a Pod has few of all.

    Types without rules here have those of `others`. The rules of a type that is not in `schema.table` say themselves
    what the fields that they look into are.
    """

    def __init__(self, rules: Mapping[str, Sequence[Rule]], others: Mapping[str, CodeRule] | None = None) -> None:
        super().__init__()
        self._rules = rules
        self._others = others

    def __missing__(self, of: str) -> CodeRule:
        if self._others is not None and of not in self._rules:
            made = self._others[of]
        else:
            types = TYPES.get(of.partition("/")[0], _UNKNOWN)
            made = _walk([rule.row(types) for rule in self._rules.get(of, ())])
        self[of] = made
        return made


def _walk(rows: Sequence[Row]) -> CodeRule:
    every = tuple([(row.name, row.is_sound, row.even_absent, row.ask) for row in rows])

    def walk(raw: JsonObject, scope: Scope, at: Place) -> Decision:
        found: list[Decision] | None = None
        for name, is_sound, even_absent, ask in every:
            value = raw.get(name)
            if value is None:
                if not even_absent:
                    continue
            elif is_sound is not None and value and is_sound(value):
                continue
            decision = ask(raw, scope, at)
            if decision is not NOTHING:
                found = [decision] if found is None else [*found, decision]
        return NOTHING if found is None else merge(*found)

    return walk
