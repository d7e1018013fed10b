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
from podward.api.report import CheckReport
from podward.check import rules
from podward.render.check.sarif import SCHEMA as SCHEMA_URI
from podward.render.check.sarif import SourceFiles, document
from podward.render.check.sarif_model import Message, Region, Replacement

Make = Callable[[str], CheckReport]
SCHEMA = json.loads((Path(__file__).parent / "sarif-schema-2.1.0.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft4Validator(SCHEMA, format_checker=jsonschema.FormatChecker())


def run(report: CheckReport) -> Any:  # noqa: ANN401  # JSON
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
    assert rule["helpUri"].endswith(f"/blob/v{__version__}/docs/rules/pss/runAsNonRoot.md")
    assert f"]({rule['helpUri']})" in rule["help"]["markdown"]


@pytest.mark.parametrize(
    ("rule", "score", "level"),
    [("pss/privileged", "8.0", "error"), ("scc/runAsUser", "5.0", "error"), ("hint/seccomp-unset", "3.0", "warning")],
)
def test_a_rule_is_as_grave_as_what_it_is_about(make: Make, rule: str, score: str, level: str) -> None:
    (found,) = run(replace(make(""), rules=(rules.rule(rule),)))["tool"]["driver"]["rules"]
    assert found["properties"]["security-severity"] == score
    assert "security" in found["properties"]["tags"]
    assert found["defaultConfiguration"]["level"] == level


def test_what_could_not_be_read_is_no_fault_of_security(make: Make) -> None:
    (found,) = run(replace(make(""), rules=(rules.rule("input/syntax"),)))["tool"]["driver"]["rules"]
    assert "security-severity" not in found["properties"]
    assert (found["properties"]["tags"], found["properties"]["problem.severity"]) == (["kubernetes", "input"], "error")


def test_github_takes_every_rule(make: Make) -> None:
    """docs.github.com, "SARIF support for code scanning": what it requires of a rule, and how long it may be."""
    every = tuple(map(rules.rule, rules.DESCRIPTIONS))
    found = run(replace(make(""), rules=every))["tool"]["driver"]["rules"]
    assert len(found) == len(rules.DESCRIPTIONS)
    for rule in found:
        assert len(rule["id"]) > 0
        assert 0 < len(rule["name"]) <= 255
        assert 0 < len(rule["shortDescription"]["text"]) <= 1024
        assert 0 < len(rule["fullDescription"]["text"]) <= 1024
        assert rule["help"]["text"]
        assert 0 < len(rule["properties"]["tags"]) <= 10
        assert 0.0 < float(rule["properties"].get("security-severity", "1")) <= 10.0
        assert rule["properties"].get("precision", "high") in {"very-high", "high", "medium", "low"}


def test_github_takes_every_result(make: Make, hostile: str) -> None:
    for each in run(make(hostile))["results"]:
        assert each["message"]["text"]
        assert len(each["message"]["text"]) < 10_000
        (location,) = each["locations"]
        assert location["physicalLocation"]["artifactLocation"]["uri"]
        assert location["physicalLocation"]["region"]["startLine"] >= 1
        assert each["partialFingerprints"]
        assert each["ruleIndex"] >= 0


def sources(fixes: dict[int, tuple[Replacement, ...]], unfixed: str = "") -> SourceFiles:
    return SourceFiles(lambda _, number: f"  line: {number}  ", fixes, unfixed)


def test_a_place_has_columns_where_its_line_is_known(make: Make) -> None:
    log = json.loads(document(make(""), sources({})))
    VALIDATOR.validate(log)
    (run_,) = log["runs"]
    region = run_["results"][1]["locations"][0]["physicalLocation"]["region"]
    assert region == {"startLine": 12, "startColumn": 3, "endLine": 12, "endColumn": 11}
    assert run_["columnKind"] == "utf16CodeUnits"


def test_a_fix_is_about_the_finding_s_file(make: Make, hostile: str) -> None:
    replaced = Replacement(Region(3, 1, 3, 1), Message(f"new{hostile}\r\n".encode("utf-8", "replace").decode()))
    log = json.loads(document(make(hostile), sources({1: (replaced,)})))
    VALIDATOR.validate(log)
    results = log["runs"][0]["results"]
    assert [index for index, each in enumerate(results) if "fixes" in each] == [1]
    (fix,) = results[1]["fixes"]
    (change,) = fix["artifactChanges"]
    assert fix["description"]["text"].startswith("put it right")
    assert change["artifactLocation"] == results[1]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert change["replacements"][0]["insertedContent"]["text"] == replaced.inserted_content.text


def test_a_report_says_why_it_has_no_fixes(make: Make) -> None:
    log = json.loads(document(make(""), sources({}, "too many")))
    VALIDATOR.validate(log)
    (told,) = log["runs"][0]["invocations"][0]["toolExecutionNotifications"]
    assert told == {"message": {"text": "too many"}, "level": "note"}


def test_a_waived_finding_is_suppressed_with_its_reason(make: Make) -> None:
    waived = [each["suppressions"][0] for each in run(make(""))["results"] if "suppressions" in each]
    assert [each["kind"] for each in waived] == ["external", "inSource"]
    assert {each["status"] for each in waived} == {"accepted"}
    assert waived[0]["justification"] == "because (until 2026-12-31)"
    assert waived[0]["location"]["physicalLocation"]["artifactLocation"]["uri"] == "podward.toml"


def test_with_a_baseline_every_result_says_whether_it_is_new(make: Make, clean: CheckReport) -> None:
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


def test_a_file_that_was_not_read_is_no_success(make: Make, clean: CheckReport) -> None:
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
