"""Which authorizers a server asks, in their order, as flags or a configuration file name them.

Specification: Kubernetes, pkg/kubeapiserver/options/authorization.go and k8s.io/apiserver, pkg/apis/apiserver.
"""

from __future__ import annotations

from msgspec import Struct

WEBHOOK, NODE, RBAC, ABAC = "Webhook", "Node", "RBAC", "ABAC"
MODES = ("AlwaysAllow", "AlwaysDeny", ABAC, WEBHOOK, RBAC, NODE)
"""The types of authorizers."""
_DEFAULT_NAME = "default"


class WebhookSettings(Struct, frozen=True):
    """How a webhook is asked. Times are seconds; answers are remembered for none at all where that is 0."""

    kubeconfig: str
    version: str = "v1beta1"
    timeout: float = 30.0
    authorized_ttl: float = 300.0
    unauthorized_ttl: float = 30.0
    denies_on_failure: bool = False
    conditions: tuple[str, ...] = ()
    """Expressions in CEL, all of which must hold for it to be asked."""


class AuthorizerEntry(Struct, frozen=True):
    """One authorizer: its type, its name, and of a webhook how it is asked."""

    type: str
    name: str
    webhook: WebhookSettings | None = None


def of_modes(modes: tuple[str, ...], webhook: WebhookSettings | None = None) -> tuple[AuthorizerEntry, ...]:
    """The authorizers that `--authorization-mode` names."""
    return tuple(
        AuthorizerEntry(mode, _DEFAULT_NAME, webhook) if mode == WEBHOOK else AuthorizerEntry(mode, mode.lower())
        for mode in modes
    )
