"""Random documents in many styles, and random changes: the meaning is exact and everything else stays."""

from __future__ import annotations

import json
from random import Random
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct
from proofs import examples

from podward.api.explanation import Change
from podward.api.json_value import Json, JsonObject, copied, copied_object
from podward.documents.editing.edited_value import changed, changed_with_removals, same, without_removed
from podward.documents.editing.edits import Edit, edited
from podward.documents.reader import decode_documents
from podward.path import Path

if TYPE_CHECKING:
    from collections.abc import Iterator

KEYS = (
    "spec", "name", "image", "securityContext", "runAsUser", "capabilities", "add", "drop", "env", "value", "on",
    "containers", "a b", "volumes", "x/y.z", "12", "labels",
)  # fmt: skip
TEXTS = (
    "web",
    "ALL",
    "yes",
    "0644",
    "a: b",
    "it's",
    'say "x"',
    "",
    "two words",
    "#no",
    "ü☃",
    "1:20",
    "- x",
    "a,b",
    "null",
)
ROOT = Path()
NUMBERS = (0, 1000, -1, 420, 65534, 1.5, 1e30)


class Line(Struct):
    """A written line. `owners` are the nodes that it shows; `loose`: an edit next to these may have to touch it."""

    text: str
    owners: list[Path]
    loose: bool
    wild: bool = False  # an alias, or what comes up to a dash's line when an alias there is written out


class Author:
    """Writes a random document in a random style, and remembers which line shows what."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.step = random.choice((2, 2, 4))
        self.dash = random.choice((0, 2, 2, 4))
        self.comments = random.choice((0.0, 0.3))
        self.blanks = random.choice((0.0, 0.2))
        self.flows = random.choice((0.0, 0.2, 0.5))
        self.aliases = random.choice((0.0, 0.0, 0.3))
        self.lines: list[Line] = []
        self.anchors: dict[str, Json] = {}
        self.count = 0

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def remark(self) -> str:
        self.count += 1
        return f"# remark {self.count} of this"

    def tail(self) -> str:
        return "  " + self.remark() if self.chance(self.comments) else ""

    def anchor(self) -> tuple[str, str]:
        """An anchor's name, empty for none, and its text."""
        if not self.chance(self.aliases):
            return "", ""
        self.count += 1
        return f"n{self.count}", f"&n{self.count} "

    def document(self) -> JsonObject:
        if self.chance(0.1):
            value = self.flow_tree(3)
            if isinstance(value, dict) and value:
                self.put(self.flow(value), Path(), loose=True)
                return value
        return self.mapping(0, Path(), "", self.random.choice((2, 3, 4)))

    def put(self, text: str, *owners: Path, loose: bool = False) -> None:
        for line in text.split("\n"):
            self.lines.append(Line(line, list(owners), loose))

    def above(self, column: int, owner: Path) -> None:
        if self.chance(self.blanks):
            self.put("", owner)
        if self.chance(self.comments):
            self.put(" " * column + self.remark(), owner)

    def mapping(self, column: int, place: Path, lead: str, depth: int) -> JsonObject:
        """An object whose first line starts with `lead`, its keys at `column`."""
        value: JsonObject = {}
        joined: Path | None = None
        wild = False
        for name in self.random.sample(KEYS, self.random.randint(1, 4)):
            here = place / name
            start = lead or " " * column
            if not lead:
                self.above(column, here)
            maps = [
                anchor
                for anchor, held in self.anchors.items()
                if isinstance(held, dict) and not held.keys() & value.keys()
            ]
            if maps and self.chance(0.15) and "#" not in self.lines[-1].text:
                anchor = self.random.choice(maps)
                self.put(f"{start}<<: *{anchor}{self.tail()}", place, loose=True)
                held = self.anchors[anchor]
                value.update(copied_object(held) if isinstance(held, dict) else {})
                wild = wild or bool(lead)
                lead, start = "", " " * column
            head = len(self.lines)
            value[name] = self.value(f"{start}{self.key(name)}:", column, here, depth, item=False)
            self.lines[head].wild = wild
            if lead:
                self.lines[head].owners.append(place)
                self.lines[head].loose = True
            elif joined is not None:
                self.lines[head].owners.append(joined)  # comes up to the dash's line when that is free
            joined = here if lead else joined
            lead = ""
        return value

    def key(self, name: str) -> str:
        return self.random.choice((f"'{name}'", f'"{name}"')) if name in {"on", "12"} or self.chance(0.1) else name

    def value(self, start: str, column: int, place: Path, depth: int, *, item: bool) -> Json:
        """What stands after `start`, which is a key with its colon or a dash, at `column`."""
        if self.anchors and self.chance(self.aliases):
            name = self.random.choice(list(self.anchors))
            self.put(f"{start} *{name}{self.tail()}", place, loose=True)
            return copied(self.anchors[name])
        anchor, mark = self.anchor()
        value = self.anchored(start, mark, column, place, depth, item=item)
        if anchor:
            self.anchors[anchor] = copied(value)
        return value

    def anchored(self, start: str, mark: str, column: int, place: Path, depth: int, *, item: bool) -> Json:  # noqa: PLR0913
        kind = self.random.choice(("map", "map", "list", "flow", "scalar", "scalar")) if depth else "scalar"
        if kind == "flow" and self.chance(self.flows):
            value = self.flow_tree(2)
            self.put(f"{start} {mark}{self.flow(value, ' ' * column)}{self.tail()}", place, loose=True)
            return value
        if kind == "map":
            if item and not mark and self.chance(0.8):
                gap = " " * self.random.choice((1, 1, 3))
                return self.mapping(column + 1 + len(gap), place, start + gap, depth - 1)
            self.put(f"{start} {mark}".rstrip() + self.tail(), place)
            return self.mapping(column + (2 if item else self.step), place, "", depth - 1)
        if kind == "list":
            return self.listing(start, mark, column, place, depth, item=item)
        return self.scalar(f"{start} {mark}", column, place)

    def listing(self, start: str, mark: str, column: int, place: Path, depth: int, *, item: bool) -> Json:  # noqa: PLR0913
        inline = item and not mark and self.chance(0.5)
        if not inline:
            self.put(f"{start} {mark}".rstrip() + self.tail(), place)
        inside = column + 2 if item else column + self.dash
        value: list[Json] = []
        for index in range(self.random.randint(1, 3)):
            here = place / index
            lead = " " * inside
            if inline and not index:
                lead = start + " "
            else:
                self.above(inside, here)
            head = len(self.lines)
            value.append(self.value(f"{lead}-", inside, here, depth - 1, item=True))
            if inline and not index:
                self.lines[head].owners.append(place)
                self.lines[head].loose = True
            elif inline:
                self.lines[head].owners.append(place / 0)  # comes up to the outer dash's line when that is free
        return value

    def scalar(self, start: str, column: int, place: Path) -> Json:
        value = self.scalar_value()
        if value is None:
            self.put((start + self.random.choice(("", "~", "null"))).rstrip() + self.tail(), place, loose=True)
            return None
        if isinstance(value, str) and self.chance(0.15):
            chomp = self.random.choice(("", "-", "" if self.blanks else "+"))
            inside = " " * (column + self.random.choice((2, 3)))
            self.put(f"{start}{self.random.choice('|>')}{chomp}\n{inside}# first\n\n{inside}{'second'}", place)
            text = "# first\n\nsecond" if "|" in self.lines[-4].text else "# first\nsecond"
            end = "" if chomp == "-" else "\n"
            if chomp == "+" and self.chance(0.5):
                self.put("", place)
                end = "\n\n"
            return text + end
        self.put(start + self.written(value) + self.tail(), place)
        return value

    def scalar_value(self) -> Json:
        return self.random.choice((None, True, False, self.random.choice(NUMBERS), *self.random.choices(TEXTS, k=4)))

    def written(self, value: Json) -> str:
        if value == 420:
            return self.random.choice(("420", "0644", "0o644"))
        if not isinstance(value, str):
            return json.dumps(value)
        if value in {"web", "ALL", "two words", "it's"} and self.chance(0.6):
            return value
        if self.chance(0.5):
            return "'" + value.replace("'", "''") + "'"
        return '"' + value.replace('"', '\\"') + '"'

    def flow_tree(self, depth: int) -> Json:
        kind = self.random.choice(("map", "list", "scalar")) if depth < 2 else self.random.choice(("map", "list"))
        if depth and kind == "map":
            names = self.random.sample(KEYS, self.random.randint(0, 3))
            return {name: self.flow_tree(depth - 1) for name in names}
        if depth and kind == "list":
            return [self.flow_tree(depth - 1) for _ in range(self.random.randint(0, 3))]
        return self.scalar_value()

    def flow(self, value: Json, indent: str = "") -> str:
        if not isinstance(value, dict | list):
            return f'"{value}"' if value == "it's" else self.written(value) if value != "two words" else '"two words"'
        opening, closing = "{}" if isinstance(value, dict) else "[]"
        deep = indent + "  "
        parts = (
            [f"{self.key(name)}: {self.flow(item, deep)}" for name, item in value.items()]
            if isinstance(value, dict)
            else [self.flow(item, deep) for item in value]
        )
        form = self.random.choice(("tight", "padded", "lines", "trailing"))
        if not parts or form == "tight":
            return opening + ", ".join(parts) + closing
        if form == "padded":
            return f"{opening} {', '.join(parts)} {closing}"
        remarks = [self.tail() for _ in parts]
        comma = "," if form == "trailing" else ""
        lines = [part + "," + remark for part, remark in zip(parts[:-1], remarks, strict=False)]
        lines.append(parts[-1] + comma + remarks[-1])
        return f"{opening}\n{deep}" + f"\n{deep}".join(lines) + f"\n{indent}{closing}"


class Case(Struct):
    """A file, its lines by document, and the changes of each document."""

    content: bytes
    documents: list[list[Line]]
    values: list[JsonObject]
    edits: tuple[Edit, ...]


def places(value: Json, here: Path = ROOT) -> Iterator[Path]:
    yield here
    if isinstance(value, dict):
        for name, item in value.items():
            yield from places(item, here / name)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from places(item, here / index)


def at(value: Json, place: Path) -> Json:
    for segment in place.segments:
        if isinstance(value, dict) and isinstance(segment, str):
            value = value.get(segment)
        elif isinstance(value, list) and isinstance(segment, int):
            value = value[segment] if segment < len(value) else None
    return value


def random_change(random: Random, value: JsonObject, author: Author) -> Change:
    place = random.choice(list(places(value)))
    held = at(value, place)
    fresh = author.flow_tree(random.choice((0, 0, 1, 2)))
    if isinstance(held, dict) and random.random() < 0.6:
        place = place / random.choice(KEYS)
        if random.random() < 0.2:
            place = place / random.choice(KEYS) if isinstance(at(value, place), dict | None) else place
    elif isinstance(held, list) and random.random() < 0.6:
        place = place / len(held)
    elif not place.segments:
        place = place / random.choice(KEYS)
    elif random.random() < 0.5:
        return Change(place, None)
    return Change(place, fresh)


def random_case(seed: int) -> Case:
    random = Random(seed)  # noqa: S311  # the same case for the same seed
    documents: list[list[Line]] = []
    values: list[JsonObject] = []
    edits: list[Edit] = []
    for index in range(random.choice((1, 1, 2))):
        author = Author(random)
        value = author.document()
        documents.append(author.lines)
        values.append(value)
        edits += [Edit(index, random_change(random, value, author)) for _ in range(random.choice((0, 1, 1, 2, 3)))]
    newline = random.choice(("\n", "\n", "\r\n"))
    texts = ["".join(line.text + newline for line in lines) for lines in documents]
    text = random.choice(("", "\ufeff")) + f"--- # next{newline}".join(texts)
    return Case(text.encode(), documents, values, tuple(edits))


def fits(value: JsonObject, changes: list[Change]) -> bool:
    try:
        changed(value, changes)
    except (LookupError, TypeError):
        return False
    return True


def unindented(line: str) -> str:
    """The line; without its indentation if it is a comment, which comes above a dash where what was there goes."""
    return line.lstrip(" ") if line.lstrip(" ").startswith("#") else line


@given(st.integers(0, 1 << 40))
@settings(max_examples=examples(250, 1000), deadline=None)
def test_edits_mean_what_they_say_and_touch_nothing_else(seed: int) -> None:
    check(random_case(seed))


def check(case: Case) -> None:
    read = decode_documents(case.content, "f")
    assert [document.raw for document in read] == case.values
    of = [[edit.change for edit in case.edits if edit.document == index] for index in range(len(read))]
    if not all(fits(value, changes) for value, changes in zip(case.values, of, strict=True)):
        return
    result = edited(case.content, "f", case.edits)
    if of == [[]] * len(of):
        assert result == case.content
    again = [document.raw for document in decode_documents(result, "f")]
    assert all(same(changed(v, c), have) for v, c, have in zip(case.values, of, again, strict=True))
    rest = iter(result.decode().split("\n"))
    ending = "\r" if b"\r\n" in case.content else ""
    for lines, value, changes in zip(case.documents, case.values, of, strict=True):
        for line in lines:
            if line.text and not touched(line, changed_with_removals(value, changes), changes):
                wanted = unindented(line.text + ending)
                assert any(unindented(found.removeprefix("\ufeff")) == wanted for found in rest), f"lost: {line}"
    for lines, value, changes in zip(case.documents, case.values, of, strict=True):
        if len(changes) == 1 and is_scalar(changes[0].value) and is_scalar(at(value, changes[0].path)):
            kept = [line.text for line in lines if changes[0].path in line.owners and not line.loose]
            assert all(remark(text) in result.decode() for text in kept)
    if len(case.edits) == 1 and idempotent(case.edits[0].change):
        assert edited(result, "f", case.edits) == result


@given(st.integers(0, 1 << 40))
@settings(max_examples=examples(60, 200), deadline=None)
def test_json_is_written_as_its_writer_would_have(seed: int) -> None:
    random = Random(seed)  # noqa: S311  # the same case for the same seed
    author = Author(random)
    value = author.flow_tree(4)
    if not isinstance(value, dict):
        return
    changes = [random_change(random, value, author) for _ in range(random.choice((1, 2, 3)))]
    indent = random.choice((None, None, 1, 2, 4, "\t"))
    separators = random.choice(((",", ":"), (", ", ": "))) if indent is None else None

    def written(document: Json) -> str:
        return json.dumps(document, indent=indent, separators=separators, ensure_ascii=False)

    if fits(value, changes):
        end = random.choice(("", "\n"))
        result = edited(
            (written(value) + end).encode(), "f.json", tuple(Edit(0, change) for change in changes)
        ).decode()
        assert same(json.loads(result), changed(value, changes))
        if shape(value):
            assert result == written(json.loads(result)) + end


def shape(value: JsonObject) -> bool:
    """Whether the document shows how its writer indents and separates: there is something in it at two levels."""
    return any(isinstance(item, dict | list) and len(item) > 1 for item in value.values()) and len(value) > 1


def is_scalar(value: object) -> bool:
    return value is not None and not isinstance(value, dict | list)


def remark(text: str) -> str:
    """A line's comment, empty for none."""
    return text[text.index("# remark") :] if "# remark" in text else ""


def touched(line: Line, value: JsonObject, changes: list[Change]) -> bool:
    """Whether one of the changes may change the line."""
    if changes and (line.wild or (line.loose and "*" in line.text)):
        return True
    for owner in line.owners:
        for change in changes:
            if owner.startswith(change.path):
                return True
            if change.path.startswith(owner) and (
                line.loose or "&" in line.text or without_removed(at(value, owner)) in ({}, [], None)
            ):
                return True
    return False


def idempotent(change: Change) -> bool:
    return change.value is not None or not isinstance(change.path.segments[-1], int)
