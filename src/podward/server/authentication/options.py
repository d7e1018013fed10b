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


class AuthenticationOptions(Struct, frozen=True):
    """Of all authenticators. `anonymous` is None where nothing was said."""

    accounts: AccountFlags = AccountFlags()
    token_file: str = ""
    password_file: str = ""
    client_authority: str = ""
    front_proxy: FrontProxyFlags = FrontProxyFlags()
    anonymous: bool | None = None
