"""What a runtime reads in an image's /etc/passwd and /etc/group.

Specification (the parser of github.com/moby/sys/user v0.4, which containerd 2.1 and Docker use; in our words):
- Lines end at a line feed, a carriage return before it is dropped; white space around a line is trimmed, and empty
  lines are skipped. In the group file, so are lines that begin with `#`; in the passwd file they are entries.
- Fields are separated by colons. Missing fields are empty or 0; further fields are ignored.
- An id that is no decimal number (with an optional sign) reads as 0; one beyond 64 bits as the largest of its sign.
- A group's members are separated by commas, no space trimmed. No members is an empty list, never one empty name.
- Nothing is sorted and nothing is merged: the first entry that matches wins, wherever one is looked for.

So an id may be negative or larger than 32 bits here: who uses it must refuse it, as it must not be cut to fit.
"""

from __future__ import annotations

from podward.api.image import GroupEntry, PasswdEntry

LONGEST_LINE = 64 * 1024
"""Bytes of a passwd line, its end included, at which the runtime's reader gives the whole file up."""

_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
"""What Go's unicode.IsSpace knows: Python's own notion has four control characters more."""
_LARGEST = (1 << 63) - 1
_DIGITS = 19  # of the largest


def parse_passwd(text: str) -> tuple[PasswdEntry, ...]:
    """The entries of an /etc/passwd, each with its 1-based line number."""
    entries = []
    for number, line in enumerate(text.split("\n"), start=1):
        if trimmed := line.strip(_SPACE):
            name, _, uid, gid, _, home = _fields(trimmed, 6)
            entries.append(PasswdEntry(name, _number(uid), _number(gid), home, number))
    return tuple(entries)


def parse_group(text: str) -> tuple[GroupEntry, ...]:
    """The entries of an /etc/group, each with its 1-based line number."""
    entries = []
    for number, line in enumerate(text.split("\n"), start=1):
        trimmed = line.strip(_SPACE)
        if trimmed and trimmed[0] != "#":
            name, _, gid, listed = _fields(trimmed, 4)
            entries.append(GroupEntry(name, _number(gid), tuple(listed.split(",")) if listed else (), number))
    return tuple(entries)


def _fields(line: str, count: int) -> list[str]:
    fields = line.split(":")[:count]
    return fields + [""] * (count - len(fields))


def _number(text: str) -> int:
    digits = text[1:] if text[:1] in ("+", "-") else text
    if not (digits.isascii() and digits.isdigit()):
        return 0
    digits = digits.lstrip("0") or "0"
    size = int(digits) if len(digits) <= _DIGITS else _LARGEST + 1
    if text[0] == "-":
        return -min(size, _LARGEST + 1)
    return min(size, _LARGEST)
