"""The API server's kinds of field errors, as violations.

Specification: k8s.io/apimachinery util/validation/field: `path: Kind value: bad value: detail`. Strings are quoted as
Go quotes, other scalars are raw, anything else is JSON of the server's internal types (`internal.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from msgspec import Struct

from podward.api.gotext import quote
from podward.api.json_value import Json
from podward.api.version import KUBERNETES
from podward.decision import Decision, Origin, Source, Value, Violation, merge
from podward.path import Key, Path
from podward.schema.validation.internal import go_json

Scalar: TypeAlias = str | int | bool

SOURCE = Source(Origin.RULE, f"Kubernetes {KUBERNETES} validation")
"""Who refuses."""
NOTHING = merge()
"""No error."""


class Place(Struct, frozen=True, gc=False):
    """Where a value stands; its path is made where something is wrong, as nearly all values are sound."""

    above: Place | None
    step: str | int | Key

    def __truediv__(self, step: str | int | Key) -> Place:
        return Place(self, step)

    @property
    def path(self) -> Path:
        """The place as a field path."""
        steps: list[str | int | Key] = []
        place: Place | None = self
        while place is not None and place is not ROOT:
            steps.append(place.step)
            place = place.above
        return Path(tuple(reversed(steps)))


ROOT = Place(None, "")
"""The object itself; it is no step of any path."""
At: TypeAlias = Path | Place
"""A place that an error can be told of."""


def invalid(at: At, value: Scalar, detail: str) -> Decision:
    """The value is malformed."""
    return _refused(at, value, f"Invalid value: {printed(value)}: {detail}")


def invalid_object(at: At, value: Value, text: str, detail: str) -> Decision:
    """The object is malformed; `text` is its internal JSON."""
    return _refused(at, value, f"Invalid value: {text}: {detail}")


def invalid_value(at: At, value: Json, detail: str) -> Decision:
    """The value is malformed; the server has it in a type of its own, a pointer or a list, and prints it as JSON."""
    return _refused(at, value, f"Invalid value: {go_json(value)}" + (f": {detail}" if detail else ""))


def required(at: At, detail: str = "") -> Decision:
    """The field is missing or empty."""
    return _refused(at, None, "Required value" + (f": {detail}" if detail else ""))


def forbidden(at: At, detail: str) -> Decision:
    """The field must not be set here."""
    return _refused(at, None, f"Forbidden: {detail}")


def unsupported(at: At, value: str, supported: Iterable[str]) -> Decision:
    """The word is none of those that are known; the server has it in a type of its own, and prints it as JSON."""
    return _unsupported(at, value, go_json(value), supported)


def unsupported_text(at: At, value: str, supported: Iterable[str]) -> Decision:
    """The text is none of those that are known; to the server it is an ordinary string."""
    return _unsupported(at, value, quote(value), supported)


def _unsupported(at: At, value: str, shown: str, supported: Iterable[str]) -> Decision:
    known = ", ".join(quote(word) for word in supported)
    return _refused(at, value, f"Unsupported value: {shown}: supported values: {known}")


def duplicate(at: At, value: str) -> Decision:
    """The value must be unique and isn't."""
    return _refused(at, value, f"Duplicate value: {quote(value)}")


def not_found(at: At, value: str) -> Decision:
    """The value names something that does not exist."""
    return _refused(at, value, f"Not found: {quote(value)}")


def too_many(at: At, count: int, most: int) -> Decision:
    """The list has more than `most` items."""
    return _refused(at, count, f"Too many: {count}: must have at most {most} item{'' if most == 1 else 's'}")


def positive(at: At, value: int) -> Decision:
    """Refuse a number below 1."""
    return NOTHING if value > 0 else invalid(at, value, "must be greater than zero")


def in_range(at: At, value: int, least: int, most: int) -> Decision:
    """Refuse a number outside `least` to `most`."""
    return NOTHING if least <= value <= most else invalid(at, value, between(least, most))


def between(least: int, most: int) -> str:
    """The sentence about a range."""
    return f"must be between {least} and {most}, inclusive"


def each(at: At, value: Scalar, faults: Iterable[str]) -> Decision:
    """Refuse the value once for each fault."""
    return merge(*[invalid(at, value, fault) for fault in faults])


def refused(at: At, value: Value, reasons: Iterable[str]) -> Decision:
    """Refuse the value once for each of these sentences."""
    place = at if isinstance(at, Path) else at.path
    return Decision(violations=tuple([Violation(place, value, reason, SOURCE) for reason in reasons]))


def too_long(at: At, value: str, most: int) -> Decision:
    """The text has more than `most` bytes."""
    return _refused(at, value, f"Too long: may not be more than {most} bytes")


def printed(value: Scalar) -> str:
    """A scalar as field errors print it."""
    if isinstance(value, str):
        return quote(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _refused(at: At, value: Value, reason: str) -> Decision:
    return refused(at, value, (reason,))
