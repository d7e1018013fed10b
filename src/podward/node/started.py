"""What there is of a node before anything of the network is imported."""

from __future__ import annotations

from socket import socket

from msgspec import Struct

from podward.node.options import Options
from podward.runtime.service.runtime_service import RuntimeService


class Started(Struct, frozen=True):
    """The engine is its pid and the socket over which calls are sent to it."""

    options: Options
    service: RuntimeService
    engine: tuple[int, socket]
    user_namespaces: bool
