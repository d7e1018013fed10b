"""Jobs and CronJobs.

Specification: Kubernetes, pkg/apis/batch/validation and the strategies in pkg/registry/batch. The server makes a Job's
selector and the labels of its Pods, unless the Job says that it does. Nearly nothing of a Job changes; while it is
suspended and has not started, where its Pods may run does, and what they ask for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.api.json_value import Json
from podward.decision import Decision, merge
from podward.documents.raw_fields import member, objects
from podward.path import Key
from podward.schema.strategies import job_specs, names, object_meta, templates, workloads
from podward.schema.strategies.equality import same
from podward.schema.strategies.internal_json import internal
from podward.schema.strategies.job_status import suspended_and_idle
from podward.schema.strategies.job_status import validate as validate_status
from podward.schema.strategies.kind import changes, in_order, keeping_status, new_without_status
from podward.schema.strategies.schedules import schedule_fault, zone_fault
from podward.schema.strategies.selectors import is_selector, selects, shown
from podward.schema.strategies.strategy import Strategy
from podward.schema.strategies.workloads import SPEC, not_negative
from podward.schema.validation.field import (
    NOTHING,
    ROOT,
    Place,
    invalid,
    invalid_value,
    refused,
    required,
    unsupported,
)
from podward.schema.validation.names import label_faults
from podward.schema.validation.raw import number, pointer, strings, text
from podward.schema.validation.table import WALKS
from podward.schema.validation.walk import Scope

if TYPE_CHECKING:
    from podward.api.json_value import JsonObject

_UID, _NAME = "batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name"
_OLD_UID, _OLD_NAME = "controller-uid", "job-name"
_META, _TEMPLATE = ROOT / "metadata", SPEC / "template"
_LONGEST_CRON_NAME = 52
_CONCURRENCY = ("Allow", "Forbid", "Replace")
_NO_ZONE = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
_TWO_ZONES = "cannot use both timeZone field and TZ or CRON_TZ in schedule"
_ZONE_WARNING = (
    "cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see"
    " https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details"
)
_MANY_INDEXES = (
    "In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might"
    " not be able to track completedIndexes when a big number of indexes fail"
)


# --- a Job ------------------------------------------------------------------------------------------------------------


def _job(obj: JsonObject) -> Decision:
    return _checked(obj, prefixed=True)


def _checked(obj: JsonObject, *, prefixed: bool) -> Decision:
    spec = member(obj, "spec")
    return merge(_generated(obj, spec, prefixed=prefixed), _spec(spec), _hostname(obj, spec))


def _generated(obj: JsonObject, spec: JsonObject, *, prefixed: bool) -> Decision:
    """The selector and the labels, where the server makes them; `prefixed`: also those with a domain."""
    chosen, of = spec.get("selector"), member(obj, "metadata")
    if spec.get("manualSelector") is True or not isinstance(chosen, dict):
        return NOTHING
    uid, name = text(of, "uid"), text(of, "name")
    expected = {_OLD_UID: uid, _OLD_NAME: name} | ({_UID: uid, _NAME: name} if prefixed else {})
    found = [] if uid else [required(_META / "uid")]
    labels = strings(member(member(spec, "template"), "metadata"), "labels")
    found += [_labelled(labels, label, value) for label, value in expected.items()]
    if is_selector(chosen) and not selects(chosen, dict(expected)):
        found.append(invalid_value(SPEC / "selector", shown(chosen), "`selector` not auto-generated"))
    return merge(*found)


def _labelled(labels: dict[str, str], label: str, value: str) -> Decision:
    place = _TEMPLATE / "metadata" / "labels"
    if label not in labels:
        return required(place / Key(label), f"must be '{value}'")
    return NOTHING if labels[label] == value else invalid_value(place / Key(label), dict(labels), f"must be '{value}'")


def _spec(spec: JsonObject) -> Decision:
    found, chosen = [job_specs.check(spec, SPEC)], spec.get("selector")
    labels = strings(member(member(spec, "template"), "metadata"), "labels")
    if not isinstance(chosen, dict):
        found.append(required(SPEC / "selector"))
    else:
        found.append(WALKS["LabelSelector"](chosen, Scope(WALKS, "", spec), SPEC / "selector"))
    if not isinstance(chosen, dict) or (is_selector(chosen) and not selects(chosen, dict(labels))):
        detail = "`selector` does not match template `labels`"
        found.append(invalid_value(_TEMPLATE / "metadata" / "labels", dict(labels) or None, detail))
    return merge(*found)


def _hostname(obj: JsonObject, spec: JsonObject) -> Decision:
    completions, name = number(spec, "completions"), text(member(obj, "metadata"), "name")
    if spec.get("completionMode") != "Indexed" or completions <= 0:
        return NOTHING
    longest = f"{name}-{completions - 1}"
    detail = f"will not able to create pod with invalid DNS label: {longest}"
    return invalid(_META / "name", name, detail) if label_faults(longest) else NOTHING


def _job_changed(obj: JsonObject, old: JsonObject) -> Decision:
    spec, before = member(obj, "spec"), member(old, "spec")
    labels = strings(member(member(before, "template"), "metadata"), "labels")
    return merge(
        _OWN_META(obj),
        _checked(obj, prefixed=_UID in labels and _NAME in labels),
        object_meta.changed(obj, old),
        _spec(spec),
        _completions(spec, before),
        _fixed("selector", shown(spec.get("selector")), spec, before),
        _template(spec, before, old),
        *[
            _fixed(name, internal(of, spec.get(name)), spec, before)
            for name, of in (
                ("completionMode", "*s"),
                ("podFailurePolicy", "*batch.PodFailurePolicy"),
                ("backoffLimitPerIndex", "*i"),
                ("managedBy", "*s"),
                ("successPolicy", "*batch.SuccessPolicy"),
            )
        ],
    )


def _fixed(name: str, printed: Json, spec: JsonObject, before: JsonObject) -> Decision:
    if same(spec.get(name), before.get(name)):
        return NOTHING
    return invalid_value(SPEC / name, printed, "field is immutable")


def _completions(spec: JsonObject, before: JsonObject) -> Decision:
    written = spec.get("completions")
    if written == before.get("completions"):
        return NOTHING
    if spec.get("completionMode") != "Indexed":
        return invalid_value(SPEC / "completions", written, "field is immutable")
    if written is None or written == number(spec, "parallelism"):
        return NOTHING
    return invalid_value(SPEC / "completions", written, "can only be modified in tandem with spec.parallelism")


def _template(spec: JsonObject, before: JsonObject, old: JsonObject) -> Decision:
    template, stored = member(spec, "template"), member(before, "template")
    if same(template, stored):
        return NOTHING
    if before.get("suspend") is not True or not suspended_and_idle(old):
        printed = internal("core.PodTemplateSpec", template)
        return invalid_value(_TEMPLATE, printed, "field is immutable")
    kept = _with_resources(_scheduled_as(template, stored), template)
    pod, allowed = member(template, "spec"), member(kept, "spec")
    if same(pod, allowed):
        return NOTHING
    return invalid_value(SPEC / "template.spec", internal("core.PodSpec", pod), "field is immutable")


def _scheduled_as(template: JsonObject, stored: JsonObject) -> JsonObject:
    """The stored template with what says where its Pods run as in the new one, and with its labels and annotations."""
    pod, kept = member(template, "spec"), dict(member(stored, "spec"))
    for name in ("nodeSelector", "tolerations", "schedulingGates"):
        _take(kept, pod, name)
    affinity, now = dict(member(kept, "affinity")), member(pod, "affinity")
    _take(affinity, now, "nodeAffinity")
    if pod.get("affinity") is None and not affinity:
        kept.pop("affinity", None)
    else:
        kept["affinity"] = affinity
    of = dict(member(stored, "metadata"))
    for name in ("labels", "annotations"):
        _take(of, member(template, "metadata"), name)
    return {**stored, "metadata": of, "spec": kept}


def _take(to: JsonObject, of: JsonObject, name: str) -> None:
    if of.get(name) is None:
        to.pop(name, None)
    else:
        to[name] = of[name]


def _with_resources(stored: JsonObject, template: JsonObject) -> JsonObject:
    """The stored template with the resources of the new one's containers of the same names."""
    kept, pod = dict(member(stored, "spec")), member(template, "spec")
    for listed in ("containers", "initContainers"):
        theirs, ours = objects(kept, listed), objects(pod, listed)
        if len(theirs) != len(ours) or not theirs:
            continue
        made: list[Json] = []
        for stored_one, new_one in zip(theirs, ours, strict=True):
            container = dict(stored_one)
            if container.get("name") == new_one.get("name"):
                _take(container, new_one, "resources")
            made.append(container)
        kept[listed] = made
    return {**stored, "spec": kept}


def _new_job(obj: JsonObject) -> JsonObject:
    obj = workloads.new(obj)
    spec = member(obj, "spec")
    if spec.get("manualSelector") is True:
        return obj
    of = member(obj, "metadata")
    uid, name = text(of, "uid"), text(of, "name")
    template, chosen = member(spec, "template"), member(spec, "selector")
    about = member(template, "metadata")
    labels: JsonObject = {_OLD_NAME: name, _NAME: name, _OLD_UID: uid, _UID: uid, **member(about, "labels")}
    selector: JsonObject = {**chosen, "matchLabels": {_UID: uid, **member(chosen, "matchLabels")}}
    made: JsonObject = {**template, "metadata": {**about, "labels": labels}}
    if of.get("labels") and of["labels"] is about.get("labels"):  # the default: they are one and the same
        obj = {**obj, "metadata": {**of, "labels": labels}}
    return {**obj, "spec": {**spec, "selector": selector, "template": made}}


def _as_it_is_read(obj: JsonObject) -> JsonObject:
    """The Job with the labels of its template where it has none, as the default has it when it is read from storage."""
    of, labels = member(obj, "metadata"), member(member(member(obj, "spec"), "template"), "metadata").get("labels")
    return obj if of.get("labels") or not labels else {**obj, "metadata": {**of, "labels": labels}}


def _job_warnings(obj: JsonObject, old: JsonObject | None) -> tuple[str, ...]:
    name = text(member(obj, "metadata"), "name")
    if old is not None and member(obj, "metadata").get("generation") == member(old, "metadata").get("generation"):
        return ()
    about = workloads.about_name(name) if old is None else ()
    return (*about, *_spec_warnings(member(obj, "spec"), "spec"))


def _spec_warnings(spec: JsonObject, at: str) -> tuple[str, ...]:
    indexed = spec.get("completionMode") == "Indexed"
    many = indexed and number(spec, "completions") > 100_000 and number(spec, "parallelism") > 10_000
    return (
        *((f"{at}: {_MANY_INDEXES}",) if many else ()),
        *templates.warned(member(spec, "template"), f"{at}.template"),
    )


_OWN_META = object_meta.new(names.SUBDOMAIN, namespaced=True)
JOB = Strategy(
    validate=in_order(_OWN_META, _job),
    validate_update=_job_changed,
    prepare_for_create=_new_job,
    prepare_for_update=workloads.change,
    canonicalize=_as_it_is_read,
    warnings=_job_warnings,
    propagation="Orphan",
)
JOB_STATUS = Strategy(
    validate_update=changes(object_meta.changed, validate_status),
    prepare_for_update=workloads.keeping_spec(),
    canonicalize=_as_it_is_read,
)


# --- a CronJob --------------------------------------------------------------------------------------------------------


def _new_cron(obj: JsonObject) -> Decision:
    found, name = _cron(obj, None), text(member(obj, "metadata"), "name")
    if len(name.encode()) > _LONGEST_CRON_NAME:
        found += invalid(_META / "name", name, f"must be no more than {_LONGEST_CRON_NAME} characters")
    return found


def _cron(obj: JsonObject, old: JsonObject | None) -> Decision:
    spec, before = member(obj, "spec"), None if old is None else member(old, "spec")
    schedule, zone = text(spec, "schedule"), pointer(spec, "timeZone")
    found = [_schedule(schedule, zone, before) if schedule else required(SPEC / "schedule")]
    found.append(not_negative(spec, ("startingDeadlineSeconds",), SPEC))
    if zone is not None and (before is None or before.get("timeZone") != zone):
        found += [invalid_value(SPEC / "timeZone", zone, fault) for fault in zone_fault(zone)]
    found += [_concurrency(text(spec, "concurrencyPolicy")), _job_template(spec)]
    found.append(not_negative(spec, ("successfulJobsHistoryLimit", "failedJobsHistoryLimit"), SPEC))
    return merge(*found)


def _schedule(schedule: str, zone: str | None, before: JsonObject | None) -> Decision:
    place, fault = SPEC / "schedule", schedule_fault(schedule)
    found = invalid(place, schedule, fault) if fault else NOTHING
    if "TZ" not in schedule:
        return found
    allowed = before is not None and "TZ" in text(before, "schedule")
    if allowed:
        return found if zone is None else found + invalid(place, schedule, _TWO_ZONES)
    return found + invalid(place, schedule, _NO_ZONE)


def _concurrency(policy: str) -> Decision:
    place = SPEC / "concurrencyPolicy"
    if not policy:
        return required(place)
    return NOTHING if policy in _CONCURRENCY else unsupported(place, policy, _CONCURRENCY)


def _job_template(spec: JsonObject) -> Decision:
    job, place = member(member(spec, "jobTemplate"), "spec"), Place(SPEC / "jobTemplate", "spec")
    found = job_specs.check(job, place)
    if job.get("selector") is not None:
        detail = "`selector` will be auto-generated"
        found += invalid_value(place / "selector", shown(job["selector"]), detail)
    if job.get("manualSelector") is True:
        sentence = 'Unsupported value: true: supported values: "nil", "false"'
        found += refused(place / "manualSelector", True, (sentence,))
    return found


def _cron_changed(obj: JsonObject, old: JsonObject) -> JsonObject:
    return keeping_status(_without_disabled(obj, old), old)


def _without_disabled(obj: JsonObject, old: JsonObject | None) -> JsonObject:
    spec = member(obj, "spec")
    job_template = member(spec, "jobTemplate")
    job = member(job_template, "spec")
    template = member(job, "template")
    stored = None if old is None else _pod_of_cron(old)
    made = templates.without_disabled(template, stored)
    if made is template:
        return obj
    return {**obj, "spec": {**spec, "jobTemplate": {**job_template, "spec": {**job, "template": made}}}}


def _pod_of_cron(obj: JsonObject) -> JsonObject:
    return member(member(member(member(obj, "spec"), "jobTemplate"), "spec"), "template")


def _cron_warnings(obj: JsonObject, old: JsonObject | None) -> tuple[str, ...]:
    spec, found = member(obj, "spec"), list[str]()
    job = member(member(spec, "jobTemplate"), "spec")
    if old is None:
        found += workloads.about_name(text(member(obj, "metadata"), "name"))
    if old is None or member(obj, "metadata").get("generation") != member(old, "metadata").get("generation"):
        found += _spec_warnings(job, "spec.jobTemplate.spec")
    if old is not None and "TZ" in text(spec, "schedule"):
        found.append(_ZONE_WARNING)
    return tuple(found)


CRON_JOB = Strategy(
    validate=in_order(_OWN_META, _new_cron),
    validate_update=changes(object_meta.changed, _cron),
    prepare_for_create=lambda obj: _without_disabled(new_without_status(obj), None),
    prepare_for_update=_cron_changed,
    warnings=_cron_warnings,
)
CRON_JOB_STATUS = Strategy(prepare_for_update=workloads.keeping_spec())
