"""POST to a collection: a new object.

Specification: Kubernetes, k8s.io/apiserver, pkg/endpoints/handlers/create.go: managedFields come before the mutating
plugins, preparing and validating after them, then the validating plugins, then the store.
"""

from __future__ import annotations

from podward.api import status
from podward.api.gonumber import parse_uint
from podward.api.json_value import JsonObject
from podward.api.status import Status
from podward.documents.raw_fields import member
from podward.schema.strategies.flow import with_metadata
from podward.server import decoding, registry
from podward.server.options import write_options
from podward.server.replies import object_reply
from podward.server.request import Answer, Request
from podward.server.scope import Scope
from podward.server.verbs.writing import managed, mutated, validated, with_owners_once

_OF_THE_SERVER = ("creationTimestamp", "uid", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink")


async def handle(scope: Scope, request: Request) -> Answer:
    """Make the object in the body."""
    options = write_options(request.query, "CreateOptions")
    if isinstance(options, Status):
        return options
    sent = await decoding.object_of(request, scope, options.validation)
    if isinstance(sent, Status):
        return sent
    obj = registry.placed(wiped(sent), request.info.namespace if scope.resource.namespaced else "")
    if isinstance(obj, Status):
        return obj
    obj = with_owners_once(obj, request)
    obj = managed(scope, request.manager(options.manager), None, obj)
    version = parse_uint(str(member(obj, "metadata").get("resourceVersion") or "0"))
    if version and isinstance(version, int):  # what is no number is not looked at
        return status.unexplained("resourceVersion should not be set on objects to be created")
    admitted = await mutated(scope, request, obj, None, options)
    if isinstance(admitted, Status):
        return admitted

    async def check(new: JsonObject, old: JsonObject | None) -> Status | None:
        return await validated(scope, request, new, old, options)

    written = await registry.create(scope, request, admitted, check, dry_run=options.dry_run)
    return written if isinstance(written, Status) else object_reply(scope, request, 201, written.object)


def wiped(obj: JsonObject) -> JsonObject:
    """The object without what the server alone says."""
    of = member(obj, "metadata")
    if not any(name in of for name in _OF_THE_SERVER):
        return obj
    return with_metadata(obj, **dict.fromkeys(_OF_THE_SERVER))
