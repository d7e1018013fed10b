"""The inputs of `-f`: files, directories, URLs and standard input; their documents, and the Pods in these."""

from __future__ import annotations

import os
import stat
import sys
from typing import TYPE_CHECKING

from msgspec import Struct

from podward.cli import terminal
from podward.documents.document import Document
from podward.documents.reader import decode_documents, read_all
from podward.errors import InputError, LimitError, PodwardError, TemplateError, UsageError
from podward.path import path
from podward.schema.pod_kinds import BUILT_IN, PodKinds, holds_containers, is_known, with_rows
from podward.schema.workload import PodSource, pod_sources

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

LARGEST = 64 * 1024 * 1024
"""The largest file, in bytes; the limit for one document is much lower."""
EXTENSIONS = (".yaml", ".yml", ".json")
STDIN = "<stdin>"
_URLS = ("https://", "http://")


_POD_ADVICE = "name a file with a Pod or a workload"


def documents(names: list[str], advice: str = _POD_ADVICE) -> tuple[Document, ...]:
    """Every document of these files, directories (their .yaml, .yml and .json files), URLs and `-`, standard input.

    `advice` is for the error if there is no document.
    """
    found: list[Document] = []
    for name in names:
        for file in _files(name):
            found += _decoded(content_of(file), STDIN if file == "-" else file)
    if not found:
        raise InputError("no document found", where=", ".join(names), advice=advice)
    return tuple(found)


def _decoded(content: bytes, name: str) -> tuple[Document, ...]:
    """The documents of a file. Raises InputError for the first that is none, and for a template of Helm."""
    if b"{{" in content:
        from podward.documents.helm import template_in

        template = template_in(content, read_all(content, name), name)
        if template is not None:
            raise template
    return decode_documents(content, name)


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
            for file in _files(name):
                _read_into(given, file)
        except InputError as error:
            given.errors.append(error)
    if not given.documents and not given.errors:
        raise InputError("no document found", where=", ".join(names), advice=_POD_ADVICE)
    kinds = _kinds(given.documents)
    for document in tuple(given.documents):
        try:
            given.pods += (_in_namespace(source, namespace) for source in pod_sources(document, kinds))
        except InputError as error:
            given.errors.append(error)
            given.documents.remove(document)
    if not given.pods and not given.errors:
        raise _no_pod(given.documents)
    return given


def _read_into(given: GivenPods, file: str) -> None:
    """Read the documents of a file; of a template of Helm there are none, and one error."""
    shown = STDIN if file == "-" else file
    try:
        content = content_of(file)
    except InputError as error:
        given.errors.append(error)
        return
    try:
        given.documents += _decoded(content, shown)
    except TemplateError as error:
        given.errors.append(error)
    except InputError:
        found = read_all(content, shown)
        given.documents += found.documents
        given.errors += found.errors


def _kinds(documents: Iterable[Document]) -> PodKinds:
    """Where custom resources hold their Pods; a configuration is looked for only where the table does not know one."""
    for document in documents:
        group = document.api_version.rpartition("/")[0]
        if "." in group and not is_known(group, document.kind, BUILT_IN) and holds_containers(document.raw):
            from podward.cli.checking import settings

            configured = settings.find(os.getcwd())
            return with_rows(configured.pod_kinds) if configured is not None else BUILT_IN
    return BUILT_IN


def _no_pod(documents: Sequence[Document]) -> InputError:
    kinds = ", ".join(sorted({document.kind for document in documents}))
    advice = "podward takes Pods, and the Pods of workload kinds"
    return InputError(f"no Pod in it, only {kinds}", where=documents[0].name, advice=advice)


def pods_of(documents: tuple[Document, ...], namespace: str = "") -> tuple[PodSource, ...]:
    """Every Pod of the documents, also the Pods of workloads. Raises InputError if there is none.

    `namespace` is that of what names none; of what names another one a note on standard error says so.
    """
    kinds = _kinds(documents)
    sources = tuple(source for document in documents for source in pod_sources(document, kinds))
    if not sources:
        raise _no_pod(documents)
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
