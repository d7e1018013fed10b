"""Which standard a Pod is held to: a level and a version.

Specification (k8s.io/pod-security-admission, api/helpers.go, policy 1.37, in our words): a level is `privileged`,
`baseline` or `restricted`; a version is `latest` or `v1.N` with N in decimal, no sign, no leading zero, below 2^63.
Printed together they are `restricted:v1.30`. What does not parse is replaced by the strictest reading, restricted and
latest, and an error is reported beside it; callers decide what to do with the two.
"""

from __future__ import annotations

from enum import Enum

from msgspec import Struct


class Level(Enum):
    """How much is forbidden."""

    PRIVILEGED = "privileged"
    """Nothing."""
    BASELINE = "baseline"
    """Known ways out of a container."""
    RESTRICTED = "restricted"
    """All that hardening asks for."""

    def __str__(self) -> str:
        return self.value


STRICTNESS = {Level.PRIVILEGED: 0, Level.BASELINE: 1, Level.RESTRICTED: 2}
"""Levels in their order: more is stricter."""

LEVEL_RULE = "must be one of privileged, baseline, restricted"
VERSION_RULE = 'must be "latest" or "v1.x"'
_LEVELS = {level.value: level for level in Level}
_DIGITS = frozenset("0123456789")
_LARGEST = (1 << 63) - 1  # Go's int: a larger number is no version


class Version(Struct, frozen=True, gc=False):
    """Kubernetes 1.`minor`, whose standards are meant; None is the latest."""

    minor: int | None = None

    def __str__(self) -> str:
        return "latest" if self.minor is None else f"v1.{self.minor}"


LATEST = Version()


class Standard(Struct, frozen=True, gc=False):
    """A level at a version."""

    level: Level
    version: Version = LATEST

    def __str__(self) -> str:
        minor = self.version.minor
        return f"{self.level.value}:latest" if minor is None else f"{self.level.value}:v1.{minor}"


def parse_level(text: str) -> Level | None:
    """The level of this name; None if there is none."""
    return _LEVELS.get(text)


def parse_version(text: str) -> Version | None:
    """The version that is written so; None if this is no version."""
    if text == "latest":
        return LATEST
    number = text.removeprefix("v1.")
    if number == text or not number or not _DIGITS.issuperset(number) or (number[0] == "0" and number != "0"):
        return None
    if len(number) > len(str(_LARGEST)) or int(number) > _LARGEST:
        return None
    return Version(int(number))
