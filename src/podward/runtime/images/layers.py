"""Inspecting a layer before umoci unpacks it: only its headers are read.

These entries are refused: no honest layer needs them, and an unpacker with a mistake would write outside of the image:
- a name with a `..` part; a whiteout that names nothing, its own directory, or the one above;
- a hard link whose target is absolute or has a `..` part;
- an entry whose path goes through a symbolic link of the same layer that leads out of the root. An absolute target
  counts as such a link, because it is not known what it means. The link alone is allowed: images have many of them;
- a block or character device, which some other runtimes would create as root;
- `trusted.*` attributes: overlayfs obeys them (containerd 2.1 drops them).
"""

from __future__ import annotations

import hashlib
import posixpath
import tarfile
import zlib
from typing import BinaryIO, cast

from msgspec import Struct

from podward.errors import ImageError
from podward.runtime.images.layout import corrupt_image

BLOCK = 512
_PIECE = 1 << 18
_LARGEST_HEADER = 1 << 18
"""The largest extended header, in bytes: Linux allows attributes of 64 KiB and paths of 4 KiB."""
_LARGEST_HEADERS = 1 << 20
"""The most bytes of all headers of one entry."""
_LARGEST_PADDING = 1 << 24
_OTHER = {b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bzip2", b"\xfd7zXZ": "xz"}
_GZIP = b"\x1f\x8b"


MOST_BYTES = 64 << 30
"""The most bytes that the files of an image may take: twice the largest images that people make."""
MOST_FILES = 4_000_000
"""The most files, directories and links of an image."""
_BLOCK_ON_DISK = 4096


class Room(Struct, frozen=True):
    """How many bytes and files an image may take."""

    bytes: int = MOST_BYTES
    files: int = MOST_FILES

    def without(self, taken: Room) -> Room:
        """What is left of it."""
        return Room(self.bytes - taken.bytes, self.files - taken.files)


class LayerFacts(Struct, frozen=True):
    """`diff_id` is the digest of the uncompressed layer, `taken` what its files take of a disk."""

    diff_id: str
    gzip: bool
    taken: Room


def inspect_layer(file: str, where: str, *, room: Room) -> LayerFacts:
    """Read a whole layer; `room` is what its files may take. Raises ImageError for a bad layer."""
    with open(file, "rb") as opened:
        gzip = _compression(opened, where)
        content = _LayerContent(opened, gzip=gzip, where=where)
        taken = _check(content, where, room)
        content.finish()
    return LayerFacts(f"sha256:{content.digest.hexdigest()}", gzip, taken)


def _compression(opened: BinaryIO, where: str) -> bool:
    start = opened.read(8)
    opened.seek(0)
    for magic, name in _OTHER.items():
        if start.startswith(magic):
            advice = "umoci knows uncompressed and gzip layers: make the image with one of these"
            raise ImageError(f"the layer is compressed with {name}", where=where, advice=advice)
    return start.startswith(_GZIP)


def _check(content: _LayerContent, where: str, room: Room) -> Room:
    taken = _Taken(room, where)
    if not content.peek():
        return taken.room
    links: set[str] = set()
    try:
        with tarfile.open(fileobj=cast("BinaryIO", content), mode="r:") as archive:
            for member in archive:
                archive.members = []  # type: ignore[attr-defined]  # else it keeps every header of a huge layer
                content.budget = _LARGEST_HEADERS
                _check_entry(member, links, where)
                taken.add(member)
    except (tarfile.TarError, ValueError, OverflowError) as error:
        raise corrupt_image(f"the layer is no tar archive: {error}", where) from None
    if content.last.strip(b"\0"):
        raise corrupt_image("the layer has an entry that is none of a tar archive", where)
    return taken.room


class _Taken:
    """Counts what a layer takes: whole blocks for a file, and an inode for each entry and each directory on its way.

    A directory is counted once for all entries that follow each other in it. So a layer in an odd order counts for
    more than it takes, and none for less.
    """

    def __init__(self, allowed: Room, where: str) -> None:
        self.room = Room(0, 0)
        self._allowed = allowed
        self._where = where
        self._last: list[str] = []

    def add(self, member: tarfile.TarInfo) -> None:
        """Count this entry. Raises ImageError where the layer takes more than is allowed."""
        way = posixpath.normpath(f"/{member.name}").split("/")[1:]
        known = 0
        while known < min(len(way), len(self._last)) and way[known] == self._last[known]:
            known += 1
        files = max(len(way) - known, 1)
        self._last = way if member.isdir() else way[:-1]
        blocks = -(-member.size // _BLOCK_ON_DISK) if member.isreg() else 0
        self.room = Room(self.room.bytes + blocks * _BLOCK_ON_DISK, self.room.files + files)
        left = self._allowed.without(self.room)
        if left.bytes < 0:
            raise _too_large(f"{self.room.bytes:,} bytes or more", f"{self._allowed.bytes:,} bytes", self._where)
        if left.files < 0:
            raise _too_large(f"{self.room.files:,} files or more", f"{self._allowed.files:,} inodes", self._where)


def _too_large(taken: str, allowed: str, where: str) -> ImageError:
    advice = f"it may take {allowed}: nine tenths of what the disk has, at most 64 GiB and {MOST_FILES:,} files"
    return ImageError(f"the image is too large: it takes {taken}", where=where, advice=advice)


def _check_entry(member: tarfile.TarInfo, links: set[str], where: str) -> None:
    name = posixpath.normpath(f"/{member.name}").lstrip("/")
    if ".." in member.name.split("/"):
        raise _refused(member, "its name leads out of the image", where)
    base = posixpath.basename(name)
    if base.startswith(".wh.") and base[4:] in ("", ".", ".."):
        raise _refused(member, "it removes what is outside of its directory", where)
    if member.ischr() or member.isblk():
        raise _refused(member, "it is a device", where)
    if any(key.startswith("SCHILY.xattr.trusted.") for key in member.pax_headers):
        raise _refused(member, "it has trusted.* attributes", where)
    _refuse_through(name, member, links, where)
    if member.islnk():
        if member.linkname.startswith("/") or ".." in member.linkname.split("/"):
            raise _refused(member, f"it is a hard link to {_shown(member.linkname)}, outside of the image", where)
        _refuse_through(posixpath.normpath(member.linkname), member, links, where)
    if member.issym() and _leads_out(name, member.linkname):
        links.add(name)
    elif not member.issym():
        links.discard(name)


def _refuse_through(name: str, member: tarfile.TarInfo, links: set[str], where: str) -> None:
    parent = posixpath.dirname(name)
    while links and parent:
        if parent in links:
            raise _refused(member, f"it goes through {_shown(parent)}, a link that leads out of the image", where)
        parent = posixpath.dirname(parent)


def _leads_out(name: str, target: str) -> bool:
    if target.startswith("/"):
        return True
    depth = name.count("/")
    for part in target.split("/"):
        if part == "..":
            depth -= 1
        elif part not in ("", "."):
            depth += 1
        if depth < 0:
            return True
    return False


def _refused(member: tarfile.TarInfo, why: str, where: str) -> ImageError:
    return corrupt_image(f"the layer's entry {_shown(member.name)} is refused: {why}", where)


def _shown(name: str) -> str:
    return ascii(name if len(name) <= 200 else name[:200] + "…")


class _LayerContent:
    """The uncompressed bytes of a layer as a file for tarfile: it can only be read forward, and headers are limited.

    `digest` covers all bytes that were read or skipped; `last` is the block that was read last.
    """

    def __init__(self, opened: BinaryIO, *, gzip: bool, where: str) -> None:
        self.digest = hashlib.sha256()
        self.last = b""
        self.budget = _LARGEST_HEADERS
        self._opened = opened
        self._where = where
        self._unzip = zlib.decompressobj(wbits=31) if gzip else None
        self._ready = b""
        self._position = 0

    def peek(self) -> bool:
        """Whether the layer has any content."""
        self._ready = self._ready or self._more()
        return bool(self._ready)

    def read(self, size: int) -> bytes:
        """The next bytes. Raises ImageError if a header is larger than any honest one."""
        self.budget -= size
        if not 0 <= size <= _LARGEST_HEADER or self.budget < 0:
            raise corrupt_image("the layer has a header that is too large", self._where)
        taken = b""
        while len(taken) < size:
            piece = self._take(size - len(taken))
            if not piece:
                break
            taken += piece
        self.last = taken
        return taken

    def tell(self) -> int:
        """The number of uncompressed bytes that were read or skipped."""
        return self._position

    def seek(self, position: int) -> int:
        """Skip bytes up to this position."""
        while self._position < position:
            if not self._take(position - self._position):
                raise corrupt_image("the layer ends too early", self._where)
        return self._position

    def finish(self) -> None:
        """Read what follows the archive, as the digest covers it. Raises ImageError if it is too long for padding."""
        end = self._position + _LARGEST_PADDING
        while self._take(_PIECE):
            if self._position > end:
                raise corrupt_image("the layer has too much behind its end", self._where)

    def _take(self, size: int) -> bytes:
        self._ready = self._ready or self._more()
        piece, self._ready = self._ready[:size], self._ready[size:]
        self.digest.update(piece)
        self._position += len(piece)
        return piece

    def _more(self) -> bytes:
        if self._unzip is None:
            return self._opened.read(_PIECE)
        while True:
            raw = self._unzip.unconsumed_tail or self._unzip.unused_data or self._opened.read(_PIECE)
            if self._unzip.eof:  # another member follows, or nothing
                if not raw:
                    return b""
                self._unzip = zlib.decompressobj(wbits=31)
            elif not raw:
                raise corrupt_image("the layer's compressed data ends too early", self._where)
            try:
                piece = self._unzip.decompress(raw, _PIECE)
            except zlib.error as error:
                raise corrupt_image(f"the layer's compressed data is damaged: {error}", self._where) from None
            if piece:
                return piece
