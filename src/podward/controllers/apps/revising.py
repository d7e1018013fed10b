"""What controllers do with an owner's ControllerRevisions: claim them, make the one that is missing, delete old ones.

Specification: Kubernetes, pkg/controller/history and daemon/update.go. A name that is taken by a revision with other
contents is a collision, which the owner's status counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from podward.api.status import Status
from podward.controllers.apps import history
from podward.controllers.apps.acting import CONFLICT, NOT_FOUND, claimed, is_taken
from podward.controllers.apps.history import REVISIONS, History
from podward.controllers.apps.ownership import claims, controller_uid, name_of, namespace_of, selected_by, uid_of
from podward.documents.raw_fields import member
from podward.schema.strategies.equality import same
from podward.schema.validation.raw import number

if TYPE_CHECKING:
    from collections.abc import Iterable

    from podward.api.json_value import JsonObject
    from podward.api.resource import Resource
    from podward.client.api import Client
    from podward.client.informer import Informer


class Revising(Struct, frozen=True):
    """Who writes the revisions of owners of one resource."""

    client: Client
    owners: Resource
    revisions: Informer

    async def claimed(self, owner: JsonObject) -> list[JsonObject] | Status:
        """The owner's revisions, with those that it adopts."""
        matches = selected_by(member(member(owner, "spec"), "selector"))
        found = claims(owner, matches, self.revisions.items(namespace_of(owner)))
        return await claimed(self.client, (self.owners, REVISIONS), owner, found)

    async def current(self, owner: JsonObject, found: History, wanted: JsonObject) -> JsonObject | Status:
        """The revision with the owner's template: made if there is none, with the number that it is to have."""
        namespace = namespace_of(owner)
        if found.current is not None:
            if number(found.current, "revision") == found.number:
                return found.current
            return await self.client.replace(REVISIONS, namespace, {**found.current, "revision": found.number})
        answer = await self.client.create(REVISIONS, namespace, wanted)
        if not is_taken(answer):
            return answer
        there = await self.client.get(REVISIONS, namespace, name_of(wanted))
        if isinstance(there, Status):
            return there
        if controller_uid(there) == uid_of(owner) and same(there.get("data"), history.data_of(owner)):
            return there
        state = member(owner, "status")
        counted: JsonObject = {**state, "collisionCount": number(state, "collisionCount") + 1}
        await self.client.replace(self.owners, namespace, {**owner, "status": counted}, "status")
        return Status(CONFLICT, "AlreadyExists", f"the name {name_of(wanted)} is another revision's")

    async def delete(self, owner: JsonObject, names: Iterable[str]) -> Status | None:
        """Delete revisions; the refusal, if there is one."""
        for name in names:
            answer = await self.client.delete(REVISIONS, namespace_of(owner), name)
            if isinstance(answer, Status) and answer.code >= 400 and answer.code != NOT_FOUND:
                return answer
        return None
