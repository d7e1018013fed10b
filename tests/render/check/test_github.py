"""Workflow commands, read again as GitHub's runner reads them."""

from __future__ import annotations

from collections.abc import Callable

from podward.api.report import Report
from podward.render.check.github import commands

Make = Callable[[str], Report]


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
    assert [command for command, _, _ in parsed] == ["error", "error", "error", "warning", "notice"]
    _, properties, message = parsed[1]
    assert properties == {"file": "dir/web.yaml", "line": "12", "title": "pss/runAsNonRoot"}
    assert message.split("\n")[:3] == [
        "Deployment shop/web, container app: it is wrong (restricted:latest)",
        "at spec.template.spec.containers[0].securityContext.runAsNonRoot[key]",
        "→ put it right",
    ]
    assert lines[-1].startswith("3 errors, 1 warning, 1 note in 3 files")


def test_hostile_text_forges_no_command_and_no_property(make: Make, hostile: str) -> None:
    lines = commands(make(hostile)).split("\n")
    assert len(lines) == 7
    assert all(line.isprintable() for line in lines)
    assert [parse(line)[0] for line in lines[:5]] == ["error", "error", "error", "warning", "notice"]
    for line in lines[:5]:
        assert set(parse(line)[1]) == {"file", "line", "title"}
        assert parse(line)[1]["line"] in {"3", "12", "40"}


def test_a_file_s_name_is_escaped_as_the_toolkit_does(make: Make) -> None:
    assert "::error file=bad%3A%2C%25=.yaml,line=3,title=input/syntax::invalid YAML:,%25=\n" in commands(make(":,%="))


def test_a_clean_report_has_no_command(clean: Report) -> None:
    assert commands(clean) == "no findings in 1 file (1 workload)\n"
