"""Who the caller is: the authenticators of a server, tried in turn."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Sequence

from msgspec import structs

from podward.access.anonymous import AnonymousAccess
from podward.access.authentication import (
    INVALID_TOKEN,
    Authenticated,
    Credentials,
    Failed,
    Outcome,
    in_group_of_authenticated,
)
from podward.access.bearer import SPACE_WARNING, bearer_token, ignored_for_space, protocol_token
from podward.access.client_certificates import ClientCertificates
from podward.access.static_tokens import StaticTokens
from podward.server.account_tokens import AccountTokens


class Callers:
    """Certificates first, then tokens, then nobody."""

    def __init__(
        self,
        certificates: Sequence[ClientCertificates],
        tokens: Sequence[StaticTokens],
        accounts: AccountTokens,
        anonymous: AnonymousAccess,
    ) -> None:
        self._certificates = certificates
        self._tokens = tokens
        self._accounts = accounts
        self._anonymous = anonymous

    async def authenticate(self, credentials: Credentials, audiences: Sequence[str] = ()) -> Outcome:
        """Who it is; a credential that nobody knows is a failure."""
        errors: list[str] = []
        if credentials.certificates:
            now = dt.datetime.now(dt.UTC)
            for authority in self._certificates:
                found = authority.authenticate(credentials.certificates, now)
                if isinstance(found, Authenticated):
                    return in_group_of_authenticated(found)
                errors += found.errors if isinstance(found, Failed) else ()
        token = bearer_token(credentials.authorization)
        if not token and credentials.protocols:
            borne = protocol_token(credentials.protocols)
            token = borne[0] if isinstance(borne, tuple) else ""
            errors += [borne] if isinstance(borne, str) else []
        if token:
            for file in self._tokens:
                known = file.authenticate(token, audiences)
                if isinstance(known, Authenticated):
                    return in_group_of_authenticated(known)
            account = await self._accounts.authenticate(token, audiences, time.time())
            if isinstance(account, Authenticated):
                return in_group_of_authenticated(account)
            errors += (INVALID_TOKEN, *(account.errors if isinstance(account, Failed) else ()))
        if errors:
            return Failed(tuple(errors))
        return self._nobody(credentials)

    def _nobody(self, credentials: Credentials) -> Outcome:
        """The anonymous user, told of a token that is none only for the blank before it."""
        found = self._anonymous.authenticate(credentials.path)
        if found is not None and ignored_for_space(credentials.authorization):
            return structs.replace(found, warnings=(SPACE_WARNING,))
        return found
