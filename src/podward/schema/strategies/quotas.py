"""ResourceQuotas.

Specification: Kubernetes, ValidateResourceQuota, its updates and parts, and the strategies in
pkg/registry/core/resourcequota. Each scope goes with some resources only; the scopes of a quota never change. A quota's
status is a controller's to write.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from podward.api.quantity import parse
from podward.decision import Decision, merge
from podward.documents.raw_fields import member, objects
from podward.path import Key
from podward.schema.strategies import names, object_meta
from podward.schema.strategies.kind import anew, by, changes, in_order, keeping, walks, without
from podward.schema.strategies.strategy import Strategy
from podward.schema.validation.field import NOTHING, ROOT, Place, invalid, invalid_value, refused, required
from podward.schema.validation.raw import text, texts
from podward.schema.validation.resources import HUGE_PAGES, amount_of, amounts, resource_name
from podward.schema.validation.rules import Code, Inside
from podward.schema.validation.walk import CodeRule, Scope

if TYPE_CHECKING:
    from podward.api.json_value import Json, JsonObject

_COMPUTED = frozenset(("cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory"))
_OF_PODS = _COMPUTED | {"pods"}
_STANDARD = _OF_PODS | {
    "ephemeral-storage", "requests.storage", "requests.ephemeral-storage", "limits.ephemeral-storage",
    "resourcequotas", "services", "replicationcontrollers", "secrets", "persistentvolumeclaims", "configmaps",
    "services.nodeports", "services.loadbalancers",
}  # fmt: skip
_SCOPES = {
    "Terminating": _OF_PODS,
    "NotTerminating": _OF_PODS,
    "BestEffort": frozenset(("pods",)),
    "NotBestEffort": _OF_PODS,
    "PriorityClass": _OF_PODS,
    "CrossNamespacePodAffinity": _OF_PODS,
    "VolumeAttributesClass": frozenset(("persistentvolumeclaims", "requests.storage")),
}
"""Each scope, and the resources that it is about."""
_EXISTING = frozenset(("BestEffort", "NotBestEffort", "Terminating", "NotTerminating", "CrossNamespacePodAffinity"))
_OPPOSITES = (frozenset(("BestEffort", "NotBestEffort")), frozenset(("Terminating", "NotTerminating")))
_MUST_EXIST = (
    "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating,"
    " ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity"
)
_MISAPPLIED = "unsupported scope applied to resource"
_PAGES = (HUGE_PAGES, f"requests.{HUGE_PAGES}")


def _is_standard(name: str) -> bool:
    return name in _STANDARD or name.startswith(_PAGES)


def _amounts(field: str) -> CodeRule:
    def check(of: JsonObject, _scope: Scope, at: Place) -> Decision:
        found: list[Decision] = []
        for name, amount in amounts(of, field).items():
            if name in _STANDARD and amount.units >= 0 and amount.units % 10**9 == 0:
                continue
            place = at / field / Key(name)
            if faults := resource_name(name):
                found.append(refused(place, name, faults))
            if "/" not in name and not _is_standard(name):
                found.append(invalid(place, name, "must be a standard resource for quota"))
            found.append(amount_of(name, amount, place))
        return merge(*found) if found else NOTHING

    return check


def _misapplied(scope: str, hard: Iterable[str]) -> int:
    """How many resources of the quota the scope is not about."""
    about = _SCOPES.get(scope)
    return 0 if about is None else sum(1 for name in hard if _is_standard(name) and name not in about)


def _scopes(spec: JsonObject, _scope: Scope, at: Place) -> Decision:
    scopes, place = texts(spec, "scopes"), at / "scopes"
    shown: Json = list(scopes)
    found: list[Decision] = []
    for scope in scopes:
        if scope not in _SCOPES:
            found.append(invalid_value(place, shown, "unsupported scope"))
        found += [invalid_value(place, shown, _MISAPPLIED)] * _misapplied(scope, member(spec, "hard"))
    return merge(*found, _opposites(scopes, shown, place))


def _opposites(scopes: Iterable[str], shown: Json, at: Place) -> Decision:
    present = frozenset(scopes)
    return merge(*[invalid_value(at, shown, "conflicting scopes") for pair in _OPPOSITES if pair <= present])


def _selector(spec: JsonObject, _scope: Scope, at: Place) -> Decision:
    selector, place = member(spec, "scopeSelector"), at / "scopeSelector" / "matchExpressions"
    requirements = objects(selector, "matchExpressions")
    found: list[Decision] = []
    for requirement in requirements:
        scope = text(requirement, "scopeName")
        if scope not in _SCOPES:
            found.append(invalid(place / "scopeName", scope, "unsupported scope"))
        shown: Json = {"MatchExpressions": [_shown(each) for each in requirements]}
        found += [invalid_value(place, shown, _MISAPPLIED)] * _misapplied(scope, member(spec, "hard"))
        found.append(_requirement(requirement, scope, place))
    shown_scopes: Json = list(texts(spec, "scopes")) or None
    return merge(*found, _opposites([text(each, "scopeName") for each in requirements], shown_scopes, place))


def _requirement(requirement: JsonObject, scope: str, at: Place) -> Decision:
    operator, values = text(requirement, "operator"), texts(requirement, "values")
    found: list[Decision] = []
    if scope in _EXISTING and operator != "Exists":
        found.append(invalid(at / "operator", operator, _MUST_EXIST))
    if operator in {"In", "NotIn"}:
        if not values:
            detail = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
            found.append(required(at / "values", detail))
    elif operator in {"Exists", "DoesNotExist"}:
        if values:
            detail = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"
            found.append(invalid_value(at / "values", list(values), detail))
    else:
        found.append(invalid(at / "operator", operator, "not a valid selector operator"))
    return merge(*found)


def _shown(requirement: JsonObject) -> JsonObject:
    values: Json = list(texts(requirement, "values")) or None
    return {"ScopeName": text(requirement, "scopeName"), "Operator": text(requirement, "operator"), "Values": values}


def _same_scopes(obj: JsonObject, old: JsonObject) -> Decision:
    now, before = texts(member(obj, "spec"), "scopes"), texts(member(old, "spec"), "scopes")
    if frozenset(now) == frozenset(before):
        return NOTHING
    return invalid_value(ROOT / "spec" / "scopes", list(now) or None, "field is immutable")


def _warnings(obj: JsonObject, old: JsonObject | None) -> tuple[str, ...]:
    hard = member(member(obj, "spec"), "hard")
    if old is not None or not any(name.startswith("limits.") for name in hard):
        return ()
    found: list[str] = []
    for name in ("cpu", "memory", "storage", "ephemeral-storage"):
        asked, bound = f"requests.{name}", f"limits.{name}"
        if asked not in hard and name in {"cpu", "memory"}:
            asked = name
        if asked in hard and bound in hard:
            request, limit = parse(str(hard[asked])), parse(str(hard[bound]))
            if request.units > limit.units:
                found.append(f"ResourceQuota {asked} ({request}) should be less than {bound} ({limit})")
    return tuple(found)


_WALKS = walks(
    {
        "ResourceQuota": (Inside("spec", "ResourceQuotaSpec"), Inside("status", "ResourceQuotaStatus")),
        "ResourceQuota/spec": (Inside("spec", "ResourceQuotaSpec"),),
        "ResourceQuota/status": (Inside("status", "ResourceQuotaStatus"),),
        "ResourceQuotaSpec": (
            Code(_amounts("hard"), ("hard",)),
            Code(_scopes, ("scopes",)),
            Code(_selector, ("scopeSelector",)),
        ),
        "ResourceQuotaStatus": (Code(_amounts("hard"), ("hard",)), Code(_amounts("used"), ("used",))),
    }
)
RESOURCE_QUOTA = Strategy(
    validate=in_order(object_meta.new(names.SUBDOMAIN, namespaced=True), by("ResourceQuota", _WALKS)),
    validate_update=changes(object_meta.changed, anew(by("ResourceQuota/spec", _WALKS)), _same_scopes),
    prepare_for_create=without("status"),
    prepare_for_update=keeping("status"),
    warnings=_warnings,
)
RESOURCE_QUOTA_STATUS = Strategy(
    validate_update=changes(object_meta.changed, anew(by("ResourceQuota/status", _WALKS))),
    prepare_for_update=keeping("spec"),
)
