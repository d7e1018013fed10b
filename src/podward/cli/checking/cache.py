"""A cache of the results of files, from one check to the next: a file that has not changed is not judged again.

An entry is found by a digest of the file's name and content. It has the file's policies, the file's findings, and a
digest of all policies that the file was judged by: if these have changed, the file is judged again. The name of the
cache file depends on everything else that decides (this program, its Python, the options, the current directory), so a
cache of another version is never read.

Specification: XDG Base Directory 0.8 for the place, `$XDG_CACHE_HOME/podward/check`. Nobody else may be able to forge a
result: directory and file must belong to this user, be writable by nobody else, and be no links; nobody else may be
able to replace a directory on the way to them. A cache within what is checked, or within its repository, would come
with the manifests: it is neither read nor written. The content is MessagePack of one type, after a digest of it. Any
other content is ignored. A cache that can't be written is skipped.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection

import msgspec
from msgspec import Struct
from msgspec.msgpack import Decoder, Encoder

DIGEST = 20
_LARGEST = 64 * 1024 * 1024
_ROOM = 24 * 1024 * 1024  # bytes of entries; a check's own entries are kept even if they need more
_MOST_FILES = 16
_DIRECTORY_MODE, _FILE_MODE = 0o700, 0o600


class CacheEntry(Struct, array_like=True, frozen=True, gc=False):
    """A file's policies (empty if it has none), a digest of the policies that it was judged by, and its findings."""

    policies: bytes
    judged_by: bytes
    findings: bytes


_DECODER = Decoder(dict[bytes, CacheEntry])


class Cache:
    """The entries of earlier checks with the same options; an empty file name means that nothing is kept."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._read = _entries(file) if file else {}

    def __bool__(self) -> bool:
        return bool(self._read)

    @property
    def used(self) -> bool:
        """Whether entries are kept at all."""
        return bool(self._file)

    def entry(self, key: bytes) -> CacheEntry | None:
        """The entry with this key (see `key_of`); None if there is none."""
        return self._read.get(key)

    def keep(self, entries: dict[bytes, CacheEntry]) -> None:
        """Keep these entries for the next check, and older entries as long as there is room."""
        if not self._file or all(self._read.get(key) == entry for key, entry in entries.items()):
            return
        room = _ROOM - sum(map(_size, entries.values()))
        kept = dict(entries)
        for key, entry in self._read.items():
            if key not in kept:
                room -= _size(entry)
                if room < 0:
                    break
                kept[key] = entry
        _write(self._file, Encoder().encode(kept))


NO_CACHE = Cache("")


def digest(*parts: bytes) -> bytes:
    """A digest of all parts, each with its length: two different lists of parts have different digests."""
    from hashlib import blake2b

    found = blake2b(digest_size=DIGEST)
    for part in parts:
        found.update(len(part).to_bytes(8, "big"))
        found.update(part)
    return found.digest()


def key_of(name: str, content: bytes) -> bytes:
    """The key of a file's entry."""
    return digest(os.fsencode(name), content)


def _size(entry: CacheEntry) -> int:
    return len(entry.policies) + len(entry.findings) + 2 * DIGEST


def open_cache(options: bytes, checked: Collection[str] = ()) -> Cache:
    """The cache for checks with these options, from this directory, by this version of the program.

    `checked` are directories with what is checked; if the cache would be within one of them, there is none.
    """
    directory = _directory(checked)
    if not directory:
        return NO_CACHE
    what = digest(_program(), options, os.fsencode(os.getcwd()))
    return Cache(os.path.join(directory, what.hex()))


def _program() -> bytes:
    """Bytes that differ between versions of this program: its files, its Python and its decoder."""
    import sys

    from podward import __file__ as root

    files: list[tuple[str, int, int]] = []
    below = [os.path.dirname(root)]
    while below:
        with os.scandir(below.pop()) as entries:
            for entry in entries:
                if entry.name.endswith(".py"):
                    status = entry.stat()
                    files.append((entry.path, status.st_size, status.st_mtime_ns))
                elif entry.name != "__pycache__" and entry.is_dir():
                    below.append(entry.path)
    return msgspec.msgpack.encode((sys.version, msgspec.__version__, sorted(files)))


def _directory(checked: Collection[str]) -> str:
    """The directory of all caches, created if it is missing; empty if it would not be safe."""
    home = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(home):
        home = os.path.join(os.path.expanduser("~"), ".cache")
    directory = os.path.join(home, "podward", "check")
    place = f"{os.path.realpath(directory)}/"
    if any(place.startswith(f"{os.path.realpath(each).rstrip('/')}/") for each in checked):
        return ""
    try:
        os.makedirs(directory, _DIRECTORY_MODE, exist_ok=True)
        status = os.lstat(directory)
    except OSError:
        return ""
    ours = os.path.isabs(home) and stat.S_ISDIR(status.st_mode) and _is_ours(status) and _is_way_safe(directory)
    return directory if ours else ""


def _is_way_safe(directory: str) -> bool:
    """Whether nobody else can put another directory in the place of this one, or of one above it."""
    above = os.path.dirname(os.path.realpath(directory))
    while True:
        status = os.stat(above)
        writable = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not status.st_mode & stat.S_ISVTX
        if writable or status.st_uid not in {0, os.geteuid()}:
            return False
        if above == os.path.dirname(above):
            return True
        above = os.path.dirname(above)


def _is_ours(status: os.stat_result) -> bool:
    return status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _entries(file: str) -> dict[bytes, CacheEntry]:
    """The entries in a cache file; none if the file is missing, belongs to somebody else or is damaged."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        with open(descriptor, "rb") as reading:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or not _is_ours(status) or status.st_size > _LARGEST:
                return {}
            data = reading.read(_LARGEST)
        if data[:DIGEST] != digest(data[DIGEST:]):
            return {}
        return _DECODER.decode(memoryview(data)[DIGEST:])
    except (OSError, msgspec.MsgspecError):
        return {}


def _write(file: str, data: bytes) -> None:
    """Write the file at once, and remove the oldest other cache files."""
    if len(data) + DIGEST > _LARGEST:
        return
    beside = f"{file}.{os.getpid()}"
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, _FILE_MODE)
        try:
            with open(descriptor, "wb") as writing:
                writing.write(digest(data) + data)
            os.rename(beside, file)
        except BaseException:
            os.unlink(beside)
            raise
        _remove_old(os.path.dirname(file))
    except OSError:
        return  # a full disk or a read-only home: the next check only takes longer


def _remove_old(directory: str) -> None:
    """Keep only the newest files."""
    with os.scandir(directory) as entries:
        aged = sorted((entry.stat(follow_symlinks=False).st_mtime_ns, entry.path) for entry in entries)
    for _, path in aged[:-_MOST_FILES]:
        os.unlink(path)
