"""A real etcd for tests and soaks."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_etcd(directory: Path, port: int, *options: str, scheme: str = "http") -> subprocess.Popen[bytes]:
    """An etcd of one member that listens on this port of this machine; its caller kills it."""
    client, peer = f"{scheme}://127.0.0.1:{port}", f"http://127.0.0.1:{free_port()}"
    command = [
        "etcd", "--data-dir", str(directory / "etcd"), "--log-level", "error", "--listen-client-urls", client,
        "--advertise-client-urls", client, "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
        "--initial-cluster", f"default={peer}", *options,
    ]  # fmt: skip
    return subprocess.Popen(command, stderr=subprocess.DEVNULL)


@contextmanager
def running_etcd(directory: Path, port: int, *options: str, scheme: str = "http") -> Iterator[subprocess.Popen[bytes]]:
    """The same, killed at the end."""
    with start_etcd(directory, port, *options, scheme=scheme) as server:
        try:
            yield server
        finally:
            server.kill()
