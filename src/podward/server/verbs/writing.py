"""What creating, updating and patching have in common: managedFields, owners named twice, the plugins."""

from __future__ import annotations

from typing import cast

from podward.api.admission import AdmissionRequest, Operation
from podward.api.json_value import Json, JsonObject
from podward.api.status import Status
from podward.documents.raw_fields import member, objects
from podward.schema.apply.kind_versions import builtin_versions
from podward.schema.apply.managed import Write, after_update
from podward.schema.apply.managers import decoded_managers
from podward.schema.apply.reset_fields import builtin_filter, custom_filter
from podward.schema.conversion import converted
from podward.schema.kinds import type_of
from podward.schema.strategies.flow import with_metadata
from podward.server import certificate_requests, escalating, owner_references, registry
from podward.server.options import WriteOptions
from podward.server.request import Request
from podward.server.scope import Scope

_DUPLICATES = (
    ".metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject"
    " such requests as early as 1.24; please fix your requests; duplicate UID(s) observed"
)
_UNMANAGED = (
    ".metadata.managedFields was in an invalid state after admission; this could be caused by an outdated mutating"
    " admission controller; please fix your requests: "
)
_OPTIONS = {
    Operation.CREATE: "CreateOptions",
    Operation.UPDATE: "UpdateOptions",
    Operation.DELETE: "DeleteOptions",
}


def write_of(scope: Scope, manager: str) -> Write:
    """A write through this scope, by this manager, now."""
    resource = scope.resource
    if scope.custom is not None:
        versions = scope.custom.versions
        keep = custom_filter(scope.subresource, has_status=scope.custom.has_status)
    else:
        versions = builtin_versions(resource.api_version, resource.kind)
        keep = builtin_filter(resource.qualified, scope.subresource)
    now = scope.parts.clock.now()
    return Write(versions, resource.kind, resource.api_version, manager, now, scope.subresource, keep)


def managed(scope: Scope, manager: str, live: JsonObject | None, new: JsonObject) -> JsonObject:
    """The object with the managedFields that it has after this write."""
    of = type_of(scope.resource.api_version, scope.resource.kind)
    return after_update(write_of(scope, manager), live, new if of is None else converted(of, new))


def managed_part(scope: Scope, manager: str, new: JsonObject, api_version: str, kind: str) -> JsonObject:
    """The same of what is sent to a subresource of another kind."""
    now = scope.parts.clock.now()
    write = Write(builtin_versions(api_version, kind), kind, api_version, manager, now, scope.subresource)
    return after_update(write, None, new)


def with_owners_once(obj: JsonObject, request: Request, suffix: str = "") -> JsonObject:
    """The object with each of its owners once; the client is told of those that are gone."""
    of = member(obj, "metadata")
    owners = of.get("ownerReferences")
    if not isinstance(owners, list) or len(owners) < 2:
        return obj
    once: list[Json] = []
    twice: list[str] = []
    for owner in objects(of, "ownerReferences"):
        if owner in once:
            twice.append(str(owner.get("uid", "")))
        else:
            once.append(owner)
    if not twice:
        return obj
    request.warn(f"{_DUPLICATES}{suffix}: {', '.join(twice)}")
    return with_metadata(obj, ownerReferences=once)


def admission_request(
    scope: Scope, request: Request, obj: JsonObject | None, old: JsonObject | None, options: WriteOptions
) -> AdmissionRequest:
    """What the plugins are asked."""
    info, resource = request.info, scope.resource
    operation = Operation.DELETE if obj is None else Operation.CREATE if old is None else Operation.UPDATE
    name = info.name or (str(member(obj, "metadata").get("name") or "") if obj is not None else "")
    of_namespace = resource.plural == "namespaces" and not resource.group
    part = resource.subresource(scope.subresource) if scope.subresource else None
    kind, api_version = (resource.kind, resource.api_version) if part is None else (part.kind, part.api_version)
    return AdmissionRequest(
        operation, obj, request.user, name if of_namespace else info.namespace, name, old, kind,
        scope.group_resource, scope.subresource, options.dry_run, api_version, info.version,
        options_document(operation, request),
    )  # fmt: skip


def options_document(operation: Operation, request: Request) -> JsonObject:
    """The options of a write, as its query has them."""
    query = request.query
    made: JsonObject = {"kind": _OPTIONS[operation], "apiVersion": "meta.k8s.io/v1"}
    if query and operation is not Operation.DELETE:
        if "dryRun" in query:
            made["dryRun"] = [*query["dryRun"]]
        for name in ("fieldManager", "fieldValidation"):
            if name in query:
                made[name] = query[name][0]
    return made


async def mutated(
    scope: Scope, request: Request, obj: JsonObject, old: JsonObject | None, options: WriteOptions
) -> JsonObject | Status:
    """The object as the mutating plugins leave it."""
    asked = admission_request(scope, request, obj, old, options)
    await scope.parts.admission.provide(asked, scope.parts)
    found = await scope.parts.admission.mutate(asked, request)
    if isinstance(found, Status):
        return found
    made = cast("JsonObject", found)
    if made is not obj:
        settled = _settled(scope, request, obj, made)
        if isinstance(settled, Status):
            return settled
        made = settled
    return with_owners_once(made, request, " after mutating admission")


def _settled(scope: Scope, request: Request, before: JsonObject, after: JsonObject) -> JsonObject | Status:
    """What plugins made, as far as it may be: still in its namespace, and with managers that can be read."""
    placed = registry.placed(after, request.info.namespace if scope.resource.namespaced else "")
    if isinstance(placed, Status):
        return placed
    own, made = member(before, "metadata").get("managedFields"), member(placed, "metadata").get("managedFields")
    if made is own or made == own:
        return placed
    fault = decoded_managers(made)
    if not isinstance(fault, str):
        return placed
    request.warn(f"{_UNMANAGED}{fault}")
    return with_metadata(placed, managedFields=own)


async def admitted(scope: Scope, request: Request, obj: JsonObject, options: WriteOptions) -> JsonObject | Status:
    """What is only asked and never stored, as all plugins leave it."""
    made = await mutated(scope, request, obj, None, options)
    if isinstance(made, Status):
        return made
    refused = await validated(scope, request, made, None, options)
    return made if refused is None else refused


async def validated(
    scope: Scope, request: Request, obj: JsonObject, old: JsonObject | None, options: WriteOptions
) -> Status | None:
    """The first refusal of the validating plugins."""
    if (refused := await escalating.refused(scope, request, obj, old)) is not None:
        return refused
    if (refused := await certificate_requests.refused(scope, request, obj, old)) is not None:
        return refused
    if (refused := await owner_references.refused(scope, request, obj, old)) is not None:
        return refused
    asked = admission_request(scope, request, obj, old, options)
    if (refused := await scope.parts.admission.validate(asked, request)) is not None:
        return refused
    return await scope.parts.admission.charge(asked, scope.parts)
