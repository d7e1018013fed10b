"""StatefulSets.

Specification: Kubernetes, ValidateStatefulSetSpec, its update and status, and the strategy in
pkg/registry/apps/statefulset. A controller gives each Pod its host name and its volumes, so what the template says of
these is not looked at. Most of the spec never changes. A stored object that would not be accepted today is left alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from podward.api.json_value import Json
from podward.api.quantity import parse
from podward.decision import Decision, merge
from podward.documents.raw_fields import member, objects
from podward.schema.strategies import names, object_meta, templates, workloads
from podward.schema.strategies.equality import same_but
from podward.schema.strategies.int_or_percent import amount, at_most_all, positive
from podward.schema.strategies.kind import changes, in_order
from podward.schema.strategies.selectors import is_selector, shown
from podward.schema.strategies.strategy import Strategy
from podward.schema.strategies.workloads import SPEC, STATUS, not_negative
from podward.schema.validation import labels, metadata
from podward.schema.validation.field import (
    NOTHING,
    Place,
    each,
    forbidden,
    invalid,
    invalid_value,
    refused,
    required,
)
from podward.schema.validation.names import label_faults
from podward.schema.validation.raw import number, text
from podward.schema.validation.table import WALKS
from podward.schema.validation.values import one_of
from podward.schema.validation.walk import Scope

if TYPE_CHECKING:
    from podward.api.json_value import JsonObject

_POLICIES, _MANAGEMENT = one_of("Retain", "Delete"), ("OrderedReady", "Parallel")
_CHANGING = (
    "replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy", "minReadySeconds",
)  # fmt: skip
_FIXED = (
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy',"
    " 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
)
_NEGATIVE_HISTORY = (
    "spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended"
)


def _new(obj: JsonObject) -> Decision:
    spec = member(obj, "spec")
    return merge(_before(spec), _claims(spec), _counts(spec), _service(spec), _pods(spec))


def _changed(obj: JsonObject, old: JsonObject) -> Decision:
    spec, before = member(obj, "spec"), member(old, "spec")
    found = merge(_before(spec), _counts(spec))
    pods = _pods(spec)
    if pods.refused and merge(_before(before), _counts(before), _pods(before)).refused:
        pods = _pods(spec, skipped=(templates.check,))
    found += pods
    return found if same_but(spec, before, *_CHANGING) else found + forbidden(SPEC, _FIXED)


def _before(spec: JsonObject) -> Decision:
    management, found = text(spec, "podManagementPolicy"), NOTHING
    if not management:
        found = required(SPEC / "podManagementPolicy")
    elif management not in _MANAGEMENT:
        found = invalid(SPEC / "podManagementPolicy", management, "must be 'OrderedReady' or 'Parallel'")
    found += _update(member(spec, "updateStrategy"), SPEC / "updateStrategy")
    retention = member(spec, "persistentVolumeClaimRetentionPolicy")
    if not retention:
        return found
    place = SPEC / "persistentVolumeClaimRetentionPolicy"
    for name in ("whenDeleted", "whenScaled"):
        found += refused(place / name, text(retention, name), _POLICIES.reasons(text(retention, name)))
    return found


def _update(strategy: JsonObject, at: Place) -> Decision:
    kind, rolling = text(strategy, "type"), strategy.get("rollingUpdate")
    if not kind:
        return required(at)
    shown_rolling: Json = None
    if isinstance(rolling, dict):
        shown_rolling = {"Partition": number(rolling, "partition"), "MaxUnavailable": rolling.get("maxUnavailable")}
    if kind == "OnDelete":
        detail = "only allowed for updateStrategy 'RollingUpdate'"
        return NOTHING if rolling is None else invalid_value(at / "rollingUpdate", shown_rolling, detail)
    if kind == "RollingUpdate":
        return _rolling(rolling, at / "rollingUpdate") if isinstance(rolling, dict) else NOTHING
    printed: Json = {"Type": kind, "RollingUpdate": shown_rolling}
    return invalid_value(at, printed, "must be 'RollingUpdate' or 'OnDelete'")


def _rolling(rolling: JsonObject, at: Place) -> Decision:
    found, most, place = not_negative(rolling, ("partition",), at), rolling.get("maxUnavailable"), at / "maxUnavailable"
    if most is None:
        return found
    zero = invalid_value(place, most, "cannot be 0") if amount(most) == 0 else NOTHING
    return merge(found, positive(most, place), zero, at_most_all(most, place))


def _claims(spec: JsonObject) -> Decision:
    found: list[Decision] = []
    for index, claim in enumerate(objects(spec, "volumeClaimTemplates")):
        place = SPEC / "volumeClaimTemplates" / index / "spec"
        found.append(WALKS["PersistentVolumeClaimSpec"](member(claim, "spec"), Scope(WALKS, "", claim), place))
    return merge(*found)


def _counts(spec: JsonObject) -> Decision:
    found = not_negative(spec, ("replicas", "minReadySeconds"), SPEC)
    start = number(member(spec, "ordinals"), "start")
    return found + invalid(SPEC / "ordinals.start", start, "must be greater than or equal to 0") if start < 0 else found


def _service(spec: JsonObject) -> Decision:
    name = text(spec, "serviceName")
    return each(SPEC / "serviceName", name, label_faults(name)) if name else NOTHING


def _pods(spec: JsonObject, skipped: Sequence[object] = ()) -> Decision:
    """The selector and the template; `skipped` are rules about the template that are not asked."""
    chosen, place = spec.get("selector"), SPEC / "template"
    found = [workloads.selector(spec, SPEC, "empty selector is invalid for statefulset")]
    written = member(spec, "template")
    if isinstance(chosen, dict) and not is_selector(chosen):
        found.append(invalid_value(SPEC / "selector", shown(chosen), ""))
    else:
        found.append(workloads.unmatched(chosen if isinstance(chosen, dict) else None, written, place))
        looked_at = _as_it_will_be(spec, written)
        if templates.check not in skipped:
            found.append(templates.check(looked_at, place))
        found.append(_metadata(looked_at, place))
    return merge(*found, workloads.restarted(written, place, "StatefulSet"))


def _metadata(written: JsonObject, at: Place) -> Decision:
    """Labels and annotations of the template, which are asked about once more."""
    of = member(written, "metadata")
    if not of.get("labels") and not of.get("annotations"):
        return NOTHING
    scope, found = Scope(WALKS, "", written), NOTHING
    if of.get("labels"):
        found = labels.of("labels")(of, scope, at)
    if of.get("annotations"):
        found += metadata.check_annotations(of, scope, at)
        found += templates.meaning(written, at / "annotations")
    return found


def _as_it_will_be(spec: JsonObject, written: JsonObject) -> JsonObject:
    """The template with the host name and the volumes that the controller gives its Pods."""
    pod, claims = member(written, "spec"), objects(spec, "volumeClaimTemplates")
    if not (pod.get("hostname") or pod.get("subdomain") or claims):
        return written
    made: JsonObject = {name: value for name, value in pod.items() if name not in {"hostname", "subdomain"}}
    if claims:
        given = dict.fromkeys(text(member(claim, "metadata"), "name") for claim in claims)
        volumes: list[Json] = [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in given]
        volumes += [volume for volume in objects(pod, "volumes") if text(volume, "name") not in given]
        made["volumes"] = volumes
    return {**written, "spec": made}


def _status(obj: JsonObject, _old: JsonObject) -> Decision:
    status = member(obj, "status")
    counts = ("readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas")
    more, unready = "cannot be greater than status.replicas", "cannot be greater than status.readyReplicas"
    return merge(
        not_negative(status, ("replicas", *counts, "observedGeneration", "collisionCount"), STATUS),
        workloads.no_more_than(status, counts, "replicas", more),
        workloads.no_more_than(status, ("availableReplicas",), "readyReplicas", unready),
    )


def _warnings(obj: JsonObject, old: JsonObject | None) -> tuple[str, ...]:
    spec, found = member(obj, "spec"), list(workloads.of_template(obj, old))
    for index, claim in enumerate(objects(spec, "volumeClaimTemplates")):
        place = f"spec.volumeClaimTemplates[{index}]" + ("" if old is None else ".Spec")
        found += fractional_bytes(member(claim, "spec"), place)
    if number(spec, "revisionHistoryLimit") < 0:
        found.append(_NEGATIVE_HISTORY)
    return tuple(found)


def fractional_bytes(claim: JsonObject, at: str) -> list[str]:
    """The warnings about a claim, given its spec: half a byte is none."""
    found: list[str] = []
    for kind in ("requests", "limits"):
        written = member(member(claim, "resources"), kind).get("storage")
        size = parse(str(written)) if written is not None else None
        if size is not None and size.milli_value % 1000:
            place = f"{at}.resources.{kind}[storage]"
            found.append(f'{place}: fractional byte value "{size}" is invalid, must be an integer')
    return found


def _without_disabled(obj: JsonObject, old: JsonObject | None) -> JsonObject:
    """The StatefulSet without the `maxUnavailable` that MaxUnavailableStatefulSet is the gate of, unless it had one."""
    spec = member(obj, "spec")
    update = member(spec, "updateStrategy")
    rolling = member(update, "rollingUpdate")
    if "maxUnavailable" not in rolling or (old is not None and _most_unavailable(old) is not None):
        return obj
    kept: JsonObject = {name: value for name, value in rolling.items() if name != "maxUnavailable"}
    return {**obj, "spec": {**spec, "updateStrategy": {**update, "rollingUpdate": kept}}}


def _most_unavailable(obj: JsonObject) -> Json:
    return member(member(member(obj, "spec"), "updateStrategy"), "rollingUpdate").get("maxUnavailable")


STATEFUL_SET = Strategy(
    validate=in_order(object_meta.new(names.LABEL, namespaced=True), _new),
    validate_update=changes(object_meta.changed, _changed),
    prepare_for_create=lambda obj: _without_disabled(workloads.new(obj), None),
    prepare_for_update=lambda obj, old: _without_disabled(workloads.change(obj, old), old),
    warnings=_warnings,
)
STATEFUL_SET_STATUS = Strategy(
    validate_update=changes(_status, object_meta.changed, workloads.collisions),
    prepare_for_update=workloads.keeping_spec(),
)
