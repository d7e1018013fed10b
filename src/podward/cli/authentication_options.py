"""The options that say who callers of an API server are, with kube-apiserver's own names and defaults."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from podward.server.authentication.options import (
        AccountFlags,
        AuthenticationOptions,
        FrontProxyFlags,
        OidcFlags,
    )

_LEAST, _MOST = 60 * 60, 1 << 32
_WEBHOOK = "--authentication-token-webhook-"
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
    _add_issuer_options(parser)
    _add_webhook_options(parser)
    _add_front_proxy_options(parser)
    _add_account_options(parser)


def _add_issuer_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--authentication-config",
        default="",
        metavar="FILE",
        help="issuers of tokens, and anonymous requests: an AuthenticationConfiguration",
    )
    for name, metavar, what in (
        ("issuer-url", "URL", "an OpenID Connect issuer of tokens"),
        ("client-id", "ID", "the audience that its tokens must be for"),
        ("ca-file", "FILE", "who signs its server's certificate; else the machine's authorities"),
        ("username-claim", "CLAIM", "the claim that is the user's name (sub)"),
        ("username-prefix", "TEXT", "before it; else the issuer's URL and #, but for email; -: nothing"),
        ("groups-claim", "CLAIM", "the claim with the user's groups"),
        ("groups-prefix", "TEXT", "before each of them"),
    ):
        add(f"--oidc-{name}", metavar=metavar, help=what)
    add(
        "--oidc-required-claim",
        type=_pair,
        action="append",
        metavar="CLAIM=VALUE",
        help="a claim that must be there, and its value; may be repeated",
    )
    add(
        "--oidc-signing-algs",
        type=_algorithms,
        metavar="NAMES",
        help="algorithms of its signatures (RS256)",
    )


def _add_webhook_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        f"{_WEBHOOK}config-file",
        default="",
        metavar="FILE",
        help="a kubeconfig that leads to a webhook, which is asked about tokens",
    )
    add(
        f"{_WEBHOOK}version",
        choices=("v1", "v1beta1"),
        default="v1beta1",
        metavar="VERSION",
        help="of the TokenReviews that it is sent (%(default)s)",
    )
    add(
        f"{_WEBHOOK}cache-ttl",
        type=duration,
        default=120.0,
        metavar="DURATION",
        help="how long its answers are remembered (2m0s)",
    )


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
    """What they say. Raises UsageError."""
    from podward.server.authentication.options import AuthenticationOptions, WebhookFlags

    return AuthenticationOptions(
        accounts=_account_flags(args),
        token_file=args.token_auth_file,
        password_file=args.basic_auth_file,
        client_authority=args.client_ca_file,
        front_proxy=_front_proxy_flags(args),
        oidc=_oidc_flags(args),
        configuration_file=args.authentication_config,
        webhook=WebhookFlags(
            args.authentication_token_webhook_config_file,
            args.authentication_token_webhook_version,
            args.authentication_token_webhook_cache_ttl,
        ),
        anonymous=args.anonymous_auth,
    )


def _oidc_flags(args: argparse.Namespace) -> OidcFlags | None:
    from podward.errors import UsageError
    from podward.server.authentication.options import OidcFlags

    said = {name: value for name, value in vars(args).items() if name.startswith("oidc_") and value is not None}
    if not said:
        return None
    if args.authentication_config:
        raise UsageError(
            "authentication-config file and oidc-* flags are mutually exclusive",
            where="--authentication-config",
            advice="say it all in the file",
        )
    if not args.oidc_issuer_url or not args.oidc_client_id:
        raise UsageError(
            "oidc-issuer-url and oidc-client-id must be specified together when any oidc-* flags are set",
            where="--oidc-issuer-url",
            advice="give both, or no --oidc-* flag",
        )
    return OidcFlags(
        args.oidc_issuer_url,
        args.oidc_client_id,
        args.oidc_ca_file or "",
        "sub" if args.oidc_username_claim is None else args.oidc_username_claim,
        args.oidc_username_prefix or "",
        args.oidc_groups_claim or "",
        args.oidc_groups_prefix or "",
        tuple(dict(args.oidc_required_claim or ()).items()),
        args.oidc_signing_algs or ("RS256",),
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


def _pair(text: str) -> tuple[str, str]:
    """A claim and its value."""
    claim, equals, value = text.partition("=")
    if not claim or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is no claim and its value, such as hd=example.com")
    return claim.strip(), value.strip()


def _algorithms(text: str) -> tuple[str, ...]:
    """Names of algorithms, none of which works with a secret."""
    from podward.access.jwt import ALGORITHMS

    names = _names(text)
    for name in names:
        if name not in ALGORITHMS:
            raise argparse.ArgumentTypeError(f"oidc: unsupported signing alg: {name!r}")
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
