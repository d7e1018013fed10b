"""A list as `kubectl get … -o yaml` prints it may be long; the API server's limit holds for each of its items."""

from __future__ import annotations

import json

import pytest

from podward.documents.parsed_value import MAX_BYTES
from podward.documents.reader import decode_documents, read_all
from podward.errors import InputError
from podward.path import path

MEBIBYTE = 1 << 20


def item(number: int, size: int, extra: str = "") -> str:
    return f"- apiVersion: v1\n  kind: ConfigMap\n{extra}  # of many\n  data:\n    n{number}: {'x' * size}\n"


def listed(*items: str, margin: str = "", head: str = "apiVersion: v1\n", tail: str = "kind: List\n") -> bytes:
    inside = "".join(f"{margin}{row}\n" if row else "\n" for text in items for row in text.splitlines())
    return f"{head}items:\n{inside}{tail}".encode()


def refusal(data: bytes, name: str = "f.yaml") -> InputError:
    with pytest.raises(InputError) as caught:
        decode_documents(data, name)
    assert [(error.what, error.where) for error in read_all(data, name).errors] == [
        (caught.value.what, caught.value.where)
    ]
    return caught.value


@pytest.mark.parametrize("margin", ["", "  "])
@pytest.mark.parametrize("extra", ["", '  folded: >\n    a\n    b\n  wide: "c\n    d"\n'])  # outside the fast subset
@pytest.mark.parametrize("line_break", [b"\n", b"\r\n"])
def test_a_long_list_is_read_with_the_lines_of_its_items(margin: str, extra: str, line_break: bytes) -> None:
    items = [item(number, MEBIBYTE, extra) for number in range(4)]
    data = listed(*items, margin=margin, tail="kind: List\nmetadata:\n  resourceVersion: ''\n")
    (document,) = decode_documents(b"# before\n---\n" + data.replace(b"\n", line_break), "f")
    assert list(document.raw) == ["apiVersion", "items", "kind", "metadata"]
    rows = ["# before", "---", *data.decode().split("\n")]
    for number in range(4):
        assert document.raw["items"][number]["data"] == {f"n{number}": "x" * MEBIBYTE}  # type: ignore[index,call-overload]
        line = document.line_of(path("items", number, "data", f"n{number}"))
        assert line is not None
        assert rows[line - 1].strip().startswith(f"n{number}:")
    line = document.line_of(path("metadata", "resourceVersion"))
    assert line is not None
    assert rows[line - 1] == "  resourceVersion: ''"
    assert document.line_of(path("items")) == rows.index("items:") + 1
    assert document.first_line == 3


def test_a_list_reads_the_same_whether_it_is_long_or_not() -> None:
    items = [item(number, 10) for number in range(40_000)]
    (document,) = decode_documents(listed(*items), "f")
    (first,) = decode_documents(listed(*items[:1000]), "f")
    values, few = document.raw["items"], first.raw["items"]
    assert isinstance(values, list)
    assert isinstance(few, list)
    assert values[:1000] == few
    assert len(values) == 40_000
    for place in (path("items", 999, "data"), path("items", 999, "data", "n999"), path("items", 999)):
        assert document.line_of(place) == first.line_of(place)


def test_an_item_that_is_too_large_is_refused_at_its_line() -> None:
    error = refusal(listed(item(0, 10), item(1, MAX_BYTES)))
    assert error.where == "f.yaml:8"
    assert "the item has 3,145," in error.what


@pytest.mark.parametrize(
    "data",
    [
        b"kind: ConfigMap\nitems:\n" + item(0, 2 * MEBIBYTE).encode() * 2,
        b"kind: List\ndata: " + b"x" * (4 * MEBIBYTE) + b"\nitems:\n- a: 1\n",
        b"kind: List\ndata: " + b"x" * (4 * MEBIBYTE),
        b"kind: List\nitems: [" + b"x, " * MEBIBYTE + b"]\n" + b"x" * MEBIBYTE,
        b"- " * (2 * MEBIBYTE),
    ],
    ids=["no list", "much around", "no items", "flow", "dashes"],
)
def test_only_lists_of_objects_may_be_long(data: bytes) -> None:
    error = refusal(data)
    assert error.where == "f.yaml:1"
    assert "more than the 3,145,728 that an API server takes" in error.what


def test_an_error_in_a_long_list_is_at_its_line() -> None:
    first, second = item(0, 2 * MEBIBYTE), item(1, 2 * MEBIBYTE)
    assert refusal(listed(first, second.replace("kind:", "kind", 1))).where == "f.yaml:10:3"
    assert refusal(listed(first, second.replace("data", "kind", 1))).where == "f.yaml:11"
    assert refusal(listed(first, second, tail="kind: List\nkind: List\n")).where == "f.yaml:14"
    assert "unknown anchor" in refusal(listed(first.replace("v1", "&a v1"), second.replace("v1", "*a", 1))).what


def test_the_number_of_items_is_limited() -> None:
    error = refusal(listed("- a: 12345678901234567890123456789\n" * 110_000))
    assert (error.what, error.where) == ("more than 100,000 items", "f.yaml:100003")


def test_a_long_list_of_json() -> None:
    values = [{"kind": "ConfigMap", "data": {"n": "x" * MEBIBYTE}} for _ in range(4)]
    text = json.dumps({"kind": "ConfigMapList", "items": values}, indent=1)
    (document,) = decode_documents(text.encode(), "f.json")
    assert document.raw["items"] == values
    line = document.line_of(path("items", 3, "data", "n"))
    assert line is not None
    assert text.split("\n")[line - 1].strip().startswith('"n":')
    values[2]["data"] = {"n": "x" * MAX_BYTES}
    text = json.dumps({"kind": "List", "items": values}, indent=1)
    error = refusal(text.encode(), "f.json")
    assert "the item has 3,145,7" in error.what
    assert text.split("\n")[int(error.where.split(":")[1]) - 1] == "  {"
    assert refusal(json.dumps({"kind": "Pod", "items": values}).encode(), "f.json").where == "f.json:1"
    assert refusal(json.dumps({"kind": "List", "data": values, "items": []}).encode(), "f.json").where == "f.json:1"
