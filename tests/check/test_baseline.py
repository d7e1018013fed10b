"""Only what is new fails."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podward.api.finding import Finding, Severity, WorkloadRef
from podward.check import baseline
from podward.errors import InputError
from podward.path import path


def finding(file: str = "a.yaml", line: int = 1, rule: str = "pss/hostPorts", name: str = "web") -> Finding:
    return Finding(rule, Severity.ERROR, file, line, 0, path("spec"), WorkloadRef("Pod", "shop", name), "wrong")


def known(*findings: Finding) -> baseline.Baseline:
    return baseline.read(baseline.write(findings).encode(), "base.json")


def test_what_was_written_is_known_though_lines_moved() -> None:
    compared = baseline.compare([finding(line=9)], known(finding(line=1)))
    assert (compared.new, len(compared.known), compared.vanished) == ((), 1, 0)


def test_another_workload_rule_or_file_is_new() -> None:
    others = [finding(name="db"), finding(rule="pss/privileged"), finding(file="b.yaml")]
    compared = baseline.compare(others, known(finding()))
    assert len(compared.new) == 3
    assert compared.vanished == 1


def test_one_more_of_the_same_is_new() -> None:
    compared = baseline.compare([finding(line=n) for n in (30, 10, 20)], known(finding(line=1), finding(line=2)))
    assert [each.line for each in compared.known] == [10, 20]
    assert [each.line for each in compared.new] == [30]


def test_what_is_found_no_more_is_counted() -> None:
    base = known(finding(), finding(), finding(file="b.yaml"))
    assert baseline.compare([finding()], base).vanished == 2
    assert baseline.compare([finding()], base, ["a.yaml"]).vanished == 1


def test_a_separator_in_names_makes_no_two_findings_one() -> None:
    base = known(finding(file="a|Pod", name="x"))
    assert len(baseline.compare([finding(file="a", name="Pod|x")], base).new) == 1


@pytest.mark.parametrize("rule", ["input/syntax", "waiver/expired", "waiver/malformed"])
def test_what_was_not_read_and_waivers_are_never_known(rule: str) -> None:
    assert '"files": {}' in baseline.write([finding(rule=rule)])
    forged = baseline.write([finding()]).replace("pss/hostPorts", rule)
    assert len(baseline.compare([finding(rule=rule)], baseline.read(forged.encode(), "b")).new) == 1


def test_it_is_sorted_whatever_the_order_of_findings() -> None:
    findings = [finding(file=file, name=name) for file in "cab" for name in "zxy"]
    assert baseline.write(findings) == baseline.write(findings[::-1])
    written = baseline.write(findings)
    assert written.index('"a"') < written.index('"b"') < written.index('"c"')


@given(st.lists(st.text(alphabet=st.characters(exclude_categories=()), min_size=1), max_size=4))
def test_names_come_back_whatever_they_are(names: list[str]) -> None:
    findings = [finding(file=name, name=name) for name in names]
    compared = baseline.compare(findings, known(*findings), names)
    assert (len(compared.known), compared.new, compared.vanished) == (len(names), (), 0)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"{",
        b"\xff",
        b"[" * 100_000,
        b'{"version": 1}',
        b'{"version": 2, "files": {}}',
        b'{"version": 1, "files": {"a": {"x": "1"}}}',
        b'{"version": 1, "files": {"a": {"x": 0}}}',
        b'{"version": 1, "files": {}, "more": 1}',
    ],
)
def test_what_is_no_baseline_is_refused_by_name(text: bytes) -> None:
    with pytest.raises(InputError, match=r"^base\.json: "):
        baseline.read(text, "base.json")


def test_files_are_known_by_the_names_that_the_configuration_gives_them() -> None:
    one = finding(file="x.yaml")
    base = baseline.read(baseline.write([one], "deploy/{}".format).encode(), "base.json")
    assert list(base.files) == ["deploy/x.yaml"]
    compared = baseline.compare([one], base, ["x.yaml"], "deploy/{}".format)
    assert (compared.known, compared.new, compared.vanished) == ((one,), (), 0)
    assert baseline.compare([one], base, ["x.yaml"]).new == (one,)
