"""`eviction`: a Pod is deleted, if no disruption budget holds it back.

Specification: Kubernetes, pkg/registry/core/pod/storage/eviction.go.
"""

from __future__ import annotations

from typing import cast

import msgspec

from podward.api import status
from podward.api.json_value import JsonObject
from podward.api.resource import Resource
from podward.api.status import Status, StatusCause, StatusDetails
from podward.documents.raw_fields import member, objects
from podward.schema.strategies import pods
from podward.schema.strategies.selectors import selects
from podward.server import registry
from podward.server.decoding import kind_of
from podward.server.deletion import DeleteOptions
from podward.server.encoding import decoded, stored_bytes
from podward.server.options import WriteOptions, write_options
from podward.server.replies import document_reply
from podward.server.request import Answer, Request
from podward.server.routes import scope_of
from podward.server.scope import Scope
from podward.server.subresources.binding import SUCCESS
from podward.server.subresources.changing import changed
from podward.server.verbs.delete import delete_unasked
from podward.server.verbs.writing import admitted

_HELD = "Cannot evict pod as it would violate the pod's disruption budget."
_AGAIN = 10
_SEVERAL = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."


async def handle(scope: Scope, request: Request) -> Answer:
    """Evict the Pod of this name."""
    options = write_options(request.query, "CreateOptions")
    if isinstance(options, Status):
        return options
    sent = await kind_of(request, options.validation, "policy/v1", "Eviction")
    if isinstance(sent, Status):
        return sent
    placed = registry.placed(sent, request.info.namespace)
    if isinstance(placed, Status):
        return placed
    sent = await admitted(scope, request, placed, options)
    if isinstance(sent, Status):
        return sent
    if member(sent, "metadata").get("name") != request.info.name:
        return status.bad_request("name in URL does not match name in Eviction object")
    wanted = msgspec.convert(member(sent, "deleteOptions"), DeleteOptions)
    wanted = _dry(wanted, options)
    main = scope_of(scope.parts, scope.resource)
    stored = await scope.parts.store.get(main.key(request.info.namespace, request.info.name))
    if stored is None:
        return status.not_found(scope.group_resource, request.info.name)
    pod = decoded(stored)
    if not _is_over(pod) and (held := await _held(main, request, pod, wanted)) is not None:
        return held
    return await _evict(main, request, wanted)


def _dry(wanted: DeleteOptions, options: WriteOptions) -> DeleteOptions:
    if not options.dry_run or wanted.stages:
        return wanted
    return msgspec.structs.replace(wanted, stages=("All",))


def _is_over(pod: JsonObject) -> bool:
    """Whether no budget is asked: the Pod has ended, has not begun, or is going already."""
    phase = member(pod, "status").get("phase")
    return phase in {"Succeeded", "Failed", "Pending"} or member(pod, "metadata").get("deletionTimestamp") is not None


async def _evict(main: Scope, request: Request, wanted: DeleteOptions) -> Answer:
    if not wanted.dry_run:
        now = main.parts.clock.now()
        found = await changed(main, request, request.info.name, lambda pod: pods.evicted(pod, now), dry_run=False)
        if isinstance(found, Status):
            return found
    gone = await delete_unasked(main, request.info.namespace, request.info.name, wanted)
    return gone if isinstance(gone, Status) else document_reply(request, 201, SUCCESS)


async def _held(main: Scope, request: Request, pod: JsonObject, wanted: DeleteOptions) -> Status | None:
    """Why a budget holds the Pod back; where none does, the one about it counts one disruption more."""
    resource = main.parts.catalog.find("policy", "v1", "poddisruptionbudgets")
    if resource is None:
        return None
    scope, labels = scope_of(main.parts, resource), member(member(pod, "metadata"), "labels")
    await scope.cache.fresh()
    about = [
        item.stored
        for item in scope.cache.items(scope.prefix(request.info.namespace))
        if _selects(decoded(item.stored), labels)
    ]
    if len(about) > 1:
        return status.unexplained(_SEVERAL)
    if not about:
        return None
    budget = decoded(about[0])
    if not _is_ready(pod) and _lets_unready_go(budget):
        return None
    return await _counted(scope, resource, budget, str(member(pod, "metadata").get("name")), wanted)


def _selects(budget: JsonObject, labels: JsonObject) -> bool:
    """Whether a budget is about a Pod; without a selector it is about none."""
    selector = member(budget, "spec").get("selector")
    return isinstance(selector, dict) and selects(selector, labels)


async def _counted(
    scope: Scope, resource: Resource, budget: JsonObject, pod: str, wanted: DeleteOptions
) -> Status | None:
    of, state = member(budget, "metadata"), member(budget, "status")
    name = str(of.get("name"))
    if _number(state, "observedGeneration") < _number(of, "generation"):
        return _too_many(f"The disruption budget {name} is still being processed by the server.", _AGAIN)
    allowed = _number(state, "disruptionsAllowed")
    if allowed <= 0:
        return _too_many(f"The disruption budget {name} {_why_none(state)}", 0)
    if wanted.dry_run:
        return None
    disrupted: JsonObject = {**member(state, "disruptedPods"), pod: scope.parts.clock.now()}
    made: JsonObject = {**budget, "status": {**state, "disruptionsAllowed": allowed - 1, "disruptedPods": disrupted}}
    key = scope.key(str(of.get("namespace")), name)
    stored = await scope.parts.store.get(key)
    if stored is not None and str(stored.revision) == of.get("resourceVersion"):
        await scope.parts.store.update(key, stored_bytes(resource, made), stored.revision)
        return None
    return _too_many(f"The disruption budget {name} is still being processed by the server.", _AGAIN)


def _why_none(state: JsonObject) -> str:
    """Why a budget allows nothing, as its status says."""
    false = {"type": "DisruptionAllowed", "status": "False"}
    condition = next((each for each in objects(state, "conditions") if false.items() <= each.items()), {})
    message, reason = condition.get("message"), condition.get("reason")
    if message and reason == "SyncFailed":
        return f"does not allow evicting pods currently because it failed sync: {message}"
    need, have = _number(state, "desiredHealthy"), _number(state, "currentHealthy")
    if have <= need:
        return f"needs {need} healthy pods and has {have} currently"
    return "does not allow evicting pods currently" + (f" ({reason}): {message}" if message else "")


def _too_many(why: str, again: int) -> Status:
    """`again`: in how many seconds a client should try again by itself; 0: that is of no use."""
    details = StatusDetails(causes=(StatusCause("DisruptionBudget", why),), retry_after_seconds=again)
    return Status(429, "TooManyRequests", _HELD, details)


def _is_ready(pod: JsonObject) -> bool:
    conditions = objects(member(pod, "status"), "conditions")
    return any(each.get("type") == "Ready" and each.get("status") == "True" for each in conditions)


def _lets_unready_go(budget: JsonObject) -> bool:
    state = member(budget, "status")
    if member(budget, "spec").get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    desired = _number(state, "desiredHealthy")
    return desired > 0 and _number(state, "currentHealthy") >= desired


def _number(of: JsonObject, name: str) -> int:
    return cast("int", of.get(name) or 0)
