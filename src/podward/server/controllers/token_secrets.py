"""Secrets that are to hold a token of a service account: filled in as they come, gone when their account is.

What is put in is `podward.access.service_accounts.token_secrets`; here it is noticed and written, as
kube-controller-manager itself. What could not be written is looked at again a little later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.access.service_accounts.token_secrets import belongs_to, completed, wanted_account
from podward.api.caller import AUTHENTICATED, User
from podward.documents.raw_fields import member
from podward.schema.resources import BY_PLURAL
from podward.schema.validation.raw import text
from podward.server.catalog import key_of, prefix_of
from podward.server.controllers.worker import Worker
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


class TokenSecrets:
    """The controller of tokens in Secrets. `signed` signs claims; `authority` is the server's, PEM."""

    def __init__(self, caller: Caller, caches: Caches, signed: Callable[[JsonObject], str], authority: bytes) -> None:
        self._caller = caller
        self._secrets = caches.of(prefix_of(_SECRETS))
        self._accounts = caches.of(prefix_of(_ACCOUNTS))
        self._signed = signed
        self._authority = authority
        self._worker = Worker(self._look, "a Secret for a token")

    async def start(self) -> None:
        """Look at what is there, and at what comes."""
        await self._secrets.start()
        await self._accounts.start()
        self._worker.note(item.stored.key for item in self._secrets.items(self._secrets.prefix))
        self._secrets.listeners.append(lambda event: self._worker.note([event.stored.key]))
        self._accounts.listeners.append(self._take_account)
        self._worker.start()

    async def close(self) -> None:
        """Look no more."""
        await self._worker.close()

    def _take_account(self, event: Event) -> None:
        """An account that comes or goes: the Secrets of its namespace may be its."""
        namespace = event.stored.key.removeprefix(self._accounts.prefix).partition("/")[0]
        self._worker.note(item.stored.key for item in self._secrets.items(prefix_of(_SECRETS, namespace)))

    async def _look(self, key: str) -> bool:
        """Whether there is nothing left to be done about a Secret."""
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
