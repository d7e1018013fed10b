"""A resource by what people call it: `pods`, `po`, `pod`, `deployments.apps`, `deployments.v1.apps`, `pods/log`.

Specification: kubectl, as it looks names up: plural, singular, kind or short name, perhaps with the group behind a dot.
What no API server has of its own is taken as it is written.
"""

from __future__ import annotations

from msgspec import Struct

from podward.schema.resources import RESOURCES


class NamedResource(Struct, frozen=True):
    """What was meant. `known` is whether it is one of an API server's own; others are taken to be namespaced."""

    group: str
    version: str
    plural: str
    kind: str = ""
    namespaced: bool = True
    known: bool = True


def resource_of(text: str) -> NamedResource:
    """The resource of this name."""
    name, dot, group = text.partition(".")
    wanted = name.lower()
    for each in RESOURCES:
        names = {each.plural, each.singular, each.kind.lower(), *each.short_names}
        groups = {"", each.group, f"{each.version}.{each.group}"} if each.group else {"", each.version}
        if wanted in names and group in (groups if dot else {""}):
            return NamedResource(each.group, each.version, each.plural, each.kind, each.namespaced)
    if wanted == "*":
        return NamedResource(group if dot else "*", "", "*")
    return NamedResource(group, "", wanted, known=False)
