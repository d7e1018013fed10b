"""The user of a request, as authentication names it."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct


class User(Struct, frozen=True):
    """authentication/v1 UserInfo. `extra` is what an authenticator adds for authorizers and webhooks to read."""

    username: str = ""
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: Mapping[str, tuple[str, ...]] = {}


def service_account(namespace: str, name: str) -> User:
    """The user that a service account is to the API server."""
    return User(
        f"system:serviceaccount:{namespace}:{name}",
        ("system:serviceaccounts", f"system:serviceaccounts:{namespace}"),
    )
