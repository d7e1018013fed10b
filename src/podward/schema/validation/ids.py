"""User and group ids: 0 to 2147483647 (Kubernetes, util/validation IsValidUserID and IsValidGroupID)."""

from __future__ import annotations

from podward.decision import Decision
from podward.path import Path
from podward.schema.validation.field import invalid

LARGEST = 2**31 - 1


def check(number: int | None, at: Path) -> Decision:
    """Refuse an id that is out of range."""
    if number is None or 0 <= number <= LARGEST:
        return Decision()
    return invalid(at, number, f"must be between 0 and {LARGEST}, inclusive")
