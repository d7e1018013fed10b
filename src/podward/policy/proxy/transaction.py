"""From one ruleset to the next: the commands of one `nft -f` transaction.

What stays is not touched, so that clients stay with their endpoints and counters go on. A chain that is no longer
needed is emptied, and removed by the next transaction: kernels before 6.2 hold one for a moment after the last element
that led to it has gone.
"""

from __future__ import annotations

from collections.abc import Iterable

from podward.policy.proxy.ruleset import BASES, MAPS, SETS, Ruleset

_AT_ONCE = 500
"""Elements in one command: a line of them stays within what people and nft read."""


def whole(table: str, new: Ruleset) -> str:
    """The commands that put the ruleset in the place of whatever the table has, if it is there."""
    lines = [f"add table ip {table}", f"delete table ip {table}", f"add table ip {table}"]
    lines += [f"add set ip {table} {name} {{ {kind} }}" for name, kind in SETS.items()]
    lines += [f"add map ip {table} {name} {{ {kind} }}" for name, kind in MAPS.items()]
    lines += [f"add chain ip {table} {name} {{ {hook} }}" for name, hook in BASES.items()]
    return "\n".join((*lines, *_changes(table, Ruleset(), new, frozenset()))) + "\n"


def difference(table: str, old: Ruleset, new: Ruleset, emptied: frozenset[str] = frozenset()) -> str:
    """The commands that lead from the ruleset that is there to the new one; empty where they are the same.

    `emptied` are the chains that earlier transactions have emptied.
    """
    lines = list(_changes(table, old, new, emptied))
    return "\n".join(lines) + "\n" if lines else ""


def emptied_by(old: Ruleset, new: Ruleset) -> frozenset[str]:
    """The chains that this step leaves empty."""
    return frozenset(old.chains.keys() - new.chains.keys())


def _changes(table: str, old: Ruleset, new: Ruleset, emptied: frozenset[str]) -> Iterable[str]:
    for name in sorted(new.affinities.keys() - old.affinities.keys()):
        kept = f"type ipv4_addr; flags dynamic,timeout; timeout {new.affinities[name]}s;"
        yield f"add set ip {table} {name} {{ {kept} }}"
    yield from _chains(table, old, new, emptied)
    for name in (*SETS, *MAPS):
        before, after = old.elements.get(name, {}), new.elements.get(name, {})
        yield from _elements(f"delete element ip {table} {name}", (k for k, v in before.items() if after.get(k) != v))
        yield from _elements(
            f"add element ip {table} {name}",
            (f"{k} : {v}" if v else k for k, v in after.items() if before.get(k) != v),
        )
    yield from (f"flush chain ip {table} {name}" for name in sorted(emptied_by(old, new)))
    yield from (f"delete set ip {table} {name}" for name in sorted(old.affinities.keys() - new.affinities.keys()))
    yield from (f"delete chain ip {table} {name}" for name in sorted(emptied - new.chains.keys()))


def _chains(table: str, old: Ruleset, new: Ruleset, emptied: frozenset[str]) -> Iterable[str]:
    """The chains that are new or others: all of them first, for rules lead from one to the other."""
    changed = [name for name, rules in new.chains.items() if old.chains.get(name) != rules]
    for name in changed:
        if name not in old.chains and name not in BASES:
            yield f"add chain ip {table} {name}"
    for name in changed:
        if name in old.chains or name in emptied:
            yield f"flush chain ip {table} {name}"
        yield from (f"add rule ip {table} {name} {rule}" for rule in new.chains[name])


def _elements(command: str, elements: Iterable[str]) -> Iterable[str]:
    listed = list(elements)
    for start in range(0, len(listed), _AT_ONCE):
        yield f"{command} {{ {', '.join(listed[start : start + _AT_ONCE])} }}"
