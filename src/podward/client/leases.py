"""Being the one of several: whoever holds a Lease leads, and the others wait until it is given up or has run out.

Specification: Kubernetes, k8s.io/client-go, tools/leaderelection: a lease of 15 s that is renewed every 2 s; who could
not renew it for 10 s does not lead any more. Whether it has run out is told by this machine's own clock since it last
changed, not by the times written in it.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

from podward.api.json_value import JsonObject
from podward.api.status import Status
from podward.client.api import Client
from podward.documents.raw_fields import member
from podward.schema.resources import BY_PLURAL

LEASES = BY_PLURAL["coordination.k8s.io", "v1", "leases"]
_DURATION, _RENEWED_WITHIN, _EVERY = 15, 10.0, 2.0
_NOT_FOUND = 404


def moment() -> str:
    """Now, as a MicroTime."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Leader:
    """One who would lead."""

    def __init__(self, client: Client, namespace: str, name: str, identity: str) -> None:
        """`identity` is nobody else's."""
        self._client = client
        self._place = (namespace, name)
        self._identity = identity
        self._seen: JsonObject | None = None
        self._changed = 0.0

    async def acquire(self) -> None:
        """Wait until we lead."""
        while not await self._try():  # noqa: ASYNC110 - the others are elsewhere
            await asyncio.sleep(_EVERY)

    async def keep(self) -> None:
        """Renew the lease; returns when it is lost."""
        last = time.monotonic()
        while time.monotonic() - last < _RENEWED_WITHIN:
            await asyncio.sleep(_EVERY)
            try:
                async with asyncio.timeout(_RENEWED_WITHIN - (time.monotonic() - last)):
                    renewed = await self._try()
            except TimeoutError:
                return
            if renewed:
                last = time.monotonic()
            elif self._holder() not in {self._identity, ""}:
                return

    async def release(self) -> None:
        """Give it up, so that nobody has to wait."""
        if self._seen is None or self._holder() != self._identity:
            return
        spec: JsonObject = {**member(self._seen, "spec"), "holderIdentity": "", "leaseDurationSeconds": 1}
        await self._client.replace(LEASES, self._place[0], {**self._seen, "spec": spec})

    def _holder(self) -> str:
        found = member(self._seen or {}, "spec").get("holderIdentity")
        return found if isinstance(found, str) else ""

    async def _try(self) -> bool:
        """Whether we lead now."""
        namespace, name = self._place
        found = await self._client.get(LEASES, namespace, name)
        if isinstance(found, Status):
            if found.code != _NOT_FOUND:
                return False
            made: JsonObject = {
                "apiVersion": "coordination.k8s.io/v1",
                "kind": "Lease",
                "metadata": {"name": name, "namespace": namespace},
                "spec": self._spec({}),
            }
            return self._took(await self._client.create(LEASES, namespace, made))
        spec = member(found, "spec")
        if self._seen is None or member(self._seen, "spec") != spec:
            self._seen, self._changed = found, time.monotonic()
        if self._holder() not in {"", self._identity} and time.monotonic() - self._changed < self._duration():
            return False
        return self._took(await self._client.replace(LEASES, namespace, {**found, "spec": self._spec(spec)}))

    def _duration(self) -> float:
        found = member(self._seen or {}, "spec").get("leaseDurationSeconds")
        return float(found) if isinstance(found, int) else _DURATION

    def _took(self, answer: JsonObject | Status) -> bool:
        if isinstance(answer, Status):
            return False
        self._seen, self._changed = answer, time.monotonic()
        return True

    def _spec(self, old: JsonObject) -> JsonObject:
        now = moment()
        ours = old.get("holderIdentity") == self._identity
        transitions = old.get("leaseTransitions")
        count = transitions if isinstance(transitions, int) else 0
        return {
            **old,
            "holderIdentity": self._identity,
            "leaseDurationSeconds": _DURATION,
            "acquireTime": old.get("acquireTime") if ours else now,
            "renewTime": now,
            "leaseTransitions": count if ours or not old else count + 1,
        }
