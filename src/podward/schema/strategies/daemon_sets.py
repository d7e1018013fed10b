"""DaemonSets and ControllerRevisions.

Specification: Kubernetes, ValidateDaemonSetSpec, validateControllerRevision, their updates and statuses, and the
strategies in pkg/registry/apps. The number that counts a DaemonSet's templates is no field any more; where it was kept,
in an annotation, the server went on counting.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.decision import Decision, merge
from podward.documents.raw_fields import member
from podward.schema.strategies import names, object_meta, templates, workloads
from podward.schema.strategies.equality import same
from podward.schema.strategies.int_or_percent import amount, at_most_all, positive
from podward.schema.strategies.kind import anew, changes, in_order
from podward.schema.strategies.selectors import is_empty, is_selector, selects, shown
from podward.schema.strategies.strategy import Strategy
from podward.schema.strategies.workloads import SPEC, STATUS, not_negative
from podward.schema.validation.field import (
    NOTHING,
    ROOT,
    Place,
    invalid,
    invalid_value,
    refused,
    required,
)
from podward.schema.validation.internal import go_json
from podward.schema.validation.raw import number, strings, text
from podward.schema.validation.table import WALKS
from podward.schema.validation.walk import Scope

if TYPE_CHECKING:
    from podward.api.json_value import Json, JsonObject

_COUNTS = (
    "currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady", "observedGeneration",
    "updatedNumberScheduled", "numberAvailable", "numberUnavailable", "collisionCount",
)  # fmt: skip
_TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"


def _daemon_set(obj: JsonObject) -> Decision:
    spec = member(obj, "spec")
    written, place, chosen = member(spec, "template"), SPEC / "template", spec.get("selector")
    found: list[Decision] = []
    if isinstance(chosen, dict):
        found.append(WALKS["LabelSelector"](chosen, Scope(WALKS, "", obj), SPEC / "selector"))
    labels = strings(member(written, "metadata"), "labels")
    if not isinstance(chosen, dict) or (is_selector(chosen) and not selects(chosen, dict(labels))):
        printed: Json = dict(labels) if member(written, "metadata").get("labels") is not None else None
        detail = "`selector` does not match template `labels`"
        found.append(invalid_value(place / "metadata" / "labels", printed, detail))
    if isinstance(chosen, dict) and is_empty(chosen):
        found.append(invalid_value(SPEC / "selector", shown(chosen), "empty selector is invalid for daemonset"))
    found += [templates.check(written, place), workloads.restarted(written, place, "DaemonSet")]
    found.append(not_negative(spec, ("minReadySeconds",), SPEC))
    found.append(_update(member(spec, "updateStrategy"), SPEC / "updateStrategy"))
    found.append(not_negative(spec, ("revisionHistoryLimit",), SPEC))
    return merge(*found)


def _update(strategy: JsonObject, at: Place) -> Decision:
    kind, rolling = text(strategy, "type"), strategy.get("rollingUpdate")
    if kind == "OnDelete":
        return NOTHING
    if kind == "RollingUpdate":
        return _rolling(rolling, at / "rollingUpdate") if isinstance(rolling, dict) else required(at / "rollingUpdate")
    shown_rolling: Json = None
    if isinstance(rolling, dict):
        shown_rolling = {"MaxUnavailable": rolling.get("maxUnavailable", 0), "MaxSurge": rolling.get("maxSurge", 0)}
    printed: Json = {"Type": kind, "RollingUpdate": shown_rolling}
    known = '"RollingUpdate", "OnDelete"'
    return refused(at, printed, (f"Unsupported value: {go_json(printed)}: supported values: {known}",))


def _rolling(rolling: JsonObject, at: Place) -> Decision:
    unavailable, surge = rolling.get("maxUnavailable", 0), rolling.get("maxSurge", 0)
    of_unavailable, of_surge = at / "maxUnavailable", at / "maxSurge"
    found = [positive(unavailable, of_unavailable), positive(surge, of_surge)]
    found += [at_most_all(unavailable, of_unavailable), at_most_all(surge, of_surge)]
    if amount(unavailable) and amount(surge):
        found.append(invalid_value(of_surge, surge, "may not be set when maxUnavailable is non-zero"))
    elif not amount(unavailable) and not amount(surge):
        found.append(required(of_unavailable, "cannot be 0 when maxSurge is 0"))
    return merge(*found)


def _status(obj: JsonObject, _old: JsonObject) -> Decision:
    return not_negative(member(obj, "status"), _COUNTS, STATUS)


def _new(obj: JsonObject) -> JsonObject:
    return _counted(workloads.new(obj), max(_count(obj), 1))


def _change(obj: JsonObject, old: JsonObject) -> JsonObject:
    made = workloads.change(obj, old)
    before = _count(old)
    unchanged = same(member(made, "spec").get("template"), member(old, "spec").get("template"))
    return _counted(made, before if unchanged else before + 1)


def _count(obj: JsonObject) -> int:
    written = text(member(member(obj, "metadata"), "annotations"), _TEMPLATE_GENERATION)
    return int(written) if written.isascii() and written.isdecimal() and len(written) < 19 else 0


def _counted(obj: JsonObject, count: int) -> JsonObject:
    """With the number of its template, which the server keeps as an annotation."""
    of = member(obj, "metadata")
    annotations = {**member(of, "annotations"), _TEMPLATE_GENERATION: str(count)}
    return {**obj, "metadata": {**of, "annotations": annotations}}


def _status_change(obj: JsonObject, old: JsonObject) -> JsonObject:
    return _counted(_KEEPING_SPEC(obj, old), _count(old))


_KEEPING_SPEC = workloads.keeping_spec()
DAEMON_SET = Strategy(
    validate=in_order(object_meta.new(names.SUBDOMAIN, namespaced=True), _daemon_set),
    validate_update=changes(object_meta.changed, workloads.same_selector, anew(_daemon_set)),
    prepare_for_create=_new,
    prepare_for_update=_change,
    warnings=workloads.of_template,
)
DAEMON_SET_STATUS = Strategy(
    validate_update=changes(object_meta.changed, _status, workloads.collisions),
    prepare_for_update=_status_change,
)


def _revision(obj: JsonObject) -> Decision:
    revision = number(obj, "revision")
    return invalid(ROOT / "revision", revision, "must be greater than or equal to 0") if revision < 0 else NOTHING


def _data(obj: JsonObject) -> Decision:
    data = obj.get("data")
    if isinstance(data, dict):
        return NOTHING
    return required(ROOT / "data", "data is mandatory" if data is None else "data must be a valid JSON object")


def _same_data(obj: JsonObject, old: JsonObject) -> Decision:
    if obj.get("data") == old.get("data"):
        return NOTHING
    return invalid_value(ROOT / "data", obj.get("data"), "field is immutable")


_NEW_REVISION = in_order(object_meta.new(names.SUBDOMAIN, namespaced=True), _revision)
CONTROLLER_REVISION = Strategy(
    validate=in_order(_NEW_REVISION, _data),
    validate_update=changes(object_meta.changed, anew(_NEW_REVISION), _same_data),
)


def _pod_template(obj: JsonObject) -> Decision:
    return templates.check(member(obj, "template"), ROOT / "template")


def _pod_template_new(obj: JsonObject) -> JsonObject:
    written = member(obj, "template")
    made = {**obj, "metadata": {**member(obj, "metadata"), "generation": 1}}
    return {**made, "template": templates.without_disabled(written)} if written else made


def _pod_template_change(obj: JsonObject, old: JsonObject) -> JsonObject:
    before = member(old, "template")
    made = templates.without_disabled(member(obj, "template"), before)
    obj = {**obj, "template": made} if made else obj
    if same(made, before):
        return obj
    generation = number(member(old, "metadata"), "generation") + 1
    return {**obj, "metadata": {**member(obj, "metadata"), "generation": generation}}


def _pod_template_warnings(obj: JsonObject, old: JsonObject | None) -> tuple[str, ...]:
    generation = member(obj, "metadata").get("generation")
    if old is not None and generation == member(old, "metadata").get("generation"):
        return ()
    return templates.warned(member(obj, "template"), "template")


POD_TEMPLATE = Strategy(
    validate=in_order(object_meta.new(names.SUBDOMAIN, namespaced=True), _pod_template),
    validate_update=changes(object_meta.changed, anew(_pod_template)),
    prepare_for_create=_pod_template_new,
    prepare_for_update=_pod_template_change,
    warnings=_pod_template_warnings,
)
