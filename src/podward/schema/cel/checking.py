"""The types in an expression: each node's, and what does not go together, in cel-go's words.

Specification: cel-go checker/checker.go and errors.go, with what Kubernetes asks besides: items of a list written out
are of one type, and literals that are given to `matches`, `duration` and `timestamp` are sound.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import ClassVar

from podward.schema.cel.complaints import located
from podward.schema.cel.declarations import Overload, functions
from podward.schema.cel.syntax import Node, Tree
from podward.schema.cel.types import (
    BOOL,
    DYN,
    ERROR,
    INT,
    Substitutions,
    Type,
    list_of,
    map_of,
    optional_of,
    parse,
    unwrapped,
)
from podward.schema.godecode.times import GoTimeError, written

_TYPE_NAMES = {
    name: parse(f"type({kind})")
    for name, kind in (
        *((each, each) for each in ("bool", "int", "uint", "double", "string", "bytes", "type", "net.IP", "net.CIDR")),
        ("list", "list(dyn)"),
        ("map", "map(dyn, dyn)"),
        ("null_type", "null"),
        ("google.protobuf.Timestamp", "timestamp"),
        ("google.protobuf.Duration", "duration"),
        ("optional_type", "optional_type(dyn)"),
        *((f"kubernetes.{each}", f"kubernetes.{each}") for each in ("Quantity", "URL", "Semver")),
    )
}
_DURATION = re.compile(r"[+-]?((\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h))+|[+-]?0")


class Checked:
    """A tree with its types: `types` and the `overloads` of calls by the numbers of their nodes, and what is wrong."""

    def __init__(self, tree: Tree, variables: Mapping[str, Type], fields: Mapping[str, Mapping[str, Type]]) -> None:
        self.tree = tree
        self.types: dict[int, Type] = {}
        self.overloads: dict[int, tuple[str, ...]] = {}
        self.called: dict[int, str] = {}
        """The names of functions, whole."""
        self.names: set[str] = set()
        """The variables that the expression speaks of."""
        self._variables, self._fields = variables, fields
        self._scopes: list[dict[str, Type]] = []
        self._known = Substitutions()
        self._errors: list[tuple[int, str]] = []
        self._check(tree.root)
        self.types = {number: self._known.resolved(of, whole=True) for number, of in self.types.items()}
        if not self._errors:
            self._look_at_literals(tree.root)

    @property
    def errors(self) -> str:
        """What is wrong, as cel-go prints it; empty where nothing is."""
        told = [located(self.tree.text, at, what) for at, what in sorted(self._errors, key=lambda each: each[0])]
        return "\n".join(dict.fromkeys(told))

    @property
    def yields(self) -> Type:
        """The type of the whole."""
        return self.types[self.tree.root.id]

    def _wrong(self, node: Node, what: str) -> None:
        self._errors.append((self.tree.places.get(node.id, 0), what))

    def _of(self, node: Node) -> Type:
        return self.types[node.id]

    def _check(self, node: Node) -> None:
        self.types[node.id] = self._checks[node.kind](self, node)

    def _literal(self, node: Node) -> Type:
        return Type(node.name)

    def _lookup(self, name: str) -> Type | None:
        for scope in reversed(self._scopes):
            if name in scope:
                return scope[name]
        if name in self._variables:
            self.names.add(name)
            return self._variables[name]
        return _TYPE_NAMES.get(name)

    def _undeclared(self, node: Node, name: str) -> Type:
        self._wrong(node, f"undeclared reference to '{name}' (in container '')")
        return ERROR

    def _ident(self, node: Node) -> Type:
        found = self._lookup(node.name)
        return found if found is not None else self._undeclared(node, node.name)

    def _select(self, node: Node) -> Type:
        name = "" if node.test else _qualified(node)
        found = self._lookup(name) if name else None
        if found is not None:
            return found
        of = self._field(node, node.target or Node(0), node.name)
        return BOOL if node.test else self._known.resolved(of)

    def _field(self, node: Node, holder: Node, name: str) -> Type:
        self._check(holder)
        of, optional = unwrapped(self._known.resolved(self._of(holder)))
        found = DYN
        if of.kind == "map":
            found = of.params[1]
        elif of.kind == "struct":
            found = self._fields.get(of.name, {}).get(name, ERROR)
            if found is ERROR:
                self._wrong(node, f"undefined field '{name}'")
        elif of.kind == "param":
            self._known.assignable((DYN,), (of,))
        elif of.kind not in {"dyn", "!error!"}:
            self._wrong(node, f"type '{of}' does not support field selection")
        return optional_of(found) if optional else found

    # --- calls --------------------------------------------------------------------------------------------------------

    def _call(self, node: Node) -> Type:
        if node.name == "_?._":
            return self._optional_select(node)
        for arg in node.args:
            self._check(arg)
        target, name = node.target, node.name
        if target is not None:
            whole = f"{_qualified(target)}.{name}"
            if whole in functions():
                target, name = None, whole
            else:
                self._check(target)
        if name not in functions():
            return self._undeclared(node, name)
        return self._resolved(node, name, target)

    def _optional_select(self, node: Node) -> Type:
        holder, field = node.args
        found = self._field(node, holder, str(field.value))
        self.types[field.id] = Type("string")
        self.overloads[node.id] = ("select_optional_field",)
        found = found if unwrapped(found)[1] else optional_of(found)
        return self._known.resolved(found)

    def _resolved(self, node: Node, name: str, target: Node | None) -> Type:
        if name in {"_&&_", "_||_"}:
            return self._logical(node, name)
        given = [self._of(each) for each in ((target,) if target is not None else ()) + node.args]
        found: Type | None = None
        chosen: list[str] = []
        for overload in functions()[name]:
            yields = self._fitting(overload, given) if overload.method == (target is not None) else None
            if yields is None:
                continue
            chosen.append(overload.id)
            if found is None:
                found = yields
            elif found not in (DYN, yields):
                found = DYN
        if found is None:
            shown = [str(self._known.resolved(each, whole=True)) for each in given]
            before = f"{shown.pop(0)}." if target is not None else ""
            signature = f"{before}({', '.join(shown)})"
            self._wrong(node, f"found no matching overload for '{name}' applied to '{signature}'")
            return ERROR
        self.overloads[node.id], self.called[node.id] = tuple(chosen), name
        return found

    def _fitting(self, overload: Overload, given: list[Type]) -> Type | None:
        *takes, yields = self._known.instantiated((*overload.takes, overload.yields))
        return self._known.resolved(yields) if self._known.assignable(given, takes) else None

    def _logical(self, node: Node, name: str) -> Type:
        wrong = [arg for arg in node.args if not self._known.assignable((self._of(arg),), (BOOL,))]
        for arg in wrong:
            self._wrong(arg, f"expected type 'bool' but found '{self._known.resolved(self._of(arg), whole=True)}'")
        self.overloads[node.id] = ("logical_and" if name == "_&&_" else "logical_or",)
        return ERROR if wrong else BOOL

    # --- lists, maps, comprehensions ----------------------------------------------------------------------------------

    def _joined(self, node: Node, before: Type | None, of: Type) -> Type:
        if before is None:
            return of
        found = self._known.joined(before, of)
        if found is None:
            self._mismatch(node, before, of)
            return ERROR
        return found

    def _mismatch(self, node: Node, wanted: Type, found: Type) -> None:
        wanted, found = (self._known.resolved(each) for each in (wanted, found))
        self._wrong(node, f"expected type '{wanted}' but found '{found}'")

    def _item(self, node: Node, *, optional: bool) -> Type:
        of = self._of(node)
        if not optional:
            return of
        inside, is_optional = unwrapped(of)
        if not is_optional and inside != DYN:
            self._mismatch(node, optional_of(inside), inside)
        return inside

    def _list(self, node: Node) -> Type:
        found: Type | None = None
        for index, each in enumerate(node.args):
            self._check(each)
            found = self._joined(each, found, self._item(each, optional=index in node.optional))
        return list_of(found or self._known.fresh())

    def _map(self, node: Node) -> Type:
        found: list[Type | None] = [None, None]
        for index, each in enumerate(node.args):
            self._check(each)
            of = self._item(each, optional=index in node.optional)
            found[index % 2] = self._joined(each, found[index % 2], of)
        return map_of(found[0] or self._known.fresh(), found[1] or self._known.fresh())

    def _structure(self, node: Node) -> Type:
        return self._undeclared(node, node.name)

    def _fold(self, node: Node) -> Type:
        over, begin, condition, step, result = node.args
        self._check(over)
        self._check(begin)
        gathered = self._of(begin)
        self._scopes.append({node.accumulator: gathered})
        self._scopes.append(self._of_items(node, over))
        self._check(condition)
        self._wants(condition, BOOL)
        self._check(step)
        self._wants(step, gathered)
        self._scopes.pop()
        self._check(result)
        self._scopes.pop()
        return self._known.resolved(self._of(result))

    def _of_items(self, node: Node, over: Node) -> dict[str, Type]:
        """The variables of a comprehension."""
        of = self._known.resolved(self._of(over))
        first = second = DYN
        if of.kind == "list":
            first, second = (INT, of.params[0]) if node.second else (of.params[0], DYN)
        elif of.kind == "map":
            first, second = of.params
        elif of.kind in {"dyn", "!error!", "param"}:
            self._known.assignable((DYN,), (of,))
        else:
            what = f"expression of type '{of}' cannot be range of a comprehension (must be list, map, or dynamic)"
            self._wrong(over, what)
            first = second = ERROR
        return {node.name: first, node.second: second} if node.second else {node.name: first}

    def _wants(self, node: Node, wanted: Type) -> None:
        if not self._known.assignable((wanted,), (self._of(node),)):
            self._mismatch(node, wanted, self._of(node))

    # --- literals -----------------------------------------------------------------------------------------------------

    def _look_at_literals(self, node: Node) -> None:
        if node.kind == "call" and node.name in _LITERALS and node.args and node.args[-1].kind == "literal":
            value = node.args[-1].value
            if isinstance(value, str) and not _LITERALS[node.name](value):
                self._wrong(node.args[-1], f"invalid {node.name} argument")
        for each in (node.target, *node.args):
            if each is not None:
                self._look_at_literals(each)

    _checks: ClassVar[dict[str, Callable[[Checked, Node], Type]]] = {
        "literal": _literal,
        "ident": _ident,
        "select": _select,
        "call": _call,
        "list": _list,
        "map": _map,
        "struct": _structure,
        "fold": _fold,
    }


def _qualified(node: Node) -> str:
    """The name with dots that a chain of selections is; empty of another expression."""
    if node.kind == "ident":
        return node.name
    if node.kind != "select" or node.test or node.target is None:
        return ""
    before = _qualified(node.target)
    return f"{before}.{node.name}" if before else ""


def _is_pattern(text: str) -> bool:
    from podward.schema.cel.patterns import fault_of  # its environment is made when there is a pattern

    return not fault_of(text)


def _is_time(text: str) -> bool:
    try:
        written(text)
    except GoTimeError:
        return False
    return True


_LITERALS: dict[str, Callable[[str], bool]] = {
    "matches": _is_pattern,
    "duration": lambda text: _DURATION.fullmatch(text) is not None,
    "timestamp": _is_time,
}
