"""Times of objects as seconds, to be compared with the time of a request; and seconds as times of objects."""

from __future__ import annotations

from datetime import UTC, datetime

from podward.schema.godecode.times import parse


def seconds(written: str) -> float:
    """The seconds since 1970 of a time in RFC 3339, which decoding has checked."""
    return parse(written).timestamp()


def written(moment: float) -> str:
    """The time of these seconds since 1970, as meta/v1 Time writes it."""
    return datetime.fromtimestamp(int(moment), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
