"""The time as API objects have it."""

from __future__ import annotations

import datetime as dt


def now() -> str:
    """metav1.Time: whole seconds."""
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def micro_now() -> str:
    """metav1.MicroTime."""
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def seconds_of(moment: str) -> float | None:
    """The seconds since 1970 of a time that an API object has; None for what is none."""
    try:
        return dt.datetime.fromisoformat(moment).timestamp()
    except ValueError:
        return None
