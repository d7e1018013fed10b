"""Reading manifests: from the bytes of a YAML or JSON file to its documents, as Kubernetes reads them.

Specification: kubectl (k8s.io/apimachinery's YAMLOrJSONDecoder) for what is a document, goyaml v2 and
sigs.k8s.io/yaml for what it says (`yaml.exact`, `yaml.scalars`), encoding/json for JSON (`json.exact`). For both there
is a fast reader (`yaml.fast`, `json.fast`), which returns the same or leaves the text to the exact one.
- A file whose first character, white space aside, is `{` is JSON, one or several objects; if it isn't valid JSON, it
  is read as YAML, which also knows braces.
- YAML is split at lines that start with `---`, wherever they stand; only a comment may follow on such a line. Each
  part is one document. Empty parts, and parts that say `null`, are passed over.
- Kubernetes silently ignores what comes after a document's end (`...`); here that is an error.
- UTF-8, or UTF-16 with a byte order mark. An object has at most 3 MiB, the API server's limit on a request; only a
  list of objects may be longer (`long_lists`). A file has at most 100,000 documents.
Nothing here needs more than some hundred MB, or longer than a few seconds for 3 MiB, whatever the bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct

from podward.api.json_value import kind_of, shortened
from podward.documents.document import Document
from podward.documents.parsed_value import (
    MAX_BYTES,
    MAX_DOCUMENTS,
    LimitExceededError,
    ParsedValue,
    ParseError,
    size_of,
)
from podward.errors import InputError, LimitError, OtherDocumentError

if TYPE_CHECKING:
    from collections.abc import Iterator

_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_UTF8_MARK = b"\xef\xbb\xbf"
_SPACE = " \t\n\r\v\f"
_FEW = 64 * 1024  # bytes: less is read sooner without loading what is needed to read fast


class _Readers(Struct, frozen=True):
    """A reader of one YAML document, and a reader of a whole JSON file."""

    yaml: Callable[[str, int], ParsedValue | None]
    json: Callable[[str, int], tuple[ParsedValue, ...]]


class Reading(Struct, frozen=True):
    """The good documents of a file, in order, and an error for each bad one."""

    documents: tuple[Document, ...]
    errors: tuple[InputError, ...]


def decode_documents(text: bytes, name: str) -> tuple[Document, ...]:
    """Every document of `text`, which is the content of the file `name`.

    Raises InputError with the line for anything that is no manifest: syntax, encoding, size, depth, duplicate keys, a
    document that is no object.
    """
    found: list[Document] = []
    for item in _read(text, name, _EXACT if len(text) < _FEW else _FAST):
        if isinstance(item, InputError):
            raise item
        found.append(item)
    return tuple(found)


def read_all(text: bytes, name: str) -> Reading:
    """Every good document of `text`, and an error for each bad one.

    An error of the file itself, such as its encoding or a line that separates documents, ends the reading.
    """
    documents: list[Document] = []
    errors: list[InputError] = []
    for item in _read(text, name, _FAST):
        if isinstance(item, InputError):
            errors.append(item)
        else:
            documents.append(item)
    return Reading(tuple(documents), tuple(errors))


def _read(data: bytes, name: str, readers: _Readers) -> Iterator[Document | InputError]:
    """Each document in order, or the error that it has."""
    try:
        text = _decoded(data, name)
        if text.lstrip(_SPACE)[:1] == "{":
            documents = _json_documents(text, name, readers)
            if documents is not None:
                yield from documents
                return
        for line, part in _split(text, name):
            try:
                parsed = _long_list(part, line) if _is_large(part) else readers.yaml(part, line)
            except ParseError as error:
                yield _located(error, name)
                continue
            if parsed is not None and parsed.value is not None:
                yield _document(parsed, name)
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


def _json_documents(text: str, name: str, readers: _Readers) -> tuple[Document | InputError, ...] | None:
    """The documents of a JSON file; None if the file is not JSON, but may be YAML."""
    from podward.documents.json.exact import JsonSyntaxError

    try:
        found = _long_json_list(text) if _is_large(text) else readers.json(text, 1)
    except JsonSyntaxError as error:
        return (_located(error, name),) if name.endswith(".json") else None
    except ParseError as error:
        return (_located(error, name),)
    return tuple(_document(parsed, name) for parsed in found)


def _document(parsed: ParsedValue, name: str) -> Document | InputError:
    if not isinstance(parsed.value, dict):
        return OtherDocumentError(
            f"a manifest must be an object with apiVersion and kind, not {kind_of(parsed.value)}",
            where=f"{name}:{parsed.line}",
        )
    return Document(name, parsed.value, parsed.line, parsed.lines)


def _split(data: str, name: str) -> Iterator[tuple[int, str]]:
    """The parts of the file between lines that start with `---`, each with the number of its first line.

    A part begins with the line break before it; so the first part begins on a line 0, which is put before the file.
    """
    text = "\n" + data
    start, line = 0, 0
    for _ in range(MAX_DOCUMENTS):
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
    raise LimitError(f"more than {MAX_DOCUMENTS:,} documents", where=f"{name}:{line}")


def _is_large(text: str) -> bool:
    return len(text) > _SURELY_FEW and size_of(text) > MAX_BYTES


def _long_list(part: str, first_line: int) -> ParsedValue:
    from podward.documents.long_lists import read_long_list

    return read_long_list(part, first_line, _FAST.yaml)


def _long_json_list(text: str) -> tuple[ParsedValue, ...]:
    from podward.documents.long_lists import read_long_json_list

    return read_long_json_list(text, _FAST.json)


def _yaml_exactly(part: str, first_line: int) -> ParsedValue | None:
    from podward.documents.yaml.exact import read_yaml

    return read_yaml(part, first_line)


def _json_exactly(text: str, first_line: int) -> tuple[ParsedValue, ...]:
    from podward.documents.json.exact import read_json

    return read_json(text, first_line)


def _yaml_fast(part: str, first_line: int) -> ParsedValue | None:
    from podward.documents.parsed_value import OutsideSubsetError
    from podward.documents.yaml.fast import read_yaml_fast

    try:
        # To libyaml either is a line break; a carriage return anywhere else is outside the subset.
        return read_yaml_fast(part.replace("\r\n", "\n") if "\r" in part else part, first_line)
    except OutsideSubsetError:
        return _yaml_exactly(part, first_line)


def _json_fast(text: str, first_line: int) -> tuple[ParsedValue, ...]:
    from podward.documents.json.fast import read_json_fast
    from podward.documents.parsed_value import OutsideSubsetError

    try:
        return read_json_fast(text, first_line)
    except OutsideSubsetError:
        return _json_exactly(text, first_line)


def _located(error: ParseError, name: str) -> InputError:
    column = f":{error.column}" if error.column is not None else ""
    kind = LimitError if isinstance(error, LimitExceededError) else InputError
    return kind(error.what, where=f"{name}:{error.line}{column}", advice=error.advice)


_SURELY_FEW = MAX_BYTES // 4  # characters: of at most 4 bytes each
_EXACT = _Readers(_yaml_exactly, _json_exactly)
_FAST = _Readers(_yaml_fast, _json_fast)
