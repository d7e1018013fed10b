"""PATCH of one object, or of a part of it: JSON patch, merge patch, strategic merge patch, apply.

Specification: Kubernetes, k8s.io/apiserver, pkg/endpoints/handlers/patch.go.
"""

from __future__ import annotations

from podward.api import status
from podward.api.json_value import JsonObject
from podward.api.status import Status
from podward.documents.raw_fields import member
from podward.schema.apply.conflicts import Conflicts
from podward.schema.apply.managed import after_apply
from podward.schema.malformed import Malformed
from podward.server import registry
from podward.server.decoding import defaulted
from podward.server.options import WriteOptions, write_options
from podward.server.replies import object_reply
from podward.server.request import Answer, Request
from podward.server.scope import Scope
from podward.server.verbs import update
from podward.server.verbs.patching import APPLY, TYPES, Patch, applied_object, read_patch, refused
from podward.server.verbs.writing import managed, mutated, with_owners_once, write_of


async def handle(scope: Scope, request: Request) -> Answer:
    """Change the object of this name."""
    media = request.headers.get("Content-Type", "").partition(";")[0].strip()
    if media not in TYPES:
        return status.UNSUPPORTED_BY_ROUTE
    body = await request.body()
    if isinstance(body, Status):
        return body
    options = write_options(request.query, "PatchOptions", apply=media == APPLY)
    if isinstance(options, Status):
        return options
    if media == APPLY:
        return await _apply(scope, request, body, options)
    patch = read_patch(scope, media, body, options.validation)
    if isinstance(patch, Status):
        return patch
    return await _patched(scope, request, patch, options)


async def _patched(scope: Scope, request: Request, patch: Patch, options: WriteOptions) -> Answer:
    name, manager = request.info.name, request.manager(options.manager)

    async def transform(old: JsonObject | None) -> JsonObject | Status:
        if old is None:
            return status.not_found(scope.group_resource, name)
        found = patch.applied_to(old, request)
        if isinstance(found, Status):
            return found
        fault = _misplaced(request, found)
        if fault is not None:
            return fault
        return await mutated(scope, request, managed(scope, manager, old, found), old, options)

    return await _stored(scope, request, transform, options, creates=False)


async def _apply(scope: Scope, request: Request, body: bytes, options: WriteOptions) -> Answer:
    sent = applied_object(scope, request, body)
    if isinstance(sent, Status):
        return sent
    write = write_of(scope, options.manager)

    async def transform(old: JsonObject | None) -> JsonObject | Status:
        found = after_apply(write, old, sent, force=bool(options.force))
        if isinstance(found, Malformed):
            return refused(found)
        if isinstance(found, Conflicts):
            causes = [
                status.StatusCause("FieldManagerConflict", cause.message, cause.path) for cause in found.conflicts
            ]
            return status.apply_conflict(causes, found.message)
        made = with_owners_once(defaulted(found.object, scope.resource.api_version, scope.resource.kind), request)
        return await mutated(scope, request, made, old, options)

    return await _stored(scope, request, transform, options, creates=not scope.subresource)


async def _stored(
    scope: Scope, request: Request, transform: registry.Transform, options: WriteOptions, *, creates: bool
) -> Answer:
    written = await update.write(scope, request, transform, options, creates=creates)
    if isinstance(written, Status):
        return written
    return object_reply(scope, request, 201 if written.created else 200, written.object)


def _misplaced(request: Request, obj: JsonObject) -> Status | None:
    """What is wrong with an object whose patch gave it another name or namespace."""
    of = member(obj, "metadata")
    name, namespace = of.get("name"), of.get("namespace") or ""
    if name != request.info.name:
        return status.bad_request(
            f"the name of the object ({name}) does not match the name on the URL ({request.info.name})"
        )
    if request.info.namespace and namespace and namespace != request.info.namespace:
        where = f"the namespace of the object ({namespace}) does not match"
        return status.bad_request(f"{where} the namespace on the request ({request.info.namespace})")
    return None
