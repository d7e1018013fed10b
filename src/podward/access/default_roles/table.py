"""Roles written as a table: a line with the role's name, then a line for each of its rules.

    system:aggregate-to-edit > edit
      get list watch | core | pods/attach secrets | one-name
      get | /healthz /version
    edit > admin
      collects

A rule is verbs, groups, resources and perhaps names; or verbs and URLs. The group `core` is the one without a name.
`> edit` labels the role as a part of `edit`, and `collects` is the rule of one that is made of its parts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

    from podward.api.json_value import Json, JsonObject

_PART_OF = "rbac.authorization.k8s.io/aggregate-to-"
_URLS, _NAMED = 2, 4
Parsed: TypeAlias = "tuple[str, dict[str, Json], JsonObject]"
"""A role's name, its labels, and its fields beside the metadata."""


def roles_of(table: str) -> Iterator[Parsed]:
    """Each role of the table."""
    name, labels, rules = "", cast("dict[str, Json]", {}), cast("list[Json]", [])
    for line in table.splitlines():
        if line.startswith(" "):
            rules.append(line.strip())
            continue
        if name:
            yield name, labels, _fields(name, rules)
        name, _, part_of = line.partition(" > ")
        labels, rules = ({f"{_PART_OF}{part_of}": "true"} if part_of else {}), []
    if name:
        yield name, labels, _fields(name, rules)


def _fields(name: str, lines: list[Json]) -> JsonObject:
    if lines == ["collects"]:
        return {
            "rules": None,
            "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {f"{_PART_OF}{name}": "true"}}]},
        }
    return {"rules": [_rule(str(line)) for line in lines]}


def _rule(line: str) -> JsonObject:
    verbs, *columns = (_words(column) for column in line.split(" | "))
    if len(columns) + 1 == _URLS:
        return {"verbs": verbs, "nonResourceURLs": columns[0]}
    rule: JsonObject = {"verbs": verbs, "apiGroups": columns[0], "resources": columns[1]}
    if len(columns) + 1 == _NAMED:
        rule["resourceNames"] = columns[2]
    return rule


def _words(column: str) -> list[Json]:
    return ["" if word == "core" else word for word in column.split()]
