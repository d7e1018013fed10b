"""The user of a request, as authentication names it, and the names that mean something in every cluster.

Specification: Kubernetes, k8s.io/apiserver, pkg/authentication/user and pkg/authentication/serviceaccount.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

ANONYMOUS = "system:anonymous"
AUTHENTICATED = "system:authenticated"
UNAUTHENTICATED = "system:unauthenticated"
MASTERS = "system:masters"
"""Members of this group may do anything, whatever the roles say."""
ACCOUNT_PREFIX = "system:serviceaccount:"
NODE_PREFIX = "system:node:"
NODES = "system:nodes"


class User(Struct, frozen=True):
    """authentication/v1 UserInfo. `extra` is what an authenticator adds for authorizers and webhooks to read."""

    username: str = ""
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: Mapping[str, tuple[str, ...]] = {}


NOBODY = User(ANONYMOUS, (UNAUTHENTICATED,))
"""Who a request comes from whose caller nobody has named."""


def service_account(namespace: str, name: str) -> User:
    """The user that a service account is to the API server."""
    return User(account_username(namespace, name), account_groups(namespace))


def account_username(namespace: str, name: str) -> str:
    """The name of that user."""
    return f"{ACCOUNT_PREFIX}{namespace}:{name}"


def account_groups(namespace: str) -> tuple[str, str]:
    """The groups of the service accounts of a namespace."""
    return "system:serviceaccounts", f"system:serviceaccounts:{namespace}"


def node_of(user: User) -> str | None:
    """The name of the node that the user is, empty where it has none; None for any other user.

    Specification: Kubernetes, pkg/auth/nodeidentifier.
    """
    is_node = user.username.startswith(NODE_PREFIX) and NODES in user.groups
    return user.username.removeprefix(NODE_PREFIX) if is_node else None
