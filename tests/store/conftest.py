"""Every store is held to the same tests; a test that is a coroutine is run in the loop that its store lives in."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest

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


async def open_sqlite(directory: Path) -> Store:
    return SqliteStore.open(str(directory / "data"), compaction_interval=0)


@pytest.fixture(params=["sqlite"])
def store(runner: asyncio.Runner, tmp_path: Path) -> Iterator[Store]:
    opened = runner.run(open_sqlite(tmp_path))
    yield opened
    runner.run(opened.close())
