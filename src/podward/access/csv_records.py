"""Records of comma-separated values, read as strictly as Go's encoding/csv does, with its errors.

Specification: RFC 4180 as Go reads it: a quote stands only at a field's beginning and end, or doubled inside of one;
fields in quotes may hold commas and line ends; empty lines are no records.
"""

from __future__ import annotations

from podward.errors import InputError

_BARE = 'bare " in non-quoted field'
_EXTRANEOUS = 'extraneous or missing " in quoted-field'


def records_of(text: str, name: str) -> list[list[str]]:
    """The records of the file of this name. Raises InputError with the line and the column of what is wrong."""
    lines = text.replace("\r\n", "\n").split("\n")
    records: list[list[str]] = []
    at = 0
    while at < len(lines):
        if lines[at]:
            record, at = _record(lines, at, name)
            records.append(record)
        at += 1
    return records


def _record(lines: list[str], start: int, name: str) -> tuple[list[str], int]:
    """The record that begins in line `start`, and the line that it ends in."""
    fields: list[str] = []
    at, column = start, 0
    while True:
        line = lines[at]
        if line[column : column + 1] == '"':
            field, at, column = _quoted(lines, at, column + 1, start, name)
            line = lines[at]
        else:
            end = line.find(",", column)
            end = len(line) if end < 0 else end
            field = line[column:end]
            if '"' in field:
                raise _error(_BARE, start, at, column + field.index('"'), name)
            column = end
        fields.append(field)
        if column >= len(line):
            return fields, at
        column += 1  # the comma


def _quoted(lines: list[str], at: int, column: int, start: int, name: str) -> tuple[str, int, int]:
    """A field in quotes from behind its first one: its text, and where it ends."""
    text = ""
    while True:
        line = lines[at]
        end = line.find('"', column)
        if end < 0:
            if at + 1 == len(lines):
                raise _error(_EXTRANEOUS, start, at, len(line), name)
            text += line[column:] + "\n"
            at, column = at + 1, 0
            continue
        text += line[column:end]
        following = line[end + 1 : end + 2]
        if following == '"':
            text, column = text + '"', end + 2
        elif following in {"", ","}:
            return text, at, end + 1
        else:
            raise _error(_EXTRANEOUS, start, at, end, name)


def _error(what: str, start: int, at: int, column: int, name: str) -> InputError:
    place = f"parse error on line {at + 1}, column {column + 1}"
    return InputError(f"{place if start == at else f'record on line {start + 1}; {place}'}: {what}", where=name)
