"""Reading one YAML document exactly: any YAML gives its value with lines, or one error at its line.

Specification: `composer`, with libyaml's errors as ParseError. Kubernetes silently ignores what comes after the end of
a document (`...`); here that is an error.

Kubernetes reads with libyaml's port to Go (go.yaml.in/yaml/v2, scannerc.go), which differs in three places. Inside
brackets a plain string may end with a colon: `[a:]`, `[001:db8::]`; libyaml refuses it. There a `?` ends a plain
string, so that `[http://x/y?z=1]` is an error, which `composer` makes; and a backslash before a slash is no escape.
"""

from __future__ import annotations

from re import compile as pattern

from podward.documents.parsed_value import ParsedValue, ParseError
from podward.documents.yaml.composer import compose
from podward.documents.yaml.libyaml import MarkedYAMLError, YAMLError


def read_yaml(part: str, first_line: int) -> ParsedValue | None:
    """The document in `part`, which begins on `first_line` of its file; None if there is none. Raises ParseError."""
    data = part.encode()
    if len(data.translate(None, _CONTROLS)) != len(data):
        at = next(index for index, code in enumerate(data) if code in _CONTROLS)
        raise _not_a_character(data, at, data[at], first_line)
    try:
        parsed = _composed(part, data, first_line)
    except MarkedYAMLError as error:
        raise _syntax_error(error, data, first_line) from None
    except YAMLError as error:
        # libyaml's reader says the byte and the character, its other parts a mark.
        offset, character = getattr(error, "position", None), getattr(error, "character", None)
        if not isinstance(offset, int) or not isinstance(character, int):
            raise ParseError(f"invalid YAML: {error}", first_line) from None
        raise _not_a_character(data, offset, character, first_line) from None
    if parsed is not None and parsed.rest is not None:
        raise ParseError(
            "another document begins here, which Kubernetes would silently ignore",
            parsed.rest,
            advice="separate documents by a line that starts with ---",
        )
    return parsed


def _composed(part: str, data: bytes, first_line: int) -> ParsedValue | None:
    """The document as libyaml reads it, or as its port does where libyaml refuses a colon before a bracket or comma."""
    try:
        return compose(data, first_line)
    except MarkedYAMLError as error:
        if error.problem != _COLON:
            raise
        stand_in = next((character for character in _STAND_INS if character not in part), "")
        if not stand_in:
            raise
    # With another character in the place of these colons libyaml finds the same strings; `compose` puts them back.
    return compose(_LAST_COLON.sub(stand_in, part).encode(), first_line, stand_in)


def _syntax_error(error: MarkedYAMLError, part: bytes, first_line: int) -> ParseError:
    last = part.rstrip(b"\r\n").count(b"\n")  # a text that ends too early is at fault in its last line
    mark = error.problem_mark if error.problem_mark is not None else error.context_mark
    line, column = first_line + last, None
    if mark is not None and mark.line <= last:
        line, column = first_line + mark.line, mark.column + 1
    context = ""
    if error.context and error.context_mark is not None and error.context_mark.line <= last:
        context = f" ({error.context} that begins on line {first_line + error.context_mark.line})"
    advice = ""
    if error.problem == _CANNOT_START and mark is not None and _is_tab(part, mark.line, mark.column):
        advice = "indent with spaces: YAML allows no tabs there"
    return ParseError(f"invalid YAML: {error.problem or error.context}{context}", line, column, advice)


def _is_tab(part: bytes, line: int, column: int) -> bool:
    lines = part.split(b"\n", line + 1)
    return line < len(lines) and lines[line].decode(errors="replace")[column : column + 1] == "\t"


def _not_a_character(part: bytes, at: int, code: int, first_line: int) -> ParseError:
    return ParseError(
        f"the character U+{code:04X} is not allowed in YAML",
        first_line + part.count(b"\n", 0, at),
        len(part[part.rfind(b"\n", 0, at) + 1 : at].decode(errors="replace")) + 1,
        'is this a text file? In a string in double quotes it can be written as "\\x…"',
    )


_CONTROLS = bytes(code for code in (*range(0x20), 0x7F) if code not in b"\t\n\r")
_COLON = "found unexpected ':'"
_LAST_COLON = pattern(r"""(?<![\s"'\[\]{},]):(?=[,?\[\]{}])""")
"""A colon that libyaml refuses inside brackets; behind a quote or a bracket it is one between a key and its value."""
_STAND_INS = tuple(map(chr, range(0xE000, 0xE010)))
"""Characters that nobody writes (Unicode's private use)."""
_CANNOT_START = "found character that cannot start any token"
