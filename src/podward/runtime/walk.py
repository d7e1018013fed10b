"""The facts along a path, through a tree as a process of the container will see it: a root and what is mounted in it.

Every name is opened alone, below an open directory, with O_PATH and O_NOFOLLOW; links are read and followed here, and
an absolute one starts at the tree's root again. So nothing that an image or a volume holds leads out of the tree.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from podward.api.filesystem import UNMAPPED, AclEntry, FileAccessFacts, MountFlags, PlannedFile
from podward.decision import Unknown
from podward.errors import NodeError
from podward.policy.kernel.earlier_containers import Writer
from podward.runtime import acl

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

MOST_LINKS = 40
"""Linux `MAXSYMLINKS`."""
IMPLIED = stat.S_IFDIR | 0o755
"""A directory that the runtime makes on the way to a mount point (crun 1.8, runc 1.1)."""
_UNKNOWN = "unknown"
"""Not an errno: where only the running container could tell."""
REMEDY = "run the Pod with `podward run --keep`, and look there"
_O_FIND = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC

IdLines = tuple[tuple[int, int, int], ...]
"""(on disk, on the host, length): what an id-mapped mount makes of the ids on disk."""


class TreeMount(Struct, frozen=True):
    """What is mounted at `destination` in a tree.

    `source` is the host's file or directory; where it is not there yet, `root` says what it will be, an empty directory
    unless it is `sealed`: then nobody can know what is in it; or `planned` has the files that will be made. Without any
    of these nothing is known at all. `flags` are the mount's in the container, None for the host's own; `lines` what it
    makes of ids, empty if nothing. `origin` and `volume` are passed on in the facts. `writers` may have changed what is
    there when the container starts, and `why` is the reason where nothing is known.
    """

    destination: str
    source: str = ""
    root: FileAccessFacts | None = None
    flags: MountFlags | None = None
    lines: IdLines = ()
    origin: str = ""
    volume: str = ""
    sealed: bool = False
    writers: tuple[Writer, ...] = ()
    why: str = ""
    planned: PlannedFile | None = None


class Tree(Struct, frozen=True):
    """A root and its mounts, in the order in which they are made; `owner` are uid and gid of what the runtime makes."""

    root: TreeMount
    mounts: tuple[TreeMount, ...] = ()
    owner: tuple[int, int] = (0, 0)


HOST = Tree(TreeMount("/", "/"))
"""This machine's own files, as this process sees them."""


def walk(tree: Tree, path: str) -> tuple[FileAccessFacts, ...]:
    """The facts along an absolute path: each directory in which a name is looked up, then what the path leads to.

    A directory is listed once, at its first use. Where the path leads nowhere the last facts have `error`; where it
    leads to what can't be known before the container runs, `unknown`. Raises NodeError for what can't be looked at.
    """
    with _Open(tree) as opened:
        return opened.facts(path)


class _Step(Struct, frozen=True):
    """A place of the walk: its name, its facts, its descriptor (-1: not there yet), and the tree's mount it is on.

    `source_id` is the host's mount id of the mount's source; `inside` are the names that lead to it from the mount's
    root; `planned` is the file that will be made there.
    """

    name: str
    facts: FileAccessFacts
    descriptor: int
    mount: TreeMount
    source_id: int
    inside: tuple[str, ...] = ()
    planned: PlannedFile | None = None


class _Open:
    """A tree with its root open."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._table = acl.Mounts()
        self._opened: list[int] = []
        self._mounts: dict[tuple[str, ...], TreeMount] = {}
        self._steps: list[_Step] = []
        self._links = 0
        self._why = ""
        self._chain: dict[str, FileAccessFacts] = {}

    def __enter__(self) -> Self:
        try:
            self._steps = [self._mounted((), self._tree.root)]
            for mount in self._tree.mounts:
                names = self._reach(mount.destination)
                self._mounts = {at: other for at, other in self._mounts.items() if at[: len(names)] != names}
                self._mounts[names] = mount
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        while self._opened:
            os.close(self._opened.pop())

    def facts(self, path: str) -> tuple[FileAccessFacts, ...]:
        left, error = self._go(path)
        if not error:
            last = self._steps[-1].facts
        else:
            names = [step.name for step in self._steps[1:]]
            last = FileAccessFacts("/" + "/".join([*names, *left[:1]]), error=error)
        if error == _UNKNOWN:
            last = msgspec.structs.replace(last, unknown=Unknown(f"what is at {last.path} {self._why}", REMEDY))
        return (*self._chain.values(), last)

    def _reach(self, destination: str) -> tuple[str, ...]:
        """The names of the place where a mount lands: links are followed as far as there is a way."""
        left, _ = self._go(destination)
        found = (*(step.name for step in self._steps[1:]), *left)
        return tuple(name for name in found if name not in ("", ".", ".."))

    def _go(self, path: str) -> tuple[list[str], str]:
        """Walk from the root; returns the names that were not reached, and the errno's name."""
        self._steps, self._links, self._chain, self._why = self._steps[:1], 0, {}, ""
        pending = path.split("/")[::-1]
        while pending:
            name = pending.pop()
            if name == "":
                # A trailing slash wants a directory, and is no look-up.
                if not pending and not self._steps[-1].facts.directory:
                    return [], "ENOTDIR"
                continue
            here = self._steps[-1]
            if not here.facts.directory:
                return [], "ENOTDIR"
            self._chain.setdefault(here.facts.path, here.facts)
            if name == "..":
                self._steps = self._steps[:-1] or self._steps
            elif name != ".":
                link, error = self._enter(name)
                if error:
                    return [name, *reversed(pending)], error
                if link:
                    pending += link.split("/")[::-1]
        return [], ""

    def _enter(self, name: str) -> tuple[str, str]:
        """Step to `name`: a link's target if it is one, or the errno's name if there is nothing."""
        here = self._steps[-1]
        names = (*(step.name for step in self._steps[1:]), name)
        mount = self._mounts.get(names)
        if mount is not None:
            return self._enter_mount(names, mount)
        if here.planned is not None and name in here.planned.inside:
            return self._enter_planned(here.planned.inside[name], names, here)
        return self._enter_found(name, names, here)

    def _enter_found(self, name: str, names: tuple[str, ...], here: _Step) -> tuple[str, str]:
        """Step to what is there now."""
        descriptor, error = self._find(here, name)
        if error and any(at[: len(names)] == names for at in self._mounts):
            self._steps.append(self._implied(names, here))
            return "", ""
        if error:
            return self._missing(here, name, error)
        facts = self._read(descriptor, names, here.mount, here.source_id)
        inside = (*here.inside, name)
        reaching = [writer for writer in here.mount.writers if writer.reaches(inside)]
        changers = [writer for writer in reaching if writer.may_change(facts) or writer.may_create(here.facts)]
        if changers:
            return self._unknown(changers)
        if stat.S_ISLNK(facts.mode):
            return self._follow(os.readlink("", dir_fd=descriptor))
        self._steps.append(_Step(name, facts, descriptor, here.mount, here.source_id, inside))
        return "", ""

    def _enter_planned(self, file: PlannedFile, names: tuple[str, ...], here: _Step) -> tuple[str, str]:
        """Step to what will be made there."""
        if file.target:
            return self._follow(file.target)
        self._steps.append(self._planned(file, names, here.mount))
        return "", ""

    def _planned(self, file: PlannedFile, names: tuple[str, ...], mount: TreeMount) -> _Step:
        facts = FileAccessFacts(
            "/" + "/".join(names),
            _shown(mount.lines, file.uid),
            _shown(mount.lines, file.gid),
            file.mode,
            mount=mount.flags or MountFlags(),
            origin=mount.origin,
            volume=mount.volume,
        )
        return _Step(names[-1] if names else "", facts, -1, mount, -1, planned=file)

    def _enter_mount(self, names: tuple[str, ...], mount: TreeMount) -> tuple[str, str]:
        if not mount.source and mount.root is None and mount.planned is None:
            return self._unknown(mount.writers, mount.why)
        step = self._mounted(names, mount)
        changers = [writer for writer in mount.writers if writer.reaches(()) and writer.may_change(step.facts)]
        if changers:
            return self._unknown(changers)
        self._steps.append(step)
        return "", ""

    def _missing(self, here: _Step, name: str, error: str) -> tuple[str, str]:
        """What is not there: unless it may be there when the container starts."""
        if here.descriptor < 0 and here.mount.sealed:
            return self._unknown((), "can't be known before the container runs")
        inside = (*here.inside, name)
        makers = tuple(w for w in here.mount.writers if w.reaches(inside) and w.may_create(here.facts))
        return self._unknown(makers) if makers else ("", error)

    def _unknown(self, writers: Sequence[Writer], why: str = "") -> tuple[str, str]:
        """Note why nobody can know what is there."""
        names = list(dict.fromkeys(writer.name for writer in writers))
        if names:
            which = f"containers {' and '.join(names)} have" if names[1:] else f"container {names[0]} has"
            why = f"cannot be known before {which} run, for that may change it"
        self._why = why or "can't be known before the container runs"
        return "", _UNKNOWN

    def _follow(self, target: str) -> tuple[str, str]:
        """The target of a link; an absolute one starts at the root again."""
        self._links += 1
        if self._links > MOST_LINKS:
            return "", "ELOOP"
        if target.startswith("/"):
            self._steps = self._steps[:1]
        return target, ""

    def _find(self, here: _Step, name: str) -> tuple[int, str]:
        if here.descriptor < 0:
            return -1, "ENOENT"
        try:
            descriptor = os.open(name, _O_FIND, dir_fd=here.descriptor)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ENAMETOOLONG):
                return -1, errno.errorcode[error.errno]
            raise _blind(f"{here.facts.path.rstrip('/')}/{name}", error) from error
        self._opened.append(descriptor)
        return descriptor, ""

    def _mounted(self, names: tuple[str, ...], mount: TreeMount) -> _Step:
        if mount.planned is not None:
            return self._planned(mount.planned, names, mount)
        place, name = "/" + "/".join(names), names[-1] if names else ""
        if mount.root is not None and not mount.source:
            facts = msgspec.structs.replace(
                mount.root,
                path=place,
                mount=mount.flags or MountFlags(),
                origin=mount.origin,
                volume=mount.volume,
            )
            return _Step(name, facts, -1, mount, -1)
        try:
            descriptor = os.open(mount.source, os.O_PATH | os.O_CLOEXEC)
        except OSError as error:
            raise _blind(mount.source, error) from error
        self._opened.append(descriptor)
        number = acl.mount_id(descriptor)
        return _Step(name, self._read(descriptor, names, mount, number), descriptor, mount, number)

    def _implied(self, names: tuple[str, ...], here: _Step) -> _Step:
        uid, gid = self._tree.owner
        facts = FileAccessFacts("/" + "/".join(names), uid, gid, IMPLIED, (), here.facts.mount, "runtime")
        return _Step(names[-1], facts, -1, here.mount, here.source_id, (*here.inside, names[-1]))

    def _read(self, descriptor: int, names: tuple[str, ...], mount: TreeMount, source_id: int) -> FileAccessFacts:
        """The facts as the tree's mount shows them."""
        number, place = acl.mount_id(descriptor), "/" + "/".join(names)
        flags = self._table.of(number)
        own = number == source_id  # else a mount below the source, which keeps its own flags and ids
        if own and mount.flags is not None:
            flags = msgspec.structs.replace(mount.flags, filesystem_readonly=flags.filesystem_readonly)
        found = acl.read_facts(descriptor, place, flags)
        lines = mount.lines if own else ()
        return msgspec.structs.replace(
            found,
            uid=_shown(lines, found.uid),
            gid=_shown(lines, found.gid),
            acl=tuple(_shown_entry(lines, entry) for entry in found.acl),
            origin=mount.origin,
            volume=mount.volume,
            host=os.readlink(f"/proc/self/fd/{descriptor}"),
        )


def _shown(lines: IdLines, number: int) -> int:
    """The id that a mount shows for an id on disk."""
    if not lines:
        return number
    for disk, host, length in lines:
        if disk <= number < disk + length:
            return host + number - disk
    return UNMAPPED


def _shown_entry(lines: IdLines, entry: AclEntry) -> AclEntry:
    if entry.id is None:
        return entry
    return AclEntry(entry.tag, entry.permissions, _shown(lines, entry.id))


def _blind(path: str, error: OSError) -> NodeError:
    return NodeError(
        f"cannot look at it: {error.strerror}", where=path, advice="run as root, and name a path that is there"
    )
