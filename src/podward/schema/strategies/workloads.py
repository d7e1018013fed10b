"""What Deployments, ReplicaSets, StatefulSets, DaemonSets and ReplicationControllers have in common.

Specification: Kubernetes, pkg/apis/apps/validation and the strategies in pkg/registry/apps: replicas and other counts
are not negative, the selector selects the template's Pods and mostly never changes, Pods of such a workload are
restarted whenever they end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from podward.api.json_value import Json
from podward.decision import Decision, merge
from podward.documents.raw_fields import member
from podward.schema.strategies import templates
from podward.schema.strategies.equality import same
from podward.schema.strategies.kind import keeping_status, new_without_status
from podward.schema.strategies.selectors import is_empty, is_selector, selects, shown
from podward.schema.validation.field import (
    NOTHING,
    ROOT,
    Place,
    forbidden,
    invalid,
    invalid_value,
    required,
    unsupported,
)
from podward.schema.validation.names import label_faults
from podward.schema.validation.raw import number, strings, text
from podward.schema.validation.table import WALKS
from podward.schema.validation.walk import Scope

if TYPE_CHECKING:
    from podward.api.json_value import JsonObject

SPEC, STATUS = Place(ROOT, "spec"), Place(ROOT, "status")
_NOT_NEGATIVE = "must be greater than or equal to 0"
_UNMATCHED = "`selector` does not match template `labels`"
_HOSTNAMES = (
    "metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is"
    " recommended"
)


def not_negative(of: JsonObject, names: Iterable[str], at: Place) -> Decision:
    """Refuse each of these fields that is below 0."""
    found = [
        invalid(at / name, value, _NOT_NEGATIVE)
        for name in names
        if (value := of.get(name)) and type(value) is int and value < 0
    ]
    return merge(*found) if found else NOTHING


def selector(spec: JsonObject, at: Place, empty: str) -> Decision:
    """A selector that must be there and select something; `empty` says that an empty one is not valid."""
    written, place = spec.get("selector"), at / "selector"
    if not isinstance(written, dict):
        return required(place)
    found = WALKS["LabelSelector"](written, Scope(WALKS, "", spec), place)
    return found + invalid_value(place, shown(written), empty) if is_empty(written) else found


def template(spec: JsonObject, at: Place, kind: str, fault: str) -> Decision:
    """The template of a workload with a selector; `fault` is the sentence about one that selects nothing ever."""
    written, place = member(spec, "template"), at / "template"
    chosen = spec.get("selector")
    if isinstance(chosen, dict) and not is_selector(chosen):
        return invalid_value(at / "selector", shown(chosen), fault)
    found = [unmatched(chosen if isinstance(chosen, dict) else None, written, place), templates.check(written, place)]
    return merge(*found, restarted(written, place, kind))


def unmatched(chosen: JsonObject | None, written: JsonObject, at: Place) -> Decision:
    """Refuse labels of a template that its workload does not select; no selector selects nothing."""
    labels = strings(member(written, "metadata"), "labels")
    if chosen is not None and (is_empty(chosen) or selects(chosen, dict(labels))):
        return NOTHING
    printed: Json = dict(labels) if member(written, "metadata").get("labels") is not None else None
    return invalid_value(at / "metadata" / "labels", printed, _UNMATCHED)


def restarted(written: JsonObject, at: Place, kind: str) -> Decision:
    """Pods of a workload are restarted always, and have no deadline."""
    spec, found = member(written, "spec"), NOTHING
    policy = text(spec, "restartPolicy")
    if policy != "Always":
        found = unsupported(at / "spec" / "restartPolicy", policy, ("Always",))
    if spec.get("activeDeadlineSeconds") is not None:
        detail = f"activeDeadlineSeconds in {kind} is not Supported"
        found += forbidden(at / "spec" / "activeDeadlineSeconds", detail)
    return found


def same_selector(obj: JsonObject, old: JsonObject) -> Decision:
    """A selector never changes."""
    chosen, before = member(obj, "spec").get("selector"), member(old, "spec").get("selector")
    if same(chosen, before):
        return NOTHING
    return invalid_value(SPEC / "selector", shown(chosen), "field is immutable")


def no_more_than(status: JsonObject, names: Iterable[str], most: str, detail: str) -> Decision:
    """Refuse each of these counts of a status that is above another."""
    limit = number(status, most)
    found = [invalid(STATUS / name, number(status, name), detail) for name in names if number(status, name) > limit]
    return merge(*found) if found else NOTHING


def collisions(obj: JsonObject, old: JsonObject) -> Decision:
    """A count of collisions never goes down."""
    now, before = member(obj, "status").get("collisionCount"), member(old, "status").get("collisionCount")
    if before is None or (type(now) is int and type(before) is int and now >= before):
        return NOTHING
    return invalid(STATUS / "collisionCount", now if type(now) is int else 0, "cannot be decremented")


# --- preparing and warning --------------------------------------------------------------------------------------------


def new(obj: JsonObject) -> JsonObject:
    """A new workload."""
    return with_template(new_without_status(obj), None)


def change(obj: JsonObject, old: JsonObject) -> JsonObject:
    """A changed workload."""
    return keeping_status(with_template(obj, old), old)


def with_template(obj: JsonObject, old: JsonObject | None) -> JsonObject:
    """The workload, its template without what is behind gates that are off."""
    spec = member(obj, "spec")
    written = spec.get("template")
    if not isinstance(written, dict):
        return obj
    before = None if old is None else member(member(old, "spec"), "template")
    made = templates.without_disabled(written, before)
    return obj if made is written else {**obj, "spec": {**spec, "template": made}}


def of_template(obj: JsonObject, old: JsonObject | None) -> tuple[str, ...]:
    """The warnings about the template of a new workload, or of one that has changed."""
    if old is not None and _generation(obj) == _generation(old):
        return ()
    return templates.warned(member(member(obj, "spec"), "template"), "spec.template")


def of_name_and_template(obj: JsonObject, old: JsonObject | None) -> tuple[str, ...]:
    """The same, and about a name that Pods will have in theirs."""
    about = about_name(text(member(obj, "metadata"), "name")) if old is None else ()
    return (*about, *of_template(obj, old))


def about_name(name: str) -> tuple[str, ...]:
    """The warning about a name that makes no host name."""
    faults = label_faults(name)
    return (f"{_HOSTNAMES}: [{' '.join(faults)}]",) if faults else ()


def _generation(obj: JsonObject) -> Json:
    return member(obj, "metadata").get("generation")


def keeping_spec(*more: str) -> Callable[[JsonObject, JsonObject], JsonObject]:
    """A change of the status, with the spec as it is stored; `more` are fields of its metadata that stay too."""

    def prepare(obj: JsonObject, old: JsonObject) -> JsonObject:
        made = dict(obj)
        if "spec" in old:
            made["spec"] = old["spec"]
        else:
            made.pop("spec", None)
        if more:
            of, before = dict(member(obj, "metadata")), member(old, "metadata")
            for name in more:
                if before.get(name) is None:
                    of.pop(name, None)
                else:
                    of[name] = before[name]
            made["metadata"] = of
        return made

    return prepare
