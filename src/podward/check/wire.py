"""What processes tell each other, and what a cache keeps: one file's outcome and its policies as MessagePack.

Each form has a type, and decoding holds what comes to it: no bytes make anything but these values. Names of files are
not in it; whoever decodes says which file it was.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

import msgspec
from msgspec import Raw, Struct
from msgspec.msgpack import Decoder, Encoder

from podward.api.explanation import Change
from podward.api.finding import Finding, Severity, WorkloadRef
from podward.api.report import Checked, Waiver
from podward.check.waivers import Granted, Holder
from podward.documents.document import Document
from podward.path import Key, Path
from podward.schema.objects import Item

if TYPE_CHECKING:
    from podward.api.json_value import JsonObject
    from podward.documents.parsed_value import Lines

WireError = msgspec.MsgspecError
"""The bytes are not of the form."""

_Steps: TypeAlias = tuple[str | int | tuple[str], ...]
_Four: TypeAlias = tuple[str, str, str, str]


class Outcome(Struct, frozen=True):
    """What came of one file: findings, the waivers written in it, and the workloads that were looked at."""

    findings: tuple[Finding, ...] = ()
    granted: tuple[Granted, ...] = ()
    checked: tuple[Checked, ...] = ()


class _Part(Struct, array_like=True, frozen=True, gc=False, forbid_unknown_fields=True):
    """Base: fields by their place."""


class _Change(_Part, frozen=True):
    path: _Steps
    value: Raw


class _Finding(_Part, frozen=True):
    rule: str
    severity: Severity
    line: int
    document: int
    path: _Steps
    subject: _Four
    message: str
    policy: str
    remedy: str
    changes: tuple[_Change, ...]


class _Granted(_Part, frozen=True):
    """A waiver of a manifest: a rule, its reason and its day, where it is written, and on what."""

    rule: str
    reason: str
    expires: date
    line: int
    document: int
    subject: _Four
    container: str


class _Outcome(_Part, frozen=True):
    findings: tuple[_Finding, ...]
    granted: tuple[_Granted, ...]
    checked: tuple[_Four, ...]


class _Item(_Part, frozen=True):
    at: _Steps
    raw: Raw
    kind: str
    api_version: str
    line: int
    lines: Raw


_KEPT = 1024
"""Paths of which both forms are kept: findings of thousands of files are about a few dozen fields."""
_ENCODER = Encoder()
_OUTCOME = Decoder(_Outcome)
_ITEMS = Decoder(tuple[_Item, ...])


# --- outcomes -------------------------------------------------------------------------------------------------------


def outcome_bytes(outcome: Outcome) -> bytes:
    """The outcome of a file."""
    return _ENCODER.encode(
        _Outcome(
            tuple([_of_finding(finding) for finding in outcome.findings]),
            tuple([_of_granted(granted) for granted in outcome.granted]),
            tuple([_four(checked.subject) for checked in outcome.checked]),
        )
    )


def outcome(data: bytes, name: str) -> Outcome:
    """The outcome of the file of this name. Raises WireError."""
    found = _OUTCOME.decode(data)
    return Outcome(
        tuple([_finding(each, name) for each in found.findings]),
        tuple([_granted(each, name) for each in found.granted]),
        tuple([Checked(name, WorkloadRef(*each)) for each in found.checked]),
    )


def _of_finding(one: Finding) -> _Finding:
    return _Finding(
        one.rule,
        one.severity,
        one.line,
        one.document,
        _steps(one.path),
        _four(one.subject),
        one.message,
        one.policy,
        one.remedy,
        tuple([_Change(_steps(change.path), Raw(_ENCODER.encode(change.value))) for change in one.changes]),
    )


def _finding(one: _Finding, name: str) -> Finding:
    return Finding(
        one.rule,
        one.severity,
        name,
        one.line,
        one.document,
        _path(one.path),
        WorkloadRef(*one.subject),
        one.message,
        one.policy,
        one.remedy,
        tuple([Change(_path(change.path), msgspec.msgpack.decode(change.value)) for change in one.changes]),
    )


def _of_granted(one: Granted) -> _Granted:
    waiver, where = one.waiver, one.where
    if not isinstance(where, Holder):
        raise TypeError("a file's waiver stands on an object of the file")
    return _Granted(
        waiver.rule, waiver.reason, waiver.expires, waiver.line, where.document, _four(where.subject), where.container
    )


def _granted(one: _Granted, name: str) -> Granted:
    waiver = Waiver(one.rule, one.reason, one.expires, name, one.line, in_manifest=True)
    return Granted(waiver, Holder(name, one.document, WorkloadRef(*one.subject), one.container))


# --- policies -------------------------------------------------------------------------------------------------------


def policies_bytes(items: tuple[Item, ...]) -> bytes:
    """The policies of a file, with the lines of their fields."""
    return _ENCODER.encode(tuple(_of_item(item) for item in items))


def policies(data: bytes, name: str) -> tuple[Item, ...]:
    """The policies of the file of this name; each is all that its document still knows. Raises WireError."""
    return tuple(_item(each, name) for each in _ITEMS.decode(data))


def _of_item(item: Item) -> _Item:
    at, document = item.at, item.document
    _, lines = document.inside(at)
    for depth in range(len(at.segments), 0, -1):
        above = Path(at.segments[:depth])
        step = at.segments[depth - 1]
        lines = {step.name if isinstance(step, Key) else step: (document.inside(above)[0], lines)}
    raw, numbers = _ENCODER.encode(item.raw), _ENCODER.encode(lines)
    return _Item(_steps(at), Raw(raw), item.kind, item.api_version, document.first_line, Raw(numbers))


def _item(one: _Item, name: str) -> Item:
    raw: JsonObject = msgspec.msgpack.decode(one.raw)
    lines: Lines = msgspec.msgpack.decode(one.lines, strict=False)
    return Item(Document(name, raw, one.line, lines), _path(one.at), raw, one.kind, one.api_version)


# --- parts ----------------------------------------------------------------------------------------------------------


@lru_cache(_KEPT)
def _steps(place: Path) -> _Steps:
    return tuple((step.name,) if isinstance(step, Key) else step for step in place.segments)


@lru_cache(_KEPT)
def _path(steps: _Steps) -> Path:
    return Path(tuple(Key(*step) if isinstance(step, tuple) else step for step in steps))


def _four(about: WorkloadRef) -> _Four:
    return (about.kind, about.namespace, about.name, about.container)
