"""`podward` for tests, forked from a process that has imported it already.

Two thirds of what a short command costs are Python's start and the imports, and the tests call some thousand commands.
So each process of pytest has one beside it, begun by exec at the first use, that has imported what commands import, and
has run nothing (`warm_server.py`). For a command it forks: the child is given the words, the environment, the directory
and the standard streams, and does what `python -m podward` does. It is killed if who has asked goes away, and the whole
ends with pytest.

`start` does so with a server, from another process that has imported what such a server does.

What a fork can't show is for the real command, `run_anew`: start-up and imports, the words in /proc/PID/cmdline, the
parent of the process, limits and users that are set between fork and exec. `run` and `start` take it by themselves
where the test has entered a namespace, changed its umask or limits, or sets variables that are read at a program's
start.
"""

from __future__ import annotations

import atexit
import functools
import io
import json
import os
import select
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

from warm_process import WarmProcess, ended

COMMAND = (sys.executable, "-m", "podward")
"""The words that call it."""

_SERVER = str(Path(__file__).with_name("warm_server.py"))
_READ_AT_START = ("GLIBC_TUNABLES", "LANG", "LC_", "LD_", "MALLOC_", "PYTHON", "TZ")
_INHERITED = ("Umask", "Uid", "Gid", "Groups", "SigBlk", "SigIgn", "Cap", "NoNewPrivs", "Seccomp", "Cpus_allowed_list")
_PART = 1 << 16


def run(
    *words: str,
    environment: Mapping[str, str] | None = None,
    cwd: str | Path | None = None,
    stdin: str = "",
    timeout: float = 60,
    user: int | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run the command with these words, and capture what it says."""
    variables = dict(os.environ if environment is None else environment)
    if user is not None or not _can_be_forked(variables):
        return run_anew(*words, environment=environment, cwd=cwd, stdin=stdin, timeout=timeout, user=user)
    code, *written = _warm().answer(_asked(words, variables, cwd), stdin.encode(), timeout)
    stdout, stderr = (io.TextIOWrapper(io.BytesIO(each), "utf-8").read() for each in written)
    return subprocess.CompletedProcess([*COMMAND, *words], code, stdout, stderr)


def start(*words: str, stderr: TextIO | None = None) -> subprocess.Popen[str] | WarmProcess:
    """Begin a server with these words. What it says is to be read; its errors too, unless they go to a file."""
    if not _can_be_forked(os.environ):
        return subprocess.Popen([*COMMAND, *words], stdout=subprocess.PIPE, stderr=stderr or subprocess.PIPE, text=True)
    null = os.open(os.devnull, os.O_RDONLY)
    reading, writing = os.pipe()
    errors, complaining = os.pipe() if stderr is None else (-1, os.dup(stderr.fileno()))
    connection = _warm().begin(_asked(words, dict(os.environ), None), (null, writing, complaining))
    return WarmProcess([*COMMAND, *words], connection, reading, errors)


def run_anew(
    *words: str,
    environment: Mapping[str, str] | None = None,
    cwd: str | Path | None = None,
    stdin: str = "",
    timeout: float = 60,
    user: int | None = None,
) -> subprocess.CompletedProcess[str]:
    """The same in a process that is a child of this one, and Python's own from its start."""
    return subprocess.run(
        [*COMMAND, *words],
        env=environment,
        cwd=cwd,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        user=user,
    )


def _can_be_forked(variables: Mapping[str, str]) -> bool:
    return _surroundings() == _AT_IMPORT and _read_at_start(variables) == _read_at_start(_VARIABLES)


def _asked(words: tuple[str, ...], variables: dict[str, str], cwd: str | Path | None) -> bytes:
    asked = {"words": words, "environment": variables, "directory": os.path.abspath(cwd or os.getcwd())}
    return json.dumps(asked).encode()


def _read_at_start(variables: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in variables.items() if value and name.startswith(_READ_AT_START)}


def _surroundings() -> list[str]:
    """What a command inherits beside its environment and its directory."""
    place = "/proc/thread-self"
    found = [os.readlink(f"{place}/{link}") for link in ("root", *(f"ns/{name}" for name in os.listdir(f"{place}/ns")))]
    found += [Path(place, name).read_text(encoding="utf-8") for name in ("limits", "cgroup", "oom_score_adj")]
    status = Path(place, "status").read_text(encoding="utf-8", errors="surrogateescape")
    return found + [line for line in status.splitlines() if line.startswith(_INHERITED)]


_AT_IMPORT = _surroundings()
_VARIABLES = dict(os.environ)


class _Warm:
    """The process that forks, and our end of the socket on which it is asked to."""

    def __init__(self) -> None:
        self._owner = os.getpid()
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, _SERVER, str(theirs.fileno())],
                env=_VARIABLES,
                cwd="/",
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        atexit.register(self._end)

    def _end(self) -> None:
        if os.getpid() == self._owner:  # not a child that a test has forked
            self._control.shutdown(socket.SHUT_RDWR)
            self._process.wait()

    def answer(self, asked: bytes, stdin: bytes, timeout: float) -> tuple[int, bytes, bytes]:
        """Have a command run; returns its exit code as `Popen.returncode` has it, and what it has written."""
        (reading, given), (stdout, writing), (stderr, complaining) = os.pipe(), os.pipe(), os.pipe()
        connection = self.begin(asked, (reading, writing, complaining))
        with connection, open(stdout, "rb", 0) as output, open(stderr, "rb", 0) as errors:
            try:
                told, said, complained = _exchanged(given, memoryview(stdin), (connection, output, errors), timeout)
            except BaseException:
                connection.shutdown(socket.SHUT_WR)  # which kills it
                connection.recv(4)
                raise
        return ended(told[4:]), said, complained

    def begin(self, asked: bytes, streams: tuple[int, ...]) -> socket.socket:
        """Have a command begun with these streams, which are closed here; tells its pid, and how it has ended."""
        connection, other = socket.socketpair()
        request = os.memfd_create("request")
        with other, open(request, "wb", 0, closefd=False) as file:
            file.write(asked)
            socket.send_fds(self._control, [b"x"], [other.fileno(), request, *streams])
        for number in (request, *streams):
            os.close(number)
        return connection


@functools.cache
def _warm() -> _Warm:
    return _Warm()


def _exchanged(
    given: int, stdin: memoryview, sources: tuple[socket.socket | io.FileIO, ...], timeout: float
) -> tuple[bytes, ...]:
    """Write to the first, which is closed then, and read the others to their ends."""
    deadline = time.monotonic() + timeout
    read = {source.fileno(): bytearray() for source in sources}
    with open(given, "wb", 0) as feed, selectors.DefaultSelector() as waiting:
        waiting.register(feed, selectors.EVENT_WRITE)
        for number in read:
            waiting.register(number, selectors.EVENT_READ)
        while waiting.get_map():
            ready = waiting.select(max(0, deadline - time.monotonic()))
            if not ready:
                raise subprocess.TimeoutExpired(COMMAND, timeout, *map(bytes, list(read.values())[1:]))
            for key, _ in ready:
                if key.fileobj is feed:
                    stdin = _fed(feed, stdin)
                    ended = not stdin
                else:
                    part = os.read(key.fd, _PART)
                    read[key.fd] += part
                    ended = not part
                if ended:
                    waiting.unregister(key.fileobj)
                    if key.fileobj is feed:
                        feed.close()
    return tuple(map(bytes, read.values()))


def _fed(feed: io.FileIO, stdin: memoryview) -> memoryview:
    """What is left to write; nothing if the reader is gone."""
    try:
        return stdin[os.write(feed.fileno(), stdin[: select.PIPE_BUF]) :]
    except BrokenPipeError:
        return stdin[:0]
