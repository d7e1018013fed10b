"""SARIF, against the schema of the standard (tests/render/check/README.md says where it is from)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from msgspec.structs import replace

from podward import __version__
from podward.api.report import Report
from podward.render.check.sarif import SCHEMA as SCHEMA_URI
from podward.render.check.sarif import document

Make = Callable[[str], Report]
SCHEMA = json.loads((Path(__file__).parent / "sarif-schema-2.1.0.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft4Validator(SCHEMA, format_checker=jsonschema.FormatChecker())


def run(report: Report) -> Any:  # noqa: ANN401  # JSON
    log = json.loads(document(report))
    VALIDATOR.validate(log)
    assert log["$schema"] == SCHEMA["id"] == SCHEMA_URI
    (one,) = log["runs"]
    return one


def test_the_schema_refuses_what_is_no_sarif(make: Make) -> None:
    log = json.loads(document(make("")))
    log["runs"][0]["results"][0]["level"] = "fatal"
    assert not VALIDATOR.is_valid(log)
    log = json.loads(document(make("")))
    del log["runs"][0]["results"][0]["message"]
    assert not VALIDATOR.is_valid(log)


def test_results_have_level_place_and_rule(make: Make) -> None:
    found = run(make(""))
    driver = found["tool"]["driver"]
    assert (driver["name"], driver["version"]) == ("podward", __version__)
    results = found["results"]
    levels = [each["level"] for each in results]
    assert levels == ["error", "error", "error", "warning", "note", "error", "error", "error"]
    for each in results:
        assert driver["rules"][each["ruleIndex"]]["id"] == each["ruleId"]
    place = results[1]["locations"][0]
    assert place["physicalLocation"] == {
        "artifactLocation": {"uri": "dir/web.yaml", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 12},
    }
    assert place["logicalLocations"][0]["fullyQualifiedName"] == "shop/Deployment/web/app"
    assert results[1]["message"]["text"].endswith("it is wrong (restricted:latest). put it right")


def test_a_rule_has_help(make: Make) -> None:
    rule = run(make(""))["tool"]["driver"]["rules"][3]
    assert (rule["id"], rule["name"]) == ("pss/runAsNonRoot", "PssRunAsNonRoot")
    assert "docs/rules/pss/runAsNonRoot.md" in rule["help"]["markdown"]


def test_a_waived_finding_is_suppressed_with_its_reason(make: Make) -> None:
    waived = [each["suppressions"][0] for each in run(make(""))["results"] if "suppressions" in each]
    assert [each["kind"] for each in waived] == ["external", "inSource"]
    assert {each["status"] for each in waived} == {"accepted"}
    assert waived[0]["justification"] == "because (until 2026-12-31)"
    assert waived[0]["location"]["physicalLocation"]["artifactLocation"]["uri"] == "podward.toml"


def test_with_a_baseline_every_result_says_whether_it_is_new(make: Make, clean: Report) -> None:
    states = [each["baselineState"] for each in run(make(""))["results"]]
    assert states == ["new"] * 7 + ["unchanged"]
    without = replace(make(""), baselined=(), vanished=0)
    assert not any("baselineState" in each for each in run(without)["results"])
    assert run(clean)["results"] == []


def test_fingerprints_tell_results_apart_and_stay_when_lines_move(make: Make) -> None:
    report = make("")
    twice = replace(report, findings=report.findings + report.findings[1:2])
    moved = replace(twice, findings=tuple(replace(each, line=each.line + 9) for each in twice.findings))
    marks = [each["partialFingerprints"]["podwardFinding/v1"] for each in run(twice)["results"]]
    assert len(set(marks)) == len(marks)
    assert [each["partialFingerprints"]["podwardFinding/v1"] for each in run(moved)["results"]] == marks


def test_a_file_that_was_not_read_is_no_success(make: Make, clean: Report) -> None:
    (invocation,) = run(make(""))["invocations"]
    assert (invocation["executionSuccessful"], invocation["exitCode"]) == (False, 2)
    assert run(clean)["invocations"][0]["executionSuccessful"] is True


@pytest.mark.parametrize(
    ("file", "uri", "base"),
    [
        ("./a//b.yaml", "a/b.yaml", "%SRCROOT%"),
        ("a b/c#d?.yaml", "a%20b/c%23d%3F.yaml", "%SRCROOT%"),
        ("c:d.yaml", "c%3Ad.yaml", "%SRCROOT%"),
        ("é\udcff.yaml", "%C3%A9%FF.yaml", "%SRCROOT%"),
        ("<stdin>", "%3Cstdin%3E", "%SRCROOT%"),
        ("/srv/x.yaml", "file:///srv/x.yaml", None),
        ("//srv/x.yaml", "file:///srv/x.yaml", None),
    ],
)
def test_a_file_is_a_uri(make: Make, file: str, uri: str, base: str | None) -> None:
    report = make("")
    found = run(replace(report, findings=(replace(report.findings[0], file=file),)))
    artifact = found["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert (artifact["uri"], artifact.get("uriBaseId")) == (uri, base)


def test_hostile_text_leaves_it_valid(make: Make, hostile: str) -> None:
    for each in run(make(hostile))["results"]:
        assert "](" not in each["message"]["text"]
        assert each["message"]["text"].isprintable()
    assert all(line.isprintable() for line in document(make(hostile)).split("\n"))
