"""DELETE of one object: at once, gracefully, or as soon as its finalizers are gone.

Specification: Kubernetes, k8s.io/apiserver, pkg/endpoints/handlers/delete.go, pkg/registry/generic/registry/store.go
Delete, pkg/registry/rest/delete.go BeforeDelete.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from msgspec import structs

from podward.api import status
from podward.api.json_value import JsonObject
from podward.api.status import Status
from podward.documents.raw_fields import member
from podward.schema.strategies.flow import with_metadata
from podward.server.deletion import DeleteOptions, Step, decide, delete_options
from podward.server.encoding import decoded, stored_bytes
from podward.server.options import WriteOptions
from podward.server.replies import document_reply, object_reply
from podward.server.request import Answer, Request
from podward.server.scope import Scope
from podward.server.verbs.writing import admission_request
from podward.store.interface import Mismatch, Stored

_ORPHANS = (
    "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set"
    " propagationPolicy=Orphan to suppress this warning"
)
_RETURNED: Mapping[str, frozenset[str]] = {
    "": frozenset(
        ("namespaces", "persistentvolumeclaims", "persistentvolumes", "pods", "podtemplates", "resourcequotas",
         "serviceaccounts", "services")
    ),
    "resource.k8s.io": frozenset(("deviceclasses", "resourceclaims", "resourceclaimtemplates", "resourceslices")),
    "storage.k8s.io": frozenset(
        ("csidrivers", "csinodes", "storageclasses", "volumeattachments", "volumeattributesclasses")
    ),
}  # fmt: skip
"""The kinds of which the deleted object is the answer, by group."""

Check: TypeAlias = Callable[[JsonObject], Awaitable[Status | None]]
"""Why an object may not be deleted."""


async def handle(scope: Scope, request: Request) -> Answer:
    """Delete the object of this name."""
    options = await delete_options(request, scope)
    if isinstance(options, Status):
        return options
    warn_of_orphans(scope, request, options)
    found = await delete(scope, request, request.info.namespace, request.info.name, options)
    if isinstance(found, Status):
        return found
    obj, gone = await scope.read(found[0]), found[1]
    if isinstance(obj, Status):
        return obj
    code = 202 if not gone and options.orphan_dependents is False else 200
    if not gone or _returns_object(scope):
        return object_reply(scope, request, code, obj)
    return document_reply(request, code, success_document(scope, obj))


def warn_of_orphans(scope: Scope, request: Request, options: DeleteOptions) -> None:
    """Say that the Pods of a Job stay, where nobody has said what becomes of them."""
    unsaid = options.propagation_policy is None and options.orphan_dependents is None
    if unsaid and scope.resource.qualified == "jobs.batch":
        request.warn(_ORPHANS)


def success_document(scope: Scope, obj: JsonObject) -> JsonObject:
    """The report that an object is gone."""
    of = member(obj, "metadata")
    details: JsonObject = {"name": of.get("name"), "group": scope.resource.group, "kind": scope.resource.plural}
    if not scope.resource.group:
        del details["group"]
    details["uid"] = of.get("uid")
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}


async def delete(
    scope: Scope, request: Request, namespace: str, name: str, options: DeleteOptions
) -> tuple[JsonObject, bool] | Status:
    """The object as it was last, and whether it is gone; or why it is not deleted."""

    async def check(old: JsonObject) -> Status | None:
        return await _refused(scope, request, old, options)

    return await _deleted(scope, scope.key(namespace, name), name, options, check)


async def delete_unasked(
    scope: Scope, namespace: str, name: str, options: DeleteOptions
) -> tuple[JsonObject, bool] | Status:
    """The same without asking any plugin: what is deleted is no client's request."""

    async def check(_old: JsonObject) -> Status | None:
        return None

    return await _deleted(scope, scope.key(namespace, name), name, options, check)


async def _deleted(
    scope: Scope, key: str, name: str, options: DeleteOptions, check: Check
) -> tuple[JsonObject, bool] | Status:
    store = scope.parts.store
    while True:
        current = await store.get(key)
        if current is None:
            return status.not_found(scope.group_resource, name)
        old = decoded(current)
        step = decide(scope, old, options, scope.parts.clock.seconds())
        if isinstance(step, Status):
            return step
        refused = await check(old)
        if refused is not None:
            return refused
        found = await _take(scope, step, current, options)
        if found is not None:
            return found


async def _refused(scope: Scope, request: Request, old: JsonObject, options: DeleteOptions) -> Status | None:
    shown = await scope.read(old)
    if isinstance(shown, Status):
        return shown
    asked = admission_request(scope, request, None, shown, WriteOptions(options.dry_run))
    asked = structs.replace(asked, options=options.document)
    mutated = await scope.parts.admission.mutate(asked, request)
    if isinstance(mutated, Status):
        return mutated
    return await scope.parts.admission.validate(asked, request)


async def _take(scope: Scope, step: Step, current: Stored, options: DeleteOptions) -> tuple[JsonObject, bool] | None:
    """Do it; None where somebody was quicker."""
    store = scope.parts.store
    if step.object is None or step.pending:
        obj = decoded(current)
        if step.pending:
            return obj, False
        if options.dry_run:
            return obj, True
        gone = await store.delete(current.key, current.revision)
        if isinstance(gone, Mismatch):
            return None
        return decoded(gone), True
    if options.dry_run:
        return step.object, not step.waits
    if step.waits and step.object == decoded(current):
        return step.object, False
    stored = await store.update(current.key, stored_bytes(scope.resource, step.object), current.revision)
    if isinstance(stored, Mismatch):
        return None
    obj = with_metadata(step.object, resourceVersion=str(stored.revision))
    if step.waits:
        return obj, False
    gone = await store.delete(stored.key, stored.revision)
    return (obj, True) if isinstance(gone, Mismatch) else (decoded(gone), True)


def _returns_object(scope: Scope) -> bool:
    """Whether the deleted object is the answer; most kinds answer with a report."""
    return scope.resource.plural in _RETURNED.get(scope.resource.group, ())
