"""The socket that clients of the CRI service connect to: whose it is, and what may be there already.

Whoever may connect may do anything on this machine, so the socket is its owner's alone (0600), in a directory that is
made for it (0700) where there is none. The socket of a server that has died is replaced; that of a living one is not.
"""

from __future__ import annotations

import contextlib
import os
import socket
import stat
from collections.abc import Iterator

from podward.errors import NodeError, UsageError

DEFAULT = "unix:///run/podward/cri.sock"
_LONGEST = 107
"""Bytes of a unix socket's path (unix(7): `sun_path`, less its end)."""
_SCHEMES = ("unix://", "unix:")


def path_of(endpoint: str) -> str:
    """The path of an endpoint such as `unix:///run/podward/cri.sock`, or of a bare path. Raises UsageError."""
    path = next((endpoint.removeprefix(scheme) for scheme in _SCHEMES if endpoint.startswith(scheme)), endpoint)
    if not path or "://" in path or "\0" in path:
        raise UsageError(f"this is no unix socket: {endpoint!r}", advice=f"write it like {DEFAULT}")
    path = os.path.abspath(path)
    if len(os.fsencode(path)) > _LONGEST:
        raise UsageError(
            f"the socket's path is longer than {_LONGEST} bytes", where=path, advice="choose a shorter one"
        )
    return path


def prepare(path: str) -> None:
    """Make the directory and remove a dead server's socket. Raises NodeError where something else is in the way."""
    directory = os.path.dirname(path)
    try:
        os.makedirs(directory, mode=0o700, exist_ok=True)
    except OSError as error:
        raise _unusable(directory, f"the directory of the socket cannot be made: {error.strerror}") from None
    facts = os.stat(directory)
    if facts.st_uid not in (0, os.geteuid()) or (facts.st_mode & 0o022 and not facts.st_mode & stat.S_ISVTX):
        raise _unusable(directory, "others may replace what is in the directory of the socket")
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            raise _unusable(path, "something that is no socket is here")
        if _answers(path):
            raise _unusable(path, "a server listens here already")
        os.unlink(path)


@contextlib.contextmanager
def owners_alone() -> Iterator[None]:
    """While this lasts, sockets are made with mode 0600: there is no moment at which others could connect."""
    before = os.umask(0o177)
    try:
        yield
    finally:
        os.umask(before)


def remove(path: str, made: os.stat_result) -> None:
    """Remove the socket that was made, unless it is gone or another's by now."""
    with contextlib.suppress(FileNotFoundError):
        facts = os.lstat(path)
        if (facts.st_dev, facts.st_ino) == (made.st_dev, made.st_ino):
            os.unlink(path)


def _answers(path: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(path)
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except OSError:
            return True  # one whose queue is full is alive
    return True


def _unusable(where: str, what: str) -> NodeError:
    return NodeError(what, where=where, advice="choose another --listen, or end what is there")
