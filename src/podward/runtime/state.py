"""Where Podward keeps what must outlive a call, and the locks that say who is alive.

    ROOT/                     0700
      lock                    held while a Pod's directory is made, and by the sweep
      images/                 the image store
      node/pods/UID/          one Pod of `podward node`
      oci/KIND/               the state of the OCI runtime of this kind
      pods/ID/                one Pod; `lock` inside is held (flock) by the process that runs it, for a Pod of
                              `run --keep` its monitor
        pod.json              of such a Pod: what is known of it
        logs/NAME/N.log       of such a Pod: what run N of a container printed
        events                of such a Pod: what its monitor has to say
        kept                  such a Pod has ended by itself and waits to be removed

A Pod directory whose lock is free and which is not kept belonged to a process that died: `podward.runtime.sweep`
removes it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
from types import TracebackType
from typing import Self

from podward.errors import NodeError

DEFAULT_ROOT = "/var/lib/podward"


def configured_root() -> str:
    """The directory of all state: `PODWARD_ROOT`, or root's /var/lib/podward, or an ordinary user's own."""
    given = os.environ.get("PODWARD_ROOT")
    if not given and os.geteuid() != 0:
        from podward.runtime.rootless import directories  # only a user needs it

        with contextlib.suppress(NodeError):  # one without a home, who may still read root's
            return directories.data_root()
    return os.path.abspath(given or DEFAULT_ROOT)


def state_root() -> str:
    """The same; raises NodeError where root would trust what another user could have put there."""
    root = configured_root()
    fault = untrusted(root)
    if fault:
        advice = "set PODWARD_ROOT to a directory of root's, or make this one root's: `chown 0:0` and `chmod 700`"
        raise NodeError(f"root does not use this state directory: it {fault}", where=root, advice=advice)
    return root


def untrusted(root: str) -> str:
    """Why others than root decide what is in the directory; empty if they do not, if it is not there, or to others."""
    if os.geteuid() != 0:
        return ""
    try:
        facts, above = os.stat(root), os.stat(os.path.dirname(root))
    except OSError:
        return ""  # whoever makes it says why it can't be made
    if facts.st_uid != 0:
        return f"belongs to uid {facts.st_uid}"
    if _open_to_others(facts):
        return f"has mode {facts.st_mode & 0o7777:04o} and owner 0:{facts.st_gid}: others may write in it"
    if _open_to_others(above) and not above.st_mode & stat.S_ISVTX:
        return "is in a directory in which others may replace it"
    return ""


def _open_to_others(facts: os.stat_result) -> bool:
    return bool(facts.st_mode & 0o002 or (facts.st_mode & 0o020 and facts.st_gid != 0))


class Lock:
    """A flock(2) on a file, mostly an exclusive one; the kernel drops it when its holder dies, however it dies."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def wait(cls, file: str) -> Lock:
        """The lock, waiting for its holder."""
        descriptor = _open(file)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        return cls(descriptor)

    @classmethod
    def share(cls, file: str) -> Lock:
        """A lock that others may share, waiting for whoever has it alone."""
        descriptor = _open(file)
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        return cls(descriptor)

    @classmethod
    def attempt(cls, file: str) -> Lock | None:
        """The lock of a file that is there, or None where somebody holds it. Raises FileNotFoundError."""
        descriptor = os.open(file, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return cls(descriptor)

    def release(self) -> None:
        """Give the lock back."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def _open(file: str) -> int:
    return os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


class State:
    """The state directory, made if missing; raises NodeError where this user may not."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.pods = f"{root}/pods"
        self.node_pods = f"{root}/node/pods"
        self.oci = f"{root}/oci"
        try:
            for directory in (root, self.pods, self.oci):
                if not os.path.isdir(directory):
                    os.makedirs(directory, mode=0o700, exist_ok=True)
        except OSError as error:
            raise NodeError(
                f"cannot make the state directory: {error.strerror}",
                where=str(error.filename or root),
                advice="run as root, or set PODWARD_ROOT to a directory that root may write",
            ) from error

    def lock(self) -> Lock:
        """The lock of the whole state: held only for moments."""
        return Lock.wait(f"{self.root}/lock")


class PodDirectory:
    """A running Pod's directory and its lock.

    `path` is where it is; `work` the path to use while the Pod runs, which differs for a Pod with a user namespace.
    """

    def __init__(self, path: str, lock: Lock) -> None:
        self.path = path
        self.work = path
        self.lock = lock

    @property
    def id(self) -> str:
        """The Pod's id on this machine: 12 hexadecimal digits."""
        return os.path.basename(self.path)

    @classmethod
    def create(cls, state: State) -> PodDirectory:
        """A new directory, locked before the sweep can see it."""
        with state.lock():
            path = f"{state.pods}/{os.urandom(6).hex()}"
            os.mkdir(path, 0o700)
            return cls(path, Lock.wait(f"{path}/lock"))

    def container(self, name: str) -> str:
        """The container's own directory, made if missing: bundle, overlay layers, logs."""
        directory = f"{self.work}/containers/{name}"
        os.makedirs(directory, mode=0o700, exist_ok=True)
        return directory

    @property
    def kept(self) -> bool:
        """Whether this Pod has ended and waits to be removed."""
        return os.path.exists(f"{self.path}/kept")

    def keep(self) -> None:
        """Mark the Pod as ended, to be removed on request: the sweep leaves it alone from now on."""
        os.close(os.open(f"{self.path}/kept", os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600))
