"""What the checked files' own policies open is told, and nothing else."""

from __future__ import annotations

import pytest

from podward.api.json_value import JsonObject
from podward.check import lowering
from podward.documents.document import Document
from podward.policy.pss.labels import ENFORCE
from podward.policy.pss.standard import Level, Standard, Version
from podward.schema.objects import Item, objects_of

RESTRICTED = Standard(Level.RESTRICTED)


def item(kind: str, name: str = "shop", **metadata: JsonObject) -> Item:
    raw: JsonObject = {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, **metadata}}
    (found,) = objects_of(Document("a.yaml", raw))
    return found


def enforcing(level: str, version: str = "") -> Item:
    labels: JsonObject = {ENFORCE: level}
    return item("Namespace", labels={**labels, f"{ENFORCE}-version": version} if version else labels)


@pytest.mark.parametrize(
    ("written", "standard", "told"),
    [
        (enforcing("privileged"), RESTRICTED, True),
        (enforcing("baseline"), RESTRICTED, True),
        (enforcing("restricted"), RESTRICTED, False),
        (enforcing("restricted"), Standard(Level.BASELINE), False),
        (enforcing("baseline"), Standard(Level.BASELINE), False),
        (enforcing("privileged"), Standard(Level.PRIVILEGED), False),
        (enforcing("restricted", "v1.18"), RESTRICTED, True),
        (enforcing("restricted", "v1.18"), Standard(Level.RESTRICTED, Version(18)), False),
        (enforcing("bogus"), RESTRICTED, False),
        (item("Namespace"), RESTRICTED, False),
        (item("Namespace", labels={f"{ENFORCE}-version": "v1.18"}), RESTRICTED, False),
    ],
)
def test_a_namespace_that_enforces_less_is_told(written: Item, standard: Standard, told: bool) -> None:  # noqa: FBT001
    found = list(lowering.namespaces([written], standard))
    assert [finding.rule for finding in found] == ["policy/lowered"] * told


def test_each_scc_that_was_not_named_is_told() -> None:
    own, named = item("SecurityContextConstraints", "own"), item("SecurityContextConstraints", "named")
    replaced = item("SecurityContextConstraints", "restricted-v2")
    found = lowering.sccs([own, named, replaced], [named], frozenset(["restricted-v2"]))
    assert [(each.subject.name, each.message) for each in found] == [
        ("own", "it counts beside those of --scc"),
        ("restricted-v2", "it takes the place of OpenShift's own"),
    ]


@pytest.mark.parametrize(
    ("uids", "told"),
    [("0/65536", 1), ("0-65536", 1), ("00/5", 1), ("1000000000/10000", 0), ("10/5", 0), ("", 0), ("/", 0)],
)
def test_a_range_that_begins_with_root_is_told(uids: str, told: int) -> None:
    written = item("Namespace", annotations={"openshift.io/sa.scc.uid-range": uids})
    assert len(list(lowering.sccs([written], (), frozenset()))) == told


@pytest.mark.parametrize(("level", "told"), [("0", 1), ("1", 1), ("9", 0), ("", 0)])
def test_a_run_level_is_told(level: str, told: int) -> None:
    written = item("Namespace", labels={"openshift.io/run-level": level})
    assert len(list(lowering.sccs([written], (), frozenset()))) == told


def test_every_policy_that_is_left_out_is_told() -> None:
    given = item("SecurityContextConstraints", "given")
    items = [
        given,
        item("SecurityContextConstraints", "other"),
        enforcing("baseline"),
        item("Namespace", "plain", labels={"team": "a"}),
        item("ServiceAccount", "robot"),
        item("ClusterRole", "use"),
    ]
    found = list(lowering.left_out(items, [given]))
    assert [each.subject.name for each in found] == ["other", "shop", "use"]
    assert {each.rule for each in found} == {"policy/left-out"}


def test_a_policy_with_another_content_is_left_out_too() -> None:
    assert list(lowering.left_out([enforcing("privileged")], [enforcing("restricted")]))
