"""Every rule has a page: the SCC there refuses its first Pod in the words shown, and has nothing against its second."""

from __future__ import annotations

from pathlib import Path

import pytest

from podward.api.core import Namespace, ObjectMeta
from podward.api.json_value import JsonObject
from podward.decision import Violation
from podward.documents.reader import decode_documents
from podward.policy.scc import host, remedies
from podward.policy.scc.default_set import default_sccs
from podward.policy.scc.namespace import MCS, UID_RANGE, NamespaceRanges, read
from podward.policy.scc.provider import Provider, build
from podward.policy.scc.violation import SccViolation, rule_of
from podward.schema.scc.defaults import defaulted
from podward.schema.scc.reading import scc_view
from podward.schema.view import pod_view

PAGES = Path(__file__).parents[3] / "docs" / "rules" / "scc"
RULES = sorted(page.stem for page in PAGES.glob("*.md") if page.stem not in ("README", "access"))
DEFAULT = {scc_view(raw).metadata.name: defaulted(raw) for raw in default_sccs()}


def blocks(page: str) -> list[JsonObject]:
    texts = [part.split("```")[0] for part in page.split("```yaml\n")[1:]]
    kinds = ("security.openshift.io/v1", "SecurityContextConstraints"), ("v1", "Pod"), ("v1", "Pod")
    return [
        decode_documents(f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: x}}\n{text}".encode(), "page")[0].raw
        for (version, kind), text in zip(kinds, texts, strict=True)
    ]


def decide(scc: JsonObject, pod: JsonObject, name: str) -> tuple[Violation, ...]:
    annotations: dict[str, str | None] = {UID_RANGE: "1000230000/10000", MCS: "s0:c15,c10"}
    ranges = read(Namespace(ObjectMeta(name="shop", annotations=annotations)))
    assert isinstance(ranges, NamespaceRanges)
    provider = build(scc_view({**DEFAULT["restricted-v2"], **scc, "metadata": {"name": name}}), ranges)
    assert isinstance(provider, Provider)
    return provider.decide(pod_view(pod)).violations


@pytest.mark.parametrize("rule", RULES)
def test_a_page_shows_what_it_says(rule: str) -> None:
    page = (PAGES / f"{rule}.md").read_text(encoding="utf-8")
    assert page.startswith(f"# {rule}\n")
    shown = page.split("\n## Cure")[0].splitlines()[-1].strip()
    name = shown.split(":")[0].removeprefix("provider ") if shown.startswith("provider") else "restricted-v2"
    scc, bad, good = blocks(page)
    refused = decide(scc, bad, name)
    assert {rule_of(violation) for violation in refused} == {rule}
    assert isinstance(refused[0], SccViolation)
    assert refused[0].printed == shown
    assert decide(scc, good, name) == ()


def test_every_rule_has_a_page_and_a_line_in_the_readme() -> None:
    assert set(RULES) == set(remedies.RULES)
    assert host.PORTS in RULES
    readme = (PAGES / "README.md").read_text(encoding="utf-8")
    for rule in (*RULES, "access"):
        assert f"[{rule}]({rule}.md)" in readme
