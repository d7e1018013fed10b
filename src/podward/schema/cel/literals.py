"""Objects that expressions make: `Object.spec{replicas: 1}` and `JSONPatch{op: "remove", path: "/spec/x"}`.

Specification: k8s.io/apiserver pkg/cel/mutation. The library behind this has no types of that kind. To the compiler
such an object is a function of that name with a map, and is of the type of that name; what is evaluated is the map,
in which a key that no JSON object has says the type.
"""

from __future__ import annotations

import re
from bisect import bisect_right

from msgspec import Struct

from podward.schema.cel.complaints import located
from podward.schema.cel.source import bare

TYPE = "\x01type"
"""The key under which an object says its type."""
_OPENING = re.compile(r"(?<![\w.])(Object(?:\.\w+)*|JSONPatch)\s*\{")
_KEY = re.compile(r"\s*(\??)\s*([A-Za-z_]\w*|`[^`\n]*`)\s*(?=:)")
_PATCH_FIELDS = frozenset(("op", "path", "from", "value"))


class Literals(Struct, frozen=True):
    """An expression without such objects: as it is checked, as it is evaluated, and the names of their types."""

    checked: str
    evaluated: str
    names: frozenset[str]
    places: tuple[tuple[int, int], ...] = ((0, 0),)

    def original(self, at: int) -> int:
        """Where in the expression this place of `checked` is."""
        made, meant = self.places[max(0, bisect_right([made for made, _ in self.places], at) - 1)]
        return meant + at - made


_TEST = re.compile(r"(?<![\w.])has\(\s*(\w+)(?=\s*\.)")


def without(text: str, typed: frozenset[str]) -> Literals:
    """An expression that may have none. `typed` are variables whose fields are variables of their own to the compiler.

    It would take `has(request.name)` for the value of such a field.
    """
    return _joined(text, _tests(bare(text), typed), frozenset())


def _tests(plain: str, typed: frozenset[str]) -> list[tuple[int, int, str, str]]:
    found = [each for each in _TEST.finditer(plain) if each[1] in typed]
    return [(each.start(1), each.end(1), f"dyn({each[1]})", each[1]) for each in found]


def read(text: str, typed: frozenset[str]) -> Literals | str:
    """The objects in an expression; or what is wrong with one."""
    plain = bare(text)
    pieces = _tests(plain, typed)
    names: set[str] = set()
    opened: list[str | None] = []
    at = 0
    while at < len(plain):
        found = _OPENING.match(plain, at)
        if found is not None:
            name = re.sub(r"\s", "", found[1])
            names.add(name)
            pieces.append((found.start(), found.end(), f"{found[1]}({{", _tagged(name, plain, found.end())))
            opened.append(name)
            at = found.end()
            wrong = _key(plain, at, name, text, pieces)
        elif plain[at] in "{[(":
            opened.append(None)
            at, wrong = at + 1, ""
        elif plain[at] in "}])":
            if (opened.pop() if opened else None) is not None:
                pieces.append((at, at + 1, "})", "}"))
            at, wrong = at + 1, ""
        elif plain[at] == "," and opened and (inside := opened[-1]) is not None:
            at += 1
            wrong = _key(plain, at, inside, text, pieces)
        else:
            at, wrong = at + 1, ""
        if wrong:
            return wrong
    return _joined(text, sorted(pieces), frozenset(names))


def _tagged(name: str, plain: str, at: int) -> str:
    empty = re.compile(r"\s*\}").match(plain, at) is not None
    return f'{{"{TYPE}": "{name}"{"" if empty else ", "}'


def _key(plain: str, at: int, name: str, text: str, pieces: list[tuple[int, int, str, str]]) -> str:
    """Note the name of a field, which is a text in a map; or what is wrong with it."""
    found = _KEY.match(plain, at)
    if found is None:
        return ""
    field = found[2].strip("`")
    if name == "JSONPatch" and field not in _PATCH_FIELDS:
        return located(text, found.end(), f"undefined field '{field}'")
    quoted = f'"{field}"'
    pieces.append((found.start(2), found.end(2), quoted, quoted))
    return ""


def _joined(text: str, pieces: list[tuple[int, int, str, str]], names: frozenset[str]) -> Literals:
    checked: list[str] = []
    evaluated: list[str] = []
    places: list[tuple[int, int]] = [(0, 0)]
    done = length = 0
    for start, end, told, made in pieces:
        checked += [text[done:start], told]
        evaluated += [text[done:start], made]
        length += start - done + len(told)
        places.append((length, end))
        done = end
    return Literals("".join([*checked, text[done:]]), "".join([*evaluated, text[done:]]), names, tuple(places))
