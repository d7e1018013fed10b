"""Files with keys and passwords, which nobody but their owner may read: what others may read is no secret."""

from __future__ import annotations

import os

from podward.errors import InputError

_OTHERS = 0o077
MADE_ANEW = "remove it: it is made anew"
"""Of a file that the server makes for itself."""


def content_of(path: str, replacing: str = "put other secrets into it") -> bytes:
    """What is in the file. Raises InputError where there is none, and where others may read or write it.

    `replacing` says what to do about secrets that others know.
    """
    content, mode = _read(path)
    if mode & _OTHERS:
        raise InputError(
            f"this file holds secrets and has mode {mode:04o}: others may read it",
            where=path,
            advice=f"make it private with chmod 600; if others may have read it, {replacing}",
        )
    return content


def public_content_of(path: str) -> bytes:
    """What is in a file that everybody may read. Raises InputError where there is none."""
    return _read(path)[0]


def _read(path: str) -> tuple[bytes, int]:
    try:
        with open(path, "rb") as file:
            return file.read(), os.fstat(file.fileno()).st_mode & 0o777
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=path, advice="name a file that is there") from None
