"""Requests that a proxy in front of the server hands on, and whose callers its headers name.

Specification: Kubernetes, k8s.io/apiserver, pkg/authentication/request/headerrequest and x509 (NewDynamicCAVerifier).
The headers count only from a client whose certificate leads to one of the proxy's authorities, and, where names are
allowed, has one of these. Without a user's name in them they say nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from podward.access.authentication import Authenticated, Failed, Outcome
from podward.access.client_certificates import common_name
from podward.api.caller import User

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from cryptography.x509 import Certificate

_ESCAPES = re.compile("(?:%[0-9A-Fa-f]{2})+")
_BAD_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")


class FrontProxyHeaders(Struct, frozen=True):
    """The names of the headers, and of the clients that may send them: any of the authorities where there are none."""

    users: tuple[str, ...] = ()
    uids: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    extra_prefixes: tuple[str, ...] = ()
    allowed_clients: tuple[str, ...] = ()


class Verifying(Protocol):
    """Whoever says whether a certificate leads to the authorities of the proxy."""

    def verified(self, chain: Sequence[bytes], now: datetime) -> Certificate | Failed | None:
        """The first certificate, if it does; None where there is none."""


class FrontProxy:
    """Authenticates by headers."""

    __slots__ = ("_certificates", "_headers")

    def __init__(self, certificates: Verifying, headers: FrontProxyHeaders) -> None:
        self._certificates = certificates
        self._headers = headers

    def authenticate(self, chain: Sequence[bytes], headers: Mapping[str, str], now: datetime) -> Outcome:
        """Whom the headers name."""
        leaf = self._certificates.verified(chain, now)
        if leaf is None or isinstance(leaf, Failed):
            return leaf
        name, allowed = common_name(leaf), self._headers.allowed_clients
        if allowed and name not in allowed:
            return Failed((f"x509: subject with cn={name} is not in the allowed list",))
        sent: dict[str, list[str]] = {}
        for header, value in headers.items():
            sent.setdefault(header.lower(), []).append(value)
        user = _first(sent, self._headers.users)
        if not user:
            return None
        groups = tuple(value for header in self._headers.groups for value in sent.get(header.lower(), ()) if value)
        named = User(user, groups, _first(sent, self._headers.uids), self._extra(sent))
        return Authenticated(named, f"headers of the front proxy {name}")

    def _extra(self, sent: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
        extra: dict[str, tuple[str, ...]] = {}
        for prefix in self._headers.extra_prefixes:
            for header, values in sent.items():
                if header.startswith(prefix.lower()):
                    key = _unescaped(header[len(prefix) :])
                    extra[key] = (*extra.get(key, ()), *values)
        return extra


def _first(sent: Mapping[str, Sequence[str]], names: Sequence[str]) -> str:
    return next((sent[name.lower()][0] for name in names if sent.get(name.lower(), ("",))[0]), "")


def _unescaped(key: str) -> str:
    """The key with its %-escapes undone; one with a wrong escape as it is."""
    if _BAD_ESCAPE.search(key):
        return key
    return _ESCAPES.sub(lambda found: bytes.fromhex(found.group().replace("%", "")).decode(errors="replace"), key)
