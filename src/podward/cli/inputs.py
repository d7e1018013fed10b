"""The inputs of `-f`: files, directories, URLs and standard input; their documents, and the Pods in these."""

from __future__ import annotations

import os
import stat
import sys

from msgspec import Struct

from podward.cli import terminal
from podward.documents.document import Document
from podward.documents.reader import decode_documents
from podward.errors import InputError, LimitError, PodwardError, UsageError
from podward.path import path
from podward.schema.workload import PodSource, pod_sources

LARGEST = 64 * 1024 * 1024
"""The largest file, in bytes; the limit for one document is much lower."""
EXTENSIONS = (".yaml", ".yml", ".json")
STDIN = "<stdin>"
_URLS = ("https://", "http://")


def documents(names: list[str], advice: str = "name a file with a Pod or a workload") -> tuple[Document, ...]:
    """Every document of these files, directories (their .yaml, .yml and .json files), URLs and `-`, standard input.

    `advice` is for the error if there is no document.
    """
    found: list[Document] = []
    for name in names:
        for file in _files(name):
            found += decode_documents(content_of(file), STDIN if file == "-" else file)
    if not found:
        raise InputError("no document found", where=", ".join(names), advice=advice)
    return tuple(found)


class GivenPods(Struct):
    """What files hold: their documents, the Pods of these, and what could not be read."""

    documents: list[Document]
    pods: list[PodSource]
    errors: list[PodwardError]


def every_pod(names: list[str], namespace: str = "") -> GivenPods:
    """The Pods of these files, as `documents` and `pods_of`: a bad file or document hides none of the others.

    Raises InputError where there is neither a Pod nor an error.
    """
    given = GivenPods([], [], [])
    for name in names:
        try:
            given.documents += documents([name])
        except InputError as error:
            given.errors.append(error)
    for document in tuple(given.documents):
        try:
            given.pods += (_in_namespace(source, namespace) for source in pod_sources(document))
        except InputError as error:
            given.errors.append(error)
            given.documents.remove(document)
    if not given.pods and not given.errors:
        pods_of(tuple(given.documents))
    return given


def pods_of(documents: tuple[Document, ...], namespace: str = "") -> tuple[PodSource, ...]:
    """Every Pod of the documents, also the Pods of workloads. Raises InputError if there is none.

    `namespace` is that of what names none; of what names another one a note on standard error says so.
    """
    sources = tuple(source for document in documents for source in pod_sources(document))
    if not sources:
        kinds = ", ".join(sorted({document.kind for document in documents}))
        advice = "podward takes Pods, and the Pods of workload kinds"
        raise InputError(f"no Pod in it, only {kinds}", where=documents[0].name, advice=advice)
    return tuple(_in_namespace(source, namespace) for source in sources)


def _in_namespace(source: PodSource, namespace: str) -> PodSource:
    if not namespace:
        return source
    if not source.says_namespace:
        return source.in_namespace(namespace)
    written = source.view.metadata.namespace
    if written != namespace:
        where = source.where(path("metadata", "namespace"))
        note = (
            f"{where}: {source.kind} {source.name} stays in namespace {written}: -n {namespace} is for what names none"
        )
        terminal.say(f"note: {note}")
    return source


def is_url(name: str) -> bool:
    """Whether this is a URL, not the name of a file."""
    return name.startswith(_URLS)


def content_of(file: str) -> bytes:
    """The content of a file, a URL, or `-` (standard input). Raises InputError if it can't be read or is too large."""
    if is_url(file):
        from podward.cli import urls

        return urls.content(file, LARGEST)
    return _standard_input() if file == "-" else _content(file)


def _files(name: str) -> list[str]:
    if name == "-" or not os.path.isdir(name):
        return [name]
    inside = sorted(os.path.join(name, entry) for entry in os.listdir(name) if entry.endswith(EXTENSIONS))
    if not inside:
        raise InputError("the directory holds no .yaml, .yml or .json file", where=name)
    return [file for file in inside if os.path.isfile(file)]


def _standard_input() -> bytes:
    if sys.stdin is None:
        raise UsageError("standard input is closed", where="-f -")
    return _bounded(sys.stdin.buffer.read(LARGEST + 1), STDIN)


def _content(file: str) -> bytes:
    try:
        # O_NONBLOCK: opening a FIFO without a writer must not hang; regular files ignore the flag.
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with open(descriptor, "rb") as opened:
            status = os.fstat(descriptor)
            if stat.S_ISFIFO(status.st_mode):
                os.set_blocking(descriptor, True)
            elif not stat.S_ISREG(status.st_mode):
                raise InputError("not a regular file", where=file)
            elif 0 < status.st_size <= LARGEST:
                # A buffer for the largest file takes longer to allocate than most files take to read. Some files, such
                # as those of the kernel, are longer than their size says: the rest of them is read, too.
                content = opened.read(status.st_size + 1)
                if len(content) <= status.st_size:
                    return content
                return _bounded(content + opened.read(LARGEST), file)
            return _bounded(opened.read(LARGEST + 1), file)
    except OSError as error:
        raise InputError(f"cannot read it: {error.strerror}", where=file) from error
    except ValueError as error:
        raise InputError(f"not a file name: {error}", where=repr(file)) from error


def _bounded(content: bytes, name: str) -> bytes:
    if len(content) > LARGEST:
        raise LimitError(f"larger than {LARGEST >> 20} MiB", where=name, advice="split it into smaller files")
    return content
