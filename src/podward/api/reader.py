"""Reading manifests: bytes of YAML or JSON to documents, with Kubernetes' meaning.

Specification: kubectl 1.36 (k8s.io/apimachinery's YAMLOrJSONDecoder) for what is a document, goyaml v2 and
sigs.k8s.io/yaml for what it says (`composer`, `scalars`), encoding/json for JSON (`json_reader`).
- A file whose first character, white space aside, is `{` is JSON, one or several objects; if it isn't valid JSON, it
  is read as YAML, which also knows braces.
- YAML is split at lines that start with `---`, wherever they stand; only a comment may follow on such a line. Each
  part is one document. Empty parts, and parts that say `null`, are passed over.
- Where Kubernetes silently ignores what comes after a document's end (`...`), we refuse it.
- UTF-8, or UTF-16 with a byte order mark. A document has at most 3 MiB, the API server's limit on a request; a file at
  most 100,000 documents.
Nothing here runs longer than a few seconds or needs more than some hundred MB, whatever the bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.api.composer import MOST_BYTES, MOST_DOCUMENTS, Composed, ComposeError, compose
from podward.api.document import Document
from podward.api.json_value import kind_of, shortened
from podward.api.libyaml import MarkedYAMLError, YAMLError
from podward.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

_CONTROLS = bytes(code for code in (*range(0x20), 0x7F) if code not in b"\t\n\r")
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_UTF8_MARK = b"\xef\xbb\xbf"


def decode_documents(text: bytes, name: str) -> tuple[Document, ...]:
    """Every document of `text`, which came from the file `name`.

    Raises InputError, saying the line, for whatever is not a manifest: syntax, encoding, size, depth, duplicate keys,
    a document that is no object.
    """
    data = _as_utf8(text, name)
    if data.lstrip(b" \t\n\r\v\f")[:1] == b"{":
        documents = _json_documents(data, name)
        if documents is not None:
            return documents
    found: list[Document] = []
    for number, (first_line, part) in enumerate(_split(data, name)):
        if number == MOST_DOCUMENTS:
            raise InputError(f"more than {MOST_DOCUMENTS:,} documents", where=f"{name}:{first_line}")
        composed = _compose(part, first_line, name)
        if composed is not None and composed.value is not None:
            found.append(_document(composed, name))
    return tuple(found)


def _document(composed: Composed, name: str) -> Document:
    if not isinstance(composed.value, dict):
        raise InputError(
            f"a manifest must be an object with apiVersion and kind, not {kind_of(composed.value)}",
            where=f"{name}:{composed.line}",
        )
    return Document(name, composed.value, composed.line, composed.lines)


def _as_utf8(text: bytes, name: str) -> bytes:
    try:
        if text[:2] in _UTF16_MARKS:
            return text.decode("utf-16").encode()
        data = text.removeprefix(_UTF8_MARK)
        data.decode()
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"not {error.encoding.upper()} text: {error.reason}", where=f"{name}:{line}", advice=_ENCODING_ADVICE
        ) from None
    except UnicodeEncodeError as error:  # half of a surrogate pair in UTF-16
        raise InputError(f"not UTF-16 text: {error.reason}", where=f"{name}:1", advice=_ENCODING_ADVICE) from None
    return data


def _json_documents(data: bytes, name: str) -> tuple[Document, ...] | None:
    from podward.api.json_reader import JsonSyntaxError, read_json

    if len(data) > MOST_BYTES:
        raise _too_large(len(data), f"{name}:1")
    try:
        return tuple(_document(composed, name) for composed in read_json(data.decode(), 1))
    except JsonSyntaxError as error:
        if name.endswith(".json"):
            raise _located(error, name) from None
        return None
    except ComposeError as error:
        raise _located(error, name) from None


def _split(data: bytes, name: str) -> Iterator[tuple[int, bytes]]:
    """The parts between the lines that start with `---`, each with the number of its first line.

    Each part begins with the line break before it, so the first one begins on a line 0 that is put before the file.
    """
    text = b"\n" + data
    start, line = 0, 0
    while True:
        separator = text.find(b"\n---", start) + 1
        end = separator or len(text)
        if end - start > MOST_BYTES:
            raise _too_large(end - start, f"{name}:{line + 1}")
        yield line, text[start:end]
        if not separator:
            return
        line += text.count(b"\n", start, end)
        start = text.find(b"\n", separator)
        words = text[separator : start if start > 0 else len(text)].rstrip()
        if words[3:].lstrip()[:1] not in {b"", b"#"}:
            raise InputError(
                f"invalid document separator: {shortened(words.decode())}",
                where=f"{name}:{line}",
                advice="begin the document on the line after ---",
            )
        if start < 0:
            return


def _compose(part: bytes, first_line: int, name: str) -> Composed | None:
    if len(part.translate(None, _CONTROLS)) != len(part):
        at = next(index for index, code in enumerate(part) if code in _CONTROLS)
        raise _not_a_character(part, at, part[at], first_line, name)
    try:
        composed = compose(part, first_line)
    except ComposeError as error:
        raise _located(error, name) from None
    except MarkedYAMLError as error:
        raise _syntax_error(error, part, first_line, name) from None
    except YAMLError as error:
        # libyaml's reader says the byte and the character, its other parts a mark.
        offset, character = getattr(error, "position", None), getattr(error, "character", None)
        if not isinstance(offset, int) or not isinstance(character, int):
            raise InputError(f"invalid YAML: {error}", where=f"{name}:{first_line}") from None
        raise _not_a_character(part, offset, character, first_line, name) from None
    if composed is not None and composed.rest is not None:
        raise InputError(
            "another document begins here, which Kubernetes would silently ignore",
            where=f"{name}:{composed.rest}",
            advice="separate documents by a line that starts with ---",
        )
    return composed


def _syntax_error(error: MarkedYAMLError, part: bytes, first_line: int, name: str) -> InputError:
    last = part.rstrip(b"\r\n").count(b"\n")  # a text that ends too early is at fault in its last line
    mark = error.problem_mark if error.problem_mark is not None else error.context_mark
    where = f"{name}:{first_line + last}"
    if mark is not None and mark.line <= last:
        where = f"{name}:{first_line + mark.line}:{mark.column + 1}"
    context = ""
    if error.context and error.context_mark is not None and error.context_mark.line <= last:
        context = f" ({error.context} that begins on line {first_line + error.context_mark.line})"
    advice = ""
    if error.problem == _CANNOT_START and mark is not None and _is_tab(part, mark.line, mark.column):
        advice = "indent with spaces: YAML allows no tabs there"
    return InputError(f"invalid YAML: {error.problem or error.context}{context}", where=where, advice=advice)


def _is_tab(part: bytes, line: int, column: int) -> bool:
    lines = part.split(b"\n", line + 1)
    return line < len(lines) and lines[line].decode(errors="replace")[column : column + 1] == "\t"


def _not_a_character(part: bytes, at: int, code: int, first_line: int, name: str) -> InputError:
    line = first_line + part.count(b"\n", 0, at)
    column = len(part[part.rfind(b"\n", 0, at) + 1 : at].decode(errors="replace")) + 1
    return InputError(
        f"the character U+{code:04X} is not allowed in YAML",
        where=f"{name}:{line}:{column}",
        advice='is this a text file? In a string in double quotes it can be written as "\\x…"',
    )


def _located(error: ComposeError, name: str) -> InputError:
    column = f":{error.column}" if error.column is not None else ""
    return InputError(error.what, where=f"{name}:{error.line}{column}", advice=error.advice)


def _too_large(size: int, where: str) -> InputError:
    return InputError(
        f"the document has {size:,} bytes, more than the {MOST_BYTES:,} that an API server takes",
        where=where,
        advice="split it into several documents by lines that start with ---",
    )


_CANNOT_START = "found character that cannot start any token"
_ENCODING_ADVICE = "save the file as UTF-8"
