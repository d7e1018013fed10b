"""The API server's kinds of field errors, as violations.

Specification: k8s.io/apimachinery util/validation/field: `path: Kind value: bad value: detail`. Strings are quoted as
Go quotes, other scalars are raw, anything else is JSON of the server's internal types (`internal.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from podward.api.gotext import quote
from podward.api.json_value import Json
from podward.api.version import KUBERNETES
from podward.decision import Decision, Origin, Source, Value, merge, refuse
from podward.path import Path
from podward.schema.validation.internal import go_json

Scalar: TypeAlias = str | int | bool

SOURCE = Source(Origin.RULE, f"Kubernetes {KUBERNETES} validation")
"""Who refuses."""


def invalid(at: Path, value: Scalar, detail: str) -> Decision:
    """The value is malformed."""
    return refuse(at, value, f"Invalid value: {printed(value)}: {detail}", SOURCE)


def invalid_object(at: Path, value: Value, text: str, detail: str) -> Decision:
    """The object is malformed; `text` is its internal JSON."""
    return refuse(at, value, f"Invalid value: {text}: {detail}", SOURCE)


def invalid_value(at: Path, value: Json, detail: str) -> Decision:
    """The value is malformed; the server has it in a type of its own, a pointer or a list, and prints it as JSON."""
    return refuse(at, value, f"Invalid value: {go_json(value)}: {detail}", SOURCE)


def required(at: Path, detail: str = "") -> Decision:
    """The field is missing or empty."""
    return refuse(at, None, "Required value" + (f": {detail}" if detail else ""), SOURCE)


def forbidden(at: Path, detail: str) -> Decision:
    """The field must not be set here."""
    return refuse(at, None, f"Forbidden: {detail}", SOURCE)


def unsupported(at: Path, value: str, supported: Iterable[str]) -> Decision:
    """The value is none of those that are known."""
    known = ", ".join(quote(word) for word in supported)
    return refuse(at, value, f"Unsupported value: {quote(value)}: supported values: {known}", SOURCE)


def duplicate(at: Path, value: str) -> Decision:
    """The value must be unique and isn't."""
    return refuse(at, value, f"Duplicate value: {quote(value)}", SOURCE)


def not_found(at: Path, value: str) -> Decision:
    """The value names something that does not exist."""
    return refuse(at, value, f"Not found: {quote(value)}", SOURCE)


def too_many(at: Path, count: int, most: int) -> Decision:
    """The list has more than `most` items."""
    return refuse(at, count, f"Too many: {count}: must have at most {most} items", SOURCE)


def not_negative(at: Path, value: int) -> Decision:
    """Refuse a number below 0."""
    return Decision() if value >= 0 else invalid(at, value, "must be greater than or equal to 0")


def positive(at: Path, value: int) -> Decision:
    """Refuse a number below 1."""
    return Decision() if value > 0 else invalid(at, value, "must be greater than zero")


def in_range(at: Path, value: int, least: int, most: int) -> Decision:
    """Refuse a number outside `least` to `most`."""
    return Decision() if least <= value <= most else invalid(at, value, between(least, most))


def between(least: int, most: int) -> str:
    """The sentence about a range."""
    return f"must be between {least} and {most}, inclusive"


def each(at: Path, value: str, faults: Iterable[str]) -> Decision:
    """Refuse the value once for each fault."""
    return merge(*[invalid(at, value, fault) for fault in faults])


def too_long(at: Path, value: str, most: int) -> Decision:
    """The text has more than `most` bytes."""
    return refuse(at, value, f"Too long: may not be more than {most} bytes", SOURCE)


def printed(value: Scalar) -> str:
    """A scalar as field errors print it."""
    if isinstance(value, str):
        return quote(value)
    return str(value).lower() if isinstance(value, bool) else str(value)
