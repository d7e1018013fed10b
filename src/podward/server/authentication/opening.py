"""The authenticators of a server, from its flags and the files that they name.

Specification: Kubernetes, pkg/kubeapiserver/options/authentication.go. Whatever is wrong in a file ends the start.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from msgspec import Struct

from podward.access.anonymous import AnonymousAccess
from podward.access.client_certificates import ClientCertificates
from podward.access.front_proxy import FrontProxy
from podward.access.oidc.issuer import Issuer
from podward.access.passwords import Passwords
from podward.access.static_tokens import StaticTokens
from podward.client.connection import load
from podward.errors import InputError, UsageError
from podward.server import private_file
from podward.server.account_keys import kept_key, signing_key, verifying_keys
from podward.server.account_tokens import ISSUER, AccountSettings
from podward.server.authentication.authorities import AuthorityFile
from podward.server.authentication.configuring import ConfigurationFile, issuer_of_flags
from podward.server.authentication.token_webhook import WebhookSettings
from podward.server.webhooks.client import Remote

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from podward.server.authentication.options import AccountFlags, AuthenticationOptions, FrontProxyFlags, WebhookFlags

_log = logging.getLogger("podward.server")


class Authentication(Struct, frozen=True):
    """The authenticators of a server, each where it is configured; certificates of its own authority always count."""

    accounts: AccountSettings
    own_certificates: ClientCertificates
    client_authority: AuthorityFile | None = None
    proxy_authority: AuthorityFile | None = None
    front_proxy: FrontProxy | None = None
    passwords: Passwords | None = None
    tokens: StaticTokens | None = None
    issuers: tuple[Issuer, ...] = ()
    webhook: WebhookSettings | None = None
    anonymous: AnonymousAccess = AnonymousAccess()
    configuration: ConfigurationFile | None = None
    """The file that issuers are from, to be followed."""

    @property
    def authority_files(self) -> tuple[AuthorityFile, ...]:
        """The files of authorities, to be followed."""
        return tuple(each for each in (self.client_authority, self.proxy_authority) if each is not None)


def opened(options: AuthenticationOptions, data_dir: str, own: Certificate) -> Authentication:
    """Read all files. Raises InputError."""
    accounts = _accounts(options.accounts, data_dir)
    clients = AuthorityFile(options.client_authority, "--client-ca-file") if options.client_authority else None
    proxy = AuthorityFile(options.front_proxy.authorities, _PROXY_FLAG) if options.front_proxy.authorities else None
    _require_distinct(clients, proxy, options.front_proxy)
    issuers, anonymous, configuration = _trusted(options, accounts.issuers)
    return Authentication(
        accounts,
        ClientCertificates((own,), "the server's own authority"),
        clients,
        proxy,
        FrontProxy(proxy, options.front_proxy.headers) if proxy is not None else None,
        _passwords(options.password_file) if options.password_file else None,
        _tokens(options.token_file, accounts.own_audiences) if options.token_file else None,
        issuers,
        _webhook(options.webhook) if options.webhook.config_file else None,
        anonymous,
        configuration,
    )


def _trusted(
    options: AuthenticationOptions, own: tuple[str, ...]
) -> tuple[tuple[Issuer, ...], AnonymousAccess, ConfigurationFile | None]:
    """The issuers that flags or a file name, whether requests may be anonymous, and the file."""
    said = AnonymousAccess(options.anonymous is not False and not options.everything_allowed)
    if options.everything_allowed and options.anonymous is not False:
        _log.warning(
            "AnonymousAuth is not allowed with the AlwaysAllow authorizer. Resetting AnonymousAuth to false."
            " You should use a different authorizer"
        )
    if not options.configuration_file:
        return (issuer_of_flags(options.oidc, own),) if options.oidc is not None else (), said, None
    file = ConfigurationFile(options.configuration_file, own)
    found = file.read()
    if found.anonymous is not None and options.anonymous is not None:
        raise UsageError(
            "anonymous: Forbidden: --anonymous-auth flag cannot be set when anonymous field is configured in"
            " authentication configuration file",
            where="--anonymous-auth",
            advice=f"say it in {options.configuration_file} alone",
        )
    return found.issuers, found.anonymous or said, file


def _webhook(flags: WebhookFlags) -> WebhookSettings:
    return WebhookSettings(Remote.at(load(flags.config_file)), flags.version, flags.life)


_PROXY_FLAG = "--requestheader-client-ca-file"


def _require_distinct(clients: AuthorityFile | None, proxy: AuthorityFile | None, flags: FrontProxyFlags) -> None:
    """Raise UsageError where any client could be the proxy, and so anybody."""
    if clients is None or proxy is None or flags.headers.allowed_clients or not proxy.shares_with(clients):
        return
    raise UsageError(
        "--requestheader-client-ca-file and --client-ca-file contain overlapping certificates",
        where="--requestheader-allowed-names",
        advice="name the proxy's certificates there; else every client's could set the headers for arbitrary users",
    )


def _accounts(flags: AccountFlags, data_dir: str) -> AccountSettings:
    key = signing_key(flags.signing_key_file) if flags.signing_key_file else kept_key(data_dir)
    keys = tuple(key for path in flags.key_files for key in verifying_keys(path))
    issuers = flags.issuers or (ISSUER,)
    return AccountSettings(key, keys, issuers, flags.audiences, flags.longest, flags.extends, flags.key_set_url)


def _passwords(path: str) -> Passwords:
    found = Passwords(_text(private_file.content_of(path), path), path)
    _warn(found.warnings)
    return found


def _tokens(path: str, audiences: tuple[str, ...]) -> StaticTokens:
    found = StaticTokens(_text(private_file.public_content_of(path), path), path, audiences)
    _warn(found.warnings)
    return found


def _warn(warnings: tuple[str, ...]) -> None:
    for warning in warnings:
        _log.warning("%s", warning)


def _text(content: bytes, path: str) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise InputError("cannot be read: it is no text", where=path, advice="name a file of UTF-8") from None
