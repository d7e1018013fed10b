"""ResourceQuota: whether a request fits into what is left of a namespace's quotas, and what it leaves of them.

Specification: Kubernetes, k8s.io/apiserver, pkg/admission/plugin/resourcequota, CheckRequest. What counts is a quota's
status: its hard limits and what is used. An update counts for what it adds; a status counts but is never refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from podward.api import status
from podward.api.admission import AdmissionRequest, GroupResource, Operation
from podward.api.json_value import JsonObject
from podward.api.quantity import Quantity
from podward.api.status import Status
from podward.documents.raw_fields import member, objects
from podward.schema.validation.raw import text, texts
from podward.schema.validation.resources import amounts
from podward.stages.admission.quota_usage import COMPUTED, Rules, Usage, computed, rules_of
from podward.stages.admission.settings import QuotaLimit

_NONE = Quantity(0)


def concerns(request: AdmissionRequest) -> bool:
    """Whether quotas may have a say."""
    if not request.namespace or request.object is None or request.resource.resource == "namespaces":
        return False
    rules = rules_of(request.resource)
    return rules is not None and rules.handles(request)


def charged(request: AdmissionRequest, quotas: Iterable[JsonObject]) -> tuple[JsonObject, ...] | Status:
    """The quotas that the request takes from, with what is used after it, or why it does not fit."""
    rules, obj = rules_of(request.resource), request.object
    if rules is None or obj is None:
        return ()
    matching: list[JsonObject] = []
    for quota in quotas:
        if not _matches(quota, rules, obj):
            continue
        if why := _unusable(quota, request, rules):
            return _refused(request, why)
        matching.append(quota)
    if not matching:
        return ()
    usage = rules.usage(obj)
    negative = sorted(name for name, amount in usage.items() if amount.units < 0)
    if negative:
        return _refused(request, f"quota usage is negative for resource(s): {','.join(negative)}")
    found: list[JsonObject] = []
    for quota in matching:
        taken = _taken(quota, request, rules, usage)
        if isinstance(taken, Status):
            return taken
        if taken is not None:
            found.append(taken)
    return tuple(found)


def uncovered(request: AdmissionRequest, quotas: Iterable[JsonObject], limits: Iterable[QuotaLimit]) -> Status | None:
    """Why the request takes what nothing gives: what is limited by configuration may only come from a quota."""
    about = [each for each in limits if GroupResource(each.group, each.resource) == request.resource]
    rules, obj = rules_of(request.resource), request.object
    if not about or rules is None or obj is None:
        return None
    named = {
        name
        for name, amount in rules.usage(obj).items()
        if amount.units > 0 and any(part in name for limit in about for part in limit.contains)
    }
    for quota in quotas:
        if _matches(quota, rules, obj):
            named -= set(_hard(quota))
    if not named:
        return None
    return _refused(request, f"insufficient quota to consume: {','.join(sorted(named))}")


def _refused(request: AdmissionRequest, why: str) -> Status:
    return status.forbidden(request.resource, request.told_name, why)


def _hard(quota: JsonObject) -> dict[str, Quantity]:
    return amounts(member(quota, "status"), "hard")


def _matches(quota: JsonObject, rules: Rules, obj: JsonObject) -> bool:
    return any(map(rules.concerns, _hard(quota))) and in_scopes(quota, rules, obj)


def in_scopes(quota: JsonObject, rules: Rules, obj: JsonObject) -> bool:
    """Whether an object is in all scopes of a quota."""
    spec = member(quota, "spec")
    if not all(rules.in_scope(name, "Exists", (), obj) for name in texts(spec, "scopes")):
        return False
    return all(
        rules.in_scope(text(each, "scopeName"), text(each, "operator"), tuple(texts(each, "values")), obj)
        for each in objects(member(spec, "scopeSelector"), "matchExpressions")
    )


def _unusable(quota: JsonObject, request: AdmissionRequest, rules: Rules) -> str:
    """What is missing: in the Pod, or in the quota's status; empty where nothing is."""
    name = member(quota, "metadata").get("name")
    about = sorted(filter(rules.concerns, _hard(quota)))
    if request.resource.resource == "pods" and (missing := _unspecified(request.object or {}, about)):
        return f"failed quota: {name}: must specify {missing}"
    used = amounts(member(quota, "status"), "used")
    unknown = any(each not in used for each in about)
    return f"status unknown for quota: {name}, resources: {','.join(about)}" if unknown else ""


def _unspecified(pod: JsonObject, about: Iterable[str]) -> str:
    spec = member(pod, "spec")
    whole = member(spec, "resources")
    if whole.get("requests") or whole.get("limits"):
        return ""
    required = COMPUTED.intersection(about)
    missing: dict[str, set[str]] = {}
    for container in (*objects(spec, "containers"), *objects(spec, "initContainers")):
        own = member(container, "resources")
        for name in required - computed(amounts(own, "requests"), amounts(own, "limits")).keys():
            missing.setdefault(name, set()).add(text(container, "name"))
    return "; ".join(f"{name} for: {','.join(sorted(missing[name]))}" for name in sorted(missing))


def _taken(quota: JsonObject, request: AdmissionRequest, rules: Rules, usage: Usage) -> JsonObject | Status | None:
    """The quota as the request leaves it; None where it takes nothing from it."""
    old = request.old_object
    delta = usage
    if request.operation is Operation.UPDATE and old is not None and _matches(quota, rules, old):
        delta = _added(usage, rules.usage(old))
    hard, state = _hard(quota), member(quota, "status")
    used = amounts(state, "used")
    asked = {name: amount for name, amount in delta.items() if amount.units and name in hard}
    if not asked:
        return None
    after = {name: used.get(name, _NONE).plus(amount) for name, amount in asked.items()}
    exceeded = sorted(name for name, amount in after.items() if amount.units > hard[name].units)
    if exceeded and request.subresource != "status":
        shown = (_shown(exceeded, asked.get), _shown(exceeded, used.get), _shown(exceeded, hard.get))
        name = member(quota, "metadata").get("name")
        return _refused(
            request, f"exceeded quota: {name}, requested: {shown[0]}, used: {shown[1]}, limited: {shown[2]}"
        )
    written: JsonObject = {**member(state, "used"), **{name: str(amount) for name, amount in after.items()}}
    return {**quota, "status": {**state, "used": written}}


def _added(usage: Usage, before: Usage) -> Usage:
    return {
        name: Quantity(max(amount.units - before.get(name, _NONE).units, 0), amount.form)
        for name, amount in usage.items()
    }


def _shown(names: Iterable[str], amount: Callable[[str], Quantity | None]) -> str:
    return ",".join(f"{name}={amount(name)}" for name in names)
