"""The standard streams of a command: colours and width, error messages, and readers that go away."""

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
    """Open /dev/null for each standard stream that is closed.

    Otherwise the next opened files would get these numbers, and the output of the command, or of a container, would be
    written into them.
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
        # As in kubectl, for every locale: a character that the locale lacks must not end us or change a manifest.
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")


def colour_wanted(stream: TextIO) -> bool:
    """Whether output to `stream` has colours: only on a terminal that can show them, and not if NO_COLOR is set."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and stream.isatty()


def columns(stream: TextIO) -> int:
    """The width of the output: COLUMNS if it is set, else the terminal's width, else 80."""
    asked = os.environ.get("COLUMNS", "")
    if asked.isascii() and asked.isdigit() and int(asked):
        return int(asked)
    try:
        return os.get_terminal_size(stream.fileno()).columns or FALLBACK_COLUMNS
    except (OSError, ValueError):  # a pipe, a file, or a stream without a number
        return FALLBACK_COLUMNS


def printable(text: str) -> str:
    r"""`text` with escapes (`\x1b`) for its control characters, except new lines and tabs.

    Error messages quote manifests, images and the output of containers. These must not control the terminal.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in text)


def complain(error: PodwardError) -> None:
    """Print `error` on standard error as `podward: where: what`, with its advice indented below, safe for logs."""
    from podward.render.escaping import message

    name = f"{RED}podward:{RESET}" if colour_wanted(sys.stderr) else "podward:"
    print(name, message(str(error)), file=sys.stderr)


def say(text: str) -> None:
    """Print `podward: text` on standard error, safe for terminals and logs, after what was printed before."""
    from podward.render.escaping import message

    sys.stdout.flush()
    print(message(f"podward: {text}"), file=sys.stderr, flush=True)


def reader_is_gone(stream: TextIO) -> bool:
    """Whether `stream` is a pipe or a socket whose reader has gone away."""
    import select

    poller = select.poll()
    poller.register(stream.fileno(), 0)
    return any(events & (select.POLLERR | select.POLLHUP) for _, events in poller.poll(0))


def finish(stream: TextIO) -> bool:
    """Flush `stream`; returns whether that worked. An error is printed, unless only the reader has gone away.

    After an error the stream leads to /dev/null; otherwise the interpreter would fail again when it flushes at its end.
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
