"""Which ids and which SELinux level a new namespace is given.

Specification: OpenShift cluster-policy-controller, pkg/security (controller, mcs, uidallocator), and library-go,
security/uid (July 2026): uids come in blocks of one size, `first-last/size`; a namespace is given a block, and as its
groups the same. Levels are `PREFIX/CATEGORIES`: of the block with the number n, the level is number 5·n of all sets of
so many of the 1024 categories, in co-lexicographic order. Which blocks are taken is a bitmap, kept as the bytes of an
integer, the highest first. A namespace that somebody has given a range by hand takes every block that it touches.

Unlike there, a block is never given a second time, whatever becomes of the namespace that had it.
"""

from __future__ import annotations

import re
from math import comb
from typing import TYPE_CHECKING

from msgspec import Struct

from podward.errors import UsageError
from podward.policy.scc.namespace import MCS, SUPPLEMENTAL_GROUPS, UID_RANGE, InvalidAnnotation, parse_range

if TYPE_CHECKING:
    from collections.abc import Mapping

_CATEGORIES, _MOST_IN_A_LEVEL, _LEVELS_OF_A_BLOCK = 1024, 5, 5
_UIDS = re.compile(r"([0-9]{1,10})-([0-9]{1,10})/([0-9]{1,10})")
_LEVELS = re.compile(r"([^/]*)/([1-5])(?:,([0-9]{1,4}))?")
_HIGHEST = (1 << 32) - 1


class Ranges(Struct, frozen=True):
    """What there is to give: blocks of `size` uids from `first` on, and levels of `categories` categories."""

    first: int = 1_000_000_000
    last: int = 1_999_999_999
    size: int = 10_000
    prefix: str = "s0:"
    categories: int = 2
    most: int = _CATEGORIES

    @property
    def count(self) -> int:
        """How many blocks there are."""
        return (self.last - self.first + 1) // self.size

    @property
    def uids(self) -> str:
        """The uids as OpenShift writes them."""
        return f"{self.first}-{self.last}/{self.size}"

    def annotations(self, block: int) -> Mapping[str, str]:
        """What a namespace with this block is told."""
        uids = f"{self.first + block * self.size}/{self.size}"
        return {UID_RANGE: uids, SUPPLEMENTAL_GROUPS: uids, MCS: self.level(block)}

    def level(self, block: int) -> str:
        """The SELinux level of a block."""
        offset, highest, found = block * _LEVELS_OF_A_BLOCK, self.most, []
        for left in range(self.categories, 0, -1):
            while comb(highest, left) > offset:
                highest -= 1
            found.append(f"c{highest}")
            offset -= comb(highest, left)
        colon = "" if not self.prefix or self.prefix.endswith((":", ",")) else ":"
        return f"{self.prefix}{colon}{','.join(found)}"

    def touched(self, annotations: Mapping[str, str | None]) -> range:
        """The blocks that a namespace with these annotations has something of; none where they say nothing usable."""
        ids = parse_range(annotations.get(UID_RANGE) or "")
        if isinstance(ids, InvalidAnnotation):
            return range(0)
        first, last = max(ids.first, self.first), min(ids.last, self.first + self.count * self.size - 1)
        return range((first - self.first) // self.size, (last - self.first) // self.size + 1 if first <= last else 0)


DEFAULT = Ranges()
"""OpenShift's own."""


def first_free(taken: int, count: int) -> int | None:
    """The first block that is not taken; None where all are."""
    found = (~taken & (taken + 1)).bit_length() - 1
    return found if found < count else None


def ranges_of(uids: str, levels: str) -> Ranges:
    """The ranges that two flags name. Raises UsageError."""
    found = _UIDS.fullmatch(uids)
    if found is None:
        raise _odd_uids(uids, "this is no range of uids with the size of a block")
    first, last, size = map(int, found.groups())
    if not 0 < size <= last - first + 1 or last > _HIGHEST:
        raise _odd_uids(uids, "no block fits into this range of uids")
    prefix, categories, most = _levels(levels)
    made = Ranges(first, last, size, prefix, categories, most)
    if (made.count - 1) * _LEVELS_OF_A_BLOCK >= comb(most, categories):
        raise UsageError(
            f"there are more blocks of uids ({made.count}) than levels: two namespaces would have the same",
            where="--namespace-ranges",
            advice="make the blocks larger, or the levels of more categories with --namespace-levels",
        )
    return made


def _levels(text: str) -> tuple[str, int, int]:
    found = _LEVELS.fullmatch(text)
    most = int(found.group(3) or _CATEGORIES) if found is not None else 0
    if found is None or not _MOST_IN_A_LEVEL <= most <= _CATEGORIES:
        raise UsageError(
            f"these are no SELinux levels: {text!r}",
            where="--namespace-levels",
            advice="write a prefix and how many categories a level has, such as s0:/2",
        )
    return found.group(1), int(found.group(2)), most


def _odd_uids(text: str, what: str) -> UsageError:
    return UsageError(
        f"{what}: {text!r}",
        where="--namespace-ranges",
        advice="write FIRST-LAST/SIZE, such as 1000000000-1999999999/10000",
    )
