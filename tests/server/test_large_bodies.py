"""A large body is read beside the loop: others are served meanwhile."""

from __future__ import annotations

import threading
import time

from api_server import Server

MAPS = "/api/v1/namespaces/default/configmaps"


def test_others_are_served_while_a_large_body_is_read(server: Server) -> None:
    body = "metadata: {name: large}\nodd:\n" + "- {a: b, c: [d, e]}\n" * 60_000
    ended, longest = threading.Event(), [0.0]

    def look() -> None:
        while not ended.is_set():
            begun = time.monotonic()
            server.ask("GET", "/healthz")
            longest[0] = max(longest[0], time.monotonic() - begun)

    begun = time.monotonic()
    looking = threading.Thread(target=look)
    looking.start()
    try:
        assert server.ask("POST", MAPS, body, Content_Type="application/yaml")[0] == 201
    finally:
        took = time.monotonic() - begun
        ended.set()
        looking.join()
    assert longest[0] < took / 2, (longest[0], took)
