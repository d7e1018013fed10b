"""Taking from the ResourceQuotas of a namespace what a write needs, before it is stored.

Requests of one namespace take turns; another server's writes to the same store are met by trying again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from weakref import WeakValueDictionary

from podward.api import status
from podward.api.admission import AdmissionRequest, GroupResource
from podward.api.json_value import JsonObject
from podward.api.status import Status
from podward.documents.raw_fields import member
from podward.schema.apply.kind_versions import builtin_versions
from podward.schema.apply.managed import Write, after_update
from podward.schema.resources import BY_KIND
from podward.server.catalog import key_of, prefix_of
from podward.server.encoding import decoded, stored_bytes
from podward.server.scope import Parts
from podward.stages.admission import quota
from podward.stages.admission.settings import QuotaLimit
from podward.store.interface import Mismatch, Stored

_RESOURCE = BY_KIND["v1", "ResourceQuota"]
_ATTEMPTS = 4
_MANAGER = "kube-apiserver"
_CHANGED = "the object has been modified; please apply your changes to the latest version and try again"


class Quotas:
    """The quotas of a server."""

    def __init__(self) -> None:
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def refused(self, parts: Parts, asked: AdmissionRequest, limits: Sequence[QuotaLimit] = ()) -> Status | None:
        """Why the request does not fit; if it does, what it needs has been taken."""
        if not quota.concerns(asked):
            return None
        cache, prefix = parts.caches.of(prefix_of(_RESOURCE)), prefix_of(_RESOURCE, asked.namespace)
        await cache.fresh()
        if not cache.count(prefix):
            return quota.uncovered(asked, (), limits)
        turn = self._turns.setdefault(asked.namespace, asyncio.Lock())
        async with turn:
            await cache.fresh()
            known = [item.stored for item in cache.items(prefix)]
            if limits and (refused := quota.uncovered(asked, map(decoded, known), limits)) is not None:
                return refused
            return await _take(parts, asked, known)


async def _take(parts: Parts, asked: AdmissionRequest, known: list[Stored]) -> Status | None:
    name = ""
    for _ in range(_ATTEMPTS):
        by_key = {found.key: found for found in known}
        charged = quota.charged(asked, map(decoded, known))
        if isinstance(charged, Status):
            return charged
        if asked.dry_run:
            return None
        known = []
        for changed in charged:
            name = str(member(changed, "metadata").get("name") or "")
            met = await _put(parts, changed, by_key[key_of(_RESOURCE, asked.namespace, name)])
            if met is not None:
                known.append(met)
        if not known:
            return None
    return status.conflict(GroupResource("", _RESOURCE.plural), name, _CHANGED)


async def _put(parts: Parts, changed: JsonObject, before: Stored) -> Stored | None:
    """Store what is used now; what is there instead, if that has changed. A quota that is gone limits nothing."""
    versions = builtin_versions(_RESOURCE.api_version, _RESOURCE.kind)
    write = Write(versions, _RESOURCE.kind, _RESOURCE.api_version, _MANAGER, parts.clock.now(), "status")
    value = stored_bytes(_RESOURCE, after_update(write, decoded(before), changed))
    found = await parts.store.update(before.key, value, before.revision)
    return found.current if isinstance(found, Mismatch) else None
