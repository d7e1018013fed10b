"""The few messages of etcd's API that a store needs, in Protocol Buffers' wire format.

Specification: `api/etcdserverpb/rpc.proto` and `api/mvccpb/kv.proto` of etcd 3.4 and later; for the encoding see
https://protobuf.dev/programming-guides/encoding. A field is a key (number << 3 | wire type) and a value: type 0 is a
varint, type 2 a length and so many bytes. Fields that we don't know are skipped, as the format wants it.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from podward.errors import StoreError

RANGE = "/etcdserverpb.KV/Range"
TXN = "/etcdserverpb.KV/Txn"
COMPACT = "/etcdserverpb.KV/Compact"
WATCH = "/etcdserverpb.Watch/Watch"

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_VERSION, _MOD = 0, 2
"""What a comparison is of (Compare.CompareTarget); the field with the expected number is of the same kind."""
_EXPECTED = {_VERSION: 4, _MOD: 6}


class KeyValue(Struct, frozen=True):
    """A version of a value. `version` counts its changes since it was created, from 1."""

    key: bytes = b""
    created: int = 0
    modified: int = 0
    version: int = 0
    value: bytes = b""


class RangeResponse(Struct, frozen=True):
    """What was found; `count` is that of the whole range."""

    revision: int
    found: tuple[KeyValue, ...]
    more: bool
    count: int


class TxnResponse(Struct, frozen=True):
    """Whether the comparison held, and what each operation found."""

    revision: int
    succeeded: bool
    found: tuple[tuple[KeyValue, ...], ...]


class WatchEvent(Struct, frozen=True):
    """A change. Of a deletion, `after` has the key and the revision."""

    deleted: bool
    after: KeyValue
    before: KeyValue | None


class WatchResponse(Struct, frozen=True):
    """The next changes; `fragment`: more of the same revision follow. `compacted`: that watch began before this one."""

    created: bool
    canceled: bool
    compacted: int
    reason: str
    fragment: bool
    events: tuple[WatchEvent, ...]


# --- requests ---------------------------------------------------------------------------------------------------------


def range_request(  # noqa: PLR0913 - they are the fields of the message
    key: bytes, end: bytes = b"", *, limit: int = 0, revision: int = 0, keys_only: int = 0, count_only: int = 0
) -> bytes:
    """The keys from `key` to `end`; without an end, the one."""
    return (
        _data(1, key)
        + _data(2, end)
        + _number(3, limit)
        + _number(4, revision)
        + _number(8, keys_only)
        + _number(9, count_only)
    )


def put(key: bytes, value: bytes) -> bytes:
    """An operation of a transaction: write a value."""
    return _message(2, _data(1, key) + _data(2, value))


def delete(key: bytes) -> bytes:
    """An operation of a transaction: delete a key; it finds what was there."""
    return _message(3, _data(1, key) + _number(3, 1))


def look(key: bytes, keys_only: int = 0) -> bytes:
    """An operation of a transaction: find a key."""
    return _message(1, range_request(key, keys_only=keys_only))


def if_modified_at(key: bytes, revision: int) -> bytes:
    """The comparison with the revision that wrote the value; 0: there is none."""
    return _comparison(key, _MOD, revision)


def if_version_is(key: bytes, version: int) -> bytes:
    """The comparison with the number of changes since the key was created; 0: it is not there."""
    return _comparison(key, _VERSION, version)


def txn_request(comparison: bytes, then: tuple[bytes, ...], otherwise: tuple[bytes, ...]) -> bytes:
    """A transaction: the operations to do if the comparison holds, and those if not."""
    operations = [_message(2, each) for each in then] + [_message(3, each) for each in otherwise]
    return _message(1, comparison) + b"".join(operations)


def compaction_request(revision: int) -> bytes:
    """Forget what only revisions before this one had."""
    return _number(1, revision)


def watch_request(key: bytes, end: bytes, start: int) -> bytes:
    """Watch the changes of this range from a revision on, with the values before; large answers in fragments."""
    create = _data(1, key) + _data(2, end) + _number(3, start) + _number(6, 1) + _number(8, 1)
    return _message(1, create)


def _comparison(key: bytes, target: int, expected: int) -> bytes:
    # Zero is written too: it says which field of the oneof is meant.
    return _number(2, target) + _data(3, key) + _varint(_EXPECTED[target] << 3) + _varint(expected)


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def _number(field: int, number: int) -> bytes:
    return _varint(field << 3 | _VARINT) + _varint(number) if number else b""


def _data(field: int, content: bytes) -> bytes:
    return _message(field, content) if content else b""


def _message(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | _BYTES) + _varint(len(content)) + content


# --- responses --------------------------------------------------------------------------------------------------------


def range_response(data: bytes) -> RangeResponse:
    """A RangeResponse."""
    return _range_response(data, 0, len(data))


def txn_response(data: bytes) -> TxnResponse:
    """A TxnResponse."""
    revision, succeeded = 0, False
    found: list[tuple[KeyValue, ...]] = []
    for field, value, end in _fields(data, 0, len(data)):
        if field == 1:
            revision = _revision(data, value, end)
        elif field == 2:
            succeeded = bool(value)
        elif field == 3:
            found.append(_operation_found(data, value, end))
    return TxnResponse(revision, succeeded, tuple(found))


def watch_response(data: bytes) -> WatchResponse:
    """A WatchResponse."""
    numbers: dict[int, int] = {}
    reason = ""
    events: list[WatchEvent] = []
    for field, value, end in _fields(data, 0, len(data)):
        if field == 11:
            events.append(_event(data, value, end))
        elif field == 6:
            reason = data[value:end].decode(errors="replace")
        else:
            numbers[field] = value
    return WatchResponse(
        created=bool(numbers.get(3)),
        canceled=bool(numbers.get(4)),
        compacted=numbers.get(5, 0),
        reason=reason,
        fragment=bool(numbers.get(7)),
        events=tuple(events),
    )


def _range_response(data: bytes, start: int, stop: int) -> RangeResponse:
    revision = more = count = 0
    found: list[KeyValue] = []
    for field, value, end in _fields(data, start, stop):
        if field == 2:
            found.append(_key_value(data, value, end))
        elif field == 1:
            revision = _revision(data, value, end)
        elif field == 3:
            more = value
        elif field == 4:
            count = value
    return RangeResponse(revision, tuple(found), bool(more), count)


def _operation_found(data: bytes, start: int, stop: int) -> tuple[KeyValue, ...]:
    """What one operation of a transaction found: a range's values, or what was there before a deletion."""
    for field, value, end in _fields(data, start, stop):
        if field == 1:
            return _range_response(data, value, end).found
        if field == 3:
            return tuple(_key_value(data, at, to) for number, at, to in _fields(data, value, end) if number == 3)
    return ()


def _event(data: bytes, start: int, stop: int) -> WatchEvent:
    deleted, after, before = False, KeyValue(), None
    for field, value, end in _fields(data, start, stop):
        if field == 1:
            deleted = bool(value)
        elif field == 2:
            after = _key_value(data, value, end)
        elif field == 3:
            before = _key_value(data, value, end)
    return WatchEvent(deleted, after, before)


def _key_value(data: bytes, start: int, stop: int) -> KeyValue:
    key = content = b""
    created = modified = version = 0
    for field, value, end in _fields(data, start, stop):
        if field == 1:
            key = data[value:end]
        elif field == 2:
            created = value
        elif field == 3:
            modified = value
        elif field == 4:
            version = value
        elif field == 5:
            content = data[value:end]
    return KeyValue(key, created, modified, version, content)


def _revision(data: bytes, start: int, stop: int) -> int:
    """The revision in a ResponseHeader."""
    return next((value for field, value, _ in _fields(data, start, stop) if field == 3), 0)


def _fields(data: bytes, at: int, stop: int) -> Iterator[tuple[int, int, int]]:
    """The fields from `at` to `stop`: the number of each with its varint, or with the start and end of its bytes."""
    while at < stop:
        key, at = _read_varint(data, at, stop)
        field, kind = key >> 3, key & 7
        if kind == _VARINT:
            value, at = _read_varint(data, at, stop)
            yield field, value, at
            continue
        if kind == _BYTES:
            size, at = _read_varint(data, at, stop)
        elif kind in {_FIXED64, _FIXED32}:
            size = 8 if kind == _FIXED64 else 4
        else:
            raise StoreError(f"etcd sent a message with a field of type {kind}, which there is not")
        if at + size > stop:
            raise StoreError("etcd sent a message that is cut short")
        yield field, at, at + size
        at += size


def _read_varint(data: bytes, at: int, stop: int) -> tuple[int, int]:
    """A varint, and where it ends. One of more than 64 bits is none."""
    number = shift = 0
    while at < stop and shift < 64:
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at
        shift += 7
    raise StoreError("etcd sent a message that is cut short")
