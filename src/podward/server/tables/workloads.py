"""The rows of what makes Pods, and of what looks after numbers of them.

Specification: Kubernetes, pkg/printers/internalversion.
"""

from __future__ import annotations

from podward.api.json_value import Json, JsonObject
from podward.documents.raw_fields import member
from podward.server.tables.columns import AGE, CONTAINERS, NAME, Column, Printer, boolean, integer, wide
from podward.server.tables.scaling import HORIZONTAL_POD_AUTOSCALER, POD_DISRUPTION_BUDGET
from podward.server.tables.texts import (
    NONE,
    age_of,
    condition,
    human_duration,
    labels,
    name_of,
    number_of,
    objects_of,
    seconds,
    selector,
    selector_or_none,
    since,
    template_containers,
    text_of,
    truth,
)


def _pod_template(raw: JsonObject, _: float) -> list[Json]:
    template = member(raw, "template")
    return [name_of(raw), *template_containers(template), labels(member(template, "metadata").get("labels"))]


def _replicas(raw: JsonObject, now: float) -> list[Json]:
    spec, status = member(raw, "spec"), member(raw, "status")
    counts: list[Json] = [
        number_of(spec, "replicas"),
        number_of(status, "replicas"),
        number_of(status, "readyReplicas"),
    ]
    return [name_of(raw), *counts, age_of(raw, now), *template_containers(member(spec, "template"))]


def _replica_set(raw: JsonObject, now: float) -> list[Json]:
    return [*_replicas(raw, now), selector_or_none(member(raw, "spec").get("selector"))]


def _replication_controller(raw: JsonObject, now: float) -> list[Json]:
    return [*_replicas(raw, now), labels(member(raw, "spec").get("selector"))]


def _deployment(raw: JsonObject, now: float) -> list[Json]:
    spec, status = member(raw, "spec"), member(raw, "status")
    return [
        name_of(raw),
        f"{number_of(status, 'readyReplicas')}/{number_of(spec, 'replicas')}",
        number_of(status, "updatedReplicas"),
        number_of(status, "availableReplicas"),
        age_of(raw, now),
        *template_containers(member(spec, "template")),
        selector(spec.get("selector")),
    ]


def _stateful_set(raw: JsonObject, now: float) -> list[Json]:
    spec, status = member(raw, "spec"), member(raw, "status")
    ready = f"{number_of(status, 'readyReplicas')}/{number_of(spec, 'replicas')}"
    return [name_of(raw), ready, age_of(raw, now), *template_containers(member(spec, "template"))]


def _daemon_set(raw: JsonObject, now: float) -> list[Json]:
    spec, status = member(raw, "spec"), member(raw, "status")
    names = (
        "desiredNumberScheduled",
        "currentNumberScheduled",
        "numberReady",
        "updatedNumberScheduled",
        "numberAvailable",
    )
    return [
        name_of(raw),
        *[number_of(status, name) for name in names],
        labels(member(member(spec, "template"), "spec").get("nodeSelector")),
        age_of(raw, now),
        *template_containers(member(spec, "template")),
        selector_or_none(spec.get("selector")),
    ]


_JOB_STATES = (
    ("Suspended", "Suspended"),
    ("FailureTarget", "FailureTarget"),
    ("SuccessCriteriaMet", "SuccessCriteriaMet"),
)


def _job(raw: JsonObject, now: float) -> list[Json]:
    spec, status = member(raw, "spec"), member(raw, "status")
    done, wanted = number_of(status, "succeeded"), spec.get("completions")
    parallel = number_of(spec, "parallelism")
    at_once = f"{done}/1 of {parallel}" if parallel > 1 else f"{done}/1"
    return [
        name_of(raw),
        _job_state(raw),
        f"{done}/{wanted}" if wanted is not None else at_once,
        _duration(status, now),
        age_of(raw, now),
        *template_containers(member(spec, "template")),
        selector_or_none(spec.get("selector")),
    ]


def _job_state(raw: JsonObject) -> str:
    states = [("Complete", "Complete"), ("Failed", "Failed")]
    for kind, word in states:
        if _holds(raw, kind):
            return word
    if "deletionTimestamp" in member(raw, "metadata"):
        return "Terminating"
    return next((word for kind, word in _JOB_STATES if _holds(raw, kind)), "Running")


def _holds(raw: JsonObject, kind: str) -> bool:
    found = condition(raw, kind)
    return found is not None and found.get("status") == "True"


def _duration(status: JsonObject, now: float) -> str:
    start, end = text_of(status, "startTime"), text_of(status, "completionTime")
    if not start:
        return ""
    return human_duration((seconds(end) if end else now) - seconds(start))


def _cron_job(raw: JsonObject, now: float) -> list[Json]:
    spec, status = member(raw, "spec"), member(raw, "status")
    job = member(member(spec, "jobTemplate"), "spec")
    return [
        name_of(raw),
        text_of(spec, "schedule"),
        text_of(spec, "timeZone", NONE),
        truth(spec.get("suspend")),
        len(objects_of(status, "active")),
        since(status.get("lastScheduleTime"), now, NONE),
        age_of(raw, now),
        *template_containers(member(job, "template")),
        selector_or_none(job.get("selector")),
    ]


def _controller_revision(raw: JsonObject, now: float) -> list[Json]:
    owner = next(
        (each for each in objects_of(member(raw, "metadata"), "ownerReferences") if each.get("controller")), {}
    )
    kind, group = text_of(owner, "kind"), text_of(owner, "apiVersion").rpartition("/")[0]
    full = f"{kind}.{group}" if group else kind
    return [
        name_of(raw),
        f"{full.lower()}/{text_of(owner, 'name')}" if owner else NONE,
        number_of(raw, "revision"),
        age_of(raw, now),
    ]


_COUNTS = (integer("Desired"), integer("Current"), integer("Ready"))
_SELECTOR = wide("Selector")

WORKLOADS: dict[tuple[str, str], Printer] = {
    ("", "PodTemplate"): Printer(
        (NAME, Column("Containers"), Column("Images"), Column("Pod Labels")), _pod_template
    ),
    ("", "ReplicationController"): Printer((NAME, *_COUNTS, AGE, *CONTAINERS, _SELECTOR), _replication_controller),
    ("apps", "ReplicaSet"): Printer((NAME, *_COUNTS, AGE, *CONTAINERS, _SELECTOR), _replica_set),
    ("apps", "Deployment"): Printer(
        (NAME, Column("Ready"), Column("Up-to-date"), Column("Available"), AGE, *CONTAINERS, _SELECTOR), _deployment
    ),
    ("apps", "StatefulSet"): Printer((NAME, Column("Ready"), AGE, *CONTAINERS), _stateful_set),
    ("apps", "DaemonSet"): Printer(
        (
            NAME, *_COUNTS, integer("Up-to-date"), integer("Available"), Column("Node Selector"), AGE, *CONTAINERS,
            _SELECTOR,
        ),
        _daemon_set,
    ),
    ("apps", "ControllerRevision"): Printer(
        (NAME, Column("Controller"), Column("Revision"), AGE), _controller_revision
    ),
    ("batch", "Job"): Printer(
        (NAME, Column("Status"), Column("Completions"), Column("Duration"), AGE, *CONTAINERS, _SELECTOR), _job
    ),
    ("batch", "CronJob"): Printer(
        (
            NAME, Column("Schedule"), Column("Timezone"), boolean("Suspend"), integer("Active"),
            Column("Last Schedule"), AGE, *CONTAINERS, _SELECTOR,
        ),
        _cron_job,
    ),
    ("policy", "PodDisruptionBudget"): POD_DISRUPTION_BUDGET,
    ("autoscaling", "HorizontalPodAutoscaler"): HORIZONTAL_POD_AUTOSCALER,
}  # fmt: skip
"""By group and kind."""
