"""Times as statuses have them: whole seconds, UTC."""

from __future__ import annotations

from datetime import UTC, datetime


def written(nanoseconds: int) -> str | None:
    """A time of CRI, which has nanoseconds since 1970; 0 is none, which is null."""
    return of(nanoseconds // 1_000_000_000) if nanoseconds else None


def of(seconds: float) -> str:
    """A time in seconds since 1970."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
