"""Whether a stream to a Pod, a Service or a node may be opened: the plugins are shown its options as an object.

Specification: Kubernetes, k8s.io/apiserver, pkg/endpoints/handlers/rest.go ConnectResource, and the conversion of
queries into PodExecOptions and their kin. Nothing is stored, so there is no dry run.
"""

from __future__ import annotations

from collections.abc import Sequence

from podward.api import status
from podward.api.admission import AdmissionRequest, Operation
from podward.api.json_value import Json, JsonObject
from podward.api.resource import Subresource
from podward.api.status import Status
from podward.schema.kinds import type_of
from podward.schema.table import TYPES
from podward.server.request import Request
from podward.server.scope import Scope

_FALSE = frozenset(("false", "0"))


async def refused(scope: Scope, request: Request) -> Status | None:
    """Why it may not be opened."""
    part, info = scope.resource.subresource(scope.subresource), request.info
    if part is None:
        return None
    if request.query.get("dryRun"):
        return status.bad_request("dryRun is not supported")
    asked = AdmissionRequest(
        Operation.CONNECT, options_of(part, request), request.user, info.namespace, info.name, None, part.kind,
        scope.group_resource, scope.subresource, False, part.api_version, info.version,
    )  # fmt: skip
    found = await scope.parts.admission.mutate(asked, request)
    if isinstance(found, Status):
        return found
    return await scope.parts.admission.validate(asked, request)


def options_of(part: Subresource, request: Request) -> JsonObject:
    """The options of a stream, as an object."""
    made: JsonObject = {"kind": part.kind, "apiVersion": part.api_version}
    types = TYPES[type_of(part.api_version, part.kind) or part.kind]
    for name, values in request.query.items():
        of = types.get(name)
        if of is not None and values:
            made[name] = _value(of, values)
    rest = request.info.parts[3:]
    if part.name == "proxy" and rest:
        made["path"] = "/" + "/".join(rest)
    return made


def _value(of: str, values: Sequence[str]) -> Json:
    """What a query says of a field of this type."""
    if of == "b":
        return values[0].lower() not in _FALSE
    if of.startswith("["):
        return [_number(value) if of == "[i" else value for value in values]
    return _number(values[0]) if of == "i" else values[0]


def _number(text: str) -> Json:
    return int(text) if text.isascii() and text.lstrip("-").isdigit() else text
