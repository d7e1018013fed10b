"""Devices: since when their taints are there, and who may have access to devices that others use.

Specification: Kubernetes, pkg/apis/resource/v1 SetDefaults_DeviceTaint and pkg/registry/resource AuthorizedForAdmin:
claims with access of that kind are for namespaces with a label.
"""

from __future__ import annotations

from podward.api.json_value import Json, JsonObject
from podward.decision import Decision
from podward.documents.raw_fields import member, objects
from podward.schema.resources import BY_KIND
from podward.schema.strategies.workloads import SPEC
from podward.schema.validation.field import NOTHING, forbidden
from podward.schema.validation.raw import text
from podward.server.catalog import key_of
from podward.server.encoding import decoded
from podward.server.scope import Scope

_GROUP = "resource.k8s.io"
_NAMESPACE = BY_KIND["v1", "Namespace"]
_LABEL = "resource.kubernetes.io/admin-access"
_UNLABELLED = f"admin access to devices requires the `{_LABEL}: true` label on the containing namespace"


def with_times(scope: Scope, obj: JsonObject) -> JsonObject:
    """A slice whose devices' taints all say when, now where they do not say; any other object as it is."""
    if (scope.resource.group, scope.resource.plural) != (_GROUP, "resourceslices"):
        return obj
    spec, now = member(obj, "spec"), scope.parts.clock.now()
    devices: list[Json] = [_timed(device, now) for device in objects(spec, "devices")]
    return {**obj, "spec": {**spec, "devices": devices}} if devices else obj


def _timed(device: JsonObject, now: str) -> JsonObject:
    taints: list[Json] = [{**taint, "timeAdded": taint.get("timeAdded") or now} for taint in objects(device, "taints")]
    return {**device, "taints": taints} if taints else device


async def refused(scope: Scope, obj: JsonObject) -> Decision:
    """Refuse a new claim, or a template of claims, for devices that are others', in a namespace that has no such."""
    if scope.resource.group != _GROUP or scope.resource.plural not in {"resourceclaims", "resourceclaimtemplates"}:
        return NOTHING
    spec = member(obj, "spec")
    requests = objects(member(member(spec, "spec") if "spec" in spec else spec, "devices"), "requests")
    wanting = [index for index, each in enumerate(requests) if member(each, "exactly").get("adminAccess") is True]
    if not wanting:
        return NOTHING
    stored = await scope.parts.store.get(key_of(_NAMESPACE, "", text(member(obj, "metadata"), "namespace")))
    labels = {} if stored is None else member(member(decoded(stored), "metadata"), "labels")
    if labels.get(_LABEL) == "true":
        return NOTHING
    return forbidden(SPEC / "devices" / "requests" / wanting[0] / "adminAccess", _UNLABELLED)
