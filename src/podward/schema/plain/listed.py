"""Whether a `List`, such as `kubectl get -o yaml` prints, holds nothing but plain workloads and objects of other kinds.

Specification: `workload.pod_sources` gives exactly the Pods of these workloads, in this order.
"""

from __future__ import annotations

from podward.api.json_value import JsonObject
from podward.path import path
from podward.schema import api_kinds
from podward.schema.fit import fits
from podward.schema.parameters import is_template
from podward.schema.plain.known_valid import KnownValid, plain
from podward.schema.pod_kinds import TEMPLATES, holds_containers
from podward.schema.table import KINDS


def plain_items(raw: JsonObject) -> tuple[KnownValid, ...] | None:
    """The workloads of a List; None for everything else, and where one of its objects has to be looked at in full."""
    if raw.get("kind") != "List" or raw.get("apiVersion") != "v1" or not fits(raw, "List"):
        return None
    items = raw.get("items")
    found: list[KnownValid] = []
    for index, item in enumerate(items if isinstance(items, list) else ()):
        if not isinstance(item, dict):
            return None
        workload = plain(item, path("items", index))
        if workload is not None:
            found.append(workload)
        elif not _runs_nothing(item):
            return None
    return tuple(found)


def _runs_nothing(item: JsonObject) -> bool:
    """Whether it is a sound object that no Pod comes of."""
    kind, version = item.get("kind"), item.get("apiVersion")
    if not isinstance(kind, str) or not isinstance(version, str) or not kind or not version:
        return False
    group = version.rpartition("/")[0]
    if kind not in KINDS:
        known = api_kinds.has(group, kind) if api_kinds.knows(group) else not holds_containers(item)
        return known and "items" not in item and not is_template(kind, group)
    code = KINDS[kind].get(version)
    return code is not None and kind not in TEMPLATES and not kind.endswith("List") and fits(item, code)
