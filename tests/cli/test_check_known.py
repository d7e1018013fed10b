"""What `podward check` leaves out: waived, known, excluded; and how patterns and baselines name files."""

from __future__ import annotations

import pytest
from checked import BAD, GOOD, TEMPLATE, Check, annotated


def test_an_annotation_waives_until_its_day(check: Check) -> None:
    check.write("x.yaml", annotated(BAD, "pss/allowPrivilegeEscalation until 2999-01-01: sudo"))
    ran = check.json("x.yaml")
    assert (ran.code, ran.rules, ran.report["summary"]["waived"]) == (0, [], 1)
    check.write("x.yaml", annotated(BAD, "pss/allowPrivilegeEscalation until 2020-01-01: sudo"))
    assert check.json("x.yaml").rules == ["waiver/expired", "pss/allowPrivilegeEscalation"]
    check.write("x.yaml", annotated(GOOD, "pss/hostPorts until 2999-01-01: none"))
    assert (check("x.yaml").code, check.json("x.yaml").rules) == (0, ["waiver/unused"])
    check.write("x.yaml", annotated(GOOD, "pss/hostPorts until tomorrow: none"))
    assert (check("x.yaml").code, check.json("x.yaml").rules) == (1, ["waiver/malformed"])


@pytest.mark.parametrize("on_template", [False, True])
def test_a_waiver_may_stand_on_the_workload_or_on_its_template(check: Check, on_template: bool) -> None:  # noqa: FBT001
    waiver = "{check.podward.dev/waive: 'pss until 2999-01-01: an agent of the node'}"
    own, inner = ("{}", waiver) if on_template else (waiver, "{}")
    check.write(
        "x.yaml",
        f"apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {{name: web, annotations: {own}}}\nspec:\n"
        "  selector: {matchLabels: {a: b}}\n"
        f"  template:\n    metadata: {{labels: {{a: b}}, annotations: {inner}}}\n" + TEMPLATE,
    )
    ran = check.json("x.yaml", "--level", "baseline", "--select", "pss,waiver")
    assert (ran.code, ran.rules, ran.report["summary"]["waived"]) == (0, [], 1)


def test_a_baseline_lets_only_new_findings_fail(check: Check) -> None:
    check.write("x.yaml", BAD)
    assert check("x.yaml", "--write-baseline", "known.json").code == 0
    ran = check.json("x.yaml", "--baseline", "known.json")
    assert (ran.code, ran.report["summary"]["baselined"]) == (0, 1)
    check.write("x.yaml", "# moved down\n\n" + BAD)
    assert check("x.yaml", "--baseline", "known.json").code == 0
    check.write("x.yaml", BAD.replace("name: bad", "name: other"))
    again = check.json("x.yaml", "--baseline", "known.json")
    assert (again.code, again.report["summary"]["vanished"]) == (1, 1)
    check.write("known.json", "[]")
    assert check("x.yaml", "--baseline", "known.json").code == 2


def test_known_and_waived_findings_are_not_fixed(check: Check) -> None:
    file = check.write("x.yaml", BAD)
    check("x.yaml", "--write-baseline", "known.json")
    assert check("x.yaml", "--baseline", "known.json", "--fix").code == 0
    assert file.read_text(encoding="utf-8") == BAD
    waived = annotated(BAD, "pss until 2999-01-01: sudo")
    check.write("x.yaml", waived)
    assert check("x.yaml", "--fix").code == 0
    assert file.read_text(encoding="utf-8") == waived


def test_what_is_ignored_is_neither_told_nor_fixed(check: Check) -> None:
    file = check.write("x.yaml", BAD)
    assert check("x.yaml", "--ignore", "pss/allowPrivilegeEscalation", "--fix").code == 0
    assert file.read_text(encoding="utf-8") == BAD


CONFIGURATION = """[check]
exclude = ["deploy/old"]
baseline = "known.json"
[[check.waivers]]
rule = "pss/allowPrivilegeEscalation"
path = "deploy/sudo/*.yaml"
reason = "sudo"
expires = 2999-01-01
"""


@pytest.mark.parametrize("way", ["from above", "from the directory", "absolute", "from below", "from beside"])
def test_patterns_and_baselines_see_the_same_names_from_everywhere(
    check: Check, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    check.write("podward.toml", CONFIGURATION)
    check.write("known.json", '{"version": 1, "files": {}}')
    check.write("deploy/sudo/a.yaml", BAD)
    check.write("deploy/old/b.yaml", BAD)
    check.write("deploy/c.yaml", BAD)
    (check.directory / "beside").mkdir()
    assert check("deploy", "--write-baseline", "known.json").code == 0
    whole = str(check.directory / "deploy")
    here, path, shown = {
        "from above": (".", "deploy", "deploy/c.yaml"),
        "from the directory": ("deploy", ".", "c.yaml"),
        "absolute": ("deploy", whole, "c.yaml"),
        "from below": ("deploy/old", "..", "../c.yaml"),
        "from beside": ("beside", whole, "../deploy/c.yaml"),
    }[way]
    monkeypatch.chdir(check.directory / here)
    ran = check.json(path)
    assert (ran.code, ran.rules) == (0, [])
    assert [each["file"] for each in ran.report["baselined"]] == [shown]
    assert (ran.report["summary"]["files"], ran.report["summary"]["waived"]) == (2, 1)


def test_an_excluded_pattern_of_the_command_line_is_meant_from_here(
    check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    check.write("podward.toml", "[check]\n")
    check.write("deploy/old/b.yaml", BAD)
    check.write("deploy/c.yaml", GOOD)
    monkeypatch.chdir(check.directory / "deploy")
    assert check(".", "--exclude", "old/*").code == 0
    assert check(str(check.directory), "--exclude", "old/*").code == 0
    assert check(".", "--exclude", "deploy/old").code == 1
    assert check("old/b.yaml", "--exclude", "old/*").code == 1  # what is named itself


def test_a_baseline_that_is_still_to_be_made_may_be_configured_and_lie_among_the_manifests(check: Check) -> None:
    check.directory.joinpath("podward.toml").write_text('[check]\nbaseline = "known.json"\n')
    check.directory.joinpath("bad.yaml").write_text(BAD)
    assert check(".").code == 2
    made = check(".", "--write-baseline", "known.json")
    assert (made.code, "2 findings" in made.err or "1 findings" in made.err) == (0, True)
    assert check(".").code == 0
    assert check(".", "--write-baseline", "known.json").code == 0
    assert check(".").code == 0


def test_waivers_are_no_findings_that_a_baseline_knows(check: Check) -> None:
    check.directory.joinpath("a.yaml").write_text(annotated(GOOD, "pss until 2020-01-01: long ago"))
    assert "0 findings" in check("a.yaml", "--write-baseline", "known.json").err
