"""The token that a request bears: in its Authorization header, or among a WebSocket's protocols.

Specification: Kubernetes, k8s.io/apiserver, pkg/authentication/request/bearertoken and websocket. Only the first word
after `Bearer` counts. A browser, which cannot set headers on a WebSocket, sends the token as a protocol, in base64.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

SPACE_WARNING = "the provided Authorization header contains extra space before the bearer token, and is ignored"
_WORDS = 2
_PROTOCOL = "base64url.bearer.authorization.k8s.io."


def bearer_token(authorization: str) -> str:
    """The token, or nothing where the header has none."""
    words = authorization.strip(" \t\n\r\v\f").split(" ", 2)
    return words[1] if len(words) >= _WORDS and words[0].lower() == "bearer" else ""


def ignored_for_space(authorization: str) -> bool:
    """Whether the header is ignored only because two blanks stand before the token."""
    words = authorization.strip(" \t\n\r\v\f").split(" ", 2)
    return len(words) > _WORDS and words[0].lower() == "bearer" and not words[1]


def protocol_token(protocols: Sequence[str]) -> tuple[str, tuple[str, ...]] | str:
    """The token and the other protocols, `("", protocols)` where there is none; or why it cannot be read."""
    found = [protocol for protocol in protocols if protocol.startswith(_PROTOCOL)]
    others = tuple(protocol for protocol in protocols if not protocol.startswith(_PROTOCOL))
    if not found:
        return "", others
    if len(found) > 1:
        return "multiple base64.bearer.authorization tokens specified"
    encoded = found[0].removeprefix(_PROTOCOL)
    try:
        token = base64.b64decode(encoded + "=" * (-len(encoded) % 4), b"-_", validate=True).decode()
    except UnicodeDecodeError:
        return "invalid base64.bearer.authorization token"
    except binascii.Error:
        return "invalid base64.bearer.authorization token encoding"
    if not others:
        return "missing additional subprotocol"
    return token, others
