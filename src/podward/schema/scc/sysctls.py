"""The sysctls that an SCC allows and forbids: names, or the beginning of names followed by `*`.

Specification: OpenShift's validateSCCSysctls and the check that the two lists do not overlap. At most 253 characters;
segments are joined by dots only. `*` alone covers all, and then nothing else may be listed. No allowed name or pattern
may be covered by a forbidden one, nor the other way round; the narrower of the two is the one refused, and of two
equal patterns the allowed one.
"""

from __future__ import annotations

from re import compile as pattern
from typing import TYPE_CHECKING

from podward.decision import Decision, merge
from podward.path import Path, path
from podward.schema.validation.field import forbidden, invalid

if TYPE_CHECKING:
    from collections.abc import Sequence

_LONGEST = 253
_PATTERN = "([a-z0-9]([-_a-z0-9]*[a-z0-9])?\\.)*([a-z0-9][-_a-z0-9]*)?[a-z0-9*]"
_IS_PATTERN = pattern(_PATTERN)
_RULE = f"must have at most {_LONGEST} characters and match regex {_PATTERN}"
_ALLOWED, _FORBIDDEN = path("allowedUnsafeSysctls"), path("forbiddenSysctls")


def validate(allowed: Sequence[str], banned: Sequence[str]) -> Decision:
    """What is refused in the two lists."""
    return merge(_names(allowed, _ALLOWED), _names(banned, _FORBIDDEN), _overlaps(allowed, banned))


def _names(names: Sequence[str], at: Path) -> Decision:
    found: list[Decision] = []
    every = False
    for index, name in enumerate(names):
        if not name:
            found.append(invalid(at / index, name, "empty sysctl not allowed"))
        elif len(name.encode()) > _LONGEST or not _IS_PATTERN.fullmatch(name):
            found.append(invalid(at / index, name, _RULE))
        elif name[0] == "*":
            every = True
    if every and len(names) > 1:
        found.append(forbidden(at / "items", "if '*' is present, must not specify other sysctls"))
    return merge(*found)


def _overlaps(allowed: Sequence[str], banned: Sequence[str]) -> Decision:
    found: list[Decision] = []
    for index, name in enumerate(allowed):
        for place, other in enumerate(banned):
            if _covers(other, name):
                found.append(invalid(_ALLOWED / index, name, f"sysctl overlaps with {other}"))
            elif _covers(name, other):
                found.append(invalid(_FORBIDDEN / place, other, f"sysctl overlaps with {name}"))
    return merge(*found)


def _covers(wide: str, narrow: str) -> bool:
    """Whether every name that `narrow` stands for is one that `wide` stands for."""
    if not wide.endswith("*"):
        return wide == narrow
    return narrow.removesuffix("*").startswith(wide[:-1]) if narrow.endswith("*") else narrow.startswith(wide[:-1])
