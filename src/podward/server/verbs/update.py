"""PUT of one object, or of a part of it.

Specification: Kubernetes, k8s.io/apiserver, pkg/endpoints/handlers/update.go.
"""

from __future__ import annotations

from podward.access.forbidden import forbidden
from podward.api import status
from podward.api.authorization import Attributes, Opinion
from podward.api.json_value import JsonObject
from podward.api.status import Status
from podward.documents.raw_fields import member
from podward.server import decoding, registry
from podward.server.catalog import etcd_key
from podward.server.options import WriteOptions, write_options
from podward.server.replies import object_reply
from podward.server.request import Answer, Request
from podward.server.scope import Scope
from podward.server.verbs.writing import managed, mutated, validated, with_owners_once


async def handle(scope: Scope, request: Request) -> Answer:
    """Replace the object of this name by the one in the body."""
    options = write_options(request.query, "UpdateOptions")
    if isinstance(options, Status):
        return options
    sent = await decoding.object_of(request, scope, options.validation)
    if isinstance(sent, Status):
        return sent
    obj = registry.placed(sent, request.info.namespace if scope.resource.namespaced else "")
    if isinstance(obj, Status):
        return obj
    name, own = request.info.name, str(member(obj, "metadata").get("name") or "")
    if not own:
        return status.bad_request(
            f"the name of the object ({name} based on URL) was undeterminable: name must be provided"
        )
    if own != name:
        return status.bad_request(f"the name of the object ({own}) does not match the name on the URL ({name})")
    obj = with_owners_once(obj, request)
    manager = request.manager(options.manager)

    async def transform(old: JsonObject | None) -> JsonObject | Status:
        other = registry.other_uid(obj, old) if old is not None else ""
        if other:
            where = f"StorageError: invalid object, Code: 4, Key: {etcd_key(scope.resource, request.info)}"
            why = f"{where}, ResourceVersion: 0, AdditionalErrorMsg: {other}"
            return status.conflict(scope.group_resource, name, why)
        return await mutated(scope, request, managed(scope, manager, old, obj), old, options)

    written = await write(scope, request, transform, options)
    if isinstance(written, Status):
        return written
    return object_reply(scope, request, 201 if written.created else 200, written.object)


async def write(
    scope: Scope, request: Request, transform: registry.Transform, options: WriteOptions, *, creates: bool = False
) -> registry.Written | Status:
    """Store what `transform` makes; who makes a new object by it must be allowed to create one."""

    async def check(new: JsonObject, old: JsonObject | None) -> Status | None:
        if old is None and (refused := await _may_create(scope, request)) is not None:
            return refused
        return await validated(scope, request, new, old, options)

    guarded = request.method == "PUT"
    return await registry.update(registry.Change(scope, request, transform, check, options.dry_run, creates, guarded))


async def _may_create(scope: Scope, request: Request) -> Status | None:
    info = request.info
    wanted = Attributes(request.user, "create", info.group, info.resource, info.subresource, info.name, info.namespace)
    answer = await scope.parts.authorizer.authorize(wanted)
    return None if answer.opinion is Opinion.ALLOW else forbidden(wanted, answer.reason)
