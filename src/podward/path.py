"""A field's place in a document.

A `Path` prints as Kubernetes prints field paths (`spec.containers[0].securityContext.runAsUser`,
`metadata.annotations[key]`) and, for patches, as an RFC 6901 JSON Pointer.
"""

from __future__ import annotations

from functools import lru_cache

from msgspec import Struct


class Key(Struct, frozen=True, gc=False):
    """A key of a map whose keys are data, not field names: printed in brackets."""

    name: str


class Path(Struct, frozen=True, gc=False):
    """Where a value stands: field names, list indexes and map keys from the root of its document."""

    segments: tuple[str | int | Key, ...] = ()

    def __truediv__(self, step: str | int | Key) -> Path:
        return Path((*self.segments, step))

    def __add__(self, other: Path) -> Path:
        return Path(self.segments + other.segments)

    def startswith(self, prefix: Path) -> bool:
        """Whether this is `prefix` itself or a place inside it."""
        return self.segments[: len(prefix.segments)] == prefix.segments

    def __str__(self) -> str:
        return _printed(self.segments)

    @property
    def pointer(self) -> str:
        """The JSON Pointer of RFC 6901; the root is the empty string."""
        return "".join("/" + _plain(s).replace("~", "~0").replace("/", "~1") for s in self.segments)


@lru_cache(1 << 10)
def _printed(segments: tuple[str | int | Key, ...]) -> str:
    """The segments as Kubernetes prints them. Remembered: the same few fields are cited of every manifest."""
    printed = ""
    for segment in segments:
        if isinstance(segment, str):
            printed += f".{segment}" if printed else segment
        elif isinstance(segment, Key):
            printed += f"[{segment.name}]"
        else:
            printed += f"[{segment}]"
    return printed


def _plain(segment: str | int | Key) -> str:
    return segment.name if isinstance(segment, Key) else str(segment)


def path(*segments: str | int | Key) -> Path:
    """The path of these segments: `path("spec", "containers", 0)`."""
    return Path(segments)
