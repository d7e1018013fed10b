"""How a strategy is asked: what is done with every object that is made or changed, and in which order.

Specification: Kubernetes, apiserver/pkg/registry/rest BeforeCreate and BeforeUpdate. The server has filled in
namespace, uid, creation time and a generated name before.
"""

from __future__ import annotations

from podward.api.json_value import Json, JsonObject
from podward.decision import Decision
from podward.documents.raw_fields import member
from podward.schema.strategies import object_meta
from podward.schema.strategies.strategy import Strategy
from podward.schema.validation.field import NOTHING


def refused_new(strategy: Strategy, obj: JsonObject) -> Decision:
    """What is refused about a prepared object: by its kind, or else by what is common to all kinds."""
    own = strategy.validate(obj)
    return own if own is not NOTHING else object_meta.common_new(obj, namespaced=strategy.namespaced)


def prepared_change(strategy: Strategy, obj: JsonObject, old: JsonObject) -> JsonObject:
    """The object as it would be stored instead of `old`: what is not the client's to change is as it was."""
    before = member(old, "metadata")
    obj = with_metadata(obj, generation=before.get("generation"))
    obj = strategy.prepare_for_update(obj, old)
    of = member(obj, "metadata")
    kept: JsonObject = {}
    if not of.get("uid") and before.get("uid"):
        kept["uid"] = before["uid"]
    for name in ("creationTimestamp", "deletionTimestamp"):
        if before.get(name) is not None and of.get(name) != before[name]:
            kept[name] = before[name]
    grace = before.get("deletionGracePeriodSeconds")
    if grace is not None and of.get("deletionGracePeriodSeconds") is None:
        kept["deletionGracePeriodSeconds"] = grace
    return with_metadata(obj, **kept) if kept else obj


def refused_change(strategy: Strategy, obj: JsonObject, old: JsonObject) -> Decision:
    """What is refused about a prepared change."""
    common = object_meta.common_change(obj, old, namespaced=strategy.namespaced)
    return common + strategy.validate_update(obj, old)


def with_metadata(obj: JsonObject, **fields: Json) -> JsonObject:
    """The same object with these fields of its metadata; None takes one out."""
    of = member(obj, "metadata")
    if all(of.get(name) == value for name, value in fields.items()):
        return obj
    made = {**of, **fields}
    return {**obj, "metadata": {name: value for name, value in made.items() if value is not None}}
