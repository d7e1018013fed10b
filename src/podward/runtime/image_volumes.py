"""Making the volumes of an image's VOLUMEs: a writable layer over what the image has there, or an empty directory.

Paths in an image are hostile: each is opened once, inside the image's or the container's root, links included, and used
by its descriptor.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager

from podward.api.cri import IDMapping
from podward.errors import RefusedError
from podward.policy.runtime.image_volumes import DIRECTORY_MODE, volume_path
from podward.runtime import rootfs, syscalls

_INSIDE = syscalls.RESOLVE_IN_ROOT | syscalls.RESOLVE_NO_MAGICLINKS
_DIRECTORY = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC


def mount(image_root: str, places: tuple[str, ...], directory: str, mapping: IDMapping | None, userns: str) -> None:
    """Make the volumes for these places of the image below `directory`; raises RefusedError for one that is a file."""
    if places:
        os.mkdir(directory, 0o700)
    for index, place in enumerate(places):
        own = f"{directory}/{index}"
        os.mkdir(own, 0o700)
        with _found(image_root, place) as content:
            if content >= 0:
                rootfs.mount(f"/proc/self/fd/{content}", own, mapping, userns)
            else:
                _make_empty(volume_path(directory, index), mapping)


def make_directories(root: str, places: tuple[str, ...], owner: tuple[int, int]) -> None:
    """Make those of the places that the container's root lacks, owned by these ids of the host."""
    for place in places:
        base = os.open(root, _DIRECTORY)
        try:
            _make_below(base, [name for name in place.split("/") if name], owner)
        except OSError as error:
            raise RefusedError(f"cannot make the image's VOLUME {place}: {error.strerror}") from error
        finally:
            os.close(base)


def _make_below(root: int, names: list[str], owner: tuple[int, int]) -> None:
    here = os.dup(root)
    try:
        for count in range(1, len(names) + 1):
            reached = "/".join(names[:count])
            try:
                below = syscalls.openat2(root, reached, _DIRECTORY, _INSIDE)
            except FileNotFoundError:
                os.mkdir(names[count - 1], 0o700, dir_fd=here)
                below = syscalls.openat2(here, names[count - 1], _DIRECTORY | os.O_NOFOLLOW, syscalls.RESOLVE_BENEATH)
                os.chown(f"/proc/self/fd/{below}", *owner)
                os.chmod(f"/proc/self/fd/{below}", DIRECTORY_MODE)
            os.close(here)
            here = below
    finally:
        os.close(here)


@contextmanager
def _found(image_root: str, place: str) -> Iterator[int]:
    """The directory at this place of the image, open; -1 where there is nothing."""
    root = os.open(image_root, _DIRECTORY)
    found = -1
    try:
        found = syscalls.openat2(root, place, os.O_PATH | os.O_CLOEXEC, _INSIDE)
        if not stat.S_ISDIR(os.fstat(found).st_mode):
            raise RefusedError(f"the image's VOLUME {place} is no directory in it")
        yield found
    except (FileNotFoundError, NotADirectoryError):
        yield -1
    finally:
        os.close(root)
        if found >= 0:
            os.close(found)


def _make_empty(path: str, mapping: IDMapping | None) -> None:
    os.mkdir(path, 0o700)
    os.chmod(path, DIRECTORY_MODE)
    if mapping is not None:
        os.chown(path, mapping.host_id, mapping.host_id)
