"""What an expression may cost at worst, in CEL's units, before anything is known but its types and their sizes.

Specification: cel-go checker/cost.go, where asking for a field's presence costs nothing, as Kubernetes has it. What
functions cost is in `function_costs`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from msgspec import Struct

from podward.schema.cel.amounts import MOST, ONE, UNKNOWN, Amount, fixed
from podward.schema.cel.checking import Checked
from podward.schema.cel.function_costs import Argument, cost_of_call
from podward.schema.cel.syntax import Node
from podward.schema.cel.types import DYN, Type

SizeOf = Callable[[tuple[str, ...]], Amount | None]
"""The size of what is found on a way from a variable on; None where nobody knows."""
_LIST, _MAP, _STRUCT = 10, 30, 40
_SIZED_ONE = frozenset(("bool", "double", "duration", "int", "timestamp", "uint"))
_RESULTS = frozenset(("__result__", "@result"))


class Entry(Struct, frozen=True):
    """The sizes of the keys and values in a list or map."""

    kind: str
    key: Amount
    value: Amount

    def __or__(self, other: Entry) -> Entry:
        """Either of them."""
        return Entry(self.kind, self.key | other.key, self.value | other.value)


class _Local(Struct, frozen=True):
    """A variable of a comprehension."""

    way: tuple[str, ...]
    size: Amount | None
    entry: Entry | None


def cost_of(checked: Checked, size_of: SizeOf) -> Amount:
    """The cost of a sound expression."""
    return _Costs(checked, size_of).of(checked.tree.root)


class _Costs:
    def __init__(self, checked: Checked, size_of: SizeOf) -> None:
        self._checked, self._size_of = checked, size_of
        self._ways: dict[int, tuple[str, ...]] = {}
        self._locals: dict[str, list[_Local]] = {}
        self._sizes: dict[int, Amount] = {}
        self._entries: dict[int, Entry] = {}

    def of(self, node: Node | None) -> Amount:
        """The cost of a node with all that is in it."""
        if node is None or node.kind == "literal":
            return Amount()
        return self._costs[node.kind](self, node)

    def _type(self, node: Node) -> Type:
        return self._checked.types.get(node.id, DYN)

    # --- where things are, and how large ------------------------------------------------------------------------------

    def _local(self, name: str) -> _Local | None:
        found = self._locals.get(name)
        return found[-1] if found else None

    def _way(self, node: Node) -> tuple[str, ...]:
        local = self._local(node.name) if node.kind == "ident" else None
        return local.way if local is not None else self._ways.get(node.id, ())

    def _size(self, node: Node) -> Amount | None:
        if node.id in self._sizes:
            return self._sizes[node.id]
        if node.kind == "literal":
            return fixed(len(node.value) if isinstance(node.value, str | bytes) else 1)
        if node.kind in {"list", "map"}:
            return fixed(len(node.args) // (2 if node.kind == "map" else 1))
        way = self._way(node)
        found = self._size_of(way) if way else None
        if found is not None:
            self._sizes[node.id] = found
            return found
        if self._is_scalar(self._type(node)):
            return ONE
        local = self._local(node.name) if node.kind == "ident" else None
        return local.size if local is not None else None

    def _is_scalar(self, of: Type) -> bool:
        if of.name == "optional_type":
            return self._is_scalar(of.params[0])
        return of.kind in _SIZED_ONE

    def _known(self, node: Node) -> Amount:
        found = self._size(node)
        return UNKNOWN if found is None else found

    def _entry(self, node: Node) -> Entry | None:
        if node.id in self._entries:
            return self._entries[node.id]
        local = self._local(node.name) if node.kind == "ident" else None
        return local.entry if local is not None else None

    def _argument(self, node: Node) -> Argument:
        way = self._way(node)
        if way and way[0] in _RESULTS:
            way = ()
        return Argument(node, self._type(node), self._size(node), way, self._size_of)

    # --- nodes --------------------------------------------------------------------------------------------------------

    def _ident(self, node: Node) -> Amount:
        local = self._local(node.name)
        self._ways[node.id] = local.way if local is not None else (node.name,)
        return ONE

    def _select(self, node: Node) -> Amount:
        target = node.target or node
        found = self.of(target)
        if node.test:
            return found
        self._ways[node.id] = (*self._way(target), node.name)
        return found + ONE if self._type(target).kind in {"map", "struct", "param"} else found

    def _call(self, node: Node) -> Amount:
        if node.name == "dyn" and node.args:
            found = ONE + self.of(node.args[0])
            self._copy(node, node.args[0])
            return found
        spent = [self.of(each) for each in node.args]
        overloads = self._checked.overloads.get(node.id, ())
        if not overloads:
            return Amount()
        is_method = node.target is not None and not self._is_namespace(node.target)
        before = self.of(node.target) if is_method else Amount()
        target = self._argument(node.target) if is_method and node.target is not None else None
        args = [self._argument(each) for each in node.args]
        found, size = Amount(MOST, 0), None
        for overload in overloads:
            cost, result = self._overload(node, overload, target, args, spent)
            found |= cost
            if result is not None:
                size = result if size is None else size | result
            if overload in {"index_list", "index_map"}:
                entry = self._entry(node.args[0])
                size = entry.value if entry is not None else None
                self._ways[node.id] = (*self._way(node.args[0]), "@items" if overload == "index_list" else "@values")
            if size is None:
                size = self._size(node)
        if size is not None:
            self._sizes[node.id] = size
        return before + found

    def _is_namespace(self, node: Node) -> bool:
        """Whether it is the first part of a function's name, which has no type."""
        return node.id not in self._checked.types

    def _overload(
        self, node: Node, overload: str, target: Argument | None, args: list[Argument], spent: list[Amount]
    ) -> tuple[Amount, Amount | None]:
        if overload in {"logical_and", "logical_or"}:
            return Amount(spent[0].least, (spent[0] + spent[1]).most), None
        if overload == "conditional":
            self._join(node, *node.args[1:])
            size = self._known(node.args[1]) | self._known(node.args[2])
            return spent[0] + (spent[1] | spent[2]), size
        if overload in {"add_list", "add_string", "add_bytes"}:
            self._join(node, *node.args)
        cost, result = cost_of_call(self._checked.called.get(node.id, node.name), overload, target, args)
        for each in spent:
            cost += each
        return cost, result

    def _join(self, node: Node, one: Node, other: Node) -> None:
        first, second = self._entry(one), self._entry(other)
        if first is not None and second is not None:
            self._entries[node.id] = first | second

    def _copy(self, node: Node, of: Node) -> None:
        size, entry = self._size(of), self._entry(of)
        if size is not None:
            self._sizes[node.id] = size
        if entry is not None:
            self._entries[node.id] = entry

    def _list(self, node: Node) -> Amount:
        found, item = fixed(_LIST), Amount(MOST if node.args else 0, 0)
        for each in node.args:
            found += self.of(each)
            item |= self._known(each)
        self._entries[node.id] = Entry("list", ONE, item)
        return found

    def _map(self, node: Node) -> Amount:
        found, start = fixed(_MAP), Amount(MOST if node.args else 0, 0)
        sizes = [start, start]
        for index, each in enumerate(node.args):
            found += self.of(each)
            sizes[index % 2] |= self._known(each)
        self._entries[node.id] = Entry("map", sizes[0], sizes[1])
        return found

    def _structure(self, node: Node) -> Amount:
        found = fixed(_STRUCT)
        for each in node.args[1::2]:
            found += self.of(each)
        return found

    def _fold(self, node: Node) -> Amount:
        over, begin, condition, step, result = node.args
        found = self.of(over) + self.of(begin)
        self._push(node.accumulator, _Local(self._way(begin), self._size(begin), self._entry(begin)))
        if _is_bind(node):
            found += self.of(result)
            self._locals[node.accumulator].pop()
            self._copy(node, result)
            return found
        self._push(node.name, self._of_item(over))
        each = self.of(condition)
        each = self.of(step) + each
        self._locals[node.name].pop()
        found += self.of(result)
        self._locals[node.accumulator].pop()
        count = self._known(over)
        found += count * each
        if begin.kind == "literal":
            self._sizes[node.id] = self._known(begin)
        elif begin.kind in {"list", "map"}:
            self._sizes[node.id] = count
            entry = self._entry(step)
            if entry is not None:
                self._entries[node.id] = entry
        return found

    def _push(self, name: str, local: _Local) -> None:
        self._locals.setdefault(name, []).append(local)

    def _of_item(self, over: Node) -> _Local:
        entry = self._entry(over)
        of_list = (entry.kind if entry is not None else self._type(over).kind) == "list"
        size = None if entry is None else entry.value if of_list else entry.key
        return _Local((*self._way(over), "@items" if of_list else "@keys"), size, None)

    _costs: ClassVar[dict[str, Callable[[_Costs, Node], Amount]]] = {
        "ident": _ident,
        "select": _select,
        "call": _call,
        "list": _list,
        "map": _map,
        "struct": _structure,
        "fold": _fold,
    }


def _is_bind(node: Node) -> bool:
    over, _, condition = node.args[:3]
    never = condition.kind == "literal" and condition.value is False
    return over.kind == "list" and not over.args and never and node.accumulator not in _RESULTS
