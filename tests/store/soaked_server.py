"""A store in a process of its own, to be killed by `soak.py`: one JSON request a line on a Unix socket, one answer.

usage: soaked_server.py SOCKET DATA-DIR STORE
"""

from __future__ import annotations

import asyncio
import json
import sys
from base64 import b64decode, b64encode

from podward.errors import CompactedError, PodwardError
from podward.store.interface import Store, Stored
from podward.store.opening import open_store
from podward.store.options import Options


async def answer(store: Store, request: dict[str, str]) -> dict[str, object]:
    """Do what was asked: a write, with what came of it."""
    key, value, expected = request["key"], b64decode(request.get("value", "")), int(request.get("expected", 0))
    match request["verb"]:
        case "create":
            result: object = await store.create(key, value)
        case "update":
            result = await store.update(key, value, expected)
        case _:
            result = await store.delete(key, expected)
    if isinstance(result, Stored):
        return {"revision": result.revision}
    current = getattr(result, "current", None)
    return {"current": current and current.revision, "value": current and b64encode(current.value).decode()}


async def tell(store: Store, request: dict[str, str], writer: asyncio.StreamWriter) -> None:
    """Send the events after a revision, one a line."""
    watch = store.watch(request["key"], int(request["after"]))
    try:
        while events := await watch.batch():
            for event in events:
                told = (event.stored.revision, event.type, event.stored.key, b64encode(event.stored.value).decode())
                writer.write(json.dumps(told).encode() + b"\n")
            await writer.drain()
    except CompactedError:
        writer.write(b'"compacted"\n')
    finally:
        watch.close()


async def serve(path: str, data_dir: str, store_name: str) -> None:
    """Listen until killed."""
    store = await open_store(Options(data_dir, store_name, compaction_interval=300))

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            request = json.loads(line)
            if request["verb"] == "watch":
                await tell(store, request, writer)
                return
            try:
                response = await answer(store, request)
            except PodwardError as error:
                response = {"error": str(error)}
            writer.write(json.dumps(response).encode() + b"\n")
            await writer.drain()

    server = await asyncio.start_unix_server(connected, path, limit=1 << 20)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(*sys.argv[1:]))
