"""What the flags of a server say of authentication, before any file is read."""

from __future__ import annotations

from msgspec import Struct

from podward.access.front_proxy import FrontProxyHeaders


class AccountFlags(Struct, frozen=True):
    """Of the tokens of service accounts."""

    issuers: tuple[str, ...] = ()
    key_files: tuple[str, ...] = ()
    signing_key_file: str = ""
    audiences: tuple[str, ...] = ()
    longest: int = 0
    extends: bool = True
    key_set_url: str = ""


class FrontProxyFlags(Struct, frozen=True):
    """Of a proxy in front of the server, where there is a file of its authorities."""

    authorities: str = ""
    headers: FrontProxyHeaders = FrontProxyHeaders()


class OidcFlags(Struct, frozen=True):
    """Of one issuer of tokens that flags name."""

    url: str
    client: str
    authorities_file: str = ""
    username_claim: str = "sub"
    username_prefix: str = ""
    groups_claim: str = ""
    groups_prefix: str = ""
    required: tuple[tuple[str, str], ...] = ()
    algorithms: tuple[str, ...] = ("RS256",)


class WebhookFlags(Struct, frozen=True):
    """Of the token webhook, where there is a kubeconfig that leads to it."""

    config_file: str = ""
    version: str = "v1beta1"
    life: float = 120.0


class AuthenticationOptions(Struct, frozen=True):
    """Of all authenticators. `anonymous` is None where nothing was said."""

    accounts: AccountFlags = AccountFlags()
    token_file: str = ""
    password_file: str = ""
    client_authority: str = ""
    front_proxy: FrontProxyFlags = FrontProxyFlags()
    oidc: OidcFlags | None = None
    configuration_file: str = ""
    webhook: WebhookFlags = WebhookFlags()
    anonymous: bool | None = None
    everything_allowed: bool = False
    """Whether an authorizer allows everything: then nobody may be anonymous, unless the configuration file says so."""
