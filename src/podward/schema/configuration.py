"""A configuration file of a server as a typed value: one document, its fields strictly those of its kind.

Every error names the file, the line and the field.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar

import msgspec
from msgspec import Struct

from podward.documents.reader import decode_documents
from podward.errors import InputError
from podward.path import Path, path

if TYPE_CHECKING:
    from podward.documents.document import Document

T = TypeVar("T")
_ALL = Path()
_PLACE = re.compile(r"(.*) - at `\$?([^`]*)`", re.DOTALL)
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")


class Expected(Struct, frozen=True):
    """What a file must hold: its name in a sentence, its kind and versions, and how to write it."""

    what: str
    kind: str
    versions: tuple[str, ...]
    advice: str


def the_document(text: bytes, name: str, expected: Expected) -> Document:
    """The one document of the file. Raises InputError where it is no such one."""
    advice = expected.advice
    documents = decode_documents(text, name)
    if len(documents) != 1:
        raise InputError(f"{expected.what} must be one document; here are {len(documents)}", where=name, advice=advice)
    document = documents[0]
    if document.api_version not in expected.versions or document.kind != expected.kind:
        found = f"this is {document.kind or 'an object without a kind'} of {document.api_version or 'no version'}"
        raise InputError(f"{found}, not {expected.what}", where=document.where(path("kind")), advice=advice)
    return document


def typed(document: Document, kind: type[T], advice: str, inside: Path = _ALL) -> T:
    """The document's object, or the one in it at `inside`.

    Raises InputError for a field of another type, and for one that there is not.
    """
    found: object = document.raw
    for step in inside.segments:
        found = found[step] if isinstance(found, dict | list) else None  # type: ignore[index]
    try:
        return msgspec.convert(found, kind)
    except msgspec.ValidationError as error:
        raise _misfit(document, str(error), advice, inside) from None


def _misfit(document: Document, text: str, advice: str, inside: Path) -> InputError:
    matched = _PLACE.fullmatch(text)
    what, place = matched.groups() if matched is not None else (text, "")
    at = Path((*inside.segments, *(name or int(index) for name, index in _STEP.findall(place))))
    unknown = re.search("unknown field `([^`]*)`", what)
    if unknown is not None:
        at, what = at / unknown[1], "there is no such field"
    return InputError(f"{at}: {what}" if at.segments else what, where=document.where(at), advice=advice)
