"""PodDisruptionBudgets.

Specification: Kubernetes, pkg/apis/policy/validation and the strategy in pkg/registry/policy/poddisruptionbudget. How
many Pods must stay, or how many may go, not both; as a number or as a percentage.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.decision import Decision, merge
from podward.documents.raw_fields import member
from podward.schema.strategies import conditions, workloads
from podward.schema.strategies.int_or_percent import at_most_all, positive
from podward.schema.strategies.internal_json import internal
from podward.schema.strategies.kind import anew, keeping_status, new_without_status
from podward.schema.strategies.strategy import Strategy
from podward.schema.strategies.workloads import SPEC, STATUS, not_negative
from podward.schema.validation.field import invalid_value, unsupported
from podward.schema.validation.raw import pointer
from podward.schema.validation.table import WALKS
from podward.schema.validation.walk import Scope

if TYPE_CHECKING:
    from podward.api.json_value import JsonObject

_EVICTION = ("AlwaysAllow", "IfHealthyBudget")
_COUNTS = ("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods")


def _budget(obj: JsonObject) -> Decision:
    spec = member(obj, "spec")
    found: list[Decision] = []
    if spec.get("minAvailable") is not None and spec.get("maxUnavailable") is not None:
        printed = internal("policy.PodDisruptionBudgetSpec", spec)
        found.append(invalid_value(SPEC, printed, "minAvailable and maxUnavailable cannot be both set"))
    for name in ("minAvailable", "maxUnavailable"):
        value = spec.get(name)
        if value is not None:
            found += [positive(value, SPEC / name), at_most_all(value, SPEC / name)]
    selector = spec.get("selector")
    if isinstance(selector, dict):
        found.append(WALKS["LabelSelector"](selector, Scope(WALKS, "", obj), SPEC / "selector"))
    policy = pointer(spec, "unhealthyPodEvictionPolicy")
    if policy is not None and policy not in _EVICTION:
        found.append(unsupported(SPEC / "unhealthyPodEvictionPolicy", policy, _EVICTION))
    return merge(*found)


def _status(obj: JsonObject, _old: JsonObject) -> Decision:
    status = member(obj, "status")
    return conditions.check(status, STATUS / "conditions") + not_negative(status, _COUNTS, STATUS)


BUDGET = Strategy(
    validate=_budget,
    validate_update=anew(_budget),
    prepare_for_create=new_without_status,
    prepare_for_update=keeping_status,
    allow_unconditional_update=False,
)
BUDGET_STATUS = Strategy(
    validate_update=_status,
    prepare_for_update=workloads.keeping_spec(),
    allow_unconditional_update=False,
)
