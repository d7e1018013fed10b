"""YAML means what it means to Kubernetes: PyYAML's rules for 1.1, as goyaml v2 and sigs.k8s.io/yaml amend them.

The oracle shares nothing with the reader: PyYAML's parser in Python instead of libyaml, and scalars by regular
expressions taken from Go's documentation of strconv.ParseInt and from goyaml's pattern for floats.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

import pytest
import yaml
from hypothesis import example, given, reject, settings
from hypothesis import strategies as st
from proofs import examples

from podward.api.json_value import Json
from podward.documents.document import Document
from podward.documents.reader import decode_documents, read_all
from podward.documents.yaml import scalars
from podward.errors import InputError
from podward.path import Key, Path


class RefusedError(Exception):
    """The oracle has no value for the text."""


INTEGER = re.compile(
    r"([+-]?)(?:0[xX]([0-9a-fA-F]+)|0([0-7]+)|0[oO]([0-7]+)|0[bB]([01]+)|0b(?=[+-])(.*)|(0|[1-9][0-9]*))"
)
FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
WORDS = {
    **dict.fromkeys(["", "~", "null", "Null", "NULL"]),
    **dict.fromkeys("y Y yes Yes YES true True TRUE on On ON".split(), True),  # noqa: SIM905
    **dict.fromkeys("n N no No NO false False FALSE off Off OFF".split(), False),  # noqa: SIM905
}


def number(text: str) -> float | None:
    bare = text.replace("_", "")
    found = INTEGER.fullmatch(bare) if text[0] != "." else None
    if found:
        sign, *digits = found.groups()
        base = (16, 8, 8, 2, 2, 10)[next(index for index, group in enumerate(digits) if group is not None)]
        signed = next(group for group in digits if group is not None)
        if re.fullmatch("[+-]?[0-9a-fA-F]+", signed) and not (signed[0] in "+-" and (sign or signed.strip("+-01"))):
            value = int(sign + signed, base)
            top = 2**64 if not sign and signed[0] not in "+-" else 2**63
            if -(2**63) <= value < top:
                return value
    if FLOAT.fullmatch(bare if text[0] != "." else text):
        real_number = float(bare)
        if abs(real_number) != float("inf"):
            return int(real_number) if real_number.is_integer() and abs(real_number) < 1e21 else real_number
    return None


def meaning(text: str) -> Json:
    if text in WORDS:
        return WORDS[text]
    if re.fullmatch(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", text):
        raise RefusedError
    if text[0] in "+-.0123456789":
        found = number(text)
        return text if found is None else found
    return text


NUMBERS = st.from_regex(r"\A[-+]?(0[xXoObB]?)?[-+]?[0-9a-f_]{0,20}(\.[0-9_]{0,5})?([eE][-+]?[0-9]{0,3})?\Z")
# fmt: off
ODD = st.sampled_from(
    [
        *WORDS, "yEs", ".inf", "-.INF", ".nan", "12:30:45", "2001-01-01", "2001-12-14t21:59:43.10-05:00", "=", "<<",
        "1e400", "18446744073709551616", "9223372036854775808", "-9223372036854775809", "0x1FFFFFFFFFFFFFFFF", "0b-101",
        "1_000.5",
    ]
)
# fmt: on
TEXT = st.text("abz019_.:-+#?'\"\\ ~!&*|>%@`{}[],=<\u00e9\U0001f600\u3000", max_size=8)


@pytest.mark.proof
@settings(max_examples=examples(250, 750))
@given(NUMBERS | ODD | TEXT)
@example("0b-1")
@example("._1")
@example("1__e5")
@example("0o")
def test_a_plain_scalar_means_what_go_makes_of_it(text: str) -> None:
    try:
        expected = meaning(text)
    except RefusedError:
        with pytest.raises(scalars.ScalarError):
            scalars.plain(text)
        return
    found = scalars.plain(text)
    assert (found, type(found)) == (expected, type(expected))


def amended(text: str, old: object) -> bool:
    """Whether Kubernetes deviates from PyYAML's YAML 1.1 for this scalar, whose value there is `old`."""
    return (
        text in {"y", "Y", "n", "N"}
        or ":" in text  # base 60
        or isinstance(old, dt.date)  # timestamps stay strings
        or "_" in text  # anywhere, not only between digits
        or text[:2].lstrip("+-")[:1] in {"0", "."}  # 0o, 0X, 08; -.5
        or "e" in text.lower()  # exponents without dot or sign
        or (isinstance(old, int) and not -(2**63) <= old < 2**64)
        or (isinstance(old, float) and (old != old or abs(old) == float("inf")))  # noqa: PLR0124
    )


@pytest.mark.proof
@settings(max_examples=examples(250, 750))
@given(NUMBERS | ODD | TEXT)
def test_a_plain_scalar_means_what_pyyaml_makes_of_it_but_for_the_amendments(text: str) -> None:
    loader = yaml.SafeLoader("")
    resolve: Callable[[type[yaml.Node], str, tuple[bool, bool]], str] = loader.resolve
    tag = resolve(yaml.ScalarNode, text, (True, False))
    try:
        old = loader.construct_object(yaml.ScalarNode(tag, text))
    except (ValueError, IndexError, KeyError, yaml.YAMLError):  # PyYAML's patterns take more than its constructors
        old = text
    if not amended(text, old):
        found = scalars.plain(text)
        assert found == old
        assert isinstance(found, bool) == isinstance(old, bool)


# --- documents --------------------------------------------------------------------------------


class AliasNode(yaml.Node):
    """An alias where it is written, and what it stands for."""

    def __init__(self, target: yaml.Node, event: yaml.AliasEvent) -> None:
        super().__init__("alias", target, None, None)
        self.start_mark = event.start_mark
        self.target = target


class Oracle(yaml.SafeLoader):
    """PyYAML's loader, told to leave scalars alone and aliases in their place."""

    def resolve(self, kind: type[yaml.Node], value: str, implicit: tuple[bool, bool]) -> str:
        if kind is yaml.ScalarNode:
            return "plain" if implicit[0] else "quoted"
        return str(super().resolve(kind, value, implicit))  # type: ignore[no-untyped-call]

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent):
            target = super().compose_node(parent, index)
            assert target is not None
            return AliasNode(target, event)
        self.anchors.pop(event.anchor, None)  # an anchor may be set anew
        if isinstance(event, yaml.ScalarEvent) and event.tag == "!":
            event.implicit = (False, True)  # a string to goyaml
        return super().compose_node(parent, index)


Places = dict[Path, int]


def line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def real(node: yaml.Node) -> yaml.Node:
    return node.target if isinstance(node, AliasNode) else node


def value_of(node: yaml.Node, at: Path, places: Places, around: tuple[yaml.Node, ...] = ()) -> Json:
    """What the node means; `places` gets the line of everything in it."""
    node = real(node)
    if any(node is outer for outer in around):
        raise RefusedError
    if isinstance(node, yaml.ScalarNode):
        if node.tag == "tag:yaml.org,2002:int":
            value = meaning(node.value)
            if type(value) is not int or number(node.value) is None or "." in node.value or "e" in node.value.lower():
                raise RefusedError
            return value
        return meaning(node.value) if node.tag == "plain" else str(node.value)
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            places[at / index] = line(item)
        return [value_of(item, at / index, places, (*around, node)) for index, item in enumerate(node.value)]
    assert isinstance(node, yaml.MappingNode)
    return object_of(node, at, places, around)


def object_of(node: yaml.MappingNode, at: Path, places: Places, around: tuple[yaml.Node, ...]) -> dict[str, Json]:
    found: dict[str, Json] = {}
    own: set[str] = set()

    def put(name: str, value: Json, inside: Places) -> None:
        for place in [place for place in places if place.startswith(at / Key(name))]:
            del places[place]
        places.update({place: where for place, where in inside.items() if place.startswith(at / Key(name))})
        found[name] = value

    for key, item in node.value:
        inside: Places = {}
        if not isinstance(key, AliasNode) and key.tag == "plain" and key.value == "<<":
            # An alias of a list is refused.
            for source in reversed(item.value) if isinstance(item, yaml.SequenceNode) else [item]:
                values = value_of(source, at, inside, (*around, node))
                if not isinstance(values, dict):
                    raise RefusedError
                for name, value in values.items():
                    put(name, value, inside)
            continue
        name = key_of(key)
        if name in own:
            raise RefusedError
        own.add(name)
        inside[at / Key(name)] = line(key)
        put(name, value_of(item, at / Key(name), inside, (*around, node)), inside)
    return found


def key_of(node: yaml.Node) -> str:
    written = value_of(node, Path(), {})
    if isinstance(written, dict | list):
        raise RefusedError
    try:
        return scalars.key(written, real(node).value)
    except scalars.ScalarError:
        raise RefusedError from None


def typed(value: Json) -> object:
    if isinstance(value, dict):
        return {key: typed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [typed(item) for item in value]
    return type(value).__name__, value


def outcome(text: str) -> list[Document] | None:
    """The documents, in both ways of reading; None if they are refused."""
    data = text.encode()
    reading = read_all(data, "f")
    if reading.errors:
        with pytest.raises(InputError) as caught:
            decode_documents(data, "f")
        assert (caught.value.what, caught.value.where) == (reading.errors[0].what, reading.errors[0].where)
        return None
    exact = decode_documents(data, "f")
    assert [typed(document.raw) for document in reading.documents] == [typed(document.raw) for document in exact]
    return list(exact) + list(reading.documents)


SCALAR_EVENTS = st.builds(
    lambda text, style, tag: yaml.ScalarEvent(
        None, tag, (style is None and tag is None, style is not None), text, style=style
    ),
    ODD | NUMBERS | TEXT | st.sampled_from(["a\nb\n", "a\n\n  b", " a ", "a\n b\n\n", "x" * 90 + " " + "y" * 90]),
    st.sampled_from([None, None, None, "'", '"', "|", ">"]),
    st.sampled_from([None, None, None, None, None, "tag:yaml.org,2002:str", "tag:yaml.org,2002:int"]),
)
KEY_EVENTS = st.sampled_from(
    ["a", "b", "c", "d", "yes", "1", "0x1", "1.5", "~", "<<", "<<", "k k", "e/f", "x" * 130]
).map(lambda text: yaml.ScalarEvent(None, None, (True, False), text))
ANCHORS = st.sampled_from([None, None, None, "x", "y", "z"])
FLOWS = st.sampled_from([False, False, True])
SHAPES = st.sampled_from(["scalar", "scalar", "list", "object", "object", "alias"])


@st.composite
def documents(draw: st.DrawFn) -> list[yaml.Event]:
    """The events of an object; every alias follows its anchor, most keys are written once."""
    anchors: set[str] = set()

    def node(depth: int) -> list[yaml.Event]:
        shape = draw(SHAPES) if 0 < depth < 4 else "object" if depth == 0 else "scalar"
        if shape == "alias" and anchors:
            return [yaml.AliasEvent(draw(st.sampled_from(sorted(anchors))))]
        anchor = draw(ANCHORS)
        if anchor is not None:
            anchors.add(anchor)
        if shape == "list":
            items = [event for _ in range(draw(st.integers(0, 3))) for event in node(depth + 1)]
            return [
                yaml.SequenceStartEvent(anchor, None, True, flow_style=draw(FLOWS)),
                *items,
                yaml.SequenceEndEvent(),
            ]
        if shape == "object":
            unique = st.lists(KEY_EVENTS, max_size=4, unique_by=lambda key: key.value)
            keys = draw(unique | unique | unique | unique | st.lists(KEY_EVENTS, max_size=4))
            fields = [event for key in keys for event in (key, *node(depth + 1))]
            return [yaml.MappingStartEvent(anchor, None, True, flow_style=draw(FLOWS)), *fields, yaml.MappingEndEvent()]
        event = draw(SCALAR_EVENTS)
        event.anchor = anchor
        return [event]

    return node(0)


def emitted(document: list[yaml.Event], width: int, indent: int, line_break: str) -> str:
    whole = [yaml.StreamStartEvent(), yaml.DocumentStartEvent(explicit=False), *document]
    end = [yaml.DocumentEndEvent(explicit=False), yaml.StreamEndEvent()]
    return str(
        yaml.emit([*whole, *end], None, yaml.SafeDumper, None, indent, width, allow_unicode=True, line_break=line_break)
    )


@pytest.mark.proof
@settings(max_examples=examples(40, 125))
@given(documents(), st.sampled_from([20, 80, 1000]), st.integers(2, 5), st.sampled_from(["\n", "\r\n"]))
def test_a_document_means_what_the_oracle_makes_of_it(
    document: list[yaml.Event], width: int, indent: int, line_break: str
) -> None:
    try:
        text = emitted(document, width, indent, line_break)
    except yaml.YAMLError:
        reject()
    check(text)


def check(text: str) -> None:
    places: Places = {}
    expected: Json = None
    try:
        node = yaml.compose(text, Loader=Oracle)
        expected = value_of(node, Path(), places) if node is not None else None
    except (RefusedError, yaml.YAMLError):
        assert outcome(text) is None
        return
    found = outcome(text)
    assert found is not None
    for read in found:
        assert typed(read.raw) == typed(expected)
        for place, where in places.items():
            assert (place, read.line_of(place)) == (place, where)


@pytest.mark.parametrize(
    "text",
    [
        "a: 0644\nb: [on, 'on', ~]\n# c\nc:\n  # d\n  - x # y\n\n  - z\n",
        "b: &b {x: 1, z: [1]}\nv:\n  z: 2\n  <<: *b\n  q: *b\n",
        "b: &b {x: 1}\nc: &c {x: 2, z: 3}\nv: {<<: [*b, *c, {z: 4}], w: 1}\n",
        "a: &x [1]\nb: [*x, &x 2, *x]\n",
        'a: {"b": 1, c: [d, {e: f}]}\n',
        "a: &x\n  b: *x\n",
        "a: &x\n  b: &x 1\n  c: *x\nd: *x\n",
        "a: |\n  x\n   y\n\nb: >-\n  x\n  y\n\n  z\nc: |+\n\n  x\n\n",
        "a: x\n  y\n\n  z\nb: 'x\n  y'\n",
    ],
)
def test_what_people_write_means_what_the_oracle_makes_of_it(text: str) -> None:
    check(text)
    check(text.replace("\n", "\r\n"))
    assert outcome("\ufeff" + text) is not None or outcome(text) is None
    assert outcome(f"---\n{text}---\n{text}...\n") is not None or outcome(text) is None
