"""What controllers of workloads do at the API: claim objects, make and delete Pods, write a status.

Specification: Kubernetes, pkg/controller: PodControl, its events, and the reference managers. Before anything is
adopted, the owner is read anew, past the cache: it may have been deleted meanwhile. A Pod that cannot be made because
its namespace ends is no failure.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from podward.api.status import Status
from podward.client.api import PatchKind
from podward.controllers.apps.ownership import (
    adoption,
    controller_of,
    is_going,
    name_of,
    namespace_of,
    release,
    uid_of,
)
from podward.schema.resources import BY_PLURAL
from podward.schema.validation.raw import text

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from podward.api.json_value import JsonObject
    from podward.api.resource import Resource
    from podward.client.api import Client
    from podward.client.events import Recorder
    from podward.client.informer import Informer
    from podward.controllers.apps.ownership import Claims

PODS = BY_PLURAL["", "v1", "pods"]
NOT_FOUND, CONFLICT, INVALID = 404, 409, 422
_ENDING = "NamespaceTerminating"


def is_taken(answer: JsonObject | Status) -> bool:
    """Whether an object of that name was there already."""
    return isinstance(answer, Status) and answer.reason == "AlreadyExists"


def is_ending(answer: Status) -> bool:
    """Whether nothing can be made because the namespace is being deleted."""
    return answer.details is not None and any(cause.reason == _ENDING for cause in answer.details.causes)


def owner_in(informer: Informer, obj: JsonObject) -> JsonObject | None:
    """The object's controller, if it is one of these."""
    reference = controller_of(obj)
    if reference is None or reference.get("kind") != informer.resource.kind:
        return None
    found = informer.get(namespace_of(obj), text(reference, "name"))
    return found if found is not None and uid_of(found) == text(reference, "uid") else None


async def claimed(
    client: Client, resources: tuple[Resource, Resource], owner: JsonObject, found: Claims
) -> list[JsonObject] | Status:
    """Adopt and let go; what the owner then has. `resources`: the owner's, and that of what it claims."""
    of_owner, of_claimed = resources
    namespace, has = namespace_of(owner), list(found.kept)
    refused: Status | None = None
    for obj in found.released:
        patch = release(owner, obj)
        answer = await client.patch(of_claimed, namespace, name_of(obj), patch, PatchKind.STRATEGIC)
        if isinstance(answer, Status) and answer.code not in {NOT_FOUND, INVALID}:
            refused = answer
    if found.adopted:
        fresh = await client.get(of_owner, namespace, name_of(owner))
        if isinstance(fresh, Status):
            return fresh
        if uid_of(fresh) != uid_of(owner) or is_going(fresh):
            return Status(CONFLICT, "Conflict", f"{of_owner.kind} {namespace}/{name_of(owner)} has just been deleted")
    for obj in found.adopted:
        answer = await client.patch(of_claimed, namespace, name_of(obj), adoption(owner, obj), PatchKind.STRATEGIC)
        if not isinstance(answer, Status):
            has.append(answer)
        elif answer.code != NOT_FOUND:
            refused = answer
    return refused or has


async def make_pod(client: Client, recorder: Recorder, owner: JsonObject, pod: JsonObject) -> Status | None:
    """Make a Pod of the owner's, and tell of it; the refusal, if there is one."""
    answer = await client.create(PODS, namespace_of(owner), pod)
    if not isinstance(answer, Status):
        recorder.event(owner, "Normal", "SuccessfulCreate", f"Created pod: {name_of(answer)}")
        return None
    if not is_ending(answer):
        recorder.event(owner, "Warning", "FailedCreate", f"Error creating: {answer.message}")
    return answer


async def delete_pod(client: Client, recorder: Recorder, owner: JsonObject, pod: JsonObject) -> Status | None:
    """Delete a Pod of the owner's, and tell of it; the refusal, if there is one."""
    name = name_of(pod)
    answer = await client.delete(PODS, namespace_of(owner), name, {"preconditions": {"uid": uid_of(pod)}})
    if not isinstance(answer, Status) or answer.code < 400:
        recorder.event(owner, "Normal", "SuccessfulDelete", f"Deleted pod: {name}")
        return None
    if answer.code != NOT_FOUND:
        recorder.event(owner, "Warning", "FailedDelete", f"Error deleting: {answer.message}")
    return answer


async def slow_start(count: int, make: Callable[[int], Awaitable[Status | None]]) -> tuple[int, Status | None]:
    """Make so many, one at first, then twice as many at a time; how many were made, and the first refusal.

    After a refusal nothing more is begun: most often it is the same for all of them.
    """
    done, size = 0, 1
    while done < count:
        size = min(size, count - done)
        answers = await asyncio.gather(*(make(done + index) for index in range(size)))
        refused = [answer for answer in answers if answer is not None]
        if refused:
            return done + size - len(refused), refused[0]
        done, size = done + size, 2 * size
    return done, None
