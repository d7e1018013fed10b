"""The health check over gRPC that a probe asks for: only who has such a probe loads gRPC.

Specification (kubelet, pkg/probe/grpc; grpc.health.v1 Health.Check, in our words): without TLS, within the timeout,
`HealthCheckRequest{service = 1}` is answered by `HealthCheckResponse{status = 1}`: 1 is SERVING, all else is a failure.
"""

from __future__ import annotations

import asyncio
import os
from typing import Any

os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"  # this process forks nothing once gRPC is there
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

import grpc
import grpc.aio

from podward.api import go_duration
from podward.api.core import GRPCAction
from podward.api.gotext import quote
from podward.api.version import KUBERNETES
from podward.policy.kubelet.probes import Result

_METHOD = "/grpc.health.v1.Health/Check"
_STATUSES = {0: "UNKNOWN", 1: "SERVING", 2: "NOT_SERVING", 3: "SERVICE_UNKNOWN"}
_SERVING = 1
_SERVICE, _STATUS = b"\x0a", 0x08
_LARGEST = 4096


async def run(host: str, action: GRPCAction, seconds: float) -> tuple[Result, str, str]:
    """Ask; what came of it, the words of the kubelet's event, and the same as an error."""
    where = f"[{host}]:{action.port}" if ":" in host else f"{host}:{action.port}"
    options = [
        ("grpc.primary_user_agent", f"kube-probe/{KUBERNETES}"),
        ("grpc.enable_http_proxy", 0),
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.max_receive_message_length", _LARGEST),
    ]
    channel = grpc.aio.insecure_channel(where, options=options)
    try:
        async with asyncio.timeout(seconds):
            await channel.channel_ready()
            return await _ask(channel, action.service or "", seconds)
    except TimeoutError:
        return _failed(_late(where, seconds))
    finally:
        await channel.close()


async def _ask(channel: grpc.aio.Channel, service: str, seconds: float) -> tuple[Result, str, str]:
    name = service.encode()
    request = _SERVICE + _varint(len(name)) + name if name else b""
    ask: Any = channel.unary_unary(_METHOD)
    try:
        answer: bytes = await ask(request, timeout=seconds)
    except grpc.aio.AioRpcError as error:
        return _failed(_refusal(error, seconds))
    status = answer[1] if len(answer) >= 2 and answer[0] == _STATUS else 0
    if status == _SERVING:
        return Result.SUCCESS, "service healthy", ""
    return _failed(f"service unhealthy (responded with {quote(_STATUSES.get(status, str(status)))})")


def _refusal(error: grpc.aio.AioRpcError, seconds: float) -> str:
    said = error.details() or ""
    if error.code() is grpc.StatusCode.UNIMPLEMENTED:
        return f"error: this server does not implement the grpc health protocol (grpc.health.v1.Health): {said}"
    if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
        return f"timeout: health rpc did not complete within {go_duration.text_of(seconds)}"
    code = "".join(word.capitalize() for word in error.code().name.split("_"))
    return f"error: health rpc probe failed: rpc error: code = {code} desc = {said}"


def _late(where: str, seconds: float) -> str:
    within = go_duration.text_of(seconds)
    return f"timeout: failed to connect service {quote(where)} within {within}: context deadline exceeded"


def _failed(why: str) -> tuple[Result, str, str]:
    return Result.FAILURE, why, why


def _varint(number: int) -> bytes:
    made = bytearray()
    while number > 0x7F:
        made.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*made, number))
