"""The issuers of tokens that a server trusts: their keys are fetched, kept, and fetched again when they change.

Specification: Kubernetes, k8s.io/apiserver, plugin/pkg/authenticator/token/oidc, and go-oidc: an issuer is asked for
its metadata every ten seconds until it answers. Its keys are asked for when a token is signed with none of those that
are known; here only so often, since it is callers who decide how often that is. An issuer that does not answer names
nobody.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence

from podward.access import jwt
from podward.access.authentication import Authenticated, Failed, Outcome
from podward.access.oidc.issuer import Issuer
from podward.access.oidc.key_set import key_set_url, keys_of
from podward.access.oidc.users import Users
from podward.access.oidc.verification import NO_KEY, claims_fault, header_fault, is_signed, issuer_of
from podward.server.authentication.fetching import Fetcher
from podward.server.authentication.sparing_log import SparingLog

_AGAIN = 10.0
_BURST, _REFILL = 5.0, 10.0
"""So many fetches of keys at once, and one more every so many seconds."""


class KnownIssuer:
    """One issuer, and what is known of it now."""

    def __init__(self, issuer: Issuer) -> None:
        """Raises ValueError for an expression that is none, and ssl.SSLError where there is no certificate."""
        self.issuer = issuer
        self._users = Users(issuer)
        self._fetcher = Fetcher(issuer.authorities)
        self._log = SparingLog(f"issuer {issuer.url}")
        self._keys_at = ""
        self._keys: tuple[jwt.VerifyingKey, ...] = ()
        self._fetching: asyncio.Task[str] | None = None
        self._starting: asyncio.Task[None] | None = None
        self._may_fetch, self._counted = _BURST, time.monotonic()

    def start(self) -> None:
        """Ask the issuer about itself, until it answers."""
        self._starting = asyncio.create_task(self._discover())

    async def close(self) -> None:
        """Ask no more."""
        for task in (self._starting, self._fetching):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    def retire(self) -> None:
        """Nobody will ask any more, but for those who wait for keys right now."""
        if self._starting is not None:
            self._starting.cancel()

    async def ready(self) -> None:
        """Wait until the issuer has told where its keys are."""
        if self._starting is not None:
            await asyncio.shield(self._starting)

    async def authenticate(self, token: jwt.Token, now: float) -> Outcome:
        """Whom a token of this issuer names."""
        found = await self._named(token, now)
        if isinstance(found, Failed):
            self._log.tell(found.message)
        return found

    async def _named(self, token: jwt.Token, now: float) -> Authenticated | Failed:
        if not self._keys_at:
            return Failed(("oidc: authenticator not initialized",))
        fault = header_fault(token, self.issuer) or await self._signature_fault(token)
        fault = fault or claims_fault(token.claims, self.issuer, now)
        if fault:
            return Failed((f"oidc: verify token: {fault}",))
        user = self._users.named(token.claims)
        return Failed((user,)) if isinstance(user, str) else Authenticated(user, f"token of {self.issuer.url}")

    async def _signature_fault(self, token: jwt.Token) -> str:
        if is_signed(token, self._keys):
            return ""
        fault = await self._fetched()
        if fault:
            return f"failed to verify signature: {fault}"
        return "" if is_signed(token, self._keys) else NO_KEY

    async def _fetched(self) -> str:
        """Fetch the keys, once for all who wait, if that may be; why there are none."""
        if self._fetching is None or self._fetching.done():
            now = time.monotonic()
            self._may_fetch = min(_BURST, self._may_fetch + (now - self._counted) / _REFILL)
            self._counted = now
            if self._may_fetch < 1:
                return ""
            self._may_fetch -= 1
            self._fetching = asyncio.create_task(self._fetch())
        return await asyncio.shield(self._fetching)

    async def _fetch(self) -> str:
        document = await self._fetcher.get(self._keys_at)
        if isinstance(document, tuple):
            return f"fetching keys oidc: get keys failed {document[0]}"
        keys = keys_of(document)
        if isinstance(keys, str):
            return f"fetching keys {keys}"
        self._keys = keys
        return ""

    async def _discover(self) -> None:
        while not self._keys_at:
            document = await self._fetcher.get(self.issuer.metadata_url)
            found = document[0] if isinstance(document, tuple) else key_set_url(document, self.issuer.url)
            if isinstance(found, tuple):
                self._keys_at = found[0]
            else:
                self._log.tell(f"it cannot be asked about itself: {found}")
                await asyncio.sleep(_AGAIN)


class Issuers:
    """All issuers of a server; a token is its own issuer's affair alone."""

    def __init__(self, issuers: Sequence[Issuer]) -> None:
        """Raises ValueError and ssl.SSLError, as one issuer does."""
        self._known = {issuer.url: KnownIssuer(issuer) for issuer in issuers}

    def start(self) -> None:
        """Ask all of them about themselves."""
        for each in self._known.values():
            each.start()

    async def close(self) -> None:
        """Ask no more."""
        for each in self._known.values():
            await each.close()

    def retire(self) -> None:
        """Others take their place."""
        for each in self._known.values():
            each.retire()

    async def ready(self) -> None:
        """Wait until all have answered."""
        for each in self._known.values():
            await each.ready()

    async def authenticate(self, token: str, now: float) -> Outcome:
        """Who bears the token; None where it is of no issuer that is known here."""
        if not self._known:
            return None
        parsed = jwt.parsed(token)
        known = self._known.get(issuer_of(parsed)) if parsed is not None else None
        return None if known is None or parsed is None else await known.authenticate(parsed, now)
