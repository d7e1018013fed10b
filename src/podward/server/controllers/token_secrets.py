"""Secrets that are to hold a token of a service account: filled in as they come, gone when their account is.

What is put in is `podward.access.service_accounts.token_secrets`; here it is noticed and written, as
kube-controller-manager itself. What could not be written is looked at again a little later.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from podward.access.service_accounts.token_secrets import belongs_to, completed, wanted_account
from podward.api.caller import AUTHENTICATED, User
from podward.documents.raw_fields import member
from podward.errors import StoreError
from podward.schema.resources import BY_PLURAL
from podward.schema.validation.raw import text
from podward.server import failures
from podward.server.catalog import key_of, prefix_of
from podward.server.encoding import decoded

if TYPE_CHECKING:
    from collections.abc import Callable

    from podward.api.json_value import JsonObject
    from podward.server.cache import Caches
    from podward.server.controllers.calling import Caller
    from podward.store.interface import Event

ACCOUNT = "tokens-controller"
USER = User("system:kube-controller-manager", (AUTHENTICATED,))
_SECRETS, _ACCOUNTS = (BY_PLURAL["", "v1", plural] for plural in ("secrets", "serviceaccounts"))
_AGAIN = 10.0


class TokenSecrets:
    """The controller of tokens in Secrets. `signed` signs claims; `authority` is the server's, PEM."""

    def __init__(self, caller: Caller, caches: Caches, signed: Callable[[JsonObject], str], authority: bytes) -> None:
        self._caller = caller
        self._secrets = caches.of(prefix_of(_SECRETS))
        self._accounts = caches.of(prefix_of(_ACCOUNTS))
        self._signed = signed
        self._authority = authority
        self._changed = asyncio.Event()
        self._keys: set[str] = set()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Look at what is there, and at what comes."""
        await self._secrets.start()
        await self._accounts.start()
        self._keys.update(item.stored.key for item in self._secrets.items(self._secrets.prefix))
        self._secrets.listeners.append(self._take)
        self._accounts.listeners.append(self._take_account)
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def _take(self, event: Event) -> None:
        self._keys.add(event.stored.key)
        self._changed.set()

    def _take_account(self, event: Event) -> None:
        """An account that comes or goes: the Secrets of its namespace may be its."""
        namespace = event.stored.key.removeprefix(self._accounts.prefix).partition("/")[0]
        self._keys.update(item.stored.key for item in self._secrets.items(prefix_of(_SECRETS, namespace)))
        self._changed.set()

    async def _run(self) -> None:
        while True:
            self._changed.clear()
            later: set[str] = set()
            while self._keys:
                key = self._keys.pop()
                if not await self._handled(key):
                    later.add(key)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_AGAIN if later else None):
                    await self._changed.wait()
            self._keys |= later

    async def _handled(self, key: str) -> bool:
        """Whether there is nothing left to be done about a Secret."""
        try:
            return await self._look(key)
        except (StoreError, ValueError, TypeError) as error:  # one Secret must not keep the others from all
            failures.log("a Secret for a token", error)
            return False

    async def _look(self, key: str) -> bool:
        item = self._secrets.get(key)
        secret = decoded(item.stored) if item is not None else {}
        wanted = wanted_account(secret)
        if wanted is None:
            return True
        of = member(secret, "metadata")
        namespace = text(of, "namespace")
        await self._accounts.fresh()
        found = self._accounts.get(key_of(_ACCOUNTS, namespace, wanted.name))
        account = decoded(found.stored) if found is not None else None
        path = f"/api/v1/namespaces/{namespace}/secrets/{text(of, 'name')}"
        if account is None or not belongs_to(wanted, account):
            options: JsonObject = {"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": {"uid": of.get("uid")}}
            return await self._caller.ask("DELETE", path, options) in {200, 404, 409}
        made = completed(secret, account, self._authority, self._signed)
        return made is None or await self._caller.ask("PUT", path, made) in {200, 404, 409}
