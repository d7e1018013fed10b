"""Finding the line on which each key of a TOML file is written, which tomllib does not tell.

A statement of TOML ends at the end of a line. So the shortest run of lines that is valid TOML by itself is one
statement: a header, or a key with its value. The statement begins at a known line, and its parsed content has the keys.
"""

from __future__ import annotations

from collections.abc import Iterator

from podward.errors import InputError

Segments = tuple[str | int, ...]
_LONG = 50
"""Lines after which a statement counts as long."""


def load(text: str, name: str) -> dict[str, object]:
    """The parsed content of the file. Raises InputError with the line if it is not TOML."""
    import tomllib  # most checks have no configuration

    try:
        return tomllib.loads(text.removeprefix("\ufeff"))
    except tomllib.TOMLDecodeError as error:
        what, _, place = str(error).rpartition(" (at ")
        line = _number(place) or text.count("\n") + 1
        raise InputError(f"not TOML: {what}", where=f"{name}:{line}") from None
    except RecursionError:
        raise InputError("not TOML: nested too deep", where=f"{name}:1") from None


def _number(place: str) -> int:
    """The line of `line 3, column 5)`; 0 for `end of document)`."""
    digits = place.removeprefix("line ").partition(",")[0]
    return int(digits) if digits.isdigit() else 0


def lines_of(text: str) -> dict[Segments, int]:
    """The line (1-based) of every key, and of every table of an array; `text` is valid TOML."""
    found: dict[Segments, int] = {}
    table: Segments = ()
    arrays: dict[Segments, int] = {}
    for number, parsed, header in _statements(text.removeprefix("\ufeff").replace("\r\n", "\n")):
        if header:
            table = _entered(parsed, arrays)
            for depth in range(1, len(table) + 1):
                found.setdefault(table[:depth], number)
        else:
            for place in _places(parsed):
                found.setdefault((*table, *place), number)
    return found


def _statements(text: str) -> Iterator[tuple[int, dict[str, object], bool]]:
    """The first line of each statement, its parsed content, and whether it is a header."""
    import tomllib  # most checks have no configuration

    pending: list[str] = []
    first = 1
    for number, line in enumerate(text.split("\n"), 1):
        if not pending:
            first = number
        pending.append(line)
        if len(pending) > _LONG and line.rstrip().endswith(","):
            continue  # an item of a long list, most likely: trying every one would take time in its square
        try:
            parsed = tomllib.loads("\n".join(pending))
        except tomllib.TOMLDecodeError:
            continue
        if parsed:
            yield first, parsed, pending[0].lstrip().startswith("[")
        pending = []


def _entered(parsed: object, arrays: dict[Segments, int]) -> Segments:
    """The place of the table that a header begins; tables of an array are counted in `arrays`."""
    place: Segments = ()
    while isinstance(parsed, dict) and parsed:
        key, parsed = next(iter(parsed.items()))
        place = (*place, key)
        if isinstance(parsed, list):
            arrays[place] = arrays.get(place, -1) + 1
            place = (*place, arrays[place])
        elif parsed and place in arrays:
            place = (*place, arrays[place])
    return place


def _places(parsed: object) -> Iterator[Segments]:
    """The place of every key in the value, and of every item of its lists."""
    if isinstance(parsed, dict):
        for key, value in parsed.items():
            yield (key,)
            yield from ((key, *rest) for rest in _places(value))
    elif isinstance(parsed, list):
        for index, value in enumerate(parsed):
            yield (index,)
            yield from ((index, *rest) for rest in _places(value))


def where(lines: dict[Segments, int], place: Segments) -> int:
    """The line of this key; if it is not written, of the innermost table around it."""
    while place and place not in lines:
        place = place[:-1]
    return lines.get(place, 1)
