"""ttrpc's frames, several connections over one: what is on the wire between a runtime and a plugin; no I/O.

Specification: containerd's ttrpc PROTOCOL.md, and pkg/net/multiplex of NRI. The trunk carries pieces, each with a head
of 8 bytes: the number of a connection and the piece's length. The pieces of one connection make a stream of ttrpc
frames, each with a head of 10 bytes: the length, the number of the call, its kind (1 a request, 2 a response, 3 data of
streams, which NRI has not), and flags. Numbers are big-endian. Callers number their calls 1, 3, 5, ….
"""

from __future__ import annotations

import struct
from enum import IntEnum

from msgspec import Struct

from podward.errors import InputError

LARGEST_MESSAGE = 4 << 20
"""The most bytes after a frame's head."""

_PIECE = struct.Struct(">II")
_FRAME = struct.Struct(">IIBB")
_LARGEST_PIECE = _FRAME.size + LARGEST_MESSAGE
_FIRST_PIECE = 4096
"""The first piece of a frame is no larger: NRI's own reader takes a piece into a buffer of this size, or fails."""


class TtrpcError(InputError):
    """The other side does not speak ttrpc, or not as it may."""


class Conn(IntEnum):
    """The connections of a trunk: the one over which the runtime calls the plugin, and the plugin's."""

    PLUGIN = 1
    RUNTIME = 2


class Kind(IntEnum):
    """What a frame is."""

    REQUEST = 1
    RESPONSE = 2


class Code(IntEnum):
    """The codes of gRPC that are used here."""

    OK = 0
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    UNIMPLEMENTED = 12


class Frame(Struct, frozen=True):
    """A request or response of one call."""

    conn: int
    call: int
    kind: Kind
    payload: bytes


def packed(frame: Frame) -> bytes:
    """The frame as it goes on the trunk. Raises TtrpcError if it is too large."""
    if len(frame.payload) > LARGEST_MESSAGE:
        raise TtrpcError(f"a message of {len(frame.payload)} bytes is more than ttrpc's {LARGEST_MESSAGE}")
    whole = _FRAME.pack(len(frame.payload), frame.call, frame.kind, 0) + frame.payload
    pieces = (whole[:_FIRST_PIECE], whole[_FIRST_PIECE:])
    return b"".join(_PIECE.pack(frame.conn, len(piece)) + piece for piece in pieces if piece)


class Trunk:
    """What came over a trunk so far, as frames."""

    def __init__(self) -> None:
        self._received = bytearray()
        self._streams: dict[int, bytearray] = {conn: bytearray() for conn in Conn}

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that `data` completes. Raises TtrpcError where nothing more can be understood."""
        self._received += data
        frames: list[Frame] = []
        at = 0
        while len(self._received) - at >= _PIECE.size:
            conn, length = _PIECE.unpack_from(self._received, at)
            if length > _LARGEST_PIECE:
                raise TtrpcError(f"a piece of {length} bytes on connection {conn}, more than {_LARGEST_PIECE}")
            end = at + _PIECE.size + length
            if len(self._received) < end:
                break
            stream = self._streams.get(conn)
            if stream is not None:  # the others are for what is not agreed on: passed over, as NRI does
                stream += self._received[at + _PIECE.size : end]
                frames += _taken(conn, stream)
            at = end
        del self._received[:at]
        return frames


def _taken(conn: int, stream: bytearray) -> list[Frame]:
    """The whole frames at the beginning of a stream, which are taken out of it."""
    frames: list[Frame] = []
    at = 0
    while len(stream) - at >= _FRAME.size:
        length, call, kind, _flags = _FRAME.unpack_from(stream, at)
        if length > LARGEST_MESSAGE:
            raise TtrpcError(f"a message of {length} bytes, more than {LARGEST_MESSAGE}")
        if kind not in (Kind.REQUEST, Kind.RESPONSE):
            raise TtrpcError(f"a message of kind {kind}: NRI has requests (1) and responses (2)")
        end = at + _FRAME.size + length
        if len(stream) < end:
            break
        frames.append(Frame(conn, call, Kind(kind), bytes(stream[at + _FRAME.size : end])))
        at = end
    del stream[:at]
    return frames
