"""Issuers of tokens, from flags or from an AuthenticationConfiguration, which is read again when it changes.

Specification: Kubernetes, pkg/kubeapiserver/options/authentication.go: a changed file is used once all of its issuers
have answered; whether requests may be anonymous cannot be changed. What cannot be used leaves what was known.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from podward.access.oidc.configuration import Configuration
from podward.access.oidc.configuration import read as read_configuration
from podward.access.oidc.faults import faults
from podward.access.oidc.issuer import Issuer, Mapped
from podward.access.oidc.written import (
    Written,
    WrittenAuthenticator,
    WrittenIssuer,
    WrittenMapping,
    WrittenMappings,
    WrittenRule,
)
from podward.errors import InputError, UsageError
from podward.server import private_file
from podward.server.authentication.issuers import Issuers

if TYPE_CHECKING:
    from collections.abc import Callable

    from podward.server.authentication.options import OidcFlags

_PATIENCE = 60.0
_log = logging.getLogger("podward.server")


def issuer_of_flags(flags: OidcFlags, own_issuers: tuple[str, ...]) -> Issuer:
    """The issuer that `--oidc-*` flags name. Raises UsageError, InputError."""
    authorities = ""
    if flags.authorities_file:
        authorities = private_file.public_content_of(flags.authorities_file).decode("utf-8", "replace")
    prefix = flags.username_prefix
    if not prefix and flags.username_claim != "email":
        prefix = f"{flags.url}#"
    prefix = "" if prefix == "-" else prefix
    written = WrittenAuthenticator(
        WrittenIssuer(flags.url, None, authorities, (flags.client,)),
        tuple(WrittenRule(claim, value) for claim, value in flags.required),
        WrittenMappings(
            WrittenMapping(flags.username_claim, prefix), WrittenMapping(flags.groups_claim, flags.groups_prefix)
        ),
    )
    for at, fault in faults(Written(jwt=(written,)), own_issuers):
        flag, place = _FLAGS.get(str(at).removeprefix("jwt[0]."), "--oidc-issuer-url"), f"{at}: {fault}"
        raise UsageError(place, where=flag, advice="see `podward apiserver --help`")
    return Issuer(
        flags.url,
        (flags.client,),
        Mapped(flags.username_claim, prefix),
        Mapped(flags.groups_claim, flags.groups_prefix),
        required=flags.required,
        authorities=authorities,
        algorithms=flags.algorithms,
    )


_FLAGS = {
    "issuer.audiences[0]": "--oidc-client-id",
    "issuer.certificateAuthority": "--oidc-ca-file",
    "claimMappings.username": "--oidc-username-claim",
}


class ConfigurationFile:
    """The file of `--authentication-config`."""

    def __init__(self, path: str, own_issuers: tuple[str, ...]) -> None:
        self.path = path
        self._own = own_issuers
        self._first: Configuration | None = None
        self._changing: asyncio.Task[None] | None = None

    def read(self) -> Configuration:
        """What it says. Raises InputError."""
        found = read_configuration(private_file.public_content_of(self.path), self.path, self._own)
        if self._first is None:
            self._first = found
        elif found.anonymous != self._first.anonymous:
            raise InputError(
                "anonymous: Forbidden: changed from initial configuration file",
                where=self.path,
                advice="restart the server to change it",
            )
        return found

    def reload(self, replace: Callable[[Issuers], None]) -> None:
        """Read it again, and use it when its issuers have answered. Raises InputError."""
        issuers = Issuers(self.read().issuers)
        if self._changing is not None:
            self._changing.cancel()
        self._changing = asyncio.create_task(self._change(issuers, replace))

    async def close(self) -> None:
        """Change no more."""
        if self._changing is not None:
            self._changing.cancel()
            await asyncio.gather(self._changing, return_exceptions=True)

    async def _change(self, issuers: Issuers, replace: Callable[[Issuers], None]) -> None:
        issuers.start()
        try:
            async with asyncio.timeout(_PATIENCE):
                await issuers.ready()
        except TimeoutError:
            await issuers.close()
            _log.error("%s has issuers that do not answer: those that were known still count", self.path)
            return
        except asyncio.CancelledError:
            await issuers.close()
            raise
        replace(issuers)
