"""The report for people."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from podward.api.report import CheckReport
from podward.path import path
from podward.render.check.table import table
from podward.render.escaping import width
from podward.render.palette import COLOURED, MIN_COLUMNS, PLAIN

Make = Callable[[str], CheckReport]

PRINTED = """\
bad.yaml:3  error  input/syntax  invalid YAML

dir/web.yaml:12  error  pss/runAsNonRoot
    Deployment shop/web, container app: it is wrong (restricted:latest)
    at spec.template.spec.containers[0].securityContext.runAsNonRoot[key]
    → put it right
      spec.template.spec.containers[0].securityContext.runAsNonRoot: true
      remove metadata.annotations[k]
      spec.x: v
"""


def test_a_finding_is_told_with_its_place_its_rule_and_its_remedy(make: Make) -> None:
    printed = table(make(""), 80, PLAIN)
    assert printed.startswith(PRINTED)
    assert printed.endswith(
        "\n\n3 errors, 1 warning, 1 note in 3 files (2 workloads); 2 waived; 1 in the\n"
        "baseline; 2 of the baseline found no more\n"
    )


def test_in_a_pipe_a_finding_begins_with_one_line(make: Make) -> None:
    lines = table(make(""), None, PLAIN).splitlines()
    said = "Deployment shop/web, container app: it is wrong (restricted:latest)"
    assert f"dir/web.yaml:12  error  pss/runAsNonRoot  {said}" in lines


def test_where_nothing_is_wrong_the_sums_say_so(clean: CheckReport) -> None:
    assert table(clean, 80, PLAIN) == "no findings in 1 file (1 workload)\n"


@pytest.mark.parametrize("columns", [1, 60, 80, 120, 200])
def test_no_line_is_wider_than_the_terminal(make: Make, hostile: str, columns: int) -> None:
    for line in table(make(hostile), columns, PLAIN).split("\n"):
        assert width(line) <= max(columns, MIN_COLUMNS)


@pytest.mark.parametrize("columns", [None, 80, 120, 200])
def test_nothing_from_outside_drives_the_terminal(make: Make, hostile: str, columns: int | None) -> None:
    printed = table(make(hostile), columns, PLAIN)
    assert all(line.isprintable() for line in printed.split("\n"))
    assert all(width(line) == cells(line) for line in printed.split("\n"))


def cells(line: str) -> int:
    """Cells by Unicode's table alone, every character taking one at least."""
    return sum(2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1 for character in line)


def test_in_a_pipe_no_line_is_endless(make: Make) -> None:
    assert max(map(len, table(make("x" * 100_000), None, PLAIN).split("\n"))) < 10_000


def test_what_looks_like_a_host_of_ipv6_stays(make: Make) -> None:
    assert "it is wrong::1 " in table(make("::1"), None, PLAIN)


def test_a_hostile_name_does_not_hide_the_line(make: Make) -> None:
    assert "…" in table(make("x" * 500), 80, PLAIN)
    assert "x.yaml:12  error" in table(make("x" * 500), 80, PLAIN)


def test_colour_adds_sequences_and_changes_no_text(make: Make) -> None:
    coloured, text = table(make(""), 80, COLOURED), table(make(""), 80, PLAIN)
    assert coloured != text
    for sequence in (COLOURED.title, COLOURED.bad, COLOURED.hint, COLOURED.dim, COLOURED.policy, COLOURED.end):
        coloured = coloured.replace(sequence, "")
    assert coloured == text


def test_a_field_is_told_once(make: Make) -> None:
    report = make("")
    second = report.findings[1]
    at_change = replace(second, path=second.changes[0].path)
    assert "    at " not in table(replace(report, findings=(at_change,)), 80, PLAIN)
    assert "    at spec.x\n" in table(
        replace(report, findings=(replace(second, path=path("spec", "x"), changes=()),)), 80, PLAIN
    )


def test_severity_is_told_without_colour(make: Make) -> None:
    printed = table(make(""), 200, PLAIN)
    assert "  warning  hint/seccomp-unset  " in printed
    assert "  note  pss/sysctls  " in printed
