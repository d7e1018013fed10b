"""Every rule has a sentence and a page, and every page a rule."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from podward.check import rules

PROJECT = Path(__file__).parent.parent.parent
PAGES = sorted(
    str(page.relative_to(PROJECT))
    for place in ("docs/rules", "docs/hints")
    for page in (PROJECT / place).rglob("*.md")
    if page.name != "README.md"
)


@pytest.mark.parametrize("name", rules.DESCRIPTIONS)
def test_a_rule_has_a_page_that_begins_with_its_name(name: str) -> None:
    first = (PROJECT / rules.page_of(name)).read_text(encoding="utf-8").partition("\n")[0]
    assert first in (f"# {name}", f"# {name.partition('/')[2]}")


@pytest.mark.parametrize("name", rules.DESCRIPTIONS)
def test_a_sentence_is_a_sentence(name: str) -> None:
    sentence = rules.DESCRIPTIONS[name]
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert len(sentence) <= 100


def test_every_page_has_a_rule() -> None:
    assert [page for page in PAGES if page not in {rules.page_of(name) for name in rules.DESCRIPTIONS}] == []


def test_the_overview_links_every_rule() -> None:
    overview = (PROJECT / "docs/rules/README.md").read_text(encoding="utf-8")
    for name in rules.DESCRIPTIONS:
        family, _, rest = name.partition("/")
        page = f"../hints/{rest}.md" if family == "hint" else f"{family}/{rest}.md"
        assert f"[{rest}]({page})" in overview, name


def test_rules_are_named_once_and_in_order() -> None:
    assert [rule.name for rule in rules.named(["scc/access", "pss/sysctls", "scc/access"])] == [
        "pss/sysctls",
        "scc/access",
    ]


def test_the_documentation_is_what_the_registry_says(tmp_path: Path) -> None:
    """`make pages` writes it."""
    (tmp_path / "rules").mkdir()
    overview = PROJECT / "docs/rules/README.md"
    shutil.copy(overview, tmp_path / "rules")
    subprocess.run([sys.executable, PROJECT / "tools/write_rule_pages.py", tmp_path], check=True)
    for page in [*(rules.page_of(name) for name in rules.DESCRIPTIONS), "docs/rules/README.md"]:
        written = (tmp_path / page.removeprefix("docs/")).read_text(encoding="utf-8")
        assert written == (PROJECT / page).read_text(encoding="utf-8"), f"{page}: run `make pages`"


def test_what_was_not_read_cannot_be_waived_but_for_a_patch_that_cannot_be_written_otherwise() -> None:
    always = [name for name in rules.DESCRIPTIONS if rules.is_always(name)]
    assert [name for name in always if rules.may_be_waived(name)] == ["input/pod-spec-patch"]
    assert rules.may_be_waived("pss/privileged")
    assert not rules.may_be_waived("waiver/unused")
