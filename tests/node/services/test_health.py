"""Answers to load balancers."""

from __future__ import annotations

import asyncio
import socket
from typing import cast

import pytest

from podward.client.events import Recorder
from podward.node.log import Log
from podward.node.services.health import HealthChecks
from podward.policy.proxy.health import HealthCheck


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.mark.parametrize("turns", range(8))
def test_who_connects_at_the_last_moment_is_not_left_waiting(turns: int) -> None:
    async def heard() -> bytes:
        checks = HealthChecks("n1", lambda: True, cast("Recorder", None), Log())
        port = free_port()
        await checks.sync({("default", "web"): HealthCheck(port)})
        with socket.create_connection(("127.0.0.1", port)) as client:  # the kernel's: nobody has accepted it yet
            client.setblocking(False)
            for _ in range(turns):
                await asyncio.sleep(0)
            await checks.sync({})
            async with asyncio.timeout(20):
                try:
                    return await asyncio.get_running_loop().sock_recv(client, 1)
                except ConnectionResetError:
                    return b""

    assert asyncio.run(heard()) == b""
