"""JSON as encoding/json sees it: members in their order and number, numbers as they are written.

Specification: RFC 8259; half of a surrogate pair becomes U+FFFD, as in Go.
"""

from __future__ import annotations

from json import JSONDecodeError, JSONDecoder
from typing import TypeAlias

from podward.errors import InputError


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


def _no_constant(name: str) -> Tree:
    raise InputError(f"invalid JSON: {name}")


_DECODER = JSONDecoder(
    object_pairs_hook=Members, parse_float=Number, parse_int=Number, parse_constant=_no_constant, strict=True
)
