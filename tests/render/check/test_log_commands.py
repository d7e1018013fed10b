"""No form of a report holds a command for who reads a CI system's log, but those that we mean.

Specification: actions/runner, ActionCommand.cs, which tries `::command` after the white space at a line's beginning,
and where that is none, `##[command]` anywhere in the line; Azure's agent and TeamCity do so with prefixes of theirs.
"""

from __future__ import annotations

import json as standard
import re
from collections.abc import Callable
from xml.etree import ElementTree as ET

import pytest

from podward.api.report import CheckReport
from podward.render.check import github, gitlab, json, junit, sarif, table
from podward.render.escaping import without_commands
from podward.render.palette import PLAIN

Make = Callable[[str], CheckReport]
REGISTERED = {"add-mask", "add-matcher", "add-path", "debug", "echo", "endgroup", "error", "group", "notice"} | {
    "remove-matcher", "save-state", "set-env", "set-output", "stop-commands", "warning",
}  # fmt: skip
FORMS: dict[str, Callable[[CheckReport], str]] = {
    "table in a pipe": lambda report: table.table(report, None, PLAIN),
    "table": lambda report: table.table(report, 60, PLAIN),
    "wider table": lambda report: table.table(report, 121, PLAIN),
    "json": lambda report: "".join(json.document(report)),
    "sarif": sarif.document,
    "junit": junit.document,
    "gitlab": gitlab.document,
    "github": github.commands,
}

LOGS = {
    "logs": "##[add-mask]x ##vso[task.setvariable variable=x]y ##teamcity[x] ###[error]z\n ::stop-commands::z",
    "colons": " ::add-mask::x ::::error::y :: error::z",
    "sections": "section_start:0:x\r\x1b[0K",
}


def command(line: str) -> str:
    """The command that GitHub's runner, or another reader, finds in the line; empty for none."""
    trimmed = line.lstrip()
    if trimmed.startswith("::") and (end := trimmed.find("::", 2)) >= 0:
        name = trimmed[2:end].partition(" ")[0]
        if name.lower() in REGISTERED:
            return name
    found = re.search(r"##([a-z]*)\[", line, re.IGNORECASE)
    return found[0] if found else ""


@pytest.mark.parametrize(
    ("line", "found"),
    [("  ::error file=x::y", "error"), ("x ##[error]y", "##["), ("##vso[task.x]", "##vso["), ("x ::error::y", "")],
)
def test_the_reader_finds_commands(line: str, found: str) -> None:
    assert command(line) == found


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("text", LOGS.values(), ids=LOGS)
def test_no_log_command_gets_through(make: Make, text: str, form: str) -> None:
    test_no_name_is_a_command(make, text, form)


@pytest.mark.parametrize("form", FORMS)
def test_no_name_is_a_command(make: Make, hostile: str, form: str) -> None:
    lines = FORMS[form](make(hostile)).split("\n")
    found = [name for name in map(command, lines) if name]
    assert found == (["error", "error", "error", "warning", *["notice"] * 3] if form == "github" else [])
    assert all(line.isprintable() for line in lines)


@pytest.mark.parametrize("text", ["##[x] ::x ####", "a::b", "##", "::::a::"])
def test_json_and_xml_say_the_same_all_the_same(make: Make, text: str) -> None:
    assert standard.loads("".join(json.document(make(text))))["findings"][0]["message"] == f"invalid YAML{text}"
    (error,) = ET.fromstring(junit.document(make(text))).iter("error")  # noqa: S314  # our own text
    assert error.get("message") == f"invalid YAML{text}"


def test_what_is_no_command_stays() -> None:
    assert without_commands("fe80::1 ::1 # ## a:b ::") == "fe80::1 ::1 # ## a:b ::"
    assert without_commands("::x ##y[") == r":\x3ax #\x23y["
