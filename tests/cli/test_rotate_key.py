"""`podward rotate-key`: after it the old key opens nothing, and the new one everything."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from podward.cli.main import main
from podward.store.interface import Stored
from podward.store.opening import open_store
from podward.store.options import Options

KEY = "/registry/secrets/default/login"


async def written(options: Options) -> None:
    store = await open_store(options)
    await store.create(KEY, b"hunter2")
    await store.close()


async def read(options: Options) -> Stored | None:
    store = await open_store(options)
    found = await store.get(KEY)
    await store.close()
    return found


def test_secrets_are_read_with_the_new_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = Options(str(tmp_path / "data"))
    asyncio.run(written(options))
    keys = tmp_path / "data/encryption.keys"
    before = keys.read_text()
    assert main(["rotate-key", "--data-dir", options.data_dir]) == 0
    assert capsys.readouterr().out.startswith("1 values are encrypted with a new key")
    assert len(keys.read_text().splitlines()) == 1
    assert keys.read_text() != before
    found = asyncio.run(read(options))
    assert found is not None
    assert found.value == b"hunter2"


def test_a_server_that_runs_is_not_rotated_under(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def beside() -> int:
        store = await open_store(Options(str(tmp_path / "data")))
        code = await asyncio.to_thread(main, ["rotate-key", "--data-dir", str(tmp_path / "data")])
        await store.close()
        return code

    assert asyncio.run(beside()) == 1
    assert "another process has this store open" in capsys.readouterr().err


@pytest.mark.parametrize("store", ["etcd://", "etcd://host", "postgres://x:1", "etcd://a:1,"])
def test_a_store_that_there_is_not_is_a_usage_error(
    tmp_path: Path, store: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rotate-key", "--data-dir", str(tmp_path / "data"), "--store", store]) == 2
    assert "--store does not take" in capsys.readouterr().err
