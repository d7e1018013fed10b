"""The tokens of service accounts that a server issues, and knows again, and what it looks up for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from podward.access import jwt
from podward.access.service_accounts.claims import TokenFacts, claims
from podward.access.service_accounts.discovery import KEYS_PATH
from podward.access.service_accounts.legacy_use import Use
from podward.access.service_accounts.lookups import Lookup
from podward.access.service_accounts.validation import ServiceAccountTokens
from podward.schema.resources import BY_PLURAL
from podward.server.catalog import key_of
from podward.server.encoding import decoded

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from podward.access.authentication import Outcome
    from podward.api.json_value import JsonObject
    from podward.store.interface import Store

ISSUER = "https://kubernetes.default.svc"


class AccountSettings(Struct, frozen=True):
    """How tokens are issued, and which are good.

    The first of the issuers is named in new tokens. `keys` are those of good tokens beside the signing key. Without
    `audiences` the issuers are the server's own. `longest` is how many seconds a token may be good for, 0 any number.
    """

    key: jwt.PrivateKey
    keys: tuple[jwt.PublicKey, ...] = ()
    issuers: tuple[str, ...] = (ISSUER,)
    audiences: tuple[str, ...] = ()
    longest: int = 0
    extends: bool = True
    """Whether the tokens that Pods are given live for a year, and are warned about."""
    key_set_url: str = ""
    """Where others find the keys; empty: at the address of this server."""

    @property
    def own_audiences(self) -> tuple[str, ...]:
        """The audiences of the server itself."""
        return self.audiences or self.issuers

    @property
    def all_keys(self) -> tuple[jwt.PublicKey, ...]:
        """The keys of good tokens, each once, the signing key first."""
        own = (self.key.public_key(), *self.keys)
        return tuple({jwt.key_id(key): key for key in own}.values())


async def _forget(_secret: JsonObject) -> None:
    pass


class AccountTokens:
    """Issues tokens, and says who bears one."""

    def __init__(
        self, settings: AccountSettings, store: Store, note_use: Callable[[JsonObject], Awaitable[None]] = _forget
    ) -> None:
        """`note_use` is told of the Secret of each token that is in one."""
        self.settings = settings
        self._note_use = note_use
        self.audiences = settings.own_audiences
        self.issuer = settings.issuers[0]
        self.key_set_url = settings.key_set_url
        self._store = store
        self._known = ServiceAccountTokens(settings.issuers, settings.all_keys, self.audiences)

    def reached_at(self, address: str) -> None:
        """Others find the keys at this server's address, unless they find them elsewhere."""
        self.key_set_url = self.settings.key_set_url or f"{address}{KEYS_PATH}"

    def issued(self, facts: TokenFacts) -> str:
        """The token that says this."""
        return self.signed(claims(facts))

    def signed(self, said: JsonObject) -> str:
        """A token with these claims."""
        return jwt.signed(said, self.settings.key)

    async def authenticate(self, token: str, audiences: Sequence[str], now: float) -> Outcome:
        """Who bears the token."""
        looking = self._known.authenticate(token, audiences, now)
        try:
            wanted = next(looking)
            while True:
                found = await self.find(wanted)
                if found is not None and isinstance(wanted, Use):
                    await self._note_use(found)
                wanted = looking.send(found)
        except StopIteration as end:
            outcome: Outcome = end.value
            return outcome

    async def find(self, wanted: Lookup) -> JsonObject | None:
        """An object of the core group."""
        resource = BY_PLURAL["", "v1", wanted.resource]
        stored = await self._store.get(key_of(resource, wanted.namespace, wanted.name))
        return None if stored is None else decoded(stored)
