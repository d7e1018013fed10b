"""The mount namespace that a node works in: its own, and the same one again when it was killed.

What is mounted for Pods (tmpfs of Secrets, subPaths) must not be the machine's affair, and must be there still when a
killed node has been started again. So the node moves into a private mount namespace that a pin holds
(`runtime.service.pins`): a process that waits, and that goes when somebody ends it. A node that finds the pin of its
directory re-enters there.
"""

from __future__ import annotations

import os

from podward.errors import NodeError
from podward.runtime import syscalls
from podward.runtime.service import pins
from podward.runtime.state import State


def enter(state: State, directory: str) -> None:
    """Move this process into the node's mount namespace, made if there is none; raises NodeError where it can't be."""
    with state.lock():  # of two nodes on one directory, one makes it; the other is refused later
        found = pins.of(directory)
        if found:
            pins.enter(found[0])
            syscalls.become_subreaper()
        else:
            pins.start(directory, hide_unified_cgroup=False)
        os.chdir("/")


def leave_nothing(directory: str) -> None:
    """Take the namespace with all its mounts away: for a node that is not to come back. Call it from outside."""
    for pin in pins.of(directory):
        pins.end(pin)


def require_root() -> None:
    """Raise NodeError for who may not make mounts."""
    if os.geteuid() != 0:
        raise NodeError("a node is root's: it makes mounts, cgroups and networks", advice="run it as root")
