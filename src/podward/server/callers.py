"""Who the caller is: the authenticators of a server, tried in turn.

Specification: Kubernetes, pkg/kubeapiserver/authenticator/config.go, and request/union: the front proxy, passwords,
certificates, then tokens: of the static file, of service accounts, of other issuers, of a webhook. The first that names
the caller decides, whatever failed before it; where nobody does, all failures are told.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import TypeAlias

from msgspec import structs

from podward.access.authentication import (
    INVALID_TOKEN,
    Authenticated,
    Credentials,
    Failed,
    Outcome,
    for_audiences,
    in_group_of_authenticated,
)
from podward.access.bearer import SPACE_WARNING, bearer_token, ignored_for_space, protocol_token
from podward.server.account_tokens import AccountTokens
from podward.server.authentication.issuers import Issuers
from podward.server.authentication.opening import Authentication
from podward.server.authentication.token_webhook import AskedWebhook
from podward.server.webhooks.client import Webhooks

OfToken: TypeAlias = Callable[[str, Sequence[str], float], Awaitable[Outcome]]
"""Says who bears a token, which must be good for one of these audiences, or else for the server's own, at this time."""


class Callers:
    """All authenticators of a server."""

    def __init__(self, authenticators: Authentication, accounts: AccountTokens) -> None:
        self._known = authenticators
        self._own = accounts.audiences
        self._of_tokens: list[OfToken] = []
        if authenticators.tokens is not None:
            self._of_tokens.append(_static(authenticators.tokens.authenticate))
        self._of_tokens.append(accounts.authenticate)
        self._issuers = Issuers(authenticators.issuers)
        self._of_tokens.append(self._of_issuers)
        self._webhook = None
        if authenticators.webhook is not None:
            self._webhook = AskedWebhook(authenticators.webhook, self._own)
            self._of_tokens.append(self._webhook.authenticate)

    def start(self, webhooks: Webhooks) -> None:
        """Ask issuers about themselves; reach the token webhook by these connections."""
        self._issuers.start()
        if self._webhook is not None:
            self._webhook.reach_by(webhooks)

    async def close(self) -> None:
        """Ask no more."""
        if self._known.configuration is not None:
            await self._known.configuration.close()
        await self._issuers.close()

    def replace_issuers(self, issuers: Issuers) -> None:
        """Trust these issuers from now on, which have been started, and no others."""
        self._issuers.retire()
        self._issuers = issuers

    async def authenticate(self, credentials: Credentials, audiences: Sequence[str] = ()) -> Outcome:
        """Who it is; a credential that nobody knows is a failure."""
        errors: list[str] = []
        for found in self._of_connection(credentials):
            outcome = for_audiences(found, self._own, audiences)
            if isinstance(outcome, Authenticated):
                return in_group_of_authenticated(outcome)
            errors += outcome.errors if isinstance(outcome, Failed) else ()
        token = bearer_token(credentials.authorization)
        if not token and credentials.protocols:
            borne = protocol_token(credentials.protocols)
            token = borne[0] if isinstance(borne, tuple) else ""
            errors += [borne] if isinstance(borne, str) else []
        if token:
            outcome = await self._of_token(token, audiences)
            if isinstance(outcome, Authenticated):
                return in_group_of_authenticated(outcome)
            errors += (INVALID_TOKEN, *(outcome.errors if isinstance(outcome, Failed) else ()))
        return Failed(tuple(errors)) if errors else self._nobody(credentials)

    def _of_connection(self, credentials: Credentials) -> Iterator[Outcome]:
        """What the authenticators say that look at no token, one after the other."""
        known, chain = self._known, credentials.certificates
        now = dt.datetime.now(dt.UTC)
        if known.front_proxy is not None and chain:
            yield known.front_proxy.authenticate(chain, credentials.headers, now)
        if known.passwords is not None:
            yield known.passwords.authenticate(credentials.authorization)
        if chain:
            yield known.own_certificates.authenticate(chain, now)
            if known.client_authority is not None:
                yield known.client_authority.authenticate(chain, now)

    async def _of_issuers(self, token: str, audiences: Sequence[str], now: float) -> Outcome:
        if audiences and not set(audiences) & set(self._own):
            return None
        return for_audiences(await self._issuers.authenticate(token, now), self._own, audiences)

    async def _of_token(self, token: str, audiences: Sequence[str]) -> Outcome:
        errors: list[str] = []
        for asked in self._of_tokens:
            outcome = await asked(token, audiences, time.time())
            if isinstance(outcome, Authenticated):
                return outcome
            errors += outcome.errors if isinstance(outcome, Failed) else ()
        return Failed(tuple(errors)) if errors else None

    def _nobody(self, credentials: Credentials) -> Outcome:
        """The anonymous user, told of a token that is none only for the blank before it."""
        found = self._known.anonymous.authenticate(credentials.path)
        if found is not None and ignored_for_space(credentials.authorization):
            return structs.replace(found, warnings=(SPACE_WARNING,))
        return found


def _static(known: Callable[[str, Sequence[str]], Outcome]) -> OfToken:
    """An authenticator that asks nobody."""

    async def authenticate(token: str, audiences: Sequence[str], _now: float) -> Outcome:
        return known(token, audiences)

    return authenticate
