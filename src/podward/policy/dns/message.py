"""Messages of the DNS: queries read, answers written.

Specification: RFC 1035 (section 4: header, question, resource records), RFC 2782 (SRV), RFC 6891 (how long an answer
over UDP may be). A query of more than one question, or of another kind than a standard one, is not served by anybody.

Whoever asks is hostile: nothing is read beyond the message, names end within 255 bytes, and pointers in names lead
backwards only, each at most so often as a name has bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address

from msgspec import Struct

A, NS, CNAME, SOA, PTR, TXT, AAAA, SRV, OPT, ANY = 1, 2, 5, 6, 12, 16, 28, 33, 41, 255
"""The types of records."""
NO_ERROR, FORMAT_ERROR, SERVER_FAILURE, NO_SUCH_NAME, NOT_IMPLEMENTED, REFUSED = range(6)
"""What an answer's code says."""
PLAIN_SIZE, LARGEST = 512, 65535
"""Bytes of a message over UDP to whoever says nothing, and of any message."""
_IN = 1
_HEADER = struct.Struct("!6H")
_RESPONSE, _AUTHORITATIVE, _TRUNCATED, _WANTED, _OFFERED = 0x8000, 0x0400, 0x0200, 0x0100, 0x0080
_OPCODE = 0x7800
_LONGEST_NAME, _LONGEST_LABEL = 255, 63
_POINTER = 0xC0
_OUR_SIZE = 1232
"""What we say we take over UDP: it fits into every packet."""


class Query(Struct, frozen=True):
    """A question as it came: `name` in lower case without the last dot, `written` as it was spelled, on the wire."""

    id: int
    name: str
    kind: int
    written: bytes
    recursion: bool = True
    size: int = PLAIN_SIZE
    extended: bool = False


class Record(Struct, frozen=True):
    """A resource record; `data` as it is on the wire."""

    name: str
    kind: int
    data: bytes
    ttl: int


class Answer(Struct, frozen=True):
    """What is answered; `further` is a name elsewhere whose records are to follow."""

    code: int
    records: tuple[Record, ...] = ()
    authority: tuple[Record, ...] = ()
    additional: tuple[Record, ...] = ()
    further: str = ""


class NoQueryError(ValueError):
    """The message is no query that can be answered. `code` says why, where an answer is worth it."""

    def __init__(self, code: int) -> None:
        super().__init__(f"no query: {code}")
        self.code = code


def read_query(message: bytes) -> Query:
    """The query of a message. Raises NoQueryError."""
    if len(message) < _HEADER.size:
        raise NoQueryError(FORMAT_ERROR)
    number, flags, questions, answers, authorities, additional = _HEADER.unpack_from(message)
    if flags & _RESPONSE:
        raise NoQueryError(FORMAT_ERROR)
    if flags & _OPCODE:
        raise NoQueryError(NOT_IMPLEMENTED)
    if questions != 1 or answers or authorities:
        raise NoQueryError(FORMAT_ERROR)
    try:
        name, after = read_name(message, _HEADER.size)
        kind, family = struct.unpack_from("!HH", message, after)
        size, extended = _extension(message, after + 4, additional)
    except (ValueError, struct.error) as error:
        raise NoQueryError(FORMAT_ERROR) from error
    if family not in (_IN, ANY):
        raise NoQueryError(NOT_IMPLEMENTED)
    return Query(number, name.lower(), kind, message[_HEADER.size : after + 4], bool(flags & _WANTED), size, extended)


def read_name(message: bytes, at: int) -> tuple[str, int]:
    """The name at this index, and the index behind it. Raises ValueError for what is none."""
    labels: list[str] = []
    after, length, lowest = -1, 0, at
    while True:
        if at >= len(message):
            raise ValueError("the name goes beyond the message")
        size = message[at]
        if size & _POINTER == _POINTER:
            target = struct.unpack_from("!H", message, at)[0] & 0x3FFF
            after = after if after >= 0 else at + 2
            if target >= lowest:
                raise ValueError("the name points forward")
            at = lowest = target
            continue
        if size > _LONGEST_LABEL or at + 1 + size > len(message):
            raise ValueError("the label is too long")
        at += 1 + size
        length += 1 + size
        if length > _LONGEST_NAME:
            raise ValueError("the name is too long")
        if not size:
            return ".".join(labels), after if after >= 0 else at
        labels.append(message[at - size : at].decode("latin-1"))


def _extension(message: bytes, at: int, count: int) -> tuple[int, bool]:
    """How many bytes may be answered over UDP, and whether the query says so (EDNS)."""
    for _ in range(count):
        name, at = read_name(message, at)
        kind, size, _, length = struct.unpack_from("!HHIH", message, at)
        if kind == OPT and not name:
            return max(PLAIN_SIZE, size), True
        at += 10 + length
    return PLAIN_SIZE, False


def write_name(name: str) -> bytes:
    """A name on the wire. Raises ValueError for one that has no place there."""
    labels = [label.encode("latin-1") for label in name.split(".")] if name else []
    if any(not 0 < len(label) <= _LONGEST_LABEL for label in labels):
        raise ValueError(f"not a name: {name!r}")
    written = b"".join(bytes((len(label),)) + label for label in labels) + b"\0"
    if len(written) > _LONGEST_NAME:
        raise ValueError(f"the name is too long: {name!r}")
    return written


def address(name: str, ip: str, ttl: int) -> Record:
    """An address of a name."""
    return Record(name, A, IPv4Address(ip).packed, ttl)


def alias(name: str, target: str, ttl: int) -> Record:
    """The name that this one stands for."""
    return Record(name, CNAME, write_name(target), ttl)


def pointer(name: str, target: str, ttl: int) -> Record:
    """The name of an address."""
    return Record(name, PTR, write_name(target), ttl)


def service(name: str, port: int, target: str, ttl: int, weight: int = 100) -> Record:
    """A port of a service, and who serves it."""
    return Record(name, SRV, struct.pack("!3H", 0, weight, port) + write_name(target), ttl)


def text(name: str, content: str, ttl: int) -> Record:
    """A text."""
    return Record(name, TXT, bytes((len(content),)) + content.encode(), ttl)


def write_answer(query: Query, answer: Answer, limit: int) -> bytes:
    """The message that answers; one that is longer than `limit` says so, and nothing else."""
    written = query.written.lower()
    name_of_query = written[:-4]
    sections = [
        [_write(record, name_of_query) for record in records]
        for records in (answer.records, answer.authority, answer.additional)
    ]
    extension = [struct.pack("!BHHIH", 0, OPT, _OUR_SIZE, 0, 0)] if query.extended else []
    flags = _RESPONSE | _AUTHORITATIVE | _OFFERED | (_WANTED if query.recursion else 0) | answer.code
    message = _joined(query, flags, [*sections[:2], sections[2] + extension])
    if len(message) > limit:
        return _joined(query, flags | _TRUNCATED, [[], [], extension])
    return message


def write_refusal(message: bytes, code: int) -> bytes:
    """The answer to what is no query: a header alone; nothing where not even that was sent, or an answer."""
    if len(message) < _HEADER.size:
        return b""
    number, flags, *_ = _HEADER.unpack_from(message)
    return b"" if flags & _RESPONSE else _HEADER.pack(number, _RESPONSE | flags & _OPCODE | code, 0, 0, 0, 0)


def write_query(number: int, name: str, kind: int) -> bytes:
    """A query of our own. Raises ValueError for what is no name."""
    question = write_name(name) + struct.pack("!HH", kind, _IN)
    extension = struct.pack("!BHHIH", 0, OPT, _OUR_SIZE, 0, 0)
    return _HEADER.pack(number, _WANTED, 1, 0, 0, 1) + question + extension


def answers(message: bytes, query: bytes) -> bool:
    """Whether a message answers this query: its number, and its question where one is repeated."""
    if len(message) < _HEADER.size or message[:2] != query[:2] or not message[2] & _RESPONSE >> 8:
        return False
    try:
        _, end = read_name(query, _HEADER.size)
    except ValueError:
        return False
    question = query[_HEADER.size : end + 4]
    repeated = message[_HEADER.size : _HEADER.size + len(question)]
    return message[4:6] == b"\0\0" or repeated.lower() == question.lower()


def read_answers(message: bytes) -> tuple[Record, ...]:
    """The addresses and aliases that a message answers with. Raises ValueError for what is no answer."""
    records = []
    try:
        _, flags, questions, answers, *_ = _HEADER.unpack_from(message)
        at = _HEADER.size
        for _ in range(questions):
            at = read_name(message, at)[1] + 4
        for _ in range(answers if not flags & _TRUNCATED else 0):
            name, at = read_name(message, at)
            kind, _, ttl, length = struct.unpack_from("!HHIH", message, at)
            at += 10
            data = message[at : at + length]
            if kind == CNAME:
                records.append(alias(name, read_name(message, at)[0], ttl))
            elif (kind, len(data)) in ((A, 4), (AAAA, 16)):
                records.append(Record(name, kind, data, ttl))
            at += length
    except struct.error as error:
        raise ValueError("the message ends too early") from error
    return tuple(records)


def _write(record: Record, name_of_query: bytes) -> bytes:
    name = write_name(record.name)
    written = b"\xc0\x0c" if name.lower() == name_of_query else name  # the question's name is at index 12
    return written + struct.pack("!HHIH", record.kind, _IN, record.ttl, len(record.data)) + record.data


def _joined(query: Query, flags: int, sections: Sequence[Iterable[bytes]]) -> bytes:
    listed = [list(section) for section in sections]
    header = _HEADER.pack(query.id, flags, 1, *map(len, listed))
    return b"".join((header, query.written, *(record for section in listed for record in section)))
