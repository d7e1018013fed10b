"""The tokens of service accounts that a server issues, and knows again: its key, and what it looks up for them.

The key (0600) is made at the first start, in the data directory.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from podward.access import jwt
from podward.access.service_accounts.claims import TokenFacts, claims
from podward.access.service_accounts.lookups import Lookup
from podward.access.service_accounts.validation import ServiceAccountTokens
from podward.errors import InputError
from podward.schema.resources import BY_PLURAL
from podward.server import private_file
from podward.server.catalog import key_of
from podward.server.encoding import decoded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from podward.access.authentication import Outcome
    from podward.api.json_value import JsonObject
    from podward.store.interface import Store

ISSUER = "https://kubernetes.default.svc"
AUDIENCES = (ISSUER,)


class AccountTokens:
    """Issues tokens, and says who bears one."""

    def __init__(self, key: jwt.PrivateKey, store: Store) -> None:
        self._key = key
        self._store = store
        self._known = ServiceAccountTokens((ISSUER,), (key.public_key(),), AUDIENCES)

    def issued(self, facts: TokenFacts) -> str:
        """The token that says this."""
        return jwt.signed(claims(facts), self._key)

    async def authenticate(self, token: str, audiences: Sequence[str], now: float) -> Outcome:
        """Who bears the token."""
        looking = self._known.authenticate(token, audiences, now)
        try:
            wanted = next(looking)
            while True:
                wanted = looking.send(await self.find(wanted))
        except StopIteration as end:
            outcome: Outcome = end.value
            return outcome

    async def find(self, wanted: Lookup) -> JsonObject | None:
        """An object of the core group."""
        resource = BY_PLURAL["", "v1", wanted.resource]
        stored = await self._store.get(key_of(resource, wanted.namespace, wanted.name))
        return None if stored is None else decoded(stored)


def kept_key(directory: str) -> ec.EllipticCurvePrivateKey:
    """The key in this directory, made where there is none. Raises InputError for what is no such key."""
    path = os.path.join(directory, "service-account.key")
    if not os.path.exists(path):
        made = ec.generate_private_key(ec.SECP256R1())
        text = made.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(text)
    content = private_file.content_of(path)
    try:
        key = serialization.load_pem_private_key(content, None)
    except ValueError:
        key = None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise InputError(
            "this is no EC private key", where=path, advice="remove it: it is made anew, and old tokens end"
        )
    return key
