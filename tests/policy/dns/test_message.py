"""Messages of the DNS: what is read of a hostile one, and how answers are written."""

from __future__ import annotations

import struct

import pytest

from podward.policy.dns import message
from podward.policy.dns.message import Answer, NoQueryError

QUERY = message.write_query(7, "Web.example", message.A)
HEADER = QUERY[:12]


def test_a_query_is_read() -> None:
    query = message.read_query(QUERY)

    assert (query.id, query.name, query.kind, query.size, query.extended) == (7, "web.example", 1, 1232, True)


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"", message.FORMAT_ERROR),
        (QUERY[:11], message.FORMAT_ERROR),
        (QUERY[:15], message.FORMAT_ERROR),
        (HEADER + b"\xc0\x0c\0\1\0\1", message.FORMAT_ERROR),
        (HEADER + b"\xc0\xff\0\1\0\1", message.FORMAT_ERROR),
        (HEADER + (b"\x3f" + b"a" * 63) * 4 + b"\0\0\1\0\1", message.FORMAT_ERROR),
        (HEADER + b"\x40" + b"a" * 64 + b"\0\0\1\0\1", message.FORMAT_ERROR),
        (QUERY[:2] + b"\x28\0" + QUERY[4:], message.NOT_IMPLEMENTED),
        (QUERY[:2] + b"\x81\0" + QUERY[4:], message.FORMAT_ERROR),
        (QUERY[:4] + b"\0\2" + QUERY[6:], message.FORMAT_ERROR),
        (QUERY.replace(b"\0\1\0\1\0\0\x29", b"\0\1\0\3\0\0\x29"), message.NOT_IMPLEMENTED),
        (QUERY[:10] + b"\xff\xff" + QUERY[12:23], message.FORMAT_ERROR),
    ],
)
def test_what_is_no_query(sent: bytes, code: int) -> None:
    with pytest.raises(NoQueryError) as raised:
        message.read_query(sent)

    assert raised.value.code == code


def test_the_answer_repeats_the_question_as_it_was_written() -> None:
    query = message.read_query(QUERY)
    answer = Answer(message.NO_ERROR, (message.address("web.example", "10.0.0.5", 5),))

    written = message.write_answer(query, answer, 512)

    assert written[12 : 12 + len(query.written)] == QUERY[12 : 12 + len(query.written)]
    assert message.read_answers(written)[0].data == bytes((10, 0, 0, 5))
    assert struct.unpack_from("!6H", written) == (7, 0x8580, 1, 1, 0, 1)


def test_an_answer_that_is_too_long_says_so() -> None:
    query = message.read_query(QUERY)
    answer = Answer(message.NO_ERROR, tuple(message.address("web.example", f"10.0.0.{n}", 5) for n in range(99)))

    written = message.write_answer(query, answer, 512)

    assert len(written) < 60
    assert struct.unpack_from("!6H", written)[1] & 0x0200
    assert message.read_answers(written) == ()
    assert len(message.read_answers(message.write_answer(query, answer, message.LARGEST))) == 99


@pytest.mark.parametrize("name", ["a..b", "a" * 64, ".".join(["abcdefgh"] * 29)])
def test_what_is_no_name_is_not_written(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        message.write_name(name)


def test_aliases_in_answers_are_read_through_pointers() -> None:
    question = QUERY[12:29]
    alias = b"\xc0\x0c" + struct.pack("!HHIH", message.CNAME, 1, 60, 4) + b"\1b\xc0\x10"
    address = b"\1b\xc0\x10" + struct.pack("!HHIH", message.A, 1, 60, 4) + bytes((192, 0, 2, 1))

    read = message.read_answers(struct.pack("!6H", 7, 0x8180, 1, 2, 0, 0) + question + alias + address)

    assert [(each.name, each.kind) for each in read] == [("Web.example", message.CNAME), ("b.example", message.A)]
    assert message.read_name(read[0].data, 0)[0] == "b.example"


@pytest.mark.parametrize("sent", [b"", b"\0" * 12, QUERY])
def test_what_is_no_query_is_refused_by_a_header_and_answers_never(sent: bytes) -> None:
    assert message.write_refusal(sent, 1) == (sent[:2] + b"\x80\x01" + b"\0" * 8 if sent else b"")
    assert message.write_refusal(b"\0\0\x80\0" + b"\0" * 8, 1) == b""
