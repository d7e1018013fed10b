"""Podward without root: a user namespace of the user's own ids, in which everything else is as it is for root.

Only a command that is started by an ordinary user imports this.
"""

from __future__ import annotations

import os

LOOKING = frozenset(("explain", "diff", "doctor"))
"""Commands that tell something also where this user can't have a namespace."""
MOUNTING = frozenset(("cri",))
"""Commands that mount, and copy mounts, all the time: they do so in a mount namespace of their own."""


class Refusal:
    """Why this process has no namespace, for those commands that go on without one."""

    what = ""


def enter_for(command: str) -> None:
    """Lead this process into its user's namespace. Raises NodeError where it must be there and can't."""
    if command in LOOKING and _is_of_others(os.environ.get("PODWARD_ROOT", "")):
        return
    from podward.errors import NodeError
    from podward.runtime.rootless import entering

    try:
        entering.enter()
    except NodeError as error:
        if command not in LOOKING:
            raise
        Refusal.what = error.what
        return
    if command in MOUNTING:
        from podward.runtime import mount_namespace

        mount_namespace.leave_the_hosts()


def _is_of_others(root: str) -> bool:
    """Whether this state directory is another user's: in a namespace it would be nobody's, and who reads needs none."""
    try:
        return bool(root) and os.stat(root).st_uid != os.getuid()
    except OSError:
        return False
