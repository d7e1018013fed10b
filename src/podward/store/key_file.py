"""The file with the keys that values are encrypted with at rest: one a line, `ID BASE64`, the first writes.

The others are kept to read what was written before. The file is made at the first start, of mode 0600; with it and the
store one has the values, with either alone nothing. It is never written in place: a new one takes its name.
"""

from __future__ import annotations

import binascii
import contextlib
import os
import re
import secrets
from base64 import b64decode, b64encode
from collections.abc import Callable

from msgspec import Struct

from podward.errors import StoreError

_BYTES = 32  # AES-256
_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")


class Key(Struct, frozen=True):
    """A key and its name."""

    id: str
    secret: bytes

    def __repr__(self) -> str:
        return f"Key({self.id!r}, ...)"


def read_or_make(file: str) -> tuple[Key, ...]:
    """The keys of this file; a new one where there is no file. Raises StoreError."""
    if not os.path.lexists(file):
        with contextlib.suppress(FileExistsError):  # of two servers that start together one makes the file
            _place(file, (new_key(),), os.link)
    return read(file)


def read(file: str) -> tuple[Key, ...]:
    """The keys of this file. Raises StoreError."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError as error:
        raise _unusable(file, error.strerror or "it cannot be read") from None
    with open(descriptor, encoding="ascii", errors="replace") as opened:
        mode = os.fstat(descriptor).st_mode & 0o777
        if mode & 0o077:
            advice = f"make it private: `chmod 600 {file}`; if others may have read it, rotate the key"
            raise StoreError(f"the key file has mode {mode:04o}: others may read it", where=file, advice=advice)
        return _parse(file, opened.read())


def write(file: str, keys: tuple[Key, ...]) -> None:
    """Put these keys in the place of what the file has. Raises StoreError."""
    _place(file, keys, os.replace)


def new_key() -> Key:
    """A key that nobody had before."""
    return Key(secrets.token_hex(4), secrets.token_bytes(_BYTES))


def _place(file: str, keys: tuple[Key, ...], place: Callable[[str, str], None]) -> None:
    content = "".join(f"{key.id} {b64encode(key.secret).decode()}\n" for key in keys)
    made = f"{file}.{secrets.token_hex(4)}.new"
    try:
        descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(descriptor, "w", encoding="ascii") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(descriptor)
        place(made, file)
        directory = os.open(os.path.dirname(file) or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
    except FileExistsError:
        raise
    except OSError as error:
        raise _unusable(file, f"it cannot be written: {error.strerror}") from None
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(made)


def _parse(file: str, content: str) -> tuple[Key, ...]:
    keys: list[Key] = []
    for number, line in enumerate(content.splitlines(), 1):
        name, _, encoded = line.partition(" ")
        try:
            secret = b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            secret = b""
        if not _ID.fullmatch(name) or len(secret) != _BYTES:
            raise _unusable(file, f"line {number} is no key: an id and {_BYTES} bytes in base64 are expected")
        keys.append(Key(name, secret))
    if not keys:
        raise _unusable(file, "it is empty")
    return tuple(keys)


def _unusable(file: str, why: str) -> StoreError:
    advice = "restore the file from a backup: without its keys the encrypted values are lost"
    return StoreError(f"the key file cannot be used: {why}", where=file, advice=advice)
