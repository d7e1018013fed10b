"""A real `podward apiserver` in a process of its own, on a free port, and a small client for it."""

from __future__ import annotations

import atexit
import contextlib
import functools
import http.client
import json
import os
import select
import shutil
import signal
import socket
import ssl
import tempfile
import weakref
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from warm_command import start

TOKENS = """\
admin-token,admin,uid-admin,"system:masters"
alice-token,alice,uid-alice,"dev"
bob-token,bob,uid-bob,"dev,ops"
carol-token,carol,uid-carol
"""
ADMIN = "admin-token"
_DEADLINE = 30.0
_NOT_BEGUN = ("--store", "--service-cluster-ip-range", "--openshift")
"""Flags of servers whose first objects are others, or elsewhere."""


class Session:
    """A connection that is kept, with the token of its client."""

    def __init__(self, connection: http.client.HTTPSConnection, token: str) -> None:
        self._connection = connection
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, str]:
        """The code and the text of the answer. A body that is no text is sent as JSON."""
        sent = {**self._headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
        text = body if isinstance(body, str | None) else json.dumps(body)
        self._connection.request(method, path, text, sent)
        answer = self._connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")


class Server:
    """A running server."""

    def __init__(self, directory: Path, *flags: str) -> None:
        self.data = directory / "data"
        if not (self.data.exists() or any(flag.startswith(_NOT_BEGUN) for flag in flags)):
            shutil.copytree(_begun(), self.data)
        tokens = directory / "tokens.csv"
        tokens.write_text(TOKENS)
        words = ["apiserver", "--data-dir", str(self.data), "--secure-port", "0", "--token-auth-file", str(tokens)]
        self.process = start(*words, *flags)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if "ready at " not in line:
            raise AssertionError(self.process.communicate(timeout=_DEADLINE))
        self.url = line.split("ready at ")[1].strip()
        self.context = ssl.create_default_context(cafile=str(self.data / "ca.crt"))
        self._kept: list[http.client.HTTPSConnection] = []
        weakref.finalize(self, _close, self._kept)

    def ask(
        self, method: str, path: str, body: object = None, *, token: str = ADMIN, **headers: str
    ) -> tuple[int, Any, Mapping[str, str]]:
        """The code, the answer (JSON where it is), and the headers. A body that is no text is sent as JSON."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
        connection = self._connection()
        try:
            connection.request(method, path, body if isinstance(body, str | None) else json.dumps(body), sent)
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
        except BaseException:
            connection.close()
            raise
        self._kept.append(connection)
        with contextlib.suppress(ValueError):
            return answer.status, json.loads(text), dict(answer.getheaders())
        return answer.status, text, dict(answer.getheaders())

    @contextlib.contextmanager
    def session(self, token: str = ADMIN) -> Iterator[Session]:
        """One connection for many requests."""
        with contextlib.closing(self._connection()) as connection:
            yield Session(connection, token)

    def _connection(self) -> http.client.HTTPSConnection:
        """One that is kept and not in use, or a new one: to agree on keys costs more than most requests."""
        while self._kept:
            connection = self._kept.pop()
            if connection.sock and not select.select([connection.sock], [], [], 0)[0]:
                return connection
            connection.close()  # the server has closed it, or will
        where = urlsplit(self.url)
        return http.client.HTTPSConnection(where.hostname or "", where.port, context=self.context, timeout=_DEADLINE)

    @contextlib.contextmanager
    def socket(self) -> Iterator[ssl.SSLSocket]:
        """A connection to write bytes to that no client would."""
        where = urlsplit(self.url)
        with (
            socket.create_connection((where.hostname or "", where.port or 0), timeout=_DEADLINE) as plain,
            self.context.wrap_socket(plain, server_hostname=where.hostname) as secured,
        ):
            yield secured

    def stop(self) -> int:
        """End it as a supervisor would; its exit code."""
        _close(self._kept)
        self.process.send_signal(signal.SIGTERM)
        _, errors = self.process.communicate(timeout=_DEADLINE)
        assert errors == "", errors
        return self.process.wait()


def _close(kept: list[http.client.HTTPSConnection]) -> None:
    while kept:
        kept.pop().close()


@functools.cache
def _begun() -> Path:
    """The data of a server that has made the objects that it makes at first: half of what a start costs."""
    directory, owner = Path(tempfile.mkdtemp()), os.getpid()

    def remove() -> None:
        if os.getpid() == owner:  # not a child that a test has forked
            shutil.rmtree(directory)

    atexit.register(remove)
    (directory / "data").mkdir(0o700)  # as it is there, this one begins without such data
    Server(directory).stop()
    return directory / "data"


@contextlib.contextmanager
def running(directory: Path, *flags: str) -> Iterator[Server]:
    """A server that is there for a while."""
    server = Server(directory, *flags)
    try:
        yield server
        assert server.stop() == os.EX_OK
    finally:
        if server.process.poll() is None:
            server.process.kill()
            server.process.communicate()
