"""The report for GitLab's Code Quality."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from podward.api.report import CheckReport
from podward.render.check.gitlab import document

Make = Callable[[str], CheckReport]


def issues(report: CheckReport) -> list[dict[str, Any]]:
    found = json.loads(document(report))
    assert isinstance(found, list)
    for issue in found:
        assert set(issue) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert issue["severity"] in {"info", "minor", "major", "critical", "blocker"}
        assert issue["location"]["lines"]["begin"] >= 1
        assert not issue["location"]["path"].startswith("./")
    assert len({issue["fingerprint"] for issue in found}) == len(found)
    return found


def test_a_finding_is_an_issue(make: Make) -> None:
    found = issues(make(""))
    assert [issue["severity"] for issue in found] == ["major", "major", "major", "minor", *["info"] * 3]
    assert found[5]["description"].startswith("waived until ")
    assert found[1]["check_name"] == "pss/runAsNonRoot"
    assert found[1]["location"] == {"path": "dir/web.yaml", "lines": {"begin": 12}}
    assert found[1]["description"].endswith("container app: it is wrong (restricted:latest). put it right")


def test_a_path_is_relative_as_git_has_it(make: Make) -> None:
    report = make("")
    issue, *_ = issues(replace(report, findings=(replace(report.findings[0], file="./a//b.yaml", line=0),)))
    assert issue["location"] == {"path": "a/b.yaml", "lines": {"begin": 1}}


def test_fingerprints_stay_when_lines_move(make: Make) -> None:
    report = make("")
    twice = replace(report, findings=report.findings * 2)
    moved = replace(twice, findings=tuple(replace(each, line=each.line + 1) for each in twice.findings))
    assert [issue["fingerprint"] for issue in issues(twice)] == [issue["fingerprint"] for issue in issues(moved)]


def test_nothing_found_is_an_empty_list(clean: CheckReport) -> None:
    assert issues(clean) == []


def test_hostile_text_is_text(make: Make, hostile: str) -> None:
    assert len(issues(make(hostile))) == 7
    assert all(line.isprintable() for line in document(make(hostile)).split("\n"))
