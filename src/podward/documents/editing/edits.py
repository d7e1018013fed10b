"""Editing a manifest: some fields change, every other byte of the file stays.

Comments, order, quotes, indentation, line breaks and a byte order mark are kept, and so are the other documents of the
file, even those that cannot be read. New text is written in the style of the text around it (`style`, `positions`,
`blocks`, `flows`). `edited` reads its result again and compares it with the old documents and the changes
(`edited_value`). If they are not equal, it raises.
"""

from __future__ import annotations

from bisect import bisect
from typing import TYPE_CHECKING

from msgspec import Struct

from podward.api.explanation import Change
from podward.documents.editing.edited_value import changed, changed_with_removals, drop_removed, same
from podward.documents.editing.json_nodes import json_nodes
from podward.documents.editing.nodes import UneditableError
from podward.documents.editing.positions import Position
from podward.documents.editing.source_text import SourceText
from podward.documents.editing.style import json_style, yaml_style
from podward.documents.editing.walking import Walker
from podward.documents.editing.yaml_nodes import SEPARATOR, yaml_nodes
from podward.documents.reader import read_all
from podward.documents.yaml.libyaml import YAMLError
from podward.documents.yaml.scalars import ScalarError
from podward.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from podward.api.json_value import Json, JsonObject
    from podward.documents.document import Document
    from podward.documents.editing.nodes import Map
    from podward.documents.editing.style import Style
    from podward.documents.reader import Reading

_UTF8_MARK = "\ufeff"
_ROUNDS = 4  # one that removes, one that adds, one that finds nothing left to do, and one to spare
_LISTED = 3  # changes that an error lists


class Edit(Struct, frozen=True):
    """A change of one document; `document` is the document's index in the file, as `read_all` counts them."""

    document: int
    change: Change


def edited(content: bytes, name: str, edits: Sequence[Edit]) -> bytes:
    """The `content` of the file `name` with the edits made; the same bytes if there is nothing to change.

    Raises InputError if a document cannot be read, or cannot be edited so that it has the wanted value.
    """
    reading = read_all(content, name)
    documents = reading.documents
    if reading.errors and any(edit.document >= len(documents) for edit in edits):
        raise reading.errors[0]
    changes: dict[int, list[Change]] = {}
    for edit in edits:
        changes.setdefault(edit.document, []).append(edit.change)
    wanted = [document.raw for document in documents]
    targets: dict[int, JsonObject] = {}
    for index, made in changes.items():
        try:
            wanted[index] = changed(documents[index].raw, made)
            if not same(wanted[index], documents[index].raw):
                targets[index] = changed_with_removals(documents[index].raw, made)
        except (LookupError, TypeError) as error:
            raise _uneditable(documents, index, name, f"a change does not fit it: {error}", made) from None
    if not targets:
        return content
    mark, encoding = _encoding(content)
    text = content.decode(encoding).removeprefix(_UTF8_MARK)
    text = _with_values(
        text,
        targets,
        _parts(text, documents),
        lambda index, reason: _uneditable(documents, index, name, reason, changes[index]),
    )
    result = (mark + text).encode(encoding)
    _verify(result, name, reading, wanted, changes)
    return result


def _parts(text: str, documents: Sequence[Document]) -> list[int]:
    """For each YAML document, the index of the part of the file that it stands in: lines with `---` end a part."""
    separators = [number for number, line in enumerate(text.split("\n"), 1) if line.startswith(SEPARATOR)]
    return [bisect(separators, document.first_line) for document in documents]


def _with_values(
    text: str, targets: dict[int, JsonObject], parts: Sequence[int], refusal: Callable[[int, str], InputError]
) -> str:
    """The text in which the documents have the values `targets`. Raises `refusal` for a document that cannot have it.

    Several rounds may be needed: what loses something in one round gains its new parts in the next.
    """
    ended = text.endswith("\n")
    wanted: dict[int, Json] = dict(targets)
    styles: dict[int, Style] = {}  # as the authors wrote, before anything was changed
    for _ in range(_ROUNDS):
        source = SourceText(text)
        index = min(wanted, default=0)
        unfinished = False
        try:
            roots, style_of = _roots(text, source, {parts[index]: index for index in wanted})
            for index, value in wanted.items():
                root = roots[index]
                style = styles.setdefault(index, style_of(root, source))
                position = Position("", -1, None, style.dash, style.flow if root.flow else None)
                walker = Walker(source, style)
                walker.walk(root, value, position)
                unfinished = walker.unfinished or unfinished
            if source.untouched:
                return text
            text = source.finished()
        except UneditableError as reason:
            raise refusal(index, str(reason)) from None
        except (YAMLError, ScalarError, KeyError):
            raise refusal(index, "the text would not be valid") from None
        text = text if ended else text.removesuffix(source.newline)
        if not unfinished:
            return text
        wanted = {index: drop_removed(value) for index, value in wanted.items()}
    raise refusal(min(wanted, default=0), "its text does not come to rest")


def _roots(
    text: str, source: SourceText, wanted: dict[int, int]
) -> tuple[dict[int, Map], Callable[[Map, SourceText], Style]]:
    """The trees of the documents that are `wanted` (by part of the file), and the function to find a tree's style."""
    if text.lstrip(" \t\n\r\v\f").startswith("{"):
        roots = json_nodes(text)
        if roots is not None:
            return dict(enumerate(roots)), json_style
    return yaml_nodes(source, len(text), wanted), yaml_style


def _verify(
    result: bytes,
    name: str,
    reading: Reading,
    wanted: Sequence[JsonObject],
    changes: dict[int, list[Change]],
) -> None:
    """Read the result again. Raises InputError if any document does not have the value that it should have."""
    documents, first = reading.documents, min(changes, default=0)
    again = read_all(result, name)
    known = {error.what for error in reading.errors}
    error = next((error for error in again.errors if error.what not in known), None)
    if error is not None:
        raise _uneditable(documents, first, name, f"the text would not be valid: {error.what}", changes[first])
    found = again.documents
    for index, (want, have) in enumerate(zip(wanted, found, strict=False)):
        if not same(want, have.raw):
            at = index if index in changes else first
            raise _uneditable(documents, at, name, "more or less than wanted would change", changes[at])
    if len(found) != len(wanted) or len(again.errors) != len(reading.errors):
        raise _uneditable(documents, first, name, "the documents after it would change", changes[first])


def _encoding(content: bytes) -> tuple[str, str]:
    """The file's byte order mark, empty if there is none, and its encoding."""
    if content[:2] == b"\xff\xfe":
        return _UTF8_MARK, "utf-16-le"
    if content[:2] == b"\xfe\xff":
        return _UTF8_MARK, "utf-16-be"
    return _UTF8_MARK if content.startswith(_UTF8_MARK.encode()) else "", "utf-8"


def _uneditable(
    documents: Sequence[Document], index: int, name: str, reason: str, changes: Sequence[Change]
) -> InputError:
    if index >= len(documents):
        return InputError(f"there is no document {index + 1} to edit: the file has {len(documents)}", where=name)
    document = documents[index]
    listed = [f"remove {c.path}" if c.value is None else f"set {c.path}" for c in changes[:_LISTED]]
    more = f" and {len(changes) - _LISTED} more" if len(changes) > _LISTED else ""
    return InputError(
        f"{document.kind or 'the document'} (document {index + 1}) cannot be edited: {reason}",
        where=f"{name}:{document.first_line}",
        advice=f"edit it by hand: {', '.join(listed)}{more}",
    )
