"""The forms of what `podward check` says: each is what it says, and no name gets out of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema
import pytest
from checked import BAD, Check, annotated

PROJECT = Path(__file__).parent.parent.parent
SARIF = json.loads((PROJECT / "tests/render/check/sarif-schema-2.1.0.json").read_text(encoding="utf-8"))

HOSTILE = "x\n::error::owned\r\x1b[31m<b>&|"


@pytest.fixture
def hostile(check: Check) -> Check:
    """A manifest with a hostile name, and a file with another."""
    names = json.dumps(HOSTILE)
    check.write(
        "a\n::error file=x::owned\x1b[2J.yaml",
        f"apiVersion: v1\nkind: Pod\nmetadata: {{name: {names}, namespace: {names}}}\n"
        f"spec:\n  containers: [{{name: {names}, image: {names}, securityContext: {{privileged: true}}}}]\n",
    )
    check.write("b.yaml", "{")
    return check


@pytest.mark.parametrize("form", ["table", "json", "sarif", "junit", "github"])
def test_no_name_drives_a_terminal_or_forges_a_command(hostile: Check, form: str) -> None:
    ran = hostile(".", "-o", form)
    assert ran.code == 2
    assert "\x1b" not in ran.out
    assert "\r" not in ran.out
    forged = [line for line in ran.out.splitlines() if line.strip().startswith("::") and "owned" in line[:20]]
    assert forged == []
    if form == "github":
        assert all(line.startswith("::error file=") for line in ran.out.splitlines()[:-1])


def test_no_name_drives_a_terminal_when_fixing(hostile: Check) -> None:
    shown = hostile(".", "--fix", "--diff")
    assert "\n::" not in shown.out + shown.err
    told = hostile("b.yaml", "--baseline", "none\n::error::owned\x1b")
    assert (told.code, "\n::" in told.err, "\x1b" in told.err) == (2, False, False)
    made = hostile(".", "--fix")
    assert "\x1b" not in made.out + made.err
    assert "\n::" not in made.out + made.err


def test_every_form_is_what_it_says(check: Check) -> None:
    check.write("x.yaml", annotated(BAD, "pss/hostPorts until 2999-01-01: none"))
    jsonschema.Draft4Validator(SARIF).validate(json.loads(check("x.yaml", "-o", "sarif").out))
    tree = ET.fromstring(check("x.yaml", "-o", "junit").out)  # noqa: S314  # our own output
    assert (tree.tag, tree.get("failures")) == ("testsuites", "1")
    assert check("x.yaml", "-o", "github").out.startswith("::warning file=x.yaml,line=3,title=waiver/unused::")
    assert check("x.yaml").out.startswith("x.yaml:3  warning  waiver/unused  ")
    check.json("x.yaml")


def test_a_locale_without_some_characters_is_no_error(check: Check) -> None:
    check.directory.joinpath("a.yaml").write_text(BAD.replace("name: app", "name: gr\u00fcn"), encoding="utf-8")
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    for form in ("table", "json", "junit"):
        command = [sys.executable, "-m", "podward", "check", "a.yaml", "-o", form]
        ran = subprocess.run(command, capture_output=True, env=environment, cwd=check.directory, check=False)
        assert (ran.returncode, ran.stderr) == (1, b"")
        if form == "json":
            json.loads(ran.stdout.decode())
