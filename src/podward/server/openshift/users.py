"""Users and groups: the caller himself is there, as `~`; nobody else is, for whoever logs in comes from elsewhere.

Specification: openshift/oauth-apiserver, pkg/user/apiserver/registry/user/etcd: `~` is the caller, without the groups
that everybody has.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from podward.api import status
from podward.api.status import Status
from podward.server.options import list_options
from podward.server.replies import document_reply, list_reply, object_reply
from podward.server.request import Answer, Request, Stream

if TYPE_CHECKING:
    from podward.api.json_value import JsonObject
    from podward.server.scope import Scope

_SELF = "~"
_EVERYBODYS = frozenset(("system:authenticated", "system:authenticated:oauth", "system:unauthenticated"))
_LONGEST = 1800.0
_NOTHING: tuple[bytes, ...] = ()


async def handle(scope: Scope, request: Request) -> Answer:
    """The caller, or nobody."""
    name, kind = request.info.name, scope.resource.kind
    if request.info.verb == "get":
        if name != _SELF or kind != "User":
            return status.not_found(scope.group_resource, name)
        return object_reply(scope, request, 200, _caller(scope, request))
    options = list_options(request.query)
    if isinstance(options, Status):
        return options
    if request.info.verb == "watch":
        return Stream(_silence(options.timeout or _LONGEST))
    metadata: JsonObject = {"resourceVersion": str(await scope.parts.store.revision())}
    if request.accepted.as_kind:
        return list_reply(scope, request, [], metadata)
    whole: JsonObject = {"kind": f"{kind}List", "apiVersion": scope.resource.api_version, "metadata": metadata}
    return document_reply(request, 200, {**whole, "items": []})


def _caller(scope: Scope, request: Request) -> JsonObject:
    user = request.user
    return {
        "kind": "User",
        "apiVersion": scope.resource.api_version,
        "metadata": {"name": user.username},
        "groups": [*sorted(group for group in user.groups if group not in _EVERYBODYS)],
    }


async def _silence(seconds: float) -> AsyncGenerator[bytes, None]:
    """Nothing ever happens."""
    await asyncio.sleep(seconds)
    for piece in _NOTHING:
        yield piece
