"""Which written roles and bindings grant the use of SecurityContextConstraints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from podward.access.matching import covers
from podward.api.caller import User
from podward.policy.scc.access import use_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from podward.access.rbac import Rbac
    from podward.schema.objects import Item


class SccGrant(Struct, frozen=True):
    """A role or a binding by which the use of these SCCs is granted."""

    item: Item
    sccs: tuple[str, ...]


def scc_grants(rbac: Rbac, written: Iterable[Item], sccs: Collection[str]) -> Iterator[SccGrant]:
    """The `written` roles and bindings by which somebody may use one of the SCCs of these names, each once."""
    mine = {item.identity for item in written}
    questions = [use_of(name, User(), "") for name in sccs]
    told: set[tuple[str, str, str]] = set()
    for binding, rules in rbac.grants():
        for rule in rules:
            new = [
                each.item
                for each in (binding, rule.role)
                if each.item is not None and each.item.identity in mine and each.item.identity not in told
            ]
            used = tuple(wanted.name for wanted in questions if covers(rule.policy, wanted)) if new else ()
            if used:
                told.update(item.identity for item in new)
                yield from (SccGrant(item, used) for item in new)
