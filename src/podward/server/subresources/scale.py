"""`scale`: how many replicas a workload has, as an object of autoscaling/v1 that stands for it.

Specification: Kubernetes, pkg/registry/apps/*/storage ScaleREST: an update of the Scale is one of the workload, whose
validation and version it has; managedFields are the workload's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from podward.api import status
from podward.api.json_value import JsonObject
from podward.api.resource import GroupVersion, Resource
from podward.api.status import Status
from podward.documents.raw_fields import member
from podward.schema.apply.conflicts import Conflicts
from podward.schema.apply.managed import after_apply
from podward.schema.malformed import Malformed
from podward.schema.strategies.flow import with_metadata
from podward.server.decoding import kind_of
from podward.server.encoding import decoded
from podward.server.options import WriteOptions, write_options
from podward.server.registry import Transform
from podward.server.replies import document_reply
from podward.server.request import Answer, Request
from podward.server.scope import Scope
from podward.server.verbs import update
from podward.server.verbs.patching import APPLY, TYPES, Applying, read_patch, refused
from podward.server.verbs.writing import managed, mutated, write_of

_VERSION, _KIND = "autoscaling/v1", "Scale"
_GROUP_VERSION = GroupVersion("autoscaling", "v1")
_SCALES = Resource("autoscaling", "v1", _KIND, "scales", "scale", True, "ScaleList", _GROUP_VERSION)
_KEPT = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
Scaling: TypeAlias = Callable[[JsonObject], JsonObject | Status]
"""Makes the new Scale of the old one."""


async def handle(scope: Scope, request: Request) -> Answer:
    """Read or change it."""
    if request.method == "GET":
        info = request.info
        stored = await scope.parts.store.get(scope.key(info.namespace, info.name))
        if stored is None:
            return status.not_found(scope.group_resource, info.name)
        return document_reply(request, 200, scale_of(scope.served(decoded(stored))))
    if request.method == "PATCH":
        return await _patched(scope, request)
    options = write_options(request.query, "UpdateOptions")
    if isinstance(options, Status):
        return options
    sent = await kind_of(request, options.validation, _VERSION, _KIND)
    if isinstance(sent, Status):
        return sent
    return await _scaled(scope, request, lambda _: sent, options)


def scale_of(workload: JsonObject) -> JsonObject:
    """The Scale of a workload."""
    of, spec = member(workload, "metadata"), member(workload, "spec")
    kept: JsonObject = {name: of[name] for name in _KEPT if name in of}
    wanted = spec.get("replicas")
    made: JsonObject = {"replicas": member(workload, "status").get("replicas") or 0}
    if selector := _printed(spec.get("selector")):
        made["selector"] = selector
    return {
        "kind": _KIND,
        "apiVersion": _VERSION,
        "metadata": kept,
        "spec": {"replicas": wanted} if wanted else {},
        "status": made,
    }


def _printed(selector: object) -> str:
    """A selector as text: `a=b,c in (d,e)`."""
    if not isinstance(selector, dict):
        return ""
    if "matchLabels" not in selector and "matchExpressions" not in selector:
        return ",".join(f"{key}={value}" for key, value in sorted(selector.items()))
    terms = [(key, f"{key}={value}") for key, value in (selector.get("matchLabels") or {}).items()]
    terms += [(each["key"], _expression(each)) for each in selector.get("matchExpressions") or ()]
    return ",".join(text for _, text in sorted(terms))


def _expression(each: JsonObject) -> str:
    operator, key = each.get("operator"), each.get("key")
    values = each.get("values")
    listed = ",".join(sorted(map(str, values))) if isinstance(values, list) else ""
    if operator == "In":
        return f"{key} in ({listed})"
    if operator == "NotIn":
        return f"{key} notin ({listed})"
    return str(key) if operator == "Exists" else f"!{key}"


async def _patched(scope: Scope, request: Request) -> Answer:
    media = request.headers.get("Content-Type", "").partition(";")[0].strip()
    if media not in TYPES:
        return status.UNSUPPORTED_BY_ROUTE
    options = write_options(request.query, "PatchOptions", apply=media == APPLY)
    if isinstance(options, Status):
        return options
    body = await request.body()
    if isinstance(body, Status):
        return body
    if media == APPLY:
        return await _apply(scope, request, body, options)
    patch = read_patch(Scope(scope.parts, _SCALES), media, body, options.validation)
    if isinstance(patch, Status):
        return patch
    return await _scaled(scope, request, lambda old: patch.applied_to(old, request), options)


async def _apply(scope: Scope, request: Request, body: bytes, options: WriteOptions) -> Answer:
    """Apply to the workload what is said of its Scale."""
    sent = Applying.read(body, options.validation)
    if isinstance(sent, Status):
        return sent
    resource, write = scope.resource, write_of(scope, options.manager)
    metadata: JsonObject = {"name": request.info.name}
    part: JsonObject = {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": metadata}
    if "replicas" in member(sent.object, "spec"):
        part["spec"] = {"replicas": member(sent.object, "spec")["replicas"]}

    async def transform(old: JsonObject | None) -> JsonObject | Status:
        if old is None:
            return status.not_found(scope.group_resource, request.info.name)
        found = after_apply(write, old, part, force=bool(options.force))
        if isinstance(found, Malformed):
            return refused(found)
        if isinstance(found, Conflicts):
            causes = [status.StatusCause("FieldManagerConflict", each.message, each.path) for each in found.conflicts]
            return status.apply_conflict(causes, found.message)
        return await mutated(scope, request, found.object, old, options)

    return await _written(scope, request, transform, options)


async def _scaled(scope: Scope, request: Request, make: Scaling, options: WriteOptions) -> Answer:
    manager = request.manager(options.manager)

    async def transform(old: JsonObject | None) -> JsonObject | Status:
        if old is None:
            return status.not_found(scope.group_resource, request.info.name)
        scale = make(scale_of(old))
        if isinstance(scale, Status):
            return scale
        made = _with_scale(old, scale, request)
        if isinstance(made, Status):
            return made
        return await mutated(scope, request, managed(scope, manager, old, made), old, options)

    return await _written(scope, request, transform, options)


def _with_scale(old: JsonObject, scale: JsonObject, request: Request) -> JsonObject | Status:
    """The workload with the replicas of a Scale."""
    of, replicas = member(scale, "metadata"), member(scale, "spec").get("replicas") or 0
    name = of.get("name") or ""
    if name != request.info.name:
        url = f"the name on the URL ({request.info.name})"
        return status.bad_request(f"the name of the object ({name}) does not match {url}")
    if isinstance(replicas, int) and replicas < 0:
        error = f"Invalid value: {replicas}: must be greater than or equal to 0"
        return status.invalid_for("Scale", "autoscaling", request.info.name, [("spec.replicas", error)])
    versioned = with_metadata(old, resourceVersion=of.get("resourceVersion"), uid=of.get("uid"))
    return {**versioned, "spec": {**member(old, "spec"), "replicas": replicas}}


async def _written(scope: Scope, request: Request, transform: Transform, options: WriteOptions) -> Answer:
    written = await update.write(scope, request, transform, options)
    return written if isinstance(written, Status) else document_reply(request, 200, scale_of(written.object))
