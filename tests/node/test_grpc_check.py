"""A probe over gRPC against a real server, in a process of its own: one that has loaded gRPC must not fork any more."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import asyncio, socket
from podward.api.core import GRPCAction
from podward.node import grpc_check
import grpc, grpc.aio

async def check(request, context):
    if request.endswith(b"none"):
        await context.abort(grpc.StatusCode.UNIMPLEMENTED, "no such method")
    if request.endswith(b"late"):
        await asyncio.sleep(60)
    return b"\\x08\\x02" if request else b"\\x08\\x01"

async def scenario():
    server = grpc.aio.server()
    handler = grpc.unary_unary_rpc_method_handler(check)
    health = grpc.method_handlers_generic_handler("grpc.health.v1.Health", {"Check": handler})
    server.add_generic_rpc_handlers((health,))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    for service in ("", "bad", "none", "late"):
        print(*await grpc_check.run("127.0.0.1", GRPCAction(port, service), 1.0 if service == "late" else 20.0))
    await server.stop(None)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        result, said, _ = await grpc_check.run("127.0.0.1", GRPCAction(port), 0.5)
        print(result, said.replace(str(port), "PORT"))

asyncio.run(scenario())
"""


def test_health_is_asked_over_grpc() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=120, check=False)
    lines = done.stdout.splitlines()
    assert len(lines) == 5, done.stderr
    assert lines[0] == "Result.SUCCESS service healthy "
    assert 'service unhealthy (responded with "NOT_SERVING")' in lines[1]
    assert "does not implement the grpc health protocol (grpc.health.v1.Health): no such method" in lines[2]
    assert "timeout: " in lines[3]
    assert 'failed to connect service "127.0.0.1:PORT" within 500ms: context deadline exceeded' in lines[4]
