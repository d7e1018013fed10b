"""Values at rest: nobody reads them without the key file, or moves them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from podward.errors import StoreError
from podward.store.encryption import EncryptedStore, Sealer, is_sealed, rotate
from podward.store.interface import Exists, Mismatch, Stored
from podward.store.sqlite.store import SqliteStore

KEY = "/registry/secrets/default/login"
OTHER = "/registry/secrets/default/other"


def lines(file: str) -> list[str]:
    return Path(file).read_text().splitlines()


@pytest.fixture
def key_file(tmp_path: Path) -> str:
    return str(tmp_path / "keys")


@pytest.fixture
def plain(runner: asyncio.Runner, tmp_path: Path) -> Iterator[SqliteStore]:
    async def opened() -> SqliteStore:
        return SqliteStore.open(str(tmp_path / "data"), compaction_interval=0)

    store = runner.run(opened())
    yield store
    runner.run(store.close())


@pytest.fixture
def encrypted(plain: SqliteStore, key_file: str) -> EncryptedStore:
    return EncryptedStore(plain, Sealer(key_file))


async def test_a_secret_is_read_as_it_was_written(encrypted: EncryptedStore) -> None:
    before = await encrypted.revision()
    made = await encrypted.create(KEY, b"hunter2")
    assert isinstance(made, Stored)
    assert made.value == b"hunter2"
    assert await encrypted.get(KEY) == made
    assert (await encrypted.list("/registry/secrets/")).items == (made,)
    assert (await encrypted.list("/")).items == (made,)
    assert await encrypted.create(KEY, b"x") == Exists(made)
    assert await encrypted.update(KEY, b"x", 1) == Mismatch(made)
    updated = await encrypted.update(KEY, b"hunter3", made.revision)
    assert isinstance(updated, Stored)
    deleted = await encrypted.delete(KEY, updated.revision)
    assert isinstance(deleted, Stored)
    assert deleted.value == b"hunter3"
    watch = encrypted.watch("/registry/", before)
    assert [(event.stored.value, event.previous) for event in await watch.batch()] == [
        (b"hunter2", None),
        (b"hunter3", b"hunter2"),
        (b"hunter3", b"hunter3"),
    ]
    watch.close()


async def test_the_disk_has_no_secret(encrypted: EncryptedStore, tmp_path: Path) -> None:
    await encrypted.create(KEY, b"hunter2-hunter2")
    await encrypted.create("/registry/configmaps/default/open", b"not a secret")
    await encrypted.close()
    written = b"".join(file.read_bytes() for file in (tmp_path / "data").iterdir())
    assert b"hunter2" not in written
    assert b"not a secret" in written


async def test_watches_share_what_is_opened(encrypted: EncryptedStore) -> None:
    watches = [encrypted.watch("/registry/", await encrypted.revision()) for _ in range(2)]
    waiting = [asyncio.create_task(anext(watch)) for watch in watches]
    await asyncio.sleep(0.01)
    await encrypted.create(KEY, b"hunter2")
    first, second = await asyncio.gather(*waiting)
    assert first is second
    for watch in watches:
        watch.close()


async def test_a_value_that_was_moved_to_another_key_is_refused(encrypted: EncryptedStore, plain: SqliteStore) -> None:
    await encrypted.create(KEY, b"hunter2")
    sealed = await plain.get(KEY)
    assert sealed is not None
    await plain.create(OTHER, sealed.value)
    with pytest.raises(StoreError, match="cannot be decrypted"):
        await encrypted.get(OTHER)


async def test_a_value_that_was_changed_is_refused(encrypted: EncryptedStore, plain: SqliteStore) -> None:
    await encrypted.create(KEY, b"hunter2")
    sealed = await plain.get(KEY)
    assert sealed is not None
    for damaged in (sealed.value[:-1], sealed.value[:30], sealed.value[:-1] + bytes([sealed.value[-1] ^ 1])):
        current = await plain.get(KEY)
        assert current is not None
        await plain.update(KEY, damaged, current.revision)
        with pytest.raises(StoreError):
            await encrypted.get(KEY)


async def test_a_value_that_is_not_encrypted_is_refused(encrypted: EncryptedStore, plain: SqliteStore) -> None:
    await plain.create(KEY, b'{"kind":"Secret"}')
    await plain.create(OTHER, b'{"apiVersion":"v1","kind":"Secret"}')
    for key in (KEY, OTHER):
        with pytest.raises(StoreError, match="not encrypted"):
            await encrypted.get(key)


async def test_another_key_file_is_a_clear_error(encrypted: EncryptedStore, plain: SqliteStore, tmp_path: Path) -> None:
    await encrypted.create(KEY, b"hunter2")
    other = str(tmp_path / "other-keys")
    with pytest.raises(StoreError, match="lacks") as caught:
        await EncryptedStore(plain, Sealer(other)).get(KEY)
    assert other in str(caught.value)
    assert caught.value.advice


async def test_rotation_encrypts_everything_anew(plain: SqliteStore, key_file: str) -> None:
    await EncryptedStore(plain, Sealer(key_file)).create(KEY, b"hunter2")
    await plain.create(OTHER, b"never encrypted")
    before = lines(key_file)
    assert await rotate(plain, key_file) == 2
    after = lines(key_file)
    assert len(after) == 1
    assert after != before
    again = EncryptedStore(plain, Sealer(key_file))
    assert [item.value for item in (await again.list("/")).items] == [b"hunter2", b"never encrypted"]
    assert all(is_sealed(item.value) for item in (await plain.list("/")).items)
    assert await again.encrypt_anew() == 0


def test_the_key_file_is_private_and_stays(key_file: str) -> None:
    Sealer(key_file)
    made = Path(key_file).read_text()
    assert os.stat(key_file).st_mode & 0o7777 == 0o600
    sealed = Sealer(key_file).seal(KEY, b"x")
    assert Sealer(key_file).open(KEY, sealed) == b"x"
    assert Path(key_file).read_text() == made


@pytest.mark.parametrize("content", ["", "a\n", "a b\n", "a " + "A" * 43 + "\n", "../x " + "A" * 43 + "=\n"])
def test_a_key_file_that_is_none_is_a_clear_error(key_file: str, content: str) -> None:
    Path(key_file).write_text(content)
    os.chmod(key_file, 0o600)
    with pytest.raises(StoreError) as caught:
        Sealer(key_file)
    assert caught.value.where == key_file
    assert caught.value.advice


def test_a_key_file_that_others_may_read_is_refused(key_file: str) -> None:
    Sealer(key_file)
    os.chmod(key_file, 0o640)
    with pytest.raises(StoreError, match="0640"):
        Sealer(key_file)


def test_the_same_value_is_never_sealed_alike(key_file: str) -> None:
    sealer = Sealer(key_file)
    assert sealer.seal(KEY, b"x") != sealer.seal(KEY, b"x")
