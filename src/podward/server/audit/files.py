"""The files of the audit log: one that grows, and those that were put aside.

Specification: the rotation of kube-apiserver's audit log. A file that would become too large is renamed to
`NAME-TIME.EXT`; of those, the oldest are deleted where there are too many or where they are too old. All are for their
owner alone. A line that could not be written as a whole is taken back.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import gzip
import os
import re
import shutil
import stat
import threading
from collections.abc import Iterator

from msgspec import Struct

from podward.errors import InputError

STDOUT = "-"
_MEGABYTE = 1 << 20
_COMPRESSED = ".gz"
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}")


class Keeping(Struct, frozen=True):
    """Megabytes until a file is put aside, days and number of those that are kept; 0 is no limit."""

    max_size: int = 100
    max_age: int = 366
    max_backups: int = 100
    compress: bool = False


DEFAULT = Keeping()


class LogFile:
    """The file, for one thread."""

    def __init__(self, path: str, keeping: Keeping) -> None:
        """Raises InputError where it cannot be written."""
        self._path = path
        self._keeping = keeping
        self._rotates = path != STDOUT and keeping.max_size > 0
        self._handle = -1
        self._size = 0
        try:
            self._open()
        except OSError as error:
            raise InputError(
                f"cannot be written: {error.strerror}", where=path, advice="choose another --audit-log-path"
            ) from None
        if self._rotates:
            self._clean_up()

    def append(self, lines: list[bytes]) -> None:
        """Write these lines. Raises OSError: then the first of them may be written, but none in part."""
        for text in self._pieces(lines):
            if self._handle < 0:
                self._open()
            if self._rotates and self._size and self._size + len(text) > self._keeping.max_size * _MEGABYTE:
                self._put_aside()
            self._write(text)

    def close(self) -> None:
        """Let the file go."""
        if self._path != STDOUT and self._handle >= 0:
            os.close(self._handle)
        self._handle = -1

    def _pieces(self, lines: list[bytes]) -> Iterator[bytes]:
        """The lines joined, where no file has to be changed between them."""
        whole = b"".join(lines)
        fits = not self._rotates or self._size + len(whole) <= self._keeping.max_size * _MEGABYTE
        return iter((whole,) if fits else lines)

    def _open(self) -> None:
        if self._path == STDOUT:
            self._handle = 1
            return
        os.makedirs(os.path.dirname(self._path) or ".", mode=0o700, exist_ok=True)
        handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        found = os.fstat(handle)
        if stat.S_ISREG(found.st_mode):
            with contextlib.suppress(PermissionError):  # somebody else's, who lets us write it
                os.fchmod(handle, 0o600)
        self._handle, self._size = handle, found.st_size

    def _write(self, text: bytes) -> None:
        view, written = memoryview(text), 0
        try:
            while written < len(text):
                written += os.write(self._handle, view[written:])
        except OSError:
            if self._path != STDOUT and written:
                with contextlib.suppress(OSError):
                    os.ftruncate(self._handle, self._size)
            raise
        self._size += written

    def _put_aside(self) -> None:
        stem, extension = os.path.splitext(self._path)
        os.close(self._handle)
        self._handle = -1
        os.rename(self._path, f"{stem}-{dt.datetime.now(dt.UTC).isoformat()[:23].replace(':', '-')}{extension}")
        self._open()
        self._clean_up()

    def _clean_up(self) -> None:
        """Delete and compress what was put aside, while others go on."""
        threading.Thread(target=clean_up, args=(self._path, self._keeping), name="audit-cleaner", daemon=True).start()


def clean_up(path: str, keeping: Keeping) -> None:
    """Delete and compress what was put aside of this file."""
    with contextlib.suppress(OSError):  # it is tried again at the next file
        kept = _aside(path)
        if keeping.max_age:
            oldest = dt.datetime.now(dt.UTC) - dt.timedelta(days=keeping.max_age)
            for time, file in kept:
                if dt.datetime.fromisoformat(f"{time[:10]}{time[10:].replace('-', ':')}+00:00") < oldest:
                    os.unlink(file)
        for _, file in kept[: -keeping.max_backups] if keeping.max_backups else ():
            with contextlib.suppress(FileNotFoundError):
                os.unlink(file)
        for _, file in kept if keeping.compress else ():
            if not file.endswith(_COMPRESSED) and os.path.exists(file):
                _compress(file)


def _aside(path: str) -> list[tuple[str, str]]:
    """The files that were put aside, the oldest first, each with its time."""
    directory, name = os.path.split(path)
    stem, extension = os.path.splitext(name)
    found = []
    for other in os.listdir(directory or "."):
        plain = other.removesuffix(_COMPRESSED)
        time = plain.removeprefix(f"{stem}-").removesuffix(extension)
        if plain == f"{stem}-{time}{extension}" and _TIME.fullmatch(time):
            found.append((time, os.path.join(directory, other)))
    return sorted(found)


def _compress(file: str) -> None:
    made = f"{file}{_COMPRESSED}"
    handle = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as raw, gzip.open(raw, "wb") as packed, open(file, "rb") as plain:
        shutil.copyfileobj(plain, packed)
    os.unlink(file)
