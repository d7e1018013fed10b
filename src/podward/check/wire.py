"""Encoding one file's findings, and its policies, as MessagePack: for other processes and for the cache.

Each message has a type, and decoding checks it, so hostile bytes cannot become anything else. The name of the file is
not part of a message; whoever decodes it passes the name.
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
from podward.api.report import CheckedWorkload, Waiver
from podward.check.waivers import AnnotatedObject, ScopedWaiver
from podward.documents.document import Document
from podward.path import Key, Path
from podward.schema.objects import Item

if TYPE_CHECKING:
    from podward.api.json_value import JsonObject
    from podward.documents.parsed_value import Lines

WireError = msgspec.MsgspecError
"""Raised for bytes that are not a message of the expected type."""

_Steps: TypeAlias = tuple[str | int | tuple[str], ...]
_Workload: TypeAlias = tuple[str, str, str, str]


class FileFindings(Struct, frozen=True):
    """The result of one file: its findings, the waivers that are written in it, and the workloads that were checked."""

    findings: tuple[Finding, ...] = ()
    waivers: tuple[ScopedWaiver, ...] = ()
    workloads: tuple[CheckedWorkload, ...] = ()


class _Message(Struct, array_like=True, frozen=True, gc=False, forbid_unknown_fields=True):
    """Base of the messages: fields are encoded by their position."""


class _Change(_Message, frozen=True):
    path: _Steps
    value: Raw


class _Finding(_Message, frozen=True):
    rule: str
    severity: Severity
    line: int
    document: int
    path: _Steps
    subject: _Workload
    message: str
    policy: str
    remedy: str
    changes: tuple[_Change, ...]


class _Waiver(_Message, frozen=True):
    """A waiver in a manifest: its rule, reason and last day, its line, and the object that it stands on."""

    rule: str
    reason: str
    expires: date
    line: int
    document: int
    subject: _Workload
    container: str
    place: _Steps


class _FileFindings(_Message, frozen=True):
    findings: tuple[_Finding, ...]
    waivers: tuple[_Waiver, ...]
    workloads: tuple[tuple[_Workload, str], ...]


class _Item(_Message, frozen=True):
    at: _Steps
    raw: Raw
    kind: str
    api_version: str
    line: int
    lines: Raw


_KEPT = 1024
"""The most paths that are remembered encoded and decoded: thousands of findings are about a few dozen fields."""
_ENCODER = Encoder()
_FILE_FINDINGS = Decoder(_FileFindings)
_ITEMS = Decoder(tuple[_Item, ...])


# --- findings -------------------------------------------------------------------------------------------------------


def file_findings_bytes(found: FileFindings) -> bytes:
    """Encode the findings of a file."""
    return _ENCODER.encode(
        _FileFindings(
            tuple([_encoded_finding(finding) for finding in found.findings]),
            tuple([_encoded_waiver(waiver) for waiver in found.waivers]),
            tuple([(_workload(checked.subject), checked.scc) for checked in found.workloads]),
        )
    )


def file_findings(data: bytes, name: str) -> FileFindings:
    """Decode the findings of the file of this name. Raises WireError."""
    found = _FILE_FINDINGS.decode(data)
    return FileFindings(
        tuple([_finding(each, name) for each in found.findings]),
        tuple([_waiver(each, name) for each in found.waivers]),
        tuple([CheckedWorkload(name, WorkloadRef(*about), scc) for about, scc in found.workloads]),
    )


def _encoded_finding(one: Finding) -> _Finding:
    return _Finding(
        one.rule,
        one.severity,
        one.line,
        one.document,
        _steps(one.path),
        _workload(one.subject),
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


def _encoded_waiver(one: ScopedWaiver) -> _Waiver:
    waiver, where = one.waiver, one.where
    if not isinstance(where, AnnotatedObject):
        raise TypeError("a file's waiver stands on an object of the file")
    return _Waiver(
        waiver.rule,
        waiver.reason,
        waiver.expires,
        waiver.line,
        where.document,
        _workload(where.subject),
        where.container,
        _steps(where.place),
    )


def _waiver(one: _Waiver, name: str) -> ScopedWaiver:
    waiver = Waiver(one.rule, one.reason, one.expires, name, one.line, in_manifest=True)
    where = AnnotatedObject(name, one.document, WorkloadRef(*one.subject), one.container, _path(one.place))
    return ScopedWaiver(waiver, where)


# --- policies -------------------------------------------------------------------------------------------------------


def policies_bytes(items: tuple[Item, ...]) -> bytes:
    """Encode the policies of a file, with the lines of their fields."""
    return _ENCODER.encode(tuple(_encoded_item(item) for item in items))


def policies(data: bytes, name: str) -> tuple[Item, ...]:
    """Decode the policies of the file of this name; the document of each has nothing else. Raises WireError."""
    return tuple(_item(each, name) for each in _ITEMS.decode(data))


def _encoded_item(item: Item) -> _Item:
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


def _workload(about: WorkloadRef) -> _Workload:
    return (about.kind, about.namespace, about.name, about.container)
