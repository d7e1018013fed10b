r"""Composing JSON values from libyaml's events, as Kubernetes reads them, with the line of every field.

Specification: goyaml v2's decoder into untyped values, followed by sigs.k8s.io/yaml's conversion to JSON.
- Keys become strings (`documents.yaml.scalars.key`). A list or an object as a key is refused. A duplicate key is
  refused, as the API server's strict field validation does.
- `<<` takes an object, an alias of one, or a list of these; in the list the earlier wins. Keys are set in the order in
  which they are written, so a `<<` overrides keys above it, and keys below it override the `<<`.
- An alias is a copy of its anchor's value. Aliases are refused if they make up more than 99 % of the nodes
  (goyaml's limit, which falls to 10 % from 400,000 to 4,000,000 nodes) or repeat more text than a request may have.
- Nesting deeper than 100 levels is refused: no object of Kubernetes comes near.
- Inside brackets a plain string with a `?` is refused, and in double quotes the escape `\/`: `exact` says why.
"""

from __future__ import annotations

from re import DOTALL
from re import compile as pattern
from typing import TYPE_CHECKING

from podward.api.json_value import copied, shortened
from podward.documents.parsed_value import (
    DUPLICATE_ADVICE,
    MAX_BYTES,
    MAX_DEPTH,
    LimitExceededError,
    ParsedValue,
    ParseError,
)
from podward.documents.yaml import scalars
from podward.documents.yaml.libyaml import (
    AliasEvent,
    CParser,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    ScalarEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

if TYPE_CHECKING:
    from podward.api.json_value import Json, JsonObject
    from podward.documents.parsed_value import Lines

_RATIO_LOW, _RATIO_HIGH = 400_000, 4_000_000
_FEW_ALIASES, _FEW_NODES = 100, 1000


class _Anchored:
    """The value of an anchor: its lines, how many nodes and characters are in it, and how deep it is nested."""

    __slots__ = ("height", "lines", "nodes", "text", "value")

    def __init__(self, value: Json, lines: Lines | None, nodes: int, text: int, height: int) -> None:
        self.value = value
        self.lines = lines
        self.nodes = nodes
        self.text = text
        self.height = height


class _Frame:
    """An object or a list that is being filled; `key` is the key that an object's next value belongs to."""

    __slots__ = (
        "anchor", "fields", "flow", "height", "items", "key", "key_line", "line", "lines",
        "merging", "nodes", "own", "text",
    )  # fmt: skip

    def __init__(self, line: int, anchor: str | None, nodes: int, text: int) -> None:
        self.line = line
        self.flow = False
        self.anchor = anchor
        self.nodes = nodes
        self.text = text
        self.height = 1
        self.lines: Lines = {}
        self.fields: JsonObject | None = None
        self.items: list[Json] = []
        self.key: str | None = None
        self.key_line = 0
        self.merging = False
        self.own: dict[str, int] = {}
        """The keys that are written in this object, not merged into it, with their lines."""


def compose(
    text: bytes,
    first_line: int,
    colon: str = "",
    twice: list[tuple[str, int]] | None = None,
    *,
    deepest: int = MAX_DEPTH,
) -> ParsedValue | None:
    """The first document of `text`, which begins on `first_line` of its file; None if there is none.

    `colon` is a character that stands for colons in `text`; empty if none does. `twice` is a list for keys that stand
    twice, each with its line: the last one counts; without a list such a key is an error.
    Raises ParseError, or libyaml's own YAMLError with marks that count from the start of `text`.
    """
    return _Composer(text, first_line, colon, twice, deepest).compose()


class _Composer:
    """The state of reading one document."""

    __slots__ = (
        "_aliased", "_aliased_text", "_anchors", "_colon", "_deepest", "_first_line", "_frames", "_next", "_nodes",
        "_root", "_slashes", "_text", "_twice",
    )  # fmt: skip

    def __init__(
        self, text: bytes, first_line: int, colon: str, twice: list[tuple[str, int]] | None, deepest: int
    ) -> None:
        self._twice = twice
        self._deepest = deepest
        self._next = CParser(text).get_event
        self._colon = colon
        self._slashes = text.decode() if b"\\/" in text else ""
        self._first_line = first_line
        self._frames: list[_Frame] = []
        self._anchors: dict[str, _Anchored | _Frame] = {}
        self._root: tuple[Json, int, Lines | None] | None = None
        self._nodes = 1  # goyaml counts the document itself
        self._aliased = 0
        self._text = 0
        self._aliased_text = 0

    def compose(self) -> ParsedValue | None:
        begun = False
        rest: int | None = None
        while True:
            event = self._next()
            if isinstance(event, ScalarEvent):
                self._scalar(event)
            elif isinstance(event, MappingStartEvent | SequenceStartEvent):
                self._begin(event)
            elif isinstance(event, AliasEvent):
                self._alias(event)
            elif self._frames:
                self._end()
            elif isinstance(event, DocumentStartEvent):
                if begun:
                    rest = self._line(event)
                    break
                begun = True
            elif isinstance(event, StreamEndEvent):
                break
        if self._root is None:
            return None
        value, line, lines = self._root
        return ParsedValue(value, line, lines or {}, rest)

    def _scalar(self, event: ScalarEvent) -> None:
        text: str = event.value.replace(self._colon, ":") if self._colon else event.value
        if (self._slashes and event.style == '"') or "?" in text:
            self._refuse_what_the_port_refuses(event, text)
        self._nodes += 1
        self._text += len(text)
        try:
            if event.tag is not None:
                value = scalars.tagged(event.tag, text)
            else:
                value = scalars.plain(text) if event.implicit[0] else text
        except scalars.ScalarError as error:
            raise ParseError(str(error), self._line(event)) from None
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchored(value, None, 1, len(text), 0)
        frame = self._frames[-1] if self._frames else None
        if frame is None or frame.fields is None or frame.key is not None or frame.merging:
            self._put(value, None, 0, self._line(event))
        elif text == "<<" and (event.implicit[0] or (event.tag or "").endswith(":merge")):
            self._nodes -= 1  # goyaml does not count the merge key
            frame.merging = True
        else:
            self._begin_field(frame, value, text, event)

    def _refuse_what_the_port_refuses(self, event: ScalarEvent, text: str) -> None:
        if event.style == '"' and self._slashes and event.start_mark and event.end_mark:
            written = self._slashes[event.start_mark.index : event.end_mark.index]
            if any(escape == "\\/" for escape in _ESCAPE.findall(written)):
                raise ParseError("invalid YAML: \\/ is no escape", self._line(event), _column(event), _SLASH_ADVICE)
        plain = not event.style and self._frames and self._frames[-1].flow
        if plain and "?" in text:
            what = "invalid YAML: inside brackets a string without quotes cannot have a ?"
            raise ParseError(what, self._line(event), _column(event), f"write it in quotes: {shortened(text)}")

    def _begin_field(self, frame: _Frame, value: scalars.Scalar, text: str, event: Event) -> None:
        try:
            name = scalars.key(value, text)
        except scalars.ScalarError as error:
            raise ParseError(str(error), self._line(event)) from None
        line = self._line(event)
        if name in frame.own and self._twice is not None:
            self._twice.append((name, line))
        elif name in frame.own:
            raise ParseError(
                f"duplicate key {shortened(name)}, already on line {frame.own[name]}",
                line,
                advice=DUPLICATE_ADVICE,
            )
        frame.own[name] = line
        frame.key = name
        frame.key_line = line

    def _begin(self, event: MappingStartEvent | SequenceStartEvent) -> None:
        line = self._line(event)
        if self._frames:
            above = self._frames[-1]
            if above.fields is not None and above.key is None and not above.merging:
                raise ParseError("an object or a list is no key", line, _column(event), _TEMPLATE_ADVICE)
        frame = _Frame(line, event.anchor, self._nodes, self._text)
        frame.flow = event.flow_style is True
        if type(event) is MappingStartEvent:
            frame.fields = {}
        self._nodes += 1
        self._frames.append(frame)
        if len(self._frames) > self._deepest:
            raise LimitExceededError(f"nested deeper than {self._deepest} levels", line, _column(event))
        if event.anchor is not None:
            self._anchors[event.anchor] = frame

    def _end(self) -> None:
        frame = self._frames.pop()
        value: Json = frame.items if frame.fields is None else frame.fields
        # If the same anchor was set again inside, the name means that one from there on.
        if frame.anchor is not None and self._anchors[frame.anchor] is frame:
            self._anchors[frame.anchor] = _Anchored(
                value, frame.lines, self._nodes - frame.nodes, self._text - frame.text, frame.height
            )
        self._put(value, frame.lines, frame.height, frame.line)

    def _alias(self, event: AliasEvent) -> None:
        line, anchor = self._line(event), event.anchor or ""
        target = self._anchors.get(anchor, _MISSING)
        if isinstance(target, _Frame):
            raise ParseError(f"the anchor {shortened(anchor)} contains itself", line, _column(event))
        if target is _MISSING:
            raise ParseError(f"unknown anchor {shortened(anchor)}", line, _column(event), _ALIAS_ADVICE)
        self._count_alias(target, line)
        if len(self._frames) + target.height > self._deepest:
            raise LimitExceededError(f"nested deeper than {self._deepest} levels", line, _column(event))
        frame = self._frames[-1] if self._frames else None
        if frame is None or frame.fields is None or frame.key is not None:
            self._put(copied(target.value), target.lines, target.height, line)
        elif frame.merging:
            if type(target.value) is not dict:
                raise ParseError(_MERGE, line)
            self._put(copied(target.value), target.lines, target.height, line)
        elif isinstance(target.value, dict | list):
            raise ParseError("an object or a list is no key", line, _column(event))
        else:
            self._begin_field(frame, target.value, str(target.value), event)

    def _count_alias(self, target: _Anchored, line: int) -> None:
        self._nodes += 1 + target.nodes
        self._aliased += target.nodes
        self._text += target.text
        self._aliased_text += target.text
        over = min(max((self._nodes - _RATIO_LOW) / (_RATIO_HIGH - _RATIO_LOW), 0), 1)
        bomb = self._aliased > _FEW_ALIASES and self._nodes > _FEW_NODES
        if bomb and self._aliased / self._nodes > 0.99 - 0.89 * over:
            raise LimitExceededError("document contains excessive aliasing", line, advice=_BOMB_ADVICE)
        if self._aliased_text > MAX_BYTES:
            raise LimitExceededError("aliases repeat more than 3 MiB of text", line, advice=_BOMB_ADVICE)

    def _put(self, value: Json, lines: Lines | None, height: int, line: int) -> None:
        if not self._frames:
            self._root = (value, line, lines)
            return
        frame = self._frames[-1]
        if height >= frame.height:
            frame.height = height + 1
        if frame.fields is None:
            frame.lines[len(frame.items)] = line if lines is None else (line, lines)
            frame.items.append(value)
        elif frame.key is not None:
            frame.fields[frame.key] = value
            frame.lines[frame.key] = frame.key_line if lines is None else (frame.key_line, lines)
            frame.key = None
        else:
            frame.merging = False
            _merge(frame, value, lines or {}, line)

    def _line(self, event: Event) -> int:
        # libyaml marks every event, so a mark is never missing.
        return event.start_mark.line + self._first_line if event.start_mark else self._first_line


def _merge(frame: _Frame, value: Json, lines: Lines, line: int) -> None:
    if frame.fields is None or not isinstance(value, dict | list):
        raise ParseError(_MERGE, line)
    if isinstance(value, dict):
        frame.fields.update(value)
        frame.lines.update(lines)
        return
    for index in range(len(value) - 1, -1, -1):
        item, inside = value[index], lines[index]
        if not isinstance(item, dict) or isinstance(inside, int):
            raise ParseError(_MERGE, inside if isinstance(inside, int) else inside[0])
        frame.fields.update(item)
        frame.lines.update(inside[1])


def _column(event: Event) -> int:
    return event.start_mark.column + 1 if event.start_mark else 1


_ESCAPE = pattern(r"\\.", DOTALL)
_SLASH_ADVICE = "write a slash as it is"
_MISSING = _Anchored(None, None, 0, 0, 0)
_MERGE = "`<<` takes an object, an alias of an object, or a list of these"
_ALIAS_ADVICE = "an anchor must stand above its aliases, in the same document; quote a string that starts with *"
_BOMB_ADVICE = "write the repeated parts out, or split the document"
_TEMPLATE_ADVICE = "quote a string that starts with { or [; a template must be rendered first"
