"""The files of a volume as rows that can be compared: as they are on disk, and as they were planned."""

from __future__ import annotations

import os
import stat

from podward.api.filesystem import PlannedFile

Rows = dict[str, tuple[int, int, int]]
"""uid, gid and mode by path; the directory that `..data` leads to has that name, and links have no group."""


def on_disk(directory: str) -> Rows:
    """Every file below and the directory itself."""
    named = os.readlink(f"{directory}/..data") if os.path.lexists(f"{directory}/..data") else "..data"
    found = {".": os.lstat(directory)}
    for where, directories, files in os.walk(directory):
        for name in (*directories, *files):
            found[os.path.relpath(f"{where}/{name}", directory)] = os.lstat(f"{where}/{name}")
    found.pop("..data", None)
    return {path.replace(named, "..data"): _row(s.st_uid, s.st_gid, s.st_mode) for path, s in found.items()}


def planned(file: PlannedFile, at: str = ".") -> Rows:
    """The same of what was planned."""
    found = {at: _row(file.uid, file.gid, file.mode)}
    for name, inside in file.inside.items():
        found |= planned(inside, name if at == "." else f"{at}/{name}")
    return found


def _row(uid: int, gid: int, mode: int) -> tuple[int, int, int]:
    return uid, 0 if stat.S_ISLNK(mode) else gid, mode
