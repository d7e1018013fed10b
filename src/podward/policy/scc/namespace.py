"""The ids and the SELinux level that a namespace's annotations reserve for its Pods.

Specification (OpenShift apiserver-library-go, sccmatching/matcher.go, and library-go, security/uid), in our
words:
- `openshift.io/sa.scc.uid-range` and `openshift.io/sa.scc.mcs` must exist, even if no SCC needs them.
- A range of ids is `start/size` if it contains a slash, otherwise `start-end`. It is parsed as Go's Sscanf parses two
  uint32: a number may follow white space other than newlines, it may not have a sign, and the text after the second
  number is ignored. The last id of `start/size` is start + size - 1, which wraps around: `0/0` ends at 4294967295.
- Only the first range of the uid annotation is used.
- `openshift.io/sa.scc.supplemental-groups` has ranges separated by commas. If the annotation does not exist, the uid
  range is used instead, parsed in the same way.
- The level is used unchanged.
A malformed annotation matters only to an SCC that needs it, which then refuses every Pod.

The server does not name the malformed annotation. A namespace in a file is therefore checked when it is read
(`require_well_formed`): a malformed annotation is the file's mistake, and so is a range that ends before it starts,
which the server accepts although no Pod can satisfy it. A missing annotation is not: admission reports it for a Pod.
"""

from __future__ import annotations

from re import compile as pattern
from typing import TYPE_CHECKING

from msgspec import Struct

from podward.api.core import Namespace
from podward.api.gotext import quote
from podward.api.json_value import shortened
from podward.decision import Origin, Source
from podward.errors import InputError
from podward.path import Key, path
from podward.schema.view import typed_view

if TYPE_CHECKING:
    from podward.schema.objects import Item

UID_RANGE = "openshift.io/sa.scc.uid-range"
"""The annotation with the uids of a namespace."""
MCS = "openshift.io/sa.scc.mcs"
"""The annotation with the SELinux level of a namespace."""
SUPPLEMENTAL_GROUPS = "openshift.io/sa.scc.supplemental-groups"
"""The annotation with the groups of a namespace."""

_RANGE_ADVICE = "write start/size, such as 1000230000/10000, or start-end, such as 1000-2000"
_ADVICE = {
    UID_RANGE: _RANGE_ADVICE,
    MCS: "write a level, such as s0:c15,c10",
    SUPPLEMENTAL_GROUPS: f"{_RANGE_ADVICE}; several are separated by commas",
}


def of_openshift(name: str) -> bool:
    """Whether the domain before the slash of a label, an annotation or an apiVersion is one of OpenShift's."""
    domain, slash, _ = name.partition("/")
    return bool(slash) and (domain == "openshift.io" or domain.endswith(".openshift.io"))


class IdRange(Struct, frozen=True):
    """The ids from `first` to `last`, both included. `last` may be smaller than `first`."""

    first: int
    last: int


class InvalidAnnotation(Struct, frozen=True):
    """The reason, in the server's words, why an annotation has no usable value."""

    why: str


class NamespaceRanges(Struct, frozen=True):
    """The values of the namespace's annotations; `groups_key` is the annotation that the groups come from."""

    name: str
    users: IdRange | InvalidAnnotation
    level: str | InvalidAnnotation
    groups: tuple[IdRange, ...] | InvalidAnnotation
    groups_key: str

    def source(self, key: str) -> Source:
        """The annotation as the source of a value."""
        return Source(Origin.POLICY, f"namespace {self.name}", path("metadata", "annotations", Key(key)))


def read(namespace: Namespace) -> NamespaceRanges | str:
    """The values of the annotations; a text says why the namespace admits no Pod at all."""
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


class NamespaceSource(Struct, frozen=True):
    """A Namespace and where it is written."""

    item: Item
    view: Namespace


def namespace_source(item: Item) -> NamespaceSource:
    """The Namespace that `item` is. Raises InputError, with its line, for a malformed annotation."""
    source = NamespaceSource(item, typed_view(item.raw, Namespace, "Namespace"))
    require_well_formed(item, source.view)
    return source


def require_well_formed(item: Item, namespace: Namespace) -> None:
    """Raise InputError, with the annotation and its line, for the first malformed annotation of a file's namespace."""
    annotations = namespace.metadata.annotations or {}
    for key, advice in _ADVICE.items():
        if key not in annotations:
            continue
        written = annotations[key] or ""
        wrong = malformed(key, written) or _inverted(key, written)
        if wrong:
            place = path("metadata", "annotations", Key(key))
            what = f'Namespace "{item.name}": {place}: {shortened(written)}: {wrong}'
            raise InputError(what, where=item.where(place), advice=advice)


def malformed(key: str, written: str) -> str:
    """Why the server rejects this value of the annotation `key`; empty if it accepts the value."""
    if key == MCS:
        return "" if written else _empty(MCS).why
    found = _users(written) if key == UID_RANGE else _groups(written)
    return found.why if isinstance(found, InvalidAnnotation) else ""


def _inverted(key: str, written: str) -> str:
    """The error for a range that ends before it starts; empty if there is none."""
    if key == MCS:
        return ""
    for text in written.split(",") if key == SUPPLEMENTAL_GROUPS else (written,):
        ids = parse_range(text)
        if isinstance(ids, IdRange) and ids.last < ids.first:
            return f"the range is from {ids.first} to {ids.last}: no id is in it"
    return ""


def parse_range(text: str) -> IdRange | InvalidAnnotation:
    """A range of ids, `start/size` or `start-end`."""
    separator = "/" if "/" in text else "-"
    start = _number(text, 0)
    if isinstance(start, InvalidAnnotation):
        return start
    first, position = start
    if position == len(text):
        return InvalidAnnotation("unexpected EOF")
    if text[position] != separator:
        return InvalidAnnotation("input does not match format")
    end = _number(text, position + 1)
    if isinstance(end, InvalidAnnotation):
        return end
    return IdRange(first, (first + end[0] - 1) % _UINT32 if separator == "/" else end[0])


def _users(written: str) -> IdRange | InvalidAnnotation:
    return parse_range(written) if written else _empty(UID_RANGE)


def _groups(written: str) -> tuple[IdRange, ...] | InvalidAnnotation:
    if not written:
        return InvalidAnnotation(f"unable to find groups using {SUPPLEMENTAL_GROUPS} and {UID_RANGE} annotations")
    ranges = []
    for text in written.split(","):
        ids = parse_range(text)
        if isinstance(ids, InvalidAnnotation):
            return ids
        ranges.append(ids)
    return tuple(ranges)


def _empty(key: str) -> InvalidAnnotation:
    return InvalidAnnotation(f"found annotation {key} but it was empty")


_UINT32 = 1 << 32
_UINT64 = 1 << 64
_UINT64_DIGITS = 20
_SPACES = frozenset("\t\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000") | {chr(c) for c in range(0x2000, 0x200B)}
_DIGITS = pattern("[0-9]*")


def _number(text: str, position: int) -> tuple[int, int] | InvalidAnnotation:
    """The number at `position`, after white space, and the position of its end: Go's `%d` into a uint32."""
    while position < len(text) and text[position] in _SPACES:
        position += 1
    if position == len(text):
        return InvalidAnnotation("EOF")
    if text[position] == "\n":
        return InvalidAnnotation("unexpected newline")
    found = _DIGITS.match(text, position)
    digits = found[0] if found else ""
    if not digits:
        return InvalidAnnotation("expected integer")
    significant = digits.lstrip("0") or "0"
    if len(significant) > _UINT64_DIGITS or int(significant) >= _UINT64:  # Python refuses to parse very long numbers
        return InvalidAnnotation(f"strconv.ParseUint: parsing {quote(digits)}: value out of range")
    value = int(significant)
    if value >= _UINT32:
        return InvalidAnnotation(f"unsigned integer overflow on token {digits}")
    return value, position + len(digits)
