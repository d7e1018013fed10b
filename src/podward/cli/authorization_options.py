"""The options of an API server's authorizers, with kube-apiserver's own names and defaults."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from podward.errors import InputError, UsageError

if TYPE_CHECKING:
    from podward.access.authorizer_entries import AuthorizerEntry, WebhookSettings

_MODE, _WEBHOOK = "--authorization-mode", "--authorization-webhook-config-file"
_POLICY, _CONFIG = "--authorization-policy-file", "--authorization-config"
_DEFAULTS = {"version": "v1beta1", "cache_authorized_ttl": 300.0, "cache_unauthorized_ttl": 30.0}


def add_authorization_options(parser: argparse.ArgumentParser) -> None:
    """Add them to a command. What is not said is None, since a configuration file takes the place of most of them."""
    add = parser.add_argument
    add(_MODE, metavar="MODES", help="any of Node, RBAC, ABAC, Webhook, AlwaysAllow, AlwaysDeny (RBAC)")
    add(_POLICY, default="", metavar="FILE", help="ABAC's policies, one a line")
    add(_CONFIG, default="", metavar="FILE", help="authorizers in their order: an AuthorizationConfiguration")
    add(_WEBHOOK, metavar="FILE", help="a kubeconfig that leads to the authorization webhook")
    add(
        "--authorization-webhook-version",
        choices=("v1", "v1beta1"),
        metavar="VERSION",
        help="of the SubjectAccessReviews that the webhook is sent (v1beta1)",
    )
    for name, default in (("authorized", "5m0s"), ("unauthorized", "30s")):
        add(
            f"--authorization-webhook-cache-{name}-ttl",
            type=_duration,
            metavar="DURATION",
            help=f"how long answers are remembered ({default})",
        )


def authorizers(args: argparse.Namespace) -> tuple[AuthorizerEntry, ...]:
    """The authorizers that they name, in their order. Raises UsageError, InputError."""
    from podward.access.authorizer_entries import of_modes

    webhook = {name: getattr(args, f"authorization_webhook_{name}") for name in _DEFAULTS}
    said = [args.authorization_mode, args.authorization_webhook_config_file, *webhook.values()]
    if args.authorization_config:
        if any(each is not None for each in said):
            raise UsageError(
                f"{_CONFIG} can not be specified when {_MODE} or --authorization-webhook-* flags are defined",
                where=_CONFIG,
                advice="say it all in the file",
            )
        return _of_file(args.authorization_config, bool(args.authorization_policy_file))
    modes = tuple((args.authorization_mode or "RBAC").split(","))
    _require_modes(modes, args)
    settings = {name: _DEFAULTS[name] if value is None else value for name, value in webhook.items()}
    return of_modes(modes, _webhook(args.authorization_webhook_config_file, settings))


def _webhook(file: str | None, settings: dict[str, object]) -> WebhookSettings | None:
    from podward.access.authorizer_entries import WebhookSettings

    if not file:
        return None
    return WebhookSettings(
        file,
        str(settings["version"]),
        authorized_ttl=float(str(settings["cache_authorized_ttl"])),
        unauthorized_ttl=float(str(settings["cache_unauthorized_ttl"])),
    )


def _require_modes(modes: tuple[str, ...], args: argparse.Namespace) -> None:
    from podward.access.authorizer_entries import ABAC, MODES, WEBHOOK

    for mode in modes:
        if mode not in MODES:
            raise UsageError(
                f"authorization-mode {mode!r} is not a valid mode", where=_MODE,
                advice=f"the modes are {', '.join(MODES)}",
            )  # fmt: skip
    if len(set(modes)) != len(modes):
        raise UsageError(f"authorization-mode {','.join(modes)} has mode specified more than once", where=_MODE)
    for mode, flag, value in (
        (ABAC, _POLICY, args.authorization_policy_file),
        (WEBHOOK, _WEBHOOK, args.authorization_webhook_config_file),
    ):
        if value and mode not in modes:
            raise UsageError(f"cannot specify {flag} without mode {mode}", where=flag, advice=f"add it to {_MODE}")
        if mode in modes and not value:
            raise UsageError(f"authorization mode {mode} has no file", where=_MODE, advice=f"name it with {flag}")


def _of_file(file: str, has_policies: bool) -> tuple[AuthorizerEntry, ...]:  # noqa: FBT001 - of one caller
    from podward.access import authorization_configuration
    from podward.access.authorizer_entries import ABAC

    try:
        with open(file, "rb") as opened:
            text = opened.read()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=file, advice="name a file that is there") from None
    found = authorization_configuration.read(text, file)
    if (ABAC in [entry.type for entry in found]) != has_policies:
        raise UsageError(
            "ABAC and its policies belong together", where=_POLICY,
            advice=f"give the file where {_CONFIG} names ABAC, and only there",
        )  # fmt: skip
    return found


def _duration(text: str) -> float:
    """A duration as Go writes it."""
    from podward.api.go_duration import seconds_of

    seconds = seconds_of(text)
    if seconds is None or seconds < 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no duration, such as 5m0s or 30s")
    return seconds
