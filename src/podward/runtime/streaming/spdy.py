"""SPDY/3.1 frames, without I/O: bytes in, events out; calls give the bytes to send.

Specification (SPDY protocol, draft 3.1, as moby/spdystream speaks it, in our words): a frame has a header of eight
bytes. Control frames say their version (3), type, flags and length, data frames their stream, flags and length.
Streams of the client have odd numbers, of the server even ones, each greater than the last. A side ends its half of a
stream with FIN; RST_STREAM ends both. Headers are name and value pairs, compressed with zlib in one go over the whole
connection, from a dictionary that both sides know.

There are no windows: Kubernetes' clients and servers neither keep nor send them, so WINDOW_UPDATE and SETTINGS are read
and change nothing. Who reads from a stream too slowly stops its whole connection.

What the other side sends is hostile: sizes of control frames, of unpacked headers and the number of open streams have
bounds, a data frame is handed on in the pieces in which it comes, and what breaks the protocol raises SpdyError.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from enum import IntEnum

from msgspec import Struct

from podward.errors import PodwardError

VERSION = 3
FIN = 0x01
UNIDIRECTIONAL = 0x02
MAX_DATA = (1 << 24) - 1
"""A frame's length has 24 bits."""
MAX_CONTROL = 64 << 10
MAX_HEADERS = 256 << 10
"""The bytes that a frame's headers may unpack to."""
MAX_HEADER_COUNT = 100
MAX_STREAM = 0x7FFFFFFF

_CONTROL = struct.Struct(">HHI")
_PAIR = struct.Struct(">II")
_WORD = struct.Struct(">I")
_SYN_STREAM = struct.Struct(">IIBB")

_WORDS = (  # noqa: SIM905 - sixty words, as a list, are a screenful
    "options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow"
    " authorization cache-control connection content-base content-encoding content-language content-length"
    " content-location content-md5 content-range content-type date etag expect expires from host if-match"
    " if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma"
    " proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade"
    " user-agent vary via warning www-authenticate method get status"
).split()
_PHRASES = ("200 OK", "version", "HTTP/1.1", "url", "public", "set-cookie", "keep-alive", "origin")
DICTIONARY = b"".join(_WORD.pack(len(word)) + word.encode() for word in (*_WORDS, *_PHRASES)) + (
    b"100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 Non-Authoritative"
    b" Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not Found500"
    b" Internal Server Error501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec"
    b" 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,application/xml,"
    b"application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8"
    b"charset=iso-8859-1,utf-,*,enq=0."
)
"""What header blocks are compressed from; its Adler-32 in every first block tells that both sides mean the same."""


class SpdyError(PodwardError):
    """The other side broke the protocol, or a call does not fit the state of its stream: the connection is over."""


class FrameType(IntEnum):
    """The control frames; 5 was NOOP, and what came after 9 never was in use."""

    SYN_STREAM = 1
    SYN_REPLY = 2
    RST_STREAM = 3
    SETTINGS = 4
    PING = 6
    GOAWAY = 7
    HEADERS = 8
    WINDOW_UPDATE = 9


class Reset(IntEnum):
    """Why a stream is reset."""

    PROTOCOL_ERROR = 1
    INVALID_STREAM = 2
    REFUSED_STREAM = 3
    UNSUPPORTED_VERSION = 4
    CANCEL = 5
    INTERNAL_ERROR = 6


Headers = Mapping[str, str]
"""Names in small letters; several values of one name are separated by NUL, as they are sent."""


class Event(Struct, frozen=True):
    """What came."""


class StreamOpened(Event, frozen=True):
    """SYN_STREAM: the other side opened a stream. It is answered with `reply` or `reset`."""

    stream: int
    headers: Headers
    finished: bool = False


class StreamRefused(Event, frozen=True):
    """SYN_STREAM of one stream more than may be open: reset it, with REFUSED_STREAM."""

    stream: int


class HeadersReceived(Event, frozen=True):
    """SYN_REPLY or HEADERS."""

    stream: int
    headers: Headers
    finished: bool = False


class DataReceived(Event, frozen=True):
    """DATA, or a piece of it; `finished` with the last piece: nothing more comes from the other side."""

    stream: int
    data: bytes
    finished: bool = False


class StreamReset(Event, frozen=True):
    """RST_STREAM: both halves have ended."""

    stream: int
    status: int


class Pinged(Event, frozen=True):
    """PING: of the other side, to be answered with the same number; or the answer to ours."""

    number: int
    ours: bool


class GoneAway(Event, frozen=True):
    """GOAWAY: the other side takes no new streams."""

    last_stream: int
    status: int


class Connection:
    """One end of a SPDY connection: `receive` what came, take events until there is None, send what the calls give."""

    def __init__(self, *, client: bool = False, max_streams: int = 1000) -> None:
        self._next_stream = 1 if client else 2
        self._next_ping = self._next_stream
        self._last_received = 0
        self._max_streams = max_streams
        self._halves: dict[int, set[str]] = {}
        self._buffer = bytearray()
        self._data_left: tuple[int, int, int] | None = None
        # A window of 2 KiB holds the dictionary, and the little that is sent.
        self._packer = zlib.compressobj(wbits=11, memLevel=4, zdict=DICTIONARY)
        self._unpacker = zlib.decompressobj(zdict=DICTIONARY)

    # --- what comes ---------------------------------------------------------------------------------------------------

    def receive(self, data: bytes) -> None:
        """These bytes came."""
        self._buffer += data

    def next_event(self) -> Event | None:
        """The next thing that they tell; None where more must come. Raises SpdyError."""
        while True:
            if self._data_left is not None:
                return self._data_piece(*self._data_left)
            if len(self._buffer) < _CONTROL.size:
                return None
            first, second = _PAIR.unpack_from(self._buffer)
            flags, length = second >> 24, second & MAX_DATA
            if not first & 0x80000000:
                self._take(_PAIR.size)
                self._data_left = (first, flags, length)
                continue
            if length > MAX_CONTROL:
                raise SpdyError(f"a control frame of {length} bytes: more than {MAX_CONTROL}")
            if len(self._buffer) < _CONTROL.size + length:
                return None
            self._take(_CONTROL.size)
            event = self._control(first, flags, self._take(length))
            if event is not None:
                return event

    def open_streams(self) -> frozenset[int]:
        """The streams of which a half is open."""
        return frozenset(self._halves)

    def _take(self, count: int) -> bytes:
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    def _data_piece(self, stream: int, flags: int, left: int) -> Event | None:
        if left and not self._buffer:
            return None
        if not stream:
            raise SpdyError("data of stream 0")
        data = self._take(min(left, len(self._buffer)))
        left -= len(data)
        self._data_left = (stream, flags, left) if left else None
        known = "remote" in self._halves.get(stream, ())
        finished = not left and bool(flags & FIN)
        if finished:
            self._end_half(stream, "remote")
        # What was on its way when we reset its stream is passed over.
        return DataReceived(stream, data if known else b"", finished and known)

    def _control(self, first: int, flags: int, payload: bytes) -> Event | None:
        version = first >> 16 & 0x7FFF
        if version != VERSION:
            raise SpdyError(f"a frame of SPDY version {version}, not {VERSION}")
        kind = first & 0xFFFF
        try:
            match kind:
                case FrameType.SYN_STREAM:
                    return self._syn_stream(flags, payload)
                case FrameType.SYN_REPLY | FrameType.HEADERS:
                    (stream,) = _WORD.unpack_from(payload)
                    return self._headers(stream & MAX_STREAM, flags, self._unpacked(payload[_WORD.size :]))
                case FrameType.RST_STREAM:
                    stream, status = _PAIR.unpack(payload)
                    self._halves.pop(stream & MAX_STREAM, None)
                    return StreamReset(stream & MAX_STREAM, status)
                case FrameType.PING:
                    (number,) = _WORD.unpack(payload)
                    return Pinged(number, ours=number % 2 == self._next_ping % 2)
                case FrameType.GOAWAY:
                    return GoneAway(*_PAIR.unpack(payload))
                case FrameType.SETTINGS | FrameType.WINDOW_UPDATE:
                    return None
                case _:
                    raise SpdyError(f"a frame of the unknown type {kind}")
        except struct.error:
            raise SpdyError(f"a frame {FrameType(kind).name} of {len(payload)} bytes") from None

    def _syn_stream(self, flags: int, payload: bytes) -> Event:
        stream, _associated, _priority, _slot = _SYN_STREAM.unpack_from(payload)
        stream &= MAX_STREAM
        headers = self._unpacked(payload[_SYN_STREAM.size :])  # also of a stream that is refused: one zlib for all
        if stream % 2 == self._next_stream % 2 or stream <= self._last_received:
            raise SpdyError(f"stream {stream} after {self._last_received}")
        self._last_received = stream
        if len(self._halves) >= self._max_streams:
            return StreamRefused(stream)
        self._halves[stream] = {"remote", "local"}
        if flags & UNIDIRECTIONAL:
            self._end_half(stream, "local")
        if flags & FIN:
            self._end_half(stream, "remote")
        return StreamOpened(stream, headers, finished=bool(flags & FIN))

    def _headers(self, stream: int, flags: int, headers: Headers) -> Event:
        if flags & FIN:
            self._end_half(stream, "remote")
        return HeadersReceived(stream, headers, finished=bool(flags & FIN))

    def _end_half(self, stream: int, half: str) -> None:
        halves = self._halves.get(stream)
        if halves is not None:
            halves.discard(half)
            if not halves:
                del self._halves[stream]

    def _unpacked(self, block: bytes) -> Headers:
        try:
            plain = self._unpacker.decompress(block, MAX_HEADERS + 1)
        except zlib.error as error:
            raise SpdyError(f"headers that cannot be unpacked: {error}") from None
        if len(plain) > MAX_HEADERS or self._unpacker.unconsumed_tail:
            raise SpdyError(f"headers of more than {MAX_HEADERS} bytes")
        (count,) = _WORD.unpack_from(plain)
        if count > MAX_HEADER_COUNT:
            raise SpdyError(f"{count} headers: more than {MAX_HEADER_COUNT}")
        headers: dict[str, str] = {}
        at = _WORD.size
        for _ in range(count):
            name, at = _text(plain, at)
            value, at = _text(plain, at)
            if not name or name != name.lower() or name in headers:
                raise SpdyError("a header's name is empty, has capitals or comes twice")
            headers[name] = value
        return headers

    # --- what is sent -------------------------------------------------------------------------------------------------

    def open(self, headers: Headers) -> tuple[int, bytes]:
        """SYN_STREAM: a new stream of ours."""
        stream = self._next_stream
        if stream > MAX_STREAM:
            raise SpdyError("this connection has no more streams")
        self._next_stream += 2
        self._halves[stream] = {"remote", "local"}
        return stream, frame(FrameType.SYN_STREAM, _SYN_STREAM.pack(stream, 0, 0, 0) + self._packed(headers))

    def reply(self, stream: int, headers: Headers | None = None) -> bytes:
        """SYN_REPLY: the other side's stream is taken. Data before that would be lost on it."""
        return frame(FrameType.SYN_REPLY, _WORD.pack(stream) + self._packed(headers or {}))

    def headers(self, stream: int, headers: Headers) -> bytes:
        """HEADERS: more headers."""
        return frame(FrameType.HEADERS, _WORD.pack(stream) + self._packed(headers))

    def data(self, stream: int, data: bytes) -> bytes:
        """DATA of at most MAX_DATA bytes. Raises SpdyError where our half is not open."""
        self._require_local(stream)
        if len(data) > MAX_DATA:
            raise SpdyError(f"{len(data)} bytes in one frame: more than {MAX_DATA}")
        return _PAIR.pack(stream, len(data)) + data

    def finish(self, stream: int) -> bytes:
        """DATA with FIN: our half ends."""
        self._require_local(stream)
        self._end_half(stream, "local")
        return _PAIR.pack(stream, FIN << 24)

    def reset(self, stream: int, status: Reset) -> bytes:
        """RST_STREAM: both halves end."""
        self._halves.pop(stream, None)
        return frame(FrameType.RST_STREAM, _PAIR.pack(stream, status))

    def ping(self, number: int = 0) -> bytes:
        """PING of our own, or with the number of the other side's the answer to it."""
        if not number:
            number = self._next_ping
            self._next_ping = (self._next_ping + 2) & MAX_STREAM
        return frame(FrameType.PING, _WORD.pack(number))

    def go_away(self, status: int = 0) -> bytes:
        """GOAWAY: we take no new streams."""
        return frame(FrameType.GOAWAY, _PAIR.pack(self._last_received, status))

    def sends(self, stream: int) -> bool:
        """Whether our half of the stream is open."""
        return "local" in self._halves.get(stream, ())

    def _require_local(self, stream: int) -> None:
        if not self.sends(stream):
            raise SpdyError(f"stream {stream} is closed")

    def _packed(self, headers: Headers) -> bytes:
        plain = _WORD.pack(len(headers)) + b"".join(
            _WORD.pack(len(text)) + text.encode("latin-1") for pair in headers.items() for text in pair
        )
        return self._packer.compress(plain) + self._packer.flush(zlib.Z_SYNC_FLUSH)


def frame(kind: FrameType, payload: bytes) -> bytes:
    """A control frame without flags."""
    return _CONTROL.pack(0x8000 | VERSION, kind, len(payload)) + payload


def _text(plain: bytes, at: int) -> tuple[str, int]:
    (length,) = _WORD.unpack_from(plain, at)
    end = at + _WORD.size + length
    if end > len(plain):
        raise SpdyError("a header is longer than its block")
    return plain[at + _WORD.size : end].decode("latin-1"), end
