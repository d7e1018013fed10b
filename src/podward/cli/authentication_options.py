"""The options that say who callers of an API server are, with kube-apiserver's own names and defaults."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from podward.server.authentication.options import AccountFlags, AuthenticationOptions, FrontProxyFlags

_LEAST, _MOST = 60 * 60, 1 << 32
_DURATION = "a duration such as 24h or 90m"


def add_authentication_options(parser: argparse.ArgumentParser) -> None:
    """Add them to a command."""
    add = parser.add_argument
    add("--token-auth-file", default="", metavar="FILE", help='static tokens: token,user,uid,"group,group"')
    add("--client-ca-file", default="", metavar="FILE", help="also trust client certificates of these authorities")
    add(
        "--anonymous-auth",
        type=boolean,
        default=None,
        metavar="BOOL",
        help="whether requests may be anonymous (true)",
    )
    add(
        "--basic-auth-file",
        default="",
        metavar="FILE",
        help='passwords for HTTP basic, of mode 0600: password,user,uid,"group,group"',
    )
    _add_front_proxy_options(parser)
    _add_account_options(parser)


def _add_front_proxy_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--requestheader-client-ca-file",
        default="",
        metavar="FILE",
        help="authorities of a proxy in front of the server, whose headers name the callers",
    )
    for name, what in (
        ("allowed-names", "common names of its certificates; without any, all of the authorities"),
        ("username-headers", "headers with a user's name, such as X-Remote-User"),
        ("uid-headers", "headers with a user's uid, such as X-Remote-Uid"),
        ("group-headers", "headers with a user's groups, such as X-Remote-Group"),
        ("extra-headers-prefix", "prefixes of headers with more of a user, such as X-Remote-Extra-"),
    ):
        add(f"--requestheader-{name}", type=_names, default=(), metavar="NAMES", help=what)


def _add_account_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--service-account-issuer",
        type=_issuer,
        action="append",
        default=[],
        metavar="ISSUER",
        help="who issues tokens of service accounts; may be repeated: the first in new tokens, all in good ones",
    )
    add(
        "--service-account-key-file",
        action="append",
        default=[],
        metavar="FILE",
        help="keys of good tokens of service accounts; may be repeated",
    )
    add(
        "--service-account-signing-key-file",
        default="",
        metavar="FILE",
        help="the key of new tokens; else one in the data directory",
    )
    add(
        "--api-audiences",
        type=_names,
        default=(),
        metavar="NAMES",
        help="audiences of the server itself; else the issuers",
    )
    add(
        "--service-account-max-token-expiration",
        type=_expiration,
        default=0,
        metavar="DURATION",
        help="how long tokens of service accounts may be good for, such as 24h; 0: no limit",
    )
    add(
        "--service-account-extend-token-expiration",
        type=boolean,
        default=True,
        metavar="BOOL",
        help="whether the tokens that Pods are given are good for a year, and noted when they are stale (true)",
    )
    add("--service-account-jwks-uri", type=_https, metavar="URL", help="where others find the keys")


def authentication_options(args: argparse.Namespace) -> AuthenticationOptions:
    """What they say."""
    from podward.server.authentication.options import AuthenticationOptions

    return AuthenticationOptions(
        accounts=_account_flags(args),
        token_file=args.token_auth_file,
        password_file=args.basic_auth_file,
        client_authority=args.client_ca_file,
        front_proxy=_front_proxy_flags(args),
        anonymous=args.anonymous_auth,
    )


def _front_proxy_flags(args: argparse.Namespace) -> FrontProxyFlags:
    from podward.access.front_proxy import FrontProxyHeaders
    from podward.server.authentication.options import FrontProxyFlags

    headers = FrontProxyHeaders(
        args.requestheader_username_headers,
        args.requestheader_uid_headers,
        args.requestheader_group_headers,
        args.requestheader_extra_headers_prefix,
        args.requestheader_allowed_names,
    )
    return FrontProxyFlags(args.requestheader_client_ca_file, headers)


def _account_flags(args: argparse.Namespace) -> AccountFlags:
    from podward.server.authentication.options import AccountFlags

    issuers: list[str] = args.service_account_issuer
    return AccountFlags(
        tuple(dict.fromkeys(issuers)),
        tuple(args.service_account_key_file),
        args.service_account_signing_key_file,
        args.api_audiences,
        args.service_account_max_token_expiration,
        args.service_account_extend_token_expiration,
        args.service_account_jwks_uri or "",
    )


def boolean(text: str) -> bool:
    """A boolean as Go's flags have them: what is none must not mean that something is allowed."""
    if text in {"1", "t", "T", "true", "TRUE", "True"}:
        return True
    if text in {"0", "f", "F", "false", "FALSE", "False"}:
        return False
    raise argparse.ArgumentTypeError(f"{text!r} is neither true nor false")


def _names(text: str) -> tuple[str, ...]:
    """Names with commas between them."""
    names = tuple(name.strip() for name in text.split(","))
    if "" in names:
        raise argparse.ArgumentTypeError("there is an empty name in it")
    return names


def _issuer(text: str) -> str:
    """The name of an issuer."""
    if not text:
        raise argparse.ArgumentTypeError("an issuer has a name, such as https://kubernetes.default.svc")
    return text


def _https(text: str) -> str:
    """An https URL."""
    if not text.startswith("https://") or len(text) == len("https://"):
        raise argparse.ArgumentTypeError(f"{text!r} is no https URL")
    return text


def _expiration(text: str) -> int:
    """For how many seconds tokens are good at most."""
    seconds = duration(text)
    if seconds and not _LEAST <= seconds <= _MOST:
        raise argparse.ArgumentTypeError("it must be between 1 hour and 2^32 seconds")
    return int(seconds)


def duration(text: str) -> float:
    """Seconds, from a duration as Go writes it."""
    from podward.api.go_duration import seconds_of

    seconds = seconds_of(text)
    if seconds is None or seconds < 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no duration; give {_DURATION}")
    return seconds
