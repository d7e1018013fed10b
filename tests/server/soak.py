"""Writes over HTTPS while `podward apiserver` is killed (-9) at random moments: what is lost, and what watches tell.

usage: soak.py [--writes N] [--kills N] [--clients N] [--seed N] [--store sqlite|etcd]

Each client creates, updates and deletes ConfigMaps of its own, and notes what was acknowledged, until there are so many
writes and kills. Watches reconnect from the last version that they were told. Of an etcd the etcd itself is killed too.
At the end, of each object the last acknowledged write must be there, or one that was sent after it and never answered;
and every watch must have been told exactly what one that watches from the beginning is told.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import ssl
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import aiohttp

sys.path.insert(0, str(Path(__file__).parents[1] / "e2e"))
sys.path.insert(0, str(Path(__file__).parents[1] / "e2e" / "warm"))

from api_server import ADMIN, TOKENS
from etcd_server import free_port, start_etcd

COLLECTION = "/api/v1/namespaces/default/configmaps"
KEYS = 20
"""Objects of each client."""
WATCHES = 4
PATIENCE = 120.0
HEADERS = {"Authorization": f"Bearer {ADMIN}"}

Told = tuple[int, str, str, str]
"""An event: the version, type, name and value of its object."""


@dataclass
class Soak:
    """The servers, and what is known of what they were told."""

    directory: Path
    store: str
    dice: Random
    writes: int
    least_kills: int
    acknowledged: int = 0
    unknown: int = 0
    kills: int = 0
    connected: int = 0
    done: bool = False
    begin: str = ""
    """The version before the first write."""
    last: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    """Of each object the version and value that were acknowledged last; None: deleted."""
    maybe: dict[str, set[str | None]] = field(default_factory=dict)
    """Of each object the values that were sent after that and never answered."""
    port: int = field(default_factory=free_port)
    etcd_port: int = field(default_factory=free_port)
    etcd: subprocess.Popen[bytes] | None = None
    server: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start what is not running."""
        if self.store == "etcd" and self.etcd is None:
            self.etcd = start_etcd(self.directory, self.etcd_port)
        tokens = self.directory / "tokens.csv"
        tokens.write_text(TOKENS)
        words = ["--data-dir", str(self.directory / "data"), "--secure-port", str(self.port)]
        if self.store == "etcd":
            words += ["--store", f"etcd://127.0.0.1:{self.etcd_port}"]
        command = [sys.executable, "-m", "podward", "apiserver", "--token-auth-file", str(tokens), *words]
        self.server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def kill(self, *, with_etcd: bool = False) -> None:
        """Kill the server, and perhaps the etcd behind it."""
        if self.server is not None:
            self.server.kill()
            self.server.wait()
            self.server = None
        if with_etcd and self.etcd is not None:
            self.etcd.kill()
            self.etcd.wait()
            self.etcd = None

    def revive(self) -> None:
        """Start a server that ended by itself, since its etcd was not there yet."""
        if self.server is None or self.server.poll() is not None:
            self.start()


class Client:
    """Requests over one session; what is cut off or not served is None."""

    def __init__(self, soak: Soak, session: aiohttp.ClientSession) -> None:
        self._soak, self._session = soak, session

    async def ask(self, method: str, path: str, body: object = None) -> tuple[int, dict[str, Any]] | None:
        with suppress(aiohttp.ClientError, OSError, ValueError, TimeoutError):
            async with self._session.request(method, self._soak.url + path, json=body, headers=HEADERS) as answer:
                return answer.status, json.loads(await answer.read())
        return None

    async def surely(self, method: str, path: str) -> tuple[int, dict[str, Any]]:
        """The answer, however long the server takes to come back."""
        end = time.monotonic() + PATIENCE
        while True:
            found = await self.ask(method, path)
            if found is not None and found[0] < 500 and found[0] != 429:
                return found
            if time.monotonic() > end:
                raise SystemExit(f"{path}: no answer in {PATIENCE:.0f} s")
            await asyncio.sleep(0.1)


async def write(soak: Soak, client: Client, name: int) -> None:
    """Write until enough was acknowledged."""
    number = 0
    while soak.acknowledged < soak.writes or soak.kills < soak.least_kills:
        number += 1
        key = f"c{name}-{soak.dice.randrange(KEYS)}"
        version, current = soak.last.get(key, ("", None))
        value: str | None = f"{number}-" + "x" * soak.dice.randrange(2000)
        meta = {"name": key, **({"resourceVersion": version} if current is not None else {})}
        body: dict[str, object] = {"metadata": meta, "data": {"v": value}}
        if current is None:
            method, path = "POST", COLLECTION
        elif soak.dice.random() < 0.7:
            method, path = "PUT", f"{COLLECTION}/{key}"
        else:
            method, path, value = "DELETE", f"{COLLECTION}/{key}", None
            body = {"preconditions": {"resourceVersion": version}}
        soak.maybe.setdefault(key, set()).add(value)
        found = await client.ask(method, path, body)
        if found is not None and found[0] in {200, 201}:
            soak.acknowledged += 1
            soak.last[key] = (found[1].get("metadata", {}).get("resourceVersion", ""), value)
            soak.maybe[key] = set()
        else:
            soak.unknown += 1
            await learn(soak, client, key)


async def learn(soak: Soak, client: Client, key: str) -> None:
    """Something was not done, or not answered: what is there must be one of what was sent."""
    code, found = await client.surely("GET", f"{COLLECTION}/{key}")
    value = found["data"]["v"] if code == 200 else None
    _, known = soak.last.get(key, ("", None))
    if value != known and value not in soak.maybe[key]:
        raise SystemExit(f"LOST: {key} has something that was never sent, or was replaced")
    soak.last[key] = (found["metadata"]["resourceVersion"] if code == 200 else "", value)


async def watch(soak: Soak, session: aiohttp.ClientSession, told: list[Told]) -> None:
    """Note what a watch tells, reconnecting from the last version."""
    while True:
        since = told[-1][0] if told else soak.begin
        path = f"{soak.url}{COLLECTION}?watch=1&resourceVersion={since}"
        served = soak.connected
        with suppress(aiohttp.ClientError, OSError, ValueError):
            async with session.get(path, headers=HEADERS, timeout=aiohttp.ClientTimeout(sock_connect=5)) as answer:
                soak.connected += answer.status == 200
                async for line in answer.content:
                    if not line.endswith(b"\n"):
                        break
                    note(told, json.loads(line))
        await asyncio.sleep(0.02 if soak.connected > served else 0.2)


def note(told: list[Told], event: dict[str, Any]) -> None:
    of = event["object"]
    if event["type"] == "ERROR":
        if of["code"] == 410:
            raise SystemExit(f"GONE: {of['message']}")
        return
    meta = of["metadata"]
    told.append((int(meta["resourceVersion"]), event["type"], meta["name"], of["data"]["v"]))


async def killer(soak: Soak, client: Client) -> None:
    """Kill at random moments once the server serves, until the writes are done."""
    while not soak.done:
        await asyncio.sleep(soak.dice.uniform(0, 0.9))
        soak.kill(with_etcd=soak.dice.random() < 0.3)
        soak.kills += 1
        soak.start()
        await client.surely("GET", f"{COLLECTION}?limit=1")


async def run(soak: Soak, clients: int) -> bool:
    trust = ssl.create_default_context()
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE  # of this run's own server
    connector = aiohttp.TCPConnector(ssl=trust, limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=30)) as session:
        soak.start()
        client = Client(soak, session)
        keeper = asyncio.create_task(keep(soak))
        soak.begin = (await client.surely("GET", COLLECTION))[1]["metadata"]["resourceVersion"]
        began = time.monotonic()
        told: list[list[Told]] = [[] for _ in range(WATCHES)]
        watches = [asyncio.create_task(watch(soak, session, each)) for each in told]
        killing = asyncio.create_task(killer(soak, client))
        await asyncio.gather(*(write(soak, client, name) for name in range(clients)))
        soak.done = True
        await killing
        seconds = time.monotonic() - began
        final = (await client.surely("GET", COLLECTION))[1]["items"]
        reference: list[Told] = []
        watches.append(asyncio.create_task(watch(soak, session, reference)))
        await settle([*told, reference])
        for task in (*watches, keeper):
            task.cancel()
        await asyncio.gather(*watches, keeper, return_exceptions=True)
    return report(soak, told, reference, final, seconds)


async def keep(soak: Soak) -> None:
    """A server that ended by itself, since its etcd was not there yet, is started again."""
    while True:
        await asyncio.sleep(0.2)
        soak.revive()


async def settle(told: list[list[Told]]) -> None:
    """Wait until no watch is told anything for two seconds."""
    before = -1
    while (now := sum(map(len, told))) != before:
        before = now
        await asyncio.sleep(2)


def report(
    soak: Soak, told: list[list[Told]], reference: list[Told], final: list[dict[str, Any]], seconds: float
) -> bool:
    """Print the figures; whether nothing is wrong."""
    there = {of["metadata"]["name"]: of["data"]["v"] for of in final if of["metadata"]["name"] != "kube-root-ca.crt"}
    lost = sum(
        1 for key, (_, value) in soak.last.items() if there.get(key) != value and there.get(key) not in soak.maybe[key]
    )
    events_lost = events_doubled = 0
    for each in told:
        counted = Counter(each)
        events_lost += sum(1 for event in reference if event not in counted)
        events_doubled += sum(number - 1 for number in counted.values()) + (each != sorted(each))
        events_doubled += len(set(counted) - set(reference))
    print(
        f"{soak.store}: {soak.acknowledged} writes acknowledged over HTTPS, {soak.unknown} not, in {seconds:.0f} s; "
        f"{soak.kills} kills; {len(reference)} events, {len(told)} watches connected {soak.connected} times\n"
        f"{soak.store}: acknowledged writes lost: {lost}; watch events lost: {events_lost}, doubled: {events_doubled}"
    )
    return bool(reference) and not (lost or events_lost or events_doubled)


def main() -> int:
    parser = argparse.ArgumentParser(description="an API server under kill -9")
    parser.add_argument("--writes", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seed", type=int, default=time.time_ns() % (1 << 32))
    parser.add_argument("--store", choices=("sqlite", "etcd"))
    options = parser.parse_args()
    good = True
    for store in (options.store,) if options.store else ("sqlite", "etcd"):
        with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
            soak = Soak(Path(directory), store, Random(options.seed), options.writes, options.kills)  # noqa: S311 - kills need no secret chance
            stack.callback(soak.kill, with_etcd=True)
            good &= asyncio.run(run(soak, options.clients))
    print(f"seed {options.seed}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
