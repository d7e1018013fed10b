"""Manifests are read as Kubernetes reads them, and whatever is none gives one error with its line."""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path as File

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from proofs import examples

from podward.api.json_value import Json, JsonObject
from podward.documents.parsed_value import MAX_BYTES, MAX_DEPTH
from podward.documents.reader import decode_documents
from podward.errors import InputError
from podward.path import Key, Path, path

BAD = File(__file__).parent / "bad"
POD = b"""apiVersion: v1
kind: Pod
metadata: {name: web, labels: &labels {app: web}}
spec:
  containers:
  - name: c   # the only one
    image: busybox:root
    command: ["sh", "-c", "id"]
    securityContext: {runAsUser: 1000, capabilities: {add: [NET_ADMIN]}}
"""


def read(text: str | bytes) -> list[JsonObject]:
    data = text if isinstance(text, bytes) else text.encode()
    return [document.raw for document in decode_documents(data, "f.yaml")]


def value(text: str) -> Json:
    """What the field `v` of the only document is."""
    (raw,) = read(text)
    return raw["v"]


def refusal(text: str | bytes, name: str = "f.yaml") -> InputError:
    with pytest.raises(InputError) as caught:
        decode_documents(text if isinstance(text, bytes) else text.encode(), name)
    assert caught.value.where.startswith(f"{name}:")
    return caught.value


def test_a_pod_reads() -> None:
    (raw,) = read(POD)
    assert raw["metadata"] == {"name": "web", "labels": {"app": "web"}}


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("v: 0644", 420),
        ("v: '0644'", "0644"),
        ('v: "yes"', "yes"),
        ("v: yes", True),
        ("v:", None),
        ("v: ! 12", "12"),
        ("v: !!str 12", "12"),
        ("v: |\n  a\n  b\n", "a\nb\n"),
        ("v: >-\n  a\n  b\n", "a b"),
        ("v: a\n  b", "a b"),
        ("v: {a: 1, 2: b, true: c, }", {"a": 1, "2": "b", "true": "c"}),
        ("v: [1, [2, {}], ]", [1, [2, {}]]),
        ("v: &x [1]\nw: *x", [1]),
        ("v: https://x:80/y?z", "https://x:80/y?z"),
        ("v: [https://x:80/y]", ["https://x:80/y"]),
        ("v: 2001-12-14 21:59:43", "2001-12-14 21:59:43"),
        ("v: '\\x41'", "\\x41"),
        ('v: "\\x41\\u00e9\\U0001F600"', "A\u00e9\U0001f600"),
        ("v: <<", "<<"),
        ('v: {"a": 1.0}', {"a": 1}),
        ("# a comment\nv: 1 # another\n# the end", 1),
        ("v: 1\r\nw: 2\r\n", 1),
        ("v:\t1", 1),
        ("{v: 1}", 1),
        ("{v: 1,\n}", 1),
        ("? v\n: 1", 1),
    ],
)
def test_meaning(text: str, meant: Json) -> None:
    assert value(text) == meant
    assert type(value(text)) is type(meant)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("b: &b {x: 1, z: 1}\nv: {<<: *b, z: 2}", {"x": 1, "z": 2}),
        # goyaml v2 sets keys as they come: what stands above a merge is replaced by it.
        ("b: &b {x: 1, z: 1}\nv: {z: 2, <<: *b}", {"x": 1, "z": 1}),
        ("b: &b {x: 1}\nc: &c {x: 2, z: 3}\nv: {<<: [*b, *c]}", {"x": 1, "z": 3}),
        ("v: {<<: {x: 1}}", {"x": 1}),
        ("v: {'<<': 1}", {"<<": 1}),
        ("b: &b {<<: {x: 1}, z: 2}\nv: {<<: *b}", {"x": 1, "z": 2}),
    ],
)
def test_merge_keys(text: str, meant: Json) -> None:
    assert value(text) == meant


def test_an_alias_is_a_copy() -> None:
    (raw,) = read("a: &x {k: [1]}\nb: *x")
    first, second = raw["a"], raw["b"]
    assert isinstance(first, dict)
    assert isinstance(second, dict)
    assert first == second
    assert first is not second
    assert first["k"] is not second["k"]


def test_an_anchor_can_be_set_again() -> None:
    assert read("a: &x 1\nb: *x\nc: &x 2\nd: *x") == [{"a": 1, "b": 1, "c": 2, "d": 2}]


@pytest.mark.parametrize(
    ("text", "documents", "lines"),
    [
        ("a: 1\n---\nb: 2\n", [{"a": 1}, {"b": 2}], [1, 3]),
        ("---\na: 1\n---\n---\n# nothing\n---\nnull\n--- # c\n\nb: 2", [{"a": 1}, {"b": 2}], [2, 10]),
        ("a: 1\n---", [{"a": 1}], [1]),
        ("a: 1\r\n---\r\nb: 2\r\n", [{"a": 1}, {"b": 2}], [1, 3]),
        ("a: 1\n...\n---\nb: 2", [{"a": 1}, {"b": 2}], [1, 4]),
        ("%YAML 1.1\n", [], []),
        ("", [], []),
        ("# only a comment\n", [], []),
        ('{"a": 1}{"b": 2}\n {"c": 3}', [{"a": 1}, {"b": 2}, {"c": 3}], [1, 1, 2]),
        ('\n {"a": 1}\n---\nb: 2', [{"a": 1}, {"b": 2}], [2, 4]),
    ],
)
def test_documents_are_split_as_kubectl_splits_them(text: str, documents: list[JsonObject], lines: list[int]) -> None:
    if text.startswith("%"):
        assert "document start" in str(refusal(text))
        return
    found = decode_documents(text.encode(), "f")
    assert [document.raw for document in found] == documents
    assert [document.first_line for document in found] == lines


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings(encoding: str) -> None:
    assert read("v: \u00e9\U0001f600".encode(encoding)) == [{"v": "\u00e9\U0001f600"}]
    assert read('{"v": "\u00e9"}'.encode(encoding)) == [{"v": "\u00e9"}]


def test_json_keeps_the_form_of_numbers() -> None:
    (raw,) = read('{"a": 1, "b": 1.0, "c": 1e2, "d": -0, "e": 123456789012345678901234567890}')
    assert [(type(v), v) for v in raw.values()] == [
        (int, 1),
        (float, 1.0),
        (float, 100.0),
        (int, 0),
        (int, 123456789012345678901234567890),
    ]


def test_half_a_surrogate_pair_becomes_the_replacement_character() -> None:
    assert read('{"a": "\\ud800x", "b": "\\ud83d\\ude00"}') == [{"a": "\ufffdx", "b": "\U0001f600"}]


def bad_files() -> list[File]:
    return sorted(BAD.glob("*.yaml")) + sorted(BAD.glob("*.json"))


@pytest.mark.parametrize("file", bad_files(), ids=lambda file: file.name)
def test_a_bad_file_gives_the_expected_error_at_the_right_line(file: File) -> None:
    error = refusal(file.read_bytes(), file.name)
    assert f"{error.where}: {error.what}" == file.with_suffix(".error").read_text().rstrip("\n")
    assert error.exit_code == 2


def test_every_expected_error_has_its_file() -> None:
    assert {file.stem for file in BAD.glob("*.error")} == {file.stem for file in bad_files()}
    assert len(bad_files()) >= 30


def test_depth_is_limited() -> None:
    assert read("v: " + "[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1))
    assert read('{"v": ' + "[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1) + "}")
    for text in (
        "v: " + "[" * MAX_DEPTH + "]" * MAX_DEPTH,
        '{"v": ' + "[" * MAX_DEPTH + "]" * MAX_DEPTH + "}",
        "v:\n  " + "- " * 100_000,
        "[" * 1_000_000,
        '{"a":' * 100_000,
    ):
        assert "nested deeper than 100 levels" in refusal(text).what


def test_depth_is_limited_through_aliases_too() -> None:
    text = "a0: &a0 {x: 1}\n" + "".join(f"a{i}: &a{i} {{x: *a{i - 1}}}\n" for i in range(1, MAX_DEPTH + 1))
    error = refusal(text)
    assert "nested deeper" in error.what
    assert error.where.startswith(f"f.yaml:{MAX_DEPTH}:")


def test_size_is_limited_for_each_document() -> None:
    large = b"v: " + b"x" * (MAX_BYTES - 100) + b"\n"
    assert len(read(large + b"---\n" + large)) == 2
    for size in (MAX_BYTES + 1, 50_000_000):
        began = time.process_time()
        error = refusal(b"a: 1\n---\nv: " + b"x" * size)
        assert error.where == "f.yaml:3"
        assert "3,145,728" in error.what
        assert time.process_time() - began < 2
    assert refusal(b'{"v": "' + b"x" * MAX_BYTES + b'"}').where == "f.yaml:1"


def test_the_number_of_documents_is_limited() -> None:
    began = time.process_time()
    for text in ("---\n" * 5_000_000, "a: 1\n---\n" * 100_001, "{}" * 200_000):
        assert refusal(text).what == "more than 100,000 documents"
    assert time.process_time() - began < 60  # seconds of processor time; about 1


def laughs(levels: int, width: int) -> str:
    first = "a: &a [" + ",".join(["00"] * width) + "]\n"
    names = "abcdefghijklmnop"
    return first + "".join(
        f"{names[i]}: &{names[i]} [" + ",".join([f"*{names[i - 1]}"] * width) + "]\n" for i in range(1, levels)
    )


def test_alias_bombs_are_refused_quickly_and_a_few_aliases_are_not() -> None:
    assert read(laughs(3, 9))
    began = time.process_time()
    error = refusal(laughs(9, 9))
    assert error.what == "document contains excessive aliasing"
    assert time.process_time() - began < 1


def test_aliases_of_much_text_are_refused() -> None:
    error = refusal("a: &a " + "x" * 100_000 + "\nb: [" + "*a, " * 40 + "1]\n")
    assert error.what == "aliases repeat more than 3 MiB of text"


@pytest.mark.parametrize(
    "text",
    [
        "- a\n" * 175_000,
        "a,\n" * 175_000,
        "[" + "{}," * 175_000 + "]",
        '"' + "\\u0041" * 125_000 + '"',
        "? " * 90 + "a\n" * 1000,
        "".join(f"k{i}: &a{i} {i}\n" for i in range(25_000)),
        "{" + ",".join(f'"{i}":{i}' for i in range(50_000)) + "}",
    ],
    ids=lambda text: f"{text[:8]!r}",
)
def test_time_is_bounded(text: str) -> None:
    """For a quarter of what may be read: where time grows with the square, these take minutes."""
    began = time.process_time()
    with contextlib.suppress(InputError):
        decode_documents(text.encode(), "f.yaml")
    assert time.process_time() - began < 5  # seconds of processor time; less than 1 for the slowest


def outcome(data: bytes) -> InputError | list[JsonObject]:
    try:
        return read(data)
    except InputError as error:
        return error


def check_any(data: bytes) -> None:
    """Whatever the bytes, there is JSON or one error with a line of the file."""
    found = outcome(data)
    if isinstance(found, InputError):
        assert found.what
        breaks = sum(data.count(mark) for mark in (b"\n", b"\r", b"\x85", b"\xa8", b"\xa9"))
        assert 1 <= int(found.where.split(":")[1]) <= breaks + 1
        return
    for raw in found:
        assert json.loads(json.dumps(raw, allow_nan=False)) == raw
        assert json.dumps(raw, ensure_ascii=False).encode()


@pytest.mark.proof
@settings(max_examples=examples(60, 500))
@given(st.binary(max_size=200))
@example(b"\xff\xfe\x00\xd8")
@example(b"\xef\xbb\xbf---")
@example(b"a: \xc2\x85b")
@example(b'{"a": ' + b"9" * 5000 + b"}")
@example(b"a: " + b"9" * 5000)
@example(b"? " + b"9" * 30)
@example(b"*a")
@example(b"<<: 1")
@example(b"- <<")
@example(b"!!int 1")
@example(b"&a &b c")
@example(b'"\\0\\\r\n')
@example(b"  0: [\n] 0")
@example(b'? ? "\n" 0')
@example(b"? \xef\xbb\xbf: \xef\xbb\xbf")
def test_no_bytes_crash(data: bytes) -> None:
    check_any(data)


YAML_PIECES = st.sampled_from(
    [
        "a",
        "b: ",
        ": ",
        "- ",
        "? ",
        "[",
        "]",
        "{",
        "}",
        ",",
        "&x ",
        "*x",
        "<<: ",
        "!!int ",
        "!t ",
        "|\n",
        ">-\n",
        "'",
        '"',
        "\n",
        "\n  ",
        "\n    ",
        "---\n",
        "...\n",
        "# c\n",
        "\t",
        "0644",
        "~",
        ".inf",
        "%YAML 1.1\n",
        "\r\n",
        "\u2028",
        "\\u",
    ],
)


@pytest.mark.proof
@settings(max_examples=examples(60, 500))
@given(st.lists(YAML_PIECES, max_size=30))
def test_no_mixture_of_yaml_crashes(pieces: list[str]) -> None:
    check_any("".join(pieces).encode())


@pytest.mark.proof
@settings(max_examples=examples(60, 500))
@given(st.data())
def test_no_damaged_manifest_crashes(data: st.DataObject) -> None:
    manifest = data.draw(st.sampled_from([POD, json.dumps(read(POD)[0], indent=1).encode()]))
    at = data.draw(st.integers(0, len(manifest)))
    gone = data.draw(st.integers(0, 3))
    new = data.draw(st.binary(max_size=3) | YAML_PIECES.map(str.encode))
    check_any(manifest[:at] + new + manifest[at + gone :])


TEXTS = st.text(
    st.characters(codec="utf-8", exclude_characters="\ufeff\ufffe\uffff", exclude_categories=["Cc", "Zl", "Zp"]),
    max_size=8,
)
VALUES: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(-1e9, 1e9) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)
OBJECTS = st.dictionaries(TEXTS, VALUES, min_size=1, max_size=5)


def quoted(value: Json) -> str:
    """JSON that is YAML too: YAML has no surrogate pairs."""
    return json.dumps(value, ensure_ascii=False)


def written(item: Json, indent: int, at: Path, lines: list[tuple[Path, str]]) -> None:
    """YAML in block style, one field or item a line, each line with its path."""
    entries = item.items() if isinstance(item, dict) else enumerate(item) if isinstance(item, list) else ()
    for key, inner in entries:
        head = "- " if isinstance(key, int) else f"{quoted(key)}: "
        simple = not isinstance(inner, dict | list) or not inner
        lines.append((at / key, " " * indent + head + (quoted(inner) if simple else "")))
        written(inner, indent + 2, at / key, lines)


@given(OBJECTS)
def test_what_is_written_as_json_or_yaml_reads_back(item: JsonObject) -> None:
    assert read(json.dumps(item)) == [item]
    assert read(json.dumps(item, indent=2, ensure_ascii=False)) == [item]
    lines: list[tuple[Path, str]] = []
    written(item, 0, Path(), lines)
    (raw,) = read("\n".join(line for _, line in lines))
    assert raw == item


@given(OBJECTS, st.integers(0, 3))
def test_the_line_of_every_field_is_right(item: JsonObject, before: int) -> None:
    assume("absent" not in str(item))  # Hypothesis knows the words of this file
    lines: list[tuple[Path, str]] = []
    written(item, 0, Path(), lines)
    text = "# comment\n" * before + "\n".join(line for _, line in lines)
    (document,) = decode_documents(text.encode(), "f.yaml")
    for number, (place, line) in enumerate(lines, before + 1):
        # YAML does not tell where a dash is: an item is where its first field is.
        below = line.endswith("- ")
        assert document.line_of(place) == number + below
        assert document.where(place / "absent") == f"f.yaml:{number + below}"
    assert document.line_of(Path()) == document.first_line == before + 1


@given(OBJECTS)
def test_the_line_of_every_field_of_json_is_right(item: JsonObject) -> None:
    text = json.dumps(item, indent=1)
    (document,) = decode_documents(text.encode(), "f.json")
    printed = text.split("\n")

    def check(value: Json, at: Path) -> None:
        entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, inner in entries:
            line = document.line_of(at / key)
            assert line is not None
            shown = printed[line - 1].strip()
            start = json.dumps(inner)[0] if isinstance(key, int) else json.dumps(key) + ": "
            assert shown.startswith(start)
            check(inner, at / key)

    check(item, Path())


def test_lines_through_aliases_and_merges_are_those_of_the_real_node() -> None:
    text = "base: &b\n  x: 1\n  w: {z: 2}\nd:\n  <<: *b\n  x: 3\ne: *b\nf: [*b]\ng:\n  <<: [*b]\n"
    (document,) = decode_documents(text.encode(), "f")
    lines = {
        str(p): document.line_of(p)
        for p in (
            path("d"),
            path("d", "x"),
            path("d", "w"),
            path("d", "w", "z"),
            path("e"),
            path("e", "x"),
            path("f", 0, "w"),
            path("d", Key("w")),
            path("d", "nope"),
            path("d", "x", "nope"),
            path("g", "w", "z"),
            path("f", 1),
        )
    }
    assert lines == {
        "d": 4,
        "d.x": 6,
        "d.w": 3,
        "d.w.z": 3,
        "e": 7,
        "e.x": 2,
        "f[0].w": 3,
        "d[w]": 3,
        "d.nope": None,
        "d.x.nope": None,
        "g.w.z": 3,
        "f[1]": None,
    }
