"""Every failing manifest gets the hint that it is there for, every passing one does not, and the change cures it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hint_corpus import AGNHOST, ODD_IMAGE, Case, cases, name_of, odd_entry
from hint_facts import IMAGES, NODE, World, changed, facts_of

from podward.api.explanation import Hint
from podward.documents.patching import json_of
from podward.documents.reader import decode_documents
from podward.policy.hints.all import RULES, decide

PAGES = Path(__file__).parents[3] / "docs" / "hints"
SCHEMA_REFUSES = "container-field-on-pod"
FAILING = [case for case in cases("fail") if case.rule != SCHEMA_REFUSES]
PASSING = [case for case in cases("pass") if case.rule != SCHEMA_REFUSES]
KNOWN = {**IMAGES, AGNHOST: IMAGES["agnhost"], ODD_IMAGE: IMAGES["busybox:root"]}


def hints_of(case: Case, text: str) -> tuple[Hint, ...]:
    world = World(
        image=KNOWN.__getitem__,
        entry=odd_entry,
        node=case.node(NODE),
        volumes=case.volumes(),
        shared_uids=(54321,) if case.promised("beside") else (),
        validated=False,
    )
    return tuple(hint for facts in facts_of(text, world) for hint in RULES[case.rule](facts))


@pytest.mark.parametrize("case", FAILING, ids=name_of)
def test_a_failing_manifest_gets_the_hint_and_its_changes_cure_it(case: Case) -> None:
    found = hints_of(case, case.text)
    assert {hint.name for hint in found} == {case.rule}
    assert found[0].changes
    document = decode_documents(case.text.encode(), case.path.name)[0]
    changes = [(change.path, json_of(change.value)) for hint in found for change in hint.changes]
    cured = msgspec.json.encode(changed(document, changes)).decode()
    # The token's volume is described by what the manifest says, so the facts of the cured one are made anew.
    assert hints_of(Case(case.rule, case.path, f"{_comments(case.text)}{cured}"), cured) == ()


def _comments(text: str) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if line.startswith("#"))


@pytest.mark.parametrize("case", PASSING, ids=name_of)
def test_a_passing_manifest_gets_no_such_hint(case: Case) -> None:
    assert hints_of(case, case.text) == ()


@pytest.mark.parametrize("case", FAILING, ids=name_of)
def test_a_hint_is_two_sentences_and_names_its_place_and_source(case: Case) -> None:
    for hint in hints_of(case, case.text):
        for sentence in (hint.problem, hint.remedy):
            assert sentence.endswith("."), sentence
            assert "\n" not in sentence
            assert "None" not in sentence
        assert str(hint.path).startswith("spec.")
        assert hint.source.name


@pytest.mark.parametrize("rule", [*RULES, SCHEMA_REFUSES])
def test_every_rule_has_manifests_of_both_kinds_and_a_page(rule: str) -> None:
    assert any(case.rule == rule for case in cases("fail"))
    assert any(case.rule == rule for case in cases("pass"))
    page = (PAGES / f"{rule}.md").read_text(encoding="utf-8")
    assert page.startswith(f"# {rule}\n")
    assert f"({rule}.md)" in (PAGES / "README.md").read_text(encoding="utf-8")


def test_no_page_and_no_manifest_is_of_an_unknown_rule() -> None:
    known = {*RULES, SCHEMA_REFUSES}
    assert {page.stem for page in PAGES.glob("*.md")} == {*known, "README"}
    assert {case.rule for case in (*cases("fail"), *cases("pass"))} == known


def test_all_hints_come_in_the_order_of_the_table() -> None:
    case = next(case for case in FAILING if name_of(case) == "capability-without-root/net-admin")
    (facts,) = facts_of(case.text, World(image=KNOWN.__getitem__))
    names = [hint.name for hint in decide(facts)]
    assert names == sorted(names, key=list(RULES).index)
    assert len(set(names)) > 1
