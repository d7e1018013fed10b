"""The Pods that a Job makes, and those of it that count.

Specification: Kubernetes, pkg/controller/job manageJob and indexed_job_utils.go: the tracking finalizer on each; of an
indexed Job the index as annotation, label, environment variable and end of the hostname, and how often it has failed.
"""

from __future__ import annotations

from podward.api.json_value import Json, JsonObject
from podward.controllers.apps.ownership import name_of
from podward.controllers.apps.pods import made_from
from podward.controllers.jobs.indexes import INDEX, count_in
from podward.controllers.jobs.policies import failure_of
from podward.documents.raw_fields import member, objects
from podward.schema.validation.raw import texts

FINALIZER = "batch.kubernetes.io/job-tracking"
FAILURES, IGNORED = "batch.kubernetes.io/job-index-failure-count", "batch.kubernetes.io/job-index-ignored-failure-count"
_VARIABLE = "JOB_COMPLETION_INDEX"
_LONGEST = 58
"""How long the part of a name may be to which the server adds."""


def is_indexed(job: JsonObject) -> bool:
    """Whether each completion of the Job has an index."""
    return member(job, "spec").get("completionMode") == "Indexed"


def limit_of_index(job: JsonObject) -> int | None:
    """How often each index may fail, where each is counted by itself."""
    found = member(job, "spec").get("backoffLimitPerIndex")
    return found if isinstance(found, int) else None


def is_tracked(pod: JsonObject) -> bool:
    """Whether the Pod is not counted yet."""
    return FINALIZER in texts(member(pod, "metadata"), "finalizers")


def made(job: JsonObject, index: int | None, replaced: JsonObject | None) -> JsonObject:
    """A Pod of the Job. `replaced` is the one whose failures of this index are carried on."""
    pod = made_from(member(member(job, "spec"), "template"), job)
    metadata, spec = member(pod, "metadata"), member(pod, "spec")
    finalizers: list[Json] = [*texts(metadata, "finalizers")]
    if FINALIZER not in finalizers:
        finalizers.append(FINALIZER)
    metadata["finalizers"] = finalizers
    if not is_indexed(job):
        return pod
    for container in (*objects(spec, "initContainers"), *objects(spec, "containers")):
        _tell_index(container)
    if index is None:
        return pod
    notes: JsonObject = {**member(metadata, "annotations"), INDEX: str(index)}
    metadata["labels"] = {**member(metadata, "labels"), INDEX: str(index)}
    metadata["generateName"] = _prefix(name_of(job), index)
    spec["hostname"] = f"{name_of(job)}-{index}"
    if limit_of_index(job) is not None:
        failed, ignored = _counts(job, replaced)
        notes[FAILURES] = str(failed)
        if ignored:
            notes[IGNORED] = str(ignored)
    metadata["annotations"] = notes
    return pod


def _tell_index(container: JsonObject) -> None:
    variables: list[Json] = [*objects(container, "env")]
    if any(isinstance(each, dict) and each.get("name") == _VARIABLE for each in variables):
        return
    source: JsonObject = {"fieldRef": {"fieldPath": f"metadata.labels['{INDEX}']"}}
    container["env"] = [*variables, {"name": _VARIABLE, "valueFrom": source}]


def _prefix(name: str, index: int) -> str:
    end = f"-{index}-"
    return name[: _LONGEST - len(end)] + end


def _counts(job: JsonObject, replaced: JsonObject | None) -> tuple[int, int]:
    if replaced is None:
        return 0, 0
    failed, ignored = count_in(replaced, FAILURES), count_in(replaced, IGNORED)
    return (failed + 1, ignored) if failure_of(job, replaced).counts else (failed, ignored + 1)
