"""Workflow commands, read again as GitHub's runner reads them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from podward.api.report import CheckReport
from podward.render.check.github import commands

Make = Callable[[str], CheckReport]


def parse(line: str) -> tuple[str, dict[str, str], str]:
    """A command, its properties and its message."""
    assert line.startswith("::")
    head, parted, message = line[2:].partition("::")
    assert parted
    command, _, listed = head.partition(" ")
    pairs = (pair.partition("=") for pair in listed.split(","))
    properties = {key: plain(value).replace("%3A", ":").replace("%2C", ",") for key, _, value in pairs}
    return command, {key: value.replace("%25", "%") for key, value in properties.items()}, plain(message)


def plain(text: str) -> str:
    return text.replace("%0D", "\r").replace("%0A", "\n")


def test_each_finding_is_one_command(make: Make) -> None:
    *lines, blank = commands(make("")).split("\n")
    assert blank == ""
    parsed = [parse(line) for line in lines[:-1]]
    assert [command for command, _, _ in parsed] == ["error", "error", "error", "warning", *["notice"] * 3]
    _, properties, message = parsed[1]
    assert properties == {"file": "dir/web.yaml", "line": "12", "title": "pss/runAsNonRoot"}
    assert message.split("\n")[:3] == [
        "dir/web.yaml:12 Deployment shop/web, container app: it is wrong (restricted:latest)",
        "at spec.template.spec.containers[0].securityContext.runAsNonRoot[key]",
        "→ put it right",
    ]
    assert [found["title"].partition(":")[0] for _, found, _ in parsed[5:]] == ["waived", "waived"]
    assert "waived until " in parsed[5][2]
    assert lines[-1].startswith("3 errors, 1 warning, 1 note in 3 files")


def test_hostile_text_forges_no_command_and_no_property(make: Make, hostile: str) -> None:
    lines = commands(make(hostile)).split("\n")
    assert len(lines) == 9
    assert all(line.isprintable() for line in lines)
    assert [parse(line)[0] for line in lines[:7]] == ["error", "error", "error", "warning", *["notice"] * 3]
    for line in lines[:7]:
        assert set(parse(line)[1]) == {"file", "line", "title"}
        assert parse(line)[1]["line"] in {"3", "12", "40"}


def test_a_file_s_name_is_escaped_as_the_toolkit_does(make: Make) -> None:
    printed = commands(make(":,%="))
    assert "::error file=bad%3A%2C%25=.yaml,line=3,title=input/syntax::bad:,%25=.yaml:3 invalid YAML:,%25=\n" in printed


def test_a_clean_report_has_no_command(clean: CheckReport) -> None:
    assert commands(clean) == "no findings in 1 file (1 workload)\n"


def many(report: CheckReport, files: int, lines: int, rules: int) -> CheckReport:
    """A report with as many errors at as many lines of as many files, in the order of reports, and one warning."""
    error, warning = report.findings[1], report.findings[3]
    errors = (
        replace(error, file=f"{file}.yaml", line=line, rule=f"pss/{rule}")
        for file in range(files)
        for line in range(1, lines + 1)
        for rule in range(rules)
    )
    return replace(report, findings=(*errors, warning))


def places(report: CheckReport) -> list[tuple[str, str, str]]:
    parsed = [parse(line) for line in commands(report).splitlines()[:-1]]
    return [(found["file"], found["line"], found["title"]) for command, found, _ in parsed if command == "error"]


def test_ten_are_told_in_the_order_of_the_report(make: Make) -> None:
    report = many(make(""), 2, 1, 5)
    assert places(report) == [(each.file, str(each.line), each.rule) for each in report.findings[:-1]]
    assert "::notice title=podward check" not in commands(report)


@pytest.mark.parametrize(("files", "lines"), [(20, 3), (3, 20), (1, 20)])
def test_the_first_ten_of_more_are_of_ten_places_and_of_all_files(make: Make, files: int, lines: int) -> None:
    report = many(make(""), files, lines, 4)
    found = places(report)
    assert sorted(found) == sorted((each.file, str(each.line), each.rule) for each in report.findings[:-1])
    assert len({(file, line) for file, line, _ in found[:10]}) == 10
    assert len({file for file, *_ in found[:10]}) == min(files, 10)


def test_more_than_ten_are_announced_before_all(make: Make) -> None:
    first, *rest = commands(many(make(""), 1, 11, 1)).splitlines()
    command, properties, message = parse(first)
    assert (command, properties) == ("notice", {"title": "podward check"})
    assert message.startswith("11 errors, 1 warning in ")
    assert parse(rest[11])[0] == "warning"


def test_a_message_is_no_longer_than_the_runner_keeps(make: Make) -> None:
    report = make("y" * 100_000)
    for line in commands(report).splitlines()[:-1]:
        assert len(parse(line)[2]) <= 4096
        assert len(line) < 400_000
