"""Reading manifests: bytes of YAML or JSON to documents, with Kubernetes' meaning.

Specification: kubectl (k8s.io/apimachinery's YAMLOrJSONDecoder) for what is a document, goyaml v2 and
sigs.k8s.io/yaml for what it says (`composer`, `scalars`), encoding/json for JSON (`json_reader`). For both there is a
fast way (`yaml.row_reader`, `json.quick`), which answers the same or leaves the text to the other.
- A file whose first character, white space aside, is `{` is JSON, one or several objects; if it isn't valid JSON, it
  is read as YAML, which also knows braces.
- YAML is split at lines that start with `---`, wherever they stand; only a comment may follow on such a line. Each
  part is one document. Empty parts, and parts that say `null`, are passed over.
- Where Kubernetes silently ignores what comes after a document's end (`...`), we refuse it.
- UTF-8, or UTF-16 with a byte order mark. An object has at most 3 MiB, the API server's limit on a request; only a
  list of objects may be longer (`long_lists`). A file has at most 100,000 documents.
Nothing here needs more than some hundred MB, or longer than a few seconds for 3 MiB, whatever the bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct

from podward.api.json_value import kind_of, shortened
from podward.documents.composed import (
    MOST_BYTES,
    MOST_DOCUMENTS,
    Composed,
    ComposeError,
    TooMuchError,
    size_of,
)
from podward.documents.document import Document
from podward.errors import InputError, LimitError, OtherDocumentError

if TYPE_CHECKING:
    from collections.abc import Iterator

_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_UTF8_MARK = b"\xef\xbb\xbf"
_SPACE = " \t\n\r\v\f"
_FEW = 64 * 1024  # bytes: less is read sooner without loading what is needed to read fast


class _Way(Struct, frozen=True):
    """A way of reading: one document of YAML, and all of a file of JSON."""

    yaml: Callable[[str, int], Composed | None]
    json: Callable[[str, int], tuple[Composed, ...]]


class Reading(Struct, frozen=True):
    """What a file holds: its documents in order, and what is wrong with the others."""

    documents: tuple[Document, ...]
    errors: tuple[InputError, ...]


def decode_documents(text: bytes, name: str) -> tuple[Document, ...]:
    """Every document of `text`, which came from the file `name`.

    Raises InputError, saying the line, for whatever is not a manifest: syntax, encoding, size, depth, duplicate keys,
    a document that is no object.
    """
    found: list[Document] = []
    for item in _read(text, name, _EXACT if len(text) < _FEW else _FAST):
        if isinstance(item, InputError):
            raise item
        found.append(item)
    return tuple(found)


def read_all(text: bytes, name: str) -> Reading:
    """Every good document of `text`, and an error for each bad one.

    What is wrong with the file itself, such as its encoding or a line that separates documents, ends it.
    """
    documents: list[Document] = []
    errors: list[InputError] = []
    for item in _read(text, name, _FAST):
        if isinstance(item, InputError):
            errors.append(item)
        else:
            documents.append(item)
    return Reading(tuple(documents), tuple(errors))


def _read(data: bytes, name: str, way: _Way) -> Iterator[Document | InputError]:
    """The documents in order, or what is wrong with each."""
    try:
        text = _decoded(data, name)
        if text.lstrip(_SPACE)[:1] == "{":
            documents = _json_documents(text, name, way)
            if documents is not None:
                yield from documents
                return
        for line, part in _split(text, name):
            try:
                composed = _long_list(part, line) if _is_large(part) else way.yaml(part, line)
            except ComposeError as error:
                yield _located(error, name)
                continue
            if composed is not None and composed.value is not None:
                yield _document(composed, name)
    except InputError as error:
        yield error


def _decoded(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-16") if data[:2] in _UTF16_MARKS else data.removeprefix(_UTF8_MARK).decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"not {error.encoding.upper()} text: {error.reason}",
            where=f"{name}:{line}",
            advice="save the file as UTF-8",
        ) from None


def _json_documents(text: str, name: str, way: _Way) -> tuple[Document | InputError, ...] | None:
    """The documents of a file of JSON; None if it is no JSON, but may be YAML."""
    from podward.documents.json.exact import JsonSyntaxError

    try:
        found = _long_json_list(text) if _is_large(text) else way.json(text, 1)
    except JsonSyntaxError as error:
        return (_located(error, name),) if name.endswith(".json") else None
    except ComposeError as error:
        return (_located(error, name),)
    return tuple(_document(composed, name) for composed in found)


def _document(composed: Composed, name: str) -> Document | InputError:
    if not isinstance(composed.value, dict):
        return OtherDocumentError(
            f"a manifest must be an object with apiVersion and kind, not {kind_of(composed.value)}",
            where=f"{name}:{composed.line}",
        )
    return Document(name, composed.value, composed.line, composed.lines)


def _split(data: str, name: str) -> Iterator[tuple[int, str]]:
    """The parts between the lines that start with `---`, each with the number of its first line.

    Each part begins with the line break before it, so the first one begins on a line 0 that is put before the file.
    """
    text = "\n" + data
    start, line = 0, 0
    for _ in range(MOST_DOCUMENTS):
        separator = text.find("\n---", start) + 1
        end = separator or len(text)
        yield line, text[start:end]
        if not separator:
            return
        line += text.count("\n", start, end)
        start = text.find("\n", separator)
        words = text[separator : start if start > 0 else len(text)].rstrip(_SPACE)
        if words[3:].lstrip(_SPACE)[:1] not in {"", "#"}:
            raise InputError(
                f"invalid document separator: {shortened(words)}",
                where=f"{name}:{line}",
                advice="begin the document on the line after ---",
            )
        if start < 0:
            return
    raise LimitError(f"more than {MOST_DOCUMENTS:,} documents", where=f"{name}:{line}")


def _is_large(text: str) -> bool:
    return len(text) > _SURELY_FEW and size_of(text) > MOST_BYTES


def _long_list(part: str, first_line: int) -> Composed:
    from podward.documents.long_lists import read_long_list

    return read_long_list(part, first_line, _FAST.yaml)


def _long_json_list(text: str) -> tuple[Composed, ...]:
    from podward.documents.long_lists import read_long_json_list

    return read_long_json_list(text, _FAST.json)


def _yaml_exactly(part: str, first_line: int) -> Composed | None:
    from podward.documents.yaml.exact import read_yaml

    return read_yaml(part, first_line)


def _json_exactly(text: str, first_line: int) -> tuple[Composed, ...]:
    from podward.documents.json.exact import read_json

    return read_json(text, first_line)


def _yaml_fast(part: str, first_line: int) -> Composed | None:
    from podward.documents.yaml.flow import OutsideSubsetError
    from podward.documents.yaml.row_reader import read_rows

    try:
        # To libyaml either is a line break; a carriage return anywhere else is outside the subset.
        return read_rows(part.replace("\r\n", "\n") if "\r" in part else part, first_line)
    except OutsideSubsetError:
        return _yaml_exactly(part, first_line)


def _json_fast(text: str, first_line: int) -> tuple[Composed, ...]:
    from podward.documents.json.quick import read_json_quickly
    from podward.documents.yaml.flow import OutsideSubsetError

    try:
        return read_json_quickly(text, first_line)
    except OutsideSubsetError:
        return _json_exactly(text, first_line)


def _located(error: ComposeError, name: str) -> InputError:
    column = f":{error.column}" if error.column is not None else ""
    kind = LimitError if isinstance(error, TooMuchError) else InputError
    return kind(error.what, where=f"{name}:{error.line}{column}", advice=error.advice)


_SURELY_FEW = MOST_BYTES // 4  # characters: of at most 4 bytes each
_EXACT = _Way(_yaml_exactly, _json_exactly)
_FAST = _Way(_yaml_fast, _json_fast)
