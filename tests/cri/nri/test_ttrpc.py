"""ttrpc's frames in the pieces of a trunk."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podward.cri.nri.ttrpc import LARGEST_MESSAGE, Conn, Frame, Kind, Trunk, TtrpcError, packed

FRAMES = st.builds(
    Frame,
    st.sampled_from(list(Conn)),
    st.integers(0, (1 << 32) - 1),
    st.sampled_from(Kind),
    st.binary(max_size=50) | st.integers(4000, 10_000).map(bytes),
)


def test_a_frame_is_packed_as_the_protocol_says() -> None:
    frame = Frame(Conn.PLUGIN, 3, Kind.REQUEST, b"ab")
    assert packed(frame) == bytes([0, 0, 0, 1, 0, 0, 0, 12, 0, 0, 0, 2, 0, 0, 0, 3, 1, 0]) + b"ab"


def test_no_first_piece_is_larger_than_the_reader_s_buffer() -> None:
    data = packed(Frame(Conn.PLUGIN, 1, Kind.REQUEST, bytes(LARGEST_MESSAGE)))
    assert data[:8] == bytes([0, 0, 0, 1, 0, 0, 0x10, 0])
    assert data[8 + 4096 : 8 + 4096 + 4] == bytes([0, 0, 0, 1])
    assert len(data) == LARGEST_MESSAGE + 10 + 2 * 8


@given(st.lists(FRAMES, max_size=6), st.data())
def test_frames_come_out_as_they_went_in_however_they_are_cut(frames: list[Frame], data: st.DataObject) -> None:
    whole = b"".join(packed(frame) for frame in frames)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=8)))
    trunk = Trunk()
    found = [
        frame
        for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)
        for frame in trunk.feed(whole[start:end])
    ]
    assert found == frames


def test_one_frame_in_many_pieces_between_those_of_another_connection() -> None:
    frame = Frame(Conn.PLUGIN, 1, Kind.RESPONSE, b"abc")
    stream = packed(frame)[8:]
    piece = bytes([0, 0, 0, 1, 0, 0, 0, 1])
    other = packed(Frame(Conn.RUNTIME, 5, Kind.REQUEST, b""))
    pieces = [piece + stream[i : i + 1] for i in range(len(stream))]
    assert Trunk().feed(b"".join([*pieces[:6], other, *pieces[6:]])) == [
        Frame(Conn.RUNTIME, 5, Kind.REQUEST, b""),
        frame,
    ]


def test_pieces_of_other_connections_are_passed_over() -> None:
    frame = Frame(Conn.RUNTIME, 1, Kind.REQUEST, b"")
    assert Trunk().feed(bytes([0, 0, 0, 9, 0, 0, 0, 3]) + b"xyz" + packed(frame)) == [frame]


@pytest.mark.parametrize(
    "data",
    [
        bytes([0, 0, 0, 1, 0xFF, 0xFF, 0xFF, 0xFF]),
        bytes([0, 0, 0, 1, 0, 0, 0, 10, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 1, 1, 0]),
        bytes([0, 0, 0, 1, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0, 0, 1, 3, 0]),
        b"GET / HTTP/1.1\r\n\r\n",
    ],
)
def test_what_nothing_can_follow_is_refused_at_once(data: bytes) -> None:
    with pytest.raises(TtrpcError):
        Trunk().feed(data)


@given(st.binary(max_size=200))
def test_any_bytes_are_frames_or_refused(data: bytes) -> None:
    with suppress(TtrpcError):
        Trunk().feed(data)


def test_a_message_that_is_too_large_is_not_sent() -> None:
    with pytest.raises(TtrpcError):
        packed(Frame(Conn.PLUGIN, 1, Kind.REQUEST, bytes(LARGEST_MESSAGE + 1)))
