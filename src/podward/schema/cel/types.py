"""Types of expressions, and whether a value of one type may stand where another one is wanted.

Specification: cel-go checker/types.go and format.go: a variable of a type, such as `A` in `list(A)`, stands for what it
met first, or for something more general; nothing is known of `dyn`, which goes with everything. Null may stand for
objects, times and values of libraries' own types.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from msgspec import Struct


class Type(Struct, frozen=True):
    """A type: its kind, which is the name of a simple one, its name where several are of the kind, its parameters."""

    kind: str
    params: tuple[Type, ...] = ()
    name: str = ""

    def __str__(self) -> str:
        shown = self.name or self.kind
        return f"{shown}({', '.join(map(str, self.params))})" if self.params else shown


DYN, ERROR, BOOL, STRING, NULL = (Type(kind) for kind in ("dyn", "!error!", "bool", "string", "null"))
INT, DOUBLE, BYTES, TIMESTAMP, DURATION = (Type(kind) for kind in ("int", "double", "bytes", "timestamp", "duration"))
_SIMPLE = frozenset(("dyn", "bool", "string", "null", "int", "uint", "double", "bytes", "timestamp", "duration"))
_NULLABLE = frozenset(("opaque", "struct", "timestamp", "duration"))
_WITH_PARAMS = frozenset(("opaque", "list", "map"))


def list_of(item: Type) -> Type:
    """Lists of these items."""
    return Type("list", (item,))


def map_of(key: Type, value: Type) -> Type:
    """Maps of these."""
    return Type("map", (key, value))


def optional_of(value: Type) -> Type:
    """Optional values of this type."""
    return Type("opaque", (value,), "optional_type")


def unwrapped(of: Type) -> tuple[Type, bool]:
    """What an optional type may hold, and whether it is one."""
    found = of.name == "optional_type" and of.kind == "opaque"
    return (of.params[0], True) if found else (of, False)


_TOKEN = re.compile(r"\s*([\w.]+|[(),])")


@lru_cache(512)
def parse(text: str) -> Type:
    """The type that is written so, as `map(K, list(V))`: capitals are variables."""
    found, rest = _parse(_TOKEN.findall(text))
    if rest:
        raise ValueError(text)
    return found


def _parse(tokens: list[str]) -> tuple[Type, list[str]]:
    name, rest = tokens[0], tokens[1:]
    params: list[Type] = []
    if rest and rest[0] == "(":
        while rest[0] != ")":
            param, rest = _parse(rest[1:])
            params.append(param)
        rest = rest[1:]
    if name in {"list", "map", "type"}:
        return Type(name, tuple(params)), rest
    if name in _SIMPLE:
        return Type(name), rest
    if name.isupper() and len(name) == 1:
        return Type("param", (), name), rest
    return Type("opaque", tuple(params), name), rest


class Substitutions:
    """What variables of types stand for."""

    def __init__(self) -> None:
        self._known: dict[Type, Type] = {}
        self._count = 0

    def fresh(self) -> Type:
        """A variable that stands for nothing yet."""
        self._count += 1
        return Type("param", (), f"_var{self._count - 1}")

    def instantiated(self, types: tuple[Type, ...]) -> tuple[Type, ...]:
        """These types with fresh variables in the place of theirs."""
        made: dict[Type, Type] = {}

        def renewed(of: Type) -> Type:
            if of.kind == "param":
                if of not in made:
                    made[of] = self.fresh()
                return made[of]
            return Type(of.kind, tuple(map(renewed, of.params)), of.name) if of.params else of

        return tuple(map(renewed, types))

    def resolved(self, of: Type, *, whole: bool = False) -> Type:
        """The type with what its variables stand for; `whole`: those that stand for nothing are `dyn`."""
        while of in self._known:
            of = self._known[of]
        if of.kind == "param":
            return DYN if whole else of
        if not of.params:
            return of
        return Type(of.kind, tuple(self.resolved(each, whole=whole) for each in of.params), of.name)

    def assignable(self, given: Iterable[Type], wanted: Iterable[Type]) -> bool:
        """Whether these fit; if so, variables stand for what it takes."""
        before = dict(self._known)
        given, wanted = tuple(given), tuple(wanted)
        fits = len(given) == len(wanted) and all(map(self._fits, given, wanted))
        if not fits:
            self._known = before
        return fits

    def _fits(self, one: Type, other: Type) -> bool:
        if other.kind == "param":
            fits, known = self._stands_for(one, other)
            if fits or known:
                return fits
        if one.kind == "param":
            return self._stands_for(other, one)[0]
        kinds = {one.kind, other.kind}
        if kinds & {"dyn", "!error!"}:
            return True
        if "null" in kinds:
            return one.kind == other.kind or bool(kinds & _NULLABLE)
        if one.kind in _WITH_PARAMS:
            same = (one.kind, one.name, len(one.params)) == (other.kind, other.name, len(other.params))
            return same and all(map(self._fits, one.params, other.params))
        return one.kind == other.kind if one.kind == "type" else one == other

    def _stands_for(self, of: Type, variable: Type) -> tuple[bool, bool]:
        """Whether a variable can stand for this type, and whether it stood for something before."""
        if of == variable:
            return True, True
        known = self._known.get(variable)
        if known is not None:
            if of == known:
                return True, True
            if not self._fits(of, known):
                return False, True
            general = of if _is_as_general(of, known) else known
            if not self._occurs(variable, general):
                self._known[variable] = general
            return True, True
        if self._occurs(variable, of):
            return False, False
        self._known[variable] = of
        return True, False

    def _occurs(self, variable: Type, within: Type) -> bool:
        if within == variable:
            return True
        if within in self._known:
            return self._occurs(variable, self._known[within])
        return any(self._occurs(variable, each) for each in within.params)

    def joined(self, one: Type, other: Type) -> Type | None:
        """The more general of two types that go together; None of others."""
        if not self.assignable((one,), (other,)):
            return None
        return one if _is_as_general(one, other) else other


def _is_as_general(one: Type, other: Type) -> bool:
    if one.kind in {"dyn", "param"}:
        return True
    if other.kind in {"dyn", "param"} or one.kind != other.kind:
        return False
    if one.kind in _WITH_PARAMS:
        same = one.name == other.name and len(one.params) == len(other.params)
        return same and all(map(_is_as_general, one.params, other.params))
    return one.kind == "type" or one == other
