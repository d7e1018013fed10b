"""On which line each key of a TOML file is written; tomllib doesn't tell.

A statement of TOML ends at the end of a line, so the shortest run of lines that is valid TOML by itself is one
statement: a header, or a key with its value, however many lines that takes. What it says and on which line it begins
gives the lines of all its keys.
"""

from __future__ import annotations

from collections.abc import Iterator

from podward.errors import InputError

Segments = tuple[str | int, ...]
_LONG = 50
"""Lines of one statement."""


def load(text: str, name: str) -> dict[str, object]:
    """What the file says; InputError with the line for what is not TOML."""
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
    """The line (1-based) of every key and of every table of an array; `text` is valid TOML."""
    found: dict[Segments, int] = {}
    table: Segments = ()
    arrays: dict[Segments, int] = {}
    for number, said, header in _statements(text.removeprefix("\ufeff").replace("\r\n", "\n")):
        if header:
            table = _entered(said, arrays)
            for depth in range(1, len(table) + 1):
                found.setdefault(table[:depth], number)
        else:
            for place in _places(said):
                found.setdefault((*table, *place), number)
    return found


def _statements(text: str) -> Iterator[tuple[int, dict[str, object], bool]]:
    """The first line of each statement, what it says by itself, and whether it is a header."""
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
            said = tomllib.loads("\n".join(pending))
        except tomllib.TOMLDecodeError:
            continue
        if said:
            yield first, said, pending[0].lstrip().startswith("[")
        pending = []


def _entered(said: object, arrays: dict[Segments, int]) -> Segments:
    """The table that a header enters; tables of an array are counted in `arrays`."""
    place: Segments = ()
    while isinstance(said, dict) and said:
        key, said = next(iter(said.items()))
        place = (*place, key)
        if isinstance(said, list):
            arrays[place] = arrays.get(place, -1) + 1
            place = (*place, arrays[place])
        elif said and place in arrays:
            place = (*place, arrays[place])
    return place


def _places(said: object) -> Iterator[Segments]:
    """Every key in the value, and every item of its lists."""
    if isinstance(said, dict):
        for key, value in said.items():
            yield (key,)
            yield from ((key, *rest) for rest in _places(value))
    elif isinstance(said, list):
        for index, value in enumerate(said):
            yield (index,)
            yield from ((index, *rest) for rest in _places(value))


def where(lines: dict[Segments, int], place: Segments) -> int:
    """The line of this key or, if it is not written, of the closest table around it."""
    while place and place not in lines:
        place = place[:-1]
    return lines.get(place, 1)
