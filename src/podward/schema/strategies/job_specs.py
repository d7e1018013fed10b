"""The spec of a Job, be it a Job's own or in the template of a CronJob.

Specification: Kubernetes, validateJobSpec and its parts in pkg/apis/batch/validation. Indexed Jobs have limits of their
own where they are large; policies about failing and succeeding look at containers, exit codes and indexes of the same
spec.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from podward.api.gotext import quote
from podward.decision import Decision, merge
from podward.documents.raw_fields import member, objects
from podward.schema.strategies import templates
from podward.schema.strategies.internal_json import internal
from podward.schema.strategies.paths import domain_prefixed
from podward.schema.strategies.schedules import integer_fault
from podward.schema.strategies.workloads import not_negative
from podward.schema.validation.field import (
    NOTHING,
    Place,
    each,
    invalid,
    invalid_value,
    refused,
    required,
    too_long,
    too_many,
    unsupported,
)
from podward.schema.validation.labels import key_faults
from podward.schema.validation.raw import number, pointer, text

if TYPE_CHECKING:
    from podward.api.json_value import Json, JsonObject

_COUNTS = (
    "parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished",
    "backoffLimitPerIndex", "maxFailedIndexes",
)  # fmt: skip
_MOST_PARALLEL, _MOST_FAILED, _MANY, _LESS = 100_000, 100_000, 100_000, 10_000
_MOST_RULES, _MOST_CODES, _MOST_PATTERNS, _LONGEST_INDEXES, _LONGEST_MANAGER = 20, 255, 20, 64 * 1024, 63
_ACTIONS = ("Count", "FailIndex", "FailJob", "Ignore")
_OPERATORS, _STATUSES, _RESTARTS = ("In", "NotIn"), ("False", "True", "Unknown"), ("OnFailure", "Never")
_INDEXED, _NOT_INDEXED = "Indexed", "requires indexed completion mode"


def check(spec: JsonObject, at: Place) -> Decision:
    """Everything that is asked of both."""
    found = [not_negative(spec, _COUNTS, at)]
    if spec.get("maxFailedIndexes") is not None and spec.get("backoffLimitPerIndex") is None:
        found.append(required(at / "backoffLimitPerIndex", "when maxFailedIndexes is specified"))
    manager = pointer(spec, "managedBy")
    if manager is not None:
        found.append(domain_prefixed(manager, at / "managedBy"))
        if len(manager.encode()) > _LONGEST_MANAGER:
            found.append(too_long(at / "managedBy", "", _LONGEST_MANAGER))
    found += [_mode(spec, at), _policies(spec, at), templates.check(member(spec, "template"), at / "template")]
    return merge(*found, _restarts(spec, at / "template" / "spec" / "restartPolicy"))


def _mode(spec: JsonObject, at: Place) -> Decision:
    mode, found = pointer(spec, "completionMode"), NOTHING
    if mode not in {None, "NonIndexed", _INDEXED}:
        found = unsupported(at / "completionMode", mode or "", ("NonIndexed", _INDEXED))
    if mode == _INDEXED:
        found += _indexed(spec, at)
    elif mode in {None, "NonIndexed"}:
        for name in ("backoffLimitPerIndex", "maxFailedIndexes"):
            if spec.get(name) is not None:
                found += invalid(at / name, number(spec, name), _NOT_INDEXED)
    return found


def _indexed(spec: JsonObject, at: Place) -> Decision:
    completions, failed = spec.get("completions"), spec.get("maxFailedIndexes")
    parallel, most, found = number(spec, "parallelism"), number(spec, "maxFailedIndexes"), NOTHING
    if completions is None:
        found = required(at / "completions", "when completion mode is Indexed")
    if parallel > _MOST_PARALLEL:
        detail = f"must be less than or equal to {_MOST_PARALLEL} when completion mode is Indexed"
        found += invalid(at / "parallelism", parallel, detail)
    if failed is not None:
        if completions is not None and most > number(spec, "completions"):
            found += invalid(at / "maxFailedIndexes", most, "must be less than or equal to completions")
        if most > _MOST_FAILED:
            found += invalid(at / "maxFailedIndexes", most, f"must be less than or equal to {_MOST_FAILED}")
    if number(spec, "completions") > _MANY and spec.get("backoffLimitPerIndex") is not None:
        if failed is None:
            detail = f"must be specified when completions is above {_MANY}"
            found += required(at / "maxFailedIndexes", detail)
        for name, value in (("parallelism", parallel), ("maxFailedIndexes", most)):
            if value > _LESS:
                limit = f"must be less than or equal to {_LESS} when completions are above {_MANY}"
                found += invalid(at / name, value, f"{limit} and used with backoff limit per index")
    return found


def _policies(spec: JsonObject, at: Place) -> Decision:
    found: list[Decision] = []
    failure, success = spec.get("podFailurePolicy"), spec.get("successPolicy")
    if isinstance(failure, dict):
        found.append(_failure(spec, failure, at / "podFailurePolicy" / "rules"))
    if isinstance(success, dict):
        place = at / "successPolicy"
        if pointer(spec, "completionMode") == _INDEXED:
            found.append(_success(spec, success, place / "rules"))
        else:
            found.append(invalid_value(place, internal("batch.SuccessPolicy", success), _NOT_INDEXED))
    replacement = pointer(spec, "podReplacementPolicy")
    known = ("Failed",) if isinstance(failure, dict) else ("Failed", "TerminatingOrFailed")
    if replacement is not None and replacement not in known:
        found.append(unsupported(at / "podReplacementPolicy", replacement, known))
    return merge(*found)


def _restarts(spec: JsonObject, at: Place) -> Decision:
    policy = text(member(member(spec, "template"), "spec"), "restartPolicy")
    if policy in {"", "Always"}:
        return required(at, 'valid values: "OnFailure", "Never"')
    if policy not in _RESTARTS:
        return unsupported(at, policy, _RESTARTS)
    if spec.get("podFailurePolicy") is not None and policy != "Never":
        return invalid(at, policy, 'only "Never" is supported when podFailurePolicy is specified')
    return NOTHING


# --- when a Pod fails -------------------------------------------------------------------------------------------------


def _failure(spec: JsonObject, policy: JsonObject, at: Place) -> Decision:
    rules, pod = objects(policy, "rules"), member(member(spec, "template"), "spec")
    lists = (objects(pod, "containers"), objects(pod, "initContainers"))
    names = frozenset(text(container, "name") for listed in lists for container in listed)
    found = [too_many(at, len(rules), _MOST_RULES)] if len(rules) > _MOST_RULES else []
    found += [_failure_rule(spec, rule, names, at / index) for index, rule in enumerate(rules)]
    return merge(*found)


def _listed(words: Sequence[str]) -> str:
    """As Go's `%q` prints a list."""
    return f"[{' '.join(map(quote, words))}]"


def _failure_rule(spec: JsonObject, rule: JsonObject, names: frozenset[str], at: Place) -> Decision:
    action, found = text(rule, "action"), NOTHING
    if not action:
        found = required(at / "action", f"valid values: {_listed(_ACTIONS)}")
    elif action == "FailIndex":
        if spec.get("backoffLimitPerIndex") is None:
            found = invalid(at / "action", action, "requires the backoffLimitPerIndex to be set")
    elif action not in _ACTIONS:
        found = unsupported(at / "action", action, _ACTIONS)
    codes, patterns = rule.get("onExitCodes"), objects(rule, "onPodConditions")
    if isinstance(codes, dict):
        found += _codes(codes, names, at / "onExitCodes")
    if patterns:
        found += _patterns(patterns, at / "onPodConditions")
    both = isinstance(codes, dict) and patterns
    if both or not (isinstance(codes, dict) or patterns):
        wrong = "both OnExitCodes and OnPodConditions is not supported"
        detail = wrong if both else "one of OnExitCodes and OnPodConditions is required"
        found += refused(at, None, (f"Invalid value: specifying {detail}",))
    return found


def _codes(codes: JsonObject, names: frozenset[str], at: Place) -> Decision:
    operator, container, found = text(codes, "operator"), pointer(codes, "containerName"), NOTHING
    if not operator:
        found = required(at / "operator", f"valid values: {_listed(_OPERATORS)}")
    elif operator not in _OPERATORS:
        found = unsupported(at / "operator", operator, _OPERATORS)
    if container is not None and container not in names:
        detail = "must be one of the container or initContainer names in the pod template"
        found += invalid(at / "containerName", container, detail)
    written = codes.get("values")
    values = [value for value in written if type(value) is int] if isinstance(written, list) else []
    return found + _values(values, operator, at / "values")


def _values(values: list[int], operator: str, at: Place) -> Decision:
    found, shown, seen = NOTHING, _json(values), set[int]()
    if not values:
        found = invalid_value(at, shown, "at least one value is required")
    elif len(values) > _MOST_CODES:
        found = too_many(at, len(values), _MOST_CODES)
    for index, value in enumerate(values):
        if operator == "In" and value == 0:
            found += invalid(at / index, value, "must not be 0 for the In operator")
        if value in seen:
            found += refused(at / index, value, (f"Duplicate value: {value}",))
        seen.add(value)
    return found if sorted(values) == values else found + invalid_value(at, shown, "must be ordered")


def _json(values: list[int]) -> Json:
    return [*values] if values else None


def _patterns(patterns: Sequence[JsonObject], at: Place) -> Decision:
    found = [too_many(at, len(patterns), _MOST_PATTERNS)] if len(patterns) > _MOST_PATTERNS else []
    for index, pattern in enumerate(patterns):
        place, kind, status = at / index, text(pattern, "type"), text(pattern, "status")
        found.append(each(place / "type", kind, key_faults(kind)))
        if not status:
            found.append(required(place / "status", f"valid values: {_listed(_STATUSES)}"))
        elif status not in _STATUSES:
            found.append(unsupported(place / "status", status, _STATUSES))
    return merge(*found)


# --- when a Job has succeeded -----------------------------------------------------------------------------------------


def _success(spec: JsonObject, policy: JsonObject, at: Place) -> Decision:
    rules, completions = objects(policy, "rules"), number(spec, "completions")
    found: list[Decision] = []
    if not rules:
        detail = "at least one rules must be specified when the successPolicy is specified"
        found.append(required(at, detail))
    if len(rules) > _MOST_RULES:
        found.append(too_many(at, len(rules), _MOST_RULES))
    found += [_success_rule(rule, completions, at / index) for index, rule in enumerate(rules)]
    return merge(*found)


def _success_rule(rule: JsonObject, completions: int, at: Place) -> Decision:
    written, indexes, found, total = rule.get("succeededCount"), pointer(rule, "succeededIndexes"), NOTHING, 0
    if written is None and indexes is None:
        found = required(at, "at least one of succeededCount or succeededIndexes must be specified")
    if indexes is not None:
        place = at / "succeededIndexes"
        if len(indexes.encode()) > _LONGEST_INDEXES:
            found += too_long(place, "", _LONGEST_INDEXES)
        total, fault = count_indexes(indexes, completions)
        if fault:
            found += invalid(place, indexes, f"error parsing succeededIndexes: {fault}")
    if written is None:
        return found
    count, place = number(rule, "succeededCount"), at / "succeededCount"
    found += not_negative(rule, ("succeededCount",), at)
    for most, what, asked in (
        (completions, "specified completions", True),
        (total, "indexes in the specified succeededIndexes field", indexes is not None),
    ):
        if asked and count > most:
            found += invalid(place, count, f"must be less than or equal to {most} (the number of {what})")
    return found


def count_indexes(indexes: str, completions: int) -> tuple[int, str]:
    """How many indexes a text such as `1,3-5` has; or what is wrong with it."""
    total, last = 0, -1
    for interval in indexes.split(",") if indexes else ():
        first, final, fault = interval_of(interval, completions)
        if fault:
            return 0, fault
        if last >= first and total:
            return 0, f"non-increasing order, previous: {last}, current: {first}"
        total, last = total + final - first + 1, final
    return total, ""


def interval_of(interval: str, completions: int) -> tuple[int, int, str]:
    """The first and the last index of an interval, or what is wrong with it."""
    limits = interval.split("-")
    if len(limits) > 2:
        requirement = "an index interval can have at most two parts separated by '-'"
        return 0, 0, f"the fragment {quote(interval)} violates the requirement that {requirement}"
    ends: list[int] = []
    for limit in limits:
        if integer_fault(limit):
            return 0, 0, f"cannot convert string to integer for index: {quote(limit)}"
        if int(limit) >= completions:
            return 0, 0, f"too large index: {quote(limit)}"
        ends.append(int(limit))
    if len(ends) > 1 and ends[0] >= ends[1]:
        return 0, 0, f"non-increasing order, previous: {ends[0]}, current: {ends[1]}"
    return ends[0], ends[-1], ""
