"""ResourceQuotas: what is used of each, counted anew when something goes, and every five minutes.

Specification: Kubernetes, pkg/controller/resourcequota and k8s.io/apiserver, pkg/quota/v1 CalculateUsage. The server
takes from a quota what is made; what goes gives it back here. A Pod whose time to end is over counts as one that ended.
What is made is counted a little later, too, as what is here may be older than the quota.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable

from podward.api.admission import PODS, GroupResource
from podward.api.json_value import Json, JsonObject
from podward.api.quantity import Quantity
from podward.api.resource import Resource
from podward.api.status import Status
from podward.client.api import Client
from podward.client.informer import Change, Informer, key_of
from podward.client.work import Retry, WorkQueue
from podward.controllers.apps.pods import moment_of
from podward.controllers.context import Context
from podward.controllers.discovery import discovery_of
from podward.controllers.written import Written
from podward.documents.raw_fields import member
from podward.schema.resources import BY_PLURAL
from podward.schema.validation.raw import number
from podward.schema.validation.resources import amounts
from podward.stages.admission.quota import in_scopes
from podward.stages.admission.quota_usage import Rules, Usage, rules_of

ACCOUNT = "resourcequota-controller"
_QUOTAS = BY_PLURAL["", "v1", "resourcequotas"]
_VERBS = frozenset(("create", "delete", "list", "watch"))
_WORKERS = 5
_AT_ONCE, _LATER, _CORRECTED, _REGULARLY = 0.05, 1.0, 10.0, 300.0
"""Seconds: for changes that come together, until what is here is as new as the quota, until a status that somebody else
wrote is put right, and between two counts."""
_NONE = Quantity(0)
_CONFLICT, _NOT_FOUND = 409, 404


async def make(context: Context) -> QuotaController:
    """The controller."""
    return QuotaController(context, await context.client_for(ACCOUNT))


# --- what is used ----------------------------------------------------------------------------------------------------


def concerned(quota: JsonObject, served: Iterable[Resource]) -> list[Resource]:
    """The resources whose objects a quota counts."""
    hard, found = amounts(member(quota, "spec"), "hard"), list[Resource]()
    for each in served:
        rules = rules_of(GroupResource(each.group, each.plural)) if each.namespaced else None
        if rules is not None and set(each.verbs) >= _VERBS and any(map(rules.concerns, hard)):
            found.append(each)
    return found


def counted(quota: JsonObject, objects_of: Callable[[Resource], Iterable[JsonObject]], now: float,
            resources: Iterable[Resource]) -> JsonObject:  # fmt: skip
    """The status of a quota: its limits, and what these resources' objects use of them."""
    spec, before = member(quota, "spec"), amounts(member(quota, "status"), "used")
    hard = amounts(spec, "hard")
    used: dict[str, Quantity] = {}
    for resource in resources:
        rules = rules_of(GroupResource(resource.group, resource.plural))
        if rules is None:
            continue
        for name in filter(rules.concerns, hard):
            used.setdefault(name, _NONE)
        for obj in objects_of(resource):
            for name, amount in _usage(quota, rules, obj, now).items():
                if name in hard:
                    used[name] = used.get(name, _NONE).plus(amount)
    kept = {name: used.get(name, before.get(name)) for name in hard}
    written: dict[str, Json] = {name: str(amount) for name, amount in kept.items() if amount is not None}
    return {"hard": {**member(spec, "hard")}, "used": written}


def _usage(quota: JsonObject, rules: Rules, obj: JsonObject, now: float) -> Usage:
    metadata = member(obj, "metadata")
    ending = moment_of(metadata, "deletionTimestamp")
    if rules is rules_of(PODS) and ending is not None and now > ending + number(metadata, "deletionGracePeriodSeconds"):
        obj = {**obj, "status": {**member(obj, "status"), "phase": "Failed"}}
    return rules.usage(obj) if in_scopes(quota, rules, obj) else {}


def is_same(one: JsonObject, other: JsonObject) -> bool:
    """Whether two statuses say the same amounts."""
    return all(
        isinstance(one.get(name), dict)
        and {key: amount.units for key, amount in amounts(one, name).items()}
        == {key: amount.units for key, amount in amounts(other, name).items()}
        for name in ("hard", "used")
    )


# --- counting it -----------------------------------------------------------------------------------------------------


class QuotaController:
    """All ResourceQuotas."""

    def __init__(self, context: Context, client: Client) -> None:
        self._client = client
        self._informers = context.informers
        self._discovery = discovery_of(context.admin, context.informers)
        self._quotas = context.informers.of(_QUOTAS)
        self._written = Written(self._quotas)
        self._followed: dict[Resource, Informer] = {}
        self._queue = WorkQueue(ACCOUNT, self._reconcile, _WORKERS)
        self._quotas.listeners.append(self._changed)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to work."""
        self._discovery.start()
        self._queue.start()
        self._task = asyncio.create_task(self._regularly())

    async def close(self) -> None:
        """Work no more."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self._discovery.close()
        await self._queue.close()

    async def _regularly(self) -> None:
        while True:
            await asyncio.sleep(_REGULARLY)
            for quota in self._quotas.items():
                self._queue.add("/".join(key_of(quota)))

    def _changed(self, change: Change) -> None:
        old, new = change.old, change.new
        if new is None:
            return
        if old is None or member(old, "spec") != member(new, "spec"):
            self._queue.add("/".join(key_of(new)))
        elif amounts(member(new, "spec"), "hard") != amounts(member(new, "status"), "hard"):
            self._queue.add_after("/".join(key_of(new)), _CORRECTED)  # somebody else has written other limits

    async def _reconcile(self, key: str) -> float | Retry | None:
        namespace, _, name = key.partition("/")
        quota = self._written.get(namespace, name)
        if quota is None:
            return None
        resources = concerned(quota, (await self._discovery.current()).preferred)
        for resource in resources:
            await self._follow(resource)
        status = counted(quota, lambda of: self._followed[of].items(namespace), time.time(), resources)
        if is_same(member(quota, "status"), status):
            return None
        answer = await self._client.replace(_QUOTAS, namespace, {**quota, "status": status}, "status")
        if not isinstance(answer, Status):
            self._written.put(answer)
            return None
        if answer.code == _CONFLICT:
            return _AT_ONCE  # the server has just taken something from it
        return None if answer.code == _NOT_FOUND else Retry.LATER

    async def _follow(self, resource: Resource) -> None:
        informer = self._informers.of(resource)  # another one, where the resource was gone meanwhile
        if self._followed.get(resource) is not informer:
            self._followed[resource] = informer
            informer.listeners.append(lambda change: self._object_changed(resource, change))
            informer.start()
        await informer.synced()

    def _object_changed(self, resource: Resource, change: Change) -> None:
        namespace, _ = key_of(change.object)
        quotas = list(self._quotas.items(namespace)) if len(self._quotas) else []
        if not quotas or not self._matters(resource, change):
            return
        for quota in quotas:
            self._queue.add_after("/".join(key_of(quota)), _LATER if change.old is None else _AT_ONCE)

    def _matters(self, resource: Resource, change: Change) -> bool:
        """Whether something else may be used now."""
        old, new = change.old, change.new
        if old is None or new is None:
            return True
        rules = rules_of(GroupResource(resource.group, resource.plural))
        return rules is not None and (
            rules.usage(old) != rules.usage(new)
            or member(old, "metadata").get("deletionTimestamp") != member(new, "metadata").get("deletionTimestamp")
            or member(old, "spec") != member(new, "spec")
        )
