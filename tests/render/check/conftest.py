"""What the tests of a report's forms print: a report with any text in every place that comes from outside."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from podward.api.explanation import Change
from podward.api.finding import Finding, Severity, WorkloadRef
from podward.api.report import CheckedWorkload, CheckReport, Rule, WaivedFinding, Waiver
from podward.path import Key, path

RULES = ("hint/seccomp-unset", "input/syntax", "pss/hostPorts", "pss/runAsNonRoot", "scc/access")
PLACE = path("spec", "template", "spec", "containers", 0, "securityContext", "runAsNonRoot")


def finding(rule: str, severity: Severity, hostile: str, line: int = 12, container: str = "app") -> Finding:
    subject = WorkloadRef(f"Deployment{hostile}", f"shop{hostile}", f"web{hostile}", f"{container}{hostile}")
    changes = (
        Change(PLACE, value=True),
        Change(path("metadata", "annotations", Key(f"k{hostile}")), None),
        Change(path("spec", "x"), f"v{hostile}"),
    )
    return Finding(
        rule,
        severity,
        f"dir/web{hostile}.yaml",
        line,
        0,
        PLACE / Key(f"key{hostile}"),
        subject,
        f"it is wrong{hostile}",
        f"restricted:latest{hostile}",
        f"put it right{hostile}",
        changes,
    )


def unread(hostile: str) -> Finding:
    file = f"bad{hostile}.yaml"
    return Finding("input/syntax", Severity.ERROR, file, 3, 0, path(), WorkloadRef(), f"invalid YAML{hostile}")


def make(hostile: str = "") -> CheckReport:
    """A report with something of everything."""
    findings = (
        unread(hostile),
        finding("pss/runAsNonRoot", Severity.ERROR, hostile),
        finding("pss/runAsNonRoot", Severity.ERROR, hostile, 40, "proxy"),
        finding("hint/seccomp-unset", Severity.WARNING, hostile),
        finding("pss/sysctls", Severity.NOTE, hostile),
    )
    file, config = f"dir/web{hostile}.yaml", f"podward{hostile}.toml"
    waivers = (
        Waiver("pss", f"because{hostile}", date(2026, 12, 31), config, 9, in_manifest=False),
        Waiver("pss/hostPorts", f"because{hostile}", date(2026, 12, 31), file, 5, in_manifest=True),
    )
    waived = tuple(WaivedFinding(finding("pss/hostPorts", Severity.ERROR, hostile), waiver) for waiver in waivers)
    subject = findings[1].subject
    return CheckReport(
        findings,
        waived,
        (finding("scc/access", Severity.ERROR, hostile),),
        2,
        (file, f"bad{hostile}.yaml", "clean.yaml"),
        (
            CheckedWorkload(file, WorkloadRef(subject.kind, subject.namespace, subject.name)),
            CheckedWorkload("clean.yaml", WorkloadRef("Pod", "", "quiet")),
        ),
        tuple(Rule(name, f"About {name}.", f"docs/rules/{name}.md") for name in (*RULES, "pss/sysctls")),
    )


def clean() -> CheckReport:
    """A report about nothing."""
    return CheckReport((), (), (), 0, ("a.yaml",), (CheckedWorkload("a.yaml", WorkloadRef("Pod", "", "x")),), ())


@pytest.fixture(name="make")
def make_fixture() -> Callable[[str], CheckReport]:
    return make


@pytest.fixture(name="clean")
def clean_fixture() -> CheckReport:
    return clean()


HOSTILE = {
    "escape": "\x1b[31mred\x1b]0;title\x07",
    "csi": "\x9b31m\x85\x7f",
    "lines": "\nline\r\n::error file=x::forged\r\n  <x>",
    "xml": "]]><!--&amp;<x a='1' b=\"2\"/>-->",
    "controls": "\x00\x01\x08\x0b\x1f\ufffe\uffff",
    "bidi": "\u202e\u2066\u200b\ufeff\u2028",
    "surrogate": "\udc80\udcff\ud800",
    "commands": "::error::x,line=1%0A%25##[error]x",
    "uri": " #?%41:../\\",
    "links": "[x](javascript:1) {0} {x}",
    "wide": "漢字🙂",
    "wides": "漢" * 300,
    "combining": "e\u0301" * 300,
    "long": "x" * 100_000,
}


@pytest.fixture(params=list(HOSTILE.values()), ids=list(HOSTILE))
def hostile(request: pytest.FixtureRequest) -> str:
    text = request.param
    assert isinstance(text, str)
    return text
