"""`podward batch KIND`: JSON lines in, JSON lines out, for programs that ask thousands of questions.

Each input line is `{"id": …, …}`. Each answer line has the same id; the order is the same. An invalid line is answered
with `{"id", "error"}`, and the other lines are answered as usual.
"""

from __future__ import annotations

import argparse
import gc
import re
import sys
from collections.abc import Callable
from importlib import import_module

import msgspec
from msgspec import Struct

from podward.errors import PodwardError
from podward.render.escaping import printable_json

SUMMARY = "answer many questions: JSON lines in, JSON lines out"
EXAMPLES = (("decide the effective context of many containers", "podward batch effective < questions.jsonl"),)

KINDS = ("effective", "pss", "scc", "sccdefaults", "validate")
"""The kinds of questions. Each is a module of `podward.cli.questions`, with a function `answer` that takes a line."""


def configure(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("kind", choices=KINDS, metavar="KIND", help="; ".join(KINDS))


def run(args: argparse.Namespace) -> int:
    """Answer every line of standard input."""
    gc.enable()
    answer: Callable[[bytes], Struct] = import_module(f"podward.cli.questions.{args.kind}").answer
    write = sys.stdout.buffer.write
    for line in sys.stdin.buffer:
        if line.strip():
            write(_answer_line(answer, _paired(line) if _MAY_BE_SURROGATE.search(line) else line))
    sys.stdout.buffer.flush()
    return 0


def _answer_line(answer: Callable[[bytes], Struct], line: bytes) -> bytes:
    identity: msgspec.Raw = msgspec.Raw(b"null")
    try:
        identity = msgspec.json.decode(line, type=_Identified).id
        body = msgspec.json.encode(answer(line))
    except (msgspec.DecodeError, PodwardError, RecursionError) as error:
        body = msgspec.json.encode({"error": str(error)})
    line = b'{"id":' + bytes(identity) + b"," + body[1:] + b"\n"
    return line if line.isascii() and b"\x7f" not in line else printable_json(line.decode()).encode()


_MAY_BE_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_ESCAPES = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a pair
    rb"|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})"  # half of one
    rb"|\\."  # any other escape, a backslash above all
)


def _paired(line: bytes) -> bytes:
    """The line with U+FFFD for each half of a surrogate pair, as Go reads it; msgspec would refuse the whole line."""
    return _ESCAPES.sub(lambda found: b"\\ufffd" if found[1] else found[0], line)


class _Identified(Struct, frozen=True):
    id: msgspec.Raw = msgspec.Raw(b"null")
