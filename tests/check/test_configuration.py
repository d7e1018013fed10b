"""The configuration is read as it is written, and what is wrong in it is told with its line."""

from __future__ import annotations

from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podward.api.finding import Finding, Severity, WorkloadRef
from podward.check.configuration import CheckConfiguration, parse
from podward.errors import InputError
from podward.path import Path

WHOLE = """\
[check]
select = ["pss", "hint/seccomp-unset"]
ignore = ["pss/hostPorts"]
exclude = ["charts/*/crds"]
level = "baseline"
version = "v1.30"
scc = ["restricted-v2", "scc/ours.yaml"]
namespace = "shop"
as = "jane"
as-group = ["dev"]
policy-from = ["gate"]
no-inline-waivers = true
max-waiver-days = 90
baseline = "known.json"
output = "sarif"

[[check.waivers]]
rule = "pss/hostNamespaces"
path = "cni/**"
kind = "DaemonSet"
name = "cni-*"
reason = " it is the network "
expires = 2027-01-31

[[check.waivers]]
rule = "scc"
reason = "later"
expires = "2027-02-28"
"""


def test_everything_is_read() -> None:
    found = parse(WHOLE, "podward.toml")
    assert found is not None
    first, second = found.waivers
    assert found == CheckConfiguration(
        "podward.toml",
        ("pss", "hint/seccomp-unset"),
        ("pss/hostPorts",),
        ("charts/*/crds",),
        "baseline",
        "v1.30",
        ("restricted-v2", "scc/ours.yaml"),
        "shop",
        "jane",
        ("dev",),
        ("gate",),
        True,
        90,
        "known.json",
        "sarif",
        (first, second),
    )
    waiver = first.waiver
    assert (waiver.reason, waiver.expires, waiver.line) == ("it is the network", date(2027, 1, 31), 17)
    assert (second.waiver.expires, second.waiver.line) == (date(2027, 2, 28), 25)
    about = WorkloadRef("DaemonSet", "kube-system", "cni-node")
    one = Finding("pss/hostNamespaces", Severity.ERROR, "cni/a/b.yaml", 1, 0, Path(), about, "")
    assert first.covers(one, one.file)
    other = Finding("pss/hostNamespaces", Severity.ERROR, "b.yaml", 1, 0, Path(), about, "")
    assert not first.covers(other, other.file)


def test_pyproject_has_it_below_tool() -> None:
    text = "[project]\nname = 'x'\n" + WHOLE.replace("[check", "[tool.podward.check")
    found = parse(text, "dir/pyproject.toml")
    assert found is not None
    assert (found.select, found.waivers[0].waiver.line) == (("pss", "hint/seccomp-unset"), 19)


@pytest.mark.parametrize("text", ["", "[project]\nname = 'x'\n", "[tool.ruff]\n", "tool = 3\n", "[check]\nlevel = 1\n"])
def test_a_pyproject_of_others_is_none_of_ours(text: str) -> None:
    assert parse(text, "pyproject.toml") is None


@pytest.mark.parametrize("text", ["", "[check]\n", "\ufeff# nothing\r\n"])
def test_an_empty_file_says_nothing(text: str) -> None:
    assert parse(text, "podward.toml") == CheckConfiguration("podward.toml")


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("[check]\nselekt = []", 2, "check.selekt: there is no such key\n  did you mean select?"),
        ("[check]\nas_group = []", 2, "did you mean as-group"),
        ("[check]\n\nselect = 'pss'", 3, "check.select: expected a list of rules, found a string"),
        ("[check]\nselect = [\n 'pss',\n 'bogus']", 2, r"check.select\[1\]: there is no rule 'bogus'"),
        ("[check]\nignore = ['input']", 2, "input cannot be ignored"),
        ("[check]\nselect = [1]", 2, r"check.select\[0\]: expected a string, found an integer"),
        ("[check]\nexclude = ['']", 2, "found nothing"),
        ("[check]\nlevel = 'strict'", 2, "expected one of privileged, baseline, restricted, found 'strict'"),
        ("[check]\nlevel = true", 2, "found a boolean"),
        ("[check]\nversion = 'v1.030'", 2, "expected `latest` or a version"),
        ("[check]\nversion = '1.30'", 2, "expected `latest` or a version"),
        ("[check]\nversion = 'v1.'", 2, "expected `latest` or a version"),
        ("[check]\noutput = 'xml'", 2, "found 'xml'"),
        ("[check]\nno-inline-waivers = 1", 2, "expected a boolean, found an integer"),
        ("[check]\nmax-waiver-days = true", 2, "expected a number of days, 0 or more, found a boolean"),
        ("[check]\n\nmax-waiver-days = -1", 3, "expected a number of days, 0 or more, found -1"),
        ("[check]\nbaseline = ' '", 2, "expected the name of a file, found nothing"),
        ("check = 1", 1, "check: expected a table, found an integer"),
        ("check = []", 1, "check: expected a table, found a list"),
        ("[checks]\nlevel = 'baseline'", 1, "checks: there is no such key\n  did you mean check?"),
        ("[check]\nworkloads = 1", 2, "found an integer"),
        ("[[check.workloads]]\nkind = 'A'\ngroup = 'b.c'", 1, "must have `template`"),
        ("[[check.workloads]]\nkind = 'A'\ntemplate = 'a'", 1, "must have `group`"),
        ("[[check.workloads]]\nkind = 'A'\ngroup = 'apps'\ntemplate = 'a'", 3, "apps is Kubernetes' own"),
        ("[[check.workloads]]\nkind = 'A'\ngroup = 'b.c'\ntemplate = 'a..b'", 4, "expected a path"),
        ("[[check.workloads]]\nkind = 'A'\ngroup = 'b.c'\ntemplate = ['a', 1]", 4, "expected a string"),
        ("[[check.workloads]]\nkind = 'A'\ngroup = 'b.c'\ntemplate = 1", 4, "expected a path"),
        ("[[check.workloads]]\nkind = 'A'\ngroup = 'b.c'\ntemplates = 'a'", 4, "did you mean template?"),
        ("[check]\nwaivers = 1", 2, "found an integer"),
        ("[check]\nwaivers = [1]", 2, "expected a table"),
        ("[[check.waivers]]\nrule = 'pss'\nexpires = 2027-01-01", 1, "must have `reason`"),
        ("[[check.waivers]]\nrule = 'pss'\nreason = 'x'", 1, "must have `expires`"),
        ("[[check.waivers]]\nreason = 'x'\nexpires = 2027-01-01", 1, "must have `rule`"),
        ("[[check.waivers]]\nrule = 'p'\nreason = 'x'\nexpires = 2027-01-01", 2, "there is no rule 'p'"),
        ("[[check.waivers]]\nrule = 'input'\nreason = 'x'\nexpires = 2027-01-01", 2, "cannot be waived"),
        ("[[check.waivers]]\nrule = 'pss'\nreason = ' '\nexpires = 2027-01-01", 3, "found nothing"),
        ("[[check.waivers]]\nrule = 'pss'\nreason = 'x'\nexpires = 'soon'", 4, "expected a day, .* found 'soon'"),
        ("[[check.waivers]]\nrule = 'pss'\nreason = 'x'\nexpires = 2027-01-01T00:00:00", 4, "found a date or a time"),
        ("[[check.waivers]]\nrule = 'pss'\nreason = 'x'\nexpires = 1", 4, "found an integer"),
        ("[[check.waivers]]\nrule='pss'\nreason='x'\nexpires=2027-01-01\npaths='x'", 5, "did you mean path?"),
        ("[check]\nlevel = ", 2, "not TOML: "),
        ("[check]\nlevel = 'x'\nlevel = 'y'", 3, "not TOML: "),
        ("[check]\nselect = [", 2, "not TOML: "),
    ],
)
def test_a_mistake_is_told_with_its_line_and_key(text: str, line: int, what: str) -> None:
    with pytest.raises(InputError, match=f"(?s)^podward.toml:{line}: .*{what}"):
        parse(text, "podward.toml")


def test_what_is_unknown_in_our_part_of_pyproject_is_a_mistake() -> None:
    with pytest.raises(InputError, match=r"pyproject\.toml:2: tool\.podward\.chek: there is no such key"):
        parse("[project]\n[tool.podward.chek]\n", "pyproject.toml")


@pytest.mark.parametrize("text", ["a = " + "[" * 100_000, "a = " + "{a=" * 100_000])
def test_a_hostile_file_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="not TOML"):
        parse(text, "podward.toml")


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(InputError):  # and no other error
        parse(text, "podward.toml")


def test_workloads_say_where_custom_resources_hold_their_pods() -> None:
    rows = "[[check.workloads]]\nkind = 'A'\ngroup = 'b.c'\ntemplate = "
    found = parse(f"{rows}'spec.template'\n{rows}['spec.a[*].template', 'spec.b']\n", "podward.toml")
    assert found is not None
    assert [(row.kind, row.group, row.places, row.more) for row in found.pod_kinds] == [
        ("A", "b.c", ("spec.template",), None),
        ("A", "b.c", ("spec.a[*].template", "spec.b"), None),
    ]
