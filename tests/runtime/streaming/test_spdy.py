"""SPDY frames: what one end sends, the other one reads, however it is cut; what is hostile is refused."""

from __future__ import annotations

import contextlib
import struct
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podward.runtime.streaming import spdy
from podward.runtime.streaming.spdy import Connection, Reset, SpdyError

NAMES = st.text(st.characters(min_codepoint=97, max_codepoint=122), min_size=1, max_size=20)
VALUES = st.text(st.characters(max_codepoint=255), max_size=50)
HEADERS = st.dictionaries(NAMES, VALUES, max_size=8)


def events(connection: Connection, data: bytes) -> list[spdy.Event]:
    connection.receive(data)
    return list(iter(connection.next_event, None))


def joined(read: list[spdy.Event]) -> dict[int, bytes]:
    """What came on each stream."""
    streams: dict[int, bytes] = {}
    for event in read:
        if isinstance(event, spdy.DataReceived):
            streams[event.stream] = streams.get(event.stream, b"") + event.data
    return streams


@pytest.fixture
def ends() -> tuple[Connection, Connection]:
    return Connection(client=True), Connection()


def test_the_dictionary_is_the_one_of_the_specification() -> None:
    assert zlib.adler32(spdy.DICTIONARY) == 0xE3C6A7C2


def test_a_stream_is_opened_answered_used_and_ended(ends: tuple[Connection, Connection]) -> None:
    client, server = ends
    stream, opening = client.open({"streamtype": "stdin"})
    assert events(server, opening) == [spdy.StreamOpened(1, {"streamtype": "stdin"})]
    assert events(client, server.reply(stream)) == [spdy.HeadersReceived(1, {})]
    assert events(server, client.data(stream, b"hello")) == [spdy.DataReceived(1, b"hello")]
    assert events(server, client.finish(stream)) == [spdy.DataReceived(1, b"", finished=True)]
    assert server.open_streams() == {1}
    assert events(client, server.finish(stream)) == [spdy.DataReceived(1, b"", finished=True)]
    assert not server.open_streams() | client.open_streams()


def test_bytes_are_those_of_the_reference(ends: tuple[Connection, Connection]) -> None:
    _, server = ends
    assert server.go_away() == bytes.fromhex("80030007000000080000000000000000")
    assert server.reset(5, Reset.REFUSED_STREAM) == bytes.fromhex("80030003000000080000000500000003")
    assert server.ping() == bytes.fromhex("800300060000000400000002")


@given(blocks=st.lists(st.tuples(HEADERS, st.binary(max_size=300)), min_size=1, max_size=6), data=st.data())
def test_what_one_end_sends_the_other_reads_however_it_is_cut(
    blocks: list[tuple[dict[str, str], bytes]], data: st.DataObject
) -> None:
    client, server = Connection(client=True), Connection()
    sent, expected = b"", []
    for headers, body in blocks:
        stream, opening = client.open(headers)
        sent += opening + client.data(stream, body) + client.ping() + client.finish(stream)
        expected.append((stream, headers, body))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(sent)), max_size=20)))
    read = []
    for start, end in zip([0, *cuts], [*cuts, len(sent)], strict=True):
        read += events(server, sent[start:end])
    opened = [(event.stream, event.headers) for event in read if isinstance(event, spdy.StreamOpened)]
    assert opened == [(stream, headers) for stream, headers, _ in expected]
    assert joined(read) == {stream: body for stream, _, body in expected}
    assert sum(isinstance(event, spdy.DataReceived) and event.finished for event in read) == len(blocks)


@given(st.binary(max_size=2000), st.booleans())
def test_whatever_comes_is_events_or_a_spdy_error(junk: bytes, after_a_stream: bool) -> None:  # noqa: FBT001 - drawn
    client, server = Connection(client=True), Connection()
    if after_a_stream:
        events(server, client.open({"port": "80"})[1])
    with contextlib.suppress(SpdyError):
        events(server, junk)


@given(
    st.sampled_from(list(spdy.FrameType)),
    st.integers(0, 255),
    st.binary(max_size=200),
    st.integers(0, 2**31 - 1),
)
def test_every_control_frame_with_any_payload_is_events_or_a_spdy_error(
    kind: spdy.FrameType, flags: int, payload: bytes, stream: int
) -> None:
    body = struct.pack(">I", stream) + payload
    frame = struct.pack(">HHI", 0x8003, kind, flags << 24 | len(body)) + body
    with contextlib.suppress(SpdyError):
        events(Connection(), frame)


def test_data_of_a_large_frame_is_handed_on_as_it_comes(ends: tuple[Connection, Connection]) -> None:
    client, server = ends
    stream, opening = client.open({})
    events(server, opening)
    frame = client.data(stream, bytes(spdy.MAX_DATA))
    assert joined(events(server, frame[:70000])) == {1: bytes(70000 - 8)}
    assert joined(events(server, frame[70000:])) == {1: bytes(spdy.MAX_DATA - 70000 + 8)}


def test_headers_that_unpack_to_too_much_are_refused(ends: tuple[Connection, Connection]) -> None:
    client, server = ends
    bomb = client.open({"bomb": "\0" * (spdy.MAX_HEADERS * 100)})[1]
    tracemalloc.start()
    with pytest.raises(SpdyError, match="more than 262144 bytes"):
        events(server, bomb)
    assert tracemalloc.get_traced_memory()[1] < 4 * spdy.MAX_HEADERS
    tracemalloc.stop()


def test_a_header_that_is_longer_than_its_block_is_refused() -> None:
    packer = zlib.compressobj(zdict=spdy.DICTIONARY)
    block = packer.compress(struct.pack(">II", 1, 4) + b"port" + struct.pack(">I", 3) + b"80")
    payload = struct.pack(">IIBB", 1, 0, 0, 0) + block + packer.flush(zlib.Z_SYNC_FLUSH)
    with pytest.raises(SpdyError, match="longer than its block"):
        events(Connection(), spdy.frame(spdy.FrameType.SYN_STREAM, payload))


def test_the_end_comes_with_the_last_piece_of_the_last_data(ends: tuple[Connection, Connection]) -> None:
    client, server = ends
    stream, opening = client.open({})
    events(server, opening)
    frame = struct.pack(">II", stream, spdy.FIN << 24 | 6) + b"abcdef"
    assert events(server, frame[:10]) == [spdy.DataReceived(1, b"ab")]
    assert events(server, frame[10:]) == [spdy.DataReceived(1, b"cdef", finished=True)]


def test_a_large_control_frame_is_refused_before_it_is_collected() -> None:
    with pytest.raises(SpdyError, match="more than 65536"):
        events(Connection(), struct.pack(">HHI", 0x8003, 1, spdy.MAX_CONTROL + 1))


def test_too_many_headers_are_refused(ends: tuple[Connection, Connection]) -> None:
    client, server = ends
    with pytest.raises(SpdyError, match="101 headers"):
        events(server, client.open({f"h{number}": "" for number in range(101)})[1])


@pytest.mark.parametrize("name", ["", "Port"])
def test_a_headers_name_is_not_empty_and_has_no_capitals(ends: tuple[Connection, Connection], name: str) -> None:
    client, server = ends
    with pytest.raises(SpdyError, match="name"):
        events(server, client.open({name: "80"})[1])


def test_one_stream_more_than_may_be_open_is_refused_and_the_next_headers_are_still_read() -> None:
    client, server = Connection(client=True), Connection(max_streams=2)
    first = [client.open({"number": str(number)})[1] for number in range(3)]
    assert events(server, b"".join(first))[2] == spdy.StreamRefused(5)
    events(server, client.reset(1, Reset.CANCEL))
    assert events(server, client.open({"number": "3"})[1]) == [spdy.StreamOpened(7, {"number": "3"})]


def test_numbers_of_streams_only_grow(ends: tuple[Connection, Connection]) -> None:
    client, server = ends
    events(server, client.open({})[1])
    second = client.open({})[1]
    with pytest.raises(SpdyError, match="stream 1 after 1"):
        events(server, second[:8] + struct.pack(">I", 1) + second[12:])


def test_data_of_a_stream_that_was_reset_is_passed_over(ends: tuple[Connection, Connection]) -> None:
    client, server = ends
    stream, opening = client.open({})
    events(server, opening)
    server.reset(stream, Reset.CANCEL)
    assert joined(events(server, client.data(stream, b"late") + client.finish(stream))) == {1: b""}


def test_a_closed_half_takes_no_data(ends: tuple[Connection, Connection]) -> None:
    client, _ = ends
    stream, _ = client.open({})
    client.finish(stream)
    with pytest.raises(SpdyError, match="closed"):
        client.data(stream, b"more")


def test_windows_and_settings_change_nothing(ends: tuple[Connection, Connection]) -> None:
    _, server = ends
    window = spdy.frame(spdy.FrameType.WINDOW_UPDATE, struct.pack(">II", 1, 1 << 20))
    settings = spdy.frame(spdy.FrameType.SETTINGS, struct.pack(">III", 1, 7, 1 << 20))
    assert events(server, window + settings) == []


def test_pings_are_told_apart(ends: tuple[Connection, Connection]) -> None:
    client, server = ends
    asked = events(server, client.ping())
    assert asked == [spdy.Pinged(1, ours=False)]
    assert events(client, server.ping(1)) == [spdy.Pinged(1, ours=True)]
