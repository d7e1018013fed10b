"""Default roles and bindings are completed at every start: what is missing is added, what is more is left.

Specification: Kubernetes, k8s.io/component-helpers, auth/rbac/reconciliation, and pkg/registry/rbac/rest, which never
takes permissions away. An object whose annotation `rbac.authorization.kubernetes.io/autoupdate` is "false" is left as
it is. Labels and annotations that are there are kept. A binding to another role is made anew.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from msgspec import Struct

from podward.access.default_roles.objects import AUTO_UPDATE
from podward.access.objects import ROLE_KINDS, PolicyRule
from podward.access.reading import stored
from podward.access.rule_coverage import missing
from podward.documents.raw_fields import member

if TYPE_CHECKING:
    from podward.api.json_value import Json, JsonObject


class Writing(Enum):
    """How an object is to be written."""

    CREATE = "create"
    UPDATE = "update"
    RECREATE = "recreate"


class Write(Struct, frozen=True):
    """An object as it is to be stored: `RECREATE` is deleting what is there first."""

    how: Writing
    object: JsonObject


def write_for(wanted: JsonObject, there: JsonObject | None) -> Write | None:
    """What must be written so that all that is wanted is there; None where it is."""
    if there is None:
        return Write(Writing.CREATE, wanted)
    if member(member(there, "metadata"), "annotations").get(AUTO_UPDATE) == "false":
        return None
    return _role(wanted, there) if wanted["kind"] in ROLE_KINDS else _binding(wanted, there)


def _role(wanted: JsonObject, there: JsonObject) -> Write | None:
    changed = dict(there)
    lacking = missing(_rules(there), _rules(wanted))
    if lacking:
        changed["rules"] = [*_list(there.get("rules")), *map(_written, lacking)]
    collecting = wanted.get("aggregationRule")
    if collecting is None:
        changed.pop("aggregationRule", None)
    elif isinstance(collecting, dict):
        own = _selectors(there)
        more = [selector for selector in _selectors(wanted) if selector not in own]
        if more:
            changed["aggregationRule"] = {"clusterRoleSelectors": [*own, *more]}
    return _with_metadata(wanted, there, changed)


def _binding(wanted: JsonObject, there: JsonObject) -> Write | None:
    if wanted["roleRef"] != there.get("roleRef"):
        return Write(Writing.RECREATE, wanted)
    own = _list(there.get("subjects"))
    more = [subject for subject in _list(wanted.get("subjects")) if subject not in own]
    return _with_metadata(wanted, there, {**there, "subjects": [*own, *more]} if more else dict(there))


def _with_metadata(wanted: JsonObject, there: JsonObject, changed: JsonObject) -> Write | None:
    kept = dict(member(there, "metadata"))
    for field in ("labels", "annotations"):
        merged: dict[str, Json] = {**member(member(wanted, "metadata"), field), **member(kept, field)}
        if merged:
            kept[field] = merged
    changed["metadata"] = kept
    return None if changed == there else Write(Writing.UPDATE, changed)


def _rules(raw: JsonObject) -> tuple[PolicyRule, ...]:
    view = stored("ClusterRole", raw).view
    return getattr(view, "rules", None) or ()


def _selectors(raw: JsonObject) -> list[Json]:
    return _list(member(raw, "aggregationRule").get("clusterRoleSelectors"))


def _written(rule: PolicyRule) -> JsonObject:
    fields = {
        "verbs": rule.verbs,
        "apiGroups": rule.api_groups,
        "resources": rule.resources,
        "resourceNames": rule.resource_names,
        "nonResourceURLs": rule.non_resource_urls,
    }
    return {name: list(words) for name, words in fields.items() if words}


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []
