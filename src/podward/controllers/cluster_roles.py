"""ClusterRoles that collect the rules of others have them written down.

Specification: Kubernetes, pkg/controller/clusterroleaggregation: selector by selector, by name, each rule once, itself
left out; written by server-side apply. What collects such a role in turn follows when that one is written. (A server of
ours decides by `access.aggregation`, which is where this comes to rest, whether or not it is written.)
"""

from __future__ import annotations

from collections.abc import Iterable

from podward.api.json_value import Json, JsonObject
from podward.api.status import Status
from podward.client.api import Client, PatchKind
from podward.client.informer import Change
from podward.client.work import Retry, WorkQueue
from podward.controllers.apps.acting import NOT_FOUND
from podward.controllers.apps.ownership import labels_of, name_of
from podward.controllers.context import Context
from podward.controllers.written import Written
from podward.documents.raw_fields import member, objects
from podward.schema.resources import BY_PLURAL
from podward.schema.strategies.selectors import selects

ACCOUNT = "clusterrole-aggregation-controller"
_ROLES = BY_PLURAL["rbac.authorization.k8s.io", "v1", "clusterroles"]


async def make(context: Context) -> ClusterRoles:
    """The controller."""
    return ClusterRoles(context, await context.client_for(ACCOUNT))


def is_collecting(role: JsonObject) -> bool:
    """Whether a role has the rules of others."""
    return isinstance(role.get("aggregationRule"), dict)


def collected(role: JsonObject, roles: Iterable[JsonObject]) -> list[JsonObject]:
    """The rules that a collecting role has."""
    others = sorted((each for each in roles if name_of(each) != name_of(role)), key=name_of)
    found: list[JsonObject] = []
    for selector in objects(member(role, "aggregationRule"), "clusterRoleSelectors"):
        for other in others:
            if selects(selector, labels_of(other)):
                found += [rule for rule in objects(other, "rules") if rule not in found]
    return found


class ClusterRoles:
    """All ClusterRoles."""

    def __init__(self, context: Context, client: Client) -> None:
        self._client = client
        self._informer = context.informers.of(_ROLES)
        self._roles = Written(self._informer)
        self._queue = WorkQueue(ACCOUNT, self._reconcile)
        self._informer.listeners.append(self._changed)

    async def start(self) -> None:
        """Begin to work."""
        self._queue.start()

    async def close(self) -> None:
        """Work no more."""
        await self._queue.close()

    def _changed(self, _change: Change) -> None:
        for role in self._informer.items():
            if is_collecting(role):
                self._queue.add(name_of(role))

    async def _reconcile(self, name: str) -> Retry | None:
        role = self._roles.get("", name)
        if role is None or not is_collecting(role):
            return None
        rules = collected(role, self._roles.items(""))
        if rules == objects(role, "rules"):
            return None
        listed: list[Json] = [*rules]
        wanted: JsonObject = {
            "apiVersion": _ROLES.api_version,
            "kind": _ROLES.kind,
            "metadata": {"name": name},
            "rules": listed,
        }
        answer = await self._client.patch(_ROLES, "", name, wanted, PatchKind.APPLY, fieldManager=ACCOUNT, force="true")
        if not isinstance(answer, Status):
            self._roles.put(answer)
            return None
        return None if answer.code == NOT_FOUND else Retry.LATER
