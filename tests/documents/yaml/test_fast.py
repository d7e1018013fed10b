"""The fast reader answers what the full reader answers, to the last line number, or leaves the text to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from proofs import examples

from podward.documents.parsed_value import OutsideSubsetError, ParseError
from podward.documents.yaml.exact import read_yaml
from podward.documents.yaml.fast import read_yaml_fast

if TYPE_CHECKING:
    from podward.api.json_value import Json
    from podward.documents.parsed_value import Lines, ParsedValue


def typed(value: Json) -> object:
    """The value with the type of every scalar: 1, 1.0 and true are not the same."""
    if isinstance(value, dict):
        return [(key, typed(item)) for key, item in value.items()]
    if isinstance(value, list):
        return [typed(item) for item in value]
    return type(value).__name__, value


def containers(value: Json, found: list[int]) -> list[int]:
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        if isinstance(item, dict | list):
            found.append(id(item))
            containers(item, found)
    return found


def fast(text: str) -> ParsedValue | None:
    return read_yaml_fast(text, 7)


def taken(text: str) -> bool:
    """Whether the fast reader takes the text; if it does, both readers must agree on all of it."""
    try:
        found = fast(text)
    except OutsideSubsetError:
        return False
    try:
        exact = read_yaml(text, 7)
    except ParseError as error:
        pytest.fail(f"taken, but {error.what} on line {error.line}")
    assert (found is None) == (exact is None)
    if found is not None and exact is not None:
        assert typed(found.value) == typed(exact.value)
        assert (found.line, found.lines, found.rest) == (exact.line, exact.lines, exact.rest)
        ids = containers(found.value, [])
        assert len(ids) == len(set(ids)), "two places share one object"
    return True


INSIDE = """
# Source: web/templates/deployment.yaml
apiVersion: apps/v1   # comment: with a colon
kind: "Deployment"
metadata:
  name: 'it''s'
  labels: {app: web, "x": [1, 2]}   # flow
  annotations:

    a/b: "say \\"hi\\"\\n"
    empty: ""
    nothing:
    tilde: ~
    yes: no
    0644: 0o17
spec:
  containers:
  - name: c
    image: quay.io/x/y:1.2@sha256:aa
    command: ["/bin/sh", "-c", 'exec x']
    args:
    - --flag=a#b
    - -1
    - "a: b"
    - |
      set -eu
        indented: yes # no comment

      exec
    ports: []
    # a comment less indented
   # than its neighbours
    resources: {}
  -   name: d
      script: |-
          a


          b


      other: |+
        c

    # after
      last: 1e3
  volumes:
    - name: v
      defaultMode: 0440
      emptyDir: {}
tail: a b  c
"""


def test_what_tools_write_is_taken() -> None:
    assert taken(INSIDE)
    assert fast(INSIDE) is not None


@pytest.mark.parametrize(
    "text",
    [
        "a: &x 1\nb: *x",
        "a: !!str 1",
        "<<: {a: 1}",
        "a: >\n  folded\n",
        "a: |2\n   x\n",
        "a: b\n  c\n",
        'a: "b\n  c"\n',
        "- a\n",
        "a:\n  - - b\n",
        "? a\n: b\n",
        "a: {b: 1,}\n",
        "a: {b: 1, b: 2}\n",
        "a: [b, ]\n",
        "a: [\nb]\n",
        "a:\tb\n",
        "a: b\t\n",
        "a: 1\na: 2\n",
        "yes: 1\ntrue: 2\n",
        "a: 1\n b: 2\n",
        "a:\n   b: 1\n  c: 2\n",
        "a:\n  - b\n - c\n",
        "a: 1\n- b\n",
        "a: |\nb: 1\n",
        "a: |\n   \n  b\n",
        "a: |\n  b",
        "a: |\n\tb\n",
        "a: |\n  \tb\n",
        "a: @b\n",
        "a: `b\n",
        "a: b: c\n",
        "a: b:\n",
        "a: 'b' c\n",
        'a: "b"# c\n',
        'a: "\\x41"\n',
        "a: .inf\n",
        "~: 1\n",
        "a: 1\n...\n",
        "%YAML 1.1\na: 1\n",
        "a: 1\rb: 2\n",
        "a: \u2028b\n",
        "a: \u0085b\n",
        "a: \ufeffb\n",
        "a: \x7f\n",
        "a: b\u00a0\n",
        "a\n",
        "a:b\n",
        f"{'k' * 1100}: 1\n",
        "".join(f"{' ' * depth}a:\n" for depth in range(99)),
        "-\n",
        "a:\n-\n",
        "a: -\n",
        "a: - b\n",
    ],
)
def test_the_rest_is_left_to_the_full_reader(text: str) -> None:
    with pytest.raises(OutsideSubsetError):
        fast(text)


# fmt: off
WORDS = st.sampled_from(
    [
        "a", "b:", "c:", "-", "-1", "-x", "---", "...", "?", ":", ",", "#", "#c", "[", "]", "{", "}", "[]", "{}", "[a]",
        "[a,b]", "{a:", "{a:b}", "&", "*", "&x", "*x", "!", "!!str", "|", "|-", "|+", "|2", ">", ">-", "'", "''", '"',
        '""', "'a'", "'a''b'", '"a"', '"\\n"', '"\\x41"', '"a:', "%", "@", "`", "~", "null", "yes", "no", "on", "y",
        "n", "true", "0644", "0o17", "0b1", "0x1f", "1_0", "1e3", "1.0", ".5", ".inf", ".nan", "12:30", "2001-01-01",
        "<<", "<<:", "=", "a/b", "a.b", "a-b:", "'k':", '"k":', "é:", "é", "\xa0", "\u2028", "\x85", "\ufeff", "\t",
    ]
)
# fmt: on
INDENTS = st.integers(0, 4).map(lambda width: " " * width)
DASHES = st.sampled_from(["", "", "", "- ", "-  ", "-", "- - ", "? "])
KEYS = st.sampled_from(["", "a: ", "b: ", "a:", "c:", "d: ", "k:  ", '"q": ', "'r':", "yes: ", "1: ", "a : ", "<<: "])
ROWS = st.builds("{}{}{}{}{}".format, INDENTS, DASHES, KEYS, st.lists(WORDS, max_size=3).map(" ".join), st.sampled_from(
    ["", "", "", " ", " # c", "#c", "\t", "\r"]
))  # fmt: skip


@pytest.mark.proof
@settings(max_examples=examples(150, 2000), deadline=None)
@given(st.lists(ROWS, max_size=7), st.sampled_from(["\n", "\n", ""]))
@example(["a:", "# c", "- |", "  x", "- y"], "\n")
@example(["a: |+", "", "  x", "", ""], "\n")
@example(["a: |", "  x", "   ", " ", "    y", "b: 1"], "\n")
@example(["a:", "  - b: |", "     c", "    d: 1"], "\n")
@example(["a: ['#b', c #d", "]"], "\n")
def test_rows_put_together_by_chance(rows: list[str], end: str) -> None:
    taken("\n".join(rows) + end)


# fmt: off
SCALARS = st.sampled_from(
    [
        "a", "a b", "'x: y'", '"x # y"', "0644", "yes", "~", "1.50", "-3", "http://x:1/y", "a#b", '""', "[]", "{}",
        "[a, 'b''c', \"d\\\"e\"]", '{a: 1, "b": [c]}', "|\n{0}  text\n{0}    more\n\n{0}  end", "|-\n{0} text",
        "|+\n{0}   text\n", "",
        "é😀",
    ]
)
# fmt: on
COMMENTS = st.sampled_from(["", "", "", " # c", "   #c: d", "\n# c", "\n         # c", "\n", "\n   "])


@st.composite
def blocks(draw: st.DrawFn, column: int = 0, depth: int = 0) -> list[str]:
    """The rows of an object at `column`, all of them in the subset."""
    rows = []
    for name in draw(
        st.lists(st.sampled_from(["a", "b", "c.d", "e/f", "'g h'", "7", "no"]), min_size=1, max_size=4, unique=True)
    ):
        shape = draw(st.sampled_from(["scalar", "scalar", "object", "list", "objects"] if depth < 3 else ["scalar"]))
        margin, comment = " " * column, draw(COMMENTS)
        if shape == "scalar":
            text = draw(SCALARS).replace("{0}", margin)
            rows.append(f"{margin}{name}: {text}{'' if '|' in text else comment}")
            continue
        rows.append(f"{margin}{name}:{comment}")
        step = draw(st.integers(1, 4)) if shape == "object" else draw(st.integers(0, 3))
        dash = "-" + " " * draw(st.integers(1, 3))
        if shape == "object":
            rows += draw(blocks(column + step, depth + 1))
        for _ in range(draw(st.integers(1, 3)) if shape != "object" else 0):
            inner = " " * (column + step)
            if shape == "list":
                text = draw(SCALARS.filter(bool)).replace("{0}", inner)
                rows.append(f"{inner}{dash}{text}")
            else:
                first, *others = draw(blocks(column + step + len(dash), depth + 1))
                rows += [f"{inner}{dash}{first.lstrip(' ')}", *others]
    return rows


@pytest.mark.proof
@settings(max_examples=examples(25, 300), deadline=None)
@given(blocks())
def test_manifests_put_together_by_rule(rows: list[str]) -> None:
    assert taken("\n".join(rows) + "\n")


@pytest.mark.proof
@settings(max_examples=examples(120, 1500), deadline=None)
@given(
    st.integers(0, len(INSIDE)),
    st.integers(0, 12),
    st.sampled_from(
        [
            "",
            "\n",
            " ",
            "  ",
            "-",
            ":",
            ": ",
            "#",
            " #",
            "'",
            '"',
            "\t",
            "|",
            "[",
            "}",
            "a",
            "\\",
            "\n  ",
            "\n- ",
            "\u2028",
        ]
    ),
)
def test_a_damaged_manifest(at: int, gone: int, new: str) -> None:
    taken(INSIDE[:at] + new + INSIDE[at + gone :])


def test_lines_are_those_of_the_rows() -> None:
    found = fast("\na:\n- b: 1\n\n  c: |\n    x\n    y\n  d: [1]\ne: {f: 2}\n")
    assert found is not None
    lines: Lines = {
        "a": (8, {0: (9, {"b": 9, "c": 11, "d": (14, {0: 14})})}),
        "e": (15, {"f": 15}),
    }
    assert (found.line, found.lines) == (8, lines)


def test_what_a_row_says_is_not_shared_between_documents() -> None:
    first, second = fast("a: [1]\n"), fast("a: [1]\n")
    assert first is not None
    assert second is not None
    assert isinstance(first.value, dict)
    assert isinstance(first.value["a"], list)
    first.value["a"].append(2)
    assert second.value == {"a": [1]}
