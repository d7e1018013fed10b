"""The texts of what an explanation cites: manifests, and files of images. For the page that shows them line by line."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

from podward.decision import Origin
from podward.documents.reader import decode_documents
from podward.errors import ImageError, InputError
from podward.render.explain.hidden_values import text_without_values
from podward.render.explain.row_types import CitedValue, PodRows
from podward.runtime import syscalls
from podward.runtime.images.store import ImageStore

LARGEST = 1 << 20
"""Bytes of a file; what is longer is named, not shown."""
_INSIDE = syscalls.RESOLVE_IN_ROOT | syscalls.RESOLVE_NO_MAGICLINKS


def texts(pods: tuple[PodRows, ...], root: str, read: Callable[[str], str | None]) -> dict[str, str]:
    """By the name that sources call it, each cited file that can be read; `root` is the state directory.

    `read` reads manifests: `as_written`, or `without_values`.
    """
    found: dict[str, str] = {}
    policies = (each.where.rpartition(":")[0] for pod in pods if pod.admission for each in pod.admission.sccs)
    for name in dict.fromkeys(filter(None, policies)):  # in their order: the same page each time
        policy = read(name)
        if policy is not None:
            found[name] = policy
    for part in _parts(pods):
        image = part.source.origin is Origin.IMAGE and part.source.line is not None
        name = part.source.name if image else part.where.rpartition(":")[0]
        if name in found or not (image or part.written):
            continue
        text = _in_image(name, root) if image else read(name)
        if text is not None:
            found[name] = text
    return found


def as_written(name: str) -> str | None:
    """The text of a manifest; None where it can't be shown."""
    return _read(name)


def without_values(name: str) -> str | None:
    """The text of a manifest without values of variables and Secrets; None where these can't be found in it."""
    text = _read(name)
    if text is None:
        return None
    try:
        return text_without_values(text, decode_documents(text.encode(), name))
    except InputError:
        return None


def _parts(pods: tuple[PodRows, ...]) -> Iterator[CitedValue]:
    for pod in pods:
        every = (*pod.rows, *(row for container in pod.containers for row in container.rows))
        yield from (part for row in every for step in row.steps for part in step.parts)


def _in_image(name: str, root: str) -> str | None:
    """A file of an image, given as `IMAGE /path`; nothing in the image leads out of it."""
    image, _, path = name.partition(" ")
    store = ImageStore(root)
    try:
        rootfs = os.open(store.resolve(image).rootfs, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except (ImageError, OSError):
        return None
    try:
        return _read(path.lstrip("/"), rootfs)
    finally:
        os.close(rootfs)


def _read(path: str, directory: int | None = None) -> str | None:
    """The text of a regular file that is not too large, below the root open as `directory`; None for any other."""
    try:
        if directory is None:
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        else:
            descriptor = syscalls.openat2(directory, path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC, _INSIDE)
    except OSError:
        return None  # it went away, or came from a pipe
    with open(descriptor, "rb") as opened:
        content = opened.read(LARGEST + 1) if os.path.isfile(f"/proc/self/fd/{descriptor}") else b""
    return content.decode("utf-8", "replace") if 0 < len(content) <= LARGEST else None
