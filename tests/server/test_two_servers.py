"""Two servers on one etcd: what is given once is never given twice."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from api_server import Server, running
from etcd_server import free_port, running_etcd

from podward.server import service_locks
from podward.server.service_locks import ServiceLocks
from podward.store.sqlite.store import SqliteStore

SERVICES = "/api/v1/namespaces/default/services"


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[tuple[Server, Server]]:
    port = free_port()
    flags = ("--store", f"etcd://127.0.0.1:{port}", "--service-cluster-ip-range", "10.0.0.0/26")
    with running_etcd(tmp_path / "etcd", port):
        one, two = tmp_path / "one", tmp_path / "two"
        one.mkdir()
        two.mkdir()
        with running(one, *flags) as first:
            (two / "data").mkdir(mode=0o700)
            keys = two / "data" / "encryption.keys"
            keys.write_bytes((one / "data" / "encryption.keys").read_bytes())
            keys.chmod(0o600)
            with running(two, *flags) as second:
                yield first, second


@pytest.mark.needs("etcd")
def test_no_address_and_no_port_is_given_twice(servers: tuple[Server, Server]) -> None:
    def make(index: int) -> tuple[str, int]:
        body = {"metadata": {"name": f"s{index}"}, "spec": {"type": "NodePort", "ports": [{"port": 80}]}}
        code, made, _ = servers[index % 2].ask("POST", SERVICES, body)
        assert code == 201, made
        return made["spec"]["clusterIP"], made["spec"]["ports"][0]["nodePort"]

    with ThreadPoolExecutor(8) as crowd:
        given = list(crowd.map(make, range(48)))
    assert len({address for address, _ in given}) == 48
    assert len({port for _, port in given}) == 48


@pytest.mark.needs("etcd")
def test_of_two_who_ask_for_the_same_address_one_gets_it(servers: tuple[Server, Server]) -> None:
    def make(index: int) -> int:
        body = {"metadata": {"name": f"s{index}"}, "spec": {"clusterIP": "10.0.0.5", "ports": [{"port": 80}]}}
        return servers[index % 2].ask("POST", SERVICES, body)[0]

    with ThreadPoolExecutor(8) as crowd:
        assert sorted(crowd.map(make, range(8))) == [201, *[422] * 7]


def test_a_lock_is_held_by_one_and_taken_from_the_dead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_locks, "_PAUSES", (0.0,))

    async def work() -> None:
        store = SqliteStore.open(str(tmp_path / "data"))
        now = 1000.0
        locks, others = (ServiceLocks(store, lambda: now) for _ in range(2))
        held = await locks.take(["a", "b"])
        assert held is not None
        assert await others.take(["0", "b"]) is None
        now += 200
        taken = await others.take(["b"])
        assert taken is not None
        locks.release(held)
        await asyncio.sleep(0.1)
        assert await locks.take(["b"]) is None  # what was taken from the dead is not theirs to let go
        assert await locks.take(["0", "a"]) is not None
        await store.close()

    asyncio.run(work())
