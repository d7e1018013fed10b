"""Events, as they are written in their group and, as they have always been, in none.

Specification: Kubernetes, pkg/apis/core/validation/events.go and the strategy in pkg/registry/core/event. Both are the
same objects, whose fields are told under the names of the old ones; the group asks for more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.decision import Decision, merge
from podward.documents.raw_fields import member
from podward.schema.strategies import names, object_meta
from podward.schema.strategies.equality import same
from podward.schema.strategies.kind import changes, in_order
from podward.schema.strategies.strategy import Strategy
from podward.schema.validation.field import NOTHING, ROOT, each, invalid, invalid_value, required
from podward.schema.validation.labels import key_faults
from podward.schema.validation.names import subdomain_faults
from podward.schema.validation.raw import number, text

if TYPE_CHECKING:
    from podward.api.json_value import Json, JsonObject

_LONGEST, _LONGEST_NOTE = 128, 1024
_ANYWHERE = frozenset(("default", "kube-system"))
_OLD_NAMES = {
    "regarding": "involvedObject", "note": "message", "deprecatedSource": "source",
    "deprecatedFirstTimestamp": "firstTimestamp", "deprecatedLastTimestamp": "lastTimestamp",
    "deprecatedCount": "count", "reportingController": "reportingComponent",
}  # fmt: skip
_FIXED = (
    "involvedObject", "reason", "message", "source", "firstTimestamp", "lastTimestamp", "count", "reason", "type",
    "eventTime", "action", "related", "reportingComponent", "reportingInstance",
)  # fmt: skip
_REFERENCE = ("Kind", "Namespace", "Name", "UID", "APIVersion", "ResourceVersion", "FieldPath")
_TEXTS = frozenset(("reason", "message", "type", "action", "reportingComponent", "reportingInstance"))


def _old(obj: JsonObject) -> JsonObject:
    """The event with the names of old."""
    return {_OLD_NAMES.get(name, name): value for name, value in obj.items()}


def _event(obj: JsonObject, controller: str) -> Decision:
    """What is asked of every event; `controller` is where its reporter is told."""
    namespace = text(member(obj, "metadata"), "namespace")
    about, found = text(member(obj, "involvedObject"), "namespace"), []
    if not _is_placed(obj, namespace, about):
        place = ROOT / "involvedObject" / "namespace"
        found.append(invalid(place, about, "does not match event.namespace"))
    if obj.get("eventTime") is not None:
        found.append(_reported(obj, controller))
    return merge(*found, each(ROOT / "namespace", namespace, subdomain_faults(namespace)))


def _is_placed(obj: JsonObject, namespace: str, about: str) -> bool:
    if obj.get("eventTime") is not None:
        return bool(about) or namespace in _ANYWHERE
    return namespace == about if about else namespace in {"", "default"}


def _reported(obj: JsonObject, controller: str) -> Decision:
    reporter, found = text(obj, "reportingComponent"), []
    if not reporter:
        found.append(required(ROOT / controller))
    found.append(each(ROOT / controller, reporter, key_faults(reporter)))
    for name in ("reportingInstance", "action", "reason"):
        value = text(obj, name)
        if not value:
            found.append(required(ROOT / name))
        if len(value.encode()) > _LONGEST:
            found.append(invalid(ROOT / name, "", f"can have at most {_LONGEST} characters"))
    if len(text(obj, "message").encode()) > _LONGEST_NOTE:
        found.append(invalid(ROOT / "message", "", f"can have at most {_LONGEST_NOTE} characters"))
    return merge(*found)


def _series(obj: JsonObject) -> Decision:
    series, found = obj.get("series"), []
    if not isinstance(series, dict):
        return NOTHING
    if number(series, "count") < 2:
        found.append(invalid(ROOT / "series.count", "", "should be at least 2"))
    if series.get("lastObservedTime") is None:
        found.append(required(ROOT / "series.lastObservedTime"))
    return merge(*found)


def _strict(obj: JsonObject) -> Decision:
    found = [_series(obj)]
    if obj.get("eventTime") is None:
        found.append(required(ROOT / "eventTime"))
    kind = text(obj, "type")
    if kind not in {"Normal", "Warning"}:
        found.append(invalid(ROOT / "type", "", f"has invalid value: {kind}"))
    unset = [name for name in ("firstTimestamp", "lastTimestamp", "count") if obj.get(name)]
    source = member(obj, "source")
    if text(source, "component") or text(source, "host"):
        unset.append("source")
    return merge(*found, *[invalid(ROOT / name, "", "needs to be unset") for name in unset])


def _fixed(obj: JsonObject, old: JsonObject) -> Decision:
    found = [_series(obj)] if obj.get("series") != old.get("series") else []
    for name in _FIXED:
        now, before = obj.get(name), old.get(name)
        if same(now or None, before or None):
            continue
        printed = "reportingController" if name == "reportingComponent" else name
        found.append(invalid_value(ROOT / printed, _shown(name, now), "field is immutable"))
    return merge(*found)


def _shown(name: str, value: Json) -> Json:
    if name in _TEXTS:
        return value or ""
    if name == "count":
        return value or 0
    written = value if isinstance(value, dict) else {}
    if name == "source":
        return {"Component": text(written, "component"), "Host": text(written, "host")}
    if name == "involvedObject" or (name == "related" and value is not None):
        return {field: text(written, _json(field)) for field in _REFERENCE}
    return value


def _json(field: str) -> str:
    return {"UID": "uid", "APIVersion": "apiVersion"}.get(field, field[0].lower() + field[1:])


_META = object_meta.new(names.SUBDOMAIN, namespaced=True)
EVENT = Strategy(
    validate=lambda obj: _event(obj, "reportingComponent"),
    validate_update=lambda obj, _old: _event(obj, "reportingComponent"),
    allow_create_on_update=True,
    propagation="",
)


def _of_group(obj: JsonObject) -> Decision:
    return _event(obj, "reportingController")


_NEW = in_order(_of_group, _META, _strict)
_CHANGED = changes(lambda obj, _before: _of_group(obj), object_meta.changed, _fixed)
EVENT_OF_GROUP = Strategy(
    validate=lambda obj: _NEW(_old(obj)),
    validate_update=lambda obj, before: _CHANGED(_old(obj), _old(before)),
    allow_create_on_update=True,
    propagation="",
)
