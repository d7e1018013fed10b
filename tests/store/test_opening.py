"""The store that a server's options name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from podward.errors import StoreError, UsageError
from podward.store.encryption import is_sealed
from podward.store.interface import Store
from podward.store.opening import open_bare, open_store
from podward.store.options import Options

KEY = "/registry/secrets/default/login"


async def write_a_secret(options: Options) -> None:
    store = await open_store(options)
    await store.create(KEY, b"hunter2")
    await store.close()


async def value_of(store: Store) -> bytes:
    found = await store.get(KEY)
    await store.close()
    assert found is not None
    return found.value


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("etcd", marks=pytest.mark.needs("etcd"))])
async def test_secrets_are_encrypted_without_being_asked_to(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    store = kind if kind == "sqlite" else f"etcd://{request.getfixturevalue('etcd')}"
    options = Options(str(tmp_path / "data"), store, etcd_prefix="/opening")
    await write_a_secret(options)
    assert is_sealed(await value_of(await open_bare(options)))
    assert await value_of(await open_store(options)) == b"hunter2"


async def test_a_lost_key_file_is_not_made_anew(tmp_path: Path) -> None:
    options = Options(str(tmp_path / "data"))
    await write_a_secret(options)
    file = f"{options.data_dir}/encryption.keys"
    os.unlink(file)
    with pytest.raises(StoreError, match="is missing") as caught:
        await open_store(options)
    assert caught.value.where == file
    assert "encryption.keys" not in os.listdir(options.data_dir)


async def test_the_key_file_of_another_store_is_refused_at_the_start(tmp_path: Path) -> None:
    options = Options(str(tmp_path / "data"))
    await write_a_secret(options)
    await write_a_secret(Options(str(tmp_path / "other")))
    with pytest.raises(StoreError, match="lacks"):
        await open_store(Options(options.data_dir, key_file=str(tmp_path / "other/encryption.keys")))


async def test_a_store_that_there_is_not_is_a_usage_error(tmp_path: Path) -> None:
    for store in ("postgres://a:1", "etcd://", "etcd://a:1,", "/etc"):
        with pytest.raises(UsageError):
            await open_store(Options(str(tmp_path), store))


async def test_a_certificate_for_etcd_needs_its_key(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="go together"):
        await open_store(Options(str(tmp_path), "etcd://127.0.0.1:1", etcd_certfile="/etc/hostname"))
    with pytest.raises(StoreError, match="cannot be read"):
        await open_store(Options(str(tmp_path), "etcd://127.0.0.1:1", etcd_cafile="/no/such/file"))
