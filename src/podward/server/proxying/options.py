"""What flags say of how a server reaches nodes."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

ADDRESS_TYPES = ("InternalIP", "ExternalIP", "Hostname", "InternalDNS", "ExternalDNS")


class NodeOptions(Struct, frozen=True):
    """No `authority`: the server's own; no `certificate`: one that the server's own authority makes."""

    authority: str = ""
    certificate: str = ""
    key: str = ""
    insecure: bool = False
    address_types: Sequence[str] = ADDRESS_TYPES
