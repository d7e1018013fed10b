"""Times of objects as seconds, to be compared with the time of a request."""

from __future__ import annotations

from podward.schema.godecode.times import parse


def seconds(written: str) -> float:
    """The seconds since 1970 of a time in RFC 3339, which decoding has checked."""
    return parse(written).timestamp()
