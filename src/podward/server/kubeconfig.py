"""The kubeconfig that a server writes: how to reach it, its authority, and an admin's certificate.

Only a file that such a server has written is ever overwritten; it says so itself, and is readable by its owner alone.
kubectl leaves comments away where it changes a file (`kubectl config set-context`): one with a cluster and a user of
our names, and without any comment, is ours still. Of an administrator's these two alone are replaced, and what else is
in it stays. Its current context, too, which may lead elsewhere: no part of ours goes by such a file.
"""

from __future__ import annotations

import base64
import contextlib
import os

import msgspec

from podward.api.json_value import JsonObject
from podward.documents.raw_fields import objects
from podward.documents.reader import decode_documents
from podward.errors import InputError, UsageError
from podward.server.own_authority import KeyPair

_MARK = "# written by podward apiserver; it is overwritten at every start\n"
_CLUSTER, _USER = "podward", "podward-admin"


def text_of(address: str, authority: bytes, admin: KeyPair) -> str:
    """The file's text."""
    return f"""{_MARK}apiVersion: v1
kind: Config
clusters:
- name: {_CLUSTER}
  cluster:
    server: {address}
    certificate-authority-data: {_base64(authority)}
users:
- name: {_USER}
  user:
    client-certificate-data: {_base64(admin.certificate)}
    client-key-data: {_base64(admin.key)}
contexts:
- name: {_CLUSTER}
  context:
    cluster: {_CLUSTER}
    user: {_USER}
current-context: {_CLUSTER}
"""


def require_ours(path: str) -> None:
    """Raise UsageError if somebody else's file is there."""
    _changed_by_others(path)


def _changed_by_others(path: str) -> JsonObject | None:
    """What kubectl has made of our file; None where none is there, or it is as we wrote it. Raises UsageError."""
    try:
        with open(path, "rb") as file:
            content = file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(f"the kubeconfig cannot be read: {error.strerror}", where=path) from None
    if content.startswith(_MARK.encode()):
        return None
    with contextlib.suppress(InputError):
        documents = [] if _has_comments(content) else decode_documents(content, path)
        if len(documents) == 1 and _has_ours(documents[0].raw):
            return documents[0].raw
    raise UsageError(
        "this file is there, and podward has not written it", where=path, advice="name another file, or remove it"
    )


def _has_comments(content: bytes) -> bool:
    """Whether somebody has written in it who is not kubectl: what he wrote is not to be lost."""
    return any(line.lstrip().startswith(b"#") for line in content.splitlines())


def _has_ours(config: JsonObject) -> bool:
    named = ({row.get("name") for row in objects(config, key)} for key in ("clusters", "users"))
    return all(name in names for name, names in zip((_CLUSTER, _USER), named, strict=True))


def _with_ours(config: JsonObject, ours: JsonObject) -> str:
    """The file with our cluster and our user as they are now, and a context of them where it is gone."""
    from podward.server.yaml_answers import yaml_of  # rarely needed, and start-up counts

    made = dict(config)
    for key in ("clusters", "users"):
        (row,) = objects(ours, key)
        made[key] = [row if old.get("name") == row["name"] else old for old in objects(config, key)]
    if not any(old.get("name") == _CLUSTER for old in objects(config, "contexts")):
        made["contexts"] = [*objects(config, "contexts"), *objects(ours, "contexts")]
    return yaml_of(msgspec.json.encode(made)).decode()


def refresh(path: str, text: str) -> None:
    """Put the file there that users have, with what they have added to it. Raises UsageError, InputError."""
    changed = _changed_by_others(path)
    _put(path, text if changed is None else _with_ours(changed, decode_documents(text.encode(), path)[0].raw))


def write(path: str, text: str) -> None:
    """Put the file there that is a part's alone, as it is here. Raises UsageError, InputError."""
    require_ours(path)
    _put(path, text)


def _put(path: str, text: str) -> None:
    """Write it as a whole or not at all."""
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
