"""What every reader of manifests answers, and what it refuses: a value with its lines, and the limits of both."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

if TYPE_CHECKING:
    from podward.api.json_value import Json

DEEPEST = 100
"""Levels of nesting that are accepted."""
MOST_BYTES = 3 * 1024 * 1024
"""Bytes of an object, or of text repeated by aliases: the API server's limit on a request."""
MOST_DOCUMENTS = 100_000
"""Documents of one file, empty ones included, or items of a long list: far more than anybody writes, few enough to
read in seconds."""

Lines: TypeAlias = "dict[str | int, int | tuple[int, Lines]]"
"""For each key or index its line, and for objects and lists also the lines inside."""


class ComposeError(Exception):
    """What is wrong with the document, its line in the file and its column (both 1-based)."""

    def __init__(self, what: str, line: int, column: int | None = None, advice: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.line = line
        self.column = column
        self.advice = advice


class TooMuchError(ComposeError):
    """A limit is exceeded: size, depth, number, or what aliases grow to."""


class Composed(Struct, frozen=True, gc=False):
    """A document's value, the line at which it begins, and the lines inside, or a function that finds these.

    `rest` is the line of a further document in the same text, None if there is none.
    """

    value: Json
    line: int
    lines: Lines | Callable[[], Lines]
    rest: int | None


def size_of(text: str) -> int:
    """The bytes that `text` has in UTF-8."""
    return len(text) if text.isascii() else len(text.encode())


DUPLICATE_ADVICE = "Kubernetes would silently take the last one: keep one of the two"
