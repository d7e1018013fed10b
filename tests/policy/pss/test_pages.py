"""Every check has a page whose first manifest it refuses and whose second it allows, and manifests of both kinds."""

from __future__ import annotations

from pathlib import Path

import pytest

from podward.documents.reader import decode_documents
from podward.policy.pss.check import Check
from podward.policy.pss.standard import LATEST, Level
from podward.policy.pss.standards import CHECKS, evaluate
from podward.schema.validation import pod as validation
from podward.schema.view import pod_view
from podward.schema.workload import pod_sources
from podward.stages.admission.order import completed

ROOT = Path(__file__).parents[3]
PAGES = ROOT / "docs" / "rules" / "pss"
CORPUS = ROOT / "tests" / "corpus" / "pss"


def by_id(check: Check) -> str:
    return check.id


def refused(text: str, level: Level, name: str) -> set[str]:
    """The checks that have something against the Pod of this manifest as it would be stored."""
    (document,) = decode_documents(text.encode(), name)
    (source,) = pod_sources(document)
    return {result.check for result in evaluate(level, LATEST, pod_view(completed(source.raw).stored))}


def blocks(page: str) -> list[str]:
    """The manifests of a page, each made a whole Pod."""
    found = [part.split("```")[0] for part in page.split("```yaml\n")[1:]]
    return [f"apiVersion: v1\nkind: Pod\nmetadata: {{name: example}}\n{block}" for block in found]


@pytest.mark.parametrize("check", CHECKS, ids=by_id)
def test_a_page_says_what_it_is_about_and_its_manifests_show_it(check: Check) -> None:
    page = (PAGES / f"{check.id}.md").read_text(encoding="utf-8")
    assert page.startswith(f"# {check.id}\n")
    assert f"Level {check.level}." in page
    for revision in check.revisions:
        assert f"| 1.{revision.since} |" in page
    bad, good = blocks(page)
    assert check.id in refused(bad, check.level, "bad")
    assert check.id not in refused(good, check.level, "good")
    assert f"[{check.id}]({check.id}.md)" in (PAGES / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("check", CHECKS, ids=by_id)
def test_a_failing_manifest_is_refused_and_a_passing_one_is_not(check: Check) -> None:
    bad = (CORPUS / "fail" / f"{check.id}.yaml").read_text(encoding="utf-8")
    good = (CORPUS / "pass" / f"{check.id}.yaml").read_text(encoding="utf-8")
    assert check.id in refused(bad, check.level, "bad")
    assert check.id not in refused(good, check.level, "good")


@pytest.mark.parametrize("check", CHECKS, ids=by_id)
def test_a_passing_manifest_is_one_that_the_api_server_takes(check: Check) -> None:
    file = CORPUS / "pass" / f"{check.id}.yaml"
    (source,) = pod_sources(decode_documents(file.read_bytes(), file.name)[0])
    raw = completed(source.raw).stored
    assert not validation.validate(pod_view(raw), raw, "Pod").violations


def test_there_is_no_page_and_no_manifest_of_an_unknown_check() -> None:
    known = {check.id for check in CHECKS}
    assert {page.stem for page in PAGES.glob("*.md")} == {*known, "README"}
    for folder in ("pass", "fail"):
        assert {file.stem for file in (CORPUS / folder).glob("*")} == known
