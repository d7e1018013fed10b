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
from podward.server.options import WriteOptions, write_options
from podward.server.replies import object_reply
from podward.server.request import Answer, Request
from podward.server.scope import Scope
from podward.server.verbs import update
from podward.server.verbs.patching import (
    APPLY,
    JSON_PATCH,
    MERGE,
    STRATEGIC,
    TYPES,
    Applying,
    Patch,
    read_patch,
    refused,
)
from podward.server.verbs.writing import managed, mutated, with_owners_once, write_of


async def handle(scope: Scope, request: Request) -> Answer:
    """Change the object of this name."""
    media = request.headers.get("Content-Type", "").partition(";")[0].strip()
    if media not in TYPES:
        return status.UNSUPPORTED_BY_ROUTE
    if media == STRATEGIC and scope.custom is not None:
        return status.unsupported_media_type((JSON_PATCH, MERGE, APPLY))
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
        made = placed(scope, request, managed(scope, manager, old, found), old)
        return made if isinstance(made, Status) else await mutated(scope, request, made, old, options)

    return await _stored(scope, request, transform, options, creates=False)


async def _apply(scope: Scope, request: Request, body: bytes, options: WriteOptions) -> Answer:
    sent = Applying.read(body, options)
    if isinstance(sent, Status):
        return sent

    async def transform(old: JsonObject | None) -> JsonObject | Status:
        made = applied(scope, request, sent, old)
        if isinstance(made, Status):
            return made
        return await mutated(scope, request, with_owners_once(made, request), old, options)

    return await _stored(scope, request, transform, options, creates=not scope.subresource)


def applied(scope: Scope, request: Request, sent: Applying, old: JsonObject | None) -> JsonObject | Status:
    """The object that applying makes, or why there is none."""
    found = after_apply(write_of(scope, sent.options.manager), old, sent.object, force=bool(sent.options.force))
    if isinstance(found, Malformed):
        return refused(found)
    if isinstance(found, Conflicts):
        causes = [status.StatusCause("FieldManagerConflict", cause.message, cause.path) for cause in found.conflicts]
        return status.apply_conflict(causes, found.message)
    made = sent.made(scope, found.object, request)
    return made if isinstance(made, Status) else placed(scope, request, made, old)


async def _stored(
    scope: Scope, request: Request, transform: registry.Transform, options: WriteOptions, *, creates: bool
) -> Answer:
    written = await update.write(scope, request, transform, options, creates=creates)
    if isinstance(written, Status):
        return written
    return object_reply(scope, request, 201 if written.created else 200, written.object)


def placed(scope: Scope, request: Request, obj: JsonObject, old: JsonObject | None) -> JsonObject | Status:
    """The object that a patch made, in the request's namespace, or why it is not the one that the request is about."""
    info = request.info
    uid = member(obj, "metadata").get("uid")
    if old is None and uid:
        why = f"uid mismatch: the provided object specified uid {uid}, and no existing object was found"
        return status.conflict(scope.group_resource, info.name, why)
    found = registry.placed(obj, info.namespace if scope.resource.namespaced else "")
    if isinstance(found, Status):
        return found
    own = member(found, "metadata").get("name")
    if not own:
        return status.bad_request(
            f"the name of the object ({info.name} based on URL) was undeterminable: name must be provided"
        )
    if own != info.name:
        return status.bad_request(f"the name of the object ({own}) does not match the name on the URL ({info.name})")
    return found
