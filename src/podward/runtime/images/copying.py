"""Making the layer of COPY and WORKDIR: a tar archive that is the same each time.

Entries are sorted, times are 0, owners are numbers. Of a file's extended attributes only its capabilities are kept, as
in BuildKit.
"""

from __future__ import annotations

import glob
import hashlib
import io
import os
import stat
import tarfile
from typing import BinaryIO

from msgspec import Struct

from podward.errors import InputError
from podward.runtime import syscalls
from podward.runtime.images.containerfile import Copy

_CAPABILITY = "security.capability"
_PIECE = 1 << 20


class LayerEntry(Struct, frozen=True):
    """One file of the layer; `source` is its path in the context, empty for a directory that is only created."""

    source: str
    kind: bytes
    mode: int
    owner: tuple[int, int]


class LayerPlan:
    """The files of a layer. `base_root` is the base image's root file system, None without a base image."""

    def __init__(self, context: str, base_root: str | None) -> None:
        self._context = os.path.realpath(context)
        self._base_root = base_root
        self.entries: dict[str, LayerEntry] = {}

    def directory(self, path: str, owner: tuple[int, int] = (0, 0), mode: int = 0o755) -> None:
        """Add a directory and those above it; an existing directory stays as it is."""
        place = ""
        for part in path.strip("/").split("/"):
            place = self._resolved(f"{place}/{part}") if part else ""
            if place and not self._is_directory(place):
                self._put(place, LayerEntry("", tarfile.DIRTYPE, mode, owner))

    def copy(self, copy: Copy) -> None:
        """Add the files of one COPY. Raises InputError if a source is missing or outside of the context."""
        target = copy.target.rstrip("/")
        for pattern in copy.sources:
            found = self._matches(pattern, copy.where)
            into = copy.target.endswith("/") or len(found) > 1 or self._is_directory(self._resolved(target))
            for name, source in found:
                if os.path.isdir(source):
                    self.directory(target, copy.owner)
                    self._tree(source, target, copy)
                    continue
                place = f"{target}/{os.path.basename(name)}" if into else target
                self.directory(os.path.dirname(place), copy.owner)
                self._add(source, place, copy)

    def _matches(self, pattern: str, where: str) -> list[tuple[str, str]]:
        """The files that one source means: the name of each, and its path in the context with links resolved."""
        inside = os.path.normpath("/" + pattern).lstrip("/") or "."
        found = sorted(glob.glob(inside, root_dir=self._context, include_hidden=True))
        if not found and os.path.lexists(f"{self._context}/{inside}"):
            found = [inside]
        if not found:
            advice = f"the context is {self._context}"
            raise InputError(f"COPY: there is no {pattern[:200]}", where=where, advice=advice)
        real = [(name, os.path.realpath(f"{self._context}/{name}")) for name in found]
        for _, path in real:
            if path != self._context and not path.startswith(self._context.rstrip("/") + "/"):
                advice = f"copy it into the context, {self._context}, first"
                raise InputError(f"COPY: {pattern[:200]} leads out of the context", where=where, advice=advice)
            if not os.path.exists(path):
                raise InputError(f"COPY: {pattern[:200]} is a link that leads nowhere", where=where)
        return real

    def _tree(self, source: str, target: str, copy: Copy) -> None:
        with os.scandir(source) as children:
            for child in sorted(children, key=lambda entry: entry.name):
                place = f"{target}/{child.name}"
                self._add(child.path, place, copy)
                if child.is_dir(follow_symlinks=False):
                    self._tree(child.path, place, copy)

    def _add(self, source: str, target: str, copy: Copy) -> None:
        facts = os.lstat(source)
        if stat.S_ISDIR(facts.st_mode):
            kind = tarfile.DIRTYPE
        elif stat.S_ISLNK(facts.st_mode):
            kind = tarfile.SYMTYPE
        elif stat.S_ISREG(facts.st_mode):
            kind = tarfile.REGTYPE
        else:
            raise InputError(f"COPY: {source} is no file, directory or link", where=copy.where)
        mode = stat.S_IMODE(facts.st_mode) if copy.mode is None else copy.mode
        parent, _, name = target.rpartition("/")
        place = self._resolved(target) if kind == tarfile.DIRTYPE else f"{self._resolved(parent)}/{name}"
        if kind == tarfile.DIRTYPE and place not in self.entries and self._is_directory(place):
            return  # the base image's own
        self._put(place, LayerEntry(source, kind, 0o777 if kind == tarfile.SYMTYPE else mode, copy.owner), copy.where)

    def _put(self, place: str, entry: LayerEntry, where: str = "") -> None:
        there = self.entries.get(place)
        if there is not None and (there.kind == tarfile.DIRTYPE) != (entry.kind == tarfile.DIRTYPE):
            raise InputError(f"{place} would be both a directory and none", where=where)
        self.entries[place] = entry

    def _is_directory(self, place: str) -> bool:
        if place in self.entries:
            return self.entries[place].kind == tarfile.DIRTYPE
        if self._base_root is None or not place:
            return not place
        return os.path.isdir(self._base_root + place) and not os.path.islink(self._base_root + place)

    def _resolved(self, path: str) -> str:
        """A directory's path with the base image's links resolved (empty for the root); a new path stays as it is."""
        if not path or self._base_root is None or path in self.entries:
            return path
        there = self._real(self._base_root, path)
        if there is not None and os.path.isdir(self._base_root + there):
            return there
        parent, _, name = path.rpartition("/")
        return f"{self._resolved(parent)}/{name}"

    @staticmethod
    def _real(base_root: str, path: str) -> str | None:
        """The path to which `path` leads inside of the base image; None if it leads nowhere."""
        root = os.open(base_root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            found = syscalls.openat2(root, path.lstrip("/"), os.O_PATH, syscalls.RESOLVE_IN_ROOT)
        except OSError:
            return None
        finally:
            os.close(root)
        try:
            return os.readlink(f"/proc/self/fd/{found}").removeprefix(os.path.realpath(base_root)).rstrip("/")
        finally:
            os.close(found)


def write_layer(plan: LayerPlan, file: str) -> tuple[str, int]:
    """Write the layer, uncompressed; returns its digest (which is also its diff id) and its size in bytes."""
    with open(file, "xb") as target:
        with tarfile.open(fileobj=target, mode="w:", format=tarfile.PAX_FORMAT) as archive:
            for place in sorted(plan.entries):
                _write(archive, place, plan.entries[place])
        size = target.tell()
    digest = hashlib.sha256()
    with open(file, "rb") as written:
        while piece := written.read(_PIECE):
            digest.update(piece)
    return f"sha256:{digest.hexdigest()}", size


def _write(archive: tarfile.TarFile, place: str, entry: LayerEntry) -> None:
    member = tarfile.TarInfo(place.lstrip("/"))
    member.type = entry.kind
    member.mode = entry.mode
    member.uid, member.gid = entry.owner
    content: BinaryIO | None = None
    if entry.kind == tarfile.SYMTYPE:
        member.linkname = os.readlink(entry.source)
    elif entry.kind == tarfile.REGTYPE:
        content = open(entry.source, "rb")  # noqa: SIM115  # closed below, where all entries meet
        member.size = os.fstat(content.fileno()).st_size
        if _CAPABILITY in os.listxattr(entry.source, follow_symlinks=False):
            value = os.getxattr(entry.source, _CAPABILITY, follow_symlinks=False)
            member.pax_headers = {f"SCHILY.xattr.{_CAPABILITY}": value.decode("utf-8", "surrogateescape")}
    with content or io.BytesIO() as opened:
        archive.addfile(member, opened)
