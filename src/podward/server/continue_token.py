"""The token with which a list goes on: the version that it is of, and the key after which it goes on.

Specification: Kubernetes, k8s.io/apiserver, pkg/storage/continue.go: base64 of JSON. Its key begins after the prefix of
the resource; who makes one up gets no further than that.
"""

from __future__ import annotations

import base64
import binascii

import msgspec
from msgspec import Struct

from podward.schema.godecode.base64 import base64_error
from podward.schema.godecode.syntax import syntax_error

_VERSION = "meta.k8s.io/v1"


class Continue(Struct, frozen=True):
    """Where a list goes on."""

    v: str
    rv: int
    start: str


def encoded(revision: int, last_key: str) -> str:
    """The token of a list of this revision that ended with this key (relative to the resource's prefix)."""
    text = msgspec.json.encode(Continue(_VERSION, revision, last_key + "\0"))
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def decoded(token: str) -> Continue | str:
    """The token's content, or why it has none."""
    text = b""
    try:
        text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        found = msgspec.json.decode(text, type=Continue)
    except binascii.Error:
        return f"continue key is not valid: {base64_error(token.replace('-', '+').replace('_', '/'))}"
    except (ValueError, msgspec.MsgspecError) as error:
        return f"continue key is not valid: {syntax_error(text) or error}"
    if found.v != _VERSION:
        return f'continue key is not valid: server does not recognize this encoded version "{found.v}"'
    if not found.start:
        return "continue key is not valid: encoded start key is empty"
    if ".." in found.start.split("/"):
        return f"continue key is not valid: {found.start}"
    return found
