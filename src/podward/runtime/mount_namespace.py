"""Podward's own surroundings while it runs Pods: a private mount namespace, and adopting orphaned containers.

Every mount that a Pod needs is made in a mount namespace of this process. Nobody else sees it, the host's mounts are
never changed, and the kernel takes all of it away with the last process inside, however it ends.
"""

from __future__ import annotations

import os
import stat
from errno import EINVAL

from podward.api.node import IDENTITY
from podward.errors import NodeError
from podward.runtime import machine, syscalls

UNIFIED = "/sys/fs/cgroup/unified"
PASSAGE = "/run/podward"
"""A directory of ours on the host, empty; in our mount namespace, Pods with a user namespace are seen below it."""


def enter(hide_unified_cgroup: bool) -> None:  # noqa: FBT001  # a fact about this machine, not a mode
    """Move this process into a private mount namespace and make it the parent of orphaned containers.

    `hide_unified_cgroup`: on hosts with cgroup v1 in hybrid mode, older crun refuses to start while it sees the
    unified hierarchy; here, and only here, it is taken out of sight.
    """
    try:
        syscalls.unshare(syscalls.CLONE_NEWNS)
        syscalls.mount("", "/", "", syscalls.MS_REC | syscalls.MS_SLAVE, "")
        if hide_unified_cgroup:
            _hide(UNIFIED)
        _bring_null()
        syscalls.become_subreaper()
    except OSError as error:
        raise NodeError(
            f"cannot make a private mount namespace: {error.strerror}",
            advice="run as root with CAP_SYS_ADMIN (in a container: --privileged)",
        ) from error


def passage() -> str:
    """The directory below which user namespaces see what is exposed to them.

    The one of root is closed to who is root of a user namespace alone, who has one of his own.
    """
    try:
        os.makedirs(PASSAGE, mode=0o700, exist_ok=True)
        if os.stat(PASSAGE).st_uid == os.geteuid():
            return PASSAGE
    except PermissionError:
        pass
    from podward.runtime.rootless import directories  # only a user needs it

    return directories.passage()


def leave_the_hosts() -> None:
    """Move this process into a mount namespace of its own, which has what the host mounts from now on, too."""
    syscalls.unshare(syscalls.CLONE_NEWNS)
    syscalls.mount("", "/", "", syscalls.MS_REC | syscalls.MS_SLAVE, "")


def _hide(place: str) -> None:
    """Put an empty mount of ours in the place of another one, in which a runtime may make what it takes for cgroups.

    With nothing there it would make them in the machine's own tmpfs below, and nobody would remove them. What is made
    takes a page for each container. A user namespace's root cannot unmount what is locked: that is only covered.
    """
    try:
        syscalls.umount2(place, syscalls.MNT_DETACH)
    except OSError as error:
        if error.errno != EINVAL:
            raise
    syscalls.mount("podward", place, "tmpfs", syscalls.MS_NOSUID | syscalls.MS_NODEV | syscalls.MS_NOEXEC, "size=64m")


def _bring_null() -> None:
    """Put a device of ours in the place of /dev/null; the machine's, read-only, where we may make none.

    crun gives a process's streams to its user, and up to 1.8 also /dev/null where nobody gave a stream, or where a user
    namespace's container gets it: that would be the machine's. On a read-only mount it stays as it is, and who writes
    to it notices nothing. A user namespace's root, who may make none either, cannot change its owner.
    """
    place = passage()
    syscalls.mount("podward", place, "tmpfs", 0, "size=4k")
    try:
        os.mknod(f"{place}/null", stat.S_IFCHR, os.makedev(1, 3))
        os.chmod(f"{place}/null", 0o666)  # noqa: S103  # as that of the machine
        syscalls.mount(f"{place}/null", os.devnull, "", syscalls.MS_BIND, "")
    except PermissionError:
        if machine.id_map("uid_map") == IDENTITY:
            syscalls.mount(os.devnull, os.devnull, "", syscalls.MS_BIND, "")
            syscalls.mount("", os.devnull, "", syscalls.MS_BIND | syscalls.MS_REMOUNT | syscalls.MS_RDONLY, "")
    finally:
        syscalls.umount2(place, syscalls.MNT_DETACH)


def expose(directory: str) -> str:
    """Make a directory of ours reachable for a user namespace, whose root is nobody on the host; returns its path.

    The way to the state directory is closed to everybody but root. So the directory is mounted below a directory that
    may be passed through, which exists in our mount namespace only.
    """
    place = passage()
    if not os.path.ismount(place):
        flags = syscalls.MS_NOSUID | syscalls.MS_NODEV
        syscalls.mount("podward", place, "tmpfs", flags, "mode=711,size=1m")
    exposed = f"{place}/{os.path.basename(directory)}"
    os.mkdir(exposed, 0o700)
    syscalls.mount(directory, exposed, "", syscalls.MS_BIND, "")
    os.chmod(exposed, 0o711)  # noqa: S103  # passing through is what it is for; listing is not allowed
    return exposed


def open_way(exposed: str, target: str) -> None:
    """Let a user namespace pass from an exposed directory to `target` in it, without seeing what else is there.

    What is elsewhere stays as it is.
    """
    if not target.startswith(f"{exposed}/"):
        return
    directory = exposed
    for step in ("", *target[len(exposed) + 1 :].split("/")[:-1]):
        directory = f"{directory}/{step}" if step else directory
        os.chmod(directory, 0o711)  # noqa: S103  # passing through is what it is for; listing is not
