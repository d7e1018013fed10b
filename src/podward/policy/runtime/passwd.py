"""How a runtime parses an image's /etc/passwd and /etc/group.

Specification (the parser of github.com/moby/sys/user v0.4, which containerd 2.1 and Docker use; in our words):
- Lines end at a line feed; a carriage return before it is dropped. White space around a line is trimmed, and empty
  lines are skipped. The group file's lines that begin with `#` are skipped; those of the passwd file are entries.
- Fields are separated by colons. Missing fields are empty or 0; further fields are ignored.
- An id that is not a decimal number (with an optional sign) reads as 0; an id beyond 64 bits reads as the largest
  number of its sign.
- A group's members are separated by commas, without trimming. An empty field is an empty list, not one empty name.
- Entries are neither sorted nor merged: every lookup takes the first entry that matches.

An id may therefore be negative or larger than 32 bits. The caller must refuse such an id and must not truncate it.
"""

from __future__ import annotations

from podward.api.image import GroupEntry, PasswdEntry

LONGEST_LINE = 64 * 1024
"""The length of a line in bytes, with its end, from which on the runtime's reader refuses the whole file."""

_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
"""The characters of Go's unicode.IsSpace; Python's str.isspace has four control characters more."""
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
