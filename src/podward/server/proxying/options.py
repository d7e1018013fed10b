"""What flags say of how a server reaches nodes."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

ADDRESS_TYPES = ("InternalIP", "ExternalIP", "Hostname", "InternalDNS", "ExternalDNS")


class NodeOptions(Struct, frozen=True):
    """No `authority`: the one that signs nodes' certificates here; no `certificate`: one of the server's own authority.

    `metrics`: whether metrics.k8s.io is served from what nodes tell.
    """

    authority: str = ""
    certificate: str = ""
    key: str = ""
    insecure: bool = False
    address_types: Sequence[str] = ADDRESS_TYPES
    metrics: bool = False
