"""The inputs of `-f`: files, directories, URLs and standard input; and their documents."""

from __future__ import annotations

import os
import stat
import sys

from podward.documents.document import Document
from podward.documents.reader import decode_documents, read_all
from podward.errors import InputError, LimitError, UsageError

LARGEST = 64 * 1024 * 1024
"""The largest file, in bytes; the limit for one document is much lower."""
EXTENSIONS = (".yaml", ".yml", ".json")
STDIN = "<stdin>"
_URLS = ("https://", "http://")
POD_ADVICE = "name a file with a Pod or a workload"


def documents(names: list[str], advice: str = POD_ADVICE) -> tuple[Document, ...]:
    """Every document of these files, directories (their .yaml, .yml and .json files), URLs and `-`, standard input.

    `advice` is for the error if there is no document.
    """
    found: list[Document] = []
    for name in names:
        for file in files_of(name):
            found += decoded(content_of(file), STDIN if file == "-" else file)
    if not found:
        raise InputError("no document found", where=", ".join(names), advice=advice)
    return tuple(found)


def decoded(content: bytes, name: str) -> tuple[Document, ...]:
    """The documents of a file. Raises InputError for the first that is none, and for a template of Helm."""
    if b"{{" in content:
        from podward.documents.helm import template_in

        template = template_in(content, read_all(content, name), name)
        if template is not None:
            raise template
    return decode_documents(content, name)


def is_url(name: str) -> bool:
    """Whether this is a URL, not the name of a file."""
    return name.startswith(_URLS)


def content_of(file: str) -> bytes:
    """The content of a file, a URL, or `-` (standard input). Raises InputError if it can't be read or is too large."""
    if is_url(file):
        from podward.cli import urls

        return urls.content(file, LARGEST)
    return _standard_input() if file == "-" else _content(file)


def files_of(name: str) -> list[str]:
    """The file of this name, or the manifests of the directory. Raises InputError if it has none."""
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
