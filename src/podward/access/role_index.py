"""The rules of one role, arranged so that a question looks only at the few that may cover it.

Which rules cover what, `podward.access.matching` says; this is a faster way to ask it about many rules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.access.matching import covers

if TYPE_CHECKING:
    from podward.access.aggregation import Rule
    from podward.api.authorization import Attributes


class RoleIndex:
    """The rules of one role, by the resource that they name; `rules` are all of them, in the role's order."""

    __slots__ = ("_resources", "_urls", "rules")

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        self.rules = rules
        self._resources: dict[str, list[Rule]] = {}
        self._urls: list[Rule] = []
        for rule in rules:
            for resource in rule.policy.resources or ():
                self._resources.setdefault(resource, []).append(rule)
            if rule.policy.non_resource_urls:
                self._urls.append(rule)

    def first(self, wanted: Attributes) -> Rule | None:
        """A rule that covers it, if there is one."""
        if wanted.path:
            return _covering(self._urls, wanted)
        named = wanted.resource
        for name in (named, "*") if not wanted.subresource else (f"{named}/{wanted.subresource}", "*"):
            found = self._resources.get(name)
            if found is not None and (rule := _covering(found, wanted)) is not None:
                return rule
        found = self._resources.get(f"*/{wanted.subresource}") if wanted.subresource else None
        return None if found is None else _covering(found, wanted)


def _covering(rules: list[Rule], wanted: Attributes) -> Rule | None:
    for rule in rules:
        if covers(rule.policy, wanted):
            return rule
    return None
