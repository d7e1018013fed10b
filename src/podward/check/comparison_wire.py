"""Encoding the result of one file of a comparison as MessagePack, for other processes.

Each message has a type, and decoding checks it. The name of the file is not part of a message; whoever decodes it
passes the name. Text is encoded as bytes: sentences may contain names of other files, and these may be any bytes.
"""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct
from msgspec.msgpack import Decoder, Encoder

from podward.api.finding import Finding, WorkloadRef
from podward.api.policy_change import ChangeKind, ComparedWorkload, PolicyChange, RefusalReasons, WorkloadOutcome
from podward.check import wire
from podward.check.wire import FileFindings
from podward.decision import Origin, Source
from podward.path import Key, Path


class FileResult(Struct, frozen=True):
    """The result of one file: the changes, its workloads, and findings about what could not be read."""

    changes: tuple[PolicyChange, ...] = ()
    workloads: tuple[ComparedWorkload, ...] = ()
    unread: tuple[Finding, ...] = ()


_Steps: TypeAlias = tuple[bytes | int | tuple[bytes], ...]
_Texts: TypeAlias = tuple[bytes, ...]
_Outcome: TypeAlias = tuple[bool, bytes]


class _Message(Struct, array_like=True, frozen=True, gc=False, forbid_unknown_fields=True):
    """Base of the messages: fields are encoded by their position."""


class _Source(_Message, frozen=True):
    origin: Origin
    name: bytes
    path: _Steps | None
    line: int | None


class _Change(_Message, frozen=True):
    kind: ChangeKind
    line: int
    subject: _Texts
    before: bytes
    after: bytes
    why: bytes
    source: _Source | None
    policy: bytes
    also: _Texts
    reasons: tuple[_Texts, _Texts, _Texts] | None


class _Workload(_Message, frozen=True):
    line: int
    subject: _Texts
    before: _Outcome
    after: _Outcome


class _FileResult(_Message, frozen=True):
    changes: tuple[_Change, ...]
    workloads: tuple[_Workload, ...]
    unread: bytes


_ENCODER = Encoder()
_FILE_RESULTS = Decoder(tuple[_FileResult, ...])


def file_results_bytes(results: list[FileResult]) -> bytes:
    """Encode the results of some files."""
    return _ENCODER.encode(
        tuple(
            _FileResult(
                tuple(_encoded_change(change) for change in one.changes),
                tuple(_encoded_workload(workload) for workload in one.workloads),
                wire.file_findings_bytes(FileFindings(one.unread)),
            )
            for one in results
        )
    )


def file_results(data: bytes, names: list[str]) -> list[FileResult]:
    """Decode the results of the files of these names. Raises WireError; ValueError if their number is another."""
    return [
        FileResult(
            tuple(_change(change, name) for change in one.changes),
            tuple(_workload(workload, name) for workload in one.workloads),
            wire.file_findings(one.unread, name).findings,
        )
        for one, name in zip(_FILE_RESULTS.decode(data), names, strict=True)
    ]


def _encoded_change(one: PolicyChange) -> _Change:
    source = one.source
    where = None if source is None or source.path is None else _encoded_path(source.path)
    reasons = one.reasons
    return _Change(
        one.kind,
        one.line,
        _encoded_subject(one.subject),
        _bytes(one.before),
        _bytes(one.after),
        _bytes(one.why),
        None if source is None else _Source(source.origin, _bytes(source.name), where, source.line),
        _bytes(one.policy),
        tuple(map(_bytes, one.also)),
        None if reasons is None else (_each(reasons.new), _each(reasons.gone), _each(reasons.kept)),
    )


def _change(one: _Change, file: str) -> PolicyChange:
    source = one.source
    where = None if source is None or source.path is None else _path(source.path)
    return PolicyChange(
        one.kind,
        file,
        one.line,
        WorkloadRef(*map(_text, one.subject)),
        _text(one.before),
        _text(one.after),
        _text(one.why),
        None if source is None else Source(source.origin, _text(source.name), where, source.line),
        _text(one.policy),
        tuple(map(_text, one.also)),
        None if one.reasons is None else RefusalReasons(*(tuple(map(_text, texts)) for texts in one.reasons)),
    )


def _encoded_workload(one: ComparedWorkload) -> _Workload:
    before, after = ((outcome.refused, _bytes(outcome.scc)) for outcome in (one.before, one.after))
    return _Workload(one.line, _encoded_subject(one.subject), before, after)


def _workload(one: _Workload, file: str) -> ComparedWorkload:
    before, after = (WorkloadOutcome(refused, _text(scc)) for refused, scc in (one.before, one.after))
    return ComparedWorkload(file, one.line, WorkloadRef(*map(_text, one.subject)), before, after)


def _encoded_subject(about: WorkloadRef) -> _Texts:
    return _each((about.kind, about.namespace, about.name, about.container))


def _encoded_path(place: Path) -> _Steps:
    return tuple(
        step if isinstance(step, int) else _bytes(step) if isinstance(step, str) else (_bytes(step.name),)
        for step in place.segments
    )


def _path(steps: _Steps) -> Path:
    return Path(
        tuple(
            step if isinstance(step, int) else _text(step) if isinstance(step, bytes) else Key(_text(step[0]))
            for step in steps
        )
    )


def _each(texts: tuple[str, ...]) -> _Texts:
    return tuple(map(_bytes, texts))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")
