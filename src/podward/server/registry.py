"""Storing objects: create, guarded update, as the API server's generic registry does it.

Specification: Kubernetes, k8s.io/apiserver, pkg/registry/generic/registry Store and pkg/registry/rest BeforeCreate,
BeforeUpdate. Objects are never changed in place. A write that changes nothing writes nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from msgspec import Struct

from podward.api import status
from podward.api.gonumber import parse_uint
from podward.api.json_value import Json, JsonObject
from podward.api.status import Status
from podward.documents.raw_fields import member
from podward.schema.apply.managed import with_kept_times
from podward.schema.conversion import as_written
from podward.schema.kinds import type_of
from podward.schema.strategies import flow
from podward.schema.strategies.flow import with_metadata
from podward.server import devices, volume_times
from podward.server.catalog import key_in_etcd
from podward.server.certificate_requests import with_requester, with_times
from podward.server.encoding import decoded, stored_bytes
from podward.server.request import Request
from podward.server.scope import Scope
from podward.store.interface import Mismatch, Stored

_ATTEMPTS = 8
_SUFFIX, _LONGEST_PREFIX = 5, 58
_CHANGED = "the object has been modified; please apply your changes to the latest version and try again"
NAMESPACE_MISMATCH = "the namespace of the provided object does not match the namespace sent on the request"

Check: TypeAlias = Callable[[JsonObject, JsonObject | None], Awaitable[Status | None]]
"""Validating admission: of the new object, beside the stored one."""
Transform: TypeAlias = Callable[[JsonObject | None], Awaitable[JsonObject | Status]]
"""Makes the new object of the stored one."""


class Written(Struct, frozen=True):
    """What a write left: the object in the version that is stored, and whether it was made or is gone by it."""

    object: JsonObject
    created: bool = False


def placed(obj: JsonObject, namespace: str) -> JsonObject | Status:
    """The object in the request's namespace, or why it cannot be there."""
    own = member(obj, "metadata").get("namespace") or ""
    if own == namespace:
        return obj
    if own and namespace:
        return status.bad_request(NAMESPACE_MISMATCH)
    return with_metadata(obj, namespace=namespace or None)


async def create(scope: Scope, request: Request, obj: JsonObject, check: Check, *, dry_run: bool) -> Written | Status:
    """Store a new object."""
    named = bool(member(obj, "metadata").get("name"))
    prefix = member(obj, "metadata").get("generateName")
    attempts = 1 if named or not prefix else _ATTEMPTS
    found: Written | Status = status.internal_error("no attempt")
    for _ in range(attempts):
        found = await _create(scope, request, obj, check, dry_run=dry_run)
        if not isinstance(found, Status) or found.reason != "AlreadyExists":
            return found
    return found


async def _create(scope: Scope, request: Request, obj: JsonObject, check: Check, *, dry_run: bool) -> Written | Status:
    begun = await scope.begin(scope.storable(obj), None, dry_run=dry_run)
    if isinstance(begun, Status):
        return begun
    try:
        return await _stored_new(scope, request, begun.object, check, dry_run=dry_run)
    finally:
        begun.finish()


async def _stored_new(
    scope: Scope, request: Request, obj: JsonObject, check: Check, *, dry_run: bool
) -> Written | Status:
    prepared = await prepared_new(scope, request, obj, check)
    if isinstance(prepared, Status):
        return prepared
    of = member(prepared, "metadata")
    name, namespace = str(of.get("name") or ""), str(of.get("namespace") or "")
    key, value = scope.key(namespace, name), stored_bytes(scope.resource, prepared)
    if dry_run:
        current = await scope.parts.store.get(key)
        if current is None:
            return await _answered(scope, with_metadata(prepared, resourceVersion=None), created=True)
    else:
        stored = await scope.parts.store.create(key, value)
        if isinstance(stored, Stored):
            made = with_metadata(prepared, resourceVersion=str(stored.revision))
            return await _answered(scope, made, created=True)
        current = stored.current
    return _taken(scope, prepared, name, current)


async def _answered(scope: Scope, obj: JsonObject, *, created: bool = False) -> Written | Status:
    """What is answered after a write: the object as it is read again."""
    found = await scope.read(obj)
    return found if isinstance(found, Status) else Written(found, created)


def _taken(scope: Scope, obj: JsonObject, name: str, current: Stored) -> Status:
    generated = bool(member(obj, "metadata").get("generateName"))
    found = (
        status.generated_name_taken(scope.group_resource, name)
        if generated
        else status.already_exists(scope.group_resource, name)
    )
    if member(decoded(current), "metadata").get("deletionTimestamp") is None:
        return found
    return Status(found.code, found.reason, f"object is being deleted: {found.message}", found.details)


async def prepared_new(scope: Scope, request: Request, obj: JsonObject, check: Check) -> JsonObject | Status:
    """A new object as it would be stored, or why it would not."""
    strategy, clock, of = scope.strategy, scope.parts.clock, member(obj, "metadata")
    filled: dict[str, Json] = {"creationTimestamp": clock.now(), "uid": clock.uid()}
    if of.get("generateName") and not of.get("name"):
        filled["name"] = str(of["generateName"])[:_LONGEST_PREFIX] + clock.letters(_SUFFIX)
    for warning in strategy.warnings_of_sent(obj):
        request.warn(warning)
    obj = strategy.prepare_for_create(with_metadata(obj, **filled))
    obj = devices.with_times(scope, with_requester(scope, request.user, obj))
    refused = await devices.refused(scope, obj) + flow.refused_new(strategy, obj)
    if refused.violations:
        name = str(member(obj, "metadata").get("name") or "")
        return status.invalid(_kind_of_faults(scope, obj), _group_of_faults(scope), name, refused)
    for warning in strategy.warnings(obj, None):
        request.warn(warning)
    obj = strategy.canonicalize(obj)
    if scope.by_webhook:
        found = await check(obj, None)
        return await scope.to_store(obj) if found is None else found
    obj = written(scope, obj)
    found = await check(scope.served(obj), None)
    return obj if found is None else found


def written(scope: Scope, obj: JsonObject) -> JsonObject:
    """An object in the form in which the server writes it."""
    if scope.custom is not None:
        return scope.custom.stored(obj)
    of = type_of(str(scope.resource.stored), scope.resource.kind)
    return obj if of is None else as_written(of, obj)


class Change(Struct, frozen=True):
    """A change of one object: what makes the new one of the stored one, and who has a say in it."""

    scope: Scope
    request: Request
    transform: Transform
    check: Check
    dry_run: bool
    creates: bool = False
    guarded: bool = False
    """Whether the uid that the client sent must be the stored one before anything else is looked at."""

    @property
    def name(self) -> str:
        """The object's name."""
        return self.request.info.name


async def update(change: Change) -> Written | Status:
    """Store what `transform` makes of what is stored, as often as it takes."""
    scope = change.scope
    current = await scope.parts.store.get(scope.key(change.request.info.namespace, change.name))
    while True:
        if current is None:
            return await _created_by_update(change)
        old = await scope.read(decoded(current))
        if isinstance(old, Status):
            return old
        versioned = await _wanted(change, current, old)
        if isinstance(versioned, Status):
            return versioned
        begun = await scope.begin(versioned, decoded(current), dry_run=change.dry_run)
        if isinstance(begun, Status):
            return begun
        try:
            found = await _replaced(change, begun.object, current, old)
        finally:
            begun.finish()
        if not isinstance(found, Mismatch):
            return found
        current = found.current


async def _replaced(
    change: Change, wanted: JsonObject, current: Stored, served: JsonObject
) -> Written | Status | Mismatch:
    """Put one version in the place of another, which is served so; a Mismatch where somebody was quicker."""
    scope = change.scope
    found = await _replacement(change, wanted, current, served)
    if isinstance(found, Status):
        return found
    obj, old = found
    if should_delete(obj, old) and deletable(scope, obj):
        return await _let_go(scope, obj, current, dry_run=change.dry_run)
    if obj == old or change.dry_run:
        return await _answered(scope, obj)
    stored = await scope.parts.store.update(current.key, stored_bytes(scope.resource, obj), current.revision)
    if isinstance(stored, Mismatch):
        return stored
    return await _answered(scope, with_metadata(obj, resourceVersion=str(stored.revision)))


async def _created_by_update(change: Change) -> Written | Status:
    scope = change.scope
    if not change.creates and not scope.strategy.allow_create_on_update:
        return status.not_found(scope.group_resource, change.name)
    made = await change.transform(None)
    if isinstance(made, Status):
        return made
    return await _create(scope, change.request, made, change.check, dry_run=change.dry_run)


async def _wanted(change: Change, current: Stored, old: JsonObject) -> JsonObject | Status:
    """What is to be stored in the place of the current version, as far as the client says."""
    scope = change.scope
    made = await change.transform(old)
    if isinstance(made, Status):
        return made
    uid, stored_uid = member(made, "metadata").get("uid"), member(old, "metadata").get("uid")
    if change.guarded and uid and uid != stored_uid:
        where = f"Key: {key_in_etcd(scope.resource, change.request.info.namespace, change.name)}, ResourceVersion: 0"
        failed = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {stored_uid}"
        why = f"StorageError: invalid object, Code: 4, {where}, AdditionalErrorMsg: {failed}"
        return status.conflict(scope.group_resource, change.name, why)
    return _versioned(scope, change.name, scope.storable(made), current)


async def _replacement(
    change: Change, wanted: JsonObject, current: Stored, served: JsonObject
) -> tuple[JsonObject, JsonObject] | Status:
    """The new object and the old one as they are stored, or why it is not replaced."""
    scope, strategy, stored = change.scope, change.scope.strategy, decoded(current)
    old = served if scope.by_webhook else stored
    obj = with_times(scope, flow.prepared_change(strategy, devices.with_times(scope, wanted), old), old)
    obj = volume_times.with_time(scope, obj, old)
    refused = flow.refused_change(strategy, obj, old)
    if refused.violations:
        return status.invalid(_kind_of_faults(scope, obj), _group_of_faults(scope), change.name, refused)
    for warning in strategy.warnings(obj, old):
        change.request.warn(warning)
    obj = strategy.canonicalize(obj)
    if scope.by_webhook:
        obj = with_kept_times(old, obj)
        refusal = await change.check(obj, served)
        made = await scope.to_store(obj) if refusal is None else refusal
        return made if isinstance(made, Status) else (made, stored)
    obj = with_kept_times(stored, written(scope, obj))
    refusal = await change.check(scope.served(obj), served)
    return (obj, stored) if refusal is None else refusal


def other_uid(obj: JsonObject, old: JsonObject) -> str:
    """Why an object that was sent whole is not the stored one, if it has another uid; empty where it has not."""
    stored, uid = member(old, "metadata").get("uid"), member(obj, "metadata").get("uid")
    if not uid or uid == stored:
        return ""
    return f"Precondition failed: UID in precondition: {uid}, UID in object meta: {stored}"


def _kind_of_faults(scope: Scope, obj: JsonObject) -> str:
    """The kind that a refusal names: a custom object's own, which may be the wrong one."""
    return scope.resource.kind if scope.custom is None else str(obj.get("kind") or scope.resource.kind)


def _group_of_faults(scope: Scope) -> str:
    """The group that a refusal names: an Event is refused as the one of the core, in whichever group it came."""
    return "" if scope.resource.group == "events.k8s.io" else scope.resource.group


def _versioned(scope: Scope, name: str, obj: JsonObject, current: Stored) -> JsonObject | Status:
    """The object as one of the stored version, if it was meant to be that."""
    of = member(obj, "metadata")
    version = of.get("resourceVersion") or ""
    if version in {"", "0"}:
        if scope.strategy.allow_unconditional_update:
            return with_metadata(obj, resourceVersion=str(current.revision))
        faults = [("metadata.resourceVersion", "Invalid value: 0: must be specified for an update")]
        return status.invalid_for(scope.resource.plural, scope.resource.group, name, faults)
    if isinstance(fault := parse_uint(str(version)), str):
        return status.unexplained(fault)
    if version != str(current.revision):
        return status.conflict(scope.group_resource, name, _CHANGED)
    return obj


def should_delete(obj: JsonObject, old: JsonObject) -> bool:
    """Whether the last finalizer goes with this change of an object that is being deleted."""
    before = member(old, "metadata")
    if member(obj, "metadata").get("finalizers") or before.get("deletionTimestamp") is None:
        return False
    return not before.get("deletionGracePeriodSeconds")


def deletable(scope: Scope, obj: JsonObject) -> bool:
    """Whether nothing of the object's kind holds it back: of a namespace, the finalizers of its spec."""
    is_namespace = scope.resource.plural == "namespaces" and not scope.resource.group
    return not (is_namespace and member(obj, "spec").get("finalizers"))


async def _let_go(scope: Scope, obj: JsonObject, current: Stored, *, dry_run: bool) -> Written | Status:
    """Delete an object whose last finalizer goes, also where somebody has changed it since; it may be gone already."""
    uid, found = member(obj, "metadata").get("uid"), None if dry_run else current
    while found is not None and member(decoded(found), "metadata").get("uid") == uid:
        gone = await scope.parts.store.delete(found.key, found.revision)
        found = gone.current if isinstance(gone, Mismatch) else None
    return await _answered(scope, obj)
