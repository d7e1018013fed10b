"""Every store is held to the same tests; a test that is a coroutine is run in the loop that its store lives in."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from etcd_server import free_port, running_etcd

from podward.store.etcd.store import EtcdStore
from podward.store.interface import Store
from podward.store.sqlite.store import SqliteStore


@pytest.fixture(autouse=True)
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as made:
        yield made


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    arguments = inspect.signature(pyfuncitem.obj).parameters
    runner = pyfuncitem.funcargs["runner"]
    assert isinstance(runner, asyncio.Runner)
    runner.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in arguments}))
    return True


@pytest.fixture(scope="module")
def etcd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The endpoint of an etcd for the tests of a file, which take a prefix each.

    It ends with them: other tests of the same process count the processes that they leave.
    """
    port = free_port()
    with running_etcd(tmp_path_factory.mktemp("etcd"), port):
        yield f"127.0.0.1:{port}"


PREFIXES = count()


@pytest.fixture(params=["sqlite", pytest.param("etcd", marks=pytest.mark.needs("etcd"))])
def store(request: pytest.FixtureRequest, runner: asyncio.Runner, tmp_path: Path) -> Iterator[Store]:
    async def opened() -> Store:
        if request.param == "sqlite":
            return SqliteStore.open(str(tmp_path / "data"), compaction_interval=0)
        endpoint: str = request.getfixturevalue("etcd")
        return await EtcdStore.open((endpoint,), prefix=f"/test-{next(PREFIXES)}", compaction_interval=0)

    made = runner.run(opened())
    yield made
    runner.run(made.close())
