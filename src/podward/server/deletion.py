"""What deleting an object comes to: at once, after a grace period, or when its finalizers are gone.

Specification: Kubernetes, k8s.io/apiserver, pkg/registry/rest/delete.go BeforeDelete and
pkg/registry/generic/registry/store.go deletionFinalizersForGarbageCollection, markAsDeleting.
"""

from __future__ import annotations

import datetime as dt
from typing import cast

import msgspec
from msgspec import Struct

from podward.api import status
from podward.api.admission import GroupResource
from podward.api.gonumber import parse_int
from podward.api.gotext import quote
from podward.api.json_value import Json, JsonObject
from podward.api.status import Status
from podward.documents.raw_fields import member
from podward.schema.bodies import Undecodable, decode_delete_options, media_of
from podward.schema.custom_objects.naming import ending
from podward.schema.strategies.flow import with_metadata
from podward.schema.validation.internal import go_json
from podward.schema.validation.raw import texts
from podward.server.negotiation import PRODUCED
from podward.server.options import Faults, dry_run_faults
from podward.server.request import Request
from podward.server.scope import Scope

_META = "meta.k8s.io"
_POLICIES = ("Foreground", "Background", "Orphan")
_ORPHAN, _FOREGROUND = "orphan", "foregroundDeletion"


class Preconditions(Struct, frozen=True):
    """What the object must be."""

    uid: str | None = None
    version: str | None = msgspec.field(default=None, name="resourceVersion")


class DeleteOptions(Struct, frozen=True, rename="camel"):
    """How to delete."""

    grace_period_seconds: int | None = None
    preconditions: Preconditions | None = None
    orphan_dependents: bool | None = None
    propagation_policy: str | None = None
    stages: tuple[str, ...] = msgspec.field(default=(), name="dryRun")

    @property
    def dry_run(self) -> bool:
        """Whether nothing is to be stored."""
        return bool(self.stages)

    @property
    def document(self) -> JsonObject:
        """The options as they are written."""
        said = {name: value for name, value in msgspec.to_builtins(self).items() if value not in (None, ())}
        wanted = self.preconditions
        if wanted is not None:
            pairs = (("uid", wanted.uid), ("resourceVersion", wanted.version))
            said["preconditions"] = {name: value for name, value in pairs if value is not None}
        if self.stages:
            said["dryRun"] = list(self.stages)  # expressions of policies read these options
        return {"kind": "DeleteOptions", "apiVersion": "meta.k8s.io/v1", **said}


class Step(Struct, frozen=True):
    """What is to be done: store `object` first, where there is one, and delete it unless it `waits`.

    `pending`: it is being deleted already, and nothing changes.
    """

    object: JsonObject | None = None
    waits: bool = False
    pending: bool = False


async def delete_options(request: Request, scope: Scope) -> DeleteOptions | Status:
    """The options in the body, or those in the query where there is none."""
    body = await request.body()
    if isinstance(body, Status):
        return body
    options = _in_body(request, body, scope.resource.group) if body else _in_query(request)
    if isinstance(options, Status):
        return options
    faults: Faults = []
    policy = options.propagation_policy
    if policy is not None:
        if options.orphan_dependents is not None:
            detail = "orphanDependents and deletionPropagation cannot be both set"
            faults.append(("propagationPolicy", f"Invalid value: {go_json(policy)}: {detail}"))
        if policy not in _POLICIES:
            known = ", ".join(map(quote, (*_POLICIES, "nil")))
            faults.append(("propagationPolicy", f"Unsupported value: {go_json(policy)}: supported values: {known}"))
    faults += dry_run_faults(options.stages)
    return status.invalid_for("DeleteOptions", _META, "", faults) if faults else options


def _in_body(request: Request, body: bytes, group: str) -> DeleteOptions | Status:
    media = media_of(request.headers.get("Content-Type", ""))
    if media is None:
        return status.unsupported_media_type(PRODUCED)
    found = decode_delete_options(body, media, group)
    if isinstance(found, Undecodable):
        return status.bad_request(found.message)
    request.sent = {**found.object, "kind": "DeleteOptions", "apiVersion": "meta.k8s.io/__internal"}
    return msgspec.convert(found.object, DeleteOptions)


def _in_query(request: Request) -> DeleteOptions | Status:
    query = request.query
    if not query:
        return DeleteOptions()
    grace, orphan = query.get("gracePeriodSeconds"), query.get("orphanDependents")
    seconds = parse_int(grace[0]) if grace else None
    if isinstance(seconds, str):
        return status.bad_request(seconds)
    policy = query.get("propagationPolicy")
    return DeleteOptions(
        seconds,
        None,
        orphan[0].lower() not in {"false", "0"} if orphan else None,
        policy[0] if policy else None,
        tuple(query.get("dryRun", ())),
    )


def decide(scope: Scope, old: JsonObject, options: DeleteOptions, now: float) -> Step | Status:
    """What deleting this object comes to."""
    refused = _preconditions(scope, old, options)
    if refused is not None:
        return refused
    if scope.resource.plural == "namespaces" and not scope.resource.group:
        return _of_namespace(scope, old, options, now)
    new = member(old, "metadata").get("deletionTimestamp") is None
    if new and scope.resource.qualified == "customresourcedefinitions.apiextensions.k8s.io":
        return Step(ending(old, _stamp(now)), waits=True)
    graceful = _graceful(scope, old, options, now)
    if graceful is None:
        return Step(pending=True)
    changed, waits = graceful
    finalizers = _finalizers(scope, changed, options)
    if finalizers != texts(member(changed, "metadata"), "finalizers"):
        kept: list[Json] = list(finalizers)
        changed = with_metadata(changed, finalizers=kept or None)
    if waits:
        return Step(changed, waits=True)
    if finalizers:
        return Step(_marked(changed, now), waits=True)
    return Step(changed if changed is not old else None)


def _of_namespace(scope: Scope, old: JsonObject, options: DeleteOptions, now: float) -> Step:
    """A namespace goes when all that is in it is gone, which the finalizers of its spec stand for."""
    held = member(old, "spec").get("finalizers")
    if member(old, "metadata").get("deletionTimestamp") is None:
        marked: JsonObject = {**old, "status": {**member(old, "status"), "phase": "Terminating"}}
        marked = with_metadata(marked, deletionTimestamp=_stamp(now))
        wanted: list[Json] = list(_finalizers(scope, marked, options))
        return Step(with_metadata(marked, finalizers=wanted or None), waits=bool(held or wanted))
    if held or member(old, "metadata").get("finalizers"):
        return Step(pending=True)
    return Step()


def _preconditions(scope: Scope, old: JsonObject, options: DeleteOptions) -> Status | None:
    wanted, of = options.preconditions, member(old, "metadata")
    if wanted is None:
        return None
    kind = GroupResource(scope.resource.group, scope.resource.kind)
    name = str(of.get("name") or "")
    if wanted.uid is not None and wanted.uid != of.get("uid"):
        why = f"the UID in the precondition ({wanted.uid}) does not match the UID in record ({of.get('uid')})."
        return status.conflict(kind, name, f"{why} The object might have been deleted and then recreated")
    if wanted.version is not None and wanted.version != of.get("resourceVersion"):
        record = f"the ResourceVersion in record ({of.get('resourceVersion')}). The object might have been modified"
        why = f"the ResourceVersion in the precondition ({wanted.version}) does not match {record}"
        return status.conflict(kind, name, why)
    return None


def _graceful(scope: Scope, old: JsonObject, options: DeleteOptions, now: float) -> tuple[JsonObject, bool] | None:
    """The object with its grace period, and whether it has one; None where it is waiting already."""
    grace = scope.strategy.grace
    if grace is None:
        return old, False
    of, asked = member(old, "metadata"), options.grace_period_seconds
    asked = 1 if asked is not None and asked < 0 else asked
    if of.get("deletionTimestamp") is not None:
        return _shortened(old, asked, now)
    seconds = grace(old, asked)
    if seconds is None:
        return old, False
    generation = cast("int", of.get("generation") or 0)
    stamped = with_metadata(
        old, deletionTimestamp=_stamp(now + seconds), deletionGracePeriodSeconds=seconds,
        generation=generation + 1 if generation else None,
    )  # fmt: skip
    return stamped, seconds > 0


def _shortened(old: JsonObject, asked: int | None, now: float) -> tuple[JsonObject, bool] | None:
    of = member(old, "metadata")
    before = cast("int", of.get("deletionGracePeriodSeconds") or 0)
    if before == 0:
        return old, False
    if asked is None or asked >= before:
        return None
    end = _seconds(str(of["deletionTimestamp"])) - before + asked
    if end < now:
        end, asked = now, 1 if asked else 0
    stamped = with_metadata(old, deletionTimestamp=_stamp(end), deletionGracePeriodSeconds=asked)
    return stamped, asked > 0


def _finalizers(scope: Scope, obj: JsonObject, options: DeleteOptions) -> list[str]:
    """The object's finalizers, with those of the garbage collector as the options wish."""
    before = list(texts(member(obj, "metadata"), "finalizers"))
    if not scope.strategy.propagation:
        return before
    policy = options.propagation_policy
    if options.orphan_dependents is not None:
        policy = "Orphan" if options.orphan_dependents else "Background"
    if policy is None:
        held = next((name for name in before if name in {_ORPHAN, _FOREGROUND}), "")
        policy = {_ORPHAN: "Orphan", _FOREGROUND: "Foreground"}.get(held, scope.strategy.propagation)
    wanted = {"Orphan": _ORPHAN, "Foreground": _FOREGROUND}.get(policy)
    others = [name for name in before if name not in {_ORPHAN, _FOREGROUND}]
    after = [*others, wanted] if wanted else others
    return before if set(after) == set(before) else after


def _marked(obj: JsonObject, now: float) -> JsonObject:
    """The object as one that waits for its finalizers only."""
    of = member(obj, "metadata")
    generation, stamp = cast("int", of.get("generation") or 0), of.get("deletionTimestamp")
    fields: dict[str, Json] = {"deletionGracePeriodSeconds": 0}
    if stamp is None or _seconds(str(stamp)) > now:
        fields["deletionTimestamp"] = _stamp(now)
    if stamp is None and generation:
        fields["generation"] = generation + 1
    return with_metadata(obj, **fields)


def _stamp(seconds: float) -> str:
    return dt.datetime.fromtimestamp(int(seconds), dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _seconds(stamp: str) -> float:
    return dt.datetime.fromisoformat(stamp).timestamp()
