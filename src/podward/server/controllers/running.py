"""The controllers that a server runs, as its flags name them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from podward.server.controllers import names

if TYPE_CHECKING:
    from podward.access.certificates.signing import Issuer, Issuers
    from podward.server.request import Handler
    from podward.server.scope import Parts

_OF_CERTIFICATES = frozenset((names.APPROVING, names.SIGNING, names.CLEANING))
_OF_NAMESPACES = frozenset((names.ACCOUNTS, names.AUTHORITIES))


class Controller(Protocol):
    """What runs beside the requests of a server."""

    async def start(self) -> None:
        """Look at what is there, and at what comes."""

    async def close(self) -> None:
        """Look no more."""


def issuers_of(usual: Issuer | None, of_nodes: Issuer | None) -> Issuers | None:
    """Who signs; None where nobody does."""
    if usual is None:
        return None
    from podward.access.certificates.signing import Issuers

    return Issuers(usual, of_nodes or usual)


def of(wanted: frozenset[str], issuers: Issuers | None, parts: Parts, handle: Handler) -> tuple[Controller, ...]:
    """The controllers; none without an issuer, whose certificate they publish and by whom they sign.

    `handle` serves requests whose caller is known. What they import, a server without them does not.
    """
    if issuers is None or not wanted:
        return ()
    issuer = issuers.usual
    from podward.server.controllers.calling import SERVER, Caller

    caches, authorize, found = parts.caches, parts.authorizer.authorize, list[Controller]()
    if wanted & _OF_CERTIFICATES:
        from podward.server.controllers.certificates import ACCOUNT, Certificates

        callers = Caller(handle, ACCOUNT), Caller(handle, ACCOUNT, SERVER)
        found.append(Certificates(callers, caches, authorize, issuers, wanted))
    if wanted & _OF_NAMESPACES:
        from cryptography.hazmat.primitives.serialization import Encoding

        from podward.server.controllers import namespaces

        accounts = Caller(handle, namespaces.ACCOUNTS) if names.ACCOUNTS in wanted else None
        authorities = Caller(handle, namespaces.AUTHORITIES) if names.AUTHORITIES in wanted else None
        certificate = issuer.certificate.public_bytes(Encoding.PEM).decode()
        found.append(namespaces.Namespaces(caches, accounts, authorities, certificate))
    if names.TOKEN_SECRETS in wanted:
        from cryptography.hazmat.primitives.serialization import Encoding

        from podward.server.controllers import token_secrets

        caller = Caller(handle, token_secrets.ACCOUNT, token_secrets.USER)
        authority = issuer.certificate.public_bytes(Encoding.PEM)
        found.append(token_secrets.TokenSecrets(caller, caches, parts.tokens.signed, authority))
    return tuple(found)
