"""What the etcd store promises beside the interface: several servers, broken connections, TLS, compaction in turn."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from itertools import count
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from etcd_server import free_port, running_etcd

from podward.errors import CompactedError, StoreError, StoreFullError
from podward.store.etcd.client import Client, Tls
from podward.store.etcd.compactor import Compactor
from podward.store.etcd.store import EtcdStore
from podward.store.interface import Stored

pytestmark = pytest.mark.needs("etcd")


async def test_two_servers_see_each_others_writes(etcd: str) -> None:
    one, other = [await EtcdStore.open((etcd,), prefix="/two", compaction_interval=0) for _ in range(2)]
    watch = other.watch("/", await other.revision())
    waiting = asyncio.create_task(anext(watch))
    made = await one.create("/a", b"one")
    assert (await asyncio.wait_for(waiting, 10)).stored == made == await other.get("/a")
    await one.close()
    await other.close()


async def test_prefixes_keep_servers_apart(etcd: str) -> None:
    one, other = [await EtcdStore.open((etcd,), prefix=prefix, compaction_interval=0) for prefix in ("/x", "/x-y")]
    await one.create("/a", b"one")
    assert (await other.list("/")).items == ()
    await one.close()
    await other.close()


async def test_a_watch_goes_on_after_etcd_was_away(tmp_path: Path) -> None:
    port = free_port()
    with running_etcd(tmp_path, port):
        store = await EtcdStore.open((f"127.0.0.1:{port}",), compaction_interval=0)
        watch = store.watch("/", await store.revision())
        first = await store.create("/a", b"")
        assert (await asyncio.wait_for(anext(watch), 10)).stored == first
        waiting = asyncio.create_task(anext(watch))
        await asyncio.sleep(0.01)
    with running_etcd(tmp_path, port):
        await create_at_last(store, "/b")
        second = await store.get("/b")
        assert (await asyncio.wait_for(waiting, 20)).stored == second
        await store.close()


async def test_another_endpoint_is_used_where_one_is_away(etcd: str) -> None:
    store = await EtcdStore.open((f"127.0.0.1:{free_port()}", etcd), prefix="/ends", compaction_interval=0)
    made = await store.create("/a", b"")
    assert await store.get("/a") == made
    await store.close()


async def test_no_etcd_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("podward.store.etcd.client._PATIENCE", 0.2)
    endpoint = f"127.0.0.1:{free_port()}"
    with pytest.raises(StoreError, match="no etcd answers") as caught:
        await EtcdStore.open((endpoint,))
    assert caught.value.where == endpoint


async def create_at_last(store: EtcdStore, key: str) -> None:
    """Create the key: the first try may go to an etcd that has just been killed."""
    with suppress(StoreError):
        await store.create(key, b"")
        return
    await store.create(key, b"")


async def write_for_ever(store: EtcdStore) -> None:
    for number in count():
        await store.create(f"/{number}", b"x" * 20_000)


async def test_a_full_etcd_refuses_the_write(tmp_path: Path) -> None:
    port = free_port()
    with running_etcd(tmp_path, port, "--quota-backend-bytes", "200000"):
        store = await EtcdStore.open((f"127.0.0.1:{port}",), compaction_interval=0)
        with pytest.raises(StoreFullError):
            await write_for_ever(store)
        assert (await store.list("/")).items
        await store.close()


async def test_one_of_several_servers_compacts(etcd: str) -> None:
    store = await EtcdStore.open((etcd,), prefix="/turns", compaction_interval=0)
    client = Client((etcd,), None)
    one, other = Compactor(client, b"/turns/\0compaction"), Compactor(client, b"/turns/\0compaction")
    old = await store.revision()
    first = await one.step(0)
    assert await other.step(0) >= first
    made = await store.create("/a", b"")
    assert isinstance(made, Stored)
    await one.step(made.revision)
    with pytest.raises(CompactedError):
        await store.list("/", revision=old)
    assert await other.step(made.revision) > made.revision  # the other was first: no compaction, and no error
    assert (await store.list("/", revision=made.revision)).items == (made,)
    await client.close()
    await store.close()


def certificate(directory: Path, name: str) -> tuple[bytes, bytes]:
    """A certificate of this machine's address that signs itself, and its key; both also as files."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    ).public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (directory / f"{name}.crt").write_bytes(made)
    (directory / f"{name}.key").write_bytes(private)
    return made, private


async def test_etcd_is_spoken_to_by_tls(tmp_path: Path) -> None:
    port = free_port()
    server, _ = certificate(tmp_path, "server")
    ours, key = certificate(tmp_path, "client")
    options = (
        f"--cert-file={tmp_path}/server.crt",
        f"--key-file={tmp_path}/server.key",
        "--client-cert-auth",
        f"--trusted-ca-file={tmp_path}/client.crt",
    )
    with running_etcd(tmp_path, port, *options, scheme="https"):
        store = await EtcdStore.open((f"127.0.0.1:{port}",), tls=Tls(server, ours, key), compaction_interval=0)
        made = await store.create("/a", b"one")
        assert await store.get("/a") == made
        await store.close()
        with pytest.raises(StoreError):
            await EtcdStore.open((f"127.0.0.1:{port}",), tls=Tls(ours, ours, key), compaction_interval=0)
