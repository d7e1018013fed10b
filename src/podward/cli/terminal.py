"""What stands between a command and the terminal: colour, errors, and readers that go away."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper
from typing import TextIO

from podward.errors import PodwardError

RED = "\x1b[31m"
RESET = "\x1b[0m"
FALLBACK_COLUMNS = 80


def occupy_standard_streams() -> None:
    """Lead standard streams that we were started without to /dev/null.

    The next files opened would get their numbers, and what is printed, or what a container says, would go there.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number: this one
    sys.stdin = sys.stdin or os.fdopen(0, "r")
    sys.stdout = sys.stdout or os.fdopen(1, "w")
    sys.stderr = sys.stderr or os.fdopen(2, "w")
    if isinstance(sys.stdout, TextIOWrapper):
        # As kubectl does, whatever the locale is: one that lacks a character must neither end us nor change a manifest.
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")


def colour_wanted(stream: TextIO) -> bool:
    """Whether to colour what goes to `stream`: only a terminal that can, and never against NO_COLOR (no-color.org)."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and stream.isatty()


def columns(stream: TextIO) -> int:
    """How wide to write: COLUMNS where it is set, else the terminal's width, else 80."""
    asked = os.environ.get("COLUMNS", "")
    if asked.isascii() and asked.isdigit() and int(asked):
        return int(asked)
    try:
        return os.get_terminal_size(stream.fileno()).columns or FALLBACK_COLUMNS
    except (OSError, ValueError):  # a pipe, a file, or a stream without a number
        return FALLBACK_COLUMNS


def printable(text: str) -> str:
    r"""`text` with its control characters spelt out (`\x1b`), new lines and tabs apart.

    Errors quote manifests, images and what containers said: none of these may drive the reader's terminal.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in text)


def complain(error: PodwardError) -> None:
    """Print `error` on standard error as `podward: where: what`, its advice indented below; nothing in it commands."""
    from podward.render.escaping import without_commands

    name = f"{RED}podward:{RESET}" if colour_wanted(sys.stderr) else "podward:"
    print(name, without_commands(printable(str(error))), file=sys.stderr)


def reader_is_gone(stream: TextIO) -> bool:
    """Whether `stream` is a pipe or socket that nobody reads any more."""
    import select

    poller = select.poll()
    poller.register(stream.fileno(), 0)
    return any(events & (select.POLLERR | select.POLLHUP) for _, events in poller.poll(0))


def finish(stream: TextIO) -> bool:
    """Write out what `stream` still holds; say so if that fails, unless it is only that its reader went away.

    After a failure the stream leads nowhere, or the interpreter would fail once more when it flushes at its end.
    """
    try:
        stream.flush()
    except BrokenPipeError:
        pass
    except OSError as error:
        complain(PodwardError(f"cannot write the output: {error.strerror}"))
    else:
        return True
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
    return False
