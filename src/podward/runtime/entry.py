"""The file that a container will execute: found as the kernel will find it, before there is a container.

Paths are walked inside the container's root component by component, each opened without following links, so that
nothing in an image or a volume leads outside (path_resolution(7)). Links, absolute ones too, and `..` are taken as the
process will take them, across the bind mounts that the container will have. Only regular files are ever opened for
reading, and only their first kilobytes are read.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

from podward.api.filesystem import PlannedFile
from podward.api.image import EntryFile, FileCapabilities
from podward.api.oci import Process
from podward.runtime.executable import (
    CAPABILITY,
    FIRST_BYTES,
    elf_loader,
    other_formats,
    parse_capabilities,
    runs_here,
    script_interpreter,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

MOST_LINKS = 40
"""Linux `MAXSYMLINKS`."""
MOST_FILES = 6
"""A script's interpreter may be a script, five times (Linux `exec_binprm`)."""


def find_entry(
    rootfs: str, argv0: str, env_path: str, cwd: str, mounts: tuple[tuple[str, str], ...] = ()
) -> EntryFile | None:
    """The file that `argv0` names in the container, with its interpreters; None if there is none.

    `rootfs` is the root on the host; `env_path` the container's PATH; `cwd` its working directory; `mounts` its mounts
    in order, as (destination, source on the host), "" being a new, empty file system. A name without a slash is
    searched as crun and runc do: the first regular file with any execute bit, else the first without one.
    Raises ImageError where the file's capability attribute is malformed, which the kernel refuses too.
    """
    if not argv0 or "\0" in argv0:
        return None
    with _Tree(rootfs, mounts) as tree:
        base = cwd if cwd.startswith("/") else "/"
        if "/" in argv0:
            return _read(tree, os.path.join(base, argv0), base, MOST_FILES)
        second_best = ""
        for directory in env_path.split(":"):
            candidate = os.path.join(base, directory, argv0)
            mode = tree.mode(candidate) if directory else 0
            if stat.S_ISREG(mode) and mode & 0o111:
                return _read(tree, candidate, base, MOST_FILES)
            if stat.S_ISREG(mode):
                second_best = second_best or candidate
        return _read(tree, second_best, base, MOST_FILES) if second_best else None


def asked_by(process: Process) -> tuple[str, str, str]:
    """What names the entry file of this process: its first word, its PATH, and its working directory."""
    search = next((word[5:] for word in reversed(process.env) if word.startswith("PATH=")), "")
    return process.args[0], search, process.cwd


class _Tree:
    """The container's tree as the process will see it: its root with its mounts."""

    def __init__(self, rootfs: str, mounts: tuple[tuple[str, str], ...]) -> None:
        self._root = os.open(rootfs, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        self._mounts: dict[tuple[str, ...], str] = {}
        for destination, source in mounts:
            names = self._destination(destination)
            self._mounts = {at: source_ for at, source_ in self._mounts.items() if at[: len(names)] != names}
            self._mounts[names] = source

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._root)

    def open(self, path: str) -> tuple[int, str] | None:
        """An O_PATH descriptor of what `path` leads to, and its path without links; None if it leads nowhere."""
        walk = _Walk(self._root, self._mounts)
        try:
            return walk.follow(path)
        finally:
            walk.close()

    def mode(self, path: str) -> int:
        """`st_mode` of what `path` leads to; 0 if it leads nowhere."""
        found = self.open(path)
        if found is None:
            return 0
        try:
            return os.fstat(found[0]).st_mode
        finally:
            os.close(found[0])

    def _destination(self, destination: str) -> tuple[str, ...]:
        """Where a mount lands: links on the way are followed, as far as there is a way."""
        walk = _Walk(self._root, self._mounts)
        try:
            return walk.reach(destination)
        finally:
            walk.close()


class _Walk:
    """One walk through the tree: the names so far, each with its open descriptor (-1: the runtime will make it)."""

    def __init__(self, root: int, mounts: dict[tuple[str, ...], str]) -> None:
        self._root = root
        self._mounts = mounts
        self._names: list[str] = []
        self._opened: list[int] = []
        self._links = 0

    def close(self) -> None:
        """Close what the walk opened."""
        while self._opened:
            self._leave()

    def follow(self, path: str) -> tuple[int, str] | None:
        """The place that `path` leads to, its descriptor being the caller's."""
        if not self._go(path, make=False):
            return None
        here = self._here()
        if here < 0:
            return None
        return os.dup(here), "/" + "/".join(self._names)

    def reach(self, path: str) -> tuple[str, ...]:
        """The names of the place that `path` leads to, with those that do not exist yet."""
        self._go(path, make=True)
        return tuple(self._names)

    def _go(self, path: str, *, make: bool) -> bool:
        pending = path.split("/")[::-1]
        while pending:
            name = pending.pop()
            if name == "..":
                if self._names:
                    self._leave()
            elif name not in ("", "."):
                link = self._enter(name, make=make)
                if link is None:
                    return False
                if link:
                    self._links += 1
                    if self._links > MOST_LINKS:
                        return False
                    if link.startswith("/"):
                        self.close()
                    pending += link.split("/")[::-1]
            if pending[:1] == [""] and len(pending) == 1 and self._is_file():
                return False  # a trailing slash needs a directory
        return True

    def _enter(self, name: str, *, make: bool) -> str | None:
        """Step to `name`: "" on success, a link's target if it is a link, None if there is no such thing."""
        place = (*self._names, name)
        try:
            descriptor = self._open(name, place)
        except OSError:
            if not make and not any(at[: len(place)] == place for at in self._mounts):
                return None
            descriptor = -1
        if descriptor >= 0 and stat.S_ISLNK(os.fstat(descriptor).st_mode):
            try:
                return os.readlink("", dir_fd=descriptor)
            finally:
                os.close(descriptor)
        self._names.append(name)
        self._opened.append(descriptor)
        return ""

    def _open(self, name: str, place: tuple[str, ...]) -> int:
        source = self._mounts.get(place)
        if source is not None:
            return os.open(source, os.O_PATH | os.O_CLOEXEC) if source else -1
        here = self._here()
        if here < 0:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
        return os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=here)

    def _here(self) -> int:
        return self._opened[-1] if self._opened else self._root

    def _is_file(self) -> bool:
        here = self._here()
        return here >= 0 and not stat.S_ISDIR(os.fstat(here).st_mode)

    def _leave(self) -> None:
        self._names.pop()
        descriptor = self._opened.pop()
        if descriptor >= 0:
            os.close(descriptor)


def _read(tree: _Tree, path: str, cwd: str, left: int) -> EntryFile | None:
    """The file at `path` with its interpreters; `left` is how many files the chain may still have."""
    found = tree.open(path)
    if found is None:
        return None
    descriptor, place = found
    try:
        facts = os.fstat(descriptor)
        nosuid = bool(os.fstatvfs(descriptor).f_flag & os.ST_NOSUID)
        if not stat.S_ISREG(facts.st_mode):
            return EntryFile(place, facts.st_mode, facts.st_uid, facts.st_gid, nosuid=nosuid)
        interpreter, error = _contents(tree, descriptor, cwd, left)
        return EntryFile(
            place,
            facts.st_mode,
            facts.st_uid,
            facts.st_gid,
            capabilities=_capabilities(descriptor, place),
            nosuid=nosuid,
            interpreter=interpreter,
            error=error,
        )
    finally:
        os.close(descriptor)


def _contents(tree: _Tree, descriptor: int, cwd: str, left: int) -> tuple[EntryFile | None, str]:
    """The interpreter of a script, or the errno name with which the kernel refuses what the file contains."""
    opened = os.open(f"/proc/self/fd/{descriptor}", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        start = os.pread(opened, FIRST_BYTES, 0)
        if start.startswith(b"#!"):
            return _interpreter(start, left, lambda named: _read(tree, os.path.join(cwd, named), cwd, left - 1))
        if start.startswith(b"\x7fELF"):
            return None, _elf_error(tree, opened, start, cwd)
        return None, "" if other_formats() else "ENOEXEC"
    finally:
        os.close(opened)


def _interpreter(start: bytes, left: int, find: Callable[[str], EntryFile | None]) -> tuple[EntryFile | None, str]:
    """The interpreter that `find` finds of a script that begins so, or the errno's name."""
    named = script_interpreter(start)
    if not named:
        return None, "ENOEXEC" if named is None else "EACCES"
    if left <= 1:
        return None, "ELOOP"
    interpreter = find(os.fsdecode(named))
    return interpreter, "" if interpreter else "ENOENT"


def planned_entry(place: str, file: PlannedFile, find: Callable[[str], EntryFile | None]) -> EntryFile:
    """The entry file at `place` that is still to be made; `find` finds its interpreter.

    That a program's loader is there is assumed; what nobody knows the content of is taken for an ordinary program.
    """
    start, interpreter, error = file.data, None, ""
    if start is not None and start.startswith(b"#!"):
        interpreter, error = _interpreter(start[:FIRST_BYTES], MOST_FILES, find)
    elif start is not None and not (start.startswith(b"\x7fELF") and runs_here(start)) and not other_formats():
        error = "ENOEXEC"
    return EntryFile(place, file.mode, file.uid, file.gid, interpreter=interpreter, error=error)


def _elf_error(tree: _Tree, opened: int, start: bytes, cwd: str) -> str:
    """Why a program does not run here: another machine's, or its dynamic loader is missing."""
    if not runs_here(start):
        return "" if other_formats() else "ENOEXEC"
    loader = elf_loader(opened, start)
    if not loader:
        return ""
    found = tree.open(os.path.join(cwd, os.fsdecode(loader)))
    if found is None:
        return "ENOENT"
    os.close(found[0])
    return ""


def _capabilities(descriptor: int, place: str) -> FileCapabilities | None:
    try:
        value = os.getxattr(f"/proc/self/fd/{descriptor}", CAPABILITY)
    except OSError as error:
        if error.errno in (errno.ENODATA, errno.EOPNOTSUPP, errno.EOVERFLOW):
            return None  # EOVERFLOW: it belongs to a user namespace beside ours, and so counts in none of ours
        raise
    return parse_capabilities(value, place)
