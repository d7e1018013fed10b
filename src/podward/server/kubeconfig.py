"""The kubeconfig that a server writes: how to reach it, its authority, and an admin's certificate.

Only a file that such a server has written is ever overwritten; it says so itself, and is readable by its owner alone.
"""

from __future__ import annotations

import base64
import contextlib
import os

from podward.errors import InputError, UsageError
from podward.server.own_authority import KeyPair

_MARK = "# written by podward apiserver; it is overwritten at every start\n"


def text_of(address: str, authority: bytes, admin: KeyPair) -> str:
    """The file's text."""
    return f"""{_MARK}apiVersion: v1
kind: Config
clusters:
- name: podward
  cluster:
    server: {address}
    certificate-authority-data: {_base64(authority)}
users:
- name: podward-admin
  user:
    client-certificate-data: {_base64(admin.certificate)}
    client-key-data: {_base64(admin.key)}
contexts:
- name: podward
  context:
    cluster: podward
    user: podward-admin
current-context: podward
"""


def require_ours(path: str) -> None:
    """Raise UsageError if somebody else's file is there."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            ours = file.readline() == _MARK
    except FileNotFoundError:
        return
    if not ours:
        raise UsageError(
            "this file is there, and podward has not written it", where=path, advice="name another file, or remove it"
        )


def write(path: str, text: str) -> None:
    """Put the file there, as a whole or not at all. Raises UsageError, InputError."""
    require_ours(path)
    made = f"{path}.{os.getpid()}.new"
    try:
        handle = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(made, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.unlink(made)
        raise InputError(
            f"the kubeconfig cannot be written: {error.strerror}",
            where=path,
            advice="name a file in a directory of yours",
        ) from None


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
