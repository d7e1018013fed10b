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
from podward.runtime.rooted_tree import RootedTree

if TYPE_CHECKING:
    from collections.abc import Callable

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
    with RootedTree(rootfs, mounts) as tree:
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


def _read(tree: RootedTree, path: str, cwd: str, left: int) -> EntryFile | None:
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


def _contents(tree: RootedTree, descriptor: int, cwd: str, left: int) -> tuple[EntryFile | None, str]:
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


def _elf_error(tree: RootedTree, opened: int, start: bytes, cwd: str) -> str:
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
