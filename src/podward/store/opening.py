"""The store that the options of a server name, with encryption before it."""

from __future__ import annotations

import os

from podward.errors import StoreError, UsageError
from podward.store.encryption import EncryptedStore, Sealer, is_sealed
from podward.store.interface import Store
from podward.store.options import SQLITE, Options
from podward.store.sqlite.store import SqliteStore

_ETCD = "etcd://"


async def open_store(options: Options) -> Store:
    """The store, with values under the `encrypted` prefixes sealed. Raises UsageError, StoreError."""
    bare = await open_bare(options)
    try:
        await check_key_file(bare, options)
        store = EncryptedStore(bare, Sealer(key_file_of(options)), options.encrypted)
        await store.check_key()
    except BaseException:
        await bare.close()
        raise
    return store


async def check_key_file(bare: Store, options: Options) -> None:
    """Refuse to make a new key file where the store has values that need the one that is missing. Raises StoreError."""
    file = key_file_of(options)
    if os.path.lexists(file):  # noqa: ASYNC240 - once, before anybody is served
        return
    pages = [await bare.list(prefix, 1) for prefix in options.encrypted]
    if any(is_sealed(item.value) for page in pages for item in page.items):
        advice = "restore it from a backup, or name it with --encryption-key-file: without it they are lost"
        raise StoreError("the key file is missing, and the store has values that need it", where=file, advice=advice)


async def open_bare(options: Options) -> Store:
    """The store without encryption, as rotating its key needs it. Raises UsageError, StoreError."""
    if options.store == SQLITE:
        return SqliteStore.open(options.data_dir, options.compaction_interval)
    endpoints = tuple(options.store.removeprefix(_ETCD).split(","))
    if not options.store.startswith(_ETCD) or not all(":" in endpoint for endpoint in endpoints):
        advice = "give sqlite, or etcd://HOST:PORT,HOST:PORT"
        raise UsageError(f"--store does not take {options.store!r}", advice=advice)
    return await _open_etcd(endpoints, options)


def key_file_of(options: Options) -> str:
    """Where the keys of encrypted values are; its directory is made where it is missing. Raises StoreError."""
    file = options.key_file or f"{options.data_dir}/encryption.keys"
    try:
        os.makedirs(os.path.dirname(file) or ".", mode=0o700, exist_ok=True)
    except OSError as error:
        raise StoreError(f"cannot be made: {error.strerror}", where=str(error.filename)) from None
    return file


async def _open_etcd(endpoints: tuple[str, ...], options: Options) -> Store:
    # gRPC is large: only servers that use it have it in memory.
    from podward.store.etcd.client import Tls
    from podward.store.etcd.store import EtcdStore

    files = (options.etcd_cafile, options.etcd_certfile, options.etcd_keyfile)
    if bool(options.etcd_certfile) != bool(options.etcd_keyfile):
        raise UsageError("--etcd-certfile and --etcd-keyfile go together", advice="give both or neither")
    tls = Tls(*(_content(file) for file in files)) if any(files) else None
    interval = options.compaction_interval
    return await EtcdStore.open(endpoints, tls=tls, prefix=options.etcd_prefix, compaction_interval=interval)


def _content(file: str) -> bytes | None:
    if not file:
        return None
    try:
        with open(file, "rb") as opened:
            return opened.read()
    except OSError as error:
        raise StoreError(f"cannot be read: {error.strerror}", where=file) from None
