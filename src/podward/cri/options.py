"""How the CRI service is started, and what is there before it serves."""

from __future__ import annotations

from socket import socket

from msgspec import Struct

from podward.cri.log import Log
from podward.runtime.service.runtime_service import RuntimeService, ServiceOptions


class Options(Struct, frozen=True):
    """How the service is started: `listen` is the socket's path, `root` the state directory.

    `nri_listen` is the path of the socket for NRI's plugins; "" for none.
    """

    listen: str
    root: str
    service: ServiceOptions = ServiceOptions()
    stream_address: str = "127.0.0.1"
    stream_port: int = 0
    log_level: str = "warn"
    nri_listen: str = ""


class Started(Struct, frozen=True):
    """What is there before gRPC is imported."""

    options: Options
    service: RuntimeService
    engine: tuple[int, socket]
    log: Log
    user_namespaces: bool
