"""What a Job's policies say: of a Pod that failed, and of indexes that succeeded.

Specification: Kubernetes, pkg/controller/job pod_failure_policy.go and success_policy.go. The first rule that matches
counts; without one, the failure is counted.
"""

from __future__ import annotations

from msgspec import Struct

from podward.api.json_value import JsonObject
from podward.controllers.apps.ownership import is_going, name_of, namespace_of
from podward.controllers.apps.pods import phase_of
from podward.controllers.jobs.indexes import Intervals, parsed
from podward.documents.raw_fields import member, objects
from podward.schema.validation.raw import pointer, text


class Failure(Struct, frozen=True):
    """What the policy says of a failure: the action, if a rule matched, whether it counts, why the Job fails."""

    action: str = ""
    counts: bool = True
    message: str = ""


def replaces_failed_only(job: JsonObject) -> bool:
    """Whether a Pod is only replaced once it has ended."""
    spec = member(job, "spec")
    return spec.get("podReplacementPolicy") == "Failed" or isinstance(spec.get("podFailurePolicy"), dict)


def has_failed(pod: JsonObject, job: JsonObject) -> bool:
    """Whether the Pod counts as failed: also one that is being deleted, unless the Job waits for its end."""
    phase = phase_of(pod)
    if phase == "Failed":
        return True
    return not replaces_failed_only(job) and is_going(pod) and phase != "Succeeded"


def failure_of(job: JsonObject, pod: JsonObject) -> Failure:
    """What becomes of the failure of this Pod."""
    for index, rule in enumerate(objects(member(member(job, "spec"), "podFailurePolicy"), "rules")):
        action = text(rule, "action")
        said = _matched(rule, pod)
        if not said:
            continue
        if action == "Ignore":
            return Failure(action, counts=False)
        if action == "FailJob":
            return Failure(action, message=f"{said} matching {action} rule at index {index}")
        if action in {"FailIndex", "Count"}:
            return Failure(action)
    return Failure()


def _matched(rule: JsonObject, pod: JsonObject) -> str:
    """What of the Pod a rule is about; empty where it is about nothing."""
    where = f"{namespace_of(pod)}/{name_of(pod)}"
    state = member(pod, "status")
    if isinstance(rule.get("onExitCodes"), dict):
        wanted = member(rule, "onExitCodes")
        for status in (*objects(state, "containerStatuses"), *objects(state, "initContainerStatuses")):
            code = member(member(status, "state"), "terminated").get("exitCode")
            if isinstance(code, int) and _has_code(wanted, text(status, "name"), code):
                return f"Container {text(status, 'name')} for pod {where} failed with exit code {code}"
        return ""
    patterns = {(text(each, "type"), text(each, "status") or "True") for each in objects(rule, "onPodConditions")}
    for condition in objects(state, "conditions"):
        if (text(condition, "type"), text(condition, "status")) in patterns:
            return f"Pod {where} has condition {text(condition, 'type')}"
    return ""


def _has_code(wanted: JsonObject, container: str, code: int) -> bool:
    name, values = pointer(wanted, "containerName"), wanted.get("values")
    if code == 0 or (name is not None and name != container) or not isinstance(values, list):
        return False
    operator = wanted.get("operator")
    return code in values if operator == "In" else operator == "NotIn" and code not in values


def success_of(job: JsonObject, succeeded: Intervals) -> str:
    """Which rule of the success policy is met, in words; empty where none is."""
    spec = member(job, "spec")
    completions = spec.get("completions")
    if not succeeded or not isinstance(completions, int):
        return ""
    for index, rule in enumerate(objects(member(spec, "successPolicy"), "rules")):
        listed, count = pointer(rule, "succeededIndexes"), rule.get("succeededCount")
        least = count if isinstance(count, int) else None
        if listed is not None:
            required = parsed(listed, completions)
            both = required.common(succeeded)
            met = bool(required) and (both == len(required) or (least is not None and both >= least))
        else:
            met = least is not None and len(succeeded) >= least
        if met:
            return f"Matched rules at index {index}"
    return ""
