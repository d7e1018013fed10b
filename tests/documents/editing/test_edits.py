"""Edits of texts that golden pairs and random documents do not reach: odd syntax, refusals, encodings."""

from __future__ import annotations

import pytest

from podward.api.explanation import Change
from podward.decision import Value
from podward.documents.editing.edits import Edit, edited
from podward.errors import InputError
from podward.path import Path


def edit(text: str, *changes: tuple[str, Value], name: str = "f.yaml") -> str:
    """The text with `a/0/b` set or removed in its first document."""
    edits = (
        Edit(0, Change(Path(tuple(int(s) if s.isdecimal() else s for s in at.split("/"))), to)) for at, to in changes
    )
    return edited(text.encode(), name, tuple(edits)).decode()


ANCHORED = "a: &x\n  p: 1\n  z: 3 # zed\nb: *x # as a\nc:\n  <<: *x\n  q: 2\n"


def test_an_alias_is_written_out_when_its_anchor_changes_and_it_does_not() -> None:
    assert edit(ANCHORED, ("a/p", 5), ("c/p", 5)) == ANCHORED.replace("p: 1", "p: 5").replace(
        "b: *x # as a", "b: # as a\n  p: 1\n  z: 3"
    )


def test_an_alias_stays_when_all_that_share_the_anchor_change_alike() -> None:
    assert edit(ANCHORED, ("a/p", 5), ("b/p", 5), ("c/p", 5)) == ANCHORED.replace("p: 1", "p: 5")


def test_an_alias_that_changes_alone_is_written_out() -> None:
    assert edit(ANCHORED, ("b/p", 5)) == ANCHORED.replace("b: *x # as a", "b: # as a\n  p: 5\n  z: 3")


def test_what_a_merge_brings_is_overridden_below_it() -> None:
    assert edit(ANCHORED, ("c/p", 5)) == ANCHORED + "  p: 5\n"


def test_a_merge_that_brings_a_removed_field_is_written_out() -> None:
    assert edit(ANCHORED, ("c/p", None)) == ANCHORED.replace("  <<: *x\n", "") + "  z: 3\n"


def test_what_refers_to_a_removed_anchor_is_written_out() -> None:
    assert edit(ANCHORED, ("a", None)) == "b: # as a\n  p: 1\n  z: 3\nc:\n  q: 2\n  p: 1\n  z: 3\n"


def test_a_field_above_a_merge_that_covers_it_goes_below_it() -> None:
    assert (
        edit("a: &x {p: 1}\nc:\n  p: 2 # never seen\n  <<: *x\n", ("c/p", 5)) == "a: &x {p: 1}\nc:\n  <<: *x\n  p: 5\n"
    )


def test_what_two_anchors_bind_is_written_out_where_both_go() -> None:
    assert edit(ANCHORED, ("a", 5), ("b", 5)) == "a: 5\nb: 5 # as a\nc:\n  q: 2\n  p: 1\n  z: 3 # zed\n".replace(
        " # zed", ""
    )


def test_a_field_that_its_own_anchor_begins_to_cover_stays_in_place() -> None:
    text = "a: &x\n  v: 1 # v\n<<: *x\nz: 1\n"
    assert edit(text, ("a/a", {})) == "a: &x\n  v: 1 # v\n  a: {}\nz: 1\nv: 1\n"


def test_a_new_field_of_a_container_is_put_below_a_merge() -> None:
    text = "a: &x {s: {p: 1}}\nc:\n  image: i\n  <<: *x\n  ports: []\n"
    assert edit(text, ("c/s/p", 2)) == text.replace("*x\n", "*x\n  s: {p: 2}\n")


def test_an_items_comment_stays_on_its_dash() -> None:
    text = edit("a: &x\n  p: |\n    1\n    2\nl:\n- *x # as a\n- 1\n", ("a/p", 5))
    assert text == "a: &x\n  p: 5\nl:\n- # as a\n  p: |\n    1\n    2\n- 1\n"


def test_a_changed_scalar_keeps_its_anchor_and_loses_its_tag() -> None:
    assert edit("a: &x 5 # five\nb: *x\n", ("a", 6)) == "a: &x 6 # five\nb: 5\n"
    assert edit("a: !!str 5 # five\nb: [!!str 5, 1]\n", ("a", 6), ("b/0", 6)) == "a: 6 # five\nb: [6, 1]\n"


def test_empty_lines_that_belong_to_a_string_stay_with_it() -> None:
    assert edit("b: |+\n  x\n\n", ("c", 2)) == "b: |+\n  x\n\nc: 2\n"
    assert edit("b: |\n  x\n\n\n", ("c", 2)) == "b: |\n  x\nc: 2\n\n\n"


@pytest.mark.parametrize(
    ("old", "to", "new"),
    [
        ("'x'", "it's", "'it''s'"),
        ('"x"', 'say "y"', '"say \\"y\\""'),
        ("x", "yes", '"yes"'),
        ("x", "0644", '"0644"'),
        ("x", "a: b", '"a: b"'),
        ("x", "1:20", '"1:20"'),
        ("x", "nginx:1.27", "nginx:1.27"),
        ("x", "", '""'),
        ("x", "\u2028\U0001f600\ufeff", '"\\u2028\U0001f600\\ufeff"'),
        ("'x'", "two\nlines", '"two\\nlines"'),
        ("x", "two\nlines", "|-\n  two\n  lines"),
        ("0777", 0o555, "0555"),
        ("0o777", 0o555, "0o555"),
        ("0x10", 17, "17"),
        ("off", True, "true"),
        ("5", 1.5, "1.5"),
        ("~", "RuntimeDefault", "RuntimeDefault"),
        ("x\n  y\n  z", 1, "1"),
        ("|\n  x\n  y", "z", "z"),
        (">-\n  x\n  y", {"b": 1}, "\n  b: 1"),
        ("[x]", {}, "{}"),
        ("\n- x\n- y", "z", "z"),
        ("\n  x: 1 # one", ["z"], "\n  - z"),
    ],
)
def test_a_value_is_replaced_in_its_style(old: str, to: Value, new: str) -> None:
    before, after = (value if value.startswith("\n") else f" {value}" for value in (old, new))
    assert edit(f"a:{before}\nb: 1 # b\n", ("a", to)) == f"a:{after}\nb: 1 # b\n"


@pytest.mark.parametrize("end", ["", "\n", "\n\n", "\n# end", "\n...\n", "\n---\n"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_the_end_of_a_file_stays(end: str, newline: str) -> None:
    ended = end.replace("\n", newline)
    start = f"# c{newline}a: 1"
    assert edit(start + ended, ("b", [2])) == f"{start}{newline}b:{newline}  - 2{ended}"
    assert edit(f"a: 1{newline}b: 2{ended}", ("b", None)) == f"a: 1{ended}"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16-le", "utf-16-be"])
def test_the_encoding_and_its_mark_stay(encoding: str) -> None:
    mark = "\ufeff" if encoding.startswith("utf-16") else ""
    before, after = (f"{mark}# \U0001f600 ü\na: {value} # ü\n".encode(encoding) for value in (1, 2))
    assert edited(before, "f.yaml", (Edit(0, Change(Path(("a",)), 2)),)) == after


@pytest.mark.parametrize(("header", "stripped"), [("|", "|-"), (">-", ">-"), ("|+1", "|1-"), ("| # run", "|- # run")])
def test_a_string_that_ends_the_file_without_a_line_break_gains_none(header: str, stripped: str) -> None:
    text = "a:\n  b: {c}\n    sleep"
    assert edit(text.format(c=header), ("a/x", 1)) == text.format(c=stripped) + "\n  x: 1"
    assert edit("z: 0\n" + text.format(c=header), ("z", 1)) == "z: 1\n" + text.format(c=header)


def test_keys_are_quoted_where_the_documents_are() -> None:
    text = '"spec":\n  "replicas": 1\n  "template":\n    "metadata": null\n'
    assert edit(text, ("spec/template/labels/app", "web")) == text + '    "labels":\n      "app": web\n'


def test_a_list_is_written_as_others_of_its_name() -> None:
    text = "args:\n    - 1\na:\n  drop:\n  -  'X'\nb: {}\n"
    assert edit(text, ("b/add", ("Y",))) == text.replace("{}", "\n  add:\n  -  'Y'").replace(": \n", ":\n")


def test_a_list_whose_first_item_is_not_written_is_no_example() -> None:
    assert edit("a:\n  -\n  - 1\nb:\n", ("b/a", (2,))) == "a:\n  -\n  - 1\nb:\n  a:\n    - 2\n"


def test_a_comment_below_what_goes_from_a_dash_comes_above_it() -> None:
    text = "a:\n  - x: 1 # one\n    # two\n\n    # three\n    y: 2\n"
    assert edit(text, ("a/0/x", None)) == "a:\n  # two\n\n  # three\n  - y: 2\n"


def test_a_new_field_comes_after_the_comments_inside_the_one_before() -> None:
    text = "a:\n  b:\n    - 1\n      # of 1\n\n    # - 2\n  # of a\n"
    assert edit(text, ("a/x", 1)) == text.replace("  # of a", "  x: 1\n  # of a")


def test_a_comment_above_the_next_entry_in_braces_stays() -> None:
    text = "a: {b: 1, # one\n    # two\n    c: 2}\n"
    assert edit(text, ("a/b", None)) == "a: {\n    # two\n    c: 2}\n"


def test_documents_are_counted_as_they_are_read() -> None:
    text = "# none\n---\n---\nnull\n---\na: 1\n--- # next\n# c\nb: 1\n"
    assert edited(text.encode(), "f", (Edit(1, Change(Path(("b",)), 2)),)).decode() == text.replace("b: 1", "b: 2")


def test_documents_that_cannot_be_read_stay_as_they_are() -> None:
    broken = "{{- if .x }}\na: [\n---\n# nothing\n---\nb: 1\nb: 2\n---\n- 1\n---\n"
    good = "# one\na: 1\n---\na: 1\n"
    edits = (Edit(0, Change(Path(("a",)), 2)), Edit(1, Change(Path(("a",)), 3)))
    assert edited((broken + good).encode(), "f", edits).decode() == broken + "# one\na: 2\n---\na: 3\n"
    end = "--- a\nb: 1\n"
    assert edited((good + end).encode(), "f", edits[:1]).decode() == good.replace("1", "2", 1) + end


def test_what_cannot_be_read_cannot_be_edited() -> None:
    with pytest.raises(InputError, match="invalid YAML"):
        edited(b"a: 1\n---\na: [\n", "f", (Edit(1, Change(Path(("a",)), 2)),))


def test_flow_style_in_odd_layouts() -> None:
    assert edit("a: {b: }\nc: {d}\n", ("a/b", "x"), ("c/d", "z")) == "a: {b: x}\nc: {d: z}\n"
    assert edit("a: [x: 1, y]\n", ("a/0/x", 2)) == "a: [{x: 2}, y]\n"
    assert edit("{a: 1,\n b: 2, # two\n c: 3 # three\n}\n", ("c", None)) == "{a: 1,\n b: 2 # two\n}\n"
    assert edit('---\n{\n\t"a": 1\n}\n', ("b/c", True)) == '---\n{\n\t"a": 1,\n\t"b": {\n\t\t"c": true\n\t}\n}\n'


def test_json_is_escaped_as_json() -> None:
    text = edit('{"a": 1}\n{"b": 2}', ("a", "\x07\x7f\u2028\U0001f600"), name="f.json")
    assert text == '{"a": "\\u0007\\u007f\\u2028\U0001f600"}\n{"b": 2}'


def test_json_on_one_line_is_as_tight_as_it_was() -> None:
    text = edit('{"a":{"b":["c",[]],"d":{}},"e":{}}', ("r", {"x": "y", "z": True}), ("a/b", None), ("e", None))
    assert text == '{"a":{"d":{}},"r":{"x":"y","z":true}}'


def test_comments_in_a_removed_block_go_and_those_after_it_stay() -> None:
    text = "a:\n  # inside\n  b: 1 # b\n    # deeper\n# of c\nc: 1\n"
    assert edit(text, ("a", None)) == "# of c\nc: 1\n"


@pytest.mark.parametrize(
    ("above", "below", "stays"),
    [
        ("# why x is here", "  z: 1\n", False),
        ("# limits of all", "  z: 1\n", True),
        ("# limits of all", "\n  z: 1\n", False),
        ("# limits of all", "  # of z\n  z: 1\n", False),
        ("# limits of all", "", False),
        ("# limits of all\n", "  z: 1\n", True),
    ],
)
def test_a_comment_above_goes_only_with_its_own_field(above: str, below: str, stays: bool) -> None:  # noqa: FBT001
    text = f"a:\n  y: 1\n  {above}\n  x x x: 1\n{below}"
    result = edit(text.replace("x x x", "x is here") + "c: 1\n", ("a/x is here", None))
    assert (above.strip() in result) is stays
    assert "y: 1" in result


def test_a_file_that_says_so_already_stays_as_it_is() -> None:
    text = "a:   'x'   # odd\nb: [ 0644 ]\n"
    assert edit(text, ("a", "x"), ("b/0", 420), ("c", None)) == text


@pytest.mark.parametrize(
    ("text", "change", "reason"),
    [
        ("? a\n: 1\nb: 2\n", ("a", None), "written with `?`"),
        ("a: 1\n", ("a/b", 2), "a.b: 'b' leads into int"),
        ("a: [1]\n", ("a/2", 2), "no item before"),
    ],
)
def test_what_cannot_be_edited_is_refused_with_what_to_do(text: str, change: tuple[str, Value], reason: str) -> None:
    with pytest.raises(InputError) as caught:
        edit(text, change)
    assert reason in caught.value.what
    assert "(document 1) cannot be edited" in caught.value.what
    assert caught.value.where == "f.yaml:1"
    assert caught.value.advice.startswith("edit it by hand: ")


def test_a_document_that_is_not_there_is_refused() -> None:
    with pytest.raises(InputError, match="there is no document 4 to edit: the file has 1"):
        edited(b"a: 1\n", "f", (Edit(3, Change(Path(("a",)), 1)),))
