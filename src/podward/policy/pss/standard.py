"""A standard: the level and version that a Pod is checked against.

Specification (k8s.io/pod-security-admission, api/helpers.go, in our words): a level is `privileged`,
`baseline` or `restricted`. A version is `latest` or `v1.N`, where N is a decimal number without sign or leading zero,
below 2^63. A standard is printed as `restricted:v1.30`. Upstream replaces a text that does not parse by restricted or
latest and reports an error; here the caller does that.
"""

from __future__ import annotations

from enum import Enum

from msgspec import Struct


class Level(Enum):
    """A level of the Pod Security Standards."""

    PRIVILEGED = "privileged"
    """Forbids nothing."""
    BASELINE = "baseline"
    """Forbids known privilege escalations."""
    RESTRICTED = "restricted"
    """Demands the best practices of hardening."""

    def __str__(self) -> str:
        return self.value


STRICTNESS = {Level.PRIVILEGED: 0, Level.BASELINE: 1, Level.RESTRICTED: 2}
"""The order of the levels: a higher number is stricter."""

LEVEL_RULE = "must be one of privileged, baseline, restricted"
VERSION_RULE = 'must be "latest" or "v1.x"'
_LEVELS = {level.value: level for level in Level}
_DIGITS = frozenset("0123456789")
_LARGEST = (1 << 63) - 1  # Go's int: a larger number is no version


class Version(Struct, frozen=True, gc=False):
    """The version of the standards: Kubernetes 1.`minor`, or the latest if `minor` is None."""

    minor: int | None = None

    def __str__(self) -> str:
        return "latest" if self.minor is None else f"v1.{self.minor}"


LATEST = Version()


class Standard(Struct, frozen=True, gc=False):
    """A level and a version."""

    level: Level
    version: Version = LATEST

    def __str__(self) -> str:
        minor = self.version.minor
        return f"{self.level.value}:latest" if minor is None else f"{self.level.value}:v1.{minor}"


def parse_level(text: str) -> Level | None:
    """The level with this name; None if there is none."""
    return _LEVELS.get(text)


def parse_version(text: str) -> Version | None:
    """The version in this text; None if the text is not a version."""
    if text == "latest":
        return LATEST
    number = text.removeprefix("v1.")
    if number == text or not number or not _DIGITS.issuperset(number) or (number[0] == "0" and number != "0"):
        return None
    if len(number) > len(str(_LARGEST)) or int(number) > _LARGEST:
        return None
    return Version(int(number))
