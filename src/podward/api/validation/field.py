"""The API server's kinds of field errors, as violations.

Specification: k8s.io/apimachinery util/validation/field: `path: Kind value: bad value: detail`. Strings are quoted as
Go quotes, other scalars are raw, anything else is JSON of the server's internal types (`internal.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from podward.api.gotext import quote
from podward.decision import Decision, Origin, Source, Value, refuse
from podward.path import Path

Scalar: TypeAlias = str | int | bool

SOURCE = Source(Origin.RULE, "Kubernetes 1.36 validation")
"""Who refuses."""


def invalid(at: Path, value: Scalar, detail: str) -> Decision:
    """The value is malformed."""
    return refuse(at, value, f"Invalid value: {printed(value)}: {detail}", SOURCE)


def invalid_object(at: Path, value: Value, text: str, detail: str) -> Decision:
    """The object is malformed; `text` is its internal JSON."""
    return refuse(at, value, f"Invalid value: {text}: {detail}", SOURCE)


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


def too_long(at: Path, value: str, most: int) -> Decision:
    """The text has more than `most` bytes."""
    return refuse(at, value, f"Too long: may not be more than {most} bytes", SOURCE)


def printed(value: Scalar) -> str:
    """A scalar as field errors print it."""
    if isinstance(value, str):
        return quote(value)
    return str(value).lower() if isinstance(value, bool) else str(value)
