"""What processes tell each other of a comparison: one file's changes and workloads as MessagePack.

Each form has a type, and decoding holds what comes to it. The name of the file is not in it: whoever decodes says
which it was. Sentences may hold names of other files, and those any bytes, so text goes as bytes.
"""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct
from msgspec.msgpack import Decoder, Encoder

from podward.api.finding import Finding, WorkloadRef
from podward.api.policy_change import Kind, Placed, PolicyChange, Reasons, WorkloadOutcome
from podward.check import wire
from podward.check.wire import Outcome
from podward.decision import Origin, Source
from podward.path import Key, Path


class FileResult(Struct, frozen=True):
    """What came of one file: what changes, its workloads, and what of it could not be read."""

    shifts: tuple[PolicyChange, ...] = ()
    placed: tuple[Placed, ...] = ()
    unread: tuple[Finding, ...] = ()


_Steps: TypeAlias = tuple[bytes | int | tuple[bytes], ...]
_Texts: TypeAlias = tuple[bytes, ...]
_Fate: TypeAlias = tuple[bool, bytes]


class _Part(Struct, array_like=True, frozen=True, gc=False, forbid_unknown_fields=True):
    """Base: fields by their place."""


class _Source(_Part, frozen=True):
    origin: Origin
    name: bytes
    path: _Steps | None
    line: int | None


class _Shift(_Part, frozen=True):
    kind: Kind
    line: int
    subject: _Texts
    before: bytes
    after: bytes
    why: bytes
    source: _Source | None
    policy: bytes
    also: _Texts
    reasons: tuple[_Texts, _Texts, _Texts] | None


class _Placed(_Part, frozen=True):
    line: int
    subject: _Texts
    before: _Fate
    after: _Fate


class _Came(_Part, frozen=True):
    shifts: tuple[_Shift, ...]
    placed: tuple[_Placed, ...]
    unread: bytes


_ENCODER = Encoder()
_CAME = Decoder(tuple[_Came, ...])


def file_result_bytes(file_result: list[FileResult]) -> bytes:
    """What came of some files."""
    return _ENCODER.encode(
        tuple(
            _Came(
                tuple(_of_shift(shift) for shift in one.shifts),
                tuple(_of_placed(placed) for placed in one.placed),
                wire.outcome_bytes(Outcome(one.unread)),
            )
            for one in file_result
        )
    )


def file_result(data: bytes, names: list[str]) -> list[FileResult]:
    """What came of the files of these names. Raises WireError; ValueError where there are more or fewer."""
    return [
        FileResult(
            tuple(_shift(shift, name) for shift in one.shifts),
            tuple(_placed(placed, name) for placed in one.placed),
            wire.outcome(one.unread, name).findings,
        )
        for one, name in zip(_CAME.decode(data), names, strict=True)
    ]


def _of_shift(one: PolicyChange) -> _Shift:
    source = one.source
    where = None if source is None or source.path is None else _of_path(source.path)
    reasons = one.reasons
    return _Shift(
        one.kind,
        one.line,
        _of_subject(one.subject),
        _bytes(one.before),
        _bytes(one.after),
        _bytes(one.why),
        None if source is None else _Source(source.origin, _bytes(source.name), where, source.line),
        _bytes(one.policy),
        tuple(map(_bytes, one.also)),
        None if reasons is None else (_each(reasons.new), _each(reasons.gone), _each(reasons.kept)),
    )


def _shift(one: _Shift, file: str) -> PolicyChange:
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
        None if one.reasons is None else Reasons(*(tuple(map(_text, texts)) for texts in one.reasons)),
    )


def _of_placed(one: Placed) -> _Placed:
    before, after = ((fate.refused, _bytes(fate.scc)) for fate in (one.before, one.after))
    return _Placed(one.line, _of_subject(one.subject), before, after)


def _placed(one: _Placed, file: str) -> Placed:
    before, after = (WorkloadOutcome(refused, _text(scc)) for refused, scc in (one.before, one.after))
    return Placed(file, one.line, WorkloadRef(*map(_text, one.subject)), before, after)


def _of_subject(about: WorkloadRef) -> _Texts:
    return _each((about.kind, about.namespace, about.name, about.container))


def _of_path(place: Path) -> _Steps:
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
