"""What is known of sandboxes and containers, on disk: it is all that a runtime service knows after a crash.

    ROOT/cri/                   0700
      sandboxes/ID/sandbox.json   what is known; replaced by a rename
        lock                      held (flock) by a worker that changes it
        shm, ns/, hostname, …     what its containers share; the mounts are seen in the pin's mount namespace alone
      containers/ID/container.json, lock
        config.json, rootfs/, …   its bundle
      exits/ID                    its exit code, from its monitor; the file's time is when it ended

An id is 64 hexadecimal digits. Reading needs no lock; whoever changes something holds the lock of the sandbox or of the
container, a sandbox's before a container's.
"""

from __future__ import annotations

import contextlib
import errno
import os
import time
from typing import TypeVar

import msgspec
from msgspec import Struct, structs

from podward.api.cri import ContainerConfig, IDMapping, LinuxContainerResources, Mount, PodSandboxConfig
from podward.api.cri_status import LinuxContainerUser
from podward.runtime import syscalls
from podward.runtime.kept import Process
from podward.runtime.oci import Engine, write_private
from podward.runtime.service.phases import (
    CONTAINER_FOLLOWS,
    SANDBOX_FOLLOWS,
    ContainerPhase,
    SandboxPhase,
)
from podward.runtime.state import Lock

NOBODY = Process(0, 0)
_TICK = 50_000_000
"""Nanoseconds: the clock of files is that coarse at most, so that of two files made within it none may be the later."""
_MOST_KNOWN = 4096


class SandboxRecord(Struct, frozen=True, omit_defaults=True):
    """A sandbox. `created_at` is in nanoseconds since 1970; `pin` is the process that holds its mount namespace.

    `namespaces` are those of its own, by kind (`net`, `ipc`, `uts`, `user`, `pid`): where they are pinned, as seen in
    the pin's mount namespace. `work` is the sandbox's directory as seen there. `pause` is the process that holds a
    process namespace that containers share. `cgroup` is the path, below each hierarchy, of the cgroup that has those of
    its containers; `cgroup_above` of the nearest one that was there before. Clients see it once it `was_ready`.
    """

    id: str
    phase: SandboxPhase
    config: PodSandboxConfig
    runtime_handler: str
    engine: Engine
    created_at: int
    work: str = ""
    pin: Process = NOBODY
    pause: Process = NOBODY
    namespaces: dict[str, str] = {}
    mapping: IDMapping | None = None
    addresses: tuple[str, ...] = ()
    cgroup: str = ""
    cgroup_above: str = ""
    was_ready: bool = False

    def became(self, phase: SandboxPhase) -> SandboxRecord:
        """The record of the sandbox in its next phase. Raises ValueError where that can't follow."""
        if phase not in SANDBOX_FOLLOWS[self.phase]:
            raise ValueError(f"sandbox {self.id} cannot become {phase.value}: it is {self.phase.value}")
        return structs.replace(self, phase=phase, was_ready=self.was_ready or phase is SandboxPhase.READY)


class ContainerRecord(Struct, frozen=True, omit_defaults=True):
    """A container of a sandbox. Times are in nanoseconds since 1970, 0 for what has not been.

    `bundle` is its directory as seen in the mount namespace of the sandbox's pin. `process` is its first process,
    `monitor` its conmon. `image_id` is the image's, `image_ref` what clients are told, `image_name` a name that it had.
    `user` are the ids that its process begins with, `resources` those that it was given since it was made,
    `stop_signal` is the image's, `mounts` are those that were asked for, with the ids of images. `reason` and `message`
    say why it has ended. A created one with a `message` has no process: it is what the OCI runtime refused it with,
    which is told when it is to be started.
    """

    id: str
    sandbox: str
    phase: ContainerPhase
    config: ContainerConfig
    image_id: str
    image_ref: str
    created_at: int
    image_name: str = ""
    user: LinuxContainerUser | None = None
    resources: LinuxContainerResources | None = None
    stop_signal: str = ""
    mounts: tuple[Mount, ...] = ()
    bundle: str = ""
    cgroup: str = ""
    log_path: str = ""
    started_at: int = 0
    finished_at: int = 0
    process: Process = NOBODY
    monitor: Process = NOBODY
    exit_code: int = 0
    reason: str = ""
    message: str = ""

    def became(self, phase: ContainerPhase) -> ContainerRecord:
        """The record of the container in its next phase. Raises ValueError where that can't follow."""
        if phase not in CONTAINER_FOLLOWS[self.phase]:
            raise ValueError(f"container {self.id} cannot become {phase.value}: it is {self.phase.value}")
        return structs.replace(self, phase=phase)


Record = TypeVar("Record", SandboxRecord, ContainerRecord)


class Records:
    """The directories below ROOT/cri, made if missing."""

    def __init__(self, root: str) -> None:
        self.root = f"{root}/cri"
        self.exits = f"{self.root}/exits"
        self._known: dict[str, tuple[tuple[int, int, int], SandboxRecord | ContainerRecord]] = {}
        """What was read lately, by files. A record is replaced by another file, never changed."""
        self._homes = {SandboxRecord: f"{self.root}/sandboxes", ContainerRecord: f"{self.root}/containers"}
        for directory in (*self._homes.values(), self.exits):
            os.makedirs(directory, mode=0o700, exist_ok=True)

    @staticmethod
    def new_id() -> str:
        """An id that nobody has."""
        return os.urandom(32).hex()

    def directory(self, kind: type[SandboxRecord | ContainerRecord], identifier: str) -> str:
        """Where everything of it is, as this process sees it."""
        return f"{self._homes[kind]}/{identifier}"

    def add(self, record: SandboxRecord | ContainerRecord) -> Lock:
        """A new one, locked before anybody can see its record."""
        directory = self.directory(type(record), record.id)
        os.mkdir(directory, 0o700)
        lock = Lock.wait(f"{directory}/lock")
        self.write(record)
        return lock

    def write(self, record: SandboxRecord | ContainerRecord) -> None:
        """Note what is known now, so that whoever reads has either all of it or what was known before."""
        file = f"{self.directory(type(record), record.id)}/{_FILES[type(record)]}"
        new = f"{file}.new"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(new)  # of a worker that was killed: to write over it would make ext4 wait for the disk
        write_private(new, msgspec.json.encode(record))
        _replace(new, file)

    def read(self, kind: type[Record], identifier: str) -> Record | None:
        """What is known of it; None where there is none of this very id."""
        if not is_id(identifier):
            return None
        return self._read(kind, f"{self.directory(kind, identifier)}/{_FILES[kind]}")

    def has(self, kind: type[SandboxRecord | ContainerRecord], identifier: str) -> bool:
        """Whether there is a record of this very id that can be read."""
        if kind is SandboxRecord:
            return self.read(SandboxRecord, identifier) is not None
        return self.read(ContainerRecord, identifier) is not None

    def every(self, kind: type[Record], naming: str = "") -> tuple[Record, ...]:
        """All of them, the oldest first; those that do not have the word `naming` anywhere may be left out."""
        home, word = self._homes[kind], naming.encode()
        found = (self._read(kind, f"{home}/{name}/{_FILES[kind]}", word) for name in os.listdir(home) if is_id(name))
        return tuple(sorted((r for r in found if r is not None), key=lambda record: record.created_at))

    def find(self, kind: type[Record], word: str) -> Record | None:
        """The one of this id, or of the only id that begins with it."""
        if is_id(word):
            return self.read(kind, word)
        if not word or not _DIGITS.issuperset(word):
            return None
        found = [name for name in os.listdir(self._homes[kind]) if name.startswith(word)]
        return self.read(kind, found[0]) if len(found) == 1 else None

    def lock(self, kind: type[SandboxRecord | ContainerRecord], identifier: str) -> Lock | None:
        """Its lock, waiting for who has it; None where it is gone, or goes meanwhile."""
        file = f"{self.directory(kind, identifier)}/lock"
        if not os.path.isdir(os.path.dirname(file)):
            return None
        with contextlib.suppress(FileNotFoundError):
            lock = Lock.wait(file)
            if os.path.exists(file):
                return lock
            lock.release()
        return None

    def _read(self, kind: type[Record], file: str, naming: bytes = b"") -> Record | None:
        """What the file says: read again where it is another one than the last time, or so new that it might be.

        None, too, where it is read and does not have the word `naming` in it: to understand it takes longer.
        """
        try:
            facts = os.stat(file)
            version = (facts.st_ino, facts.st_mtime_ns, facts.st_size)
            known = self._known.get(file)
            if known is not None and known[0] == version and isinstance(known[1], kind):
                return known[1]
            with open(file, "rb", buffering=0) as opened:
                content = opened.read()
            if naming not in content:
                return None
            record = msgspec.json.decode(content, type=kind)
        except (FileNotFoundError, NotADirectoryError, msgspec.DecodeError):  # torn by a crash of the machine
            self._known.pop(file, None)
            return None
        if time.time_ns() - facts.st_mtime_ns > _TICK:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[file] = (version, record)
        return record


def _replace(new: str, file: str) -> None:
    """Have `new` in the place of `file`, in one step.

    A rename over another file makes ext4 write the new one to the disk first. Nothing of ours need be there after a
    crash of the machine, where no container runs any more: so the two are exchanged, and the old one is unlinked.
    """
    if not os.path.lexists(file):
        os.rename(new, file)
        return
    try:
        syscalls.exchange(new, file)
    except OSError as error:
        if error.errno != errno.EINVAL:  # a file system that cannot
            raise
        os.replace(new, file)
    else:
        os.unlink(new)


_FILES: dict[type, str] = {SandboxRecord: "sandbox.json", ContainerRecord: "container.json"}
ID_LENGTH = 64
_DIGITS = frozenset("0123456789abcdef")


def is_id(text: str) -> bool:
    """Whether this is a whole id: no other text may become part of a path."""
    return len(text) == ID_LENGTH and _DIGITS.issuperset(text)


def now() -> int:
    """Nanoseconds since 1970."""
    return time.time_ns()
