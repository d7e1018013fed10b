"""Writes through a store whose process is killed (-9) at random moments: what was acknowledged, and what watches tell.

usage: soak.py [--writes N] [--clients N] [--seed N] [--store sqlite|etcd]

Each client creates, updates and deletes keys of its own, and notes what was acknowledged. Watches reconnect from the
last revision that they were told. Of an etcd the etcd itself is killed too. At the end, of each key the last
acknowledged write must be there, or one that was sent after it and never answered; and every watch must have been told
exactly what one that watches from the beginning is told.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections import Counter
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parents[1] / "e2e"))

from etcd_server import free_port, start_etcd

SERVER = str(Path(__file__).with_name("soaked_server.py"))
PREFIX = "/registry/soak/"
KEYS = 40
"""Keys of each client."""
WATCHES = 4
PATIENCE = 60.0

Told = tuple[int, str, str, str]
"""An event: its revision, type, key and value."""


@dataclass
class Soak:
    """The servers, and what is known of what they were told."""

    directory: str
    store: str
    dice: Random
    writes: int
    acknowledged: int = 0
    unknown: int = 0
    kills: int = 0
    reconnections: int = 0
    done: bool = False
    last: dict[str, tuple[int, str | None]] = field(default_factory=dict)
    """Of each key the revision and value that were acknowledged last; None: deleted."""
    maybe: dict[str, set[str | None]] = field(default_factory=dict)
    """Of each key the values that were sent after that and never answered."""
    port: int = 0
    etcd: subprocess.Popen[bytes] | None = None
    server: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> str:
        return f"{self.directory}/socket"

    def start(self) -> None:
        """Start what is not running."""
        if self.store == "etcd" and self.etcd is None:
            self.port = self.port or free_port()
            self.etcd = start_etcd(Path(self.directory), self.port)
        name = "sqlite" if self.store == "sqlite" else f"etcd://127.0.0.1:{self.port}"
        with suppress(FileNotFoundError):
            os.unlink(self.socket)
        command = [sys.executable, SERVER, self.socket, f"{self.directory}/data", name]
        self.server = subprocess.Popen(command)

    def kill(self, also_etcd: bool = False) -> None:  # noqa: FBT001, FBT002 - which of two things is killed
        """Kill the server, and perhaps the etcd behind it."""
        if self.server is not None:
            self.server.kill()
            self.server.wait()
            self.server = None
        if also_etcd and self.etcd is not None:
            self.etcd.kill()
            self.etcd.wait()
            self.etcd = None

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        end = time.monotonic() + PATIENCE
        while True:
            try:
                return await asyncio.open_unix_connection(self.socket, limit=1 << 24)
            except OSError:
                if time.monotonic() > end:
                    raise
                await asyncio.sleep(0.02)


async def client(soak: Soak, name: int) -> None:
    """Write until enough was acknowledged."""
    reader, writer = await soak.connect()
    number = 0
    value: str | None
    while soak.acknowledged < soak.writes:
        number += 1
        key = f"{PREFIX}{name}/{soak.dice.randrange(KEYS)}"
        revision, current = soak.last.get(key, (0, None))
        if current is None:
            verb, value = "create", f"{name}-{number}-" + "x" * soak.dice.randrange(3000)
        else:
            verb = soak.dice.choice(("update", "update", "delete"))
            value = None if verb == "delete" else f"{name}-{number}-" + "x" * soak.dice.randrange(3000)
        request = {"verb": verb, "key": key, "value": encoded(value) or "", "expected": str(revision)}
        soak.maybe.setdefault(key, set()).add(encoded(value))
        try:
            writer.write(json.dumps(request).encode() + b"\n")
            await writer.drain()
            response = json.loads(await reader.readline() or b'{"error": "cut"}')
        except (OSError, ValueError):
            response = {"error": "cut"}
        if "error" in response:
            soak.unknown += 1
            writer.close()
            reader, writer = await soak.connect()
        else:
            learn(soak, key, encoded(value), response)
    writer.close()


def encoded(value: str | None) -> str | None:
    return None if value is None else b64encode(value.encode()).decode()


def learn(soak: Soak, key: str, value: str | None, response: dict[str, object]) -> None:
    """A write was answered: it was done, or something else was found, which must be one of what was sent."""
    if "revision" in response:
        soak.acknowledged += 1
        soak.last[key] = (int(str(response["revision"])), value)
        soak.maybe[key] = set()
        return
    found = response["value"]
    value_found = None if found is None else str(found)
    _, known = soak.last.get(key, (0, None))
    if value_found != known and value_found not in soak.maybe[key]:
        raise SystemExit(f"LOST: {key} has something that was never sent, or was replaced")
    soak.last[key] = (int(str(response["current"] or 0)), value_found)


async def watch(soak: Soak, told: list[Told]) -> None:
    """Note what a watch tells, reconnecting from the last revision."""
    while True:
        reader, writer = await soak.connect()
        soak.reconnections += 1
        after = told[-1][0] if told else 1
        try:
            writer.write(json.dumps({"verb": "watch", "key": PREFIX, "after": str(after)}).encode() + b"\n")
            while line := await reader.readline():
                if not line.endswith(b"\n"):
                    break
                event = json.loads(line)
                told.append((event[0], event[1], event[2], event[3]))
        except OSError:
            pass
        finally:
            writer.close()
        await asyncio.sleep(0.02)


async def killer(soak: Soak) -> None:
    """Kill at random moments, until the writes are done."""
    while True:
        _, writer = await soak.connect()  # once it listens
        writer.close()
        await asyncio.sleep(soak.dice.uniform(0, 0.2))
        if soak.done:
            return
        soak.kill(also_etcd=soak.dice.random() < 0.5)
        soak.kills += 1
        soak.start()


async def run(soak: Soak, clients: int) -> bool:
    soak.start()
    began = time.monotonic()
    told: list[list[Told]] = [[] for _ in range(WATCHES)]
    watches = [asyncio.create_task(watch(soak, each)) for each in told]
    killing = asyncio.create_task(killer(soak))
    await asyncio.gather(*(client(soak, name) for name in range(clients)))
    soak.done = True
    await killing
    seconds = time.monotonic() - began
    reference: list[Told] = []
    watches.append(asyncio.create_task(watch(soak, reference)))
    await settle([*told, reference])
    for task in watches:
        task.cancel()
    await asyncio.gather(*watches, return_exceptions=True)
    return report(soak, told, reference, seconds)


async def settle(told: list[list[Told]]) -> None:
    """Wait until no watch is told anything for two seconds."""
    before = -1
    while (now := sum(map(len, told))) != before:
        before = now
        await asyncio.sleep(2)


def report(soak: Soak, told: list[list[Told]], reference: list[Told], seconds: float) -> bool:
    """Print the figures; whether nothing is wrong."""
    final: dict[str, str | None] = {}
    for _, kind, key, value in reference:
        final[key] = value if kind == "PUT" else None
    lost = sum(
        1 for key, (_, value) in soak.last.items() if final.get(key) != value and final.get(key) not in soak.maybe[key]
    )
    revisions = {revision: (kind, value) for revision, kind, _, value in reference}
    events_lost = events_doubled = 0
    for each in told:
        counted = Counter(each)
        events_lost += sum(1 for event in reference if event not in counted)
        events_doubled += sum(number - 1 for number in counted.values()) + (each != sorted(each))
        events_doubled += sum(1 for event in counted if event[0] not in revisions)
    print(
        f"{soak.store}: {soak.acknowledged} writes acknowledged, {soak.unknown} unanswered, in {seconds:.0f} s; "
        f"{soak.kills} kills; {len(reference)} events, {len(told)} watches connected {soak.reconnections} times\n"
        f"{soak.store}: acknowledged writes lost: {lost}; watch events lost: {events_lost}, doubled: {events_doubled}"
    )
    return not (lost or events_lost or events_doubled)


def main() -> int:
    parser = argparse.ArgumentParser(description="a store under kill -9")
    parser.add_argument("--writes", type=int, default=10_000)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seed", type=int, default=time.time_ns() % (1 << 32))
    parser.add_argument("--store", choices=("sqlite", "etcd"))
    options = parser.parse_args()
    good = True
    for store in (options.store,) if options.store else ("sqlite", "etcd"):
        with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
            soak = Soak(directory, store, Random(options.seed), options.writes)  # noqa: S311 - kills need no secret chance
            stack.callback(soak.kill, also_etcd=True)
            good &= asyncio.run(run(soak, options.clients))
    print(f"seed {options.seed}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
