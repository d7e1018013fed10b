"""Deployments, ReplicaSets and ReplicationControllers.

Specification: Kubernetes, ValidateDeploymentSpec, ValidateReplicaSetSpec, ValidateReplicationControllerSpec, their
updates and statuses, and the strategies of the three. The server says "deployment" of a ReplicaSet's empty selector,
and "ReplicaSet" of a Deployment's deadline.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.decision import Decision, merge
from podward.documents.raw_fields import member
from podward.schema.strategies import names, object_meta, templates, workloads
from podward.schema.strategies.equality import same
from podward.schema.strategies.int_or_percent import amount, at_most_all, positive
from podward.schema.strategies.kind import anew, changes, in_order, next_generation
from podward.schema.strategies.strategy import Strategy
from podward.schema.strategies.workloads import SPEC, STATUS, not_negative
from podward.schema.validation.field import NOTHING, Place, forbidden, invalid, refused, required
from podward.schema.validation.internal import go_json
from podward.schema.validation.names import subdomain_faults
from podward.schema.validation.raw import number, text

if TYPE_CHECKING:
    from podward.api.json_value import Json, JsonObject

_EMPTY = "empty selector is invalid for deployment"
_MORE = "cannot be greater than status.replicas"
_UNREADY = "cannot be greater than readyReplicas"
_OWN_META = object_meta.new(names.SUBDOMAIN, namespaced=True)


def _deployment(obj: JsonObject) -> Decision:
    spec = member(obj, "spec")
    return merge(
        not_negative(spec, ("replicas",), SPEC),
        workloads.selector(spec, SPEC, _EMPTY),
        workloads.template(spec, SPEC, "ReplicaSet", "invalid label selector"),
        _strategy(member(spec, "strategy"), SPEC / "strategy"),
        not_negative(spec, ("minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"), SPEC),
        _deadline(spec),
    )


def _strategy(strategy: JsonObject, at: Place) -> Decision:
    kind, rolling = text(strategy, "type"), strategy.get("rollingUpdate")
    if kind == "Recreate":
        detail = "may not be specified when strategy `type` is 'Recreate'"
        return NOTHING if rolling is None else forbidden(at / "rollingUpdate", detail)
    if kind == "RollingUpdate":
        if not isinstance(rolling, dict):
            return required(at / "rollingUpdate", "this should be defaulted and never be nil")
        return _rolling(rolling, at / "rollingUpdate")
    printed: Json = {"Type": kind, "RollingUpdate": _shown(rolling) if isinstance(rolling, dict) else None}
    known = '"Recreate", "RollingUpdate"'
    return refused(at, printed, (f"Unsupported value: {go_json(printed)}: supported values: {known}",))


def _shown(rolling: JsonObject) -> JsonObject:
    return {name[0].upper() + name[1:]: rolling.get(name, 0) for name in ("maxUnavailable", "maxSurge")}


def _rolling(rolling: JsonObject, at: Place) -> Decision:
    unavailable, surge = rolling.get("maxUnavailable", 0), rolling.get("maxSurge", 0)
    place = at / "maxUnavailable"
    found = [positive(unavailable, place), positive(surge, at / "maxSurge")]
    if amount(unavailable) == 0 and amount(surge) == 0:
        shown = unavailable if isinstance(unavailable, str | int) else 0
        found.append(invalid(place, shown, "may not be 0 when `maxSurge` is 0"))
    return merge(*found, at_most_all(unavailable, place))


def _deadline(spec: JsonObject) -> Decision:
    deadline = spec.get("progressDeadlineSeconds")
    if type(deadline) is not int or deadline > number(spec, "minReadySeconds"):
        return NOTHING
    return invalid(SPEC / "progressDeadlineSeconds", deadline, "must be greater than minReadySeconds")


def _deployment_status(obj: JsonObject, _old: JsonObject) -> Decision:
    status = member(obj, "status")
    return merge(
        not_negative(status, _DEPLOYMENT_COUNTS, STATUS),
        workloads.no_more_than(status, ("updatedReplicas", "readyReplicas", "availableReplicas"), "replicas", _MORE),
        workloads.no_more_than(status, ("availableReplicas",), "readyReplicas", _UNREADY),
    )


_DEPLOYMENT_COUNTS = (
    "observedGeneration", "replicas", "updatedReplicas", "readyReplicas", "availableReplicas", "unavailableReplicas",
    "terminatingReplicas", "collisionCount",
)  # fmt: skip


def _deployment_changed(obj: JsonObject, old: JsonObject) -> JsonObject:
    """Other annotations of a Deployment make another generation too."""
    made = workloads.change(obj, old)
    if same(member(obj, "metadata").get("annotations"), member(old, "metadata").get("annotations")):
        return made
    return next_generation(made, old, "metadata")


DEPLOYMENT = Strategy(
    validate=in_order(_OWN_META, _deployment),
    validate_update=changes(object_meta.changed, anew(_deployment), workloads.same_selector),
    prepare_for_create=workloads.new,
    prepare_for_update=_deployment_changed,
    warnings=workloads.of_name_and_template,
)
DEPLOYMENT_STATUS = Strategy(
    validate_update=changes(object_meta.changed, _deployment_status, workloads.collisions),
    prepare_for_update=workloads.keeping_spec("labels"),
)


def _replica_set(obj: JsonObject) -> Decision:
    spec = member(obj, "spec")
    return merge(
        not_negative(spec, ("replicas", "minReadySeconds"), SPEC),
        workloads.selector(spec, SPEC, _EMPTY),
        workloads.template(spec, SPEC, "ReplicaSet", "invalid label selector"),
    )


def _replica_status(obj: JsonObject, _old: JsonObject) -> Decision:
    status = member(obj, "status")
    counts = ("fullyLabeledReplicas", "readyReplicas", "availableReplicas")
    return merge(
        not_negative(status, ("replicas", *counts, "observedGeneration", "terminatingReplicas"), STATUS),
        workloads.no_more_than(status, counts, "replicas", _MORE),
        workloads.no_more_than(status, ("availableReplicas",), "readyReplicas", _UNREADY),
    )


REPLICA_SET = Strategy(
    validate=in_order(_OWN_META, _replica_set),
    validate_update=changes(object_meta.changed, anew(_replica_set), workloads.same_selector),
    prepare_for_create=workloads.new,
    prepare_for_update=workloads.change,
    warnings=workloads.of_name_and_template,
)
REPLICA_SET_STATUS = Strategy(
    validate_update=changes(object_meta.changed, _replica_status),
    prepare_for_update=workloads.keeping_spec(),
)


def _long_name(name: str) -> tuple[str, ...]:
    """What is wrong with a name, in the words of the rules that are declared with the type."""
    return tuple([fault.replace("253 characters", "253 bytes") for fault in subdomain_faults(name)])


_CONTROLLER_META = object_meta.new(names.NameRule(_long_name, names.segment_prefix_faults), namespaced=True)


def _controller(obj: JsonObject) -> Decision:
    spec = member(obj, "spec")
    found = [not_negative(spec, ("minReadySeconds",), SPEC)]
    chosen, template, place = member(spec, "selector"), spec.get("template"), SPEC / "template"
    if not chosen:
        found.append(required(SPEC / "selector"))
    if spec.get("replicas") is None:
        found.append(required(SPEC / "replicas"))
    found.append(not_negative(spec, ("replicas",), SPEC))
    if not isinstance(template, dict):
        return merge(*found, required(place))
    found.append(workloads.unmatched({"matchLabels": chosen}, template, place))
    found.append(templates.check(template, place))
    return merge(*found, workloads.restarted(template, place, "ReplicationController"))


REPLICATION_CONTROLLER = Strategy(
    validate=in_order(_CONTROLLER_META, _controller),
    validate_update=changes(object_meta.changed, anew(_controller)),
    prepare_for_create=workloads.new,
    prepare_for_update=workloads.change,
    warnings=workloads.of_name_and_template,
    propagation="Orphan",
)
REPLICATION_CONTROLLER_STATUS = REPLICA_SET_STATUS
