"""The ids and the SELinux level that a namespace's annotations set aside for its Pods.

Specification (OpenShift apiserver-library-go, sccmatching/matcher.go, and library-go, security/uid), in our
words:
- `openshift.io/sa.scc.uid-range` and `openshift.io/sa.scc.mcs` must be there, even if no SCC needs them.
- A block of ids is `start/size` if there is a slash in it, otherwise `start-end`. It is read as Go's Sscanf reads two
  uint32: white space but newlines may stand before a number, a sign may not, and what follows the second number is
  ignored. The last id of `start/size` is start + size - 1, which wraps: `0/0` ends at 4294967295.
- Only the first block of the uid range counts.
- `openshift.io/sa.scc.supplemental-groups` are blocks separated by commas; if the annotation is not there at all, the
  uid range is read in its place, in the same way.
- The level is taken as it is.
What is malformed only matters to an SCC that needs it, and then refuses every Pod.
"""

from __future__ import annotations

from re import compile as pattern

from msgspec import Struct

from podward.api.core import Namespace
from podward.api.gotext import quote
from podward.decision import Origin, Source
from podward.path import Key, path

UID_RANGE = "openshift.io/sa.scc.uid-range"
"""The annotation with the uids of a namespace."""
MCS = "openshift.io/sa.scc.mcs"
"""The annotation with the SELinux level of a namespace."""
SUPPLEMENTAL_GROUPS = "openshift.io/sa.scc.supplemental-groups"
"""The annotation with the groups of a namespace."""


class Block(Struct, frozen=True):
    """Ids from `first` to `last`, both included. Nothing keeps the last from being below the first."""

    first: int
    last: int


class Unusable(Struct, frozen=True):
    """A value that can't be had, and why, in the server's words."""

    why: str


class NamespaceRanges(Struct, frozen=True):
    """What the namespace sets aside; `groups_key` is the annotation that the groups were read from."""

    name: str
    users: Block | Unusable
    level: str | Unusable
    groups: tuple[Block, ...] | Unusable
    groups_key: str

    def source(self, key: str) -> Source:
        """The annotation as the source of a value."""
        return Source(Origin.POLICY, f"namespace {self.name}", path("metadata", "annotations", Key(key)))


def read(namespace: Namespace) -> NamespaceRanges | str:
    """The annotations of the namespace; a text is why no Pod at all can be admitted there."""
    annotations = namespace.metadata.annotations or {}
    name = namespace.metadata.name or ""
    for key in (UID_RANGE, MCS):
        if key not in annotations:
            return f"error fetching namespace {quote(name)}: unable to find annotation {key}"
    groups_key = SUPPLEMENTAL_GROUPS if SUPPLEMENTAL_GROUPS in annotations else UID_RANGE
    return NamespaceRanges(
        name,
        _users(annotations[UID_RANGE] or ""),
        annotations[MCS] or _empty(MCS),
        _groups(annotations[groups_key] or ""),
        groups_key,
    )


def fault(key: str, written: str) -> str:
    """What the server finds wrong with the annotation `key` where it is `written` so; empty if nothing."""
    if key == MCS:
        return "" if written else _empty(MCS).why
    found = _users(written) if key == UID_RANGE else _groups(written)
    return found.why if isinstance(found, Unusable) else ""


def parse_block(text: str) -> Block | Unusable:
    """A block of ids, `start/size` or `start-end`."""
    separator = "/" if "/" in text else "-"
    start = _number(text, 0)
    if isinstance(start, Unusable):
        return start
    first, position = start
    if position == len(text):
        return Unusable("unexpected EOF")
    if text[position] != separator:
        return Unusable("input does not match format")
    end = _number(text, position + 1)
    if isinstance(end, Unusable):
        return end
    return Block(first, (first + end[0] - 1) % _UINT32 if separator == "/" else end[0])


def _users(written: str) -> Block | Unusable:
    return parse_block(written) if written else _empty(UID_RANGE)


def _groups(written: str) -> tuple[Block, ...] | Unusable:
    if not written:
        return Unusable(f"unable to find groups using {SUPPLEMENTAL_GROUPS} and {UID_RANGE} annotations")
    blocks = []
    for text in written.split(","):
        block = parse_block(text)
        if isinstance(block, Unusable):
            return block
        blocks.append(block)
    return tuple(blocks)


def _empty(key: str) -> Unusable:
    return Unusable(f"found annotation {key} but it was empty")


_UINT32 = 1 << 32
_UINT64 = 1 << 64
_UINT64_DIGITS = 20
_SPACES = frozenset("\t\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000") | {chr(c) for c in range(0x2000, 0x200B)}
_DIGITS = pattern("[0-9]*")


def _number(text: str, position: int) -> tuple[int, int] | Unusable:
    """The number at `position`, after white space, and where it ends: Go's `%d` into a uint32."""
    while position < len(text) and text[position] in _SPACES:
        position += 1
    if position == len(text):
        return Unusable("EOF")
    if text[position] == "\n":
        return Unusable("unexpected newline")
    found = _DIGITS.match(text, position)
    digits = found[0] if found else ""
    if not digits:
        return Unusable("expected integer")
    significant = digits.lstrip("0") or "0"
    if len(significant) > _UINT64_DIGITS or int(significant) >= _UINT64:  # Python refuses to read very long numbers
        return Unusable(f"strconv.ParseUint: parsing {quote(digits)}: value out of range")
    value = int(significant)
    if value >= _UINT32:
        return Unusable(f"unsigned integer overflow on token {digits}")
    return value, position + len(digits)
