"""The report for programs follows its schema."""

from __future__ import annotations

import json as standard
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from podward.api.report import CheckReport
from podward.render.check import json, texts

Make = Callable[[str], CheckReport]
SCHEMA = standard.loads(
    (Path(__file__).parent.parent.parent.parent / "docs/schema/check.schema.json").read_text(encoding="utf-8")
)


def read(report: CheckReport) -> Any:  # noqa: ANN401  # JSON
    found = standard.loads("".join(json.document(report)))
    jsonschema.validate(found, SCHEMA, format_checker=jsonschema.FormatChecker())
    return found


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_everything_is_there(make: Make) -> None:
    found = read(make(""))
    assert [each["rule"] for each in found["findings"]] == [
        "input/syntax",
        "pss/runAsNonRoot",
        "pss/runAsNonRoot",
        "hint/seccomp-unset",
        "pss/sysctls",
    ]
    second = found["findings"][1]
    assert (second["file"], second["line"], second["page"]) == ("dir/web.yaml", 12, "docs/rules/pss/runAsNonRoot.md")
    assert second["subject"] == {"kind": "Deployment", "namespace": "shop", "name": "web", "container": "app"}
    assert second["changes"][0]["pointer"] == "/spec/template/spec/containers/0/securityContext/runAsNonRoot"
    assert [change["value"] for change in second["changes"]] == [True, None, "v"]
    assert [each["waiver"]["inManifest"] for each in found["waived"]] == [False, True]
    assert found["waived"][0]["waiver"]["expires"] == "2026-12-31"
    assert len(found["baselined"]) == 1
    assert (found["exitCode"], found["summary"]["vanished"]) == (2, 2)


def test_a_report_about_nothing_follows_the_schema_too(clean: CheckReport) -> None:
    assert read(clean)["exitCode"] == 0


def test_hostile_text_comes_through_and_drives_no_terminal(make: Make, hostile: str) -> None:
    text = "".join(json.document(make(hostile)))
    assert all(line.isprintable() for line in text.split("\n"))
    message = read(make(hostile))["findings"][0]["message"]
    assert message == "invalid YAML" + hostile.encode("utf-8", "backslashreplace").decode()


@pytest.mark.parametrize("change", ["severity", "line", "subject", "changes", "fingerprint"])
def test_the_schema_wants_every_field(make: Make, change: str) -> None:
    found = standard.loads("".join(json.document(make(""))))
    del found["findings"][1][change]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(found, SCHEMA)


@given(st.text(alphabet=st.characters(exclude_categories=())))
def test_any_text_is_the_same_after_reading(text: str) -> None:
    printed = texts.json_text(json.JsonSubject(text, "", "", ""))
    assert standard.loads(printed)["kind"] == text.encode("utf-8", "backslashreplace").decode()
