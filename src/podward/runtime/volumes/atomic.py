"""Writing the files of a volume so that a reader sees the old set or the new one, never a mixture.

The layout is the kubelet's (pkg/volume/util/atomic_writer.go): the files lie in a directory named by the time,
`..2026_01_31_12_00_00.RANDOM`; `..data` is a link to it, which is renamed into place; each first step of a file's path
is a link `NAME -> ..data/NAME`. Files that are gone lose their link; the old directory goes last.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Sequence

from msgspec import Struct

from podward.errors import NodeError
from podward.runtime.volumes.removal import remove_tree

DATA, NEW_DATA = "..data", "..data_tmp"
DIRECTORY_MODE = 0o755


class WrittenFile(Struct, frozen=True):
    """A file to write, its path relative to the volume and clean; `uid` is its owner, None for root."""

    path: str
    mode: int
    data: bytes
    uid: int | None = None

    def __repr__(self) -> str:
        return f"{self.path} {self.mode:04o}"


def write(volume: str, files: Sequence[WrittenFile], give: Callable[[], None]) -> bool:
    """Make `files` the content of the directory `volume`; returns whether anything changed.

    `give` is called once the new files are there and before anybody sees them: it gives the volume to its group.
    Raises NodeError where the paths contradict each other, or the kernel refuses.
    """
    try:
        old = _current(volume)
        _clear(volume, old)
        if old and _is_same(f"{volume}/{old}", files):
            _link(volume, files)
            _unlink(volume, files)
            return False
        made = _directory(volume)
        try:
            for file in files:
                _write(f"{volume}/{made}", file)
            give()
            os.symlink(made, f"{volume}/{NEW_DATA}")
            os.rename(f"{volume}/{NEW_DATA}", f"{volume}/{DATA}")
        except OSError:
            remove_tree(f"{volume}/{made}")
            raise
        _link(volume, files)
        _unlink(volume, files)
        if old:
            remove_tree(f"{volume}/{old}")
    except OSError as error:
        named = os.path.basename(error.filename) if isinstance(error.filename, str) else ""
        what = f"cannot write its files: {error.strerror}" + (f": {named}" if named else "")
        raise NodeError(what, where=volume, advice="two files must not be each other's directory") from error
    return True


def _current(volume: str) -> str:
    """The directory that is shown now; empty where there is none yet, or where the link leads out of the volume."""
    try:
        found = os.readlink(f"{volume}/{DATA}")
    except FileNotFoundError:
        return ""
    return found if found.startswith("..") and "/" not in found and found != ".." else ""


def _clear(volume: str, shown: str) -> None:
    """Take away what a writer that was killed has left: directories that were never shown, and the link to one."""
    for entry in os.listdir(volume):
        if entry.startswith("..") and entry not in {DATA, shown}:
            remove_tree(f"{volume}/{entry}")


def _is_same(directory: str, files: Sequence[WrittenFile]) -> bool:
    wanted = {file.path: file for file in files}
    there = {
        os.path.relpath(os.path.join(where, name), directory)
        for where, _, names in os.walk(directory)
        for name in names
    }
    return there == set(wanted) and all(_holds(f"{directory}/{path}", file.data) for path, file in wanted.items())


def _holds(path: str, data: bytes) -> bool:
    status = os.lstat(path)
    if not stat.S_ISREG(status.st_mode) or status.st_size != len(data):
        return False
    with open(path, "rb") as opened:
        return opened.read() == data


def _directory(volume: str) -> str:
    number = int.from_bytes(os.urandom(4), "big")
    made = f"{time.strftime('..%Y_%m_%d_%H_%M_%S', time.gmtime())}.{number}"
    os.mkdir(f"{volume}/{made}", 0o700)
    os.chmod(f"{volume}/{made}", DIRECTORY_MODE)
    return made


def _write(directory: str, file: WrittenFile) -> None:
    where = directory
    *steps, name = file.path.split("/")
    for step in steps:
        where = f"{where}/{step}"
        try:
            os.mkdir(where, 0o700)
        except FileExistsError:
            if not stat.S_ISDIR(os.lstat(where).st_mode):
                raise
        else:
            os.chmod(where, DIRECTORY_MODE)
    target = f"{where}/{name}"
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(file.data)
        if file.uid is not None:
            os.fchown(descriptor, file.uid, -1)
        os.fchmod(descriptor, file.mode)


def _link(volume: str, files: Sequence[WrittenFile]) -> None:
    """The links that people see; one whose file has an owner belongs to that owner too."""
    for file in files:
        step = file.path.split("/", 1)[0]
        link = f"{volume}/{step}"
        if not os.path.lexists(link):
            os.symlink(f"{DATA}/{step}", link)
            if file.uid is not None:
                os.chown(link, file.uid, -1, follow_symlinks=False)


def _unlink(volume: str, files: Sequence[WrittenFile]) -> None:
    shown = {file.path.split("/", 1)[0] for file in files}
    for entry in os.listdir(volume):
        if not entry.startswith("..") and entry not in shown and os.path.islink(f"{volume}/{entry}"):
            os.unlink(f"{volume}/{entry}")
