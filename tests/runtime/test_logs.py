"""Output of containers that somebody watches for denials."""

from __future__ import annotations

import os

from podward.runtime.logs import Output, WatchedOutput


def watched(*printed: bytes) -> tuple[bytes, list[bytes]]:
    """What came out, and what was shown to who watches."""
    read, write = os.pipe()
    seen: list[bytes] = []
    sink = WatchedOutput(Output(write, "ctr"), seen.append)
    for data in printed:
        sink.write(data)
    sink.finish()
    os.close(write)
    with open(read, "rb") as pipe:
        return pipe.read(), seen


def test_all_bytes_pass_and_only_denials_are_shown() -> None:
    denied = b"touch: /etc/x: Permission denied\n"
    out, seen = watched(b"hello\n", denied, b"EPERM\n", b"unfinished")
    assert out == b"[ctr] hello\n[ctr] " + denied + b"[ctr] EPERM\n[ctr] unfinished\n"
    assert seen == [denied, b"EPERM\n"]


def test_bytes_that_are_no_text_pass_too() -> None:
    out, seen = watched(b"\xff denied \xfe\n")
    assert out == b"[ctr] \xff denied \xfe\n"
    assert seen == [b"\xff denied \xfe\n"]


def test_a_line_that_is_written_in_pieces_is_shown_whole() -> None:
    out, seen = watched(b"chown: ", b"/data", b": Operation not", b" permitted\nthen", b" Permission denied")
    assert out == b"[ctr] chown: /data: Operation not permitted\n[ctr] then Permission denied\n"
    assert seen == [b"chown: /data: Operation not permitted\n", b"then Permission denied"]
