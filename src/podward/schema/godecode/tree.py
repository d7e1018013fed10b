"""JSON as encoding/json sees it: members in their order and number, numbers as they are written.

Specification: RFC 8259; half of a surrogate pair becomes U+FFFD, as in Go.
"""

from __future__ import annotations

from json import JSONDecodeError, JSONDecoder
from typing import TYPE_CHECKING, TypeAlias, cast

from podward.api.gotext import quote
from podward.errors import InputError

if TYPE_CHECKING:
    from podward.api.json_value import Json, JsonObject


class Number(str):
    """A number's literal: `1.50` is not `1.5`."""

    __slots__ = ()


class Members(list[tuple[str, "Tree"]]):
    """An object's members; a name may stand there twice."""

    __slots__ = ()


Tree: TypeAlias = "bool | Number | str | list[Tree] | Members | None"


def read(text: bytes) -> Tree:
    """The value that `text` is. Raises InputError where it is no JSON."""
    try:
        found: Tree = _DECODER.decode(text.decode("utf-8", "replace"))
    except JSONDecodeError as error:
        raise InputError(f"invalid JSON: {error.msg} at character {error.pos}") from None
    except RecursionError:
        raise InputError("nested too deeply") from None
    return found


def clean(text: str) -> str:
    """The string without halves of surrogate pairs."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def plain(tree: Tree, way: str = "", strict: list[str] | None = None) -> Json:
    """The value as JSON; `strict` gets an error for each name that stands twice: the last one counts."""
    if isinstance(tree, Members):
        made: JsonObject = {}
        for key, item in tree:
            name = clean(key)
            place = f"{way}.{name}" if way else name
            if name in made and strict is not None:
                strict.append(f"duplicate field {quote(place)}")
            made[name] = plain(item, place, strict)
        return made
    if isinstance(tree, list):
        return [plain(cast("Tree", item), f"{way}[{index}]", strict) for index, item in enumerate(tree)]
    if isinstance(tree, Number):
        whole = integer(tree)
        return float(tree) if whole is None else whole
    return clean(tree) if isinstance(tree, str) else tree


def integer(number: Number) -> int | None:
    """The whole number that a literal is, if it is one of at most 64 bits or so."""
    digits = number.removeprefix("-")
    return int(number) if digits.isdecimal() and len(digits) <= len(str(1 << 64)) else None


def _no_constant(name: str) -> Tree:
    raise InputError(f"invalid JSON: {name}")


_DECODER = JSONDecoder(
    object_pairs_hook=Members, parse_float=Number, parse_int=Number, parse_constant=_no_constant, strict=True
)
