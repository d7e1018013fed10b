"""Certificate requests, as they come and change: approved, signed, and cleaned away.

What is done is `podward.access.certificates`; here it is noticed and written. What could not be written, or was not yet
allowed, is looked at again a little later.
"""

from __future__ import annotations

import datetime as dt
import secrets
from base64 import b64encode
from typing import TYPE_CHECKING

from podward.access.certificates import approving, cleaning
from podward.access.certificates.requested import conditions
from podward.access.certificates.signing import Issuers, Refused, Signing, signed
from podward.documents.raw_fields import member, objects
from podward.schema.resources import BY_PLURAL
from podward.schema.validation.raw import text
from podward.server.authorizing import decided
from podward.server.catalog import prefix_of
from podward.server.controllers.names import APPROVING, CLEANING, SIGNING
from podward.server.controllers.worker import Worker
from podward.server.encoding import decoded

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from podward.api.authorization import Answer, Attributes
    from podward.api.json_value import Json, JsonObject
    from podward.server.cache import Caches
    from podward.server.controllers.calling import Caller
    from podward.store.interface import Stored

ACCOUNT = "certificate-controller"
RESOURCE = BY_PLURAL["certificates.k8s.io", "v1", "certificatesigningrequests"]
_NODES = BY_PLURAL["", "v1", "nodes"]
_PATH = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
_SERIAL_BITS = 127
_HOUR = 3600.0
_REFUSED = 300


class Certificates:
    """The controllers of certificate requests, as far as they run."""

    def __init__(
        self,
        callers: tuple[Caller, Caller],
        caches: Caches,
        authorize: Callable[[Attributes], Awaitable[Answer]],
        issuers: Issuers,
        running: frozenset[str],
    ) -> None:
        """`callers`: the controller's account, and the server itself, for what no role lets an account approve."""
        self._caller, self._server = callers
        self._cache = caches.of(prefix_of(RESOURCE))
        self._authorize = authorize
        self._issuers = issuers
        self._nodes = caches.of(prefix_of(_NODES))
        self._running = running
        self._worker = Worker(self._look, "a certificate request", self._clean)
        self._cleaned = 0.0

    async def start(self) -> None:
        """Look at what is there, and at what comes."""
        await self._cache.start()
        await self._nodes.start()
        self._worker.note(map(self._name_of, (item.stored for item in self._cache.items(self._cache.prefix))))
        self._cache.listeners.append(lambda event: self._worker.note([self._name_of(event.stored)]))
        self._nodes.listeners.append(lambda _: self._worker.retry())  # a node may ask before it has said who it is
        self._worker.start()

    async def close(self) -> None:
        """Look no more."""
        await self._worker.close()

    def _name_of(self, stored: Stored) -> str:
        return stored.key.removeprefix(self._cache.prefix)

    async def _look(self, name: str) -> bool:
        """Whether there is nothing left to be done about a request: it has a certificate, or never gets one."""
        item = self._cache.get(self._cache.prefix + name)
        if item is None:
            return True
        obj = decoded(item.stored)
        if not await self._approved(name, obj):
            await self._signed(name, obj)
        status = member(obj, "status")
        ended = {"Denied", "Failed"} & {text(each, "type") for each in objects(status, "conditions")}
        return bool(status.get("certificate") or ended)

    async def _approved(self, name: str, obj: JsonObject) -> bool:
        """Whether the request was approved just now: then it comes again."""
        if APPROVING not in self._running:
            return False
        caller, message = self._caller, await decided(approving.approval(obj), self._authorize)
        if not message:
            caller, message = self._server, self._serving_approval(obj)
        if not message:
            return False
        condition: JsonObject = {"type": "Approved", "status": "True", "reason": "AutoApproved", "message": message}
        return await caller.ask("PUT", f"{_PATH}/{name}/approval", _with_condition(obj, condition)) < _REFUSED

    def _serving_approval(self, obj: JsonObject) -> str:
        asking = approving.node_that_asks(obj)
        node = self._nodes.get(self._nodes.prefix + asking) if asking else None
        return approving.serving_approval(obj, decoded(node.stored)) if node is not None else ""

    async def _signed(self, name: str, obj: JsonObject) -> None:
        if SIGNING not in self._running:
            return
        now = dt.datetime.now(dt.UTC).replace(microsecond=0)
        issuer = self._issuers.of(text(member(obj, "spec"), "signerName"))
        found = signed(obj, Signing(issuer, now, secrets.randbits(_SERIAL_BITS) + 1))
        if isinstance(found, Refused):
            stamp = now.strftime("%Y-%m-%dT%H:%M:%SZ")
            failed: JsonObject = {"type": "Failed", "status": "True", "reason": "SignerValidationFailure"}
            await self._put(
                name, "status", _with_condition(obj, {**failed, "message": found.why, "lastUpdateTime": stamp})
            )
        elif found is not None:
            status: JsonObject = {**member(obj, "status"), "certificate": b64encode(found).decode()}
            await self._put(name, "status", {**obj, "status": status})

    async def _put(self, name: str, part: str, obj: JsonObject) -> bool:
        return await self._caller.ask("PUT", f"{_PATH}/{name}/{part}", obj) < _REFUSED

    async def _clean(self) -> None:
        now = dt.datetime.now(dt.UTC)
        if CLEANING not in self._running or now.timestamp() - self._cleaned < _HOUR:
            return
        self._cleaned = now.timestamp()
        for item in tuple(self._cache.items(self._cache.prefix)):
            if cleaning.is_done(decoded(item.stored), now):
                await self._caller.ask("DELETE", f"{_PATH}/{item.stored.key.removeprefix(self._cache.prefix)}")


def _with_condition(obj: JsonObject, condition: JsonObject) -> JsonObject:
    every: list[Json] = [*conditions(obj), condition]
    return {**obj, "status": {**member(obj, "status"), "conditions": every}}
