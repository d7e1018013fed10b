"""The directory of a cluster that leaves nothing: made for it, removed with all that is in it.

One that is killed cannot remove anything, and its Pods run on. The kernel drops its lock on `owner.lock`; the next one
of the same user that finds it so ends these Pods and removes the directory.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator

from podward.cli import terminal
from podward.errors import PodwardError
from podward.runtime.state import Lock

_PREFIX = "podward-"
_LOCK = "owner.lock"
_PAUSES = (0.0, 1.0, 3.0)
"""Seconds to wait before each attempt: a worker of a killed node does what it is at."""


@contextlib.contextmanager
def directory() -> Iterator[str]:
    """A new directory (0700), whose name is short: sockets are made in it, whose paths may not be long."""
    for abandoned in _others():
        _remove_abandoned(abandoned)
    made = tempfile.mkdtemp(prefix=_PREFIX)
    with Lock.wait(f"{made}/{_LOCK}"):  # until all is removed: another that begins must not think that we were killed
        try:
            yield made
        finally:
            _remove(made)


def _remove(made: str) -> None:
    left: list[str] = []
    shutil.rmtree(made, onerror=lambda _call, path, _error: left.append(str(path)))
    if left:
        terminal.say(f"what it made cannot be removed: {left[0]}")


def _others() -> list[str]:
    """The directories of this user's clusters where ours will be: others may write there too, and make links."""
    place = tempfile.gettempdir()
    try:
        names = sorted(os.listdir(place))
    except OSError:  # it may not be listed
        return []
    return [f"{place}/{name}" for name in names if name.startswith(_PREFIX) and _is_private(f"{place}/{name}")]


def _is_private(path: str) -> bool:
    try:
        facts = os.lstat(path)
    except OSError:  # one that ends has just removed it
        return False
    return stat.S_ISDIR(facts.st_mode) and facts.st_uid == os.geteuid() and not stat.S_IMODE(facts.st_mode) & 0o077


def _remove_abandoned(place: str) -> None:
    """Remove a cluster that nobody has, if it is one that had begun."""
    try:
        lock = Lock.attempt(f"{place}/{_LOCK}") if os.path.isdir(f"{place}/cluster") else None
    except OSError:  # no cluster's, or gone by now
        return
    if lock is None:
        return
    with lock:
        terminal.say(f"{place}: a cluster that was killed; what it has left is removed")
        for pause in _PAUSES:
            time.sleep(pause)
            pid = os.fork()
            if pid == 0:
                code = 1
                try:
                    code = _end_pods(place)
                finally:
                    os._exit(code)  # whatever happens: a child that goes on would be a second supervisor
            if os.waitpid(pid, 0)[1] == 0:
                _remove(place)
                break


def _end_pods(place: str) -> int:
    """End the Pods of all its nodes, in a process of its own: what that imports and forks, the supervisor never has."""
    from podward.node import leaving

    further = f"{place}/cluster/nodes"
    names = os.listdir(further) if os.path.isdir(further) else []
    code = 0
    for root in (place, *(f"{further}/{name}" for name in names)):
        if os.path.isdir(f"{root}/node"):
            try:
                leaving.end_pods(root)
            except (PodwardError, OSError) as error:
                terminal.say(f"{root}: its Pods cannot be ended: {error}")
                code = 1
    return code
