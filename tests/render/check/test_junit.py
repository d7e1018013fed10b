"""JUnit's XML."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from podward.api.report import CheckReport
from podward.render.check.junit import document

Make = Callable[[str], CheckReport]


def read(report: CheckReport) -> ET.Element:
    return ET.fromstring(document(report))  # noqa: S314  # our own text


def test_a_file_is_a_suite_and_a_broken_rule_a_case(make: Make) -> None:
    root = read(make(""))
    assert [suite.get("name") for suite in root] == ["bad.yaml", "clean.yaml", "dir/web.yaml"]
    cases = [(case.get("classname"), case.get("name"), [part.tag for part in case]) for case in root.iter("testcase")]
    assert cases == [
        ("the file", "input/syntax", ["error"]),
        ("Pod quiet", "no findings", []),
        ("Deployment shop/web", "pss/runAsNonRoot", ["failure"]),
        ("Deployment shop/web", "hint/seccomp-unset", ["system-out"]),
        ("Deployment shop/web", "pss/sysctls", ["system-out"]),
        ("Deployment shop/web", "pss/hostPorts", ["skipped"]),
        ("Deployment shop/web", "scc/access", ["skipped"]),
    ]


def test_a_failure_has_every_finding_of_its_rule(make: Make) -> None:
    (failure,) = read(make("")).iter("failure")
    assert failure.text is not None
    assert failure.text.split("\n")[0] == (
        "dir/web.yaml:12 Deployment shop/web, container app: it is wrong (restricted:latest)"
    )
    assert "container proxy" in failure.text
    assert "spec.template.spec.containers[0].securityContext.runAsNonRoot: true" in failure.text


def test_a_skipped_case_says_why(make: Make) -> None:
    reasons = [skipped.get("message") for skipped in read(make("")).iter("skipped")]
    assert reasons == ["waived until 2026-12-31: because (podward.toml:9)", "in the baseline"]


def test_counts_are_those_of_the_cases(make: Make) -> None:
    root = read(make(""))
    for element in (root, *root):
        cases = list(element.iter("testcase"))
        assert element.get("tests") == str(len(cases))
        for attribute, tag in (("failures", "failure"), ("errors", "error")):
            assert element.get(attribute) == str(sum(case.find(tag) is not None for case in cases))
    for suite in root:
        assert suite.get("skipped") == str(sum(case.find("skipped") is not None for case in suite))


STATED = {"type", "message"}
SCHEMA: dict[str, tuple[set[str], set[str], set[str]]] = {
    "testsuites": (set(), {"name", "time", "tests", "failures", "errors"}, {"testsuite"}),
    "testsuite": (
        {"name", "tests", "failures", "errors"},
        {"group", "time", "skipped", "timestamp", "hostname", "id", "package", "file", "log", "url"},
        {"testsuite", "properties", "testcase", "system-out", "system-err"},
    ),
    "testcase": ({"name"}, {"time", "classname", "group"}, {"skipped", "error", "failure", "system-out", "system-err"}),
    "failure": (set(), STATED, set()),
    "error": (set(), STATED, set()),
    "skipped": (set(), STATED, set()),
    "system-out": (set(), set(), set()),
}
"""What Jenkins' xunit plugin allows: of each element the attributes it needs, others it may have, and its children.

junit-10.xsd of jenkinsci/xunit-plugin, as it has been since version 2.2.4; as facts, as its text is another's.
"""


def test_jenkins_takes_it(make: Make, hostile: str) -> None:
    for element in read(make(hostile)).iter():
        needed, allowed, children = SCHEMA[element.tag]
        assert needed <= set(element.keys()) <= needed | allowed
        assert {child.tag for child in element} <= children
        assert children == set() or not (element.text or "").strip()
        assert element.get("time", "0") == "0"


def test_a_testcase_lists_its_first_findings(make: Make) -> None:
    report = make("")
    error = report.findings[1]
    crowd = tuple(replace(error, line=line, message="y" * 100_000) for line in range(1, 5001))
    text = document(replace(report, findings=crowd))
    (failure,) = ET.fromstring(text).iter("failure")  # noqa: S314  # our own text
    assert failure.text is not None
    assert failure.text.endswith("\nand 4900 more")
    assert "dir/web.yaml:100 " in failure.text
    assert len(text) < 1_000_000


def test_hostile_text_is_text(make: Make, hostile: str) -> None:
    root = read(make(hostile))
    assert len(list(root.iter("testcase"))) == 7
    assert {part.tag for part in root.iter()} == {
        "testsuites", "testsuite", "testcase", "error", "failure", "skipped", "system-out",
    }  # fmt: skip
    assert all(line.isprintable() for line in document(make(hostile)).split("\n"))


@pytest.mark.parametrize("wanted", ["]]>", "<x", "&amp;"])
def test_what_xml_reads_comes_back(make: Make, wanted: str) -> None:
    (failure,) = read(make("]]><x &amp;")).iter("failure")
    assert failure.text is not None
    assert wanted in failure.text


def test_a_clean_workload_passes(clean: CheckReport) -> None:
    root = read(clean)
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("1", "0", "0")
