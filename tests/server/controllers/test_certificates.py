"""When a request for a certificate is looked at again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import cast

import pytest
from certificate_asked import request
from cryptography import x509
from msgspec import Struct

from podward.access.certificates.signing import Issuers
from podward.api.authorization import Answer
from podward.api.json_value import JsonObject
from podward.documents.raw_fields import member
from podward.server.cache import Caches
from podward.server.controllers import worker
from podward.server.controllers.calling import Caller
from podward.server.controllers.certificates import Certificates
from podward.server.controllers.names import APPROVING
from podward.server.encoding import json_bytes
from podward.store.interface import Stored

NAME: JsonObject = {"name": "n1"}


class Item(Struct):
    stored: Stored


class Cached:
    """The objects under a prefix; tests put them there."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.listeners: list[Callable[[object], None]] = []
        self.stored: dict[str, Item] = {}

    async def start(self) -> None:
        """All of it is there."""

    def items(self, _prefix: str) -> Iterable[Item]:
        return self.stored.values()

    def get(self, key: str) -> Item | None:
        return self.stored.get(key)

    def put(self, name: str, obj: JsonObject) -> None:
        key = self.prefix + name
        self.stored[key] = Item(Stored(key, json_bytes(obj), 1, 1))
        for listener in self.listeners:
            listener(self.stored[key])


class Everything(dict[str, Cached]):
    def of(self, prefix: str) -> Cached:
        return self.setdefault(prefix, Cached(prefix))


class Written:
    """Writes down what a controller asks for."""

    def __init__(self) -> None:
        self.asked = asyncio.Queue[str]()

    async def ask(self, _verb: str, path: str, _obj: JsonObject | None = None) -> int:
        await self.asked.put(path)
        return 200


async def nobody(_attributes: object) -> Answer:
    return Answer()


def test_a_node_that_asks_before_it_has_said_who_it_is_is_approved_when_it_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker, "_AGAIN", 3600.0)

    async def approved() -> str:
        caches, caller = Everything(), Written()
        pair = cast("tuple[Caller, Caller]", (caller, caller))
        running = frozenset((APPROVING,))
        found = Certificates(pair, cast("Caches", caches), nobody, cast("Issuers", None), running)
        await found.start()
        requests, nodes = (next(each for key, each in caches.items() if word in key) for word in ("signing", "nodes"))
        asked = request(
            "kubelet-serving", "digital signature", "server auth", name="system:node:n1", groups=("system:nodes",),
            names=(x509.DNSName("n1"),), conditions=(),
        )  # fmt: skip
        asked["spec"] = {**member(asked, "spec"), "username": "system:node:n1", "groups": ["system:nodes"]}
        requests.put("one", asked)
        for _ in range(3):
            await asyncio.sleep(0)
        assert caller.asked.empty()
        nodes.put("n1", {"metadata": NAME})
        async with asyncio.timeout(20):
            path = await caller.asked.get()
        await found.close()
        return path

    assert asyncio.run(approved()).endswith("/one/approval")
