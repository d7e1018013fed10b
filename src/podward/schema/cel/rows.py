"""The rows that the functions of CEL's libraries are told in, and how values of their types are written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct

OPAQUE = {
    "Quantity": "kubernetes.Quantity",
    "URL": "kubernetes.URL",
    "IP": "net.IP",
    "CIDR": "net.CIDR",
    "Semver": "kubernetes.Semver",
    "Authorizer": "kubernetes.authorization.Authorizer",
    "PathCheck": "kubernetes.authorization.PathCheck",
    "GroupCheck": "kubernetes.authorization.GroupCheck",
    "ResourceCheck": "kubernetes.authorization.ResourceCheck",
    "Decision": "kubernetes.authorization.Decision",
}
"""The types that CEL does not have, and what they are called."""
_MARK = "\x1f"


class Function(Struct, frozen=True):
    """A function or, where the first that it takes is its target, a method."""

    name: str
    takes: tuple[str, ...]
    yields: str
    does: Callable[..., Any]
    method: bool = True


def opaque(kind: str, text: str) -> bytes:
    """A value of such a type. What is written is canonical: two are equal if their bytes are."""
    return text.encode() if kind in {"IP", "CIDR"} else f"{_MARK}{kind}{_MARK}{text}".encode()


def kind_of(value: object) -> str:
    """The type of a value of such a type."""
    if not isinstance(value, bytes):
        return ""
    if value[:1] != _MARK.encode():
        return "CIDR" if b"/" in value else "IP"
    return value[1:].partition(_MARK.encode())[0].decode(errors="replace")


def content(value: bytes) -> str:
    """What is written in such a value."""
    return value.decode() if value[:1] != _MARK.encode() else value[1:].partition(_MARK.encode())[2].decode()


def accepts(read: Callable[[str], object]) -> Callable[[str], bool]:
    """Whether a text can be read without an error."""

    def accepted(text: str) -> bool:
        try:
            read(text)
        except ValueError:
            return False
        return True

    return accepted
