"""Waivers hold for what they name, until their day, and say so when they are of no use."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from podward.api.finding import Finding, Severity, WorkloadRef
from podward.api.report import Waiver
from podward.check import waivers
from podward.check.rule_selection import RuleSelection, choose
from podward.check.waivers import AnnotatedObject, AppliedWaivers, ScopedWaiver, WaiverTerms
from podward.path import Path, path

TODAY = date(2026, 7, 1)
WEB = WorkloadRef("Deployment", "shop", "web")
HOLDER = AnnotatedObject("a.yaml", 0, WEB)
PLACE = path("metadata", "annotations")


def finding(
    rule: str = "pss/hostPorts",
    file: str = "a.yaml",
    container: str = "",
    subject: WorkloadRef = WEB,
    document: int = 0,
) -> Finding:
    about = WorkloadRef(subject.kind, subject.namespace, subject.name, container)
    return Finding(rule, Severity.ERROR, file, 7, document, path("spec"), about, "it is wrong")


def written(expires: date = TODAY, rule: str = "pss/hostPorts", **scope: str) -> ScopedWaiver:
    waiver = Waiver(rule, "we need it", expires, "podward.toml", 3, in_manifest=False)
    return ScopedWaiver(waiver, waivers.scope(**scope))


def read(*lines: str, key: str = waivers.ANNOTATION) -> tuple[tuple[ScopedWaiver, ...], tuple[Finding, ...]]:
    return waivers.of_annotations({key: "\n".join(lines)}, PLACE, HOLDER, lambda _: 5)


def apply(findings: list[Finding], *granted: ScopedWaiver, selection: RuleSelection | None = None) -> AppliedWaivers:
    return waivers.apply(findings, granted, WaiverTerms(TODAY), selection or choose(), {"a.yaml": "a.yaml"})


def rules_of(applied: AppliedWaivers) -> list[str]:
    return [each.rule for each in applied.findings]


# --- what they cover


@pytest.mark.parametrize(
    ("scope", "covered"),
    [
        ({}, True),
        ({"path": "*.yaml"}, True),
        ({"path": "b.yaml"}, False),
        ({"kind": "Deployment", "namespace": "shop", "name": "we*"}, True),
        ({"kind": "Pod"}, False),
        ({"namespace": "sho"}, False),
        ({"name": "web-2"}, False),
        ({"container": "app"}, True),
        ({"container": "proxy"}, False),
    ],
)
def test_a_waiver_holds_in_its_scope(scope: dict[str, str], *, covered: bool) -> None:
    one = finding(container="app")
    applied = apply([one], written(TODAY, "pss/hostPorts", **scope))
    assert [each.finding for each in applied.waived] == ([one] if covered else [])
    assert (one in applied.findings) is not covered


@pytest.mark.parametrize(("rule", "covered"), [("pss", True), ("pss/privileged", False), ("scc", False)])
def test_a_waiver_is_of_a_rule_or_a_family(rule: str, *, covered: bool) -> None:
    assert bool(apply([finding()], written(rule=rule)).waived) is covered


@pytest.mark.parametrize("rule", ["input/syntax", "waiver/malformed", "waiver/unused"])
def test_nothing_waives_what_was_not_read_nor_waivers(rule: str) -> None:
    assert apply([finding(rule)], written(rule=rule)).waived == ()


# --- until when


def test_a_waiver_holds_on_its_last_day_and_not_on_the_next() -> None:
    assert rules_of(apply([finding()], written(TODAY))) == []
    applied = apply([finding()], written(TODAY - timedelta(days=1)))
    assert rules_of(applied) == ["pss/hostPorts", "waiver/expired"]
    assert applied.waived == ()


def test_an_expired_waiver_is_named_where_it_is_written() -> None:
    said = apply([finding()], written(date(2026, 6, 30))).findings[1]
    assert (said.file, said.line, said.severity) == ("podward.toml", 3, Severity.WARNING)
    assert "2026-06-30" in said.message
    assert "we need it" in said.message


def test_beside_an_expired_waiver_another_may_hold() -> None:
    applied = apply([finding()], written(date(2026, 6, 30)), written(date(2026, 7, 30)))
    assert [each.waiver.expires.month for each in applied.waived] == [7]
    assert rules_of(applied) == ["waiver/expired"]


# --- of use


def test_a_waiver_that_covers_nothing_is_told() -> None:
    assert rules_of(apply([], written())) == ["waiver/unused"]
    assert rules_of(apply([], written(date(2020, 1, 1)))) == ["waiver/unused"]


def test_a_waiver_about_files_that_were_not_checked_is_not_told() -> None:
    assert rules_of(apply([], written(path="b.yaml"))) == []
    assert rules_of(apply([], written(path="a.yaml"))) == ["waiver/unused"]


@pytest.mark.parametrize(("selected", "told"), [("hint", False), ("pss/privileged", False), ("pss", True)])
def test_a_waiver_of_a_rule_that_does_not_count_is_not_told(selected: str, *, told: bool) -> None:
    for rule in ("pss/hostPorts", "pss"):
        applied = apply([], written(rule=rule), selection=choose((selected, "waiver")))
        assert bool(applied.findings) is told


def test_what_is_said_of_waivers_can_be_ignored() -> None:
    assert rules_of(apply([], written(), selection=choose((), ("waiver/unused",)))) == []


# --- annotations


def test_an_annotation_has_a_waiver_on_each_line() -> None:
    granted, faults = read(
        "pss/hostPorts until 2026-12-31: the load balancer: it needs them",
        "",
        "  scc container proxy until 2026-12-31:  later ",
    )
    assert faults == ()
    assert [(each.waiver.rule, each.waiver.reason) for each in granted] == [
        ("pss/hostPorts", "the load balancer: it needs them"),
        ("scc", "later"),
    ]
    assert all((each.waiver.file, each.waiver.line, each.waiver.in_manifest) == ("a.yaml", 5, True) for each in granted)
    assert [each.covers(finding("scc/sysctls", container="proxy"), "a.yaml") for each in granted] == [False, True]
    assert [each.covers(finding("scc/sysctls", container="app"), "a.yaml") for each in granted] == [False, False]


def test_further_annotations_may_have_a_name() -> None:
    granted, faults = read("pss until 2026-12-31: x", key=f"{waivers.ANNOTATION}-ports")
    assert (len(granted), faults) == (1, ())


@pytest.mark.parametrize(
    "other",
    [
        finding(file="b.yaml"),
        finding(document=1),
        finding(subject=WorkloadRef("Deployment", "shop", "web-2")),
        finding(subject=WorkloadRef("StatefulSet", "shop", "web")),
    ],
)
def test_an_annotation_is_about_its_own_object_only(other: Finding) -> None:
    granted, _ = read("pss until 2026-12-31: x")
    applied = apply([finding(), other], *granted)
    assert applied.findings == (other,)
    assert not granted[0].covers(other, other.file)


def test_an_annotation_counts_in_whichever_namespace_the_command_puts_its_object() -> None:
    granted, _ = read("pss until 2026-12-31: x")
    assert apply([finding(subject=WorkloadRef("Deployment", "other", "web"))], *granted).findings == ()


def test_an_annotation_is_not_about_a_sibling_of_the_same_name() -> None:
    item = structs.replace(HOLDER, place=path("items", 1))
    granted, _ = waivers.of_annotations({waivers.ANNOTATION: "pss until 2026-12-31: x"}, PLACE, item, lambda _: 1)
    own, sibling = (structs.replace(finding(), path=path("items", number, "spec")) for number in (1, 10))
    applied = apply([own, sibling], *granted)
    assert ([each.finding for each in applied.waived], applied.findings) == ([own], (sibling,))


def test_a_check_may_forbid_waivers_in_annotations() -> None:
    inline, _ = read("pss until 2026-12-31: x")
    terms = WaiverTerms(TODAY, inline=False)
    applied = waivers.apply([finding()], inline, terms, choose(), {})
    assert (rules_of(applied), applied.waived) == (["pss/hostPorts", "waiver/inline"], ())
    assert waivers.apply([finding()], (written(),), terms, choose(), {}).findings == ()


@pytest.mark.parametrize(("days", "counts"), [(31, True), (30, True), (29, False), (0, False)])
def test_a_check_may_bound_the_term(days: int, counts: bool) -> None:  # noqa: FBT001  # a column of the table
    granted = written(TODAY + timedelta(days=30))
    applied = waivers.apply([finding()], (granted,), WaiverTerms(TODAY, most_days=days), choose(), {})
    assert rules_of(applied) == ([] if counts else ["pss/hostPorts", "waiver/too-long"])
    if not counts:
        assert str(TODAY + timedelta(days=days)) in applied.findings[1].remedy


def test_a_term_may_be_longer_than_the_calendar() -> None:
    terms = WaiverTerms(date(9999, 1, 1), most_days=10**9)
    assert waivers.apply([finding()], (written(date(9999, 12, 31)),), terms, choose(), {}).findings == ()


def test_a_name_in_an_annotated_object_is_no_pattern() -> None:
    star = AnnotatedObject("a.yaml", 0, WorkloadRef("Deployment", "*", "*"))
    granted, _ = waivers.of_annotations({waivers.ANNOTATION: "pss until 2026-12-31: x"}, PLACE, star, lambda _: 1)
    assert apply([finding()], *granted).waived == ()


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("pss/hostPorts", "not of the form"),
        ("pss/hostPorts until 2026-12-31", "not of the form"),
        ("pss/hostPorts 2026-12-31: x", "not of the form"),
        ("pss/hostPorts until 2026-12-31 : ", "no reason"),
        ("pss/hostPorts until 20261231: x", "no date"),
        ("pss/hostPorts until 2026-02-31: x", "no date"),
        ("pss/hostPorts until ２０２６-12-31: x", "no date"),  # noqa: RUF001
        ("pss/hostPort until 2026-12-31: x", "no rule"),
        ("input/syntax until 2026-12-31: x", "cannot be waived"),
        ("waiver/unused until 2026-12-31: x", "cannot be waived"),
        ("pss/hostPorts container until 2026-12-31: x", "not of the form"),
        ("   ", "is empty"),
        ("until until until: x", "no date"),
    ],
)
def test_a_malformed_waiver_is_an_error_at_its_line(line: str, what: str) -> None:
    granted, (fault,) = read(line)
    assert granted == ()
    assert what in fault.message
    assert (fault.rule, fault.severity, fault.file, fault.line) == ("waiver/malformed", Severity.ERROR, "a.yaml", 5)
    assert str(fault.path) == f"metadata.annotations[{waivers.ANNOTATION}]"
    assert fault.remedy


@pytest.mark.parametrize("key", ["check.podward.dev/wave", "check.podward.dev/Waive", "check.podward.dev/"])
def test_a_misspelt_annotation_of_ours_is_an_error(key: str) -> None:
    granted, faults = read("pss until 2026-12-31: x", key=key)
    assert granted == ()
    assert "there is no annotation" in faults[0].message


@pytest.mark.parametrize("value", [None, 7, ["x"], {}])
def test_an_annotation_that_is_no_string_is_an_error(value: object) -> None:
    granted, faults = waivers.of_annotations({waivers.ANNOTATION: value}, PLACE, HOLDER, lambda _: 1)
    assert (granted, len(faults)) == ((), 1)


def test_annotations_of_others_are_left_alone_and_cost_no_look_for_lines() -> None:
    def line_of(_: Path) -> int:
        raise AssertionError

    assert waivers.of_annotations({"example.com/waive": "x", "waive": 1}, PLACE, HOLDER, line_of) == ((), ())


def test_the_lines_that_cite_a_hostile_annotation_are_short() -> None:
    _, (fault,) = read("x" * 100_000)
    assert len(fault.message) < 400


@given(st.text())
def test_any_annotation_grants_something_or_is_at_fault(text: str) -> None:
    granted, faults = read(text)
    assert granted or faults


def test_patterns_see_the_name_that_the_configuration_gives_a_file() -> None:
    seen = {"x.yaml": "deploy/x.yaml", "../other/x.yaml": "other/x.yaml"}
    one, other = finding(file="x.yaml"), finding(file="../other/x.yaml")
    applied = waivers.apply([one, other], (written(path="deploy/*.yaml"),), WaiverTerms(TODAY), choose(), seen)
    assert ([each.finding for each in applied.waived], applied.findings) == ([one], (other,))
    assert rules_of(waivers.apply([], (written(path="deploy/*.yaml"),), WaiverTerms(TODAY), choose(), seen)) == [
        "waiver/unused"
    ]
