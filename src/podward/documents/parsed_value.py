"""What the readers of YAML and JSON return: a value with its lines. Also the limits of a document, and their errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

if TYPE_CHECKING:
    from podward.api.json_value import Json

MAX_DEPTH = 100
"""The deepest nesting that is accepted, in levels."""
MAX_BYTES = 3 * 1024 * 1024
"""The largest object, and the most text that aliases may repeat, in bytes: the API server's limit on a request."""
MAX_DOCUMENTS = 100_000
"""The most documents in one file (empty ones included) and the most items of a long list.

That is far more than anybody writes, and few enough to read in seconds.
"""

Lines: TypeAlias = "dict[str | int, int | tuple[int, Lines]]"
"""The line of each key or index; for objects and lists also the lines inside of them."""


class ParseError(Exception):
    """A document is wrong: `what`, at which line of the file and at which column (both 1-based), and what to do."""

    def __init__(self, what: str, line: int, column: int | None = None, advice: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.line = line
        self.column = column
        self.advice = advice


class LimitExceededError(ParseError):
    """A document exceeds a limit: its size, its depth, the number of documents, or what aliases grow to."""


class OutsideSubsetError(Exception):
    """A fast reader does not take this text: only the exact reader can tell what it says, or what is wrong with it."""


class ParsedValue(Struct, frozen=True, gc=False):
    """A document's value, the line at which it begins, and the lines inside of it, or a function that finds these.

    `rest` is the line at which a second document begins in the same text, None if there is none.
    """

    value: Json
    line: int
    lines: Lines | Callable[[], Lines]
    rest: int | None


def size_of(text: str) -> int:
    """The bytes that `text` has in UTF-8."""
    return len(text) if text.isascii() else len(text.encode())


DUPLICATE_ADVICE = "Kubernetes would silently take the last one: keep one of the two"
