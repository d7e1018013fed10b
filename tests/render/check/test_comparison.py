"""What a comparison looks like: on a terminal, in JSON and as a page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path as File
from typing import Any

import jsonschema
import pytest

from podward.api.finding import Finding, Severity, WorkloadRef
from podward.api.policy_change import (
    ChangeKind,
    ComparedWorkload,
    PolicyChange,
    PolicyComparison,
    RefusalReasons,
    WorkloadOutcome,
)
from podward.decision import Origin, Source
from podward.path import path
from podward.render.check.comparison_html import page
from podward.render.check.comparison_json import document
from podward.render.check.comparison_table import table
from podward.render.check.comparison_texts import TITLES
from podward.render.escaping import width
from podward.render.html_page import CONTENT_SECURITY_POLICY
from podward.render.palette import COLOURED, MIN_COLUMNS, PLAIN

SCHEMA = json.loads((File(__file__).parents[3] / "docs/schema/compare.schema.json").read_text(encoding="utf-8"))


def read(found: PolicyComparison) -> Any:  # noqa: ANN401  # JSON
    """The comparison's JSON, which follows the schema."""
    made = json.loads(document(found))
    jsonschema.validate(made, SCHEMA)
    return made


def change(kind: ChangeKind, name: str = "web", hostile: str = "", also: int = 1) -> PolicyChange:
    return PolicyChange(
        kind,
        f"dir/web{hostile}.yaml",
        12,
        WorkloadRef(f"Deployment{hostile}", f"shop{hostile}", f"{name}{hostile}"),
        f"before{hostile}",
        f"after{hostile}",
        f"because{hostile}",
        Source(Origin.POLICY, f"scc evil{hostile}", path("priority")),
        f"evil{hostile}.yaml:4",
        tuple(f"and {number}{hostile}" for number in range(also)),
        RefusalReasons((f"new{hostile}",), (f"gone{hostile}",), (f"kept{hostile}",))
        if kind is ChangeKind.REASONS
        else None,
    )


def comparison(hostile: str = "", *, workloads: int = 1) -> PolicyComparison:
    changes = tuple(change(kind, f"web{n}", hostile) for n in range(workloads) for kind in ChangeKind)
    every = tuple(
        ComparedWorkload(
            one.file,
            12,
            one.subject,
            WorkloadOutcome(refused=False, scc=f"old{hostile}"),
            WorkloadOutcome(refused=False, scc=f"evil{hostile}"),
        )
        for one in changes
        if one.kind is ChangeKind.REFUSED
    )
    quiet = ComparedWorkload(
        "q.yaml",
        1,
        WorkloadRef("Pod", f"shop{hostile}", "q"),
        WorkloadOutcome(refused=True),
        WorkloadOutcome(refused=True),
    )
    unread = Finding(
        "input/syntax", Severity.ERROR, f"bad{hostile}.yaml", 3, 0, path(), WorkloadRef(), f"invalid{hostile}"
    )
    return PolicyComparison(f"old{hostile}", f"new{hostile}", changes, (*every, quiet), (unread,), (f"note{hostile}",))


def test_changes_are_told_worst_first_with_their_reasons_and_the_sums() -> None:
    found = PolicyComparison("old", "new", (change(ChangeKind.ALLOWED), change(ChangeKind.REFUSED)), ())
    assert table(found, None, PLAIN) == (
        "newly refused: 1 workload\n"
        "  dir/web.yaml:12  Deployment shop/web\n"
        "    before → after\n"
        "    because because (evil.yaml:4)\n"
        "    and 0\n"
        "\n"
        "newly allowed: 1 workload\n"
        "  dir/web.yaml:12  Deployment shop/web\n"
        "    before → after\n"
        "    because because (evil.yaml:4)\n"
        "    and 0\n"
        "\n"
        "old → new: 0 workloads of 0 changed, 0 unchanged; newly refused 1; newly allowed 1\n"
    )


def test_workloads_with_the_same_change_stand_together() -> None:
    printed = table(comparison(workloads=3), None, PLAIN)
    assert printed.count("before → after") == len(ChangeKind)
    assert printed.count("Deployment shop/web2") == len(ChangeKind)
    assert "3 workloads of 4 changed, 1 unchanged (1 refused by both)" in printed


def test_nothing_changes_in_one_line() -> None:
    assert table(PolicyComparison("a", "b", (), ()), 80, PLAIN) == "a → b: 0 workloads of 0 changed, 0 unchanged\n"


@pytest.mark.parametrize("columns", [1, 60, 80, 200])
def test_no_line_is_wider_than_the_terminal(hostile: str, columns: int) -> None:
    for line in table(comparison(hostile), columns, PLAIN).split("\n"):
        assert width(line) <= max(columns, MIN_COLUMNS)


@pytest.mark.parametrize("columns", [None, 80])
def test_nothing_from_outside_drives_the_terminal(hostile: str, columns: int | None) -> None:
    printed = table(comparison(hostile), columns, PLAIN)
    assert all(line.isprintable() for line in printed.split("\n"))
    assert not any(line.startswith("::") for line in printed.split("\n"))


def test_colour_adds_only_escape_sequences() -> None:
    coloured = table(comparison(), 80, COLOURED)
    for code in ("\x1b[1m", "\x1b[2m", "\x1b[1;31m", "\x1b[32m", "\x1b[0m"):
        coloured = coloured.replace(code, "")
    assert coloured == table(comparison(), 80, PLAIN)


def test_json_has_every_change_and_every_workload(hostile: str) -> None:
    text = document(comparison(hostile, workloads=2))
    assert all(line.isprintable() for line in text.split("\n"))
    found = read(comparison(hostile, workloads=2))
    assert (found["version"], found["exitCode"]) == (1, 2)
    assert found["summary"]["kinds"] == {kind.value: 2 for kind in ChangeKind}
    assert (found["summary"]["workloads"], found["summary"]["alwaysRefused"]) == (3, 1)
    assert [change["kind"] for change in found["changes"]][::2] == [kind.value for kind in ChangeKind]
    assert found["changes"][0]["policy"]["path"] == "priority"
    assert found["workloads"][0]["after"]["refused"] is False


def test_the_schema_is_one_and_knows_every_kind() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$defs"]["kind"]["enum"] == [kind.value for kind in ChangeKind]


def test_json_about_nothing_follows_the_schema_too() -> None:
    assert read(PolicyComparison("a", "b", (), ()))["exitCode"] == 0


def test_reasons_are_lists_in_json_where_both_refuse() -> None:
    found = read(comparison())["changes"]
    assert [change["kind"] for change in found if change["reasons"] is not None] == ["reasons"]
    (reasons,) = (change["reasons"] for change in found if change["reasons"])
    assert reasons == {"new": ["new"], "gone": ["gone"], "kept": ["kept"]}


class Page(HTMLParser):
    """The page's elements, their attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in {"meta", "col", "wbr"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> Iterator[dict[str, str | None]]:
        return (attributes for name, attributes in self.elements if name == tag)


def shape(found: Page) -> list[tuple[str, str | None, str | None]]:
    return [(tag, attributes.get("class"), attributes.get("id")) for tag, attributes in found.elements if tag != "wbr"]


def test_the_page_has_a_section_for_every_kind_and_a_link_to_it() -> None:
    found = Page(page(comparison()))
    sections = {attributes.get("id") for attributes in found.all("section")}
    assert sections == {*(kind.value for kind in ChangeKind), "matrix"}
    assert [attributes.get("href") for attributes in found.all("a")] == [f"#{kind.value}" for kind in ChangeKind]
    for title in TITLES.values():
        assert title in found.text
    assert not found.open


def test_nothing_is_loaded_and_nothing_runs() -> None:
    found = Page(page(comparison()))
    assert [m["content"] for m in found.all("meta") if m.get("http-equiv") == "Content-Security-Policy"] == [
        CONTENT_SECURITY_POLICY
    ]
    names = {tag for tag, _ in found.elements}
    assert names.isdisjoint({"script", "img", "link", "iframe", "form", "object", "base", "svg"})
    assert not any(name.startswith("on") or name == "src" for _, attributes in found.elements for name in attributes)


def test_hostile_names_make_no_element_and_no_attribute(hostile: str) -> None:
    assert shape(Page(page(comparison(hostile)))) == shape(Page(page(comparison())))
    assert page(comparison(hostile)).replace("\n", "").isprintable()


def test_many_workloads_are_folded_away() -> None:
    text = page(comparison(workloads=30))
    assert "<summary>24 more workloads</summary>" in text
    assert text.count("<b>shop/web29</b>") == len(ChangeKind)


def test_the_matrix_counts_each_namespaces_workloads() -> None:
    found = page(comparison(workloads=5))
    assert '<td class="moved"><s>5 →</s> 0</td>' in found
    assert '<td class="moved"><s>0 →</s> 5</td>' in found
    assert '<td class="zero">1</td>' in found


def test_without_sccs_there_is_no_matrix() -> None:
    assert 'id="matrix"' not in page(PolicyComparison("a", "b", (change(ChangeKind.REFUSED),), ()))


def test_nothing_changes_says_so() -> None:
    assert "Nothing changes for any workload." in page(PolicyComparison("a", "b", (), ()))
