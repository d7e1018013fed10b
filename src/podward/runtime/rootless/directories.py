"""Where an ordinary user's Podward keeps its things, as the XDG base directory specification has it.

| what | where |
|---|---|
| state: images, Pods | `$XDG_DATA_HOME/podward`, else `~/.local/share/podward` |
| who holds the user namespace | `$XDG_RUNTIME_DIR/podward`, else `/tmp/podward-run-UID` |
| a nested user namespace's way to its Pod | `/tmp/podward-pods-UID`, a tmpfs in our mount namespace alone |

Whoever else could write in the second could lead us into a namespace of his own, and /tmp is everybody's: each must be
a directory of the user's, not a link, that nobody else may write.
"""

from __future__ import annotations

import os
import stat

from podward.errors import NodeError
from podward.runtime.rootless import ids

TEMPORARY = "/tmp"  # noqa: S108  # what is made there is checked to be ours


def data_root() -> str:
    """The directory of all state."""
    base = os.environ.get("XDG_DATA_HOME", "")
    if not base.startswith("/"):  # the specification: a relative path is to be ignored
        base = f"{home()}/.local/share"
    return f"{base}/podward"


def home() -> str:
    """The user's home directory. Raises NodeError for a user who has none."""
    import pwd

    named = os.environ.get("HOME", "")
    try:
        found = named or pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        found = ""
    if not found.startswith("/"):
        advice = "set PODWARD_ROOT to a directory of yours"
        raise NodeError("this user has no home directory to keep images and Pods in", advice=advice)
    return found


def runtime_directory(uid: int) -> str:
    """The directory of what lasts until the machine is booted anew, made if missing."""
    return private(runtime_path(uid), uid)


def runtime_path(uid: int) -> str:
    """Its path."""
    base = os.environ.get("XDG_RUNTIME_DIR", "")
    return f"{base}/podward" if base.startswith("/") and _is_ours(base, uid) else f"{TEMPORARY}/podward-run-{uid}"


def passage() -> str:
    """An empty directory in a place that every user may pass through, made if missing; asked in the namespace."""
    lines = ids.as_it_is("self", "uid_map")
    return private(passage_of(lines[0][1]), os.geteuid())


def passage_of(uid: int) -> str:
    """Its path, for the user with this uid on the machine."""
    return f"{TEMPORARY}/podward-pods-{uid}"


def private(directory: str, uid: int) -> str:
    """The directory, made with mode 0700 if missing. Raises NodeError where it could be somebody else's."""
    try:
        os.mkdir(directory, 0o700)
    except FileExistsError:
        pass
    except OSError as error:
        raise NodeError(f"cannot make it: {error.strerror}", where=directory) from error
    if not _is_ours(directory, uid):
        advice = "remove it, or set XDG_RUNTIME_DIR to a directory of yours"
        raise NodeError("it is not a directory of ours that nobody else may write", where=directory, advice=advice)
    return directory


def _is_ours(directory: str, uid: int) -> bool:
    try:
        facts = os.lstat(directory)
    except OSError:
        return False
    return stat.S_ISDIR(facts.st_mode) and facts.st_uid == uid and not facts.st_mode & 0o022
