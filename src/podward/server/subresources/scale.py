"""The `scale` of Deployments, ReplicaSets, StatefulSets and ReplicationControllers.

Specification: Kubernetes, the ScaleREST of pkg/registry/apps and core/replicationcontroller: what is read, replaced,
patched and applied is a Scale, made of the stored object; what is stored is the object with its replicas.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import structs

from podward.api import status
from podward.api.admission import GroupResource
from podward.api.json_value import JsonObject
from podward.api.status import Status
from podward.schema.apply.scale import SCALE_VERSION
from podward.schema.scaling import (
    WORKLOAD,
    ScalePaths,
    fault_of,
    managed_scale_of,
    missing_replicas,
    scale_of,
    scaled,
)
from podward.server import decoding, registry
from podward.server.encoding import decoded
from podward.server.options import WriteOptions, write_options
from podward.server.replies import object_reply
from podward.server.request import Answer, Request
from podward.server.scope import Scope
from podward.server.verbs.patch import applied, placed
from podward.server.verbs.patching import Applying, patch_of
from podward.server.verbs.writing import managed, mutated, validated

Make = Callable[[JsonObject], "JsonObject | Status"]
"""The new Scale, of the one before."""


async def handle(scope: Scope, request: Request) -> Answer:
    """Read, replace, patch or apply a Scale."""
    if request.method in {"GET", "HEAD"}:
        stored = await scope.parts.store.get(scope.key(request.info.namespace, request.info.name))
        if stored is None:
            return status.not_found(scope.group_resource, request.info.name)
        obj, paths = await scope.read(decoded(stored)), _paths(scope)
        if isinstance(obj, Status):
            return obj
        if scope.custom is not None and (missing := missing_replicas(obj, paths)):
            return status.internal_error(missing)
        return object_reply(scope, request, 200, scale_of(obj, paths))
    scale = _scale_scope(scope)
    made = await (_replacing if request.method == "PUT" else _patching)(scale, request)
    return made if isinstance(made, Status) else await _stored(scope, scale, request, *made)


def _paths(scope: Scope) -> ScalePaths:
    """Where the object has its replicas."""
    return (scope.custom.scale_paths if scope.custom is not None else None) or WORKLOAD


def _scale_scope(scope: Scope) -> Scope:
    """The scope of writes of Scales: as the object's, but of another kind."""
    found = Scope(scope.parts, scope.resource, scope.subresource)
    found.custom = None
    found.resource = structs.replace(scope.resource, group="autoscaling", version="v1", kind="Scale")
    return found


async def _replacing(scale: Scope, request: Request) -> tuple[Make, WriteOptions] | Status:
    options = write_options(request.query, "UpdateOptions")
    if isinstance(options, Status):
        return options
    sent = await decoding.kind_of(request, options.validation, SCALE_VERSION, "Scale")
    if isinstance(sent, Status):
        return sent
    obj = placed(scale, request, sent, sent)
    if isinstance(obj, Status):
        return obj
    manager = request.manager(options.manager)
    return lambda old: managed(scale, manager, old, obj), options


async def _patching(scale: Scope, request: Request) -> tuple[Make, WriteOptions] | Status:
    sent = await patch_of(scale, request)
    if isinstance(sent, Status):
        return sent
    patch, options = sent
    if isinstance(patch, Applying):
        return lambda old: applied(scale, request, patch, old), options
    manager = request.manager(options.manager)

    def make(old: JsonObject) -> JsonObject | Status:
        found = patch.applied_to(old, request)
        return found if isinstance(found, Status) else placed(scale, request, managed(scale, manager, old, found), old)

    return make, options


async def _stored(scope: Scope, scale: Scope, request: Request, make: Make, options: WriteOptions) -> Answer:
    """Store the object that the new Scale makes."""
    paths = _paths(scope)

    async def transform(old: JsonObject | None) -> JsonObject | Status:
        if old is None:
            return status.not_found(scope.group_resource, request.info.name)
        before = managed_scale_of(old, paths)
        made = make(before)
        made = made if isinstance(made, Status) else await mutated(scale, request, made, before, options)
        if isinstance(made, Status):
            return made
        fault = fault_of(made) if scope.custom is None else ""
        if fault:
            return status.invalid_for("Scale", "autoscaling", request.info.name, [("spec.replicas", fault)])
        other = registry.other_uid(made, old)
        if other:
            resource = GroupResource(scope.resource.group, f"{scope.resource.plural}/scale")
            return status.conflict(resource, request.info.name, other)
        return scaled(old, made, paths)

    async def check(new: JsonObject, old: JsonObject | None) -> Status | None:
        return await validated(scale, request, scale_of(new, paths), scale_of(old or new, paths), options)

    main = Scope(scope.parts, scope.resource)
    written = await registry.update(registry.Change(main, request, transform, check, options.dry_run))
    if isinstance(written, Status):
        return written
    return object_reply(scope, request, 200, scale_of(written.object, paths))
