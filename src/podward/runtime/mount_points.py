"""Looking for the mount points of a container's mounts, in what is on this machine."""

from __future__ import annotations

import os

from podward.runtime import syscalls
from podward.runtime.rooted_tree import RootedTree

_INSIDE = syscalls.RESOLVE_BENEATH | syscalls.RESOLVE_NO_MAGICLINKS | syscalls.RESOLVE_NO_XDEV


def places(rootfs: str, mounts: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    """Where the mounts land in this root, as `RootedTree` takes them."""
    with RootedTree(rootfs, mounts) as tree:
        return tuple("/" + "/".join(names) for names in tree.landed)


def lacks(source: str, inside: str) -> bool:
    """Whether there is nothing at `inside` of a directory of this machine.

    Not where that is not certain: a link leads out of the directory, or another mount in it has its own flags.
    """
    try:
        top = os.open(source, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        os.close(syscalls.openat2(top, inside, os.O_PATH | os.O_CLOEXEC, _INSIDE))
    except FileNotFoundError:
        return True
    except OSError:
        return False
    finally:
        os.close(top)
    return False
